"""HTTP: Slack's requests, whose signature is checked on raw bytes before anything parses them; health and metrics."""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

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

Moment = Callable[[], Awaitable[datetime]]
"""The time; a local Slack's has to be waited for."""
    async def readyz(_request: web.Request) -> web.Response:
        why_not = await ready()
        return web.Response(text=f"{why_not or 'ready'}\n", status=503 if why_not else 200)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", metrics)
    return application


class OneLine(logging.Filter):
    """What is no HTTP, or an upload torn in two, is one line in the log: neither traceback nor what was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            record.msg, record.args, record.exc_info = "a request that is no HTTP was refused", (), None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def runner(application: web.Application) -> web.AppRunner:
    """What serves pages; a body stays as it was signed, so that nothing unsigned is unpacked."""
    door = logging.getLogger("debrief.web.door")
    door.addFilter(ONE_LINE)
    return web.AppRunner(application, access_log=None, logger=door, auto_decompress=False)


ONE_LINE = OneLine()


def receive_events(
    application: web.Application,
    app: Callable[[], AsyncApp | None],
    *,
    secret: str,
    now: Moment,
) -> None:
    """Add the door for Slack's requests; while there is no app yet it asks Slack to come back."""

    async def events(request: web.Request) -> web.Response:
        try:
            raw = await request.read()
        except (HttpProcessingError, web.RequestPayloadError, ConnectionError):
            return web.Response(status=400, text="This is not a request of Slack's.\n")
        moment = await now()
        if not is_signed(raw, dict(request.headers), secret=secret, now=moment.timestamp()):
            return web.Response(status=401, text="The signature does not fit.\n")
        asked = read(raw, request)
        if asked is None:
            return web.Response(status=400, text="This is not a request of Slack's.\n")
        bolt = app()
        if bolt is None:
            return web.Response(status=503, text="Not ready yet.\n")
        return await to_aiohttp_response(await bolt.async_dispatch(asked))

    application.router.add_post("/slack/events", events)


def is_signed(raw: bytes, headers: dict[str, str], *, secret: str, now: float) -> bool:
    """Whether this body was signed with our secret within the last five minutes; never raises."""
    lower = {name.lower(): value for name, value in headers.items()}
    stamp, given = lower.get("x-slack-request-timestamp", ""), lower.get("x-slack-signature", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > SIGNATURE_AGE_S:
        return False
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


Shape = Any
"""A type; or a dictionary of shapes, by key; or a list of one shape, which each of one or more items has."""

A_PERSON = {"id": str}
PRESSED = {"user": A_PERSON, "actions": [{"action_id": str}], "channel": dict | None, "message": dict | None}
CLOSED: dict[str, Any] = {"user": A_PERSON, "view": {"id": str, "type": str, "callback_id": str}}
SENT = {"user": A_PERSON, "view": CLOSED["view"] | {"private_metadata": str, "state": {"values": dict}}}
SHAPES: Mapping[str, Shape] = {
    "event_callback": {"event": {"type": str}},
    "block_actions": PRESSED | {"container": dict | None},
    "view_submission": SENT,
    "view_closed": CLOSED,
    "message_action": {"user": A_PERSON, "callback_id": str, "channel": {"id": str}, "message": {"ts": str}},
}
"""What our listeners read of each type of request."""
EVENTS: Mapping[str, Shape] = {
    "app_home_opened": {"user": str},
    "app_mention": {"channel": str, "ts": str, "user": str | None, "text": str | None, "thread_ts": str | None},
    "channel_created": {"channel": {"id": str}},
    "member_joined_channel": {"channel": str, "user": str},
    "reaction_added": {"item": {"type": str}},
    "reaction_removed": {"item": {"type": str}},
}
COMMAND = {"command": str, "user_id": str, "channel_id": str, "text": str | None}
ANYTHING_ELSE = {"callback_id": str | None}
NOT_SLACKS = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What the libraries raise on bodies that nobody at Slack would send."""


def read(raw: bytes, request: web.Request) -> AsyncBoltRequest | None:
    """The request as Bolt takes it, or None where it is not shaped as Slack shapes its requests."""
    try:
        asked = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
        return asked if is_slacks(asked.body) else None
    except NOT_SLACKS:
        return None


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


def fits(value: object, shape: Shape) -> bool:
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(fits(value.get(key), each) for key, each in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and bool(value) and all(fits(item, shape[0]) for item in value)
    return isinstance(value, shape)


def mark_of(raw: str, stamp: str) -> str:
    """What a signed request is remembered by."""
    return hashlib.sha256(f"{stamp}:{raw}".encode("utf-8", "surrogatepass")).hexdigest()
