"""The walk: the events of a timeline as a meeting sees them, each with the words, the person and the link behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from storage.models import Incident, Message, TimelineEvent, Workspace


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: its own words, else those of its message; None where the message was deleted."""

    number: int
    kind: str
    outcome: str
    occurred_at: datetime
    words: str | None
    who: UserId | None
    """Who is in it: who wrote the message, else who put it on the timeline; None for a program."""
    permalink: str | None
    question: str | None
    answer: str | None


def events(db: Session, incident: Incident) -> Sequence[Told]:
    """What is on the timeline now, in order of time."""
    behind = and_(
        Message.team_id == TimelineEvent.team_id,
        Message.channel_id == TimelineEvent.channel_id,
        Message.ts == TimelineEvent.ts,
    )
    rows = db.execute(
        select(TimelineEvent, Message)
        .outerjoin(Message, behind)
        .where(
            TimelineEvent.incident_id == incident.id,
            TimelineEvent.dropped_at.is_(None),
            TimelineEvent.untagged_at.is_(None),
        )
        .order_by(TimelineEvent.occurred_at, TimelineEvent.number)
    )
    home = _home(db, incident.team_id)
    return [_told(event, message, home) for event, message in rows]


def event(db: Session, incident: Incident, number: int) -> TimelineEvent | None:
    """The row of the event of this number, if it is on the timeline now."""
    return db.scalar(
        select(TimelineEvent).where(
            TimelineEvent.incident_id == incident.id,
            TimelineEvent.number == number,
            TimelineEvent.dropped_at.is_(None),
            TimelineEvent.untagged_at.is_(None),
        )
    )


def _told(event: TimelineEvent, message: Message | None, home: str) -> Told:
    said = (message.plain or message.text) if message and not message.deleted_at else ""
    return Told(
        number=event.number,
        kind=event.kind,
        outcome=event.outcome,
        occurred_at=event.occurred_at,
        words=event.text or said or None,
        who=_who(event, message),
        permalink=_permalink(home, message),
        question=event.question,
        answer=event.answer,
    )


def _who(event: TimelineEvent, message: Message | None) -> UserId | None:
    if event.source == "automated" or (message and message.bot_id):
        return None
    user = message.user_id if message else event.by
    return UserId(user) if user else None


def _permalink(home: str, message: Message | None) -> str | None:
    """The form of Slack's own permalinks; a reply names its thread."""
    if not home or message is None or message.deleted_at:
        return None
    thread = message.thread_ts
    reply = f"?thread_ts={thread}&cid={message.channel_id}" if thread and thread != message.ts else ""
    return f"{home}/archives/{message.channel_id}/p{message.ts.replace('.', '')}{reply}"


def _home(db: Session, team: str) -> str:
    workspace = db.get(Workspace, team)
    return workspace.url.rstrip("/") if workspace else ""
