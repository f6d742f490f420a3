"""What a calendar server answers is understood, or it is said that it is not; nothing in it can harm."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.busy_hours import Reader, Span, Unreadable, Window, of_entries, of_free_busy
from tests.calendar_server import an_entry, from_until

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = Window(MONDAY, MONDAY + timedelta(days=7))
NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'


def at(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def times(*lines: str) -> bytes:
    told = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VFREEBUSY", *lines, "END:VFREEBUSY", "END:VCALENDAR", ""]
    return "\r\n".join(told).encode()


def answered(*calendars: bytes, before: str = "") -> bytes:
    told = "".join(f"<D:response><C:calendar-data>{one.decode()}</C:calendar-data></D:response>" for one in calendars)
    return f"{before}<D:multistatus {NAMES}>{told}</D:multistatus>".encode()


def read(*calendars: bytes) -> list[Span]:
    return of_entries(answered(*calendars), WEEK, email="mara@example.com", zone=BERLIN)


def test_several_times_may_stand_in_a_line_by_their_end_or_their_length():
    told = times(
        "FREEBUSY;FBTYPE=BUSY:20261124T090000Z/20261124T100000Z,20261124T110000Z/PT30M",
        "FREEBUSY:20261125T090000Z/20261125T100000Z",
    )

    assert of_free_busy(told, WEEK) == [(at(1, 9), at(1, 10)), (at(1, 11), at(1, 11.5)), (at(2, 9), at(2, 10))]


@pytest.mark.parametrize(
    ("kind", "is_busy"), [("BUSY", 1), ("BUSY-TENTATIVE", 1), ("BUSY-UNAVAILABLE", 1), ("FREE", 0)]
)
def test_who_is_free_is_not_busy(kind: str, is_busy: int):
    told = times(f"FREEBUSY;FBTYPE={kind}:20261124T090000Z/20261124T100000Z")

    assert len(of_free_busy(told, WEEK)) == is_busy


def test_times_that_are_over_or_too_far_are_left_out():
    told = times(
        "FREEBUSY:20261123T000000Z/20261123T000000Z",
        "FREEBUSY:20261122T230000Z/20261123T000000Z",
        "FREEBUSY:20261130T000000Z/20261130T010000Z",
    )

    assert of_free_busy(told, WEEK) == []


def test_a_time_without_a_zone_is_read_in_the_one_of_its_person():
    assert read(an_entry("x", "DTSTART:20261124T090000", "DTEND:20261124T100000")) == [(at(1, 8), at(1, 9))]


def test_several_days_and_no_end_are_read_as_the_standard_says():
    days = an_entry("x", "DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126")
    moment = an_entry("y", "DTSTART:20261128T090000Z")

    assert read(days, moment) == [(at(0, 23), at(2, 23))]


def test_an_entry_that_cannot_be_read_is_passed_over():
    spoilt = an_entry("x", "DTSTART:tomorrow")

    assert read(spoilt, an_entry("y", *from_until(at(1, 9), at(1, 10)))) == [(at(1, 9), at(1, 10))]


def test_an_answer_of_which_nothing_can_be_read_is_not_taken_for_an_empty_calendar():
    with pytest.raises(Unreadable):
        read(an_entry("x", "DTSTART:tomorrow"))


def test_an_answer_without_entries_is_an_empty_calendar():
    assert read() == []


def test_what_is_not_spelt_out_is_not_taken_for_once():
    with pytest.raises(Unreadable, match="repeats"):
        read(an_entry("x", *from_until(at(1, 9), at(1, 10)), "RRULE:FREQ=DAILY"))


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART:00010101T000000Z",
        "DTSTART:99991231T235959Z",
        "DTSTART;TZID=Europe:20261124T090000",
        "DTSTART;TZID=../../etc/passwd:20261124T090000",
        "DTSTART;VALUE=DATE:99991231",
        "DTSTART;VALUE=PERIOD:20261124T090000Z/PT1H",
        "DTSTART:20261124T090000Z\r\nDURATION:P999999999D",
        "DTSTART:20261124T090000Z\r\nDURATION:-P1D",
        "DTSTART:20261124T090000Z\r\nDTEND;VALUE=DATE:20261120",
        "DTSTART:20261124T090000Z\r\nDTSTART:20261125T090000Z",
        "TRANSP:OPAQUE",
    ],
)
def test_impossible_times_keep_nobody_busy(line: str):
    assert read(an_entry("x", *line.split("\r\n")), an_entry("y", *from_until(at(1, 9), at(1, 10)))) == [
        (at(1, 9), at(1, 10))
    ]


@given(st.data())
def test_whatever_is_answered_is_read_or_refused(data: st.DataObject):
    whole = [
        times("FREEBUSY;FBTYPE=BUSY:20261124T090000Z/20261124T100000Z,20261124T110000Z/PT30M"),
        an_entry("x", "DTSTART;TZID=Europe/Berlin:20261124T090000", "DURATION:PT1H", "ATTENDEE;CN=M:mailto:m@x"),
        answered(an_entry("x", *from_until(at(1, 9), at(1, 10)))),
    ]
    spoilt = bytearray(data.draw(st.sampled_from(whole)))
    for place in data.draw(st.lists(st.integers(0, len(spoilt) - 1), min_size=1, max_size=6)):
        spoilt[place : place + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6))

    for understand in (
        lambda: of_free_busy(bytes(spoilt), WEEK),
        lambda: of_entries(bytes(spoilt), WEEK, email="m@x", zone=BERLIN),
        lambda: of_entries(answered(bytes(spoilt.replace(b"<", b""))), WEEK, email="m@x", zone=BERLIN),
    ):
        try:
            found = understand()
        except (Unreadable, UnicodeDecodeError):
            continue
        assert all(MONDAY <= from_at < until_at <= WEEK.until for from_at, until_at in found)


class Credulous(Reader):
    """The twin: takes what a document declares."""

    def _refuse(self, *_: object) -> None:
        pass


def test_nothing_that_a_document_declares_is_taken():
    declares = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
    laughs = answered(b"&c;", before=declares)

    with pytest.raises(Unreadable, match="document type"):
        Reader().read(laughs)
    assert Credulous().read(laughs) == ["ha" * 9]


def test_a_file_of_this_machine_is_not_read():
    declares = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>'

    with pytest.raises(Unreadable, match="document type"):
        Reader().read(answered(b"&f;", before=declares))
