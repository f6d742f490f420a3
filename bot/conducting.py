"""What the clock does in a meeting: nobody presses anything, and still it goes on and comes to its end."""

from dataclasses import replace
from datetime import timedelta

from bot import showing
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Stage
from storage import incidents, outbox, reviews, silence, sittings
from storage.models import Incident, Meeting
from storage.sittings import Sitting

FORGOTTEN = timedelta(minutes=30)
"""After its planned end, a meeting in which nothing happens any more counts as ended (DOMAIN 4)."""
STILL_WORTH_TELLING = timedelta(days=3)
"""So long its owner may hear that a meeting ended by itself."""


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
    incidents.record_change(
        turn.db,
        ended.incident,
        "meeting",
        ended.meeting.id,
        what=reviews.FORGOTTEN,
        before=None,
        after=sitting.touched_at.isoformat(),
        by=None,
        now=turn.now,
    )
    return showing.agenda(turn, ended, is_forgotten=True)


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
