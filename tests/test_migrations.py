"""Migrations: up, down and up again with data, whole or not at all, and the same as the models."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text

import storage.session
from storage import outbox, people
from storage.models import Base, OutboxNote
from storage.session import (
    Storage,
    UnknownRevision,
    differences,
    downgrade,
    is_current,
    make_engine,
    migrations_folder,
    upgrade,
)

BROKEN = '''
"""One that fails half way."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    op.create_table("halves", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO halves (id) VALUES (1)")
    op.execute("SELECT * FROM nowhere")


def downgrade():
    op.drop_table("halves")
'''


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    inspect_again = create_engine(engine.url)
    found = set(inspect(inspect_again).get_table_names())
    inspect_again.dispose()
    return found


def test_the_schema_is_what_the_models_say(empty_database_url: str, engine: Engine):
    upgrade(empty_database_url)

    assert differences(empty_database_url) == []
    assert set(Base.metadata.tables) <= tables(engine)
    assert is_current(engine)


def test_an_empty_database_is_not_current(engine: Engine):
    assert not is_current(engine)


def test_upgrading_twice_is_harmless(empty_database_url: str, engine: Engine):
    upgrade(empty_database_url)
    upgrade(empty_database_url)

    assert is_current(engine)


def test_down_and_up_again_leaves_nothing_behind(empty_database_url: str, engine: Engine):
    upgrade(empty_database_url)
    _write_something(empty_database_url)

    downgrade(empty_database_url, "base")
    left = tables(engine) - {"alembic_version"}
    upgrade(empty_database_url)

    assert left == set()
    assert differences(empty_database_url) == []


def test_upgrading_with_data_in_it_keeps_the_data(empty_database_url: str):
    upgrade(empty_database_url)
    _write_something(empty_database_url)

    upgrade(empty_database_url)

    assert _said(empty_database_url) == ["hello"]


def test_a_migration_that_fails_leaves_nothing_and_keeps_what_there_was(
    empty_database_url: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    upgrade(empty_database_url)
    _write_something(empty_database_url)
    before = tables(engine)
    _add_a_broken_one(tmp_path, monkeypatch)

    with pytest.raises(Exception, match="nowhere"):
        upgrade(empty_database_url)

    assert tables(engine) == before
    assert _said(empty_database_url) == ["hello"]
    monkeypatch.undo()
    assert is_current(engine)


def test_a_schema_of_a_newer_version_is_refused_with_a_sentence(empty_database_url: str, engine: Engine):
    upgrade(empty_database_url)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '4242'"))

    with pytest.raises(UnknownRevision) as refused:
        upgrade(empty_database_url)

    assert str(refused.value) == (
        "The database is at revision 4242, which this version does not know: "
        "run the version of Debrief that made it, or a newer one."
    )
    assert not is_current(engine)


def _add_a_broken_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copytree(migrations_folder(), folder / "migrations")
    head = max(path.name.split("_")[0] for path in (copy / "versions").glob("*.py"))
    (copy / "versions" / "9999_broken.py").write_text(BROKEN.format(head=head))
    monkeypatch.setattr(storage.session, "migrations_folder", lambda: copy)


def _write_something(url: str) -> None:
    house, now = Storage(url), datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
    with house.write() as db:
        people.know_workspace(db, "T1", name="", url="", bot_user="", bot_id="", mark_key="k")
        outbox.say_once(db, "T1", outbox.Words(key="key", channel="C1", text="hello", at=now))
    house.close()


def _said(url: str) -> list[str]:
    house = Storage(url)
    with house.read() as db:
        found = list(db.scalars(select(OutboxNote.text)))
    house.close()
    return found
