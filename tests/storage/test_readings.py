"""Readings of history, where two processes read the same source."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot import archiving
from bot.desk import Turn
from bot.review.history import Why
from storage import channels, incidents, readings
from storage.models import Reading
from storage.session import Storage
from tests.cast import TEAM, Room, a_room, an_incident

pytestmark = pytest.mark.postgres


@pytest.fixture
def room(tmp_path: Path, postgresql_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, postgresql_url)
    yield room
    room.storage.close()


@pytest.fixture
def replica(postgresql_url: str) -> Iterator[Room]:
    room = Room(Storage(postgresql_url))
    yield room
    room.storage.close()


def a_source(room: Room) -> tuple[int, int]:
    incident = an_incident(room)
    return incident, room.ask(lambda db: incidents.sources(db, incident)[0].id)


def meanwhile(room: Room, deed: Callable[[Session], Any], other: Callable[[], Any]) -> None:
    """Do something, and commit it once somebody else, who does the other thing, waits for it."""
    with ThreadPoolExecutor() as threads:
        with room.storage.write() as db:
            deed(db)
            db.flush()
            done = threads.submit(other)
            while not done.done() and not room.ask(somebody_waits):
                sleep(0.01)
        done.result(60)


def somebody_waits(db: Session) -> bool:
    return bool(db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_a_source_is_begun_once_however_many_begin(room: Room, replica: Room):
    _, source = a_source(room)

    meanwhile(
        room,
        lambda db: readings.begin(db, channels.source(db, source), Why.gap, now=room.now),
        lambda: replica.serve(archiving.begin_reading, source_id=source, why=Why.gap),
    )

    assert room.ask(lambda db: db.scalar(select(func.count(Reading.id)).where(Reading.source_id == source))) == 1


def test_what_was_healed_is_told_once_however_many_read_it(room: Room, replica: Room):
    incident, source = a_source(room)
    room.serve(archiving.begin_reading, source_id=source, why=Why.gap)
    room.change(lambda db: with_something_found(room, readings.open_of(db, source)))

    meanwhile(
        room,
        lambda db: list(archiving.finish_reading(a_turn(room, db), source_id=source)),
        lambda: replica.serve(archiving.finish_reading, source_id=source),
    )

    told = room.ask(lambda db: [row.what for row in incidents.changes(db, incident, "incident")])
    assert told.count(readings.HEALED) == 1


def with_something_found(room: Room, reading: Reading | None) -> None:
    assert reading
    reading.found, reading.found_from, reading.found_to = 17, room.now, room.now
    reading.paged_at = room.now


def a_turn(room: Room, db: Session) -> Turn:
    return Turn(db, room.now, TEAM, room.house)
