"""Messages come, change and go: the state of a conversation and the events the bot hears of it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import bot_profile
from bot.sandbox.typed import rich_text
from bot.sandbox.viewing import with_ids
from bot.sandbox.workspace import APP_ID, BOT_USER, TEAM, Channel, User

Json = dict[str, Any]

MOST_TEXT = 40_000
TOMBSTONE_USER = "USLACKBOT"
NOT_IN_EVENTS = (
    "reply_count",
    "reply_users_count",
    "latest_reply",
    "reply_users",
    "subscribed",
    "is_locked",
    "reactions",
)
CHANNEL_TYPE = {"channel": "channel", "group": "group", "im": "im", "mpim": "mpim"}
SUBSCRIPTION = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


def say(sandbox: Sandbox, channel: Channel, user: User, **what: Any) -> Json:
    """A person (or another bot) posts; `what` may hold text, thread_ts, broadcast, blocks, attachments, files."""
    message = _as_bot(sandbox, user, what) if user.is_bot else _as_person(sandbox, user, what)
    return post(sandbox, channel, message, thread_ts=what.get("thread_ts"), broadcast=bool(what.get("broadcast")))


def post(
    sandbox: Sandbox, channel: Channel, message: Json, *, thread_ts: str | None = None, broadcast: bool = False
) -> Json:
    """Store a message, link it to its thread and tell the bot."""
    parent = channel.messages.get(thread_ts) if thread_ts else None
    if parent is not None:
        _join_thread(channel, parent, message)
        if broadcast:
            message |= {"subtype": "thread_broadcast", "root": _without_counts(parent)}
    channel.add(message)
    sandbox.stored(channel, message["ts"])
    sandbox.stream.tell("message", channel=channel.id)
    tell_message(sandbox, channel, message)
    return message


def tell_message(sandbox: Sandbox, channel: Channel, message: Json) -> None:
    """The message event and, where the bot is named, app_mention beside it."""
    if not sandbox.hears_in(channel):
        return
    event = {**_without_counts(message), **_place(channel, message["ts"])}
    sandbox.emit(event, channel, subscription=SUBSCRIPTION[channel.kind])
    if _mentions_bot(channel, message):
        mention = {k: v for k, v in event.items() if k not in ("channel_type", "subtype", "root", "parent_user_id")}
        sandbox.emit({**mention, "type": "app_mention"}, channel)


def edit(sandbox: Sandbox, channel: Channel, message: Json, *, by: str, **changes: Any) -> Json:
    """Change a message in place; `changes` replaces its keys, None removes one."""
    before = deepcopy(message)
    for key, value in changes.items():
        if value is None:
            message.pop(key, None)
        else:
            message[key] = value
    message["edited"] = {"user": by, "ts": sandbox.clock.next_ts()}
    tell_changed(sandbox, channel, message, before)
    return message


def tell_changed(sandbox: Sandbox, channel: Channel, message: Json, before: Json) -> None:
    sandbox.stream.tell("message", channel=channel.id)
    _emit_hidden(
        sandbox,
        channel,
        subtype="message_changed",
        message={**message, "source_team": TEAM, "user_team": TEAM},
        previous_message=before,
    )


def unfurl(sandbox: Sandbox, channel: Channel, message: Json, attachments: list[Json]) -> None:
    """Links get their preview: the same text again, with attachments and no `edited`."""
    before = deepcopy(message)
    message["attachments"] = attachments
    tell_changed(sandbox, channel, message, before)


def delete(sandbox: Sandbox, channel: Channel, message: Json) -> None:
    """Take a message away; the parent of a thread stays as a tombstone."""
    if message.get("reply_count"):
        _bury(sandbox, channel, message)
        return
    channel.remove(message["ts"])
    _leave_thread(channel, message)
    channel.pins = [pin for pin in channel.pins if pin["ts"] != message["ts"]]
    sandbox.stream.tell("message", channel=channel.id)
    previous = _without_counts(message)
    _emit_hidden(sandbox, channel, subtype="message_deleted", deleted_ts=message["ts"], previous_message=previous)


def react(sandbox: Sandbox, channel: Channel, message: Json, *, user: str, name: str) -> bool:
    """False when that person holds that emoji there already."""
    reactions = message.setdefault("reactions", [])
    held = next((r for r in reactions if r["name"] == name), None)
    if held is None:
        held = {"name": name, "users": [], "count": 0}
        reactions.append(held)
    if user in held["users"]:
        return False
    held["users"].append(user)
    held["count"] += 1
    _tell_reaction(sandbox, channel, message, kind="reaction_added", user=user, name=name)
    return True


def unreact(sandbox: Sandbox, channel: Channel, message: Json, *, user: str, name: str) -> bool:
    """False when that person does not hold that emoji there."""
    held = next((r for r in message.get("reactions", []) if r["name"] == name and user in r["users"]), None)
    if held is None:
        return False
    held["users"].remove(user)
    held["count"] -= 1
    message["reactions"] = [r for r in message["reactions"] if r["count"]]
    if not message["reactions"]:
        del message["reactions"]
    _tell_reaction(sandbox, channel, message, kind="reaction_removed", user=user, name=name)
    return True


def pin(sandbox: Sandbox, channel: Channel, message: Json, *, user: str) -> None:
    channel.pins.append({"ts": message["ts"], "created": sandbox.workspace.seconds(), "created_by": user})
    message["pinned_to"] = [channel.id]
    _tell_pin(sandbox, channel, message, kind="pin_added", user=user)


def unpin(sandbox: Sandbox, channel: Channel, message: Json, *, user: str) -> None:
    channel.pins = [held for held in channel.pins if held["ts"] != message["ts"]]
    message.pop("pinned_to", None)
    _tell_pin(sandbox, channel, message, kind="pin_removed", user=user)


def bot_message(sandbox: Sandbox, fields: Json) -> Json:
    """A message of our bot, before it is posted."""
    bot = sandbox.workspace.users[BOT_USER]
    return {
        "type": "message",
        "user": BOT_USER,
        "ts": sandbox.clock.next_ts(),
        "bot_id": bot.bot_id,
        "app_id": APP_ID,
        "text": "",
        "team": TEAM,
        "bot_profile": bot_profile(bot),
        **fields,
    }


def _as_person(sandbox: Sandbox, user: User, what: Json) -> Json:
    text = str(what.get("text", ""))[:MOST_TEXT]
    message: Json = {
        "client_msg_id": _uuid(sandbox),
        "type": "message",
        "text": text,
        "user": user.id,
        "ts": sandbox.clock.next_ts(),
        "team": user.team_id,
    }
    if user.team_id != TEAM:
        message |= {"user_team": user.team_id, "source_team": user.team_id}
    if text:
        message["blocks"] = with_ids(sandbox, what.get("blocks") or rich_text(sandbox.workspace, text))
    return message | _extras(what)


def _as_bot(sandbox: Sandbox, user: User, what: Json) -> Json:
    message: Json = {
        "type": "message",
        "subtype": "bot_message",
        "text": str(what.get("text", "")),
        "ts": sandbox.clock.next_ts(),
        "username": user.real_name,
        "bot_id": user.bot_id,
        "app_id": "A0OTHER",
    }
    if what.get("blocks"):
        message["blocks"] = with_ids(sandbox, what["blocks"])
    return message | _extras(what)


def _extras(what: Json) -> Json:
    extras: Json = {key: what[key] for key in ("attachments", "metadata") if what.get(key)}
    if what.get("files"):
        extras |= {"files": what["files"], "upload": False, "display_as_bot": False, "subtype": "file_share"}
    return extras


def _uuid(sandbox: Sandbox) -> str:
    digits = sandbox.workspace.new_hex
    return "-".join((digits(8), digits(4), digits(4), digits(4), digits(12)))


def _join_thread(channel: Channel, parent: Json, message: Json) -> None:
    message |= {"thread_ts": parent["ts"]}
    if parent.get("user"):
        message["parent_user_id"] = parent["user"]
    channel.add(message)
    _recount(channel, parent)


def _leave_thread(channel: Channel, message: Json) -> None:
    parent = channel.messages.get(message.get("thread_ts", ""))
    if parent is None:
        return
    _recount(channel, parent)
    if parent.get("subtype") == "tombstone" and not parent.get("reply_count"):
        channel.remove(parent["ts"])


def _recount(channel: Channel, parent: Json) -> None:
    replies = channel.replies(parent["ts"])
    if not replies:
        for key in (
            "thread_ts",
            "reply_count",
            "reply_users_count",
            "latest_reply",
            "reply_users",
            "subscribed",
            "is_locked",
        ):
            parent.pop(key, None)
        return
    people = list(dict.fromkeys(r.get("user") or r.get("bot_id", "") for r in replies))
    parent |= {
        "thread_ts": parent["ts"],
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1]["ts"],
        "reply_users": people,
        "is_locked": False,
        "subscribed": False,
    }


def recount_threads(channel: Channel) -> None:
    """Put the reply counts on the parents of a channel loaded from elsewhere."""
    for ts in {m["thread_ts"] for m in channel.in_order() if m.get("thread_ts")}:
        if ts in channel.messages:
            _recount(channel, channel.messages[ts])


def _bury(sandbox: Sandbox, channel: Channel, message: Json) -> None:
    before = deepcopy(message)
    kept = {key: message[key] for key in ("ts", "thread_ts", *NOT_IN_EVENTS) if key in message and key != "reactions"}
    message.clear()
    message |= {"type": "message", "subtype": "tombstone", "text": "This message was deleted."}
    message |= {"user": TOMBSTONE_USER, "hidden": True, **kept}
    tell_changed(sandbox, channel, message, before)


def _mentions_bot(channel: Channel, message: Json) -> bool:
    by_us = message.get("user") == BOT_USER
    return channel.kind != "im" and not by_us and f"<@{BOT_USER}" in message.get("text", "")


def _without_counts(message: Json) -> Json:
    return {key: value for key, value in message.items() if key not in NOT_IN_EVENTS}


def _place(channel: Channel, ts: str) -> Json:
    return {"channel": channel.id, "event_ts": ts, "channel_type": CHANNEL_TYPE[channel.kind]}


def _emit_hidden(sandbox: Sandbox, channel: Channel, *, subtype: str, **content: Any) -> None:
    if not sandbox.hears_in(channel):
        return
    ts = sandbox.clock.next_ts()
    event = {
        "type": "message",
        "subtype": subtype,
        **deepcopy(content),
        "hidden": True,
        "ts": ts,
        **_place(channel, ts),
    }
    sandbox.emit(event, channel, subscription=SUBSCRIPTION[channel.kind])


def _tell_reaction(sandbox: Sandbox, channel: Channel, message: Json, *, kind: str, user: str, name: str) -> None:
    sandbox.stream.tell("message", channel=channel.id)
    if not sandbox.hears_in(channel):
        return
    item = {"type": "message", "channel": channel.id, "ts": message["ts"]}
    event: Json = {"type": kind, "user": user, "reaction": name, "item": item, "event_ts": sandbox.clock.next_ts()}
    if message.get("user"):
        event["item_user"] = message["user"]
    sandbox.emit(event, channel)


def _tell_pin(sandbox: Sandbox, channel: Channel, message: Json, *, kind: str, user: str) -> None:
    sandbox.stream.tell("message", channel=channel.id)
    if not sandbox.hears_in(channel):
        return
    created = sandbox.workspace.seconds()
    item = {"type": "message", "created": created, "created_by": user, "channel": channel.id, "message": message}
    event: Json = {"type": kind, "user": user, "channel_id": channel.id, "item": item}
    event |= {"item_user": message.get("user", ""), "pin_count": len(channel.pins)}
    event |= {"pinned_info": {"channel": channel.id, "pinned_by": user, "pinned_ts": created}}
    sandbox.emit(event | {"event_ts": sandbox.clock.next_ts()}, channel)
