"""The walk: the events of a timeline as a meeting sees them, each with the words, the person and the link behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.questions import question_for
from bot.review.timeline import Kind, Outcome
from storage import messages, timeline
from storage.models import Incident, Message, TimelineEvent, Workspace


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: its own words, else those of its message; None where the message was deleted."""

    number: int
    kind: Kind
    outcome: Outcome
    occurred_at: datetime
    words: str | None
    who: UserId | None
    """Who is in it: who wrote the message, else who put it on the timeline; None for a program."""
    permalink: str | None
    answer: str | None


def events(db: Session, incident: Incident) -> Sequence[Told]:
    """What is on the timeline now, in order of time."""
    workspace = db.get(Workspace, incident.team_id)
    home = workspace.url if workspace else ""
    return [_told(told.event, told.message, home) for told in timeline.told(db, incident.id)]


def event(db: Session, incident: Incident, number: int) -> TimelineEvent | None:
    """The row of the event of this number, if it is on the timeline now."""
    row = timeline.numbered(db, incident.id, number)
    return row if row and timeline.is_on_it(row) else None


def question_at(told: Sequence[Told], number: int) -> str:
    """What is asked at the event of this number: by its kind and words; the next one of a kind is asked differently."""
    event = next(event for event in told if event.number == number)
    same_kind = [other.number for other in told if other.kind is event.kind]
    return question_for(event.kind, event.words or "", same_kind.index(number))


def _told(event: TimelineEvent, message: Message | None, home: str) -> Told:
    return Told(
        number=event.number,
        kind=Kind(event.kind),
        outcome=Outcome(event.outcome),
        occurred_at=event.occurred_at,
        words=timeline.words_of(event, message),
        who=_who(event, message),
        permalink=messages.permalink_of(message, home),
        answer=event.answer,
    )


def _who(event: TimelineEvent, message: Message | None) -> UserId | None:
    if event.source == "automated" or (message and message.bot_id):
        return None
    user = message.user_id if message else event.by
    return UserId(user) if user else None
