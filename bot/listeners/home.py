"""The Home tab: my open actions, the reviews I am invited to, the recent reports I may see."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot import searching
from bot.desk import Turn
from bot.listeners import blocks
from bot.listeners.blocks import Block
from bot.listeners.edge import Edge
from bot.render import Rendered
from bot.review.incident import UserId


def register(app: AsyncApp, edge: Edge) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        if event.get("tab") != "home":
            return
        user = UserId(event["user"])
        await edge.meet(user)
        home: Rendered = await edge.look(_home, user=user, edge=edge)
        await edge.client.views_publish(user_id=user, view={"type": "home", "blocks": [_search_field(), *home.blocks]})


def _home(turn: Turn, *, user: UserId, edge: Edge) -> Rendered:
    """Rendered while the database is open: what it shows is read as it is shown."""
    return edge.said("home", **searching.home(turn, by=user))


def _search_field() -> Block:
    """Enter types the verb, as a button would."""
    element = blocks.line() | {"max_length": searching.LONGEST, "placeholder": blocks.plain("certificate expired")}
    field = blocks.field("review:search:home", "Search all reviews you may see", element)
    return field | {"dispatch_action": True, "hint": blocks.plain("Press Enter; I answer you in a direct message.")}
