"""Gestures: each listener translates, serves, answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.listeners import buttons, commands, forms, home, messages, reactions, shortcuts
from bot.listeners.edge import Edge
from bot.web import mark_of


def register(app: AsyncApp, edge: Edge) -> None:
    """Register every gesture, the busiest first: each listener tried before the right one costs time."""
    app.use(remember_mark)
    messages.register(app, edge)
    reactions.register(app, edge)
    commands.register(app, edge)
    buttons.register(app, edge)
    forms.register(app, edge)
    shortcuts.register(app, edge)
    home.register(app, edge)
    messages.register_rest(app)


async def remember_mark(
    req: AsyncBoltRequest,
    context: AsyncBoltContext,
    next: Callable[[], Awaitable[Any]],  # noqa: A002
) -> None:
    """What a signed request is remembered by, so that a replay has no second effect; Socket Mode has no replays."""
    stamp = (req.headers.get("x-slack-request-timestamp") or [""])[0]
    context["mark"] = mark_of(req.raw_body, stamp) if stamp else None
    await next()
