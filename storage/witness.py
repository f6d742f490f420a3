"""The witness: what was kept of each message is entered in a book whose every line is keyed to the line before it.

A process writes a book of its own for each workspace. Wordings are entered as a salted digest, so that an erasure,
which takes the salt, leaves nothing to guess at and the chain whole. A new book leans on where the others stand, so
that what is cut off from the end of one is missed by the next.
"""

import hashlib
import hmac
import json
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, cast

from sqlalchemy import Connection, Dialect, and_, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from storage.models import Book, BookEntry, Message, MessageVersion, Workspace
from storage.rows import AT_ONCE, in_parts, insert_into
from storage.types import clean, clean_json

SALT_BYTES = 16
WRITING = "witness"
"""Where a session of a Storage keeps what its transaction will enter."""

PLACE_AND_TIME = ("channel_id", "ts", "thread_ts", "user_id", "bot_id", "subtype", "edited_ts")
WORDING = (*PLACE_AND_TIME, "bot_name", "deleted_at", "text", "plain", "blocks", "attachments")
"""The columns of a message that make its wording: who said what, when and where, and how it is shown.

What is shown is entered as it was kept, and not worked out again: a later version may word it otherwise.
"""

What = Literal["said", "deleted", "erased"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to enter of a message: its wording of `edited_ts`, or that its words are gone."""

    message_id: int
    what: What
    edited_ts: str = ""
    content: bytes | None = None


# Writing ---------------------------------------------------------------------------------


def write(db: Session, team: str, entries: Sequence[Entry]) -> None:
    """Enter these when the transaction of a Storage commits; with a deletion or erasure the earlier salts go."""
    if not entries:
        return
    gone = [entry.message_id for entry in entries if entry.what != "said"]
    if gone:
        forget(db, gone)
    lines, salts = _writing(db).lines[team], os.urandom(SALT_BYTES * len(entries)).hex()
    for number, entry in enumerate(entries):
        salt = salts[2 * SALT_BYTES * number : 2 * SALT_BYTES * (number + 1)]
        lines.append(_line(team, entry, salt))


def _line(team: str, entry: Entry, salt: str) -> dict[str, Any]:
    said = entry.content is not None
    return {
        "team_id": team,
        "message_id": entry.message_id,
        "edited_ts": entry.edited_ts,
        "what": entry.what,
        "salt": salt if said else None,
        "digest": digest_of(salt, entry.content) if entry.content is not None else "",
    }


def digest_of(salt: str, content: bytes) -> str:
    return hashlib.sha256(salt.encode() + content).hexdigest()


def forget(db: Session, message_ids: Iterable[int]) -> None:
    """Take away the salts of all that was entered of these messages: nobody can try words against their digests."""
    gone = sorted(set(message_ids))
    for part in in_parts(gone):
        salted = update(BookEntry).where(BookEntry.message_id.in_(part))
        db.execute(
            salted.where(BookEntry.salt.is_not(None)).values(salt=None),
            execution_options={"synchronize_session": False},
        )
    for lines in _writing(db).lines.values():
        for line in lines:
            line["salt"] = None if line["message_id"] in gone else line["salt"]


def head(db: Session, team: str) -> str:
    """One value that everything entered so far leads to, set down as the beginning of a book; for publishing."""
    standing = stands(db, team)
    if len(standing) == 1 and standing[0].number == 0:
        return standing[0].link
    return begin(db, team, key_of(db, team, _writing(db).books.key)).link


# What is entered of a message ------------------------------------------------------------------


def entries_of(row: Message, versions: Iterable[MessageVersion]) -> list[Entry]:
    """All that is to be entered of a message, earlier wordings first: what differs from before is to be written."""
    earlier = [
        Entry(row.id, "said", each.edited_ts, content_of_version(each.edited_ts, each.text)) for each in versions
    ]
    return [*earlier, Entry(row.id, _what(row), row.edited_ts or "", content_of(row))]


def entry_of_new(message_id: int, row: Mapping[str, Any]) -> Entry:
    """What is to be entered of a message that was just written, by the names of its columns."""
    what: What = "deleted" if row["deleted_at"] else "said"
    return Entry(message_id, what, row["edited_ts"] or "", content_of_values(row))


def _what(row: Message) -> What:
    if row.deleted_at:
        return "deleted"
    return "erased" if row.purged_at else "said"


def again(db: Session, team: str, channel: str) -> None:
    """Enter every message of a channel anew, after it was given another id; the earlier wordings name no channel."""
    here = select(Message).where(Message.team_id == team, Message.channel_id == channel).order_by(Message.id)
    for rows in db.scalars(here.execution_options(yield_per=AT_ONCE, populate_existing=True)).partitions():
        write(db, team, [entry for row in rows for entry in entries_of(row, ())])


def content_of(row: object) -> bytes:
    """A message's wording, as the database will give it back; of anything with the attributes of a Message."""
    return content_of_values({name: getattr(row, name) for name in WORDING})


def content_of_values(row: Mapping[str, Any]) -> bytes:
    """The same of a row that is still to be written, by the names of its columns."""
    said = [row[name] or "" for name in PLACE_AND_TIME]
    text = _text(row["text"])
    plain = text if row["plain"] == row["text"] else _text(row["plain"])
    # Most messages are shown as they were written, and what is the same is not hashed twice.
    said += (_text(row["bot_name"] or ""), _moment(row["deleted_at"]), text, "" if plain == text else f"={plain}")
    said += (_json(row["blocks"]), _json(row["attachments"]))
    return "\0".join(said).encode()


def content_of_version(edited_ts: str, text: str) -> bytes:
    """An earlier wording, of which only the text is kept."""
    return "\0".join(("earlier", edited_ts, _text(text))).encode()


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _text(text: str) -> str:
    return text if text.isascii() and "\0" not in text else clean(text)


def _json(value: Any) -> str:
    if value is None:
        return ""
    dumped = _dumps(value)
    # Nothing else comes back from the database otherwise than it went in.
    return _dumps(clean_json(value)) if "\\u0000" in dumped or "\\ud" in dumped else dumped


_dumps = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


# The books of a process ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a book stands: the number and link of its last line; before the first, 0 and its seed."""

    book: int
    number: int
    link: str


class Books:
    """The books that one process writes, one for each workspace, begun with its first entry.

    1. Whatever may wait for a row that somebody else holds is done before the door is taken, so that nobody who has the
       door waits for somebody at the door: the session is flushed, the key found. Behind it lines are added, no more.
    2. A book goes on only after a commit that is known to have happened. After anything else another one is begun.
    """

    def __init__(self, key: str | None = None) -> None:
        self.key = key
        self._door = threading.Lock()
        self._open: dict[str, tuple[bytes, Standing]] = {}

    @contextmanager
    def entering(self, db: Session) -> Generator[None]:
        """Enter what was written, and hold the books until after the commit; to be begun right before it."""
        written = _writing(db).lines
        if not written:
            yield
            return
        db.flush()
        keys = {team: self._key_of(db, team) for team in written}
        with self._door:
            try:
                ahead = {team: (keys[team], self._enter(db, keys[team], lines)) for team, lines in written.items()}
                yield
            except BaseException:
                for team in written:
                    self._open.pop(team, None)
                raise
            self._open.update(ahead)

    def _key_of(self, db: Session, team: str) -> bytes:
        known = self._open.get(team)
        return known[0] if known else key_of(db, team, self.key)

    def _enter(self, db: Session, key: bytes, lines: list[dict[str, Any]]) -> Standing:
        team = lines[0]["team_id"]
        standing = self._open[team][1] if team in self._open else begin(db, team, key)
        number, link = standing.number, standing.link
        for line in lines:
            number += 1
            line["book_id"], line["number"] = standing.book, number
            line["link"] = link = link_of(key, link, line)
        _insert(db.connection(), lines)
        return Standing(standing.book, number, link)


LINE = ("team_id", "book_id", "number", "message_id", "edited_ts", "what", "salt", "digest", "link")


def _insert(connection: Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    # Straight to the driver: this is written with every message, and there is nothing in it to convert.
    statement, in_order = _statement(connection.dialect)
    rows = [tuple(line[name] for name in in_order) for line in lines] if in_order else list(lines)
    connection.exec_driver_sql(statement, cast("Any", rows))


@lru_cache(maxsize=4)
def _statement(dialect: Dialect) -> tuple[str, Sequence[str]]:
    """The insert of a line, and its columns in order where the driver takes them by place."""
    compiled = insert(BookEntry).compile(dialect=dialect, column_keys=LINE)
    return str(compiled), tuple(compiled.positiontup or ())


@dataclass(frozen=True, slots=True)
class Writing:
    """What one transaction will enter, by workspace."""

    books: Books
    lines: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))


