"""What was said and is looked for in Slack afterwards: which notes, and what follows from what is seen there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from bot.review.heard import MessageFact, moment_of
from bot.review.incident import ChannelId, Place
from storage.models import BROADCAST, Change, Message, OutboxNote

SOON = timedelta(minutes=5)
"""Before that Slack may not show yet what it took."""
LATEST = timedelta(minutes=60)
"""What is missing for longer is old news by then, and is not said once more."""
AGAIN, FOR = timedelta(hours=1), timedelta(days=1)
"""A note that was tried more than once is read back so often and for so long: Slack may show late that it took two."""
MOST = 2_000
"""Notes of one question."""
TWICE = "said_twice"
"""The line of history of a message that was there twice: the one that goes, the one that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A note as it should stand in Slack; `since` is the earliest moment at which it may have been said."""

    id: int
    key: str
    ts: str
    since: datetime

    @property
    def until(self) -> datetime:
        """The latest moment at which it may have been said once more by whoever did not know."""
        return moment_of(self.ts) + LATEST


def due(db: Session, team: str, *, now: datetime, places: int) -> Mapping[Place, Sequence[Said]]:
    """What is to be looked for now, by where it was said: the earliest first, in so many places at most."""
    said = select(
        OutboxNote.id,
        OutboxNote.key,
        OutboxNote.posted_channel,
        OutboxNote.thread_ts,
        OutboxNote.posted_ts,
        OutboxNote.written_at,
    )
    found: dict[Place, list[Said]] = {}
    rows = db.execute(said.where(_is_due(team, now)).order_by(OutboxNote.posted_ts).limit(MOST))
    for id_, key, channel, thread, ts, written_at in rows:
        since = max(written_at, moment_of(ts or "") - LATEST) - SOON
        found.setdefault(Place(ChannelId(channel or ""), thread), []).append(
            Said(id=id_, key=key, ts=ts or "", since=since)
        )
    return dict(islice(found.items(), places))


def _is_due(team: str, now: datetime) -> ColumnElement[bool]:
    # Answers are no news to whoever asked for them, and a whisper or an emoji cannot be looked for.
    key_post = and_(OutboxNote.kind.in_(("once", "live")), OutboxNote.rank >= BROADCAST)
    said = and_(OutboxNote.team_id == team, OutboxNote.state == "sent")
    lately = OutboxNote.posted_ts.between(_ts(now - FOR), _ts(now - SOON))
    first = OutboxNote.read_back_at.is_(None)
    once_more = and_(OutboxNote.attempts > 1, OutboxNote.read_back_at <= now - AGAIN)
    return and_(said, lately, key_post, or_(first, once_more))


def _ts(moment: datetime) -> str:
    """As Slack writes it: text of one length, in the order of time."""
    return f"{moment.timestamp():.6f}"


# What follows -----------------------------------------------------------------------------------


def say_again(db: Session, note: Said, *, now: datetime) -> bool:
    """Let what Slack lost be said once more, in its newest words; False where that would be wrong.

    Never twice, never what somebody deleted, nothing that was seen before or is old news; of two replicas that miss it
    at once, one is told so.
    """
    is_new = and_(OutboxNote.read_back_at.is_(None), OutboxNote.posted_ts >= _ts(now - LATEST))
    return _say_again(db, note.id, note.ts, is_new, now=now)


def replace_lost(db: Session, note_id: int, *, attempt: int, ts: str, now: datetime) -> bool:
    """Let what Slack could not update in this attempt, for it is not there, be said once more; on the same conditions.

    A live note is wanted whenever that is; whatever else had to be reworded, only while it is no old news.
    """
    wanted = or_(OutboxNote.kind == "live", OutboxNote.posted_ts >= _ts(now - LATEST))
    return _say_again(db, note_id, ts, and_(wanted, OutboxNote.attempts == attempt), now=now)


def _say_again(db: Session, note_id: int, ts: str, *conditions: ColumnElement[bool], now: datetime) -> bool:
    in_archive = and_(
        Message.team_id == OutboxNote.team_id,
        Message.channel_id == OutboxNote.posted_channel,
        Message.ts == OutboxNote.posted_ts,
        Message.deleted_at.is_not(None),
    )
    lost = and_(OutboxNote.id == note_id, OutboxNote.posted_ts == ts, OutboxNote.state.in_(("sent", "sending")))
    by_nobody = and_(OutboxNote.deleted_at.is_(None), ~select(Message.id).where(in_archive).exists())
    may = and_(OutboxNote.reposted_at.is_(None), by_nobody)
    afresh = {"state": "pending", "error": None, "not_before": now, "said_version": 0, "reposted_at": now}
    nowhere = {"posted_channel": None, "posted_ts": None, "read_back_at": None}
    done = update(OutboxNote).where(lost, may, *conditions).values(afresh | nowhere).returning(OutboxNote.id)
    return db.scalar(done.execution_options(synchronize_session=False)) is not None


def keep_one(db: Session, note: Said, kept: str, others: Collection[str], *, now: datetime) -> bool:
    """From now on the note is the message `kept`, and the others may go; False where somebody was faster.

    The line of history comes before the deed, so that none is without.
    """
    row = db.get_one(OutboxNote, note.id, with_for_update=True, populate_existing=True)
    if (row.state, row.posted_ts) != ("sent", note.ts):
        return False
    if kept != note.ts:
        row.posted_ts, row.deleted_at = kept, None
        # It may have older words, for the newer ones went to the other.
        row.state, row.said_version = ("pending", 0) if row.version > 1 else ("sent", row.said_version)
    for other in others if row.incident_id else ():
        _write_history(db, row, other, now)
    db.flush()
    return True


def _write_history(db: Session, note: OutboxNote, removed: str, now: datetime) -> None:
    line = and_(Change.subject == "note", Change.subject_id == note.id, Change.what == TWICE, Change.before == removed)
    if note.incident_id and not db.scalar(select(Change.id).where(line).limit(1)):
        db.add(
            Change(
                team_id=note.team_id,
                incident_id=note.incident_id,
                subject="note",
                subject_id=note.id,
                what=TWICE,
                before=removed,
                after=note.posted_ts,
                at=now,
            )
        )


def mark_read(db: Session, notes: Collection[int], *, now: datetime) -> None:
    """These were looked for; where they are all right there is nothing else to do."""
    read = update(OutboxNote).where(OutboxNote.id.in_(notes), OutboxNote.state == "sent").values(read_back_at=now)
    db.execute(read, execution_options={"synchronize_session": False})


# What is heard ------------------------------------------------------------------------------------


def mark_deleted(db: Session, team: str, facts: Collection[MessageFact]) -> None:
    """Remember of what we said that somebody deleted it; of other messages nothing is remembered here."""
    for fact in facts:
        if fact.deleted_at:
            there = and_(OutboxNote.posted_ts == fact.ts, OutboxNote.posted_channel == fact.channel)
            ours = and_(OutboxNote.team_id == team, there, OutboxNote.deleted_at.is_(None))
            gone = update(OutboxNote).where(ours).values(deleted_at=fact.deleted_at)
            db.execute(gone, execution_options={"synchronize_session": False})
