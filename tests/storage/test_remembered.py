"""What is remembered of a SQLite file is what the file says; PostgreSQL is always asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, update

from storage import channels
from storage.models import Incident, Source
from storage.session import Storage

TEAM, NOON = "T0SANDBOX", datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


def listen(storage: Storage, channel: str) -> None:
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Checkout", opened_at=NOON)
        db.add(incident)
        db.flush()
        db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=channel, from_at=NOON))


def listened(storage: Storage) -> set[str]:
    with storage.keep() as db:
        return {place.channel for place in channels.open_sources(db, TEAM)}


def test_a_place_is_listened_to_from_the_moment_it_is_written(storage: Storage):
    before = listened(storage)

    listen(storage, "C0INC")

    assert (before, listened(storage)) == (set(), {"C0INC"})


def test_a_place_is_listened_to_no_more_once_that_is_written(storage: Storage):
    listen(storage, "C0INC")
    before = listened(storage)

    with storage.write() as db:
        db.execute(update(Source).values(until_at=NOON))

    assert (before, listened(storage)) == ({"C0INC"}, set())


def test_a_turn_sees_its_own_change_and_what_it_takes_back_was_never_there(storage: Storage):
    listen(storage, "C0INC")

    with storage.write() as db:
        db.execute(update(Source).values(channel_id="C0NEW"))
        inside = {place.channel for place in channels.open_sources(db, TEAM)}
        db.rollback()

    assert (inside, listened(storage)) == ({"C0NEW"}, {"C0INC"})


def test_sqlite_is_asked_once_and_postgresql_each_time(storage: Storage):
    asked: list[str] = []
    event.listen(storage.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    for _ in range(3):
        listened(storage)

    assert sum("FROM sources" in statement for statement in asked) == (3 if storage.shared else 1)
