"""Secrets that somebody pasted: their author is told, alone and soon; what is kept never had them in it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeGuard

from bot.desk import Note, Notes, Turn
from bot.review import secrets
from bot.review.incident import ChannelId, Place, UserId
from storage import incidents, messages, people
from storage.models import Message

SOON = timedelta(days=1)
"""Of what was said or edited longer ago nobody is told: it was read from history, and has been seen already."""


def unwarned(turn: Turn) -> list[dict[str, tuple[int, ...]]]:
    """Fresh messages that came with a secret, whose authors have not been told: a channel's of one author at once."""
    found: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for row in messages.unwarned(turn.db, turn.team, since=turn.now - SOON):
        found[row.channel_id, row.user_id].append(row.id)
    return [{"message_ids": tuple(ids)} for ids in found.values()]


def warn(turn: Turn, *, message_ids: Sequence[int]) -> Notes:
    """Tell the author of messages, once, what was seen in them and what became of it; a program is told nothing."""
    rows = [row for row in (messages.hold(turn.db, number) for number in sorted(message_ids)) if _is_untold(row)]
    for row in rows:
        row.warned_at = turn.now
    told = [row for row in rows if _author(turn, row)]
    if not told:
        return
    first, place = told[0], _place(told)
    incident = incidents.last_spoken_in(turn.db, turn.team, place)
    note = Note.aside(
        f"secret:{first.channel_id}:{first.ts}", "secret_seen", place, UserId(first.user_id or ""), **_facts(turn, told)
    )
    yield replace(note, incident=incident.id if incident else None)


def kinds_of(kinds: Sequence[str]) -> str:
    """`GitHub token`, `GitHub token and password`."""
    *rest, last = kinds
    return f"{', '.join(rest)} and {last}" if rest else last


def _is_untold(row: Message | None) -> TypeGuard[Message]:
    return row is not None and row.hidden is not None and row.warned_at is None


def _author(turn: Turn, row: Message) -> UserId | None:
    """The person who said it."""
    if not row.user_id:
        return None
    person = people.find(turn.db, turn.team, row.user_id)
    programs = {row.user_id} if person and person.bot_since else set[str]()
    return None if messages.is_program(row, programs) else UserId(row.user_id)


def _place(rows: Sequence[Message]) -> Place:
    """The thread they were all said in, or the channel."""
    threads = {row.thread_ts or "" for row in rows}
    return Place(ChannelId(rows[0].channel_id), threads.pop() if len(threads) == 1 else "")


def _facts(turn: Turn, rows: Sequence[Message]) -> dict[str, Any]:
    """The messages, each with its address and where in it a secret stood, and the kinds of all of these."""
    space, files = people.workspace(turn.db, turn.team).url, messages.files_of(turn.db, rows)
    kinds = {kind for row in rows for kind in (row.hidden or "").split(", ")}
    named = {row.id: sum(secrets.is_without(file.name) for file in files.get(row.id, ())) for row in rows}
    said = [(messages.permalink_of(row, space), row.posted_at) for row in rows]
    only_names = all(named[row.id] and not row.redactions for row in rows)
    return {"kinds": kinds_of(sorted(kinds)), "said": said, "files": sum(named.values()), "only_names": only_names}
