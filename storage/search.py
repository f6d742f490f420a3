"""Words in every review a person may see: titles, summaries, impact, findings, actions, events, reports, messages.

What a person may not see is left out before anything is counted or ranked: it pushes out nothing that they may see.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    ColumnExpressionArgument,
    CompoundSelect,
    Integer,
    Select,
    String,
    TableClause,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    table,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import Session

from bot.review import sought as asked
from bot.review.impact import Impact
from bot.review.sought import Judge, Part, Phrase, Sought
from storage import messages, people, timeline
from storage.incidents import visible_to
from storage.models import Action, EventComment, Finding, Incident, Message, Review, Source, TimelineEvent

A_PAGE = 10
FADES = timedelta(days=90)
"""After so long a place counts half as much more for being new."""
FOR_BEING_NEW = 0.5


class Found(NamedTuple):
    """A place as the database gives it."""

    sort: str
    incident: int
    title: str
    number: int | None
    text: str
    at: datetime
    channel_id: str | None
    ts: str | None
    thread_ts: str | None
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where the words stand; `sort` says in what, `number` is that of the finding, action or event."""

    incident: int
    title: str
    sort: str
    snippet: tuple[Part, ...]
    number: int | None = None
    at: datetime | None = None
    permalink: str | None = None

    @property
    def text(self) -> str:
        return "".join(part.words for part in self.snippet)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the places, best first; pages are numbered from 1."""

    hits: tuple[Hit, ...]
    number: int
    is_last: bool


def find(db: Session, team: str, user: str, words: str, *, page: int = 1) -> Page:
    """Where all of these words stand, best first; where few have them whole, words that begin so count as well."""
    sought = asked.read(words)
    found = _places(db, team, user, sought=sought)
    if len(found) < A_PAGE and any(sought.begun):
        found = _places(db, team, user, sought=sought, begun=sought.begun)
    url = people.workspace(db, team).url
    start = (page - 1) * A_PAGE
    shown = tuple(_hit(row, sought, url) for row in found[start : start + A_PAGE])
    return Page(shown, page, is_last=len(found) <= start + A_PAGE)


def _hit(row: Found, sought: Sought, url: str) -> Hit:
    return Hit(
        incident=row.incident,
        title=row.title,
        sort=row.sort,
        snippet=asked.snippet(_words(row), sought),
        number=row.number,
        at=row.at,
        permalink=_permalink(row, url),
    )


def _permalink(row: Found, url: str) -> str | None:
    if not (row.channel_id and row.ts and url):
        return None
    return messages.permalink(url, row.channel_id, row.ts, row.thread_ts)


def _places(db: Session, team: str, user: str, *, sought: Sought, begun: Sequence[bool] = ()) -> list[Found]:
    index = INDEXES[db.get_bind().dialect.name]
    if sought.is_literal:
        found = db.execute(_newest(partial(_holding, signs=sought.signs)), {"team": team, "user": user})
    else:
        asked_for = index.asked(sought.phrases, begun or (False,) * len(sought.phrases))
        statement, given = _looked_up(index)
        found = db.connection().exec_driver_sql(statement, {**given, "team": team, "user": user, "asked": asked_for})
    return _ranked([_found(Found(*row)) for row in found.all()], sought)


def _found(row: Found) -> Found:
    """Moments as SQLite keeps them are text."""
    at: datetime | str = row.at
    return row._replace(at=datetime.fromisoformat(at).replace(tzinfo=UTC)) if isinstance(at, str) else row


Query = Select[*tuple[Any, ...]]


# What words stand in ------------------------------------------------------------------------


def _of_incident(query: Query, seen: CTE) -> Query:
    return query.join(seen, seen.c.id == Incident.id)


def _of_row(row: Any) -> Callable[[Query, CTE], Query]:
    return lambda query, seen: query.join(seen, seen.c.id == row.incident_id)


def _of_comment(query: Query, seen: CTE) -> Query:
    event = query.join(TimelineEvent, TimelineEvent.id == EventComment.event_id)
    return event.join(seen, seen.c.id == TimelineEvent.incident_id)


def _of_message(query: Query, seen: CTE) -> Query:
    return query.join(Source, messages.in_source()).join(seen, seen.c.id == Source.incident_id)


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A column whose words are found."""

    name: str
    row: Any
    """The table it is of."""
    text: Any
    at: Any
    of: Callable[[Query, CTE], Query]
    """How its row belongs to an incident."""
    index: str
    """The index of its words on SQLite."""
    words: str = "words"
    """The column of them on PostgreSQL."""
    weight: float = 1.0
    """How much more it tells than a message with the same words."""
    most: int = 15
    """So many are ranked, the last ones kept."""
    here: ColumnElement[bool] = field(default_factory=true)
    """That it is there to be found."""
    number: Any = field(default_factory=null)
    channel: Any = field(default_factory=null)
    ts: Any = field(default_factory=null)
    thread: Any = field(default_factory=null)


