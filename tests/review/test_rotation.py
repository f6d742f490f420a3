"""Whose turn it is, and by when they may answer."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.meeting_time import Calendar, WorkingHours
from bot.review.rotation import LEAST_NOTICE, Had, answer_by, by_part, in_turn, working_time

MARA, TOMAS, PRIYA, JONAS = "U0MARA", "U0TOMAS", "U0PRIYA", "U0JONAS"
WEDNESDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def had(*users: str) -> list[Had]:
    """Turns, one a week."""
    return [Had(user, WEDNESDAY + timedelta(weeks=number)) for number, user in enumerate(users)]


# Whose turn --------------------------------------------------------------------------------


def test_who_never_had_a_turn_comes_first():
    assert in_turn([MARA, TOMAS], had(MARA)) == [TOMAS, MARA]


def test_of_those_with_as_many_turns_who_had_it_longest_ago_comes_first():
    assert in_turn([MARA, TOMAS], had(MARA, TOMAS)) == [MARA, TOMAS]


def test_fewer_turns_come_before_longer_ago():
    assert in_turn([MARA, TOMAS], had(TOMAS, MARA, TOMAS, MARA, MARA, TOMAS, TOMAS)) == [MARA, TOMAS]


def test_whoever_joins_later_need_not_catch_up_with_everybody():
    before = had(*[MARA, TOMAS] * 5)

    first = in_turn([MARA, TOMAS, PRIYA], before)
    then = in_turn([MARA, TOMAS, PRIYA], [*before, Had(PRIYA, WEDNESDAY + timedelta(weeks=20))])

    assert first[0] == PRIYA
    assert then == [MARA, TOMAS, PRIYA]


def test_whoever_joins_later_stands_with_those_who_had_the_fewest_however_many_others_had():
    before = had(MARA, TOMAS, TOMAS, TOMAS)

    first = in_turn([MARA, TOMAS, PRIYA], before)
    then = in_turn([MARA, TOMAS, PRIYA], [*before, Had(PRIYA, WEDNESDAY + timedelta(weeks=20))])

    assert first == [PRIYA, MARA, TOMAS]
    assert then == [MARA, PRIYA, TOMAS]


def test_some_are_never_asked_and_where_nobody_else_is_left_nobody_is():
    assert in_turn([MARA, PRIYA], [], never={MARA, None}) == [PRIYA]
    assert in_turn([MARA], [], never={MARA, JONAS}) == []


def test_where_all_responded_the_least_involved_come_first():
    assert by_part([MARA, TOMAS, PRIYA], had(TOMAS), {MARA: 9, TOMAS: 2, PRIYA: 2}) == [PRIYA, TOMAS, MARA]


@given(
    people=st.integers(2, 12),
    away=st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=60),
)
def test_nobody_is_ever_two_turns_ahead_of_anybody_who_could_have_had_that_one(people: int, away: list[set[int]]):
    pool = [f"U{number:02}" for number in range(people)]
    turns = had(*pool)
    for week, absent in enumerate(away):
        could = [user for number, user in enumerate(pool) if number not in absent]
        for chosen in in_turn(could, turns)[:1]:
            turns.append(Had(chosen, WEDNESDAY + timedelta(weeks=20 + week)))
            counted = Counter(one.user for one in turns)

            assert counted[chosen] - min(counted[user] for user in could) <= 1


def test_where_everybody_always_can_all_have_the_same_number_of_turns_give_or_take_one():
    pool, turns = [MARA, TOMAS, PRIYA, JONAS], list[Had]()

    for week in range(50):
        turns.append(Had(in_turn(pool, turns)[0], WEDNESDAY + timedelta(weeks=week)))

    counted = [sum(one.user == user for one in turns) for user in pool]
    assert max(counted) - min(counted) <= 1


# By when -----------------------------------------------------------------------------------


def calendar(zone: str = "Europe/Berlin", hours: str = "09:00-17:00", *holidays: date) -> Calendar:
    return Calendar(ZoneInfo(zone), WorkingHours.read(hours), frozenset(holidays), frozenset({5, 6}))


def local(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("asked", "meets", "by"),
    [
        ("2026-11-18 10:07", "2026-11-24 09:00", "2026-11-19 10:00"),
        ("2026-11-20 10:00", "2026-11-30 09:00", "2026-11-23 10:00"),
        ("2026-11-20 09:00", "2026-11-23 09:00", "2026-11-20 13:00"),
        ("2026-11-19 15:00", "2026-11-20 15:00", "2026-11-20 11:00"),
        ("2026-11-18 09:00", "2026-11-24 09:00", "2026-11-18 17:00"),
        ("2026-11-20 15:00", "2026-11-23 09:00", "2026-11-20 16:00"),
    ],
    ids=["a working day", "over a weekend", "half of what is left", "half is tomorrow", "until it closes", "two hours"],
)
def test_there_is_a_working_day_to_answer_or_half_of_the_time_that_is_left(asked: str, meets: str, by: str):
    assert answer_by(local(asked), local(meets), calendar()) == local(by)


def test_a_holiday_is_no_working_day():
    by = answer_by(local("2026-11-18 10:00"), local("2026-12-01 09:00"), calendar("Europe/Berlin", "09:00-17:00"))
    later = answer_by(
        local("2026-11-18 10:00"),
        local("2026-12-01 09:00"),
        calendar("Europe/Berlin", "09:00-17:00", date(2026, 11, 19)),
    )

    assert (by, later) == (local("2026-11-19 10:00"), local("2026-11-20 10:00"))


def test_less_than_two_working_hours_before_the_meeting_nobody_is_asked():
    assert answer_by(local("2026-11-20 15:30"), local("2026-11-23 09:15"), calendar()) is None
    assert answer_by(local("2026-11-20 18:00"), local("2026-11-23 09:00"), calendar()) is None


ZONES = ("Asia/Kathmandu", "Pacific/Chatham", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC")


@given(
    asked=st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 1), timezones=st.just(UTC)),
    ahead=st.timedeltas(timedelta(), timedelta(days=40)),
    zone=st.sampled_from(ZONES),
    hours=st.sampled_from(["09:00-17:00", "00:00-23:59", "22:00-23:30", "02:00-02:30"]),
)
def test_who_is_asked_always_has_time_to_answer_and_the_next_one_after_them(
    asked: datetime, ahead: timedelta, zone: str, hours: str
):
    at_work = calendar(zone, hours)
    meets = asked + ahead

    by = answer_by(asked, meets, at_work)

    if by is None:
        assert working_time(asked, meets, at_work) < LEAST_NOTICE
    else:
        assert asked < by < meets
        assert working_time(by, meets, at_work) >= LEAST_NOTICE / 2
