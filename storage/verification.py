"""Reading the witness: whether the books are whole, and whether what is kept of an incident is what was entered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, cast

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.review.heard import moment_of
from storage import messages, reviews
from storage.models import Book, BookEntry, Incident, Message, MessageVersion
from storage.rows import AT_ONCE
from storage.witness import WORDING, content_of_values, content_of_version, digest_of, known_keys, link_of, seed_of

LINES = 1_000
"""Of a book, in memory."""
TOLD = 10
"""Of what was found, the first few are told and the rest counted."""

ALL = 2**63 - 1

Fault = Literal[
    "seed",
    "leaned",
    "gap",
    "link",
    "order",
    "stray",
    "row gone",
    "too many unentered",
    "changed",
    "unentered",
    "taken",
    "unsalted",
    "back",
    "misdated",
    "head",
]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is not as it was entered: at a line of a book, or in a message, or both."""

    fault: Fault
    book: int | None = None
    line: int | None = None
    channel: str | None = None
    ts: str | None = None
    edited_ts: str | None = None


@dataclass
class Verdict:
    """What was read, and what was found; `older` messages were kept before there was a witness."""

    books: int = 0
    lines: int = 0
    head: str | None = None
    messages: int = 0
    wordings: int = 0
    gone: int = 0
    older: int = 0
    others: int = 0
    """Messages of the workspace outside of the incident, which are compared, too."""
    published: str | None = None
    kept_key: int = 0
    """Books whose key lies in the database itself."""
    first: list[Found] = field(default_factory=list[Found])
    count: int = 0
    unread: list[int] = field(default_factory=list[int])
    """Books that cannot be checked, for the key they were written with is not at hand."""

    @property
    def is_clean(self) -> bool:
        """Whether everything could be checked, and is as it was entered."""
        return not self.count and not self.unread

    def note(self, found: Iterable[Found]) -> None:
        for each in found:
            self.count += 1
            if len(self.first) < TOLD:
                self.first.append(each)


def verify(db: Session, incident: Incident, setting: str | None) -> Verdict:
    """Read every message of the workspace, those of the incident first, and all its books.

    `db` is to see one moment throughout.
    """
    verdict, team = Verdict(), incident.team_id
    books = db.scalars(select(Book).where(Book.team_id == team).order_by(Book.id)).all()
    older = _older(books)
    verdict.note(_of_messages(db, incident, older[0], verdict))
    verdict.note(_of_others(db, incident, older[0], verdict))
    verdict.note(_of_books(db, books, known_keys(db, team, setting), verdict))
    verdict.note(_of_workspace(db, team, older))
    verdict.note(_of_head(db, incident, books, verdict))
    return verdict


def _older(books: Sequence[Book]) -> tuple[int, int]:
    """The highest id and the number of the messages that were kept before there was a witness: without it, all."""
    if not books:
        return ALL, ALL
    first = [book.older for book in books if book.older]
    return max((last for last, _ in first), default=0), max((number for _, number in first), default=0)


# The books ------------------------------------------------------------------------------------


def _of_books(
    db: Session, books: Sequence[Book], keys: Mapping[str, tuple[bytes, str]], verdict: Verdict
) -> Iterator[Found]:
    verdict.books = len(books)
    for book in books:
        key, where = keys.get(book.keyed, (None, ""))
        verdict.kept_key += where == "database"
        verdict.head = book.seed
        if key is None:
            verdict.unread.append(book.id)
        yield from _of_beginning(db, book, key)
        yield from _of_lines(db, book, key, verdict)


def _of_beginning(db: Session, book: Book, key: bytes | None) -> Iterator[Found]:
    if key is not None and seed_of(key, book.team_id, book.leans_on, book.older) != book.seed:
        yield Found("seed", book.id)
    first = db.scalar(select(func.min(BookEntry.id)).where(BookEntry.book_id == book.id))
    for other, (number, link) in book.leans_on.items():
        stood = _stood(db, int(other), number)
        if stood is None or stood[1] != link:
            yield Found("leaned", int(other), number)
        elif first is not None and stood[0] > first:
            yield Found("order", int(other), number)


def _stood(db: Session, book: int, number: int) -> tuple[int, str] | None:
    """A line's id and link; of the beginning, the seed."""
    if number == 0:
        seed = db.scalar(select(Book.seed).where(Book.id == book))
        return None if seed is None else (0, seed)
    line = select(BookEntry.id, BookEntry.link).where(BookEntry.book_id == book, BookEntry.number == number)
    row = db.execute(line).one_or_none()
    return None if row is None else (row[0], row[1])


OF_A_LINE = ("id", "number", "team_id", "message_id", "edited_ts", "what", "digest", "link")


