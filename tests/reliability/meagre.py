"""A Slack that answers no more than it must: the fewest keys, few methods, and both sockets may bring everything."""

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bot.sandbox.demo import free_port
from bot.sandbox.troupe import bot_running, environment

Json = dict[str, Any]
NOW = "2026-11-18T18:20:00Z"
SECONDS = 1795026000
US, PRIYA, JONAS = "UBOT", "U1", "U2"
CHANNEL = "C1"
PATIENCE_S = 60.0


async def until(so: Callable[[], bool]) -> None:
    """Look again until it is so; raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not so():  # noqa: ASYNC110 - it is another process that makes it so
            await asyncio.sleep(0.02)


@dataclass
class MeagreSlack:
    """Its clock stands still; it bears so many `sockets`, and `broadcasts` where each of them brings everything."""

    sockets: int = 2
    broadcasts: bool = False
    url: str = ""
    calls: list[tuple[str, Json]] = field(default_factory=list)
    open: list[web.WebSocketResponse] = field(default_factory=list)
    _acks: dict[str, list[Json]] = field(default_factory=dict)
    _count: Any = field(default_factory=lambda: itertools.count(1))

    def asked(self, method: str) -> int:
        """How often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    def said(self) -> list[str]:
        """What was posted, in order."""
        return [str(arguments.get("text")) for name, arguments in self.calls if name == "chat.postMessage"]

    async def command(self, user: str, words: str) -> str:
        """Type the command, always with the same trigger; the answer in-band."""
        payload = {"command": "/review", "text": words, "user_id": user, "channel_id": CHANNEL, "team_id": "T1"}
        answer = await self._deliver("slash_commands", payload | {"trigger_id": "1.1.a", "response_url": self.url})
        return str((answer or {}).get("text") or "")

    async def event(self, **event: Any) -> None:
        """Deliver an event in an envelope of the fewest keys."""
        body: Json = {"type": "event_callback", "team_id": "T1", "event_id": uuid.uuid4().hex}
        body["event"] = {"event_ts": f"{SECONDS}.000001"} | event
        await self._deliver("events_api", body)

    async def _deliver(self, kind: str, payload: Json) -> Json | None:
        envelope = uuid.uuid4().hex
        acks = self._acks[envelope] = []
        sockets = [socket for socket in self.open if not socket.closed]
        for socket in sockets if self.broadcasts else sockets[:1]:
            await socket.send_json({"envelope_id": envelope, "type": kind, "payload": payload})
        wanted = len(sockets) if self.broadcasts else 1
        await until(lambda: len(acks) >= wanted)
        return next((ack["payload"] for ack in acks if ack.get("payload")), None)

    # The Web API and the sockets ---------------------------------------------------------

    async def api(self, request: web.Request) -> web.Response:
        method, arguments = request.match_info["method"], dict(request.query)
        if request.content_type == "application/json":
            arguments |= await request.json()
        elif request.can_read_body:
            arguments |= {name: str(value) for name, value in (await request.post()).items()}
        self.calls.append((method, arguments))
        return web.json_response(self._answer(method))

    def _answer(self, method: str) -> Json:
        answers: Json = {
            "auth.test": {"team_id": "T1", "user_id": US},
            "apps.connections.open": {"url": f"{self.url.replace('http', 'ws')}/socket"},
            "conversations.info": {"channel": {"id": CHANNEL, "name": "inc-9-payments"}},
            "conversations.history": {"messages": []},
            "chat.postMessage": {"ts": f"{SECONDS}.{next(self._count):06d}", "channel": CHANNEL},
            "chat.postEphemeral": {},
            "chat.update": {"ts": "1.1", "channel": CHANNEL},
            "reactions.add": {},
        }
        found = answers.get(method)
        return {"ok": False, "error": "unknown_method"} if found is None else {"ok": True, **found}

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if sum(not other.closed for other in self.open) >= self.sockets:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.open.append(socket)
        await socket.send_json({"type": "hello"})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                ack = json.loads(message.data)
                self._acks.setdefault(ack.get("envelope_id"), []).append(ack)
        return socket


async def _clock(_request: web.Request) -> web.Response:
    return web.json_response({"now": NOW})


@contextlib.asynccontextmanager
async def meagre_slack(folder: Path, **traits: Any) -> AsyncIterator[MeagreSlack]:
    """A meagre Slack with the unmodified bot connected to it."""
    slack = MeagreSlack(**traits)
    application = web.Application()
    application.router.add_route("*", "/api/{method}", slack.api)
    application.router.add_get("/socket", slack.socket)
    application.router.add_get("/_control/clock", _clock)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    running = bot_running(environment(f"{slack.url}/api/", folder, free_port()), folder / "bot.log")
    await asyncio.to_thread(running.__enter__)
    try:
        await _connected(slack)
        yield slack
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
        await runner.cleanup()


async def _connected(slack: MeagreSlack) -> None:
    await until(lambda: len(slack.open) >= slack.sockets)
