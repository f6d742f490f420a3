"""What this program is in the middle of, as every other program on the same database can tell.

A hold is a session lock of PostgreSQL. It ends with its connection, however its program ends, and a program that is
only stopped keeps it: what it was about to do may still happen, and a lease would run out meanwhile.
"""

import hashlib
import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from storage.connecting import life_of

SHARED = ("postgresql",)
"""Databases on which other programs may be in the middle of something, too."""
LIFE_OVER_THERE = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 4}
"""How soon the database notices that our machine is gone, and gives up our locks; in seconds."""


def number_of(name: str) -> int:
    """The 64 bits by which PostgreSQL knows a lock."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


class Holds:
    """Where no other program may be in the middle of anything: every hold is to be had, and is kept."""

    def take(self, name: str) -> bool:
        """Whether it is ours now; False where somebody has it, be it ourselves. Raises what a turn would."""
        del name
        return True

    def keeps(self, name: str) -> bool:
        """Whether it is still ours, this moment: asked right before what must not be done twice."""
        del name
        return True

    def release(self, name: str) -> None:
        """Give it up; nothing happens where it is lost already."""

    def close(self) -> None:
        """Give up everything."""


class SharedHolds(Holds):
    """Holds among all programs of one PostgreSQL, on one connection that is used for nothing else.

    With the connection all that was held is lost, whether or not anybody else took it; the next hold opens another.
    """

    def __init__(self, engine: Engine) -> None:
        url, life = engine.url, life_of(engine.url)
        self._engine = create_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=life, hide_parameters=True
        )
        self._door = threading.Lock()
        self._connection: Connection | None = None
        self._session = 0
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        with self._door:
            if not self._lives():
                self._open()
            # PostgreSQL would give it to the same session again.
            taken = name not in self._held and bool(self._ask(func.pg_try_advisory_lock(number_of(name))))
            if taken:
                self._held.add(name)
            return taken

    def keeps(self, name: str) -> bool:
        with self._door:
            return name in self._held and self._lives()

    def release(self, name: str) -> None:
        with self._door, suppress(DBAPIError):
            if name in self._held:
                self._held.discard(name)
                self._ask(func.pg_advisory_unlock(number_of(name)))

    def close(self) -> None:
        with self._door:
            self._lose()

    def _lives(self) -> bool:
        """Whether the session is the one in which all was taken: a pooler may have given us another."""
        try:
            return self._connection is not None and self._ask(func.pg_backend_pid()) == self._session
        except DBAPIError:
            return False

    def _open(self) -> None:
        self._lose()
        self._connection = self._engine.connect()
        for name, seconds in LIFE_OVER_THERE.items():
            self._ask(func.set_config(name, str(seconds), False))
        self._session = self._ask(func.pg_backend_pid())

    def _ask(self, question: ColumnElement[Any]) -> Any:
        """Raises DBAPIError, and then nothing is held any more."""
        if self._connection is None:
            return None
        try:
            return self._connection.execute(select(question)).scalar_one()
        except DBAPIError:
            self._lose()
            raise

    def _lose(self) -> None:
        self._held.clear()
        if self._connection is not None:
            lost, self._connection = self._connection, None
            # Its locks are to go with it, and it must not come back by itself as another one.
            lost.invalidate()
            lost.close()


def of(engine: Engine) -> Holds:
    """The holds of this program on this database."""
    return SharedHolds(engine) if engine.dialect.name in SHARED else Holds()
