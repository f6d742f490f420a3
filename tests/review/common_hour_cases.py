"""Random teams in random places, and a judge of the hours proposed to them who shares no line with the rule."""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.review.common_hour import LATER, Attendee, Hour, Span, Wish, common_hours
from bot.review.incident import UserId
from bot.review.meeting_time import NOTICE, DaysOff, WorkingHours

ZONES = sorted(available_timezones())
BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
HOUR, HALF, DAY, WEEK = timedelta(hours=1), timedelta(minutes=30), timedelta(days=1), timedelta(days=7)
HOURS = [WorkingHours.read(words) for words in ("09:00-17:00", "08:00-16:30", "10:00-19:00", "00:30-05:30")]
"""The last are of people who work when clocks change."""
WEEKENDS = [frozenset({5, 6})] * 18 + [frozenset({4, 5}), frozenset({6})]
ENTRIES = 500
Rule = Callable[[Wish, Sequence[Attendee]], list[Hour]]


@dataclass(frozen=True)
class Case:
    """What is looked for, and who comes."""

    wish: Wish
    people: list[Attendee]


# Teams -----------------------------------------------------------------------------------


def cases(count: int, seed: int) -> Iterator[Case]:
    """Half of the teams in a few zones, half all over the world; half of the moments close to a change of clocks."""
    dice = random.Random(seed)
    for number in range(count):
        is_close, is_near = number % 2, number % 4 < 2
        zones = dice.sample(ZONES, dice.choice([1, 1, 1, 1, 2, 3]) if is_close else 30)
        at = _a_moment(dice, changes_of(zones[0]) if is_near else ())
        waited = timedelta(hours=dice.choice([*[0] * 8, 1, 20, 60, 71, 73, 200]))
        length = timedelta(minutes=dice.choice([30, 45, 60, 60, 90]))
        wish = Wish(over_at=at, now=at + waited, length=length, hours=dice.choice(HOURS))
        size = dice.choice([1, *range(2, 9), *range(2, 9), *range(9, 31)])
        full = dice.choice([None, None, None, 50, 12, 6])
        yield Case(wish, [_somebody(dice, f"U{who}", zones, at=at, weeks=full) for who in range(size)])


def _a_moment(dice: random.Random, changes: Sequence[datetime]) -> datetime:
    anywhere = BEGIN + dice.random() * (END - BEGIN)
    return (dice.choice(changes) - dice.uniform(0, 96) * HOUR if changes else anywhere).replace(microsecond=0)


def _somebody(dice: random.Random, user: str, zones: Sequence[str], *, at: datetime, weeks: int | None) -> Attendee:
    holidays = frozenset(at.date() + timedelta(days=dice.randrange(12)) for _ in range(dice.choice([0] * 8 + [1, 3])))
    off = DaysOff(dice.choice(WEEKENDS), holidays)
    busy = [(at + since, at + until) for since, until in dice.choice(calendars(weeks))] if weeks else ()
    return Attendee(UserId(user), ZoneInfo(dice.choice(zones)), off, busy, borne=dice.choice([0, 0, 60, 400]))


@cache
def calendars(weeks: int) -> Sequence[Sequence[tuple[timedelta, timedelta]]]:
    """Calendars of five hundred entries in so many weeks; some entries are empty, some overlap."""
    dice = random.Random(weeks)
    return [[_an_entry(dice, weeks) for _ in range(ENTRIES)] for _ in range(100)]


def _an_entry(dice: random.Random, weeks: int) -> tuple[timedelta, timedelta]:
    since = timedelta(minutes=15 * dice.randrange(-96, weeks * 7 * 96))
    return since, since + timedelta(minutes=dice.choice([0, 15, 30, 60, 60, 240]))


