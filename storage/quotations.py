"""Words that leave: with a deleted message go the copies of its words, wherever something written later quotes them.

What was made of the message (its event, its action) and what the bot said quote any words of it; what other people
wrote is searched only for words that nobody else would say.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session

from bot.review.heard import moment_of
from bot.review.plain_text import of_markup
from bot.review.quotes import DELETED, Anchor, Needle, Reach, Wordings, take_out_of_json
from storage import outbox, people
from storage.findings import QUOTES
from storage.models import (
    Action,
    Change,
    Erasure,
    EventComment,
    Finding,
    Incident,
    Link,
    Meeting,
    MeetingNote,
    Message,
    MessageVersion,
    OutboxNote,
    Review,
    TimelineEvent,
    Workspace,
)
from storage.types import CleanJSON

SKEW = timedelta(minutes=1)
"""How far our clock may be behind Slack's: a copy is never older than its message by more than this."""
DOUBLED_WITHIN = timedelta(days=1)
"""How far from each other two messages may be that are one note: for so long it is looked for them."""
TOGETHER = 8
"""Messages looked for in one question; each has a few wordings, and the database tries the beginning of each."""
MOST_ANCHORS = 100
"""How many beginnings it is asked for at once; where there are more, it gives every row of these incidents."""
AT_ONCE = 200
"""Rows looked at together."""
MENTION = re.compile(r"@(\w+)")
ESCAPE = "/"

Key = tuple[str, str]


# What was said, before it goes --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gone:
    """A message whose words leave, with every wording of it that there was and the moment it was said first."""

    id: int
    key: Key
    at: datetime
    said: Mapping[str, datetime]


def of(message: Message, versions: Iterable[MessageVersion], at: datetime) -> Gone:
    """What a message says, read before it is emptied."""
    said: dict[str, datetime] = {}
    wordings = [(message.edited_ts, (message.text, message.plain))]
    wordings += [(version.edited_ts, (version.text, of_markup(version.text))) for version in versions]
    for edited_ts, texts in wordings:
        since = moment_of(edited_ts) if edited_ts else message.posted_at
        said |= {text: min(since, said.get(text, since)) for text in texts if text}
    return Gone(message.id, (message.channel_id, message.ts), at, said)


def follow(db: Session, team: str, gone: Sequence[Gone], incidents: Mapping[int, Collection[int]]) -> None:
    """Take the words of these messages out of all that was written of them, and remember that traces are to be swept.

    `incidents` are those that a message was said in, by its id. A purged message has no words any more; the event that
    kept them for the report loses them all the same.
    """
    if not gone:
        return
    linked = _Linked(db, team, gone)
    linked.unword(db)
    stays = _said_elsewhere(db, team, gone) | _said_twice(db, team, gone)
    search = [
        one
        for message in gone
        if message.id not in stays
        for one in _searches(db, team, message, linked=linked, incidents=incidents.get(message.id, ()))
    ]
    for start in range(0, len(search), TOGETHER):
        _take_out(db, team, search[start : start + TOGETHER])
    outbox.draw_again(db, team, {incident for one in gone for incident in _told_in(one, linked, incidents)})
    db.add_all(Erasure(team_id=team, at=one.at) for one in gone)
    db.flush()


def _said_elsewhere(db: Session, team: str, gone: Sequence[Gone]) -> set[int]:
    """Messages that stand under another id of their channel now: they are not deleted, and neither are their copies."""
    wordings = {(one.key[1], text): one.id for one in gone for text in one.said}
    twins = and_(Message.team_id == team, Message.ts.in_({one.key[1] for one in gone}), Message.deleted_at.is_(None))
    return {
        wordings[twin]
        for ts, text in db.execute(select(Message.ts, Message.text).where(twins))
        if (twin := (ts, text)) in wordings
    }


def _said_twice(db: Session, team: str, gone: Sequence[Gone]) -> set[int]:
    """Messages of ours that were there twice: the note stands as the other one, in the same words."""
    ours = and_(
        Workspace.team_id == team, or_(Workspace.bot_user == Message.user_id, Workspace.bot_id == Message.bot_id)
    )
    by_us = select(Message.id).join(Workspace, ours).where(Message.id.in_([one.id for one in gone]))
    said = {one.id: one for one in gone}
    return {row for row in db.scalars(by_us) if _stands_still(db, team, said[row])}


