"""Signed requests that were served."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Gesture

KEPT = timedelta(hours=1)
"""Slack's signature is good for five minutes; an hour forgives every clock."""


def remember(db: Session, team: str, mark: str, *, at: datetime) -> bool:
    """Remember a gesture's mark; False when it was served before."""
    insert = sqlite.insert if db.get_bind().dialect.name == "sqlite" else postgresql.insert
    done = db.execute(
        insert(Gesture).values(team_id=team, mark=mark, at=at).on_conflict_do_nothing().returning(Gesture.mark)
    )
    return done.first() is not None


def forget_old(db: Session, team: str, *, now: datetime) -> None:
    db.execute(delete(Gesture).where(Gesture.team_id == team, Gesture.at < now - KEPT))
