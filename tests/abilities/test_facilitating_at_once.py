"""Two who press at the same moment, in two processes on one database: one meeting, one state."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import conducting, facilitating, noting
from bot.desk import Turn
from bot.review.agenda import Agenda
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.refusal import AlreadyInMeeting, Refused
from storage import crossed, incidents, reviews, sittings
from storage.session import Storage
from tests.cast import CHANNEL, HERE, JONAS, MARA, NOVEMBER_18, TEAM, Room, a_room, an_incident, mitigated
from tests.sitting import agenda, delivered, in_thread, said

ROUNDS = 8


@contextmanager
def two_rooms(folder: Path, url: str) -> Iterator[list[Room]]:
    """Two processes of the bot, Mara in one and Jonas in the other, both of whom may lead."""
    here = a_room(folder, url)
    there = Room(Storage(url))
    number = an_incident(here)
    mitigated(here, number)
    here.change(lambda db: facilitates(db, number, JONAS))
    yield [here, there]
    for room in (here, there):
        room.storage.close()


def facilitates(db: Session, incident: int, user: UserId) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.facilitator, user, by=MARA, now=NOVEMBER_18)


@pytest.fixture
def rooms(tmp_path: Path, database_url: str) -> Iterator[list[Room]]:
    with two_rooms(tmp_path, database_url) as rooms:
        yield rooms


def at_once(rooms: list[Room], press: Callable[[Room, UserId], str]) -> list[str]:
    """What each of the two is told; a refusal by its name."""
    gate = Barrier(2)

    def one(room: Room, by: UserId) -> str:
        gate.wait()
        try:
            return press(room, by)
        except Refused as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, rooms, (MARA, JONAS)))


def test_two_who_open_the_meeting_at_once_open_one(rooms: list[Room]):
    told = at_once(rooms, lambda room, by: room.serve(facilitating.start, where=HERE, by=by))

    held = rooms[0].ask(lambda db: len(reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))))
    assert sorted(told).count(AlreadyInMeeting.__name__) == 1
    assert held == 1
    assert len(said(rooms[0], "agenda:")) == 1


def test_two_who_press_next_on_the_same_agenda_move_it_once(rooms: list[Room]):
    rooms[0].serve(facilitating.start, where=HERE, by=MARA)
    topics = []

    for _ in range(5):
        seen = standing(rooms[0]).version
        at_once(rooms, lambda room, by, seen=seen: room.serve(facilitating.advance, where=HERE, by=by, seen=seen))
        topics.append(agenda(rooms[0]).split("*")[1][0])

    assert topics == ["2", "3", "4", "5", "6"]


def standing(room: Room) -> Agenda:
    def look(db: Session) -> Agenda:
        sitting = sittings.of(db, incidents.get(db, 1))
        assert sitting
        return sitting.agenda

    return room.ask(look)


def test_minutes_that_two_take_at_once_add_up(rooms: list[Room]):
    rooms[0].serve(facilitating.start, where=HERE, by=MARA)

    for _ in range(ROUNDS):
        at_once(rooms, lambda room, by: room.serve(facilitating.extend, where=HERE, by=by, minutes=1))

    topics = [topic.minutes for topic in standing(rooms[0]).topics]
    assert topics[0] == 3 + 2 * ROUNDS
    assert (sum(topics), min(topics) >= 1) == (60, True)


def test_two_who_bring_it_down_at_once_leave_one_agenda(rooms: list[Room]):
    rooms[0].serve(facilitating.start, where=HERE, by=MARA)

    for _ in range(ROUNDS):
        delivered(rooms[0])
        seen = standing(rooms[0]).version
        at_once(rooms, lambda room, by, seen=seen: room.serve(facilitating.bring_down, where=HERE, by=by, seen=seen))

    live = [text for text in rooms[0].transcript(CHANNEL) if text.startswith("Review of")]
    assert len(live) == 1
    assert len(said(rooms[0], "agenda:")) == ROUNDS + 1


def test_what_two_note_at_once_stands_once_each_in_the_thread_while_the_clock_gathers_too(rooms: list[Room]):
    rooms[0].serve(facilitating.start, where=HERE, by=MARA)
    delivered(rooms[0])

    def note(room: Room, by: UserId) -> str:
        room.serve(noting.note, where=HERE, by=by, text=f"{by} noted it")
        room.serve(facilitating.refresh, where=HERE, by=by)
        room.desk.serve_if_due(conducting.keep_time)
        return ""

    for _ in range(ROUNDS):
        at_once(rooms, note)

    lines = in_thread(rooms[0])
    assert [sum(line.startswith(f"*Note* · {by}") for line in lines) for by in (MARA, JONAS)] == [ROUNDS, ROUNDS]


def opened_while_another_opens(rooms: list[Room]) -> str:
    """What Jonas comes to, who presses while Mara's press is under way in another process."""
    here, there = rooms
    told: list[str] = []

    def press() -> None:
        try:
            told.append(there.serve(facilitating.start, where=HERE, by=JONAS))
        except (Refused, IntegrityError) as error:
            told.append(type(error).__name__)

    with here.storage.write() as db:
        list(facilitating.start(Turn(db, here.now, TEAM, here.house), where=HERE, by=MARA))
        pressing = Thread(target=press)
        pressing.start()
        pressing.join(timeout=0.5)
    pressing.join()
    return told[0]


def test_who_opens_it_while_another_does_is_told_that_it_is_open(rooms: list[Room]):
    assert opened_while_another_opens(rooms) == AlreadyInMeeting.__name__


@pytest.mark.postgres
def test_without_holding_the_review_the_second_would_plan_a_meeting_of_their_own(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The sensitivity of the above: SQLite has one writer anyway."""
    monkeypatch.setattr(reviews, "hold", lambda *_: None)
    monkeypatch.setattr(crossed, "go_alone", lambda *_: None)
    monkeypatch.setattr(crossed, "MOST_TRIES", 1)

    with two_rooms(tmp_path, postgresql_url) as rooms:
        told = opened_while_another_opens(rooms)

    # Which of the two it comes to depends on who is a moment faster: the database refuses, or a second meeting opens.
    assert told != AlreadyInMeeting.__name__
