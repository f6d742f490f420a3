"""Emoji on messages: the fact is kept before Slack is told; here its consequences are drawn, one message at a time."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot import following_up, tagging
from bot.desk import Turn
from bot.listeners.edge import Edge


def register(app: AsyncApp, edge: Edge) -> None:
    waiting = Waiting(edge)

    @app.event("reaction_added")
    async def added(event: dict[str, Any]) -> None:
        _follow(edge, waiting, event)

    @app.event("reaction_removed")
    async def removed(event: dict[str, Any]) -> None:
        _follow(edge, waiting, event)


def _follow(edge: Edge, waiting: "Waiting", event: dict[str, Any]) -> None:
    item = event.get("item") or {}
    if item.get("type") == "message" and event.get("user") != edge.bot_user:
        waiting.draw(item["channel"], item["ts"])


class Waiting:
    """Messages whose emoji changed. A flood of emoji takes one thread, and each message once for all that came by then.

    What is lost here when the process ends, the clock finds in the database.
    """

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._messages: dict[tuple[str, str], None] = {}
        self._under_way = False

    def draw(self, channel: str, ts: str) -> None:
        """Draw the consequences of a message's emoji soon."""
        self._messages[channel, ts] = None
        if not self._under_way:
            self._under_way = True
            self._edge.in_background(self._draw_all())

    async def _draw_all(self) -> None:
        try:
            while self._messages:
                channel, ts = next(iter(self._messages))
                del self._messages[channel, ts]
                await self._draw(channel, ts)
        finally:
            self._under_way = False

    async def _draw(self, channel: str, ts: str) -> None:
        def changed(_turn: Turn) -> list[dict[str, str]]:
            return [{"channel": channel, "ts": ts}]

        consequences = (following_up.propose_from_reaction, tagging.follow_reactions)
        await asyncio.to_thread(self._edge.desk.serve_each, changed, *consequences)
        # Our confirming emoji is written down without a note.
        self._edge.desk.wake()
