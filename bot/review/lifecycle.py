"""The life of a review: its stages, derived from moments; its roles, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.review.incident import UserId
from bot.review.refusal import NotYours


class Stage(StrEnum):
    """Where a review stands."""

    open = "open"
    mitigated = "mitigated"
    scheduled = "scheduled"
    prepared = "prepared"
    in_meeting = "in_meeting"
    ended = "ended"
    drafted = "drafted"
    published = "published"
    closed = "closed"
    skipped = "skipped"
    cancelled = "cancelled"

    @property
    def label(self) -> str:
        """As it is said: `in meeting`."""
        return self.value.replace("_", " ")

    @property
    def is_called_off(self) -> bool:
        """Whether no review takes place: it was skipped or cancelled."""
        return self in {Stage.skipped, Stage.cancelled}


@dataclass(frozen=True, kw_only=True)
class Milestones:
    """What has happened so far. `opened_at` and `ended_at` are those of the meeting that is open, else of the last
    one held, else of the next; `end` sets `ended_at`, and a `start` after it clears that again.
    """

    mitigated_at: datetime | None = None
    scheduled_at: datetime | None = None
    meets_at: datetime | None = None
    pre_read_sent_at: datetime | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    drafted_at: datetime | None = None
    approved_at: datetime | None = None
    published_at: datetime | None = None
    closed_at: datetime | None = None
    skipped_at: datetime | None = None
    cancelled_at: datetime | None = None


def stage_of(facts: Milestones) -> Stage:
    """Where the review stands, read from its moments.

    1. An exit wins, and so does the end: cancelled, skipped, closed. Re-opening clears them.
    2. An open meeting comes before everything written about an earlier one.
    3. What was held and written stands, though it broke again: the report of the first meeting is still owed.
    4. Without a mitigation the incident is open, whatever was planned: a meeting not yet held has to move.
    5. Then the plan: prepared, scheduled, mitigated.
    """
    return _exit(facts) or _sitting(facts) or _written(facts) or _planned(facts)


def _exit(facts: Milestones) -> Stage | None:
    exits = ((facts.cancelled_at, Stage.cancelled), (facts.skipped_at, Stage.skipped), (facts.closed_at, Stage.closed))
    return next((stage for at, stage in exits if at), None)


def _sitting(facts: Milestones) -> Stage | None:
    return Stage.in_meeting if facts.opened_at and not facts.ended_at else None


def _written(facts: Milestones) -> Stage | None:
    written = (
        (facts.published_at, Stage.published),
        (facts.drafted_at, Stage.drafted),
        (facts.ended_at, Stage.ended),
    )
    return next((stage for at, stage in written if at), None)


def _planned(facts: Milestones) -> Stage:
    if not facts.mitigated_at:
        return Stage.open
    if facts.meets_at and facts.scheduled_at:
        return Stage.prepared if facts.pre_read_sent_at else Stage.scheduled
    return Stage.mitigated


class Role(StrEnum):
    """Lead leads the response, facilitator the meeting, scribe writes, owner answers for the review being finished."""

    lead = "lead"
    facilitator = "facilitator"
    scribe = "scribe"
    owner = "owner"


@dataclass(frozen=True)
class Roles:
    """Who holds which role; None where nobody does."""

    lead: UserId | None = None
    facilitator: UserId | None = None
    scribe: UserId | None = None
    owner: UserId | None = None

    @property
    def owner_or_lead(self) -> UserId | None:
        """Who answers for the review: the lead until an owner is named."""
        return self.owner or self.lead

    @property
    def facilitator_or_lead(self) -> UserId | None:
        """Who leads the meeting: the lead until a facilitator is named."""
        return self.facilitator or self.lead

    def of(self, user: UserId) -> tuple[Role, ...]:
        """The roles this person holds."""
        return tuple(role for role in Role if getattr(self, role.value) == user)


class Who(StrEnum):
    """Whom a verb is for; the label stands in the sentence of a refusal."""

    anyone = "anyone"
    facilitating = "facilitating"
    owning = "owning"

    @property
    def label(self) -> str:
        """`the owner or the lead`."""
        return LABELS[self]


LABELS: Mapping[Who, str] = {
    Who.anyone: "everybody who sees the incident",
    Who.facilitating: "the facilitator, the owner or the lead",
    Who.owning: "the owner or the lead",
}


def may(who: Who, by: UserId, roles: Roles) -> bool:
    """Whether this person may; where none of the roles asked for is held, everybody may."""
    if who is Who.anyone:
        return True
    holders = {roles.owner, roles.lead} | ({roles.facilitator} if who is Who.facilitating else set[UserId | None]())
    named = holders - {None}
    return not named or by in named


def require(who: Who, by: UserId, roles: Roles, verb: str) -> None:
    """Raises NotYours, naming whom the verb is for and how to take over."""
    if not may(who, by, roles):
        raise NotYours(who=who.label, verb=verb, role="owner" if who is Who.owning else "facilitator")
