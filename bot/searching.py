"""Finding things again: words across all reviews, and what the Home tab shows of one's own."""

from collections.abc import Mapping
from typing import Any

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.refusal import NeedsText
from storage import actions, reports, search

LONGEST = 300
"""Characters that are looked for: they travel in the button that shows the next page."""
MOST_ACTIONS = 10


def find(turn: Turn, *, by: UserId, words: str, page: int = 1) -> Notes:
    """The places in all reviews this person may see where all of these words stand, a page of them."""
    asked = words.strip()[:LONGEST]
    if not asked:
        raise NeedsText(verb="search", example="certificate expired")
    found = search.find(turn.db, turn.team, by, asked, page=page)
    yield Note.private(by, "search", words=asked, found=found)


def home(turn: Turn, by: UserId) -> Mapping[str, Any]:
    """What the Home tab shows a person: `notes/home` rendered with these facts."""
    mine = actions.open_of(turn.db, turn.team, by)
    house = {"soak": turn.house.policy.soak_days, "days_off": turn.house.days_off}
    shown = [
        actions.as_shown(turn.db, action, its, to=by, now=turn.now, **house) for action, its in mine[:MOST_ACTIONS]
    ]
    return {
        "actions": shown,
        "more_actions": len(mine[MOST_ACTIONS:]),
        "coming": reports.coming(turn.db, turn.team, by),
        "published": reports.published(turn.db, turn.team, by),
    }
