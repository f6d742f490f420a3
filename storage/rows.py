"""Statements of many keys, of rows that somebody else may be writing too, and of rows that may not be there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, delete, false, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from storage.models import Base, Message, Reaction

AT_ONCE = 400
"""Keys to a statement: far below what either database takes."""


def in_parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The keys in their order, as many at a time as a statement takes."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def insert_new(db: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that does nothing where a row of the same key is there already; on PostgreSQL it waits to see."""
    return insert_into(db, table).on_conflict_do_nothing()


def insert_into(db: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert in the words of this database, which can say what becomes of a conflict."""
    into = cast("Table", table.__table__)
    return sqlite.insert(into) if db.get_bind().dialect.name == "sqlite" else postgresql.insert(into)


def delete_any(db: Session, table: type[Base], *which: ColumnElement[bool]) -> None:
    """Delete what there is of these; where nothing is, it only looked."""
    if db.scalar(select(literal(1)).select_from(table).where(*which).limit(1)):
        db.execute(delete(table).where(*which).execution_options(synchronize_session=False))


def insert_new_of(db: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *columns: str) -> set[Any]:
    """Write those of the rows that nobody has written yet, and give these columns of them."""
    found = [table.__table__.c[column] for column in columns]
    statement = cast("ReturningInsert[Any]", insert_new(db, table).returning(*found))
    return {tuple(row) for row in db.execute(statement, list(rows))}


def any_key(table: type[Message] | type[Reaction], keys: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """Of any of these messages, by channel and ts."""
    by_channel: defaultdict[str, list[str]] = defaultdict(list)
    for channel, ts in keys:
        by_channel[channel].append(ts)
    return or_(
        false(), *(and_(table.channel_id == channel, table.ts.in_(every)) for channel, every in by_channel.items())
    )
