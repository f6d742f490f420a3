"""What a wording may sound like, and how a rule reads a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PERSON_MARK = "\ue100"
"""Stands for every letter of somebody's name, so that places in the text stay what they are."""


class Wording(StrEnum):
    """What a wording sounds like."""

    counterfactual = "counterfactual"
    judging = "judging"
    human_error = "human_error"
    single_cause = "single_cause"
    person_at_fault = "person_at_fault"
    why_who_question = "why_who_question"

    @property
    def sounds(self) -> str:
        """How it may be read, to follow “may be read as”."""
        return SOUNDS[self]

    @property
    def instead(self) -> str:
        """The question that leads to another wording."""
        return INSTEAD[self]


SOUNDS: Mapping[Wording, str] = {
    Wording.counterfactual: "what did not happen, seen from afterwards",
    Wording.judging: "a verdict",
    Wording.human_error: "an end of the search at a person",
    Wording.single_cause: "the one cause, and an incident rarely has only one",
    Wording.person_at_fault: "one person's fault",
    Wording.why_who_question: "a question to defend oneself against",
}
INSTEAD: Mapping[Wording, str] = {
    Wording.counterfactual: "What was done at that moment, and what made it sensible then?",
    Wording.judging: "What could anybody see or measure: a time, a number, what was on the screen?",
    Wording.human_error: "What made this easy to happen, and what let it matter?",
    Wording.single_cause: "What else made it possible, or worse? Each is a contributor of its own.",
    Wording.person_at_fault: "How would it read with a role or a system as its subject?",
    Wording.why_who_question: "How would it read as a question that begins with how or what?",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as the rules read it, and where it begins in the text."""

    text: str
    start: int

    @property
    def is_question(self) -> bool:
        return self.text.rstrip(" \"')*_").endswith("?")

    def before(self, match: re.Match[str], letters: int = 60) -> str:
        return self.text[max(0, match.start() - letters) : match.start()]

    def after(self, match: re.Match[str], letters: int = 60) -> str:
        return self.text[match.end() : match.end() + letters]


Unless = Callable[[Sentence, re.Match[str]], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that sound like something, unless one of these says that they do not here."""

    wording: Wording
    words: re.Pattern[str]
    unless: Sequence[Unless] = ()

    def first(self, sentence: Sentence) -> re.Match[str] | None:
        found = (match for match in self.words.finditer(sentence.text))
        return next((match for match in found if not any(excuse(sentence, match) for excuse in self.unless)), None)


def compiled(pattern: str) -> re.Pattern[str]:
    """Without regard to case; `didnt` is `didn't`."""
    return re.compile(pattern.replace("n't", "n'?t"), re.IGNORECASE)


def rule(wording: Wording, pattern: str, *unless: Unless) -> Rule:
    return Rule(wording, compiled(pattern), unless)
