"""What waits to be said, and what was said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from storage.models import OutboxNote


def find(db: Session, team: str, key: str) -> OutboxNote | None:
    """The note of this key, if it was ever written."""
    return db.scalar(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key == key))


def say_once(
    db: Session,
    team: str,
    key: str,
    *,
    channel: str,
    thread: str,
    text: str,
    blocks: list[Any] | None,
    incident: int | None,
    at: datetime,
    not_before: datetime,
) -> None:
    """Write a note unless its key was written before."""
    if find(db, team, key) is None:
        db.add(
            OutboxNote(
                team_id=team,
                key=key,
                kind="once",
                incident_id=incident,
                channel_id=channel,
                thread_ts=thread,
                text=text,
                blocks=blocks,
                written_at=at,
                not_before=not_before,
            )
        )
        db.flush()


def say_live(
    db: Session,
    team: str,
    key: str,
    *,
    channel: str,
    thread: str,
    text: str,
    blocks: list[Any] | None,
    incident: int | None,
    at: datetime,
    not_before: datetime,
) -> None:
    """Write a note, or its next version when its words changed."""
    note = find(db, team, key)
    if note is None:
        say_once(
            db,
            team,
            key,
            channel=channel,
            thread=thread,
            text=text,
            blocks=blocks,
            incident=incident,
            at=at,
            not_before=not_before,
        )
        written = find(db, team, key)
        if written is not None:
            written.kind = "live"
    elif (note.text, note.blocks) != (text, blocks):
        note.text, note.blocks = text, blocks
        note.version += 1
        note.not_before = not_before
        if note.state != "sending":
            note.state = "pending"


def whisper(
    db: Session,
    team: str,
    key: str,
    *,
    channel: str,
    thread: str,
    user: str,
    text: str,
    blocks: list[Any] | None,
    at: datetime,
) -> None:
    """Write something for one person's eyes in a channel; said once."""
    say_once(
        db,
        team,
        key,
        channel=channel,
        thread=thread,
        text=text,
        blocks=blocks,
        incident=None,
        at=at,
        not_before=at,
    )
    note = find(db, team, key)
    if note is not None:
        note.kind, note.user_id = "whisper", user


def react(db: Session, team: str, key: str, channel: str, ts: str, emoji: str, at: datetime) -> None:
    """Write that a message should carry our emoji."""
    say_live(db, team, key, channel=channel, thread=ts, text=emoji, blocks=None, incident=None, at=at, not_before=at)
    note = find(db, team, key)
    if note is not None:
        note.kind = "mark"


def unreact(db: Session, team: str, key: str, at: datetime) -> None:
    """Write that our emoji should leave the message again; nothing happens where it never was."""
    note = find(db, team, key)
    if note is not None and not note.text.startswith("-"):
        react(db, team, key, note.channel_id, note.thread_ts, f"-{note.text}", at)


# What the courier asks -----------------------------------------------------------


def claim(db: Session, team: str, *, now: datetime, at_most: int) -> Sequence[OutboxNote]:
    """The next note of every channel that is due, now marked as being sent; nothing overtakes within a channel."""
    earlier = aliased(OutboxNote)
    tried = and_(earlier.state == "pending", or_(earlier.attempts > 0, earlier.not_before <= now))
    waiting = or_(earlier.state == "sending", tried)
    blocked = (
        select(earlier.id)
        .where(
            earlier.team_id == team,
            earlier.channel_id == OutboxNote.channel_id,
            waiting,
            earlier.id < OutboxNote.id,
        )
        .exists()
    )
    due = (
        select(OutboxNote)
        .where(
            OutboxNote.team_id == team,
            OutboxNote.state == "pending",
            OutboxNote.not_before <= now,
            ~blocked,
        )
        .order_by(OutboxNote.id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    claimed = db.scalars(due).all()
    for note in claimed:
        note.state, note.attempted_at, note.attempts = "sending", now, note.attempts + 1
    return claimed


def uncertain(db: Session, team: str, *, before: datetime) -> Sequence[OutboxNote]:
    """Notes whose sending began before a moment and whose outcome is not known."""
    return db.scalars(
        select(OutboxNote).where(
            OutboxNote.team_id == team, OutboxNote.state == "sending", OutboxNote.attempted_at < before
        )
    ).all()


def next_due(db: Session, team: str) -> datetime | None:
    """When the next pending note may be said."""
    return db.scalar(
        select(func.min(OutboxNote.not_before)).where(OutboxNote.team_id == team, OutboxNote.state == "pending")
    )


def mark_sent(db: Session, note_id: int, *, version: int, channel: str, ts: str, now: datetime) -> None:
    """It was said, in this version; a newer version written meanwhile waits again."""
    note = db.get_one(OutboxNote, note_id)
    note.said_version, note.posted_channel, note.posted_ts, note.sent_at = version, channel, ts, now
    note.state, note.error = ("sent" if note.version == version else "pending"), None


def mark_later(db: Session, note_id: int, *, until: datetime, error: str) -> None:
    """It was surely not said, and may be tried again from a moment on."""
    note = db.get_one(OutboxNote, note_id)
    note.state, note.not_before, note.error = "pending", until, error


def mark_dead(db: Session, note_id: int, *, error: str) -> None:
    """It was surely not said and never will be."""
    note = db.get_one(OutboxNote, note_id)
    note.state, note.error = "dead", error


def waiting(db: Session, team: str) -> Sequence[OutboxNote]:
    """All that is not said yet, oldest first."""
    pending = and_(OutboxNote.team_id == team, OutboxNote.state.in_(("pending", "sending")))
    return db.scalars(select(OutboxNote).where(pending).order_by(OutboxNote.id)).all()


def dead(db: Session, team: str) -> Sequence[OutboxNote]:
    return db.scalars(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.state == "dead")).all()


def posted_at(db: Session, team: str, channel: str, ts: str) -> OutboxNote | None:
    """Our own note behind a message of ours, for a button pressed on it."""
    return db.scalar(
        select(OutboxNote).where(
            OutboxNote.team_id == team, OutboxNote.posted_channel == channel, OutboxNote.posted_ts == ts
        )
    )
