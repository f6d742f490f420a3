from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.refusal import InTheFuture, InThePast, UnreadableTime
from bot.review.when import ClockTime, DayTime, Seen, read_day, read_when, split_when

BERLIN, NEW_YORK, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)  # A Friday; 15:30 in Berlin.
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "rest"),
    [
        ("14:05 rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("9:05 alert", utc(2026, 11, 20, 8, 5), "alert"),
        ("16:00 paged Ben", utc(2026, 11, 19, 15, 0), "paged Ben"),
        ("2026-11-19 began", utc(2026, 11, 18, 23, 0), "began"),
        ("2026-11-20 14:05 rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("2026-11-20T14:05 rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("2026-11-20t14:05z rolled back", utc(2026, 11, 20, 14, 5), "rolled back"),
        ("2026-11-20 14:05:30.250+05:30 rolled back", utc(2026, 11, 20, 8, 35, 30), "rolled back"),
        ("2026-11-20 09:05-0500 rolled back", utc(2026, 11, 20, 14, 5), "rolled back"),
        ("YESTERDAY 23:50 queue grew", utc(2026, 11, 19, 22, 50), "queue grew"),
        ("mon 09:00 deploy", utc(2026, 11, 16, 8, 0), "deploy"),
        ("Friday 15:30 deploy", utc(2026, 11, 20, 14, 30), "deploy"),
        ("fri 15:31 deploy", utc(2026, 11, 13, 14, 31), "deploy"),
        ("10 min ago it began", utc(2026, 11, 20, 14, 20), "it began"),
        ("1 minute ago it began", utc(2026, 11, 20, 14, 29), "it began"),
        ("90 minutes ago", utc(2026, 11, 20, 13, 0), ""),
        ("14:05: rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("14:05, rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("14:05 – rolled back", utc(2026, 11, 20, 13, 5), "rolled back"),
        ("14:05 - 14:20 errors", utc(2026, 11, 20, 13, 5), "- 14:20 errors"),
        ("14:05 -5 replicas", utc(2026, 11, 20, 13, 5), "-5 replicas"),
    ],
)
def test_a_leading_time_is_read_in_the_speakers_zone(text: str, at: datetime, rest: str) -> None:
    when, words = split_when(text)

    assert when is not None
    assert (when.past(NOW, BERLIN), words) == (at, rest)


@pytest.mark.parametrize(
    "text",
    [
        "25:99 rolled back",
        "24:00 rolled back",
        "14:05-14:20 errors",
        "14:05:30 errors",
        "14:05am errors",
        "14.05 errors",
        "1405 errors",
        "2pm errors",
        "noon it broke",
        "now it broke",
        "today 14:05 it broke",
        "tomorrow 09:00",
        "yesterday it broke",
        "monday we deploy",
        "monitor 14:05",
        "2026-02-30 it broke",
        "2026-11-20 25:99 it broke",
        "0001-01-01 it broke",
        "20/11/2026 it broke",
        "5 minutes later it broke",
        "an hour ago",
        "2026-11-20 14:05+99:00 it broke",
        "١٤:٠٥ it broke",
        "",
    ],
)
def test_nothing_else_is_taken_for_a_time(text: str) -> None:
    assert split_when(text) == (None, text)


@given(st.text())
def test_no_text_at_all_makes_the_reader_stumble(text: str) -> None:
    when, rest = split_when(text)

    assert when is not None or rest == text.strip()


@pytest.mark.parametrize("text", ["25:99", "soon", "14:05 or so", "2026-11-20 25:99", ""])
def test_a_verb_that_demands_a_time_refuses_anything_that_is_not_wholly_one(text: str) -> None:
    with pytest.raises(UnreadableTime) as refused:
        read_when(text)

    assert refused.value.words == text


def test_a_plan_takes_the_next_such_time() -> None:
    assert read_when("15:30").future(NOW, BERLIN) == utc(2026, 11, 21, 14, 30)
    assert read_when("15:31").future(NOW, BERLIN) == utc(2026, 11, 20, 14, 31)
    assert read_when("fri 10:00").future(NOW, BERLIN) == utc(2026, 11, 27, 9, 0)


def test_a_plan_for_a_bare_day_begins_in_the_morning() -> None:
    assert read_when("2026-11-23").future(NOW, BERLIN) == utc(2026, 11, 23, 8, 0)


@pytest.mark.parametrize("text", ["10 min ago", "yesterday 14:05", "2026-11-19", "2026-11-20 15:30"])
def test_a_plan_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(InThePast):
        read_when(text).future(NOW, BERLIN)


@pytest.mark.parametrize("text", ["2026-11-21", "2026-11-20 15:31"])
def test_a_past_that_is_still_to_come_is_refused(text: str) -> None:
    with pytest.raises(InTheFuture):
        read_when(text).past(NOW, BERLIN)


def test_retiming_takes_the_time_nearest_to_the_event() -> None:
    just_after_midnight = utc(2026, 11, 17, 23, 10)  # 00:10 in Berlin on the 18th.

    assert read_when("23:55").nearest(just_after_midnight, BERLIN) == utc(2026, 11, 17, 22, 55)
    assert read_when("00:20").nearest(just_after_midnight, BERLIN) == utc(2026, 11, 17, 23, 20)


def test_yesterday_and_ago_are_the_speakers_even_when_retiming() -> None:
    last_week = NOW - timedelta(days=7)

    assert read_when("yesterday 10:00").nearest(last_week, BERLIN, now=NOW) == utc(2026, 11, 19, 9, 0)
    assert read_when("5 min ago").nearest(last_week, BERLIN, now=NOW) == NOW - timedelta(minutes=5)


def test_a_time_that_the_clock_skipped_is_shifted_forward() -> None:
    gap = read_when("2026-03-08 02:30")

    assert gap.past(NOW, NEW_YORK) == utc(2026, 3, 8, 7, 30)  # 03:30 on the wall.


def test_of_a_time_that_came_twice_the_past_takes_the_latest_that_has_come() -> None:
    twice = read_when("2026-11-01 01:30")

    assert twice.past(utc(2026, 11, 1, 12, 0), NEW_YORK) == utc(2026, 11, 1, 6, 30)
    assert twice.past(utc(2026, 11, 1, 6, 0), NEW_YORK) == utc(2026, 11, 1, 5, 30)
    assert twice.future(utc(2026, 11, 1, 6, 0), NEW_YORK) == utc(2026, 11, 1, 6, 30)


def test_only_a_day_that_was_named_counts_as_one() -> None:
    assert read_when("2026-11-20 14:05").day == date(2026, 11, 20)
    assert read_when("14:05").day is None


@given(MOMENTS, ZONES, CLOCKS)
def test_in_every_zone_the_past_has_come_and_the_future_has_not(now: datetime, zone: ZoneInfo, clock: time) -> None:
    when = ClockTime(f"{clock:%H:%M}", clock)

    past, future = when.past(now, zone), when.future(now, zone)

    assert now - timedelta(hours=26) < past <= now < future < now + timedelta(hours=26)
    assert past.tzinfo is UTC
    assert future.tzinfo is UTC


@given(MOMENTS, ZONES, CLOCKS)
def test_in_every_zone_a_time_on_the_wall_is_that_time_or_shifted_forward(
    now: datetime, zone: ZoneInfo, clock: time
) -> None:
    day = now.date()

    for at in DayTime("", day, clock).instants(Seen(now, zone)):
        wall = at.astimezone(zone).replace(tzinfo=None)
        assert timedelta(0) <= wall - datetime.combine(day, clock) <= timedelta(hours=2)


@given(MOMENTS, ZONES, CLOCKS)
def test_in_every_zone_nothing_is_nearer_than_the_nearest(to: datetime, zone: ZoneInfo, clock: time) -> None:
    when = ClockTime(f"{clock:%H:%M}", clock)

    nearest = abs(when.nearest(to, zone) - to)

    assert nearest <= abs(when.past(to, zone) - to)
    assert nearest <= abs(when.future(to, zone) - to)


@given(MOMENTS, ZONES)
def test_a_time_read_back_from_the_wall_finds_its_minute_again(at: datetime, zone: ZoneInfo) -> None:
    minute = at.replace(second=0, microsecond=0)
    typed = f"{minute.astimezone(zone):%Y-%m-%d %H:%M}"

    when = read_when(typed)

    assert when.nearest(minute, zone) == minute


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("monday", date(2026, 11, 23)),
        ("Fri", date(2026, 11, 27)),
        ("10 days", date(2026, 11, 30)),
        ("in 1 day", date(2026, 11, 21)),
        ("2 weeks", date(2026, 12, 4)),
        ("2026-13-01", None),
        ("soon", None),
        ("hand", None),
        ("", None),
    ],
)
def test_a_due_day_is_a_date_a_weekday_or_some_days_ahead(text: str, day: date | None) -> None:
    assert read_day(text, NOW.date()) == day
