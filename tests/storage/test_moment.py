"""The time of a database: whatever the clock of the machine beside it says, and through a restart of the database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storage.health import SILENT, trouble
from storage.moment import AT_ONCE, DatabaseTime
from storage.session import Storage
from tests.conftest import left_out
from tests.databases import NoServerError, Restartable, a_restartable_server

pytestmark = pytest.mark.postgres

NEXT_YEAR = datetime(2027, 11, 18, 14, 0, tzinfo=UTC)


@pytest.fixture
def moment(postgresql_url: str) -> Iterator[DatabaseTime]:
    moment = DatabaseTime(postgresql_url)
    yield moment
    moment.close()


@pytest.fixture
def own_server() -> Iterator[Restartable]:
    try:
        with a_restartable_server() as server:
            yield server
    except NoServerError as why:
        left_out(f"This test restarts a PostgreSQL server, and there is none ({why}).")


def test_it_is_aware_and_goes_on(moment: DatabaseTime):
    first, second = moment(), moment()

    assert first.utcoffset() == timedelta(0)
    assert first < second


def test_the_clock_of_the_machine_beside_it_changes_nothing(moment: DatabaseTime):
    before = moment()
    with time_machine.travel(NEXT_YEAR):
        while_wrong = moment()

    assert before < while_wrong < NEXT_YEAR - timedelta(days=1)


def test_it_waits_for_no_connection_that_turns_hold(moment: DatabaseTime, postgresql_url: str):
    storage = Storage(postgresql_url)

    def ask(_: int) -> datetime:
        with storage.read() as db:
            db.execute(text("SELECT 1"))
            return moment()

    with ThreadPoolExecutor(8 * AT_ONCE) as turns:
        asked = list(turns.map(ask, range(100)))

    assert len(asked) == 100
    storage.close()


def test_where_the_database_is_away_it_fails_as_turns_do(own_server: Restartable, tmp_path: Path):
    moment = DatabaseTime(own_server.server.create())
    before = moment()
    own_server.stop_at_once()

    with pytest.raises(SQLAlchemyError) as away:
        moment()
    own_server.start()

    assert trouble(away.value) == SILENT
    assert before < moment()
    moment.close()


def test_a_restart_between_two_questions_is_not_noticed(own_server: Restartable, tmp_path: Path):
    moment = DatabaseTime(own_server.server.create())
    before = moment()
    own_server.stop_at_once()
    own_server.start()

    assert before < moment()
    moment.close()
