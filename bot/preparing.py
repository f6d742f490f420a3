"""Before the meeting: the pre-read a day before, the call ten minutes before."""

from typing import Any

from bot import pre_reading, sitting
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.refusal import AlreadyInMeeting
from storage import attending, incidents, reviews, walk
from storage.incidents import Where
from storage.models import Incident, Meeting


def pre_read(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Send the pre-read now, even if it is incomplete."""
    incident, meeting = sitting.with_attendees(turn, where, by, "pre-read")
    if meeting.opened_at is not None:
        raise AlreadyInMeeting
    was_sent = pre_reading.was_sent(turn, meeting)
    yield from pre_reading.sent(turn, incident, meeting)
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
    if is_due and not pre_reading.was_sent(turn, meeting):
        yield from pre_reading.sent(turn, incident, meeting)


def _gaps(turn: Turn, incident: Incident) -> dict[str, Any]:
    """What the pre-read had to leave open, for the person who may fill it in."""
    return {"has_summary": bool(incident.summary), "has_events": bool(walk.events(turn.db, incident))}


def calls_due(turn: Turn) -> Notes:
    """Ten minutes before: who, where, and what it is about."""
    since, until = turn.now - sitting.STILL_WORTH_CALLING, turn.now + sitting.CALL_BEFORE
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
