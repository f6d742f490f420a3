"""The written review: draft it, approve it, publish it, read it, search it, close it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.desk import Note, Notes, Turn
from bot.reports import Reports
from bot.review import report as facts_of
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState
from bot.review.incident import FORMULAS, ChannelFacts, ChannelId, Place, UserId, in_words
from bot.review.lifecycle import Stage, Who, require
from bot.review.naming import by_name
from bot.review.refusal import (
    NeedsText,
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
from bot.review.report import ActionFacts, Facts
from bot.review.written import Beside, Mark, Written, write
from storage import actions, incidents, people, reports, reviews, silence, witness
from storage import search as words_in
from storage.incidents import Where
from storage.models import Incident, Review

FORMATS = ("md", "json")
NOT_YET = ("html", "pdf")
MOST_OF_A_SORT = 5
"""Learnings and actions on the first page: it is one page."""
SHOWN_OF_MARKDOWN = 2_400
"""Characters; a whole report does not fit into a message."""
PATIENCE = timedelta(hours=2)
"""How long after the meeting its owner is left alone before being asked for a draft."""
EXITS = (Stage.skipped, Stage.cancelled)


# Writing ------------------------------------------------------------------------------------


def draft(turn: Turn, *, where: Where, by: UserId, uncompared: Sequence[str] = ()) -> Notes:
    """Write the report from what there is, after the meeting; writing again takes an approval back.

    `uncompared` are the channels in which the archive may not be what Slack shows now.
    """
    incident, review = _to_draft(turn, where, by)
    review.draft = markdown(turn.db, turn.team, incident.id)
    review.drafted_at, review.approved_at = turn.now, None
    _record(turn, incident, review, "drafted", by)
    facts = reports.read(turn.db, incident)
    page = first_page(facts)
    yield Note.private(by, "draft", page=page, counts=_counts(facts), incident=incident.id, uncompared=list(uncompared))


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
    review.published_to, review.draft = to or review.published_to, markdown(turn.db, turn.team, incident.id)
    page, mark = first_page(reports.read(turn.db, incident)), _mark(turn.db, incident)
    for place in places:
        key = f"published:{review.id}:{place.channel}"
        note = Note.live(key, "published", place, page=page, by=by, mark=mark)
        yield replace(note, incident=incident.id)
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


def _record(turn: Turn, incident: Incident, review: Review, what: str, by: UserId) -> None:
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
    beginning = _beginning(markdown(turn.db, turn.team, incident.id)) if wanted == "md" else None
    page = first_page(reports.read(turn.db, incident))
    yield Note.private(by, "report", page=page, beginning=beginning, form=wanted or "md", incident=incident.id)


def _beginning(words: str) -> str:
    return words if len(words) <= SHOWN_OF_MARKDOWN else f"{words[:SHOWN_OF_MARKDOWN].rstrip()} …"


def search(turn: Turn, *, by: UserId, words: str) -> Notes:
    """Words across all reviews this person may see."""
    if not words.strip():
        raise NeedsText(verb="search", example="certificate expired")
    hits = words_in.find(turn.db, turn.team, by, words.strip())
    yield Note.private(by, "search", words=words.strip(), hits=hits, most=words_in.MOST)


def home(turn: Turn, by: UserId) -> Mapping[str, Any]:
    """What the Home tab shows a person: `notes/home` rendered with these facts."""
    return {
        "actions": actions.open_of(turn.db, turn.team, by),
        "invited": reports.invited(turn.db, turn.team, by),
        "published": reports.published(turn.db, turn.team, by),
    }


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


def markdown(db: Session, team: str, incident_id: int) -> str:
    """The report; the same database gives the same text. Raises LookupError for no such incident."""
    return Reports().markdown(written(db, _of_team(db, team, incident_id)))


def html(db: Session, team: str, incident_id: int) -> str:
    """The report as one page that needs nothing else; raises LookupError for no such incident."""
    return Reports().html(written(db, _of_team(db, team, incident_id)))


def written(db: Session, incident: Incident) -> Written:
    """The report as every format tells it."""
    facts = reports.read(db, incident)
    names = people.names(db, incident.team_id, reports.people_in(facts))
    zone = people.zone(db, incident.team_id, facts.incident.lead)
    return write(facts, called=by_name(names), zone=zone, beside=Beside(mark=_mark(db, incident)))


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


# The first page ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page in plain words: what happened, the impact, how long, what made it possible, learned, will be done."""

    title: str
    severity: str | None
    summary: str | None
    impact: tuple[tuple[str, str], ...]
    lengths: tuple[tuple[str, str], ...]
    """Formula and length, of those that are known."""
    contributors: tuple[str, ...]
    more_contributors: int
    mitigators: tuple[str, ...]
    more_mitigators: int
    learned: tuple[str, ...]
    more_learned: int
    to_do: tuple[ActionFacts, ...]
    more_to_do: int
    done: int


def first_page(facts: Facts) -> Page:
    """The summary that the report begins with and that is shared when it is published."""
    contributors = _texts(facts, FindingKind.contributor)
    mitigators = _texts(facts, FindingKind.mitigator)
    learned = _texts(facts, FindingKind.learning)
    to_do = facts_of.actions_to_do(facts.actions)
    return Page(
        title=facts.incident.title,
        severity=facts.incident.severity,
        summary=facts.incident.summary,
        impact=tuple(facts.incident.impact.lines()),
        lengths=_lengths(facts),
        contributors=contributors[:MOST_OF_A_SORT],
        more_contributors=len(contributors[MOST_OF_A_SORT:]),
        mitigators=mitigators[:MOST_OF_A_SORT],
        more_mitigators=len(mitigators[MOST_OF_A_SORT:]),
        learned=learned[:MOST_OF_A_SORT],
        more_learned=len(learned[MOST_OF_A_SORT:]),
        to_do=to_do[:MOST_OF_A_SORT],
        more_to_do=len(to_do[MOST_OF_A_SORT:]),
        done=sum(action.state == ActionState.done for action in facts.actions),
    )


def _texts(facts: Facts, kind: FindingKind) -> tuple[str, ...]:
    return tuple(found.text for found in facts.findings if found.kind == kind)


def _lengths(facts: Facts) -> tuple[tuple[str, str], ...]:
    known = ((FORMULAS[name], getattr(facts.incident.durations, name)) for name in FORMULAS)
    return tuple((formula, in_words(seconds)) for formula, seconds in known if seconds is not None)


def _counts(facts: Facts) -> dict[str, int]:
    return {"events": len(facts.timeline), "findings": len(facts.findings), "actions": len(facts.actions)}


# Asking for a draft ---------------------------------------------------------------------------------


def drafts_due(turn: Turn) -> Notes:
    """Ask who answers for a review, once after each meeting and in their working hours, to draft what was found."""
    for review, incident in reports.without_draft(turn.db, turn.team, ended_before=turn.now - PATIENCE):
        meeting = reviews.last_held(turn.db, review)
        user = incidents.roles(turn.db, incident.id).owner_or_lead
        if not meeting or not user or not _may_be_told(turn, incident, user):
            continue
        note = Note.once(
            f"draft-due:{review.id}:{meeting.number}", "draft_due", user, title=incident.title, incident=incident.id
        )
        yield replace(note, incident=incident.id)


def _may_be_told(turn: Turn, incident: Incident, user: UserId) -> bool:
    return silence.may_be_told(turn.db, turn.team, user, incident, now=turn.now, hours=turn.house.working_hours)
