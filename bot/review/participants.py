"""Who is proposed for a meeting: who was there, and somebody for every side that was touched (S1, S2: 5–8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.review.incident import UserId

FEWEST, MOST = 5, 8
"""Core attendees (S2): few enough that everybody speaks."""
LARGEST_TEAM = 50
"""A user group of more people is a site or a department, and nobody speaks for it."""
EVENT_COUNTS = 3
"""What stands on the timeline says more of somebody's part than a message does."""
MINUTES_LIKE_A_MESSAGE = 10
PASSING_BY = 0.5
"""More than nothing, and less than any deed."""


@dataclass(frozen=True, slots=True)
class TookPart:
    """What somebody did in the response: events of the timeline, messages, and how long they were at it.

    `kept` are the events that they put on the timeline.
    """

    user: UserId
    events: int = 0
    messages: int = 0
    active: timedelta = timedelta()
    kept: int = 0

    @property
    def weight(self) -> float:
        """By how much they took part; it orders people for the bot alone and is never shown.

        Who wrote one message and no more comes after everybody who did something.
        """
        if self.messages == 1 and not self.events and not self.kept:
            return PASSING_BY
        minutes = self.active.total_seconds() / 60
        return EVENT_COUNTS * self.events + self.messages + minutes / MINUTES_LIKE_A_MESSAGE


@dataclass(frozen=True, slots=True)
class Side:
    """A team or a business function that was touched, and who could speak for it, the best first."""

    name: str
    people: tuple[UserId, ...] = ()


class Why(StrEnum):
    """Why nobody speaks for a side."""

    nobody = "nobody"
    """There is nobody who could."""
    full = "full"
    """More sides were touched than the core has seats."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A side for which nobody comes."""

    side: str
    why: Why


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who should come and who may read along; neither is in an order that tells who did how much."""

    core: tuple[UserId, ...] = ()
    readers: tuple[UserId, ...] = ()
    speaks_for: Mapping[UserId, tuple[str, ...]] = field(default_factory=dict[UserId, tuple[str, ...]])
    """The sides somebody of the core was chosen for."""
    gaps: tuple[Gap, ...] = ()


def propose(roles: Collection[UserId], took_part: Collection[TookPart], *, sides: Sequence[Side] = ()) -> Proposal:
    """Who holds a role comes, then one for each side, then whoever took part most, up to eight.

    Everybody given must be able to come. A side is spoken for by somebody who was there, where somebody of it was.
    """
    weights = {one.user: one.weight for one in took_part}
    held, named = list(dict.fromkeys(roles)), _each_once(sides)
    chosen = _one_of_each(held[:MOST], named, weights)
    busiest = sorted((user for user in weights if user not in chosen), key=lambda user: (-weights[user], user))
    core = [*chosen, *busiest][:MOST]
    speakers = _speakers(core, named, weights)
    spoken_for = {side for names in speakers.values() for side in names}
    unheard = [side for side in named if side.name not in spoken_for]
    rest = {*held, *weights, *(_could_speak(side, weights)[0] for side in unheard if side.people)} - {*core}
    return Proposal(
        core=(*(user for user in core if user in held), *sorted(user for user in core if user not in held)),
        readers=tuple(sorted(rest)),
        speaks_for=speakers,
        gaps=tuple(Gap(side.name, Why.full if side.people else Why.nobody) for side in unheard),
    )


def unheard(core: Collection[UserId], sides: Sequence[Side]) -> list[Side]:
    """The sides for which none of these comes."""
    return [side for side in _each_once(sides) if not {*side.people} & {*core}]


def _each_once(sides: Sequence[Side]) -> list[Side]:
    """A side that is named twice, in whatever case, is one."""
    found: dict[str, Side] = {}
    for side in sides:
        known = found.get(side.name.casefold(), side)
        found[side.name.casefold()] = Side(known.name, tuple(dict.fromkeys([*known.people, *side.people])))
    return [*found.values()]


def _one_of_each(held: list[UserId], sides: Sequence[Side], weights: Mapping[UserId, float]) -> list[UserId]:
    """Those who hold a role, and as few more as speak for all sides that they do not."""
    chosen = list(held)
    open_sides = [side for side in sides if side.people and not {*side.people} & {*chosen}]
    while open_sides and len(chosen) < MOST:
        best = _best(open_sides, weights)
        chosen.append(best)
        open_sides = [side for side in open_sides if best not in side.people]
    return chosen


def _best(sides: Sequence[Side], weights: Mapping[UserId, float]) -> UserId:
    """Who speaks for most of these sides; of several whoever took part more, then whoever a side names first."""
    could = [user for side in sides for user in _could_speak(side, weights)]
    return max(dict.fromkeys(could), key=lambda user: (could.count(user), weights.get(user, 0.0)))


def _could_speak(side: Side, weights: Mapping[UserId, float]) -> Sequence[UserId]:
    """Those of a side who were there, else all of it."""
    return [user for user in side.people if user in weights] or side.people


def _speakers(
    core: Sequence[UserId], sides: Sequence[Side], weights: Mapping[UserId, float]
) -> dict[UserId, tuple[str, ...]]:
    """For each side the one of the core who took part most."""
    spoken: dict[UserId, tuple[str, ...]] = {}
    for side in sides:
        able = [user for user in side.people if user in core]
        if able:
            user = max(able, key=lambda one: weights.get(one, 0.0))
            spoken[user] = (*spoken.get(user, ()), side.name)
    return spoken
