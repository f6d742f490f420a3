"""Deliveries as signed HTTP requests, the way Slack makes them when Socket Mode is off."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.clock import VirtualClock
from bot.sandbox.deliveries import ACK_DEADLINE_S, MILLISECONDS, Attempt, Outcome
from bot.sandbox.workspace import SIGNING_SECRET

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
SUCCESS = range(200, 300)


class OverHttp:
    """Posts events as JSON, commands and interactions as forms, to one URL."""

    def __init__(self, url: str, clock: VirtualClock) -> None:
        self.url = url
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, payload: Json, attempt: Attempt) -> Outcome:
        body, content_type = _encoded(kind, payload)
        headers = {**self._signed(body), "Content-Type": content_type, **_retry_headers(attempt)}
        begun = time.monotonic()
        try:
            async with asyncio.timeout(ACK_DEADLINE_S):
                return await self._post(body, headers, begun)
        except TimeoutError:
            return Outcome(acked=False, ms=_since(begun), reason="http_timeout")
        except aiohttp.ClientError:
            return Outcome(acked=False, ms=_since(begun), reason="connection_failed")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, headers: dict[str, str], begun: float) -> Outcome:
        async with self._open().post(self.url, data=body, headers=headers) as response:
            text = await response.text()
            acked = response.status in SUCCESS
            return Outcome(
                acked=acked,
                ms=_since(begun),
                body=_answer(text, response.content_type) if acked else None,
                reason="" if acked else "http_error",
                retry=response.headers.get("x-slack-no-retry") != "1",
            )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    def _signed(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock.epoch()))
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(stamp, body)}


def signature(stamp: str, body: bytes) -> str:
    """Slack's v0 signature of a request."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()


def _encoded(kind: str, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    if kind == "slash_commands":
        return urlencode(payload).encode(), FORM
    return urlencode({"payload": json.dumps(payload)}).encode(), FORM


def _retry_headers(attempt: Attempt) -> dict[str, str]:
    if attempt.number == 0:
        return {}
    return {"x-slack-retry-num": str(attempt.number), "x-slack-retry-reason": attempt.reason}


def _answer(text: str, content_type: str) -> Any:
    if not text:
        return None
    if content_type == "application/json":
        with suppress(ValueError):
            return json.loads(text)
    return {"text": text}


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * MILLISECONDS)
