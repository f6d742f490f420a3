"""Leaders who come to a review."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from bot import briefing, inviting
from bot.review.refusal import NothingScheduled, NotYours
from storage import attending, incidents, reviews
from storage.models import OutboxNote
from tests.cast import CHANNEL, HERE, JONAS, MARA, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated
from tests.sitting import do, plain


@pytest.fixture
def incident(room: Room) -> int:
    """An incident whose review meets in two days."""
    number = an_incident(room)
    mitigated(room, number)
    at = room.now + timedelta(days=2)
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, number), at=at, by=MARA, now=room.now)))
    return number


@pytest.mark.usefixtures("incident")
def test_a_leader_who_comes_gets_five_private_lines_once(room: Room):
    answer = do(room, briefing.name_leaders, users=[JONAS])

    for _ in range(3):
        room.serve(briefing.brief_leaders)
        room.pass_time(hours=1)

    (told,) = room.transcript(JONAS)
    assert plain(answer).startswith(f"<@{JONAS}> is asked to the meeting on Fri 20 Nov, 14:00 UTC, beside its core.")
    assert [line[0] for line in told.split("\n") if line[:1].isdigit()] == list("12345")
    assert room.transcript(CHANNEL) == []


def test_a_leader_is_no_core_attendee(room: Room, incident: int):
    do(room, briefing.name_leaders, users=[JONAS])

    meeting = room.ask(lambda db: core(db, incident))

    assert JONAS not in meeting


def core(db: Session, incident: int) -> list[str]:
    planned = reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))
    assert planned
    return [*attending.core(db, planned)]


@pytest.mark.usefixtures("incident")
def test_a_leader_is_written_to_in_their_own_working_hours_and_not_twice_a_day(room: Room):
    """At 14:00 UTC it is evening where Priya is; Tomas was written to today."""
    do(room, briefing.name_leaders, users=[PRIYA, TOMAS])
    room.change(lambda db: db.add(written_to(room, TOMAS)))

    room.serve(briefing.brief_leaders)
    today = [len(room.transcript(user)) for user in (PRIYA, TOMAS)]
    room.pass_time(hours=19)
    room.serve(briefing.brief_leaders)

    assert today == [0, 1]
    assert [len(room.transcript(user)) for user in (PRIYA, TOMAS)] == [1, 2]


def written_to(room: Room, user: str) -> OutboxNote:
    return OutboxNote(
        team_id=TEAM,
        key="something",
        kind="once",
        channel_id=user,
        text="Something else",
        written_at=room.now,
        not_before=room.now,
    )


@pytest.mark.usefixtures("incident")
def test_a_leader_who_was_let_off_hears_nothing(room: Room):
    do(room, briefing.name_leaders, users=[JONAS])
    do(room, inviting.uninvite, users=[JONAS])

    room.serve(briefing.brief_leaders)

    assert room.transcript(JONAS) == []


@pytest.mark.usefixtures("incident")
def test_only_who_leads_the_review_names_leaders(room: Room):
    with pytest.raises(NotYours):
        do(room, briefing.name_leaders, by=TOMAS, users=[JONAS])


def test_leaders_are_named_for_a_meeting_that_is_planned(room: Room):
    an_incident(room)

    with pytest.raises(NothingScheduled):
        room.serve(briefing.name_leaders, where=HERE, by=MARA, users=[JONAS])
