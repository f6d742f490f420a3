"""What happens in channels without being said to us: the facts are kept already, few have consequences."""

import logging
import re
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.listeners.edge import Edge
from bot.listeners.opening import open_by_itself
from bot.review.incident import ChannelId
from bot.review.refusal import Refused

log = logging.getLogger("debrief.listeners")


def register(app: AsyncApp, edge: Edge) -> None:
    @app.event("message")
    async def message() -> None:
        """Kept before the ack; nothing else follows from it."""

    @app.event("channel_created")
    async def created(event: dict[str, Any]) -> None:
        await _maybe_open(edge, (event.get("channel") or {}).get("id"))

    @app.event("member_joined_channel")
    async def joined(event: dict[str, Any]) -> None:
        if event.get("user") == edge.bot_user:
            await _maybe_open(edge, event.get("channel"))


async def _maybe_open(edge: Edge, channel: str | None) -> None:
    try:
        if channel:
            await open_by_itself(edge, ChannelId(channel))
    except Refused as refused:
        # A channel that opens by itself and cannot: nobody asked, so nobody is told.
        log.info("a channel was not opened", extra={"channel": channel, "why": type(refused).__name__})


def register_rest(app: AsyncApp) -> None:
    """The catch-all, last: an event without a listener would be answered 404, a failed delivery to Slack."""

    @app.event(re.compile(".*"))
    async def anything_else() -> None:
        """Kept, or nothing to us."""
