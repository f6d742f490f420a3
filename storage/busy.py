"""When people are busy: from a moment to a moment, and nothing else of what stands in their calendars."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from storage.models import Attendee, BusyTime, Incident, Meeting, Person, Review
from storage.rows import AT_ONCE, delete_any, in_parts

Span = tuple[datetime, datetime]
"""From when until when, in UTC; the end is free again."""

KEPT = timedelta(days=7)
"""So long what was read of a calendar is kept, if it is not read anew: by then nobody can count on it."""
LONGEST = timedelta(hours=12)
"""No meeting of ours lasts longer."""
PATIENCE = timedelta(minutes=5)
"""So long an hour is not proposed yet because a calendar has not been read."""


def between(
    db: Session, team: str, users: Collection[str], after: datetime, until: datetime
) -> Mapping[UserId, Sequence[Span]]:
    """When each of these people is busy in that time, in order and without overlaps; empty where nothing is known.

    A time that reaches over an edge is given whole.
    """
    found: defaultdict[str, list[Span]] = defaultdict(list)
    rows = db.execute(
        select(BusyTime.user_id, BusyTime.from_at, BusyTime.until_at).where(
            BusyTime.team_id == team,
            BusyTime.user_id.in_(users),
            BusyTime.from_at < until,
            BusyTime.until_at > after,
        )
    )
    for user, from_at, until_at in rows:
        found[user].append((from_at, until_at))
    return {UserId(user): merged(found[user]) for user in users}


def then(db: Session, team: str, users: Collection[str], spans: Collection[Span]) -> Mapping[Span, set[str]]:
    """Who of these people is busy in any part of each of these times."""
    found: dict[Span, set[str]] = {span: set() for span in spans}
    for some in in_parts(sorted(found)):
        busy = or_(*(and_(BusyTime.from_at < until, BusyTime.until_at > after) for after, until in some))
        query = select(BusyTime.user_id, BusyTime.from_at, BusyTime.until_at)
        rows = db.execute(query.where(BusyTime.team_id == team, BusyTime.user_id.in_(users), busy))
        for user, from_at, until_at in rows:
            for after, until in some:
                if from_at < until and until_at > after:
                    found[after, until].add(user)
    return found


def for_a_meeting(
    db: Session, incident: Incident, users: Collection[str], after: datetime, until: datetime
) -> Mapping[UserId, Sequence[Span]]:
    """As `between`, for a meeting of everybody in this incident.

    1. The one that is planned, which stands in their calendars, is in the way of none that would take its place.
    2. Any other meeting of ours keeps those busy who are to come to it, whether or not their calendars are read.
    """
    found = {user: list(spans) for user, spans in between(db, incident.team_id, users, after, until).items()}
    for user, span, is_this_one in _ours(db, incident, users, after, until):
        spans = found[user]
        found[user] = _without(spans, span) if is_this_one else [*spans, span]
    return {user: merged(spans) for user, spans in found.items()}


def _ours(
    db: Session, incident: Incident, users: Collection[str], after: datetime, until: datetime
) -> Sequence[tuple[UserId, Span, bool]]:
    """Who is to come to which meeting, and whether it is the one of this incident; that one first."""
    to_come = (Meeting.scheduled_at.is_not(None), Meeting.cancelled_at.is_(None), Meeting.ended_at.is_(None))
    then = (Meeting.meets_at > after - LONGEST, Meeting.meets_at < until)
    comes = (Attendee.user_id.in_(users), Attendee.core_since.is_not(None), Attendee.uninvited_at.is_(None))
    is_this_one = and_(Review.incident_id == incident.id, Meeting.apart.is_(None))
    rows = db.execute(
        select(Attendee.user_id, Meeting.meets_at, Meeting.minutes, is_this_one)
        .join(Meeting, Meeting.id == Attendee.meeting_id)
        .join(Review, Review.id == Meeting.review_id)
        .where(Meeting.team_id == incident.team_id, *to_come, *then, *comes)
        .order_by(is_this_one.desc(), Meeting.id)
    )
    return [(UserId(user), (at, at + timedelta(minutes=length)), bool(this)) for user, at, length, this in rows if at]


def _without(spans: Sequence[Span], gone: Span) -> list[Span]:
    """What is left of these times when another one is taken out of them."""
    left = [(from_at, min(until_at, gone[0])) for from_at, until_at in spans]
    right = [(max(from_at, gone[1]), until_at) for from_at, until_at in spans]
    return [span for span in (*left, *right) if span[0] < span[1]]


def merged(spans: Iterable[Span]) -> Sequence[Span]:
    """The same times in order, those that touch as one; what ends before it begins is left out."""
    joined: list[Span] = []
    for from_at, until_at in sorted(span for span in spans if span[0] < span[1]):
        if joined and from_at <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until_at))
        else:
            joined.append((from_at, until_at))
    return joined


def keep(db: Session, team: str, user: str, spans: Iterable[Span], *, now: datetime) -> None:
    """What was read of somebody's calendar now takes the place of what was read before."""
    person = db.get(Person, (team, user))
    if person is None:
        return
    db.execute(delete(BusyTime).where(BusyTime.team_id == team, BusyTime.user_id == user))
    rows = [
        {"team_id": team, "user_id": user, "from_at": from_at, "until_at": until_at}
        for from_at, until_at in merged(spans)
        if until_at > now
    ]
    for start in range(0, len(rows), AT_ONCE):
        db.execute(insert(BusyTime), rows[start : start + AT_ONCE])
    person.calendar_read_at = now
    db.flush()


