"""Erasing a person, at the command line: it says first what it would do, and does it beside a running bot."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.review.pseudonym import name_of
from bot.settings import Settings
from bot.shelf import Shelf
from storage import people, pseudonymising, pseudonyms
from storage.pseudonymising import Somebody
from storage.session import AlreadyRunning, Storage, only_one
from storage.sweeping import Sweeper

HEARD_BY_THEN_S = 12.0
"""By when a running bot has looked who is forgotten: its clock does every five seconds, whatever else it does."""
TRIES, BETWEEN_TRIES_S = 5, 1.0
"""How often the file is tried to be swept while somebody reads it."""

PURE_WHEN_VACUUMED = (
    "Nothing in the database names them any more. PostgreSQL keeps what was overwritten in its files until VACUUM, "
    "which it runs by itself in time, and in its log for as long as you keep that."
)
NOTHING_TO_DO = "There is nothing to do: PostgreSQL takes what was erased out of its files with VACUUM, by itself."


@dataclass(frozen=True, slots=True)
class Found:
    """A person in the workspaces of a database: how many rows name them, and whether they were erased before."""

    somebody: Sequence[Somebody]
    rows: int
    erased: bool


class OurOwn(Exception):
    """One sentence: the bot's own user is nobody who could be forgotten."""


def look(storage: Storage, user: str) -> Found:
    """What is known of a user; raises OurOwn."""
    with storage.read() as db:
        spaces = people.workspaces(db)
        if user in {space.bot_user for space in spaces}:
            raise OurOwn(f"{user} is this bot itself, and it remembers nobody without itself.")
        everywhere = [pseudonymising.known(db, space.team_id, user) for space in spaces]
        rows = [pseudonymising.count(db, somebody) for somebody in everywhere]
        erased = any(pseudonyms.read(db, space.team_id).pseudonym_of(user) for space in spaces)
    named = [somebody for somebody, number in zip(everywhere, rows, strict=True) if number]
    return Found(named, sum(rows), erased)


def asked(user: str, found: Found) -> str:
    """What would be done, before it is."""
    rows = "one row" if found.rows == 1 else f"{found.rows} rows"
    return (
        f"{user} is named in {rows}: as author, in mentions, roles and actions. A made-up name would stand there "
        "instead, and what they wrote would stay. There is no way back."
    )


def nothing(user: str, found: Found) -> str:
    """Why there is nothing to do."""
    if found.erased:
        return f"{user} was erased before, and nothing of them has come back."
    return f"Nothing is known of {user}, so there is nothing to erase."


def erase(
    settings: Settings, storage: Storage, found: Found, *, wait: Callable[[float], None] = time.sleep
) -> list[str]:
    """Put a made-up person in somebody's place, in every workspace; a sentence of each, and one of what is left."""
    told = [_erase(settings, storage, somebody, wait) for somebody in found.somebody]
    return [*told, _swept(settings, storage, wait), "Backups made before still hold them."]


def _erase(settings: Settings, storage: Storage, somebody: Somebody, wait: Callable[[float], None]) -> str:
    pseudonym = pseudonymising.begin(storage, somebody, now=datetime.now(UTC))
    rows = sum(pseudonymising.go_through(storage, somebody, pseudonym))
    if _is_running(settings, storage):
        # Until it has looked again, the bot may write down what it hears of them.
        wait(HEARD_BY_THEN_S)
        rows += sum(pseudonymising.go_through(storage, somebody, pseudonym))
    pseudonymising.finish(storage, somebody, pseudonym, now=datetime.now(UTC))
    changed = "one row was" if rows == 1 else f"{rows} rows were"
    return f"{somebody.user} is “{name_of(pseudonym)}” from now on; {changed} changed."


def _is_running(settings: Settings, storage: Storage) -> bool:
    """Whether a bot may be running beside: on SQLite it holds a lock, on PostgreSQL nobody can tell."""
    if storage.shared:
        return True
    try:
        with only_one(settings.url):
            return False
    except AlreadyRunning:
        return True


def _swept(settings: Settings, storage: Storage, wait: Callable[[float], None]) -> str:
    sweeper = Sweeper(storage, Shelf(settings.files_dir, storage).sweep)
    for _ in range(TRIES):
        if sweeper.sweep(datetime.now(UTC)):
            return PURE_WHEN_VACUUMED if storage.shared else "No trace of them is left in the database."
        wait(BETWEEN_TRIES_S)
    return (
        "The database is large or in use: a running bot removes the last traces from its file at night, and "
        "`debrief doctor` says where you have to."
    )


def sweep(settings: Settings, storage: Storage) -> str:
    """Take what was erased off the disk now, however large the database is, and say what came of it."""
    sweeper = Sweeper(
        storage, Shelf(settings.files_dir, storage).sweep, small_bytes=sys.maxsize, large_bytes=sys.maxsize
    )
    if sweeper.sweep(datetime.now(UTC)):
        return NOTHING_TO_DO if storage.shared else "No trace of what was erased is left in the database."
    return "Another program reads the database: end it, and try again."
