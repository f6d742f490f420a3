"""Whom the bot may write to unasked now: a person gets at most one such direct message a day (DOMAIN §6b)."""

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.meeting_time import (
    DaysOffIn,
    WorkingHours,
    is_at_work,
    next_working_moment,
    weekends_alone,
    working_morning_at,
)
from storage import incidents, messages, people, reviews
from storage.models import Incident, Message, Moment, OutboxNote, Person, Review, Source

ANSWERS = "whisper:%"
"""The keys of answers in a direct conversation, which were asked for."""
CALL = "call:"
"""How the key of the ten-minute call begins, which comes at its minute wherever it is said."""


def may_be_told(
    db: Session,
    team: str,
    user: str,
    incident: Incident | None,
    *,
    now: datetime,
    hours: WorkingHours,
    days_off: DaysOffIn = weekends_alone,
) -> bool:
    """Whether this person may be written to now without having asked; about no incident in particular with None.

    Of an incident that they do not see they may not: who is outside a private one hears nothing of it.
    """
    if user not in who_may_be_told(db, team, [user], now=now, hours=hours, days_off=days_off):
        return False
    return incident is None or incidents.by_number(db, team, incident.id, user) is not None


def who_may_be_told(
    db: Session,
    team: str,
    users: Collection[str],
    *,
    now: datetime,
    hours: WorkingHours,
    days_off: DaysOffIn = weekends_alone,
) -> frozenset[str]:
    """Those of these people who may be written to now without having asked, asked of all of them at once.

    1. They are people who are still here.
    2. They did not ask to be left alone.
    3. It is inside their working hours on a day on which they work.
    4. They were not written to unasked today, which is their own day.
    5. They are at no fire.
    """
    known = people.known(db, team, users) if users else {}
    # First what needs no further query: at most hours of the day nobody is left.
    zones = {user: ZoneInfo(known[user].zone if user in known else people.UNKNOWN_ZONE) for user in users}
    at_work = [user for user, zone in zones.items() if is_at_work(now, zone, hours, days_off)]
    willing = [user for user in at_work if user not in known or not _is_silent(known[user], now)]
    programs = people.programs(db, team) if willing else set[str]()
    here = [user for user in willing if user not in programs and people.is_person(known.get(user))]
    mornings = {user: working_morning_at(now.astimezone(zones[user]).date(), zones[user], time.min) for user in here}
    free = mornings.keys() - _told_since(db, team, mornings)
    return frozenset(free - _at_a_fire(db, team, free, now=now))


def wants_silence(db: Session, team: str, user: str, *, now: datetime) -> bool:
    """Whether somebody asked not to be written to unasked, for good or for a while that is not over."""
    return user in who_want_silence(db, team, [user], now=now)


def who_want_silence(db: Session, team: str, users: Collection[str], *, now: datetime) -> set[str]:
    """Those of these people who asked for it."""
    return {user for user, person in people.known(db, team, users).items() if _is_silent(person, now)}


def _is_silent(person: Person, now: datetime) -> bool:
    return person.reminders_off_at is not None or (person.snoozed_until is not None and person.snoozed_until > now)


LONGEST_FIRE = timedelta(hours=24)
"""So long an incident keeps those in it from being written to: some are never called mitigated."""


def is_at_a_fire(db: Session, team: str, user: str, *, now: datetime) -> bool:
    """Whether this person responds to an incident that burns: it began, or began again, within the last day.

    Who has a role in it responds, and who has written in one of its places since.
    """
    return user in _at_a_fire(db, team, [user], now=now)


def _at_a_fire(db: Session, team: str, users: Collection[str], *, now: datetime) -> set[str]:
    since = now - LONGEST_FIRE
    fires = _fires(db, team, since) if users else []
    if not fires:
        return set()
    held = incidents.roles_in(db, fires).values()
    return {user for user in users if any(roles.of(UserId(user)) for roles in held)} | _wrote(
        db, team, fires, users, since
    )


def _fires(db: Session, team: str, since: datetime) -> list[int]:
    cleared = and_(Moment.name.in_(reviews.OVER), Moment.at.is_(None), Moment.recorded_at >= since)
    began_again = exists().where(Moment.incident_id == Incident.id, cleared)
    query = (
        select(Incident.id)
        .join(Review, Review.incident_id == Incident.id)
        .where(
            Incident.team_id == team,
            or_(Incident.opened_at >= since, began_again),
            Review.cancelled_at.is_(None),
            Review.skipped_at.is_(None),
            ~reviews.is_over(),
        )
    )
    return list(db.scalars(query))


