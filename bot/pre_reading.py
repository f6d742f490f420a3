"""The pre-read of a meeting: posted once, and right about its hour for as long as it is ahead."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot import costing, sitting
from bot.desk import Note, Notes, Turn
from bot.review import stops
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from storage import attending, findings, incidents, likewise, outbox, presence, reviews, walk
from storage.models import Incident, Meeting

SHORT_TIMELINE = 12
"""Events of the timeline in a pre-read: what is read on a phone in five minutes."""


def sent(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    """Post it, unless it was; with the timeline as a picture, where there is one."""
    review = reviews.of(turn.db, incident)
    review.pre_read_sent_at = review.pre_read_sent_at or turn.now
    place = reviews.place_of(turn.db, incident, meeting)
    yield Note.once(_key(meeting), "pre_read", place, **_facts(turn, incident, meeting), has_moved=False)
    if walk.events(turn.db, incident):
        yield Note.picture(f"{_key(meeting)}:chart", "pre_read_chart", place, incident.id)


def was_sent(turn: Turn, meeting: Meeting) -> bool:
    return outbox.find(turn.db, turn.team, _key(meeting)) is not None


def kept_right(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    """Where the hour that it tells is another one now, or none, the same message says so."""
    if was_sent(turn, meeting):
        place = reviews.place_of(turn.db, incident, meeting)
        facts = {**_facts(turn, incident, meeting), "is_late": False}
        yield Note.live(_key(meeting), "pre_read", place, **facts, has_moved=True)


def _key(meeting: Meeting) -> str:
    return f"pre-read:{meeting.id}"


def _facts(turn: Turn, incident: Incident, meeting: Meeting) -> dict[str, Any]:
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
