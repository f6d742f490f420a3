"""The hour of a review (S2): 48–72 elapsed hours after mitigation, while all who come are at work; else the least bad.

1. Inside the window: hours that are working ones for everybody, and at which nobody is busy; the first one leads.
2. Else the first such hours in the week after it, and why.
3. Where that week has none: the least bad hours. Nobody's night and nobody's day off comes before everything else; then
   the sooner day; then the smaller burden, where whoever bore more in meetings before counts for more, so that the turn
   rotates.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property, lru_cache

from bot.review.incident import UserId
from bot.review.meeting_time import DAY_NAMES, EARLIEST, GRID, LATEST, NINE_TO_FIVE, NOTICE, DaysOff, WorkingHours

LATER = timedelta(days=7)
"""After the window, how long an hour is waited for that suits everybody before somebody's evening is asked for."""
APART = (timedelta(hours=3), timedelta(hours=1))
"""How far from one another the hours that are offered lie; closer only where the window has too few."""
NIGHT = (23 * 60, 6 * 60)
"""From and until, in minutes of the day: hours at which nobody is asked to meet where any other is left."""
BUSY = 180
"""Somebody who is busy counts as if they met so many minutes outside their working hours: they can move something."""
DAY = 24 * 60
MINUTE = timedelta(minutes=1)
SO = ", so this is "
"""In a reason: what is in the way of a better hour stands before it, what the hour is behind it."""
A_DAY_OF_STARTS = timedelta(days=1) // GRID
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_MOST = 3
EVERY_WEEKEND = DaysOff()

Span = tuple[datetime, datetime]
"""From a moment until another."""


class Part(StrEnum):
    """What an hour outside working hours is to somebody."""

    early = "early morning"
    evening = "evening"
    night = "night"
    day_off = "day off"


KEPT = frozenset({Part.night, Part.day_off})
Way = tuple[int, Part | None]
"""What an hour is to people in one zone: minutes outside working hours, and which part of their day that is."""
INSIDE: Way = (0, None)


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who comes: where they live, when they do not work, when they are busy, and what they bore before."""

    user: UserId
    zone: tzinfo
    off: DaysOff = EVERY_WEEKEND
    busy: Sequence[Span] = ()
    borne: int = 0
    """Minutes outside their working hours, in meetings before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for: so many minutes after an incident that was over then, asked for now."""

    over_at: datetime
    now: datetime
    length: timedelta
    window: tuple[timedelta, timedelta] = (EARLIEST, LATEST)
    hours: WorkingHours = NINE_TO_FIVE

    @property
    def opens(self) -> datetime:
        return self.over_at + self.window[0]

    @property
    def closes(self) -> datetime:
        return self.over_at + self.window[1]

    @property
    def earliest(self) -> datetime:
        """When a meeting can begin: in the window or after it, and with some notice."""
        return max(self.opens, self.now + NOTICE)

    @property
    def stretch(self) -> str:
        """The window in words."""
        opens, closes = (round(end / timedelta(hours=1)) for end in self.window)
        return f"the {opens}–{closes} hours after mitigation"


@dataclass(frozen=True, slots=True)
class Strain:
    """That an hour lies outside the working hours of somebody."""

    user: UserId
    part: Part
    minutes: int


@dataclass(frozen=True, slots=True)
class Hour:
    """A start (UTC), how long after mitigation, whom it burdens, who is busy, and why it is no better one."""

    at: datetime
    elapsed: timedelta
    strained: tuple[Strain, ...] = ()
    busy: tuple[UserId, ...] = ()
    why: str | None = None

    @property
    def suits_all(self) -> bool:
        """Whether everybody works then and is free."""
        return not self.strained and not self.busy

    @property
    def in_the_way(self) -> str | None:
        """What keeps everybody from an hour of the window, without what this hour is."""
        return self.why and f"{self.why.partition(SO)[0].removesuffix('.')}."

    @property
    def elapsed_hours(self) -> float:
        """The hours since mitigation."""
        return self.elapsed / timedelta(hours=1)


def common_hours(wish: Wish, people: Sequence[Attendee], *, at_most: int = AT_MOST) -> list[Hour]:
    """At most so many hours to choose from, the best one first; on the half hours of the first person's clock."""
    plan = _Plan.of(wish, people, _starts(wish, people[0].zone))
    inside, after = plan.common_inside, plan.common_after
    if inside:
        chosen = _spread(inside, after, at_most)
        return [
            plan.hour(number, None if number in inside else f"It is later than {wish.stretch}.") for number in chosen
        ]
    if after:
        return [plan.hour(number, plan.why_after()) for number in _apart(after, APART[0])[:at_most]]
    least_bad = _apart(sorted(plan.offered, key=plan.badness), APART[0])[:at_most]
    return [plan.hour(number, plan.why_burdened(number, least_bad[0])) for number in least_bad]


