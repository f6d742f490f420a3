"""Who has left the workspace and still holds a part in a review, or owns an action of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from bot.review.follow_up import ActionState
from bot.review.incident import UserId
from storage import reviews
from storage.models import Action, Incident, Meeting, Moment, Person, Review, RoleHeld

STILL_OPEN = [state.value for state in ActionState if state.is_open]


@dataclass(frozen=True, slots=True, order=True)
class Departed:
    """Somebody who left, since when, and the incident in which a part of theirs is empty now."""

    incident: int
    user: UserId
    since: datetime


def holding_a_part(db: Session, team: str, *, since: datetime) -> Sequence[Departed]:
    """Who is gone and holds a role in a review that is not over, in order of incidents.

    Of reviews in which nothing has happened since a moment only those with an action whose owner is gone, too.
    """
    person = and_(Person.team_id == RoleHeld.team_id, Person.user_id == RoleHeld.user_id)
    wanted = (Review.cancelled_at.is_(None), Review.skipped_at.is_(None), or_(_moves(since), _has_orphans()))
    query = (
        select(RoleHeld.incident_id, RoleHeld.user_id, Person.gone_since)
        .join(Person, person)
        .join(Review, Review.incident_id == RoleHeld.incident_id)
        .where(RoleHeld.team_id == team, RoleHeld.until.is_(None), Person.gone_since.is_not(None), *wanted)
        .distinct()
    )
    rows = db.execute(query)
    return sorted(Departed(incident, UserId(user), gone) for incident, user, gone in rows if gone)


def _moves(since: datetime) -> ColumnElement[bool]:
    met = select(Meeting.id).where(Meeting.review_id == Review.id, Meeting.meets_at >= since).exists()
    over = and_(Moment.incident_id == Review.incident_id, Moment.name.in_(reviews.OVER), Moment.at >= since)
    lately = or_(Review.drafted_at >= since, Review.published_at >= since, met, select(Moment.id).where(over).exists())
    return and_(Review.closed_at.is_(None), lately)


def _has_orphans() -> ColumnElement[bool]:
    orphan = select(Action.id).join(Person, _owner()).where(Action.incident_id == Review.incident_id, *_ORPHANED)
    return orphan.exists()


def orphaned(db: Session, incident: Incident) -> Sequence[int]:
    """The numbers of an incident's open actions whose owners are gone."""
    query = select(Action.number).join(Person, _owner()).where(Action.incident_id == incident.id, *_ORPHANED)
    return db.scalars(query.order_by(Action.number)).all()


def _owner() -> ColumnElement[bool]:
    return and_(Person.team_id == Action.team_id, Person.user_id == Action.owner)


_ORPHANED = (Action.withdrawn_at.is_(None), Action.state.in_(STILL_OPEN), Person.gone_since.is_not(None))
