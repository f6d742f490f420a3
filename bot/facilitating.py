"""The meeting: open it, walk through its topics, close it. What is noted on the way is in `noting`.

Where the meeting stands lies in its row as an `Agenda`: a restart in the middle loses nothing. What everybody reads of
it is one message, `templates/notes/agenda.j2`: a head, the topic on the table (`agenda_topic_….j2`) and a foot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.render import Mrkdwn, person
from bot.review import stops
from bot.review.agenda import TIMELINE, Agenda
from bot.review.findings import FindingKind
from bot.review.follow_up import soaks_until
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.lifecycle import Stage, Who, require
from bot.review.questions import addressed
from bot.review.refusal import (
    AlreadyInMeeting,
    AnotherMeetingHere,
    FirstTopic,
    LastTopic,
    NothingScheduled,
    NotInMeeting,
    NotMitigated,
    ReviewClosed,
    WrongStage,
)
from bot.review.when import When
from storage import actions, findings, incidents, outbox, people, reviews, silence, sittings, walk
from storage.incidents import Where
from storage.models import Action, Finding, Incident, Meeting, MeetingNote, Review
from storage.sittings import Sitting

SAME_MEETING = timedelta(hours=24)
"""A `start` this soon after `end` goes on with the same meeting; later it opens another."""
EARLY = timedelta(hours=1)
"""So long before its hour, a planned meeting comes before the one that just ended."""
FORGOTTEN = timedelta(minutes=30)
"""After its planned end, a meeting in which nothing happens any more counts as ended (DOMAIN 4)."""
STILL_WORTH_TELLING = timedelta(days=3)
"""So long its owner may hear that a meeting ended by itself."""
DRAFT_WITHIN = timedelta(hours=24)
"""The report's draft after the meeting (S2)."""
EXITS = {Stage.skipped, Stage.cancelled}


# Opening and closing ------------------------------------------------------------------


def start(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Open the planned meeting, or go on with the one that ended a while ago, or meet at once.

    Says `agenda` to everybody, and `help_card` to whoever opened it.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "start")
    _must_be_ready(turn, incident)
    meeting = _meeting_to_open(turn, incident, by)
    if reviews.sitting_elsewhere(turn.db, meeting, reviews.place_of(turn.db, incident, meeting)):
        raise AnotherMeetingHere
    yield _agenda(turn, _open(turn, incident, meeting, by))
    yield Note.private(by, "help_card", scribe=incidents.roles(turn.db, incident.id).scribe)


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


def _open(turn: Turn, incident: Incident, meeting: Meeting, by: UserId) -> Sitting:
    if meeting.agenda is None:
        agenda = Agenda.open(meeting.minutes, turn.now)
        agenda = agenda.with_stops(_stops(turn, incident, agenda))
        meeting.opened_at = turn.now
    else:
        agenda = Agenda.from_json(meeting.agenda).resume(turn.now)
    sitting = Sitting(incident, meeting, agenda)
    sittings.keep(turn.db, sitting, now=turn.now)
    reviews.here(turn.db, meeting, by, now=turn.now)
    return sitting


def _stops(turn: Turn, incident: Incident, agenda: Agenda) -> list[int]:
    """As many stops as the walk has room for; in an hour 12."""
    minutes = next(topic.minutes for topic in agenda.topics if topic.name == TIMELINE)
    return stops.stops(walk.events(turn.db, incident), at_most=stops.room_in(minutes))


def end(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Close the meeting; says what comes next: `agenda_ended` to everybody, `meeting_ended` to whoever pressed."""
    sitting = _led_by(turn, where, by, "end")
    ended = replace(sitting, agenda=sitting.agenda.end(turn.now))
    sittings.keep(turn.db, ended, now=turn.now)
    comes = _what_comes(turn, ended.incident, ended.meeting)
    yield _agenda(turn, ended)
    yield Note.private(by, "meeting_ended", incident=ended.incident.id, comes=comes)


def held(turn: Turn, *, where: Where, by: UserId, when: When | None) -> Notes:
    """The meeting was held without the bot; says `held`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "held")
    _must_be_ready(turn, incident)
    zone = people.zone(turn.db, turn.team, by)
    meeting = _meeting_held(turn, incident, by)
    at = when.past(turn.now, ZoneInfo(zone)) if when else min(meeting.meets_at or turn.now, turn.now)
    meeting.opened_at, meeting.meets_at = at, meeting.meets_at or at
    meeting.ended_at = min(turn.now, at + timedelta(minutes=meeting.minutes))
    _record(turn, incident, meeting, what="held", after=at, by=by)
    comes = _what_comes(turn, incident, meeting)
    yield Note.private(by, "held", incident=incident.id, at=at, zone=zone, comes=comes)


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


def _record(turn: Turn, incident: Incident, meeting: Meeting, *, what: str, after: datetime, by: UserId | None) -> None:
    incidents.record_change(
        turn.db, incident, "meeting", meeting.id, what=what, before=None, after=after.isoformat(), by=by, now=turn.now
    )
    turn.db.flush()


