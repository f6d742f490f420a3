"""A word about a wording: to its author alone, once what was written is kept; to take, to leave, to have no more of."""

from typing import Any

import pytest

from bot import facilitating, following_up, noting, revising, tagging, tracking, walking, wording
from bot.review.follow_up import ActionWords
from bot.review.incident import UserId
from bot.wording import Thing
from storage import findings, incidents
from storage.models import Change, Person, TimelineEvent
from tests.cast import HERE, MARA, TOMAS, Room, an_incident, mitigated
from tests.sitting import an_event, do

SHOULD = "We should have tested the failover."


@pytest.fixture
def incident(room: Room) -> int:
    number = an_incident(room)
    mitigated(room, number)
    return number


def note(room: Room, text: str, *, by: UserId = TOMAS) -> str:
    return do(room, noting.note_finding, by=by, kind="contributor", text=text)


def texts(room: Room, incident: int) -> list[str]:
    return room.ask(lambda db: [found.text for found in findings.of_incident(db, incident)])


def test_what_was_written_is_kept_first_and_another_wording_offered_to_its_author_alone(room: Room, incident: int):
    said = note(room, SHOULD)

    assert texts(room, incident) == [SHOULD]
    assert "“should have tested” may be read as what did not happen, seen from afterwards." in said
    assert "It could say:\n> We did not test the failover." in said
    assert room.transcript() == []


@pytest.mark.usefixtures("incident")
def test_where_no_rule_can_word_it_the_question_is_asked_that_leads_there(room: Room):
    said = note(room, "Caused by human error.")

    assert "What made this easy to happen, and what let it matter?" in said
    assert "It could say" not in said


@pytest.mark.usefixtures("incident")
def test_a_root_cause_is_met_with_the_offer_of_a_contributor(room: Room):
    said = room.answer(noting.note_finding, where=HERE, by=TOMAS, kind="contributor", text="The root cause was DNS")

    assert said
    labels = [
        button["text"]["text"] for block in said.blocks for button in block.get("elements", ()) if "value" in button
    ]
    assert labels == ["Propose an action", "Change…", "Use", "Note a contributor…", "Keep mine", "Stop these"]


def test_a_press_takes_the_wording_with_a_line_of_history(room: Room, incident: int):
    note(room, SHOULD)

    said = do(room, wording.use, by=TOMAS, thing=Thing.finding, number=1)

    assert said == "It now reads:\n> We did not test the failover."
    assert texts(room, incident) == ["We did not test the failover."]
    columns = Change.what, Change.before, Change.after, Change.by
    lines = room.ask(lambda db: [tuple(row) for row in db.query(*columns).filter_by(subject="finding")])
    assert lines == [("text", SHOULD, "We did not test the failover.", TOMAS)]


@pytest.mark.usefixtures("incident")
def test_what_was_worded_anew_meanwhile_is_left_alone(room: Room):
    note(room, SHOULD)
    do(room, revising.revise, by=MARA, number=1, text="The failover had been tested in May.")

    with pytest.raises(wording.WordedMeanwhile):
        do(room, wording.use, by=TOMAS, thing=Thing.finding, number=1)


def test_a_wording_stays_for_who_keeps_it(room: Room, incident: int):
    note(room, SHOULD)

    assert room.serve(wording.keep, by=TOMAS) == "It stays as you wrote it."
    assert texts(room, incident) == [SHOULD]


@pytest.mark.usefixtures("incident")
def test_who_wants_no_such_word_hears_none_until_they_ask_for_it(room: Room):
    room.serve(wording.stop, by=TOMAS)
    quiet, others = note(room, SHOULD), note(room, SHOULD, by=MARA)

    room.serve(wording.resume, by=TOMAS)

    assert "may be read as" not in quiet
    assert "may be read as" in others
    assert "may be read as" in note(room, SHOULD)


def test_nothing_about_a_person_is_kept_but_the_wish_to_hear_none(room: Room, incident: int):
    before = rows(room)

    note(room, "It was careless, sloppy and negligent of Kofi.")
    room.serve(wording.keep, by=TOMAS)
    do(room, revising.drop, number=1)

    assert rows(room) == before
    assert room.ask(lambda db: [row.what for row in db.query(Change)]) == ["dropped"]
    room.serve(wording.stop, by=TOMAS)
    assert room.ask(lambda db: db.query(Person.nudges_off_at).filter_by(user_id=TOMAS).scalar()) == room.now


def rows(room: Room) -> list[tuple[Any, ...]]:
    return room.ask(lambda db: [tuple(row) for row in db.query(*Person.__table__.columns)])


def test_while_the_impact_lasts_nobody_hears_of_wordings(room: Room):
    an_incident(room)

    assert "may be read as" not in note(room, SHOULD)


WRITTEN: dict[Thing, Any] = {
    Thing.event: lambda room: do(room, tagging.add_event, by=TOMAS, when=None, text=SHOULD),
    Thing.comment: lambda room: do(room, tagging.comment_event, by=TOMAS, number=1, text=SHOULD),
    Thing.answer: lambda room: do(room, walking.answer_stop, by=TOMAS, number=1, text=SHOULD),
    Thing.summary: lambda room: do(room, tracking.set_summary, by=TOMAS, text=SHOULD),
    Thing.action: lambda room: do(
        room, following_up.propose, by=TOMAS, wording=ActionWords(MARA, None, None, "Find the root cause of the lag")
    ),
    Thing.finding: lambda room: note(room, SHOULD),
    Thing.note: lambda room: do(room, noting.note, by=TOMAS, text=SHOULD),
}


@pytest.mark.parametrize("thing", Thing)
def test_everything_that_is_written_for_the_review_is_read(room: Room, incident: int, thing: Thing):
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)

    assert "may be read as" in WRITTEN[thing](room)


@pytest.mark.parametrize(
    ("thing", "number", "read"),
    [
        (Thing.event, 2, lambda db, incident: db.query(TimelineEvent).filter_by(number=2).one().text),
        (Thing.answer, 1, lambda db, incident: db.query(TimelineEvent).filter_by(number=1).one().answer),
        (Thing.summary, 0, lambda db, incident: incidents.get(db, incident).summary),
    ],
)
def test_everything_that_can_be_worded_anew_is_by_a_press(
    room: Room, incident: int, thing: Thing, number: int, read: Any
):
    an_event(room, incident, "We roll back")
    WRITTEN[thing](room)

    do(room, wording.use, by=TOMAS, thing=thing, number=number)

    assert room.ask(lambda db: read(db, incident)) == "We did not test the failover."


@pytest.mark.usefixtures("incident")
def test_an_action_is_worded_anew_by_who_proposed_it(room: Room):
    WRITTEN[Thing.action](room)

    with pytest.raises(wording.WordedMeanwhile):
        do(room, wording.use, by=MARA, thing=Thing.action, number=1)
    assert do(room, wording.use, by=TOMAS, thing=Thing.action, number=1).endswith("Find the contributors to the lag")


def test_what_somebody_else_answered_before_stays_when_a_wording_is_taken(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    do(room, walking.answer_stop, by=MARA, number=1, text="It was careless.")
    do(room, walking.answer_stop, by=TOMAS, number=1, text=SHOULD)

    do(room, wording.use, by=TOMAS, thing=Thing.answer, number=1)

    answer = room.ask(lambda db: db.query(TimelineEvent).one().answer)
    assert "It was careless." in answer
    assert "We did not test the failover." in answer
