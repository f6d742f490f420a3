"""Who is asked to come to a meeting, and who is there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.participants import MOST
from storage import incidents
from storage.models import Attendee, Incident, Meeting, Person

MOST_CORE = MOST
"""Core attendees (S2: 5–8); up to so many are invited by themselves."""


def attendees(db: Session, meeting: Meeting) -> Sequence[Attendee]:
    """Who is invited now, core attendees first."""
    rows = db.scalars(
        select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.uninvited_at.is_(None)).order_by(Attendee.id)
    )
    return sorted(rows, key=lambda row: row.core_since is None)


def counts(db: Session, meetings: Collection[int]) -> Mapping[int, int]:
    """How many are invited now to each of these meetings, where anybody is."""
    invited = (Attendee.meeting_id.in_(meetings), Attendee.uninvited_at.is_(None))
    query = select(Attendee.meeting_id, func.count(Attendee.id)).where(*invited).group_by(Attendee.meeting_id)
    return dict(db.execute(query).all())


def invite(
    db: Session, meeting: Meeting, user: str, *, core: datetime | None, now: datetime, why: str | None = None
) -> None:
    """Invite somebody; inviting twice is inviting once, and lifts an earlier withdrawal.

    `why` is what they were proposed for: a role, or the teams and business functions they speak for.
    """
    row = db.scalar(select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.user_id == user))
    if row is None:
        row = Attendee(team_id=meeting.team_id, meeting_id=meeting.id, user_id=user, invited_at=now)
        db.add(row)
    elif row.uninvited_at:
        row.invited_at = now
    row.uninvited_at, row.core_since, row.why = None, row.core_since or core, row.why or why
    db.flush()


def uninvite(db: Session, meeting: Meeting, user: str, *, now: datetime) -> None:
    """Take an invitation back; somebody who was not invited is not touched."""
    row = attendee(db, meeting, user)
    if row is not None:
        row.uninvited_at, row.core_since = now, None
        db.flush()


def ask_anew(db: Session, meeting: Meeting) -> None:
    """What people answered was said of an hour that it has no more."""
    for row in attendees(db, meeting):
        row.answer = row.answered_at = None
    db.flush()


def let_off(db: Session, meeting: Meeting) -> Sequence[str]:
    """Whose invitation was taken back."""
    return db.scalars(
        select(Attendee.user_id).where(Attendee.meeting_id == meeting.id, Attendee.uninvited_at.is_not(None))
    ).all()


def attendee(db: Session, meeting: Meeting, user: str) -> Attendee | None:
    """The standing invitation of a person."""
    return db.scalar(
        select(Attendee).where(
            Attendee.meeting_id == meeting.id, Attendee.user_id == user, Attendee.uninvited_at.is_(None)
        )
    )


def core(db: Session, meeting: Meeting) -> Sequence[UserId]:
    """The core attendees invited now, without who has left the workspace since."""
    return cores(db, [meeting])[meeting.id]


def cores(db: Session, meetings: Collection[Meeting]) -> Mapping[int, Sequence[UserId]]:
    """Those of each of these meetings, by the number of its row."""
    found: dict[int, list[UserId]] = {meeting.id: [] for meeting in meetings}
    asked = (Attendee.meeting_id.in_(found), Attendee.uninvited_at.is_(None), Attendee.core_since.is_not(None))
    gone = and_(Person.team_id == Attendee.team_id, Person.user_id == Attendee.user_id, Person.gone_since.is_not(None))
    here = ~exists(select(Person.user_id).where(gone))
    rows = db.execute(select(Attendee.meeting_id, Attendee.user_id).where(*asked, here).order_by(Attendee.id))
    for meeting, user in rows:
        found[meeting].append(UserId(user))
    return found


LEADER = "leader"
"""The word in a meeting's history for somebody named as a leader who comes."""


def name_leader(db: Session, incident: Incident, meeting: Meeting, user: str, *, by: str, now: datetime) -> None:
    """Ask a leader to come, beside the core; naming one twice is naming one once."""
    invite(db, meeting, user, core=None, now=now)
    if user not in _named_leaders(db, incident, meeting):
        incidents.record_change(
            db, incident, "meeting", meeting.id, what=LEADER, before=None, after=user, by=by, now=now
        )
        db.flush()


def leaders(db: Session, incident: Incident, meeting: Meeting) -> Sequence[UserId]:
    """The leaders who are asked to come now."""
    return [user for user in _named_leaders(db, incident, meeting) if attendee(db, meeting, user)]


def _named_leaders(db: Session, incident: Incident, meeting: Meeting) -> Sequence[UserId]:
    named = incidents.changes(db, incident.id, "meeting")
    return [UserId(row.after) for row in named if row.what == LEADER and row.subject_id == meeting.id and row.after]


def expected(db: Session, team: str) -> Sequence[UserId]:
    """Everybody who is asked to a meeting that is planned and has not begun."""
    to_come = (Meeting.scheduled_at.is_not(None), Meeting.opened_at.is_(None), Meeting.ended_at.is_(None))
    asked = (Attendee.team_id == team, Attendee.uninvited_at.is_(None), Meeting.cancelled_at.is_(None))
    query = select(Attendee.user_id).join(Meeting, Meeting.id == Attendee.meeting_id).where(*asked, *to_come)
    return [UserId(user) for user in db.scalars(query.distinct().order_by(Attendee.user_id))]


def here(db: Session, meeting: Meeting, user: str, *, now: datetime) -> None:
    """Somebody is in the room, invited or not; the first word of it counts."""
    if attendee(db, meeting, user) is None:
        invite(db, meeting, user, core=None, now=now)
    row = attendee(db, meeting, user)
    if row is not None:
        row.present_at = row.present_at or now
        db.flush()
