"""Messages worth adding to a timeline: what an incident has to offer, and what somebody left out of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.review import candidates as rules
from bot.review.candidates import Burst, Candidate, Chatter
from storage import incidents, messages, timeline
from storage.findings import QUOTES
from storage.models import Change, Incident, Link, Message
from storage.rows import any_key

LEFT_OUT = "left_out"
"""What the history of a message says once somebody chose not to put it on the timeline."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Offered:
    """A message worth adding, and what was said."""

    candidate: Candidate
    said: Chatter


def offered(db: Session, incident: int) -> list[Offered]:
    """Worth adding, neither on the timeline nor taken off it nor left out nor kept as a finding, in order of time."""
    chatter = messages.chatter(db, incident)
    said = {one.key: one for one in chatter}
    known = timeline.tagged(db, incident) | left_out(db, incident) | _found(db, incident)
    found = (_without(one, known) for one in rules.candidates(chatter))
    return [Offered(one, said[one.channel, one.ts]) for one in found if one]


def _without(candidate: Candidate, known: Collection[Key]) -> Candidate | None:
    """The candidate less what is known of it; a burst whose first alert is known is known as a whole."""
    if (candidate.channel, candidate.ts) in known:
        return None
    return replace(candidate, burst=candidate.burst.without(known)) if candidate.burst else candidate


def bursts(db: Session, incident: int) -> dict[Key, Burst]:
    """Bursts of alerts by their first one, less what is on the timeline by itself."""
    known = timeline.tagged(db, incident) | left_out(db, incident)
    return {burst.messages[0]: burst.without(known) for burst in rules.bursts(messages.chatter(db, incident))}


def said_in(db: Session, incident: Incident, keys: Sequence[Key]) -> list[Message]:
    """Those of these messages that were said in the incident and are still there, in order of time."""
    wanted = and_(Message.team_id == incident.team_id, any_key(Message, keys), messages.inside(incident.id))
    there = wanted & Message.deleted_at.is_(None)
    return list(db.scalars(select(Message).where(there).order_by(Message.posted_at, Message.ts)))


def left_out(db: Session, incident: int) -> set[Key]:
    """The messages somebody chose not to put on the timeline."""
    of_message = and_(Change.subject == "message", Change.subject_id == Message.id, Change.what == LEFT_OUT)
    rows = db.execute(
        select(Message.channel_id, Message.ts).join(Change, of_message).where(Change.incident_id == incident)
    )
    return {(channel, ts) for channel, ts in rows}


def _found(db: Session, incident: int) -> set[Key]:
    """The messages that a finding keeps: what was found is no moment of the timeline."""
    quoted = and_(Link.relation == QUOTES, Link.to_kind == "message", Link.to_id == Message.id)
    rows = db.execute(select(Message.channel_id, Message.ts).join(Link, quoted).where(Link.incident_id == incident))
    return {(channel, ts) for channel, ts in rows}


def leave_out(db: Session, incident: Incident, keys: Sequence[Key], *, by: str, now: datetime) -> None:
    """Not to be offered again; leaving it out twice is once. It can still be tagged."""
    known = left_out(db, incident.id)
    for message in said_in(db, incident, [key for key in keys if key not in known]):
        incidents.record_change(
            db, incident, "message", message.id, what=LEFT_OUT, before=None, after=None, by=by, now=now
        )
    db.flush()
