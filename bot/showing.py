"""What a meeting shows: its one live message, the agenda, and what was noted, line by line in its thread.

Whoever changes the meeting yields the agenda again; whoever notes something, the lines.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.desk import Note, Notes, Turn
from bot.review.agenda import Agenda, MinutesLeft
from bot.review.findings import FindingKind
from bot.review.follow_up import soaks_until
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.pseudonym import is_pseudonym, name_of
from bot.review.pulse import Pulse
from storage import (
    actions,
    attending,
    findings,
    incidents,
    meetings_apart,
    noted,
    outbox,
    participants,
    people,
    pulse,
    reviews,
    sittings,
    walk,
)
from storage.models import Action, Finding, Incident, Meeting, MeetingNote, OutboxNote
from storage.noted import Noted
from storage.sittings import Sitting

DRAFT_WITHIN = timedelta(hours=24)
"""The report's draft after the meeting (S2)."""


def agenda(turn: Turn, sitting: Sitting) -> Note:
    """The one message of a meeting, as of now."""
    sittings.shown(turn.db, sitting, now=turn.now)
    place = reviews.place_of(turn.db, sitting.incident, sitting.meeting)
    key = agenda_key(sitting.meeting, sitting.agenda)
    return Note.live(key, "agenda", place, page=page(turn, sitting))


def agenda_key(meeting: Meeting, agenda: Agenda) -> str:
    """The key of its message; posted anew, it is another one."""
    return f"agenda:{meeting.id}" if agenda.posted == 1 else f"agenda:{meeting.id}:{agenda.posted}"


def moved_down(turn: Turn, sitting: Sitting) -> Note:
    """What stands where the message is, before it is posted anew."""
    place = reviews.place_of(turn.db, sitting.incident, sitting.meeting)
    key = agenda_key(sitting.meeting, sitting.agenda)
    return Note.live(key, "agenda_moved_down", place, title=sitting.incident.title)


def is_posted(turn: Turn, sitting: Sitting) -> bool:
    """Whether its message stands in Slack already."""
    return _message(turn, sitting) is not None


def is_refused(turn: Turn, sitting: Sitting) -> bool:
    """Whether Slack took its message no more, as of a channel that was archived, or one that somebody deleted."""
    written = _written(turn, sitting)
    return written is not None and written.state == "dead"


def _message(turn: Turn, sitting: Sitting) -> str | None:
    written = _written(turn, sitting)
    return written.posted_ts if written else None


def _written(turn: Turn, sitting: Sitting) -> OutboxNote | None:
    return outbox.find(turn.db, turn.team, agenda_key(sitting.meeting, sitting.agenda))


# What was noted ---------------------------------------------------------------------------


def lines(turn: Turn, sitting: Sitting) -> Notes:
    """What was noted, each thing a line in the thread of the message; a line is posted once and says what is so now."""
    found, said = noted.in_meeting(turn.db, sitting.incident, sitting.meeting), _said(turn, sitting.meeting)
    yield from _lines(turn, sitting, [one for one in found if one.key in said])
    yield from _new_lines(turn, sitting, found, said)


def new_lines(turn: Turn, sitting: Sitting) -> Notes:
    """Those that are not in the thread yet; none before there is a message to gather under."""
    found = noted.in_meeting(turn.db, sitting.incident, sitting.meeting)
    yield from _new_lines(turn, sitting, found, _said(turn, sitting.meeting))


def _new_lines(turn: Turn, sitting: Sitting, found: Sequence[Noted], said: Collection[str]) -> Notes:
    thread = _thread(turn, sitting)
    if thread:
        yield from _lines(turn, sitting, [one for one in found if one.key not in said and not one.is_gone], thread)


def _said(turn: Turn, meeting: Meeting) -> set[str]:
    prefix = _line_key(meeting, "")
    return {key.removeprefix(prefix) for key in outbox.keys(turn.db, turn.team, prefix)}


def _line_key(meeting: Meeting, of: str) -> str:
    return f"noted:{meeting.id}:{of}"


def _thread(turn: Turn, sitting: Sitting) -> str | None:
    """Of the message; where the meeting sits in a thread itself, that one."""
    posted = _message(turn, sitting)
    return posted and (reviews.place_of(turn.db, sitting.incident, sitting.meeting).thread or posted)


def _lines(turn: Turn, sitting: Sitting, found: Sequence[Noted], thread: str = "") -> Notes:
    """By name and not by mention: a line calls nobody."""
    place = replace(reviews.place_of(turn.db, sitting.incident, sitting.meeting), thread=thread)
    names = _names(turn, {user for one in found for user in (one.by, one.owner) if user})
    for one in found:
        yield Note.live(_line_key(sitting.meeting, one.key), "noted", place, noted=one, names=names)


def _names(turn: Turn, users: Collection[str]) -> Mapping[str, str]:
    known = people.names(turn.db, turn.team, users)
    return {user: name_of(user) if is_pseudonym(user) else known.get(user, "somebody") for user in users}


# What the agenda says ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WhatComes:
    """What happens after the meeting, by whom and when."""

    owner: UserId | None
    """None where nobody who is still here answers for the review."""
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
    at_stop: walk.AtStop | None
    findings: Sequence[tuple[FindingKind, Sequence[Finding]]]
    behind: Mapping[int, int]
    """The number of the event a finding came from, by the finding's."""
    teams: Mapping[int, str]
    """The team that found a finding apart, by the finding's number."""
    actions: Sequence[Action]
    parked: Sequence[MeetingNote]
    comes: WhatComes
    pulse: Pulse | None
    """How it was, once enough have answered and no tap can change it."""
    left: MinutesLeft
    runs_itself: bool
    """Nobody leads it: it goes on by its own clock."""
    is_forgotten: bool
    """Nobody pressed end."""


def page(turn: Turn, sitting: Sitting) -> AgendaPage:
    incident, meeting, agenda = sitting.incident, sitting.meeting, sitting.agenda
    roles = incidents.roles(turn.db, incident.id)
    return AgendaPage(
        incident=incident.id,
        title=incident.title,
        agenda=agenda,
        facilitator=roles.facilitator_or_lead,
        scribe=roles.scribe,
        present=[row.user_id for row in attending.attendees(turn.db, meeting) if row.present_at],
        recording=meeting.recording,
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        durations=reviews.lengths(turn.db, incident),
        at_stop=walk.at_stop(turn.db, sitting),
        findings=list(findings.by_kind(turn.db, incident.id).items()),
        behind=findings.events_behind(turn.db, incident.id),
        teams=meetings_apart.teams(turn.db, incident.id),
        actions=actions.of_incident(turn.db, incident.id),
        parked=[note for note in reviews.notes(turn.db, meeting) if note.parked_at],
        comes=what_comes(turn, incident, meeting),
        pulse=pulse.shown(meeting, reviews.of(turn.db, incident)),
        left=agenda.minutes_left(turn.now),
        runs_itself=meeting.self_run_at is not None,
        is_forgotten=reviews.ended_by_itself(turn.db, meeting),
    )


def what_comes(turn: Turn, incident: Incident, meeting: Meeting) -> WhatComes:
    owner = participants.answering(turn.db, incident)
    zone = ZoneInfo(people.zone(turn.db, turn.team, owner))
    ended_at = meeting.ended_at or turn.now
    days, off = turn.house.policy.soak_days, turn.days_off(zone.key)
    waits_until = soaks_until(ended_at, zone, days=days, off=off)
    return WhatComes(owner, draft_by=ended_at + DRAFT_WITHIN, soaks_until=waits_until)
