"""Finding somebody's words in what was written later, and taking them out of it.

Between a message and its copies stand the escapes of Slack and Markdown, quotation marks at the starts of lines, names
in place of ids, and an ellipsis where a copy was cut short. Both are compared without these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

DELETED = "(words deleted)"
"""What stands in the place of words that were taken out."""

SOME = 8
"""Characters from which words inside others are taken for a quotation of a message that was put to use."""
OWN_WORDS, OWN_LENGTH = 3, 20
"""From so many words and characters two people hardly say the same by chance …"""
OWN_SIGN = re.compile(r"(?<!\S)(?=\S*[\d@#$%^+=/-])\S{8,}")
"""… and an address, a number, an id or a password is its author's alone."""

Reach = Literal["own", "places", "some"]
"""What is taken for a quotation: what nobody else would say; besides, what has a place of its own, on a line or
between the dots of one; besides, what stands inside other words.
"""

ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
ENTITY = re.compile("&(?:amp|lt|gt);")
MARKS = "\\`*_~><\ufffd\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
LEFT_OUT = str.maketrans(dict.fromkeys(MARKS, ""))
RUN = re.compile(r"[^\W_]+")
ASCII_RUN = re.compile(r"[a-z0-9]+")
FEW = 3
"""Fewer letters of ASCII than these stand in most texts, and are no help in finding one."""
PIECE = re.compile(r"```|&(?:amp|lt|gt);|\s+|.", re.DOTALL)
PLACE = re.compile(r"\n| · | \(")
"""What separates one place in a line or a table from the next."""
ELLIPSIS = "…"
BUTTON_VALUE = '{"text": '


Anchor = tuple[str, ...]
"""Runs of letters and digits, in their order: they stand in a copy just so, whatever its escapes are between them."""


def anchors(text: str) -> tuple[Anchor, ...]:
    """What the beginning of a text is looked for by: its runs of ASCII, else a few other letters in the usual cases."""
    beginning = _beginning(ENTITY.sub(lambda found: ENTITIES[found[0]], text).lstrip(f"{MARKS} \n\t"))
    plain = tuple(ASCII_RUN.findall("".join(letter.lower() if letter.isascii() else letter for letter in beginning)))
    others = [run for run in RUN.findall(beginning) if not run.isascii()]
    if others and sum(map(len, plain)) < FEW:
        return tuple((letters,) for letters in sorted(_cases(max(others, key=len)[:FEW])))
    return (plain,) if plain else ()


def _beginning(text: str) -> str:
    """What every copy has of it, even one that was cut short: those that are compared as several count so."""
    return next(text[:length] for length in range(SOME, -1, -1) if len(text[:length].casefold()) <= SOME)


def _cases(letters: str) -> set[str]:
    """As people write them: no database knows the case of every letter. `ß` has no large form of one letter."""
    cases = {letters, letters.lower(), letters.upper(), letters.capitalize()}
    return {other for other in cases if len(other) == len(letters)}


@dataclass(frozen=True, slots=True)
class Needle:
    """One wording as it is looked for."""

    words: str
    anchors: tuple[Anchor, ...]
    """In every copy stands one of these, whatever its case: looked for first, being cheap; none without letters."""

    @classmethod
    def of(cls, text: str) -> Needle:
        return cls(normal(text), anchors(text))

    def may_stand_in(self, folded: str) -> bool:
        """Whether there is an anchor in a text without case."""
        return not self.anchors or any(all(run.casefold() in folded for run in anchor) for anchor in self.anchors)

    @property
    def is_own(self) -> bool:
        """Whether nobody else would say just this."""
        return self._is_long or OWN_SIGN.search(self.words) is not None

    @property
    def _is_long(self) -> bool:
        return len(self.words) >= OWN_LENGTH and self.words.count(" ") + 1 >= OWN_WORDS

    def is_quoted(self, reach: Reach) -> bool:
        """Whether it is looked for inside other words; what holds a mark between places has no place of its own."""
        if reach == "some" or (reach == "places" and PLACE.search(self.words)):
            return len(self.words) >= SOME
        return self.is_own


@dataclass(frozen=True, slots=True)
class Wordings:
    """Every wording that a message has had."""

    needles: tuple[Needle, ...]

    @classmethod
    def of(cls, texts: Iterable[str], names: Mapping[str, str]) -> Wordings:
        """As they were written, and with the names of those whom they mention by id."""
        every = {wording for text in texts for wording in (text, _with_names(text, names))}
        found = {needle for needle in map(Needle.of, every) if needle.words}
        return cls(tuple(sorted(found, key=lambda needle: (-len(needle.words), needle.words, needle.anchors))))


