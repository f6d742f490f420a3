"""What stands in the inputs of a message or view: defaults, what a person chose, and `state.values` of both."""

from __future__ import annotations

from typing import Any

from bot.sandbox.validation import elements_of

Json = dict[str, Any]

STATELESS = ("button", "overflow", "image", "icon_button", "feedback_buttons", "workflow_button")
SELECTED_KEY = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "rich_text_input": "rich_text_value",
    "file_input": "files",
}
LISTS = ("selected_users", "selected_conversations", "selected_channels", "selected_options", "files")


class CannotChoose(Exception):
    """Slack's client would not let a person choose that; the message says why."""


def state_values(blocks: list[Json], chosen: Json) -> Json:
    """`state.values` of all inputs: what was chosen, else the initial value, else nothing."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in STATELESS:
                continue
            kept = chosen.get(block["block_id"], {}).get(element["action_id"])
            fits = kept is not None and kept["type"] == element["type"]
            values.setdefault(block["block_id"], {})[element["action_id"]] = kept if fits else initial(element)
    return values


def initial(element: Json) -> Json:
    kind = element["type"]
    key = SELECTED_KEY.get(kind, "value")
    given = element.get(key.replace("selected_", "initial_"), element.get("initial_value"))
    empty: Any = [] if key in LISTS else None
    return {"type": kind, key: empty if given is None else given}


def chosen_state(element: Json, value: Any, offered: list[Json] | None = None) -> Json:
    """The state after a person chose `value` in simple form; raises CannotChoose.

    Simple form is a string, a number, a list of them, or None for nothing. `offered` are the options that the bot
    suggested for an external select.
    """
    kind = element["type"]
    key = SELECTED_KEY.get(kind, "value")
    if key in ("selected_option", "selected_options"):
        return {"type": kind, key: _options(element, value, offered, many=key == "selected_options")}
    if key in LISTS:
        return {"type": kind, key: value if isinstance(value, list) else [value] if value else []}
    if value in (None, ""):
        return {"type": kind, key: None}
    if kind == "datetimepicker":
        return {"type": kind, key: int(value)}
    _check_text(element, value)
    return {"type": kind, key: value if kind == "rich_text_input" else str(value)}


def is_empty(state: Json) -> bool:
    return all(value in (None, "", []) for key, value in state.items() if key != "type")


def options_of(element: Json) -> list[Json]:
    options = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group["options"]
    return options


def _options(element: Json, value: Any, offered: list[Json] | None, *, many: bool) -> Any:
    wanted = value if isinstance(value, list) else [value] if value not in (None, "") else []
    options = options_of(element) + (offered or [])
    found = []
    for one in wanted:
        option = next((o for o in options if one in (o["value"], o["text"]["text"])), None)
        if option is None:
            names = ", ".join(o["value"] for o in options)
            raise CannotChoose(f"{element['action_id']} does not offer {one!r}, only {names or 'nothing'}")
        found.append(option)
    if many:
        return found
    return found[0] if found else None


def _check_text(element: Json, value: Any) -> None:
    length = len(str(value))
    if length < element.get("min_length", 0):
        raise CannotChoose(f"{element['action_id']} needs at least {element['min_length']} characters")
    if length > element.get("max_length", 3000):
        raise CannotChoose(f"{element['action_id']} takes at most {element.get('max_length', 3000)} characters")
    if element["type"] == "number_input":
        _check_number(element, str(value))


def _check_number(element: Json, value: str) -> None:
    try:
        number = float(value)
    except ValueError:
        raise CannotChoose(f"{element['action_id']} takes a number") from None
    low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
    if not low <= number <= high:
        raise CannotChoose(f"{element['action_id']} takes a number from {low:g} to {high:g}")
    if not element["is_decimal_allowed"] and not number.is_integer():
        raise CannotChoose(f"{element['action_id']} takes a whole number")
