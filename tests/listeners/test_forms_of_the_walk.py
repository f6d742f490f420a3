"""The forms of the walk: what stands in them before anybody writes a word."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import facilitating, walking
from bot.listeners import forms
from bot.listeners.deeds import Deed
from bot.listeners.edge import Gesture
from bot.listeners.forms import FORMS, Memory
from bot.review.incident import Place, UserId
from bot.review.refusal import NoSuchEvent, NotYours
from storage import incidents, reviews
from tests.cast import CHANNEL, MARA, NOVEMBER_18, TOMAS, Room, a_room, an_incident, mitigated
from tests.sitting import an_event, do


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


@pytest.fixture
def incident(room: Room) -> int:
    """A review that is to meet in an hour."""
    number = an_incident(room)
    mitigated(room, number)
    at = NOVEMBER_18 + timedelta(hours=1)
    room.change(lambda db: reviews.plan(db, incidents.get(db, number), at=at, by=MARA, now=room.now))
    return number


def built(room: Room, form: str, incident: int, *, by: UserId = MARA, number: int | None = None) -> dict[str, Any]:
    memory = Memory(form=form, incident=incident, channel=CHANNEL, number=number)
    return room.desk.look(forms.build, gesture=Gesture(by, Place(CHANNEL)), memory=memory)


def field(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(block["element"] for block in view["blocks"] if block.get("block_id") == name)


def test_what_the_rule_suggests_is_ticked_and_no_more_than_there_is_room_for_can_be(room: Room, incident: int):
    an_event(room, incident, "Latency alert fired", kind="automated")
    an_event(room, incident, "We roll back", kind="decision")

    menu = field(built(room, "stops", incident), "stops")

    assert [option["text"]["text"] for option in menu["options"]] == [
        "1 · Wed 15:01 · automated · Latency alert fired",
        "2 · Wed 15:02 · decision · We roll back",
    ]
    assert [option["value"] for option in menu["initial_options"]] == ["2"]
    assert menu["max_selected_items"] == 12


@pytest.mark.parametrize("mention", [f"<@{TOMAS}>", f"<@{TOMAS}|tomas>", f"@{TOMAS}"])
def test_who_is_mentioned_stands_in_a_form_by_name(room: Room, incident: int, mention: str):
    an_event(room, incident, f"{mention} restarts checkout", kind="decision")

    menu = field(built(room, "stops", incident), "stops")
    answer = str(built(room, "comment", incident, number=1)["blocks"])

    assert menu["options"][0]["text"]["text"].endswith("decision · @Tomas restarts checkout")
    assert ("@Tomas restarts checkout" in answer, TOMAS in answer) == (True, False)


def test_of_more_events_than_a_menu_takes_those_that_matter_are_offered(room: Room, incident: int):
    for _ in range(120):
        an_event(room, incident, "Scaled up", kind="automated")
    last = an_event(room, incident, "We roll back", kind="decision")

    menu = field(built(room, "stops", incident), "stops")

    assert len(menu["options"]) == 100
    assert menu["options"][-1]["value"] == str(last)


def test_with_nothing_on_the_timeline_the_form_asks_nothing(room: Room, incident: int):
    view = built(room, "stops", incident)

    assert [block["type"] for block in view["blocks"]] == ["section"]


def test_only_who_leads_is_asked_where_to_stop(room: Room, incident: int):
    with pytest.raises(NotYours):
        built(room, "stops", incident, by=TOMAS)


def test_the_answer_is_kept_under_the_question_the_form_put(room: Room, incident: int):
    an_event(room, incident, "We roll back", kind="decision")
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")
    memory = Memory.from_json(built(room, "answer", incident, number=1)["private_metadata"])

    do(room, walking.ask_another)
    deed = FORMS["answer"].deed({"text": "It was quick"}, memory)

    question = "What were the options at this moment, and what spoke for this one?"
    assert deed == Deed(walking.answer_stop, {"number": 1, "text": "It was quick", "question": question})


def test_what_stands_is_what_a_correction_begins_with(room: Room, incident: int):
    an_event(room, incident, "We roll back", kind="decision")

    view = built(room, "edit", incident, number=1)

    assert field(view, "text")["initial_value"] == "We roll back"
    assert field(view, "kind")["initial_option"]["value"] == "decision"
    assert field(view, "when")["initial_date_time"] == int((NOVEMBER_18 + timedelta(minutes=1)).timestamp())
    assert "answer" not in {block.get("block_id") for block in view["blocks"]}


def test_a_form_about_an_event_that_is_not_there_is_refused(room: Room, incident: int):
    with pytest.raises(NoSuchEvent):
        built(room, "comment", incident, number=9)


def test_a_number_without_words_opens_the_form_and_words_need_none():
    assert [forms.wanted(verb, "3") for verb in ("answer", "comment", "edit", "missing")] == [
        "answer",
        "comment",
        "edit",
        "missing",
    ]
    assert [forms.wanted(verb, "3 it was quick") for verb in ("answer", "comment", "edit", "missing")] == [None] * 4
    assert [forms.wanted("stops", rest) for rest in ("", "1 2", "rule")] == ["stops", None, None]