def _writing(db: Session) -> Writing:
    """Raises KeyError in a session that no Storage began to write."""
    return db.info[WRITING]


# The chain ------------------------------------------------------------------------------------------


def link_of(key: bytes, before: str, line: Mapping[str, Any]) -> str:
    """A line's link: keyed over the one before it and all of the line but the salt, which an erasure takes."""
    said = (
        f"{before} {line['number']} {line['team_id']} {line['message_id']} "
        f"{line['edited_ts']} {line['what']} {line['digest']}"
    )
    # Not hmac.digest: that lets another thread run each time, which costs more than the digest.
    return hmac.new(key, said.encode(), "sha256").hexdigest()


def begin(db: Session, team: str, key: bytes) -> Standing:
    """A new book, leaning on where the others stand."""
    leans = {str(standing.book): [standing.number, standing.link] for standing in stands(db, team)}
    older = None if leans else _older(db, team)
    seed = seed_of(key, team, leans, older)
    row = {"team_id": team, "begun_at": func.current_timestamp(), "seed": seed, "keyed": mark_of(key)}
    written = db.execute(insert(Book).values(row | {"leans_on": leans, "older": older}).returning(Book.id))
    return Standing(written.scalar_one(), 0, seed)


def seed_of(key: bytes, team: str, leans: Mapping[str, Any], older: Sequence[int] | None) -> str:
    return hmac.digest(key, _dumps(["seed", team, leans, older]).encode(), "sha256").hex()


