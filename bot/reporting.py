"""The written review: draft it, approve it, publish it, read it, close it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import drawing
from bot.desk import Note, Notes, Turn
from bot.drawing import Picture
from bot.reports import Reports
from bot.review import report as facts_of
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Stage, Who, require
from bot.review.naming import Called, Naming, by_name, by_role
from bot.review.pulse import Pulse
from bot.review.refusal import (
    NotAvailableFormat,
    NotDrafted,
    NotEnded,
    NotHeld,
    NotInChannel,
    NotPublished,
    PrivateStaysPrivate,
    ReviewClosed,
    UnknownFormat,
    WrongStage,
)
from bot.review.report import Facts
from bot.review.spreadsheet import actions_as_csv
from bot.review.written import Beside, Mark, Written, write
from storage import incidents, outbox, people, pulse, reports, reviews, silence, witness
from storage.incidents import Where
from storage.models import Incident, Review

FORMATS = ("md", "json")
NOT_YET = ("html", "pdf")
SHOWN_OF_MARKDOWN = 2_400
"""Characters; a whole report does not fit into a message."""
DRAFTED_AFTER = timedelta(minutes=30)
"""Within the hour after the meeting, and late enough for what is noted on the way out."""
EXITS = (Stage.skipped, Stage.cancelled)


# Writing ------------------------------------------------------------------------------------


def draft(turn: Turn, *, where: Where, by: UserId, uncompared: Sequence[str] = ()) -> Notes:
    """Write the report from what there is, after the meeting; writing again takes an approval back.

    `uncompared` are the channels in which the archive may not be what Slack shows now.
    """
    incident, review = _to_draft(turn, where, by)
    report = _draft(turn, incident, review, by=by)
    yield Note.private(by, "draft", report=report, counts=_counts(report), uncompared=list(uncompared))


def _draft(turn: Turn, incident: Incident, review: Review, *, by: UserId | None) -> Written:
    report = written(turn.db, incident, turn.house.report_names)
    review.draft = Reports().markdown(report)
    review.drafted_at, review.approved_at = turn.now, None
    _record(turn, incident, review, "drafted", by)
    return report


def to_draft(turn: Turn, *, where: Where, by: UserId) -> int:
    """The incident whose report this person may draft now; raises what `draft` would."""
    return _to_draft(turn, where, by)[0].id


def _to_draft(turn: Turn, where: Where, by: UserId) -> tuple[Incident, Review]:
    incident, review = _to_write(turn, where, by, "draft")
    if reviews.open_meeting(turn.db, review):
        raise NotEnded
    if reviews.last_held(turn.db, review) is None:
        raise NotHeld
    return incident, review


def approve(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Say that the draft may be shared."""
    incident, review = _to_write(turn, where, by, "approve")
    if not review.drafted_at:
        raise NotDrafted
    if not review.approved_at:
        review.approved_at = turn.now
        _record(turn, incident, review, "approved", by)
    yield Note.private(by, "draft_approved", incident=incident.id)


def publish(
    turn: Turn, *, where: Where, by: UserId, to: ChannelId | None = None, audience: ChannelFacts | None = None
) -> Notes:
    """Post the first page where the incident is spoken of, and in another channel where one is named.

    1. What nobody approved is approved by publishing it, and the answer says so.
    2. A private incident goes nowhere where somebody reads who may not see it.
    """
    incident, review = _to_write(turn, where, by, "publish")
    if not review.drafted_at:
        raise NotDrafted
    places = _places(turn, incident, to, audience)
    approved_now = review.approved_at is None
    review.approved_at = review.approved_at or turn.now
    if review.published_at is None:
        review.published_at = turn.now
        _record(turn, incident, review, "published", by)
    review.published_head = witness.head(turn.db, turn.team)
    report = written(turn.db, incident, turn.house.report_names)
    review.published_to, review.draft = to or review.published_to, Reports().markdown(report)
    for place in places:
        key = f"published:{review.id}:{place.channel}"
        note = Note.live(key, "published", place, report=report, by=by)
        yield replace(note, incident=incident.id)
        if report.events:
            yield Note.picture(f"chart:{review.id}:{place.channel}", "chart", place, incident.id)
    channels = [place.channel for place in places]
    yield Note.private(by, "publish", channels=channels, approved_now=approved_now, incident=incident.id)


