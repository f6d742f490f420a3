from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.review.time_axis import Axis, axis

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
MOMENTS = st.lists(
    st.datetimes(datetime(2026, 10, 20), datetime(2026, 11, 20), timezones=st.just(UTC)), min_size=1, max_size=30
)


def after(**spans: float) -> datetime:
    return NOON + timedelta(**spans)


def drawn(*moments: datetime, length: float = 800) -> Axis:
    return axis(moments, zone=BERLIN, length=length, break_length=70)


def labels(line: Axis) -> list[str]:
    return [f"{tick.local:%d %H:%M}" for tick in line.ticks(60)]


def test_ticks_stand_on_round_hours_of_the_zone():
    line = drawn(NOON, after(hours=12))

    assert labels(line)[:3] == ["18 13:00", "18 14:00", "18 15:00"]


def test_five_minutes_have_a_tick_every_minute_and_thirty_days_one_every_few_days():
    minutes, days = drawn(NOON, after(minutes=5)), drawn(NOON, after(days=30))

    assert labels(minutes) == ["18 13:00", "18 13:01", "18 13:02", "18 13:03", "18 13:04", "18 13:05"]
    assert all(tick.begins_day for tick in days.ticks(60))
    assert 6 <= len(days.ticks(60)) <= 20


def test_a_single_moment_has_five_minutes_around_it():
    line = drawn(NOON)

    (stretch,) = line.stretches
    assert stretch.end - stretch.start == timedelta(minutes=5)
    assert line.at(NOON) == 400


def test_time_is_drawn_to_one_scale():
    line = drawn(NOON, after(hours=1), after(hours=2), after(hours=5))

    hour = line.at(after(hours=1)) - line.at(NOON)
    assert line.breaks == ()
    assert abs(line.at(after(hours=5)) - line.at(after(hours=2)) - 3 * hour) < 0.001


def test_a_night_of_a_long_incident_is_not_left_out():
    days = [after(days=day, hours=hour) for day in range(3) for hour in range(9)]

    assert drawn(*days).breaks == ()


def test_a_quiet_time_that_is_most_of_all_is_left_out_and_says_how_long_it_was():
    line = drawn(NOON, after(hours=0.5), after(hours=1), after(hours=2), after(days=2, hours=5))

    assert [pause.words for pause in line.breaks] == ["2 days 3 h"]
    assert line.at(after(hours=2)) < line.breaks[0].near < line.breaks[0].far < line.at(after(days=2, hours=5))


def test_an_hour_of_quiet_is_never_left_out():
    assert drawn(*(after(minutes=minute) for minute in (0, 1, 2, 3, 60))).breaks == ()


def test_a_few_moments_are_drawn_without_a_break():
    assert drawn(NOON, after(hours=1), after(days=3)).breaks == ()


def test_where_the_clocks_go_back_no_hour_is_written_twice_and_none_is_made_up():
    before = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    spring = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)

    autumn_hours = labels(drawn(before, before + timedelta(hours=8)))
    spring_hours = labels(drawn(spring, spring + timedelta(hours=8)))

    assert autumn_hours[:5] == ["25 00:00", "25 01:00", "25 02:00", "25 03:00", "25 04:00"]
    assert spring_hours[:4] == ["29 00:00", "29 01:00", "29 03:00", "29 04:00"]


@given(moments=MOMENTS)
def test_what_comes_later_never_stands_nearer_and_everything_stands_on_the_axis(moments):
    line = drawn(*moments)

    places = [line.at(moment) for moment in sorted(moments)]

    assert places == sorted(places)
    assert all(0 <= place <= 800 for place in places)


@given(moments=MOMENTS)
def test_ticks_keep_their_distance_and_every_stretch_has_one(moments):
    line = drawn(*moments)

    ticks = line.ticks(60)

    for stretch in line.stretches:
        within = [tick.at for tick in ticks if stretch.near <= tick.at <= stretch.far]
        assert within
        assert all(later - sooner >= 50 for sooner, later in pairwise(within))
