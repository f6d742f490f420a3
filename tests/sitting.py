"""A meeting that tests sit in: what is done in it, what its one message says, and Slack taking what is said."""

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.render import Rendered
from bot.review.incident import UserId
from storage import delivering, incidents
from storage.models import OutboxNote, TimelineEvent
from tests.cast import CHANNEL, HERE, MARA, NOVEMBER_18, TEAM, TOMAS, Room


def do(room: Room, ability: Any, *, by: UserId = MARA, **what: Any) -> str:
    """What somebody in the channel is answered, by Mara where nobody is named."""
    return room.serve(ability, where=HERE, by=by, **what)


def an_event(
    room: Room, incident: int, text: str | None, *, kind: str = "decision", at: datetime | None = None, **more: Any
) -> int:
    """An event on the timeline, a minute after the one before; its number."""

    def add(db: Session) -> int:
        number = incidents.next_event_number(db, incident)
        facts: dict[str, Any] = {"by": TOMAS, "source": "typed"} | more
        moment = at or NOVEMBER_18 + timedelta(minutes=number)
        db.add(
            TimelineEvent(
                team_id=TEAM,
                incident_id=incident,
                number=number,
                kind=kind,
                occurred_at=moment,
                recorded_at=moment,
                text=text,
                **facts,
            )
        )
        return number

    return room.change(add)


def agenda(room: Room) -> str:
    """What the newest agenda in the channel says now, with times as `14:03 UTC`."""
    return plain([said for said in room.transcript(CHANNEL) if said.startswith("Review of")][-1])


def plain(text: str) -> str:
    return re.sub(r"<!date\^[^|]*\|([^>]*)>", r"\1", text)


def buttons(answer: Rendered | None) -> list[str]:
    blocks = answer.blocks if answer else []
    return [element["text"]["text"] for block in blocks for element in block.get("elements", []) if "value" in element]


def delivered(room: Room) -> None:
    """Slack has taken all that waits, each at a ts of its own."""

    def deliver(db: Session) -> bool:
        notes = delivering.claim(db, TEAM, now=room.now, at_most=99)
        for note in notes:
            ts = note.posted_ts or f"{room.now.timestamp() + note.id / 1000:.6f}"
            said = {"attempt": note.attempts, "version": note.version, "channel": note.channel_id, "ts": ts}
            delivering.mark_sent(db, note.id, **said, now=room.now)
        return bool(notes)

    while room.change(deliver):
        pass


def said(room: Room, key: str) -> list[OutboxNote]:
    """What was written under keys that begin so, in order."""

    def look(db: Session) -> list[OutboxNote]:
        notes = list(db.scalars(select(OutboxNote).where(OutboxNote.key.startswith(key)).order_by(OutboxNote.id)))
        db.expunge_all()
        return notes

    return room.ask(look)


def in_thread(room: Room) -> list[str]:
    """The lines in the thread of the agenda, in order."""
    return [plain(note.text) for note in said(room, "noted:")]
