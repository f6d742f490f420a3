"""What a severity asks of a review (S2, Google SRE): whether there is one, and how long it sits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.review.incident import Severity

RAISES_SEVERITY = (
    "customers feel it",
    "data is lost",
    "security is affected",
    "it falls into peak hours",
    "it falls on a launch or an event",
    "several regions are hit",
)


class Depth(StrEnum):
    """How much of a review: with a facilitated meeting, run by those involved on request, or none unless asked for."""

    full = "full"
    light = "light"
    none = "none"


@dataclass(frozen=True)
class Asked:
    """What one severity asks for; `briefing` is a separate one for leaders."""

    depth: Depth
    minutes: int = 60
    briefing: bool = False


BY_SEVERITY = {
    Severity.sev1: Asked(Depth.full, minutes=90, briefing=True),
    Severity.sev2: Asked(Depth.full),
    Severity.sev3: Asked(Depth.light),
    Severity.sev4: Asked(Depth.none),
}


def asked_for(severity: str | None) -> Asked:
    """What this severity asks for; until one is set, a full review, which is the safer guess."""
    return BY_SEVERITY[Severity(severity)] if severity else Asked(Depth.full)
