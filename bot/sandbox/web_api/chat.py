"""chat.*"""

from __future__ import annotations

from typing import Any, NoReturn

from bot.sandbox import talking
from bot.sandbox.payloads import message_json, permalink
from bot.sandbox.validation import (
    MOST_ATTACHMENTS,
    MOST_BLOCK_TEXT,
    MOST_MARKDOWN,
    MOST_TEXT,
    attachments_errors,
    block_text_length,
    blocks_errors,
)
from bot.sandbox.viewing import with_ids
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.web_api.files import unshowable
from bot.sandbox.workspace import BOT_USER, Channel, Ephemeral

Json = dict[str, Any]

DAY_S = 86_400
MOST_DAYS_AHEAD = 120
WINDOW_S = 300
MOST_IN_WINDOW = 30
METADATA_NOTE = "a scheduled message with metadata is never posted"


@answers("chat.postMessage")
def post_message(call: Call) -> Json:
    channel = _target(call)
    content = _content(call)
    parent = _parent(call, channel)
    _check_pace(call, channel)
    message = talking.bot_message(call.sandbox, content | _costume(call))
    broadcast = call.flag("reply_broadcast")
    talking.post(call.sandbox, channel, message, thread_ts=parent, broadcast=broadcast)
    return {"channel": channel.id, "ts": message["ts"], "message": message_json(message, with_metadata=True)} | _cut(
        call
    )


