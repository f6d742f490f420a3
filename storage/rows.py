"""Writing a row that somebody else may be writing at the same moment, and deleting rows that may not be there."""

from typing import cast

from sqlalchemy import ColumnElement, Table, delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Base


def insert_new(db: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that does nothing where a row of the same key is there already; on PostgreSQL it waits to see."""
    into = cast("Table", table.__table__)
    if db.get_bind().dialect.name == "sqlite":
        return sqlite.insert(into).on_conflict_do_nothing()
    return postgresql.insert(into).on_conflict_do_nothing()


def delete_any(db: Session, table: type[Base], *which: ColumnElement[bool]) -> None:
    """Delete what there is of these; where nothing is, it only looked."""
    if db.scalar(select(literal(1)).select_from(table).where(*which).limit(1)):
        db.execute(delete(table).where(*which).execution_options(synchronize_session=False))
