"""The texts of a review that can be changed afterwards, each under a key of its own, such as `finding 3`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.review.impact import Impact
from bot.review.written import HOW_IT_WENT
from storage import actions, findings, incidents, reviews, timeline
from storage.models import Action, Incident, Meeting, MeetingNote


def texts(db: Session, incident: Incident) -> Mapping[str, str]:
    """All of them as they stand; what nobody has written is empty."""
    afterwards = {f"went {meeting.number}": _afterwards(db, meeting) for meeting in _held(db, incident)}
    return {
        "summary": incident.summary or "",
        "impact": Impact.from_json(incident.impact).text,
        **{f"event {told.event.number}": told.words for told in timeline.told(db, incident.id) if told.words},
        **{f"finding {row.number}": row.text for row in findings.of_incident(db, incident.id)},
        **{f"action {row.number}": row.text for row in actions.of_incident(db, incident.id)},
        **{key: note.text if note else "" for key, note in afterwards.items()},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """New words for something, from whom (None at the machine), and when."""

    db: Session
    incident: Incident
    text: str
    by: str | None
    now: datetime


def reword(wording: Wording, key: str) -> None:
    """Put the words in the place of those under a key that `texts` gave."""
    what, _, number = key.partition(" ")
    PUT[what](wording, int(number or 0))
    wording.db.flush()


def _summary(wording: Wording, _: int) -> None:
    _record(wording, "incident", wording.incident.id, what="summary", before=wording.incident.summary)
    wording.incident.summary = wording.text


def _impact(wording: Wording, _: int) -> None:
    known = Impact.from_json(wording.incident.impact)
    _record(wording, "incident", wording.incident.id, what="impact", before=known.text or None)
    wording.incident.impact = replace(known, text=wording.text).to_json()


def _event(wording: Wording, number: int) -> None:
    event = timeline.numbered(wording.db, wording.incident.id, number)
    if event:
        timeline.reword(wording.db, event, wording.text, by=wording.by, now=wording.now)


def _finding(wording: Wording, number: int) -> None:
    finding = findings.find(wording.db, wording.incident.id, number)
    if finding:
        _record(wording, "finding", finding.id, what="text", before=finding.text)
        finding.text = wording.text


def _action(wording: Wording, number: int) -> None:
    of_it = Action.incident_id == wording.incident.id, Action.number == number
    action = wording.db.scalars(select(Action).where(*of_it)).one()
    _record(wording, "action", action.id, what="text", before=action.text)
    action.text = wording.text


def _went(wording: Wording, number: int) -> None:
    """A note about a meeting that is over; the first one has whoever wrote it as its author."""
    meeting = next(meeting for meeting in _held(wording.db, wording.incident) if meeting.number == number)
    note = _afterwards(wording.db, meeting)
    if note:
        _record(wording, "meeting", meeting.id, what=HOW_IT_WENT, before=note.text)
        note.text = wording.text
    elif wording.by:
        reviews.note_down(
            wording.db, meeting, wording.text, topic=HOW_IT_WENT, by=wording.by, parked=None, now=wording.now
        )


PUT: Mapping[str, Callable[[Wording, int], None]] = {
    "summary": _summary,
    "impact": _impact,
    "event": _event,
    "finding": _finding,
    "action": _action,
    "went": _went,
}


def _record(wording: Wording, subject: str, subject_id: int, *, what: str, before: str | None) -> None:
    incidents.record_change(
        wording.db,
        wording.incident,
        subject,
        subject_id,
        what=what,
        before=before,
        after=wording.text,
        by=wording.by,
        now=wording.now,
    )


def _held(db: Session, incident: Incident) -> list[Meeting]:
    return [row for row in reviews.meetings(db, reviews.of(db, incident)) if row.opened_at and not row.cancelled_at]


def _afterwards(db: Session, meeting: Meeting) -> MeetingNote | None:
    return next((note for note in reviews.notes(db, meeting) if note.topic == HOW_IT_WENT), None)
