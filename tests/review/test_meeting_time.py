from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.meeting_time import (
    WorkingHours,
    add_working_days,
    next_working_moment,
    working_day_before,
    working_morning,
)
from bot.review.refusal import UnreadableHours

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))
LENGTHS = st.sampled_from([30, 60, 90, 120]).map(lambda minutes: timedelta(minutes=minutes))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@given(MOMENTS, ZONES)
def test_a_message_that_can_wait_comes_in_working_hours(now: datetime, zone: ZoneInfo) -> None:
    moment = next_working_moment(now, zone, WorkingHours(9, 17))

    local = moment.astimezone(zone)
    assert moment >= now
    assert local.weekday() < 5
    assert 9 <= local.hour < 17
    assert moment - now <= timedelta(hours=66)


def test_inside_working_hours_a_message_need_not_wait() -> None:
    assert next_working_moment(utc(2026, 11, 20, 10, 17), BERLIN) == utc(2026, 11, 20, 10, 17)
    assert next_working_moment(utc(2026, 11, 20, 16, 0), BERLIN) == utc(2026, 11, 23, 8, 0)


def test_working_days_leap_over_weekends_and_holidays() -> None:
    friday = date(2026, 11, 20)

    assert add_working_days(friday, 2) == date(2026, 11, 24)
    assert add_working_days(friday, 2, holidays={date(2026, 11, 23)}) == date(2026, 11, 25)
    assert add_working_days(friday, 0) == friday


def test_what_falls_on_a_weekend_is_done_the_working_day_before() -> None:
    assert working_day_before(date(2026, 11, 22)) == date(2026, 11, 20)
    assert working_day_before(date(2026, 11, 20)) == date(2026, 11, 20)


def test_a_working_morning_is_local() -> None:
    assert working_morning(date(2026, 7, 1), BERLIN) == utc(2026, 7, 1, 7, 0)


def test_a_calendar_without_a_working_day_does_not_turn_for_ever() -> None:
    every_day = frozenset(range(7))

    assert add_working_days(date(2026, 11, 20), 1, weekends=every_day) == date(2026, 11, 21)


def test_working_hours_are_read_and_written() -> None:
    assert WorkingHours.read("09:00-17:00") == WorkingHours(9, 17)
    assert WorkingHours.read("8:30 – 16:45") == WorkingHours(8, 16, 30, 45)
    assert str(WorkingHours(8, 16, 30, 45)) == "08:30-16:45"


@pytest.mark.parametrize("words", ["", "9-17", "17:00-09:00", "09:00-09:00", "25:00-26:00", "all day"])
def test_hours_that_cannot_be_read_are_refused(words: str) -> None:
    with pytest.raises(UnreadableHours):
        WorkingHours.read(words)