@cache
def changes_of(zone: str) -> tuple[datetime, ...]:
    """The first moments after each change of the clocks, to the minute."""
    where = ZoneInfo(zone)
    weeks = [BEGIN + number * WEEK for number in range((END - BEGIN) // WEEK)]
    return tuple(_change(where, week) for week in weeks if _offset(where, week) != _offset(where, week + WEEK))


def _change(zone: ZoneInfo, since: datetime) -> datetime:
    early, late = since, since + WEEK
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        early, late = (middle, late) if _offset(zone, middle) == _offset(zone, early) else (early, middle)
    return late


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


# The judge -----------------------------------------------------------------------------------


def faults(case: Case, rule: Rule = common_hours) -> list[str]:
    """What is wrong with the hours that a rule proposes, each in a word."""
    judge, hours = Judge(case), rule(case.wish, case.people)
    found = [word for hour in hours for word in judge.of_one(hour)]
    if not 1 <= len(hours) <= 3 or any(abs(a.at - b.at) < HOUR for a in hours for b in hours if a is not b):
        found.append("not three at most, an hour from one another")
    return [f"{word}: {case.wish} {hours}" for word in [*found, *judge.of_the_first(hours[0])]]


class Judge:
    """Looks at every half hour of the wall, and asks everybody about each."""

    def __init__(self, case: Case) -> None:
        self.wish, self.people = case.wish, case.people
        self.earliest = max(case.wish.over_at + 48 * HOUR, case.wish.now + NOTICE)
        self.closes = case.wish.over_at + 72 * HOUR
        self.calendars = {person.user: _merged(person.busy) for person in case.people}
        self.lives = Counter((person.zone, person.off) for person in case.people)

    def of_one(self, hour: Hour) -> Iterator[str]:
        wall = hour.at.astimezone(self.people[0].zone)
        if hour.at < self.earliest:
            yield "sooner than 48 hours, or than anybody can read it"
        if wall.minute % 30 or wall.second or wall.microsecond:
            yield "not on a half hour"
        if {strain.user for strain in hour.strained} != {
            p.user for p in self.people if not self.works(p.zone, p.off, hour.at)
        }:
            yield "burdens others than it says"
        if set(hour.busy) != {person.user for person in self.people if self.is_busy(person, hour.at)}:
            yield "others are busy than it says"
        if (hour.why is None) != (hour.suits_all and hour.at <= self.closes):
            yield "no reason, or one without need"
        if abs(hour.elapsed_hours - (hour.at - self.wish.over_at) / HOUR) > 1e-6:
            yield "wrongly counted"

    def of_the_first(self, hour: Hour) -> Iterator[str]:
        last = max(self.closes, self.earliest) + LATER
        common = next(
            (at for at in self.half_hours(last) if all(self.suits(person, at) for person in self.people)), None
        )
        if common is not None and hour.at != common:
            yield f"not the first that suits all, {common}"
        if common is None and (better := self.better_than(hour)):
            yield f"a better one was there, {better}"

    def better_than(self, hour: Hour) -> datetime | None:
        """A start that spares more nights and days off, or one as near that burdens nobody more and somebody less."""
        kept, loads, is_late = self.kept(hour.at), self.loads(hour.at), hour.at > self.closes
        for at in self.half_hours(max(self.closes, hour.at)):
            spared = kept - self.kept(at)
            if spared > 0:
                return at
            is_as_good = spared == 0 and at <= hour.at and is_late <= (at > self.closes)
            lighter = self.loads(at) if is_as_good else loads
            if lighter != loads and all(map(_at_most, lighter, loads)):
                return at
        return None

    def half_hours(self, last: datetime) -> Iterator[datetime]:
        zone, moment = self.people[0].zone, self.earliest
        while moment <= last:
            wall = moment.astimezone(zone)
            behind = timedelta(minutes=wall.minute % 30, seconds=wall.second, microseconds=wall.microsecond)
            if not behind:
                yield moment
            moment += HALF - behind

    def suits(self, person: Attendee, at: datetime) -> bool:
        return self.works(person.zone, person.off, at) and not self.is_busy(person, at)

    def works(self, zone: tzinfo, off: DaysOff, at: datetime) -> bool:
        """Whether the meeting lies in one working day, as clocks on the wall show it."""
        start, end = at.astimezone(zone), (at + self.wish.length).astimezone(zone)
        opens, closes = self.wish.hours.opens, self.wish.hours.closes
        return (
            not _is_off(off, start.date())
            and start.date() == end.date()
            and opens <= _time(start) <= _time(end) <= closes
        )

    def is_busy(self, person: Attendee, at: datetime) -> bool:
        calendar = self.calendars[person.user]
        after = bisect_left(calendar, (at + self.wish.length, BEGIN))
        return after > 0 and calendar[after - 1][1] > at

    def kept(self, at: datetime) -> int:
        return sum(count for (zone, off), count in self.lives.items() if self.is_kept(zone, off, at))

    def is_kept(self, zone: tzinfo, off: DaysOff, at: datetime) -> bool:
        """Whether it is a night or a day off to people who live so."""
        start, end = at.astimezone(zone), (at + self.wish.length).astimezone(zone)
        if _is_off(off, start.date()) or _is_off(off, (end - timedelta(seconds=1)).date()):
            return True
        is_night = start.hour < 6 or end.date() > start.date() or _time(end) > time(23)
        return is_night and not self.works(zone, off, at)

    def loads(self, at: datetime) -> list[tuple[bool, timedelta]]:
        """Of each person, whether they are busy, and how far from their working day it is."""
        return [(self.is_busy(person, at), self.far(person, at)) for person in self.people]

    def far(self, person: Attendee, at: datetime) -> timedelta:
        start = at.astimezone(person.zone).replace(tzinfo=None, fold=0)
        end = (at + self.wish.length).astimezone(person.zone).replace(tzinfo=None, fold=0)
        opens = datetime.combine(start.date(), self.wish.hours.opens)
        closes = datetime.combine(start.date(), self.wish.hours.closes)
        return min(opens - start, end - (closes - DAY)) if start < opens else max(end - closes, timedelta(0))


def _at_most(one: tuple[bool, timedelta], other: tuple[bool, timedelta]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1]


def _is_off(off: DaysOff, day: date) -> bool:
    return day.weekday() in off.weekends or day in off.holidays


def _time(at: datetime) -> time:
    return at.time().replace(fold=0)


def _merged(busy: Sequence[Span]) -> list[Span]:
    """Without overlaps, in order."""
    merged: list[Span] = []
    for since, until in sorted(span for span in busy if span[0] < span[1]):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
        else:
            merged.append((since, until))
    return merged
