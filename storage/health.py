"""What is wrong with a database, as a sentence that says what to do; and a look over a file before it is used."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

LOOK_S = 5.0
"""How long a file is looked over before it is used; a larger one than that is taken on trust from there."""
LOOKS = ("PRAGMA quick_check(1)", "PRAGMA integrity_check(1)")
"""The pages first, then whether indexes say what tables say."""
STEPS = 20_000
"""Steps of SQLite between two looks at the clock."""
LITTLE_ROOM = 100 * 2**20

FULL = "the disk is full: make room, and it goes on by itself"
REFUSES = "the disk cannot be written (a full disk, a quota or a fault): make room or mend it, and it goes on by itself"
LOCKED = "another program holds the database: close it, and it goes on by itself"
READ_ONLY = "the database file is read-only: make it writable for whoever runs debrief"
DAMAGED = (
    "the database file is damaged: stop debrief, move the file away together with those beside it that end in -wal "
    "and -shm, put the newest backup in its place and start again; what Slack still holds is read again"
)
SILENT = "the database does not answer: it goes on by itself once it does"
MISFIT = "the database is not as this version of debrief expects it: run debrief doctor"

OF_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: REFUSES,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_CANTOPEN: SILENT,
}
OF_POSTGRESQL: Mapping[str, str] = {"53100": FULL, "25006": READ_ONLY, "55P03": LOCKED}
"""By SQLSTATE, as PostgreSQL lists them."""


def trouble(error: BaseException) -> str | None:
    """What is wrong with the database where it is the database that failed, and not what it was asked."""
    if isinstance(error, NoConnection):
        return SILENT
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error, error.orig)
    if isinstance(error, OperationalError | InterfaceError | InternalError):
        return OF_POSTGRESQL.get(str(getattr(error.orig, "sqlstate", "")), SILENT)
    return None


def _of_sqlite(error: DBAPIError, said: sqlite3.Error) -> str | None:
    known = OF_SQLITE.get(getattr(said, "sqlite_errorcode", 0) & 0xFF)
    failed = type(error) is DatabaseError or isinstance(error, OperationalError | InterfaceError)
    return known or (MISFIT if failed else None)


def damage(url: str, *, within_s: float = LOOK_S) -> str | None:
    """What is damaged in a SQLite file, as far as it can be looked over in that time; None where nothing is."""
    file = Path(make_url(url).database or "")
    if make_url(url).get_backend_name() != "sqlite" or not file.is_file():
        return None
    until = time.monotonic() + within_s
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            connection.text_factory = bytes
            found = {connection.execute(look).fetchone()[0] for look in LOOKS}
    except UnicodeDecodeError:  # What is damaged may name itself in any bytes, in errors as well.
        return DAMAGED
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return DAMAGED if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} else None
    return None if found == {b"ok"} else DAMAGED
