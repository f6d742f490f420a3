"""The written review in each of its formats, read from the database; an incident that is not there is a LookupError."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot import costing, drawing
from bot.desk import House
from bot.drawing import Picture
from bot.printing import Press
from bot.review import report as facts_of
from bot.review.naming import Called, Naming, by_name, by_role
from bot.review.pulse import Pulse
from bot.review.report import Facts
from bot.review.spreadsheet import actions_as_csv
from bot.review.writer import write
from bot.review.written import Beside, Earlier, Mark, Written
from storage import incidents, likewise, people, pulse, reports, reviews, witness
from storage.models import Incident


def document(db: Session, team: str, incident_id: int) -> dict[str, Any]:
    """The JSON of a review, everything in it, for the person at the machine; raises LookupError for no such one."""
    return facts_of.as_json(reports.read_whole(db, _of_team(db, team, incident_id)))


def json_text(db: Session, team: str, incident_id: int) -> Iterator[str]:
    """The same as text, piece by piece: an incident of 100,000 messages need not fit into memory."""
    incident = _of_team(db, team, incident_id)
    frame = json.dumps(facts_of.as_json(reports.read(db, incident)), ensure_ascii=False, indent=2)
    before, after = frame.split(NO_MESSAGES, 1)
    told = map(facts_of.message_as_json, reports.messages_of(db, incident))
    written = (json.dumps(message, ensure_ascii=False, indent=2).replace("\n", "\n    ") for message in told)
    first = next(written, None)
    if first is None:
        yield f"{frame}\n"
        return
    yield f'{before}\n  "messages": [\n    {first}'
    yield from (f",\n    {message}" for message in written)
    yield f"\n  ]{after}\n"


NO_MESSAGES = '\n  "messages": []'
"""In a text of JSON only a key of the document itself stands behind a line's end and two spaces."""


AS_IT_COMES = House()


def markdown(db: Session, team: str, incident_id: int, house: House = AS_IT_COMES) -> str:
    """The report; the same database gives the same text. Raises LookupError for no such incident."""
    return Press(house.templates).markdown(written(db, _of_team(db, team, incident_id), house))


def html(db: Session, team: str, incident_id: int, house: House = AS_IT_COMES) -> str:
    """The report as one page that needs nothing else, with its chart; raises LookupError for no such incident."""
    return Press(house.templates).html(*_with_charts(db, team, incident_id, house))


def pdf(db: Session, team: str, incident_id: int, house: House = AS_IT_COMES) -> bytes:
    """The report on paper, with its chart; raises LookupError for no such incident."""
    return Press(house.templates).pdf(*_with_charts(db, team, incident_id, house))


def _with_charts(db: Session, team: str, incident_id: int, house: House) -> tuple[Written, Mapping[str, str]]:
    incident = _of_team(db, team, incident_id)
    facts = reports.read(db, incident)
    called, zone = called_in(db, facts, house.report_names), people.zone(db, team, facts.incident.lead)
    charts = {layout: drawing.svg(facts, zone=zone, called=called, layout=layout) for layout in drawing.LAYOUTS}
    report = _written(db, incident, facts, house=house, called=called, zone=zone)
    return report, charts if facts.timeline else {}


def actions_csv(db: Session, team: str, incident_id: int, house: House = AS_IT_COMES) -> str:
    """The actions as CSV; raises LookupError for no such incident."""
    return actions_as_csv(written(db, _of_team(db, team, incident_id), house))


def picture(db: Session, team: str, incident_id: int, house: House = AS_IT_COMES) -> Picture | None:
    """The timeline as it is posted below a summary; None where nothing is on it, or there is no such incident."""
    incident = reports.incident(db, team, incident_id)
    facts = reports.read(db, incident) if incident else None
    if facts is None or not facts.timeline:
        return None
    return drawing.picture(
        facts, zone=people.zone(db, team, facts.incident.lead), called=called_in(db, facts, house.report_names)
    )


def written(db: Session, incident: Incident, house: House = AS_IT_COMES) -> Written:
    """The report as every format tells it."""
    facts = reports.read(db, incident)
    zone = people.zone(db, incident.team_id, facts.incident.lead)
    return _written(db, incident, facts, house=house, called=called_in(db, facts, house.report_names), zone=zone)


def _written(db: Session, incident: Incident, facts: Facts, *, house: House, called: Called, zone: str) -> Written:
    beside = Beside(
        similar=_similar(db, incident, house),
        pulse=_pulse(db, incident),
        in_time=reviews.in_time(db, incident, wanted=house.policy.window[1]),
        mark=_mark(db, incident),
        took=tuple(costing.lines(db, incident, house)),
    )
    return write(facts, called=called, zone=zone, beside=beside)


def _similar(db: Session, incident: Incident, house: House) -> tuple[Earlier, ...]:
    """Of those that everybody may see who reads the report where it is published."""
    shared_in = reviews.of(db, incident).published_to
    home = incidents.main_place(db, incident.id).channel
    everywhere = () if incident.private_since else house.policy.sharing.channels
    return likewise.earlier(db, incident, home, *everywhere, *([shared_in] if shared_in else []))


def called_in(db: Session, facts: Facts, naming: Naming) -> Called:
    """What the people of a report are called."""
    names = people.names(db, facts.incident.team_id, reports.people_in(facts))
    return by_role(facts, names) if naming is Naming.roles else by_name(names)


def _pulse(db: Session, incident: Incident) -> Mapping[int, tuple[str, ...]]:
    """How each meeting was for those who were there, where it may be shown."""
    review = reviews.of(db, incident)
    shown = {meeting.number: pulse.shown(meeting, review) for meeting in reviews.meetings(db, review)}
    return {number: _told(counted) for number, counted in shown.items() if counted}


def _told(counted: Pulse) -> tuple[str, ...]:
    said = "; ".join(f"“{words}”: {count}" for words, count in counted.lines())
    return (f"{counted.answers} people told how it was for them, without their names. {said}.",)


def _mark(db: Session, incident: Incident) -> Mark | None:
    """Where the witness stood when the summary was published, as it is shown, and of which incident."""
    head = reviews.of(db, incident).published_head
    return Mark(head=witness.shown(head), incident=incident.id) if head else None


def _of_team(db: Session, team: str, incident_id: int) -> Incident:
    incident = reports.incident(db, team, incident_id)
    if incident is None:
        message = f"there is no incident {incident_id} in this workspace"
        raise LookupError(message)
    return incident
