"""What waits to be said, and what was said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from storage import brought_back
from storage.delivering import OF_LETTERS, OF_NOTES, UNCERTAIN, states
from storage.models import ANSWER, BROADCAST, OutboxNote
from storage.rows import insert_new


def find(db: Session, team: str, key: str) -> OutboxNote | None:
    """The note of this key, if it was ever written."""
    return db.scalar(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key == key))


def found(db: Session, team: str, keys: Collection[str]) -> dict[str, OutboxNote]:
    """The notes of these keys, of those that were ever written."""
    rows = db.scalars(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key.in_(keys)))
    return {row.key: row for row in rows}


def written(db: Session, team: str, keys: Collection[str]) -> set[str]:
    """Those of these keys under which a note was ever written."""
    return set(db.scalars(select(OutboxNote.key).where(OutboxNote.team_id == team, OutboxNote.key.in_(keys))))


def keys(db: Session, team: str, prefix: str) -> set[str]:
    """The keys that were written and begin so."""
    begins = OutboxNote.key.startswith(prefix, autoescape=True)
    return set(db.scalars(select(OutboxNote.key).where(OutboxNote.team_id == team, begins)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is to be said under a key: where, in which words, and not before when. `user` is whom a whisper is for."""

    key: str
    channel: str
    thread: str = ""
    user: str | None = None
    text: str
    blocks: list[Any] | None = None
    incident: int | None = None
    at: datetime
    not_before: datetime | None = None


def say_once(db: Session, team: str, words: Words) -> None:
    """Write a note unless its key was written before."""
    _write(db, team, words, "once")


def whisper(db: Session, team: str, words: Words) -> None:
    """Write something for one person's eyes; in a direct conversation there is nobody to hide it from."""
    _write(db, team, words, "once" if words.channel == words.user else "whisper")


def say_live(db: Session, team: str, words: Words) -> None:
    """Write a note, or its next version when its words changed."""
    _write_version(db, team, words, "live")


ASKED = "whisper:"
"""How the key of an answer begins, also where it is said in a direct conversation."""
PAGE = "page:"
"""How the key of a report begins that somebody asked for as a page; the rest are pictures."""

CALENDAR = "calendar:"
"""How the key of a meeting for calendars begins: the meeting's number and its place follow."""


def show(db: Session, team: str, words: Words) -> None:
    """Write that the timeline or the report of the incident is to be seen; where it is already, it is drawn anew."""
    if not _write(db, team, words, "picture"):
        _draw_anew(_held(db, team, words.key))


def draw_again(db: Session, team: str, incidents: Collection[int] | None = None) -> None:
    """Pictures of these incidents, or of all, may show what should be seen no longer; the same is not posted twice."""
    shown = select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.kind == "picture")
    if incidents is not None:
        shown = shown.where(OutboxNote.incident_id.in_(incidents))
    for note in db.scalars(shown.order_by(OutboxNote.id).with_for_update()):
        _draw_anew(note)


def _draw_anew(note: OutboxNote) -> None:
    note.version += 1
    if note.state in {"sent", "dead"}:
        note.state, note.error, note.attempts = "pending", None, 0


def react(db: Session, team: str, words: Words) -> None:
    """Write that the message `thread` should carry our emoji, which is the text."""
    _write_version(db, team, words, "mark")


def unreact(db: Session, team: str, key: str, at: datetime) -> None:
    """Write that our emoji should leave the message again; nothing happens where it never was."""
    note = find(db, team, key)
    if note is not None and not note.text.startswith("-"):
        off = Words(key=key, channel=note.channel_id, thread=note.thread_ts, text=f"-{note.text}", at=at)
        react(db, team, off)


def _write_version(db: Session, team: str, words: Words, kind: str) -> None:
    if _write(db, team, words, kind):
        return
    note = _held(db, team, words.key)
    if (note.text, note.blocks) != (words.text, words.blocks):
        # What waits already stays due: it would lose its place in the channel to what was written after it.
        due = min(note.not_before, words.at) if note.state == "pending" else words.at
        note.text, note.blocks = words.text, words.blocks
        note.version += 1
        if note.state in {"sent", "dead"}:
            note.state, note.error = "pending", None
        if not note.error:
            # Where Slack told us to wait, or a look-up waits, newer words are no reason to come sooner.
            note.not_before = words.not_before or due


