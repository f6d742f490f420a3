"""How long people worked on an incident, by the moments of what they did, and how much of it out of hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.review.incident import MINUTE, in_words
from bot.review.meeting_time import DaysOff, WorkingHours, working_morning_at

GAP = timedelta(minutes=30)
"""Who does nothing for longer is taken to be away: that time counts for nobody."""
ENOUGH = 3
"""People below which no total is told: of two, each knows what the other one worked."""


@dataclass(frozen=True)
class Stretch:
    """Time in which somebody was at it (UTC)."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """From the first act to the last one in it."""
        return self.end - self.start

    def within(self, start: datetime, end: datetime) -> timedelta:
        """How much of it lies between two moments."""
        return max(timedelta(0), min(self.end, end) - max(self.start, start))


def stretches(acts: Iterable[datetime]) -> list[Stretch]:
    """From the first act to the last, without the gaps of more than 30 minutes."""
    found: list[Stretch] = []
    for at in sorted(act.astimezone(UTC) for act in acts):
        if found and at - found[-1].end <= GAP:
            found[-1] = Stretch(found[-1].start, at)
        else:
            found.append(Stretch(at, at))
    return found


@dataclass(frozen=True)
class Workday:
    """When somebody works: their zone, their hours, and their days off."""

    zone: tzinfo
    hours: WorkingHours
    off: DaysOff

    def hours_of(self, day: date) -> tuple[datetime, datetime] | None:
        """When they begin and end on that local day; None on a day off."""
        if day.weekday() in self.off.weekends or day in self.off.holidays:
            return None
        begins, ends = (working_morning_at(day, self.zone, edge) for edge in (self.hours.opens, self.hours.closes))
        return begins, ends

    def inside(self, stretch: Stretch) -> timedelta:
        """How much of it lies in their working hours."""
        edges = (self.hours_of(day) for day in self._days(stretch))
        return sum((stretch.within(*edge) for edge in edges if edge), timedelta(0))

    def _days(self, stretch: Stretch) -> Iterator[date]:
        first, last = (at.astimezone(self.zone).date() for at in (stretch.start, stretch.end))
        return (first + timedelta(days=number) for number in range((last - first).days + 1))


@dataclass(frozen=True)
class Worked:
    """How long somebody, or all together, worked on it, and how much of that outside of working hours."""

    active: timedelta = timedelta(0)
    outside: timedelta = timedelta(0)

    def __add__(self, other: Worked) -> Worked:
        return Worked(self.active + other.active, self.outside + other.outside)

    @property
    def words(self) -> str:
        """`3 h 20 min, 1 h 5 min of it outside working hours`."""
        if not self.outside:
            return f"{told(self.active)}, all of it in working hours" if self.active else told(self.active)
        whole = self.outside == self.active
        return f"{told(self.active)}, {'all' if whole else told(self.outside)} of it outside working hours"


def told(length: timedelta) -> str:
    """Whole minutes: of less nobody can say how long it was."""
    seconds = int(length.total_seconds())
    return in_words(seconds) if seconds >= MINUTE else "under a minute"


def worked(acts: Iterable[datetime], day: Workday) -> Worked:
    """What these acts of one person come to."""
    found = stretches(acts)
    active = sum((stretch.length for stretch in found), timedelta(0))
    return Worked(active, active - sum((day.inside(stretch) for stretch in found), timedelta(0)))


@dataclass(frozen=True)
class Effort:
    """What an incident took of its people; each may know their own part, and everybody the total."""

    by_person: Mapping[str, Worked]

    @property
    def people(self) -> int:
        """How many took part."""
        return len(self.by_person)

    @property
    def together(self) -> Worked | None:
        """The total; None where it is made of so few parts that it would tell of one of them."""
        parts = [part for part in self.by_person.values() if part.active]
        return sum(parts, Worked()) if len(parts) >= ENOUGH else None
