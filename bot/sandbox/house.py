"""The one object that holds a running sandbox together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.clock import VirtualClock
from bot.sandbox.deliveries import Deliveries, Delivery
from bot.sandbox.faults import Faults
from bot.sandbox.journal import Journal, Stream
from bot.sandbox.limits import RateLimits
from bot.sandbox.manifest import Manifest
from bot.sandbox.over_socket import OverSocket
from bot.sandbox.payloads import envelope
from bot.sandbox.tickets import ResponseUrls, Triggers
from bot.sandbox.workspace import BOT_USER, Channel, Workspace

Json = dict[str, Any]


@dataclass
class Sandbox:
    clock: VirtualClock
    workspace: Workspace
    manifest: Manifest
    journal: Journal
    stream: Stream
    faults: Faults
    limits: RateLimits
    triggers: Triggers
    response_urls: ResponseUrls
    sockets: OverSocket
    deliveries: Deliveries
    url: str = ""
    token_revoked: bool = False
    _watched: list[Delivery] | None = field(default=None)
    _forgetful: list[tuple[Channel, str]] | None = field(default=None)
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    def emit(self, event: Json, channel: Channel | None, *, subscription: str = "") -> None:
        """Deliver an event if the bot may hear it; one of a channel only while the bot is a member."""
        if self._forgetful is not None or not self.manifest.hears(subscription or event["type"]):
            return
        shared = channel is not None and channel.is_ext_shared
        payload = envelope(self.workspace, deepcopy(event), ext_shared=shared)
        delivery = self.deliveries.send_event(payload, channel.id if channel else "")
        if self._watched is not None:
            self._watched.append(delivery)

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """What is posted inside is told to nobody and gone afterwards, as Slack sometimes loses a message."""
        self._forgetful = lost = []
        try:
            yield
        finally:
            self._forgetful = None
            for channel, ts in lost:
                channel.remove(ts)

    def stored(self, channel: Channel, ts: str) -> None:
        """A message was posted; remember it when it is to be lost."""
        if self._forgetful is not None:
            self._forgetful.append((channel, ts))

    def hears_in(self, channel: Channel) -> bool:
        return BOT_USER in channel.members

    def later(self, seconds: float, deed: Callable[[], None]) -> None:
        """Do something when that many seconds of the virtual clock are over."""
        task = asyncio.get_running_loop().create_task(self._wait_and_do(seconds, deed))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        for task in list(self._waiting):
            task.cancel()
        await self.deliveries.close()

    async def _wait_and_do(self, seconds: float, deed: Callable[[], None]) -> None:
        await self.clock.sleep(seconds)
        deed()

    @contextmanager
    def watching(self) -> Iterator[list[Delivery]]:
        """The deliveries that the block inside causes; nothing in it may await."""
        self._watched = seen = []
        try:
            yield seen
        finally:
            self._watched = None
