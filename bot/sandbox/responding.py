"""response_url: five messages in half an hour to where a person used the bot."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.sandbox import talking, viewing
from bot.sandbox.house import Sandbox
from bot.sandbox.interactions import show_answer
from bot.sandbox.tickets import ResponseUrl
from bot.sandbox.validation import message_errors
from bot.sandbox.workspace import BOT_USER, Channel, Ephemeral

Json = dict[str, Any]


async def serve_response(sandbox: Sandbox, request: web.Request) -> web.Response:
    """Take one message for a response URL."""
    known, error = sandbox.response_urls.use(request.match_info["key"])
    if known is None:
        return _refused(sandbox, error, status=404)
    body = await _body(request)
    if body is None:
        return _refused(sandbox, "invalid_payload", status=400)
    errors = _respond(sandbox, known, body)
    sandbox.journal.call(
        method="response_url", args=body, ok=not errors, error=", ".join(errors), ts="", fault="", ms=0
    )
    if errors:
        sandbox.journal.violation("response_url", errors)
        return web.json_response(
            {"ok": False, "error": "no_text" if errors == ["no_text"] else "invalid_blocks"}, status=400
        )
    return web.Response(text="ok")


async def _body(request: web.Request) -> Json | None:
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(sandbox: Sandbox, error: str, *, status: int) -> web.Response:
    sandbox.journal.call(method="response_url", args={}, ok=False, error=error, ts="", fault="", ms=0)
    return web.json_response({"ok": False, "error": error}, status=status)


def _respond(sandbox: Sandbox, known: ResponseUrl, body: Json) -> list[str]:
    channel = sandbox.workspace.channels[known.channel]
    if body.get("delete_original"):
        _delete_original(sandbox, known, channel)
        return []
    if body.get("replace_original") and known.message_ts:
        return _replace_original(sandbox, known, channel, body)
    user = sandbox.workspace.users[known.user]
    return show_answer(sandbox, user, channel, body, thread_ts=known.thread_ts)


def _delete_original(sandbox: Sandbox, known: ResponseUrl, channel: Channel) -> None:
    ephemeral = _ephemeral(sandbox, known)
    if ephemeral is not None:
        sandbox.workspace.ephemerals.remove(ephemeral)
        sandbox.stream.tell("ephemeral", channel=channel.id, user=known.user)
    elif known.message_ts in channel.messages:
        talking.delete(sandbox, channel, channel.messages[known.message_ts])


def _replace_original(sandbox: Sandbox, known: ResponseUrl, channel: Channel, body: Json) -> list[str]:
    errors = message_errors(body)
    if errors:
        return errors
    changes: Json = {"text": body.get("text", ""), "blocks": None, "attachments": body.get("attachments")}
    if body.get("blocks"):
        changes["blocks"] = viewing.with_ids(sandbox, body["blocks"])
    ephemeral = _ephemeral(sandbox, known)
    if ephemeral is not None:
        kept = {k: v for k, v in ephemeral.message.items() if k not in changes}
        ephemeral.message = kept | {k: v for k, v in changes.items() if v is not None}
        sandbox.stream.tell("ephemeral", channel=channel.id, user=known.user)
    elif known.message_ts in channel.messages:
        talking.edit(sandbox, channel, channel.messages[known.message_ts], by=BOT_USER, **changes)
    return []


def _ephemeral(sandbox: Sandbox, known: ResponseUrl) -> Ephemeral | None:
    for ephemeral in sandbox.workspace.ephemerals:
        if ephemeral.user == known.user and ephemeral.message["ts"] == known.message_ts:
            return ephemeral
    return None
