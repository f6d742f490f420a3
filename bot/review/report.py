"""The facts of a review as plain values, and the document other programs read: the same facts give the same bytes.

The names of the fields are the keys of the document; `from_` is written `from`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast

from bot.review.findings import FindingKind
from bot.review.follow_up import ActionState, Worked
from bot.review.impact import Impact
from bot.review.incident import Durations, MomentName, durations
from bot.review.lifecycle import Stage

SCHEMA = 1
"""Goes up only with a change that a reader of the document would notice."""


@dataclass(frozen=True, kw_only=True)
class MessageRef:
    """Which message something came from."""

    channel_id: str
    ts: str


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """A place the incident was spoken in, from a moment to a moment."""

    channel_id: str
    channel_name: str | None = None
    thread_ts: str | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MomentFacts:
    """When it was, who said so and how; all None where nobody has said anything."""

    at: datetime | None = None
    by: str | None = None
    how: str | None = None


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """What happened; `moments` by MomentName."""

    id: int
    team_id: str
    title: str
    severity: str | None = None
    lead: str | None = None
    private: bool = False
    sources: tuple[SourceFacts, ...] = ()
    moments: Mapping[str, MomentFacts] = field(default_factory=dict[str, MomentFacts])
    impact: Impact = field(default_factory=Impact)
    summary: str | None = None
    healed: tuple[ChangeFacts, ...] = ()
    """What the archive had not been told of, and fetched later."""

    @property
    def durations(self) -> Durations:
        """Of the moments that are known."""
        return durations({name: moment.at for name, moment in self.moments.items() if moment.at})


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """An earlier wording."""

    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """A file that was shared; `skipped` says why it was not kept."""

    id: str
    name: str | None = None
    mimetype: str | None = None
    size: int | None = None
    sha256: str | None = None
    skipped: str | None = None


@dataclass(frozen=True, kw_only=True)
class MessageFacts:
    """What was said; `text` is None where it was deleted or kept no longer, `plain` is what a person would read."""

    channel_id: str
    ts: str
    thread_ts: str | None = None
    user: str | None = None
    bot: str | None = None
    subtype: str | None = None
    text: str | None = None
    plain: str | None = None
    edited_at: datetime | None = None
    versions: tuple[VersionFacts, ...] = ()
    deleted_at: datetime | None = None
    missing_since: datetime | None = None
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    redactions: tuple[Mapping[str, Any], ...] = ()
    """Secrets that were replaced: kind, and where the words for it stand in the text (None outside of the text)."""
    files: tuple[FileFacts, ...] = ()
    permalink: str | None = None


@dataclass(frozen=True, kw_only=True)
class CommentFacts:
    """A remark on an event."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ChangeFacts:
    """One line of history."""

    what: str
    from_: str | None = None
    to: str | None = None
    by: str | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class EventFacts:
    """A moment on the timeline."""

    number: int
    kind: str
    outcome: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    text: str | None = None
    by: str | None = None
    source: str
    message: MessageRef | None = None
    permalink: str | None = None
    question: str | None = None
    answer: str | None = None
    comments: tuple[CommentFacts, ...] = ()
    history: tuple[ChangeFacts, ...] = ()

    @property
    def words(self) -> str | None:
        """What it says; None where its message was deleted."""
        return self.text


@dataclass(frozen=True, kw_only=True)
class AttendeeFacts:
    """Somebody invited: to the core or to listen; seen there or not."""

    user: str
    core: bool
    present: bool


@dataclass(frozen=True, kw_only=True)
class TopicFacts:
    """A topic's planned and spent seconds."""

    name: str
    planned_s: int
    spent_s: int


@dataclass(frozen=True, kw_only=True)
class NoteFacts:
    """Something written down in the meeting."""

    text: str
    by: str
    at: datetime
    topic: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """Where a meeting sat."""

    channel_id: str | None = None
    thread_ts: str | None = None
    call: str | None = None


@dataclass(frozen=True, kw_only=True)
class MeetingFacts:
    """One sitting."""

    number: int
    meets_at: datetime | None = None
    minutes: int | None = None
    place: PlaceFacts | None = None
    attendees: tuple[AttendeeFacts, ...] = ()
    recording: str | None = None
    topics: tuple[TopicFacts, ...] = ()
    notes: tuple[NoteFacts, ...] = ()
    parked: tuple[NoteFacts, ...] = ()
    scheduled_at: datetime | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReviewFacts:
    """The learning about it: where it stands, who answers for it, its sittings and moments."""

    stage: Stage
    facilitator: str | None = None
    scribe: str | None = None
    owner: str | None = None
    meetings: tuple[MeetingFacts, ...] = ()
    pre_read_sent_at: datetime | None = None
    drafted_at: datetime | None = None
    approved_at: datetime | None = None
    published_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class FindingFacts:
    """One finding; `event` is the number of the event it was found at."""

    number: int
    kind: str
    sort: str | None = None
    text: str
    by: str | None = None
    at: datetime
    event: int | None = None


