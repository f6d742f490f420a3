"""Who pasted a secret is told so: once, alone, soon, and without the secret."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from bot import guarding, importing
from bot.review.heard import read_message
from storage import messages, people
from storage.models import Message, OutboxNote
from tests.cast import CHANNEL, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

TOKEN = "ghp" + "_" + "C4n4ry7Kx" * 4


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    an_incident(room)
    yield room
    room.storage.close()


def pasted(room: Room, text: str = f"use {TOKEN}", *, minutes_ago: int = 1, **more: Any) -> str:
    """A message that was heard as Slack told it; its ts."""
    ts = f"{(room.now - timedelta(minutes=minutes_ago)).timestamp():.6f}"
    fact = read_message({"type": "message", "user": TOMAS, "text": text, "ts": ts} | more, CHANNEL)
    assert fact is not None
    room.change(lambda db: messages.keep(db, TEAM, fact))
    return ts


def tick(room: Room) -> None:
    room.desk.serve_each(guarding.unwarned, guarding.warn)


def whispers(room: Room) -> list[tuple[str, str | None, str, str]]:
    columns = (OutboxNote.kind, OutboxNote.user_id, OutboxNote.channel_id, OutboxNote.thread_ts)
    return room.ask(lambda db: [tuple(row) for row in db.execute(select(*columns).order_by(OutboxNote.id))])


def test_the_author_of_a_secret_is_told_alone(room: Room):
    pasted(room)

    tick(room)

    assert whispers(room) == [("whisper", TOMAS, CHANNEL, "")]
    (words,) = room.transcript()
    assert "what looks like a secret in it (GitHub token). I kept the message without it." in words
    assert "delete it there" in words
    assert TOKEN not in words


def test_several_kinds_are_named(room: Room):
    pasted(room, f"{TOKEN} and postgres://app:Kanal7x9@db-1/orders")

    tick(room)

    assert "(GitHub token and password)" in room.transcript()[0]


def test_a_message_is_spoken_of_once(room: Room):
    ts = pasted(room)
    tick(room)

    edited = {"ts": f"{room.now.timestamp():.6f}", "user": TOMAS}
    fact = read_message({"type": "message", "user": TOMAS, "text": f"or {TOKEN}", "ts": ts, "edited": edited}, CHANNEL)
    assert fact is not None
    room.change(lambda db: messages.keep(db, TEAM, fact))
    tick(room)

    assert len(whispers(room)) == 1


def test_in_a_thread_it_is_said_in_the_thread(room: Room):
    first = pasted(room, "rollback?", minutes_ago=3)
    pasted(room, thread_ts=first)

    tick(room)

    assert whispers(room) == [("whisper", TOMAS, CHANNEL, first)]


def test_a_secret_in_a_file_s_name_is_told_as_well(room: Room):
    pasted(room, "the log", files=[{"id": "F1", "name": f"{TOKEN}.txt"}])

    tick(room)

    assert len(whispers(room)) == 1
    (words,) = room.transcript()
    assert "what looks like a secret in a file's name (GitHub token). I kept the message without it." in words
    assert "I did not keep the file, because the name is part of the address." in words
    assert TOKEN not in words


def test_a_secret_in_the_words_and_in_a_file_s_name_is_told_of_both(room: Room):
    pasted(room, files=[{"id": "F1", "name": f"{TOKEN}.txt"}, {"id": "F2", "name": "heap.txt"}])

    tick(room)

    assert "what looks like a secret in it and in a file's name (GitHub token)" in room.transcript()[0]


def test_several_messages_that_are_found_at_once_are_told_at_once(room: Room):
    first = pasted(room, minutes_ago=300)
    pasted(room, "db is postgres://app:Kanal7x9@db-1/orders", minutes_ago=200, thread_ts=first)
    pasted(room, minutes_ago=100, user=PRIYA)

    tick(room)
    tick(room)

    assert sorted(whispers(room)) == [("whisper", PRIYA, CHANNEL, ""), ("whisper", TOMAS, CHANNEL, "")]
    (words,) = [words for words in room.transcript() if "2 of your messages here" in words]
    assert "have what looks like a secret in them (GitHub token and password). I kept the messages without it." in words
    assert words.count("• ") == 2


def test_a_secret_that_an_edit_brought_into_an_old_message_is_told(room: Room):
    pasted(room, minutes_ago=6000, edited={"ts": f"{room.now.timestamp():.6f}", "user": TOMAS})

    tick(room)

    assert len(whispers(room)) == 1


def test_who_pasted_a_secret_while_the_bot_was_away_overnight_is_told(room: Room):
    pasted(room, minutes_ago=9 * 60)

    tick(room)

    assert len(whispers(room)) == 1


def test_nobody_is_told_of_what_an_export_brings(room: Room):
    at = room.now - timedelta(minutes=5)
    message = {"type": "message", "user": TOMAS, "text": f"use {TOKEN}", "ts": f"{at.timestamp():.6f}"}
    channel = {"id": "C0OLD", "name": "inc-old"}
    room.desk.serve(importing.import_export, channel=channel, persons=(), messages=[message])

    tick(room)

    assert whispers(room) == []


def test_nobody_is_told_of_what_is_history(room: Room):
    pasted(room, minutes_ago=24 * 60 + 1)

    tick(room)

    assert whispers(room) == []


def test_a_program_is_told_nothing(room: Room):
    pasted(room, bot_id="B1", minutes_ago=1)
    pasted(room, user=PRIYA, minutes_ago=2)
    people_say_that_priya_is_a_program(room)

    tick(room)

    assert whispers(room) == []
    assert room.ask(lambda db: list(db.scalars(select(Message.warned_at)))) == [room.now, room.now]


def people_say_that_priya_is_a_program(room: Room) -> None:
    facts = {"name": "Priya", "zone": "UTC", "email": None, "bot": room.now, "gone": None, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, PRIYA, **facts))


def test_who_deleted_the_message_meanwhile_is_left_in_peace(room: Room):
    ts = pasted(room)
    tombstone = read_message({"type": "message", "subtype": "tombstone", "ts": ts}, CHANNEL)
    assert tombstone is not None
    room.change(lambda db: messages.keep(db, TEAM, tombstone))

    tick(room)

    assert whispers(room) == []


def test_what_holds_no_secret_is_not_spoken_of(room: Room):
    pasted(room, "password reset is broken")

    tick(room)

    assert whispers(room) == []


def test_among_many_messages_only_those_with_a_secret_are_looked_at(tmp_path: Path, sqlite_url: str):
    room = a_room(tmp_path, sqlite_url)
    asked: list[tuple[str, Any]] = []
    event.listen(room.storage.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))

    room.desk.look(guarding.unwarned)

    statement, values = asked[-1]
    with room.storage.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert ["ix_messages_untold" in row[3] for row in plan] == [True]
    room.storage.close()


def test_a_crash_before_the_word_is_written_loses_nothing(room: Room, monkeypatch: pytest.MonkeyPatch):
    pasted(room)
    with monkeypatch.context() as broken:
        broken.setattr(guarding, "kinds_of", lambda _: 1 / 0)
        tick(room)

    tick(room)

    assert len(whispers(room)) == 1
