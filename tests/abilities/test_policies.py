"""What a house asks for itself is what happens there: each number of its policy counts where the default would."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import following_up, preparing, scheduling
from bot.desk import House
from bot.review.follow_up import ActionWords
from bot.review.policy import DEFAULT, Policy
from bot.review.refusal import StillSoaking
from bot.review.when import read_when
from tests.cast import CHANNEL, HERE, MARA, Room


def a_house(room: Room, **own: object) -> Room:
    """The same room, in a house that asks for something else."""
    policy: Policy = replace(DEFAULT, **own)  # type: ignore[arg-type]
    return Room(room.storage, room.now, House(policy=policy))


def said_before(room: Room) -> list[str]:
    room.serve(preparing.pre_reads_due)
    return [words for words in room.transcript(CHANNEL) if words.startswith("Before the review")]


@pytest.mark.parametrize(("hours", "words"), [(36, "36 hours"), (48, "2 days"), (1, "an hour"), (24, "a day")])
@pytest.mark.usefixtures("incident")
def test_the_pre_read_comes_as_long_before_the_meeting_as_the_house_says(room: Room, hours: int, words: str):
    house = a_house(room, pre_read_lead=timedelta(hours=hours))
    booked = house.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-23 10:00Z"))

    house.now = room.now.replace(day=23, hour=10) - timedelta(hours=hours, minutes=1)
    early = said_before(house)
    house.pass_time(minutes=1)
    on_time = said_before(house)

    assert f"The pre-read goes out {words} before" in booked
    assert (len(early), len(on_time)) == (0, 1)


@pytest.mark.parametrize(("days", "until"), [(0, None), (1, "Thu 19 Nov 2026"), (4, "Tue 24 Nov 2026")])
@pytest.mark.usefixtures("incident")
def test_a_proposal_soaks_for_as_many_working_days_as_the_house_says(room: Room, days: int, until: str | None):
    house = a_house(room, soak_days=days)
    house.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(MARA, None, None, "Train somebody"))

    if until is None:
        assert "promised" in house.serve(following_up.move, by=MARA, number=1, step="commit")
        return
    with pytest.raises(StillSoaking, match=f"waits until {until}"):
        house.serve(following_up.move, by=MARA, number=1, step="commit")
    assert f"waits until {until}" in house.serve(following_up.propose, where=HERE, by=MARA, wording=ANOTHER)


ANOTHER = ActionWords(MARA, None, None, "Write the runbook for a full disk")