# A meeting that nobody ended ------------------------------------------------------------


def close_forgotten(turn: Turn) -> Notes:
    """Nobody pressed end: the meeting ended with its last gesture.

    1. `agenda_ended` says so where it met.
    2. `meeting_forgotten` tells its owner, as soon as they may be written to.
    """
    for sitting in sittings.every(turn.db, turn.team):
        if turn.now >= max(sitting.agenda.ends_at, sitting.touched_at) + FORGOTTEN:
            yield _ended_by_itself(turn, sitting)
    yield from _owners_told(turn)


def _ended_by_itself(turn: Turn, sitting: Sitting) -> Note:
    ended = replace(sitting, agenda=sitting.agenda.end(sitting.touched_at))
    sittings.keep(turn.db, ended, now=sitting.touched_at)
    _record(turn, ended.incident, ended.meeting, what=reviews.FORGOTTEN, after=sitting.touched_at, by=None)
    return _agenda(turn, ended, is_forgotten=True)


def _owners_told(turn: Turn) -> Notes:
    told: set[UserId] = set()
    for meeting, incident in reviews.forgotten(turn.db, turn.team, since=turn.now - STILL_WORTH_TELLING):
        owner = incidents.roles(turn.db, incident.id).owner_or_lead
        if owner and owner not in told and _is_to_be_told(turn, incident, meeting, owner):
            told.add(owner)
            yield _forgotten(turn, incident, meeting, owner)


def _is_to_be_told(turn: Turn, incident: Incident, meeting: Meeting, owner: UserId) -> bool:
    if reviews.stage(turn.db, incident) is not Stage.ended:
        return False
    if outbox.find(turn.db, turn.team, _forgotten_key(meeting)):
        return False
    hours = turn.house.working_hours
    return silence.may_be_told(turn.db, turn.team, owner, incident, now=turn.now, hours=hours)


def _forgotten(turn: Turn, incident: Incident, meeting: Meeting, owner: UserId) -> Note:
    return Note.once(
        _forgotten_key(meeting),
        "meeting_forgotten",
        owner,
        incident=incident.id,
        title=incident.title,
        ended_at=meeting.ended_at,
        channel=reviews.place_of(turn.db, incident, meeting).channel,
    )


def _forgotten_key(meeting: Meeting) -> str:
    return f"forgotten:{meeting.id}:{meeting.ended_at:%Y%m%dT%H%M%S}"


# Moving through the agenda ------------------------------------------------------------


def advance(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The next stop of the walk, else the next topic; of two presses at once one counts.

    Says `agenda`, whose topic is `agenda_topic_….j2`, to everybody, and `agenda_moved` to whoever pressed.
    """
    sitting = _led_by(turn, where, by, "next")
    agenda = sitting.agenda.advance(turn.now, seen)
    if agenda is sitting.agenda and not agenda.has_passed(seen):
        raise LastTopic
    yield from _moved(turn, sitting, agenda, by=by, seen=seen)


def go_back(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The stop or topic before; says what `advance` says."""
    sitting = _led_by(turn, where, by, "back")
    agenda = sitting.agenda.back(turn.now, seen)
    if agenda is sitting.agenda and not agenda.has_passed(seen):
        raise FirstTopic
    yield from _moved(turn, sitting, agenda, by=by, seen=seen)


def go_to(turn: Turn, *, where: Where, by: UserId, words: str) -> Notes:
    """Any topic, forward or back: the order is a guide, not a cage (S1); says what `advance` says."""
    sitting = _led_by(turn, where, by, "go")
    yield from _moved(turn, sitting, sitting.agenda.go_to(words, turn.now), by=by)


def extend(turn: Turn, *, where: Where, by: UserId, minutes: int, seen: int | None = None) -> Notes:
    """More minutes for this topic, taken from later ones: the meeting still ends on time; says what `advance` says."""
    sitting = _led_by(turn, where, by, "extend")
    yield from _moved(turn, sitting, sitting.agenda.extend(minutes, seen), by=by, seen=seen)


def _moved(turn: Turn, sitting: Sitting, agenda: Agenda, *, by: UserId, seen: int | None = None) -> Notes:
    """Keep the new agenda and show it; the minutes are said to whoever pressed, and to nobody else."""
    before = sitting.agenda
    if agenda.topic.name == TIMELINE and before.topic.name != TIMELINE and not agenda.spent[agenda.current]:
        agenda = agenda.with_stops(_stops(turn, sitting.incident, agenda))
    moved = replace(sitting, agenda=agenda)
    sittings.keep(turn.db, moved, now=turn.now)
    reviews.here(turn.db, sitting.meeting, by, now=turn.now)
    yield _agenda(turn, moved)
    yield Note.private(
        by,
        "agenda_moved",
        before=before,
        agenda=agenda,
        left=agenda.minutes_left(turn.now),
        over_by=-before.minutes_left(turn.now).topic,
        is_stale=before.has_passed(seen),
    )


def _led_by(turn: Turn, where: Where, by: UserId, verb: str) -> Sitting:
    incident = incidents.at(turn.db, turn.team, where, by)
    sitting = sittings.of(turn.db, incident)
    if sitting is None:
        raise NotInMeeting
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), verb)
    return sitting


