"""Working time: who works when, and the next moment or day at which somebody does."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.review.refusal import UnreadableHours
from bot.review.when import instants_of

EARLIEST = timedelta(hours=48)
LATEST = timedelta(hours=72)
GRID = timedelta(minutes=30)
NOTICE = timedelta(hours=2)
"""The least that people get before a proposed meeting, where the window does not give them more."""
WEEKEND = frozenset({5, 6})
"""Days of the week as in `date.weekday()`."""
NO_HOLIDAYS: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class DaysOff:
    """The days on which somebody does not work: days of the week, and the holidays around a day."""

    weekends: frozenset[int] = WEEKEND
    holidays: frozenset[date] = NO_HOLIDAYS


DaysOffIn = Callable[[str, date], DaysOff]
"""The days off of people in the time zone of this name, a year before and after a day."""


def weekends_alone(_zone: str, _around: date) -> DaysOff:
    """Saturdays and Sundays, where no holidays are known."""
    return DaysOff()


LOOK_AHEAD = 60
"""Days; after so many without a working one the calendar is wrong, and the next day serves."""
CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class WorkingHours:
    """From `start` to `end` o'clock, local; minutes where they are not on the hour."""

    start: int = 9
    end: int = 17
    start_minute: int = 0
    end_minute: int = 0

    @classmethod
    def read(cls, words: str) -> WorkingHours:
        """`09:00-17:00`; raises UnreadableHours."""
        match = re.fullmatch(rf"{CLOCK}\s*[-–]\s*{CLOCK}", words.strip())
        hours = cls(int(match[1]), int(match[3]), int(match[2]), int(match[4])) if match else None
        if hours is None or hours.opens >= hours.closes:
            raise UnreadableHours(words=words.strip())
        return hours

    @property
    def opens(self) -> time:
        """The local time at which the working day starts."""
        return time(self.start, self.start_minute)

    @property
    def closes(self) -> time:
        """The local time at which it ends."""
        return time(self.end, self.end_minute)

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


NINE_TO_FIVE = WorkingHours()


@dataclass(frozen=True)
class Calendar:
    """Which hours of which days are working ones."""

    zone: tzinfo
    hours: WorkingHours
    holidays: frozenset[date]
    weekends: frozenset[int]

    def works_on(self, day: date) -> bool:
        """Neither weekend nor holiday."""
        return day.weekday() not in self.weekends and day not in self.holidays


def next_working_moment(
    now: datetime,
    zone: tzinfo,
    hours: WorkingHours = NINE_TO_FIVE,
    weekends: Collection[int] = WEEKEND,
    holidays: Collection[date] = NO_HOLIDAYS,
) -> datetime:
    """Now (UTC) where it is inside working hours, else the next moment at which they begin."""
    calendar = Calendar(zone, hours, frozenset(holidays), frozenset(weekends))
    local = now.astimezone(zone)
    if calendar.works_on(local.date()) and hours.opens <= local.time() < hours.closes:
        return now.astimezone(UTC)
    today = local.date()
    openings = (working_morning_at(today + timedelta(days=day), zone, hours.opens) for day in range(LOOK_AHEAD))
    return next(at for at in openings if at > now and _works_at(at, calendar))


def _works_at(at: datetime, calendar: Calendar) -> bool:
    return calendar.works_on(at.astimezone(calendar.zone).date())


def is_at_work(at: datetime, zone: ZoneInfo, hours: WorkingHours, days_off: DaysOffIn) -> bool:
    """Whether people in this zone work at that moment."""
    off = days_off(zone.key, at.date())
    return next_working_moment(at, zone, hours, off.weekends, off.holidays) == at


def working_morning_at(day: date, zone: tzinfo, at: time) -> datetime:
    """That local time of that day, in UTC."""
    return instants_of(datetime.combine(day, at), zone)[0]


def working_morning(day: date, zone: tzinfo, hour: int = 9) -> datetime:
    """That hour of that local day, in UTC."""
    return working_morning_at(day, zone, time(hour))


def add_working_days(
    day: date, n: int, *, weekends: Collection[int] = WEEKEND, holidays: Collection[date] = NO_HOLIDAYS
) -> date:
    """The day `n` working days after; with 0 the day itself."""
    for _ in range(n):
        day = _walk(day, _tomorrow, weekends=weekends, holidays=holidays)
    return day


def working_day_before(
    day: date, weekends: Collection[int] = WEEKEND, *, holidays: Collection[date] = NO_HOLIDAYS
) -> date:
    """The day itself where it is a working one, else the last working day before it."""
    return _walk(_tomorrow(day), _yesterday, weekends=weekends, holidays=holidays)


def working_day_from(day: date, off: DaysOff) -> date:
    """The day itself where it is a working one, else the first working day after it."""
    return add_working_days(_yesterday(day), 1, weekends=off.weekends, holidays=off.holidays)


def _walk(day: date, step: Callable[[date], date], *, weekends: Collection[int], holidays: Collection[date]) -> date:
    """At most the look-ahead, so that a calendar without working days ends too."""
    first = step(day)
    walked = first
    for _ in range(LOOK_AHEAD):
        if walked.weekday() not in weekends and walked not in holidays:
            return walked
        walked = step(walked)
    return first


def _tomorrow(day: date) -> date:
    return day + timedelta(days=1)


def _yesterday(day: date) -> date:
    return day - timedelta(days=1)