def _wrote(db: Session, team: str, fires: Collection[int], users: Collection[str], since: datetime) -> set[str]:
    """Who of these people has written in a place of one of these incidents since."""
    in_its_places = and_(Source.incident_id.in_(fires), Source.channel_id == Message.channel_id)
    threads = or_(Source.thread_ts == "", Source.thread_ts.in_((Message.thread_ts, Message.ts)))
    wrote = and_(Message.team_id == team, Message.user_id.in_(users), Message.posted_at >= since)
    said = or_(Message.subtype.is_(None), Message.subtype.not_in(messages.OF_THE_CHANNEL))
    written = select(Message.user_id).join(Source, and_(in_its_places, threads)).where(wrote, said)
    return {user for user in db.scalars(written.distinct()) if user}


def _told_since(db: Session, team: str, since: Mapping[str, datetime]) -> set[str]:
    """To whom something was said that was meant for a moment since theirs, or that Slack did not take before it."""
    if not since:
        return set()
    first = min(since.values())
    lately = or_(OutboxNote.not_before >= first, OutboxNote.sent_at >= first)
    rows = db.execute(
        select(OutboxNote.channel_id, func.max(OutboxNote.not_before), func.max(OutboxNote.sent_at))
        .where(_unasked(team), OutboxNote.channel_id.in_(since), lately)
        .group_by(OutboxNote.channel_id)
    )
    return {user for user, *moments in rows if any(at and at >= since[user] for at in moments)}


def times_told(db: Session, team: str, user: str, since: datetime, *, until: datetime) -> int:
    """How many direct messages nobody asked for were written to this person between two moments."""
    between = OutboxNote.not_before.between(since, until)
    to_them = OutboxNote.channel_id == user
    return db.scalar(select(func.count(OutboxNote.id)).where(_unasked(team), to_them, between)) or 0


def _unasked(team: str) -> ColumnElement[bool]:
    return and_(OutboxNote.team_id == team, OutboxNote.kind == "once", OutboxNote.key.not_like(ANSWERS))


# What Slack did not take in time -------------------------------------------------------

UNWANTED = "reminders_off"
"""Why a note is dead whose reader asked, while it waited, not to be written to any more."""
HALF_AN_HOUR = timedelta(minutes=30)
"""After which it is looked whether a fire is over."""


def put_off(
    db: Session,
    note: OutboxNote,
    now: datetime,
    *,
    hours: WorkingHours,
    days_off: DaysOffIn = weekends_alone,
) -> bool:
    """Whether a note must not be said now, because it is a direct message that nobody asked for and comes too late.

    It was written when its reader might be told, but Slack did not take it: an outage, a pause, a restart.

    1. It waits for their next working hour after any snooze, and while they are at a fire.
    2. Where another one was said today, or waits before it, it comes a working day later: one a day.
    3. Who asked since not to be written to at all does not get it.
    """
    person = db.get(Person, (note.team_id, note.channel_id))
    if person is None or note.kind != "once" or note.posted_ts or note.key.startswith((CALL, ANSWERS[:-1])):
        return False
    if person.reminders_off_at:
        note.state, note.error = "dead", UNWANTED
        return True
    until = _next_moment(db, note, person, now, hours=hours, days_off=days_off)
    if until > now:
        # It has no error any more: Slack may be asked again, and answers to this reader need not wait for it.
        note.not_before, note.error = until, None
    return until > now


def _next_moment(
    db: Session, note: OutboxNote, person: Person, now: datetime, *, hours: WorkingHours, days_off: DaysOffIn
) -> datetime:
    zone = ZoneInfo(person.zone)
    off = days_off(zone.key, now.date())
    today = now.astimezone(zone).date()
    since = max(now, person.snoozed_until or now)
    if _another_today(db, note, working_morning_at(today, zone, time.min)):
        since = max(since, working_morning_at(today + timedelta(days=1), zone, time.min))
    at = next_working_moment(since, zone, hours, off.weekends, off.holidays)
    return now + HALF_AN_HOUR if at <= now and is_at_a_fire(db, note.team_id, person.user_id, now=now) else at


def _another_today(db: Session, note: OutboxNote, since: datetime) -> bool:
    """Whether another one was said since this morning, or may be in this moment, or waits and was written before."""
    to_them = and_(_unasked(note.team_id), OutboxNote.channel_id == note.channel_id)
    other = and_(to_them, OutboxNote.id != note.id, OutboxNote.key.not_like(f"{CALL}%"))
    waits = and_(OutboxNote.state == "pending", OutboxNote.id < note.id)
    told = or_(OutboxNote.sent_at >= since, OutboxNote.state == "sending", waits)
    return db.scalar(select(OutboxNote.id).where(other, told).limit(1)) is not None
