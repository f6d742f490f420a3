"""Reviews and their meetings: which one an incident has, what is planned, who comes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.review.lifecycle import Milestones, Stage, stage_of
from storage import incidents
from storage.models import Attendee, Change, Incident, Meeting, MeetingNote, Review


def of(db: Session, incident: Incident) -> Review:
    """The review of an incident; every incident has one from the moment it is opened."""
    return db.scalars(select(Review).where(Review.incident_id == incident.id)).one()


def begin(db: Session, incident: Incident) -> Review:
    """The review that every incident gets when it is opened."""
    review = Review(team_id=incident.team_id, incident_id=incident.id)
    db.add(review)
    db.flush()
    return review


def meetings(db: Session, review: Review) -> Sequence[Meeting]:
    """Every sitting of a review, cancelled ones too, by number."""
    return db.scalars(select(Meeting).where(Meeting.review_id == review.id).order_by(Meeting.number)).all()


def planned_meeting(db: Session, review: Review) -> Meeting | None:
    """The meeting that was scheduled and not yet opened, ended or cancelled."""
    return db.scalar(
        select(Meeting)
        .where(
            Meeting.review_id == review.id,
            Meeting.scheduled_at.is_not(None),
            Meeting.cancelled_at.is_(None),
            Meeting.opened_at.is_(None),
            Meeting.ended_at.is_(None),
        )
        .order_by(Meeting.number)
        .limit(1)
    )


def open_meeting(db: Session, review: Review) -> Meeting | None:
    """The meeting that is sitting now."""
    return db.scalar(
        select(Meeting)
        .where(Meeting.review_id == review.id, Meeting.opened_at.is_not(None), Meeting.ended_at.is_(None))
        .order_by(Meeting.number.desc())
        .limit(1)
    )


def last_held(db: Session, review: Review) -> Meeting | None:
    """The latest meeting that has ended."""
    return db.scalar(
        select(Meeting)
        .where(Meeting.review_id == review.id, Meeting.ended_at.is_not(None))
        .order_by(Meeting.number.desc())
        .limit(1)
    )


def add_meeting(db: Session, review: Review, *, minutes: int) -> Meeting:
    """A new sitting with the next number; when and where follow."""
    numbers = [meeting.number for meeting in meetings(db, review)]
    meeting = Meeting(team_id=review.team_id, review_id=review.id, number=max(numbers, default=0) + 1, minutes=minutes)
    db.add(meeting)
    db.flush()
    return meeting


def milestones(db: Session, incident: Incident) -> Milestones:
    """What has happened to a review so far: all that its stage is read from."""
    review = of(db, incident)
    planned, held = planned_meeting(db, review), open_meeting(db, review) or last_held(db, review)
    return Milestones(
        mitigated_at=incidents.moment(db, incident.id, "mitigated"),
        scheduled_at=planned.scheduled_at if planned else None,
        meets_at=planned.meets_at if planned else None,
        pre_read_sent_at=review.pre_read_sent_at,
        opened_at=held.opened_at if held else None,
        ended_at=held.ended_at if held else None,
        drafted_at=review.drafted_at,
        approved_at=review.approved_at,
        published_at=review.published_at,
        closed_at=review.closed_at,
        skipped_at=review.skipped_at,
        cancelled_at=review.cancelled_at,
        reopened_at=_reopened_at(db, incident),
    )


def _reopened_at(db: Session, incident: Incident) -> datetime | None:
    return db.scalar(
        select(Change.at)
        .where(Change.incident_id == incident.id, Change.what == "reopened")
        .order_by(Change.id.desc())
        .limit(1)
    )


def stage(db: Session, incident: Incident) -> Stage:
    """Where the review of an incident stands."""
    return stage_of(milestones(db, incident))


# Who comes, and what was noted -----------------------------------------------------------


def attendees(db: Session, meeting: Meeting) -> Sequence[Attendee]:
    """Who is invited now, core attendees first."""
    rows = db.scalars(
        select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.uninvited_at.is_(None)).order_by(Attendee.id)
    )
    return sorted(rows, key=lambda row: row.core_since is None)


def invite(db: Session, meeting: Meeting, user: str, *, core: datetime | None, now: datetime) -> None:
    """Invite somebody; inviting twice is inviting once, and lifts an earlier withdrawal."""
    row = db.scalar(select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.user_id == user))
    if row is None:
        row = Attendee(team_id=meeting.team_id, meeting_id=meeting.id, user_id=user, invited_at=now)
        db.add(row)
    row.uninvited_at, row.core_since = None, row.core_since or core
    db.flush()


def notes(db: Session, meeting: Meeting) -> Sequence[MeetingNote]:
    """What was noted and parked in a meeting, in order."""
    return db.scalars(select(MeetingNote).where(MeetingNote.meeting_id == meeting.id).order_by(MeetingNote.id)).all()
