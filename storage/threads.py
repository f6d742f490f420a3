"""What was said in the threads of a review, and by whom."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, Place, UserId
from storage import involved, messages
from storage.findings import QUOTES
from storage.models import Action, Finding, Incident, Link, Message


def spoken_in(db: Session, incident: Incident, threads: Collection[Place], *, since: datetime) -> dict[Place, set[str]]:
    """The people who wrote something in these threads since a moment; threads without a word are left out."""
    found: dict[Place, set[str]] = {}
    for row in _replies(db, incident, threads, since):
        found.setdefault(Place(ChannelId(row.channel_id), row.thread_ts or ""), set()).add(row.user_id or "")
    return found


def unkept(db: Session, incident: Incident, thread: Place, *, since: datetime) -> Sequence[Message]:
    """What people said in a thread since a moment and no finding keeps, oldest first."""
    kept = {row.to_id for row in db.scalars(_quoting(incident))}
    return [row for row in _replies(db, incident, [thread], since) if row.id not in kept and words_of(row)]


def words_of(reply: Message) -> str:
    """What it says, as a person would read it."""
    return (reply.plain or reply.text).strip()


def quote(db: Session, finding: Finding, reply: Message) -> None:
    """The finding keeps the words of this reply, which is not offered again."""
    db.add(
        Link(
            team_id=finding.team_id,
            incident_id=finding.incident_id,
            from_kind="finding",
            from_id=finding.id,
            relation=QUOTES,
            to_kind="message",
            to_id=reply.id,
        )
    )
    db.flush()


def _quoting(incident: Incident) -> Select[Link]:
    return select(Link).where(Link.incident_id == incident.id, Link.relation == QUOTES, Link.to_kind == "message")


def _replies(db: Session, incident: Incident, threads: Collection[Place], since: datetime) -> Sequence[Message]:
    in_them = (and_(Message.channel_id == one.channel, Message.thread_ts == one.thread) for one in threads)
    said = select(Message).where(
        Message.team_id == incident.team_id,
        or_(false(), *in_them),
        Message.posted_at >= since,
        Message.user_id.is_not(None),
        Message.user_id != involved.bot_user(db, incident.team_id),
        Message.bot_id.is_(None),
        Message.deleted_at.is_(None),
        ~messages.to_us(),
    )
    return db.scalars(said.order_by(Message.posted_at, Message.id)).all()


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
