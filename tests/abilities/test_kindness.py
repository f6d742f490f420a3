"""How often somebody is written to unasked, and when: two months with everything the clock asks."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import reminding
from bot.review.meeting_time import weekends_alone
from tests.two_months import BUSY, HERE_AND_THERE, IDLE, LEAD, LEADER, OWNER, SLOW, Told, Zones, to, two_months

MOST = 6
ATTENDEES = (IDLE, BUSY, SLOW)
SEVEN_HOURS = timedelta(hours=7)
"""So the clock ticks at every hour of the day over a week, and once at least in every working day."""
ELSEWHERE: Zones = {
    LEAD: "America/Los_Angeles",
    OWNER: "Asia/Tokyo",
    IDLE: "Australia/Sydney",
    BUSY: "Asia/Jerusalem",
    SLOW: "America/Sao_Paulo",
    LEADER: "UTC",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    return two_months(tmp_path_factory.mktemp("months"), every=SEVEN_HOURS)


def must_be_kind(told: Sequence[Told]) -> None:
    assert [one for one in told if one.is_at_night or one.is_on_a_day_off] == []
    assert [day for day, count in Counter((one.to, one.at.date()) for one in told).items() if count > 1] == []
    assert [user for user in ATTENDEES if len(to(user, told)) > MOST] == []
    assert [one for one in told if not one.says_how_to_stop_it] == []


def test_nobody_is_pestered_in_two_months(told: list[Told]):
    must_be_kind(told)


def test_who_does_nothing_is_asked_each_thing_once_and_left_alone(told: list[Told]):
    steps = ["Would you write at the review", "waits for your answer"]

    assert [step in one.text for step, one in zip(steps, to(IDLE, told), strict=True)] == [True, True]


def test_who_does_what_was_asked_hears_of_each_step_once(told: list[Told]):
    said = [one.text for one in to(BUSY, told)]

    steps = ["waits for your answer", "is due Fri 27 Nov 2026", "was due Fri 27 Nov 2026", "Did it work?"]
    assert [step in text for step, text in zip(steps, said, strict=True)] == [True] * len(steps)


def test_who_promises_and_does_nothing_more_hears_of_it_six_times(told: list[Told]):
    said = [one.text for one in to(SLOW, told)]

    assert len(said) == MOST
    assert ["This is the last time I write to you about it." in text for text in said] == [False] * 5 + [True]


def test_after_three_days_away_each_says_once_that_it_comes_late(told: list[Told]):
    late = [(one.to, one.text.split("\n\n")[0]) for one in told if "I was away" in one.text]

    assert (SLOW, "This comes 3 days late: I was away.") in late
    assert max(Counter(user for user, _ in late).values()) == 1


def test_who_leads_and_who_answers_for_the_review_hear_of_it_too(told: list[Told]):
    assert "I suggest" in to(LEAD, told)[0].text
    assert "The draft of the report" in to(OWNER, told)[0].text
    assert "is 14 days late" in to(OWNER, told)[-1].text
    assert ["five lines for you alone" in one.text for one in to(LEADER, told)] == [True]


# What would be seen without -----------------------------------------------------------


def test_where_holidays_are_not_known_somebody_is_written_to_on_one(tmp_path: Path):
    told = two_months(tmp_path, every=SEVEN_HOURS, lasting=timedelta(days=8), known=weekends_alone)

    assert [(one.to, f"{one.at:%a %d %b}") for one in told if one.is_on_a_day_off] == [(BUSY, "Tue 24 Nov")]


# The long form -----------------------------------------------------------------------


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("zones", [HERE_AND_THERE, ELSEWHERE], ids=["here", "elsewhere"])
@pytest.mark.parametrize("begins", [datetime(2026, 11, 18, 14, tzinfo=UTC), datetime(2027, 3, 19, 3, tzinfo=UTC)])
def test_nobody_is_pestered_at_any_hour_in_any_country(tmp_path: Path, zones: Zones, begins: datetime):
    must_be_kind(two_months(tmp_path, zones=zones, begins=begins))


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_without_the_limit_it_would_be_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reminding, "MOST_TOLD", 100)

    assert len(to(SLOW, two_months(tmp_path))) > MOST
