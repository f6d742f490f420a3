"""An axis of time: where each moment stands, which moments are written beside it, and where it is broken.

Time is drawn to one scale. Only where nothing happened for most of the time is the quiet time left out, and then the
length of what was left out is written in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from bot.review.incident import DAY, HOUR, MINUTE, in_words

SHORTEST = timedelta(minutes=5)
"""An axis is never shorter, however close together everything was."""
QUIET = timedelta(hours=3)
"""Less than this is never left out."""
MOST = 2 / 3
"""A quiet time is left out only where it is a larger share than this of all that is drawn."""
FEW = 4
"""So many moments are read as well without a break."""
MOST_BREAKS = 4
MARGIN = 0.03
"""Before the first moment and after the last one, as a share of the whole."""
STEPS = (
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 3, 5, 7, 14, 28)),
)
"""Seconds between two ticks, so that ticks stand on round hours."""


@dataclass(frozen=True)
class Stretch:
    """A time that is drawn without a break, and where on the axis it is drawn."""

    start: datetime
    end: datetime
    near: float
    far: float


@dataclass(frozen=True)
class Break:
    """A quiet time that is left out: where the break is drawn, and how long nothing happened."""

    near: float
    far: float
    quiet: timedelta

    @property
    def words(self) -> str:
        """`2 days 3 h`."""
        return in_words(int(self.quiet.total_seconds()))


@dataclass(frozen=True)
class Tick:
    """A round moment: where it stands, the local moment, and whether a day begins there."""

    at: float
    local: datetime
    begins_day: bool


@dataclass(frozen=True)
class Axis:
    """Positions from 0 to `length`."""

    stretches: tuple[Stretch, ...]
    breaks: tuple[Break, ...]
    length: float
    zone: tzinfo

    def at(self, moment: datetime) -> float:
        """Where this moment stands; what was left out stands in the middle of its break."""
        for stretch in self.stretches:
            if moment <= stretch.end:
                share = max(moment - stretch.start, timedelta()) / (stretch.end - stretch.start)
                return stretch.near + share * (stretch.far - stretch.near)
        return self.stretches[-1].far

    def ticks(self, apart: float) -> tuple[Tick, ...]:
        """Round local moments, at least `apart` from one another; also one for a stretch that holds no round moment."""
        step = self._step(apart)
        return tuple(tick for stretch in self.stretches for tick in self._of(stretch, step, apart))

    @property
    def crosses_midnight(self) -> bool:
        """Whether the axis begins and ends on different local days."""
        first, last = self.stretches[0].start, self.stretches[-1].end
        return first.astimezone(self.zone).date() != last.astimezone(self.zone).date()

    def _step(self, apart: float) -> int:
        drawn = sum(stretch.far - stretch.near for stretch in self.stretches)
        seconds = sum((stretch.end - stretch.start).total_seconds() for stretch in self.stretches)
        wanted = seconds / drawn * apart
        return next((step for step in STEPS if step >= wanted), STEPS[-1] * (1 + int(wanted) // STEPS[-1]))

    def _of(self, stretch: Stretch, step: int, apart: float) -> Iterator[Tick]:
        kept: list[Tick] = []
        for local in _round_moments(stretch, step, self.zone):
            tick = Tick(self.at(local.astimezone(UTC)), local, local.hour == local.minute == 0)
            # Where the clocks go forward a round hour comes sooner than the others.
            if not kept or tick.at - kept[-1].at >= apart * 0.9:
                kept.append(tick)
        if not kept:
            middle = stretch.start + (stretch.end - stretch.start) / 2
            local = middle.astimezone(self.zone).replace(second=0, microsecond=0)
            kept = [Tick(self.at(local.astimezone(UTC)), local, begins_day=False)]
        yield from kept


def _round_moments(stretch: Stretch, step: int, zone: tzinfo) -> Iterator[datetime]:
    first = stretch.start.astimezone(zone).replace(tzinfo=None)
    last = stretch.end.astimezone(zone).replace(tzinfo=None)
    wall = first.replace(hour=0, minute=0, second=0, microsecond=0)
    wall = wall - timedelta(days=wall.toordinal() % (step // DAY)) if step > DAY else wall
    wall += (first - wall) // timedelta(seconds=step) * timedelta(seconds=step)
    while wall <= last:
        local = wall.replace(tzinfo=zone)
        exists = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
        if exists and stretch.start <= local <= stretch.end:
            yield local
        wall += timedelta(seconds=step)


def axis(moments: Sequence[datetime], *, zone: tzinfo, length: float, break_length: float) -> Axis:
    """An axis that shows all these moments; there must be one at least."""
    in_order = sorted(set(moments))
    runs = _runs(in_order)
    margin = _margin(runs)
    spans = [(run[0] - margin, run[-1] + margin) for run in runs]
    drawn = length - break_length * (len(runs) - 1)
    per_second = drawn / sum((end - start).total_seconds() for start, end in spans)
    stretches, breaks, near = list[Stretch](), list[Break](), 0.0
    for number, (start, end) in enumerate(spans):
        if number:
            breaks.append(Break(near, near + break_length, runs[number][0] - runs[number - 1][-1]))
            near += break_length
        far = near + (end - start).total_seconds() * per_second
        stretches.append(Stretch(start, end, near, far))
        near = far
    return Axis(tuple(stretches), tuple(breaks), length, zone)


def _margin(runs: Sequence[Sequence[datetime]]) -> timedelta:
    told = sum((run[-1] - run[0] for run in runs), timedelta())
    missing = max(SHORTEST - told, timedelta()) / 2
    return max(told * MARGIN, missing, SHORTEST / 10)


def _runs(in_order: Sequence[datetime]) -> list[list[datetime]]:
    """The moments, parted where nothing happened for most of the time."""
    if len(in_order) <= FEW:
        return [list(in_order)]
    gaps = sorted(pairwise(in_order), key=lambda pair: pair[0] - pair[1])
    left, parted = in_order[-1] - in_order[0], set[datetime]()
    for before, after in gaps[:MOST_BREAKS]:
        if after - before < QUIET or after - before <= left * MOST:
            break
        left -= after - before
        parted.add(after)
    runs: list[list[datetime]] = []
    for moment in in_order:
        if not runs or moment in parted:
            runs.append([])
        runs[-1].append(moment)
    return runs
