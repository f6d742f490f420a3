import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import following_up, reminding
from bot.listeners.words import look_up
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import UserId
from bot.review.refusal import AnotherStep, DayInThePast, NotYours, UnknownVerb, UnreadableDay
from storage import actions, people
from storage.models import OutboxNote
from tests.cast import HERE, JONAS, MARA, TEAM, TOMAS, Room, an_incident

TEXT = "write the runbook for a full disk"


def propose(room: Room, due: str | None = None) -> None:
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, due, Horizon.quick, TEXT))


def promised(room: Room) -> None:
    """Action 1 of Tomas, promised on Friday 20 November for Wednesday 25 November."""
    an_incident(room, lead=MARA)
    propose(room)
    room.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    room.serve(following_up.move, by=TOMAS, number=1, step="commit")


def type_in(room: Room, text: str, *, by: UserId = TOMAS) -> str:
    """What is typed after the command, and its answer."""
    verb, rest = look_up(text)
    deed = verb.deed(rest)
    return room.serve(deed.ability, by=by, **deed.what)


def mornings(room: Room, until: date, to: UserId = TOMAS) -> list[str]:
    """The days on which somebody is written to, asked at 9 and at 10 in the morning."""
    days: list[str] = []
    day = room.now.date() + timedelta(days=1)
    while day <= until:
        before = len(room.transcript(to))
        for hour in (9, 10):
            room.now = datetime(day.year, day.month, day.day, hour, 5, tzinfo=UTC)
            room.serve(reminding.remind_due)
        days += [f"{day:%a %d}"] * (len(room.transcript(to)) - before)
        day += timedelta(days=1)
    return days


# One action --------------------------------------------------------------------------


def test_a_snoozed_action_is_said_again_on_its_day_and_not_before(room: Room):
    promised(room)
    assert mornings(room, date(2026, 11, 23)) == ["Mon 23"]

    said = type_in(room, "action 1 snooze")

    assert said.startswith("I say nothing of action 1 until Mon 30 Nov 2026, and remind you of it again then.")
    assert mornings(room, date(2026, 12, 2)) == ["Mon 30", "Wed 02"]
    assert f"*Action 1* was due Wed 25 Nov 2026, 5 days ago: {TEXT}." in room.transcript(TOMAS)[1]


def test_a_snoozed_proposal_is_asked_about_again(room: Room):
    an_incident(room, lead=MARA)
    propose(room)
    assert mornings(room, date(2026, 11, 20)) == ["Fri 20"]

    type_in(room, "action 1 snooze 2026-11-24")

    assert mornings(room, date(2026, 12, 15)) == ["Tue 24"]
    assert "waits for your answer" in room.transcript(TOMAS)[-1]


def test_a_snooze_ends_where_somebody_changes_the_action(room: Room):
    promised(room)
    type_in(room, "action 1 snooze 2027-03-01")

    type_in(room, "action 1 due 2026-12-04")

    assert mornings(room, date(2026, 12, 4)) == ["Tue 01", "Fri 04"]


def test_whoever_answers_for_the_review_hears_of_a_snoozed_action_after_two_weeks(room: Room):
    promised(room)
    type_in(room, "action 1 snooze 2027-03-01")

    assert mornings(room, date(2026, 12, 20), MARA) == ["Wed 09"]


def test_of_a_snooze_no_history_is_kept(room: Room):
    promised(room)
    before = room.ask(lambda db: actions.touched(db, TEAM, [1]))

    type_in(room, "action 1 snooze")

    assert room.ask(lambda db: actions.touched(db, TEAM, [1])) == before


@pytest.mark.parametrize(
    ("words", "refusal"), [("2026-11-20", DayInThePast), ("2026-11-19", DayInThePast), ("soon", UnreadableDay)]
)
def test_a_snooze_needs_a_day_to_come(room: Room, words: str, refusal: type[Exception]):
    promised(room)

    with pytest.raises(refusal):
        type_in(room, f"action 1 snooze {words}")


def test_only_its_owner_and_who_leads_snooze_an_action_and_only_an_open_one(room: Room):
    promised(room)

    with pytest.raises(NotYours):
        type_in(room, "action 1 snooze", by=JONAS)
    room.serve(following_up.finish, by=TOMAS, number=1, evidence={"deployed": "https://example.com/7"})
    with pytest.raises(AnotherStep):
        type_in(room, "action 1 snooze")


# Everything --------------------------------------------------------------------------


