"""What waits to be said, and what was said."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
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
        if note.state in {"sent", "dead"}:
            note.state, note.error, note.not_before = "pending", None, not_before
        elif not note.error:
            # Where Slack told us to wait, or a look-up waits, newer words are no reason to come sooner.
            note.not_before = not_before


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


def react(  # noqa: PLR0917
    db: Session, team: str, key: str, channel: str, ts: str, emoji: str, at: datetime
) -> None:
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
    other = aliased(OutboxNote)
    # A note that Slack told to wait is in the way of later ones; one that is only meant for later is not.
    in_the_way = and_(
        other.id < OutboxNote.id,
        other.state == "pending",
        or_(other.error.is_not(None), other.not_before <= now),
    )
    under_way = and_(other.id != OutboxNote.id, other.state == "sending")
    blocked = (
        select(other.id)
        .where(other.team_id == team, other.channel_id == OutboxNote.channel_id, or_(in_the_way, under_way))
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
        note.state, note.attempted_at, note.attempts, note.error = "sending", now, note.attempts + 1, None
    return claimed


UNCERTAIN = "unknown"


def uncertain(db: Session, team: str, *, now: datetime, patience: timedelta) -> Sequence[OutboxNote]:
    """Notes whose outcome is not known: found to be so and waited for, or left behind for longer than `patience`."""
    known = and_(OutboxNote.error == UNCERTAIN, OutboxNote.not_before <= now)
    left = and_(OutboxNote.error.is_(None), OutboxNote.attempted_at <= now - patience)
    being_sent = and_(OutboxNote.team_id == team, OutboxNote.state == "sending")
    return db.scalars(select(OutboxNote).where(being_sent, or_(known, left)).order_by(OutboxNote.id)).all()


def mark_sent(db: Session, note_id: int, *, version: int, channel: str, ts: str, now: datetime) -> None:
    """It was said, in this version; a newer version written meanwhile waits again."""
    note = db.get_one(OutboxNote, note_id)
    note.said_version, note.posted_channel, note.posted_ts, note.sent_at = version, channel, ts, now
    note.state, note.error = ("sent" if note.version == version else "pending"), None


def mark_later(db: Session, note_id: int, *, attempt: int, until: datetime, error: str) -> None:
    """It was surely not said in this attempt, and may be tried again from a moment on."""
    note = _attempted(db, note_id, attempt)
    if note:
        note.state, note.not_before, note.error = "pending", until, error


def mark_uncertain(db: Session, note_id: int, *, attempt: int, until: datetime) -> None:
    """Whether it was said in this attempt is to be looked up from a moment on."""
    note = _attempted(db, note_id, attempt)
    if note:
        note.not_before, note.error = until, UNCERTAIN


def mark_dead(db: Session, note_id: int, *, attempt: int, error: str) -> None:
    """It was surely not said in this attempt and never will be."""
    note = _attempted(db, note_id, attempt)
    if note:
        note.state, note.error = "dead", error


def _attempted(db: Session, note_id: int, attempt: int) -> OutboxNote | None:
    """A note that is still in this attempt; another process may have looked it up and gone on."""
    note = db.get_one(OutboxNote, note_id, with_for_update=True)
    return note if (note.state, note.attempts) == ("sending", attempt) else None


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


def revive(db: Session, note_id: int, *, now: datetime) -> bool:
    """Let a dead note be said after all; False where there is no such dead note."""
    note = db.get(OutboxNote, note_id)
    if note is None or note.state != "dead":
        return False
    note.state, note.not_before, note.error = "pending", now, None
    return True
