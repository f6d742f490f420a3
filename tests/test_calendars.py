"""A meeting as calendars take it in, read back by two other readers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import vobject

from bot import calendars
from bot.calendars import Appointment, Guest
from tests.mailboxes import read_twice

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REVIEW = Appointment(
    uid="4b1c",
    sequence=2,
    revised_at=datetime(2026, 11, 18, 14, 0, tzinfo=UTC),
    at=AT,
    minutes=60,
    summary="Review of “Checkout is slow”",
    about="The pre-read is there a day before.",
    where="#inc-checkout in Slack",
    url="https://sandbox.example.com/archives/C0INC",
    is_private=False,
)
MARA, BOT = Guest("mara@sandbox.example", "Mara"), Guest("debrief@sandbox.example", "Debrief")
WORDS = [
    "",
    "a;b,c \\ d",
    "one\r\nATTENDEE:mailto:eve@example.com\r\nEND:VEVENT",
    "é" * 300,
    "评审 🚒 " * 40,
    'quoted "so" and \u202eturned',
    "x" * 5_000,
]


def test_an_invitation_says_what_when_where_and_who_asks_whom():
    request = calendars.as_request(REVIEW, MARA, organizer=BOT).decode().replace("\r\n ", "")

    assert sorted(request.splitlines()) == sorted(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Debrief//Review of an incident//EN",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            "UID:4b1c",
            "SEQUENCE:2",
            "DTSTAMP:20261118T140000Z",
            "DTSTART:20261120T090000Z",
            "DTEND:20261120T100000Z",
            "SUMMARY:Review of “Checkout is slow”",
            "DESCRIPTION:The pre-read is there a day before.",
            "LOCATION:#inc-checkout in Slack",
            "URL:https://sandbox.example.com/archives/C0INC",
            "CLASS:PUBLIC",
            "STATUS:CONFIRMED",
            "TRANSP:OPAQUE",
            "ORGANIZER;CN=Debrief:mailto:debrief@sandbox.example",
            "ATTENDEE;CN=Mara;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:mara@sandbox.example",
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    )


@pytest.mark.parametrize("words", WORDS)
def test_two_readers_read_the_same_whatever_it_is_called(words: str):
    request = calendars.as_request(replace(REVIEW, summary=words, about=words, where=words), MARA, organizer=BOT)

    uid, method, entry = read_twice(request.decode())

    assert (uid, method, entry.sequence, entry.begins) == ("4b1c", "REQUEST", 2, "2026-11-20T09:00:00+00:00")
    assert entry.summary == words.replace("\r\n", "\n")


@pytest.mark.parametrize("words", WORDS)
def test_no_line_is_longer_than_calendars_take(words: str):
    request = calendars.as_request(replace(REVIEW, summary=words), replace(MARA, name=words), organizer=BOT)

    assert max(len(line) for line in request.split(b"\r\n")) <= 75
    assert request.count(b"\n") == request.count(b"\r\n")


@pytest.mark.parametrize("name", WORDS)
def test_a_name_adds_no_guest_and_no_line(name: str):
    request = calendars.as_request(REVIEW, replace(MARA, name=name), organizer=replace(BOT, name=name))

    event = vobject.readOne(request.decode()).vevent
    assert [guest.value for guest in event.attendee_list] == ["mailto:mara@sandbox.example"]
    assert event.organizer.value == "mailto:debrief@sandbox.example"


def test_a_cancellation_takes_the_same_meeting_out():
    cancelled = calendars.as_cancellation(REVIEW, MARA, organizer=BOT)

    uid, method, entry = read_twice(cancelled.decode())

    assert (uid, method, entry.status) == ("4b1c", "CANCEL", "CANCELLED")


def test_the_file_names_nobody_and_has_no_method_for_a_server_of_calendars_would_refuse_it():
    written = calendars.as_file(REVIEW).decode()

    uid, method, entry = read_twice(written)

    assert (uid, method, entry.status) == ("4b1c", "", "CONFIRMED")
    assert "@" not in written.replace("4b1c", "")


@pytest.mark.parametrize(("is_private", "seen"), [(True, "PRIVATE"), (False, "PUBLIC")])
def test_a_private_incident_is_private_in_the_calendar(*, is_private: bool, seen: str):
    written = calendars.as_file(replace(REVIEW, is_private=is_private))

    assert vobject.readOne(written.decode()).vevent.contents["class"][0].value == seen


def test_a_meeting_without_an_address_of_its_own_has_none_in_the_calendar():
    with_one, without = (vobject.readOne(calendars.as_file(replace(REVIEW, url=url)).decode()) for url in ("x:y", ""))

    assert [url.value for url in with_one.vevent.contents["url"]] == ["x:y"]
    assert "url" not in without.vevent.contents


def test_what_waits_with_a_letter_is_the_same_when_it_goes():
    assert Appointment.from_json(REVIEW.to_json()) == REVIEW


HOURS: Mapping[Callable[[Appointment], str], dict[str, list[str]]] = {
    calendars.google_link: {"dates": ["20261120T090000Z/20261120T100000Z"]},
    calendars.outlook_link: {"startdt": ["2026-11-20T09:00:00Z"], "enddt": ["2026-11-20T10:00:00Z"]},
}


@pytest.mark.parametrize("link", HOURS)
def test_a_link_fills_in_the_meeting(link: Callable[[Appointment], str]):
    odd = replace(REVIEW, summary="R&D: 100% ?#", at=AT.astimezone(ZoneInfo("Asia/Kolkata")))

    asked = parse_qs(urlsplit(link(odd)).query)

    assert "R&D: 100% ?#" in {*asked.get("text", []), *asked.get("subject", [])}
    assert asked | HOURS[link] == asked
    assert asked["location"] == ["https://sandbox.example.com/archives/C0INC"]
    assert parse_qs(urlsplit(link(replace(odd, url=""))).query)["location"] == ["#inc-checkout in Slack"]
