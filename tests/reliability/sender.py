"""A courier in a process of its own, that may be killed: each connection to its door is served by a fresh child.

It is told in one line what to work on, answers with its number, and delivers until the line is cut or it is killed. As
a program: `python -m tests.reliability.sender DOOR`.
"""

import asyncio
import contextlib
import json
import logging
import mmap
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import async_default_handlers
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy.orm import configure_mappers

from bot.calling import Caller
from bot.courier import Courier
from bot.pacing import Pace
from bot.paging import History
from bot.rereading import Rereader
from storage import outbox
from storage.session import Storage
from tests.cast import TEAM
from tests.couriers import a_courier
from tests.reliability.receiver import wait_at

SECONDS = struct.Struct("d")
WAKE_EVERY_S = 0.01
"""The time of the sandbox flies; the courier would look again only every other second of ours."""
ANSWER_WITHIN_S = 0.2
"""How long the client waits for Slack's answer."""
A_SECOND = 40
"""Notes begun a second: ten times as many as Slack likes, for a life is short."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a child works on: a database, a Slack, the time of both, and as which kind of courier."""

    url: str
    api: str
    clock: str
    grace_s: float
    kind: str = "Courier"


def time_of(clock: str) -> Callable[[], datetime]:
    """The time by a clock that stands in a file: how many seconds it is ahead of ours."""
    with Path(clock).open("rb") as file:
        ahead = mmap.mmap(file.fileno(), SECONDS.size, access=mmap.ACCESS_READ)
    return lambda: datetime.fromtimestamp(time.time() + SECONDS.unpack(ahead[:])[0], UTC)


class AcksFirst(AsyncWebClient):
    """Lacks the answer: says at once that Slack took a message, and sends it afterwards."""

    async def chat_postMessage(self, **message: Any) -> Any:  # noqa: N802 - the SDK's name
        self.later = [*getattr(self, "later", ()), asyncio.ensure_future(super().chat_postMessage(**message))]
        yes = {"ok": True, "channel": message["channel"], "ts": "0"}
        return AsyncSlackResponse(
            client=self, http_verb="POST", api_url="", req_args={}, data=yes, headers={}, status_code=200
        )


class Naive:
    """Lacks the state `sending`: says what waits, and writes down what was said; a failure is tried again."""

    def __init__(self, storage: Storage, client: AsyncWebClient, *, now: Callable[[], datetime]) -> None:
        self._storage, self._client, self._now = storage, client, now
        self._stopping = False

    async def run(self) -> None:
        while not self._stopping:
            with self._storage.read() as db:
                waiting = [(note.id, note.channel_id, note.thread_ts, note.text) for note in outbox.waiting(db, TEAM)]
            for note, channel, thread, text in waiting[:20]:
                where: Any = {"thread_ts": thread} if thread else {}
                with contextlib.suppress(SlackApiError, ClientError, OSError, TimeoutError):
                    said = await self._client.chat_postMessage(channel=channel, text=text, **where)
                    with self._storage.write() as db:
                        row = outbox.get(db, note)
                        row.state, row.posted_ts = "sent", said["ts"]
            await asyncio.sleep(WAKE_EVERY_S)

    def wake(self) -> None:
        """It looks by itself."""

    def stop(self) -> None:
        self._stopping = True


def _a_client(task: Task, pace: Pace, now: Callable[[], datetime]) -> AsyncWebClient:
    """The client as it is, or one that lacks something."""
    given: dict[str, Any] = {"token": "xoxb-sandbox", "base_url": task.api, "timeout": ANSWER_WITHIN_S}
    if task.kind == "AcksFirst":
        return AcksFirst(**given, retry_handlers=[])
    if task.kind == "RetriesBlindly":
        return AsyncWebClient(**given, retry_handlers=async_default_handlers())

    async def moment() -> datetime:
        return now()

    return Caller(pace=pace, moment=moment, **given)


def _courier(storage: Storage, task: Task) -> Courier | Naive:
    """The courier as it is, or one that lacks something."""
    now, pace = time_of(task.clock), Pace(a_second=A_SECOND)
    client = _a_client(task, pace, now)
    if task.kind == "Naive":
        return Naive(storage, client, now=now)
    return a_courier(storage, client, now, grace=timedelta(seconds=task.grace_s), pace=pace)


async def serve(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    task = Task(**json.loads(await reader.readline()))
    _complain_to(Path(task.clock).with_name("courier.log"))
    writer.write(f"{os.getpid()}\n".encode())
    storage = Storage(task.url)
    courier = _courier(storage, task)
    running, beside = asyncio.ensure_future(courier.run()), [asyncio.ensure_future(_wake(courier))]
    if task.kind == "ReadsBack":
        beside.append(asyncio.ensure_future(_reader(storage, task, courier).run(WAKE_EVERY_S)))
    await reader.read()
    courier.stop()
    await running
    for other in beside:
        other.cancel()
    storage.close()


def _reader(storage: Storage, task: Task, courier: Courier | Naive) -> Rereader:
    client = AsyncWebClient(token="xoxb-sandbox", base_url=task.api, retry_handlers=[])
    now = time_of(task.clock)
    return Rereader(storage, History(client, now), client, team=TEAM, now=now, wake=courier.wake)


def _complain_to(log: Path) -> None:
    """Whatever goes wrong that is not Slack's doing stands in a file for the test to read."""
    to_file = logging.FileHandler(log)
    to_file.setLevel(logging.ERROR)
    logging.getLogger().addHandler(to_file)


async def _wake(courier: Courier | Naive) -> None:
    while True:
        courier.wake()
        await asyncio.sleep(WAKE_EVERY_S)


def main(door: str) -> None:
    configure_mappers()
    wait_at(door, serve)


if __name__ == "__main__":
    main(sys.argv[1])
