"""What a process remembers of a SQLite file for as long as nobody writes to the tables that it was read from.

Only transactions that hold the write lock ask here, and the file has one running bot, so nobody else can have written
meanwhile. PostgreSQL has other writers: there everything is asked anew.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from storage.models import Base, Source

Answer = TypeVar("Answer")

WATCHED = {table.__tablename__ for table in (Source,)}
"""Tables of which answers are remembered: small ones that seldom change and are asked of with every event."""
PLACE = "remembered"
"""Where a session carries its memory, and a connection what its transaction wrote to."""


def remembered(db: Session, table: type[Base], name: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer to a question about a watched table, from memory where nobody can have changed it meanwhile."""
    memory: Memory | None = db.info.get(PLACE)
    db.flush()
    if memory is None or table.__tablename__ in _written(db.connection()):
        return ask()
    return memory.answer((table.__tablename__, name), ask)


class Memory:
    """Answers of one database; a transaction that writes to their table ends them."""

    def __init__(self, engine: Engine) -> None:
        self._answers: dict[tuple[str, Hashable], Any] = {}
        event.listen(engine, "before_cursor_execute", _notice)
        event.listen(engine, "commit", self._end)
        event.listen(engine, "rollback", self._end)

    def answer(self, question: tuple[str, Hashable], ask: Callable[[], Answer]) -> Answer:
        if question not in self._answers:
            self._answers[question] = ask()
        return cast("Answer", self._answers[question])

    def _end(self, connection: Connection) -> None:
        if written := _written(connection):
            self._answers = {
                question: answer for question, answer in self._answers.items() if question[0] not in written
            }
            written.clear()


def _notice(connection: Connection, _cursor: object, statement: str, *_more: object) -> None:
    if not statement.startswith("SELECT"):
        _written(connection).update(table for table in WATCHED if table in statement)


def _written(connection: Connection) -> set[str]:
    """The watched tables that the transaction of a connection has written to."""
    return connection.info.setdefault(PLACE, set())
