"""What is typed: the slash command, and the mention that stands in for it in threads."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.listeners.edge import Edge, answer, of_command, of_mention, outcome
from bot.listeners.performing import perform
from bot.listeners.reading import MENTION


def register(app: AsyncApp, edge: Edge) -> None:
    @app.command(edge.desk.house.command)
    async def command(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], context: AsyncBoltContext) -> None:
        gesture = of_command(body, context.get("mark"))
        await answer(edge, ack, respond, perform(edge, gesture, body.get("text") or ""))

    @app.event("app_mention")
    async def mention(event: dict[str, Any]) -> None:
        if event.get("bot_id") or not event.get("user"):
            return
        gesture = of_mention(event)
        said = await outcome(edge, perform(edge, gesture, MENTION.sub("", event.get("text") or "", count=1)))
        if said:
            await edge.whisper(said, gesture)
