"""The meeting: opening, walking, noting, closing."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import convening, facilitating, noting
from bot.review.incident import UserId
from bot.review.lifecycle import Role, Stage
from bot.review.refusal import (
    AlreadyInMeeting,
    AnotherMeetingHere,
    FirstTopic,
    HeldTooSoon,
    LastTopic,
    MetWithMe,
    NothingScheduled,
    NotInMeeting,
    NotMitigated,
    NotYours,
)
from bot.review.when import read_when
from storage import delivering, incidents, messages, outbox, reviews
from storage.models import OutboxNote, TimelineEvent
from storage.session import Storage
from tests.cast import (
    CHANNEL,
    HERE,
    JONAS,
    MARA,
    NOVEMBER_18,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
    stage,
)
from tests.sitting import agenda, an_event, buttons, delivered, do, plain, said


def the_meeting(room: Room, incident: int) -> tuple[int, datetime | None]:
    """The latest meeting's number, and when it ended."""

    def look(db: Session) -> tuple[int, datetime | None]:
        meeting = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[-1]
        return meeting.number, meeting.ended_at

    return room.ask(look)


def writes(db: Session, incident: int, user: UserId) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.scribe, user, by=None, now=NOVEMBER_18)


# The ladder of a whole meeting -----------------------------------------------------------


def test_a_meeting_from_start_to_end_is_one_message_that_changes(room: Room, incident: int):
    an_event(room, incident, "Latency alert fired", kind="detection")
    an_event(room, incident, "We roll back", kind="decision")
    heads = []

    do(room, facilitating.start)
    for _ in range(6):
        heads.append(agenda(room).split("\n")[2])
        room.pass_time(minutes=3)
        do(room, facilitating.advance)
    do(room, facilitating.end)

    assert heads == [
        "*1 of 6 · Opening* · 3 of 3 min left, until 14:03 UTC",
        "*2 of 6 · Summary and impact* · 4 of 4 min left, until 14:07 UTC",
        "*3 of 6 · Timeline walk* · 35 of 35 min left, until 14:41 UTC",
        "*3 of 6 · Timeline walk* · 32 of 35 min left, until 14:41 UTC",
        "*4 of 6 · Contributors, mitigators, risks and learnings* · 9 of 9 min left, until 14:21 UTC",
        "*5 of 6 · Actions* · 5 of 5 min left, until 14:20 UTC",
    ]
    assert len(room.transcript(CHANNEL)) == 1
    assert stage(room, incident) is Stage.ended


def test_the_opening_says_the_ground_rules_who_leads_and_who_writes(room: Room, incident: int):
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, incident), Role.scribe, JONAS, by=None, now=room.now)
    )

    do(room, facilitating.start)

    assert agenda(room) == (
        "Review of Checkout is slow\n\n"
        "*1 of 6 · Opening* · 3 of 3 min left, until 14:03 UTC\n\n"
        "We are here to learn how our work went, and not to find who is at fault. We ask *how* and *what* rather than "
        "*why* and *who*. Everybody is heard, nobody fills the room, and a differing view is kept as it was said.\n\n"
        "If this meeting is recorded, please say so now. I keep what is noted with `/review` and nothing of what is "
        "only said.\n\n"
        f"<@{MARA}> leads.\n<@{JONAS}> writes.\n\n"
        f"Here: <@{MARA}>\n\n"
        "The meeting has 60 min left and ends at 15:00 UTC · next: Summary and impact"
    )


def test_a_stop_shows_the_event_its_message_and_a_question_to_the_person_in_it(room: Room, incident: int):
    ts = a_message(room, "I suggest we roll back", by=PRIYA, at=NOVEMBER_18 + timedelta(minutes=5))
    an_event(room, incident, None, at=NOVEMBER_18 + timedelta(minutes=5), source="message", channel_id=CHANNEL, ts=ts)
    for minute in (7, 8):
        an_event(room, incident, "Scaled up", kind="automated", at=NOVEMBER_18 + timedelta(minutes=minute))
    an_event(room, incident, "Green", kind="mitigation", at=NOVEMBER_18 + timedelta(minutes=9))

    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")

    link = f"https://sandbox.example.com/archives/{CHANNEL}/p{ts.replace('.', '')}"
    assert agenda(room).split("\n\n")[2:-1] == [
        f"*Stop 1 of 2* · event 1 · Wed 18 Nov, 14:05 UTC · decision · <@{PRIYA}> · <{link}|message>",
        "> I suggest we roll back",
        "I know what was written. What was said on calls and seen on dashboards is not here.",
        f"*<@{PRIYA}>, what were the options at this moment, and what spoke for this one?*",
        "Until the next stop: 14:07 UTC–14:08 UTC, 2 events",
    ]


