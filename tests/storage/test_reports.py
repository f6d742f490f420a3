"""The facts of a report, as they are read from either database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot import reporting
from bot.review.timeline import Kind
from storage import incidents, messages, reports, timeline
from storage.models import Incident
from tests.cast import CHANNEL, MARA, TEAM, TOMAS, Room, a_message, a_room, an_incident


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def put_on(db: Session, incident: int, ts: str) -> None:
    message = messages.find(db, TEAM, CHANNEL, ts)
    assert message
    whole: Incident = incidents.get(db, incident)
    at = message.posted_at
    timeline.add(db, whole, Kind.note, at, by=MARA, source="message", now=at, message=message)


def test_an_event_has_the_words_and_the_address_of_its_message(room: Room):
    incident, ts = an_incident(room), a_message(room, "rolled back")
    room.change(lambda db: put_on(db, incident, ts))

    (event,) = room.ask(lambda db: reports.read(db, incidents.get(db, incident)).timeline)

    assert (event.text, event.permalink) == (
        "rolled back",
        messages.permalink("https://sandbox.example.com/", CHANNEL, ts),
    )


def test_whom_a_message_mentions_is_named_in_the_report(room: Room):
    incident, ts = an_incident(room, lead=MARA), a_message(room, f"@{TOMAS} look")
    room.change(lambda db: put_on(db, incident, ts))

    assert "@Tomas look" in room.ask(reporting.markdown, TEAM, incident)
