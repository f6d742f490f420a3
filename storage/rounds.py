"""What one at a time does of all the programs that share a database: ask what is due, and begin what is to be said."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, literal, select, text
from sqlalchemy.orm import Session

ROUNDS, CLAIMS, TURNS = 0x0DEB, 0x0DEC, 0x0DED
"""The first halves of the locks' numbers; the second is the workspace's."""
LONGEST_PAUSE_MS = 60_000
"""A program that is stopped in the middle of its round keeps the others from theirs for no longer than this."""
LONGEST_CLAIM_MS = 5_000
"""The same for one that is stopped while it claims, which takes no time, and for which people wait."""


def is_ours(db: Session, team: str) -> bool:
    """Whether what is due may be asked in this turn; until it ends nobody else may. Alone on SQLite it always may.

    Who comes second leaves out this round instead of waiting for it: the first is asking the same.
    """
    return _takes(db, ROUNDS, team, patience_ms=LONGEST_PAUSE_MS)


def may_claim(db: Session, team: str) -> bool:
    """Whether notes may be begun in this turn; until it ends nobody else may, so that all keep one pace together."""
    return _takes(db, CLAIMS, team, patience_ms=LONGEST_CLAIM_MS)


def _takes(db: Session, what: int, team: str, *, patience_ms: int) -> bool:
    if db.get_bind().dialect.name != "postgresql":
        return True
    db.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {patience_ms}"))
    return bool(db.scalar(select(func.pg_try_advisory_xact_lock(*number_of(what, team)))))


def number_of(what: int, team: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The two halves by which PostgreSQL knows a lock of a workspace."""
    return cast(literal(what), Integer), func.hashtext(team)
