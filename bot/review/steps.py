"""A light review, step by step: what is asked, one thing at a time, and how far somebody was led through it.

It asks what a meeting would (S1, S2), of one person alone, who may stop and go on days later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.review.findings import FindingKind
from bot.review.incident import UserId


class Step(StrEnum):
    """One thing that is asked."""

    summary = "summary"
    timeline = "timeline"
    contributors = "contributors"
    mitigators = "mitigators"
    risks = "risks"
    learnings = "learnings"
    actions = "actions"
    close = "close"

    @property
    def label(self) -> str:
        """As it is said: `Summary and impact`."""
        return {Step.summary: "Summary and impact"}.get(self, self.value.capitalize())

    @property
    def finds(self) -> FindingKind | None:
        """The kind of finding it asks for, if it asks for one."""
        return FINDS.get(self)


FINDS: Mapping[Step, FindingKind] = {
    Step.contributors: FindingKind.contributor,
    Step.mitigators: FindingKind.mitigator,
    Step.risks: FindingKind.risk,
    Step.learnings: FindingKind.learning,
}
STEPS = tuple(Step)
LIGHT = "light"
"""What a review that is led through in steps is marked with where it is kept."""


@dataclass(frozen=True, kw_only=True)
class Stepped:
    """How far somebody is: moments, and the number of the step they stand at."""

    user: UserId
    began_at: datetime
    touched_at: datetime
    """The last time they moved, stopped or went on."""
    at: int = 0
    version: int = 1
    """Goes up with each move, so that of two presses on one message one counts."""
    posted: int = 1
    """How often its message was posted anew."""
    stopped_at: datetime | None = None
    reminded_at: datetime | None = None
    """When they were told that it waits; that happens once."""
    ended_at: datetime | None = None

    @classmethod
    def begin(cls, user: UserId, now: datetime) -> Stepped:
        """At the first step."""
        return cls(user=user, began_at=now, touched_at=now)

    @property
    def step(self) -> Step:
        """What is asked now."""
        return STEPS[self.at]

    @property
    def number(self) -> int:
        """Of the step, from 1."""
        return self.at + 1

    def mark(self, review: int) -> str:
        """Of this going-through: an incident that broke again is gone through again."""
        return f"{review}:{self.began_at:%Y%m%dT%H%M%S}"

    def key(self, review: int) -> str:
        """Of the message they press on."""
        return f"light:{self.mark(review)}:{self.posted}"

    def next(self, now: datetime, seen: int | None = None) -> Stepped:
        """The step after; at the last one, and for a press on a message that has changed since, it stays."""
        return self._moved(self.at + 1, now, seen)

    def back(self, now: datetime, seen: int | None = None) -> Stepped:
        """The step before; at the first one it stays."""
        return self._moved(self.at - 1, now, seen)

    def _moved(self, at: int, now: datetime, seen: int | None) -> Stepped:
        is_stale = seen is not None and seen != self.version
        if is_stale or self.ended_at or not 0 <= at < len(STEPS):
            return self
        return replace(self, at=at, version=self.version + 1, touched_at=now, stopped_at=None)

    def stop(self, now: datetime) -> Stepped:
        """For now; where they stand is kept."""
        return replace(self, stopped_at=now, touched_at=now, version=self.version + 1)

    def go_on(self, user: UserId, now: datetime) -> Stepped:
        """From where it stopped, by whoever goes on with it; its message is posted anew where they read."""
        return replace(
            self,
            user=user,
            stopped_at=None,
            touched_at=now,
            version=self.version + 1,
            posted=self.posted + 1,
        )

    def remind(self, now: datetime) -> Stepped:
        """They were told that it waits."""
        return replace(self, reminded_at=now)

    def end(self, now: datetime) -> Stepped:
        """It is done; done twice is done once."""
        return replace(self, ended_at=self.ended_at or now, version=self.version + 1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        facts = asdict(self)
        return {"how": LIGHT} | {name: _written(facts[name]) for name in facts}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Stepped | None:
        """What `to_json` kept; None where nobody was led through it."""
        if not kept or kept.get("how") != LIGHT:
            return None
        facts = {name: _read(name, kept[name]) for name in cls.__dataclass_fields__ if name in kept}
        return cls(**facts)


def _written(fact: object) -> object:
    return fact.isoformat() if isinstance(fact, datetime) else fact


def _read(name: str, fact: Any) -> Any:
    return datetime.fromisoformat(fact) if name.endswith("_at") and fact else fact
