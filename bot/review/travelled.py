"""How word travelled: first word to customers and to stakeholders, the longest silence, the hand-overs (S2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Protocol

from bot.review.incident import in_words
from bot.review.stops import Stoppable, in_time
from bot.review.timeline import NEGATED, NOT_SAID, Kind

LONG = timedelta(minutes=10)
"""A shorter silence is no fact worth a line."""
ENOUGH = 3
"""Events from which on a silence between two of them, and word that is missing, say something."""


class Spoken(Stoppable, Protocol):
    """What is asked of an event to say how word travelled; without words, its message was deleted."""

    @property
    def words(self) -> str | None: ...


class Sort(StrEnum):
    """What sort of fact it is."""

    customers = "customers"
    stakeholders = "stakeholders"
    handover = "handover"
    silence = "silence"


@dataclass(frozen=True)
class Fact:
    """One fact about how word travelled: where it falls on the timeline, and a sentence without its time.

    `number` is that of the event it falls at; None where the timeline has none, and `at` is None then, too. Of a
    silence `at` is its end, and `since` its beginning.
    """

    sort: Sort
    number: int | None
    at: datetime | None
    sentence: str
    since: datetime | None = None


def travelled(
    events: Sequence[Spoken], *, detected_at: datetime | None = None, over_at: datetime | None = None
) -> list[Fact]:
    """The facts in order of time, what is missing last.

    1. Detection is `detected_at`, else the first event of that kind; without either, lengths after it are not said.
    2. A silence counts until `over_at`, else until the last mitigation: afterwards nobody waits for word.
    """
    told = in_time(events)
    detected = detected_at or next((event.occurred_at for event in told if event.kind == Kind.detection), None)
    facts = [
        *_first_word(told, Sort.customers, detected),
        *_first_word(told, Sort.stakeholders, detected),
        *_handovers(told),
        *_longest_silence(told, over_at),
    ]
    placed = sorted((fact.at, nth, fact) for nth, fact in enumerate(facts) if fact.at)
    return [*(fact for *_, fact in placed), *(fact for fact in facts if fact.at is None)]


# To whom ----------------------------------------------------------------------------------

TOLD = r"(?:told|telling|informed|informing|notified|e-?mailed|mailed|wrote to|called|updated?|answered|briefed)"
A_FEW_WORDS = r"(?:\s+(?:the|all|our|some|affected|every|both|first|most|key|big|about|\d+)){0,3}\s+"
CUSTOMERS = re.compile(
    rf"\bstatus ?page\b|\bbanner\b|\b{TOLD}{A_FEW_WORDS}(?:customers?|users?|clients?|shops?|merchants?|tenants?)\b"
    r"|\b(?:to|for)(?:\s+(?:the|all|our|affected)){0,2}\s+(?:customers|users|clients|merchants)\b"
    r"|\b(?:customers|users|clients|merchants) (?:have been|has been|were|are|are being) "
    r"(?:told|informed|notified|e-?mailed)\b"
    r"|\b(?:tweeted|posted on (?:twitter|x|mastodon|linkedin|the forum))\b",
    re.IGNORECASE,
)
STAKEHOLDERS = re.compile(
    rf"\b{TOLD}{A_FEW_WORDS}"
    r"(?:stakeholders?|leaders?|leadership|management|managers?|executives?|directors?|(?:customer )?support|sales"
    r"|account managers?|legal|press|partners?|board|ceo|cto|coo|product)\b"
    r"|\b(?:update|mail|e-?mail|message|note|word|summary) (?:to|for)(?:\s+(?:the|all|our)){0,2}\s+"
    r"(?:stakeholders|leadership|management|executives|support|sales|legal|partners|the board)\b"
    r"|\b(?:stakeholders|leadership|management|support|sales|partners) (?:have been|has been|were|was|are|is) "
    r"(?:told|informed|notified|briefed)\b",
    re.IGNORECASE,
)
NAMES = {Sort.customers: "customers", Sort.stakeholders: "stakeholders"}
REACHES = {Sort.customers: CUSTOMERS, Sort.stakeholders: STAKEHOLDERS}


def _first_word(told: Sequence[Spoken], sort: Sort, detected: datetime | None) -> Iterator[Fact]:
    first = next((event for event in told if event.kind == Kind.communication and _reaches(event, sort)), None)
    if first:
        sentence = f"First word to {NAMES[sort]}{_after(first.occurred_at, detected)}."
        yield Fact(sort, first.number, first.occurred_at, sentence)
    elif len(told) >= ENOUGH:
        yield Fact(sort, None, None, f"The timeline holds no word to {NAMES[sort]}.")


def _reaches(event: Spoken, sort: Sort) -> bool:
    """Whether its words say that somebody was told: no question, and no word of what has not been done yet."""
    said = NOT_SAID.sub(" ", event.words or "")
    for sentence in re.split(r"(?<=[.!?])\s+|\n", said):
        found = REACHES[sort].search(sentence)
        if found and not sentence.rstrip().endswith("?") and not NEGATED.search(sentence[: found.end()]):
            return True
    return False


def _after(at: datetime, detected: datetime | None) -> str:
    if detected is None:
        return ""
    if abs(at - detected) < timedelta(minutes=1):
        return ", in the minute of detection"
    length = in_words(int(abs(at - detected).total_seconds()))
    return f", {length} {'after' if at > detected else 'before'} detection"


# What was passed on, and where it was quiet ---------------------------------------------------


def _handovers(told: Sequence[Spoken]) -> Iterator[Fact]:
    handovers = [event for event in told if event.kind == Kind.handover]
    for nth, event in enumerate(handovers, start=1):
        counted = "The hand-over" if len(handovers) == 1 else f"Hand-over {nth} of {len(handovers)}"
        yield Fact(Sort.handover, event.number, event.occurred_at, f"{counted}.")


def _longest_silence(told: Sequence[Spoken], over_at: datetime | None) -> Iterator[Fact]:
    mitigated = [event.occurred_at for event in told if event.kind == Kind.mitigation]
    until = over_at or (mitigated[-1] if mitigated else None)
    during = [event for event in told if until is None or event.occurred_at <= until]
    gaps = [(later.occurred_at - earlier.occurred_at, earlier, later) for earlier, later in pairwise(during)]
    length, earlier, later = max(gaps, key=lambda gap: gap[0], default=(timedelta(), None, None))
    if earlier and later and length >= LONG and len(during) >= ENOUGH:
        sentence = f"The longest silence came before this: {in_words(int(length.total_seconds()))}."
        yield Fact(Sort.silence, later.number, later.occurred_at, sentence, since=earlier.occurred_at)