def close(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The review is over; its open actions live on."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.owning, by, incidents.roles(turn.db, incident.id), "close")
    review = reviews.of(turn.db, incident)
    if not review.published_at:
        raise NotPublished
    if reviews.stage(turn.db, incident) is not Stage.closed:
        review.closed_at = turn.now
        incidents.stop_listening(turn.db, incident.id, now=turn.now)
        _record(turn, incident, review, "closed", by)
    left = facts_of.actions_to_do(reports.read(turn.db, incident).actions)
    yield Note.private(by, "closed", actions=left)


def _to_write(turn: Turn, where: Where, by: UserId, verb: str) -> tuple[Incident, Review]:
    """The review this person may write on; raises where it is over or nobody wants one."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.owning, by, incidents.roles(turn.db, incident.id), verb)
    stage = reviews.stage(turn.db, incident)
    if stage is Stage.closed:
        raise ReviewClosed
    if stage in EXITS:
        raise WrongStage(stage=stage.label, verb=verb)
    return incident, reviews.of(turn.db, incident)


def _record(turn: Turn, incident: Incident, review: Review, what: str, by: UserId | None) -> None:
    incidents.record_change(
        turn.db, incident, "review", review.id, what=what, before=None, after=None, by=by, now=turn.now
    )


def _places(turn: Turn, incident: Incident, to: ChannelId | None, audience: ChannelFacts | None) -> list[Place]:
    home = incidents.main_place(turn.db, incident.id)
    if to is None or to == home.channel:
        return [home]
    if incident.private_since:
        _require_inside(turn, incident, audience)
    if audience and not audience.bot_is_member:
        raise NotInChannel(to)
    return [home, Place(to)]


def _require_inside(turn: Turn, incident: Incident, audience: ChannelFacts | None) -> None:
    """Anybody can walk into a public channel, so that none of them will do; nor one whose members are not told."""
    inside = set(reports.insiders(turn.db, incident))
    if audience is None or not audience.private or not audience.members or not set(audience.members) <= inside:
        raise PrivateStaysPrivate


# Reading --------------------------------------------------------------------------------------


def report(turn: Turn, *, where: Where, by: UserId, form: str = "") -> Notes:
    """The first page, and where the whole of it is."""
    incident = incidents.at(turn.db, turn.team, where, by)
    wanted = form.strip().lower()
    if wanted in NOT_YET:
        raise NotAvailableFormat(words=wanted)
    if wanted and wanted not in FORMATS:
        raise UnknownFormat(words=form.strip())
    report = written(turn.db, incident, turn.house.report_names)
    beginning = _beginning(Reports().markdown(report)) if wanted == "md" else None
    yield Note.private(by, "report", report=report, beginning=beginning, form=wanted or "md")


def _beginning(words: str) -> str:
    return words if len(words) <= SHOWN_OF_MARKDOWN else f"{words[:SHOWN_OF_MARKDOWN].rstrip()} …"


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


def markdown(db: Session, team: str, incident_id: int, naming: Naming = Naming.names) -> str:
    """The report; the same database gives the same text. Raises LookupError for no such incident."""
    return Reports().markdown(written(db, _of_team(db, team, incident_id), naming))


def html(db: Session, team: str, incident_id: int, naming: Naming = Naming.names) -> str:
    """The report as one page that needs nothing else, with its chart; raises LookupError for no such incident."""
    incident = _of_team(db, team, incident_id)
    facts = reports.read(db, incident)
    called, zone = _called(db, facts, naming), people.zone(db, team, facts.incident.lead)
    charts = {layout: drawing.svg(facts, zone=zone, called=called, layout=layout) for layout in drawing.LAYOUTS}
    return Reports().html(_written(db, incident, facts, called=called, zone=zone), charts if facts.timeline else {})


def actions_csv(db: Session, team: str, incident_id: int, naming: Naming = Naming.names) -> str:
    """The actions as CSV; raises LookupError for no such incident."""
    return actions_as_csv(written(db, _of_team(db, team, incident_id), naming))


def picture(db: Session, team: str, incident_id: int, naming: Naming = Naming.names) -> Picture | None:
    """The timeline as it is posted below a summary; None where nothing is on it, or there is no such incident."""
    incident = reports.incident(db, team, incident_id)
    facts = reports.read(db, incident) if incident else None
    if facts is None or not facts.timeline:
        return None
    return drawing.picture(facts, zone=people.zone(db, team, facts.incident.lead), called=_called(db, facts, naming))


def written(db: Session, incident: Incident, naming: Naming = Naming.names) -> Written:
    """The report as every format tells it."""
    facts = reports.read(db, incident)
    zone = people.zone(db, incident.team_id, facts.incident.lead)
    return _written(db, incident, facts, called=_called(db, facts, naming), zone=zone)


def _written(db: Session, incident: Incident, facts: Facts, *, called: Called, zone: str) -> Written:
    beside = Beside(pulse=_pulse(db, incident), mark=_mark(db, incident))
    return write(facts, called=called, zone=zone, beside=beside)


def _called(db: Session, facts: Facts, naming: Naming) -> Called:
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


def _counts(report: Written) -> dict[str, int]:
    findings = sum(len(section.rows) for section in report.findings)
    return {"events": report.events, "findings": findings, "actions": sum(len(group.rows) for group in report.actions)}


# The draft that is written by itself ----------------------------------------------------------------


def undrafted(turn: Turn) -> list[dict[str, int]]:
    """The incidents whose meeting ended half an hour ago, and of which nobody has drafted a report since."""
    waiting = reports.without_draft(turn.db, turn.team, ended_before=turn.now - DRAFTED_AFTER)
    return [{"incident": incident.id} for _, incident in waiting]


def draft_by_itself(turn: Turn, *, incident: int) -> Notes:
    """Write the report's draft while it is fresh; who answers for it is told in their own hours."""
    row = incidents.get(turn.db, incident)
    _draft(turn, row, reviews.of(turn.db, row), by=None)
    return ()


def tell_of_drafts(turn: Turn) -> Notes:
    """Tell who answers for a review, once after each meeting and in their working hours, that its draft waits."""
    for review, incident in reports.waiting_drafts(turn.db, turn.team):
        meeting = reviews.last_held(turn.db, review)
        user = incidents.roles(turn.db, incident.id).owner_or_lead
        key = f"draft-waits:{review.id}:{meeting.number if meeting else 0}"
        if not user or outbox.find(turn.db, turn.team, key) or not _may_be_told(turn, incident, user):
            continue
        report = written(turn.db, incident, turn.house.report_names)
        note = Note.once(key, "draft_waits", user, report=report, counts=_counts(report))
        yield replace(note, incident=incident.id)


def _may_be_told(turn: Turn, incident: Incident, user: UserId) -> bool:
    return silence.may_be_told(turn.db, turn.team, user, incident, now=turn.now, hours=turn.house.working_hours)
