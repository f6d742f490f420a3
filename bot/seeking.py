"""Who is looked for: a part in a meeting that nobody has, filled by the pool and the hours of this house."""

from zoneinfo import ZoneInfo

from bot.desk import Turn
from bot.review.lifecycle import Role
from bot.review.meeting_time import Calendar
from storage import people
from storage.models import Meeting
from storage.rota import Wanted


def sought(turn: Turn, role: Role, meeting: Meeting | None = None) -> Wanted:
    """Who may take this part here; with a meeting, who can come to it, too."""
    policy = turn.house.policy
    pool = policy.facilitators if role is Role.facilitator else policy.scribes
    hours, days_off = turn.house.working_hours, turn.house.days_off
    return Wanted(role=role, pool=pool, hours=hours, meeting=meeting, days_off=days_off)


def calendar_of(turn: Turn, user: str) -> Calendar:
    """When this person works."""
    zone = ZoneInfo(people.zone(turn.db, turn.team, user))
    off = turn.days_off(zone.key)
    return Calendar(zone, turn.house.working_hours, off.holidays, off.weekends)
