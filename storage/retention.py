"""Keeping no longer than was promised: a while after its review is over, the messages of an incident lose their words.

The report stays as it reads: an event that has no words of its own is given those of its message first.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from storage import messages, timeline, witness
from storage.models import (
    Erasure,
    Incident,
    Message,
    MessageFile,
    MessageVersion,
    OutboxNote,
    Review,
    Source,
    TimelineEvent,
)

AT_ONCE = 1_000
"""Messages of one turn."""
KEPT_NO_LONGER = "kept no longer"
"""Why nothing is kept of a file whose message was purged."""


def due(db: Session, team: str, *, before: datetime) -> Incident | None:
    """The first incident whose review was over before a moment, and of which something is still to be purged."""
    again = or_(Incident.purged_at.is_(None), Incident.purged_at < _over_at())
    query = select(Incident).join(Review, Review.incident_id == Incident.id)
    return db.scalar(query.where(Incident.team_id == team, _over(before), again).order_by(Incident.id).limit(1))


def _over_at() -> ColumnElement[datetime]:
    """When a review was closed, skipped or cancelled; none of them holds of one that was reopened."""
    return func.coalesce(Review.closed_at, Review.skipped_at, Review.cancelled_at)


def _over(before: datetime) -> ColumnElement[bool]:
    return and_(_over_at().is_not(None), _over_at() <= before)


def purge(db: Session, incident: Incident, *, before: datetime, now: datetime) -> None:
    """Take the words of some of its messages, then of what was said so long ago; when none is left, it is done."""
    rows = _some(db, incident, before)
    if rows:
        _keep_for_the_report(db, rows)
        _empty(db, rows, now)
        witness.write(db, incident.team_id, [entry for row in rows for entry in witness.entries_of(row, ())])
    elif not _forget_what_was_said(db, incident.team_id, before):
        incident.purged_at = now
        db.add(Erasure(team_id=incident.team_id, at=now))
    db.flush()


def _some(db: Session, incident: Incident, before: datetime) -> Sequence[Message]:
    """Messages that still have words, and are of no other incident that keeps its own for longer."""
    mine = and_(Source.incident_id == incident.id, Message.purged_at.is_(None), Message.deleted_at.is_(None))
    query = (
        select(Message.id).join(Source, messages.in_source()).where(mine, Message.id.not_in(_kept(incident, before)))
    )
    ids = db.scalars(query.distinct().order_by(Message.id).limit(AT_ONCE)).all()
    return db.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id).with_for_update()).all()


def _kept(incident: Incident, before: datetime) -> Select[int]:
    channels = select(Source.channel_id).where(Source.incident_id == incident.id)
    longer = select(Review.incident_id).where(Review.team_id == incident.team_id, ~func.coalesce(_over(before), False))
    theirs = and_(Source.incident_id.in_(longer), Source.channel_id.in_(channels))
    return select(Message.id).join(Source, messages.in_source()).where(theirs).correlate(None)


def _keep_for_the_report(db: Session, rows: Sequence[Message]) -> None:
    by_key = {(row.channel_id, row.ts): row for row in rows}
    here = and_(
        TimelineEvent.team_id == rows[0].team_id,
        TimelineEvent.text.is_(None),
        TimelineEvent.channel_id.in_({row.channel_id for row in rows}),
        TimelineEvent.ts.in_({row.ts for row in rows}),
    )
    for event in db.scalars(select(TimelineEvent).where(here)):
        event.text = timeline.words_of(event, by_key.get((event.channel_id or "", event.ts or "")))


def _empty(db: Session, rows: Sequence[Message], now: datetime) -> None:
    for row in rows:
        row.text, row.plain, row.blocks, row.attachments, row.redactions = "", "", None, None, None
        row.purged_at = now
    ids = [row.id for row in rows]
    db.execute(delete(MessageVersion).where(MessageVersion.message_id.in_(ids)))
    nothing = {"name": "", "url": None, "sha256": None, "skipped": KEPT_NO_LONGER}
    db.execute(update(MessageFile).where(MessageFile.message_id.in_(ids)).values(nothing))


def _forget_what_was_said(db: Session, team: str, before: datetime) -> int:
    """Take the words out of some notes that were said before a moment: Slack has them, and nobody reads them here."""
    said = and_(OutboxNote.team_id == team, OutboxNote.state == "sent", OutboxNote.not_before <= before)
    words = and_(OutboxNote.sent_at <= before, OutboxNote.kind != "mark", OutboxNote.text != "")
    some = db.scalars(select(OutboxNote.id).where(said, words).order_by(OutboxNote.id).limit(AT_ONCE)).all()
    db.execute(update(OutboxNote).where(OutboxNote.id.in_(some)).values(text="", blocks=None, letter=None))
    return len(some)
