"""Socket Mode: each envelope is served once, however many sockets bring it; a refused socket is tried without haste."""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.shapes import NOT_SLACKS, fits, is_slacks

log = logging.getLogger("debrief.sockets")

PING_S = 5.0
"""A connection that died without a word is noticed after four of these."""
ADDRESS_GOOD_FOR_S = 8.0
SHORT_LIFE_S = 3.0
LONGEST_PAUSE_S = 5.0
ANSWERED_WITHIN_S = 4.0
"""Slack waits three seconds for an answer; then it sends again."""
MOST_REMEMBERED = 1_000
MOST_CONNECTIONS = 10
"""Slack opens no more for one app."""


class Envelopes:
    """What came lately, by envelope and attempt; one that brought no success may come again."""

    def __init__(self) -> None:
        self._served: OrderedDict[tuple[str, int], asyncio.Task[BoltResponse]] = OrderedDict()

    async def serve(self, request: SocketModeRequest, work: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """The answer to an envelope, the same for whichever socket asks."""
        key = (request.envelope_id, request.retry_attempt or 0)
        task = self._served.get(key)
        if task is None or _failed(task):
            task = self._served[key] = asyncio.ensure_future(work())
            while len(self._served) > MOST_REMEMBERED:
                self._served.popitem(last=False)
        return await asyncio.shield(task)


def _failed(task: asyncio.Task[BoltResponse]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None or task.result().status != 200)


ENVELOPE = {"envelope_id": str, "type": str, "payload": dict, "retry_attempt": int | None, "retry_reason": str | None}


def read_frame(raw: object) -> dict[str, Any] | None:
    """What Slack says over a socket: an envelope, or a word about the connection; None where it is neither."""
    try:
        frame = json.loads(raw) if isinstance(raw, str) else None
    except NOT_SLACKS:
        return None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        return None
    return frame if "envelope_id" not in frame or fits(frame, ENVELOPE) else None


def read_envelope(envelope: SocketModeRequest) -> AsyncBoltRequest | None:
    """The request in an envelope as Bolt takes it, or None where it is not shaped as Slack shapes its requests."""
    try:
        if not is_slacks(envelope.payload):
            return None
        return AsyncBoltRequest(mode="socket_mode", body=envelope.payload, headers=build_headers(envelope))
    except NOT_SLACKS:
        return None


class PatientClient(SocketModeClient):
    """Connects anew at once, but pauses where connections end as soon as they began."""

    _began = 0.0
    _short_lives = 0

    def __init__(self, *args: Any, when_open: Callable[[], None] = lambda: None, **kwargs: Any) -> None:
        self._serving: set[asyncio.Future[None]] = set()
        self._when_open = when_open
        super().__init__(*args, **kwargs)

    async def process_message(self) -> None:
        """Begin to serve what came next; what cannot be read is passed over, and the connection goes on."""
        raw = await self.message_queue.get()
        frame = read_frame(raw)
        if frame is None:
            log.warning("something that cannot be read came over the socket", extra={"characters": len(raw or "")})
            return
        _tell_of_crowds(frame)
        serving = asyncio.ensure_future(self.run_message_listeners(frame, raw))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def answered(self, within_s: float) -> None:
        """Return when all that came was answered, or when that takes longer."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=within_s)

    async def connect(self) -> None:
        """Connect; an address that leads nowhere is given up for a new one, for Slack's are good for one use."""
        while not self.closed:
            try:
                await asyncio.wait_for(super().connect(), ADDRESS_GOOD_FOR_S)
            except TimeoutError:
                self.wss_uri = None
            else:
                self._began = time.monotonic()
                self._when_open()
                return

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002
        lost = self.current_session
        await asyncio.sleep(self._pause())
        if self.closed or self.current_session is not lost:
            return
        await super().connect_to_new_endpoint(force)

    def _pause(self) -> float:
        short = time.monotonic() - self._began < SHORT_LIFE_S
        self._short_lives = self._short_lives + 1 if short else 0
        return min(2.0 ** (self._short_lives - 2), LONGEST_PAUSE_S) if self._short_lives > 1 else 0.0


def _tell_of_crowds(frame: dict[str, Any]) -> None:
    """What runs beside us without a connection hears nothing, and looks well: somebody should know."""
    count = frame.get("num_connections")
    if frame["type"] == "hello" and isinstance(count, int) and count >= MOST_CONNECTIONS:
        log.warning("all ten connections that Slack gives an app are taken: run fewer bots", extra={"open": count})
    if frame["type"] == "disconnect" and frame.get("reason") == "too_many_websockets":
        log.warning("Slack gives this app no further connection: run fewer bots, or let Slack call over HTTP")


class Socket(AsyncBaseSocketModeHandler):
    """One connection of an app; connections that share their envelopes serve each of them once.

    `when_open` is told of each time that it connects: what was said before may have come to nobody; `acked` of the
    seconds that each answer took.
    """

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        envelopes: Envelopes,
        *,
        address: str | None = None,
        when_open: Callable[[], None] = lambda: None,
        acked: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.app = self._bolt = app
        self.app_token = app_token
        self._envelopes = envelopes
        self._acked = acked
        self.client = self._patient = PatientClient(
            app_token=app_token, logger=app.logger, web_client=app.client, ping_interval=PING_S, when_open=when_open
        )
        self.client.wss_uri = address
        self.client.socket_mode_request_listeners.append(self.handle)

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Serve an envelope, or wait for the answer that another socket began, and acknowledge it."""
        began, since = time.time(), time.monotonic()
        answer = await self._envelopes.serve(req, lambda: self._answer(req))
        await send_async_response(client, req, answer, began)
        self._acked(time.monotonic() - since)

    async def is_open(self) -> bool:
        """Whether Slack can reach us by this connection."""
        return bool(await self.client.is_connected())

    async def close_after_answering(self) -> None:
        """Close when what came was answered, or after Slack's patience: what comes later goes to another connection."""
        await self._patient.answered(ANSWERED_WITHIN_S)
        await self.close_async()

    async def _answer(self, envelope: SocketModeRequest) -> BoltResponse:
        asked = read_envelope(envelope)
        if asked is None:  # Sent again it would be no better.
            log.warning("a delivery that makes no sense was passed over")
            return BoltResponse(status=200)
        return await self._bolt.async_dispatch(asked)
