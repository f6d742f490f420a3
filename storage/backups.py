"""A backup put back: looked over first, and what was there before is moved aside and kept."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import make_url

from storage import brought_back
from storage.session import NotSQLite, NotUsable, Storage, make_engine, only_one, upgrade

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside its file."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the database before lies now, if there was one, and how many notes are looked up before they are said."""

    aside: Path | None
    uncertain: int


def restore(url: str, file: Path, *, now: datetime) -> Restored:
    """Put a backup in the place of a SQLite database; raises NotUsable where it cannot be, and changes nothing then."""
    if make_url(url).get_backend_name() != "sqlite":
        raise NotSQLite(
            "This database is PostgreSQL: bring it back with pg_restore while no bot runs, "
            "then run debrief db restored, so that nothing is said twice."
        )
    place = Path(make_url(url).database or "")
    if not file.is_file() or (place.exists() and file.samefile(place)):
        raise NotUsable(f"{file} is no backup that could be restored. Name a file that debrief db backup made.")
    with only_one(url):
        fresh, uncertain = _made_ready(file, place, now)
        return Restored(_move_aside(place, now, fresh), uncertain)


def mark(url: str, *, now: datetime) -> int:
    """Note that a database was brought back by its own tools; how many notes are looked up before they are said."""
    upgrade(url)
    storage = Storage(url)
    try:
        with storage.write() as db:
            return brought_back.mark(db, now=now)
    finally:
        storage.close()


def _made_ready(file: Path, place: Path, now: datetime) -> tuple[Path, int]:
    """A copy beside the database that needs only be renamed: whole, of this revision, and marked."""
    fresh = place.with_name(f"{place.name}.restoring")
    _remove(fresh)
    try:
        _copy(file, fresh)
        uncertain = mark(f"sqlite:///{fresh}", now=now)
        _settle(fresh)
    except BaseException:
        _remove(fresh)
        raise
    return fresh, uncertain


def _copy(file: Path, fresh: Path) -> None:
    """Page by page, so that what still stands beside the backup comes along."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(_open(fresh)) as copy:
            source.backup(copy)
            sound = copy.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error as error:
        raise NotUsable(f"{file} cannot be restored: {error}. Take another backup.") from None
    if not sound:
        raise NotUsable(f"{file} is damaged and cannot be restored. Take another backup.")
    _refuse_a_stranger(file, fresh)


def _refuse_a_stranger(file: Path, fresh: Path) -> None:
    engine = make_engine(f"sqlite:///{fresh}")
    with engine.connect() as connection:
        known = MigrationContext.configure(connection).get_current_heads()
    engine.dispose()
    if not known:
        raise NotUsable(f"{file} is no database of Debrief. Name a file that debrief db backup made.")


def _open(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)
    return sqlite3.connect(file)


def _settle(file: Path) -> None:
    """Everything in the one file, and on the disk."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _sync(file)


def _move_aside(place: Path, now: datetime, fresh: Path) -> Path | None:
    """There is a database in its place at every moment, the one before or the one brought back."""
    aside = place.with_name(f"{place.name}.before-{now:%Y%m%dT%H%M%S}") if place.exists() else None
    if aside:
        with suppress(sqlite3.Error), closing(sqlite3.connect(place)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _keep(place, aside)
        for end in BESIDE:
            with suppress(FileNotFoundError):
                Path(f"{place}{end}").replace(f"{aside}{end}")
    fresh.replace(place)
    _sync(place.parent)
    return aside


def _keep(place: Path, aside: Path) -> None:
    """Under two names for a moment; where the file system has no such thing, a copy."""
    try:
        os.link(place, aside)
    except OSError:
        shutil.copy2(place, aside)


def _sync(file: Path) -> None:
    opened = os.open(file, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove(file: Path) -> None:
    for end in ("", *BESIDE):
        Path(f"{file}{end}").unlink(missing_ok=True)
