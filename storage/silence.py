"""Who was already told something today: a person gets at most one unasked direct message a day (DOMAIN §6b)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import OutboxNote

CALLS = "call:%"
"""The keys of the call ten minutes before a meeting, which does not count."""


def told_since(db: Session, team: str, user: str, since: datetime) -> bool:
    """Whether a direct message nobody asked for was written to this person since then."""
    told = select(OutboxNote.id).where(
        OutboxNote.team_id == team,
        OutboxNote.channel_id == user,
        OutboxNote.kind == "once",
        OutboxNote.not_before >= since,
        OutboxNote.key.not_like(CALLS),
    )
    return db.scalar(told.limit(1)) is not None