def _stands_still(db: Session, team: str, gone: Gone) -> bool:
    channel, ts = gone.key
    since, until = (f"{(moment_of(ts) + way * DOUBLED_WITHIN).timestamp():.6f}" for way in (-1, 1))
    other = and_(
        OutboxNote.posted_ts.between(since, until), OutboxNote.posted_ts != ts, OutboxNote.deleted_at.is_(None)
    )
    stands = select(OutboxNote.text).where(OutboxNote.team_id == team, OutboxNote.posted_channel == channel, other)
    return any(text in gone.said for text in db.scalars(stands))


# What was made of it ----------------------------------------------------------------------------


class _Linked:
    """The events, actions and findings that came from messages."""

    def __init__(self, db: Session, team: str, gone: Sequence[Gone]) -> None:
        self.events, events_in = _from(db, team, TimelineEvent, gone)
        self.actions, actions_in = _from(db, team, Action, gone)
        self.findings, findings_in = _quoting(db, team, gone)
        self.incidents = {one.key: events_in[one.key] | actions_in[one.key] | findings_in[one.key] for one in gone}

    def unword(self, db: Session) -> None:
        """An event that nobody worded has the message's own words, kept for the report; they go."""
        by_hand = and_(Change.subject == "event", Change.subject_id == TimelineEvent.id, Change.what == "text")
        theirs = TimelineEvent.id.in_([event for events in self.events.values() for event in events])
        kept = select(TimelineEvent).where(
            theirs, TimelineEvent.text.is_not(None), ~select(Change.id).where(by_hand).exists()
        )
        for event in db.scalars(kept):
            event.text = None


def _told_in(gone: Gone, linked: _Linked, incidents: Mapping[int, Collection[int]]) -> set[int]:
    return {*incidents.get(gone.id, ()), *linked.incidents[gone.key]}


def _from(
    db: Session, team: str, table: type[Any], gone: Sequence[Gone]
) -> tuple[Mapping[Key, set[int]], Mapping[Key, set[int]]]:
    """The rows that came from each message, and the incidents they belong to."""
    rows: defaultdict[Key, set[int]] = defaultdict(set)
    within: defaultdict[Key, set[int]] = defaultdict(set)
    wanted = {one.key for one in gone}
    in_channel, at = table.channel_id.in_({key[0] for key in wanted}), table.ts.in_({key[1] for key in wanted})
    found = select(table.id, table.incident_id, table.channel_id, table.ts).where(table.team_id == team, in_channel, at)
    for row_id, incident, channel, ts in db.execute(found):
        rows[channel, ts].add(row_id)
        within[channel, ts].add(incident)
    return rows, within


def _quoting(db: Session, team: str, gone: Sequence[Gone]) -> tuple[Mapping[Key, set[int]], Mapping[Key, set[int]]]:
    """The findings that keep the words of each message, and the incidents they belong to."""
    rows: defaultdict[Key, set[int]] = defaultdict(set)
    within: defaultdict[Key, set[int]] = defaultdict(set)
    keys = {one.id: one.key for one in gone}
    quotes = and_(Link.team_id == team, Link.relation == QUOTES, Link.to_kind == "message", Link.to_id.in_(keys))
    for link in db.scalars(select(Link).where(quotes)):
        rows[keys[link.to_id]].add(link.from_id)
        within[keys[link.to_id]].add(link.incident_id)
    return rows, within


@dataclass(frozen=True, slots=True)
class _Search:
    """Wordings that one message has had since a moment, and what came from it: in which incidents copies may be."""

    channel: str
    since: datetime
    wordings: Wordings
    own: Wordings
    """Those of them that nobody had written there before: a copy may be of what is older, and stays."""
    incidents: frozenset[int]
    events: frozenset[int]
    actions: frozenset[int]
    findings: frozenset[int]

    @property
    def is_put_to_use(self) -> bool:
        return bool(self.events or self.actions or self.findings)


