"""Whose turn it is to lead a meeting or to write at it, who may be asked, and who was."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.review import rotation
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOffIn, WorkingHours, is_at_work, weekends_alone
from bot.review.policy import Pool
from bot.review.rotation import Had
from storage import attending, busy, groups, incidents, involved, people, reviews
from storage.busy import Span
from storage.models import Attendee, Incident, Meeting, Person, Review, RoleAsked, RoleHeld

SHADOW = "shadow"
"""Who was asked to sit beside somebody who leads a meeting for the first time."""
LARGE = 30
"""In a channel with more people than this most of them only read along."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """Whom the rotation proposes; `responded` where nobody was left who did not."""

    user: UserId
    responded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who is looked for: for which part, out of which pool, and for which meeting where one is planned."""

    role: Role
    pool: Pool
    hours: WorkingHours
    meeting: Meeting | None = None
    days_off: DaysOffIn = weekends_alone


Sought = tuple[Incident, Wanted]
"""A part in the meeting of an incident that somebody is looked for."""


def in_turn(db: Session, incident: Incident, wanted: Wanted) -> Sequence[Rotation]:
    """Who may take this part, in the order in which they are asked."""
    return in_turn_each(db, incident.team_id, [(incident, wanted)])[0]


def in_turn_each(db: Session, team: str, every: Sequence[Sought]) -> Sequence[Sequence[Rotation]]:
    """Who may take each of these parts, in the order in which they are asked; as many questions as for one.

    1. They are in the pool; without one in the incident's channel, or, to write, asked to the meeting. In a large
       channel they are known from reviews.
    2. They are people of this workspace, see the incident, hold no other part in it, and can come at that hour.
    3. To lead, they took no part in the response (S1, S2, PagerDuty); in a team too small for that the least involved
       come first. To write, those of the pool who took none come first; of those who come to the meeting they come
       last, for they come to speak for somebody.
    """
    if not every:
        return []
    pools = _pools(db, team, every)
    able = _able_to_come(db, team, every, _may_take(db, team, every, pools))
    part = _responders(db, team, [incident.id for incident, _ in every])
    had = {role: turns(db, team, role) for role in dict.fromkeys(wanted.role for _, wanted in every)}
    return [
        _ordered(wanted.role, pool, users, had[wanted.role], part[incident.id])
        for (incident, wanted), pool, users in zip(every, pools, able, strict=True)
    ]


def _ordered(
    role: Role, pool: "_Pool", able: Sequence[str], had: Sequence[Had], part: Mapping[str, int]
) -> Sequence[Rotation]:
    fresh = [Rotation(user, responded=False) for user in rotation.in_turn(able, had, never=part)]
    taken_part = [user for user in able if user in part]
    if role is Role.scribe:
        rest = [Rotation(user, responded=True) for user in rotation.in_turn(taken_part, had)]
        return [*fresh, *rest] if pool.is_named else [*rest, *fresh]
    if fresh or pool.is_of_many:  # Who responded leads in a team that is small, and no large channel is one.
        return fresh
    return [Rotation(user, responded=True) for user in rotation.by_part(able, had, part)]


