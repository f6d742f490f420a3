"""What calendars hold of a meeting: when that is not so any more, it is revised (RFC 5545: UID, SEQUENCE, DTSTAMP).

Whoever changes a meeting need not think of calendars: what they hold is compared with what is so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, Place, UserId
from storage import attending, outbox, participants, reviews
from storage.models import Incident, Meeting, Review


@dataclass(frozen=True, slots=True)
class Held:
    """What calendars hold, and since when; `called_off` where the meeting is to go from them."""

    sequence: int
    revised_at: datetime
    called_off: bool


def held(meeting: Meeting) -> Held | None:
    """What calendars hold of a meeting; None where they know nothing of it yet."""
    known = meeting.calendar
    if known is None:
        return None
    return Held(meeting.sequence, datetime.fromisoformat(known["revised_at"]), bool(known["called_off"]))


def is_news(db: Session, incident: Incident, meeting: Meeting, *, asked: Sequence[UserId]) -> bool:
    """Whether calendars are to hold something else than before."""
    known, so = meeting.calendar or {}, _so(db, incident, meeting, asked)
    return so != {name: known.get(name) for name in so} and bool(known or not so["called_off"])


def revise(db: Session, incident: Incident, meeting: Meeting, *, asked: Sequence[UserId], now: datetime) -> bool:
    """Whether calendars are to hold something else than before; its number is raised then, once."""
    if not is_news(db, incident, meeting, asked=asked):
        return False
    known, so = meeting.calendar or {}, _so(db, incident, meeting, asked)
    meeting.uid = meeting.uid or reviews.new_uid(db, meeting)
    if known and meeting.sequence <= known["sequence"]:
        meeting.sequence = known["sequence"] + 1
    meeting.calendar = so | {"sequence": meeting.sequence, "revised_at": now.isoformat()}
    db.flush()
    return True


def _so(db: Session, incident: Incident, meeting: Meeting, asked: Sequence[UserId]) -> dict[str, Any]:
    place = reviews.place_of(db, incident, meeting)
    return {
        "at": meeting.meets_at.isoformat() if meeting.meets_at else None,
        "minutes": meeting.minutes,
        "place": [place.channel, place.thread, meeting.call],
        "asked": sorted(asked),
        "is_private": incident.private_since is not None,
        "called_off": meeting.cancelled_at is not None,
    }


def asked(db: Session, team: str, ahead: Sequence[tuple[Meeting, Incident]]) -> Mapping[int, Sequence[UserId]]:
    """The core attendees of each of these meetings who are still here and may see its incident."""
    cores = attending.cores(db, [meeting for meeting, _ in ahead])
    able = participants.able_each(db, team, [(incident, cores[meeting.id]) for meeting, incident in ahead])
    return {
        meeting.id: [user for user in cores[meeting.id] if user in here]
        for (meeting, _), here in zip(ahead, able, strict=True)
    }


def key(db: Session, incident: Incident, meeting: Meeting) -> str:
    """Of the note that shows the meeting as a file, in the place where it is held."""
    place = reviews.place_of(db, incident, meeting)
    return f"{outbox.CALENDAR}{meeting.id}:{place.channel}:{place.thread}"


def place_in(key: str) -> Place:
    """The place that such a key names."""
    channel, thread = key.split(":")[2:4]
    return Place(ChannelId(channel), thread)


def of(db: Session, meeting_id: int) -> tuple[Meeting, Incident]:
    """A meeting, and the incident of which it is."""
    rows = (
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Meeting.id == meeting_id)
    )
    meeting, incident = db.execute(rows).one()
    return meeting, incident


def ahead(db: Session, team: str, *, now: datetime) -> Sequence[tuple[Meeting, Incident]]:
    """Meetings whose hour is yet to come and that calendars hold, or should: planned, or called off since."""
    planned = and_(Meeting.cancelled_at.is_(None), Meeting.opened_at.is_(None), Meeting.ended_at.is_(None))
    gone = and_(Meeting.cancelled_at.is_not(None), Meeting.calendar.is_not(None))
    rows = db.execute(
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Meeting.team_id == team, Meeting.scheduled_at.is_not(None), Meeting.meets_at > now, or_(planned, gone))
        .where(or_(Meeting.apart.is_(None), Meeting.thread_ts.is_not(None)))
        .order_by(Meeting.id)
    )
    return [(meeting, incident) for meeting, incident in rows]