def reword(note: OutboxNote, text: str, blocks: list[Any] | None) -> None:
    """Put other words in the place of a note's; what stands in Slack is said anew there, which no whisper can be."""
    note.text, note.blocks = text, blocks
    if note.kind != "whisper":
        note.version += 1
        note.state = "pending" if note.state == "sent" and note.posted_ts else note.state


def _held(db: Session, team: str, key: str) -> OutboxNote:
    """The note of this key, held until the turn ends: two turns at once give its words two versions."""
    note = select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key == key).with_for_update()
    return db.scalars(note.execution_options(populate_existing=True)).one()


def _write(db: Session, team: str, words: Words, kind: str) -> bool:
    """Whether the key was new; of two replicas that write it at once, one is told that it was not."""
    note = OutboxNote(
        team_id=team,
        key=words.key,
        kind=kind,
        incident_id=words.incident,
        channel_id=words.channel,
        thread_ts=words.thread,
        user_id=words.user,
        text=words.text,
        blocks=words.blocks,
        written_at=words.at,
        not_before=words.not_before or words.at,
        rank=_rank(words.key, kind),
    )
    _doubt_where_brought_back(db, note)
    values = {column.key: getattr(note, column.key) for column in OutboxNote.__table__.columns if column.key != "id"}
    written = insert_new(db, OutboxNote).values(values).returning(OutboxNote.id)
    return db.execute(written).first() is not None


def _doubt_where_brought_back(db: Session, note: OutboxNote) -> None:
    """After a backup was put back, a key that is new here may be old in Slack: it is looked up before it is said."""
    since = brought_back.said_since(db, note.team_id, now=note.written_at)
    if since and note.kind in brought_back.CAN_BE_FOUND and note.rank != ANSWER:
        note.state, note.error, note.attempted_at = "sending", UNCERTAIN, since


def _rank(key: str, kind: str) -> int:
    """An answer goes ahead of what nobody waits for, and so does a report that somebody asked for."""
    return ANSWER if kind == "whisper" or key.startswith((ASKED, PAGE)) else BROADCAST


# What others ask -----------------------------------------------------------------


CLOSED_PLACES = {
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
}
"""Slack's words for a channel where we cannot say anything (from the public method reference, 2026-08-20)."""
STILL_NEWS = timedelta(days=3)


def refused_lately(db: Session, team: str, *, now: datetime) -> Sequence[OutboxNote]:
    """What was refused in a channel of late because of the channel, oldest first."""
    refused = and_(
        OutboxNote.team_id == team,
        OutboxNote.state == "dead",
        OutboxNote.error.in_(CLOSED_PLACES),
        OutboxNote.kind.in_(("once", "live")),
        OutboxNote.channel_id.not_like("U%"),
        OutboxNote.channel_id.not_like("W%"),
        or_(OutboxNote.attempted_at >= now - STILL_NEWS, OutboxNote.not_before >= now - STILL_NEWS),
    )
    return db.scalars(select(OutboxNote).where(refused).order_by(OutboxNote.id)).all()


def get(db: Session, note_id: int) -> OutboxNote:
    return db.get_one(OutboxNote, note_id)


def waiting(db: Session, team: str) -> Sequence[OutboxNote]:
    """All that is not said yet, oldest first."""
    unsaid = [state for of in (OF_NOTES, OF_LETTERS) for state in (of.waits, of.goes)]
    pending = and_(OutboxNote.team_id == team, OutboxNote.state.in_(unsaid))
    return db.scalars(select(OutboxNote).where(pending).order_by(OutboxNote.id)).all()


def dead(db: Session, team: str) -> Sequence[OutboxNote]:
    return db.scalars(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.state == "dead")).all()


def revive(db: Session, note_id: int, *, now: datetime) -> bool:
    """Let a dead note be said after all; False where there is no such dead note."""
    note = db.get(OutboxNote, note_id)
    if note is None or note.state != "dead":
        return False
    note.state, note.not_before, note.error = states(note).waits, now, None
    return True
