"""Secrets that somebody pasted: their author is told, alone and soon; what is kept never had them in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.review.incident import ChannelId, Place, UserId
from storage import incidents, messages, people
from storage.models import Message

SOON = timedelta(hours=1)
"""Of what was said or edited longer ago nobody is told: it was read from history, and has been seen already."""


def unwarned(turn: Turn) -> list[dict[str, int]]:
    """Fresh messages that came with a secret, whose authors have not been told."""
    return [{"message_id": row.id} for row in messages.unwarned(turn.db, turn.team, since=turn.now - SOON)]


def warn(turn: Turn, *, message_id: int) -> Notes:
    """Tell the author of a message, once, what was seen in it and what became of it; a program is told nothing."""
    row = messages.hold(turn.db, message_id)
    if row is None or row.hidden is None or row.warned_at:
        return
    row.warned_at = turn.now
    author = _author(turn, row)
    if author is None:
        return
    place = Place(ChannelId(row.channel_id), row.thread_ts or "")
    incident = incidents.last_spoken_in(turn.db, turn.team, place)
    note = Note.aside(
        f"secret:{row.channel_id}:{row.ts}",
        "secret_seen",
        place,
        author,
        kinds=kinds_of(row.hidden.split(", ")),
        permalink=messages.permalink_of(row, people.workspace(turn.db, turn.team).url),
        at=row.posted_at,
    )
    yield replace(note, incident=incident.id if incident else None)


def kinds_of(kinds: Sequence[str]) -> str:
    """`GitHub token`, `GitHub token and password`."""
    *rest, last = kinds
    return f"{', '.join(rest)} and {last}" if rest else last


def _author(turn: Turn, row: Message) -> UserId | None:
    """The person who said it."""
    if not row.user_id:
        return None
    person = people.find(turn.db, turn.team, row.user_id)
    programs = {row.user_id} if person and person.bot_since else set[str]()
    return None if messages.is_program(row, programs) else UserId(row.user_id)