def test_a_deleted_message_leaves_its_event_without_words(room: Room, incident: int):
    ts = a_message(room, "My password is hunter2", by=PRIYA)
    an_event(room, incident, None, source="message", channel_id=CHANNEL, ts=ts)
    room.change(delete_message(ts))

    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")

    assert "The message behind this event was deleted." in agenda(room)
    assert "hunter2" not in agenda(room)


def delete_message(ts: str) -> Any:
    def delete(db: Session) -> None:
        row = messages.find(db, TEAM, CHANNEL, ts)
        assert row
        row.deleted_at = NOVEMBER_18

    return delete


# Opening ---------------------------------------------------------------------------------


def test_a_meeting_needs_a_mitigated_incident(room: Room):
    an_incident(room)

    with pytest.raises(NotMitigated):
        do(room, facilitating.start)


def test_a_resolved_incident_may_be_met_about_though_nobody_said_mitigated(room: Room):
    incident = an_incident(room)
    room.change(
        lambda db: incidents.set_moment(
            db, incidents.get(db, incident), "resolved", room.now, by=MARA, how="set", now=room.now
        )
    )

    do(room, facilitating.start)

    assert stage(room, incident) is Stage.in_meeting


@pytest.mark.usefixtures("incident")
def test_a_meeting_is_opened_once(room: Room):
    do(room, facilitating.start)

    with pytest.raises(AlreadyInMeeting):
        do(room, facilitating.start)


@pytest.mark.usefixtures("incident")
def test_a_stranger_to_the_roles_does_not_open_the_meeting(room: Room):
    with pytest.raises(NotYours):
        do(room, facilitating.start, by=TOMAS)


def test_two_reviews_do_not_meet_in_the_same_place_at_once(room: Room, incident: int):
    other = an_incident(room, title="Another", channel="C0OTHER")  # pyright: ignore[reportArgumentType]
    mitigated(room, other)
    do(room, facilitating.start)
    room.change(lambda db: sits_here(db, other))

    with pytest.raises(AnotherMeetingHere):
        room.serve(facilitating.start, where=incidents.Where(HERE.place, other), by=MARA)


def sits_here(db: Session, incident: int) -> None:
    here = incidents.get(db, incident)
    reviews.plan(db, here, at=NOVEMBER_18, by=MARA, now=NOVEMBER_18).channel_id = CHANNEL


def test_the_planned_meeting_is_the_one_that_opens(room: Room, incident: int):
    in_an_hour = room.now + timedelta(hours=1)
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, incident), at=in_an_hour, by=MARA, now=room.now)))

    do(room, facilitating.start)

    assert the_meeting(room, incident)[0] == 1


@pytest.mark.usefixtures("incident")
def test_whoever_opens_the_meeting_gets_the_help_card_alone(room: Room):
    answer = do(room, facilitating.start)

    assert answer.startswith("*For you alone, while you lead*")
    assert "For you alone" not in "".join(room.transcript())


# Moving ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_of_two_presses_at_once_one_counts(room: Room):
    do(room, facilitating.start)

    do(room, facilitating.advance, seen=2)
    answer = do(room, facilitating.advance, seen=2)

    assert "*2 of 6" in agenda(room)
    assert answer == (
        "Somebody was a moment faster, so nothing was skipped.\n"
        "Now: Summary and impact. 4 min left for it, 60 for the meeting."
    )


