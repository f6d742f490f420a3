"""HTTP: Slack's requests, whose signature is checked on raw bytes before anything parses them; health and metrics."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import parse_qs

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

log = logging.getLogger("debrief.web")

SIGNATURE_AGE_S = 300
"""Slack asks to refuse what is older than five minutes."""
BODY_LIMIT = 4 * 2**20

Readiness = Callable[[], Awaitable[str | None]]
"""Why we are not ready, or None."""


def pages(ready: Readiness) -> web.Application:
    """The pages that both modes serve."""
    application = web.Application(client_max_size=BODY_LIMIT)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        why_not = await ready()
        return web.Response(text=f"{why_not or 'ready'}\n", status=503 if why_not else 200)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", metrics)
    return application


def receive_events(
    application: web.Application, app: Callable[[], AsyncApp | None], *, secret: str, now: Callable[[], datetime]
) -> None:
    """Add the door for Slack's requests; while there is no app yet it asks Slack to come back."""

    async def events(request: web.Request) -> web.Response:
        raw = await request.read()
        age_from = (await asyncio.to_thread(now)).timestamp()
        if not is_signed(raw, dict(request.headers), secret=secret, now=age_from):
            return web.Response(status=401, text="The signature does not fit.\n")
        if not is_readable(raw, request.content_type):
            return web.Response(status=400, text="This is not a request of Slack's.\n")
        bolt = app()
        if bolt is None:
            return web.Response(status=503, text="Not ready yet.\n")
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    application.router.add_post("/slack/events", events)


def is_signed(raw: bytes, headers: dict[str, str], *, secret: str, now: float) -> bool:
    """Whether this body was signed with our secret within the last five minutes; never raises."""
    lower = {name.lower(): value for name, value in headers.items()}
    stamp, given = lower.get("x-slack-request-timestamp", ""), lower.get("x-slack-signature", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > SIGNATURE_AGE_S:
        return False
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def is_readable(raw: bytes, content_type: str) -> bool:
    """Whether Bolt can take this body: a JSON object, or a form whose payload, if any, is one."""
    try:
        words = raw.decode()
        if content_type == "application/json" or words.startswith("{"):
            return isinstance(json.loads(words), dict)
        payload = parse_qs(words).get("payload")
        return payload is None or isinstance(json.loads(payload[0]), dict)
    except (ValueError, RecursionError):
        return False


def mark_of(raw: str, stamp: str) -> str:
    """What a signed request is remembered by."""
    return hashlib.sha256(f"{stamp}:{raw}".encode("utf-8", "surrogatepass")).hexdigest()
