"""Sittings: the meetings that are open now, with their agendas; read to be changed, so two gestures take turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.review.agenda import Agenda
from bot.review.pulse import Pulse
from storage.models import Incident, Meeting, Review


@dataclass(frozen=True, slots=True)
class Sitting:
    """A meeting that was opened, and where it stands."""

    incident: Incident
    meeting: Meeting
    agenda: Agenda

    @property
    def touched_at(self) -> datetime:
        """The last gesture in it."""
        return self.meeting.touched_at or self.agenda.entered_at


def of(db: Session, incident: Incident) -> Sitting | None:
    """The one in which the review of an incident meets now; locked until the transaction ends."""
    found = _read(db, _open().where(Incident.id == incident.id).order_by(Meeting.number.desc()).limit(1))
    return found[0] if found else None


def every(db: Session, team: str) -> Sequence[Sitting]:
    """All that are open in a workspace; locked until the transaction ends."""
    return _read(db, _open().where(Meeting.team_id == team).order_by(Meeting.id))


def of_late(db: Session, incident: Incident, *, since: datetime) -> Sitting | None:
    """The last one that was open; ended before this moment it is left as it is."""
    last = (
        _any()
        .where(Incident.id == incident.id, Meeting.opened_at.is_not(None), Meeting.agenda.is_not(None))
        .order_by(Meeting.number.desc())
        .limit(1)
    )
    found = _read(db, last)
    ended_at = found[0].meeting.ended_at if found else None
    return found[0] if found and (ended_at is None or ended_at >= since) else None


def _open() -> Select[Meeting, Incident]:
    return _any().where(Meeting.opened_at.is_not(None), Meeting.ended_at.is_(None))


def _any() -> Select[Meeting, Incident]:
    return (
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Meeting.apart.is_(None))
    )


def _read(db: Session, query: Select[Meeting, Incident]) -> Sequence[Sitting]:
    # Without the lock two replicas would both move on from the agenda they read, and one press would be lost.
    rows = db.execute(query.with_for_update(of=Meeting).execution_options(populate_existing=True))
    return [
        Sitting(incident, meeting, Agenda.from_json(meeting.agenda)) for meeting, incident in rows if meeting.agenda
    ]


def keep(db: Session, sitting: Sitting, *, now: datetime) -> None:
    """Write down where it stands; with an agenda that has ended, that it ended now."""
    sitting.meeting.agenda = sitting.agenda.to_json()
    sitting.meeting.ended_at = now if sitting.agenda.ended_at else None
    if sitting.agenda.ended_at and sitting.meeting.pulse:
        sitting.meeting.pulse = Pulse.from_json(sitting.meeting.pulse).at_the_end().to_json()
    touch(db, sitting, now=now)


def went_on(db: Session, sitting: Sitting) -> None:
    """It went on by its own clock, which is no gesture."""
    sitting.meeting.agenda = sitting.agenda.to_json()
    db.flush()


def touch(db: Session, sitting: Sitting, *, now: datetime) -> None:
    """Something was done in it, so nobody has forgotten it."""
    sitting.meeting.touched_at = now
    db.flush()


def shown(db: Session, sitting: Sitting, *, now: datetime) -> None:
    """Its message shows this moment; nobody did anything."""
    sitting.meeting.agenda = sitting.agenda.shown(now).to_json()
    db.flush()
