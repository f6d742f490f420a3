"""What every test may ask for."""

import logging
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

import storage.session
from bot.sandbox import server, troupe
from storage.session import upgrade
from tests.births import Cradle
from tests.databases import NoServerError, Server, Stock, a_server, database_name

# A busy machine is no reason for a rule to fail.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def left_out(reason: str) -> NoReturn:
    """Skip with a reason; where CI=true nothing may be left out, so fail with it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _as_much_is_logged_as_ever() -> None:
    """The command line says how much is logged, and where a test asks it in its own process, that would stay."""
    logging.getLogger().setLevel(logging.WARNING)


# Databases -------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database; the test runs once on each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database without a schema; the test runs once on each kind."""
    return request.getfixturevalue(f"empty_{request.param}_url")


@pytest.fixture
def sqlite_url(empty_sqlite_url: str, tmp_path: Path, migrated_sqlite: Path) -> str:
    shutil.copy(migrated_sqlite, tmp_path / "debrief.db")
    return empty_sqlite_url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'debrief.db'}"


@pytest.fixture
def postgresql_url(migrated_postgresql: Stock) -> Iterator[str]:
    url = migrated_postgresql.take()
    yield url
    migrated_postgresql.give_back(url)


@pytest.fixture
def empty_postgresql_url(postgresql_server: Server) -> Iterator[str]:
    url = postgresql_server.create()
    yield url
    postgresql_server.drop(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "debrief.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: Server) -> Iterator[Stock]:
    url = postgresql_server.create()
    upgrade(url)
    stock = Stock(postgresql_server, template=database_name(url))
    yield stock
    stock.drop()
    postgresql_server.drop(url)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    try:
        with a_server() as server:
            yield server
    except NoServerError as why:
        left_out(f"PostgreSQL tests need a server, and there is none ({why}); `make test` brings one.")


# SQL, compiled once ------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Every test has an engine of its own; to compile each statement anew for it would take half of the tests' time."""
    compiled: dict[str, Any] = {}

    def create_engine(url: str, **options: Any) -> Engine:
        engine = sqlalchemy.create_engine(url, query_cache_size=10_000, **options)
        engine._compiled_cache = compiled.setdefault(engine.dialect.name, engine._compiled_cache)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.session, "create_engine", create_engine)
        for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
            patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
            patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
        yield


@pytest.fixture(scope="session", autouse=True)
def _in_no_hurry_and_no_order() -> Iterator[None]:
    """No power is cut in the process of the tests: nothing waits for its disk. Rows that nobody sorted come backwards.

    Whoever wants what the program itself opens takes `make_engine` where the module is imported.
    """
    as_it_is = storage.session.make_engine

    def make_engine(url: str) -> Engine:
        engine = as_it_is(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _without_waiting_and_backwards)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.session, "make_engine", make_engine)
        yield


def _without_waiting_and_backwards(connection: Any, _record: object) -> None:
    for pragma in ("synchronous=OFF", "reverse_unordered_selects=ON"):
        connection.execute(f"PRAGMA {pragma}")


# The machine -----------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _however_slow() -> Iterator[None]:
    """That a bot or a sandbox takes long to start on a busy machine is no failure of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(troupe, "READY_WITHIN_S", 100.0)
        patch.setattr(server, "START_WITHIN_S", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _born_and_not_started() -> Iterator[None]:
    """A bot beside a sandbox is the unmodified program all the same, in a process of its own."""
    cradle = Cradle(troupe.started)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(troupe, "started", cradle.started)
        yield
    cradle.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that tests of pages are run in."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    return found or left_out(f"Tests of pages need a browser: one of {', '.join(CHROMIUMS)} on the PATH.")
