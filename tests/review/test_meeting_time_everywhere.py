"""The rule of the meeting's hour, held against an independent one: in every zone, and around its changes of clocks."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.review.meeting_time import EARLIEST, GRID, LATEST, NOTICE, Slot, WorkingHours, first_slot

ZONES = sorted(available_timezones())
BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
HOURS = [WorkingHours.read(words) for words in ("09:00-17:00", "08:00-16:30", "10:00-19:00", "00:30-05:30")]
"""The last are of people who work when clocks change."""
Rule = Callable[..., Slot]


@dataclass(frozen=True)
class Sample:
    """An incident that was mitigated somewhere, and when it is asked for an hour."""

    zone: str
    mitigated_at: datetime
    now: datetime
    length: timedelta
    hours: WorkingHours


def samples(count: int, seed: int) -> Iterator[Sample]:
    """Half of them close to a change of the clocks, where the zone knows any."""
    dice = random.Random(seed)
    for number in range(count):
        zone = dice.choice(ZONES)
        changes = changes_of(zone) if number % 2 else ()
        anywhere = BEGIN + dice.random() * (END - BEGIN)
        near = dice.choice(changes) - timedelta(hours=dice.uniform(0, 96)) if changes else anywhere
        at = near.replace(microsecond=0)
        waited = timedelta(hours=dice.choice([0, 0, 1, 20, 60, 71, 73, 200]))
        length = timedelta(minutes=dice.choice([60, 60, 90]))
        yield Sample(zone, at, at + waited, length, dice.choice(HOURS))


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


def faults(sample: Sample, rule: Rule = first_slot) -> list[str]:
    """What is wrong with the hour that a rule finds, each in a word."""
    zone = ZoneInfo(sample.zone)
    slot = rule(sample.mitigated_at, zone, now=sample.now, length=sample.length, hours=sample.hours)
    elapsed, earliest = slot.at - sample.mitigated_at, max(sample.mitigated_at + EARLIEST, sample.now + NOTICE)
    wall = slot.at.astimezone(zone).replace(tzinfo=None, fold=0)
    found = {
        "sooner than 48 hours, or than anybody can read it": slot.at < earliest,
        "later than 72 hours without a reason": elapsed > LATEST and not slot.reason,
        "a reason without need": elapsed <= LATEST and slot.reason is not None,
        "outside working hours": not fits(sample, slot.at),
        "a time that no clock there shows": not shown(wall, zone, slot.at),
        "an earlier hour would have served": any(fits(sample, at) for at in between(sample, earliest, slot.at)),
        "wrongly counted": abs(slot.elapsed_hours - elapsed / HOUR) > 1e-6,
    }
    return [f"{words}: {sample} {slot}" for words, is_so in found.items() if is_so]


def fits(sample: Sample, at: datetime) -> bool:
    """Whether a meeting from that moment on lies in one working day, as clocks on the wall show it."""
    start, end = (moment.astimezone(ZoneInfo(sample.zone)) for moment in (at, at + sample.length))
    return (
        start.weekday() < 5
        and start.date() == end.date()
        and sample.hours.opens <= _time(start)
        and _time(end) <= sample.hours.closes
        and _time(start) <= _time(end)
    )


def _time(at: datetime) -> time:
    return at.time().replace(fold=0)


def shown(wall: datetime, zone: ZoneInfo, at: datetime) -> bool:
    return at in {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}


def between(sample: Sample, earliest: datetime, at: datetime) -> Iterator[datetime]:
    """The half hours of the wall before the one that was found."""
    zone, moment = ZoneInfo(sample.zone), earliest
    while moment < at:
        wall = moment.astimezone(zone)
        behind = timedelta(minutes=wall.minute % 30, seconds=wall.second, microseconds=wall.microsecond)
        if not behind:
            yield moment
        moment += GRID - behind


def by_the_clock_on_the_wall(mitigated_at: datetime, zone: ZoneInfo, **more: object) -> Slot:
    """The twin: two days later as the wall shows them, which is an hour less or more where clocks change."""
    two_days_later = (mitigated_at.astimezone(zone) + EARLIEST).astimezone(UTC)
    slot = first_slot(two_days_later - EARLIEST, zone, **more)  # pyright: ignore[reportArgumentType]
    return Slot(slot.at, slot.reason, (slot.at - mitigated_at) / HOUR)


def test_everywhere_and_around_every_change_of_clocks_the_meeting_stands_where_the_rule_wants_it():
    assert [fault for sample in samples(2_000, seed=17) for fault in faults(sample)] == []


def test_a_rule_that_counted_by_the_clock_on_the_wall_would_be_found_out():
    found = [fault for sample in samples(2_000, seed=17) for fault in faults(sample, by_the_clock_on_the_wall)]

    assert any(fault.startswith("sooner than 48 hours") for fault in found)


@pytest.mark.torture
@pytest.mark.timeout(1_800)
def test_in_two_hundred_thousand_places_and_moments_the_rule_holds():
    assert [fault for sample in samples(200_000, seed=18) for fault in faults(sample)] == []
