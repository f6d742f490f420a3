"""The few parts our forms are made of."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

Block = dict[str, Any]
TEXT_LIMIT = 3_000


def plain(text: str, length: int = 75) -> dict[str, Any]:
    return {"type": "plain_text", "text": text if len(text) <= length else text[: length - 1] + "…"}


def field(name: str, label: str, element: Block, *, hint: str = "") -> Block:
    """An input that has to be filled; its block and its element carry the same name."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain(label, 150),
        "element": element | {"action_id": name},
    }
    return block | ({"hint": plain(hint, 150)} if hint else {})


def optional(block: Block) -> Block:
    return block | {"optional": True}


def line(initial: str = "") -> Block:
    return {"type": "plain_text_input", "max_length": TEXT_LIMIT} | ({"initial_value": initial} if initial else {})


def lines(initial: str = "") -> Block:
    return line(initial[:TEXT_LIMIT]) | {"multiline": True}


def choice(options: Iterable[tuple[str, str]], initial: str | None = None) -> Block:
    """One of several (value, label)."""
    listed = [option(value, label) for value, label in options]
    chosen = next((entry for entry in listed if entry["value"] == initial), None)
    return {"type": "static_select", "options": listed} | ({"initial_option": chosen} if chosen else {})


def several(options: Iterable[tuple[str, str]], initial: Collection[str] = (), *, at_most: int | None = None) -> Block:
    """Any of several (value, label); the initial ones are chosen, and no more than so many can be."""
    listed = [option(value, label) for value, label in options]
    chosen = [entry for entry in listed if entry["value"] in initial]
    menu: Block = {"type": "multi_static_select", "options": listed}
    return menu | ({"initial_options": chosen} if chosen else {}) | ({"max_selected_items": at_most} if at_most else {})


def ticks(options: Iterable[Block]) -> Block:
    return {"type": "checkboxes", "options": list(options)}


def option(value: str, label: str, description: str = "") -> Block:
    entry: Block = {"text": plain(label), "value": value}
    return entry | ({"description": plain(description)} if description else {})


def somebody(initial: str | None = None) -> Block:
    return {"type": "users_select"} | ({"initial_user": initial} if initial else {})


def people(initial: Sequence[str] = (), *, at_most: int | None = None) -> Block:
    """Any people of the workspace; the initial ones are chosen."""
    chosen = {"initial_users": [*initial]} if initial else {}
    return {"type": "multi_users_select"} | chosen | ({"max_selected_items": at_most} if at_most else {})


def a_day(initial: date | None = None) -> Block:
    return {"type": "datepicker"} | ({"initial_date": initial.isoformat()} if initial else {})


def a_moment(initial: datetime | None = None) -> Block:
    return {"type": "datetimepicker"} | ({"initial_date_time": int(initial.timestamp())} if initial else {})


def said(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def form(callback: str, title: str, blocks: list[Block], *, submit: str, memory: str) -> Block:
    """A form; `memory` comes back with it."""
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Not now", 24),
        "private_metadata": memory,
        "blocks": blocks,
    }


def values(view: dict[str, Any]) -> dict[str, Any]:
    """What was filled in, by field: a string, a list of strings, or a number of seconds; empty fields are left out."""
    found = {name: _value(next(iter(state.values()))) for name, state in view["state"]["values"].items() if state}
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _value(state: dict[str, Any]) -> Any:
    kind = state.get("type")
    if kind in {"checkboxes", "multi_static_select"}:
        return [entry["value"] for entry in state.get("selected_options") or []]
    if kind in {"static_select", "radio_buttons"}:
        return (state.get("selected_option") or {}).get("value")
    for key in ("value", "selected_user", "selected_users", "selected_date", "selected_date_time"):
        if state.get(key) is not None:
            return state[key]
    return None