@pytest.mark.usefixtures("incident")
def test_an_overrun_is_said_to_whoever_pressed_and_to_nobody_else(room: Room):
    do(room, facilitating.start)
    room.pass_time(minutes=5)

    answer = do(room, facilitating.advance)

    assert answer.startswith("“Opening” took 2 min more than planned; only you see this.")
    assert "more than planned" not in agenda(room)


@pytest.mark.usefixtures("incident")
def test_five_more_minutes_come_from_a_later_topic(room: Room):
    do(room, facilitating.start)

    do(room, facilitating.extend, minutes=5)

    assert "*1 of 6 · Opening* · 8 of 8 min left, until 14:08 UTC" in agenda(room)
    assert "60 min left and ends at 15:00 UTC" in agenda(room)


@pytest.mark.usefixtures("incident")
def test_five_more_minutes_pressed_twice_are_five_more_minutes(room: Room):
    do(room, facilitating.start)

    do(room, facilitating.extend, minutes=5, seen=2)
    answer = do(room, facilitating.extend, minutes=5, seen=2)

    assert "*1 of 6 · Opening* · 8 of 8 min" in agenda(room)
    assert answer.startswith("Somebody was a moment faster")


@pytest.mark.usefixtures("incident")
def test_going_to_the_topic_on_the_table_stays_there(room: Room):
    do(room, facilitating.start)

    answer = do(room, facilitating.go_to, words="opening")

    assert answer == "Now: Opening. 3 min left for it, 60 for the meeting."


@pytest.mark.usefixtures("incident")
def test_the_buttons_under_the_agenda_carry_its_version(room: Room):
    do(room, facilitating.start)
    do(room, facilitating.advance)

    carried = {text for block in agenda_blocks(room) for text in texts_of(block)}

    assert {"3", "5 3"} <= carried


def agenda_blocks(room: Room) -> list[dict[str, Any]]:
    return room.ask(lambda db: db.query(OutboxNote).filter_by(channel_id=CHANNEL).one().blocks)


def texts_of(block: dict[str, Any]) -> list[str]:
    return [json.loads(element["value"])["text"] for element in block.get("elements", []) if "value" in element]


@pytest.mark.usefixtures("incident")
def test_the_facilitator_may_go_anywhere_and_back(room: Room):
    do(room, facilitating.start)

    do(room, facilitating.go_to, words="actions")
    do(room, facilitating.go_back)

    assert "*4 of 6" in agenda(room)


@pytest.mark.usefixtures("incident")
def test_the_ends_of_the_agenda_say_so(room: Room):
    do(room, facilitating.start)

    with pytest.raises(FirstTopic):
        do(room, facilitating.go_back)
    do(room, facilitating.go_to, words="close")
    with pytest.raises(LastTopic):
        do(room, facilitating.advance)


def test_moving_needs_an_open_meeting(room: Room):
    an_incident(room)

    with pytest.raises(NotInMeeting):
        do(room, facilitating.advance)


def test_a_restart_in_the_middle_loses_nothing(room: Room, incident: int, tmp_path: Path):
    an_event(room, incident, "Alert fired", kind="detection")
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")
    do(room, noting.park, text="Certificates")
    room.storage.close()

    again = Room(Storage(f"sqlite:///{tmp_path}/debrief.db"), now=room.now)
    do(again, facilitating.advance)

    assert "*Stop 2 of 2*" in agenda(again)
    assert "1 parked" in agenda(again)


def test_an_event_added_before_the_walk_is_walked(room: Room, incident: int):
    do(room, facilitating.start)
    an_event(room, incident, "We roll back")

    do(room, facilitating.go_to, words="timeline")

    assert "*Stop 1 of 1*" in agenda(room)