def how_it_is(wish: Wish, people: Sequence[Attendee], *, at: datetime) -> Hour:
    """What a start that somebody named is to those who come."""
    return _Plan.of(wish, people, [at]).hour(0, None)


def _starts(wish: Wish, zone: tzinfo) -> list[datetime]:
    """Every half hour of the window and of the week after it; from now on where the window is over."""
    since = wish.opens if wish.now <= wish.closes else wish.earliest
    wall = since.astimezone(zone)
    into_the_half = timedelta(minutes=wall.minute % 30, seconds=wall.second, microseconds=wall.microsecond)
    first = since + (GRID - into_the_half if into_the_half else timedelta(0))
    count = (max(wish.closes, wish.earliest) + LATER - first) // GRID + 1
    return [first + number * GRID for number in range(count)]


def _spread(inside: Sequence[int], after: Sequence[int], at_most: int) -> list[int]:
    """First those of the window that lie far from one another, then closer ones of it, then those after it."""
    far = _apart(inside, APART[0])[:at_most]
    near = sorted(_apart([*far, *inside], APART[1])[:at_most])
    return [*near, *_apart([near[-1], *after], APART[0])[1:]][:at_most]


def _apart(numbers: Iterable[int], least: timedelta) -> list[int]:
    """Those of these, in their order, that are so far from all before them."""
    steps, chosen = least // GRID, list[int]()
    for number in numbers:
        if all(abs(number - other) >= steps for other in chosen):
            chosen.append(number)
    return chosen


