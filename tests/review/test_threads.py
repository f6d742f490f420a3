"""A review in threads: its topics and its deadline."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.findings import FindingKind
from bot.review.meeting_time import NINE_TO_FIVE, DaysOff, WorkingHours, next_working_moment
from bot.review.threads import InThreads, Thread, deadline
from tests.cast import MARA, NOVEMBER_18

BERLIN = ZoneInfo("Europe/Berlin")
TWO_DAYS = timedelta(hours=48)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def ends(began: str, *, off: DaysOff | None = None) -> str:
    at = datetime.fromisoformat(began).replace(tzinfo=BERLIN)
    return f"{deadline(at, TWO_DAYS, BERLIN, off=off or DaysOff()).astimezone(BERLIN):%a %d %b %H:%M}"


@pytest.mark.parametrize(
    ("began", "ended"),
    [
        ("2026-11-16T10:00", "Wed 18 Nov 10:00"),
        ("2026-11-19T16:00", "Mon 23 Nov 16:00"),
        ("2026-11-20T16:00", "Tue 24 Nov 16:00"),
        ("2026-11-21T11:00", "Wed 25 Nov 11:00"),
        ("2026-11-16T20:00", "Thu 19 Nov 09:00"),
    ],
)
def test_two_days_are_working_days_and_end_in_working_hours(began: str, ended: str):
    assert ends(began) == ended


def test_half_of_it_is_over_before_a_weekend_that_counts_for_nothing():
    evening = datetime(2026, 11, 18, 19, 20, tzinfo=BERLIN)

    half, ended = (deadline(evening, span, BERLIN, off=DaysOff()) for span in (TWO_DAYS / 2, TWO_DAYS))

    assert [f"{at.astimezone(BERLIN):%a %H:%M}" for at in (half, ended)] == ["Fri 09:00", "Mon 09:00"]


def test_a_holiday_gives_a_day_more():
    assert ends("2026-11-16T10:00", off=DaysOff(holidays=frozenset({date(2026, 11, 17)}))) == "Thu 19 Nov 10:00"


@given(
    began=st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31)),
    hours=st.integers(1, 400),
    zone=st.sampled_from(ZONES),
    weekends=st.sampled_from([{5, 6}, {4, 5}, {6}, set[int]()]),
    holidays=st.sets(st.dates(date(2024, 1, 1), date(2033, 6, 1)), max_size=20),
)
def test_everywhere_there_is_at_least_that_time_and_it_ends_at_work(
    began: datetime, hours: int, zone: str, weekends: set[int], holidays: set[date]
):
    there, at, span = ZoneInfo(zone), began.replace(tzinfo=UTC), timedelta(hours=hours)
    off = DaysOff(frozenset(weekends), frozenset(holidays))

    ended = deadline(at, span, there, off=off)
    half = deadline(at, span / 2, there, off=off)

    assert ended >= at + span
    assert at + span / 2 <= half <= ended
    for moment in (ended, half):
        assert next_working_moment(moment, there, NINE_TO_FIVE, off.weekends, off.holidays) == moment


def test_the_hours_are_those_of_the_house():
    late = WorkingHours.read("12:00-20:00")

    ended = deadline(NOVEMBER_18.replace(hour=6), TWO_DAYS, BERLIN, off=DaysOff(), hours=late)

    assert f"{ended.astimezone(BERLIN):%a %H:%M}" == "Fri 12:00"


def test_every_kind_of_finding_has_its_thread():
    assert sorted(kind for thread in Thread for kind in thread.finds) == sorted(FindingKind)


def test_it_is_kept_as_it_is():
    going_on = InThreads(by=MARA, began_at=NOVEMBER_18, half_at=NOVEMBER_18, ends_at=NOVEMBER_18).nudge(NOVEMBER_18)

    assert InThreads.from_json(going_on.to_json()) == going_on
    assert InThreads.from_json(None) is None
    assert InThreads.from_json({"how": "light"}) is None


def test_it_is_never_made_shorter():
    going_on = InThreads(by=MARA, began_at=NOVEMBER_18, half_at=NOVEMBER_18, ends_at=NOVEMBER_18 + TWO_DAYS)

    assert going_on.longer(NOVEMBER_18) == going_on