def test_an_event_dropped_during_the_walk_does_not_stop_it(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")
    room.change(lambda db: drop(db, incident))

    do(room, facilitating.refresh)
    do(room, facilitating.advance)

    assert "*4 of 6" in agenda(room)


def drop(db: Session, incident: int) -> None:
    row = db.query(TimelineEvent).filter_by(incident_id=incident).one()
    row.dropped_at = NOVEMBER_18


# Closing ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_the_end_tells_what_happens_next_and_when(room: Room):
    do(room, facilitating.start)
    room.pass_time(minutes=58)

    do(room, facilitating.end)

    assert agenda(room).endswith(
        "*What happens next*\n"
        f"<@{MARA}> has the draft of the report by Thu 19 Nov, 14:58 UTC. Actions wait until Fri 20 Nov 2026; "
        "then their owners say yes or no to them."
    )


def test_a_start_after_the_end_goes_on_where_it_ended(room: Room, incident: int):
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="findings")
    do(room, facilitating.end)
    room.pass_time(minutes=10)

    do(room, facilitating.start)

    assert "*4 of 6" in agenda(room)
    assert stage(room, incident) is Stage.in_meeting
    assert the_meeting(room, incident)[0] == 1


def test_a_start_after_the_end_goes_on_though_another_meeting_is_planned_for_later(room: Room, incident: int):
    do(room, facilitating.start)
    do(room, facilitating.end)
    next_week = room.now + timedelta(days=7)
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, incident), at=next_week, by=MARA, now=room.now)))

    do(room, facilitating.start)

    assert room.ask(lambda db: open_number(db, incident)) == 1


def open_number(db: Session, incident: int) -> int | None:
    meeting = reviews.open_meeting(db, reviews.of(db, incidents.get(db, incident)))
    return meeting.number if meeting else None


def test_a_start_days_after_the_end_opens_another_meeting(room: Room, incident: int):
    do(room, facilitating.start)
    do(room, facilitating.end)
    room.pass_time(days=2)

    do(room, facilitating.start)

    assert the_meeting(room, incident)[0] == 2


def test_a_meeting_held_without_the_bot_is_marked_so(room: Room, incident: int):
    room.pass_time(hours=50)

    answer = do(room, facilitating.held, when=read_when("15:00"))

    assert answer.startswith("Noted: the meeting was held on Fri 20 Nov 2026, 15:00 CET.")
    assert stage(room, incident) is Stage.ended


def test_held_twice_is_held_once(room: Room, incident: int):
    do(room, facilitating.held, when=None)
    do(room, facilitating.held, when=None)

    assert the_meeting(room, incident)[0] == 1


@pytest.mark.usefixtures("incident")
def test_no_meeting_was_held_before_the_incident_was_over(room: Room):
    with pytest.raises(HeldTooSoon, match="At 2020-01-01 10:00 it was not over yet"):
        do(room, facilitating.held, when=read_when("2020-01-01 10:00"))

    assert room.transcript() == []


def test_a_meeting_that_ended_with_the_bot_was_not_held_without_it(room: Room, incident: int):
    do(room, facilitating.start)
    room.pass_time(minutes=30)
    do(room, facilitating.end)
    room.pass_time(hours=3)

    with pytest.raises(MetWithMe):
        do(room, facilitating.held, when=None)
    assert the_meeting(room, incident)[0] == 1
    do(room, facilitating.held, when=read_when("10 min ago"))
    assert the_meeting(room, incident)[0] == 2


def test_whoever_was_asked_to_a_booked_meeting_hears_once_that_it_was_held(room: Room, incident: int):
    booked(room, incident, room.now + timedelta(hours=1))
    room.pass_time(hours=3)

    do(room, facilitating.held, when=None)
    do(room, facilitating.held, when=None)

    (told,) = room.transcript(CHANNEL)
    assert plain(told).startswith("The review of “Checkout is slow” counts as held on *")
    assert "nothing more is asked of you for the meeting" in told
    assert "is off" not in told
    assert the_meeting(room, incident)[0] == 1


def test_who_met_before_the_hour_that_was_booked_is_not_expected_at_it(room: Room, incident: int):
    booked(room, incident, room.now + timedelta(days=2))
    room.serve(convening.tell_calendars)

    do(room, facilitating.held, when=None)
    room.serve(convening.tell_calendars)

    called_off, held = room.ask(lambda db: known_meetings(db, incident))
    assert called_off == (True, True, False)
    assert held == (False, False, True)
    (told,) = [words for words in room.transcript(CHANNEL) if "counts as held" in words]
    assert "The hour booked for " in told
    assert stage(room, incident) is Stage.ended


def booked(room: Room, incident: int, at: datetime) -> None:
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now)))


