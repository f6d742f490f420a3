"""Whose turn it is to take a role in a meeting, and by when whoever is asked may answer (S2: rotate fairly)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

from bot.review.incident import UserId
from bot.review.meeting_time import LOOK_AHEAD, Calendar, working_morning_at

NEVER = datetime.min.replace(tzinfo=UTC)
LEAST_NOTICE = timedelta(hours=2)
"""Of working time before the meeting; with less of it left, nobody is asked any more."""
ROUNDED = timedelta(minutes=15)
"""Offsets of all time zones are multiples of it."""


@dataclass(frozen=True, slots=True)
class Had:
    """Somebody had a turn, from this moment on, in the review of this incident."""

    user: str
    at: datetime
    incident: int = 0


def in_turn(pool: Collection[str], had: Sequence[Had], *, never: Collection[str | None] = ()) -> Sequence[UserId]:
    """The people of the pool in the order in which they are asked: who had the fewest turns first.

    Of those with as many, who had it longest ago. Whoever joined later need not catch up with everybody: with the
    first turn they stand where those stand who had the fewest.
    """
    turns, last = _standing(had), {one.user: one.at for one in had}
    lowest = min(turns.values(), default=0)
    free = set(pool) - set(never)
    order = sorted(free, key=lambda user: (turns.get(user, lowest - 1), last.get(user, NEVER), user))
    return [UserId(user) for user in order]


def _standing(had: Sequence[Had]) -> Mapping[str, int]:
    turns: dict[str, int] = {}
    for one in had:
        turns[one.user] = turns[one.user] + 1 if one.user in turns else min(turns.values(), default=1)
    return turns


def by_part(pool: Collection[str], had: Sequence[Had], part: Mapping[str, int]) -> Sequence[UserId]:
    """Where all of them responded: the least involved first, of those involved alike whose turn it is."""
    return sorted(in_turn(pool, had), key=lambda user: part.get(user, 0))


# By when -----------------------------------------------------------------------------------


def answer_by(asked_at: datetime, meets_at: datetime, calendar: Calendar) -> datetime | None:
    """A working day after they were asked, or after half of the working time that is left until the meeting.

    None where less than two hours of it are left: it is too late to ask.
    """
    left = working_time(asked_at, meets_at, calendar)
    if left < LEAST_NOTICE:
        return None
    return _rounded(_after(asked_at, min(_length_of_a_day(calendar), left / 2), calendar))


def working_time(since: datetime, until: datetime, calendar: Calendar) -> timedelta:
    """How much of the time between two moments somebody works."""
    stretches = takewhile(lambda edges: edges[0] < until, _stretches(since, calendar))
    return sum((min(closes, until) - opens for opens, closes in stretches), timedelta())


def _after(since: datetime, span: timedelta, calendar: Calendar) -> datetime:
    """When so much working time has passed."""
    left = span
    for opens, closes in _stretches(since, calendar):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    return since + left


def _stretches(since: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """From when until when they work, from this moment on."""
    first = since.astimezone(calendar.zone).date()
    for day in (first + timedelta(days=number) for number in range(LOOK_AHEAD)):
        if calendar.works_on(day):
            opens, closes = _edges(day, calendar)
            yield min(max(opens, since), closes), closes


def _edges(day: date, calendar: Calendar) -> tuple[datetime, datetime]:
    hours = calendar.hours
    opens, closes = (working_morning_at(day, calendar.zone, at) for at in (hours.opens, hours.closes))
    return opens, max(opens, closes)


def _length_of_a_day(calendar: Calendar) -> timedelta:
    today = date(2000, 1, 3)
    return datetime.combine(today, calendar.hours.closes) - datetime.combine(today, calendar.hours.opens)


def _rounded(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % ROUNDED.total_seconds())