INCIDENT: dict[str, Any] = {"row": Incident, "at": Incident.opened_at, "of": _of_incident}
EVENT: dict[str, Any] = {
    "at": TimelineEvent.occurred_at,
    "here": timeline.on_it(),
    "number": TimelineEvent.number,
    "channel": TimelineEvent.channel_id,
    "ts": TimelineEvent.ts,
}
SORTS = (
    Sort(**INCIDENT, name="title", text=Incident.title, index="title_words", words="title_words", weight=3.0),
    Sort(**INCIDENT, name="summary", text=Incident.summary, index="summary_words", words="summary_words", weight=2.0),
    Sort(**INCIDENT, name="impact", text=Incident.impact, index="impact_words", words="impact_words", weight=1.5),
    Sort(
        name="finding",
        row=Finding,
        text=Finding.text,
        at=Finding.at,
        of=_of_row(Finding),
        index="finding_words",
        weight=2.0,
        here=Finding.dropped_at.is_(None),
        number=Finding.number,
    ),
    Sort(
        name="action",
        row=Action,
        text=Action.text,
        at=Action.proposed_at,
        of=_of_row(Action),
        index="action_words",
        weight=2.0,
        here=Action.withdrawn_at.is_(None),
        number=Action.number,
    ),
    Sort(
        **EVENT,
        name="event",
        row=TimelineEvent,
        text=TimelineEvent.text,
        of=_of_row(TimelineEvent),
        index="event_words",
        weight=1.5,
    ),
    Sort(
        **EVENT,
        name="answer",
        row=TimelineEvent,
        text=TimelineEvent.answer,
        of=_of_row(TimelineEvent),
        index="answer_words",
        words="answer_words",
        weight=1.5,
    ),
    Sort(**EVENT, name="comment", row=EventComment, text=EventComment.text, of=_of_comment, index="comment_words"),
    Sort(
        name="report",
        row=Review,
        text=Review.draft,
        at=func.coalesce(Review.drafted_at, Review.published_at),
        of=_of_row(Review),
        index="draft_words",
    ),
    Sort(
        name="message",
        row=Message,
        text=Message.plain,
        at=Message.posted_at,
        of=_of_message,
        index="message_words",
        most=60,
        here=and_(Message.deleted_at.is_(None), ~messages.by_us()),
        channel=Message.channel_id,
        ts=Message.ts,
        thread=Message.thread_ts,
    ),
)
WEIGHTS = {sort.name: sort.weight for sort in SORTS}


def _words(row: Found) -> str:
    """What is shown of a place, as a person would read it."""
    if row.sort == "impact":
        return " · ".join(words for _, words in Impact.from_json(json.loads(row.text)).lines())
    if row.sort == "report":
        return row.text.replace("\\", "")
    return row.text


# Asking the database --------------------------------------------------------------------------


@dataclass(frozen=True)
class Index:
    """How a database is asked for words: its language, and how a query takes those with them, the last kept first."""

    dialect: type[DefaultDialect]
    paramstyle: Literal["named", "pyformat"]
    take: Callable[[Query, Sort], Query]
    quoted: str
    beside: str
    begun: str
    every: str

    def asked(self, phrases: Sequence[Phrase], begun: Sequence[bool]) -> str:
        """What is looked for in its language; words are letters and digits alone, which need no escape."""
        said = (self.quoted.format(self.beside.join(words)) for words in phrases)
        return self.every.join(words + self.begun * is_open for words, is_open in zip(said, begun, strict=True))


def _on_sqlite(query: Query, sort: Sort) -> Query:
    index: TableClause = table(sort.index, column("rowid"), column(sort.index))
    match = index.c[sort.index].op("MATCH")(bindparam("asked", type_=String()))
    # The plus keeps SQLite from asking the index once for each row that it may be about.
    number: ColumnElement[int] = literal_column(f"+{sort.index}.rowid", Integer())
    found = query.select_from(index).join(sort.row, sort.row.id == number).where(match)
    return found.order_by(index.c.rowid.desc())


def _on_postgresql(query: Query, sort: Sort) -> Query:
    words: ColumnElement[Any] = column(sort.words, _selectable=sort.row.__table__)
    match = words.op("@@")(func.to_tsquery(literal_column("'simple'"), bindparam("asked", type_=String())))
    return query.select_from(sort.row).where(match).order_by(sort.row.id.desc())


INDEXES: Mapping[str, Index] = {
    "sqlite": Index(SQLiteDialect, "named", _on_sqlite, quoted='"{}"', beside=" ", begun="*", every=" "),
    "postgresql": Index(PGDialect, "pyformat", _on_postgresql, quoted="{}", beside=" <-> ", begun=":*", every=" & "),
}


