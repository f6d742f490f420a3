"""What was known only after a decision, on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.hindsight import Said
from bot.review.incident import UserId
from bot.review.timeline import Kind
from storage import incidents, later, people, timeline, walk
from storage.models import Message
from tests.cast import MARA, NOVEMBER_18, PRIYA, TEAM, Room, a_message, a_room, an_incident

FACT = "turns out the disk of db-3 had failed in the morning already"


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def known(room: Room, incident: int) -> list[str]:
    decision = Said(None, NOVEMBER_18 + timedelta(minutes=5), PRIYA, "let's restart db-3")

    def look(db: Session) -> list[str]:
        until = NOVEMBER_18 + timedelta(days=1)
        found = later.known_after(db, incidents.get(db, incident), decision, until=until)
        return [f"{one.at:%H:%M} {one.words}" for one in found]

    return room.ask(look)


def test_it_is_found_with_its_time_and_what_slack_or_we_wrote_is_not(room: Room):
    incident = an_incident(room)
    a_message(room, FACT, at=NOVEMBER_18 + timedelta(minutes=31))
    a_message(room, f"{FACT}, we said", at=NOVEMBER_18 + timedelta(minutes=32), by=UserId("U0DEBRIEF"))
    topic = a_message(room, f"{FACT}, says the topic", at=NOVEMBER_18 + timedelta(minutes=33))
    room.change(lambda db: db.query(Message).filter(Message.ts == topic).update({"subtype": "channel_topic"}))

    assert known(room, incident) == [f"14:31 {FACT}"]


def test_somebody_is_found_by_the_name_a_typed_event_begins_with(room: Room):
    incident = an_incident(room)

    def type_it(db: Session) -> None:
        people.know(db, TEAM, "U0EMILE", name="Émile Roy", zone="UTC", email=None, bot=None, gone=None, now=room.now)
        row = incidents.get(db, incident)
        for text in ("Émile restarted it", "priya restarted it", "100% of pods restarted"):
            timeline.add(db, row, Kind.action_taken, room.now, by=MARA, source="typed", now=room.now, text=text)

    room.change(type_it)

    who = room.ask(lambda db: [event.who for event in walk.events(db, incidents.get(db, incident))])
    assert who == ["U0EMILE", MARA, MARA]
