"""From one revision to the next: whole or not at all, with all that was kept, and the previous release goes on."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import DBAPIError

import storage.session
from storage.models import Fit
from storage.session import differences, downgrade, make_engine, migrations_folder, upgrade
from tests.seeded import RELEASED, checksum, described, fingerprint, knows, made, rows, write_rows

EVERY = [script.revision for script in ScriptDirectory(str(migrations_folder())).walk_revisions()][::-1]
HEAD = EVERY[-1]
SINCE_FITS = EVERY[EVERY.index("0006") :]
KEPT = sorted(path.stem for path in RELEASED.glob("*.json"))
AT_ONCE = 2
ROOT = Path(__file__).parents[1]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    engine = make_engine(empty_database_url)
    yield engine
    engine.dispose()


# Who fits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", KEPT)
def test_a_released_migration_makes_today_what_it_made_when_it_was_released(revision: str):
    assert made(revision) == knows(revision)


@pytest.mark.parametrize("revision", SINCE_FITS)
def test_every_migration_says_which_programs_go_on_working_and_that_its_own_does(tmp_path: Path, revision: str):
    url = f"sqlite:///{tmp_path / 'debrief.db'}"
    upgrade(url, revision)

    fits = fits_of(url)

    assert revision in fits
    assert fits <= set(EVERY[: EVERY.index(revision) + 1])


def test_what_fits_beside_the_newest_is_kept_as_a_file_so_that_it_can_be_tried(sqlite_url: str):
    assert fits_of(sqlite_url) - {HEAD} <= set(KEPT)


@pytest.mark.parametrize("revision", KEPT)
def test_a_program_that_fits_writes_and_reads_all_its_tables_on_the_newest_schema(database_url: str, revision: str):
    assert what_fails(database_url, revision) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("ALTER TABLE people RENAME COLUMN zone TO place", "zone"),
        ("DROP INDEX uq_sources_open", "sources may hold things twice"),
        ("DROP TABLE gestures", "gestures"),
    ],
)
def test_a_migration_that_a_released_program_does_not_survive_would_be_found(database_url: str, change: str, why: str):
    engine = make_engine(database_url)
    with engine.begin() as db:
        db.execute(text(change))
    engine.dispose()

    assert [one for one in what_fails(database_url, "0005") if why in one]


def fits_of(url: str) -> set[str]:
    engine = make_engine(url)
    with engine.connect() as db:
        fits = set(db.scalars(select(Fit.revision)))
    engine.dispose()
    return fits


def what_fails(url: str, revision: str) -> list[str]:
    """What a program of a revision, which names no later column, does in vain on the schema as it is."""
    engine = make_engine(url)
    try:
        return _what_fails(engine, knows(revision))
    finally:
        engine.dispose()


def _what_fails(engine: Engine, known: Any) -> list[str]:
    now_here = described(engine)
    gone = [f"{name} may hold things twice" for name, told in known.items() if _lacks(now_here.get(name), told)]
    try:
        with engine.begin() as db:
            there = rows(db, known)
            written = [write_rows(db, known, row=number) for number in (1, 2)]
        with engine.connect() as db:
            found = rows(db, known)
    except DBAPIError as error:
        return [*gone, str(error)]
    return gone + [
        f"{name} is read otherwise"
        for name in known
        if [row for row in found[name] if row not in there[name]] != [each[name] for each in written]
    ]


def _lacks(here: Any, told: Any) -> bool:
    return here is None or not set(told["unique"]) <= set(here["unique"])


# Whole or not at all ----------------------------------------------------------------------------------


class PulledPlug(Exception):
    """The migration was cut off."""


@contextmanager
def cut_off_after(statements: int) -> Iterator[None]:
    """Let no engine go further than so many statements that change something."""
    begun: list[str] = []

    def count(_db: Connection, _cursor: object, asked: str, *_more: object) -> None:
        if asked.lstrip().upper().startswith(("SELECT", "PRAGMA", "SET LOCAL", "SHOW")):
            return
        begun.append(asked)
        if len(begun) > statements:
            raise PulledPlug(asked)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def before(revision: str) -> str:
    return EVERY[EVERY.index(revision) - 1] if revision != EVERY[0] else "base"


def lived_in(url: str, engine: Engine, revision: str) -> None:
    """A database at this revision in which every table has rows."""
    upgrade(url, revision)
    known = described(engine)
    with engine.begin() as db:
        for number in (1, 2):
            write_rows(db, known, row=number)


def cut_off_everywhere(url: str, engine: Engine, revision: str) -> int:
    """Cut the way up off after each of its statements; how many there are. Each leaves the database as it was."""
    known = described(engine)
    as_it_was = fingerprint(engine, known)
    for statement in range(1_000):
        if not is_cut_off(url, revision, after=statement):
            return statement
        assert fingerprint(engine, known) == as_it_was, f"after {statement} statements"
    raise AssertionError("a migration of a thousand statements")


def is_cut_off(url: str, revision: str, *, after: int) -> bool:
    try:
        with cut_off_after(after):
            upgrade(url, revision)
    except PulledPlug:
        return True
    return False


def test_the_newest_migration_cut_off_at_any_statement_leaves_all_as_it_was_and_is_repeated_down_and_up(
    empty_database_url: str, engine: Engine
):
    lived_in(empty_database_url, engine, before(HEAD))
    below = checksum(engine)

    statements = cut_off_everywhere(empty_database_url, engine, HEAD)

    above = checksum(engine)
    assert statements > 5
    assert differences(empty_database_url) == []
    assert down_and_up(empty_database_url, engine, HEAD) == (below, above)


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("revision", EVERY)
def test_every_migration_cut_off_at_any_statement_leaves_all_as_it_was_and_is_repeated_down_and_up(
    empty_database_url: str, engine: Engine, revision: str
):
    lived_in(empty_database_url, engine, before(revision))
    below = checksum(engine)

    cut_off_everywhere(empty_database_url, engine, revision)

    above = checksum(engine)
    assert down_and_up(empty_database_url, engine, revision) == (below, above)


def test_the_way_down_over_a_table_that_is_rewritten_takes_nothing_along_that_refers_to_it(
    empty_sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    copy = copytree(migrations_folder(), tmp_path / "migrations")
    env = copy / "env.py"
    env.write_text(env.read_text().replace("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"))
    engine = make_engine(empty_sqlite_url)
    lived_in(empty_sqlite_url, engine, "0001")
    before_it = checksum(engine)

    upgrade(empty_sqlite_url, "0002")
    downgrade(empty_sqlite_url, "0001")
    guarded = checksum(engine)
    monkeypatch.setattr(storage.session, "migrations_folder", lambda: copy)
    upgrade(empty_sqlite_url, "0002")
    downgrade(empty_sqlite_url, "0001")

    assert guarded == before_it
    assert checksum(engine) != before_it  # Without the guard, which shows that it is needed.
    engine.dispose()


def down_and_up(url: str, engine: Engine, revision: str) -> tuple[str, str]:
    """What there is below a revision and above it, after the way down and up again."""
    downgrade(url, before(revision))
    below = checksum(engine)
    upgrade(url, revision)
    return below, checksum(engine)


# Several at once ---------------------------------------------------------------------------------------

MIGRATES_WHEN_TOLD = """
import sys
from pathlib import Path
import storage.session
storage.session.migrations_folder = lambda: Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
storage.session.upgrade(sys.argv[1])
"""


@pytest.mark.postgres
@pytest.mark.parametrize("revision", ["base", pytest.param("0005", marks=pytest.mark.torture)])
def test_of_several_replicas_that_start_at_once_one_migrates_and_the_others_find_it_done(
    empty_postgresql_url: str, revision: str
):
    upgrade(empty_postgresql_url, revision)

    assert failed_at_once(empty_postgresql_url, migrations_folder()) == []
    assert differences(empty_postgresql_url) == []


WAITS = 'connection.execute(text(f"SELECT pg_advisory_xact_lock({ALONE})"))'
DOES_NOT_WAIT = f"""connection.execute(text(f"SELECT pg_advisory_xact_lock_shared({{ALONE}})"))
            connection.execute(text('''DO $$ BEGIN FOR n IN 1..600 LOOP
                EXIT WHEN {AT_ONCE} <= (SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
                    WHERE datname = current_database() AND mode = 'ShareLock' AND locktype = 'advisory');
                PERFORM pg_sleep(0.02);
            END LOOP; END $$'''))"""
"""Nobody is kept out, and everybody begins when all are there."""


@pytest.mark.postgres
def test_replicas_that_did_not_wait_for_each_other_would_fail_at_the_start(empty_postgresql_url: str, tmp_path: Path):
    copy = copytree(migrations_folder(), tmp_path / "migrations")
    env = copy / "env.py"
    env.write_text(env.read_text().replace(WAITS, DOES_NOT_WAIT))

    assert "already exists" in "".join(failed_at_once(empty_postgresql_url, copy))


def failed_at_once(url: str, migrations: Path) -> list[str]:
    """What programs say that failed, of several that bring the schema to the newest revision at the same time."""
    words = [sys.executable, "-c", MIGRATES_WHEN_TOLD, url, str(migrations)]
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    programs: list[Any] = [subprocess.Popen(words, text=True, cwd=ROOT, **pipes) for _ in range(AT_ONCE)]
    for program in programs:
        program.stdout.readline()
    for program in programs:
        program.stdin.write("now\n")
        program.stdin.flush()
    told = [program.communicate()[1] for program in programs]
    return [words for words, program in zip(told, programs, strict=True) if program.returncode]
