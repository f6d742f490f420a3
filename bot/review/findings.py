"""What a review finds: contributors, mitigators, risks, learnings, dissent and open questions (S1, S2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.review.refusal import Refused


class FindingKind(StrEnum):
    """There is deliberately no root cause among them."""

    contributor = "contributor"
    mitigator = "mitigator"
    risk = "risk"
    learning = "learning"
    dissent = "dissent"
    question = "question"

    @property
    def label(self) -> str:
        """As it is said: `open question`, `differing view`."""
        return {"question": "open question", "dissent": "differing view"}.get(self.value, self.value)

    @property
    def meaning(self) -> str:
        """What the word stands for, in one line."""
        return MEANINGS[self]

    @property
    def sorts(self) -> tuple[str, ...]:
        """The sorts it comes in; none for most."""
        return SORTS.get(self, ())


def read_finding_kind(words: str) -> FindingKind:
    """`risk`, `open question`; raises UnknownFindingKind."""
    said = words.strip().lower()
    for kind in FindingKind:
        if said in {kind.value, kind.label}:
            return kind
    raise UnknownFindingKind(words=words.strip(), kinds=", ".join(FindingKind))


@dataclass(eq=False)
class UnknownFindingKind(Refused):
    """I do not know {words} as a kind of finding. I know {kinds}."""

    words: str
    kinds: str


MEANINGS: Mapping[FindingKind, str] = {
    FindingKind.contributor: "what made the incident possible, or worse",
    FindingKind.mitigator: "what kept it smaller: a control, a circumstance, something a person did",
    FindingKind.risk: "a wider hazard that it brought to light",
    FindingKind.learning: "something we now understand better: about the system, or about the response",
    FindingKind.dissent: "a differing view, kept as it was said",
    FindingKind.question: "what nobody in the room knew",
}

SORTS: Mapping[FindingKind, tuple[str, ...]] = {
    FindingKind.contributor: ("technical", "human", "external"),
    FindingKind.mitigator: ("designed", "improvised", "luck"),
    FindingKind.learning: ("technical", "process", "communication", "tooling"),
}


def split_sort(kind: FindingKind, text: str) -> tuple[str | None, str]:
    """`external: DNS failed` is a sort and its text; any other colon is part of the text."""
    before, colon, after = text.strip().partition(":")
    sort = before.strip().lower()
    if colon and sort in kind.sorts:
        return sort, after.strip()
    return None, text.strip()