def test_what_a_message_says_about_stopping_it_stops_it_when_typed_as_it_stands(room: Room):
    promised(room)
    mornings(room, date(2026, 11, 23))
    offered = re.findall(r"`/review (reminders [^`]+)`", room.transcript(TOMAS)[0])

    answers = {typed: type_in(room, typed) for typed in offered}

    assert list(answers) == ["reminders snooze", "reminders off"]
    assert mornings(room, date(2026, 12, 31)) == []


def test_stopping_says_what_happens_then_and_how_to_go_back(room: Room):
    promised(room)

    said = type_in(room, "reminders off")

    assert said.startswith(
        "From now on I do not write to you unasked. Your open actions stay in `/review actions mine`, and two weeks "
        "after its day, whoever answers for the review hears of one that is late."
    )
    assert "`/review reminders on` brings my messages back." in said
    assert type_in(room, "reminders") == said


def test_after_a_pause_one_message_says_what_is_due_then(room: Room):
    promised(room)

    said = type_in(room, "reminders snooze 2026-12-04")

    assert said.startswith("Until Fri 04 Dec 2026 I do not write to you unasked.")
    assert mornings(room, date(2026, 12, 8)) == ["Fri 04"]


def test_a_pause_begins_to_end_in_ones_own_night(room: Room):
    promised(room)
    type_in(room, "reminders snooze 2026-11-24", by=MARA)

    assert room.ask(snoozed_until, MARA) == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def snoozed_until(db, user: UserId) -> datetime | None:
    person = people.find(db, TEAM, user)
    return person and person.snoozed_until


def test_who_stopped_them_may_have_them_back(room: Room):
    promised(room)
    type_in(room, "reminders off")

    said = type_in(room, "reminders on")

    assert said.startswith("When something waits for you, I write to you, once a day at most")
    assert mornings(room, date(2026, 11, 25)) == ["Mon 23", "Wed 25"]


def test_other_words_change_nothing(room: Room):
    promised(room)

    with pytest.raises(UnknownVerb):
        type_in(room, "reminders perhaps")

    assert mornings(room, date(2026, 11, 23)) == ["Mon 23"]


def test_whoever_stopped_them_who_answers_for_a_review_hears_nothing_either(room: Room):
    promised(room)
    type_in(room, "reminders off", by=MARA)

    assert mornings(room, date(2026, 12, 20), MARA) == []


# Late --------------------------------------------------------------------------------


def test_what_comes_late_because_the_bot_was_away_says_so_once(room: Room):
    promised(room)
    room.serve(reminding.notice_absence)
    room.now = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)

    for ability in (reminding.notice_absence, reminding.remind_due):
        room.serve(ability)
    mornings(room, date(2026, 12, 9))

    assert [text.split("\n\n")[0] for text in room.transcript(TOMAS)] == [
        "This comes 1 day late: I was away.",
        "One action needs a word from you.",
        "One action needs a word from you.",
    ]


def test_what_waited_for_another_reason_does_not_say_that_the_bot_was_away(room: Room):
    promised(room)
    room.serve(reminding.notice_absence)
    type_in(room, "reminders snooze 2026-11-26")

    mornings(room, date(2026, 11, 26))

    assert "away" not in room.transcript(TOMAS)[0]


def test_where_only_some_of_it_is_late_that_is_said(room: Room):
    promised(room)
    propose(room)
    room.serve(reminding.notice_absence)
    room.now = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)

    for ability in (reminding.notice_absence, reminding.remind_due):
        room.serve(ability)

    assert room.transcript(TOMAS)[0].startswith("Some of this comes up to 4 days late: I was away.\n\n2 actions need")


# The buttons -------------------------------------------------------------------------


def test_each_button_of_a_morning_message_types_what_can_be_typed(room: Room):
    promised(room)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, None, Horizon.quick, TEXT))
    mornings(room, date(2026, 11, 25))

    pressed = {words for note in room.ask(blocks_of_all) for words in buttons(note)}

    assert pressed >= {"action 1 snooze", "action 1 done", "action 2 commit", "reminders snooze", "reminders off"}
    for words in sorted(pressed):
        verb, rest = look_up(words)
        assert verb.deed(rest)


def blocks_of_all(db) -> list[list[dict[str, Any]]]:
    return list(db.scalars(select(OutboxNote.blocks)))


def buttons(blocks: list[dict[str, Any]]) -> list[str]:
    """What pressing each of them types."""
    rows = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return [f"{each['action_id'].split(':')[1]} {json.loads(each['value'])['text']}" for each in rows]
