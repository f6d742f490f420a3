"""reactions.*"""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox import talking
from bot.sandbox.payloads import message_json, permalink
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import BOT_USER, Channel

Json = dict[str, Any]

NAME = re.compile(r"^[\w+'’-]+(::skin-tone-[2-6])?$")
MOST_KINDS = 23  # of one person on one message


@answers("reactions.add")
def add(call: Call) -> Json:
    channel, message = _target(call)
    if channel.archived:
        raise Refused("is_archived")
    mine = [r for r in message.get("reactions", []) if BOT_USER in r["users"]]
    if len(mine) >= MOST_KINDS:
        raise Refused("too_many_reactions")
    if not talking.react(call.sandbox, channel, message, user=BOT_USER, name=_name(call)):
        raise Refused("already_reacted")
    return {}


@answers("reactions.remove")
def remove(call: Call) -> Json:
    channel, message = _target(call)
    if not talking.unreact(call.sandbox, channel, message, user=BOT_USER, name=_name(call)):
        raise Refused("no_reaction")
    return {}


@answers("reactions.get")
def get(call: Call) -> Json:
    channel, message = _target(call)
    shown = {**message_json(message), "permalink": permalink(channel, message)}
    return {"type": "message", "channel": channel.id, "message": shown}


def _target(call: Call) -> tuple[Channel, Json]:
    if not call.text("channel") or not call.text("timestamp"):
        raise Refused("no_item_specified")
    if not re.fullmatch(r"\d+\.\d+", call.text("timestamp")):
        raise Refused("bad_timestamp")
    channel = call.channel_inside()
    return channel, call.message(channel, "timestamp")


def _name(call: Call) -> str:
    name = call.text("name").strip(":")
    if not NAME.match(name):
        raise Refused("invalid_name")
    return name
