"""Teams on the running bot, each on its way through a review, word for word as a person has read it.

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


def test_each_letter_is_one_meeting_in_a_calendar_whatever_befell_it_on_the_way(name: str, outcome: Outcome):
    letters, calendars = outcome.post

    assert letters == (Counter(sent=11) if name == "many" else Counter())
    assert calendars.total() == letters["sent"]


def test_who_took_part_in_everything_and_is_forgotten_stands_in_no_file(name: str, outcome: Outcome):
    assert all(outcome.named[:1])
    assert outcome.named[1:] == (({}, {}) if name == "many" else ())