@cache
def _looked_up(index: Index) -> tuple[str, Mapping[str, Any]]:
    """The question to an index, put into words once, and what is given with it: that takes longer than the answer."""
    compiled = _newest(index.take).compile(dialect=index.dialect(paramstyle=index.paramstyle))
    return str(compiled), compiled.params


def _newest(take: Callable[[Query, Sort], Query]) -> CompoundSelect[*tuple[Any, ...]]:
    """The newest places of each sort; newest is what was kept last, in whose order an index is."""
    team, user = bindparam("team", type_=String()), bindparam("user", type_=String())
    seen = select(Incident.id, Incident.title).where(Incident.team_id == team, visible_to(user, team=team)).cte("seen")
    return union_all(*(select(_newest_of(sort, seen, take).subquery(sort.name)) for sort in SORTS))


def _newest_of(sort: Sort, seen: CTE, take: Callable[[Query, Sort], Query]) -> Query:
    query = select(
        literal(sort.name).label("sort"),
        seen.c.id.label("incident"),
        seen.c.title,
        cast(sort.number, Integer).label("number"),
        cast(sort.text, String).label("text"),
        sort.at.label("at"),
        cast(sort.channel, String).label("channel_id"),
        cast(sort.ts, String).label("ts"),
        cast(sort.thread, String).label("thread_ts"),
        sort.row.id.label("row"),
    )
    return sort.of(take(query, sort), seen).where(sort.here).limit(sort.most)


def _holding(query: Query, sort: Sort, *, signs: str) -> Query:
    found = query.select_from(sort.row).where(holds(cast(sort.text, String), signs))
    return found.order_by(sort.row.id.desc())


def holds(searched: ColumnExpressionArgument[str], words: str) -> ColumnElement[bool]:
    """Whether the words stand in a column, whatever their case; a `%` or `_` that was typed means itself.

    SQLite, and PostgreSQL in some locales, know the case of ASCII alone: the other letters typed are lowered by name.
    """
    said = "".join(map(_lowered, words))
    for letter in sorted({letter for letter in said if not letter.isascii() and len(letter.upper()) == 1}):
        searched = func.replace(searched, letter.upper(), letter, type_=String())
    return func.lower(searched, type_=String()).contains(said, autoescape=True)


def _lowered(letter: str) -> str:
    """`İ` has no small form of one letter, and stays."""
    return letter.lower() if len(letter.lower()) == 1 else letter


# Ranking ------------------------------------------------------------------------------------------


def _ranked(found: Sequence[Found], sought: Sought) -> list[Found]:
    """Best first: how well the words answer, in what they stand, how new it is. Each thing is listed once."""
    if not found:
        return []
    judge, newest = Judge(sought), max(row.at for row in found)

    def worth(row: Found) -> tuple[float, datetime, str, int]:
        new = 1 + FOR_BEING_NEW / (1 + (newest - row.at) / FADES)
        return WEIGHTS[row.sort] * new * judge.score(_words(row)), row.at, row.sort, row.row

    return _once(sorted(found, key=worth, reverse=True))


def _once(found: Sequence[Found]) -> list[Found]:
    """A message that is an event is that event; a report repeats what its review says, and is listed for the rest."""
    events = {(row.channel_id, row.ts) for row in found if row.sort in EVENTS}
    told = {row.incident for row in found if row.sort not in {"report", "message"}}
    listed = dict[Any, Found]()
    for row in found:
        is_event_as_well = row.sort == "message" and (row.channel_id, row.ts) in events
        if not is_event_as_well and not (row.sort == "report" and row.incident in told):
            listed.setdefault(_thing(row), row)
    return list(listed.values())


EVENTS = {"event", "answer", "comment"}


def _thing(row: Found) -> tuple[Any, ...]:
    """By which a place is known: an event is one thing with its comments, a message one in whatever incident."""
    if row.sort in EVENTS:
        return "event", row.incident, row.number
    return row.sort, row.row


# What was erased --------------------------------------------------------------------------

PAGES_A_STEP = 200
"""Pages of an index rewritten in one transaction, so that nobody waits long for it."""


def sweep_step(db: Session, step: int) -> bool:
    """Rewrite a part of the indexes without words that are gone; whether more is to do. The first `step` is 0.

    SQLite only marks them as gone and drops them when parts of an index are merged; PostgreSQL keeps no copy.
    """
    if db.get_bind().dialect.name != "sqlite":
        return False
    before = db.scalar(text("SELECT total_changes()"))
    pages = -PAGES_A_STEP if step == 0 else PAGES_A_STEP
    for sort in SORTS:
        merge = f"INSERT INTO {sort.index}({sort.index}, rank) VALUES ('merge', :pages)"  # noqa: S608 - a name of ours
        db.execute(text(merge), {"pages": pages})
    return db.scalar(text("SELECT total_changes()")) > before + len(SORTS)
