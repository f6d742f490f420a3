"""The hours that suit those who come: their zones, days off, busy times and what they bore before, put to the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.desk import Turn
from bot.review.common_hour import LATER, Attendee, Hour, Wish, all_of, common_hours, how_it_is
from bot.review.incident import UserId
from storage import busy, incidents, people, reviews
from storage.models import Incident, Meeting

REMEMBERED = timedelta(days=180)
"""So long it counts whose evening a meeting was; then everybody begins anew."""
A_WEEK = timedelta(days=7)
"""Nearer than this the day of the week says which day is meant."""
IN_HOURS = 72
"""Hours; a longer time is counted in days."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An hour to choose, and all that is said of it."""

    at: datetime
    typed: str
    label: str
    """Short, in the lead's zone: `Thu 10:00`."""
    after: str
    """How long after mitigation, in words."""
    everybody: str
    """Whom it would suit: `all six`; empty where only one comes."""
    outside: Sequence[tuple[UserId, str, str]]
    """For whom it lies outside working hours: their zone, and what it is to them."""
    busy: Sequence[UserId]
    why: str | None
    in_the_way: str | None
    """The part of it that is as true of any other hour: what keeps everybody from one of the window."""

    @property
    def suits(self) -> bool:
        """Whether everybody works then and is free."""
        return not self.outside and not self.busy


def offers(turn: Turn, incident: Incident, users: Sequence[UserId], *, at_most: int = 3) -> Sequence[Offer]:
    """At most so many hours for a meeting of these people, the best one first."""
    zone = lead_zone(turn, incident)
    asked, coming = wish(turn, incident, minutes=turn.asked_of(incident).minutes), _coming(turn, incident, users)
    return [_offer(turn, hour, zone, len(coming)) for hour in common_hours(asked, coming, at_most=at_most)]


def first_hour(turn: Turn, incident: Incident, users: Sequence[UserId], asked: Wish) -> Hour:
    """The best hour for a meeting of these people."""
    return common_hours(asked, _coming(turn, incident, users), at_most=1)[0]


def hour_at(turn: Turn, incident: Incident, users: Sequence[UserId], meeting: Meeting) -> Hour:
    """What the hour of a meeting is to these people, whatever they bore before."""
    return _hour(turn, incident, users, at=meeting.meets_at or turn.now, minutes=meeting.minutes)


def busy_at(turn: Turn, incident: Incident, users: Sequence[UserId], at: datetime) -> Sequence[UserId]:
    """Who of them is busy at an hour; asked before the meeting is planned then, for it makes nobody busy itself."""
    return _hour(turn, incident, users, at=at, minutes=turn.asked_of(incident).minutes).busy


def _hour(turn: Turn, incident: Incident, users: Sequence[UserId], *, at: datetime, minutes: int) -> Hour:
    return how_it_is(wish(turn, incident, minutes=minutes), _coming(turn, incident, users), at=at)


def wish(turn: Turn, incident: Incident, *, minutes: int, now: datetime | None = None) -> Wish:
    """What is looked for: inside the window of the policy, for so long, and not before `now` where it is another."""
    return Wish(
        over_at=reviews.over_since(turn.db, incident) or turn.now,
        now=now or turn.now,
        length=timedelta(minutes=minutes),
        window=turn.house.policy.window,
        hours=turn.house.working_hours,
    )


def lead_zone(turn: Turn, incident: Incident) -> ZoneInfo:
    """The time zone of who leads the incident: hours are on the half hours of their clock."""
    return _zone(turn, incidents.roles(turn.db, incident.id).lead)


def outside(turn: Turn, hour: Hour) -> list[tuple[UserId, str, str]]:
    """For whom an hour lies outside working hours: their zone, and what it is to them.

    Zones whose clocks agree then are one, that of the first: nobody reads the same hour twice.
    """
    shown: dict[tuple[str, str], str] = {}
    found: list[tuple[UserId, str, str]] = []
    for strain in hour.strained:
        zone = _zone(turn, strain.user)
        as_told = (f"{hour.at.astimezone(zone):%H:%M %Z}", strain.part.value)
        found.append((strain.user, shown.setdefault(as_told, zone.key), strain.part.value))
    return found


def _coming(turn: Turn, incident: Incident, users: Sequence[UserId]) -> list[Attendee]:
    """The lead first, on whose clock the hours are."""
    lead = incidents.roles(turn.db, incident.id).lead
    ordered = sorted(dict.fromkeys(users), key=lambda user: user != lead) or [lead or UserId("")]
    asked = wish(turn, incident, minutes=0)
    until = max(asked.closes, turn.now) + 2 * LATER
    taken = busy.for_a_meeting(turn.db, incident, ordered, min(asked.opens, turn.now), until)
    borne = reviews.borne(turn.db, turn.team, since=turn.now - REMEMBERED)
    zones = {user: _zone(turn, user) for user in ordered}
    return [
        Attendee(user, zones[user], turn.days_off(zones[user].key), taken.get(user, ()), borne.get(user, 0))
        for user in ordered
    ]


def _offer(turn: Turn, hour: Hour, zone: ZoneInfo, count: int) -> Offer:
    is_soon = hour.at.astimezone(zone).date() - turn.now.astimezone(zone).date() < A_WEEK
    return Offer(
        at=hour.at,
        typed=as_typed(hour.at),
        label=f"{hour.at.astimezone(zone):{'%a %H:%M' if is_soon else '%a %d %b %H:%M'}}",
        after=in_hours_or_days(hour.elapsed_hours),
        everybody=all_of(count) if count > 1 else "",
        outside=outside(turn, hour),
        busy=hour.busy,
        why=hour.why,
        in_the_way=hour.in_the_way,
    )


def as_typed(at: datetime) -> str:
    """An hour in words that mean the same to everybody, as a button types it."""
    return f"{at:%Y-%m-%d %H:%MZ}"


def in_hours_or_days(hours: float) -> str:
    """`55 hours`, and `5 days` where they are many."""
    return f"{round(hours)} hours" if hours <= IN_HOURS else f"{round(hours / 24)} days"


def _zone(turn: Turn, user: str | None) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, user))
