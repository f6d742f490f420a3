"""Whose turn it is to lead a meeting."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.review import rotation
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from storage import incidents, involved, people, reviews
from storage.models import Incident


@dataclass(frozen=True)
class Rotation:
    """Whom the rotation proposes to lead the meeting; `responded` where nobody was left who did not."""

    user: UserId
    responded: bool


def least_recent_facilitator(db: Session, incident: Incident) -> Rotation | None:
    """Whose turn it is to facilitate: the member of the incident's channel who did so longest ago, or never.

    Lead, owner and scribe are left out, and so is everybody who responded; in a team too small for that it is the
    least involved (PagerDuty, S2). None where there is nobody but them.
    """
    taken_part = involved.involvement(db, incident, until=reviews.over_since(db, incident))
    free = _could_facilitate(db, incident)
    last = incidents.last_held(db, incident.team_id, Role.facilitator)
    fresh = rotation.propose(free, last, never=taken_part)
    if fresh:
        return Rotation(fresh, responded=False)
    fewest = min((taken_part[user] for user in free), default=0)
    least = rotation.propose([user for user in free if taken_part[user] == fewest], last, never=())
    return Rotation(least, responded=True) if least else None


def _could_facilitate(db: Session, incident: Incident) -> set[str]:
    """Members of the incident's channel who are people, still here, and hold no other role in it."""
    roles = incidents.roles(db, incident.id)
    taken = {roles.lead, roles.owner, roles.scribe, involved.bot_user(db, incident.team_id)}
    channel = incidents.main_place(db, incident.id).channel
    return set(people.members(db, incident.team_id, channel)) - taken - involved.unable(db, incident.team_id)
