"""Secrets that somebody pasted: found by their shape and taken out before a word is kept; nobody is asked about them.

A usual line costs a few searches for the words without which no secret is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.review.secret_rules import RULES

Json = Mapping[str, Any]
Redaction = dict[str, Any]
"""`kind`, and where the words stand that took a secret's place: `offset` and `length`, None outside of the text."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What kind of secret stands from `start` up to `end`."""

    kind: str
    start: int
    end: int


LABEL = "[secret removed: "


def find(text: str) -> list[Secret]:
    """The secrets in a text, in order and apart from each other."""
    small = _small(text)
    for sign, words in HINTS:
        if sign in small:
            for word in words:
                if word in small:
                    return _found(text, small)
    return []


def _small(text: str) -> str:
    """In small letters, each where it was: some letters have two small ones."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(min(one.lower(), one, key=len) for one in text)


def _found(text: str, small: str) -> list[Secret]:
    rules = {number for word, number in WORDS if word in small}
    return apart((rule, span) for rule in rules for span in RULES[rule].spans(text, small))


def replace(text: str) -> tuple[str, list[Redaction]]:
    """The text with words in place of its secrets, and where these words stand in it."""
    return worded(text, find(text))


def label(kind: str) -> str:
    """What stands where a secret stood."""
    return f"{LABEL}{kind}]"


def is_without(text: str) -> bool:
    """Whether a secret was taken out of it."""
    return LABEL in text


def apart(found: Iterable[tuple[int, tuple[int, int]]]) -> list[Secret]:
    """Overlapping ones become one, of the kind whose rule comes first."""
    apart: list[tuple[int, int, int]] = []
    for rule, (start, end) in sorted(found, key=lambda one: one[1]):
        if apart and start < apart[-1][2]:
            first, begin, last = apart[-1]
            apart[-1] = (min(first, rule), begin, max(last, end))
        else:
            apart.append((rule, start, end))
    return [Secret(RULES[rule].kind, start, end) for rule, start, end in apart]


def worded(text: str, found: Sequence[Secret]) -> tuple[str, list[Redaction]]:
    """The text with words in place of these."""
    parts: list[str] = []
    redactions: list[Redaction] = []
    at = length = 0
    for secret in found:
        words = label(secret.kind)
        length += secret.start - at
        redactions.append({"kind": secret.kind, "offset": length, "length": len(words)})
        parts += [text[at : secret.start], words]
        at, length = secret.end, length + len(words)
    return "".join([*parts, text[at:]]) if found else text, redactions


KINDS: Mapping[str, int] = {rule.kind: number for number, rule in reversed(list(enumerate(RULES)))}


def _hints() -> Sequence[tuple[str, Sequence[str]]]:
    """The fewest words without which no rule applies, by the sign without which they cannot be there."""
    every = {word for rule in RULES for word in rule.words}
    by_sign: defaultdict[str, list[str]] = defaultdict(list)
    for word in sorted(every):
        if not any(other in word for other in every - {word}):
            by_sign[next((sign for sign in "_=:-." if sign in word), "")].append(word)
    return [(sign, tuple(words)) for sign, words in by_sign.items()]


WORDS = tuple((word, number) for number, rule in enumerate(RULES) for word in rule.words)
HINTS = _hints()
