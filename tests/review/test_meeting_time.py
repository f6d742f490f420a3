from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.meeting_time import (
    NOTICE,
    Slot,
    WorkingHours,
    add_working_days,
    first_slot,
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


INSIDE = "inside the 48–72 hours after mitigation, so this is the first working hour after them."


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_the_meeting_is_proposed_for_the_first_working_hour_two_days_after_mitigation() -> None:
    mitigated_at = utc(2026, 11, 16, 13, 12)  # A Monday, 14:12 in Berlin.

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR)

    assert (slot.at, slot.reason) == (utc(2026, 11, 18, 13, 30), None)
    assert slot.elapsed_hours == pytest.approx(48.3)


def test_a_night_mitigation_waits_for_the_morning() -> None:
    mitigated_at = utc(2026, 11, 17, 2, 0)  # Tuesday, 03:00 in Berlin.

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR)

    assert slot == Slot(utc(2026, 11, 19, 8, 0), None, 54.0)


def test_a_meeting_that_would_run_past_working_hours_moves_to_the_next_morning() -> None:
    mitigated_at = utc(2026, 11, 16, 15, 15)  # 16:15 in Berlin: an hour from 16:30 would end at 17:30.

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR)

    assert slot == Slot(utc(2026, 11, 19, 8, 0), None, 64.75)


def test_a_weekend_in_the_window_is_skipped_and_named() -> None:
    mitigated_at = utc(2026, 11, 19, 10, 0)  # A Thursday: 48–72 hours later it is weekend.

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR)

    assert slot == Slot(
        utc(2026, 11, 23, 8, 0),
        f"Saturday and Sunday lie {INSIDE}",
        94.0,
    )


def test_a_late_friday_window_is_explained_by_its_one_day_off() -> None:
    mitigated_at = utc(2026, 11, 18, 16, 0)  # Wednesday 17:00: the window is Friday 17:00 to Saturday 17:00.

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR)

    assert slot.at == utc(2026, 11, 23, 8, 0)
    assert slot.reason == f"Saturday lies {INSIDE}"


def test_a_holiday_is_skipped_and_named() -> None:
    mitigated_at = utc(2026, 12, 22, 16, 0)
    holidays = {date(2026, 12, 25)}

    slot = first_slot(mitigated_at, BERLIN, now=mitigated_at, length=HOUR, holidays=holidays)

    assert slot.at == utc(2026, 12, 28, 8, 0)
    assert slot.reason == f"Friday, a holiday, lies {INSIDE}"


def test_when_the_window_is_over_the_first_working_hour_from_now_is_taken_and_said() -> None:
    mitigated_at, now = utc(2026, 11, 16, 9, 0), utc(2026, 11, 20, 9, 10)

    slot = first_slot(mitigated_at, BERLIN, now=now, length=HOUR)

    assert slot.at == utc(2026, 11, 20, 11, 30)
    assert slot.reason == "The 48–72 hours after mitigation are over, so this is the first working hour from now."


def test_when_too_little_of_the_window_is_left_the_message_says_so() -> None:
    mitigated_at, now = utc(2026, 11, 16, 9, 0), utc(2026, 11, 19, 8, 0)

    slot = first_slot(mitigated_at, BERLIN, now=now, length=HOUR)

    assert slot.at == utc(2026, 11, 19, 10, 0)
    assert slot.reason is not None
    assert slot.reason.startswith("Too little is left of the 48–72 hours")


def test_elapsed_hours_are_counted_through_a_change_of_the_clock() -> None:
    mitigated_at = utc(2026, 10, 30, 21, 0)  # Friday 17:00 in New York; clocks go back on Sunday.

    slot = first_slot(mitigated_at, NEW_YORK, now=mitigated_at, length=HOUR)

    assert slot.at.astimezone(NEW_YORK).isoformat() == "2026-11-02T09:00:00-05:00"
    assert (slot.reason, slot.elapsed_hours) == (None, 65.0)


def test_a_meeting_longer_than_the_working_day_starts_with_it() -> None:
    mitigated_at = utc(2026, 11, 16, 9, 0)

    slot = first_slot(mitigated_at, UTC, now=mitigated_at, length=3 * HOUR, hours=WorkingHours(9, 11))

    assert slot.at == utc(2026, 11, 18, 9, 0)


@given(MOMENTS, ZONES, LENGTHS, st.integers(0, 200))
def test_in_every_zone_the_whole_meeting_lies_in_working_hours_on_a_working_day(
    mitigated_at: datetime, zone: ZoneInfo, length: timedelta, hours_later: int
) -> None:
    now = mitigated_at + timedelta(hours=hours_later)

    slot = first_slot(mitigated_at, zone, now=now, length=length)

    starts, ends = slot.at.astimezone(zone), (slot.at + length).astimezone(zone)
    assert starts.weekday() < 5
    assert starts.date() == ends.date()
    assert starts.hour >= 9
    assert (ends.hour, ends.minute) <= (17, 0)
    assert starts.minute in {0, 30}
    assert slot.at >= now + NOTICE


@given(MOMENTS, ZONES, LENGTHS, st.integers(0, 200))
def test_in_every_zone_the_slot_is_inside_the_window_or_says_why_not(
    mitigated_at: datetime, zone: ZoneInfo, length: timedelta, hours_later: int
) -> None:
    slot = first_slot(mitigated_at, zone, now=mitigated_at + timedelta(hours=hours_later), length=length)

    assert slot.elapsed_hours >= 48
    assert (slot.reason is None) == (slot.elapsed_hours <= 72)


@given(MOMENTS, ZONES)
def test_no_earlier_half_hour_would_have_served(mitigated_at: datetime, zone: ZoneInfo) -> None:
    slot = first_slot(mitigated_at, zone, now=mitigated_at, length=HOUR)

    earlier = slot.at - timedelta(minutes=30)
    while earlier >= mitigated_at + timedelta(hours=48):
        local, ends = earlier.astimezone(zone), (earlier + HOUR).astimezone(zone)
        assert local.weekday() > 4 or local.hour < 9 or (ends.hour, ends.minute) > (17, 0) or ends.date() > local.date()
        earlier -= timedelta(minutes=30)


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
