"""Engines, transactions and the schema: SQLite embedded, PostgreSQL by URL."""

import fcntl
import io
import re
import secrets
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from enum import StrEnum, auto
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO, cast

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from storage import health, holds, pseudonyms, witness
from storage.connecting import life_of
from storage.models import Base, Fit, Gesture
from storage.remembered import PLACE, Memory

LOCK_WAIT_MS = 5_000
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
IMMEDIATE: dict[str, Any] = {"sqlite_begin": "BEGIN IMMEDIATE"}
WORDS = re.compile("(^|_)words(_|$)")
"""The indexes of words: tables with others in their shadow on SQLite, columns and their indexes on PostgreSQL."""


class WriteLock:
    """One writer at a time in this process: the keeper goes first, but after it one turn that waited meanwhile."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._held = False
        self._keepers = 0
        self._turns = 0
        self._owed = False
        """The keeper was served last: a flood of events does not hold up what people do."""

    @contextmanager
    def keeper(self) -> Generator[None]:
        with self._free:
            self._keepers += 1
            self._free.wait_for(lambda: not self._held and not (self._owed and self._turns))
            self._keepers -= 1
            self._held = True
        try:
            yield
        finally:
            self._release(owed=True)

    @contextmanager
    def turn(self) -> Generator[None]:
        with self._free:
            self._turns += 1
            self._free.wait_for(lambda: not self._held and (self._owed or not self._keepers))
            self._turns -= 1
            self._held = True
        try:
            yield
        finally:
            self._release(owed=False)

    def _release(self, *, owed: bool) -> None:
        with self._free:
            self._held, self._owed = False, owed
            self._free.notify_all()


class SomethingToDo(Exception):
    """What only looked would have changed something."""


class Storage:
    """The database: `read()` looks, `write()` is one transaction, `keep()` is the keeper's, which goes first."""

    def __init__(self, url: str, *, witness_key: str | None = None) -> None:
        self.engine = make_engine(url)
        self.books = witness.Books(witness_key)
        self.forgotten = pseudonyms.Register()
        self.shared = self.engine.dialect.name != "sqlite"
        """Whether other processes may write, too."""
        self.holds = holds.of(self.engine)
        self._lock = None if self.shared else WriteLock()
        self._memory = None if self.shared else Memory(self.engine)
        self._writing = self.engine.execution_options(**IMMEDIATE)
        self._trouble: str | None = None

    @contextmanager
    def read(self) -> Generator[Session]:
        with self._watched(), Session(self.engine) as db:
            yield db
            db.rollback()

    @contextmanager
    def still(self) -> Generator[Session]:
        """Look at one moment, however long the looking takes."""
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ") if self.shared else self.engine
        with self._watched(), Session(engine) as db:
            yield db
            db.rollback()

    @contextmanager
    def peek(self) -> Generator[Session]:
        """Look with what may change something, and hold up nobody; raises SomethingToDo at the first change."""
        with self._watched(), Session(self.engine) as db:
            self._prepare(db)
            event.listen(db.connection(), "before_cursor_execute", _only_look)
            yield db
            db.flush()
            db.rollback()

    @contextmanager
    def write(self) -> Generator[Session]:
        with self._lock.turn() if self._lock else nullcontext(), self._transaction() as db:
            yield db

    @contextmanager
    def keep(self) -> Generator[Session]:
        with self._lock.keeper() if self._lock else nullcontext(), self._transaction() as db:
            yield db

    @contextmanager
    def alone(self) -> Generator[sqlite3.Connection]:
        """SQLite's own connection, in no transaction, while nobody else of this process writes; it does not wait."""
        with self._lock.turn() if self._lock else nullcontext(), closing(self.engine.raw_connection()) as pooled:
            database = cast("sqlite3.Connection", pooled.driver_connection)
            database.execute("PRAGMA busy_timeout = 0")
            try:
                yield database
            finally:
                database.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")

    @contextmanager
    def _transaction(self) -> Generator[Session]:
        with self._watched(), ExitStack() as after, Session(self._writing, expire_on_commit=False) as db, db.begin():
            self._prepare(db)
            db.info[PLACE] = self._memory
            yield db
            after.enter_context(self.books.entering(db))  # Left after the commit.
        if self._trouble != health.DAMAGED:
            self._trouble = None

    def _prepare(self, db: Session) -> None:
        """What every session carries in which an ability may run."""
        db.info[witness.WRITING] = witness.Writing(self.books)
        db.info[pseudonyms.PLACE] = self.forgotten

    @contextmanager
    def _watched(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            self._trouble = health.trouble(error) or self._trouble
            raise

    def trouble(self) -> str | None:
        """Why nothing can be written, tried anew where the last change failed; None where it can."""
        if self._trouble and self._trouble != health.DAMAGED:
            with suppress(SQLAlchemyError), self.write() as db:
                connection = db.connection()
                connection.execute(insert(Gesture).values(team_id="", mark="a trial", at=LONG_AGO))
                connection.execute(delete(Gesture).where(Gesture.team_id == ""))
        return self._trouble

    def close(self) -> None:
        self.holds.close()
        self.engine.dispose()


def make_engine(url: str) -> Engine:
    """An engine for a database URL; SQLite in WAL, fully synchronised, with transactions that we begin ourselves."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args=life_of(url), hide_parameters=True)
    # Parameters hold what people said: they stay out of every exception and log.
    waits = {"timeout": LOCK_WAIT_MS / 1000, "check_same_thread": False}
    engine = create_engine(url, connect_args=waits, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A read transaction that turns into a write fails at once, whatever the time-out: writers begin as writers.
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _only_look(_connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
    if not statement.startswith("SELECT"):
        raise SomethingToDo


class NotUsable(Exception):
    """Why a database cannot be used, as a sentence."""


class AlreadyRunning(NotUsable):
    """A second bot on the same SQLite file."""


@contextmanager
def only_one(url: str) -> Generator[None]:
    """Hold a SQLite file for one running bot; raises NotUsable, AlreadyRunning. PostgreSQL takes any number."""
    database = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not database or database == ":memory:":
        yield
        return
    with _lock_beside(database) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"Another debrief run uses {database}: stop it first, or set DEBRIEF_DATABASE_URL to a PostgreSQL."
            ) from None
        yield


def _lock_beside(database: str) -> TextIO:
    try:
        return Path(f"{database}.lock").open("w")
    except OSError as error:
        raise NotUsable(f"DEBRIEF_DATABASE_URL cannot be used: {database} ({error.strerror}).") from None


class NotSQLite(NotUsable):
    """A backup is asked of a database that brings its own tools."""


def backup(url: str, file: Path) -> None:
    """Copy a SQLite database to a file, page by page, also while it is written to; raises NotUsable, NotSQLite."""
    if make_url(url).get_backend_name() != "sqlite":
        raise NotSQLite("This database is PostgreSQL: back it up with pg_dump.")
    original = Path(make_url(url).database or "")
    if not original.is_file():
        raise NotUsable(f"There is no database at {original} to back up.")
    try:
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise NotUsable(f"The backup could not be written to {file}: {error}.") from None


# The schema ------------------------------------------------------------------------


OLDER = "the schema is not current: run debrief db upgrade"


class UnknownRevision(NotUsable):
    """A newer version of this program made this schema, and this one does not work on it."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to a revision, the newest unless told otherwise; raises UnknownRevision.

    A newer schema on which this version works stays as it is.
    """
    if _stays_as_it_is(url):
        return
    try:
        command.upgrade(_config(url), revision)
    except CommandError:
        if not _stays_as_it_is(url):  # Else a newer version upgraded it meanwhile.
            raise


def _stays_as_it_is(url: str) -> bool:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return _standing(connection) is Standing.newer
    finally:
        engine.dispose()


class Standing(StrEnum):
    """How a schema stands to this version, where this version works on it or can bring it there."""

    older = auto()
    current = auto()
    newer = auto()
    """A newer version made it, and says that this one works on it."""


def _standing(connection: Connection) -> Standing:
    """Raises UnknownRevision."""
    scripts = ScriptDirectory(str(migrations_folder()))
    found, heads = set(MigrationContext.configure(connection).get_current_heads()), scripts.get_heads()
    unknown = found - {script.revision for script in scripts.walk_revisions()}
    if unknown and not _fits(connection, heads):
        raise UnknownRevision(
            f"The database is at revision {', '.join(sorted(unknown))}, which this version does not know: "
            "run the version of Debrief that made it, or a newer one."
        )
    if unknown:
        return Standing.newer
    return Standing.current if found == set(heads) else Standing.older


def _fits(connection: Connection, heads: Sequence[str]) -> bool:
    """Whether whoever made the schema says that a program of these revisions works on it."""
    if not inspect(connection).has_table(Fit.__tablename__):
        return False
    return set(heads) <= set(connection.scalars(select(Fit.revision)))


def downgrade(url: str, revision: str) -> None:
    command.downgrade(_config(url), revision)


def differences(url: str) -> list[Any]:
    """What the models say and the database lacks, or the other way round; empty when they agree.

    A newer schema on which this version works has more, and is not compared.
    """
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        found: list[Any] = []
        if _standing(connection) is not Standing.newer:
            found = compare_metadata(context, Base.metadata)
    engine.dispose()
    return found


def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether a thing in the database is one that the models know; the indexes of words are the database's own."""
    return not WORDS.search(name or "")


def is_current(engine: Engine) -> bool:
    """Whether this version works on the schema as it is: at its newest revision, or at a newer one that it fits."""
    return misfit(engine) is None


def misfit(engine: Engine) -> str | None:
    """Why this version does not work on the schema as it is; None where it does."""
    with engine.connect() as connection:
        try:
            return OLDER if _standing(connection) is Standing.older else None
        except UnknownRevision as why:
            return str(why)


def migrations_folder() -> Path:
    """Where the migrations lie: inside an installed wheel, else beside the packages of a checkout."""
    packed = Path(str(files("storage"))) / "_migrations"
    return packed if packed.is_dir() else Path(__file__).parent.parent / "migrations"


def _config(url: str) -> Config:
    # A buffer of our own: Alembic binds sys.stdout when imported, which dies under captured output.
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["url"] = url
    return config


def new_mark_key() -> str:
    return secrets.token_hex(32)
