"""When people did something for an incident: what they wrote in it, put on its timeline, and said of its moments."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from storage import messages
from storage.involved import SPOKEN, bot_user
from storage.models import Incident, Message, Moment, Person, Source, TimelineEvent


def by_person(
    db: Session, incident: Incident, *, since: datetime | None, until: datetime | None
) -> dict[str, list[datetime]]:
    """The moments of everybody's acts between two moments, where they are known; those of programs are left out."""
    programs = {*_programs(db, incident.team_id), bot_user(db, incident.team_id)}
    found: dict[str, list[datetime]] = {}
    acts = ((_written, Message.posted_at), (_typed, TimelineEvent.recorded_at), (_set, Moment.recorded_at))
    for query, moment in acts:
        inside = [*([moment >= since] if since else []), *([moment <= until] if until else [])]
        for user, at in db.execute(query(incident).where(*inside)):
            if user and user not in programs:
                found.setdefault(user, []).append(at)
    return found


def _written(incident: Incident) -> Select[str | None, datetime]:
    spoken = or_(Message.subtype.is_(None), Message.subtype.in_([kind for kind in SPOKEN if kind]))
    return (
        select(Message.user_id, Message.posted_at)
        .join(Source, messages.in_source())
        .where(Source.incident_id == incident.id, Message.user_id.is_not(None), Message.bot_id.is_(None), spoken)
    )


def _typed(incident: Incident) -> Select[str | None, datetime]:
    """What came from a message is that message's author's, whoever put it there."""
    typed = TimelineEvent.source == "typed"
    mine = TimelineEvent.incident_id == incident.id
    return select(TimelineEvent.by, TimelineEvent.recorded_at).where(mine, typed, TimelineEvent.by.is_not(None))


def _set(incident: Incident) -> Select[str | None, datetime]:
    return select(Moment.by, Moment.recorded_at).where(Moment.incident_id == incident.id, Moment.by.is_not(None))


def _programs(db: Session, team: str) -> Sequence[str]:
    return db.scalars(select(Person.user_id).where(Person.team_id == team, Person.bot_since.is_not(None))).all()
