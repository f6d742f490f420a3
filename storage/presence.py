"""When the bot was here: the last tick of its clock, and its latest absence."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import people

NOTED_EVERY = timedelta(minutes=30)
ABSENCE = timedelta(hours=8)
"""The shortest pause of the clock that counts: in a shorter one nobody's whole working day goes by."""


def notice(db: Session, team: str, *, now: datetime) -> None:
    """Note that the clock ticks, and an absence where it did not for hours."""
    space = people.workspace(db, team)
    if space.awake_at and now - space.awake_at < NOTED_EVERY:
        return
    if space.awake_at and now - space.awake_at >= ABSENCE:
        space.away_from, space.back_at = space.awake_at, now
    space.awake_at = now
    db.flush()


def was_away(db: Session, team: str, at: datetime) -> bool:
    """Whether that moment lies in the latest absence."""
    space = people.workspace(db, team)
    if space.away_from is None or space.back_at is None:
        return False
    return space.away_from <= at < space.back_at


def days_late(db: Session, team: str, meant_for: datetime, *, now: datetime) -> int:
    """How many days late something comes that was meant for a moment at which the bot was away, else 0."""
    return round((now - meant_for) / timedelta(days=1)) if was_away(db, team, meant_for) else 0
