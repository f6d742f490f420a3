"""How migrations run: each one atomic on both databases, with time-outs on PostgreSQL."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, text

from storage.models import Base
from storage.session import IMMEDIATE, is_ours, make_engine
from storage.types import CleanJSON, CleanText, UTCDateTime

ALONE = 5_046_011_987_000_001
"""The advisory lock of whoever migrates: of several replicas that start at once the others wait, and find it done."""
LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "10min"


def plain_type(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """A migration outlives our classes, so it names the plain types they stand on."""
    plain = {CleanText: "sa.Text()", UTCDateTime: "sa.DateTime(timezone=True)", CleanJSON: "sa.JSON()"}
    return plain.get(type(item), False) if kind == "type" else False


def run() -> None:
    engine = make_engine(context.config.attributes["url"])
    try:
        with engine.connect().execution_options(**IMMEDIATE) as connection:
            if connection.dialect.name == "sqlite":
                _let_tables_be_replaced(connection)
            migrate(connection)
    finally:
        engine.dispose()


def _let_tables_be_replaced(connection: Connection) -> None:
    """SQLite rewrites a table by putting a new one in its place; what refers to the old one must not go with it."""
    database: Any = connection.connection.driver_connection
    database.execute("PRAGMA foreign_keys = OFF")  # In a transaction it would have no effect.


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=True,
        compare_type=True,
        render_item=plain_type,
        include_name=is_ours,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ALONE})"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


run()
