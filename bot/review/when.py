"""When: a leading time in what a person typed, by a small grammar and nothing else, in the speaker's own zone.

`14:05` · `2026-11-20` · `2026-11-20 14:05` (or with `T`, seconds, `Z` or an offset) · `yesterday 14:05` · `mon 14:05` ·
`10 min ago`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import ClassVar

from bot.review.refusal import InTheFuture, InThePast, UnreadableTime

MIDNIGHT = time(0)
MORNING = time(9)
"""Where a plan names a day and no hour."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
YEARS = range(1970, 2200)


def split_when(text: str) -> tuple[When | None, str]:
    """A leading time and the rest of the text; without one, None and the whole text.

    A colon, comma or dash after the time goes with it only where white space follows and no second time does.
    """
    text = text.strip()
    for pattern, build in GRAMMAR:
        match = pattern.match(text)
        when = build(match) if match else None
        if match and when:
            return when, _without_separator(text[match.end() :])
    return None, text


def read_when(text: str) -> When:
    """The time that the whole text is; raises UnreadableTime."""
    when, rest = split_when(text)
    if when is None or rest:
        raise UnreadableTime(words=text.strip())
    return when


@dataclass(frozen=True)
class Seen:
    """Where a time is looked at from: a moment, a zone, and the hour that stands in where only a day was named."""

    at: datetime
    zone: tzinfo
    hour: time = MIDNIGHT

    def on_days(self, days: Iterable[int], clock: time) -> list[datetime]:
        """That time of day so many local days from here, in order."""
        today = self.at.astimezone(self.zone).date()
        walls = [datetime.combine(today + timedelta(days=day), clock) for day in days]
        return sorted({at for wall in walls for at in instants_of(wall, self.zone)})


@dataclass(frozen=True)
class When(ABC):
    """A time as typed; only a moment to count from and a zone make it an instant. All answers are aware UTC."""

    words: str
    is_the_speakers: ClassVar[bool] = False
    """Counts from the speaker's now, whatever else it is compared with."""

    @abstractmethod
    def instants(self, seen: Seen) -> list[datetime]:
        """Every instant it can mean, seen from there, in order."""

    def past(self, now: datetime, zone: tzinfo) -> datetime:
        """The latest instant it can mean that has come; raises InTheFuture."""
        come = [at for at in self.instants(Seen(now, zone)) if at <= now]
        if not come:
            raise InTheFuture(words=self.words)
        return come[-1]

    def future(self, now: datetime, zone: tzinfo) -> datetime:
        """The next instant it can mean that is still to come; raises InThePast."""
        to_come = [at for at in self.instants(Seen(now, zone, MORNING)) if at > now]
        if not to_come:
            raise InThePast(words=self.words)
        return to_come[0]

    def nearest(self, to: datetime, zone: tzinfo, *, now: datetime | None = None) -> datetime:
        """The instant nearest to a known one; `yesterday` and `ago` count from `now`, and without it from `to`."""
        seen = Seen(now or to, zone) if self.is_the_speakers else Seen(to, zone)
        return min(self.instants(seen), key=lambda at: abs(at - to))

    @property
    def day(self) -> date | None:
        """The day it names, where it names one: for due days."""
        return None


@dataclass(frozen=True)
class ClockTime(When):
    """`14:05`."""

    clock: time

    def instants(self, seen: Seen) -> list[datetime]:
        """On the days around: three, for a zone that skipped a whole day."""
        return seen.on_days(range(-3, 4), self.clock)


@dataclass(frozen=True)
class WeekdayTime(When):
    """`mon 14:05`."""

    weekday: int
    clock: time

    def instants(self, seen: Seen) -> list[datetime]:
        """In the weeks around."""
        to_weekday = self.weekday - seen.at.astimezone(seen.zone).weekday()
        return seen.on_days([to_weekday + week for week in (-14, -7, 0, 7, 14)], self.clock)


@dataclass(frozen=True)
class DayTime(When):
    """`2026-11-20`, `2026-11-20 14:05`; with its own offset where one was typed."""

    named: date
    clock: time | None = None
    offset: tzinfo | None = None

    def instants(self, seen: Seen) -> list[datetime]:
        """That one, or the two of a clock set back."""
        return instants_of(datetime.combine(self.named, self.clock or seen.hour), self.offset or seen.zone)

    @property
    def day(self) -> date | None:
        """The day it names."""
        return self.named


@dataclass(frozen=True)
class Yesterday(When):
    """`yesterday 14:05`."""

    clock: time
    is_the_speakers: ClassVar[bool] = True

    def instants(self, seen: Seen) -> list[datetime]:
        """On the day before."""
        return seen.on_days([-1], self.clock)


