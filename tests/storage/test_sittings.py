"""Meetings that are open: two gestures at once take turns, also in two processes on one database."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.agenda import Agenda
from storage import incidents, reviews, sittings
from storage.session import Storage
from storage.sittings import Sitting
from tests.cast import MARA, NOVEMBER_18, TEAM, Room, a_room, an_incident, mitigated


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


@pytest.fixture
def incident(room: Room) -> int:
    """An incident whose review meets now."""
    number = an_incident(room)
    mitigated(room, number)
    room.change(lambda db: meets(db, number))
    return number


def meets(db: Session, incident: int) -> None:
    here = incidents.get(db, incident)
    meeting = reviews.plan(db, here, at=NOVEMBER_18, by=MARA, now=NOVEMBER_18)
    meeting.opened_at = NOVEMBER_18
    sittings.keep(db, Sitting(here, meeting, Agenda.open(60, NOVEMBER_18)), now=NOVEMBER_18)


def sitting(db: Session, incident: int) -> Sitting:
    found = sittings.of(db, incidents.get(db, incident))
    assert found
    return found


def moves_on(db: Session, incident: int) -> None:
    here = sitting(db, incident)
    sittings.keep(db, replace(here, agenda=here.agenda.advance(NOVEMBER_18)), now=NOVEMBER_18)


def test_a_meeting_stands_where_it_was_left(room: Room, incident: int):
    room.change(lambda db: moves_on(db, incident))

    assert room.ask(lambda db: sitting(db, incident).agenda.topic.name) == "summary"
    assert room.ask(lambda db: [found.incident.id for found in sittings.every(db, TEAM)]) == [incident]


def test_a_meeting_that_ended_sits_no_more(room: Room, incident: int):
    def end(db: Session) -> None:
        here = sitting(db, incident)
        sittings.keep(db, replace(here, agenda=here.agenda.end(NOVEMBER_18)), now=NOVEMBER_18)

    room.change(end)

    assert room.ask(lambda db: sittings.of(db, incidents.get(db, incident))) is None
    assert room.ask(lambda db: sittings.every(db, TEAM)) == []


def test_who_presses_in_another_process_meanwhile_sees_the_agenda_as_it_was_left(
    room: Room, incident: int, database_url: str
):
    other = Storage(database_url)
    seen: list[int] = []

    def press() -> None:
        with other.write() as db:
            seen.append(sitting(db, incident).agenda.version)

    with room.storage.write() as db:
        sitting(db, incident)
        pressing = threading.Thread(target=press)
        pressing.start()
        pressing.join(timeout=0.3)
        moves_on(db, incident)
    pressing.join()
    other.close()

    assert seen == [2]


def test_a_meeting_that_was_opened_again_is_no_longer_forgotten(room: Room, incident: int):
    room.change(lambda db: ends_by_itself(db, incident))
    assert room.ask(lambda db: len(reviews.forgotten(db, TEAM, since=NOVEMBER_18))) == 1

    room.change(lambda db: ends_later(db, incident))

    assert room.ask(lambda db: reviews.forgotten(db, TEAM, since=NOVEMBER_18)) == []


def ends_by_itself(db: Session, incident: int) -> None:
    here = sitting(db, incident)
    sittings.keep(db, replace(here, agenda=here.agenda.end(NOVEMBER_18)), now=NOVEMBER_18)
    incidents.record_change(
        db,
        here.incident,
        "meeting",
        here.meeting.id,
        what=reviews.FORGOTTEN,
        before=None,
        after=NOVEMBER_18.isoformat(),
        by=None,
        now=NOVEMBER_18,
    )


def ends_later(db: Session, incident: int) -> None:
    review = reviews.of(db, incidents.get(db, incident))
    meeting = reviews.last_held(db, review)
    assert meeting
    meeting.ended_at = NOVEMBER_18 + timedelta(minutes=5)