def _searches(db: Session, team: str, gone: Gone, *, linked: _Linked, incidents: Collection[int]) -> Iterator[_Search]:
    names = people.names(db, team, set(MENTION.findall(" ".join(gone.said))))
    for since in sorted(set(gone.said.values())):
        wordings = Wordings.of([text for text, at in gone.said.items() if at == since], names)
        yield _Search(
            gone.key[0],
            since - SKEW,
            wordings,
            wordings,
            frozenset(incidents) | linked.incidents[gone.key],
            frozenset(linked.events.get(gone.key, ())),
            frozenset(linked.actions.get(gone.key, ())),
            frozenset(linked.findings.get(gone.key, ())),
        )


# Where copies are -----------------------------------------------------------------------------------


def _by_people(_search: _Search, _row: Any) -> Reach:
    return "own"


def _by_the_bot(search: _Search, _row: Any) -> Reach:
    return "places" if search.is_put_to_use else "own"


def _outbox(search: _Search, row: OutboxNote) -> Reach:
    """A whisper lists messages that nothing was made of."""
    return "some" if row.key.startswith("whisper:") else _by_the_bot(search, row)


def _event(search: _Search, row: TimelineEvent) -> Reach:
    return "some" if row.id in search.events else "own"


def _action(search: _Search, row: Action) -> Reach:
    return "some" if row.id in search.actions else "own"


def _finding(search: _Search, row: Finding) -> Reach:
    return "some" if row.id in search.findings else "own"


def _history(search: _Search, row: Change) -> Reach:
    made = {"event": search.events, "action": search.actions, "finding": search.findings}.get(row.subject, frozenset())
    return "some" if row.subject_id in made else "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A table that may quote messages: in which columns, how far, of which incident it is, and since when it says so.

    `made_at` is when a row was first worded; a column that is worded anew later has a line of history for it.
    """

    table: type[Any]
    columns: tuple[str, ...]
    incident: Any
    made_at: Callable[[Any], datetime | None]
    reach: Callable[[_Search, Any], Reach] = _by_people
    history: str | None = None


EVENT_OF = select(TimelineEvent.incident_id).where(TimelineEvent.id == EventComment.event_id).scalar_subquery()
MEETING_OF = (
    select(Review.incident_id)
    .join(Meeting, Meeting.review_id == Review.id)
    .where(Meeting.id == MeetingNote.meeting_id)
    .scalar_subquery()
)
WORDED_BY = {
    "text": ("text", "added", "proposed"),
    "question": ("answer",),
    "second_order": ("proposed",),
    "reason": ("proposed", "reason", "state"),
    "evidence": ("proposed", "state"),
}
"""The lines of history that word a column, where they are not called as it is."""


def _at(row: Any) -> datetime:
    return row.at


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


BY_PEOPLE = (
    Copies(
        table=TimelineEvent,
        columns=("text", "question", "answer"),
        incident=TimelineEvent.incident_id,
        made_at=lambda row: row.recorded_at,
        reach=_event,
        history="event",
    ),
    Copies(table=EventComment, columns=("text",), incident=EVENT_OF, made_at=_at),
    Copies(
        table=Action,
        columns=("text", "second_order"),
        incident=Action.incident_id,
        made_at=lambda row: row.proposed_at,
        reach=_action,
        history="action",
    ),
    Copies(
        table=Action,
        columns=("reason", "evidence"),
        incident=Action.incident_id,
        made_at=lambda row: _latest(row.proposed_at, row.done_at),
        reach=_action,
        history="action",
    ),
    Copies(table=Change, columns=("before", "after"), incident=Change.incident_id, made_at=_at, reach=_history),
    Copies(
        table=Finding,
        columns=("text",),
        incident=Finding.incident_id,
        made_at=_at,
        reach=_finding,
        history="finding",
    ),
    Copies(table=MeetingNote, columns=("text",), incident=MEETING_OF, made_at=_at),
    Copies(
        table=Incident,
        columns=("title", "summary", "impact"),
        incident=Incident.id,
        made_at=lambda row: row.opened_at,
        history="incident",
    ),
    Copies(
        table=Review,
        columns=("reason",),
        incident=Review.incident_id,
        made_at=lambda row: _latest(row.skipped_at, row.cancelled_at),
    ),
)
BY_THE_BOT = (
    Copies(
        table=Review,
        columns=("draft",),
        incident=Review.incident_id,
        made_at=lambda row: row.drafted_at,
        reach=_by_the_bot,
    ),
    Copies(
        table=OutboxNote,
        columns=("text", "blocks"),
        incident=OutboxNote.incident_id,
        made_at=lambda row: row.sent_at or row.written_at,
        reach=_outbox,
    ),
)


# When a row was worded ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A row that says such words."""

    copies: Copies
    row: Any
    incident: int | None

    def may_be_of(self, search: _Search) -> bool:
        """What the bot says of a message that was put to use, or in no incident, may stand anywhere."""
        anywhere = self.copies.table is OutboxNote and (self.incident is None or search.is_put_to_use)
        return anywhere or self.incident in search.incidents

    def is_of(self, search: _Search) -> bool:
        """Whether it was made of the message itself, whose words it had at any time."""
        return (
            self.copies.reach in {_event, _action, _finding, _history} and self.copies.reach(search, self.row) == "some"
        )

    def worded_at(self, db: Session, column: str) -> datetime | None:
        """None where nobody knows."""
        if self.copies.table is Change and column == "before":
            return _worded_before(db, self.row)
        at = self.copies.made_at(self.row)
        if self.copies.history is None:
            return at
        lines = select(func.max(Change.at)).where(
            Change.subject == self.copies.history,
            Change.subject_id == self.row.id,
            Change.what.in_(WORDED_BY.get(column, (column,))),
        )
        return _latest(at, db.scalar(lines))


