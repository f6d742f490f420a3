"""Answers given in private before a meeting: boxes that nobody here can open, and who may not answer again."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, func, insert, not_, or_, select
from sqlalchemy.orm import Session

from storage import incidents
from storage.models import Change, Erasure, Incident, Meeting, Review, SealedAnswer, SealedMark

KEPT = timedelta(days=30)
"""How long after its last meeting a box is kept that nobody opened."""
REVEALED = "revealed"
"""The word in a meeting's history for having opened its answers."""


def hold(db: Session, review: Review) -> None:
    """Let nobody else answer or open the answers until the turn ends."""
    db.execute(select(Review.id).where(Review.id == review.id).with_for_update())


def boxes(db: Session, review: Review) -> Sequence[str]:
    """Every answer of a review, closed; in no order that means anything."""
    mine = select(SealedAnswer.box).join(Meeting, Meeting.id == SealedAnswer.meeting_id)
    return db.scalars(mine.where(Meeting.review_id == review.id)).all()


def has_answered(db: Session, review: Review, mark: str) -> bool:
    return mark in _marks(db, review)


def _marks(db: Session, review: Review) -> set[str]:
    mine = select(SealedMark.mark).join(Meeting, Meeting.id == SealedMark.meeting_id)
    return set(db.scalars(mine.where(Meeting.review_id == review.id)))


def put(db: Session, meeting: Meeting, closed: Collection[str], *, mark: str) -> None:
    """Lay all answers of the review down anew: the places of rows would tell in which order they were given."""
    review = db.get_one(Review, meeting.review_id)
    marks = _marks(db, review) | {mark}
    forget(db, [review.id])
    rows = [{"id": secrets.token_hex(16), "box": box} for box in closed]
    mine = {"team_id": meeting.team_id, "meeting_id": meeting.id}
    db.execute(insert(SealedAnswer), [row | mine for row in sorted(rows, key=lambda row: row["id"])])
    db.execute(insert(SealedMark), [{"mark": each} | mine for each in sorted(marks)])


def were_revealed(db: Session, review: Review) -> bool:
    """Whether the answers of this review were opened: after that none is taken."""
    mine = select(Meeting.id).where(Meeting.review_id == review.id)
    opened = Change.subject == "meeting", Change.what == REVEALED, Change.subject_id.in_(mine)
    return db.scalar(select(exists().where(*opened))) or False


def mark_revealed(db: Session, incident: Incident, meeting: Meeting, *, by: str, now: datetime) -> None:
    """Write into the meeting's history that its answers were opened."""
    incidents.record_change(db, incident, "meeting", meeting.id, what=REVEALED, before=None, after=None, by=by, now=now)
    db.flush()


def forget(db: Session, reviews: Collection[int]) -> None:
    """Take the boxes and marks of these reviews off the tables."""
    mine = select(Meeting.id).where(Meeting.review_id.in_(reviews))
    db.execute(delete(SealedAnswer).where(SealedAnswer.meeting_id.in_(mine)))
    db.execute(delete(SealedMark).where(SealedMark.meeting_id.in_(mine)))


def sweep_up(db: Session, team: str, *, now: datetime) -> None:
    """Have the database's file swept of what stood there."""
    db.add(Erasure(team_id=team, at=now))
    db.flush()


def to_forget(db: Session, team: str, *, now: datetime) -> list[int]:
    """Reviews that are over, or met long ago and are not to meet again, and whose answers nobody opened."""
    of_it = (Meeting.review_id == Review.id, Meeting.apart.is_(None))
    last = select(func.max(Meeting.ended_at)).where(*of_it).scalar_subquery()
    meets_again = exists().where(*of_it, Meeting.ended_at.is_(None), Meeting.cancelled_at.is_(None))
    over = or_(
        func.coalesce(Review.published_at, Review.closed_at, Review.skipped_at, Review.cancelled_at).is_not(None),
        and_(last < now - KEPT, not_(meets_again)),
    )
    answered = exists().where(SealedMark.meeting_id == Meeting.id, Meeting.review_id == Review.id)
    return list(db.scalars(select(Review.id).where(Review.team_id == team, over, answered).order_by(Review.id)))
