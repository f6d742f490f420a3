"""The hour that suits those who come: examples to check by hand, and random teams held against an independent judge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.review.common_hour import Attendee, Hour, Part, Wish, all_of, common_hours, how_it_is
from bot.review.incident import UserId
from bot.review.meeting_time import DaysOff, WorkingHours
from tests.review.common_hour_cases import Case, cases, faults

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
INSIDE = "inside the 48–72 hours after mitigation"
BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"
THREE_CONTINENTS = ("Australia/Sydney", "Europe/Berlin", "America/Los_Angeles")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def wish(over_at: datetime, *, now: datetime | None = None, **more: object) -> Wish:
    return Wish(over_at=over_at, now=now or over_at, **{"length": HOUR} | more)  # pyright: ignore[reportArgumentType]


def team(*zones: str, **more: object) -> list[Attendee]:
    """Somebody in each of these zones, called by the name of its city."""
    return [Attendee(UserId(zone.split("/")[1]), ZoneInfo(zone), **more) for zone in zones]  # pyright: ignore[reportArgumentType]


def first(over_at: datetime, people: Sequence[Attendee], **more: object) -> Hour:
    return common_hours(wish(over_at, **more), people)[0]  # pyright: ignore[reportArgumentType]


# One person, or one zone ---------------------------------------------------------------


def test_the_meeting_is_proposed_for_the_first_working_hour_two_days_after_mitigation():
    hour = first(utc(2026, 11, 16, 13, 12), team(BERLIN))  # A Monday, 14:12 in Berlin.

    assert (hour.at, hour.why, hour.suits_all) == (utc(2026, 11, 18, 13, 30), None, True)
    assert hour.elapsed_hours == pytest.approx(48.3)


def test_a_night_mitigation_waits_for_the_morning():
    hour = first(utc(2026, 11, 17, 2, 0), team(BERLIN))  # Tuesday, 03:00 in Berlin.

    assert (hour.at, hour.elapsed_hours) == (utc(2026, 11, 19, 8, 0), 54.0)


def test_a_meeting_that_would_run_past_working_hours_moves_to_the_next_morning():
    hour = first(utc(2026, 11, 16, 15, 15), team(BERLIN))  # 16:15 in Berlin: an hour from 16:30 would end at 17:30.

    assert (hour.at, hour.elapsed_hours) == (utc(2026, 11, 19, 8, 0), 64.75)


def test_a_weekend_in_the_window_is_skipped_and_named():
    hour = first(utc(2026, 11, 19, 10, 0), team(BERLIN))  # A Thursday: 48–72 hours later it is weekend.

    assert hour.at == utc(2026, 11, 23, 8, 0)
    assert hour.why == f"Saturday and Sunday lie {INSIDE}, so this is the first working hour after them."


def test_a_holiday_is_skipped_and_named():
    off = DaysOff(holidays=frozenset({date(2026, 12, 25)}))

    hour = first(utc(2026, 12, 22, 16, 0), team(BERLIN, off=off))

    assert hour.at == utc(2026, 12, 28, 8, 0)
    assert hour.why == f"Friday, a holiday, lies {INSIDE}, so this is the first working hour after them."


def test_when_the_window_is_over_the_first_working_hour_from_now_is_taken_and_said():
    hour = first(utc(2026, 11, 16, 9, 0), team(BERLIN), now=utc(2026, 11, 20, 9, 10))

    assert hour.at == utc(2026, 11, 20, 11, 30)
    assert hour.why == "The 48–72 hours after mitigation are over, so this is the first working hour from now."


def test_when_too_little_of_the_window_is_left_the_message_says_so():
    hour = first(utc(2026, 11, 16, 9, 0), team(BERLIN), now=utc(2026, 11, 19, 8, 0))

    assert hour.at == utc(2026, 11, 19, 10, 0)
    assert hour.why is not None
    assert hour.why.startswith("Too little is left of the 48–72 hours")


def test_elapsed_hours_are_counted_through_a_change_of_the_clock():
    hour = first(utc(2026, 10, 30, 21, 0), team(NEW_YORK))  # Friday 17:00; clocks go back on Sunday.

    assert hour.at.astimezone(ZoneInfo(NEW_YORK)).isoformat() == "2026-11-02T09:00:00-05:00"
    assert (hour.why, hour.elapsed_hours) == (None, 65.0)


def test_a_meeting_longer_than_the_working_day_starts_with_it():
    hour = first(utc(2026, 11, 16, 9, 0), team("Etc/UTC"), length=3 * HOUR, hours=WorkingHours(9, 11))

    assert hour.at == utc(2026, 11, 18, 9, 0)


def test_a_house_that_wants_to_meet_sooner_does_and_says_its_own_hours():
    a_day = {"window": (24 * HOUR, 48 * HOUR)}

    assert first(utc(2026, 11, 16, 9, 0), team(BERLIN), **a_day).at == utc(2026, 11, 17, 9, 0)
    late = first(utc(2026, 11, 20, 16, 0), team(BERLIN), **a_day)
    assert late.why == (
        "Saturday and Sunday lie inside the 24–48 hours after mitigation, so this is the first working hour after them."
    )


# Several, with an hour in common -----------------------------------------------------------


def test_the_hour_lies_in_the_working_hours_of_everybody_and_three_are_offered():
    hours = common_hours(wish(utc(2026, 11, 17, 3, 12)), team(BERLIN, KOLKATA))  # 09:00 to 12:30 in Berlin.

    assert [hour.at for hour in hours] == [utc(2026, 11, 19, at, 0) for at in (8, 9, 10)]
    assert all(hour.suits_all and hour.why is None for hour in hours)


def test_where_the_window_has_fewer_than_three_the_first_of_another_day_is_offered_too():
    hours = common_hours(wish(utc(2026, 11, 17, 3, 12)), team(BERLIN, NEW_YORK))  # 15:00 to 17:00 in Berlin.

    assert [hour.at for hour in hours] == [utc(2026, 11, day, at, 0) for day, at in ((19, 14), (19, 15), (20, 14))]
    assert [hour.why for hour in hours] == [None, None, "It is later than the 48–72 hours after mitigation."]


def test_nobody_is_asked_to_come_while_they_are_busy():
    morning = (utc(2026, 11, 19, 7, 0), utc(2026, 11, 19, 11, 0))
    people = [*team(BERLIN), *team("Europe/London", busy=[morning])]

    assert first(utc(2026, 11, 17, 3, 12), people).at == utc(2026, 11, 19, 11, 0)


def test_where_the_calendars_are_full_the_first_free_hour_after_the_window_is_taken_and_said():
    all_day = (utc(2026, 11, 19, 0, 0), utc(2026, 11, 20, 12, 0))
    people = [*team(BERLIN), *team("Europe/London", busy=[all_day])]

    hour = first(utc(2026, 11, 17, 3, 12), people)

    assert hour.at == utc(2026, 11, 20, 12, 0)
    assert (
        hour.why == f"At no working hour {INSIDE} are both free, so this is the first hour after them that suits both."
    )


def test_the_holiday_of_one_moves_the_meeting_of_all():
    off = DaysOff(holidays=frozenset({date(2026, 11, 26)}))  # Thanksgiving.
    people = [*team(BERLIN, "Europe/London"), *team("America/Halifax", off=off)]

    hour = first(utc(2026, 11, 24, 5, 0), people)

    assert hour.at == utc(2026, 11, 27, 13, 0)
    assert hour.why == (
        f"Thursday, a holiday, lies {INSIDE}, when not everybody works, "
        "so this is the first hour after them that suits all three."
    )


# Several, with none ------------------------------------------------------------------------


def test_where_no_hour_is_common_the_least_bad_one_is_taken_and_says_whose_evening_it_is():
    hour = first(utc(2026, 11, 16, 3, 12), team(*THREE_CONTINENTS))

    assert hour.at == utc(2026, 11, 18, 19, 0)
    assert [(strain.user, strain.part, strain.minutes) for strain in hour.strained] == [
        ("Sydney", Part.early, 180),
        ("Berlin", Part.evening, 240),
    ]
    assert hour.why == "No hour is a working one for all three, so this is the least bad one."


def test_whoever_bore_the_last_one_is_spared_the_next():
    borne: Counter[UserId] = Counter()
    weeks: list[list[UserId]] = []
    for week in range(12):
        people = [replace(person, borne=borne[person.user]) for person in team(*THREE_CONTINENTS)]
        hour = first(utc(2026, 11, 16, 3, 12) + timedelta(weeks=week), people)
        borne.update({strain.user: strain.minutes for strain in hour.strained})
        weeks.append([strain.user for strain in hour.strained])

    assert weeks[:2] == [["Sydney", "Berlin"], ["Berlin", "Los_Angeles"]]
    shares = Counter(str(user) for users in weeks for user in users)
    assert shares["Sydney"] >= 4
    assert shares["Los_Angeles"] >= 4


def test_without_that_memory_it_would_be_the_same_peoples_evening_every_time():
    weeks = [
        [
            strain.user
            for strain in first(utc(2026, 11, 16, 3, 12) + timedelta(weeks=week), team(*THREE_CONTINENTS)).strained
        ]
        for week in range(4)
    ]

    assert weeks == [["Sydney", "Berlin"]] * 4


def test_nobody_is_got_out_of_bed_where_a_later_day_spares_them():
    friday_night_is_sydneys_saturday = utc(2026, 11, 18, 17, 0)  # Its window lies on Friday evening and Saturday.

    hour = first(friday_night_is_sydneys_saturday, team(*THREE_CONTINENTS))

    assert {strain.part for strain in hour.strained} <= {Part.early, Part.evening}
    assert hour.why is not None
    assert "each is a night or a day off for somebody" in hour.why


def test_where_everybody_is_busy_for_a_week_and_more_the_least_bad_hour_says_who_is():
    for_weeks = (utc(2026, 11, 1, 0, 0), utc(2026, 12, 24, 0, 0))

    hour = first(utc(2026, 11, 17, 3, 12), [*team(BERLIN, "Europe/Paris"), *team("Europe/Rome", busy=[for_weeks])])

    assert (hour.at, hour.busy, hour.strained) == (utc(2026, 11, 19, 8, 0), ("Rome",), ())
    assert hour.why == "At no working hour of the days to come are all three free, so this is the least bad one."


def test_a_calendar_with_an_entry_that_ends_before_it_begins_is_read_without_it():
    backwards = (utc(2026, 11, 19, 12, 0), utc(2026, 11, 19, 8, 0))

    assert first(utc(2026, 11, 17, 3, 12), team(BERLIN, busy=[backwards])).at == utc(2026, 11, 19, 8, 0)


def test_what_a_named_hour_is_to_those_who_come():
    meets_at = utc(2026, 11, 19, 15, 10)
    people = [*team(BERLIN, KOLKATA), *team(NEW_YORK, busy=[(meets_at + 59 * MINUTE, meets_at + 80 * MINUTE)])]

    hour = how_it_is(wish(utc(2026, 11, 17, 3, 12)), people, at=meets_at)

    assert [(strain.user, strain.part) for strain in hour.strained] == [
        ("Berlin", Part.evening),
        ("Kolkata", Part.evening),
    ]
    assert hour.busy == ("New_York",)


def test_so_many_people_are_named_as_one_says_it():
    assert [all_of(count) for count in (1, 2, 6, 30)] == ["the one who comes", "both", "all six", "all 30"]


# Held against the judge -----------------------------------------------------------------------


def test_everywhere_with_every_calendar_the_hours_stand_where_the_rule_wants_them():
    assert [fault for case in cases(200, seed=17) for fault in faults(case)] == []


def without_calendars(asked: Wish, people: Sequence[Attendee]) -> list[Hour]:
    return common_hours(asked, [replace(person, busy=()) for person in people])


def for_the_first_alone(asked: Wish, people: Sequence[Attendee]) -> list[Hour]:
    return common_hours(asked, people[:1])


def by_the_clock_on_the_wall(asked: Wish, people: Sequence[Attendee]) -> list[Hour]:
    """Two days later as the wall shows them, which is an hour less or more where clocks change."""
    two_days_later = (asked.over_at.astimezone(people[0].zone) + 48 * HOUR).astimezone(UTC)
    return common_hours(replace(asked, over_at=two_days_later - 48 * HOUR), people)


def an_hour_too_late(asked: Wish, people: Sequence[Attendee]) -> list[Hour]:
    return common_hours(replace(asked, now=max(asked.now, asked.opens) + 24 * HOUR), people)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (without_calendars, "others are busy than it says"),
        (for_the_first_alone, "burdens others than it says"),
        (an_hour_too_late, "not the first that suits all"),
        (an_hour_too_late, "a better one was there"),
    ],
)
def test_a_rule_that_leaves_something_out_would_be_found_out(rule, fault: str):
    found = (one for case in cases(4_000, seed=17) for one in faults(case, rule))

    assert any(one.startswith(fault) for one in found)


def test_a_rule_that_counted_by_the_clock_on_the_wall_would_be_found_out():
    saturday = wish(utc(2026, 3, 28, 10, 0))  # In Berlin clocks go forward on Sunday.
    case = Case(saturday, team(BERLIN))

    assert faults(case) == []
    assert [fault.split(":")[0] for fault in faults(case, by_the_clock_on_the_wall)][:1] == [
        "sooner than 48 hours, or than anybody can read it"
    ]


@pytest.mark.torture
@pytest.mark.timeout(14_400)
def test_of_two_hundred_thousand_teams_none_gets_a_wrong_hour():
    assert [fault for case in cases(200_000, seed=18) for fault in faults(case)] == []
