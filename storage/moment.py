"""What time it is where several programs share a database: the database's, whatever their own clocks say."""

from datetime import UTC, datetime

from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import DBAPIError

from storage.connecting import life_of

AT_ONCE = 2
"""Connections that ask for the time; an answer takes no longer than a round trip."""


class DatabaseTime:
    """The clock of a PostgreSQL database.

    It has connections of its own: it is asked in the middle of turns, and would wait for ever for theirs where every
    turn waits for it.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url,
            pool_size=AT_ONCE,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
            connect_args=life_of(url),
            hide_parameters=True,
        )

    def __call__(self) -> datetime:
        """Now (UTC); raises what a turn would where the database is away."""
        try:
            return self._ask()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._ask()  # A restart had cut the connection, and this is the first to notice.

    def _ask(self) -> datetime:
        with self._engine.connect() as connection:
            now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            return now.astimezone(UTC)

    def close(self) -> None:
        self._engine.dispose()
