"""Who comes to the meeting: asked, let off."""

from collections.abc import Sequence

from bot import sitting
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.refusal import (
    NeedsPerson,
)
from storage import attending, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting


def invite(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Ask people to come; who is asked twice is told once. Raises NotOneOfUs and CannotSeeIt."""
    incident, meeting = sitting.with_attendees(turn, where, by, "invite")
    if not users:
        raise NeedsPerson(verb="invite")
    for user in users:
        sitting.must_be_able_to_come(turn, incident, user)
    fresh = [user for user in dict.fromkeys(users) if attending.attendee(turn.db, meeting, user) is None]
    for user in users:
        attending.invite(turn.db, meeting, user, core=turn.now, now=turn.now)
    if fresh:
        yield _invitation(turn, incident, meeting, fresh)
    yield Note.private(by, "invited", users=list(users), **sitting.advice(turn, incident, meeting))


def _invitation(turn: Turn, incident: Incident, meeting: Meeting, users: Sequence[UserId]) -> Note:
    row = attending.attendee(turn.db, meeting, users[0])
    invited_at = row.invited_at if row else turn.now
    return Note.once(
        f"invited:{meeting.id}:{users[0]}:{invited_at:%Y%m%dT%H%M%S}",
        "invitation",
        reviews.place_of(turn.db, incident, meeting),
        users=list(users),
        title=incident.title,
        meeting=meeting,
    )


def uninvite(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Let people off; they may still read everything."""
    incident, meeting = sitting.with_attendees(turn, where, by, "uninvite")
    if not users:
        raise NeedsPerson(verb="uninvite")
    for user in users:
        attending.uninvite(turn.db, meeting, user, now=turn.now)
    yield Note.private(by, "invite_taken_back", users=list(users), **sitting.advice(turn, incident, meeting))
