"""Socket Mode after a silence: 5,000 envelopes at once; how many are acknowledged, how many kept, and how fast."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks.slack_requests import TEAM, envelope, message
from benchmarks.stage import a_folder, bot_in_process

ENVELOPES, WITHIN_S = 5_000, 120.0


@dataclass
class Flood:
    """A Slack that says little, and sends everything it has as soon as there is a socket."""

    many: int
    event: Callable[[int], dict[str, Any]] = message
    asked: Counter[str] = field(default_factory=Counter[str])
    """What the bot asked of Slack, by method."""
    acknowledged: dict[str, float] = field(default_factory=dict[str, float])
    began: float = 0.0
    url: str = ""

    def __post_init__(self) -> None:
        self._numbers = iter(range(self.many))
        self.done = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.asked[method] += 1
        me = {"ok": True, "team_id": TEAM, "team": "Bench", "user_id": "U0DEBRIEF", "bot_id": "B0DEBRIEF"}
        if method == "auth.test":
            return web.json_response(me | {"url": "https://bench.slack.com/"})
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": self.url.replace("http", "ws") + "/socket"})
        return web.json_response({"ok": False, "error": "unknown_method"})

    async def pour(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        pouring = asyncio.ensure_future(self._pour(socket))
        async for frame in socket:
            self._hear(json.loads(frame.data))
        pouring.cancel()
        return socket

    async def _pour(self, socket: web.WebSocketResponse) -> None:
        self.began = self.began or time.perf_counter()
        for number in self._numbers:
            payload = envelope(self.event(number), number)
            await socket.send_json({"type": "events_api", "envelope_id": f"envelope-{number}", "payload": payload})

    def _hear(self, acknowledgement: dict[str, str]) -> None:
        self.acknowledged[acknowledgement["envelope_id"]] = time.perf_counter() - self.began
        if len(self.acknowledged) == self.many:
            self.done.set()


@dataclass(frozen=True)
class Outcome:
    """What became of a backlog."""

    acknowledged: int
    kept: int
    seconds: float
    asked: Mapping[str, int]


async def outcome_of(many: int, event: Callable[[int], dict[str, Any]] = message) -> Outcome:
    """Send so many envelopes at once to a bot of its own, and wait until all are acknowledged or it takes too long."""
    with a_folder() as folder:
        async with (
            _flooding(Flood(many, event)) as flood,
            bot_in_process(f"{flood.url}/api/", folder, app_token="xapp-1"),
        ):
            with suppress(TimeoutError):
                await asyncio.wait_for(flood.done.wait(), WITHIN_S)
            kept, asked = _kept(folder / "debrief.db"), flood.asked.copy()
        return Outcome(len(flood.acknowledged), kept, max(flood.acknowledged.values(), default=0.0), asked)


@asynccontextmanager
async def _flooding(flood: Flood) -> AsyncGenerator[Flood]:
    application = web.Application()
    application.router.add_route("*", "/api/{method}", flood.answer)
    application.router.add_get("/socket", flood.pour)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    flood.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield flood
    await runner.cleanup()


def _kept(database: Path) -> int:
    """Read while the bot runs: what is acknowledged is committed."""
    with closing(sqlite3.connect(database)) as connection:
        said, given = (f"SELECT count(DISTINCT ts) FROM {table}" for table in ("messages", "reactions"))
        return int(connection.execute(f"SELECT ({said}) + ({given})").fetchone()[0])


def measure() -> None:
    outcome = asyncio.run(outcome_of(ENVELOPES))
    print(
        f"{ENVELOPES:,} envelopes at once: {outcome.acknowledged:,} acknowledged, {outcome.kept:,} kept, "
        f"the last after {outcome.seconds:.1f} s"
    )


if __name__ == "__main__":
    measure()
