"""When to meet: 48–72 hours after mitigation (S2), inside working hours; and the other questions of working time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

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
class Slot:
    """A proposed start (UTC), why it is not inside 48–72 hours where it is not, and the hours since mitigation."""

    at: datetime
    reason: str | None
    elapsed_hours: float


def first_slot(
    mitigated_at: datetime,
    zone: tzinfo,
    *,
    now: datetime,
    length: timedelta,
    hours: WorkingHours = NINE_TO_FIVE,
    holidays: Collection[date] = NO_HOLIDAYS,
    weekends: Collection[int] = WEEKEND,
) -> Slot:
    """The first start on the hour or half hour with the whole meeting in working hours.

    1. Inside 48–72 elapsed hours after mitigation, and not sooner than two hours from now.
    2. Else the first one after both, and the reason says why.
    """
    window = Window(mitigated_at + EARLIEST, mitigated_at + LATEST)
    calendar = Calendar(zone, hours, frozenset(holidays), frozenset(weekends))
    at = calendar.first_start(not_before=max(window.opens, now + NOTICE), length=length)
    reason = None if at <= window.closes else _reason(window, calendar, now=now, length=length)
    return Slot(at, reason, (at - mitigated_at) / timedelta(hours=1))


@dataclass(frozen=True)
class Window:
    """The hours in which S2 wants a review to meet."""

    opens: datetime
    closes: datetime


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

    def first_start(self, *, not_before: datetime, length: timedelta) -> datetime:
        """The first half hour from which a meeting of that length fits into a working day."""
        starts = (at for day in self._working_days(not_before) for at in self._starts(day, length))
        return next(at for at in starts if at >= not_before)

    def _working_days(self, since: datetime) -> Iterator[date]:
        first = since.astimezone(self.zone).date()
        days = [first + timedelta(days=number) for number in range(LOOK_AHEAD)]
        working = [day for day in days if self.works_on(day)]
        yield from working or days

    def _starts(self, day: date, length: timedelta) -> list[datetime]:
        opens, closes = (instants_of(datetime.combine(day, at), self.zone)[0] for at in self._edges())
        last = max(opens, closes - length)
        count = (last - opens) // GRID + 1
        return [opens + number * GRID for number in range(count)]

    def _edges(self) -> tuple[time, time]:
        """Working hours rounded inwards to half hours: a start at 09:10 would look like a mistake."""
        minutes = self.hours.start * 60 + self.hours.start_minute
        rounded = min(-(-minutes // 30) * 30, 23 * 60 + 30)
        return time(rounded // 60, rounded % 60), self.hours.closes


def _reason(window: Window, calendar: Calendar, *, now: datetime, length: timedelta) -> str:
    if now > window.closes:
        return "The 48–72 hours after mitigation are over, so this is the first working hour from now."
    if calendar.first_start(not_before=window.opens, length=length) <= window.closes:
        return "Too little is left of the 48–72 hours after mitigation, so this is the first working hour after them."
    off = _days_off(window, calendar)
    if not off:
        return (
            "No stretch of working hours inside the 48–72 hours after mitigation is long enough, "
            "so this is the first one after them."
        )
    inside = f"{_listed(off)} {'lies' if len(off) == 1 else 'lie'} inside the 48–72 hours after mitigation"
    return f"{inside}, so this is the first working hour after them."


def _days_off(window: Window, calendar: Calendar) -> list[str]:
    first, last = (at.astimezone(calendar.zone).date() for at in (window.opens, window.closes))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_named(day, calendar) for day in days if not calendar.works_on(day)]


def _named(day: date, calendar: Calendar) -> str:
    name = DAY_NAMES[day.weekday()]
    return name if day.weekday() in calendar.weekends else f"{name}, a holiday,"


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


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
