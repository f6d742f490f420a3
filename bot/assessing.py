"""How grave it was, by the answers to a few questions: they are kept, a severity is proposed, and a person decides."""

from bot import costing
from bot.desk import Note, Notes, Turn
from bot.review.assessment import Assessment, propose
from bot.review.incident import Severity, UserId
from bot.review.refusal import NothingAnswered
from storage import incidents
from storage.incidents import Where
from storage.models import Incident

SEVERITIES = [severity.value for severity in Severity]


def show_severity(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """How grave it is, and why it was thought so; a button asks the questions, where no form could open."""
    incident = incidents.at(turn.db, turn.team, where, by)
    known = known_of(turn, incident)
    yield Note.private(by, "severity_shown", incident=incident, lines=known.lines(), proposed=propose(known))


def assess(turn: Turn, *, where: Where, by: UserId, assessment: Assessment) -> Notes:
    """Keep the answers and propose a severity with its reasons; raises NothingAnswered where they say too little."""
    incident = incidents.at(turn.db, turn.team, where, by)
    before = known_of(turn, incident)
    answers = Assessment.from_json(assessment.to_json(), before.lasted)
    proposed = propose(answers)
    if proposed is None:
        raise NothingAnswered
    if answers != before:
        incident.assessed = answers.to_json()
        _record(turn, incident, before, answers, by=by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    facts = {"incident": incident, "proposed": proposed, "severities": SEVERITIES, "stepped_in": stepped_in}
    yield Note.private(by, "severity_proposed", **facts)


def known_of(turn: Turn, incident: Incident) -> Assessment:
    """The answers that were given, and how long it lasted where its moments tell."""
    return Assessment.from_json(incident.assessed, costing.lasted(turn.db, incident))


def _record(turn: Turn, incident: Incident, before: Assessment, after: Assessment, *, by: UserId) -> None:
    was, now = ("\n".join(f"{asked} {answer}" for asked, answer in one.lines()) for one in (before, after))
    incidents.record_change(
        turn.db, incident, "incident", incident.id, what="assessed", before=was or None, after=now, by=by, now=turn.now
    )
