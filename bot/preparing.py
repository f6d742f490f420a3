"""Before the meeting: the pre-read a day before, the call ten minutes before."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import costing, sitting
from bot.desk import Note, Notes, Turn
from bot.review import stops
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.refusal import (
    AlreadyInMeeting,
)
from storage import attending, findings, incidents, likewise, outbox, presence, reviews, walk
from storage.incidents import Where
from storage.models import Incident, Meeting

STILL_WORTH_CALLING = timedelta(minutes=5)
"""After the hour, where the bot was away at the time of the call."""
SHORT_TIMELINE = 12
"""Events of the timeline in a pre-read: what is read on a phone in five minutes."""


def pre_read(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Send the pre-read now, even if it is incomplete."""
    incident, meeting = sitting.with_attendees(turn, where, by, "pre-read")
    if meeting.opened_at is not None:
        raise AlreadyInMeeting
    was_sent = _pre_read_was_sent(turn, meeting)
    yield from _send_pre_read(turn, incident, meeting)
    yield Note.private(by, "pre_read_sent", was_sent=was_sent, **_gaps(turn, incident))


def pre_reads_due(turn: Turn) -> Notes:
    """A day before each meeting, or as the policy says, even if incomplete (S2); at once where that has passed."""
    lead = turn.house.policy.pre_read_lead
    for meeting, incident in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + lead):
        yield from _pre_read_if_due(turn, incident, meeting)


def _pre_read_if_due(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    if reviews.over_since(turn.db, incident) is None or meeting.meets_at is None:
        return
    is_due = turn.now < meeting.meets_at <= turn.now + turn.house.policy.pre_read_lead
    if is_due and not _pre_read_was_sent(turn, meeting):
        yield from _send_pre_read(turn, incident, meeting)


def _send_pre_read(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    review = reviews.of(turn.db, incident)
    review.pre_read_sent_at = review.pre_read_sent_at or turn.now
    place = reviews.place_of(turn.db, incident, meeting)
    yield Note.once(_pre_read_key(meeting), "pre_read", place, **_pre_read_facts(turn, incident, meeting))
    if walk.events(turn.db, incident):
        yield Note.picture(f"{_pre_read_key(meeting)}:chart", "pre_read_chart", place, incident.id)


def _pre_read_was_sent(turn: Turn, meeting: Meeting) -> bool:
    return outbox.find(turn.db, turn.team, _pre_read_key(meeting)) is not None


def _pre_read_key(meeting: Meeting) -> str:
    return f"pre-read:{meeting.id}"


def _pre_read_facts(turn: Turn, incident: Incident, meeting: Meeting) -> dict[str, Any]:
    moments = {name: row.at for name, row in incidents.moments(turn.db, incident.id).items() if row.at}
    found, told = findings.by_kind(turn.db, incident.id), walk.events(turn.db, incident)
    shown = _main_events(told)
    return {
        "title": incident.title,
        "meeting": meeting,
        "core": attending.core(turn.db, meeting),
        "facilitator": incidents.roles(turn.db, incident.id).facilitator,
        "summary": incident.summary,
        "impact": [
            *Impact.from_json(incident.impact).lines(),
            *costing.lines(turn.db, incident, turn.house),
        ],
        "moments": [(name, moments[name]) for name in MOMENTS if name in moments],
        "durations": reviews.lengths(turn.db, incident),
        "events": shown,
        "folded": len(told) - len(shown),
        "is_short": _is_short([*moments.values(), *(event.occurred_at for event in shown)]),
        "questions": list(found.get(FindingKind.question, [])),
        "similar": likewise.earlier(turn.db, incident, reviews.place_of(turn.db, incident, meeting).channel),
        "is_late": _came_back_since(turn, meeting),
        "incident": incident.id,
        "asks_in_private": sitting.takes_sealed_answers(turn, incident, meeting),
    }


def _came_back_since(turn: Turn, meeting: Meeting) -> bool:
    """Whether we were away when it should have come, and can say so."""
    lead = turn.house.policy.pre_read_lead
    return meeting.meets_at is not None and presence.was_away(turn.db, turn.team, meeting.meets_at - lead)


MOMENTS = ("began", "detected", "acknowledged", "mitigated", "resolved")


def _main_events(told: Sequence[walk.Told]) -> list[walk.Told]:
    """Those at which the walk would stop."""
    kept = set(stops.stops(told, at_most=SHORT_TIMELINE))
    return [event for event in told if event.number in kept]


def _is_short(times: Collection[datetime]) -> bool:
    """Whether the time of day is enough to tell them apart."""
    return bool(times) and max(times) - min(times) < timedelta(days=1)


def _gaps(turn: Turn, incident: Incident) -> dict[str, Any]:
    """What the pre-read had to leave open, for the person who may fill it in."""
    return {"has_summary": bool(incident.summary), "has_events": bool(walk.events(turn.db, incident))}


def calls_due(turn: Turn) -> Notes:
    """Ten minutes before: who, where, and what it is about."""
    since, until = turn.now - STILL_WORTH_CALLING, turn.now + sitting.CALL_BEFORE
    for meeting, incident in reviews.planned_between(turn.db, turn.team, since, until):
        if meeting.called_at is None:
            meeting.called_at = turn.now
            yield _call(turn, incident, meeting)


def _call(turn: Turn, incident: Incident, meeting: Meeting) -> Note:
    return Note.once(
        f"call:{meeting.id}:{meeting.meets_at:%Y%m%dT%H%M}",
        "call",
        reviews.place_of(turn.db, incident, meeting),
        incident=incident.id,
        title=incident.title,
        meeting=meeting,
        core=attending.core(turn.db, meeting),
        facilitator=incidents.roles(turn.db, incident.id).facilitator_or_lead,
        cannot=sitting.answers(turn, meeting)["cannot"],
    )
