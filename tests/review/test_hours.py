from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.hours import ENOUGH, GAP, Effort, Stretch, Workday, Worked, stretches, worked
from bot.review.meeting_time import DaysOff, WorkingHours

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday."""
BERLIN = Workday(ZoneInfo("Europe/Berlin"), WorkingHours.read("09:00-17:00"), DaysOff())
ZONES = sorted(available_timezones())


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def at(*offsets: float) -> list[datetime]:
    return [NOON + minutes(offset) for offset in offsets]


def test_the_time_from_the_first_act_to_the_last_counts_without_long_gaps():
    assert worked(at(0, 20, 50, 81, 91), BERLIN).active == minutes(60)


def test_acts_count_in_order_of_time_however_they_come():
    assert stretches(at(50, 0, 20, 20)) == [Stretch(NOON, NOON + minutes(50))]


def test_a_single_act_is_no_time_at_all_and_says_so():
    found = worked(at(0), BERLIN)

    assert (found, found.words) == (Worked(), "under a minute")


def test_what_lies_outside_of_ones_own_hours_is_told_apart():
    assert worked(at(210, 240, 270), BERLIN) == Worked(minutes(60), minutes(30))  # 16:30 to 17:30 in Berlin
    assert worked(at(210, 240, 270), BERLIN).words == "1 h, 30 min of it outside working hours"


@pytest.mark.parametrize(
    ("zone", "outside"), [("Asia/Kolkata", 60), ("America/New_York", 60), ("Europe/London", 0), ("UTC", 0)]
)
def test_the_same_hour_is_somebodys_night(zone: str, outside: int):
    day = Workday(ZoneInfo(zone), WorkingHours.read("09:00-17:00"), DaysOff())

    assert worked(at(0, 30, 60), day) == Worked(minutes(60), minutes(outside))


def test_who_works_through_the_night_has_the_working_hours_of_both_days():
    through = at(*range(210, 210 + 17 * 60 + 1, 30))  # From 16:30 until 09:30 in Berlin.

    assert worked(through, BERLIN) == Worked(minutes(17 * 60), minutes(16 * 60))


def test_a_day_off_has_no_working_hours():
    holiday = Workday(BERLIN.zone, BERLIN.hours, DaysOff(holidays=frozenset({date(2026, 11, 18)})))
    saturday = [act + timedelta(days=3) for act in at(0, 30)]

    assert worked(at(0, 30), holiday).words == "30 min, all of it outside working hours"
    assert worked(saturday, BERLIN).outside == minutes(30)
    assert worked(at(0, 30), BERLIN).words == "30 min, all of it in working hours"


def test_the_hour_a_clock_is_set_back_counts_once_as_it_was():
    sunday = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    every = [sunday + minutes(20 * number) for number in range(13)]

    assert worked(every, BERLIN) == Worked(minutes(240), minutes(240))


def test_of_fewer_than_three_people_no_total_is_told():
    one = Worked(minutes(30), minutes(10))

    assert Effort({"U1": one, "U2": one}).together is None
    assert Effort({"U1": one, "U2": one, "U3": one}).together == Worked(minutes(90), minutes(30))
    assert Effort({"U1": one, "U2": one, "U3": Worked()}).together is None
    assert ENOUGH > 2, "of two people, each would know what the other one worked"


@given(
    offsets=st.lists(st.integers(0, 60 * 24 * 40), max_size=60),
    zone=st.sampled_from(ZONES),
    opens=st.integers(0, 22),
)
def test_nobody_works_longer_than_it_lasted_nor_more_out_of_hours_than_at_all(
    offsets: list[int], zone: str, opens: int
):
    acts = at(*offsets)
    day = Workday(ZoneInfo(zone), WorkingHours(opens, opens + 1), DaysOff())

    found = worked(acts, day)

    assert timedelta(0) <= found.outside <= found.active
    assert found.active <= (max(acts) - min(acts) if acts else timedelta(0))


@given(offsets=st.lists(st.integers(0, 600), max_size=40), more=st.integers(0, 600))
def test_another_act_never_makes_it_shorter(offsets: list[int], more: int):
    assert worked(at(*offsets, more), BERLIN).active >= worked(at(*offsets), BERLIN).active


@given(offsets=st.lists(st.integers(0, 5_000), max_size=60))
def test_between_two_stretches_lies_more_than_half_an_hour(offsets: list[int]):
    found = stretches(at(*offsets))

    assert all(later.start - earlier.end > GAP for earlier, later in pairwise(found))
