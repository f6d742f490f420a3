"""How a meeting apart is typed, and what its buttons type."""

import pytest

from bot import meeting_apart, scheduling
from bot.listeners import forms
from bot.listeners.words import look_up
from bot.review.refusal import Refused
from bot.review.when import read_when


@pytest.mark.parametrize("group", ["@payments", "payments", "<!subteam^S0PAY|@payments>"])
def test_a_group_and_an_hour_plan_it(group: str):
    verb, rest = look_up(f"schedule apart {group} thu 10:00")

    deed = verb.deed(rest)

    assert deed.ability is meeting_apart.plan
    assert deed.what == {"team": group, "when": read_when("thu 10:00")}


def test_without_an_hour_it_is_asked_for_by_the_ability():
    verb, rest = look_up("schedule apart @payments")

    assert verb.deed(rest).what == {"team": "@payments", "when": None}


def test_its_button_ends_it():
    verb, rest = look_up("schedule apart end")

    assert verb.deed(rest).ability is meeting_apart.end


@pytest.mark.parametrize(
    ("typed", "team", "reason"),
    [
        ("schedule apart @payments off they fly", "@payments", "they fly"),
        ("schedule apart <!subteam^S0PAY|@payments> OFF they\nfly", "<!subteam^S0PAY|@payments>", "they\nfly"),
        ("schedule apart off they fly", "", "they fly"),
        ("schedule apart @payments off", "@payments", ""),
        ("schedule apart off", "", ""),
    ],
)
def test_one_is_called_off_with_a_reason(typed: str, team: str, reason: str):
    verb, rest = look_up(typed)

    deed = verb.deed(rest)

    assert deed.ability is meeting_apart.call_off
    assert deed.what == {"team": team, "reason": reason}


@pytest.mark.parametrize("rest", ["apart off", "apart @payments off"])
def test_without_a_reason_a_form_asks_for_it(rest: str):
    assert forms.wanted("schedule", rest) == "apart_off"
    assert forms.wanted("schedule", f"{rest} they fly") is None


def test_a_mistyped_way_is_told_as_it_is_read():
    verb, rest = look_up("schedule aparte <!subteam^S0PAY|@payments> thu 10:00")

    with pytest.raises(Refused, match="“aparte @payments thu 10:00”"):
        verb.deed(rest)


def test_an_hour_that_cannot_be_read_is_refused():
    verb, rest = look_up("schedule apart @payments soonish")

    with pytest.raises(Refused):
        verb.deed(rest)


def test_an_hour_alone_is_the_meeting_of_everybody():
    verb, rest = look_up("schedule thu 10:00")

    assert verb.deed(rest).ability is scheduling.schedule