@dataclass(frozen=True)
class Ago(When):
    """`10 min ago`: elapsed minutes, in which no zone has a say."""

    ago: timedelta
    is_the_speakers: ClassVar[bool] = True

    def instants(self, seen: Seen) -> list[datetime]:
        """So many minutes before."""
        return [seen.at.astimezone(UTC) - self.ago]


def instants_of(wall: datetime, zone: tzinfo) -> list[datetime]:
    """What a clock on the wall means in UTC: twice where clocks are set back, shifted forward where they skip it."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        return [first]
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return sorted({first, second})


# The grammar: first match wins; a time ends where white space, the end, or a separator followed by white space comes.

CLOCK = r"(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2})"
SECONDS = r"(?::(?P<s>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
OFFSET = r"(?P<z>z|[+-][0-9]{2}:?[0-9]{2})?"
DAY = r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
END = r"(?=[:,–—-]?(?:\s|$))"
NAMES = "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS)
SEPARATOR = re.compile(r"\s*[:,–—-]\s+(?![0-9]{1,2}:[0-9]{2})")


def _without_separator(rest: str) -> str:
    match = SEPARATOR.match(rest)
    return rest[match.end() :].strip() if match else rest.strip()


def _day_and_time(match: re.Match[str]) -> When | None:
    named, clock, offset = _day(match["day"]), _clock(match), _offset(match["z"])
    unreadable = match["z"] and not offset
    return DayTime(match[0], named, clock, offset) if named and clock and not unreadable else None


def _day_alone(match: re.Match[str]) -> When | None:
    named = _day(match["day"])
    return DayTime(match[0], named) if named else None


def _clock_alone(match: re.Match[str]) -> When | None:
    clock = _clock(match)
    return ClockTime(match[0], clock) if clock else None


def _yesterday(match: re.Match[str]) -> When | None:
    clock = _clock(match)
    return Yesterday(match[0], clock) if clock else None


def _weekday(match: re.Match[str]) -> When | None:
    clock = _clock(match)
    return WeekdayTime(match[0], weekday_of(match["name"]), clock) if clock else None


def _ago(match: re.Match[str]) -> When:
    return Ago(match[0], timedelta(minutes=int(match["n"])))


GRAMMAR: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], When | None]], ...] = tuple(
    (re.compile(pattern + END, re.IGNORECASE), build)
    for pattern, build in (
        (rf"{DAY}(?:t|\s+){CLOCK}{SECONDS}{OFFSET}", _day_and_time),
        (rf"{DAY}(?!\s+[0-9]{{1,2}}:[0-9])", _day_alone),
        (rf"{CLOCK}", _clock_alone),
        (rf"yesterday\s+{CLOCK}", _yesterday),
        (rf"(?P<name>{NAMES})\s+{CLOCK}", _weekday),
        (r"(?P<n>[0-9]{1,5})\s?min(?:ute)?s?\s+ago", _ago),
    )
)


def weekday_of(name: str) -> int:
    """Monday is 0; full names and three letters."""
    return [day[:3] for day in WEEKDAYS].index(name.lower()[:3])


def _clock(match: re.Match[str]) -> time | None:
    seconds = int(match.groupdict().get("s") or 0)
    hour, minute = int(match["h"]), int(match["m"])
    return time(hour, minute, seconds) if hour < 24 and minute < 60 and seconds < 60 else None


def _day(words: str) -> date | None:
    year, month, day = (int(part) for part in words.split("-"))
    if year not in YEARS:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _offset(words: str | None) -> tzinfo | None:
    if not words:
        return None
    if words in "zZ":
        return UTC
    hours, minutes = int(words[1:3]), int(words[-2:])
    if hours >= 24 or minutes >= 60:
        return None
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if words[0] == "-" else 1))


DAYS_AHEAD = re.compile(r"(?:in\s+)?([0-9]{1,3})\s+(day|week)s?", re.IGNORECASE)


def read_day(text: str, today: date) -> date | None:
    """The day an action is due: an ISO date, the next such weekday after today, or days or weeks from today."""
    words = text.strip().lower()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words):
        return _day(words)
    if re.fullmatch(NAMES, words):
        return today + timedelta(days=(weekday_of(words) - today.weekday() - 1) % 7 + 1)
    ahead = DAYS_AHEAD.fullmatch(words)
    return today + timedelta(days=int(ahead[1]) * (7 if ahead[2] == "week" else 1)) if ahead else None
