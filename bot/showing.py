"""What a meeting shows: its one live message, the agenda. Whoever changes the meeting yields it again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.desk import Note, Turn
from bot.review.agenda import Agenda
from bot.review.findings import FindingKind
from bot.review.follow_up import soaks_until
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.pulse import Pulse
from storage import actions, findings, incidents, people, pulse, reviews, sittings, walk
from storage.models import Action, Finding, Incident, Meeting, MeetingNote
from storage.sittings import Sitting

DRAFT_WITHIN = timedelta(hours=24)
"""The report's draft after the meeting (S2)."""


def agenda(turn: Turn, sitting: Sitting, *, is_forgotten: bool = False) -> Note:
    """The one message of a meeting, as of now."""
    sittings.shown(turn.db, sitting, now=turn.now)
    place = reviews.place_of(turn.db, sitting.incident, sitting.meeting)
    told = replace(page(turn, sitting), is_forgotten=is_forgotten)
    return Note.live(agenda_key(sitting.meeting, sitting.agenda), "agenda", place, page=told)


def agenda_key(meeting: Meeting, agenda: Agenda) -> str:
    """The key of its message; posted anew, it is another one."""
    return f"agenda:{meeting.id}" if agenda.posted == 1 else f"agenda:{meeting.id}:{agenda.posted}"


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
    at_stop: walk.AtStop | None
    findings: Sequence[tuple[FindingKind, Sequence[Finding]]]
    actions: Sequence[Action]
    parked: Sequence[MeetingNote]
    comes: WhatComes
    pulse: Pulse | None
    """How it was, once enough have answered and no tap can change it."""
    is_forgotten: bool = False
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
        present=[row.user_id for row in reviews.attendees(turn.db, meeting) if row.present_at],
        recording=meeting.recording,
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        durations=reviews.lengths(turn.db, incident),
        at_stop=walk.at_stop(turn.db, sitting),
        findings=list(findings.by_kind(turn.db, incident.id).items()),
        actions=actions.of_incident(turn.db, incident.id),
        parked=[note for note in reviews.notes(turn.db, meeting) if note.parked_at],
        comes=what_comes(turn, incident, meeting),
        pulse=pulse.shown(meeting, reviews.of(turn.db, incident)),
    )


def what_comes(turn: Turn, incident: Incident, meeting: Meeting) -> WhatComes:
    owner = incidents.roles(turn.db, incident.id).owner_or_lead
    zone = ZoneInfo(people.zone(turn.db, turn.team, owner))
    ended_at = meeting.ended_at or turn.now
    return WhatComes(owner, draft_by=ended_at + DRAFT_WITHIN, soaks_until=soaks_until(ended_at, zone))