def _older(db: Session, team: str) -> list[int]:
    """The highest id and the number of the messages that were kept before there was a witness."""
    now = {line["message_id"] for line in _writing(db).lines.get(team, ())}
    counted = select(func.max(Message.id), func.count(Message.id))
    last, number = db.execute(counted.where(Message.team_id == team, Message.id.not_in(now))).one()
    return [last or 0, number]


def stands(db: Session, team: str) -> list[Standing]:
    """Where the books of a workspace stand, without those that a later one leans on where they stand."""
    last, line = aliased(BookEntry), aliased(BookEntry)
    number = select(func.max(last.number)).where(last.book_id == Book.id).scalar_subquery()
    books = (
        select(Book.id, Book.leans_on, func.coalesce(line.number, 0), func.coalesce(line.link, Book.seed))
        .outerjoin(line, and_(line.book_id == Book.id, line.number == number))
        .where(Book.team_id == team)
        .order_by(Book.id)
    )
    rows = db.execute(books).all()
    leaned = {(int(book), number) for row in rows for book, (number, _) in row.leans_on.items()}
    return [Standing(book, number, link) for book, _, number, link in rows if (book, number) not in leaned]


HEAD_SHOWN = 16
"""Characters of a head that people compare."""


def shown(head: str) -> str:
    """A head as people are shown it."""
    return head[:HEAD_SHOWN]


# The key ----------------------------------------------------------------------------------------------


def key_of(db: Session, team: str, setting: str | None) -> bytes:
    """The key of the setting, else the one kept with the workspace, which is made where there is none."""
    if setting:
        return setting.encode()
    kept = db.scalar(select(Workspace.witness_key).where(Workspace.team_id == team))
    return (kept or _new_key(db, team)).encode()


def _new_key(db: Session, team: str) -> str:
    row = {"team_id": team, "name": "", "url": "", "bot_user": "", "bot_id": "", "actions_numbered": 0}
    row |= {"mark_key": secrets.token_hex(32), "witness_key": secrets.token_hex(32)}
    upsert = insert_into(db, Workspace).values(row)
    first = func.coalesce(Workspace.witness_key, upsert.excluded.witness_key)
    upsert = upsert.on_conflict_do_update(index_elements=["team_id"], set_={"witness_key": first})
    return db.scalars(upsert.returning(Workspace.witness_key)).one() or ""


def mark_of(key: bytes) -> str:
    """By which a book tells which key it was written with."""
    return hmac.digest(key, b"which key", "sha256").hex()[:16]


def known_keys(db: Session, team: str, setting: str | None) -> dict[str, tuple[bytes, Literal["setting", "database"]]]:
    """The keys there are, each with where it lies, by the mark that books bear."""
    kept = db.scalar(select(Workspace.witness_key).where(Workspace.team_id == team))
    keys: dict[str, tuple[bytes, Literal["setting", "database"]]] = {}
    if kept:
        keys[mark_of(kept.encode())] = kept.encode(), "database"
    if setting:
        keys[mark_of(setting.encode())] = setting.encode(), "setting"
    return keys
