"""Files that messages show: whose bytes are wanted, which are kept, and which will never be had.

The bytes lie beside the database, under their hash; a row holds them as long as it names that hash.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from bot.review.heard import FileFact
from storage.models import Erasure, Message, MessageFile
from storage.rows import in_parts

WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    *[timedelta(days=1)] * 6,
)
"""How long a file rests that could not be fetched, by how often it was tried; after the last it is given up."""
OURS = "drawn by Debrief, which can draw it again"
"""Why nothing is kept of a picture that this bot posted."""
DELETED = "deleted in Slack"
"""Why nothing is kept of a file that somebody deleted, or whose message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A file whose bytes should be here; `url` is None where Slack has not told where they are."""

    file_id: str
    url: str | None
    mimetype: str
    size: int
    """As Slack says, in bytes; 0 where it does not."""


# Wanted, kept, given up ------------------------------------------------------------------


def wanted(db: Session, team: str, *, now: datetime, at_most: int = 50) -> list[Wanted]:
    """Files to fetch now, each once, the oldest first; those that failed rest longer from time to time."""
    query = (
        select(MessageFile)
        .where(MessageFile.team_id == team, _lacking(), _rested(now))
        .order_by(MessageFile.id)
        .limit(at_most)
    )
    by_file = {row.file_id: row for row in reversed(db.scalars(query).all())}
    found = [Wanted(file_id=row.file_id, url=row.url, mimetype=row.mimetype, size=row.size) for row in by_file.values()]
    return found[::-1]


def _lacking() -> ColumnElement[bool]:
    return and_(MessageFile.sha256.is_(None), MessageFile.skipped.is_(None))


def _rested(now: datetime) -> ColumnElement[bool]:
    waits = enumerate(WAITS, start=1)
    return or_(
        MessageFile.tried_at.is_(None),
        *(and_(MessageFile.attempts == tries, MessageFile.tried_at <= now - wait) for tries, wait in waits),
    )


def keep(db: Session, team: str, file_id: str, *, sha256: str, mimetype: str, size: int) -> None:
    """The bytes are here: wherever the file is shown and still wanted, say so."""
    _hold_messages(db, team, file_id)
    values = {"sha256": sha256, "mimetype": mimetype, "size": size}
    db.execute(update(MessageFile).where(_of(team, file_id), _lacking()).values(values))


def skip(db: Session, team: str, file_id: str, *, why: str) -> None:
    """The bytes will never be here."""
    db.execute(update(MessageFile).where(_of(team, file_id), _lacking()).values(skipped=why))


def put_off(db: Session, team: str, file_id: str, *, now: datetime, why: str) -> None:
    """It did not work this time; `why` is what will be said should this have been the last."""
    db.execute(
        update(MessageFile)
        .where(_of(team, file_id), _lacking())
        .values(tried_at=now, attempts=MessageFile.attempts + 1)
    )
    given_up = (_of(team, file_id), _lacking(), MessageFile.attempts > len(WAITS))
    db.execute(update(MessageFile).where(*given_up).values(skipped=why))


def _of(team: str, file_id: str) -> ColumnElement[bool]:
    return and_(MessageFile.team_id == team, MessageFile.file_id == file_id)


def _hold_messages(db: Session, team: str, file_id: str) -> None:
    """In the order of the keeper, which holds a message before its files: a deletion comes before or after, whole."""
    shown = select(MessageFile.message_id).where(_of(team, file_id))
    db.execute(select(Message.id).where(Message.id.in_(shown)).order_by(Message.id).with_for_update()).all()


# What Slack says of a file -----------------------------------------------------------------


def merge(row: MessageFile, fact: FileFact) -> None:
    """Take over what was said of a file; of a deleted one nothing comes back, and kept bytes speak for themselves."""
    if row.skipped == DELETED:
        return
    row.name, row.url = max(row.name, fact.name), max(row.url or "", fact.url or "") or None
    if row.sha256 is None:
        row.mimetype, row.size = max(row.mimetype, fact.mimetype), max(row.size, fact.size)


def learn(db: Session, team: str, fact: FileFact) -> None:
    """Keep what Slack told of a file when it was asked."""
    for row in db.scalars(select(MessageFile).where(_of(team, fact.file_id)).order_by(MessageFile.id)):
        merge(row, fact)
    db.flush()


def delete(db: Session, team: str, file_id: str, *, now: datetime) -> None:
    """Somebody deleted the file in Slack: its name, its place and its hash go, wherever it was shown, and are swept."""
    there = and_(_of(team, file_id), or_(MessageFile.skipped.is_(None), MessageFile.skipped != DELETED))
    shown = db.scalars(update(MessageFile).where(there).values(NOTHING).returning(MessageFile.id)).all()
    if shown:
        db.add(Erasure(team_id=team, at=now))
    db.flush()


def leave(row: MessageFile) -> None:
    """Nobody need fetch what we made ourselves."""
    row.skipped = row.skipped or OURS


def blank(row: MessageFile) -> None:
    """The message is deleted, and with it whatever it showed."""
    for column, value in NOTHING.items():
        setattr(row, column, value)


NOTHING = {"name": "", "mimetype": "", "size": 0, "url": None, "sha256": None, "skipped": DELETED}
"""What is left of a file that was deleted."""


# Who holds what --------------------------------------------------------------------------------


def kept(db: Session) -> set[str]:
    """Every hash that a message names, of whichever workspace."""
    return {sha256 for sha256 in db.scalars(select(MessageFile.sha256).distinct()) if sha256}


def waiting(db: Session) -> int:
    """How many files are still to be fetched."""
    return db.scalars(select(func.count(MessageFile.file_id.distinct())).where(_lacking())).one()


def held(db: Session, hashes: Collection[str]) -> set[str]:
    """Those of these hashes that some message still names, of whichever workspace."""
    query = select(MessageFile.sha256).distinct()
    found = (db.scalars(query.where(MessageFile.sha256.in_(part))) for part in in_parts(sorted(hashes)))
    return {sha256 for part in found for sha256 in part if sha256}
