"""What the courier asks of the outbox, where much is due at once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from storage import delivering, outbox, pauses
from tests.cast import TEAM, Room, a_room

MANY = 300
"""Notes due at once, on a table of which PostgreSQL knows nothing yet."""


@pytest.fixture
def room(tmp_path: Path, postgresql_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, postgresql_url)
    room.change(lambda db: write(room, db))
    yield room
    room.storage.close()


def write(room: Room, db: Session) -> None:
    for number in range(MANY):
        words = outbox.Words(key=f"word {number}", channel=f"U{number}", text="Good morning.", at=room.now)
        outbox.say_once(db, TEAM, words)


@pytest.mark.postgres
def test_notes_that_are_due_are_not_compared_in_pairs_however_little_the_database_knows_of_them(room: Room):
    with room.storage.write() as db:
        question = the_claim(room, db)

        assert "Nested Loop" not in plan_of(db, question)


@pytest.mark.postgres
def test_a_database_left_to_its_guesses_would_compare_them_in_pairs(room: Room):
    with room.storage.write() as db:
        question = the_claim(room, db)
        db.connection().exec_driver_sql("SET LOCAL enable_nestloop = on")

        assert "Nested Loop" in plan_of(db, question)


def the_claim(room: Room, db: Session) -> tuple[str, Any]:
    """The question by which notes are claimed, as it comes to the database; asked once."""
    asked: list[tuple[str, Any]] = []
    event.listen(db.connection(), "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    wait = pauses.spoken_in(TEAM, now=room.now, within=timedelta(seconds=1))
    delivering.claim(db, TEAM, now=room.now, at_most=5, wait=wait)
    return next(question for question in asked if "FOR UPDATE" in question[0])


def plan_of(db: Session, question: tuple[str, Any]) -> str:
    statement, values = question
    return "\n".join(db.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
