"""The facts of a report, as they are read from either database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot import formats
from bot.review.heard import ChannelFact
from bot.review.incident import ChannelId, Place
from bot.review.timeline import Kind
from storage import channels, incidents, messages, people, reports, timeline
from storage.models import Incident
from tests.cast import (
    CHANNEL,
    JONAS,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    a_room,
    an_incident,
)


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

    assert "@Tomas look" in room.ask(formats.markdown, TEAM, incident)


def test_those_inside_are_found_with_one_question_by_the_rules_of_who_may_see(room: Room):
    incident = an_incident(room, private=NOVEMBER_18)
    everybody = [MARA, TOMAS, PRIYA, JONAS, *(f"U0N{n}" for n in range(30))]
    room.change(lambda db: (inside(db, CHANNEL, *everybody), inside(db, "C0SECRET", MARA, TOMAS, PRIYA, OUTSIDER)))
    room.change(lambda db: channels.make_private(db, TEAM, "C0SECRET", at=NOVEMBER_18))
    room.change(lambda db: incidents.listen(db, incidents.get(db, incident), SECRET, name="secret", since=NOVEMBER_18))
    gone: dict[str, Any] = {"name": "", "zone": "UTC", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, PRIYA, **gone))
    asked = statements(room)

    with room.storage.read() as db:
        whole = incidents.get(db, incident)
        asked.clear()
        found = set(reports.insiders(db, whole))
        count = len(asked)

    one_by_one = {user for user in [*everybody, OUTSIDER] if room.ask(incidents.by_number, TEAM, incident, user)}
    assert found == one_by_one == {MARA, TOMAS, OUTSIDER}
    assert count == 1


SECRET = Place(ChannelId("C0SECRET"))


def inside(db: Session, channel: str, *users: str) -> None:
    channels.keep_channel(db, TEAM, ChannelFact(channel=channel, at=NOVEMBER_18, name="inc", how="created"))
    channels.know_members(db, TEAM, channel, users, now=NOVEMBER_18)


def statements(room: Room) -> list[str]:
    """What the database is asked."""
    asked: list[str] = []

    def ask(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(room.storage.engine, "before_cursor_execute", ask)
    return asked
