"""Deliveries over Socket Mode: single-use tickets, several connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from bot.sandbox.deliveries import ACK_DEADLINE_S, MILLISECONDS, Attempt, Outcome
from bot.sandbox.workspace import APP_ID

Json = dict[str, Any]

MOST_CONNECTIONS = 10
CONNECTION_LIFE_S = 18060
WARNING_LEAD_S = 10.0


@dataclass
class Connection:
    """`deaf` is a black hole: the connection stays open, nothing goes in or out."""

    socket: web.WebSocketResponse
    request: web.Request
    deaf: bool = False
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


class OverSocket:
    """Sends each payload to one of the open connections, chosen at random as Slack may."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self._tickets: set[str] = set()
        self._random = random.Random(6)
        self._refreshes: list[asyncio.Future[None]] = []

    def ticket(self) -> str:
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def send(self, kind: str, payload: Json, attempt: Attempt) -> Outcome:
        if not self.connections:
            return Outcome(acked=False, reason="connection_failed")
        connection = self._random.choice(self.connections)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(ACK_DEADLINE_S):
                body = await _exchange(connection, _envelope(kind, payload, attempt))
        except TimeoutError:
            return Outcome(acked=False, ms=_since(begun), reason="timeout")
        except ConnectionError:
            return Outcome(acked=False, ms=_since(begun), reason="connection_failed")
        return Outcome(acked=True, ms=_since(begun), body=body)

    async def close(self) -> None:
        for refresh in self._refreshes:
            refresh.cancel()
        for connection in list(self.connections):
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.socket.close(), 1)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One Socket Mode connection, from hello to its end."""
        if not self._spend(request.match_info["ticket"]):
            return web.Response(status=404, text="this ticket was used or never given")
        socket = web.WebSocketResponse(autoping=False, autoclose=True)
        await socket.prepare(request)
        connection = Connection(socket, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await _say_goodbye(connection, "too_many_websockets")
            return socket
        await self._listen(connection)
        return socket

    async def fault(self, kind: str) -> None:
        """Strike every open connection: reset, disconnect, warning or black_hole."""
        for connection in list(self.connections):
            if kind == "reset" and connection.request.transport is not None:
                connection.request.transport.abort()
            elif kind == "disconnect":
                await _say_goodbye(connection, "refresh_requested")
            elif kind == "warning":
                await _disconnect(connection, "warning")
                self._refreshes.append(asyncio.ensure_future(_refresh_later(connection)))
            elif kind == "black_hole":
                connection.deaf = True

    def _spend(self, ticket: str) -> bool:
        known = ticket in self._tickets
        self._tickets.discard(ticket)
        return known

    async def _listen(self, connection: Connection) -> None:
        self.connections.append(connection)
        try:
            await connection.socket.send_json(_hello(len(self.connections)))
            async for message in connection.socket:
                await _hear(connection, message)
        except ConnectionError:
            return
        finally:
            self.connections.remove(connection)
            _give_up(connection)


async def _exchange(connection: Connection, envelope: Json) -> Any:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    connection.waiting[envelope["envelope_id"]] = answer
    try:
        if not connection.deaf:
            await connection.socket.send_json(envelope)
        return await answer
    finally:
        connection.waiting.pop(envelope["envelope_id"], None)


async def _hear(connection: Connection, message: WSMessage) -> None:
    if connection.deaf:
        return
    if message.type is WSMsgType.PING:
        await connection.socket.pong(message.data)
    elif message.type is WSMsgType.TEXT:
        _acknowledge(connection, json.loads(message.data))


def _acknowledge(connection: Connection, ack: Json) -> None:
    waiting = connection.waiting.get(ack.get("envelope_id", ""))
    if waiting is not None and not waiting.done():
        waiting.set_result(ack.get("payload") or None)


def _give_up(connection: Connection) -> None:
    for waiting in connection.waiting.values():
        if not waiting.done():
            waiting.set_exception(ConnectionResetError())


def _envelope(kind: str, payload: Json, attempt: Attempt) -> Json:
    envelope: Json = {
        "envelope_id": secrets.token_hex(16),
        "type": kind,
        "payload": payload,
        "accepts_response_payload": kind != "events_api",
    }
    if kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


def _hello(count: int) -> Json:
    return {
        "type": "hello",
        "num_connections": count,
        "debug_info": {
            "host": "sandbox",
            "build_number": 1,
            "approximate_connection_time": CONNECTION_LIFE_S,
        },
        "connection_info": {"app_id": APP_ID},
    }


async def _disconnect(connection: Connection, reason: str) -> None:
    notice = {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
    with suppress(ConnectionError):
        await connection.socket.send_json(notice)


async def _say_goodbye(connection: Connection, reason: str) -> None:
    await _disconnect(connection, reason)
    with suppress(TimeoutError):
        await asyncio.wait_for(connection.socket.close(), 1)


async def _refresh_later(connection: Connection) -> None:
    await asyncio.sleep(WARNING_LEAD_S)
    await _say_goodbye(connection, "refresh_requested")


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * MILLISECONDS)
