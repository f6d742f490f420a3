"""The summary: three plain sentences, each on a line of its own (what happened, what was felt, how it was fixed).

A summary that somebody typed as one paragraph stays one paragraph.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass

SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])")


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the close of a meeting asks; an empty one was left open."""

    happened: str
    felt: str = ""
    fixed: str = ""

    def as_summary(self) -> str:
        """Each on its line; a later one keeps its place where an earlier one is left open."""
        return "\n".join(" ".join(each.split()) for each in astuple(self)).rstrip()


def sentences_of(summary: str | None) -> Sentences:
    """What a form begins with: the lines, or the sentences of a paragraph where they are three, else all in one."""
    words = (summary or "").strip()
    lines, sentences = [line.strip() for line in words.split("\n")], SENTENCE_ENDS.split(words)
    if 1 < len(lines) <= 3:
        return Sentences(*lines)
    if len(sentences) == 3:
        return Sentences(*sentences)
    return Sentences(" ".join(words.split()))
