"""The meeting: open it, walk through its topics, note what surfaces, close it.

Where the meeting stands lies in its row as an `Agenda`: a restart in the middle loses nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.render import Mrkdwn, person
from bot.review import timeline
from bot.review.agenda import TIMELINE, Agenda
from bot.review.findings import FindingKind, speaks_of_root_cause, split_sort
from bot.review.follow_up import soaks_until
from bot.review.impact import Impact
from bot.review.incident import FORMULAS, UserId, durations, in_words
from bot.review.lifecycle import Stage, Who, require
from bot.review.meeting_time import next_working_moment, working_morning
from bot.review.questions import addressed, question_for
from bot.review.refusal import (
    AlreadyInMeeting,
    AnotherMeetingHere,
    FirstTopic,
    LastTopic,
    NeedsText,
    NoSuchEvent,
    NothingScheduled,
    NotInMeeting,
    NotMitigated,
    ReviewClosed,
    WrongStage,
)
from bot.review.when import When
from storage import actions, findings, incidents, people, reviews, silence, walk
from storage.incidents import Where
from storage.models import Incident, Meeting, Review, TimelineEvent

SAME_MEETING = timedelta(hours=24)
"""A `start` this soon after `end` goes on with the same meeting; later it opens another."""
EARLY = timedelta(hours=1)
"""So long before its hour, a planned meeting comes before the one that just ended."""
FORGOTTEN = timedelta(minutes=30)
"""After its planned end, a meeting in which nothing happens any more counts as ended (DOMAIN 4)."""
DRAFT_WITHIN = timedelta(hours=24)
"""The report's draft after the meeting (S2)."""
A_STOP = 3
"""Minutes of the walk; 12 stops in the 35 of an hour's meeting."""
EXITS = {Stage.skipped, Stage.cancelled}


@dataclass(frozen=True, slots=True)
class Sitting:
    """A meeting that is open, and where it stands."""

    incident: Incident
    meeting: Meeting
    agenda: Agenda


# Opening and closing ------------------------------------------------------------------


