"""The forms of the meeting's hour: what they ask, and what the answers come to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import scheduling
from bot.listeners import blocks, forms
from bot.listeners.asked import Memory
from bot.listeners.deeds import Deed
from bot.listeners.edge import Gesture
from bot.listeners.hour_forms import FORMS, NeedsAnHour
from bot.review.incident import Place, UserId
from bot.review.refusal import NoIncidentHere, NothingScheduled, NotYours
from bot.review.when import read_when
from tests.cast import CHANNEL, HERE, MARA, NOVEMBER_18, OUTSIDER, TOMAS, Room, a_room, an_incident, mitigated

FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PICKED = {"when": {"type": "datetimepicker", "selected_date_time": int(FRIDAY.timestamp())}}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


@pytest.fixture
def incident(room: Room) -> int:
    number = an_incident(room)
    mitigated(room, number)
    return number


def asked(room: Room, form: str, incident: int, *, by: UserId = MARA, number: int | None = None) -> dict[str, Any]:
    """The fields of a form by their names."""
    memory = Memory(form=form, incident=incident, channel=CHANNEL, number=number)
    view = room.desk.look(forms.build, gesture=Gesture(by, Place(CHANNEL)), memory=memory)
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def deed(form: str, **answers: dict[str, Any]) -> Deed:
    filled = blocks.values({"state": {"values": {name: {name: state} for name, state in answers.items()}}})
    return FORMS[form].deed(filled, Memory(form=form))


def test_other_times_are_a_menu_with_a_reason_each_and_any_hour_may_be_named(room: Room, incident: int):
    fields = asked(room, "hour", incident)

    labels = [option["text"]["text"] for option in fields["offer"]["element"]["options"]]
    assert labels[0].startswith("Mon 12:00 · 5 days later")
    assert len(labels) == 6
    assert fields["when"]["optional"]
    assert fields["offer"]["optional"]


def test_the_hour_that_was_named_comes_before_the_one_that_was_chosen_and_one_of_them_is_needed():
    chosen = {"offer": {"type": "static_select", "selected_option": {"value": "2026-11-20 12:00Z"}}}

    noon = {"when": read_when("2026-11-20 12:00Z"), "reason": ""}
    assert deed("hour", **chosen) == Deed(scheduling.choose, noon)
    assert deed("hour", **chosen, **PICKED).what["when"].future(NOVEMBER_18, UTC) == FRIDAY
    with pytest.raises(NeedsAnHour):
        deed("hour")


def test_a_meeting_is_moved_called_off_and_explained_with_a_reason(room: Room, incident: int):
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 10:00"))

    assert asked(room, "postpone", incident)["when"]["element"]["initial_date_time"] == int(FRIDAY.timestamp())
    assert set(asked(room, "postpone", incident)) == {"when", "reason"}
    assert set(asked(room, "call_off", incident)) == set(asked(room, "explain", incident)) == {"reason"}
    ill = {"reason": {"type": "plain_text_input", "value": "Half of us are ill"}}
    moved = deed("postpone", **PICKED, **ill)
    assert (moved.ability, moved.what["reason"]) == (scheduling.postpone, "Half of us are ill")
    assert deed("call_off", **ill) == Deed(scheduling.call_off, {"reason": "Half of us are ill"})
    assert deed("explain", **ill) == Deed(scheduling.explain, {"reason": "Half of us are ill"})


def test_other_times_of_a_booked_meeting_say_when_it_is_and_ask_why_it_moves(room: Room, incident: int):
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 10:00"))

    assert set(asked(room, "hour", incident)) == {"offer", "when", "reason"}
    assert not asked(room, "hour", incident)["reason"].get("optional")
    away = {"reason": {"type": "plain_text_input", "value": "Priya is away"}}
    assert deed("hour", **PICKED, **away).what["reason"] == "Priya is away"


def test_the_hour_of_an_old_button_is_filled_in_where_the_reason_is_asked(room: Room, incident: int):
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 10:00"))
    monday = int(datetime(2026, 11, 23, 9, 0, tzinfo=UTC).timestamp())

    assert asked(room, "postpone", incident, number=monday)["when"]["element"]["initial_date_time"] == monday


@pytest.mark.parametrize("form", ["postpone", "call_off", "explain"])
def test_no_form_opens_for_a_meeting_that_is_not_planned_nor_for_whoever_may_not_move_it(
    room: Room, incident: int, form: str
):
    with pytest.raises(NothingScheduled):
        asked(room, form, incident)
    with pytest.raises(NotYours):
        asked(room, form, incident, by=TOMAS)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_forms_of_a_private_incident_are_not_there_for_outsiders(room: Room, form: str):
    private = an_incident(room, private=NOVEMBER_18)
    mitigated(room, private)

    with pytest.raises(NoIncidentHere):
        asked(room, form, private, by=OUTSIDER)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        (("schedule", "form"), "hour"),
        (("schedule", ""), None),
        (("schedule", "mon 14:00"), None),
        (("postpone", ""), "postpone"),
        (("postpone", "form 1763722800"), "postpone"),
        (("postpone", "form 99999999999999999999"), None),
        (("postpone", "off"), "call_off"),
        (("postpone", "why"), "explain"),
        (("postpone", "off nobody can come"), None),
    ],
)
def test_words_alone_open_the_form_and_with_what_they_need_they_are_done(typed: tuple[str, str], form: str | None):
    assert forms.wanted(*typed) == form
