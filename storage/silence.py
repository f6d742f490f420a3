"""Whom the bot may write to unasked now: a person gets at most one such direct message a day (DOMAIN §6b)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.meeting_time import (
    DaysOffIn,
    WorkingHours,
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

    1. They are a person who is still here, and no outsider of a private incident.
    2. They did not ask to be left alone.
    3. It is inside their working hours on a day on which they work.
    4. They were not written to unasked today, which is their own day.
    5. They are at no fire.
    """
    person = people.find(db, team, user)
    zone = ZoneInfo(person.zone if person else people.UNKNOWN_ZONE)
    off = days_off(zone.key, now.date())
    # First what needs no query: at most hours of the day the answer is no.
    if next_working_moment(now, zone, hours, off.weekends, off.holidays) != now.astimezone(UTC):
        return False
    if wants_silence(db, team, user, now=now) or not people.is_one_of_us(db, team, user):
        return False
    if incident and incidents.by_number(db, team, incident.id, user) is None:
        return False
    today = working_morning_at(now.astimezone(zone).date(), zone, time.min)
    return not _told_since(db, team, user, today) and not is_at_a_fire(db, team, user, now=now)


def wants_silence(db: Session, team: str, user: str, *, now: datetime) -> bool:
    """Whether somebody asked not to be written to unasked, for good or for a while that is not over."""
    person = people.find(db, team, user)
    if person is None:
        return False
    return person.reminders_off_at is not None or (person.snoozed_until is not None and person.snoozed_until > now)


LONGEST_FIRE = timedelta(hours=24)
"""So long an incident keeps those in it from being written to: some are never called mitigated."""


def is_at_a_fire(db: Session, team: str, user: str, *, now: datetime) -> bool:
    """Whether this person responds to an incident that burns: it began, or began again, within the last day.

    Who has a role in it responds, and who has written in one of its places since.
    """
    since = now - LONGEST_FIRE
    return any(_responds(db, fire, user, since) for fire in _fires(db, team, since))


def _fires(db: Session, team: str, since: datetime) -> list[Incident]:
    cleared = and_(Moment.name.in_(reviews.OVER), Moment.at.is_(None), Moment.recorded_at >= since)
    began_again = exists().where(Moment.incident_id == Incident.id, cleared)
    query = (
        select(Incident)
        .join(Review, Review.incident_id == Incident.id)
        .where(
            Incident.team_id == team,
            or_(Incident.opened_at >= since, began_again),
            Review.cancelled_at.is_(None),
            Review.skipped_at.is_(None),
        )
    )
    return [incident for incident in db.scalars(query) if reviews.over(db, incident) is None]


def _responds(db: Session, fire: Incident, user: str, since: datetime) -> bool:
    if incidents.roles(db, fire.id).of(UserId(user)):
        return True
    in_its_places = and_(Source.incident_id == fire.id, Source.channel_id == Message.channel_id)
    threads = or_(Source.thread_ts == "", Source.thread_ts.in_((Message.thread_ts, Message.ts)))
    wrote = and_(Message.team_id == fire.team_id, Message.user_id == user, Message.posted_at >= since)
    said = or_(Message.subtype.is_(None), Message.subtype.not_in(messages.OF_THE_CHANNEL))
    written = select(Message.id).join(Source, and_(in_its_places, threads)).where(wrote, said)
    return db.scalar(written.limit(1)) is not None


def _told_since(db: Session, team: str, user: str, since: datetime) -> bool:
    """Meant for a moment since then, or said since then because Slack did not take it before."""
    lately = or_(OutboxNote.not_before >= since, OutboxNote.sent_at >= since)
    return db.scalar(select(OutboxNote.id).where(_unasked(team, user), lately).limit(1)) is not None


def times_told(db: Session, team: str, user: str, since: datetime, *, until: datetime) -> int:
    """How many direct messages nobody asked for were written to this person between two moments."""
    between = OutboxNote.not_before.between(since, until)
    return db.scalar(select(func.count(OutboxNote.id)).where(_unasked(team, user), between)) or 0


def _unasked(team: str, user: str) -> ColumnElement[bool]:
    return and_(
        OutboxNote.team_id == team,
        OutboxNote.channel_id == user,
        OutboxNote.kind == "once",
        OutboxNote.key.not_like(ANSWERS),
    )


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
    other = and_(_unasked(note.team_id, note.channel_id), OutboxNote.id != note.id, OutboxNote.key.not_like(f"{CALL}%"))
    waits = and_(OutboxNote.state == "pending", OutboxNote.id < note.id)
    told = or_(OutboxNote.sent_at >= since, OutboxNote.state == "sending", waits)
    return db.scalar(select(OutboxNote.id).where(other, told).limit(1)) is not None
