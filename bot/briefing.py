"""Leaders who come to a review: five private lines beforehand on how to take part (S2)."""

from collections.abc import Sequence
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.refusal import NeedsPerson, NothingScheduled
from bot.sitting import must_be_able_to_come
from storage import attending, incidents, outbox, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting

BEFORE = timedelta(hours=48)
"""So long ahead of the meeting the lines may come: two of a leader's days, on one of which nothing else was said."""
LEADER = "leader"
"""The word in a meeting's history for somebody named as a leader who comes."""


def name_leaders(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Ask leaders to come, as readers of the room and not as its core; says `leaders_named`, and nothing in public."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "leaders")
    meeting = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if meeting is None:
        raise NothingScheduled
    if not users:
        raise NeedsPerson(verb="leaders")
    for user in users:
        must_be_able_to_come(turn, incident, user)
    for user in dict.fromkeys(users):
        _name(turn, incident, meeting, user=user, by=by)
    yield Note.private(by, "leaders_named", users=list(dict.fromkeys(users)), meeting=meeting)


def _name(turn: Turn, incident: Incident, meeting: Meeting, *, user: UserId, by: UserId) -> None:
    attending.invite(turn.db, meeting, user, core=None, now=turn.now)
    if user not in _leaders(turn, incident, meeting):
        incidents.record_change(
            turn.db, incident, "meeting", meeting.id, what=LEADER, before=None, after=user, by=by, now=turn.now
        )
        turn.db.flush()


def _leaders(turn: Turn, incident: Incident, meeting: Meeting) -> list[UserId]:
    named = incidents.changes(turn.db, incident.id, "meeting")
    return [UserId(row.after) for row in named if row.what == LEADER and row.subject_id == meeting.id and row.after]


def brief_leaders(turn: Turn) -> Notes:
    """In the two days before a meeting, when each leader who comes may be written to: `leader_lines`, once."""
    told: set[UserId] = set()
    for meeting, incident in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + BEFORE):
        for user in _leaders(turn, incident, meeting):
            if user not in told and _is_to_be_told(turn, incident, meeting, user=user):
                told.add(user)
                yield _lines(turn, incident, meeting, user=user)


def _is_to_be_told(turn: Turn, incident: Incident, meeting: Meeting, *, user: UserId) -> bool:
    if attending.attendee(turn.db, meeting, user) is None or outbox.find(turn.db, turn.team, _key(meeting, user)):
        return False
    return turn.may_tell(user, incident)


def _lines(turn: Turn, incident: Incident, meeting: Meeting, *, user: UserId) -> Note:
    place = reviews.place_of(turn.db, incident, meeting)
    return Note.once(
        _key(meeting, user),
        "leader_lines",
        user,
        title=incident.title,
        meeting=meeting,
        channel=place.channel,
        facilitator=incidents.roles(turn.db, incident.id).facilitator_or_lead,
    )


def _key(meeting: Meeting, user: UserId) -> str:
    return f"leader-lines:{meeting.id}:{user}"
