"""Gestures: each listener translates, serves, answers."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import buttons, commands, forms, home, messages, reactions, shortcuts
from bot.listeners.edge import Edge
from bot.listeners.first import RememberMark


def register(app: AsyncApp, edge: Edge) -> None:
    """Register every gesture, the busiest first: each listener tried before the right one costs time."""
    app.use(RememberMark())
    messages.register(app, edge)
    reactions.register(app, edge)
    commands.register(app, edge)
    buttons.register(app, edge)
    forms.register(app, edge)
    shortcuts.register(app, edge)
    home.register(app, edge)
    messages.register_rest(app)
