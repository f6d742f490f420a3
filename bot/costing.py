"""What an incident took: the hours of its people, in total, and the money where a rate is set."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.desk import House
from bot.review.hours import Effort, Workday, worked
from bot.review.impact import Cost, Impact, costs
from bot.review.incident import MomentName
from storage import acts, incidents, people
from storage.models import Incident

ENDED_BY = (MomentName.resolved, MomentName.mitigated)
"""The response is over with the first of these that is known; what people do later belongs to the review."""
BEGAN_WITH = (MomentName.began, MomentName.detected)


def effort(db: Session, incident: Incident, house: House) -> Effort:
    """Everybody's hours in the response, each in their own zone: from its beginning until it was resolved or mitigated.

    Where nobody has said when it began, all that was said belongs to it; where it is not over, it goes on.
    """
    known = {name: row.at for name, row in incidents.moments(db, incident.id).items() if row.at}
    since = min((known[name] for name in BEGAN_WITH if name in known), default=None)
    until = next((known[name] for name in ENDED_BY if name in known), None)
    found = acts.by_person(db, incident, since=since, until=until)
    zones = people.zones(db, incident.team_id, found)
    workdays = {zone: _workday(house, zone, incident.opened_at) for zone in {*zones.values(), people.UNKNOWN_ZONE}}
    return Effort({user: worked(found[user], workdays[zones.get(user, people.UNKNOWN_ZONE)]) for user in found})


def _workday(house: House, zone: str, around: datetime) -> Workday:
    return Workday(ZoneInfo(zone), house.working_hours, house.days_off(zone, around.date()))


def money(db: Session, incident: Incident, house: House, took: Effort) -> list[Cost]:
    """What it cost, where a rate is set."""
    together, felt = took.together.active if took.together else None, lasted(db, incident)
    return costs(house.policy.rates, Impact.from_json(incident.impact), lasted=felt, together=together)


def lasted(db: Session, incident: Incident) -> timedelta | None:
    """How long the impact was felt: from when it began until it was mitigated; None where one of them is not known."""
    began, mitigated = (incidents.moment(db, incident.id, name) for name in (MomentName.began, MomentName.mitigated))
    return mitigated - began if began and mitigated and mitigated >= began else None


def lines(db: Session, incident: Incident, house: House) -> list[tuple[str, str]]:
    """Label and words of what everybody may know of it: totals and no person's part."""
    took = effort(db, incident, house)
    told = [("People who responded", f"{took.people}, together {took.together.words}")] if took.together else []
    return [*told, *((cost.label, cost.words) for cost in money(db, incident, house, took))]
