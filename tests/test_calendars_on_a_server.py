"""A meeting in a real calendar: it is taken in, moved and taken out, and its person is busy just then."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.caldav import Calendars, Person
from bot.calendars import Appointment, Guest, as_cancellation, as_file, as_request
from tests.calendar_server import READER, READERS_PASSWORD, CalendarServer, a_calendar_server

MARA = "mara@example.com"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEN = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)
ORGANIZER = Guest("debrief@example.com", "Debrief")
MEETING = Appointment(
    uid="meeting-7@debrief.example.com",
    sequence=0,
    revised_at=NOW,
    at=TEN,
    minutes=60,
    summary="Review: Checkout; slow, naïve — 50 % über…",
    about="What happened, and what we learn from it.\nThe pre-read comes a day before, in Slack.",
    where="#inc-checkout in Slack",
    url="https://sandbox.example.com/archives/C0INC",
    is_private=False,
)
MOVED = replace(MEETING, sequence=1, at=TEN + timedelta(days=1))


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with a_calendar_server(tmp_path_factory.mktemp("calendars"), MARA) as server:
        yield server


async def busy(server: CalendarServer) -> list[tuple[datetime, datetime]]:
    calendars = Calendars(server.address, READER, READERS_PASSWORD)
    return list(await calendars.busy(Person(MARA, UTC), NOW, NOW + timedelta(days=14)))


def taken_in(letter: bytes) -> bytes:
    """As a mail program puts an invitation into the calendar: without what it asks (RFC 4791, 4.1)."""
    lines = letter.split(b"\r\n")
    assert sum(line.startswith(b"METHOD:") for line in lines) == 1
    return b"\r\n".join(line for line in lines if not line.startswith(b"METHOD:"))


async def test_the_file_of_a_meeting_is_taken_in_and_replaced_by_the_one_of_its_new_hour(server: CalendarServer):
    assert server.put(MARA, "review", as_file(MEETING)) == 201
    assert await busy(server) == [(TEN, TEN + AN_HOUR)]

    assert server.put(MARA, "review", as_file(MOVED)) in {201, 204}

    assert await busy(server) == [(MOVED.at, MOVED.at + AN_HOUR)]
    kept = server.get(MARA, "review").decode()
    assert kept.count("BEGIN:VEVENT") == 1
    assert "SEQUENCE:1" in kept
    assert "UID:meeting-7@debrief.example.com" in kept


async def test_an_invitation_is_taken_in_moved_and_taken_out_by_its_letters(server: CalendarServer):
    guest = Guest(MARA, "Mara")

    assert server.put(MARA, "review", taken_in(as_request(MEETING, guest, organizer=ORGANIZER))) == 201
    assert await busy(server) == [(TEN, TEN + AN_HOUR)]

    moved = taken_in(as_request(MOVED, guest, organizer=ORGANIZER))
    assert server.put(MARA, "review", moved) in {201, 204}
    assert await busy(server) == [(MOVED.at, MOVED.at + AN_HOUR)]

    off = taken_in(as_cancellation(replace(MOVED, sequence=2), guest, organizer=ORGANIZER))
    assert server.put(MARA, "review", off) in {201, 204}
    assert await busy(server) == []


async def test_a_title_of_odd_letters_comes_back_as_it_was(server: CalendarServer):
    server.put(MARA, "review", as_file(MEETING))

    kept = server.get(MARA, "review").replace(b"\r\n ", b"").decode()

    assert "SUMMARY:Review: Checkout\\; slow\\, naïve — 50 % über…" in kept
