"""The door of the Web API: token, arguments, scopes, limits and faults of every call, and its line in the journal."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import nullcontext
from typing import Any

from aiohttp import web

from bot.sandbox.facts import Method, methods
from bot.sandbox.faults import Fault
from bot.sandbox.house import Sandbox
from bot.sandbox.web_api import auth, bookmarks, canvases, chat, conversations, files, pins, reactions, users, views
from bot.sandbox.web_api.call import HANDLERS, Call, Refused
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN

Json = dict[str, Any]

FAMILIES = (auth, bookmarks, canvases, chat, conversations, files, pins, reactions, users, views)
WITHOUT_TOKEN = frozenset({"api.test", "oauth.v2.access"})
APP_LEVEL = frozenset({"apps.connections.open"})
LIMITED_HISTORY = frozenset({"conversations.history", "conversations.replies"})
A_MINUTE_WHEN_LIMITED = 1
"""What Slack allows of them to apps that are distributed outside its marketplace (rate limits, May 2025)."""
LONGEST_SILENCE_S = 60.0
DEFAULT_RETRY_AFTER_S = 1
MAY_BE_EMPTY = ("topic", "purpose")
NEVER_LOGGED = ("token", "client_secret", "code")


async def serve_call(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    """Answer one Web API call over HTTP."""
    name = request.match_info["method"]
    begun = time.monotonic()
    args, token, problem = await _read(request, name)
    fault = sandbox.faults.for_method(name)
    if fault is not None and fault.kind in ("429", "5xx_before", "timeout", "reset_before"):
        _note(sandbox, name, args, {"ok": False}, begun=begun, fault=fault)
        return await _strike(request, fault)
    forget = fault is not None and fault.kind == "forget"
    with sandbox.forgetting() if forget else nullcontext():
        answer, headers = _answered(sandbox, name, args, token, problem)
    _note(sandbox, name, args, answer, begun=begun, fault=fault)
    if fault is not None and not forget:
        return await _strike(request, fault)
    return _respond(answer, headers, sandbox)


def _answered(sandbox: Sandbox, name: str, args: Json, token: str, problem: str) -> tuple[Json, dict[str, str]]:
    try:
        if problem:
            raise Refused(problem)
        return {"ok": True, **_perform(sandbox, name, args, token)}, {}
    except Refused as refusal:
        check_documented(name, refusal.error)
        headers = {"Retry-After": str(refusal.extra["retry_after"])} if "retry_after" in refusal.extra else {}
        extra = {k: v for k, v in refusal.extra.items() if k != "retry_after"}
        if "response_metadata" in extra:
            sandbox.journal.violation(name, extra["response_metadata"]["messages"])
        return {"ok": False, "error": refusal.error, **extra}, headers


def check_documented(name: str, error: str) -> None:
    """The one place that keeps the sandbox honest: no method answers an error that its reference does not list."""
    method = methods().get(name)
    if method is not None and not method.may_answer(error):
        raise AssertionError(f"{name} does not document {error}")


def _perform(sandbox: Sandbox, name: str, args: Json, token: str) -> Json:
    method = methods().get(name)
    if method is None or name not in HANDLERS:
        raise Refused("unknown_method", req_method=name)
    _check_token(sandbox, name, token)
    _check_limit(sandbox, method)
    _check_scopes(sandbox, method)
    _check_required(method, args)
    return HANDLERS[name](Call(method, sandbox, args))


def _check_token(sandbox: Sandbox, name: str, token: str) -> None:
    if name in WITHOUT_TOKEN:
        return
    if not token:
        raise Refused("not_authed")
    if token not in (BOT_TOKEN, APP_TOKEN):
        raise Refused("invalid_auth")
    if (name in APP_LEVEL) != (token == APP_TOKEN):
        raise Refused("not_allowed_token_type")
    if sandbox.token_revoked:
        raise Refused("token_revoked")


def _check_limit(sandbox: Sandbox, method: Method) -> None:
    limited = sandbox.faults.history_limit is not None and method.name in LIMITED_HISTORY
    most = A_MINUTE_WHEN_LIMITED if limited else None
    wait_s = sandbox.limits.refuse_call(method, most=most) if sandbox.faults.rate_limits else 0
    if wait_s:
        raise Refused("ratelimited", retry_after=wait_s)


def _check_scopes(sandbox: Sandbox, method: Method) -> None:
    if not sandbox.manifest.may(method.scopes):
        provided = ",".join(sorted(sandbox.manifest.scopes))
        raise Refused("missing_scope", needed=",".join(method.scopes), provided=provided)


def _check_required(method: Method, args: Json) -> None:
    missing = [name for name in method.required if args.get(name) in _nothing_given(name)]
    if missing:
        messages = [f"[ERROR] missing required field: {name}" for name in missing]
        raise Refused(method.missing_argument_error(), response_metadata={"messages": messages})


def _nothing_given(name: str) -> tuple[Any, ...]:
    return (None,) if name in MAY_BE_EMPTY else (None, "")


async def _read(request: web.Request, name: str) -> tuple[Json, str, str]:
    """Arguments, token and, when the body cannot be read, the error."""
    args: Json = dict(request.query)
    problem = ""
    if request.method == "POST":
        more, problem = await _read_body(request, name)
        args |= more
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip() or str(args.get("token", ""))
    return {k: v for k, v in args.items() if k not in NEVER_LOGGED}, token, problem


async def _read_body(request: web.Request, name: str) -> tuple[Json, str]:
    if request.content_type != "application/json":
        return {k: v for k, v in (await request.post()).items() if isinstance(v, str)}, ""
    method = methods().get(name)
    if method is not None and not method.json:
        return {}, ""
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        return {}, "invalid_json"
    return (body, "") if isinstance(body, dict) else ({}, "json_not_object")


async def _strike(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind == "429":
        wait_s = str(fault.options.get("retry_after", DEFAULT_RETRY_AFTER_S))
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": wait_s})
    if fault.kind.startswith("5xx"):
        return web.Response(status=503, text="upstream connect error")
    if fault.kind.startswith("timeout"):
        await asyncio.sleep(float(fault.options.get("seconds", LONGEST_SILENCE_S)))
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _respond(answer: Json, headers: dict[str, str], sandbox: Sandbox) -> web.Response:
    status = 429 if answer.get("error") == "ratelimited" else 200
    scopes = {"x-oauth-scopes": ",".join(sorted(sandbox.manifest.scopes))}
    return web.json_response(answer, status=status, headers={**headers, **scopes})


def _note(sandbox: Sandbox, name: str, args: Json, answer: Json, *, begun: float, fault: Fault | None) -> None:
    sandbox.journal.call(
        method=name,
        args=args,
        ok=answer["ok"],
        error=answer.get("error", ""),
        ts=answer.get("ts", ""),
        fault=fault.kind if fault else "",
        ms=round((time.monotonic() - begun) * 1000),
    )
