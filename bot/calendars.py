"""A meeting as calendars take it in: the object of RFC 5545, the message of RFC 5546, and links that add it by hand."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from icalendar import Calendar, Event, vCalAddress, vText
from sqlalchemy.orm import Session

from bot.desk import House
from bot.review.incident import Place
from bot.review.plain_text import of_markup
from storage import messages, people, reviews, revised
from storage.models import Incident, Meeting

PRODUCT = "-//Debrief//Review of an incident//EN"
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.office.com/calendar/0/deeplink/compose"
FILE_NAME = "review.ics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What calendars hold of a meeting: by its `uid` it is known for ever, and a higher `sequence` replaces it."""

    uid: str
    sequence: int
    revised_at: datetime
    at: datetime
    minutes: int
    summary: str
    about: str
    where: str
    url: str
    is_private: bool

    @property
    def ends_at(self) -> datetime:
        return self.at + timedelta(minutes=self.minutes)

    def to_json(self) -> dict[str, Any]:
        """As it waits with a letter."""
        moments = {"at": self.at.isoformat(), "revised_at": self.revised_at.isoformat()}
        names = ("uid", "sequence", "minutes", "summary", "about", "where", "url", "is_private")
        return {name: getattr(self, name) for name in names} | moments

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """The same again."""
        moments = {name: datetime.fromisoformat(written[name]) for name in ("at", "revised_at")}
        return cls(**{**written, **moments})


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a letter is for: nobody else's address stands in it."""

    address: str
    name: str = ""


def as_file(appointment: Appointment) -> bytes:
    """The meeting for whoever takes it in by hand, without a method, as CalDAV wants it (RFC 4791, 4.1)."""
    return _written(_event(appointment))


def as_request(appointment: Appointment, guest: Guest, *, organizer: Guest) -> bytes:
    """The invitation of one person, or its newer version where its sequence is higher."""
    event = _event(appointment)
    event.add("organizer", _address(organizer))
    invited = _address(guest)
    invited.params |= {"ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("NEEDS-ACTION"), "RSVP": vText("FALSE")}
    event.add("attendee", invited)
    return _written(event, method="REQUEST")


def as_cancellation(appointment: Appointment, guest: Guest, *, organizer: Guest) -> bytes:
    """Takes the meeting out of one person's calendar."""
    event = _event(appointment)
    event["status"] = vText("CANCELLED")
    event.add("organizer", _address(organizer))
    event.add("attendee", _address(guest))
    return _written(event, method="CANCEL")


def _event(appointment: Appointment) -> Event:
    """Hours are in UTC: every calendar knows that zone, and shows them in its reader's."""
    event = Event()
    event.add("uid", appointment.uid)
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", appointment.revised_at.astimezone(UTC))
    event.add("dtstart", appointment.at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("summary", appointment.summary)
    event.add("description", appointment.about)
    event.add("location", appointment.where)
    if appointment.url:
        event.add("url", appointment.url)
    event.add("class", "PRIVATE" if appointment.is_private else "PUBLIC")
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    return event


def _address(guest: Guest) -> vCalAddress:
    address = vCalAddress(f"mailto:{guest.address}")
    if guest.name:
        address.params["CN"] = vText(_in_quotes(guest.name))
    return address


def _in_quotes(name: str) -> str:
    """A parameter takes no quotation mark and no control character (RFC 5545, 3.2)."""
    return " ".join("".join(" " if letter == '"' or not letter.isprintable() else letter for letter in name).split())


def _written(event: Event, *, method: str = "") -> bytes:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    if method:
        calendar.add("method", method)
    calendar.add_component(event)
    return calendar.to_ical()


# What is so ----------------------------------------------------------------------------

LONGEST_TITLE = 120


def appointment(db: Session, house: House, incident: Incident, meeting: Meeting) -> Appointment:
    """A meeting as it stands; of a private incident it says only that there is one, for many share their calendar."""
    return appointments(db, house, [(meeting, incident)])[meeting.id]


def appointments(db: Session, house: House, every: Sequence[tuple[Meeting, Incident]]) -> Mapping[int, Appointment]:
    """Each of these meetings of a workspace so, by the number of its row."""
    places = {meeting.id: reviews.place_of(db, incident, meeting) for meeting, incident in every}
    team = every[0][1].team_id
    home, channels = people.workspace(db, team).url, {place.channel for place in places.values()}
    public = {row.channel_id: row.name for row in people.channels(db, team, channels) if not row.private_since}
    names = _mentioned(db, team, [incident.title for _, incident in every])
    return {
        meeting.id: _appointment(
            house,
            incident,
            meeting,
            in_slack=_link_to(home, places[meeting.id]),
            channel=public.get(places[meeting.id].channel, ""),
            title=_on_a_line(incident.title, names),
        )
        for meeting, incident in every
    }


def _appointment(
    house: House, incident: Incident, meeting: Meeting, *, in_slack: str, channel: str, title: str
) -> Appointment:
    known, at = revised.held(meeting), meeting.meets_at or incident.opened_at
    is_private = incident.private_since is not None
    call = meeting.call or call_of(house, incident)
    # The name of a channel stands in it as long as everybody may know it.
    here = f"#{channel} in Slack" if channel and not is_private else "Slack"
    return Appointment(
        uid=meeting.uid or "",
        sequence=known.sequence if known else 0,
        revised_at=known.revised_at if known else at,
        at=at,
        minutes=meeting.minutes,
        summary="Review of an incident" if is_private else f"Review: {title}",
        about="\n".join(filter(None, (f"In {here}.", in_slack, ABOUT))),
        where=call or here,
        url=call or in_slack,
        is_private=is_private,
    )


ABOUT = "The pre-read is there a day before; there is nothing else to prepare."


def titled(db: Session, incident: Incident) -> str:
    """Its title on one line, with names in place of whom it mentions."""
    return _on_a_line(incident.title, _mentioned(db, incident.team_id, [incident.title]))


def _mentioned(db: Session, team: str, titles: Iterable[str]) -> Mapping[str, str]:
    users = {user for title in titles for user in MENTION.findall(title)}
    return people.names(db, team, users) if users else {}


def _on_a_line(title: str, names: Mapping[str, str]) -> str:
    words = of_markup(MENTION.sub(lambda found: f"@{names.get(found[1], found[1])}", title))
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1].rstrip()}…"


MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def call_of(house: House, incident: Incident) -> str:
    """Where the meetings of an incident are held besides Slack; empty where they are not."""
    return house.meeting_link.replace("{incident}", str(incident.id))


def _link_to(home: str, place: Place) -> str:
    if not home:
        return ""
    if place.thread:
        return messages.permalink(home, place.channel, place.thread)
    return f"{home.rstrip('/')}/archives/{place.channel}"


# By hand ------------------------------------------------------------------------------


def google_link(appointment: Appointment) -> str:
    """Opens Google Calendar with the meeting filled in."""
    begins, ends = (f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in (appointment.at, appointment.ends_at))
    asked = {
        "action": "TEMPLATE",
        "text": appointment.summary,
        "dates": f"{begins}/{ends}",
        "location": appointment.url or appointment.where,
    }
    return f"{GOOGLE}?{urlencode(asked)}"


def outlook_link(appointment: Appointment) -> str:
    """Opens Outlook's calendar with the meeting filled in."""
    asked = {
        "rru": "addevent",
        "subject": appointment.summary,
        "startdt": f"{appointment.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{appointment.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "location": appointment.url or appointment.where,
    }
    return f"{OUTLOOK}?{urlencode(asked)}"
