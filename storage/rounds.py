"""The clock's rounds: of all the programs that share a database, one at a time asks what is due."""

from sqlalchemy import Integer, cast, func, literal, select, text
from sqlalchemy.orm import Session

ROUNDS = 0x0DEB
"""The first half of the lock's number; the second is the workspace's."""
LONGEST_PAUSE_MS = 60_000
"""A program that is stopped in the middle of its round keeps the others from theirs for no longer than this."""


def is_ours(db: Session, team: str) -> bool:
    """Whether what is due may be asked in this turn; until it ends nobody else may. Alone on SQLite it always may.

    Who comes second leaves out this round instead of waiting for it: the first is asking the same.
    """
    if db.get_bind().dialect.name != "postgresql":
        return True
    db.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {LONGEST_PAUSE_MS}"))
    number = cast(literal(ROUNDS), Integer), func.hashtext(team)
    return bool(db.scalar(select(func.pg_try_advisory_xact_lock(*number))))