@dataclass(frozen=True, kw_only=True)
class EvidenceFacts:
    """A link or a note for each part of done (S2)."""

    deployed: str | None = None
    tested: str | None = None
    documented: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActionFacts:
    """One promise; `answers` are numbers of findings."""

    number: int
    text: str
    owner: str | None = None
    due: date | None = None
    state: str
    horizon: str | None = None
    category: str | None = None
    priority: str | None = None
    team: str | None = None
    answers: tuple[int, ...] = ()
    second_order: str | None = None
    evidence: EvidenceFacts = field(default_factory=EvidenceFacts)
    verified_by: str | None = None
    reason: str | None = None
    message: MessageRef | None = None
    history: tuple[ChangeFacts, ...] = ()

    @property
    def worked(self) -> ChangeFacts | None:
        """What was said last of whether it worked, since it came to the state it is in."""
        told = [change for change in self.history if change.what in {"state", "worked"}]
        return told[-1] if told and told[-1].what == "worked" and told[-1].to in set(Worked) else None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a report or an export is made of."""

    incident: IncidentFacts
    review: ReviewFacts
    messages: tuple[MessageFacts, ...] = ()
    timeline: tuple[EventFacts, ...] = ()
    findings: tuple[FindingFacts, ...] = ()
    actions: tuple[ActionFacts, ...] = ()
    teams: Mapping[int, str] = field(default_factory=dict[int, str])
    """The team that found a finding in a meeting apart, by the finding's number; the document does not hold it."""


def as_json(facts: Facts) -> dict[str, Any]:
    """The document: messages by ts, the timeline by when it happened, the rest by number, however the rows came."""
    meetings = tuple(map(_meeting, _by_number(facts.review.meetings)))
    return {
        "schema": SCHEMA,
        "incident": _incident(facts.incident),
        "messages": [message_as_json(message) for message in sorted(facts.messages, key=ts_order)],
        "timeline": _plain(in_time(facts.timeline)),
        "review": _plain(replace(facts.review, meetings=meetings)),
        "findings": _plain(_by_number(facts.findings)),
        "actions": _plain(_by_number(facts.actions)),
    }


def ts_order(message: MessageFacts | MessageRef) -> tuple[int, int, str]:
    """Sorts by ts as the number it is, then by channel."""
    seconds, _, fraction = message.ts.partition(".")
    return int(seconds or 0), int(fraction or 0), message.channel_id


def in_time(events: Sequence[EventFacts]) -> tuple[EventFacts, ...]:
    """The timeline; what happened at the same moment stays in order of number."""
    return tuple(sorted(events, key=lambda event: (event.occurred_at, event.number)))


def findings_by_kind(findings: Sequence[FindingFacts]) -> dict[FindingKind, tuple[FindingFacts, ...]]:
    """In the order a report tells them; kinds without a finding are left out."""
    by_kind = {kind: tuple(f for f in _by_number(findings) if f.kind == kind) for kind in FindingKind}
    return {kind: found for kind, found in by_kind.items() if found}


def actions_to_do(actions: Sequence[ActionFacts]) -> tuple[ActionFacts, ...]:
    """Open ones by due day, then number; those without a day come last."""
    still_open = [action for action in actions if ActionState(action.state).is_open]
    return tuple(sorted(still_open, key=lambda action: (action.due or date.max, action.number)))


def _by_start(sources: Sequence[SourceFacts]) -> tuple[SourceFacts, ...]:
    def start(source: SourceFacts) -> tuple[str, str, str]:
        return rfc3339(source.from_) if source.from_ else "", source.channel_id, source.thread_ts or ""

    return tuple(sorted(sources, key=start))


Numbered = TypeVar("Numbered", FindingFacts, ActionFacts, MeetingFacts)


def _by_number(rows: Sequence[Numbered]) -> tuple[Numbered, ...]:
    return tuple(sorted(rows, key=lambda row: row.number))


def _meeting(meeting: MeetingFacts) -> MeetingFacts:
    return replace(meeting, attendees=tuple(sorted(meeting.attendees, key=lambda attendee: attendee.user)))


def message_as_json(message: MessageFacts) -> dict[str, Any]:
    """Emoji by name, people and files by id; most messages have neither, and an incident may have 100,000 of them."""
    document = _plain(message)
    if message.reactions:
        document["reactions"] = {name: sorted(message.reactions[name]) for name in sorted(message.reactions)}
    if message.files:
        document["files"] = [_plain(file) for file in sorted(message.files, key=lambda file: file.id)]
    return document


def _incident(incident: IncidentFacts) -> dict[str, Any]:
    return {
        "id": incident.id,
        "team_id": incident.team_id,
        "title": incident.title,
        "severity": incident.severity,
        "lead": incident.lead,
        "private": incident.private,
        "sources": _plain(_by_start(incident.sources)),
        "moments": {name.value: _plain(incident.moments.get(name, MomentFacts())) for name in MomentName},
        "durations": _plain(incident.durations),
        "impact": incident.impact.to_json(),
        "summary": incident.summary,
    }


PLAIN = frozenset({str, int, bool, NoneType})
"""What stands in JSON as it is."""


def _plain(fact: Any) -> Any:
    kind = cast("type[Any]", type(fact))
    if kind in PLAIN:
        return fact
    if is_dataclass(kind):
        return {key: _plain(getattr(fact, name)) for name, key in _keys(kind)}
    if isinstance(fact, tuple):
        return [_plain(item) for item in cast("tuple[Any, ...]", fact)]
    if isinstance(fact, Mapping):
        return {key: _plain(value) for key, value in cast("Mapping[str, Any]", fact).items()}
    return _scalar(fact)


@cache
def _keys(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """The fields of a kind of fact, each with its key in the document."""
    return tuple((part.name, part.name.rstrip("_")) for part in fields(kind))


def _scalar(fact: object) -> object:
    if isinstance(fact, datetime):
        return rfc3339(fact)
    if isinstance(fact, date):
        return fact.isoformat()
    return fact.value if isinstance(fact, Enum) else fact


def rfc3339(at: datetime) -> str:
    """`2026-11-20T14:05:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
