"""Secrets in the parts of a message: one that stands in several of them leaves them all, rich text included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.review.secret_rules import SHORTEST, is_mixed
from bot.review.secrets import KINDS, Redaction, Secret, apart, find, label, worded

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a message that hold words, and what was taken out of them."""

    text: str
    blocks: list[Any] | None
    attachments: list[Any] | None
    redactions: tuple[Redaction, ...] = ()


MOST_VALUES = 100


def in_message(text: str, blocks: list[Any] | None = None, attachments: list[Any] | None = None) -> Parts:
    """A message without its secrets: one that is in several parts of it leaves them all."""
    whole = [text, blocks, attachments]
    found = [(words, secrets) for words in _strings(whole) if (secrets := find(words))]
    if not found:
        return Parts(text=text, blocks=blocks, attachments=attachments)
    values = _values(found)
    hidden, here = _hidden(text, values)
    kinds = {secret.kind for _, secrets in found for secret in secrets} - {one["kind"] for one in here}
    elsewhere = [{"kind": kind, "offset": None, "length": None} for kind in sorted(kinds)]
    rest = _without(blocks, values), _without(attachments, values)
    return Parts(text=hidden, blocks=rest[0], attachments=rest[1], redactions=(*here, *elsewhere))


def _values(found: Iterable[tuple[str, Sequence[Secret]]]) -> dict[str, str]:
    """What is looked for everywhere, with its kind, the longest first; a plain word that serves as password is not."""
    values: dict[str, str] = {}
    for words, secrets in found:
        for secret in secrets:
            value = words[secret.start : secret.end]
            if len(value) >= SHORTEST and is_mixed(value):
                values |= dict.fromkeys((value, _escaped(value), _unescaped(value)), secret.kind)
    longest = sorted(values, key=lambda value: (-len(value), value))[:MOST_VALUES]
    return {value: values[value] for value in longest}


def _as_kept(text: str) -> str:
    """The disk does not take every letter; one of those would hide a secret only until it is written."""
    return text.replace("\0", "")


def _hidden(said: str, values: Mapping[str, str]) -> tuple[str, list[Redaction]]:
    text = _as_kept(said)
    spans = [(KINDS[secret.kind], (secret.start, secret.end)) for secret in find(text)]
    for value, kind in values.items():
        spans += [(KINDS[kind], (at, at + len(value))) for at in _places(value, text)]
    return worded(text, apart(spans))


def _places(value: str, text: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _strings(whole: object) -> Iterator[str]:
    """Every string inside, and what a person reads as one although styles cut it."""
    waiting = [whole]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield _as_kept(value)
        elif isinstance(value, dict):
            waiting += [inner for key, inner in cast("Json", value).items() if key != "type"]
        elif isinstance(value, list):
            every = cast("list[object]", value)
            waiting += every
            pieces = _pieces(every)
            if len(pieces) > 1:
                yield "".join(words for _, _, words in pieces)


def _without(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _hidden(value, values)[0]
    if isinstance(value, dict):
        return {key: _without(inner, values) for key, inner in cast("Json", value).items()}
    if isinstance(value, list):
        return [_without(inner, values) for inner in _uncut(cast("list[Any]", value))]
    return value


# Rich text: elements that are read as one ------------------------------------------------


Piece = tuple[int, str, str]
"""Which element, which of its keys, and what that says."""


def _pieces(elements: Sequence[object]) -> list[Piece]:
    pieces: list[Piece] = []
    for number, one in enumerate(elements):
        if isinstance(one, dict):
            element = cast("Json", one)
            key = "text" if isinstance(element.get("text"), str) else "url"
            if isinstance(element.get(key), str):
                pieces.append((number, key, element[key]))
    return pieces


def _uncut(elements: list[Any]) -> list[Any]:
    """The elements without the secrets that reach over more than one of them."""
    pieces = _pieces(elements)
    found = find("".join(words for _, _, words in pieces)) if len(pieces) > 1 else []
    mended = list(elements)
    start = 0
    for number, key, words in pieces:
        end = start + len(words)
        crossing = [
            one for one in found if one.start < end and one.end > start and not start <= one.start < one.end <= end
        ]
        if crossing:
            mended[number] = _mended(mended[number], key, _cut(words, start, crossing))
        start = end
    return mended


def _cut(words: str, start: int, crossing: Sequence[Secret]) -> str:
    """An element's share is cut out of it; where the secret begins, the words for it stand."""
    for secret in reversed(crossing):
        begin, end = max(secret.start - start, 0), min(secret.end - start, len(words))
        said = label(secret.kind) if secret.start >= start else ""
        words = words[:begin] + said + words[end:]
    return words


def _mended(element: Json, key: str, words: str) -> dict[str, Any]:
    link = {"url": words} if "url" in element else {}
    return {**element, **link, key: words}
