"""What was said in the threads of a review, and by whom."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, Place, UserId
from storage import involved
from storage.models import Action, Finding, Incident, Message


def spoken_in(db: Session, incident: Incident, threads: Collection[Place], *, since: datetime) -> dict[Place, set[str]]:
    """The people who wrote something in these threads since a moment; threads without a word are left out."""
    said = select(Message).where(
        Message.team_id == incident.team_id,
        or_(*(and_(Message.channel_id == one.channel, Message.thread_ts == one.thread) for one in threads)),
        Message.posted_at >= since,
        Message.user_id.is_not(None),
        Message.bot_id.is_(None),
        Message.deleted_at.is_(None),
    )
    ours = involved.bot_user(db, incident.team_id)
    found: dict[Place, set[str]] = {}
    for row in db.scalars(said) if threads else ():
        if row.user_id and row.user_id != ours:
            found.setdefault(Place(ChannelId(row.channel_id), row.thread_ts or ""), set()).add(row.user_id)
    return found


def noted_by(db: Session, incident: Incident, *, since: datetime) -> set[str]:
    """Who noted a finding or proposed an action since a moment."""
    found = select(Finding.by).where(Finding.incident_id == incident.id, Finding.at >= since)
    proposed = select(Action.proposed_by).where(Action.incident_id == incident.id, Action.proposed_at >= since)
    return {user for user in (*db.scalars(found), *db.scalars(proposed)) if user}


def voices(db: Session, incident: Incident, threads: Collection[Place], *, since: datetime) -> list[UserId]:
    """Everybody who said or noted something, in no order that means anything."""
    spoken = spoken_in(db, incident, threads, since=since).values()
    everybody = {user for users in spoken for user in users} | noted_by(db, incident, since=since)
    away = involved.unable(db, incident.team_id)
    return [UserId(user) for user in sorted(everybody - away)]