def _with_names(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"<@(\w+)(?:\|[^<>]*)?>|@(\w+)", lambda found: _named(found, names), text)


def _named(found: re.Match[str], names: Mapping[str, str]) -> str:
    return f"@{names.get(found[1] or found[2], found[1] or found[2])}"


# Taking out --------------------------------------------------------------------------------


def take_out(text: str, wordings: Wordings, reach: Reach) -> str:
    """The text with a mark in place of these words; the same text where they do not stand in it."""
    folded = text.casefold()
    for needle in wordings.needles:
        if not needle.may_stand_in(folded):
            continue
        if needle.is_quoted(reach):
            text = _without(text, needle.words)
        if reach != "own":
            text = _without_places(text, needle.words)
    return text


def take_out_of_json(value: Any, wordings: Wordings, reach: Reach) -> Any:
    """The same value with every string in it so; what a button types is JSON again."""
    if isinstance(value, str):
        return (
            _of_button(value, wordings, reach) if value.startswith(BUTTON_VALUE) else take_out(value, wordings, reach)
        )
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {key: take_out_of_json(inner, wordings, reach) for key, inner in items}
    if isinstance(value, list):
        return [take_out_of_json(inner, wordings, reach) for inner in cast("list[Any]", value)]
    return value


def _of_button(value: str, wordings: Wordings, reach: Reach) -> str:
    try:
        typed = json.loads(value)
    except ValueError:
        return take_out(value, wordings, reach)
    said = take_out_of_json(typed, wordings, reach)
    return value if said == typed else json.dumps(said, ensure_ascii=False)


def _without(text: str, words: str) -> str:
    plain = normal(text)
    if words not in plain and ELLIPSIS not in plain:
        return text
    spans = [*_whole(plain, words), *_cut_short(plain, words)]
    return _replaced(text, spans) if spans else text


def _whole(plain: str, words: str) -> Iterator[tuple[int, int]]:
    start = plain.find(words)
    while start >= 0:
        end = start + len(words)
        if _stands_alone(plain, start, end):
            yield start, end
        start = plain.find(words, end)


def _stands_alone(plain: str, start: int, end: int) -> bool:
    """No part of a longer word."""
    before, after = plain[start - 1 : start], plain[end : end + 1]
    return not (_in_a_word(before, plain[start]) or _in_a_word(plain[end - 1], after))


def _in_a_word(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum()


def _cut_short(plain: str, words: str) -> Iterator[tuple[int, int]]:
    """The beginning of the words, with an ellipsis after it."""
    for mark in re.finditer(ELLIPSIS, plain):
        end = len(plain[: mark.start()].rstrip())
        longest = min(end, len(words) - 1)
        length = next((n for n in range(longest, SOME - 1, -1) if plain.endswith(words[:n], end - n, end)), 0)
        if length and _stands_alone(plain, end - length, mark.end()):
            yield end - length, mark.end()


def _without_places(text: str, words: str) -> str:
    """Short words are found where nothing else stands: on a line of their own, or between the dots of one."""
    parts, marks = PLACE.split(text), [*PLACE.findall(text), ""]
    said = (DELETED if _says(normal(part), words) else part for part in parts)
    return "".join(part + mark for part, mark in zip(said, marks, strict=True))


def _says(part: str, words: str) -> bool:
    return part == words or (part.endswith(ELLIPSIS) and len(part) > SOME and words.startswith(part[:-1].rstrip()))


# Comparing -------------------------------------------------------------------------------------


def normal(text: str) -> str:
    """A text as it is compared: without escapes, marks, line ends and case."""
    if "&" in text or "`" in text:
        text = ENTITY.sub(lambda found: ENTITIES[found[0]], text.replace("```", " "))
    return " ".join(text.translate(LEFT_OUT).split()).casefold()


def _replaced(text: str, spans: Collection[tuple[int, int]]) -> str:
    """The text without these spans of its normal form."""
    starts, last = _starts(text), len(normal(text))
    for start, end in sorted(spans, reverse=True):
        if end <= last:
            text, last = text[: starts[start][0]] + DELETED + text[starts[end - 1][1] :], start
    return text


def _starts(text: str) -> list[tuple[int, int]]:
    """From where to where in a text each character of its normal form stands."""
    found: list[tuple[int, int]] = []
    blank: tuple[int, int] | None = None
    for piece in PIECE.finditer(text):
        letter = ENTITIES.get(piece[0], piece[0])
        if letter.isspace() or letter == "```":
            blank = blank or piece.span()
        elif said := letter.translate(LEFT_OUT):
            found += [blank] if blank and found else []
            found += [piece.span()] * len(said.casefold())
            blank = None
    return found
