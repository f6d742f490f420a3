"""Words that leave: with a deleted message go the copies of its words, wherever something written later quotes them.

What was made of the message (its event, its action) and what the bot said quote any words of it; what other people
wrote is searched only for words that nobody else would say.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from bot.review.plain_text import of_markup
from bot.review.quotes import DELETED, Reach, Wordings, take_out_of_json
from storage import outbox, people
from storage.models import (
    Action,
    Change,
    Erasure,
    EventComment,
    Finding,
    Incident,
    MeetingNote,
    Message,
    MessageVersion,
    OutboxNote,
    Review,
    TimelineEvent,
)

SKEW = timedelta(hours=1)
"""How far our clock may be behind Slack's: a copy is never older than its message by more than this."""
TOGETHER = 4
"""Messages looked for in one question; each has a few wordings, and the database tries the beginning of each."""
MOST_ANCHORS = 24
"""How many beginnings it is asked for at once; where there are more, it gives every row."""
AT_ONCE = 200
"""Rows looked at together."""
MENTION = re.compile(r"@(\w+)")

Key = tuple[str, str]


# What was said, before it goes --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gone:
    """A message whose words leave, with every wording of it that there was."""

    id: int
    key: Key
    posted_at: datetime
    at: datetime
    why: str
    texts: tuple[str, ...]


def of(message: Message, versions: Iterable[MessageVersion], at: datetime) -> Gone:
    """What a message says, read before it is emptied; one found missing twice was never told to be deleted."""
    earlier = (text for version in versions for text in (version.text, of_markup(version.text)))
    texts = tuple(text for text in dict.fromkeys((message.text, message.plain, *earlier)) if text)
    why = "missing" if message.missing_since else "deleted"
    return Gone(message.id, (message.channel_id, message.ts), message.posted_at, at, why, texts)


def follow(db: Session, team: str, gone: Sequence[Gone]) -> None:
    """Take the words of these messages out of all that was written of them, and remember that traces are to be swept.

    A purged message has no words any more; the event that kept them for the report loses them all the same.
    """
    if not gone:
        return
    linked = _Linked(db, team, gone)
    linked.unword(db)
    stays = _said_elsewhere(db, team, gone)
    search = [_Search.of(db, team, one, linked) for one in gone if one.texts and one.id not in stays]
    for start in range(0, len(search), TOGETHER):
        for copies in COPIES:
            _take_out(db, team, copies, search=search[start : start + TOGETHER])
    db.add_all(Erasure(team_id=team, message_id=one.id, why=one.why, at=one.at) for one in gone)
    db.flush()


def _said_elsewhere(db: Session, team: str, gone: Sequence[Gone]) -> set[int]:
    """Messages that stand under another id of their channel now: they are not deleted, and neither are their copies."""
    wordings = {(one.key[1], text): one.id for one in gone for text in one.texts}
    twins = and_(Message.team_id == team, Message.ts.in_({one.key[1] for one in gone}), Message.deleted_at.is_(None))
    return {
        wordings[twin]
        for ts, text in db.execute(select(Message.ts, Message.text).where(twins))
        if (twin := (ts, text)) in wordings
    }


# What was made of it ----------------------------------------------------------------------------


class _Linked:
    """The events and actions that came from messages."""

    def __init__(self, db: Session, team: str, gone: Sequence[Gone]) -> None:
        self.events = _from(db, team, TimelineEvent, gone)
        self.actions = _from(db, team, Action, gone)

    def unword(self, db: Session) -> None:
        """An event that nobody worded has the message's own words, kept for the report; they go."""
        by_hand = and_(Change.subject == "event", Change.subject_id == TimelineEvent.id, Change.what == "text")
        theirs = TimelineEvent.id.in_([event for events in self.events.values() for event in events])
        kept = select(TimelineEvent).where(
            theirs, TimelineEvent.text.is_not(None), ~select(Change.id).where(by_hand).exists()
        )
        for event in db.scalars(kept):
            event.text = None


def _from(db: Session, team: str, table: type[Any], gone: Sequence[Gone]) -> Mapping[Key, Sequence[int]]:
    found: defaultdict[Key, list[int]] = defaultdict(list)
    wanted = {one.key for one in gone}
    in_channel, at = table.channel_id.in_({key[0] for key in wanted}), table.ts.in_({key[1] for key in wanted})
    for row_id, channel, ts in db.execute(
        select(table.id, table.channel_id, table.ts).where(table.team_id == team, in_channel, at)
    ):
        found[channel, ts].append(row_id)
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    """One message's wordings, and the events and actions that came from it."""

    gone: Gone
    wordings: Wordings
    events: frozenset[int]
    actions: frozenset[int]

    @classmethod
    def of(cls, db: Session, team: str, gone: Gone, linked: _Linked) -> Self:
        mentioned = set(MENTION.findall(" ".join(gone.texts)))
        wordings = Wordings.of(gone.texts, people.names(db, team, mentioned))
        events, actions = linked.events.get(gone.key, ()), linked.actions.get(gone.key, ())
        return cls(gone, wordings, frozenset(events), frozenset(actions))