def _of_lines(db: Session, book: Book, key: bytes | None, verdict: Verdict) -> Iterator[Found]:
    before, number, last = book.seed, 0, 0
    for line in _lines(db, book):
        number, verdict.lines, verdict.head = number + 1, verdict.lines + 1, line["link"]
        fault = _fault(line, number, after=last) or _broken(key, before, line)
        if fault:
            yield Found(fault, book.id, line["number"], *_place(db, line["message_id"]), line["edited_ts"])
        before, number, last = line["link"], line["number"], line["id"]


def _lines(db: Session, book: Book) -> Iterator[Mapping[str, Any]]:
    query = select(*(BookEntry.__table__.c[name] for name in OF_A_LINE)).where(BookEntry.book_id == book.id)
    rows = db.execute(query.order_by(BookEntry.number).execution_options(yield_per=LINES))
    for row in rows.mappings():
        yield cast("Mapping[str, Any]", row)


def _fault(line: Mapping[str, Any], number: int, *, after: int) -> Fault | None:
    if line["number"] != number:
        return "gap"
    return "order" if line["id"] < after else None


def _broken(key: bytes | None, before: str, line: Mapping[str, Any]) -> Fault | None:
    return "link" if key is not None and link_of(key, before, line) != line["link"] else None


def _place(db: Session, message: int) -> tuple[str | None, str | None]:
    row = db.execute(select(Message.channel_id, Message.ts).where(Message.id == message)).one_or_none()
    return (row[0], row[1]) if row else (None, None)


def _of_workspace(db: Session, team: str, older: tuple[int, int]) -> Iterator[Found]:
    """What no message of the incident shows: rows that are gone, and lines or rows that were slipped in."""
    ours = select(Book.id).where(Book.team_id == team)
    strays = select(BookEntry.book_id, BookEntry.number).where(
        BookEntry.team_id == team, BookEntry.book_id.not_in(ours)
    )
    for book, number in db.execute(strays.limit(TOLD)):
        yield Found("stray", book, number)
    kept = select(Message.id).where(Message.id == BookEntry.message_id, Message.team_id == BookEntry.team_id).exists()
    line = select(BookEntry.message_id, func.min(BookEntry.book_id)).where(BookEntry.team_id == team, ~kept)
    for message, book in db.execute(line.group_by(BookEntry.message_id).order_by(BookEntry.message_id)):
        yield Found("row gone", book, None, *_neighbour(db, team, message))
    last, number = older
    if _unentered(db, Message.team_id == team, Message.id <= last) > number:
        yield Found("too many unentered")


def _neighbour(db: Session, team: str, message: int) -> tuple[str | None, str | None]:
    """The message that was kept right before one that is gone."""
    before = select(Message.channel_id, Message.ts).where(Message.team_id == team, Message.id < message)
    row = db.execute(before.order_by(Message.id.desc()).limit(1)).one_or_none()
    return (row[0], row[1]) if row else (None, None)


def _unentered(db: Session, *which: ColumnElement[bool]) -> int:
    entered = select(BookEntry.id).where(BookEntry.message_id == Message.id).exists()
    return db.scalars(select(func.count(Message.id)).where(*which, ~entered)).one()


# The messages -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entered:
    """The last line of a wording, or of the words' end."""

    what: str
    salt: str | None
    digest: str


COLUMNS = ("id", *WORDING, "posted_at", "purged_at")


def _of_messages(db: Session, incident: Incident, older: int, verdict: Verdict) -> Iterator[Found]:
    in_order_of_time = (Message.posted_at, Message.ts, Message.channel_id)
    for said in _said(db, older, messages.inside(incident.id), order=in_order_of_time):
        verdict.messages += 1
        verdict.gone += said.is_gone
        verdict.wordings += len(said.wordings)
        verdict.older += said.is_older and not said.lines
        yield from said.faults()


def _of_others(db: Session, incident: Incident, older: int, verdict: Verdict) -> Iterator[Found]:
    """All others of the workspace: one whose place or time was changed does not stand in its incident any more."""
    others = (Message.team_id == incident.team_id, ~messages.inside(incident.id))
    for said in _said(db, older, *others, order=(Message.id,)):
        verdict.others += 1
        yield from said.faults()


def _said(db: Session, older: int, *which: ColumnElement[bool], order: Sequence[Any]) -> Iterator["_Said"]:
    # Rows without the mapping, which would cost more than all that is looked at in them.
    query = select(*(Message.__table__.c[name] for name in COLUMNS)).where(*which).order_by(*order)
    for page in db.execute(query.execution_options(yield_per=AT_ONCE)).mappings().partitions():
        ids = [row["id"] for row in page]
        lines, versions = _lines_of(db, ids), _versions_of(db, ids)
        for row in page:
            number, said = row["id"], cast("Mapping[str, Any]", row)
            yield _Said.of(said, versions[number], lines[number], is_older=number <= older)


