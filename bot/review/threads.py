"""A review in threads: each topic has its question and a thread, all of them one deadline; nobody has to meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from bot.review.findings import FindingKind
from bot.review.incident import UserId
from bot.review.meeting_time import NINE_TO_FIVE, DaysOff, WorkingHours, next_working_moment

DAY = timedelta(days=1)
LONGEST = 60
"""Days of which it is asked whether they are free; a calendar without working days ends, too."""
THREADS = "async"
"""What a review in threads is marked with where it is kept."""


class Thread(StrEnum):
    """One topic with a thread of its own."""

    summary = "summary"
    timeline = "timeline"
    contributors = "contributors"
    learnings = "learnings"
    actions = "actions"

    @property
    def label(self) -> str:
        """As it is said: `Contributors and mitigators`."""
        return LABELS[self]

    @property
    def number(self) -> int:
        """From 1."""
        return list(Thread).index(self) + 1

    @property
    def finds(self) -> tuple[FindingKind, ...]:
        """The kinds of finding that belong to it."""
        return FINDS.get(self, ())


LABELS: Mapping[Thread, str] = {
    Thread.summary: "Summary and impact",
    Thread.timeline: "Timeline",
    Thread.contributors: "Contributors and mitigators",
    Thread.learnings: "Risks, learnings and open questions",
    Thread.actions: "Actions",
}
FINDS: Mapping[Thread, tuple[FindingKind, ...]] = {
    Thread.contributors: (FindingKind.contributor, FindingKind.mitigator),
    Thread.learnings: (FindingKind.risk, FindingKind.learning, FindingKind.dissent, FindingKind.question),
}


@dataclass(frozen=True, kw_only=True)
class InThreads:
    """A review in threads: who began it, and its moments."""

    by: UserId
    began_at: datetime
    half_at: datetime
    """When threads in which nobody said anything are called to mind."""
    ends_at: datetime
    nudged_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> InThreads | None:
        """What `to_json` kept; None where the review does not go on in threads."""
        if not kept or kept.get("how") != THREADS:
            return None
        facts = {field.name: _read(field.name, kept.get(field.name)) for field in fields(cls)}
        return cls(**facts)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        facts = {field.name: _written(getattr(self, field.name)) for field in fields(self)}
        return {"how": THREADS} | facts

    def nudge(self, now: datetime) -> InThreads:
        """The empty threads were called to mind; that happens once."""
        return replace(self, nudged_at=now)

    def longer(self, ends_at: datetime) -> InThreads:
        """Until another moment, and never until an earlier one."""
        return replace(self, ends_at=max(self.ends_at, ends_at))

    def end(self, now: datetime) -> InThreads:
        """No answer is waited for any more."""
        return replace(self, ended_at=now)


def _written(fact: object) -> object:
    return fact.isoformat() if isinstance(fact, datetime) else fact


def _read(name: str, fact: Any) -> Any:
    return datetime.fromisoformat(fact) if name.endswith("_at") and fact else fact


def deadline(
    began_at: datetime, span: timedelta, zone: tzinfo, *, off: DaysOff, hours: WorkingHours = NINE_TO_FIVE
) -> datetime:
    """So much elapsed time later (UTC), in which free days do not count, and then in working hours.

    Begun on a Friday afternoon, 48 hours end on Tuesday afternoon: nobody has to answer on a weekend.
    """
    at = began_at + span
    for _ in range(LONGEST):
        later = began_at + span + DAY * _free_days(began_at, at, zone, off)
        if later <= at:
            break
        at = later
    return next_working_moment(at, zone, hours, off.weekends, off.holidays)


def _free_days(since: datetime, until: datetime, zone: tzinfo, off: DaysOff) -> int:
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return sum(day.weekday() in off.weekends or day in off.holidays for day in days)
