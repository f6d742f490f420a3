"""Meetings apart: a team that speaks of an incident by itself before everybody does, and what it found (S2)."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from bot.review.incident import Place
from storage.models import Finding, Incident, Meeting, Review


def _planned() -> ColumnElement[bool]:
    return and_(Meeting.apart.is_not(None), Meeting.cancelled_at.is_(None), Meeting.ended_at.is_(None))


def of_team(db: Session, review: Review, team: str) -> Meeting | None:
    """The one that a team is yet to hold, or holds."""
    of_it = (Meeting.review_id == review.id, Meeting.apart == team, _planned())
    return db.scalar(select(Meeting).where(*of_it).order_by(Meeting.number).limit(1))


def planned(db: Session, review: Review) -> Sequence[Meeting]:
    """Those that teams are yet to hold, or hold, by number."""
    return db.scalars(select(Meeting).where(Meeting.review_id == review.id, _planned()).order_by(Meeting.number)).all()


def at(db: Session, incident: Incident, place: Place) -> Meeting | None:
    """The one whose thread this is, ended or not: what a team says afterwards is the team's, too."""
    if not place.thread:
        return None
    here = (Meeting.channel_id == place.channel, Meeting.thread_ts == place.thread, Meeting.cancelled_at.is_(None))
    of_it = (Review.incident_id == incident.id, Meeting.apart.is_not(None))
    query = select(Meeting).join(Review, Review.id == Meeting.review_id).where(*of_it, *here)
    return db.scalar(query.order_by(Meeting.number.desc()).limit(1))


def going_on(db: Session, team: str) -> Sequence[tuple[Meeting, Incident]]:
    """All that are planned or held now, in the workspace of this id."""
    rows = db.execute(
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Meeting.team_id == team, _planned())
        .order_by(Meeting.id)
    )
    return [(meeting, incident) for meeting, incident in rows]


def with_a_thread(db: Session, review: Review) -> Sequence[Meeting]:
    """Those of a review that have a thread and were not called off, by number."""
    here = (Meeting.apart.is_not(None), Meeting.cancelled_at.is_(None), Meeting.thread_ts.is_not(None))
    return db.scalars(select(Meeting).where(Meeting.review_id == review.id, *here).order_by(Meeting.number)).all()


def found(db: Session, meeting: Meeting) -> Sequence[Finding]:
    """What a team found, by number; what was dropped is left out."""
    of_it = (Finding.meeting_id == meeting.id, Finding.dropped_at.is_(None))
    return db.scalars(select(Finding).where(*of_it).order_by(Finding.number)).all()


def teams(db: Session, incident: int) -> Mapping[int, str]:
    """The team that found each finding of an incident, by the finding's number, of those found apart."""
    rows = db.execute(
        select(Finding.number, Meeting.apart)
        .join(Meeting, Meeting.id == Finding.meeting_id)
        .where(Finding.incident_id == incident, Meeting.apart.is_not(None))
    )
    return {number: team for number, team in rows if team}


def take(db: Session, finding: Finding, meeting: Meeting) -> None:
    """It was found in this meeting."""
    finding.meeting_id = meeting.id
    db.flush()


def ranked(involved: Sequence[str], members: Collection[str]) -> list[str]:
    """Those of a team who were in the incident, the most active first; where nobody was, all of it."""
    were_in_it = [user for user in involved if user in members]
    return were_in_it or sorted(members)