def _responders(db: Session, team: str, numbers: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    over = reviews.over_in(db, numbers)
    return involved.responders(db, team, {number: over.get(number) for number in numbers})


def turns(db: Session, team: str, role: Role) -> Sequence[Had]:
    """Who has, or had at the end, this part in each review that was not called off, the first one first."""
    wanted = (RoleHeld.team_id == team, RoleHeld.role == role, RoleHeld.until.is_(None))
    rows = db.execute(
        select(RoleHeld.user_id, RoleHeld.since, RoleHeld.incident_id)
        .join(Review, Review.incident_id == RoleHeld.incident_id)
        .where(*wanted, Review.cancelled_at.is_(None), Review.skipped_at.is_(None))
        .order_by(RoleHeld.since, RoleHeld.id)
    )
    return [Had(user, since, incident) for user, since, incident in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """Who is asked at all; named by the policy, or out of a channel of many people."""

    users: Collection[str]
    is_named: bool
    is_of_many: bool


def _pools(db: Session, team: str, every: Sequence[Sought]) -> Sequence[_Pool]:
    """Of the members of its channel, where the policy names nobody."""
    named = {pool: groups.pool(db, team, pool) for pool in dict.fromkeys(wanted.pool for _, wanted in every)}
    unnamed = [(incident, wanted) for incident, wanted in every if not named[wanted.pool]]
    members = _members(db, team, [incident.id for incident, _ in unnamed])
    writing = [wanted.meeting for _, wanted in unnamed if wanted.role is Role.scribe and wanted.meeting]
    cores: Mapping[int, Sequence[str]] = attending.cores(db, writing) if writing else {}
    known = _known_from_reviews(db, team) if any(len(users) > LARGE for users in members.values()) else set[str]()

    def pool(incident: Incident, wanted: Wanted) -> _Pool:
        users: Collection[str] = named[wanted.pool] or members[incident.id]
        is_of_many = not named[wanted.pool] and len(users) > LARGE
        if wanted.meeting and not named[wanted.pool] and wanted.role is Role.scribe:
            users = cores[wanted.meeting.id]
        elif is_of_many:
            users = known & {*users}
        return _Pool(users=users, is_named=bool(named[wanted.pool]), is_of_many=is_of_many)

    return [pool(incident, wanted) for incident, wanted in every]


def _members(db: Session, team: str, numbers: Collection[int]) -> Mapping[int, Sequence[str]]:
    """Who is in the channel of each incident now."""
    if not numbers:
        return {}
    places = incidents.main_places(db, numbers)
    found = people.members_in(db, team, {place.channel for place in places.values()})
    return {number: found.get(places[number].channel, ()) for number in numbers}


def _known_from_reviews(db: Session, team: str) -> set[str]:
    """Who held a part or was in a meeting: nobody is asked out of the blue."""
    held = select(RoleHeld.user_id).where(RoleHeld.team_id == team)
    met = select(Attendee.user_id).where(Attendee.team_id == team, Attendee.present_at.is_not(None))
    return {*db.scalars(held.distinct()), *db.scalars(met.distinct())}


def _may_take(db: Session, team: str, every: Sequence[Sought], pools: Sequence[_Pool]) -> Sequence[Sequence[str]]:
    """People who are here, are no guests, see the incident and hold no part in it."""
    roles = incidents.roles_in(db, {incident.id for incident, _ in every})
    bot, everybody = involved.bot_user(db, team), {user for pool in pools for user in pool.users}
    here = (Person.bot_since.is_(None), Person.gone_since.is_(None), Person.guest_since.is_(None))
    query = select(Person.user_id).where(Person.team_id == team, Person.user_id.in_(everybody), *here)
    able = set(db.scalars(query)) - {bot}
    free = [
        [user for user in dict.fromkeys(pool.users) if user in able and not roles[incident.id].of(UserId(user))]
        for (incident, _), pool in zip(every, pools, strict=True)
    ]
    pairs = {(incident.id, user) for (incident, _), users in zip(every, free, strict=True) for user in users}
    seen = incidents.seen_by_each(db, team, pairs)
    return [
        [user for user in users if (incident.id, user) in seen]
        for (incident, _), users in zip(every, free, strict=True)
    ]


# Who can come ------------------------------------------------------------------------------


def _able_to_come(
    db: Session, team: str, every: Sequence[Sought], able: Sequence[Sequence[str]]
) -> Sequence[Sequence[str]]:
    """Those who are at work at that hour, whose calendars are free, and who lead no other meeting then."""
    hours = [(wanted, at) for _, wanted in every if (at := wanted.meeting.meets_at if wanted.meeting else None)]
    everybody = {user for users in able for user in users}
    if not hours or not everybody:
        return able
    taken = busy.then(db, team, everybody, {_span(wanted, at) for wanted, at in hours})
    led = _led(db, team)
    zones = people.zones(db, team, everybody)

    def can_come(wanted: Wanted, user: str) -> bool:
        if wanted.meeting is None or wanted.meeting.meets_at is None:
            return True
        span = _span(wanted, wanted.meeting.meets_at)
        elsewhere = any(_overlaps(wanted.meeting.id, span, other) for other in led.get(user, ()))
        zone = ZoneInfo(zones.get(user, people.UNKNOWN_ZONE))
        works = is_at_work(span[0], zone, wanted.hours, wanted.days_off)
        return user not in taken[span] and not elsewhere and works

    return [[user for user in users if can_come(wanted, user)] for (_, wanted), users in zip(every, able, strict=True)]


def _span(wanted: Wanted, at: datetime) -> Span:
    return at, at + timedelta(minutes=wanted.meeting.minutes if wanted.meeting else 0)


def _led(db: Session, team: str) -> Mapping[str, Sequence[tuple[int, Span]]]:
    """The meetings to come that each person leads, and when they are."""
    led = (RoleHeld.team_id == team, RoleHeld.role == Role.facilitator, RoleHeld.until.is_(None))
    to_come = (Meeting.cancelled_at.is_(None), Meeting.ended_at.is_(None), Meeting.apart.is_(None))
    rows = db.execute(
        select(RoleHeld.user_id, Meeting.id, Meeting.meets_at, Meeting.minutes)
        .join(Review, Review.incident_id == RoleHeld.incident_id)
        .join(Meeting, Meeting.review_id == Review.id)
        .where(*led, *to_come, Meeting.meets_at.is_not(None))
    )
    found: defaultdict[str, list[tuple[int, Span]]] = defaultdict(list)
    for user, meeting, at, minutes in rows:
        if at:
            found[user].append((meeting, (at, at + timedelta(minutes=minutes))))
    return found


def _overlaps(meeting: int, span: Span, other: tuple[int, Span]) -> bool:
    return other[0] != meeting and other[1][0] < span[1] and other[1][1] > span[0]


# Who was asked -----------------------------------------------------------------------------


def asked(db: Session, meeting: Meeting) -> Sequence[RoleAsked]:
    """Everybody who was asked to take a part in a meeting, in order."""
    return asked_in(db, [meeting.id])[meeting.id]


def asked_in(db: Session, meetings: Collection[int]) -> Mapping[int, Sequence[RoleAsked]]:
    """The same for each of these meetings."""
    found: dict[int, list[RoleAsked]] = {number: [] for number in meetings}
    for row in db.scalars(select(RoleAsked).where(RoleAsked.meeting_id.in_(found)).order_by(RoleAsked.id)):
        found[row.meeting_id].append(row)
    return found


def ask(db: Session, incident: Incident, meeting: Meeting, role: str, *, user: str, now: datetime) -> RoleAsked:
    """Remember that somebody is asked now; once for each part of a meeting."""
    row = RoleAsked(
        team_id=incident.team_id,
        incident_id=incident.id,
        meeting_id=meeting.id,
        role=role,
        user_id=user,
        asked_at=now,
    )
    db.add(row)
    db.flush()
    return row


def answered(db: Session, row: RoleAsked, answer: str, *, now: datetime) -> None:
    """Keep what somebody said, or that nothing was heard: taken, passed or lapsed."""
    row.answer, row.answered_at = answer, now
    db.flush()


def last_asked(db: Session, incident: Incident, role: str, user: str) -> RoleAsked | None:
    """When somebody was last asked to take this part, and what they said."""
    of_it = (RoleAsked.incident_id == incident.id, RoleAsked.role == role, RoleAsked.user_id == user)
    return db.scalar(select(RoleAsked).where(*of_it).order_by(RoleAsked.id.desc()).limit(1))


def responded(db: Session, incident: Incident, user: str) -> bool:
    """Whether somebody took part in the response."""
    return user in _responders(db, incident.team_id, [incident.id])[incident.id]
