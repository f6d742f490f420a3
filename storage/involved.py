"""Who took part in an incident: who wrote in it, who put something on its timeline, who held a role."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from storage import messages, timeline
from storage.models import Incident, Message, Person, Source, TimelineEvent, Workspace

SPOKEN = (None, "thread_broadcast", "me_message", "file_share")
"""Subtypes of what a person says; joining and leaving are not said."""


def involvement(db: Session, incident: Incident, *, until: datetime | None = None) -> Counter[str]:
    """How often each person wrote in the incident's sources or put something on its timeline.

    Programs are left out, and so is who has left the workspace.
    """
    involved = Counter(written_by(db, incident, until=until)) + Counter(_tagged_by(db, incident, until))
    for user in unable(db, incident.team_id) | {bot_user(db, incident.team_id)}:
        involved.pop(user, None)
    return involved


def responders(db: Session, incident: Incident, *, until: datetime | None) -> Counter[str]:
    """How often each person took part until it was over; whoever's own words are on its timeline did, whenever said."""
    took_part = involvement(db, incident, until=until)
    for user in {*_quoted(db, incident)} - unable(db, incident.team_id):
        took_part[user] = max(took_part[user], 1)
    return took_part


def _quoted(db: Session, incident: Incident) -> Sequence[str]:
    """Who wrote the messages behind its events."""
    query = (
        select(Message.user_id)
        .join(TimelineEvent, timeline.behind())
        .where(TimelineEvent.incident_id == incident.id, timeline.on_it(), Message.bot_id.is_(None))
        .distinct()
    )
    return [user for user in db.scalars(query) if user]


def written_by(db: Session, incident: Incident, *, until: datetime | None = None) -> dict[str, int]:
    """How often each person wrote in its sources, those who have left since too."""
    query = _by_author(incident, func.count(Message.id.distinct()))
    rows = db.execute(query if until is None else query.where(Message.posted_at <= until))
    return {user: count for user, count in rows if user}


def active(db: Session, incident: Incident) -> dict[str, timedelta]:
    """How long each person was at it, roughly: the stretches of a thousand seconds in which they wrote."""
    stretch = func.substr(Message.ts, 1, func.length(Message.ts) - LAST_OF_TS)
    rows = db.execute(_by_author(incident, func.count(stretch.distinct())))
    return {user: timedelta(seconds=1000 * count) for user, count in rows if user}


LAST_OF_TS = len("000.000000")
"""What of a ts is less than a thousand seconds."""


def _by_author(incident: Incident, counted: ColumnElement[int]) -> Select[str | None, int]:
    spoken = or_(Message.subtype.is_(None), Message.subtype.in_([kind for kind in SPOKEN if kind]))
    return (
        select(Message.user_id, counted)
        .join(Source, messages.in_source())
        .where(Source.incident_id == incident.id, Message.user_id.is_not(None), Message.bot_id.is_(None), spoken)
        .group_by(Message.user_id)
    )


def _tagged_by(db: Session, incident: Incident, until: datetime | None) -> dict[str, int]:
    query = (
        select(TimelineEvent.by, func.count(TimelineEvent.id))
        .where(TimelineEvent.incident_id == incident.id, TimelineEvent.by.is_not(None))
        .group_by(TimelineEvent.by)
    )
    rows = db.execute(query if until is None else query.where(TimelineEvent.recorded_at <= until))
    return {user: count for user, count in rows if user}


def bot_user(db: Session, team: str) -> str:
    """Ourselves; empty before Slack has said who we are."""
    workspace = db.get(Workspace, team)
    return workspace.bot_user if workspace else ""


def most_active(db: Session, incident: Incident) -> Sequence[UserId]:
    """Who wrote or tagged most in an incident, most first."""
    counted = involvement(db, incident)
    return [UserId(user) for user in sorted(counted, key=lambda user: (-counted[user], user))]


def unable(db: Session, team: str) -> set[str]:
    """Programs, and who has left the workspace."""
    away = or_(Person.bot_since.is_not(None), Person.gone_since.is_not(None))
    return set(db.scalars(select(Person.user_id).where(Person.team_id == team, away)))
