"""Who comes to the meeting: asked, let off, all of it changed in one form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot import sitting
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.participants import Side
from bot.review.refusal import (
    NeedsPerson,
)
from storage import attending, participants, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting


def invite(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Ask people to come; who is asked twice is told once. Raises NotOneOfUs and CannotSeeIt."""
    incident, meeting = sitting.with_attendees(turn, where, by, "invite")
    if not users:
        raise NeedsPerson(verb="invite")
    yield from _ask(turn, incident, meeting, users)
    yield Note.private(by, "invited", users=list(users), **sitting.advice(turn, incident, meeting))


def _ask(turn: Turn, incident: Incident, meeting: Meeting, users: Sequence[UserId]) -> Notes:
    """Whoever read along until now is asked to come like somebody new."""
    for user in users:
        sitting.must_be_able_to_come(turn, incident, user)
    core = attending.core(turn.db, meeting)
    fresh = [user for user in dict.fromkeys(users) if user not in core]
    for user in users:
        attending.invite(turn.db, meeting, user, core=turn.now, now=turn.now)
    if fresh:
        yield _invitation(turn, incident, meeting, fresh)


def _invitation(turn: Turn, incident: Incident, meeting: Meeting, users: Sequence[UserId]) -> Note:
    row = attending.attendee(turn.db, meeting, users[0])
    asked_at = (row.core_since if row else None) or turn.now
    return Note.once(
        f"invited:{meeting.id}:{users[0]}:{asked_at:%Y%m%dT%H%M%S}",
        "invitation",
        reviews.place_of(turn.db, incident, meeting),
        users=list(users),
        title=incident.title,
        meeting=meeting,
        **sitting.for_calendars(turn, incident, meeting),
    )


def uninvite(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Let people off; they may still read everything."""
    incident, meeting = sitting.with_attendees(turn, where, by, "uninvite")
    if not users:
        raise NeedsPerson(verb="uninvite")
    for user in users:
        attending.uninvite(turn.db, meeting, user, now=turn.now)
    yield Note.private(by, "invite_taken_back", users=list(users), **sitting.advice(turn, incident, meeting))


# All of it at once ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WhoComes:
    """Who is asked to a meeting now, who speaks for which side, and the sides for which nobody does."""

    core: Sequence[UserId]
    leaders: Sequence[UserId]
    speaks_for: Mapping[UserId, str]
    unheard: Sequence[Side]


def who_comes(turn: Turn, *, where: Where, by: UserId) -> WhoComes:
    """What the form begins with; raises NotYours and NothingScheduled."""
    incident, meeting = sitting.with_attendees(turn, where, by, "invite")
    core = attending.core(turn.db, meeting)
    rows = attending.attendees(turn.db, meeting)
    return WhoComes(
        core,
        [user for user in attending.leaders(turn.db, incident, meeting) if user not in core],
        {UserId(row.user_id): row.why for row in rows if row.why and row.core_since},
        participants.unheard(turn.db, incident, core, turn.house.policy.business),
    )


def change(
    turn: Turn,
    *,
    where: Where,
    by: UserId,
    core: Sequence[UserId],
    leaders: Sequence[UserId],
    shown: Collection[UserId],
) -> Notes:
    """Ask whoever is new, and let off whoever was shown and is not named any more.

    Somebody whom another person asked meanwhile was not shown, and stays. Raises NotOneOfUs and CannotSeeIt.
    """
    incident, meeting = sitting.with_attendees(turn, where, by, "invite")
    let_off = [user for user in shown if user not in {*core, *leaders}]
    yield from _ask(turn, incident, meeting, core)
    for user in leaders:
        sitting.must_be_able_to_come(turn, incident, user)
        attending.name_leader(turn.db, incident, meeting, user, by=by, now=turn.now)
    for user in let_off:
        attending.uninvite(turn.db, meeting, user, now=turn.now)
    yield Note.private(
        by,
        "who_comes",
        core=attending.core(turn.db, meeting),
        leaders=[user for user in leaders if user not in core],
        let_off=let_off,
        **sitting.advice(turn, incident, meeting),
    )