def known_meetings(db: Session, incident: int) -> list[tuple[bool, bool, bool]]:
    """Of each meeting, whether it is off, whether calendars were told so, and whether it has ended."""
    rows = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))
    off = [bool(row.calendar and row.calendar["called_off"]) for row in rows]
    return [(bool(row.cancelled_at), told, bool(row.ended_at)) for row, told in zip(rows, off, strict=True)]


@pytest.mark.usefixtures("incident")
def test_without_a_meeting_there_is_no_agenda_to_show(room: Room):
    with pytest.raises(NothingScheduled):
        do(room, facilitating.show_agenda)


@pytest.mark.usefixtures("incident")
def test_the_agenda_can_be_asked_for_by_anybody(room: Room):
    do(room, facilitating.start)

    answer = room.answer(facilitating.show_agenda, where=HERE, by=JONAS)

    assert answer is not None
    assert buttons(answer) == [
        *("Next", "Go to…", "5 more minutes", "Note…", "Action…", "Park…"),
        *("I am here", "Bring it down", "Help card", "End"),
    ]


# Bringing it down --------------------------------------------------------------------------


def live_agendas(room: Room) -> list[str]:
    """What stands in the channel to press on."""
    return [text for text in room.transcript(CHANNEL) if text.startswith("Review of")]


@pytest.mark.usefixtures("incident")
def test_the_agenda_is_brought_down_and_leaves_a_line_where_it_was(room: Room):
    do(room, facilitating.start)
    delivered(room)

    answer = do(room, facilitating.bring_down, by=JONAS)

    assert answer == "The agenda is at the bottom now."
    assert [text.split("\n")[0] for text in room.transcript(CHANNEL)] == [
        (
            "The agenda of the review of “Checkout is slow” is further down now. What was noted until then stays in "
            "this thread."
        ),
        "Review of Checkout is slow",
    ]


def most_agendas_seen(room: Room, next_of: Callable[[Session], Sequence[OutboxNote]]) -> int:
    """How many agendas stand in the channel at most, wherever between two messages the bot may be killed."""
    do(room, facilitating.start)
    shown: dict[str, str] = {}
    most = 0
    for _ in range(3):
        while room.change(lambda db: takes_one(db, next_of(db), shown)):
            most = max(most, sum(text.startswith("Review of") for text in shown.values()))
        do(room, facilitating.bring_down)
    return most


def in_order(db: Session) -> Sequence[OutboxNote]:
    return delivering.claim(db, TEAM, now=NOVEMBER_18, at_most=1)


def newest_first(db: Session) -> Sequence[OutboxNote]:
    return outbox.waiting(db, TEAM)[-1:]


def takes_one(db: Session, notes: Sequence[OutboxNote], shown: dict[str, str]) -> bool:
    """Slack takes the next message, if there is one."""
    for note in notes:
        shown[note.key] = note.text
        ts = note.posted_ts or f"1763474400.{note.id:06d}"
        said = {"version": note.version, "channel": CHANNEL, "ts": ts}
        delivering.mark_sent(db, note.id, attempt=note.attempts, **said, now=NOVEMBER_18)
    return bool(notes)


@pytest.mark.usefixtures("incident")
def test_there_is_never_a_second_agenda_wherever_the_bot_is_killed_while_it_is_brought_down(room: Room):
    assert most_agendas_seen(room, in_order) == 1


@pytest.mark.usefixtures("incident")
def test_with_the_newest_message_said_first_there_would_be_two(room: Room):
    """The sensitivity of the above."""
    assert most_agendas_seen(room, newest_first) == 2


@pytest.mark.usefixtures("incident")
def test_of_two_who_bring_it_down_at_once_one_does(room: Room):
    do(room, facilitating.start)
    delivered(room)

    do(room, facilitating.bring_down, seen=2)
    answer = do(room, facilitating.bring_down, by=JONAS, seen=2)

    assert answer == "Somebody was a moment faster; the agenda is at the bottom already."
    assert len(live_agendas(room)) == 1


