"""The clock: it asks everything, in its order, and nothing that fails keeps it from asking the rest."""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bot import clock
from bot.clock import TABLE, Clock
from bot.desk import Note, Turn
from bot.review.incident import Place
from bot.review.lifecycle import Role
from storage import actions, gestures, incidents, outbox, reviews, witness
from storage.actions import Proposal
from storage.models import Incident, Message, Source
from tests.cast import CHANNEL, MARA, TEAM, Room, a_message, a_room, an_incident, mitigated


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


async def nothing_else() -> None:
    """Nothing waits on Slack."""


async def tick(room: Room) -> None:
    await Clock(room.desk, every_s=60, also=nothing_else).tick()


async def test_asking_where_nothing_is_due_says_nothing(room: Room, caplog: pytest.LogCaptureFixture):
    await tick(room)

    assert room.transcript() == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_tick_counts_when_all_was_asked_whether_it_could_be_or_not(room: Room):
    counted = list[int]()

    async def cannot() -> None:
        counted.append(clock_of_room.ticks)
        raise OSError

    clock_of_room = Clock(room.desk, every_s=60, also=cannot)
    for _ in range(2):
        await clock_of_room.tick()

    assert (counted, clock_of_room.ticks) == ([0, 1], 2)


async def test_everything_can_be_asked_about_an_incident_at_any_hour(room: Room, caplog: pytest.LogCaptureFixture):
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")
    mitigated(room, incident)

    for _ in range(12):
        room.pass_time(hours=5)
        await tick(room)

    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_ticking_twice_says_nothing_twice(room: Room):
    mitigated(room, an_incident(room))
    room.pass_time(hours=20)
    await tick(room)
    said = room.transcript()

    await tick(room)

    assert room.transcript() == said


async def test_what_was_kept_for_as_long_as_promised_goes_by_itself(room: Room):
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")
    room.change(lambda db: close_and_stop_listening(room, db, incident))
    room.pass_time(days=366)

    for _ in range(4):
        await tick(room)

    assert room.ask(lambda db: db.scalars(select(Message.text)).all()) == [""]


def close_and_stop_listening(room: Room, db: Session, incident: int) -> None:
    reviews.of(db, incidents.get(db, incident)).closed_at = room.now
    incidents.stop_listening(db, incident, now=room.now)


async def test_what_only_looks_has_all_that_a_change_would_have(room: Room):
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")

    def enter(turn: Turn) -> list[Note]:
        (message,) = room.ask(lambda db: db.scalars(select(Message.id)).all())
        witness.write(turn.db, TEAM, [witness.Entry(message_id=message, what="said", content=b"503")])
        outbox.say_once(turn.db, TEAM, outbox.Words(key="one", channel=CHANNEL, text=f"{incident}", at=turn.now))
        return []

    room.desk.serve_if_due(enter)

    assert room.transcript()[-1:] != []


def test_what_is_asked_takes_nothing_but_the_turn():
    assert [list(inspect.signature(ability).parameters) for ability in TABLE] == [["turn"]] * len(TABLE)