def start(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Open the planned meeting, or go on with the one that ended a while ago, or meet at once."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "start")
    _must_be_ready(turn, incident)
    meeting = _meeting_to_open(turn, incident, by)
    if reviews.sitting_elsewhere(turn.db, meeting, reviews.place_of(turn.db, incident, meeting)):
        raise AnotherMeetingHere
    _open(turn, incident, meeting, by)
    yield _agenda_note(turn, incident, meeting)
    yield Note.private(by, "help_card", incident=incident.id, scribe=incidents.roles(turn.db, incident.id).scribe)


def _must_be_ready(turn: Turn, incident: Incident) -> None:
    stage = reviews.stage(turn.db, incident)
    if stage is Stage.in_meeting:
        raise AlreadyInMeeting
    if stage is Stage.closed:
        raise ReviewClosed
    if stage in EXITS:
        raise WrongStage(stage=stage.label, verb="start")
    if reviews.over_since(turn.db, incident) is None:
        raise NotMitigated


def _meeting_to_open(turn: Turn, incident: Incident, by: UserId) -> Meeting:
    """The one whose hour has come, else the one that just ended, else the next, else one that begins now."""
    review = reviews.of(turn.db, incident)
    planned, ended = reviews.planned_meeting(turn.db, review), _just_ended(turn, review)
    if planned and planned.meets_at and planned.meets_at <= turn.now + EARLY:
        return planned
    return ended or planned or reviews.plan(turn.db, incident, at=turn.now, by=by, now=turn.now)


def _just_ended(turn: Turn, review: Review) -> Meeting | None:
    last = reviews.last_held(turn.db, review)
    if last is None or last.agenda is None or last.ended_at is None:
        return None
    return last if turn.now - last.ended_at < SAME_MEETING else None


def _open(turn: Turn, incident: Incident, meeting: Meeting, by: UserId) -> None:
    if meeting.agenda is None:
        agenda = Agenda.open(meeting.minutes, turn.now)
        meeting.opened_at = turn.now
        _keep(turn, meeting, agenda.with_stops(_stops(turn, incident, agenda)))
    else:
        _keep(turn, meeting, Agenda.from_json(meeting.agenda).resume(turn.now))
    meeting.ended_at = None
    reviews.here(turn.db, meeting, by, now=turn.now)


def _stops(turn: Turn, incident: Incident, agenda: Agenda) -> list[int]:
    """As many stops as the walk has room for; in an hour 12."""
    minutes = next(topic.minutes for topic in agenda.topics if topic.name == TIMELINE)
    return timeline.stops(walk.events(turn.db, incident), at_most=max(1, (minutes + 1) // A_STOP))


def end(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Close the meeting; what comes next stands in the agenda's last state."""
    sitting = _led_by(turn, where, by, "end")
    sitting.meeting.ended_at = turn.now
    _keep(turn, sitting.meeting, sitting.agenda.end(turn.now))
    yield _agenda_note(turn, sitting.incident, sitting.meeting)
    yield Note.private(by, "meeting_ended", incident=sitting.incident.id, **_what_comes(turn, sitting.incident))


def close_forgotten(turn: Turn) -> Notes:
    """Nobody pressed end: the meeting ended with its last gesture, and the owner is told."""
    for meeting, incident in reviews.sitting(turn.db, turn.team):
        touched = meeting.touched_at or meeting.opened_at or turn.now
        if meeting.agenda is not None and _is_forgotten(Agenda.from_json(meeting.agenda), touched, turn.now):
            yield from _close_forgotten(turn, incident, meeting, touched)


def _is_forgotten(agenda: Agenda, touched: datetime, now: datetime) -> bool:
    return now >= max(_ends_at(agenda), touched) + FORGOTTEN


def _close_forgotten(turn: Turn, incident: Incident, meeting: Meeting, touched: datetime) -> Notes:
    meeting.ended_at = touched
    meeting.agenda = Agenda.from_json(meeting.agenda or {}).end(touched).to_json()
    shown = _agenda_note(turn, incident, meeting)
    yield replace(shown, facts={**shown.facts, "is_forgotten": True})
    owner = incidents.roles(turn.db, incident.id).owner_or_lead
    if owner:
        yield _to_owner(turn, incident, meeting, owner)


def _to_owner(turn: Turn, incident: Incident, meeting: Meeting, owner: UserId) -> Note:
    facts = {"incident": incident.id, "title": incident.title, "ended_at": meeting.ended_at}
    facts |= {"channel": reviews.place_of(turn.db, incident, meeting).channel}
    note = Note.once(f"forgotten:{meeting.id}:{meeting.ended_at:%Y%m%dT%H%M%S}", "meeting_forgotten", owner, **facts)
    return replace(note, not_before=_next_word_to(turn, owner))


def _next_word_to(turn: Turn, user: UserId) -> datetime:
    """Their next working moment, or the next working morning where they had a direct message today already."""
    zone = ZoneInfo(people.zone(turn.db, turn.team, user))
    today = datetime.combine(turn.now.astimezone(zone).date(), time(0), zone)
    if not silence.told_since(turn.db, turn.team, user, today.astimezone(UTC)):
        return next_working_moment(turn.now, zone, turn.house.working_hours)
    tomorrow = working_morning(today.date() + timedelta(days=1), zone, 0)
    return next_working_moment(tomorrow, zone, turn.house.working_hours)


def held(turn: Turn, *, where: Where, by: UserId, when: When | None) -> Notes:
    """The meeting was held without the bot."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "held")
    _must_be_ready(turn, incident)
    zone = people.zone(turn.db, turn.team, by)
    meeting = _meeting_held(turn, incident, by)
    at = when.past(turn.now, ZoneInfo(zone)) if when else min(meeting.meets_at or turn.now, turn.now)
    meeting.opened_at, meeting.meets_at = at, meeting.meets_at or at
    meeting.ended_at = min(turn.now, at + timedelta(minutes=meeting.minutes))
    _record(turn, incident, meeting, what="held", after=at.isoformat(), by=by)
    yield Note.private(by, "held", incident=incident.id, at=at, zone=zone, **_what_comes(turn, incident))


def _meeting_held(turn: Turn, incident: Incident, by: UserId) -> Meeting:
    """The planned one, else the one already marked as held without the bot, else a new one."""
    review = reviews.of(turn.db, incident)
    last = reviews.last_held(turn.db, review)
    marked = last if last and last.agenda is None else None
    return (
        reviews.planned_meeting(turn.db, review)
        or marked
        or reviews.plan(turn.db, incident, at=turn.now, by=by, now=turn.now)
    )


# Moving through the agenda ------------------------------------------------------------


def advance(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The next stop of the walk, else the next topic; of two presses at once one counts."""
    sitting = _led_by(turn, where, by, "next")
    agenda = sitting.agenda.advance(turn.now, seen)
    if agenda is sitting.agenda and seen in {None, agenda.version}:
        raise LastTopic
    yield from _moved(turn, sitting, agenda, by)


def go_back(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The stop or topic before."""
    sitting = _led_by(turn, where, by, "back")
    agenda = sitting.agenda.back(turn.now, seen)
    if agenda is sitting.agenda and seen in {None, agenda.version}:
        raise FirstTopic
    yield from _moved(turn, sitting, agenda, by)


def go_to(turn: Turn, *, where: Where, by: UserId, words: str) -> Notes:
    """Any topic, forward or back: the order is a guide, not a cage (S1)."""
    sitting = _led_by(turn, where, by, "go")
    yield from _moved(turn, sitting, sitting.agenda.go_to(words, turn.now), by)


def extend(turn: Turn, *, where: Where, by: UserId, minutes: int) -> Notes:
    """More minutes for this topic, taken from later ones: the meeting still ends on time."""
    sitting = _led_by(turn, where, by, "extend")
    yield from _moved(turn, sitting, sitting.agenda.extend(minutes, turn.now), by)


def _moved(turn: Turn, sitting: Sitting, agenda: Agenda, by: UserId) -> Notes:
    """Keep the new agenda and show it; the minutes are said to whoever pressed, and to nobody else."""
    before = sitting.agenda
    if agenda.topic.name == TIMELINE and before.topic.name != TIMELINE and not agenda.spent[agenda.current]:
        agenda = agenda.with_stops(_stops(turn, sitting.incident, agenda))
    _keep(turn, sitting.meeting, agenda)
    reviews.here(turn.db, sitting.meeting, by, now=turn.now)
    yield _agenda_note(turn, sitting.incident, sitting.meeting)
    yield Note.private(by, "agenda_moved", **_position(turn, before, agenda))


def _position(turn: Turn, before: Agenda, agenda: Agenda) -> dict[str, Any]:
    left = agenda.minutes_left(turn.now)
    return {
        "topic": agenda.topic,
        "stop": agenda.stop + 1 if agenda.event is not None else None,
        "stops": len(agenda.stops),
        "topic_left": left.topic,
        "meeting_left": left.meeting,
        "over_by": -before.minutes_left(turn.now).topic,
        "was": before.topic,
        "is_stale": agenda.version == before.version,
    }


def park(turn: Turn, *, where: Where, by: UserId, text: str) -> Notes:
    """Put a thought aside for later, without leaving the topic on the table."""
    sitting = _sitting(turn, where, by)
    if by != incidents.roles(turn.db, sitting.incident.id).scribe:
        _led_by(turn, where, by, "park")
    if not text.strip():
        raise NeedsText(verb="park", example="how we rotate the certificates")
    topic = sitting.agenda.topic.name
    reviews.note_down(turn.db, sitting.meeting, text.strip(), topic=topic, by=by, parked=turn.now, now=turn.now)
    yield from _shown_again(turn, sitting)
    yield Note.private(by, "meeting_parked", text=text.strip())


def show_agenda(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Where the meeting stands, for whoever asks."""
    incident = incidents.at(turn.db, turn.team, where, by)
    review = reviews.of(turn.db, incident)
    meeting = reviews.open_meeting(turn.db, review)
    if meeting is not None and meeting.agenda is not None:
        yield Note.private(by, "agenda", **_agenda_facts(turn, incident, meeting))
        return
    planned = reviews.planned_meeting(turn.db, review)
    if planned is None or planned.meets_at is None:
        raise NothingScheduled
    topics = Agenda.open(planned.minutes, planned.meets_at).topics
    yield Note.private(
        by, "agenda_planned", incident=incident.id, at=planned.meets_at, minutes=planned.minutes, topics=topics
    )


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show the agenda of an open meeting as it stands after a change made elsewhere; without a meeting, nothing."""
    yield from _agenda_if_sitting(turn, incidents.at(turn.db, turn.team, where, by))


def _shown_again(turn: Turn, sitting: Sitting) -> Notes:
    """The agenda with what was just noted; its topic and version stay."""
    sitting.meeting.touched_at = turn.now
    yield _agenda_note(turn, sitting.incident, sitting.meeting)


# What surfaces --------------------------------------------------------------------------


def note_finding(
    turn: Turn, *, where: Where, by: UserId, kind: FindingKind | str, text: str, event: int | None = None
) -> Notes:
    """A contributor, mitigator, risk, learning, dissent or question, at any moment, in or out of a meeting (S1)."""
    incident = incidents.at(turn.db, turn.team, where, by)
    kind = FindingKind(kind)
    sort, words = split_sort(kind, text)
    if not words:
        raise NeedsText(verb=kind.value, example=EXAMPLES[kind])
    row = findings.add(
        turn.db,
        incident,
        kind=kind,
        sort=sort,
        text=words,
        by=by,
        event=_event(turn, incident, event) if event is not None else None,
        now=turn.now,
    )
    yield from _agenda_if_sitting(turn, incident)
    yield Note.private(
        by,
        "finding_noted",
        incident=incident.id,
        number=row.number,
        kind=kind,
        sort=sort,
        text=words,
        event=event,
        speaks_of_root_cause=speaks_of_root_cause(words),
    )


EXAMPLES: Mapping[FindingKind, str] = {
    FindingKind.contributor: "technical: the disk filled up",
    FindingKind.mitigator: "luck: it was during working hours",
    FindingKind.risk: "one person knows the billing system",
    FindingKind.learning: "process: we page support too late",
    FindingKind.dissent: "the rollback was not needed",
    FindingKind.question: "how long do sessions survive a restart?",
}


def answer_stop(turn: Turn, *, where: Where, by: UserId, number: int, text: str) -> Notes:
    """Keep what was answered at a stop of the walk, beside the question that was asked there."""
    incident = incidents.at(turn.db, turn.team, where, by)
    event = _event(turn, incident, number)
    if not text.strip():
        raise NeedsText(verb="answer", example=f"{number} the graph was flat, so we looked at the queue")
    incidents.record_change(
        turn.db,
        incident,
        "event",
        event.id,
        what="answer",
        before=event.answer,
        after=text.strip(),
        by=by,
        now=turn.now,
    )
    event.question = event.question or addressed(_question(turn, incident, number), None)
    event.answer = text.strip()
    turn.db.flush()
    yield from _agenda_if_sitting(turn, incident)
    yield Note.private(by, "meeting_answer", number=number, question=event.question)


def arrive(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Somebody is here; one tap, and twice is once."""
    sitting = _sitting(turn, where, by)
    reviews.here(turn.db, sitting.meeting, by, now=turn.now)
    yield from _shown_again(turn, sitting)
    yield Note.private(by, "meeting_arrived", incident=sitting.incident.id)


def set_recording(turn: Turn, *, where: Where, by: UserId, url: str) -> Notes:
    """Where the recording can be watched, for those who read instead of sitting in (S1)."""
    incident = incidents.at(turn.db, turn.team, where, by)
    review = reviews.of(turn.db, incident)
    meeting = reviews.open_meeting(turn.db, review) or reviews.last_held(turn.db, review)
    if meeting is None:
        raise NotInMeeting
    address = url.strip().strip("<>").split("|")[0]
    if not WEB_ADDRESS.fullmatch(address):
        raise NeedsText(verb="recording", example="https://example.com/watch/42")
    _record(turn, incident, meeting, what="recording", after=address, by=by)
    meeting.recording = address
    if meeting.agenda is not None:
        meeting.touched_at = turn.now
        yield _agenda_note(turn, incident, meeting)
    yield Note.private(by, "meeting_recording", recording=address)


WEB_ADDRESS = re.compile(r"https?://[^\s<>|]+")


def reveal(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """There are no private answers to open: said as it is."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "reveal")
    yield Note.private(by, "meeting_nothing_sealed")


def _agenda_if_sitting(turn: Turn, incident: Incident) -> Notes:
    meeting = reviews.open_meeting(turn.db, reviews.of(turn.db, incident))
    if meeting is not None and meeting.agenda is not None:
        meeting.touched_at = turn.now
        yield _agenda_note(turn, incident, meeting)


def _event(turn: Turn, incident: Incident, number: int) -> TimelineEvent:
    event = walk.event(turn.db, incident, number)
    if event is None:
        raise NoSuchEvent(number=number)
    return event


# Where it stands ------------------------------------------------------------------------


def _sitting(turn: Turn, where: Where, by: UserId) -> Sitting:
    incident = incidents.at(turn.db, turn.team, where, by)
    meeting = reviews.open_meeting(turn.db, reviews.of(turn.db, incident))
    if meeting is None or meeting.agenda is None:
        raise NotInMeeting
    return Sitting(incident, meeting, Agenda.from_json(meeting.agenda))


def _led_by(turn: Turn, where: Where, by: UserId, verb: str) -> Sitting:
    sitting = _sitting(turn, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, sitting.incident.id), verb)
    return sitting


def _keep(turn: Turn, meeting: Meeting, agenda: Agenda) -> None:
    meeting.agenda, meeting.touched_at = agenda.to_json(), turn.now
    turn.db.flush()


def _record(turn: Turn, incident: Incident, meeting: Meeting, *, what: str, after: str, by: UserId) -> None:
    incidents.record_change(
        turn.db, incident, "meeting", meeting.id, what=what, before=None, after=after, by=by, now=turn.now
    )


# What the agenda says -------------------------------------------------------------------


def _agenda_note(turn: Turn, incident: Incident, meeting: Meeting) -> Note:
    place = reviews.place_of(turn.db, incident, meeting)
    return Note.live(f"agenda:{meeting.id}", "agenda", place, **_agenda_facts(turn, incident, meeting))


def _agenda_facts(turn: Turn, incident: Incident, meeting: Meeting) -> dict[str, Any]:
    agenda = Agenda.from_json(meeting.agenda or {})
    roles = incidents.roles(turn.db, incident.id)
    return {
        "incident": incident.id,
        "title": incident.title,
        "agenda": agenda,
        "minutes_left": agenda.minutes_left(turn.now),
        "topic_until": agenda.entered_at + agenda.topic.planned - timedelta(seconds=agenda.spent[agenda.current]),
        "ends_at": _ends_at(agenda),
        "spent": _minutes_spent(agenda),
        "facilitator": roles.facilitator_or_lead,
        "scribe": roles.scribe,
        "present": [row.user_id for row in reviews.attendees(turn.db, meeting) if row.present_at],
        "recording": meeting.recording,
        "is_forgotten": False,
        **_noted(turn, incident, meeting),
        **_stop_facts(turn, incident, agenda),
        **_summary_facts(turn, incident),
        **_what_comes(turn, incident),
    }


def _ends_at(agenda: Agenda) -> datetime:
    """When the meeting ends if it keeps to its minutes; a pause between end and re-opening moves it."""
    planned = sum((topic.planned for topic in agenda.topics), timedelta())
    return agenda.entered_at + planned - timedelta(seconds=sum(agenda.spent))


def _minutes_spent(agenda: Agenda) -> list[tuple[str, int, int]]:
    """Label, minutes planned and minutes spent of every topic."""
    return [
        (topic.label, topic.minutes, round(spent / 60))
        for topic, spent in zip(agenda.topics, agenda.spent, strict=True)
    ]


def _noted(turn: Turn, incident: Incident, meeting: Meeting) -> dict[str, Any]:
    return {
        "findings": [(kind, list(found)) for kind, found in findings.by_kind(turn.db, incident.id).items()],
        "actions": actions.of_incident(turn.db, incident.id),
        "parked": [note for note in reviews.notes(turn.db, meeting) if note.parked_at],
    }


def _stop_facts(turn: Turn, incident: Incident, agenda: Agenda) -> dict[str, Any]:
    """The event on the table, its question, and what lies between it and the next stop."""
    if agenda.event is None:
        return {"stop": None, "question": None, "between": None}
    told = {event.number: event for event in walk.events(turn.db, incident)}
    stop = told.get(agenda.event)
    return {
        "stop": stop,
        "question": _addressed(_question(turn, incident, agenda.event), stop.who) if stop else None,
        "between": _fold_after(list(told.values()), agenda),
    }


def _fold_after(told: Sequence[walk.Told], agenda: Agenda) -> timeline.Fold | None:
    lines = timeline.fold(told, agenda.stops)
    after = lines[lines.index(agenda.event) + 1 :] if agenda.event in lines else []
    return after[0] if after and isinstance(after[0], timeline.Fold) else None


def _question(turn: Turn, incident: Incident, number: int) -> str:
    """The question of an event: one for its kind and words; later events of a kind are asked differently."""
    told = walk.events(turn.db, incident)
    event = next(event for event in told if event.number == number)
    same_kind = [other.number for other in told if other.kind == event.kind]
    return question_for(timeline.Kind(event.kind), event.words or "", same_kind.index(number))


def _addressed(question: str, who: UserId | None) -> Mrkdwn:
    """Our own words with a mention in them: nothing here was written by a person."""
    return Mrkdwn(addressed(question, person(who) if who else None))


def _summary_facts(turn: Turn, incident: Incident) -> dict[str, Any]:
    moments = {name: row.at for name, row in incidents.moments(turn.db, incident.id).items() if row.at}
    known = {name: seconds for name, seconds in asdict(durations(moments)).items() if seconds is not None}
    return {
        "summary": incident.summary,
        "impact": Impact.from_json(incident.impact).lines(),
        "durations": [(FORMULAS[name], in_words(seconds)) for name, seconds in known.items()],
    }


def _what_comes(turn: Turn, incident: Incident) -> dict[str, Any]:
    """What happens after the meeting, and when."""
    owner = incidents.roles(turn.db, incident.id).owner_or_lead
    zone = ZoneInfo(people.zone(turn.db, turn.team, owner))
    last = reviews.last_held(turn.db, reviews.of(turn.db, incident))
    ended_at = last.ended_at if last and last.ended_at else turn.now
    return {
        "owner": owner,
        "draft_by": ended_at + DRAFT_WITHIN,
        "soaks_until": soaks_until(ended_at, zone),
    }
