"""What a review policy asks for (S2, Google SRE): which incidents get which review, and who has a part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.review.incident import ChannelId, Severity, UserId

RAISES_SEVERITY = (
    "customers feel it",
    "data is lost",
    "security is affected",
    "it falls into peak hours",
    "it falls on a launch or an event",
    "several regions are hit",
)


class Depth(StrEnum):
    """How much of a review: with a facilitated meeting; led through alone by its owner; in threads with one deadline;
    or none unless asked for.
    """

    full = "full"
    light = "light"
    threads = "async"
    none = "none"


@dataclass(frozen=True)
class Asked:
    """What one severity asks for."""

    depth: Depth
    minutes: int = 60
    briefing: bool = False
    """A separate briefing for leaders (S2)."""
    private_question: bool = False
    """Whether core attendees are asked one sealed question before the meeting."""


@dataclass(frozen=True)
class Pool:
    """Who may be asked to take a role: members of a user group, and people named; empty is everybody in the channel."""

    groups: tuple[str, ...] = ()
    """Ids or handles of Slack user groups."""
    people: tuple[UserId, ...] = ()


@dataclass(frozen=True)
class Rates:
    """What an hour of work and a minute of impact cost; None where nobody set it, and then nothing is computed."""

    hour: float | None = None
    revenue_per_minute: float | None = None
    currency: str = "EUR"


@dataclass(frozen=True)
class Sharing:
    """Who gets the report when it is published, beside the incident's channel."""

    people: tuple[UserId, ...] = ()
    managers: tuple[UserId, ...] = ()
    channels: tuple[ChannelId, ...] = ()


BY_SEVERITY = MappingProxyType(
    {
        Severity.sev1: Asked(Depth.full, minutes=90, briefing=True, private_question=True),
        Severity.sev2: Asked(Depth.full, private_question=True),
        Severity.sev3: Asked(Depth.light),
        Severity.sev4: Asked(Depth.none),
    }
)
UNKNOWN = Asked(Depth.full)
"""Until a severity is set: a full review, which is the safer guess."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of one installation, with the defaults of the field's sources."""

    severities: Mapping[Severity, Asked] = field(default_factory=lambda: BY_SEVERITY)
    unknown: Asked = UNKNOWN
    window: tuple[timedelta, timedelta] = (timedelta(hours=48), timedelta(hours=72))
    """After mitigation, in elapsed time (S2)."""
    pre_read_lead: timedelta = timedelta(hours=24)
    async_deadline: timedelta = timedelta(hours=48)
    soak_days: int = 2
    """Working days between proposing actions and promising them (Etsy, S1)."""
    sharing: Sharing = Sharing()
    escalation: tuple[UserId, ...] = ()
    """Who hears of a review that nobody plans, or of an action long overdue."""
    leaders: Pool = Pool()
    facilitators: Pool = Pool()
    scribes: Pool = Pool()
    business: Mapping[str, tuple[UserId, ...]] = field(default_factory=dict[str, tuple[UserId, ...]])
    """Business function, in lower case, to the people who speak for it."""
    rates: Rates = Rates()
    given: frozenset[str] = frozenset()
    """Keys that this installation's policy file names, such as `severities.sev2.minutes`; the rest is by default."""

    @property
    def pre_read_words(self) -> str:
        """How long before the meeting the pre-read comes: `a day`, `36 hours`."""
        days, hours = divmod(round(self.pre_read_lead / timedelta(hours=1)), 24)
        if hours:
            return "an hour" if (days, hours) == (0, 1) else f"{days * 24 + hours} hours"
        return "a day" if days == 1 else f"{days} days"

    @property
    def window_words(self) -> str:
        """When the review meets after mitigation: `48 to 72 hours`."""
        opens, closes = (round(edge / timedelta(hours=1)) for edge in self.window)
        return f"{opens} to {closes} hours"

    @property
    def people(self) -> tuple[UserId, ...]:
        """Everybody it names, each once."""
        sharing = (*self.sharing.people, *self.sharing.managers)
        pools = (*self.leaders.people, *self.facilitators.people, *self.scribes.people)
        business = [user for users in self.business.values() for user in users]
        return tuple(dict.fromkeys((*self.escalation, *sharing, *pools, *business)))

    def own(self, severity: str | None) -> tuple[str, ...]:
        """What of all this bears on an incident of this severity and was set here, in words; the rest is by default."""
        mine = f"severities.{severity or 'unknown'}."
        keys = {key.removeprefix(mine) for key in self.given}
        return tuple(words for words, parts in IN_WORDS.items() if any(key.startswith(parts) for key in keys))

    def asked_for(self, severity: str | None) -> Asked:
        """What this severity asks for."""
        return self.severities[Severity(severity)] if severity else self.unknown


IN_WORDS: Mapping[str, tuple[str, ...]] = {
    "how much of a review": ("review",),
    "its length": ("minutes",),
    "when it meets": ("window_hours",),
    "when the pre-read comes": ("pre_read_hours",),
    "the private question": ("private_question",),
    "the briefing of leaders": ("briefing", "leaders"),
    "who leads": ("facilitators",),
    "who writes": ("scribes",),
    "who speaks for the business": ("business",),
    "the time for a review in threads": ("async_hours",),
    "the days before promises": ("soak_days",),
    "who gets the report": ("sharing",),
    "who hears of what is late": ("escalation",),
    "what it costs": ("rates",),
}
"""What the keys of a policy file are about; those of a severity without the names of their tables."""


DEFAULT = Policy()
