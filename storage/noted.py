"""What was noted in one meeting: findings, actions, moments, answers and notes, in the order it was noted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from storage import timeline
from storage.models import Action, Change, Finding, Incident, Meeting, MeetingNote, Message, TimelineEvent


class Sort(StrEnum):
    """As what something was noted."""

    finding = "finding"
    action = "action"
    event = "event"
    answer = "answer"
    note = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One thing that was noted; `text` is None where its words were deleted, `label` what it is called before them."""

    sort: Sort
    id: int
    label: str
    text: str | None
    by: str | None
    at: datetime
    owner: str | None = None
    """Of an action."""
    is_gone: bool = False
    """It was taken back."""

    @property
    def key(self) -> str:
        """The same for as long as it is there, whatever it says."""
        return f"{self.sort}:{self.id}"


def in_meeting(db: Session, incident: Incident, meeting: Meeting) -> Sequence[Noted]:
    """All of it, what was taken back since too."""
    if meeting.opened_at is None:
        return []
    of_incident = (_findings, _actions, _events, _answers)
    found = [noted for read in of_incident for noted in read(db, incident, meeting)]
    return sorted([*found, *_notes(db, meeting)], key=lambda noted: (noted.at, noted.sort, noted.id))


def heard(db: Session, incident: Incident, meeting: Meeting) -> set[str]:
    """Whose voice is in it: who noted something, and who was in the event that was answered for."""
    noted = in_meeting(db, incident, meeting)
    answered = {one.id for one in noted if one.sort is Sort.answer}
    in_them = {_person_in(event, message) for event, message in _told(db, TimelineEvent.id.in_(answered))}
    return {user for user in {*in_them, *(one.by for one in noted)} if user}


def _while_open(moment: Any, meeting: Meeting) -> ColumnElement[bool]:
    since = moment >= meeting.opened_at
    return since if meeting.ended_at is None else and_(since, moment <= meeting.ended_at)


def _findings(db: Session, incident: Incident, meeting: Meeting) -> Iterator[Noted]:
    of_it = and_(Finding.incident_id == incident.id, _while_open(Finding.at, meeting))
    for row in db.scalars(select(Finding).where(of_it)):
        yield Noted(
            sort=Sort.finding,
            id=row.id,
            label=f"{FindingKind(row.kind).label.capitalize()} {row.number}",
            text=f"{row.sort}: {row.text}" if row.sort else row.text,
            by=row.by,
            at=row.at,
            is_gone=row.dropped_at is not None,
        )


def _actions(db: Session, incident: Incident, meeting: Meeting) -> Iterator[Noted]:
    of_it = and_(Action.incident_id == incident.id, _while_open(Action.proposed_at, meeting))
    for row in db.scalars(select(Action).where(of_it)):
        yield Noted(
            sort=Sort.action,
            id=row.id,
            label=f"Action {row.number}",
            text=row.text,
            by=row.proposed_by,
            at=row.proposed_at,
            owner=row.owner,
            is_gone=row.withdrawn_at is not None,
        )


def _events(db: Session, incident: Incident, meeting: Meeting) -> Iterator[Noted]:
    """Those that somebody put on the timeline; programs note nothing."""
    recorded = and_(TimelineEvent.by.is_not(None), _while_open(TimelineEvent.recorded_at, meeting))
    for event, message in _told(db, and_(TimelineEvent.incident_id == incident.id, recorded)):
        yield Noted(
            sort=Sort.event,
            id=event.id,
            label=f"Event {event.number}",
            text=timeline.words_of(event, message),
            by=event.by,
            at=event.recorded_at,
            is_gone=not timeline.is_on_it(event),
        )


def _answers(db: Session, incident: Incident, meeting: Meeting) -> Iterator[Noted]:
    """What is said at an event now, by whoever worded it last, since it was first said in this meeting."""
    answered = and_(Change.incident_id == incident.id, Change.subject == "event", Change.what == "answer")
    in_it = select(Change).where(answered, _while_open(Change.at, meeting)).order_by(Change.id)
    changes = list(db.scalars(in_it))
    first, last = {row.subject_id: row for row in reversed(changes)}, {row.subject_id: row for row in changes}
    for event, _ in _told(db, TimelineEvent.id.in_(last)):
        yield Noted(
            sort=Sort.answer,
            id=event.id,
            label=f"Answer at event {event.number}",
            text=event.answer,
            by=last[event.id].by,
            at=first[event.id].at,
            is_gone=event.answer is None or not timeline.is_on_it(event),
        )


def _notes(db: Session, meeting: Meeting) -> Iterator[Noted]:
    for row in db.scalars(select(MeetingNote).where(MeetingNote.meeting_id == meeting.id)):
        label = "Parked" if row.parked_at else "Note"
        yield Noted(sort=Sort.note, id=row.id, label=label, text=row.text, by=row.by, at=row.at)


def _told(db: Session, which: ColumnElement[bool]) -> Sequence[tuple[TimelineEvent, Message | None]]:
    rows = db.execute(select(TimelineEvent, Message).outerjoin(Message, timeline.behind()).where(which))
    return [(event, message) for event, message in rows]


def _person_in(event: TimelineEvent, message: Message | None) -> str | None:
    return message.user_id if message else event.by
