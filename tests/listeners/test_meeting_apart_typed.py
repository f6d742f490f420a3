"""How a meeting apart is typed, and what its buttons type."""

import pytest

from bot import meeting_apart, scheduling
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


def test_an_hour_that_cannot_be_read_is_refused():
    verb, rest = look_up("schedule apart @payments soonish")

    with pytest.raises(Refused):
        verb.deed(rest)


def test_an_hour_alone_is_the_meeting_of_everybody():
    verb, rest = look_up("schedule thu 10:00")

    assert verb.deed(rest).ability is scheduling.schedule
