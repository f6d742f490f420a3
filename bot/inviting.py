"""Who comes to the meeting: asked, let off, all of it changed in one form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot import sitting
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.participants import Side
from bot.review.refusal import NeedsPerson, Refused
from storage import attending, groups, participants, people, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting, UserGroup


@dataclass(eq=False)
class UnknownGroup(Refused):
    """I know no user group “{words}”; I read them every quarter of an hour. `{command} invite @name` asks people by
    name.
    """

    words: str


@dataclass(eq=False)
class NobodyOfGroup(Refused):
    """Nobody of {group} could come: they cannot see this incident, or are not here any more. Invite them to its channel
    first.
    """

    group: str


@dataclass(eq=False)
class GroupTooLarge(Refused):
    """{group} has {count} people who could come, and up to eight speak more freely. `{command} invite @name` asks those
    who were there; `{command} schedule apart {group} thu 10:00` lets a team meet by itself before.
    """

    group: str
    count: int


def invite(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId], groups_named: Sequence[str] = ()) -> Notes:
    """Ask people to come; who is asked twice is told once.

    Of a user group those are asked who can see the incident and are here, and the others are named as left out. Raises
    NotOneOfUs, CannotSeeIt, UnknownGroup, NobodyOfGroup and GroupTooLarge.
    """
    incident, meeting = sitting.with_attendees(turn, where, by, "invite")
    if not users and not groups_named:
        raise NeedsPerson(verb="invite")
    for user in users:
        sitting.must_be_able_to_come(turn, incident, user)
    teams = [_team(turn, incident, words) for words in groups_named]
    named = list(dict.fromkeys([*users, *(user for team in teams for user in team.able)]))
    left_out = sorted({user for team in teams for user in team.left_out} - {*named})
    already = [user for user in named if user in attending.core(turn.db, meeting)]
    asked = [user for user in named if user not in already]
    yield from _ask(turn, incident, meeting, asked)
    who = {"users": asked, "already": already, "left_out": left_out}
    yield Note.private(by, "invited", **who, **sitting.advice(turn, incident, meeting))


@dataclass(frozen=True, slots=True)
class _Team:
    able: Sequence[UserId]
    left_out: Sequence[str]


def _group(turn: Turn, words: str) -> UserGroup:
    """Raises UnknownGroup."""
    group = groups.find(turn.db, turn.team, words)
    if group is None:
        raise UnknownGroup(words=words[:80])
    return group


def _team(turn: Turn, incident: Incident, words: str) -> _Team:
    group = _group(turn, words)
    able = participants.able(turn.db, incident, groups.here_of(turn.db, group))
    able &= people.of_us_among(turn.db, turn.team, able)
    if not able:
        raise NobodyOfGroup(group=groups.called(group))
    if len(able) > attending.MOST_CORE:
        raise GroupTooLarge(group=f"@{group.handle}", count=len(able))
    return _Team(sorted(able), [user for user in group.members if user not in able])


def _ask(turn: Turn, incident: Incident, meeting: Meeting, users: Sequence[UserId]) -> Notes:
    """Whoever read along until now is asked to come like somebody new."""
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


def uninvite(
    turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId], groups_named: Sequence[str] = ()
) -> Notes:
    """Let people off, and whoever of a user group is asked; they may still read everything.

    Who was named and never asked is told as such. Raises UnknownGroup.
    """
    incident, meeting = sitting.with_attendees(turn, where, by, "uninvite")
    if not users and not groups_named:
        raise NeedsPerson(verb="uninvite")
    members = sorted({user for words in groups_named for user in _group(turn, words).members})
    leaders = attending.leaders(turn.db, incident, meeting)
    core = {row.user_id for row in attending.attendees(turn.db, meeting) if row.core_since}
    asked = [user for user in dict.fromkeys([*users, *members]) if user in core or user in leaders]
    for user in asked:
        attending.uninvite(turn.db, meeting, user, now=turn.now)
    unasked = [user for user in dict.fromkeys(users if asked else [*users, *members]) if user not in asked]
    advice = sitting.advice(turn, incident, meeting)
    yield Note.private(by, "invite_taken_back", users=asked, unasked=unasked, **advice)


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
    for user in (*core, *leaders):
        sitting.must_be_able_to_come(turn, incident, user)
    yield from _ask(turn, incident, meeting, core)
    for user in leaders:
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
