"""Who is looked for: a part in a meeting that nobody has, filled by the pool and the hours of this house."""

from collections.abc import Collection, Mapping
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
    return calendars_of(turn, [user])[user]


def calendars_of(turn: Turn, users: Collection[str]) -> Mapping[str, Calendar]:
    """When each of these people works."""
    zones = people.zones(turn.db, turn.team, users)
    return {user: _calendar_in(turn, ZoneInfo(zones.get(user, people.UNKNOWN_ZONE))) for user in users}


def _calendar_in(turn: Turn, zone: ZoneInfo) -> Calendar:
    off = turn.days_off(zone.key)
    return Calendar(zone, turn.house.working_hours, off.holidays, off.weekends)
