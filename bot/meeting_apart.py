"""A team speaks of an incident by itself before everybody does; what it finds stands with its name (S2).

It has no agenda: one message says who meets when (`apart`), and its thread is the room. There another one gathers what
was found (`apart_found`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from zoneinfo import ZoneInfo

from bot import agreeing, deciding, sitting
from bot.desk import Note, Notes, Turn
from bot.render import short
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Stage
from bot.review.plain_text import of_markup
from bot.review.refusal import NeedsReason, Refused
from bot.review.when import When
from storage import attending, groups, incidents, meetings_apart, outbox, participants, people, reviews
from storage.incidents import Where
from storage.models import Finding, Incident, Meeting, UserGroup
from storage.types import clean

MINUTES = 45
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
class NobodyInTeam(Refused):
    """Nobody is in {team} now, as Slack tells it. `{command} schedule apart @group thu 10:00` takes another group."""

    team: str


@dataclass(eq=False)
class EverybodyMeetsBefore(Refused):
    """Everybody meets on {at}. A team that meets apart does so before: name an earlier hour, or move that meeting."""

    at: str


class EverybodyMetAlready(Refused):
    """Everybody has met about it already. Where they are to meet again, `{command} schedule` plans that first."""


@dataclass(eq=False)
class WhichTeam(Refused):
    """Several teams meet apart: {teams}. `{command} schedule apart @group off REASON` calls off the one you name."""

    teams: str


class NoneApart(Refused):
    """No such team is yet to meet apart. `{command} schedule apart @group thu 10:00` plans that."""


class NoTeamHere(Refused):
    """No team meets apart in this thread. `{command} schedule apart @group thu 10:00` plans it."""


@dataclass(frozen=True, slots=True)
class Teams:
    """Who may meet apart, and an hour for it.

    The id and name of each user group, those that were in the incident first; behind the name when it meets already.
    """

    named: Sequence[tuple[str, str]]
    at: datetime


def teams(turn: Turn, *, where: Where, by: UserId) -> Teams:
    """To choose from, for whoever may plan it; the hour is a day before everybody meets, else tomorrow."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    there = set(participants.most_active(turn.db, incident))
    every = sorted(groups.every(turn.db, turn.team), key=lambda group: (not there & {*group.members}, group.name))
    everybody = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    before = everybody.meets_at - timedelta(days=1) if everybody and everybody.meets_at else turn.now
    at = before if before > turn.now else turn.now + timedelta(days=1)
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    planned = {one.apart: one for one in meetings_apart.planned(turn.db, reviews.of(turn.db, incident))}
    names = [(group.group_id, groups.called(group)) for group in every]
    named = [(group, _labelled(planned[name], zone) if name in planned else name) for group, name in names]
    return Teams(named, at.replace(minute=0, second=0))


def _labelled(meeting: Meeting, zone: ZoneInfo) -> str:
    at = f"{meeting.meets_at.astimezone(zone):%a %-d %b, %H:%M}" if meeting.meets_at else ""
    return f"{short(meeting.apart, 50)} · {at}"