@pytest.mark.usefixtures("incident")
def test_an_agenda_that_waits_to_be_posted_is_not_posted_twice(room: Room):
    do(room, facilitating.start)

    do(room, facilitating.bring_down)
    do(room, facilitating.bring_down)

    assert len(said(room, "agenda:")) == 1


@pytest.mark.usefixtures("incident")
def test_brought_down_it_goes_on_and_gathers_what_is_noted_there(room: Room):
    do(room, facilitating.start)
    delivered(room)
    do(room, noting.note_finding, kind="risk", text="One person knows")
    do(room, facilitating.refresh)
    delivered(room)
    do(room, facilitating.bring_down)
    delivered(room)

    do(room, facilitating.advance)
    do(room, noting.note_finding, kind="risk", text="Nobody watches the queue")
    do(room, facilitating.refresh)

    first, second = (note.posted_ts for note in said(room, "agenda:"))
    assert [note.thread_ts for note in said(room, "noted:")] == [first, second]
    assert [text.split("\n")[2].split("*")[1] for text in live_agendas(room)] == ["2 of 6 · Summary and impact"]


@pytest.mark.usefixtures("incident")
def test_a_meeting_that_is_opened_again_shows_its_agenda_where_people_read(room: Room):
    do(room, facilitating.start)
    delivered(room)
    do(room, facilitating.end)
    delivered(room)
    room.pass_time(hours=1)

    do(room, facilitating.start)

    assert [text.split("\n")[0][:10] for text in room.transcript(CHANNEL)] == ["The agenda", "Review of "]


# For whoever leads --------------------------------------------------------------------------


def test_the_help_card_names_who_was_not_heard_yet_and_counts_nobodys_words(room: Room, incident: int):
    do(room, facilitating.start)
    for user in (TOMAS, PRIYA, JONAS):
        do(room, noting.arrive, by=user)
    number = an_event(room, incident, "We roll back", by=TOMAS, at=NOVEMBER_18 - timedelta(hours=1))
    room.pass_time(minutes=1)

    assert "Nothing was noted yet" not in do(room, facilitating.help_card)
    do(room, noting.note_finding, by=PRIYA, kind="risk", text="One person knows")
    room.change(lambda db: answered(db, incident, number, room.now))
    card = do(room, facilitating.help_card)

    assert f"Nothing was noted yet of what <@{JONAS}> said or saw." in card
    assert not [said for said in room.transcript() if "Nothing was noted" in said]


def answered(db: Session, incident: int, number: int, at: datetime) -> None:
    row = db.query(TimelineEvent).filter_by(incident_id=incident, number=number).one()
    row.answer = "The graph was flat"
    incidents.record_change(
        db, incidents.get(db, incident), "event", row.id, what="answer", before=None, after="x", by=MARA, now=at
    )


@pytest.mark.usefixtures("incident")
def test_while_nothing_is_noted_the_help_card_names_nobody(room: Room):
    do(room, facilitating.start)
    do(room, noting.arrive, by=JONAS)

    assert "Nothing was noted yet" not in do(room, facilitating.help_card)


@pytest.mark.usefixtures("incident")
def test_the_help_card_is_for_whoever_leads(room: Room):
    do(room, facilitating.start)

    with pytest.raises(NotYours):
        do(room, facilitating.help_card, by=TOMAS)


@pytest.mark.usefixtures("incident")
def test_the_link_to_the_recording_is_asked_for_until_it_is_kept_and_stands_in_the_ended_agenda(room: Room):
    asked = buttons(room.answer(facilitating.start, where=HERE, by=MARA))
    do(room, facilitating.end)
    room.pass_time(hours=20)

    do(room, noting.set_recording, url="https://example.com/watch/42")
    do(room, facilitating.refresh)

    assert asked == ["Keep the link…"]
    assert "<https://example.com/watch/42|The recording> is there" in agenda(room)


@pytest.mark.usefixtures("incident")
def test_a_meeting_of_long_ago_is_left_as_it_is(room: Room):
    do(room, facilitating.start)
    do(room, facilitating.end)
    before = agenda(room)
    room.pass_time(days=4)

    do(room, noting.note_finding, kind="risk", text="One person knows")
    do(room, facilitating.refresh)

    assert agenda(room) == before
