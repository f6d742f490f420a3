"""The walk through the timeline: where it stops, what is asked there, and what was answered.

The agenda is not drawn here: whoever serves these lets `facilitating.refresh` follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import wording
from bot.desk import Note, Notes, Turn
from bot.review import stops
from bot.review.agenda import Agenda
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.questions import addressed, with_answer
from bot.review.refusal import NeedsText, NoSuchEvent, NothingScheduled, Refused
from bot.sitting import led_by
from bot.wording import Thing
from storage import incidents, reviews, sittings, walk
from storage.incidents import Where
from storage.models import Incident, Meeting
from storage.sittings import Sitting
from storage.walk import Told


@dataclass(eq=False)
class TooManyStops(Refused):
    """That is {asked} stops, and this walk has room for {room}. Leave some out; what lies between is not lost."""

    asked: int
    room: int


class NotAtAStop(Refused):
    """The walk is not at a stop now. `{command} go timeline` goes on with it."""


# Where it stops -------------------------------------------------------------------------


def choose_stops(turn: Turn, *, where: Where, by: UserId, numbers: Sequence[int] | None) -> Notes:
    """Say where the walk stops, before the meeting or in it; with None the rule says it again. Says `stops`.

    Raises NoSuchEvent, TooManyStops.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "stops")
    plan = _plan(turn, incident)
    if numbers is not None:
        _must_be_stops(plan, numbers)
    _choose(turn, incident, plan.meeting, numbers, by=by)
    sitting = sittings.of(turn.db, incident)
    if sitting:
        _restop(turn, sitting)
    yield _shown(turn, incident, plan, by)


def show_stops(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Where the walk of the next meeting stops, and what it would pass by; says `stops`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    yield _shown(turn, incident, _plan(turn, incident), by)


@dataclass(frozen=True, slots=True)
class Plan:
    """A meeting that is open or planned, what its walk could stop at, and for how many stops it has room."""

    meeting: Meeting
    told: Sequence[Told]
    room: int


def plan_for(turn: Turn, *, where: Where, by: UserId) -> tuple[Plan, list[int]]:
    """The meeting whose stops can be chosen, and where it stops now; raises NothingScheduled."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "stops")
    plan = _plan(turn, incident)
    return plan, _stops(turn, incident, plan)


def _plan(turn: Turn, incident: Incident) -> Plan:
    review = reviews.of(turn.db, incident)
    meeting = reviews.open_meeting(turn.db, review) or reviews.planned_meeting(turn.db, review)
    if meeting is None:
        raise NothingScheduled
    return Plan(meeting, walk.events(turn.db, incident), walk.room_for(_agenda(turn, meeting)))


def _agenda(turn: Turn, meeting: Meeting) -> Agenda:
    return Agenda.from_json(meeting.agenda) if meeting.agenda else Agenda.open(meeting.minutes, turn.now)


def _must_be_stops(plan: Plan, numbers: Sequence[int]) -> None:
    known = {event.number for event in plan.told}
    for number in numbers:
        if number not in known:
            raise NoSuchEvent(number=number)
    if len(set(numbers)) > plan.room:
        raise TooManyStops(asked=len(set(numbers)), room=plan.room)


def _choose(turn: Turn, incident: Incident, meeting: Meeting, numbers: Sequence[int] | None, *, by: UserId) -> None:
    chosen = sorted(set(numbers)) if numbers else None
    before, after = (", ".join(map(str, these)) if these else None for these in (meeting.stops, chosen))
    if before != after:
        incidents.record_change(
            turn.db, incident, "meeting", meeting.id, what="stops", before=before, after=after, by=by, now=turn.now
        )
    meeting.stops = chosen
    turn.db.flush()


def _restop(turn: Turn, sitting: Sitting) -> None:
    """The walk that is under way stays at its event, where that is still a stop."""
    agenda = sitting.agenda
    chosen = walk.stops_of(turn.db, sitting.incident, sitting.meeting, agenda)
    moved = agenda.with_stops(chosen)
    if agenda.event in chosen:
        moved = replace(moved, stop=chosen.index(agenda.event))
    sittings.keep(turn.db, replace(sitting, agenda=moved), now=turn.now)


def _stops(turn: Turn, incident: Incident, plan: Plan) -> list[int]:
    if plan.meeting.agenda and plan.meeting.opened_at:
        return list(_agenda(turn, plan.meeting).stops)
    return walk.stops_of(turn.db, incident, plan.meeting, _agenda(turn, plan.meeting))


def _shown(turn: Turn, incident: Incident, plan: Plan, by: UserId) -> Note:
    chosen = _stops(turn, incident, plan)
    return Note.private(
        by,
        "stops",
        incident=incident.id,
        stops=chosen,
        by_rule=plan.meeting.stops is None,
        room=plan.room,
        passed=stops.left_out(plan.told, chosen),
        is_open=plan.meeting.opened_at is not None,
    )


# On the way ---------------------------------------------------------------------------------


def visit(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """Go to an event that was no stop, and make it one; says `visited`."""
    sitting = led_by(turn, where, by, "visit")
    told = walk.events(turn.db, sitting.incident)
    if number not in {event.number for event in told}:
        raise NoSuchEvent(number=number)
    agenda = sitting.agenda.visit(number, stops.chosen_of(told, {*sitting.agenda.stops, number}), turn.now)
    sittings.keep(turn.db, replace(sitting, agenda=agenda), now=turn.now)
    yield Note.private(by, "visited", number=number)


def ask_another(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """Another question at the stop on the table; of two presses at once one counts. The agenda shows it."""
    sitting = led_by(turn, where, by, "another")
    if sitting.agenda.event is None:
        raise NotAtAStop
    sittings.keep(turn.db, replace(sitting, agenda=sitting.agenda.ask_another(seen)), now=turn.now)
    return ()


# What was answered ---------------------------------------------------------------------------


def answer_stop(turn: Turn, *, where: Where, by: UserId, number: int, text: str, question: str | None = None) -> Notes:
    """Keep what was answered at a stop, beside the question asked there; a further answer is added to it.

    Says `meeting_answer`.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    event = walk.named(turn.db, incident, number)
    if not text.strip():
        raise NeedsText(verb="answer", example=f"{number} the graph was flat, so we looked at the queue")
    asked = question or asked_at(turn, incident, number)
    before, kept = event.answer, event.question or asked
    event.question, event.answer = kept, with_answer(before, text.strip(), asked=asked, kept=kept)
    if before != event.answer:
        incidents.record_change(
            turn.db, incident, "event", event.id, what="answer", before=before, after=event.answer, by=by, now=turn.now
        )
    turn.db.flush()
    yield Note.private(by, "meeting_answer", number=number, question=asked)
    yield from wording.look_over(turn, incident, Thing.answer, by=by, number=number, text=text)


def asked_at(turn: Turn, incident: Incident, number: int) -> str:
    """The question at an event now, as it is kept: put to the room."""
    sitting = sittings.of(turn.db, incident)
    asked = walk.question_at(walk.events(turn.db, incident), number, sitting.agenda if sitting else None)
    return addressed(asked, None)
