"""HTTP: Slack's requests, whose signature is checked on raw bytes before anything parses them; health and metrics."""

import hashlib
import hmac
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.shapes import NOT_SLACKS, is_only_said, is_slacks
from storage.gestures import FirstMark

log = logging.getLogger("debrief.web")

SIGNATURE_AGE_S = 300
"""Slack asks to refuse what is older than five minutes."""
BODY_LIMIT = 4 * 2**20

Readiness = Callable[[], Awaitable[str | None]]
"""Why we are not ready, or None."""
Keep = Callable[[dict[str, Any]], Awaitable[BoltResponse | None]]
"""Keeps the facts of a body; answers itself where Slack is to send it again."""
Moment = Callable[[], Awaitable[datetime]]
"""The time; a local Slack's has to be waited for."""
Figures = Callable[[], Awaitable[bytes]]
"""What Prometheus is told, in its text format."""
Acked = Callable[[float], None]
"""Told how many seconds Slack waited for an answer."""


async def no_figures() -> bytes:
    return b""


def told_to_nobody(_seconds: float) -> None:
    """Where nobody measures."""


def pages(ready: Readiness, figures: Figures = no_figures) -> web.Application:
    """The pages that both modes serve."""
    application = web.Application(client_max_size=BODY_LIMIT)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        why_not = await ready()
        return web.Response(text=f"{why_not or 'ready'}\n", status=503 if why_not else 200)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=await figures(), headers={"Content-Type": CONTENT_TYPE_LATEST})

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
    keep: Keep,
    acked: Acked = told_to_nobody,
) -> None:
    """Add the door for Slack's requests; while there is no app, at the start and at the end, Slack is to come back.

    What is only said is kept here: to make a request for Bolt of it would cost more than to keep it.
    """

    async def answer(raw: bytes, headers: dict[str, str]) -> web.Response:
        bolt, event = app(), an_event(raw)
        if bolt and event and is_only_said(event):
            kept = await keep(event)
            return web.Response(status=kept.status if kept else 200)
        asked = read(raw, headers, event)
        if asked is None:
            return web.Response(status=400, text="This is not a request of Slack's.\n")
        if bolt is None:
            return web.Response(status=503, text="Not ready now.\n")
        return await to_aiohttp_response(await bolt.async_dispatch(asked))

    async def events(request: web.Request) -> web.Response:
        began = time.monotonic()
        try:
            raw = await request.read()
        except (HttpProcessingError, web.RequestPayloadError, ConnectionError):
            return web.Response(status=400, text="This is not a request of Slack's.\n")
        moment, headers = await now(), slacks_headers(request)
        if not is_signed(raw, headers, secret=secret, now=moment.timestamp()):
            return web.Response(status=401, text="The signature does not fit.\n")
        answered = await answer(raw, headers)
        acked(time.monotonic() - began)
        return answered

    application.router.add_post("/slack/events", events)


HEADERS = (
    "content-type",
    "x-slack-request-timestamp",
    "x-slack-signature",
    "x-slack-retry-num",
    "x-slack-retry-reason",
)


def slacks_headers(request: web.Request) -> dict[str, str]:
    """The headers that say something; the others would only be copied about."""
    return {name: request.headers[name] for name in HEADERS if name in request.headers}


def is_signed(raw: bytes, headers: dict[str, str], *, secret: str, now: float) -> bool:
    """Whether this body was signed with our secret within the last five minutes; never raises."""
    lower = {name.lower(): value for name, value in headers.items()}
    stamp, given = lower.get("x-slack-request-timestamp", ""), lower.get("x-slack-signature", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now - int(stamp)) > SIGNATURE_AGE_S:
        return False
    # Not hmac.digest: that lets another thread run each time, which costs more than the digest.
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def an_event(raw: bytes) -> dict[str, Any] | None:
    """The body of an event; None for everything else, and for what is not shaped as Slack shapes its events."""
    try:
        body = json.loads(raw) if b'"event_callback"' in raw else {}
        return body if is_slacks(body) and body.get("type") == "event_callback" else None
    except NOT_SLACKS:
        return None


def read(raw: bytes, headers: dict[str, str], event: dict[str, Any] | None = None) -> AsyncBoltRequest | None:
    """The request as Bolt takes it, or None where it is not shaped as Slack shapes its requests.

    An event that was parsed already is not parsed again.
    """
    try:
        if event:
            return as_parsed(event, raw.decode(), headers)
        asked = AsyncBoltRequest(body=raw.decode(), headers=dict(headers))
        return asked if is_slacks(asked.body) else None
    except NOT_SLACKS:
        return None


def as_parsed(event: dict[str, Any], raw: str, headers: dict[str, str]) -> AsyncBoltRequest:
    """What Bolt would have made of the raw body; only over Socket Mode does it take what is parsed."""
    asked = AsyncBoltRequest(mode="socket_mode", body=event, headers=dict(headers))
    asked.mode, asked.raw_body = "http", raw
    return asked


# What fails all the same -----------------------------------------------------------------


async def answer_failure(error: Exception, response: BoltResponse | None) -> BoltResponse | None:
    """One line for what no listener caught: which error and where, but not its words, which may be somebody's.

    What made no sense is a bad request, and anything else is our fault; what was acknowledged already stays so.
    """
    senseless = response is not None and isinstance(error, NOT_SLACKS)
    level, said = (
        logging.WARNING if senseless else logging.ERROR,
        {"error": type(error).__name__, "where": where(error)},
    )
    log.log(level, "a listener failed", extra=said)
    return BoltResponse(status=400 if senseless else 500) if response else None


def where(error: BaseException) -> str:
    """The line of ours that an error came from, such as `forms.py:312`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent.is_relative_to(Path(__file__).parent)]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "outside of our own code"


def mark_of(raw: str, stamp: str) -> str:
    """What a signed request is remembered by."""
    return hashlib.sha256(f"{stamp}:{raw}".encode("utf-8", "surrogatepass")).hexdigest()


def mark_of_payload(body: Mapping[str, Any], *, attempt: str = "") -> str | None:
    """What a gesture over a socket is remembered by: an envelope that comes again may come to another replica.

    Slack gives each gesture a trigger of its own, and numbers the attempts after the first; what has no trigger is
    nobody's gesture.
    """
    if not body.get("trigger_id"):
        return None
    mark = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return mark if attempt.isdecimal() and int(attempt) else FirstMark(mark)
