"""Where nobody can be spoken to any more: known from events and from what Slack refuses, until it is open again."""

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from storage.models import Channel, OutboxNote, Person

ARCHIVED = "is_archived"
AWAY = "not_in_channel"
ARCHIVED_WORDS = frozenset({ARCHIVED})
AWAY_WORDS = frozenset({AWAY, "channel_not_found"})
GONE_WORDS = frozenset({"user_disabled", "user_not_found"})
"""Slack's words for somebody who has left the workspace (from the public method reference, 2026-08-20)."""
SHOWN = ("live", "picture")
"""Kinds of notes that say what is so now, and not only what was news then."""
STILL_NEWS = ("pre-read:%", "scheduled:%")
STILL_NEWS_FOR = timedelta(days=1)
"""A pre-read comes a day before its meeting: what was kept back for less may still be read before."""


def why(db: Session, team: str, channel: str) -> str | None:
    """Why nothing can be said in a channel, in Slack's word; None where nothing is known against it."""
    row = db.get(Channel, (team, channel))
    if row is None:
        return None
    return ARCHIVED if row.archived_at else AWAY if row.bot_left_at else None


def since(db: Session, note: OutboxNote) -> str:
    """Since when a note's channel is closed to us, as a word that stays the same until it was open again."""
    row = db.get(Channel, (note.team_id, note.channel_id))
    if row is None or not (row.archived_at or row.bot_left_at):
        return note.error or ""
    closed = row.archived_at or row.bot_joined_at
    return f"{closed:%Y%m%dT%H%M%S}" if closed else AWAY


def keep_back(db: Session, team: str, key: str, word: str) -> None:
    """Try nothing that is known to be refused: the note counts as refused already."""
    waiting = update(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key == key, OutboxNote.state == "pending")
    db.execute(waiting.values(state="dead", error=word), execution_options={"synchronize_session": "fetch"})


def refused(db: Session, note: OutboxNote, word: str) -> None:
    """Learn from a refusal that a channel is closed to us, or that somebody has left."""
    at, row = note.attempted_at or note.not_before, db.get(Channel, (note.team_id, note.channel_id))
    if row and word in ARCHIVED_WORDS:
        row.archived_at = row.archived_at or at
    elif row and word in AWAY_WORDS:
        row.bot_left_at = row.bot_left_at or at
    elif word in GONE_WORDS:
        _gone(db, note, at)


def _gone(db: Session, note: OutboxNote, at: datetime) -> None:
    """Their profile is asked for again at their next gesture, should there be one."""
    person = db.get(Person, (note.team_id, note.channel_id))
    if person:
        person.gone_since, person.read_at = person.gone_since or at, None


def heard(db: Session, note: OutboxNote) -> None:
    """Learn from what was said in a channel that it is open, whatever was known before it was said."""
    row = db.get(Channel, (note.team_id, note.channel_id))
    closed = row and (row.archived_at or row.bot_left_at)
    if row and closed and note.attempted_at and closed < note.attempted_at:
        row.archived_at = row.bot_left_at = None
        open_again(db, note.team_id, note.channel_id, at=note.attempted_at)


def open_again(db: Session, team: str, channel: str, *, at: datetime) -> None:
    """Let be seen what should be seen there now; what was only news then stays unsaid."""
    news = and_(or_(*map(OutboxNote.key.like, STILL_NEWS)), OutboxNote.not_before >= at - STILL_NEWS_FOR)
    wanted = (OutboxNote.team_id == team, OutboxNote.channel_id == channel, or_(OutboxNote.kind.in_(SHOWN), news))
    refused = (OutboxNote.state == "dead", OutboxNote.error.in_((*ARCHIVED_WORDS, *AWAY_WORDS)))
    for note in db.scalars(select(OutboxNote).where(*wanted, *refused).order_by(OutboxNote.id).with_for_update()):
        note.state, note.error = "pending", None
    db.flush()
