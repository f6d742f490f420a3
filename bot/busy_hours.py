"""What a calendar server answers, as times in which somebody is busy; titles, places and people are not looked at.

Two answers are understood (RFC 4791): free and busy times (7.10), and entries whose repetitions are spelt out (9.6.5).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from xml.parsers import expat

from icalendar import Calendar, Component

Span = tuple[datetime, datetime]
"""From when until when, in UTC."""

CALENDAR_DATA = "urn:ietf:params:xml:ns:caldav calendar-data"
NOT_BUSY = {"FREE"}
"""Kinds of time (RFC 5545, 3.2.9) in which somebody can come; who is tentatively busy is busy."""
SPOILT = (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError)
"""What comes of reading what is no calendar, or has impossible times, or names a folder of the disk for a zone."""


class Unreadable(Exception):
    """Why an answer is not understood, in words that name nobody."""


class Window:
    """The time that is asked about; what reaches over its edges is cut off, and what is outside is left out."""

    def __init__(self, after: datetime, until: datetime) -> None:
        self.after = after.astimezone(UTC)
        self.until = until.astimezone(UTC)

    def cut(self, from_at: datetime, until_at: datetime) -> Iterator[Span]:
        span = max(self.after, from_at.astimezone(UTC)), min(self.until, until_at.astimezone(UTC))
        if span[0] < span[1]:
            yield span


def of_free_busy(answer: bytes, window: Window) -> list[Span]:
    """The busy times of an answer with free and busy ones; raises Unreadable."""
    try:
        told = Calendar.from_ical(answer).walk("VFREEBUSY")
        spans = [span for one in told for period in _listed(one, "FREEBUSY") for span in _period(period, window)]
    except SPOILT as error:
        raise Unreadable("its free and busy times cannot be read") from error
    if not told:
        raise Unreadable("it told no free and busy times")
    return spans


def _period(period: Any, window: Window) -> Iterator[Span]:
    if str(period.params.get("FBTYPE", "BUSY")).upper() not in NOT_BUSY:
        yield from window.cut(_aware(period.start, UTC), _aware(period.end, UTC))


def of_entries(answer: bytes, window: Window, *, email: str, zone: tzinfo) -> list[Span]:
    """The busy times of an answer with entries; raises Unreadable.

    1. An entry that is shown as free, was cancelled, or that this person has declined keeps them from nothing.
    2. Whole days, and times without a zone, are those of the person's zone.
    3. An entry that cannot be read is passed over, and where that is all of them, the answer is not understood.
    """
    texts, spans, spoilt = Reader().read(answer), list[Span](), 0
    for text in texts:
        try:
            events = Calendar.from_ical(text).walk("VEVENT")
            spans += [span for event in events for span in _event(event, window, email, zone)]
        except SPOILT:
            spoilt += 1
    if spoilt and spoilt == len(texts):
        raise Unreadable("its entries cannot be read")
    return spans


def _event(event: Component, window: Window, email: str, zone: tzinfo) -> Iterator[Span]:
    if "RRULE" in event:
        raise Unreadable("it does not spell out what repeats")
    if _is_busy(event, email):
        from_at, until_at = _edges(event, zone)
        yield from window.cut(from_at, until_at)


def _is_busy(event: Component, email: str) -> bool:
    shown_free = str(event.get("TRANSP", "OPAQUE")).upper() == "TRANSPARENT"
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    return not shown_free and not cancelled and not any(_declined(one, email) for one in _listed(event, "ATTENDEE"))


def _declined(attendee: Any, email: str) -> bool:
    is_them = str(attendee).casefold().removeprefix("mailto:") == email.casefold()
    return is_them and str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED"


def _edges(event: Component, zone: tzinfo) -> tuple[datetime, datetime]:
    """Without an end, a whole day lasts one day and everything else no time at all (RFC 5545, 3.6.1)."""
    start = event.decoded("DTSTART")
    if "DTEND" in event:
        return _aware(start, zone), _aware(event.decoded("DTEND"), zone)
    if "DURATION" in event:
        return _aware(start, zone), _aware(start, zone) + event.decoded("DURATION")
    end = start if isinstance(start, datetime) else start + timedelta(days=1)
    return _aware(start, zone), _aware(end, zone)


def _aware(at: date, zone: tzinfo) -> datetime:
    moment = at if isinstance(at, datetime) else datetime.combine(at, time.min)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _listed(component: Component, name: str) -> Sequence[Any]:
    """The values of a property, which is a list only where there are several."""
    found = component.get(name, [])
    return found if isinstance(found, list) else [found]


class Reader:
    """Gathers what stands in `calendar-data`, the calendar of each entry of an answer in XML.

    A document type is refused at its first word: what it declares may be read from elsewhere or grow without end.
    """

    def __init__(self) -> None:
        self._calendars: list[str] = []
        self._parts: list[str] | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def read(self, answer: bytes) -> list[str]:
        """Raises Unreadable."""
        try:
            self._parser.Parse(answer, True)
        except (expat.ExpatError, ValueError) as error:
            raise Unreadable("its XML cannot be read") from error
        return self._calendars

    def _refuse(self, *_: object) -> None:
        raise Unreadable("its XML declares a document type")

    def _start(self, name: str, _attributes: object) -> None:
        if name == CALENDAR_DATA:
            self._parts = []

    def _text(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        if name == CALENDAR_DATA and self._parts is not None:
            self._calendars.append("".join(self._parts))
            self._parts = None
