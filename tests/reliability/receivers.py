"""Whom a story is told: a keeper in a process of its own, or `debrief run` over HTTP and over Socket Mode."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientError, ClientSession, WSMsgType, web

from bot.sandbox.demo import free_port
from bot.sandbox.over_http import signature
from bot.sandbox.troupe import bot_running, environment
from tests.cast import TEAM
from tests.reliability.meagre import MeagreSlack

Json = dict[str, Any]
ACK_WITHIN_S = 60.0
"""Much more than Slack's three, for a machine with other work: what comes later counts as not acknowledged."""
ROOT = Path(__file__).parents[2]


class Told(Protocol):
    """Something that acknowledges deliveries."""

    async def send(self, number: int, body: Json) -> bool: ...


class Receiver(Told, Protocol):
    """One that may be killed, and started anew."""

    async def start(self) -> None: ...

    async def kill(self) -> None: ...


# A keeper alone --------------------------------------------------------------------------------


@dataclass
class KeeperAlone:
    """A connection to one child of receiver.py; what was asked of it and is not answered when it dies is not kept."""

    door: Path
    asked: dict[int, asyncio.Future[bool]] = field(default_factory=dict)
    pid: int = 0
    refused: list[str] = field(default_factory=list)

    async def start(self) -> None:
        reader, self.writer = await asyncio.open_unix_connection(self.door)
        self.pid = int(await reader.readline())
        self.listening = asyncio.ensure_future(self._listen(reader))

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        await self.listening
        self.writer.close()

    async def stop(self) -> None:
        """Let it finish."""
        self.writer.write_eof()
        await self.listening
        self.writer.close()

    async def send(self, number: int, body: Json) -> bool:
        answer = self.asked[number] = asyncio.get_running_loop().create_future()
        if self.listening.done():
            return False
        with contextlib.suppress(ConnectionError):
            self.writer.write(json.dumps({"number": number, "body": body}).encode() + b"\n")
        return await answer

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while (line := await reader.readline()).endswith(b"\n"):
                number, _, why = line.decode().strip().partition(" ")
                self.refused += [why] if why else []
                self._settle(self.asked.pop(int(number)), so=not why)
        for answer in self.asked.values():
            self._settle(answer, so=False)
        self.asked.clear()

    def _settle(self, answer: asyncio.Future[bool], *, so: bool) -> None:
        if not answer.done():
            answer.set_result(so)


@contextlib.contextmanager
def a_door(url: str, kind: str = "Keeper") -> Iterator[Path]:
    """receiver.py, waiting behind the door whose path is given."""
    with a_door_of("receiver", url, kind) as door:
        yield door


