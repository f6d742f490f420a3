"""What happens in channels without being said to us: the facts are kept already, few have consequences.

What is said in them is kept before any listener is asked, and answered there.
"""

import re
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.listeners.edge import Edge
from bot.listeners.opening import maybe_open
from bot.review.incident import ChannelId


def register(app: AsyncApp, edge: Edge) -> None:
    @app.event("channel_created")
    async def created(event: dict[str, Any]) -> None:
        channel = event.get("channel") or {}
        if channel.get("id"):
            await maybe_open(edge, ChannelId(channel["id"]))

    @app.event("member_joined_channel")
    async def joined(event: dict[str, Any]) -> None:
        if event.get("user") == edge.bot_user and event.get("channel"):
            edge.historian.was_away(event["channel"])
            await maybe_open(edge, ChannelId(event["channel"]))


def register_rest(app: AsyncApp) -> None:
    """The catch-all, last: an event without a listener would be answered 404, a failed delivery to Slack."""

    @app.event(re.compile(".*"))
    async def anything_else() -> None:
        """Kept, or nothing to us."""
