"""What is written for the review, as it may be read: a word to its author alone, and another wording to take or leave.

What was written is kept first, as it was written. Nothing is remembered of who was told what; only who wants no such
word. While the impact lasts nobody is told anything.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from bot.desk import Note, Notes, Turn
from bot.review.blame import Wording
from bot.review.incident import UserId
from bot.review.language import nudge
from bot.review.refusal import Refused
from bot.review.rewording import better
from storage import actions, findings, incidents, people, reviews, walk
from storage.incidents import Where
from storage.models import Action, Finding, Incident, TimelineEvent


class Thing(StrEnum):
    """What can be worded for a review."""

    finding = "finding"
    event = "event"
    answer = "answer"
    comment = "comment"
    summary = "summary"
    action = "action"
    note = "note"


@dataclass(frozen=True, slots=True)
class Button:
    """What a button types."""

    verb: str
    text: str


def form_of(thing: Thing, number: int) -> Button | None:
    """What opens the form in which a thing is worded anew; there is none for some."""
    forms = {
        Thing.finding: Button("finding", f"{number} edit"),
        Thing.event: Button("edit", str(number)),
        Thing.summary: Button("summary", "form"),
    }
    return forms.get(thing)


class WordedMeanwhile(Refused):
    """Somebody has worded it anew meanwhile, and I left it as it is now."""


# To its author ----------------------------------------------------------------------------------


def look_over(turn: Turn, incident: Incident, thing: Thing, *, by: UserId, number: int, text: str) -> Notes:
    """A word to the author of what was just kept, where its wording may be read as a verdict; says `nudge`."""
    if _wants_none(turn, by) or reviews.over_since(turn.db, incident) is None:
        return
    known = _names(turn.db, incident)
    found = nudge(text, known)
    if found:
        reworded = better(text, known) if thing in THINGS else None
        yield Note.private(
            by,
            "nudge",
            incident=incident.id,
            thing=thing,
            number=number,
            found=found,
            better=reworded,
            contributor=found.wording is Wording.single_cause,
            reword=form_of(thing, number),
        )


def _wants_none(turn: Turn, by: UserId) -> bool:
    person = people.find(turn.db, turn.team, by)
    return person is not None and person.nudges_off_at is not None


def _names(db: Session, incident: Incident) -> list[str]:
    """Of the people in the incident's channel."""
    channel = incidents.main_place(db, incident.id).channel
    return list(people.names(db, incident.team_id, people.members(db, incident.team_id, channel)).values())


# Use, keep mine, stop these ---------------------------------------------------------------------------


def use(turn: Turn, *, where: Where, by: UserId, thing: Thing, number: int) -> Notes:
    """Word it as was offered, with a line of history; says `reworded`. Raises WordedMeanwhile."""
    incident = incidents.at(turn.db, turn.team, where, by)
    held = THINGS[thing](turn, incident, number, by) if thing in THINGS else None
    text = held.text if held else None
    reworded = _reworded(text, _names(turn.db, incident)) if text else None
    if held is None or reworded is None:
        raise WordedMeanwhile
    incidents.record_change(
        turn.db, incident, held.subject, held.row.id, what=held.column, before=text, after=reworded, by=by, now=turn.now
    )
    setattr(held.row, held.column, reworded)
    turn.db.flush()
    yield Note.private(by, "reworded", text=reworded)


def _reworded(text: str, known: Collection[str]) -> str | None:
    """What was added last is worded anew where others have written above it, who may have kept theirs."""
    whole = better(text, known)
    if whole:
        return whole
    lines = text.split("\n")
    for place in reversed(range(len(lines))):
        line = better(lines[place], known)
        if line:
            return "\n".join([*lines[:place], line, *lines[place + 1 :]])
    return None


def keep(turn: Turn, *, by: UserId) -> Notes:  # noqa: ARG001
    """It stays as it was written; says `kept_as_written`."""
    yield Note.private(by, "kept_as_written")


def stop(turn: Turn, *, by: UserId) -> Notes:
    """No word about wordings any more; says `nudges`."""
    person = people.find(turn.db, turn.team, by)
    if person:
        person.nudges_off_at = person.nudges_off_at or turn.now
        turn.db.flush()
    yield Note.private(by, "nudges", off=True)


def resume(turn: Turn, *, by: UserId) -> Notes:
    """Words about wordings again; says `nudges`."""
    person = people.find(turn.db, turn.team, by)
    if person:
        person.nudges_off_at = None
        turn.db.flush()
    yield Note.private(by, "nudges", off=False)


# What is worded -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """A row, the column that was worded, and how history calls it."""

    subject: str
    row: Finding | TimelineEvent | Incident | Action
    column: str

    @property
    def text(self) -> str | None:
        return getattr(self.row, self.column)


def _finding(turn: Turn, incident: Incident, number: int, _: UserId) -> _Held | None:
    row = findings.find(turn.db, incident.id, number)
    return _Held("finding", row, "text") if row else None


def _event(turn: Turn, incident: Incident, number: int, _: UserId) -> _Held | None:
    row = walk.event(turn.db, incident, number)
    return _Held("event", row, "text") if row else None


def _answer(turn: Turn, incident: Incident, number: int, _: UserId) -> _Held | None:
    row = walk.event(turn.db, incident, number)
    return _Held("event", row, "answer") if row else None


def _summary(_: Turn, incident: Incident, _number: int, _by: UserId) -> _Held:
    return _Held("incident", incident, "summary")


def _action(turn: Turn, _: Incident, number: int, by: UserId) -> _Held | None:
    """Only whoever proposed it: a promise is worded by its owner and by who leads the review, and this is neither."""
    found = actions.by_number(turn.db, turn.team, number, by)
    return _Held("action", found[0], "text") if found and found[0].proposed_by == by else None


THINGS: Mapping[Thing, Callable[[Turn, Incident, int, UserId], _Held | None]] = {
    Thing.finding: _finding,
    Thing.event: _event,
    Thing.answer: _answer,
    Thing.summary: _summary,
    Thing.action: _action,
}
"""Those that a press words anew; a comment and a note stay as they were said."""
