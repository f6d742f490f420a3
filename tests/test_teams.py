"""Three teams, each from mitigation to the pre-read on the running bot, word for word as a person has read it.

Where a sentence was changed on purpose, `.venv/bin/python -m tests.teams` writes down what is said now; read it then.
"""

from collections import Counter

import pytest

from tests.teams import PLAYS, TOLD, Outcome, played

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=PLAYS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def outcome(name: str) -> Outcome:
    return played(name)


def test_each_team_reads_what_a_person_has_read_and_nothing_else(name: str, outcome: Outcome):
    assert outcome.words == (TOLD / f"{name}.txt").read_text("utf-8")


def test_nobody_is_written_to_outside_their_working_hours_or_twice_on_a_day(outcome: Outcome):
    days = Counter((user, at.date()) for user, at in outcome.came)

    assert outcome.came
    assert [(user, at) for user, at in outcome.came if not 9 <= at.hour < 17 or at.weekday() > 4] == []
    assert [day for day, count in days.items() if count > 1] == []


def test_slack_takes_all_of_it(outcome: Outcome):
    assert outcome.violations == []
