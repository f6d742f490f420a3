"""Signed requests that were served."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage.models import Gesture
from storage.rows import delete_any, insert_new

KEPT = timedelta(hours=1)
"""Slack's signature is good for five minutes; an hour forgives every clock."""


class FirstMark(str):
    """The mark of what Slack says it sends for the first time: it was not served before, whatever is alike."""

    __slots__ = ()


def remember(db: Session, team: str, mark: str, *, at: datetime) -> bool:
    """Remember a gesture's mark; False when it was served before."""
    written = insert_new(db, Gesture).values(team_id=team, mark=str(mark), at=at).returning(Gesture.mark)
    return db.execute(written).first() is not None or isinstance(mark, FirstMark)


def forget_old(db: Session, team: str, *, now: datetime) -> None:
    delete_any(db, Gesture, Gesture.team_id == team, Gesture.at < now - KEPT)
