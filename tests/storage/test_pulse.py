"""Taps in two processes on one database."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId
from bot.review.pulse import Pulse, Said
from storage import incidents, pulse, reviews
from storage.models import Meeting
from storage.session import Storage
from tests.cast import CHANNEL, MARA, NOVEMBER_18, TEAM, TOMAS, Room, a_room, an_incident


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def meeting(db: Session) -> Meeting:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[-1]


def test_two_people_who_tap_at_once_are_two_answers(room: Room, database_url: str):
    an_incident(room)
    room.change(lambda db: reviews.plan(db, incidents.get(db, 1), at=NOVEMBER_18, by=MARA, now=NOVEMBER_18))
    other = Storage(database_url)

    def second() -> None:
        with other.write() as db:
            pulse.tap(db, meeting(db), TOMAS, Said.safe)

    with room.storage.write() as db:
        here = meeting(db)
        tapping = threading.Thread(target=second)
        pulse.tap(db, here, MARA, Said.learned)
        tapping.start()
        tapping.join(timeout=0.3)
    tapping.join()
    other.close()

    assert Pulse.from_json(room.change(meeting).pulse) == Pulse(answers=2, learned=1, safe=1)


def test_the_marks_of_a_meeting_go_and_those_of_another_stay(room: Room):
    for number, channel in ((1, CHANNEL), (2, ChannelId("C0OTHER"))):
        an_incident(room, channel=channel)
        room.change(
            lambda db, number=number: reviews.plan(
                db, incidents.get(db, number), at=NOVEMBER_18, by=MARA, now=NOVEMBER_18
            )
        )
    first, second = room.change(lambda db: [_last(db, number) for number in (1, 2)])
    for each in (first, second):
        room.change(lambda db, each=each: pulse.tap(db, db.get_one(Meeting, each), MARA, Said.learned))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, 1)), "published_at", NOVEMBER_18))

    over = room.ask(lambda db: pulse.to_forget(db, TEAM, now=NOVEMBER_18))
    room.change(lambda db: pulse.forget(db, over, now=NOVEMBER_18))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, 2)), "closed_at", NOVEMBER_18))

    assert over == [first]
    assert room.ask(lambda db: pulse.to_forget(db, TEAM, now=NOVEMBER_18)) == [second]


def _last(db: Session, incident: int) -> int:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[-1].id
