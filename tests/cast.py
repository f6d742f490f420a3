"""The people and things tests speak about, a desk whose clock is a variable, and the transcript of what was said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk, House, Notes
from bot.render import Rendered, Renderer
from bot.review.incident import ChannelId, Place, TeamId, UserId
from bot.review.lifecycle import Role, Stage
from storage import incidents, people, reviews
from storage.incidents import Where
from storage.models import Incident, Message, OutboxNote, Source
from storage.session import Storage, upgrade

TEAM = TeamId("T0SANDBOX")
NOVEMBER_18 = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
"""A Wednesday."""

MARA, TOMAS, PRIYA, JONAS, OUTSIDER = (UserId(u) for u in ("U0MARA", "U0TOMAS", "U0PRIYA", "U0JONAS", "U0OUTSIDER"))
ZONES = {
    MARA: "Europe/Berlin",
    TOMAS: "Europe/London",
    PRIYA: "Asia/Kolkata",
    JONAS: "America/New_York",
    OUTSIDER: "UTC",
}
CHANNEL = ChannelId("C0INC")
HERE = Where(Place(CHANNEL))
HOW_TO_STOP = "`/review reminders snooze` pauses messages like this for a week, `/review reminders off` stops them."
"""How a direct message that nobody asked for ends."""


@cache
def renderer(command: str) -> Renderer:
    """One for all rooms: compiling the templates takes longer than most tests."""
    return Renderer(command=command)


@dataclass
class Room:
    """A desk in a room with one clock on the wall; everything said goes into the transcript."""

    storage: Storage
    now: datetime = NOVEMBER_18
    house: House = field(default_factory=House)

    def __post_init__(self) -> None:
        self.desk = Desk(
            self.storage,
            renderer(self.house.command),
            team=TEAM,
            house=self.house,
            now=lambda: self.now,
        )

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def serve(self, ability: Callable[..., Notes | None], /, **what: Any) -> str:
        """Serve an ability and give its private answer as plain text, empty where there is none."""
        answer = self.answer(ability, **what)
        return answer.text if answer else ""

    def answer(self, ability: Callable[..., Notes | None], /, **what: Any) -> Rendered | None:
        return self.desk.serve(ability, **what)

    def ask(self, question: Callable[..., Any], *args: Any) -> Any:
        """Ask storage a question: `room.ask(actions.still_open, TEAM)`."""
        with self.storage.read() as db:
            return question(db, *args)

    def change(self, deed: Callable[[Session], Any]) -> Any:
        """Arrange something straight in the database."""
        with self.storage.write() as db:
            return deed(db)

    def transcript(self, to: str | None = None) -> list[str]:
        """What was said unasked, in order: everywhere, or to one channel or person."""
        query = select(OutboxNote).order_by(OutboxNote.id)
        if to:
            query = query.where(OutboxNote.channel_id == to)
        with self.storage.read() as db:
            return [note.text for note in db.scalars(query)]


def a_room(folder: Path, url: str | None = None) -> Room:
    """A room with people in it and an empty database: the migrated one of this URL, else a new one in the folder."""
    if url is None:
        (folder / "debrief.db").write_bytes(_migrated())
        url = f"sqlite:///{folder}/debrief.db"
    room = Room(Storage(url))
    room.change(_people)
    return room


@cache
def _migrated() -> bytes:
    """A database with nothing in it; to make it takes longer than most tests."""
    with TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/debrief.db")
        return Path(folder, "debrief.db").read_bytes()


def _people(db: Session) -> None:
    people.know_workspace(
        db,
        TEAM,
        name="Sandbox",
        url="https://sandbox.example.com/",
        bot_user="U0DEBRIEF",
        bot_id="B0DEBRIEF",
        mark_key="k",
    )
    for user, zone in ZONES.items():
        name = user.removeprefix("U0").capitalize()
        people.know(db, TEAM, user, name=name, zone=zone, email=None, bot=None, gone=None, now=NOVEMBER_18)


def an_incident(
    room: Room,
    *,
    title: str = "Checkout is slow",
    severity: str | None = "sev2",
    lead: UserId = MARA,
    channel: ChannelId = CHANNEL,
    private: datetime | None = None,
    opened_at: datetime | None = None,
) -> int:
    """An open incident in a channel, led by Mara; the number it has."""

    def open_it(db: Session) -> int:
        incident = Incident(
            team_id=TEAM,
            title=title,
            severity=severity,
            opened_at=opened_at or room.now,
            opened_by=lead,
            private_since=private,
        )
        db.add(incident)
        db.flush()
        db.add(
            Source(
                team_id=TEAM,
                incident_id=incident.id,
                channel_id=channel,
                channel_name="inc-checkout",
                from_at=incident.opened_at,
            )
        )
        reviews.begin(db, incident)
        incidents.give_role(db, incident, Role.lead, lead, by=lead, now=room.now)
        return incident.id

    return room.change(open_it)


def a_message(room: Room, text: str, *, by: UserId = TOMAS, at: datetime | None = None, channel: str = CHANNEL) -> str:
    """A message that was kept; its ts."""
    posted = at or room.now

    def keep(db: Session) -> str:
        ts = f"{posted.timestamp():.6f}"
        db.add(Message(team_id=TEAM, channel_id=channel, ts=ts, posted_at=posted, user_id=by, text=text, plain=text))
        return ts

    return room.change(keep)


def mitigated(room: Room, incident: int, at: datetime | None = None) -> None:
    """Set the moment of mitigation straight in the database."""
    room.change(
        lambda db: incidents.set_moment(
            db, incidents.get(db, incident), "mitigated", at or room.now, by=MARA, how="set", now=room.now
        )
    )


def stage(room: Room, incident: int) -> Stage:
    return room.ask(lambda db: reviews.stage(db, incidents.get(db, incident)))
