"""What Slack refuses of blocks, messages and views, found before anybody sees them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.sandbox.block_kit import (
    BLOCKS,
    CONFIRM,
    ELEMENTS,
    HOME_KEYS,
    IN_ACTIONS,
    IN_HOME,
    IN_INPUT,
    IN_MODAL,
    IN_SECTION,
    KINDS_OF_KEYS,
    OPTION,
    TEXTS,
    VIEW_KEYS,
)
from bot.sandbox.json_kinds import misshapen

Json = dict[str, Any]

MOST_BLOCKS_OF_MESSAGE = 50
MOST_BLOCKS_OF_VIEW = 100
MOST_BLOCK_TEXT = 13_200
MOST_MARKDOWN = 12_000
MOST_TEXT = 40_000
MOST_VIEW_BYTES = 250_000
MOST_ATTACHMENTS = 100
MOST_OPTIONS = 100
TEXT_KEYS = (
    "text",
    "title",
    "label",
    "hint",
    "placeholder",
    "description",
    "confirm",
    "deny",
    "fields",
    "body",
    "subtitle",
)

logging.getLogger("slack_sdk.models").setLevel(logging.ERROR)


def blocks_errors(blocks: Any, *, most: int = MOST_BLOCKS_OF_MESSAGE, surface: str = "message") -> list[str]:
    """Everything wrong with blocks, each with its JSON pointer; empty when Slack would take them."""
    if not isinstance(blocks, list):
        return ["must be an array of blocks [json-pointer:/blocks]"]
    if wrong := list(misshapen(blocks, KINDS_OF_KEYS, "/blocks")):
        return wrong
    errors = [error for i, block in enumerate(blocks) for error in _block_errors(block, f"/blocks/{i}", surface)]
    if len(blocks) > most:
        errors.append(f"no more than {most} items allowed [json-pointer:/blocks]")
    if errors:
        return errors
    return [*_duplicates(blocks), *_header_sizes(blocks), *_models_say(blocks)]


def block_text_length(blocks: list[Json]) -> int:
    """Characters of all text in the blocks, as the undocumented message limit counts them."""
    return sum(len(text) for text in _texts(blocks))


def view_errors(view: Any) -> list[str]:
    """Everything wrong with a modal or Home view."""
    if not isinstance(view, dict):
        return ["must be an object [json-pointer:/view]"]
    if wrong := list(misshapen(view, KINDS_OF_KEYS, "/view")):
        return wrong
    kind = view.get("type")
    if kind not in ("modal", "home"):
        return ["type must be modal or home [json-pointer:/view/type]"]
    errors = [f"additional property: {key} [json-pointer:/view]" for key in _unknown_of_view(view, kind)]
    if kind == "modal":
        errors += _modal_errors(view)
    blocks = view.get("blocks")
    errors += blocks_errors(blocks, most=MOST_BLOCKS_OF_VIEW, surface=str(kind))
    return errors or _view_model_says(view)


def view_too_large(view: Json) -> bool:
    return len(json.dumps(view).encode()) > MOST_VIEW_BYTES


def message_errors(message: Json) -> list[str]:
    """What is wrong with an in-band answer: text, blocks, attachments."""
    errors = []
    if message.get("blocks"):
        errors += blocks_errors(message["blocks"])
        if not errors and block_text_length(message["blocks"]) > MOST_BLOCK_TEXT:
            errors.append(f"all blocks together hold more than {MOST_BLOCK_TEXT} characters [json-pointer:/blocks]")
    if len(str(message.get("text") or "")) > MOST_TEXT:
        errors.append(f"text is longer than {MOST_TEXT} characters [json-pointer:/text]")
    return errors + attachments_errors(message.get("attachments") or [])


def attachments_errors(attachments: Any) -> list[str]:
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        return ["must be an array of objects [json-pointer:/attachments]"]
    if len(attachments) > MOST_ATTACHMENTS:
        return [f"no more than {MOST_ATTACHMENTS} items allowed [json-pointer:/attachments]"]
    return [
        error for a in attachments if isinstance(a, dict) and a.get("blocks") for error in blocks_errors(a["blocks"])
    ]


def options_errors(answer: Any) -> list[str]:
    """What is wrong with the options that the bot suggests for an external select."""
    if not isinstance(answer, dict) or not ("options" in answer or "option_groups" in answer):
        return ["answer with options or option_groups"]
    if wrong := list(misshapen(answer, KINDS_OF_KEYS)):
        return wrong
    groups = [group.get("options") or [] for group in answer.get("option_groups") or []]
    options = [*(answer.get("options") or []), *(option for group in groups for option in group)]
    if len(options) > MOST_OPTIONS:
        return [f"no more than {MOST_OPTIONS} options"]
    needs = frozenset({"text", "value"})
    return [error for i, option in enumerate(options) for error in _key_errors(option, needs, OPTION, f"/options/{i}")]


def _unknown_of_view(view: Json, kind: Any) -> list[str]:
    return sorted(set(view) - (VIEW_KEYS if kind == "modal" else HOME_KEYS))


def _modal_errors(view: Json) -> Iterator[str]:
    if not isinstance(view.get("title"), dict):
        yield "missing required field: title [json-pointer:/view]"
    for key in ("title", "submit", "close"):
        if isinstance(view.get(key), dict) and view[key].get("type") != "plain_text":
            yield f"{key} must be plain_text [json-pointer:/view/{key}]"
    blocks = view.get("blocks")
    has_input = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if has_input and not view.get("submit"):
        yield "missing required field: submit (the view has an input block) [json-pointer:/view]"


def _block_errors(block: Any, at: str, surface: str) -> Iterator[str]:
    if not isinstance(block, dict) or block.get("type") not in BLOCKS:
        yield f"unsupported type: {block.get('type') if isinstance(block, dict) else block!r} [json-pointer:{at}/type]"
        return
    kind = block["type"]
    if kind not in {"modal": IN_MODAL, "home": IN_HOME}.get(surface, BLOCKS):
        yield f"block type {kind} is not allowed in a {surface} [json-pointer:{at}/type]"
    yield from _key_errors(block, BLOCKS[kind].needs, BLOCKS[kind].known, at)
    yield from _INSIDE.get(kind, _nothing)(block, at)


def _key_errors(thing: Json, needs: frozenset[str], known: frozenset[str], at: str) -> Iterator[str]:
    for key in sorted(needs - set(thing)):
        yield f"missing required field: {key} [json-pointer:{at}]"
    for key in sorted(set(thing) - known):
        yield f"additional property: {key} [json-pointer:{at}]"
    for key in sorted(set(thing)):
        if thing[key] is None:
            yield f"must not be null: {key} [json-pointer:{at}]"


def _nothing(_block: Json, _at: str) -> Iterator[str]:
    yield from ()


def _section(block: Json, at: str) -> Iterator[str]:
    if "text" in block:
        yield from _text_errors(block["text"], at + "/text")
    for i, field in enumerate(block.get("fields") or []):
        yield from _text_errors(field, f"{at}/fields/{i}")
    if block.get("accessory") is not None:
        yield from _element_errors(block["accessory"], IN_SECTION, at + "/accessory")
    if not block.get("text") and not block.get("fields"):
        yield f"missing required field: text or fields [json-pointer:{at}]"


def _header(block: Json, at: str) -> Iterator[str]:
    yield from _text_errors(block.get("text"), at + "/text", only="plain_text")


def _actions(block: Json, at: str) -> Iterator[str]:
    if not block.get("elements"):
        yield f"elements must not be empty [json-pointer:{at}/elements]"
    for i, element in enumerate(block.get("elements") or []):
        yield from _element_errors(element, IN_ACTIONS, f"{at}/elements/{i}")


def _context(block: Json, at: str) -> Iterator[str]:
    if not block.get("elements"):
        yield f"elements must not be empty [json-pointer:{at}/elements]"
    for i, element in enumerate(block.get("elements") or []):
        here = f"{at}/elements/{i}"
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _element_errors(element, frozenset({"image"}), here)
        else:
            yield from _text_errors(element, here)


def _input(block: Json, at: str) -> Iterator[str]:
    yield from _text_errors(block.get("label"), at + "/label", only="plain_text")
    if "hint" in block:
        yield from _text_errors(block["hint"], at + "/hint", only="plain_text")
    yield from _element_errors(block.get("element"), IN_INPUT, at + "/element")


def _image(block: Json, at: str) -> Iterator[str]:
    if "image_url" not in block and "slack_file" not in block:
        yield f"missing required field: image_url [json-pointer:{at}]"


def _rich_text(block: Json, at: str) -> Iterator[str]:
    for i, element in enumerate(block.get("elements") or []):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"):
            yield f"unsupported type: {kind} [json-pointer:{at}/elements/{i}/type]"


_INSIDE = {
    "section": _section,
    "header": _header,
    "actions": _actions,
    "context": _context,
    "input": _input,
    "image": _image,
    "rich_text": _rich_text,
}


def _element_errors(element: Any, allowed: frozenset[str], at: str) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from _key_errors(element, ELEMENTS[kind].needs, ELEMENTS[kind].known, at)
    for key in ("text", "placeholder"):
        if key in element:
            yield from _text_errors(element[key], f"{at}/{key}", only="plain_text")
    if isinstance(element.get("confirm"), dict):
        yield from _key_errors(
            element["confirm"],
            frozenset({"title", "text"}),
            CONFIRM,
            at + "/confirm",
        )
    yield from _option_errors(element, at)


def _option_errors(element: Json, at: str) -> Iterator[str]:
    lists = [("options", element.get("options"))]
    groups = element.get("option_groups") or []
    lists += [(f"option_groups/{i}/options", group.get("options")) for i, group in enumerate(groups)]
    if "static" in element["type"] and not element.get("options") and not groups:
        yield f"missing required field: options [json-pointer:{at}]"
    for name, options in lists:
        for i, option in enumerate(options or []):
            yield from _key_errors(option, frozenset({"text", "value"}), OPTION, f"{at}/{name}/{i}")
    yield from _initial_errors(element, [option for _, options in lists for option in options or []], at)


def _initial_errors(element: Json, options: list[Json], at: str) -> Iterator[str]:
    if "external" in element["type"]:
        return
    chosen = [element["initial_option"]] if element.get("initial_option") else element.get("initial_options") or []
    for option in chosen:
        if option not in options:
            yield f"the initial option is not among the options [json-pointer:{at}/initial_option]"


def _text_errors(text: Any, at: str, *, only: str = "") -> Iterator[str]:
    kind = text.get("type") if isinstance(text, dict) else None
    if kind not in TEXTS or (only and kind != only):
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    yield from _key_errors(text, frozenset({"text"}), TEXTS[kind], at)
    if not isinstance(text.get("text"), str):
        yield f"must be a string [json-pointer:{at}/text]"
    elif not text["text"]:
        yield f"must be more than 0 characters [json-pointer:{at}/text]"


def _duplicates(blocks: list[Json]) -> Iterator[str]:
    seen: set[str] = set()
    for i, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen and block_id:
            yield f"block_id {block_id} already exists [json-pointer:/blocks/{i}/block_id]"
        seen.add(block_id or "")
        yield from _duplicate_actions(block, i)


def _duplicate_actions(block: Json, i: int) -> Iterator[str]:
    ids = [str(e["action_id"]) for e in elements_of(block) if e.get("action_id")]
    for action_id in sorted({a for a in ids if ids.count(a) > 1}):
        yield f"action_id {action_id} already exists in the block [json-pointer:/blocks/{i}]"


def _header_sizes(blocks: list[Json]) -> Iterator[str]:
    total = sum(len(str(block.get("text", ""))) for block in blocks if block["type"] == "markdown")
    if total > MOST_MARKDOWN:
        yield f"markdown blocks hold more than {MOST_MARKDOWN} characters [json-pointer:/blocks]"


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of one block."""
    found = [block.get("accessory"), block.get("element"), *(block.get("elements") or [])]
    return [e for e in found if isinstance(e, dict) and e.get("type") in ELEMENTS and e["type"] != "image"]


def _models_say(blocks: list[Json]) -> list[str]:
    try:
        parsed = Block.parse_all([json.loads(json.dumps(block)) for block in blocks])
        return [f"{error} [json-pointer:/blocks/{i}]" for i, block in enumerate(parsed) for error in _walk(block)]
    except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
        return [f"{error} [json-pointer:/blocks]"]


def _view_model_says(view: Json) -> list[str]:
    if not view.get("blocks"):
        return []
    try:
        return [f"{error} [json-pointer:/view]" for error in _walk(View(**{**view, "blocks": [{"type": "divider"}]}))]
    except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
        return [f"{error} [json-pointer:/view]"]


def _walk(thing: Any) -> Iterator[str]:
    if isinstance(thing, JsonObject):
        try:
            thing.validate_json()
        except SlackObjectFormationError as error:
            yield str(error)
        for child in vars(thing).values():
            yield from _walk(child)
    elif isinstance(thing, (list, tuple)):
        for child in thing:
            yield from _walk(child)


def _texts(thing: Any) -> Iterator[str]:
    if isinstance(thing, list):
        for child in thing:
            yield from _texts(child)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif isinstance(value, (list, dict)):
                yield from _texts(value)
