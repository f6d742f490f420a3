"""What the courier asks of the outbox: what is to be said next, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from storage import closed
from storage.models import BROADCAST, OutboxNote

Take = Callable[[OutboxNote], bool]
"""Whether nobody else is in the middle of a note, and nobody will be from now on."""


def anybodys(_note: OutboxNote) -> bool:
    """Where there is nobody else."""
    return True


NOTHING: ColumnElement[bool] = false()
"""What has to wait, where there is no pace to keep."""


@dataclass(frozen=True, slots=True)
class States:
    """By which words a note is known that waits, and that is on its way."""

    waits: str
    goes: str


OF_NOTES, OF_LETTERS = States("pending", "sending"), States("to_mail", "mailing")
"""A program of before letters may still run beside this one: what it does not know it leaves alone."""


def states(note: OutboxNote) -> States:
    """The words of this note."""
    return OF_LETTERS if note.kind == "letter" else OF_NOTES


# Claiming ----------------------------------------------------------------------------


def claim(
    db: Session,
    team: str,
    *,
    now: datetime,
    at_most: int,
    take: Take = anybodys,
    rank: int = BROADCAST,
    wait: ColumnElement[bool] = NOTHING,
) -> Sequence[OutboxNote]:
    """The next note of every channel that is due, now marked as being sent; nothing overtakes within a channel.

    What is not to be taken is left for later, and so is what has to `wait`; only notes of this rank, or of a lower one,
    which goes first.
    """
    _expect_many(db)
    due = db.scalars(_due(team, now, at_most, rank, wait).with_for_update(skip_locked=True, of=OutboxNote)).all()
    claimed = [note for note in due if take(note)]
    for note in claimed:
        note.state, note.attempted_at, note.attempts, note.error = "sending", now, note.attempts + 1, None
    return claimed


def is_due(
    db: Session, team: str, *, now: datetime, rank: int = BROADCAST, wait: ColumnElement[bool] = NOTHING
) -> bool:
    """Whether there is a note to claim; asked before, for claiming takes the write lock from the keeper."""
    _expect_many(db)
    return db.scalar(_due(team, now, 1, rank, wait)) is not None


def _expect_many(db: Session) -> None:
    """Of a table that is new to it PostgreSQL expects a few notes, and would compare each of thousands with each."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SET LOCAL enable_nestloop = off"))


def _due(team: str, now: datetime, at_most: int, rank: int, wait: ColumnElement[bool] = NOTHING) -> Select[OutboxNote]:
    first = _first_in_channels(now)
    # Words wait for no picture, which may take its time.
    other = aliased(OutboxNote)
    under_way = and_(other.state == "sending", other.kind != "picture", other.channel_id == OutboxNote.channel_id)
    return (
        select(OutboxNote)
        .outerjoin(first, and_(first.c.team_id == OutboxNote.team_id, first.c.channel_id == OutboxNote.channel_id))
        .where(
            OutboxNote.team_id == team,
            OutboxNote.state == "pending",
            OutboxNote.not_before <= now,
            OutboxNote.rank <= rank,
            or_(first.c.id.is_(None), OutboxNote.id <= first.c.id),
            ~select(other.id).where(other.team_id == team, under_way).exists(),
            ~wait,
        )
        .order_by(OutboxNote.rank, OutboxNote.id)
        .limit(at_most)
    )


def _first_in_channels(now: datetime) -> Subquery:
    """The first note of each channel that later ones wait for, asked once for all and not anew for each of them.

    Not of one workspace alone: for that, SQLite would go through all that was ever said there.

    A note that Slack told to wait is in the way of later ones; one that is only meant for later is not.
    """
    in_the_way = and_(OutboxNote.kind != "picture", or_(OutboxNote.error.is_not(None), OutboxNote.not_before <= now))
    return (
        select(OutboxNote.team_id, OutboxNote.channel_id, func.min(OutboxNote.id).label("id"))
        .where(OutboxNote.state == "pending", in_the_way)
        .group_by(OutboxNote.team_id, OutboxNote.channel_id)
        .subquery()
    )


# Looking up --------------------------------------------------------------------------

UNCERTAIN = "unknown"


def uncertain(db: Session, team: str, *, now: datetime, patience: timedelta) -> Sequence[OutboxNote]:
    """Notes whose outcome is not known: found to be so and waited for, or left behind for longer than `patience`."""
    known = and_(OutboxNote.error == UNCERTAIN, OutboxNote.not_before <= now)
    left = and_(OutboxNote.error.is_(None), OutboxNote.attempted_at <= now - patience)
    being_sent = select(OutboxNote).where(OutboxNote.state == "sending", or_(known, left)).order_by(OutboxNote.id)
    # Asked for a workspace, SQLite would go through all that was ever said there.
    return [note for note in db.scalars(being_sent) if note.team_id == team]


# What became of it -------------------------------------------------------------------


def mark_sent(db: Session, note_id: int, *, attempt: int, version: int, channel: str, ts: str, now: datetime) -> None:
    """It was said in this attempt, in this version (0 where that is not known); a newer version waits again.

    The word may come late, after another process took the note for lost and went on:

    1. Where it said the note as another message, that one stays ours, and the stray is found when it is read back.
    2. Where it said a newer version, an older one may now stand in its place: the newest is said once more.
    3. Where it is saying the note this moment, what becomes of it is for it to tell.
    """
    note = db.get_one(OutboxNote, note_id, with_for_update=True)
    is_stray = note.posted_ts and ts and note.posted_ts != ts
    if not is_stray:
        note.version += 1 if 0 < version < note.said_version else 0
        note.said_version = max(version, note.said_version)
        note.posted_channel, note.posted_ts = (channel, ts) if ts else (note.posted_channel or channel, note.posted_ts)
        note.sent_at = now
    closed.heard(db, note)
    if note.state != states(note).goes or note.attempts == attempt:
        note.state, note.error = ("sent" if note.said_version == note.version else states(note).waits), None


def mark_files(db: Session, note_id: int, files: list[dict[str, Any]], *, attempt: int, now: datetime) -> bool:
    """These files of a picture may be in Slack; False where this attempt is over, else it is as if it began now."""
    note = _attempted(db, note_id, attempt)
    if note:
        note.files, note.attempted_at = files, now
    return note is not None


def mark_later(db: Session, note_id: int, *, attempt: int, until: datetime, error: str) -> None:
    """It was surely not said in this attempt, and may be tried again from a moment on."""
    note = _attempted(db, note_id, attempt)
    if note:
        note.state, note.not_before, note.error = states(note).waits, until, error


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
        closed.refused(db, note, error)


def _attempted(db: Session, note_id: int, attempt: int) -> OutboxNote | None:
    """A note that is still in this attempt; another process may have looked it up and gone on."""
    note = db.get_one(OutboxNote, note_id, with_for_update=True)
    return note if (note.state, note.attempts) == (states(note).goes, attempt) else None
