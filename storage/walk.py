"""The walk: the events of a timeline as a meeting sees them, where it stops, and what it shows at a stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.review import stops
from bot.review.agenda import TIMELINE, Agenda
from bot.review.hindsight import Said
from bot.review.incident import UserId
from bot.review.questions import addressed, first_word, named_in, question_for
from bot.review.refusal import NoSuchEvent
from bot.review.stops import Fold, LeftOut
from bot.review.timeline import Kind, Outcome
from bot.review.travelled import Fact, travelled
from storage import incidents, messages, people, reviews, timeline
from storage.later import Later, known_after
from storage.models import EventComment, Incident, Meeting, Message, Person, TimelineEvent
from storage.sittings import Sitting

COMMENTS_SHOWN = 3
MOST_TO_VISIT = 5


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: its own words, else those of its message; None where the message was deleted."""

    number: int
    kind: Kind
    outcome: Outcome
    occurred_at: datetime
    words: str | None
    who: UserId | None
    """Who is in it: who wrote the message, or is named in what was typed, else who typed it; None for a program."""
    permalink: str | None
    question: str | None
    """The one that was answered."""
    answer: str | None
    said: str | None = None
    """The message's own words, where the event is worded differently."""


# Its events -----------------------------------------------------------------------------


def events(db: Session, incident: Incident) -> Sequence[Told]:
    """What is on the timeline now, in order of time."""
    told = timeline.told(db, incident.id)
    names = _names(db, incident.team_id, [one.event.text or "" for one in told if one.message is None])
    home = people.workspace(db, incident.team_id).url
    return [_told(one.event, one.message, home, names) for one in told]


def event(db: Session, incident: Incident, number: int) -> TimelineEvent | None:
    """The row of the event of this number, if it is on the timeline now."""
    row = timeline.numbered(db, incident.id, number)
    return row if row and timeline.is_on_it(row) else None


def named(db: Session, incident: Incident, number: int) -> TimelineEvent:
    """The same for somebody who named it; raises NoSuchEvent."""
    row = event(db, incident, number)
    if row is None:
        raise NoSuchEvent(number=number)
    return row


def _told(event: TimelineEvent, message: Message | None, home: str, names: Mapping[str, str]) -> Told:
    words, said = timeline.words_of(event, message), _said(message)
    return Told(
        number=event.number,
        kind=Kind(event.kind),
        outcome=Outcome(event.outcome),
        occurred_at=event.occurred_at,
        words=words,
        who=_who(event, message, names),
        permalink=messages.permalink_of(message, home),
        question=event.question,
        answer=event.answer,
        said=said if said != words else None,
    )


def _said(message: Message | None) -> str | None:
    return (message.plain or message.text or None) if message and not message.deleted_at else None


def _who(event: TimelineEvent, message: Message | None, names: Mapping[str, str]) -> UserId | None:
    if event.source == "automated" or (message and message.bot_id):
        return None
    if message:
        return UserId(message.user_id) if message.user_id else None
    named = named_in(event.text or "", names)
    user = event.by if not named else named.pop() if len(named) == 1 else None
    return UserId(user) if user else None


def _names(db: Session, team: str, texts: Sequence[str]) -> Mapping[str, str]:
    """Names of the people whom these texts may begin with."""
    first = sorted({word for text in texts if (word := first_word(text))})
    if not first:
        return {}
    like = or_(*(Person.name.istartswith(word, autoescape=True) for word in first))
    query = select(Person.user_id, Person.name).where(Person.team_id == team, Person.bot_since.is_(None), like)
    return dict(iter(db.execute(query)))


# Where it stops -------------------------------------------------------------------------


def stops_of(db: Session, incident: Incident, meeting: Meeting, agenda: Agenda) -> list[int]:
    """Where a meeting's walk stops: where somebody chose, else by rule, as many as its minutes have room for."""
    told = events(db, incident)
    if meeting.stops is not None:
        return stops.chosen_of(told, meeting.stops)
    return stops.stops(told, room_for(agenda))


def room_for(agenda: Agenda) -> int:
    """How many stops the walk of an agenda has room for."""
    return stops.room_in(next(topic.minutes for topic in agenda.topics if topic.name == TIMELINE))