def planned(turn: Turn, *, where: Where, by: UserId) -> Sequence[tuple[int, str]]:
    """Number, team and hour of those yet to meet, for whoever may call one off; the one in whose thread comes first."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    return [(meeting.number, _labelled(meeting, zone)) for meeting in _yet_to_meet(turn, incident, where.place)]


def _yet_to_meet(turn: Turn, incident: Incident, place: Place) -> Sequence[Meeting]:
    """Raises NoneApart."""
    every = meetings_apart.planned(turn.db, reviews.of(turn.db, incident))
    if not every:
        raise NoneApart
    return sorted(every, key=lambda meeting: not _is_room(meeting, place))


def _is_room(meeting: Meeting, place: Place) -> bool:
    return bool(meeting.thread_ts) and _room(meeting) == place


# Planned, moved, called off, ended ---------------------------------------------------------


def plan(turn: Turn, *, where: Where, by: UserId, team: str, when: When | None) -> Notes:
    """Plan it, or move it to another hour; says `apart` where the incident is spoken of, and `apart_planned`.

    Whoever was asked to it hears in its room of another hour, by `apart_moved`.
    """
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    if when is None or not team.strip():
        raise NeedsTeamAndHour
    group = groups.find(turn.db, turn.team, team)
    if group is None:
        raise UnknownTeam(words=_as_read(turn, team.strip()[:80]))
    zone = ZoneInfo(people.zone(turn.db, turn.team, by))
    at = when.future(turn.now, zone)
    _must_come_first(turn, incident, at, zone)
    before = meetings_apart.of_team(turn.db, reviews.of(turn.db, incident), groups.called(group))
    meeting = before or _new(turn, incident, group, at, by)
    moved_from = meeting.meets_at
    if moved_from and moved_from != at:
        yield _moved(turn, incident, meeting, at, by)
    yield _shown(turn, incident, meeting)
    core = attending.core(turn.db, meeting)
    outside = agreeing.outside(turn, agreeing.hour_at(turn, incident, core, meeting))
    facts = {"incident": incident.id, "zone": zone.key, "core": core, "outside": outside}
    facts |= {"left_out": _left_out(turn, incident, group)}
    facts |= {"outside_of": sitting.outside_of(turn, incident, meeting, core)}
    yield Note.private(by, "apart_planned", meeting=meeting, is_moved=moved_from != at, **facts)


def _as_read(turn: Turn, words: str) -> str:
    """With a name in the place of whoever is mentioned."""
    named = people.names(turn.db, turn.team, {clean(words).strip("<>@").partition("|")[0]})
    return next((f"@{name}" for name in named.values()), of_markup(words))


def _left_out(turn: Turn, incident: Incident, group: UserGroup) -> Sequence[str]:
    """Who of the team cannot come to it."""
    able = participants.able(turn.db, incident, groups.here_of(turn.db, group))
    return [user for user in group.members if user not in able]


def _must_come_first(turn: Turn, incident: Incident, at: datetime, zone: ZoneInfo) -> None:
    """Raises EverybodyMetAlready and EverybodyMeetsBefore."""
    if _have_met(turn, incident):
        raise EverybodyMetAlready
    everybody = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    meets_at = everybody.meets_at if everybody else None
    if meets_at and at + timedelta(minutes=MINUTES) > meets_at:
        raise EverybodyMeetsBefore(at=f"{meets_at.astimezone(zone):%a %-d %b at %H:%M %Z}")


def _moved(turn: Turn, incident: Incident, meeting: Meeting, to: datetime, by: UserId) -> Note:
    before = meeting.meets_at
    deciding.record_hour(turn, incident, meeting, before=before, after=to, by=by)
    reviews.move(turn.db, meeting, to=to, by=by, now=turn.now)
    key, page = f"apart-moved:{meeting.id}:{meeting.sequence}", _page(turn, incident, meeting)
    return Note.once(key, "apart_moved", _room(meeting), page=page, before=before)


def _new(turn: Turn, incident: Incident, group: UserGroup, at: datetime, by: UserId) -> Meeting:
    team = groups.called(group)
    if not group.members:
        raise NobodyInTeam(team=team)
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
    ranked = meetings_apart.ranked(participants.most_active(turn.db, incident), members)
    seeing = (UserId(user) for user in ranked if incidents.by_number(turn.db, turn.team, incident.id, user))
    return [user for _, user in zip(range(attending.MOST_CORE), seeing, strict=False)]


def call_off(turn: Turn, *, where: Where, by: UserId, reason: str, team: str = "", number: int | None = None) -> Notes:
    """A team does not meet by itself after all, and why (`apart_off`); whoever was asked to it hears of it once.

    It is the one of this number, else of the team that is named, else the one in whose thread it is said, else the
    only one. Raises NoneApart, WhichTeam and NeedsReason.
    """
    incident = deciding.to_be_reviewed(turn, where, by, "schedule apart")
    meeting = _meant(turn, _yet_to_meet(turn, incident, where.place), where.place, team=team, number=number)
    if not reason.strip():
        raise NeedsReason(verb="schedule apart off")
    deciding.give_reason(turn, incident, meeting, reason.strip(), by=by)
    yield from _called_off(turn, incident, meeting, by=by)
    yield Note.private(by, "apart_off_said", team=meeting.apart)


def _meant(turn: Turn, every: Sequence[Meeting], here: Place, *, team: str, number: int | None) -> Meeting:
    group = groups.find(turn.db, turn.team, team) if team else None
    name = (groups.called(group) if group else team.strip().lstrip("@")).casefold()
    if number is not None:
        meant = [one for one in every if one.number == number]
    elif name:
        meant = [one for one in every if (one.apart or "").casefold() == name]
    else:
        meant = [one for one in every if _is_room(one, here)] or every
    if not meant:
        raise NoneApart
    if len(meant) > 1:
        raise WhichTeam(teams=", ".join(one.apart or "" for one in meant))
    return meant[0]


def _called_off(
    turn: Turn, incident: Incident, meeting: Meeting, *, by: UserId | None = None, why: str | None = None
) -> Notes:
    deciding.record_hour(turn, incident, meeting, before=meeting.meets_at, after=None, by=by)
    reviews.call_off(turn.db, meeting, now=turn.now)
    yield from _everything(turn, incident, meeting)
    page = _page(turn, incident, meeting)
    yield Note.once(f"apart-off:{meeting.id}", "apart_off", _room(meeting), page=page, by=by, why=why)


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
    """Everything that `templates/notes/apart.j2`, `apart_found.j2`, `apart_call.j2` and the news of its hour show."""

    incident: int
    title: str
    team: str
    meeting: Meeting
    core: Sequence[UserId]
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
    return ApartPage(
        incident=incident.id,
        title=incident.title,
        team=meeting.apart or "",
        meeting=meeting,
        core=attending.core(turn.db, meeting),
        found=meetings_apart.found(turn.db, meeting),
    )


# What the clock asks -----------------------------------------------------------------------


def hold_due(turn: Turn) -> Notes:
    """What the time brings to each meeting apart.

    1. Where it broke again, nobody wants the review any more, or everybody meets or has met, it is called off before
       its hour, and ends after it; what was found stays.
    2. Once its message stands in Slack, its thread is the room.
    3. Ten minutes before, the team is called there; where we were away then, not long after its hour.
    4. It ends a day after its hour.
    """
    for meeting, incident in meetings_apart.going_on(turn.db, turn.team):
        yield from _moved_on(turn, incident, meeting)


def _moved_on(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    meets_at, over = meeting.meets_at or turn.now, _over(turn, incident)
    if over and turn.now < meets_at:
        yield from _called_off(turn, incident, meeting, why=over.value)
    elif over or turn.now >= meets_at + timedelta(minutes=meeting.minutes) + GATHERS_FOR:
        yield from _ended(turn, incident, meeting)
    elif meeting.thread_ts is None:
        yield from _opened(turn, incident, meeting)
    elif meeting.called_at is None and _is_to_be_called(turn, meets_at):
        meeting.called_at = turn.now
        turn.db.flush()
        key = f"call:{meeting.id}:{meets_at:%Y%m%dT%H%M}"
        yield Note.once(key, "apart_call", _room(meeting), page=_page(turn, incident, meeting))


def _is_to_be_called(turn: Turn, meets_at: datetime) -> bool:
    return meets_at - sitting.CALL_BEFORE <= turn.now <= meets_at + sitting.STILL_WORTH_CALLING


class Over(StrEnum):
    """Why no team need speak of it by itself any more."""

    unwanted = auto()
    broke_again = auto()
    meet = auto()
    met = auto()


def _over(turn: Turn, incident: Incident) -> Over | None:
    stage = reviews.stage(turn.db, incident)
    if stage.is_called_off:
        return Over.unwanted
    if reviews.over_since(turn.db, incident) is None:
        return Over.broke_again
    if stage is Stage.in_meeting:
        return Over.meet
    return Over.met if _have_met(turn, incident) else None


def _have_met(turn: Turn, incident: Incident) -> bool:
    """Whether everybody has, and is not to meet again."""
    review = reviews.of(turn.db, incident)
    return bool(reviews.last_held(turn.db, review)) and not reviews.planned_meeting(turn.db, review)


def _opened(turn: Turn, incident: Incident, meeting: Meeting) -> Notes:
    posted = outbox.find(turn.db, turn.team, _key(meeting))
    if posted and posted.posted_ts:
        meeting.thread_ts = posted.posted_ts
        turn.db.flush()
        yield from _everything(turn, incident, meeting)