@dataclass(frozen=True)
class _Plan:
    """Every start that is looked at, and what it is to everybody."""

    wish: Wish
    people: Sequence[Attendee]
    starts: Sequence[datetime]
    ways: Sequence[Sequence[Way]]
    """Of each person, of each start."""
    taken: Sequence[frozenset[int]]
    """Of each person, the numbers of the starts at which they are busy."""

    @classmethod
    def of(cls, wish: Wish, people: Sequence[Attendee], starts: Sequence[datetime]) -> _Plan:
        lives = {(person.zone, person.off) for person in people}
        ways = {(zone, off): _ways(wish, zone, off, starts=starts) for zone, off in lives}
        taken = [_taken(person.busy, starts, length=wish.length) for person in people]
        return cls(wish, people, starts, [ways[person.zone, person.off] for person in people], taken)

    # The hours that suit everybody.

    @cached_property
    def shared(self) -> list[int]:
        """Starts at which everybody works."""
        works = [{number for number, way in enumerate(ways) if way == INSIDE} for ways in self.ways]
        return sorted(works[0].intersection(*works))

    @cached_property
    def common(self) -> list[int]:
        """Those of them at which nobody is busy."""
        return [number for number in self.shared if not any(number in taken for taken in self.taken)]

    @cached_property
    def offered(self) -> list[int]:
        """Starts that people get to know in time."""
        return [number for number, at in enumerate(self.starts) if at >= self.wish.earliest]

    @cached_property
    def common_inside(self) -> list[int]:
        return [number for number in self._common_in_time if self.starts[number] <= self.wish.closes]

    @cached_property
    def common_after(self) -> list[int]:
        return [number for number in self._common_in_time if self.starts[number] > self.wish.closes]

    @property
    def _common_in_time(self) -> list[int]:
        return [number for number in self.common if self.starts[number] >= self.wish.earliest]

    # The least bad ones.

    def badness(self, number: int) -> tuple[int, int, int, int]:
        """Whose night or day off it is; how many days after the window; what it burdens, and on whom; the start."""
        late = self.starts[number] - self.wish.closes
        days = max(0, -(-late // timedelta(days=1)))
        return (self._kept_from(number), days, self._burden(number), number)

    def _kept_from(self, number: int) -> int:
        return sum(ways[number][1] in KEPT for ways in self.ways)

    def _burden(self, number: int) -> int:
        """Squared, so that it is shared: twice as long weighs four times, and more on whoever bore some before."""
        busy = sum(number in taken for taken in self.taken) * BUSY**2
        loads = ((ways[number][0], person.borne) for ways, person in zip(self.ways, self.people, strict=True))
        return busy + sum(minutes * (minutes + 2 * borne) for minutes, borne in loads)

    # What is said of one.

    def hour(self, number: int, why: str | None) -> Hour:
        at = self.starts[number]
        told = [(person.user, *ways[number]) for person, ways in zip(self.people, self.ways, strict=True)]
        return Hour(
            at,
            at - self.wish.over_at,
            tuple(Strain(user, part, minutes) for user, minutes, part in told if part),
            tuple(person.user for person, taken in zip(self.people, self.taken, strict=True) if number in taken),
            why,
        )

    # Why it is no better one.

    def why_after(self) -> str:
        """Why no hour of the window serves."""
        hour = f"the first hour {{}} that suits {self._everybody}" if self._are_several else "the first working hour {}"
        if self.wish.now > self.wish.closes:
            return f"{_capital(self.wish.stretch)} are over{SO}{hour.format('from now')}."
        return f"{self._why_not_inside()}{SO}{hour.format('after them')}."

    def _why_not_inside(self) -> str:
        stretch = self.wish.stretch
        if self._any_inside(self.common):
            return f"Too little is left of {stretch}"
        if self._any_inside(self.shared):
            return f"At no working hour inside {stretch} {'are' if self._are_several else 'is'} {self._everybody} free"
        return self._days_off() or f"No stretch of working hours inside {stretch} is long enough"

    def why_burdened(self, number: int, best: int) -> str:
        """Why an hour is offered that does not suit everybody."""
        if self.starts[best] <= self.wish.closes < self.starts[number]:
            return self.later
        if self.shared:
            are = "are" if self._are_several else "is"
            return f"At no working hour of the days to come {are} {self._everybody} free{SO}the least bad one."
        is_late = self.starts[number] > self.wish.closes >= self.wish.now
        late = f", and inside {self.wish.stretch} each is a night or a day off for somebody" if is_late else ""
        return f"No hour is a working one for {self._everybody}{late}{SO}the least bad one."

    @property
    def later(self) -> str:
        """Why an hour comes after one that is better."""
        return f"It is later than {self.wish.stretch}."

    @property
    def _everybody(self) -> str:
        return all_of(len(self.people))

    @property
    def _are_several(self) -> bool:
        return len(self.people) > 1

    def _any_inside(self, numbers: Sequence[int]) -> bool:
        return any(self.starts[number] <= self.wish.closes for number in numbers)

    def _days_off(self) -> str:
        """The days off in the window: those that all have, else those that some have."""
        every = [_days_off(self.wish, person) for person in self.people]
        everybodys = [day for day in every[0] if all(day in days for days in every)]
        days = everybodys or list(dict.fromkeys(day for days in every for day in days))
        inside = f"{'lies' if len(days) == 1 else 'lie'} inside {self.wish.stretch}"
        return f"{_listed(days)} {inside}{'' if everybodys else ', when not everybody works'}" if days else ""


NUMBERS = "nobody,the one who comes,both,all three,all four,all five,all six,all seven,all eight"
"""Core attendees are eight at most, as a rule."""


def all_of(count: int) -> str:
    """So many people, as one says it: `all six`."""
    words = NUMBERS.split(",")
    return words[count] if count < len(words) else f"all {count}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _days_off(wish: Wish, person: Attendee) -> list[str]:
    """The days of the window on which somebody does not work, each by its name."""
    first, last = (at.astimezone(person.zone).date() for at in (wish.opens, wish.closes))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_named(day, person.off) for day in days if not _works(day, person.off)]


def _named(day: date, off: DaysOff) -> str:
    name = DAY_NAMES[day.weekday()]
    return name if day.weekday() in off.weekends else f"{name}, a holiday,"


def _works(day: date, off: DaysOff) -> bool:
    return day.weekday() not in off.weekends and day not in off.holidays


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


# What a start is to somebody ------------------------------------------------------------


def _ways(wish: Wish, zone: tzinfo, off: DaysOff, *, starts: Sequence[datetime]) -> list[Way]:
    """What each start is to people of one zone; a working day shorter than the meeting is stretched at its end."""
    opens, closes = (at.hour * 60 + at.minute for at in (wish.hours.opens, wish.hours.closes))
    closes = max(closes, opens + wish.length // MINUTE)
    begins, ends = _walls(zone, starts), _walls(zone, [at + wish.length for at in starts])
    numbers = range(begins[0] // DAY, ends[-1] // DAY + 1)
    at_home = {number for number in numbers if not _works(EPOCH.date() + timedelta(days=number), off)}
    ways: list[Way] = []
    for begin, end in zip(begins, ends, strict=True):
        way = _outside(begin % DAY, end - begin, opens, closes)
        is_off = begin // DAY in at_home or (end - 1) // DAY in at_home
        ways.append((max(way[0], end - begin), Part.day_off) if is_off else way)
    return ways


def _walls(zone: tzinfo, moments: Sequence[datetime]) -> list[int]:
    """What the clocks of a zone show at moments in order, in minutes; a day between two equal offsets is all alike."""
    minutes = [(at - EPOCH) // MINUTE for at in moments]
    walls: list[int] = []
    for first in range(0, len(moments), A_DAY_OF_STARTS):
        block = slice(first, first + A_DAY_OF_STARTS)
        offset, last = (_offset(moments[block][number], zone) for number in (0, -1))
        offsets = itertools.repeat(offset) if offset == last else (_offset(at, zone) for at in moments[block])
        walls += map(operator.add, minutes[block], offsets)
    return walls


def _offset(at: datetime, zone: tzinfo) -> int:
    return (at.astimezone(zone).utcoffset() or timedelta(0)) // MINUTE


@lru_cache(maxsize=10_000)
def _outside(begins: int, takes: int, opens: int, closes: int) -> Way:
    """How far out of the nearest working hours it reaches: those of the morning to come, or of the day before."""
    ends = begins + takes
    outside = min(opens - begins, ends + DAY - closes) if begins < opens else max(ends - closes, 0)
    if outside == 0 and takes >= 0:
        return INSIDE
    if begins < NIGHT[1] or ends > NIGHT[0]:
        return (outside, Part.night)
    return (outside, Part.early if begins < opens else Part.evening)


def _taken(busy: Sequence[Span], starts: Sequence[datetime], *, length: timedelta) -> frozenset[int]:
    """The numbers of the starts from which a meeting would fall into a busy time."""
    first, last = starts[0], starts[-1]
    near = [(since, until) for since, until in busy if since < until and since < last + length and until > first]
    return frozenset(number for since, until in near for number in _touched(since - length - first, until - first))


def _touched(after: timedelta, before: timedelta) -> range:
    """Numbers of half hours that lie after one length of time and before another."""
    return range(max(0, after // GRID + 1), -(-before // GRID))