def _worded_before(db: Session, row: Change) -> datetime | None:
    """When the words came to be that a line of history says were replaced."""
    same = and_(Change.subject == row.subject, Change.subject_id == row.subject_id, Change.id < row.id)
    names = WORDED_BY.get(row.what, (row.what,))
    earlier = db.scalar(select(func.max(Change.at)).where(same, Change.what.in_(names)))
    made = next((copies for copies in BY_PEOPLE if copies.history == row.subject and row.what in copies.columns), None)
    subject = db.get(made.table, row.subject_id) if made and not earlier else None
    return earlier or (made.made_at(subject) if made and subject else row.at)


# Taking out -----------------------------------------------------------------------------------------


def _take_out(db: Session, team: str, search: Sequence[_Search]) -> None:
    """First of what people wrote: what stood there before a message did is not its own, whoever says it later."""
    by_people = [found for copies in BY_PEOPLE for found in _saying(db, team, copies, search=search)]
    search = [_without_older(db, one, by_people) for one in search]
    for found in by_people:
        _reword(db, found, search)
    for copies in BY_THE_BOT:
        for found in _saying(db, team, copies, search=search):
            _reword(db, found, search)


def _without_older(db: Session, search: _Search, by_people: Sequence[_Found]) -> _Search:
    older = [
        getattr(found.row, column)
        for found in by_people
        if found.may_be_of(search) and not found.is_of(search)
        for column in found.copies.columns
        if (at := found.worded_at(db, column)) and at < search.since
    ]
    own = (needle for needle in search.wordings.needles if not any(_says(said, needle) for said in older))
    return replace(search, own=Wordings(tuple(own)))


def _says(said: Any, needle: Needle) -> bool:
    return take_out_of_json(said, Wordings((needle,)), "own") != said


def _reword(db: Session, found: _Found, search: Sequence[_Search]) -> None:
    if _without(db, found, search):
        # Held and read again: another replica may have changed it meanwhile.
        db.refresh(found.row, with_for_update=True)
        _write(found.row, _without(db, found, search))