# What it shows at a stop ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about an event."""

    by: UserId
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AtStop:
    """The event on the table, what is asked about it, and what lies around it."""

    event: Told
    question: str
    """It begins with `{person}`, who is in the event."""
    comments: Sequence[Comment]
    """The newest few, oldest first."""
    facts: Sequence[Fact]
    """How word travelled between the stop before and this one; at the last stop, what comes after it or is missing."""
    before: Fold | None
    """What folds before the first stop."""
    between: Fold | None
    """What folds between this stop and the next."""
    passed: Sequence[LeftOut]
    """What is no stop and is never skipped silently: after this one; at the first and last stop, anywhere."""
    later: Sequence[Later] | None
    """Of a decision, what bears on it and was not yet known then; None where nothing was decided."""
    zone: str

    @property
    def asked_otherwise(self) -> str | None:
        """The question under which an answer is kept, where it is not the one on the table."""
        return self.event.question if self.event.question != addressed(self.question, None) else None

    @property
    def to_visit(self) -> Sequence[int]:
        """The first few of what was passed by, to go to with one press."""
        return [number for sort in self.passed for number in sort.numbers][:MOST_TO_VISIT]

    def is_another_day(self, at: datetime) -> bool:
        """Whether a moment needs its date beside the stop's own, where the meeting is."""
        zone = ZoneInfo(self.zone)
        return at.astimezone(zone).date() != self.event.occurred_at.astimezone(zone).date()


def at_stop(db: Session, sitting: Sitting) -> AtStop | None:
    """What the walk shows now; None outside of it, and where the event was taken off the timeline."""
    agenda = sitting.agenda
    if agenda.event is None:
        return None
    told = events(db, sitting.incident)
    event = next((event for event in told if event.number == agenda.event), None)
    if event is None:
        return None
    return AtStop(
        event=event,
        question=question_at(told, event.number, agenda),
        comments=_comments(db, sitting.incident, event.number),
        facts=_facts(db, sitting, told),
        before=_fold_before(told, agenda),
        between=_fold_after(told, agenda),
        passed=_passed(told, agenda),
        later=_later(db, sitting, event),
        zone=sitting.meeting.zone,
    )


def _later(db: Session, sitting: Sitting, event: Told) -> Sequence[Later] | None:
    if event.kind is not Kind.decision:
        return None
    decision = Said(event.number, event.occurred_at, event.who, event.words or "")
    return known_after(db, sitting.incident, decision, until=sitting.agenda.opened_at) if event.words else []


def question_at(told: Sequence[Told], number: int, agenda: Agenda | None = None) -> str:
    """What is asked at an event: by its kind and words, another one each time a further question was asked for."""
    event = next(event for event in told if event.number == number)
    same_kind = [other.number for other in told if other.kind is event.kind]
    further = agenda.asked.get(number, 0) if agenda else 0
    return question_for(event.kind, event.words or "", same_kind.index(number) + further)


def _comments(db: Session, incident: Incident, number: int) -> Sequence[Comment]:
    of_event = (
        select(EventComment)
        .join(TimelineEvent, TimelineEvent.id == EventComment.event_id)
        .where(TimelineEvent.incident_id == incident.id, TimelineEvent.number == number)
        .order_by(EventComment.id.desc())
        .limit(COMMENTS_SHOWN)
    )
    return [Comment(UserId(row.by), row.text) for row in db.scalars(of_event)][::-1]


def _facts(db: Session, sitting: Sitting, told: Sequence[Told]) -> Sequence[Fact]:
    """Each fact is shown at one stop: the first at or after which it falls."""
    agenda = sitting.agenda
    by_number = {event.number: event.occurred_at for event in told}
    until = [by_number[number] for number in agenda.stops if number in by_number]
    here = by_number[agenda.event or 0]
    since = max((at for at in until if at < here), default=None)
    is_last = here == max(until)
    return [
        fact
        for fact in how_word_travelled(db, sitting.incident, told)
        if (fact.at is None and is_last)
        or (fact.at and (since is None or fact.at > since) and (is_last or fact.at <= here))
    ]


def how_word_travelled(db: Session, incident: Incident, told: Sequence[Told]) -> Sequence[Fact]:
    """The facts about it, from the moment of detection on and as long as the incident went on."""
    detected_at = incidents.moment(db, incident.id, "detected")
    return travelled(told, detected_at=detected_at, over_at=reviews.over_since(db, incident))


def _fold_before(told: Sequence[Told], agenda: Agenda) -> Fold | None:
    first = stops.fold(told, agenda.stops)[0]
    return first if agenda.stop == 0 and isinstance(first, Fold) else None


def _fold_after(told: Sequence[Told], agenda: Agenda) -> Fold | None:
    lines = stops.fold(told, agenda.stops)
    after = lines[lines.index(agenda.event) + 1 :] if agenda.event in lines else []
    return after[0] if after and isinstance(after[0], Fold) else None


def _passed(told: Sequence[Told], agenda: Agenda) -> Sequence[LeftOut]:
    if agenda.stop in {0, len(agenda.stops) - 1}:
        return stops.left_out(told, agenda.stops)
    after = _fold_after(told, agenda)
    lying = [event for event in told if after and after.start <= event.occurred_at <= after.end]
    return stops.left_out(lying, agenda.stops)