def _lines_of(db: Session, ids: Sequence[int]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    columns = (BookEntry.message_id, BookEntry.edited_ts, BookEntry.what, BookEntry.salt, BookEntry.digest)
    for row in db.execute(select(*columns).where(BookEntry.message_id.in_(ids)).order_by(BookEntry.id)):
        found[row.message_id].append(row)
    return found


def _versions_of(db: Session, ids: Sequence[int]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    columns = (MessageVersion.message_id, MessageVersion.edited_ts, MessageVersion.at, MessageVersion.text)
    for row in db.execute(select(*columns).where(MessageVersion.message_id.in_(ids))):
        found[row.message_id].append(row)
    return found


def _moment(ts: str) -> datetime | None:
    """Slack's time as a moment; None of what is no time at all."""
    try:
        return moment_of(ts)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class _Said:
    """A message with what stands here of its wordings, and the lines about it in the order they were entered."""

    row: Mapping[str, Any]
    wordings: Mapping[str, bytes]
    """By when each was edited."""
    lines: Sequence[Any]
    is_older: bool
    misdated: Sequence[str]
    """Of the wordings, those filed under another moment than Slack's time says; of a message, its own."""

    @classmethod
    def of(cls, row: Mapping[str, Any], versions: Sequence[Any], lines: Sequence[Any], *, is_older: bool) -> Self:
        wordings = {each.edited_ts: content_of_version(each.edited_ts, each.text) for each in versions}
        if not (row["deleted_at"] or row["purged_at"]):
            wordings[row["edited_ts"] or ""] = content_of_values(row)
        misdated = [each.edited_ts for each in versions if each.at != _moment(each.edited_ts or row["ts"])]
        if row["posted_at"] != _moment(row["ts"]):
            misdated.append("")
        return cls(row, wordings, lines, is_older, misdated)

    @property
    def is_gone(self) -> bool:
        return bool(self.row["deleted_at"] or self.row["purged_at"])

    def faults(self) -> Iterator[Found]:
        entered, end = self._entered()
        if self.is_gone:
            yield from self._faults_of_gone(entered, end)
        elif end is not None:
            yield self._found("back")
        else:
            yield from self._faults_of_words(entered)
        yield from (self._found("misdated", edited_ts) for edited_ts in dict.fromkeys(self.misdated))

    def _entered(self) -> tuple[dict[str, _Entered], _Entered | None]:
        """The wordings that were entered since the words last ended; else that end."""
        entered, end = dict[str, _Entered](), None
        for line in self.lines:
            if line.what == "said":
                entered[line.edited_ts], end = _Entered(line.what, line.salt, line.digest), None
            else:
                entered, end = {}, _Entered(line.what, line.salt, line.digest)
        return entered, end

    def _faults_of_gone(self, entered: Mapping[str, _Entered], end: _Entered | None) -> Iterator[Found]:
        row = self.row
        if self.wordings or any(row[name] for name in ("text", "plain", "blocks", "attachments")):
            yield self._found("back")
        if end is None:
            if entered or not self.is_older:
                yield self._found("taken")
        elif end.digest:
            yield from self._compared("", end, content_of_values(row))

    def _faults_of_words(self, entered: dict[str, _Entered]) -> Iterator[Found]:
        for edited_ts, content in self.wordings.items():
            line = entered.pop(edited_ts, None)
            if line is not None:
                yield from self._compared(edited_ts, line, content)
            elif not self.is_older:
                yield self._found("unentered", edited_ts)
        for edited_ts in entered:
            yield self._found("taken", edited_ts)

    def _compared(self, edited_ts: str, line: _Entered, content: bytes) -> Iterator[Found]:
        if line.salt is None:
            yield self._found("unsalted", edited_ts)
        elif digest_of(line.salt, content) != line.digest:
            yield self._found("changed", edited_ts)

    def _found(self, fault: Fault, edited_ts: str = "") -> Found:
        return Found(fault, None, None, self.row["channel_id"], self.row["ts"], edited_ts)


# What was published -------------------------------------------------------------------------------


def _of_head(db: Session, incident: Incident, books: Sequence[Book], verdict: Verdict) -> Iterator[Found]:
    review = reviews.of(db, incident)
    verdict.published = review.published_head
    if review.published_head and review.published_head not in {book.seed for book in books}:
        yield Found("head")
