"""The history of channels and threads, page by page, at the pace that Slack allows: no person waits behind it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outcomes import messages_of, yes
from bot.review.heard import in_order
from bot.review.history import LARGE_PAGE, Page
from bot.review.incident import Place
from bot.review.refusal import NotInChannel

log = logging.getLogger("debrief.history")

HISTORY, REPLIES = "conversations.history", "conversations.replies"
A_MINUTE: Mapping[str, int] = {HISTORY: 40, REPLIES: 50}
"""Slack allows 50 calls a minute of each (tier 3). Some of history's are left to gestures and to the courier."""
A_MINUTE_WHEN_LIMITED = 1
MINUTE = timedelta(minutes=1)
NAP_S = 0.25
"""A virtual clock may be moved while we wait: it is looked at this often."""
UNTOLD_WAIT_S = 30
CLOSED_TO_US = {"not_in_channel", "channel_not_found"}
NO_THREAD = {"thread_not_found"}


Nap = Callable[[float], Awaitable[object]]
"""Waits so many seconds, or lets them pass at once."""


class Pace:
    """So many calls a minute, by a clock that may be moved; whoever asks first goes first."""

    def __init__(self, now: Callable[[], datetime], a_minute: int, *, nap: Nap = asyncio.sleep) -> None:
        self.a_minute = a_minute
        self._now = now
        self._nap = nap
        self._calls: deque[datetime] = deque()
        self._not_before = datetime.min.replace(tzinfo=UTC)
        self._door = asyncio.Lock()

    async def turn(self) -> datetime:
        """Wait for a call's turn; the moment it is."""
        async with self._door:
            while True:
                now = await asyncio.to_thread(self._now)
                ready = self._ready_at(now)
                if ready <= now:
                    self._calls.append(now)
                    return now
                await self._nap(min((ready - now).total_seconds(), NAP_S))

    async def hold(self, seconds: float) -> None:
        """Let nobody call for so long: Slack said so."""
        self._not_before = await asyncio.to_thread(self._now) + timedelta(seconds=seconds)

    def _ready_at(self, now: datetime) -> datetime:
        while self._calls and not now - MINUTE < self._calls[0] <= now:
            self._calls.popleft()
        full = len(self._calls) >= self.a_minute
        return max(self._not_before, self._calls[-self.a_minute] + MINUTE) if full else self._not_before


class History:
    """Reads through a client that tries nothing again by itself: waiting is done here, by the bot's own clock."""

    def __init__(
        self,
        client: AsyncWebClient,
        now: Callable[[], datetime],
        *,
        nap: Nap = asyncio.sleep,
        page: int = LARGE_PAGE,
    ) -> None:
        self._client = client
        self._page_size = page
        self._paces = {method: Pace(now, a_minute, nap=nap) for method, a_minute in A_MINUTE.items()}

    def slow_down(self) -> None:
        """Slack gives this app a call a minute."""
        for pace in self._paces.values():
            pace.a_minute = A_MINUTE_WHEN_LIMITED

    async def channel_page(self, channel: str, oldest: datetime, cursor: str | None = None) -> Page:
        """What stands in a channel itself since a moment, newest page first; raises NotInChannel."""
        where = {"channel": channel, "oldest": f"{oldest.timestamp():.6f}", "inclusive": "true"}
        return await self._page(HISTORY, where, cursor)

    async def thread_page(self, channel: str, thread: str, cursor: str | None = None) -> Page:
        """A part of a thread, oldest first, with its first message; of one that is gone, nothing."""
        return await self._page(REPLIES, {"channel": channel, "ts": thread}, cursor)

    async def marked_page(self, place: Place, since: datetime, until: datetime, cursor: str | None = None) -> Page:
        """What stands in a channel itself, or in a thread, between two moments, with the marks on it."""
        where = {"channel": place.channel, "oldest": f"{since.timestamp():.6f}", "latest": f"{until.timestamp():.6f}"}
        where |= {"inclusive": "true", "include_all_metadata": "true"}
        if place.thread:
            return await self._page(REPLIES, where | {"ts": place.thread}, cursor)
        return await self._page(HISTORY, where, cursor)

    async def oldest_before(self, channel: str, ts: str) -> str | None:
        """A message before this one, if Slack still shows any."""
        _, answer = await self._ask(HISTORY, {"channel": channel, "latest": ts, "limit": "1"})
        return next((str(message["ts"]) for message in _messages(answer)), None)

    async def _page(self, method: str, where: Mapping[str, str], cursor: str | None) -> Page:
        more = {"cursor": cursor} if cursor else {}
        asked_at, answer = await self._ask(method, {**where, "limit": str(self._page_size), **more})
        following = (answer.get("response_metadata") or {}).get("next_cursor") or None
        return Page(
            channel=where["channel"], messages=_once(_messages(answer)), asked_at=asked_at, next_cursor=following
        )

    async def _ask(self, method: str, arguments: Mapping[str, str]) -> tuple[datetime, Mapping[str, Any]]:
        pace = self._paces[method]
        while True:
            asked_at = await pace.turn()
            try:
                answer = await yes(self._client.api_call(method, params=dict(arguments), http_verb="GET"))
            except SlackApiError as error:
                if said_by(error) in NO_THREAD:
                    return asked_at, {"messages": []}
                if said_by(error) in CLOSED_TO_US:
                    raise NotInChannel(arguments["channel"]) from error
                if said_by(error) != "ratelimited":
                    raise
                await pace.hold(_retry_after(error))
            else:
                return asked_at, answer


def said_by(error: SlackApiError) -> str:
    """Slack's word for what is wrong; empty where it is no answer of Slack's."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _retry_after(error: SlackApiError) -> float:
    try:
        return max(1.0, float(error.response.headers.get("Retry-After", UNTOLD_WAIT_S)))
    except (AttributeError, TypeError, ValueError):
        return UNTOLD_WAIT_S


def _messages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [message for message in messages_of(answer) if message.get("ts")]


def _once(messages: list[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    by_ts = {str(message["ts"]): message for message in messages}
    return tuple(by_ts[ts] for ts in sorted(by_ts, key=in_order))