# Showing it -----------------------------------------------------------------------------


def show_agenda(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Where the meeting stands, for whoever asks: `agenda`; before it opens, `agenda_planned`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    sitting = sittings.of(turn.db, incident)
    yield Note.private(by, "agenda", page=_page(turn, sitting)) if sitting else _planned(turn, incident, by)


def _planned(turn: Turn, incident: Incident, by: UserId) -> Note:
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if planned is None or planned.meets_at is None:
        raise NothingScheduled
    topics = Agenda.open(planned.minutes, planned.meets_at).topics
    return Note.private(
        by, "agenda_planned", incident=incident.id, at=planned.meets_at, minutes=planned.minutes, topics=topics
    )


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show the agenda of an open meeting after a change made elsewhere; without a meeting, nothing."""
    sitting = sittings.of(turn.db, incidents.at(turn.db, turn.team, where, by))
    if sitting:
        sittings.touch(turn.db, sitting, now=turn.now)
        yield _agenda(turn, sitting)


def _agenda(turn: Turn, sitting: Sitting, *, is_forgotten: bool = False) -> Note:
    place = reviews.place_of(turn.db, sitting.incident, sitting.meeting)
    page = replace(_page(turn, sitting), is_forgotten=is_forgotten)
    return Note.live(f"agenda:{sitting.meeting.id}", "agenda", place, page=page)


# What the agenda says -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtStop:
    """The event on the table, what is asked about it, and what lies between it and the next stop."""

    event: walk.Told
    question: Mrkdwn
    between: stops.Fold | None


@dataclass(frozen=True, slots=True)
class WhatComes:
    """What happens after the meeting, by whom and when."""

    owner: UserId | None
    draft_by: datetime
    soaks_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaPage:
    """Everything that `templates/notes/agenda.j2` and its parts show; lists are in the order they are read."""

    incident: int
    title: str
    agenda: Agenda
    facilitator: UserId | None
    scribe: UserId | None
    present: Sequence[str]
    recording: str | None
    summary: str | None
    impact: Sequence[tuple[str, str]]
    durations: Sequence[tuple[str, str]]
    """A formula and a length of time in words."""
    at_stop: AtStop | None
    findings: Sequence[tuple[FindingKind, Sequence[Finding]]]
    actions: Sequence[Action]
    parked: Sequence[MeetingNote]
    comes: WhatComes
    is_forgotten: bool = False
    """Nobody pressed end."""


def _page(turn: Turn, sitting: Sitting) -> AgendaPage:
    incident, meeting, agenda = sitting.incident, sitting.meeting, sitting.agenda
    roles = incidents.roles(turn.db, incident.id)
    return AgendaPage(
        incident=incident.id,
        title=incident.title,
        agenda=agenda,
        facilitator=roles.facilitator_or_lead,
        scribe=roles.scribe,
        present=[row.user_id for row in reviews.attendees(turn.db, meeting) if row.present_at],
        recording=meeting.recording,
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        durations=reviews.lengths(turn.db, incident),
        at_stop=_at_stop(turn, incident, agenda),
        findings=list(findings.by_kind(turn.db, incident.id).items()),
        actions=actions.of_incident(turn.db, incident.id),
        parked=[note for note in reviews.notes(turn.db, meeting) if note.parked_at],
        comes=_what_comes(turn, incident, meeting),
    )


def _at_stop(turn: Turn, incident: Incident, agenda: Agenda) -> AtStop | None:
    """None outside the walk, and where the event was taken off the timeline."""
    told = walk.events(turn.db, incident) if agenda.event is not None else []
    event = next((event for event in told if event.number == agenda.event), None)
    if event is None:
        return None
    # Our own words with a mention in them: nothing here was written by a person.
    question = addressed(walk.question_at(told, event.number), person(event.who) if event.who else None)
    return AtStop(event, Mrkdwn(question), _fold_after(told, agenda))


def _fold_after(told: Sequence[walk.Told], agenda: Agenda) -> stops.Fold | None:
    lines = stops.fold(told, agenda.stops)
    after = lines[lines.index(agenda.event) + 1 :] if agenda.event in lines else []
    return after[0] if after and isinstance(after[0], stops.Fold) else None


def _what_comes(turn: Turn, incident: Incident, meeting: Meeting) -> WhatComes:
    owner = incidents.roles(turn.db, incident.id).owner_or_lead
    zone = ZoneInfo(people.zone(turn.db, turn.team, owner))
    ended_at = meeting.ended_at or turn.now
    return WhatComes(owner, draft_by=ended_at + DRAFT_WITHIN, soaks_until=soaks_until(ended_at, zone))
