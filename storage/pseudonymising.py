"""Forgetting a person: wherever their id, their name or their address stands, a pseudonym stands afterwards.

1. The pseudonym is written down first, so that what Slack says from then on names it already.
2. Every table is gone through in small transactions, beside a running bot; what is done is not found again, so that
   after a crash it goes on where it was.
3. The person's own row comes last: until then their name is known, and can be looked for.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, cast, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.review.pseudonym import Replacement, moved, name_of
from storage import outbox, people, pseudonyms, pulse, witness
from storage.models import Base, Erasure, Message, MessageVersion, OutboxNote, Person
from storage.session import Storage
from storage.types import CleanJSON

AT_ONCE = 200
"""Rows of one transaction."""

IDS: Mapping[str, Collection[str]] = {
    "actions": ("owner", "verified_by", "proposed_by"),
    "attendees": ("user_id",),
    "busy_times": ("user_id",),
    "changes": ("by",),
    "channels": ("creator",),
    "event_comments": ("by",),
    "findings": ("by",),
    "incidents": ("opened_by",),
    "meeting_notes": ("by",),
    "meetings": ("scheduled_by",),
    "memberships": ("user_id",),
    "messages": ("user_id",),
    "moments": ("by",),
    "outbox": ("channel_id", "user_id"),
    "reactions": ("user_id",),
    "roles": ("user_id", "given_by"),
    "roles_asked": ("user_id",),
    "timeline_events": ("kind_by", "by"),
}
"""Columns that hold somebody's id."""
WORDS: Mapping[str, Collection[str]] = {
    "actions": ("text", "team", "second_order", "evidence", "reason"),
    "attendees": ("why",),
    "changes": ("before", "after"),
    "channels": ("name",),
    "event_comments": ("text",),
    "findings": ("text",),
    "incidents": ("title", "summary", "impact", "assessed"),
    "meeting_notes": ("text",),
    "meetings": ("why", "call", "recording", "agenda", "apart", "burden", "calendar"),
    "message_files": ("name", "url"),
    "message_versions": ("text",),
    "messages": ("bot_name", "text", "plain", "blocks", "attachments"),
    "outbox": ("key", "text", "blocks", "files", "letter"),
    "reviews": ("draft", "reason", "stepped"),
    "rungs": ("key",),
    "sources": ("channel_name",),
    "timeline_events": ("text", "question", "answer"),
    "user_groups": ("handle", "name", "members"),
}
"""Columns in whose words, or keys, somebody may be named."""
OF_A_PERSON = ("people",)
"""What is replaced as a whole, at the end."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of a workspace, with the names and the address that are known of them."""

    team: str
    user: str
    names: Collection[str] = ()


def known(db: Session, team: str, user: str) -> Somebody:
    """What is known of a person now."""
    row = people.find(db, team, user)
    return Somebody(team, user, [name for name in (row.name, row.email) if name] if row else ())


def count(db: Session, somebody: Somebody) -> int:
    """How many rows name somebody."""
    found = sum(db.scalars(_number_of(table, somebody)).one() for table in _tables())
    return found + (people.find(db, somebody.team, somebody.user) is not None)


def _number_of(table: Table, somebody: Somebody) -> Any:
    return select(func.count()).select_from(table).where(_names(table, somebody))


def _tables() -> list[Table]:
    named = {*IDS, *WORDS}
    return [table for table in Base.metadata.sorted_tables if table.name in named]


def _names(table: Table, somebody: Somebody) -> ColumnElement[bool]:
    """That a row may name somebody: what this finds is read again, letter by letter."""
    ids = [table.c[column] == somebody.user for column in IDS.get(table.name, ())]
    words = [_holds(table, column, word) for column in WORDS.get(table.name, ()) for word in _words_of(somebody)]
    return or_(*ids, *words) & (table.c.team_id == somebody.team)


def _words_of(somebody: Somebody) -> list[str]:
    return [somebody.user, *somebody.names]


def _holds(table: Table, column: str, word: str) -> ColumnElement[bool]:
    stored = table.c[column]
    written = json.dumps(word)[1:-1] if isinstance(stored.type, CleanJSON) else word
    # A name may stand with the escapes of a markup between its letters: its longest part has none.
    part = max("".join(letter if letter.isalnum() else " " for letter in written).split(), key=len, default=written)
    return cast(stored, Text()).contains(part, autoescape=True)


# Going through the tables --------------------------------------------------------------------