async def test_a_question_that_fails_keeps_no_other_from_being_asked(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(turn: Turn) -> list[Note]:
        outbox.say_once(turn.db, TEAM, outbox.Words(key="half", channel=CHANNEL, text="half a change", at=turn.now))
        raise LookupError

    def whole(turn: Turn) -> list[Note]:
        outbox.say_once(turn.db, TEAM, outbox.Words(key="whole", channel=CHANNEL, text="a whole one", at=turn.now))
        return []

    async def also() -> None:
        asked.append("also")
        raise OSError

    asked: list[str] = []
    monkeypatch.setattr(clock, "TABLE", (broken, whole))

    await Clock(room.desk, every_s=60, also=also).tick()

    assert (room.transcript(), asked) == (["a whole one"], ["also"])
    assert [getattr(record, "ability", "") for record in caplog.records if record.exc_info] == ["broken", ""]


async def test_a_signed_request_is_remembered_for_as_long_as_it_could_be_played_again(room: Room):
    room.change(lambda db: gestures.remember(db, TEAM, "m", at=room.now))

    room.pass_time(minutes=10)
    await tick(room)
    still = room.change(lambda db: gestures.remember(db, TEAM, "m", at=room.now))
    room.pass_time(hours=2)
    await tick(room)

    assert not still
    assert room.change(lambda db: gestures.remember(db, TEAM, "m", at=room.now))


def begun(room: Room) -> list[str]:
    """The writing transactions that begin from now on."""
    found: list[str] = []
    event.listen(
        room.storage.engine,
        "before_cursor_execute",
        lambda *given: found.append(given[2]) if given[2] == "BEGIN IMMEDIATE" else None,
    )
    return found


async def test_a_tick_at_which_nothing_is_due_does_not_keep_the_keeper_waiting(tmp_path: Path):
    room = a_room(tmp_path)
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")
    mitigated(room, incident)
    room.pass_time(hours=20)
    for _ in range(2):
        await tick(room)
    writes = begun(room)

    await tick(room)

    assert writes == []
    room.storage.close()


async def test_a_tick_asks_no_more_questions_of_many_old_incidents_than_of_one(tmp_path: Path):
    room = a_room(tmp_path)
    room.change(lambda db: leave_undone(room, db))
    await tick(room)
    asked = questions(room)
    await tick(room)
    of_one = len(asked)

    for _ in range(9):
        room.change(lambda db: leave_undone(room, db))
    await tick(room)
    asked.clear()
    await tick(room)

    assert len(asked) == of_one
    room.storage.close()


def leave_undone(room: Room, db: Session) -> None:
    """An incident of last month, a meeting that nobody opened, and an action that is not due yet."""
    then = room.now - timedelta(days=30)
    incident = Incident(team_id=TEAM, title="Checkout is slow", severity="sev2", opened_at=then, opened_by=MARA)
    db.add(incident)
    db.flush()
    db.add(
        Source(
            team_id=TEAM, incident_id=incident.id, channel_id=f"C0OLD{incident.id}", channel_name="inc", from_at=then
        )
    )
    reviews.begin(db, incident)
    incidents.give_role(db, incident, Role.lead, MARA, by=MARA, now=then)
    incidents.set_moment(db, incident, "mitigated", then, by=MARA, how="set", now=then)
    reviews.plan(db, incident, at=then + timedelta(days=3), by=MARA, now=then)
    promise = Proposal(
        text="Alert on stuck queues", owner=MARA, due=(room.now + timedelta(days=30)).date(), horizon="long"
    )
    actions.propose(db, incident, promise, by=MARA, now=then).state = "committed"


def questions(room: Room) -> list[str]:
    """What is asked of the database from now on."""
    found: list[str] = []
    event.listen(room.storage.engine, "before_cursor_execute", lambda *given: found.append(given[2]))
    return found


async def test_what_is_due_is_said_in_one_writing_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    room = a_room(tmp_path)

    def due(turn: Turn) -> list[Note]:
        found = outbox.find(turn.db, TEAM, "due")
        return [] if found else [Note.once("due", "refused", Place(CHANNEL), sentence="now")]

    monkeypatch.setattr(clock, "TABLE", (due,))
    writes = begun(room)

    for _ in range(2):
        await tick(room)

    assert (room.transcript(), writes) == (["now"], ["BEGIN IMMEDIATE"])
    room.storage.close()


async def test_who_is_forgotten_is_heard_while_a_tick_waits_for_slack(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clock, "FORGOTTEN_EVERY_S", 0.05)
    waiting, heard = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def also() -> None:
        waiting.set()
        await asyncio.sleep(60)

    ticking = Clock(room.desk, every_s=0.1, also=also)
    ticking.start()
    await waiting.wait()
    monkeypatch.setattr(room.storage.forgotten, "refresh", lambda *_: loop.call_soon_threadsafe(heard.set))

    await asyncio.wait_for(heard.wait(), 60)

    ticking.stop()


@pytest.mark.parametrize(("moved", "ticked"), [(timedelta(hours=1), True), (timedelta(0), False)])
async def test_when_the_time_is_moved_it_ticks_at_once(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, *, moved: timedelta, ticked: bool
):
    room = a_room(tmp_path, sqlite_url)
    looked, asked = asyncio.Semaphore(0), asyncio.Event()
    loop = asyncio.get_running_loop()

    def now() -> datetime:
        loop.call_soon_threadsafe(looked.release)
        return room.now

    def ask(_: Turn) -> list[Note]:
        loop.call_soon_threadsafe(asked.set)
        return []

    monkeypatch.setattr(clock, "TABLE", (ask,))
    monkeypatch.setattr(clock, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(room.desk, "now", now)
    ticking = Clock(room.desk, every_s=3600, also=nothing_else)
    ticking.start()
    watching = asyncio.create_task(ticking.watch())
    for _ in range(2):  # At the second look the first one is over.
        await looked.acquire()
    room.now += moved

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asked.wait(), 60 if ticked else 0.2)

    assert asked.is_set() == ticked
    ticking.stop()
    watching.cancel()
    room.storage.close()


async def test_it_ticks_until_it_is_stopped(room: Room, monkeypatch: pytest.MonkeyPatch):
    ticks: list[int] = []
    third = asyncio.Event()
    loop = asyncio.get_running_loop()

    def count(turn: Turn) -> list[Note]:
        del turn
        ticks.append(1)
        if len(ticks) == 3:
            loop.call_soon_threadsafe(third.set)
        return []

    monkeypatch.setattr(clock, "TABLE", (count,))
    ticking = Clock(room.desk, every_s=0.05, also=nothing_else)
    ticking.start()
    await third.wait()

    ticking.stop()
    until_then = 0
    async with asyncio.timeout(60):
        while len(ticks) > until_then:
            until_then = len(ticks)
            await asyncio.sleep(0.3)

    assert len(ticks) == until_then