def unread(db: Session, team: str, users: Collection[str], *, since: datetime) -> Sequence[UserId]:
    """Whose calendar, of these people, was not read since that moment."""
    read = last_read(db, team, users)
    return [UserId(user) for user in users if user not in read or read[user] < since]


def last_read(db: Session, team: str, users: Collection[str]) -> Mapping[str, datetime]:
    """When the calendars of these people were read, of those that ever were."""
    mine = (Person.team_id == team, Person.user_id.in_(users), Person.calendar_read_at.is_not(None))
    rows = db.execute(select(Person.user_id, Person.calendar_read_at).where(*mine))
    return {user: at for user, at in rows if at}


def readable(db: Session, team: str, users: Collection[str]) -> Mapping[UserId, str]:
    """The e-mail addresses, by which calendars are found, of those of these people who have one and are still here."""
    rows = db.execute(
        select(Person.user_id, Person.email).where(
            Person.team_id == team,
            Person.user_id.in_(users),
            Person.email.is_not(None),
            Person.gone_since.is_(None),
            Person.bot_since.is_(None),
        )
    )
    return {UserId(user): email for user, email in rows if email}


def is_awaited(db: Session, team: str, users: Collection[str], *, since: datetime, now: datetime) -> bool:
    """Whether a calendar that can be found, or once its person is known, was not read since then, only minutes ago."""
    if now >= since + PATIENCE:
        return False
    found = [*readable(db, team, users), *unmet(db, team, users)]
    return bool(unread(db, team, found, since=since))


def unmet(db: Session, team: str, users: Collection[str]) -> Sequence[UserId]:
    """Those of these people of whom nothing is known yet."""
    met = set(db.scalars(select(Person.user_id).where(Person.team_id == team, Person.user_id.in_(users))))
    return [UserId(user) for user in users if user not in met]


def forget_over(db: Session, team: str, *, now: datetime) -> None:
    """What is over is not kept, and nothing of a calendar that has not been read for a week."""
    stale = select(Person.user_id).where(Person.team_id == team, Person.calendar_read_at < now - KEPT)
    delete_any(db, BusyTime, BusyTime.team_id == team, or_(BusyTime.until_at <= now, BusyTime.user_id.in_(stale)))
