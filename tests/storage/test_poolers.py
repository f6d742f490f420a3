"""A pooler that mixes sessions is noticed before anything relies on one; others are not in the way."""

import pytest
from sqlalchemy import create_engine, text

from storage import poolers
from storage.holds import SharedHolds
from storage.session import make_engine
from tests.pooler import Mode, pooled


def test_a_database_that_is_asked_directly_is_usable(database_url: str):
    assert poolers.between(database_url) is None


@pytest.mark.postgres
def test_a_pooler_that_lends_a_session_for_each_transaction_is_refused(postgresql_url: str):
    with pooled(postgresql_url, "transaction") as url:
        why = poolers.between(url)

    assert why == poolers.UNUSABLE


@pytest.mark.postgres
def test_a_pooler_that_lends_a_session_for_good_is_not_in_the_way(postgresql_url: str):
    with pooled(postgresql_url, "session") as url:
        assert poolers.between(url) is None


@pytest.mark.postgres
@pytest.mark.parametrize("others", [1, 4])
def test_it_is_noticed_however_many_sessions_lie_ready(postgresql_url: str, others: int):
    with pooled(postgresql_url, "transaction") as url:
        engine = create_engine(url, pool_size=others, connect_args={"prepare_threshold": None})
        busy = [engine.connect() for _ in range(others)]
        for connection in busy:
            connection.execute(text("SELECT 1"))
        for connection in busy:
            connection.close()

        assert poolers.between(url) == poolers.UNUSABLE
        engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(("mode", "both"), [("session", [True, False]), ("transaction", [True, True])])
def test_two_programs_behind_such_a_pooler_would_hold_the_same_thing(postgresql_url: str, mode: Mode, both: list[bool]):
    with pooled(postgresql_url, mode) as url:
        engine = make_engine(url)
        programs = [SharedHolds(engine), SharedHolds(engine)]

        taken = [program.take("note:1") for program in programs]

        for program in programs:
            program.close()
        engine.dispose()
    assert taken == both
