"""How grave it was: the answers are kept, a severity is proposed, and a person decides."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from bot import assessing, tracking
from bot.listeners import forms
from bot.listeners.asked import Memory
from bot.listeners.deeds import Deed
from bot.listeners.forms import FORMS
from bot.review.assessment import QUESTIONS, Assessment
from bot.review.incident import Place
from bot.review.refusal import NoIncidentHere, NothingAnswered
from storage import incidents, reviews
from tests.cast import CHANNEL, HERE, MARA, TOMAS, Room, an_incident, mitigated
from tests.cast import OUTSIDER as NOBODY


def answered(room: Room, **answers: str) -> str:
    return room.serve(assessing.assess, where=HERE, by=MARA, assessment=Assessment.from_json(answers))


def buttons(room: Room, **answers: str) -> list[str]:
    said = room.answer(assessing.assess, where=HERE, by=MARA, assessment=Assessment.from_json(answers))
    assert said
    rows = [block["elements"] for block in said.blocks if block["type"] == "actions"]
    return [button["text"]["text"] for row in rows for button in row]


def _history(db: Session) -> list[str | None]:
    return [change.after for change in incidents.changes(db, 1, "incident") if change.what == "assessed"]


def severity(room: Room) -> str | None:
    return room.ask(lambda db: incidents.get(db, 1).severity)


def test_the_answers_propose_a_severity_and_change_none(room: Room):
    an_incident(room, severity=None)

    said = answered(room, customers="some", hours="peak")

    assert said == (
        "From your answers I would call *Checkout is slow* a *sev1*: "
        "some customers felt it and it fell into peak hours. You know it better; press what it is."
    )
    assert severity(room) is None
    assert buttons(room, customers="some") == ["Make it sev1", "Make it sev2", "Make it sev3", "Make it sev4"]


def test_a_severity_that_stands_is_said_and_stays(room: Room):
    an_incident(room, severity="sev2")

    assert answered(room, customers="some").endswith("It is one already, so nothing has to change.")
    assert answered(room, customers="inside").endswith("It is a sev2 now, and stays one unless you press otherwise.")
    assert severity(room) == "sev2"


def test_the_answers_are_kept_with_their_history(room: Room):
    an_incident(room)

    answered(room, customers="some")
    answered(room, customers="some", data="safe")
    answered(room, customers="some", data="safe")

    assert room.ask(lambda db: incidents.get(db, 1).assessed) == {"customers": "some", "data": "safe"}
    assert room.ask(_history) == [
        "Who felt it? Some customers",
        "Who felt it? Some customers\nWhat about data? Nothing was lost or wrong",
    ]


def test_how_long_it_lasted_is_known_from_its_moments_and_asked_of_nobody(room: Room):
    number = an_incident(room, severity=None)
    began = room.now - timedelta(minutes=6)
    room.change(
        lambda db: incidents.set_moment(db, incidents.get(db, number), "began", began, by=MARA, how="set", now=began)
    )
    mitigated(room, number)

    assert "a *sev3*: some customers felt it, for 6 min." in answered(room, customers="some")


def test_the_policy_says_why_it_is_as_grave_as_it_is_called(room: Room):
    an_incident(room, severity="sev2")
    answered(room, customers="some")
    same = room.serve(tracking.policy, where=HERE, by=TOMAS)
    answered(room, customers="most")
    other = room.serve(tracking.policy, where=HERE, by=TOMAS)

    assert "It is a sev2 because some customers felt it." in same
    assert "because most" not in other


def test_answers_that_say_too_little_are_refused_with_what_is_missing(room: Room):
    an_incident(room)

    with pytest.raises(NothingAnswered):
        answered(room, hours="peak", launch="yes")


def test_nobody_else_learns_that_there_is_anything_to_answer(room: Room):
    an_incident(room, private=room.now)

    with pytest.raises(NoIncidentHere):
        room.serve(assessing.assess, where=HERE, by=NOBODY, assessment=Assessment(customers="some"))


def test_where_no_form_can_open_it_says_how_grave_it_is_and_why(room: Room):
    an_incident(room, severity="sev2")
    before = room.serve(assessing.show_severity, where=HERE, by=TOMAS)
    answered(room, customers="most")

    after = room.serve(assessing.show_severity, where=HERE, by=TOMAS)

    assert before.startswith("*Checkout is slow* is a sev2.\nSix questions, such as who felt it")
    assert after == (
        "*Checkout is slow* is a sev2.\nBy the answers to the six questions it would be a sev1: most customers felt it."
    )


def test_the_form_asks_six_questions_and_remembers_the_answers(room: Room):
    memory = Memory(form="severity", incident=an_incident(room), channel=CHANNEL)
    answered(room, customers="inside")

    view = room.desk.look(forms.build, gesture=forms.Gesture(MARA, Place(CHANNEL)), memory=memory)
    fields = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}

    assert list(fields) == list(QUESTIONS)
    assert all(field["optional"] for field in fields.values())
    assert fields["customers"]["element"]["initial_option"]["value"] == "inside"
    assert "initial_option" not in fields["data"]["element"]
    assert FORMS["severity"].deed({"customers": "most", "data": "lost", "launch": "perhaps"}, memory) == Deed(
        assessing.assess, {"assessment": Assessment(customers="most", data="lost")}
    )
    assert forms.wanted("severity", "") == "severity"
    assert forms.wanted("severity", "sev2") is None


def test_after_mitigation_it_is_offered_where_it_is_said_what_comes_until_somebody_has_answered(room: Room):
    an_incident(room)
    moment = {"where": HERE, "by": MARA, "name": "mitigated", "when": None}

    offered = room.answer(tracking.set_moment, **moment)
    answered(room, customers="some")
    status = room.answer(tracking.status, where=HERE, by=MARA)

    assert offered
    assert status
    assert room.ask(lambda db: reviews.stage(db, incidents.get(db, 1))) == "mitigated"
    assert "How grave was it?" in str(offered.blocks)
    assert "How grave was it?" not in str(status.blocks)
