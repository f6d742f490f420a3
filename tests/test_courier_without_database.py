"""The courier while the database is away, locked or refuses: what was said is found, and it goes on by itself."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from bot import posting
from bot.claims import Claims
from bot.courier import Courier, _nap
from bot.posting import Parcel, Said
from bot.sandbox.server import Running, sandbox
from storage import session
from tests.databases import database_name
from tests.sandbox.cast import until
from tests.test_courier import GRACE, Office, an_office

LONG = GRACE.total_seconds() + posting.CALL_TIMEOUT.total_seconds() + 1
Trouble = Callable[[str], AbstractContextManager[None]]


@contextmanager
def away(url: str) -> Iterator[None]:
    """As while PostgreSQL restarts: every connection is cut, and none is to be had."""
    server = make_url(url).set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    name = sql.Identifier(database_name(url))
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database_name(url)]
            )
            yield
        finally:
            db.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program writes to the file, and does not stop."""
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def refusing(url: str) -> Iterator[None]:
    """As on a full disk: a change begins, and fails."""
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as db:
        db.execute("CREATE TRIGGER no_room BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END")
        try:
            yield
        finally:
            db.execute("DROP TRIGGER no_room")


class InTrouble(Claims):
    """Has trouble once, between Slack's answer and its own note of it."""

    trouble: Callable[[], AbstractContextManager[None]] | None = None

    def mark_sent(self, parcel: Parcel, said: Said) -> None:
        trouble, self.trouble = self.trouble, None
        if trouble is None:
            super().mark_sent(parcel, said)
        else:
            with trouble():
                super().mark_sent(parcel, said)


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


@pytest.fixture(
    params=[
        pytest.param(("postgresql", away), marks=pytest.mark.postgres, id="away"),
        pytest.param(("sqlite", locked), id="locked"),
        pytest.param(("sqlite", refusing), id="refusing"),
    ]
)
async def troubled(
    request: pytest.FixtureRequest, slack: Running, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Office, Callable[[], AbstractContextManager[None]]]]:
    """An office, and what may happen to its database."""
    monkeypatch.setattr(session, "LOCK_WAIT_MS", 50)
    kind, trouble = request.param
    url = request.getfixturevalue(f"{kind}_url")
    office = an_office(url, slack, claims=InTrouble)
    yield office, lambda: trouble(url)
    office.storage.close()


Troubled = tuple[Office, Callable[[], AbstractContextManager[None]]]


async def test_what_was_said_and_could_not_be_written_down_is_found_later(troubled: Troubled):
    office, trouble = troubled
    assert isinstance(office.courier._claims, InTrouble)
    office.courier._claims.trouble = trouble
    office.say("the pre-read")
    await office.round()
    left = office.state("the pre-read")

    office.pass_time(LONG)
    await office.round()

    assert left == ("sending", None)
    assert office.seen() == ["the pre-read"]
    assert office.called("chat.postMessage") == 1
    assert office.state("the pre-read") == ("sent", None)


async def test_the_courier_goes_on_by_itself_when_the_database_does(
    troubled: Troubled, caplog: pytest.LogCaptureFixture
):
    office, trouble = troubled
    office.say("after the storm")
    with caplog.at_level(logging.INFO, "debrief"), trouble():
        running = asyncio.create_task(office.courier.run())
        await asyncio.sleep(1.2)
        await until(lambda: caplog.records)
        during = list(caplog.records)
    await until(lambda: office.seen() == ["after the storm"])

    office.courier.stop()
    await running

    assert {record.getMessage() for record in during} == {"nothing can be said for now"}
    assert 1 <= len(during) <= 4
    assert not any(record.exc_info for record in during)


async def test_who_wakes_the_courier_while_the_database_is_away_makes_it_ask_no_more_often(
    troubled: Troubled, caplog: pytest.LogCaptureFixture
):
    office, trouble = troubled
    office.say("after the storm")
    with caplog.at_level(logging.INFO, "debrief"), trouble():
        running = asyncio.create_task(office.courier.run())
        for _ in range(50):
            office.courier.wake()
            await asyncio.sleep(0.02)
        await until(lambda: caplog.records)
        failed = len(caplog.records)
        office.courier.stop()
        await running

    assert 1 <= failed <= 4


class Timeless(Courier):
    """Asks a database for the time that is away once, between two rounds."""

    asked = 0

    async def _rest_s(self) -> float:
        self.asked += 1
        if self.asked == 1:
            raise OperationalError("SELECT clock_timestamp()", {}, Exception("away"))
        return await super()._rest_s()


async def test_a_clock_that_fails_between_two_rounds_ends_nothing(sqlite_url: str, slack: Running):
    office = an_office(sqlite_url, slack, kind=Timeless)
    running = asyncio.create_task(office.courier.run())
    courier = office.courier
    assert isinstance(courier, Timeless)
    await until(lambda: courier.asked == 1)

    office.say("after the storm")
    await until(lambda: office.seen() == ["after the storm"])

    office.courier.stop()
    await running
    office.storage.close()


def test_the_longer_the_database_is_away_the_less_it_is_asked():
    assert [_nap(failed) for failed in (1, 2, 3, 4, 5, 6, 99)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


@pytest.mark.postgres
async def test_connections_that_were_cut_in_between_are_no_failure(
    postgresql_url: str, slack: Running, caplog: pytest.LogCaptureFixture
):
    office = an_office(postgresql_url, slack)
    office.say("before")
    await office.round()
    with away(postgresql_url):
        pass
    office.say("after")

    with caplog.at_level(logging.WARNING, "debrief"):
        await office.round()

    assert office.seen() == ["before", "after"]
    assert caplog.records == []
    office.storage.close()


@pytest.mark.postgres
async def test_a_round_that_fails_gives_up_what_it_had_taken(postgresql_url: str, slack: Running):
    office = an_office(postgresql_url, slack)
    office.say("the pre-read")
    with refusing_on_postgresql(office), pytest.raises(DBAPIError, match="no room"):
        await office.round()

    await office.round()

    assert office.seen() == ["the pre-read"]
    office.storage.close()


@contextmanager
def refusing_on_postgresql(office: Office) -> Iterator[None]:
    make = "CREATE FUNCTION no_room() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$ LANGUAGE plpgsql"
    _run_sql(office, make)
    _run_sql(office, "CREATE TRIGGER no_room BEFORE UPDATE ON outbox EXECUTE FUNCTION no_room()")
    yield
    _run_sql(office, "DROP TRIGGER no_room ON outbox")


def _run_sql(office: Office, statement: str) -> None:
    with office.storage.write() as db:
        db.connection().exec_driver_sql(statement)
