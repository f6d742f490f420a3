"""What is not said yet, or never will be: how much of it there is, and why each note waits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from storage.delivering import OF_LETTERS, OF_NOTES
from storage.models import OutboxNote

WAITED_FOR_BY_NOBODY = ("picture", "letter")
"""Words wait for no picture, and nothing in Slack for a letter."""


WAITS, GOES = (OF_NOTES.waits, OF_LETTERS.waits), (OF_NOTES.goes, OF_LETTERS.goes)


class Why(StrEnum):
    """Why a note is not said."""

    due = "due"
    """It goes as soon as there is room for it."""
    later = "later"
    """It is meant for later."""
    told_to_wait = "told_to_wait"
    """Slack refused it for now, or its method."""
    behind = "behind"
    """An earlier note of its channel goes first."""
    sending = "sending"
    """It is on its way."""
    uncertain = "uncertain"
    """Slack may have taken it; it is looked up before anything else."""
    dead = "dead"
    """Slack refused it for good, or its reader wants it no more."""


IN_ERROR = {
    **dict.fromkeys(WAITS, Why.told_to_wait),
    **dict.fromkeys(GOES, Why.uncertain),
    "dead": Why.dead,
}


@dataclass(frozen=True, slots=True)
class Depth:
    """How many notes there are of one sort, and since when the oldest has been one; None where there is no note."""

    why: Why
    notes: int
    since: datetime | None


def depths(db: Session, team: str, *, now: datetime) -> list[Depth]:
    """One for each reason but `behind`, which is counted as what the note itself is; one statement."""
    why, since = _why(now), _since()
    query = select(why, func.count(), func.min(since)).where(OutboxNote.team_id == team, OutboxNote.state != "sent")
    found = {Why(word): (number, oldest) for word, number, oldest in db.execute(query.group_by(why))}
    return [Depth(each, *found.get(each, (0, None))) for each in Why if each is not Why.behind]


def _why(now: datetime) -> ColumnElement[str]:
    pending, going = OutboxNote.state.in_(WAITS), OutboxNote.state.in_(GOES)
    return case(
        (OutboxNote.state == "dead", Why.dead.value),
        (and_(going, OutboxNote.error.is_not(None)), Why.uncertain.value),
        (going, Why.sending.value),
        (and_(pending, OutboxNote.not_before <= now), Why.due.value),
        (and_(pending, OutboxNote.error.is_not(None)), Why.told_to_wait.value),
        else_=Why.later.value,
    )


def _since() -> ColumnElement[datetime]:
    """Since when a note has been what it is, as far as that is written down."""
    pending = OutboxNote.state.in_(WAITS)
    begun = and_(~pending, OutboxNote.attempted_at > OutboxNote.written_at)
    waits = and_(pending, OutboxNote.error.is_(None), OutboxNote.not_before > OutboxNote.written_at)
    return case(
        (begun, OutboxNote.attempted_at),
        (and_(waits, OutboxNote.not_before > OutboxNote.written_at), OutboxNote.not_before),
        else_=OutboxNote.written_at,
    )


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A note that is not said: ids and places, never the words."""

    id: int
    why: Why
    kind: str
    channel: str
    incident: int | None
    answers: bool
    """Whether somebody waits for it."""
    written_at: datetime
    until: datetime | None
    """Before this moment it is not tried, or not looked up."""
    attempts: int
    attempted_at: datetime | None
    error: str | None
    behind: int | None
    """The earlier note of its channel that goes first."""


def told(notes: Sequence[OutboxNote], *, now: datetime, answer: int) -> list[Unsaid]:
    """What is to be told of notes of one workspace that come in the order of their ids; `answer` is the rank of one."""
    ahead = _ahead(notes, now)
    return [_told(note, now, answer, ahead.get(note.id)) for note in notes]


def _told(note: OutboxNote, now: datetime, answer: int, behind: int | None) -> Unsaid:
    why = _of(note, now)
    is_behind = behind is not None and why is Why.due
    return Unsaid(
        id=note.id,
        why=Why.behind if is_behind else why,
        kind=note.kind,
        channel=note.channel_id,
        incident=note.incident_id,
        answers=note.rank <= answer,
        written_at=note.written_at,
        until=note.not_before if note.not_before > now and why is not Why.dead else None,
        attempts=note.attempts,
        attempted_at=note.attempted_at,
        error=note.error,
        behind=behind if is_behind else None,
    )


def _of(note: OutboxNote, now: datetime) -> Why:
    if note.state in WAITS and note.not_before <= now:
        return Why.due
    fallback = Why.sending if note.state in GOES else Why.later
    return IN_ERROR.get(note.state, fallback) if note.error or note.state == "dead" else fallback


def _ahead(notes: Iterable[OutboxNote], now: datetime) -> Mapping[int, int]:
    """By note: the first of its channel that is in its way."""
    first: dict[str, int] = {}
    ahead: dict[int, int] = {}
    for note in notes:
        if note.channel_id in first and note.kind != "letter":
            ahead[note.id] = first[note.channel_id]
        elif note.kind not in WAITED_FOR_BY_NOBODY and note.state != "dead" and _of(note, now) is not Why.later:
            first[note.channel_id] = note.id
    return ahead
