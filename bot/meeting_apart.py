"""A team speaks of an incident by itself before everybody does; what it finds stands with its name (S2).

It has no agenda: one message says who meets when (`apart`), and its thread is the room. There another one gathers what
was found (`apart_found`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import deciding
from bot.desk import Note, Notes, Turn
from bot.review.incident import ChannelId, Place, UserId
from bot.review.refusal import Refused
from bot.review.when import When
from storage import attending, groups, incidents, involved, meetings_apart, outbox, people, reviews
from storage.incidents import Where
from storage.models import Finding, Incident, Meeting, UserGroup

MINUTES = 45
CALL_BEFORE = timedelta(minutes=10)
GATHERS_FOR = timedelta(hours=24)
"""So long after its hour what was found may still be added, if nobody ends it."""


@dataclass(eq=False)
class UnknownTeam(Refused):
    """I know no user group “{words}”. `{command} schedule apart @group thu 10:00` takes one of your workspace; I read
    them every quarter of an hour.
    """

    words: str


class NeedsTeamAndHour(Refused):
    """Which team meets apart, and when? `{command} schedule apart @group thu 10:00`, in your own time zone."""


@dataclass(eq=False)
class NobodyOfTeam(Refused):
    """Nobody of {team} can see this incident. Invite them to its channel first."""

    team: str


@dataclass(eq=False)
class EverybodyMeetsBefore(Refused):
    """Everybody meets on {at}. A team that meets apart does so before: name an earlier hour, or move that meeting."""

    at: str


class NoTeamHere(Refused):
    """No team meets apart in this thread. `{command} schedule apart @group thu 10:00` plans it."""


@dataclass(frozen=True, slots=True)
class Teams:
    """Who may meet apart: id and name of each user group, those that were in the incident first; and an hour for it."""

    named: Sequence[tuple[str, str]]
    at: datetime


def teams(turn: Turn, *, where: Where, by: UserId) -> Teams:
    """To choose from, for whoever may plan it; the hour is a day before everybody meets, else tomorrow."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    there = set(involved.most_active(turn.db, incident))
    every = sorted(groups.every(turn.db, turn.team), key=lambda group: (not there & {*group.members}, group.name))
    everybody = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    before = everybody.meets_at - timedelta(days=1) if everybody and everybody.meets_at else turn.now
    at = before if before > turn.now else turn.now + timedelta(days=1)
    return Teams([(group.group_id, group.name or group.handle) for group in every], at.replace(minute=0, second=0))


# Planned, moved, ended ---------------------------------------------------------------------


def plan(turn: Turn, *, where: Where, by: UserId, team: str, when: When | None) -> Notes:
    """Plan it, or move it to another hour; says `apart` where the incident is spoken of, and `apart_planned`."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    if when is None or not team.strip():
        raise NeedsTeamAndHour
    group = groups.find(turn.db, turn.team, team)
    if group is None:
        raise UnknownTeam(words=team.strip()[:80])
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    at = when.future(turn.now, zone)
    _must_come_first(turn, incident, at, zone)
    meeting = _planned(turn, incident, group, at, by)
    yield _shown(turn, incident, meeting)
    yield Note.private(by, "apart_planned", meeting=meeting, zone=zone.key, core=attending.core(turn.db, meeting))


def _must_come_first(turn: Turn, incident: Incident, at: datetime, zone: ZoneInfo) -> None:
    everybody = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    meets_at = everybody.meets_at if everybody else None
    if meets_at and at + timedelta(minutes=MINUTES) > meets_at:
        raise EverybodyMeetsBefore(at=f"{meets_at.astimezone(zone):%a %-d %b at %H:%M %Z}")


def _planned(turn: Turn, incident: Incident, group: UserGroup, at: datetime, by: UserId) -> Meeting:
    review, team = reviews.of(turn.db, incident), group.name or group.handle
    before = meetings_apart.of_team(turn.db, review, team)
    if before is None:
        return _new(turn, incident, group, at, by)
    if before.meets_at != at:
        deciding.record_hour(turn, incident, before, before=before.meets_at, after=at, by=by)
        reviews.move(turn.db, before, to=at, by=by, now=turn.now)
    return before


def _new(turn: Turn, incident: Incident, group: UserGroup, at: datetime, by: UserId) -> Meeting:
    team = group.name or group.handle
    core = _core(turn, incident, group)
    if not core:
        raise NobodyOfTeam(team=team)
    meeting = reviews.add_meeting(turn.db, reviews.of(turn.db, incident), minutes=MINUTES)
    meeting.apart, meeting.channel_id = team, incidents.main_place(turn.db, incident.id).channel
    meeting.meets_at, meeting.scheduled_at, meeting.scheduled_by = at, turn.now, by
    meeting.zone = people.zone(turn.db, turn.team, by)
    for user in core:
        attending.invite(turn.db, meeting, user, core=turn.now, now=turn.now, why=team)
    deciding.record_hour(turn, incident, meeting, before=None, after=at, by=by)
    return meeting


def _core(turn: Turn, incident: Incident, group: UserGroup) -> list[UserId]:
    """Those of the team who were in the incident and can see it, where nobody was, others of it; eight at most."""
    members = set(groups.here_of(turn.db, group))
    ranked = meetings_apart.ranked(involved.most_active(turn.db, incident), members)
    seeing = (UserId(user) for user in ranked if incidents.by_number(turn.db, turn.team, incident.id, user))
    return [user for _, user in zip(range(attending.MOST_CORE), seeing, strict=False)]


def end(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The team is done; pressed in its thread, by whoever is there. What is found afterwards is still the team's."""
    incident = incidents.at(turn.db, turn.team, where, by)
    meeting = meetings_apart.at(turn.db, incident, where.place)
    if meeting is None:
        raise NoTeamHere
    if meeting.ended_at is None:
        yield from _ended(turn, incident, meeting)
    yield Note.private(by, "apart_ended", found=len(meetings_apart.found(turn.db, meeting)), team=meeting.apart)


