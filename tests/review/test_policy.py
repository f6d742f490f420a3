from datetime import UTC, datetime

import pytest

from bot.review.policy import DEFAULT, Asked, Depth
from bot.review.rotation import propose

MARA, TOMAS, PRIYA, JONAS = "U0MARA", "U0TOMAS", "U0PRIYA", "U0JONAS"
NOVEMBER_18 = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("severity", "asked"),
    [
        ("sev1", Asked(Depth.full, minutes=90, briefing=True, private_question=True)),
        ("sev2", Asked(Depth.full, private_question=True)),
        ("sev3", Asked(Depth.light)),
        ("sev4", Asked(Depth.none)),
    ],
)
def test_a_severity_says_how_much_of_a_review_it_asks_for(severity: str, asked: Asked):
    assert DEFAULT.asked_for(severity) == asked


def test_an_incident_without_a_severity_gets_a_full_review():
    assert DEFAULT.asked_for(None) == Asked(Depth.full)


def test_who_never_had_a_turn_comes_first_then_who_had_it_longest_ago():
    last = {MARA: NOVEMBER_18}

    assert propose([MARA, TOMAS], last, never=()) == TOMAS
    assert propose([MARA, TOMAS], last | {TOMAS: NOVEMBER_18.replace(day=1)}, never=()) == TOMAS


def test_some_are_never_proposed_and_where_nobody_else_is_left_nobody_is():
    assert propose([MARA, PRIYA], {}, never={MARA, None}) == PRIYA
    assert propose([MARA], {}, never={MARA, JONAS}) is None
