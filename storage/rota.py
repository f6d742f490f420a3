"""Whose turn it is to lead a meeting or to write at it, who may be asked, and who was."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from bot.review import rotation
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOffIn, WorkingHours, next_working_moment, weekends_alone
from bot.review.policy import Pool
from bot.review.rotation import Had
from storage import attending, busy, groups, incidents, involved, people, reviews
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


def in_turn(db: Session, incident: Incident, wanted: Wanted) -> Sequence[Rotation]:
    """Who may take this part, in the order in which they are asked.

    1. They are in the pool; without one in the incident's channel, or, to write, asked to the meeting. In a large
       channel they are known from reviews.
    2. They are people of this workspace, see the incident, hold no other part in it, and can come at that hour.
    3. To lead, they took no part in the response (S1, S2, PagerDuty); in a team too small for that the least involved
       come first. To write, those of the pool who took none come first; of those who come to the meeting they come
       last, for they come to speak for somebody.
    """
    part = involved.responders(db, incident, until=reviews.over_since(db, incident))
    named = groups.pool(db, incident.team_id, wanted.pool)
    members: Sequence[str] = () if named else _members(db, incident)
    pool = named or _pool(db, incident, wanted, members)
    able = _able_to_come(db, incident, wanted, _may_take(db, incident, pool))
    had = turns(db, incident.team_id, wanted.role)
    fresh = [Rotation(user, responded=False) for user in rotation.in_turn(able, had, never=part)]
    taken_part = [user for user in able if user in part]
    if wanted.role is Role.scribe:
        rest = [Rotation(user, responded=True) for user in rotation.in_turn(taken_part, had)]
        return [*fresh, *rest] if named else [*rest, *fresh]
    if fresh or len(members) > LARGE:  # Who responded leads in a team that is small, and no large channel is one.
        return fresh
    return [Rotation(user, responded=True) for user in rotation.by_part(able, had, part)]


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


def _members(db: Session, incident: Incident) -> Sequence[str]:
    return people.members(db, incident.team_id, incidents.main_place(db, incident.id).channel)


def _pool(db: Session, incident: Incident, wanted: Wanted, members: Sequence[str]) -> Collection[str]:
    """Of the members of its channel, where the policy names nobody."""
    if wanted.role is Role.scribe and wanted.meeting:
        return attending.core(db, wanted.meeting)
    return members if len(members) <= LARGE else set(members) & _known_from_reviews(db, incident)


def _known_from_reviews(db: Session, incident: Incident) -> set[str]:
    """Who held a part or was in a meeting: nobody is asked out of the blue."""
    held = select(RoleHeld.user_id).where(RoleHeld.team_id == incident.team_id)
    met = select(Attendee.user_id).where(Attendee.team_id == incident.team_id, Attendee.present_at.is_not(None))
    return {*db.scalars(held.distinct()), *db.scalars(met.distinct())}


def _may_take(db: Session, incident: Incident, pool: Collection[str]) -> Sequence[str]:
    """People who are here, are no guests, see the incident and hold no part in it."""
    roles = incidents.roles(db, incident.id)
    never = {roles.lead, roles.owner, roles.facilitator, roles.scribe, involved.bot_user(db, incident.team_id)}
    here = (Person.bot_since.is_(None), Person.gone_since.is_(None), Person.guest_since.is_(None))
    seen = exists(select(Incident.id).where(Incident.id == incident.id, incidents.visible_to(Person.user_id)))
    query = select(Person.user_id).where(Person.team_id == incident.team_id, Person.user_id.in_(pool), *here, seen)
    return [user for user in db.scalars(query) if user not in never]


# Who can come ------------------------------------------------------------------------------


def _able_to_come(db: Session, incident: Incident, wanted: Wanted, users: Sequence[str]) -> Sequence[str]:
    """Those who are at work at that hour, whose calendars are free, and who lead no other meeting then."""
    meeting = wanted.meeting
    if meeting is None or meeting.meets_at is None:
        return users
    until = meeting.meets_at + timedelta(minutes=meeting.minutes)
    taken = busy.between(db, incident.team_id, users, meeting.meets_at, until)
    elsewhere = _leading_then(db, meeting, meeting.meets_at, until)
    zones = people.zones(db, incident.team_id, users)
    return [
        user
        for user in users
        if not taken.get(UserId(user))
        and user not in elsewhere
        and _is_at_work(wanted, ZoneInfo(zones.get(user, people.UNKNOWN_ZONE)), meeting.meets_at)
    ]


def _is_at_work(wanted: Wanted, zone: ZoneInfo, at: datetime) -> bool:
    off = wanted.days_off(zone.key, at.date())
    return next_working_moment(at, zone, wanted.hours, off.weekends, off.holidays) == at


def _leading_then(db: Session, meeting: Meeting, since: datetime, until: datetime) -> set[str]:
    led = (RoleHeld.role == Role.facilitator, RoleHeld.until.is_(None))
    to_come = and_(Meeting.cancelled_at.is_(None), Meeting.ended_at.is_(None), Meeting.meets_at < until)
    planned = and_(to_come, Meeting.apart.is_(None))
    rows = db.execute(
        select(RoleHeld.user_id, Meeting.meets_at, Meeting.minutes)
        .join(Review, Review.incident_id == RoleHeld.incident_id)
        .join(Meeting, Meeting.review_id == Review.id)
        .where(RoleHeld.team_id == meeting.team_id, *led, planned, Meeting.id != meeting.id)
    )
    return {user for user, meets_at, minutes in rows if meets_at and meets_at + timedelta(minutes=minutes) > since}


# Who was asked -----------------------------------------------------------------------------


def asked(db: Session, meeting: Meeting) -> Sequence[RoleAsked]:
    """Everybody who was asked to take a part in a meeting, in order."""
    return db.scalars(select(RoleAsked).where(RoleAsked.meeting_id == meeting.id).order_by(RoleAsked.id)).all()


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
    return user in involved.responders(db, incident, until=reviews.over_since(db, incident))
