"""The walk: where it stops, what a stop shows, which question is asked there, and what was answered."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import facilitating, tagging, walking
from bot.review.incident import UserId
from bot.review.refusal import NeedsText, NoSuchEvent, NothingScheduled, NotInMeeting, NotYours
from bot.review.timeline import Outcome
from storage import incidents, messages, people, reviews
from storage.models import Change, TimelineEvent
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
    mitigated,
)
from tests.sitting import agenda, an_event, buttons, do


def at(minutes: float) -> Any:
    return NOVEMBER_18 + timedelta(minutes=minutes)


def planned(room: Room, incident: int) -> None:
    """A meeting in an hour."""

    def plan(db: Session) -> None:
        reviews.plan(db, incidents.get(db, incident), at=at(60), by=MARA, now=room.now)

    room.change(plan)


def walk(room: Room, ability: Any, *, by: UserId = MARA, **what: Any) -> str:
    """Do something as the edge does it: then the agenda is shown anew."""
    answer = do(room, ability, by=by, **what)
    do(room, facilitating.refresh, by=by)
    return answer


def begin(room: Room) -> None:
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")


def stop(room: Room) -> str:
    """The line that says which stop the walk is at."""
    return next(line for line in agenda(room).split("\n") if line.startswith("*Stop"))


# Where it stops -------------------------------------------------------------------------


def test_the_walk_stops_where_the_facilitator_chose_beforehand(room: Room, incident: int):
    for number in range(1, 6):
        an_event(room, incident, f"Decided {number}", kind="decision", at=at(number))
    planned(room, incident)

    answer = do(room, walking.choose_stops, numbers=[4, 2, 2])
    room.pass_time(hours=1)
    begin(room)

    assert answer.startswith("The walk stops where you chose: events 2, 4. There is room for 12")
    assert "3 decisions are not among them: 1, 3, 5. During the walk, /review visit 1 goes there." in answer.replace(
        "`", ""
    )
    assert stop(room).startswith("*Stop 1 of 2* · event 2 ")


def test_the_rule_chooses_again_when_asked(room: Room, incident: int):
    for number in range(1, 4):
        an_event(room, incident, f"Decided {number}", kind="decision")
    planned(room, incident)
    do(room, walking.choose_stops, numbers=[2])

    answer = do(room, walking.choose_stops, numbers=None)

    assert answer.startswith("By the rule, the walk stops at events 1, 2, 3.")
    assert do(room, walking.show_stops, by=JONAS) == answer


def test_more_stops_than_there_is_room_for_are_refused_with_the_number_there_is(room: Room, incident: int):
    for _ in range(13):
        an_event(room, incident, "Decided", kind="decision")
    planned(room, incident)

    with pytest.raises(walking.TooManyStops, match="That is 13 stops, and this walk has room for 12"):
        do(room, walking.choose_stops, numbers=list(range(1, 14)))


def test_stops_are_chosen_among_what_is_on_the_timeline_and_by_who_leads(room: Room, incident: int):
    an_event(room, incident, "Decided")
    planned(room, incident)

    with pytest.raises(NoSuchEvent):
        do(room, walking.choose_stops, numbers=[1, 9])
    with pytest.raises(NotYours):
        do(room, walking.choose_stops, by=TOMAS, numbers=[1])


@pytest.mark.usefixtures("incident")
def test_without_a_meeting_there_is_nothing_to_choose_for(room: Room):
    with pytest.raises(NothingScheduled):
        do(room, walking.show_stops)


def test_stops_chosen_during_the_walk_leave_it_where_it_is(room: Room, incident: int):
    for number in range(1, 5):
        an_event(room, incident, f"Decided {number}")
    begin(room)
    do(room, facilitating.advance)

    walk(room, walking.choose_stops, numbers=[1, 2, 4])

    assert stop(room).startswith("*Stop 2 of 3* · event 2 ")


def test_a_chosen_event_that_was_taken_off_is_no_stop(room: Room, incident: int):
    for number in range(1, 4):
        an_event(room, incident, f"Decided {number}")
    planned(room, incident)
    do(room, walking.choose_stops, numbers=[1, 2])
    do(room, tagging.drop_event, number=1)

    room.pass_time(hours=1)
    begin(room)

    assert stop(room).startswith("*Stop 1 of 1* · event 2 ")


def test_decisions_that_are_no_stops_are_named_with_a_way_to_visit_them(room: Room, incident: int):
    for number in range(1, 15):
        an_event(room, incident, f"Decided {number}", at=at(number))
    begin(room)

    answer = do(room, facilitating.show_agenda)
    walk(room, walking.visit, number=13)

    assert "2 decisions are not among the stops: 7, 13." in answer
    assert stop(room).startswith("*Stop 12 of 13* · event 13 ")
    assert "1 decision is not among the stops" not in agenda(room)


def test_a_decision_between_two_stops_is_named_where_it_lies(room: Room, incident: int):
    for number in range(1, 15):
        an_event(room, incident, f"Decided {number}", at=at(number))
    begin(room)

    for _ in range(5):
        do(room, facilitating.advance)

    assert stop(room).startswith("*Stop 6 of 12* · event 6 ")
    assert "1 decision is not among the stops: 7. /review visit 7 goes there." in agenda(room).replace("`", "")
    shown = room.answer(facilitating.show_agenda, where=HERE, by=MARA)
    assert "Visit 7" in buttons(shown)


def test_at_the_last_stop_every_decision_that_was_passed_is_named_again(room: Room, incident: int):
    for number in range(1, 15):
        an_event(room, incident, f"Decided {number}", at=at(number))
    begin(room)

    for _ in range(11):
        do(room, facilitating.advance)

    assert stop(room).startswith("*Stop 12 of 12* · event 14 ")
    assert "2 decisions are not among the stops: 7, 13." in agenda(room)


def test_a_visit_before_the_walk_begins_opens_it_there(room: Room, incident: int):
    for number in range(1, 4):
        an_event(room, incident, f"Noted {number}", kind="automated" if number == 2 else "note")
    do(room, facilitating.start)

    answer = walk(room, walking.visit, number=2)

    assert answer == "The walk is at event 2 now. Next goes on from there."
    assert stop(room).startswith("*Stop 2 of 3* · event 2 ")


def test_only_what_is_on_the_timeline_is_visited_and_only_in_a_meeting(room: Room, incident: int):
    an_event(room, incident, "Decided")
    with pytest.raises(NotInMeeting):
        do(room, walking.visit, number=1)

    do(room, facilitating.start)

    with pytest.raises(NoSuchEvent):
        do(room, walking.visit, number=2)
    with pytest.raises(NotYours):
        do(room, walking.visit, by=TOMAS, number=1)


# What a stop shows ------------------------------------------------------------------------


def test_a_fold_that_crosses_midnight_says_the_date(room: Room, incident: int):
    an_event(room, incident, "We roll back", at=at(0))
    an_event(room, incident, "Scaled up", kind="automated", at=at(5))
    an_event(room, incident, "Scaled down", kind="automated", at=at(11 * 60))
    an_event(room, incident, "All green", kind="mitigation", at=at(11 * 60 + 1))
    begin(room)

    assert "Until the next stop: 14:05 UTC–Thu 19 Nov, 01:00 UTC, 2 events" in agenda(room)


def test_what_lies_before_the_first_stop_and_after_the_last_is_folded_too(room: Room, incident: int):
    an_event(room, incident, "Deployed", kind="automated", at=at(0))
    an_event(room, incident, "We roll back", at=at(5))
    an_event(room, incident, "Scaled down", kind="automated", at=at(9))
    begin(room)

    assert "Before this stop: 14:00 UTC, 1 event" in agenda(room)
    assert "After this stop: 14:09 UTC, 1 event" in agenda(room)


def test_how_word_travelled_is_pointed_out_where_it_falls(room: Room, incident: int):
    an_event(room, incident, "Alert fired", kind="detection", at=at(0))
    an_event(room, incident, "Looked at the graphs", kind="diagnosis", at=at(3))
    an_event(room, incident, "Told all customers by mail", kind="communication", at=at(41))
    an_event(room, incident, "All green", kind="mitigation", at=at(50))
    mitigated(room, incident, at(50))
    begin(room)
    shown = []

    for _ in range(4):
        shown.append(agenda(room))
        do(room, facilitating.advance)

    assert "First word to customers, 41 min after detection." in shown[2]
    assert "The longest silence came before this: 38 min." in shown[2]
    assert "The timeline holds no word to stakeholders." in shown[3]
    assert not any("First word" in text or "silence" in text for text in (*shown[:2], shown[3]))


def test_what_fell_between_two_stops_is_pointed_out_at_the_later_one_with_its_time(room: Room, incident: int):
    an_event(room, incident, "We roll back", at=at(0))
    an_event(room, incident, "Status page updated", kind="communication", at=at(5))
    an_event(room, incident, "All green", kind="mitigation", at=at(9))
    planned(room, incident)
    do(room, walking.choose_stops, numbers=[1, 3])
    room.pass_time(hours=1)
    begin(room)

    do(room, facilitating.advance)

    assert "First word to customers. 14:05 UTC, event 2." in agenda(room)


def test_a_message_that_was_worded_anew_is_still_quoted(room: Room, incident: int):
    ts = a_message(room, "rb done", by=PRIYA)
    an_event(room, incident, "Rolled back to v41", source="message", channel_id=CHANNEL, ts=ts)
    begin(room)

    assert "> Rolled back to v41\n\nIts message: rb done" in agenda(room)


def test_comments_and_the_outcome_stand_at_the_stop_at_once(room: Room, incident: int):
    an_event(room, incident, "Restarted all pods", kind="action_taken")
    begin(room)

    walk(room, tagging.mark_outcome, by=JONAS, number=1, outcome=Outcome.worse)
    walk(room, tagging.comment_event, by=JONAS, number=1, text="Every pod warmed its cache at once")

    assert "· action taken · worse ·" in stop(room)
    assert f"<@{JONAS}>: Every pod warmed its cache at once" in agenda(room)


def test_what_was_missing_and_what_was_wrong_is_mended_at_the_stop(room: Room, incident: int):
    an_event(room, incident, "Restarted", kind="note", at=at(0))
    begin(room)
    room.pass_time(hours=1)

    walk(room, tagging.add_near, by=JONAS, number=1, text="Support had called twice")
    walk(
        room,
        tagging.correct_event,
        by=JONAS,
        number=1,
        text="Restarted the pool",
        when=at(4),
        kind="action_taken",
        answer="",
    )

    assert "> Restarted the pool" in agenda(room)
    assert "Wed 18 Nov, 14:04 UTC · action taken" in stop(room)
    kept = room.ask(lambda db: {e.number: (e.text, e.occurred_at) for e in db.query(TimelineEvent)})
    assert kept == {1: ("Restarted the pool", at(4)), 2: ("Support had called twice", at(0))}


def test_a_correction_that_changes_nothing_leaves_no_history(room: Room, incident: int):
    ts = a_message(room, "rolled back", by=PRIYA)
    an_event(room, incident, None, kind="decision", source="message", channel_id=CHANNEL, ts=ts, at=at(0.5))

    do(room, tagging.correct_event, number=1, text="rolled back", when=at(0.5), kind="decision", answer="")

    assert room.ask(lambda db: db.query(Change).filter(Change.subject == "event").all()) == []


# What is asked and answered -------------------------------------------------------------------


def test_another_question_is_asked_at_this_stop_and_stays_there(room: Room, incident: int):
    an_event(room, incident, "We roll back", by=PRIYA)
    an_event(room, incident, "We roll forward", by=PRIYA)
    begin(room)

    walk(room, walking.ask_another)
    do(room, facilitating.advance)
    do(room, facilitating.go_back)

    assert f"*<@{PRIYA}>, what did you know when you chose, and what did you have to leave open?*" in agenda(room)


def test_of_two_facilitators_who_press_another_question_one_counts(room: Room, incident: int):
    an_event(room, incident, "We roll back", by=PRIYA)
    begin(room)
    kept = room.ask(lambda db: reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[-1].agenda)
    seen = kept["version"]

    walk(room, walking.ask_another, seen=seen)
    walk(room, walking.ask_another, seen=seen)

    assert "what did you know when you chose" in agenda(room)


def test_in_a_meeting_that_runs_by_itself_anybody_moves_the_walk(room: Room, incident: int):
    an_event(room, incident, "We roll back", by=PRIYA)
    begin(room)
    do(room, facilitating.run_itself)

    walk(room, walking.ask_another, by=JONAS)

    assert "what did you know when you chose" in agenda(room)


def test_outside_a_stop_there_is_no_other_question(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)

    with pytest.raises(walking.NotAtAStop):
        do(room, walking.ask_another)


def test_the_answer_at_a_stop_is_kept_with_its_question(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    begin(room)

    answer = walk(room, walking.answer_stop, by=JONAS, number=1, text="The other way took an hour")

    question = "What were the options at this moment, and what spoke for this one?"
    assert answer == f"Kept with event 1, under “{question}”."
    assert "Noted so far:\n> The other way took an hour" in agenda(room)
    walk(room, walking.ask_another)
    assert f"Noted so far, under “{question}”:\n> The other way took an hour" in agenda(room)
    kept = room.ask(lambda db: [(e.question, e.answer) for e in db.query(TimelineEvent)])
    assert kept == [(question, "The other way took an hour")]


def test_nobodys_answer_takes_another_ones_place(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    begin(room)

    walk(room, walking.answer_stop, by=JONAS, number=1, text="The other way took an hour")
    walk(room, walking.answer_stop, by=PRIYA, number=1, text="We had done it before")
    walk(room, walking.answer_stop, by=PRIYA, number=1, text="We had done it before")
    walk(room, walking.ask_another)
    walk(room, walking.answer_stop, by=TOMAS, number=1, text="That the migration had run")

    (kept,) = room.ask(lambda db: [e.answer for e in db.query(TimelineEvent)])
    assert kept == (
        "The other way took an hour\nWe had done it before\n\n"
        "What did you know when you chose, and what did you have to leave open?\nThat the migration had run"
    )


def test_an_answer_stands_under_the_question_its_form_put(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    begin(room)

    walk(room, walking.answer_stop, number=1, text="Errors to fall", question="What did you expect to happen next?")

    (kept,) = room.ask(lambda db: [e.question for e in db.query(TimelineEvent)])
    assert kept == "What did you expect to happen next?"


def test_an_empty_answer_is_asked_for_words_and_an_unknown_stop_is_refused(room: Room, incident: int):
    an_event(room, incident, "We roll back")

    with pytest.raises(NeedsText):
        do(room, walking.answer_stop, number=1, text=" ")
    with pytest.raises(NoSuchEvent):
        do(room, walking.answer_stop, number=2, text="x")


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Priya restarted the pool", f"<@{PRIYA}>, how could"),
        ("<@U0PRIYA> restarted the pool", f"<@{PRIYA}>, how could"),
        ("Restarted the pool", f"<@{MARA}>, how could"),
        ("Ada restarted the pool", f"<@{MARA}>, how could"),
    ],
)
def test_a_typed_event_asks_the_person_it_is_about(room: Room, incident: int, text: str, who: str):
    an_event(room, incident, text, kind="action_taken", by=MARA)
    begin(room)

    assert f"*{who} you tell what this would do?*" in agenda(room)


def test_of_two_people_with_the_same_name_nobody_is_asked_but_the_room(room: Room, incident: int):
    def another_priya(db: Session) -> None:
        people.know(
            db, TEAM, "U0OTHER", name="Priya Nair", zone="UTC", email=None, bot=None, gone=None, now=NOVEMBER_18
        )

    room.change(another_priya)
    an_event(room, incident, "Priya Nair restarted the pool", kind="action_taken", by=MARA, at=at(1))
    an_event(room, incident, "Priya's page went unheard", kind="action_taken", by=MARA, at=at(2))
    begin(room)

    assert "*<@U0OTHER>, how could you tell" in agenda(room)
    do(room, facilitating.advance)
    assert "*What did you expect this to do" in agenda(room)


# What was not yet known ---------------------------------------------------------------------


def decided(room: Room, incident: int) -> None:
    """A decision in a message, and what it was decided on."""
    a_message(room, "db-3 does not answer any more", at=at(1))
    ts = a_message(room, "let's restart db-3", by=PRIYA, at=at(5))
    an_event(room, incident, None, source="message", channel_id=CHANNEL, ts=ts, at=at(5))
    room.pass_time(days=2)


def test_at_a_decision_it_is_shown_what_was_known_only_later(room: Room, incident: int):
    a_message(room, "restarting db-3", at=at(6))
    ts = a_message(room, "turns out the disk of db-3 had failed in the morning already", at=at(31))
    decided(room, incident)

    begin(room)

    link = f"https://sandbox.example.com/archives/{CHANNEL}/p{ts.replace('.', '')}"
    assert (
        "Not yet known then:\n• known only at 14:31 UTC: “turns out the disk of db-3 had failed in the morning "
        f"already” <{link}|message>\n\n"
        "I know what was written. What was said on calls and seen on dashboards is not here."
    ) in agenda(room)


def test_what_was_known_only_on_another_day_says_which(room: Room, incident: int):
    a_message(room, "turns out the disk of db-3 had failed in the morning already", at=at(24 * 60))
    decided(room, incident)

    begin(room)

    assert "• known only at Thu 19 Nov, 14:00 UTC: “turns out" in agenda(room)


def test_without_later_knowledge_a_decision_still_says_what_is_not_here(room: Room, incident: int):
    decided(room, incident)

    begin(room)

    assert "Not yet known" not in agenda(room)
    assert "What was said on calls and seen on dashboards is not here." in agenda(room)


def test_what_is_said_in_the_review_itself_is_no_later_knowledge(room: Room, incident: int):
    decided(room, incident)
    begin(room)

    a_message(room, "turns out the disk of db-3 had failed in the morning already")
    do(room, facilitating.refresh)

    assert "Not yet known" not in agenda(room)


def test_deleted_words_and_other_incidents_words_are_no_later_knowledge(room: Room, incident: int):
    gone = a_message(room, "turns out the disk of db-3 had failed in the morning already", at=at(31))
    a_message(room, "turns out the fan of db-3 had failed in the night already", at=at(32), channel="C0OTHER")

    def delete(db: Session) -> None:
        row = messages.find(db, TEAM, CHANNEL, gone)
        assert row
        row.deleted_at = room.now

    room.change(delete)
    decided(room, incident)

    begin(room)

    assert "Not yet known" not in agenda(room)


def test_what_somebody_put_on_the_timeline_by_hand_is_later_knowledge_too(room: Room, incident: int):
    an_event(room, incident, "vendor says the disk of db-3 had failed in the morning", kind="diagnosis", at=at(40))
    decided(room, incident)

    begin(room)

    assert "• known only at 14:40 UTC: “vendor says the disk of db-3 had failed in the morning”" in agenda(room)


def test_at_another_stop_than_a_decision_nothing_is_said_of_it(room: Room, incident: int):
    an_event(room, incident, "Restarted db-3", kind="action_taken")

    begin(room)

    assert "dashboards" not in agenda(room)
