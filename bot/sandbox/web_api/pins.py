"""pins.*"""

from __future__ import annotations

from typing import Any

from bot.sandbox import talking
from bot.sandbox.payloads import message_json, permalink
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import BOT_USER, Channel

Json = dict[str, Any]

MOST_PINS = 100


@answers("pins.add")
def add(call: Call) -> Json:
    channel, message = _target(call)
    if any(pin["ts"] == message["ts"] for pin in channel.pins):
        raise Refused("already_pinned")
    if len(channel.pins) >= MOST_PINS:
        raise Refused("too_many_pins")
    talking.pin(call.sandbox, channel, message, user=BOT_USER)
    return {}


@answers("pins.remove")
def remove(call: Call) -> Json:
    channel, message = _target(call)
    if not any(pin["ts"] == message["ts"] for pin in channel.pins):
        raise Refused("no_pin")
    talking.unpin(call.sandbox, channel, message, user=BOT_USER)
    return {}


@answers("pins.list")
def list_all(call: Call) -> Json:
    channel = call.channel_inside()
    return {"items": [_item(channel, pin) for pin in channel.pins]}


def _item(channel: Channel, pin: Json) -> Json:
    message = channel.messages[pin["ts"]]
    shown = {**message_json(message), "permalink": permalink(channel, message)}
    item = {"type": "message", "created": pin["created"], "created_by": pin["created_by"]}
    return item | {"channel": channel.id, "message": shown}


def _target(call: Call) -> tuple[Channel, Json]:
    channel = call.channel_inside()
    if not call.text("timestamp"):
        raise Refused("no_item_specified")
    return channel, call.message(channel, "timestamp")