def _ended(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    meeting.opened_at = min(meeting.meets_at or turn.now, turn.now)
    meeting.ended_at = turn.now
    turn.db.flush()
    yield from _everything(turn, incident, meeting)


# Showing it --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartPage:
    """Everything that `templates/notes/apart.j2`, `apart_found.j2` and `apart_call.j2` show."""

    incident: int
    title: str
    team: str
    meeting: Meeting
    core: Sequence[UserId]
    everybody_at: datetime | None
    """When the meeting of everybody is, where it is planned."""
    found: Sequence[Finding]


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show what was found since; without a meeting apart, nothing."""
    incident = incidents.at(turn.db, turn.team, where, by)
    for meeting in meetings_apart.with_a_thread(turn.db, reviews.of(turn.db, incident)):
        yield from _everything(turn, incident, meeting)


def _everything(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    yield _shown(turn, incident, meeting)
    if meeting.thread_ts:
        yield Note.live(f"apart-found:{meeting.id}", "apart_found", _room(meeting), page=_page(turn, incident, meeting))


def _shown(turn: Turn, incident: Incident, meeting: Meeting) -> Note:
    place = Place(ChannelId(meeting.channel_id or ""))
    return Note.live(_key(meeting), "apart", place, page=_page(turn, incident, meeting))


def _key(meeting: Meeting) -> str:
    return f"apart:{meeting.id}"


def _room(meeting: Meeting) -> Place:
    return Place(ChannelId(meeting.channel_id or ""), meeting.thread_ts or "")


def _page(turn: Turn, incident: Incident, meeting: Meeting) -> ApartPage:
    everybody = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    return ApartPage(
        incident=incident.id,
        title=incident.title,
        team=meeting.apart or "",
        meeting=meeting,
        core=attending.core(turn.db, meeting),
        everybody_at=everybody.meets_at if everybody else None,
        found=meetings_apart.found(turn.db, meeting),
    )


# What the clock asks -----------------------------------------------------------------------


def hold_due(turn: Turn) -> Notes:
    """What the time brings to each meeting apart.

    1. Where it broke again, or nobody wants the review any more, it is called off; what was found stays.
    2. Once its message stands in Slack, its thread is the room.
    3. Ten minutes before, the team is called there.
    4. It ends when everybody begins to meet, or a day after its hour.
    """
    for meeting, incident in meetings_apart.going_on(turn.db, turn.team):
        yield from _moved_on(turn, incident, meeting)


def _moved_on(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    meets_at = meeting.meets_at or turn.now
    if _is_off(turn, incident):
        reviews.call_off(turn.db, meeting, now=turn.now)
        deciding.record_hour(turn, incident, meeting, before=meeting.meets_at, after=None, by=None)
        yield _shown(turn, incident, meeting)
    elif turn.now >= meets_at + timedelta(minutes=meeting.minutes) + GATHERS_FOR or _everybody_meets(turn, incident):
        yield from _ended(turn, incident, meeting)
    elif meeting.thread_ts is None:
        yield from _opened(turn, incident, meeting)
    elif meeting.called_at is None and turn.now >= meets_at - CALL_BEFORE:
        meeting.called_at = turn.now
        turn.db.flush()
        key = f"call:{meeting.id}:{meets_at:%Y%m%dT%H%M}"
        yield Note.once(key, "apart_call", _room(meeting), page=_page(turn, incident, meeting))


def _is_off(turn: Turn, incident: Incident) -> bool:
    return reviews.stage(turn.db, incident).is_called_off or reviews.over_since(turn.db, incident) is None


def _everybody_meets(turn: Turn, incident: Incident) -> bool:
    return reviews.open_meeting(turn.db, reviews.of(turn.db, incident)) is not None


def _opened(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    posted = outbox.find(turn.db, turn.team, _key(meeting))
    if posted and posted.posted_ts:
        meeting.thread_ts = posted.posted_ts
        turn.db.flush()
        yield from _everything(turn, incident, meeting)
