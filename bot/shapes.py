"""Shapes of Slack's requests: what our listeners read of each type; whatever lacks it is nobody's at Slack."""

import re
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

ID = re.compile(r"[A-Z][A-Z0-9]{1,40}")

Shape = Any
"""A type; a dictionary of shapes, by key; a list of one shape, which each of its one or more items has; a question."""


def is_slacks(body: object) -> bool:
    """Whether a body has what is read of its type."""
    if not isinstance(body, dict) or not isinstance(body.get("event", {}), dict):
        return False
    if "command" in body:
        return fits(body, COMMAND)
    shape = SHAPES.get(str(body.get("type")))
    if shape is None:
        return fits(body, ANYTHING_ELSE) and isinstance(body.get("view", {}), dict)
    return fits(body, shape) and fits(body.get("event"), EVENTS.get(body.get("event", {}).get("type"), object))


def is_only_said(body: dict[str, Any]) -> bool:
    """Whether a body is of something said in a channel: nobody listens to it, but it is kept."""
    event = body.get("event")
    return body.get("type") == "event_callback" and isinstance(event, dict) and event.get("type") == "message"


def fits(value: Any, shape: Shape) -> bool:
    if isinstance(shape, FunctionType):
        return shape(value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(fits(value.get(key), each) for key, each in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and bool(value) and all(fits(item, shape[0]) for item in value)
    return isinstance(value, shape)


def perhaps(shape: Shape) -> Callable[[object], bool]:
    """The shape that something has where it is there at all."""
    return lambda value: value is None or fits(value, shape)


def an_id(value: object) -> bool:
    """A person, a channel or a view as Slack names them."""
    return isinstance(value, str) and bool(ID.fullmatch(value))


def an_item(value: Any) -> bool:
    """What an emoji is put on."""
    return fits(value, {"type": str}) and (value["type"] != "message" or fits(value, {"channel": an_id, "ts": str}))


def filled(value: object) -> bool:
    """What the fields of a form hold: for each its element, with what was put into it."""
    fields = list(value.values()) if isinstance(value, dict) else [None]
    return all(isinstance(field, dict) and all(fits(each, AN_ELEMENT) for each in field.values()) for field in fields)


A_WORD = str | None
A_CHOICE = {"value": str}
AN_ELEMENT = {
    "type": str,
    "value": A_WORD,
    "selected_option": perhaps(A_CHOICE),
    "selected_options": lambda value: not value or fits(value, [A_CHOICE]),
    "selected_user": perhaps(an_id),
    "selected_users": lambda value: not value or fits(value, [an_id]),
    "selected_channel": perhaps(an_id),
    "selected_conversation": perhaps(an_id),
    "selected_date": A_WORD,
    "selected_time": A_WORD,
    "selected_date_time": int | None,
}
A_PERSON = {"id": an_id}
GESTURE = {"user": A_PERSON, "trigger_id": A_WORD, "response_url": A_WORD}
A_PRESS = {"action_id": str, "value": A_WORD, "selected_option": perhaps({"value": A_WORD})}
PRESSED = GESTURE | {
    "actions": [A_PRESS],
    "channel": perhaps({"id": an_id}),
    "message": perhaps({"ts": A_WORD, "thread_ts": A_WORD}),
    "container": perhaps({"channel_id": perhaps(an_id), "thread_ts": A_WORD}),
}
CLOSED: dict[str, Any] = {"user": A_PERSON, "view": {"id": str, "type": str, "callback_id": str}}
SENT = {"user": A_PERSON, "view": CLOSED["view"] | {"private_metadata": str, "state": {"values": filled}}}
SHAPES: Mapping[str, Shape] = {
    "event_callback": {"event": {"type": str}},
    "block_actions": PRESSED,
    "view_submission": SENT,
    "view_closed": CLOSED,
    "message_action": GESTURE
    | {"callback_id": str, "channel": {"id": an_id}, "message": {"ts": str, "thread_ts": A_WORD}, "response_url": str},
}
"""What our listeners read of each type of request."""
EVENTS: Mapping[str, Shape] = {
    "app_home_opened": {"user": an_id},
    "app_mention": {"channel": an_id, "ts": str, "user": perhaps(an_id), "text": A_WORD, "thread_ts": A_WORD},
    "channel_created": {"channel": {"id": an_id}},
    "member_joined_channel": {"channel": an_id, "user": an_id},
    "reaction_added": {"item": an_item, "user": perhaps(an_id)},
    "reaction_removed": {"item": an_item, "user": perhaps(an_id)},
}
COMMAND = {"command": str, "user_id": an_id, "channel_id": an_id, "text": A_WORD, "trigger_id": A_WORD}
ANYTHING_ELSE = {"callback_id": str | None}
NOT_SLACKS = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What the libraries raise on bodies that nobody at Slack would send."""
