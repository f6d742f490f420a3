"""Statements of many keys, of rows that somebody else may be writing too, and of rows that may not be there."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Base

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
