"""Migrations: up, down and up again with data, whole or not at all, and the same as the models."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, func, inspect, select, text

import storage.session
from bot import facilitating, following_up, noting, tagging, tracking
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords
from bot.review.pulse import Said
from storage import incidents, outbox, people, pulse, reviews, search
from storage.models import Base, OutboxNote, PulseMark
from storage.session import (
    Storage,
    UnknownRevision,
    differences,
    downgrade,
    is_current,
    make_engine,
    migrations_folder,
    misfit,
    upgrade,
)
from tests.cast import HERE, MARA, TEAM, TOMAS, Room, a_room, an_incident, mitigated

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


def test_what_was_written_is_found_again_after_the_way_down_and_up(tmp_path: Path, empty_database_url: str):
    upgrade(empty_database_url)
    before = a_room(tmp_path, empty_database_url)
    _write_a_review(before)
    kept, found = _rows(before.storage), _found(before.storage)
    before.storage.close()

    downgrade(empty_database_url, RELEASED)
    upgrade(empty_database_url)

    after = Storage(empty_database_url)
    assert (_rows(after), _found(after)) == (kept, found)
    assert found == [*FOUND_BY]
    assert differences(empty_database_url) == []
    after.close()


RELEASED = "0003"
FOUND_BY = ("slow", "gateway", "rolled", "runbook", "buyers")
"""A word of a title, a finding, an event, an action and a summary."""


def _write_a_review(room: Room) -> None:
    incident = an_incident(room)
    here: dict[str, Any] = {"where": HERE, "by": MARA}
    mitigated(room, incident)
    room.serve(tracking.set_summary, **here, text="The buyers waited.")
    room.serve(tagging.add_event, **here, when=None, text="rolled back to 41")
    room.serve(noting.note_finding, **here, kind=FindingKind.contributor, text="the gateway gave up")
    words = ActionWords(owner=MARA, text="write the runbook", due_words=None, horizon=None)
    room.serve(following_up.propose, **here, wording=words)
    room.serve(facilitating.start, **here)
    room.change(
        lambda db: pulse.tap(db, reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[-1], TOMAS, Said.safe)
    )


def _rows(storage: Storage) -> dict[str, int]:
    """How many there are in each table; taps were not counted in the released schema."""
    with storage.read() as db:
        tables = [table for table in Base.metadata.sorted_tables if table.name != PulseMark.__tablename__]
        return {table.name: db.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def _found(storage: Storage) -> list[str]:
    with storage.read() as db:
        return [word for word in FOUND_BY if search.find(db, TEAM, MARA, word).hits]


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


def test_a_newer_schema_that_says_this_version_fits_it_is_used_as_it_is(empty_database_url: str, engine: Engine):
    _made_by_a_newer_version(empty_database_url, engine, fits=(_head(), "4242"))

    upgrade(empty_database_url)

    assert is_current(engine)
    assert differences(empty_database_url) == []
    with engine.connect() as db:
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == "4242"


@pytest.mark.parametrize("fits", [("4242",), ("0005", "4242"), None])
def test_a_newer_schema_that_does_not_name_this_version_is_refused_with_a_sentence(
    empty_database_url: str, engine: Engine, fits: Sequence[str] | None
):
    _made_by_a_newer_version(empty_database_url, engine, fits=fits)

    with pytest.raises(UnknownRevision) as refused:
        upgrade(empty_database_url)

    sentence = (
        "The database is at revision 4242, which this version does not know: "
        "run the version of Debrief that made it, or a newer one."
    )
    assert (str(refused.value), misfit(engine)) == (sentence, sentence)


def test_a_running_bot_stays_ready_while_a_newer_version_upgrades_the_schema_under_it(
    empty_database_url: str, engine: Engine
):
    upgrade(empty_database_url)
    before = misfit(engine)

    _made_by_a_newer_version(empty_database_url, engine, fits=(_head(), "4242"))

    assert (before, misfit(engine)) == (None, None)


def _made_by_a_newer_version(url: str, engine: Engine, *, fits: Sequence[str] | None) -> None:
    """As though a migration of days to come had run, which names who works on what it made; None: it has no table."""
    upgrade(url)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '4242'"))
        db.execute(text("ALTER TABLE people ADD COLUMN moon_sign TEXT"))
        db.execute(text("DROP TABLE fits" if fits is None else "DELETE FROM fits"))
        for revision in fits or ():
            db.execute(text("INSERT INTO fits (revision) VALUES (:revision)"), {"revision": revision})


def _head() -> str:
    return ScriptDirectory(str(migrations_folder())).get_heads()[0]


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
