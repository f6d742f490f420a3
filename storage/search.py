"""Words across every review a person may see: titles, summaries, findings, actions, timeline events and messages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, TextClause, and_, func, null, select, text
from sqlalchemy.orm import Session

from storage import messages, people, timeline
from storage.incidents import visible_to
from storage.models import Action, Finding, Incident, Message, Source, TimelineEvent

MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where the words stand; `sort` says in what, `number` is that of the finding, action or event."""

    incident: int
    title: str
    sort: str
    text: str
    number: int | None = None
    at: datetime | None = None
    permalink: str | None = None


def find(db: Session, team: str, user: str, words: str, *, at_most: int = MOST) -> list[Hit]:
    """Where these words stand, as typed and whatever their case: what was concluded first, then what was said."""
    return list(islice(_hits(db, team, user, words), at_most))


def _hits(db: Session, team: str, user: str, words: str) -> Iterator[Hit]:
    for query, sort in _concluded(team, user, words):
        yield from (_hit(row, sort) for row in db.execute(query.limit(MOST)))
    url = people.workspace(db, team).url
    seen: set[int] = set()
    for row in db.execute(_said(db, team, user, words=words).limit(3 * MOST)):
        if row.Message.id not in seen:
            seen.add(row.Message.id)
            yield _hit(row, "message", messages.permalink_of(row.Message, url))


def _hit(row: Row[*tuple[Any, ...]], sort: str, address: str | None = None) -> Hit:
    return Hit(
        incident=row.incident,
        title=row.title,
        sort=sort,
        text=row.text,
        number=row.number,
        at=row.at,
        permalink=address,
    )


def _concluded(team: str, user: str, words: str) -> Iterator[tuple[Select[*tuple[Any, ...]], str]]:
    incident = (Incident.id.label("incident"), Incident.title)
    seen = and_(Incident.team_id == team, visible_to(user))
    for column, sort in ((Incident.title, "title"), (Incident.summary, "summary")):
        query = select(*incident, null().label("number"), column.label("text"), Incident.opened_at.label("at"))
        yield query.where(seen, holds(column, words)).order_by(Incident.id.desc()), sort
    for row, when, here in (
        (Finding, Finding.at, Finding.dropped_at.is_(None)),
        (Action, Action.proposed_at, Action.withdrawn_at.is_(None)),
        (TimelineEvent, TimelineEvent.occurred_at, timeline.on_it()),
    ):
        query = select(*incident, row.number.label("number"), row.text.label("text"), when.label("at"))
        found = query.join(row, row.incident_id == Incident.id).where(seen, here, holds(row.text, words))
        yield found.order_by(Incident.id.desc(), row.number), SORTS[row]


SORTS: dict[Any, str] = {Finding: "finding", Action: "action", TimelineEvent: "event"}


def _said(db: Session, team: str, user: str, *, words: str) -> Select[*tuple[Any, ...]]:
    columns = (Message, null().label("number"), Message.plain.label("text"))
    return (
        select(Incident.id.label("incident"), Incident.title, *columns, Message.posted_at.label("at"))
        .join(Source, Source.incident_id == Incident.id)
        .join(Message, messages.in_source())
        .where(Incident.team_id == team, visible_to(user), Message.deleted_at.is_(None), _in_message(db, words))
        .order_by(Message.posted_at.desc(), Message.id.desc(), Incident.id.desc())
    )


def _in_message(db: Session, words: str) -> ColumnElement[bool] | TextClause:
    """Whether a message says these words, the last one perhaps begun only; signs alone are looked for as typed.

    Letters beyond ASCII are looked for as typed, too: how the two databases index them differs.
    """
    said = WORD.findall(words) if words.isascii() else []
    if not said:
        return holds(Message.plain, words)
    if db.get_bind().dialect.name == "sqlite":
        asked = " ".join(f'"{word}"' for word in said) + "*"
        found = text("messages.id IN (SELECT rowid FROM message_words WHERE message_words MATCH :asked)")
    else:
        asked = " & ".join(said) + ":*"
        found = text("messages.words @@ to_tsquery('simple', :asked)")
    return found.bindparams(asked=asked)


WORD = re.compile(r"[A-Za-z0-9]+")


def holds(column: Any, words: str) -> ColumnElement[bool]:
    """Whether the words stand in a column, whatever their case; a `%` or `_` that was typed means itself.

    SQLite, and PostgreSQL in some locales, know the case of ASCII alone: the other letters typed are lowered by name.
    """
    said = "".join(map(_lowered, words))
    for letter in sorted({letter for letter in said if not letter.isascii() and len(letter.upper()) == 1}):
        column = func.replace(column, letter.upper(), letter, type_=String())
    return func.lower(column, type_=String()).contains(said, autoescape=True)


def _lowered(letter: str) -> str:
    """`İ` has no small form of one letter, and stays."""
    return letter.lower() if len(letter.lower()) == 1 else letter


# What was erased --------------------------------------------------------------------------

PAGES_A_STEP = 200
"""Pages of the index rewritten in one transaction, so that nobody waits long for it."""


def sweep_step(db: Session, step: int) -> bool:
    """Rewrite a part of the index without words that are gone; whether more is to do. The first `step` is 0.

    SQLite only marks them as gone and drops them when parts of the index are merged; PostgreSQL keeps no copy.
    """
    if db.get_bind().dialect.name != "sqlite":
        return False
    before = db.scalar(text("SELECT total_changes()"))
    pages = -PAGES_A_STEP if step == 0 else PAGES_A_STEP
    db.execute(text("INSERT INTO message_words(message_words, rank) VALUES ('merge', :pages)"), {"pages": pages})
    return db.scalar(text("SELECT total_changes()")) > before + 1
