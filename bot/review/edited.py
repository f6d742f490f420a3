"""Reading back a report that somebody changed in Markdown: which texts are new, and what cannot be taken in.

Every text that can be changed stands on a line of its own whose beginning nothing else has: `- **Action 12** · …`. All
other lines have to be as they were; one that is not is named, so that nothing is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MARKED = re.compile("\ue000(.*?)\ue001(.*?)\ue002")
"""A text that can be changed, with its key before it, as `Reports.marked` writes it."""
ESCAPED = re.compile(r"\\([\\`*\[\]{}|~$_#\-+=>.)])")
SHOWN = 80
"""Characters of a line that is named."""


@dataclass(frozen=True)
class Refusal:
    """A change that cannot be taken in: the line it is on, if it is still there, and why."""

    line: int | None
    why: str

    @property
    def said(self) -> str:
        """`Line 12: “## Hazards” is no text that I can take in here.`"""
        return f"{self.why}." if self.line is None else f"Line {self.line}: {self.why}."


@dataclass(frozen=True)
class Edits:
    """The new texts by key (`finding 3`), and what could not be taken in."""

    texts: Mapping[str, str]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class _Line:
    """A line of the report as it stands; `before` and `after` surround the text of `key`."""

    shown: str
    key: str = ""
    before: str = ""
    after: str = ""

    def fits(self, line: str) -> bool:
        line = line.ljust(len(self.before))  # Of an emptied text the space before it went with the end of the line.
        room = len(line) >= len(self.before) + len(self.after)
        return bool(self.key) and room and line.startswith(self.before) and line.endswith(self.after)

    def text(self, line: str) -> str:
        return line[len(self.before) : len(line) - len(self.after) or None]


def read(marked: str, edited: str) -> Edits:
    """What was changed in a report, whose lines were these with their marks."""
    known = [_read_line(line.rstrip()) for line in marked.splitlines() if line.strip()]
    given = [(number, line.rstrip()) for number, line in enumerate(edited.splitlines(), 1) if line.strip()]
    found = [_which(line, known) for _, line in given]
    texts, refused = _texts(given, found)
    return Edits(texts, tuple(sorted([*refused, *_moved(known, given, found)], key=lambda one: one.line or 0)))


def _read_line(line: str) -> _Line:
    marks = list(MARKED.finditer(line))
    shown = MARKED.sub(r"\2", line)
    if len(marks) != 1:
        return _Line(shown)
    (mark,) = marks
    return _Line(shown, mark[1], line[: mark.start()], line[mark.end() :])


def _which(line: str, known: Sequence[_Line]) -> _Line | None:
    """The line this is, or was before somebody changed it; None for one that is new or could be several."""
    same = next((one for one in known if one.shown == line), None)
    if same:
        return same
    fitting = [one for one in known if one.fits(line)]
    longest = max((len(one.before) for one in fitting), default=0)
    nearest = [one for one in fitting if len(one.before) == longest]
    return nearest[0] if len({one.key for one in nearest}) == 1 else None


def _texts(given: Sequence[tuple[int, str]], found: Sequence[_Line | None]) -> tuple[dict[str, str], list[Refusal]]:
    texts: dict[str, str] = {}
    refused: list[Refusal] = []
    for (number, line), was in zip(given, found, strict=True):
        if was is None or not was.key or was.shown == line:
            continue
        text = unescaped(was.text(line)).strip()
        if not text:
            refused.append(Refusal(number, f"{was.key} would be left without words"))
        elif texts.setdefault(was.key, text) != text:
            refused.append(Refusal(number, f"{was.key} was changed in two places, each in its own way"))
    return texts, refused


def _moved(
    known: Sequence[_Line], given: Sequence[tuple[int, str]], found: Sequence[_Line | None]
) -> Iterable[Refusal]:
    """Lines that are new, gone, or in another place."""
    before = [one.shown for one in known]
    after = [was.shown if was else f"\n{line}" for (_, line), was in zip(given, found, strict=True)]
    for what, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        for number, line in given[first:last]:
            yield Refusal(number, f"“{_short(line)}” is no text that I can take in here")
        if what == "delete":
            for gone in before[start:end]:
                yield Refusal(None, f"“{_short(gone)}” is gone")


def unescaped(markdown: str) -> str:
    """A text as it was written, before Markdown's signs in it were escaped."""
    plain = ESCAPED.sub(r"\1", markdown)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _short(line: str) -> str:
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
