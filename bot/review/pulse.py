"""How a meeting was for those who were there: three things to tap, counted without names."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

ENOUGH = 4
"""Answers below which nobody sees a count: of three people, two know what the third one said."""


class Said(StrEnum):
    """One thing to tap; `nothing` takes the others back, and is an answer, too."""

    learned = "learned"
    again = "again"
    safe = "safe"
    nothing = "nothing"

    @property
    def label(self) -> str:
        """As it stands on its button."""
        return LABELS[self]


LABELS: Mapping[Said, str] = {
    Said.learned: "I learned something",
    Said.again: "I would come again",
    Said.safe: "I felt safe to speak",
    Said.nothing: "None of these",
}


def toggled(counted: Collection[Said], said: Said) -> frozenset[Said]:
    """What counts for one person after a tap on top of what counted: a second tap takes the first one back."""
    if said in counted:
        return frozenset(counted) - {said}
    if said is Said.nothing:
        return frozenset({said})
    return (frozenset(counted) | {said}) - {Said.nothing}


def mark(key: str, meeting: int, user: str, said: Said) -> str:
    """By what somebody's tap is known again: without the key it says neither who nor what."""
    return hmac.new(key.encode(), f"pulse:{meeting}:{user}:{said}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How many answered, and how many of them said each thing; `is_settled` once it was shown."""

    answers: int = 0
    learned: int = 0
    again: int = 0
    safe: int = 0
    is_settled: bool = False

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Pulse:
        """As `to_json` wrote it; nothing kept is nobody's answer."""
        return cls(**(kept or {}))

    def to_json(self) -> dict[str, Any]:
        """Counts, and nobody."""
        return asdict(self)

    @property
    def is_enough(self) -> bool:
        """Whether so many answered that a count tells nothing of one of them."""
        return self.answers >= ENOUGH

    def moved(self, before: Collection[Said], after: Collection[Said]) -> Pulse:
        """The counts after one person's answer has changed."""
        counts = {
            said.value: getattr(self, said.value) + (said in after) - (said in before)
            for said in Said
            if said is not Said.nothing
        }
        return replace(self, answers=self.answers + bool(after) - bool(before), **counts)

    def at_the_end(self) -> Pulse:
        """When the meeting ends: what is shown then is settled, or the next tap would tell whose it was."""
        return replace(self, is_settled=self.is_settled or self.is_enough)

    def lines(self) -> list[tuple[str, int]]:
        """What was said, and by how many."""
        return [(LABELS[said], getattr(self, said.value)) for said in Said if said is not Said.nothing]