def _without(db: Session, found: _Found, search: Sequence[_Search]) -> dict[str, Any]:
    """The columns that quote one of these messages, as they read without."""
    said = {column: getattr(found.row, column) for column in found.copies.columns}
    left = dict(said)
    for one in search:
        reach, is_of = found.copies.reach(one, found.row), found.is_of(one)
        for column, value in left.items():
            without = take_out_of_json(value, one.wordings if is_of else one.own, reach)
            if without != value and (is_of or _may_quote(db, found, column, search=one)):
                left[column] = without
    return {column: value for column, value in left.items() if value != said[column]}


def _may_quote(db: Session, found: _Found, column: str, *, search: _Search) -> bool:
    at = found.worded_at(db, column)
    return found.may_be_of(search) and (at is None or at >= search.since)


def _write(row: Any, said: Mapping[str, Any]) -> None:
    if isinstance(row, OutboxNote):
        outbox.reword(row, said.get("text", row.text), said.get("blocks", row.blocks))
        return
    for column, value in said.items():
        # An event without words says that they were deleted.
        nothing_left = isinstance(row, TimelineEvent) and value == DELETED
        setattr(row, column, None if nothing_left else value)


# What the database is asked for -----------------------------------------------------------------------


def _saying(db: Session, team: str, copies: Copies, *, search: Sequence[_Search]) -> Iterator[_Found]:
    """The rows that say such words, whenever they were written."""
    search = [one for one in search if _needles(copies, one)]
    if not search:
        return
    query = select(copies.table, copies.incident).where(copies.table.team_id == team, _near(copies, search))
    if copies.table is OutboxNote:
        written_at = func.coalesce(OutboxNote.sent_at, OutboxNote.written_at)
        query = query.where(written_at >= min(one.since for one in search))
    query = query.where(_anchored(db, copies, search)).order_by(copies.table.id)
    for part in db.execute(query.execution_options(yield_per=AT_ONCE)).partitions():
        for row, incident in part:
            said = [getattr(row, column) for column in copies.columns]
            if any(take_out_of_json(said, one.wordings, copies.reach(one, row)) != said for one in search):
                yield _Found(copies, row, incident)


def _needles(copies: Copies, search: _Search) -> Sequence[Needle]:
    """What may be found there: short words of which nothing was made are nobody's, but for whispers that list them."""
    if search.is_put_to_use or copies.table is OutboxNote:
        return search.wordings.needles
    return [needle for needle in search.wordings.needles if needle.is_own]


def _near(copies: Copies, search: Sequence[_Search]) -> ColumnElement[bool]:
    within = copies.incident.in_({incident for one in search for incident in one.incidents})
    if copies.table is not OutboxNote:
        return within
    return true() if any(one.is_put_to_use for one in search) else or_(within, OutboxNote.incident_id.is_(None))


def _anchored(db: Session, copies: Copies, search: Sequence[_Search]) -> ColumnElement[bool]:
    """That a row may say the words; those without a letter are looked for in their incident and channel alone."""
    needles = {needle for one in search for needle in _needles(copies, one)}
    anchors = sorted({anchor for needle in needles for anchor in needle.anchors})
    here = copies.incident.in_({incident for one in search for incident in one.incidents})
    if copies.table is OutboxNote:
        here = or_(here, OutboxNote.channel_id.in_({one.channel for one in search}))
    if len(anchors) > MOST_ANCHORS:
        return here
    said = [copies.table.__table__.c[column] for column in copies.columns]
    asked = [_contains(db, column, anchor) for column in said for anchor in anchors]
    return or_(*asked, here) if not all(needle.anchors for needle in needles) else or_(*asked)


def _contains(db: Session, said: ColumnElement[Any], anchor: Anchor) -> ColumnElement[bool]:
    """SQLite's LIKE passes over the case of ASCII, and lowering every text first takes as long again.

    A letter beyond ASCII stands in JSON as its number.
    """
    runs = [json.dumps(run)[1:-1] for run in anchor] if isinstance(said.type, CleanJSON) else anchor
    pattern, text = "".join(f"%{run.replace(ESCAPE, ESCAPE * 2)}" for run in runs) + "%", cast(said, Text())
    if db.get_bind().dialect.name == "sqlite":
        return text.like(pattern, escape=ESCAPE)
    return text.ilike(pattern, escape=ESCAPE)