def begin(storage: Storage, somebody: Somebody, *, now: datetime) -> str:
    """Give somebody a pseudonym, by which alone Slack's facts name them from now on."""
    with storage.write() as db:
        pseudonym = pseudonyms.give(db, somebody.team, somebody.user, now=now)
    storage.forgotten.forget()
    return pseudonym


def go_through(storage: Storage, somebody: Somebody, pseudonym: str) -> Iterator[int]:
    """Replace somebody in every table but their own; gives the number of rows after each transaction."""
    _unsay(storage, somebody)
    replacement = Replacement.of_one(somebody.user, pseudonym, somebody.names)
    for table in _tables():
        for ids in _found(storage, table, somebody):
            with storage.write() as db:
                yield _rewrite(db, table, ids, replacement=replacement)


def _unsay(storage: Storage, somebody: Somebody) -> None:
    """Nothing that waits to be said to somebody is said any more, and where it was said is forgotten."""
    mine = (OutboxNote.team_id == somebody.team, OutboxNote.channel_id == somebody.user)
    with storage.write() as db:
        db.execute(delete(OutboxNote).where(*mine, OutboxNote.state.in_(("pending", "to_mail", "dead"))))
        db.execute(update(OutboxNote).where(*mine).values(posted_channel=None, posted_ts=None))


def _found(storage: Storage, table: Table, somebody: Somebody) -> Iterator[Sequence[Any]]:
    """Keys of the rows that may name somebody, some at a time."""
    key, last = list(table.primary_key.columns)[-1], None
    while True:
        query = select(key).where(_names(table, somebody)).order_by(key).limit(AT_ONCE)
        with storage.read() as db:
            found = db.scalars(query if last is None else query.where(key > last)).all()
        if not found:
            return
        yield found
        last = found[-1]


def _rewrite(db: Session, table: Table, ids: Sequence[Any], *, replacement: Replacement) -> int:
    mapped = next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)
    key = list(table.primary_key.columns)[-1]
    rows = db.scalars(select(mapped).where(key.in_(ids)).order_by(key).with_for_update()).all()
    changed = [row for row in rows if _replace(db, row, table.name, replacement)]
    if table.name in {"messages", "message_versions"}:
        _enter_anew(db, changed)
    return len(changed)


def _replace(db: Session, row: Any, table: str, replacement: Replacement) -> bool:
    """Whether the row named somebody. Where the same is there under the pseudonym already, it is enough once."""
    said = {
        column: replacement.in_json(getattr(row, column)) for column in (*IDS.get(table, ()), *WORDS.get(table, ()))
    }
    said = {column: value for column, value in said.items() if value != getattr(row, column)}
    if said and isinstance(row, Message | MessageVersion) and row.redactions:
        said["redactions"] = moved(row.redactions, replacement.with_edits(row.text)[1])
    if not said:
        return False
    try:
        with db.begin_nested():
            for column, value in said.items():
                setattr(row, column, value)
            db.flush()
    except IntegrityError:
        db.refresh(row)
        db.delete(row)
        db.flush()
    return True


def _enter_anew(db: Session, changed: Sequence[Message | MessageVersion]) -> None:
    """The witness holds them as they were: nobody can compare that any more, and they are entered as they are now."""
    ids = sorted({row.id if isinstance(row, Message) else row.message_id for row in changed})
    witness.forget(db, ids)
    versions = db.scalars(select(MessageVersion).where(MessageVersion.message_id.in_(ids))).all()
    for row in db.scalars(select(Message).where(Message.id.in_(ids)).order_by(Message.id)):
        mine = [version for version in versions if version.message_id == row.id]
        witness.write(db, row.team_id, witness.entries_of(row, mine))


# The person ---------------------------------------------------------------------------------------


def finish(storage: Storage, somebody: Somebody, pseudonym: str, *, now: datetime) -> bool:
    """Put the pseudonym in the place of the person themself; whether there was still something of them."""
    with storage.write() as db:
        row = people.find(db, somebody.team, somebody.user)
        if row:
            db.delete(row)
        pulse.forget_person(db, somebody.team, somebody.user)
        if db.get(Person, (somebody.team, pseudonym)) is None:
            name = name_of(pseudonym)
            db.add(Person(team_id=somebody.team, user_id=pseudonym, name=name, read_at=now, gone_since=now))
        db.add(Erasure(team_id=somebody.team, at=now))
        outbox.draw_again(db, somebody.team)
        return row is not None
