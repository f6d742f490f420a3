"""Sweeping: what was erased leaves the traces beside its row, too: the index, the write-ahead log, the unused bytes.

SQLite overwrites what is deleted, but not the copies that it leaves in a page when it moves rows to another one: only
writing the file anew drops these. That takes a second for each 150 MB, while nobody else writes; so a small file is
written anew soon after an erasure, a larger one at night, and one that would keep Slack waiting for too long by
`debrief db sweep` alone, while no bot runs.
"""

import itertools
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from storage import search
from storage.models import Erasure, Person
from storage.session import Storage

SMALL_BYTES = 200_000_000
LARGE_BYTES = 2_000_000_000
"""From this size on a file is written anew by nobody but whoever runs the bot."""
NIGHT = range(1, 5)
"""The hours in which a larger file is written anew, in the zone that most people of the workspace are in."""
REST_FOR_MB = timedelta(seconds=1)
"""How long a file rests after it was written anew, for each MB of it."""


def nothing() -> None:
    """There is nothing beside the database."""


@dataclass
class Sweeper:
    """Sweeps one database; `beside` takes off the disk what no row holds any more."""

    storage: Storage
    beside: Callable[[], None] = nothing
    small_bytes: int = SMALL_BYTES
    large_bytes: int = LARGE_BYTES
    _swept: int = 0
    """The newest erasure whose words have left the index and the files."""
    _emptied: int = 0
    """The newest erasure from before the log was emptied."""
    _rewritten: int = 0
    """The newest erasure from before the file was written anew."""
    _rewritten_at: datetime | None = None

    def sweep(self, now: datetime) -> bool:
        """Whether nothing is left to sweep; if something is, it is to be tried again."""
        newest = self._newest()
        if newest is None:
            return True
        if newest > self._swept:
            self._sweep_beside()
        if self.storage.shared or self._is_written_anew(newest, now):
            self._note(newest, now)
            return True
        self._swept = newest
        return False

    def _newest(self) -> int | None:
        with self.storage.read() as db:
            return db.scalar(select(func.max(Erasure.id)).where(Erasure.swept_at.is_(None)))

    def _sweep_beside(self) -> None:
        self.beside()
        for step in itertools.count():
            with self.storage.write() as db:
                if not search.sweep_step(db, step):
                    return

    def _is_written_anew(self, newest: int, now: datetime) -> bool:
        """Whether file and log are without what was erased; not while somebody reads what was there before."""
        rewrites = newest > self._rewritten and self._may_rewrite(now)
        if not rewrites and self._rewritten < newest <= self._emptied:
            return False  # It waits for the night, and holds up nobody until then.
        with self.storage.alone() as database:
            try:
                if rewrites:
                    self._rewritten_at = now  # A full disk is tried again, but not at every tick.
                    database.execute("VACUUM")
                    self._rewritten = newest
                is_read = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                self._emptied = self._emptied if is_read else newest
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY":
                    raise
                return False
        return newest <= self._rewritten and not is_read

    def _may_rewrite(self, now: datetime) -> bool:
        with self.storage.read() as db:
            size = _size(db)
            if size > self.large_bytes or (size > self.small_bytes and now.astimezone(_zone(db)).hour not in NIGHT):
                return False
        return self._rewritten_at is None or now - self._rewritten_at >= REST_FOR_MB * (size // 1_000_000)

    def _note(self, newest: int, now: datetime) -> None:
        done = update(Erasure).where(Erasure.id <= newest, Erasure.swept_at.is_(None)).values(swept_at=now)
        with self.storage.write() as db:
            db.execute(done)


def _size(db: Session) -> int:
    """Bytes of a SQLite file."""
    return db.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")).scalar_one()


def _zone(db: Session) -> tzinfo:
    """Where most people are, as far as they are known."""
    here = select(Person.zone).where(Person.gone_since.is_(None), Person.bot_since.is_(None)).group_by(Person.zone)
    found = db.scalar(here.order_by(func.count().desc(), Person.zone).limit(1))
    return ZoneInfo(found) if found else UTC


def is_too_large(storage: Storage) -> bool:
    """Whether erasures wait that no running bot will take out of the file."""
    if storage.shared:
        return False
    with storage.read() as db:
        return waiting(db) > 0 and _size(db) > LARGE_BYTES


def waiting(db: Session) -> int:
    """How many erasures wait to be swept."""
    return db.scalars(select(func.count(Erasure.id)).where(Erasure.swept_at.is_(None))).one()
