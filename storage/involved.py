"""Who took part in an incident: who wrote in it, who put something on its timeline, who held a role."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage import messages, timeline
from storage.models import Incident, Message, Moment, Person, Source, TimelineEvent, Workspace

SPOKEN = (None, "thread_broadcast", "me_message", "file_share")
"""Subtypes of what a person says; joining and leaving are not said."""
CountedQuery = Select[int, str | None, int]
"""Of an incident and a person, how often."""


def involvement(db: Session, incident: Incident) -> Counter[str]:
    """How often each person wrote in the incident's sources or put something on its timeline.

    Programs are left out, and so is who has left the workspace.
    """
    return _involved_in(db, incident.team_id, {incident.id: None})[incident.id]


def _involved_in(db: Session, team: str, until: Mapping[int, Moment | None]) -> Mapping[int, Counter[str]]:
    """The same for each of these incidents; where a moment is named, until then."""
    written, tagged = _written_in(db, until), _tagged_in(db, until)
    away = unable(db, team) | {bot_user(db, team)}
    both = {number: written[number] + tagged[number] for number in until}
    return {
        number: Counter({user: found[user] for user in found if user not in away}) for number, found in both.items()
    }


def responders(db: Session, team: str, until: Mapping[int, Moment | None]) -> Mapping[int, Counter[str]]:
    """How often each person took part in each of these incidents until it was over, where it is.

    Whoever's own words are on its timeline did, whenever said.
    """
    took_part, away = _involved_in(db, team, until), unable(db, team)
    for number, user in _quoted(db, until):
        if user not in away:
            took_part[number][user] = max(took_part[number][user], 1)
    return took_part


def _quoted(db: Session, numbers: Collection[int]) -> Sequence[tuple[int, str]]:
    """Who wrote the messages behind the events of each of these incidents."""
    query = (
        select(TimelineEvent.incident_id, Message.user_id)
        .join(TimelineEvent, timeline.behind())
        .where(TimelineEvent.incident_id.in_(numbers), timeline.on_it(), Message.bot_id.is_(None))
        .distinct()
    )
    return [(number, user) for number, user in db.execute(query) if user]


def written_by(db: Session, incident: Incident) -> dict[str, int]:
    """How often each person wrote in its sources, those who have left since too."""
    return dict(_written_in(db, {incident.id: None})[incident.id])


def _written_in(db: Session, until: Mapping[int, Moment | None]) -> Mapping[int, Counter[str]]:
    query = _by_author(until, func.count(Message.id.distinct()))
    return _counted(db, until, _until(query, Source.incident_id, Message.posted_at, until))


def _until(
    query: CountedQuery,
    incident: InstrumentedAttribute[int],
    at: InstrumentedAttribute[datetime],
    until: Mapping[int, Moment | None],
) -> CountedQuery:
    """What was until the moment of its incident; everything where that has none."""
    moments = [moment.id for moment in until.values() if moment]
    its_own = and_(Moment.incident_id == incident, Moment.id.in_(moments))
    return query.outerjoin(Moment, its_own).where(or_(Moment.id.is_(None), at <= Moment.at)) if moments else query


def _counted(db: Session, numbers: Collection[int], query: CountedQuery) -> Mapping[int, Counter[str]]:
    found = {number: Counter[str]() for number in numbers}
    for number, user, count in db.execute(query):
        if user:
            found[number][user] = count
    return found


def active(db: Session, incident: Incident) -> dict[str, timedelta]:
    """How long each person was at it, roughly: the stretches of a thousand seconds in which they wrote."""
    stretch = func.substr(Message.ts, 1, func.length(Message.ts) - LAST_OF_TS)
    rows = db.execute(_by_author([incident.id], func.count(stretch.distinct())))
    return {user: timedelta(seconds=1000 * count) for _, user, count in rows if user}


LAST_OF_TS = len("000.000000")
"""What of a ts is less than a thousand seconds."""


def _by_author(numbers: Collection[int], counted: ColumnElement[int]) -> CountedQuery:
    spoken = or_(Message.subtype.is_(None), Message.subtype.in_([kind for kind in SPOKEN if kind]))
    return (
        select(Source.incident_id, Message.user_id, counted)
        .select_from(Message)
        .join(Source, messages.in_source())
        .where(Source.incident_id.in_(numbers), Message.user_id.is_not(None), Message.bot_id.is_(None), spoken)
        .group_by(Source.incident_id, Message.user_id)
    )


def _tagged_in(db: Session, until: Mapping[int, Moment | None]) -> Mapping[int, Counter[str]]:
    of_them = (TimelineEvent.incident_id.in_(until), TimelineEvent.by.is_not(None))
    query = (
        select(TimelineEvent.incident_id, TimelineEvent.by, func.count(TimelineEvent.id))
        .where(*of_them)
        .group_by(TimelineEvent.incident_id, TimelineEvent.by)
    )
    return _counted(db, until, _until(query, TimelineEvent.incident_id, TimelineEvent.recorded_at, until))


def bot_user(db: Session, team: str) -> str:
    """Ourselves; empty before Slack has said who we are."""
    workspace = db.get(Workspace, team)
    return workspace.bot_user if workspace else ""


def unable(db: Session, team: str) -> set[str]:
    """Programs, and who has left the workspace."""
    away = or_(Person.bot_since.is_not(None), Person.gone_since.is_not(None))
    return set(db.scalars(select(Person.user_id).where(Person.team_id == team, away)))
