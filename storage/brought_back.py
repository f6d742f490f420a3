"""A database that was brought back from a backup: what Slack may have been told since, nothing says a second time."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.delivering import UNCERTAIN
from storage.models import OutboxNote, Workspace

LOOKED_UP_FIRST = timedelta(days=7)
"""So long after it was brought back, what is written anew is looked up before it is said: a reminder waits for a
working day, and a weekend with a holiday may lie before that."""
CAN_BE_FOUND = ("once", "live", "picture")
"""Kinds of notes that carry a mark. Our emoji needs none: it stands on a message or it does not."""
LOST = "restored"
"""Why a whisper is dead that waited in the backup: whether somebody has heard it nobody can look up."""
BEFORE_SLACK = datetime(2013, 1, 1, tzinfo=UTC)


def mark(db: Session, *, now: datetime) -> int:
    """Note that this database was brought back now; how many notes are to be looked up before they are said.

    1. What waits in it may have been said since, and so may what is written anew under a key that it lost.
    2. A newer version of what stands in Slack already may be said: it goes in its place.
    """
    return sum(_mark(db, space, now) for space in db.scalars(select(Workspace)))


def _mark(db: Session, space: Workspace, now: datetime) -> int:
    space.restored_at, space.restored_from = now, _newest(db, space.team_id)
    waiting = (OutboxNote.team_id == space.team_id, OutboxNote.state.in_(("pending", "sending")))
    notes = db.scalars(select(OutboxNote).where(*waiting, OutboxNote.posted_ts.is_(None))).all()
    for note in notes:
        if note.kind == "whisper":
            note.state, note.error = "dead", LOST
        elif note.kind in CAN_BE_FOUND:
            note.state, note.error = "sending", UNCERTAIN
            note.attempted_at = min(note.attempted_at or space.restored_from, space.restored_from)
            note.not_before = max(note.not_before, now)
    return sum(note.error == UNCERTAIN for note in notes)


def _newest(db: Session, team: str) -> datetime:
    """The last moment that the outbox knows."""
    moments = (OutboxNote.written_at, OutboxNote.attempted_at, OutboxNote.sent_at)
    found = db.execute(select(*(func.max(each) for each in moments)).where(OutboxNote.team_id == team)).one()
    return max(filter(None, found), default=BEFORE_SLACK)


def said_since(db: Session, team: str, *, now: datetime) -> datetime | None:
    """Since when something that is written now for the first time may stand in Slack already; None where it cannot."""
    space = db.get(Workspace, team)
    if space is None or space.restored_at is None or now >= space.restored_at + LOOKED_UP_FIRST:
        return None
    return space.restored_from
