"""How grave an incident was, by the answers to a few questions (S2): a proposal with its reasons; a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any

from bot.review.incident import Severity, in_words


@dataclass(frozen=True)
class Question:
    """What is asked, and the answers to choose from, the mildest first: the word that is kept, and how it reads."""

    words: str
    answers: Mapping[str, str]


QUESTIONS: Mapping[str, Question] = {
    "customers": Question(
        "Who felt it?",
        {
            "nobody": "Nobody",
            "inside": "Only people who work here",
            "some": "Some customers",
            "most": "Most customers, or all",
        },
    ),
    "data": Question(
        "What about data?",
        {
            "safe": "Nothing was lost or wrong",
            "mended": "Some was lost or wrong, and could be mended",
            "lost": "Some is lost or wrong for good",
        },
    ),
    "security": Question(
        "Could anybody see or do what they should not?",
        {"no": "No", "perhaps": "Perhaps", "yes": "Yes"},
    ),
    "hours": Question("When did it fall?", {"usual": "Into usual or quiet hours", "peak": "Into peak hours"}),
    "regions": Question("Where?", {"one": "In one place or region", "several": "In several regions"}),
    "launch": Question("Was there a launch or an event?", {"no": "No", "yes": "Yes, it fell on one"}),
}
"""What matters for a severity, in the order of the form (S2)."""

QUICK = timedelta(minutes=15)
"""What is over so soon, is isolated and left nothing behind, is of low severity (S2)."""
PROLONGED = timedelta(hours=4)
"""What customers feel for so long is graver than what they felt for a while (S2)."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The answers by question, each None where nobody gave one, and how long the impact lasted where that is known."""

    customers: str | None = None
    data: str | None = None
    security: str | None = None
    hours: str | None = None
    regions: str | None = None
    launch: str | None = None
    lasted: timedelta | None = None

    def to_json(self) -> dict[str, str]:
        """The answers alone: how long it lasted is known from the moments."""
        return {name: word for name, word in asdict(self).items() if name in QUESTIONS and word}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None, lasted: timedelta | None = None) -> Assessment:
        """The answers that `to_json` kept; what is none of ours is left out."""
        names = {field.name for field in fields(cls)} & QUESTIONS.keys()
        known = {name: str(word) for name, word in (kept or {}).items() if name in names}
        return cls(**{name: word for name, word in known.items() if word in QUESTIONS[name].answers}, lasted=lasted)

    def lines(self) -> list[tuple[str, str]]:
        """Question and answer as people read them."""
        return [(QUESTIONS[name].words, QUESTIONS[name].answers[word]) for name, word in self.to_json().items()]


@dataclass(frozen=True)
class Proposed:
    """A severity, and why: clauses that go on after `because`."""

    severity: Severity
    reasons: tuple[str, ...]


FROM_GRAVEST = tuple(Severity)


def propose(assessment: Assessment) -> Proposed | None:
    """What these answers come to; None where nobody said who felt it, what became of data, or of security.

    1. The gravest of what was felt, lost and seen counts (S2: outages that customers feel, data, breaches).
    2. Peak hours, a launch, several regions and a long time raise it by one, together and not each, where it was felt.
    """
    found = sorted(_found(assessment), key=lambda one: FROM_GRAVEST.index(one[0]))
    if not found:
        return None
    gravest = found[0][0]
    reasons = tuple(why for severity, why in found if severity == gravest)
    raised_by = tuple(_raising(assessment)) if gravest != Severity.sev4 else ()
    severity = FROM_GRAVEST[max(0, FROM_GRAVEST.index(gravest) - bool(raised_by))]
    return Proposed(severity, (*reasons, *raised_by))


def _found(assessment: Assessment) -> Iterator[tuple[Severity, str]]:
    if assessment.customers:
        yield _felt(assessment.customers, assessment.lasted)
    if assessment.data in DATA:
        yield DATA[assessment.data]
    if assessment.security in SECURITY:
        yield SECURITY[assessment.security]


def _felt(customers: str, lasted: timedelta | None) -> tuple[Severity, str]:
    severity, why = FELT[customers]
    is_quick = lasted is not None and lasted < QUICK
    if severity in {Severity.sev4, Severity.sev1} or not is_quick:
        return severity, why
    return FROM_GRAVEST[FROM_GRAVEST.index(severity) + 1], f"{why}, for {_length(lasted)}"


def _raising(assessment: Assessment) -> Iterator[str]:
    if assessment.hours == "peak":
        yield "it fell into peak hours"
    if assessment.launch == "yes":
        yield "it fell on a launch or an event"
    if assessment.regions == "several":
        yield "several regions were hit"
    if assessment.lasted and assessment.lasted >= PROLONGED and assessment.customers in {"some", "most"}:
        yield f"it lasted {_length(assessment.lasted)}"


def _length(lasted: timedelta | None) -> str:
    return in_words(int((lasted or timedelta()).total_seconds()))


FELT: Mapping[str, tuple[Severity, str]] = {
    "nobody": (Severity.sev4, "nobody felt it"),
    "inside": (Severity.sev3, "only people who work here felt it"),
    "some": (Severity.sev2, "some customers felt it"),
    "most": (Severity.sev1, "most customers felt it"),
}
DATA: Mapping[str | None, tuple[Severity, str]] = {
    "safe": (Severity.sev4, "no data was lost"),
    "mended": (Severity.sev2, "data was lost or wrong for a while"),
    "lost": (Severity.sev1, "data is lost or wrong for good"),
}
SECURITY: Mapping[str | None, tuple[Severity, str]] = {
    "no": (Severity.sev4, "nobody saw or did what they should not"),
    "perhaps": (Severity.sev2, "somebody may have seen or done what they should not"),
    "yes": (Severity.sev1, "somebody could see or do what they should not"),
}
