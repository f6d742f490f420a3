"""How a meeting was: counts in its row, and beside them keyed marks, so that each person counts once."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from bot.review.pulse import Pulse, Said, mark, toggled
from storage import incidents, people, reviews
from storage.models import Erasure, Incident, Meeting, PulseMark, Review
from storage.rows import in_parts

KEPT = timedelta(days=30)
"""How long after its meeting a mark is kept where the review is never published."""
NUMBERS = 2**53


def tap(db: Session, meeting: Meeting, user: str, said: Said) -> frozenset[Said]:
    """Count what somebody tapped, or take it back; what counts for them now."""
    # Two people tap at once: whoever comes second must count on top of the first.
    db.refresh(meeting, with_for_update=True)
    key = people.workspace(db, meeting.team_id).mark_key
    marks = {each: mark(key, meeting.id, user, each) for each in Said}
    held = PulseMark.meeting_id == meeting.id, PulseMark.mark.in_(marks.values())
    known = set(db.scalars(select(PulseMark.mark).where(*held)))
    before = frozenset(each for each in Said if marks[each] in known)
    after = toggled(before, said)
    db.execute(delete(PulseMark).where(*held))
    _put_down(db, meeting, [marks[each] for each in after])
    meeting.pulse = Pulse.from_json(meeting.pulse).moved(before, after).to_json()
    db.flush()
    return after


def _put_down(db: Session, meeting: Meeting, marks: Collection[str]) -> None:
    # Under numbers drawn by lot: counted up, they would tell in which order people tapped.
    drawn = [{"id": secrets.randbelow(NUMBERS), "mark": each} for each in sorted(marks)]
    if drawn:
        db.execute(insert(PulseMark), [row | {"team_id": meeting.team_id, "meeting_id": meeting.id} for row in drawn])


def is_open(db: Session, meeting: Meeting, *, now: datetime) -> bool:
    """Whether taps count: until the counts were shown, the review is over, or the marks are gone."""
    review = db.get_one(Review, meeting.review_id)
    over = review.published_at or review.closed_at or review.skipped_at or review.cancelled_at
    recent = meeting.ended_at is None or now < meeting.ended_at + KEPT
    return recent and not over and not Pulse.from_json(meeting.pulse).is_settled


def shown(meeting: Meeting, review: Review) -> Pulse | None:
    """The counts, for everybody or for nobody: once no tap can change them, and where four or more answered."""
    found = Pulse.from_json(meeting.pulse)
    return found if found.is_enough and (found.is_settled or review.published_at) else None


def may_answer(db: Session, incident: Incident, meeting: Meeting, user: str) -> bool:
    """People who are in the meeting's channel, or in the incident's."""
    channels = {reviews.place_of(db, incident, meeting).channel, incidents.main_place(db, incident.id).channel}
    return any(user in people.members(db, incident.team_id, channel) for channel in channels)


def forget(db: Session, meetings: Collection[int], *, now: datetime) -> None:
    """Take the marks of these meetings off the tables, and have the file swept of what stood there."""
    db.execute(delete(PulseMark).where(PulseMark.meeting_id.in_(meetings)))
    if meetings:
        team = db.scalars(select(Meeting.team_id).where(Meeting.id.in_(meetings)).limit(1)).one()
        db.add(Erasure(team_id=team, at=now))
    db.flush()


def forget_person(db: Session, team: str, user: str) -> None:
    """Take away the marks of one person: who has the key could still tell by them what they tapped. The counts stay."""
    key = people.workspace(db, team).mark_key
    marked = db.scalars(select(PulseMark.meeting_id).where(PulseMark.team_id == team).distinct()).all()
    for part in in_parts([mark(key, meeting, user, said) for meeting in marked for said in Said]):
        db.execute(delete(PulseMark).where(PulseMark.mark.in_(part)))


def to_forget(db: Session, team: str, *, now: datetime) -> list[int]:
    """Meetings with marks that nobody needs any more."""
    over = or_(
        Review.published_at.is_not(None),
        func.coalesce(Review.closed_at, Review.skipped_at, Review.cancelled_at).is_not(None),
        Meeting.ended_at < now - KEPT,
    )
    marked = select(Meeting.id).join(Review, Review.id == Meeting.review_id).join(PulseMark)
    return list(db.scalars(marked.where(Meeting.team_id == team, over).distinct().order_by(Meeting.id)))
