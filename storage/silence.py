"""Whom the bot may write to unasked now: a person gets at most one such direct message a day (DOMAIN §6b)."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from bot.review.meeting_time import WorkingHours, next_working_moment, working_morning_at
from storage import incidents, people
from storage.models import Incident, OutboxNote

ANSWERS = "whisper:%"
"""The keys of answers in a direct conversation, which were asked for."""


def may_be_told(
    db: Session, team: str, user: str, incident: Incident | None, *, now: datetime, hours: WorkingHours
) -> bool:
    """Whether this person may be written to now without having asked; about no incident in particular with None.

    1. They are a person who is still here, and no outsider of a private incident.
    2. It is inside their working hours on a working day.
    3. They were not written to unasked today, which is their own day.
    """
    if not people.is_one_of_us(db, team, user):
        return False
    if incident and incidents.by_number(db, team, incident.id, user) is None:
        return False
    zone = ZoneInfo(people.zone(db, team, user))
    at_work = next_working_moment(now, zone, hours) == now.astimezone(UTC)
    return at_work and not _told_since(db, team, user, working_morning_at(now.astimezone(zone).date(), zone, time.min))


def _told_since(db: Session, team: str, user: str, since: datetime) -> bool:
    return db.scalar(select(OutboxNote.id).where(_unasked(team, user, since)).limit(1)) is not None


def times_told(db: Session, team: str, user: str, since: datetime) -> int:
    """How many direct messages nobody asked for were written to this person since then."""
    return db.scalar(select(func.count(OutboxNote.id)).where(_unasked(team, user, since))) or 0


def _unasked(team: str, user: str, since: datetime) -> ColumnElement[bool]:
    return and_(
        OutboxNote.team_id == team,
        OutboxNote.channel_id == user,
        OutboxNote.kind == "once",
        OutboxNote.not_before >= since,
        OutboxNote.key.not_like(ANSWERS),
    )
