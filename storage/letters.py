"""Letters in the outbox: one for each person and meeting, in its newest version; what is due, and what went.

A letter whose outcome is not known is sent again as it was: by its numbers a calendar and a mail program know it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from storage import people
from storage.delivering import OF_LETTERS, UNCERTAIN
from storage.models import OutboxNote
from storage.rows import in_parts

TOO_LATE = "too_late"
"""Why a letter is not sent any more: what it invites to is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be sent to a person under a key, and until when it is worth sending."""

    key: str
    user: str
    text: str
    enclosed: Mapping[str, Any]
    at: datetime
    until: datetime


def write(db: Session, team: str, letter: Letter) -> None:
    """Write a letter or its next version; where none of it ever left, only the newest one will."""
    note = find(db, team, letter.key)
    if note is None:
        note = _new(team, letter)
        db.add(note)
    else:
        note.version += 1
    note.text = letter.text
    note.letter = {**letter.enclosed, "until": letter.until.isoformat(), "tried_before": note.attempts}
    note.not_before = letter.at
    if note.state != OF_LETTERS.goes:
        note.state, note.error = OF_LETTERS.waits, None
    db.flush()


def _new(team: str, letter: Letter) -> OutboxNote:
    return OutboxNote(
        team_id=team,
        key=letter.key,
        kind="letter",
        channel_id=letter.user,
        user_id=letter.user,
        text=letter.text,
        version=1,
        state=OF_LETTERS.waits,
        attempts=0,
        written_at=letter.at,
        not_before=letter.at,
    )


def find(db: Session, team: str, key: str) -> OutboxNote | None:
    """The letter of this key, held until the turn ends."""
    return db.scalar(select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.key == key).with_for_update())


def beginning_any(db: Session, team: str, prefixes: Collection[str]) -> Sequence[OutboxNote]:
    """The letters whose keys begin with any of these, read and not held."""
    letters = select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.kind == "letter").order_by(OutboxNote.id)
    found: list[OutboxNote] = []
    for some in in_parts(sorted(prefixes)):
        begins = or_(*(OutboxNote.key.startswith(prefix, autoescape=True) for prefix in some))
        found += db.scalars(letters.where(begins))
    return found


def beginning(db: Session, team: str, prefix: str) -> Sequence[OutboxNote]:
    """The letters whose keys begin so, held until the turn ends."""
    begins = OutboxNote.key.startswith(prefix, autoescape=True)
    query = select(OutboxNote).where(OutboxNote.team_id == team, OutboxNote.kind == "letter", begins)
    return db.scalars(query.order_by(OutboxNote.id).with_for_update()).all()


def never_left(note: OutboxNote) -> bool:
    """Whether nobody can have received any version of it."""
    return note.attempts == 0


def drop(db: Session, note: OutboxNote) -> None:
    """Let it never have been written."""
    db.delete(note)
    db.flush()


# Sending ---------------------------------------------------------------------------------


def is_due(db: Session, team: str, *, now: datetime, patience: timedelta) -> bool:
    """Whether there is one to claim; asked before, for claiming takes the write lock from the keeper."""
    return db.scalar(_due(team, now, patience).limit(1)) is not None


def claim(
    db: Session, team: str, *, now: datetime, patience: timedelta, at_most: int, busy: Collection[int]
) -> Sequence[OutboxNote]:
    """Letters that are due, now marked as being sent; what has become pointless is given up.

    Those that a program left for longer than `patience`, or whose outcome nobody knows, are sent once more.
    """
    wanted = _due(team, now, patience).where(OutboxNote.id.not_in(busy)).limit(at_most)
    due = db.scalars(wanted.with_for_update(skip_locked=True)).all()
    claimed = [note for note in due if _is_in_time(note, now)]
    for note in claimed:
        note.state, note.attempted_at, note.attempts, note.error = OF_LETTERS.goes, now, note.attempts + 1, None
    return claimed


def _is_in_time(note: OutboxNote, now: datetime) -> bool:
    until = (note.letter or {}).get("until")
    if until and datetime.fromisoformat(until) > now:
        return True
    note.state, note.error = "dead", TOO_LATE
    return False


def _due(team: str, now: datetime, patience: timedelta) -> Select[OutboxNote]:
    waits = and_(OutboxNote.state == OF_LETTERS.waits, OutboxNote.not_before <= now)
    return (
        select(OutboxNote).where(OutboxNote.team_id == team, or_(waits, _left(now, patience))).order_by(OutboxNote.id)
    )


def _left(now: datetime, patience: timedelta) -> ColumnElement[bool]:
    unknown = and_(OutboxNote.error == UNCERTAIN, OutboxNote.not_before <= now)
    forsaken = and_(OutboxNote.error.is_(None), OutboxNote.attempted_at <= now - patience)
    return and_(OutboxNote.state == OF_LETTERS.goes, or_(unknown, forsaken))


def address(db: Session, note: OutboxNote) -> tuple[str, str] | None:
    """Where it goes and whom to: the address and the name in the person's profile; None where there is none."""
    person = people.find(db, note.team_id, note.user_id or "")
    if person is None or not person.email or person.bot_since or person.gone_since:
        return None
    return person.email, person.name
