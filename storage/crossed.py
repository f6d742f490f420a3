"""Two programs that write the same at the same moment: PostgreSQL lets one of them, and the other's turn is run again.

Nothing of a turn that was not let is kept, so the second time it finds what the first one wrote.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

Done = TypeVar("Done")

CROSSED = {"23505", "40001", "40P01"}
"""Something unique was written twice, turns that exclude each other, a deadlock: by SQLSTATE."""
MOST_TRIES = 5


def run_again(turn: Callable[[], Done]) -> Done:
    """Run a turn, again where another crossed it; what else goes wrong is raised, and so is the last of five."""
    for _ in range(MOST_TRIES - 1):
        try:
            return turn()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in CROSSED:
                raise
    return turn()