@contextlib.contextmanager
def a_door_of(program: str, *more: str) -> Iterator[Path]:
    """A program of this folder that waits behind a door, in a folder whose name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="door-", dir=Path("/tmp")) as folder:
        door = Path(folder) / "door"
        words = [sys.executable, "-m", f"tests.reliability.{program}", str(door), *more]
        waiting = subprocess.Popen(words, cwd=ROOT)
        try:
            until = time.monotonic() + 60
            while not door.exists() and waiting.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            yield door
        finally:
            waiting.kill()
            waiting.wait()


# The whole bot ---------------------------------------------------------------------------------


@dataclass
class LoudSlack(MeagreSlack):
    """Delivers many envelopes at once, to one socket or another, and knows which of them were acknowledged."""

    waiting: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)
    carried: dict[web.WebSocketResponse, set[str]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    """Also what nobody waited for any more."""

    async def deliver(self, body: Json, kind: str = "events_api", **more: Any) -> Json | None:
        """The acknowledgement of an envelope; None where there is none."""
        envelope = uuid.uuid4().hex
        return await self.send_frame(envelope, {"envelope_id": envelope, "type": kind, "payload": body} | more)

    async def send_frame(self, envelope: str, frame: Any, *, within_s: float = ACK_WITHIN_S) -> Json | None:
        """Send what may be an envelope of this id."""
        sockets = [socket for socket in self.open if not socket.closed]
        if not sockets:
            return None
        socket = sockets[hash(envelope) % len(sockets)]
        answer = self.waiting[envelope] = asyncio.get_running_loop().create_future()
        self.carried[socket].add(envelope)
        try:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_json(frame))
            return await asyncio.wait_for(answer, within_s)
        except (ConnectionError, TimeoutError):
            return None
        finally:
            self.waiting.pop(envelope, None)
            self.carried.get(socket, set()).discard(envelope)

    def _answer(self, method: str) -> Json:
        more: Json = {
            "auth.test": {"team_id": TEAM, "user_id": "U0DEBRIEF"},
            "response_url": {},
            "users.info": {"user": {"id": "U0TOMAS", "name": "tomas", "profile": {}}},
            "views.open": {"view": {}},
            "views.publish": {"view": {}},
        }
        return {"ok": True} | more[method] if method in more else super()._answer(method)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=2**26)
        await socket.prepare(request)
        self.open.append(socket)
        self.carried[socket] = set()
        await socket.send_json({"type": "hello"})
        async for message in socket:
            ack: Json = json.loads(message.data) if message.type is WSMsgType.TEXT else {}
            self.acknowledged.add(str(ack.get("envelope_id")))
            self._settle(str(ack.get("envelope_id")), ack)
        self.open.remove(socket)
        for envelope in self.carried.pop(socket):
            self._settle(envelope, None)
        return socket

    def _settle(self, envelope: str, ack: Json | None) -> None:
        answer = self.waiting.get(envelope)
        if answer and not answer.done():
            answer.set_result(ack)


@dataclass
class WholeBot:
    """`debrief run` beside a Slack of ours, over HTTP or Socket Mode, with the time of this machine."""

    slack: LoudSlack
    folder: Path
    way: str
    session: ClientSession
    env: Json = field(default_factory=dict)
    bot: Any = None

    def __post_init__(self) -> None:
        self.port = free_port()
        here = environment(f"{self.slack.url}/api/", self.folder, self.port, http=self.way == "http")
        self.env = {name: value for name, value in here.items() if name != "DEBRIEF_CLOCK"} | self.env
        self.log = self.folder / "bot.log"

    async def start(self) -> None:
        self._running = bot_running(self.env, self.log)
        self.bot = await asyncio.to_thread(self._running.__enter__)
        async with asyncio.timeout(60):
            while self.way == "socket" and not self.slack.open:  # noqa: ASYNC110 - another process connects
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        os.kill(self.bot.pid, signal.SIGKILL)
        await self.stop()
        async with asyncio.timeout(60):
            while self.slack.open:  # noqa: ASYNC110 - the kernel tells
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await asyncio.to_thread(self._running.__exit__, None, None, None)

    async def send(self, number: int, body: Json) -> bool:
        if self.way == "socket":
            return await self.slack.deliver(body, retry_attempt=0) is not None
        return await self.post(json.dumps(body).encode()) == 200

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        """The status of a signed request of Slack's; 0 where the connection breaks."""
        stamp = str(int(time.time()))
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(stamp, body)}
        return await self.post_as(body, signed | {"Content-Type": "application/json"} | (headers or {}))

    async def post_as(self, body: Any, headers: Any) -> int:
        with contextlib.suppress(ClientError, ConnectionError, TimeoutError):
            url = f"http://127.0.0.1:{self.port}/slack/events"
            async with asyncio.timeout(ACK_WITHIN_S), self.session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        return 0

    async def page(self, name: str) -> tuple[int, str]:
        """What one of the bot's own pages says."""
        async with self.session.get(f"http://127.0.0.1:{self.port}{name}") as answer:
            return answer.status, await answer.text()


@contextlib.asynccontextmanager
async def a_whole_bot(folder: Path, way: str, **env: str) -> AsyncIterator[WholeBot]:
    """The bot, not started yet, with everything it needs."""
    slack = LoudSlack()
    application = web.Application()
    application.router.add_route("*", "/api/{method}", slack.api)
    application.router.add_get("/socket", slack.socket)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ClientSession() as session:
            yield WholeBot(slack, folder, way, session, env)
    finally:
        await runner.cleanup()
