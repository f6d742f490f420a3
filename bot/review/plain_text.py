"""A message as a person would read it: Slack's markup resolved, or its blocks and attachments where it has no text.

Names are not known here: a mention stays a token, `@U0MARA`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

Json = Mapping[str, Any]

ANGLED = re.compile(r"<([^<>\n]+)>")
DATE = re.compile(r"!date\^[^|]*\|(.*)")


def plain(text: str, blocks: object = None, attachments: object = None) -> str:
    """The text a person would read; never raises, whatever the blocks are made of."""
    if text.strip():
        return of_markup(text)
    parts = [*map(_block, _objects(blocks)), *map(_attachment, _objects(attachments))]
    return _lines(parts)


def of_markup(text: str) -> str:
    """Slack's markup without its angles and escapes."""
    return _unescaped(ANGLED.sub(_token, text))


def of_typed(text: str) -> str:
    """What somebody typed after the command, without Slack's escapes; whom it mentions stays a mention, `<@U1>`."""
    return _unescaped(ANGLED.sub(_mention_or_token, text))


def _mention_or_token(match: re.Match[str]) -> str:
    return f"<{match[1].partition('|')[0]}>" if match[1].startswith("@") else _token(match)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _token(match: re.Match[str]) -> str:
    """`<@U1>` → `@U1` · `<#C1|general>` → `#general` · `<!here>` → `@here` · `<https://…|label>` → `label`."""
    inside = match[1]
    date = DATE.fullmatch(inside)
    if date:
        return date[1]
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return target
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].split('^')[-1]}"
    return label or target.removeprefix("mailto:")


# Blocks --------------------------------------------------------------------------------


def _block(block: Json) -> str:
    read = BLOCKS.get(_word(block, "type"))
    return read(block) if read else ""


def _section(block: Json) -> str:
    return _lines([_text_object(block.get("text")), *map(_text_object, _objects(block.get("fields")))])


def _context(block: Json) -> str:
    return " ".join(filter(None, map(_context_element, _objects(block.get("elements")))))


def _context_element(element: Json) -> str:
    return _word(element, "alt_text") if element.get("type") == "image" else _text_object(element)


def _image(block: Json) -> str:
    return _text_object(block.get("title")) or _word(block, "alt_text")


def _titled(block: Json) -> str:
    return _lines([_text_object(block.get("title")), _text_object(block.get("description"))])


def _markdown(block: Json) -> str:
    return _word(block, "text")


def _table(block: Json) -> str:
    rows = cast("list[object]", block.get("rows")) if isinstance(block.get("rows"), list) else []
    return _lines(" | ".join(map(_cell, _objects(row))) for row in rows)


def _cell(cell: Json) -> str:
    return _rich_text(cell) if cell.get("type") == "rich_text" else _word(cell, "text")


def _text_object(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    text = cast("Json", value)
    return of_markup(_word(text, "text")) if text.get("type") == "mrkdwn" else _word(text, "text")


# Rich text -----------------------------------------------------------------------------


def _rich_text(block: Json) -> str:
    return _lines(map(_rich_part, _objects(block.get("elements"))))


def _rich_part(part: Json) -> str:
    words = "".join(map(_rich_element, _objects(part.get("elements"))))
    if part.get("type") == "rich_text_list":
        return _list(part)
    if part.get("type") == "rich_text_quote":
        return "\n".join(f"> {line}" for line in words.split("\n"))
    return words


def _list(part: Json) -> str:
    items = ["".join(map(_rich_element, _objects(item.get("elements")))) for item in _objects(part.get("elements"))]
    if part.get("style") == "ordered":
        return "\n".join(f"{number}. {item}" for number, item in enumerate(items, start=1))
    return "\n".join(f"• {item}" for item in items)


def _rich_element(element: Json) -> str:
    read = ELEMENTS.get(_word(element, "type"))
    return read(element) if read else _word(element, "text")


ELEMENTS: Mapping[str, Callable[[Json], str]] = {
    "user": lambda element: f"@{_word(element, 'user_id')}",
    "usergroup": lambda element: f"@{_word(element, 'usergroup_id')}",
    "channel": lambda element: f"#{_word(element, 'channel_id')}",
    "broadcast": lambda element: f"@{_word(element, 'range')}",
    "emoji": lambda element: f":{_word(element, 'name')}:",
    "link": lambda element: _word(element, "text") or _word(element, "url"),
    "date": lambda element: _word(element, "fallback"),
    "color": lambda element: _word(element, "value"),
}

BLOCKS: Mapping[str, Callable[[Json], str]] = {
    "section": _section,
    "header": _section,
    "context": _context,
    "image": _image,
    "video": _titled,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
}


# Attachments ---------------------------------------------------------------------------


def _attachment(attachment: Json) -> str:
    """What an alert's coloured box says; the fallback only where it says nothing else."""
    shown = _lines(
        [
            *(of_markup(_word(attachment, key)) for key in ("pretext", "author_name", "title", "text")),
            *map(_field, _objects(attachment.get("fields"))),
            *map(_block, _objects(attachment.get("blocks"))),
        ]
    )
    return shown or of_markup(_word(attachment, "fallback"))


def _field(field: Json) -> str:
    return ": ".join(filter(None, (of_markup(_word(field, "title")), of_markup(_word(field, "value")))))


# JSON that somebody else wrote ------------------------------------------------------------


def _objects(value: object) -> list[Json]:
    if not isinstance(value, list):
        return []
    return [cast("Json", item) for item in cast("list[object]", value) if isinstance(item, Mapping)]


def _word(value: Json, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(part for part in (part.strip("\n") for part in parts) if part.strip())
