"""Writing a row that somebody else may be writing at the same moment."""

from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.models import Base


def insert_new(db: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that does nothing where a row of the same key is there already; on PostgreSQL it waits to see."""
    into = cast("Table", table.__table__)
    if db.get_bind().dialect.name == "sqlite":
        return sqlite.insert(into).on_conflict_do_nothing()
    return postgresql.insert(into).on_conflict_do_nothing()
