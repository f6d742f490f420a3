"""Socket Mode: each envelope is served once, however many sockets bring it; a refused socket is tried without haste."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

PING_S = 5.0
"""A connection that died without a word is noticed after four of these."""
ADDRESS_GOOD_FOR_S = 8.0
SHORT_LIFE_S = 3.0
LONGEST_PAUSE_S = 5.0
MOST_REMEMBERED = 1_000


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


class PatientClient(SocketModeClient):
    """Connects anew at once, but pauses where connections end as soon as they began."""

    _began = 0.0
    _short_lives = 0

    async def connect(self) -> None:
        """Connect; an address that leads nowhere is given up for a new one, for Slack's are good for one use."""
        while not self.closed:
            try:
                await asyncio.wait_for(super().connect(), ADDRESS_GOOD_FOR_S)
            except TimeoutError:
                self.wss_uri = None
            else:
                self._began = time.monotonic()
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


class Socket(AsyncBaseSocketModeHandler):
    """One connection of an app; connections that share their envelopes serve each of them once."""

    def __init__(self, app: AsyncApp, app_token: str, envelopes: Envelopes, *, address: str | None = None) -> None:
        self.app = self._bolt = app
        self.app_token = app_token
        self._envelopes = envelopes
        self.client = PatientClient(app_token=app_token, logger=app.logger, web_client=app.client, ping_interval=PING_S)
        self.client.wss_uri = address
        self.client.socket_mode_request_listeners.append(self.handle)

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Serve an envelope, or wait for the answer that another socket began, and acknowledge it."""
        began = time.time()
        answer = await self._envelopes.serve(req, lambda: run_async_bolt_app(self._bolt, req))
        await send_async_response(client, req, answer, began)