# Where copies are -----------------------------------------------------------------------------------


def _by_people(_search: _Search, _row: Any) -> Reach:
    return "own"


def _by_the_bot(search: _Search, _row: Any) -> Reach:
    return "places" if search.events or search.actions else "own"


def _outbox(search: _Search, row: OutboxNote) -> Reach:
    """A whisper lists messages that nothing was made of."""
    return "some" if row.key.startswith("whisper:") else _by_the_bot(search, row)


def _event(search: _Search, row: TimelineEvent) -> Reach:
    return "some" if row.id in search.events else "own"


def _action(search: _Search, row: Action) -> Reach:
    return "some" if row.id in search.actions else "own"


def _history(search: _Search, row: Change) -> Reach:
    made = {"event": search.events, "action": search.actions}.get(row.subject, frozenset())
    return "some" if row.subject_id in made else "own"


@dataclass(frozen=True, slots=True)
class Copies:
    """A table that may quote messages: in which columns, how far, and when a row of it was written."""

    table: type[Any]
    columns: tuple[str, ...]
    reach: Callable[[_Search, Any], Reach] = _by_people
    written_at: Any = None


COPIES = (
    Copies(TimelineEvent, ("text", "question", "answer"), _event),
    Copies(EventComment, ("text",), written_at=EventComment.at),
    Copies(Action, ("text", "second_order", "reason", "evidence"), _action),
    Copies(Change, ("before", "after"), _history, Change.at),
    Copies(Finding, ("text",), written_at=Finding.at),
    Copies(MeetingNote, ("text",), written_at=MeetingNote.at),
    Copies(Incident, ("title", "summary", "impact")),
    Copies(Review, ("draft", "reason"), _by_the_bot),
    Copies(OutboxNote, ("text", "blocks"), _outbox, func.coalesce(OutboxNote.sent_at, OutboxNote.written_at)),
)


def _take_out(db: Session, team: str, copies: Copies, *, search: Sequence[_Search]) -> None:
    for row in _rows(db, team, copies, search):
        if _without(copies, row, search):
            # Held and read again: another replica may have changed it meanwhile.
            db.refresh(row, with_for_update=True)
            _write(row, _without(copies, row, search))


def _rows(db: Session, team: str, copies: Copies, search: Sequence[_Search]) -> Iterator[Any]:
    query = select(copies.table).where(copies.table.team_id == team).order_by(copies.table.id)
    if copies.written_at is not None:
        query = query.where(copies.written_at >= min(one.gone.posted_at for one in search) - SKEW)
    anchors = {needle.anchor for one in search for needle in one.wordings.needles}
    if len(anchors) <= MOST_ANCHORS and all(anchor.isascii() for anchor in anchors):
        stored = [cast(getattr(copies.table, column), Text()) for column in copies.columns]
        query = query.where(or_(*(_contains(db, said, anchor) for said in stored for anchor in anchors)))
    for part in db.scalars(query.execution_options(yield_per=AT_ONCE)).partitions():
        yield from part


def _contains(db: Session, said: ColumnElement[str], anchor: str) -> ColumnElement[bool]:
    """SQLite's LIKE passes over the case of ASCII, and lowering every text first takes as long again."""
    if db.get_bind().dialect.name == "sqlite":
        return said.contains(anchor, autoescape=True)
    return said.icontains(anchor, autoescape=True)


def _without(copies: Copies, row: Any, search: Sequence[_Search]) -> dict[str, Any]:
    """The columns that quote one of these messages, as they read without."""
    said = {column: getattr(row, column) for column in copies.columns}
    left = dict(said)
    for one in search:
        reach = copies.reach(one, row)
        left = {column: take_out_of_json(value, one.wordings, reach) for column, value in left.items()}
    return {column: value for column, value in left.items() if value != said[column]}


def _write(row: Any, said: Mapping[str, Any]) -> None:
    if isinstance(row, OutboxNote):
        outbox.reword(row, said.get("text", row.text), said.get("blocks", row.blocks))
        return
    for column, value in said.items():
        # An event without words says that they were deleted.
        nothing_left = isinstance(row, TimelineEvent) and value == DELETED
        setattr(row, column, None if nothing_left else value)
