"""An incident: where it is spoken of, how grave it is, its moments and the durations between them (DOMAIN, S2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from bot.review.refusal import UnknownSeverity

TeamId = NewType("TeamId", str)
UserId = NewType("UserId", str)
ChannelId = NewType("ChannelId", str)
Ts = NewType("Ts", str)


@dataclass(frozen=True)
class Place:
    """A channel, or a thread of it (`thread` is the ts of its first message)."""

    channel: ChannelId
    thread: str = ""


class Severity(StrEnum):
    """How grave: sev1 is the gravest."""

    sev1 = "sev1"
    sev2 = "sev2"
    sev3 = "sev3"
    sev4 = "sev4"


def read_severity(words: str) -> Severity:
    """`sev2`, `SEV-2`, `sev 2` or `2`; raises UnknownSeverity for anything else."""
    match = re.fullmatch(r"(?:sev[ -]?)?([1-4])", words.strip(), re.IGNORECASE)
    if not match:
        raise UnknownSeverity(words=words.strip())
    return Severity(f"sev{match[1]}")


def split_severity(text: str) -> tuple[Severity | None, str]:
    """A leading `sev2` and the rest; a bare digit is part of the title."""
    match = re.match(r"sev[ -]?([1-4])(?:[:,]?\s+|$)", text.strip(), re.IGNORECASE)
    if not match:
        return None, text.strip()
    return Severity(f"sev{match[1]}"), text.strip()[match.end() :].strip()


class MomentName(StrEnum):
    """The five moments of an incident, in the order they usually come."""

    began = "began"
    detected = "detected"
    acknowledged = "acknowledged"
    mitigated = "mitigated"
    resolved = "resolved"


class How(StrEnum):
    """Recorded by the bot, or set by a person."""

    recorded = "recorded"
    set = "set"


@dataclass(frozen=True)
class Durations:
    """Whole seconds, or None where a moment is missing: no other moment and no zero stands in for it."""

    ttd_s: int | None = None
    tta_s: int | None = None
    ttm_s: int | None = None
    ttr_s: int | None = None


FORMULAS: Mapping[str, str] = {
    "ttd_s": "TTD = detected − began",
    "tta_s": "TTA = acknowledged − detected",
    "ttm_s": "TTM = mitigated − began",
    "ttr_s": "TTR = resolved − began",
}
"""Printed beside every number, because vendors disagree on these names."""


def durations(moments: Mapping[str, datetime]) -> Durations:
    """The four durations of the moments that are known."""
    return Durations(
        ttd_s=_between(moments, "began", end="detected"),
        tta_s=_between(moments, "detected", end="acknowledged"),
        ttm_s=_between(moments, "began", end="mitigated"),
        ttr_s=_between(moments, "began", end="resolved"),
    )


def _between(moments: Mapping[str, datetime], start: str, *, end: str) -> int | None:
    if start not in moments or end not in moments:
        return None
    return int((moments[end] - moments[start]).total_seconds())


MINUTE, HOUR, DAY = 60, 3_600, 86_400


def in_words(seconds: int) -> str:
    """A length of time as a colleague would say it: `40 s`, `12 min`, `3 h 12 min`, `8 days`."""
    if seconds < 0:
        return f"−{in_words(-seconds)}"
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return _two(f"{seconds // HOUR} h", seconds % HOUR // MINUTE, unit="min")
    days = seconds // DAY
    return _two("1 day" if days == 1 else f"{days} days", seconds % DAY // HOUR, unit="h")


def in_hours(seconds: int) -> str:
    """The same without days, where it stands beside a length in hours: `72 h 20 min`."""
    return _two(f"{seconds // HOUR} h", seconds % HOUR // MINUTE, unit="min")


def _two(large: str, rest: int, *, unit: str) -> str:
    return f"{large} {rest} {unit}" if rest else large


IN_ORDER = (
    ("began", "detected"),
    ("began", "acknowledged"),
    ("began", "mitigated"),
    ("began", "resolved"),
    ("detected", "acknowledged"),
    ("mitigated", "resolved"),
)
"""Only these orders are certain: people do mitigate before anybody acknowledges."""


def moment_order_doubt(moments: Mapping[str, datetime]) -> str | None:
    """A sentence about the first two moments that stand in an odd order, for the person who set one of them."""
    for earlier, later in IN_ORDER:
        if earlier in moments and later in moments and moments[later] < moments[earlier]:
            return f"“{later.capitalize()}” now stands before “{earlier}”. If it was not so, set either one again."
    return None


@dataclass(frozen=True, kw_only=True)
class ChannelFacts:
    """What Slack says of a channel at this moment; `members` are the people in it."""

    channel: ChannelId
    name: str = ""
    private: bool = False
    archived: bool = False
    created_at: datetime | None = None
    creator: UserId | None = None
    members: tuple[UserId, ...] = ()
    bot_is_member: bool = True
