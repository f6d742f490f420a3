"""Buttons: each carries a verb, and pressing it is typing that verb."""

import re
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.listeners.edge import Edge, answer_press, is_whisper, of_press, outcome
from bot.listeners.performing import perform


def register(app: AsyncApp, edge: Edge) -> None:
    @app.action(re.compile("^review:"))
    async def press(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], context: AsyncBoltContext) -> None:
        gesture, text = of_press(body, context.get("mark"))
        work = perform(edge, gesture, text)
        if body.get("response_url"):
            await answer_press(edge, ack, respond, work, replaces="whisper" if is_whisper(body) else "nothing")
            return
        # In the Home tab there is nowhere to answer but a direct message.
        await ack()
        said = await outcome(edge, work)
        if said:
            await edge.whisper(said, gesture)

    @app.action(re.compile(".*"))
    async def nothing_to_do(ack: AsyncAck) -> None:
        """A link button or an input of a form: Slack tells of it, and wants to hear that we know."""
        await ack()
