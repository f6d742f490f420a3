"""Emoji on messages: the fact is kept before Slack is told; here its consequences are drawn."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot import following_up, tagging
from bot.listeners.edge import Edge


def register(app: AsyncApp, edge: Edge) -> None:
    @app.event("reaction_added")
    async def added(event: dict[str, Any]) -> None:
        await _follow(edge, event)

    @app.event("reaction_removed")
    async def removed(event: dict[str, Any]) -> None:
        await _follow(edge, event)


async def _follow(edge: Edge, event: dict[str, Any]) -> None:
    item = event.get("item") or {}
    if item.get("type") == "message" and event.get("user") != edge.bot_user:
        message = {"channel": item["channel"], "ts": item["ts"]}
        await edge.serve(following_up.propose_from_reaction, **message)
        await edge.serve(tagging.follow_reactions, **message)
        # Our confirming emoji is written down without a note.
        edge.desk.wake()