@answers("chat.postEphemeral")
def post_ephemeral(call: Call) -> Json:
    channel = call.open_channel_inside()
    user = call.text("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    message = talking.bot_message(call.sandbox, _content(call) | {"is_ephemeral": True})
    if call.text("thread_ts"):
        message["thread_ts"] = call.text("thread_ts")
    call.workspace.ephemerals.append(Ephemeral(user, channel.id, message))
    call.sandbox.stream.tell("ephemeral", channel=channel.id, user=user)
    return {"message_ts": message["ts"]}


@answers("chat.update")
def update(call: Call) -> Json:
    channel = call.channel_inside()
    message = call.message(channel)
    if message.get("user") != BOT_USER or message.get("subtype") == "tombstone":
        raise Refused("cant_update_message")
    changes = _content(call)
    if "text" in changes:
        changes = {"blocks": None, "attachments": None} | changes
    talking.edit(call.sandbox, channel, message, by=BOT_USER, **changes)
    shown = message_json(message, with_metadata=True)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": shown} | _cut(call)


@answers("chat.delete")
def delete(call: Call) -> Json:
    channel = call.channel_inside()
    message = call.message(channel)
    if message.get("user") != BOT_USER:
        raise Refused("cant_delete_message")
    talking.delete(call.sandbox, channel, message)
    return {"channel": channel.id, "ts": call.text("ts")}


@answers("chat.getPermalink")
def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": permalink(channel, message)}


@answers("chat.scheduleMessage")
def schedule_message(call: Call) -> Json:
    """Posts when the virtual clock reaches `post_at`, but never when it carries metadata: Slack's documented fault."""
    channel = _target(call)
    content = _content(call)
    at = _post_at(call, channel)
    scheduled = call.workspace.new_id("Q")
    entry = {"id": scheduled, "channel_id": channel.id, "post_at": at, "date_created": call.workspace.seconds()}
    call.workspace.scheduled[scheduled] = entry | {"text": content.get("text", "")}
    if "metadata" in content:
        call.sandbox.journal.violation("chat.scheduleMessage", [METADATA_NOTE])
    else:
        call.sandbox.later(at - call.sandbox.clock.epoch(), lambda: _post_scheduled(call, channel, scheduled, content))
    preview = talking.bot_message(call.sandbox, content)
    del preview["ts"]
    return {"channel": channel.id, "scheduled_message_id": scheduled, "post_at": at, "message": preview}


@answers("chat.deleteScheduledMessage")
def delete_scheduled_message(call: Call) -> Json:
    if call.workspace.scheduled.pop(call.text("scheduled_message_id"), None) is None:
        raise Refused("invalid_scheduled_message_id")
    return {}


@answers("chat.scheduledMessages.list")
def scheduled_messages_list(call: Call) -> Json:
    wanted = call.text("channel")
    waiting = [s for s in call.workspace.scheduled.values() if wanted in ("", s["channel_id"])]
    page, metadata = call.page(waiting)
    return {"scheduled_messages": page, "response_metadata": metadata}


@answers("chat.unfurl")
def unfurl(call: Call) -> Json:
    if not call.text("ts"):
        raise Refused("missing_ts")
    channel = call.workspace.channels.get(call.text("channel"))
    if channel is None or call.text("ts") not in channel.messages:
        raise Refused("cannot_find_message")
    unfurls = call.parsed("unfurls", error="invalid_unfurls_format") or {}
    talking.unfurl(call.sandbox, channel, channel.messages[call.text("ts")], list(unfurls.values()))
    return {}


def _target(call: Call) -> Channel:
    """Where to post: a conversation, by id or name, or a person's id for the direct one."""
    wanted = call.text("channel")
    if wanted in call.workspace.users:
        if call.workspace.users[wanted].deleted:
            call.refuse("user_disabled", "channel_not_found")
        return call.workspace.open_im(wanted, BOT_USER)
    known = next((c for c in call.workspace.channels.values() if c.name and c.name == wanted.removeprefix("#")), None)
    if known is not None:
        call.args["channel"] = known.id
    channel = call.channel()
    if BOT_USER not in channel.members and not call.sandbox.manifest.may(("chat:write.public",)):
        raise Refused("not_in_channel")
    if channel.archived:
        raise Refused("is_archived")
    return channel


def _parent(call: Call, channel: Channel) -> str | None:
    if not call.text("thread_ts"):
        return None
    parent = channel.messages.get(call.text("thread_ts"))
    if parent is None:
        raise Refused("cannot_reply_to_message")
    return parent.get("thread_ts", parent["ts"])


def _check_pace(call: Call, channel: Channel) -> None:
    wait_s = call.sandbox.limits.refuse_post(channel.id) if call.sandbox.faults.rate_limits else 0
    if wait_s:
        raise Refused("ratelimited", retry_after=wait_s)


def _content(call: Call) -> Json:
    """Text, blocks, attachments and metadata that Slack would take."""
    content: Json = {}
    text, markdown = call.text("text"), call.text("markdown_text")
    if markdown and (text or call.args.get("blocks")):
        raise Refused("markdown_text_conflict")
    if markdown:
        _check_markdown(call, markdown)
    if text or markdown:
        content["text"] = _checked_text(call, text or markdown)
    if blocks := _blocks(call):
        content["blocks"] = blocks
    if attachments := _attachments(call):
        content["attachments"] = attachments
    if not content:
        raise Refused("no_text")
    return content | _metadata(call)


def _check_markdown(call: Call, markdown: str) -> None:
    if len(markdown) > MOST_MARKDOWN:
        _invalid(call, ["msg_too_long"], [f"markdown_text is longer than {MOST_MARKDOWN} characters"])


def _checked_text(call: Call, text: str) -> str:
    if len(text) > MOST_TEXT:
        messages = [f"text is longer than {MOST_TEXT} characters"]
        if call.method.may_answer("msg_too_long"):
            call.refuse("msg_too_long", response_metadata={"messages": messages})
        call.sandbox.journal.violation(call.method.name, messages)
    return text[:MOST_TEXT]


def _cut(call: Call) -> Json:
    if len(call.text("text")) <= MOST_TEXT:
        return {}
    return {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}


def _blocks(call: Call) -> list[Json]:
    blocks = call.parsed("blocks", error="invalid_blocks_format")
    if not blocks:
        return []
    errors = blocks_errors(blocks) or list(unshowable(call, blocks))
    if errors:
        _invalid(call, ["invalid_blocks"], [f"[ERROR] {e}" for e in errors])
    if block_text_length(blocks) > MOST_BLOCK_TEXT:
        _invalid(call, ["msg_blocks_too_long", "msg_too_long"], [f"blocks hold more than {MOST_BLOCK_TEXT} characters"])
    return with_ids(call.sandbox, blocks)


def _attachments(call: Call) -> list[Json]:
    attachments = call.parsed("attachments")
    if not attachments:
        return []
    if isinstance(attachments, list) and len(attachments) > MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    errors = attachments_errors(attachments)
    if errors:
        _invalid(call, ["invalid_attachments", "invalid_blocks"], errors)
    return [{"id": i, **a, **_nested(call, a)} for i, a in enumerate(attachments, start=1)]


def _nested(call: Call, attachment: Json) -> Json:
    return {"blocks": with_ids(call.sandbox, attachment["blocks"])} if attachment.get("blocks") else {}


def _metadata(call: Call) -> Json:
    metadata = call.parsed("metadata", error="invalid_metadata_format")
    if metadata is None or metadata == {}:
        return {}
    event_type = metadata.get("event_type") if isinstance(metadata, dict) else None
    if not isinstance(event_type, str) or not isinstance(metadata.get("event_payload"), dict):
        call.refuse("invalid_metadata_format", "invalid_arguments")
    return {"metadata": metadata}


def _costume(call: Call) -> Json:
    """Another name or picture for one message, where the app may."""
    if not call.text("username"):
        return {}
    if not call.sandbox.manifest.may(("chat:write.customize",)):
        raise Refused("missing_scope", needed="chat:write.customize", provided="")
    return {"username": call.text("username"), "subtype": "bot_message"}


def _invalid(call: Call, errors: list[str], messages: list[str]) -> NoReturn:
    call.refuse(*errors, errors=messages, response_metadata={"messages": messages})
    raise AssertionError("refuse always raises")


def _post_at(call: Call, channel: Channel) -> int:
    at, now = call.number("post_at", 0), call.sandbox.clock.epoch()
    if at <= now:
        raise Refused("time_in_past")
    if at > now + MOST_DAYS_AHEAD * DAY_S:
        raise Refused("time_too_far")
    near = [
        s
        for s in call.workspace.scheduled.values()
        if s["channel_id"] == channel.id and abs(s["post_at"] - at) < WINDOW_S
    ]
    if len(near) >= MOST_IN_WINDOW:
        raise Refused("restricted_too_many")
    return at


def _post_scheduled(call: Call, channel: Channel, scheduled: str, content: Json) -> None:
    if call.workspace.scheduled.pop(scheduled, None) is not None:
        talking.post(call.sandbox, channel, talking.bot_message(call.sandbox, content))
