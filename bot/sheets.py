"""What is hung in Slack, as it is now: the timeline as a picture, the report as a page."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from bot import calendars, drawing, formats
from bot.calendars import Appointment
from bot.desk import House
from bot.drawing import Picture
from storage import incidents, outbox, revised
from storage.session import Storage

ALT_LIMIT = 1_000
"""Characters of what is read to who cannot see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is to be hung: what the file is called and is, what is read to who cannot see it, and how it is made.

    By `mark` the same one is known again without being made.
    """

    name: str
    title: str
    mimetype: str
    alt: str
    mark: str
    made: Callable[[], bytes]

    @property
    def is_picture(self) -> bool:
        """Whether Slack shows it in a block."""
        return self.mimetype.startswith("image/")


def in_block(file: str, sheet: Sheet, *, words: str) -> list[dict[str, Any]]:
    """An uploaded picture as a message shows it, with words above, and words for who cannot see it."""
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": words}},
        {"type": "image", "slack_file": {"id": file}, "alt_text": sheet.alt[:ALT_LIMIT] or sheet.title},
    ]


class Sheets:
    """Draws from what the database knows; whoever draws is one of `formats`, in the forms of this house."""

    def __init__(
        self,
        storage: Storage,
        team: str,
        *,
        house: House = formats.AS_IT_COMES,
        draw: Callable[[Session, str, int, House], Picture | None] = formats.picture,
        print_html: Callable[[Session, str, int, House], str] = formats.html,
        print_pdf: Callable[[Session, str, int, House], bytes] = formats.pdf,
    ) -> None:
        self._storage, self._team, self._house = storage, team, house
        self._draw, self._print_html, self._print_pdf = draw, print_html, print_pdf

    def of(self, key: str, incident: int | None, *, reader: str) -> Sheet | None:
        """What is to be seen under the key of a note, by whoever reads it; None where there is nothing (any more).

        Raises NotDrawn.
        """
        if key.startswith(outbox.CALENDAR):
            return self._calendar(key)
        if incident is None:
            return None
        with self._storage.read() as db:
            if key.startswith(outbox.PAGE):
                return self._page(db, incident, key.split(":")[1], reader=reader)
            picture = self._draw(db, self._team, incident, self._house)
            return _of_picture(picture) if picture else None

    def _calendar(self, key: str) -> Sheet | None:
        """For as long as the meeting is not called off, in the place where it is held."""
        with self._storage.read() as db:
            meeting, incident = revised.of(db, int(key.split(":")[1]))
            if meeting.cancelled_at or meeting.uid is None or key != revised.key(db, incident, meeting):
                return None
            return _of_meeting(calendars.appointment(db, self._house, incident, meeting))

    def _page(self, db: Session, incident: int, form: str, *, reader: str) -> Sheet | None:
        """For somebody who may still read it."""
        if incidents.by_number(db, self._team, incident, reader) is None:
            return None
        which = self._team, incident, self._house
        if form == "pdf":
            return _of_report(self._print_pdf(db, *which), f"review-{incident}.pdf", "application/pdf")
        return _of_report(self._print_html(db, *which).encode(), f"review-{incident}.html", "text/html")


def _of_picture(picture: Picture) -> Sheet:
    return Sheet(
        name="timeline.png",
        title="Timeline",
        mimetype="image/png",
        alt=picture.about,
        mark=hashlib.sha256(f"{picture.about}\n{picture.svg}".encode()).hexdigest(),
        made=partial(drawing.png, picture.svg),
    )


def _of_meeting(appointment: Appointment) -> Sheet:
    """Who is asked to come makes no difference to it, and its number no other file."""
    lasting = replace(appointment, sequence=0, revised_at=appointment.at)
    return Sheet(
        name=calendars.FILE_NAME,
        title="For your calendar",
        mimetype="text/calendar",
        alt="",
        mark=hashlib.sha256(calendars.as_file(lasting)).hexdigest(),
        made=lambda: calendars.as_file(appointment),
    )


def _of_report(content: bytes, name: str, mimetype: str) -> Sheet:
    return Sheet(
        name=name,
        title="Report",
        mimetype=mimetype,
        alt="",
        mark=hashlib.sha256(content).hexdigest(),
        made=lambda: content,
    )
