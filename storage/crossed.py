"""Turns of several programs at the same moment: one after another, and where they cross all the same, once more.

Every ability looks before it writes. On SQLite nobody else writes in between; on PostgreSQL a lock of the workspace's
sees to that. Facts are kept without it, for they may come in any order; who is crossed by them is run again.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import func, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage import rounds

Done = TypeVar("Done")

CROSSED = {"23505", "40001", "40P01"}
"""Something unique was written twice, turns that exclude each other, a deadlock: by SQLSTATE."""
MOST_TRIES = 5
LONGEST_PAUSE_MS = 20_000
"""A program that is stopped in the middle of its turn loses it, and holds up the others for no longer."""


def go_alone(db: Session, team: str) -> None:
    """Wait until no other turn of this workspace is under way, and let none begin until this one ends."""
    if db.get_bind().dialect.name != "postgresql":
        return
    patience = func.set_config("idle_in_transaction_session_timeout", str(LONGEST_PAUSE_MS), literal(value=True))
    db.execute(select(patience, func.pg_advisory_xact_lock(*rounds.number_of(rounds.TURNS, team))))


def run_again(turn: Callable[[], Done]) -> Done:
    """Run a turn, again where another crossed it; what else goes wrong is raised, and so is the last of five."""
    for _ in range(MOST_TRIES - 1):
        try:
            return turn()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in CROSSED:
                raise
    return turn()
