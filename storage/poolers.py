"""A connection pooler before PostgreSQL that gives each transaction another session: our holds would hold nothing.

What it is called it does not say, and every pooler says something else. So it is tried: a session of our own stays the
same from one transaction to the next, and nobody else is ever in it.
"""

from sqlalchemy import Connection, NullPool, create_engine, func, make_url, select

from storage.holds import SHARED

ROUNDS = 5
"""Where others use the pooler, too, it may give us the same session by chance; hardly so often."""
UNUSABLE = (
    "a connection pooler hands each transaction to another session of PostgreSQL, which would let several bots say the "
    "same: let DEBRIEF_DATABASE_URL lead to PostgreSQL itself, or set the pooler to session mode for this database"
)


def between(url: str) -> str | None:
    """Why a database cannot be used through what stands before it, as a sentence; None where it can."""
    if make_url(url).get_backend_name() not in SHARED:
        return None
    # What is prepared in one session is not known in the next, and we want to hear about the sessions.
    engine = create_engine(url, poolclass=NullPool, connect_args={"prepare_threshold": None}, hide_parameters=True)
    try:
        # In the first one each question is a transaction.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own, engine.connect() as other:
            return UNUSABLE if any(_are_mixed(own, other) for _ in range(ROUNDS)) else None
    finally:
        engine.dispose()


def _are_mixed(own: Connection, other: Connection) -> bool:
    """Whether two connections share a session, or one of them changes it."""
    before = {_session(own), _session(own)}
    with other.begin():
        if len(before) > 1 or _session(other) in before:
            return True
        return _session(own) not in before  # The other's transaction is still open, so a pooler had to choose anew.


def _session(connection: Connection) -> int:
    return connection.execute(select(func.pg_backend_pid())).scalar_one()
