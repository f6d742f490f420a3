"""Somebody who asked to be forgotten: what stands in the place of their id, their name and their address."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

PREFIX = "UERASED"
PSEUDONYM = re.compile(rf"{PREFIX}[0-9A-F]{{6}}")
USER = re.compile(r"(?:<@)?(?<![A-Za-z0-9_])([UW][A-Z0-9]{2,79})(?![A-Za-z0-9_])(?:\|[^<>]*>|>)?")
"""A user's id where it stands alone, with the brackets of a mention, in which a name may stand, too."""
SHORTEST_NAME = 2
"""Characters; a name of one letter is found in every text."""


def new() -> str:
    """A pseudonym that says nothing of whom it stands for."""
    return f"{PREFIX}{secrets.token_hex(3).upper()}"


def name_of(pseudonym: str) -> str:
    """`UERASED4F2A19` is called “Someone 4F2A19”."""
    return f"Someone {pseudonym.removeprefix(PREFIX)}"


def is_pseudonym(user: str | None) -> bool:
    return user is not None and PSEUDONYM.fullmatch(user) is not None


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a text that was replaced, as it stood before: from where, how long, and how much longer now."""

    start: int
    length: int
    longer: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """Puts pseudonyms in the place of users, and of the names that go with one of them."""

    pseudonym_of: Callable[[str], str | None]
    names: re.Pattern[str] | None = None
    name: str = ""

    @classmethod
    def of_one(cls, user: str, pseudonym: str, names: Iterable[str]) -> Replacement:
        """One person by id, and by the names and addresses they are known by."""
        known = sorted({name for name in names if len(name) >= SHORTEST_NAME}, key=len, reverse=True)
        written = "|".join(map(_as_written, known))
        pattern = re.compile(rf"(?<!\w)(?:{written})(?!\w)") if known else None
        return cls({user: pseudonym}.get, pattern, name_of(pseudonym))

    def in_text(self, text: str) -> str:
        return self.with_edits(text)[0]

    def with_edits(self, text: str) -> tuple[str, list[Edit]]:
        """The text without them, and where it was changed."""
        found = [(match.span(), self._said(match)) for match in USER.finditer(text)]
        found = [(span, said) for span, said in found if said is not None]
        if self.names:
            taken = {place for (start, end), _ in found for place in range(start, end)}
            named = self.names.finditer(text)
            found += [(match.span(), self.name) for match in named if not taken.intersection(range(*match.span()))]
        for (start, end), said in sorted(found, reverse=True):
            text = text[:start] + said + text[end:]
        return text, [Edit(start, end - start, len(said) - end + start) for (start, end), said in sorted(found)]

    def _said(self, match: re.Match[str]) -> str | None:
        pseudonym = self.pseudonym_of(match[1])
        if pseudonym is None:
            return None
        is_mention = match[0].startswith("<@")
        return f"<@{pseudonym}>" if is_mention else match[0].replace(match[1], pseudonym)

    def in_json(self, value: Any) -> Any:
        """The same for every string of a value, keys included."""
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, Mapping):
            items = cast("Mapping[str, Any]", value).items()
            return {self.in_text(key): self.in_json(inner) for key, inner in items}
        if isinstance(value, list):
            return [self.in_json(inner) for inner in cast("list[Any]", value)]
        return value


def _as_written(name: str) -> str:
    """A name with the escapes that Slack's markup and Markdown write it with."""
    return "".join(letter if letter.isalnum() else _sign(letter) for letter in name)


def _sign(letter: str) -> str:
    escaped = {"&": "(?:&amp;|&)", "<": "(?:&lt;|<)", ">": "(?:&gt;|>)"}
    return rf"\\?{escaped.get(letter, re.escape(letter))}"


def moved(redactions: Iterable[Any], edits: Iterable[Edit]) -> list[Any]:
    """Where replaced secrets stand in a text after these edits; those outside of it stand nowhere."""
    before = list(edits)
    return [one | {"offset": _shifted(one["offset"], before)} for one in redactions]


def _shifted(offset: int | None, edits: Iterable[Edit]) -> int | None:
    return None if offset is None else offset + sum(edit.longer for edit in edits if edit.start < offset)
