import pytest
from sqlalchemy import inspect, text

from storage.session import is_current, make_engine
from tests.databases import Server


def test_each_test_gets_a_migrated_database_of_its_own(database_url: str):
    engine = make_engine(database_url)

    with engine.begin() as db:
        db.execute(text("CREATE TABLE left_behind (id INTEGER)"))

    assert is_current(engine)
    engine.dispose()


def test_nothing_is_left_behind_for_the_next_test(database_url: str):
    engine = make_engine(database_url)

    tables = inspect(engine).get_table_names()
    engine.dispose()

    assert "alembic_version" in tables
    assert "left_behind" not in tables


def test_an_empty_database_is_empty(empty_database_url: str):
    engine = make_engine(empty_database_url)

    tables = inspect(engine).get_table_names()
    engine.dispose()

    assert tables == []


@pytest.mark.postgres
def test_two_databases_of_one_server_have_different_names(postgresql_server: Server):
    one, other = postgresql_server.create(), postgresql_server.create()

    postgresql_server.drop(one)
    postgresql_server.drop(other)

    assert one != other
