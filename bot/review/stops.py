"""The walk through the timeline: where it stops, what it would pass by, and what folds between the stops (S1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.review.timeline import Kind, Outcome

MOST_STOPS = 12
"""In 60 minutes (S1: the walk visits what matters)."""
A_STOP = 3
"""Minutes of the walk; 12 stops in the 35 of an hour's meeting, 15 in the 45 of a longer one."""
FAILED = frozenset({Outcome.worse, Outcome.no_effect})
FIRST_RANK = frozenset({Kind.detection, Kind.decision, Kind.handover, Kind.mitigation})
LATER_RANKS: Mapping[Kind, int] = {Kind.action_taken: 1, Kind.diagnosis: 2, Kind.communication: 3, Kind.note: 4}


class Stoppable(Protocol):
    """What the walk needs to know of an event; `kind` and `outcome` are words of the enums or None."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def outcome(self) -> str | None: ...
    @property
    def occurred_at(self) -> datetime: ...


S = TypeVar("S", bound=Stoppable)


@dataclass(frozen=True)
class Fold:
    """Events the walk does not stop at, on one line: from, to, how many."""

    start: datetime
    end: datetime
    count: int


# Where it stops -------------------------------------------------------------------------


def room_in(minutes: int) -> int:
    """How many stops a walk of so many minutes has room for; one at least."""
    return max(1, (minutes + 1) // A_STOP)


def stops(events: Sequence[Stoppable], at_most: int = MOST_STOPS) -> list[int]:
    """The numbers of the events to stop at, in order of time.

    1. Detection, decisions, hand-overs, mitigation and attempts that failed come first, whatever their kind.
    2. Then actions taken, diagnosis, communication, notes. What programs did is never a stop unless it failed.
    3. Where a rank has more than there is room for, those kept are spread from its first to its last.
    """
    room, chosen = at_most, list[Stoppable]()
    for rank in range(5):
        of_rank = [event for event in in_time(events) if _rank(event) == rank]
        chosen += _spread(of_rank, room)
        room = at_most - len(chosen)
    return [event.number for event in in_time(chosen)]


def _rank(event: Stoppable) -> int | None:
    if event.kind in FIRST_RANK or event.outcome in FAILED:
        return 0
    return LATER_RANKS.get(Kind(event.kind))


def _spread(events: Sequence[Stoppable], room: int) -> list[Stoppable]:
    if len(events) <= room:
        return list(events)
    if room <= 1:
        return list(events[:room])
    return [events[number * (len(events) - 1) // (room - 1)] for number in range(room)]


def in_time(events: Iterable[S]) -> list[S]:
    """Events in the order the walk takes; of two in one moment the lower number comes first."""
    return sorted(events, key=lambda event: (event.occurred_at, event.number))


def chosen_of(events: Sequence[Stoppable], chosen: Iterable[int]) -> list[int]:
    """Those of the chosen stops that are still on the timeline, each once and in order of time."""
    wanted = set(chosen)
    return [event.number for event in in_time(events) if event.number in wanted]


# What it would pass by --------------------------------------------------------------------


@dataclass(frozen=True)
class LeftOut:
    """Events of one sort that the walk never skips silently: `2 decisions`, and their numbers in order of time."""

    what: str
    numbers: tuple[int, ...]

    @property
    def words(self) -> str:
        """`2 decisions`, `1 failed attempt`."""
        return f"{len(self.numbers)} {self.what}{'' if len(self.numbers) == 1 else 's'}"


def left_out(events: Sequence[Stoppable], stops: Sequence[int]) -> list[LeftOut]:
    """Decisions, hand-overs and failed attempts that are no stops; one that is two of these counts as a failed one."""
    passed = [event for event in in_time(events) if event.number not in stops]
    by_sort: dict[str, list[int]] = {}
    for event in passed:
        if what := _never_skipped(event):
            by_sort.setdefault(what, []).append(event.number)
    order = ("decision", "hand-over", "failed attempt")
    return [LeftOut(what, tuple(by_sort[what])) for what in order if what in by_sort]


def _never_skipped(event: Stoppable) -> str | None:
    if event.outcome in FAILED:
        return "failed attempt"
    return Kind(event.kind).label if event.kind in {Kind.decision, Kind.handover} else None


# What lies between the stops ------------------------------------------------------------


def fold(events: Sequence[Stoppable], stops: Sequence[int]) -> list[int | Fold]:
    """The walk's lines in order of time: the number of each stop, and one fold for all events between two stops."""
    lines: list[int | Fold] = []
    for event in in_time(events):
        last = lines[-1] if lines else None
        if event.number in stops:
            lines.append(event.number)
        elif isinstance(last, Fold):
            lines[-1] = Fold(last.start, event.occurred_at, last.count + 1)
        else:
            lines.append(Fold(event.occurred_at, event.occurred_at, 1))
    return lines
