"""Transactions: writers begin as writers, the keeper goes first, and one bot to a file."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Executable, delete, event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from storage import people
from storage.models import Workspace
from storage.session import (
    AlreadyRunning,
    NotSQLite,
    NotUsable,
    SomethingToDo,
    Storage,
    WriteLock,
    backup,
    make_engine,
    only_one,
)

HOLD_THE_LOCK = """
import fcntl, sys
lock = open(sys.argv[1] + ".lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


def know(storage: Storage, team: str) -> None:
    with storage.write() as db:
        people.know_workspace(db, team, name="", url="", bot_user="", bot_id="", mark_key="k")


def teams(storage: Storage) -> list[str]:
    with storage.read() as db:
        return [row.team_id for row in people.workspaces(db)]


def test_what_is_written_is_there_afterwards(storage: Storage):
    know(storage, "T1")

    assert teams(storage) == ["T1"]


def test_a_turn_that_fails_leaves_nothing(storage: Storage):
    def fail() -> None:
        with storage.write() as db:
            db.add(Workspace(team_id="T1", mark_key="k"))
            db.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert teams(storage) == []


def test_reading_changes_nothing(storage: Storage):
    with storage.read() as db:
        db.add(Workspace(team_id="T1", mark_key="k"))
        db.flush()

    assert teams(storage) == []


@pytest.mark.parametrize("statement", [insert(Workspace).values(team_id="T1", mark_key="k"), delete(Workspace)])
def test_who_only_peeks_is_stopped_before_the_first_change(storage: Storage, statement: Executable):
    with pytest.raises(SomethingToDo), storage.peek() as db:
        db.execute(statement)

    assert teams(storage) == []


def test_who_only_peeks_is_stopped_where_a_change_waits_to_be_written(storage: Storage):
    with pytest.raises(SomethingToDo), storage.peek() as db:
        db.add(Workspace(team_id="T1", mark_key="k"))

    assert teams(storage) == []


def test_peeking_at_what_needs_no_change_stops_nobody(storage: Storage):
    know(storage, "T1")

    with storage.peek() as db:
        row = db.scalars(select(Workspace).with_for_update()).one()
        row.mark_key = row.mark_key

    assert teams(storage) == ["T1"]


def test_what_people_said_is_in_no_exception(storage: Storage):
    know(storage, "T1")

    with pytest.raises(IntegrityError) as wrong, storage.write() as db:
        db.execute(text("INSERT INTO workspaces (team_id, name, url) VALUES ('T1', :said, '')"), {"said": "swordfish"})

    assert "swordfish" not in str(wrong.value).split("DETAIL")[0]


def test_a_writer_begins_as_a_writer(sqlite_url: str):
    storage, begun = Storage(sqlite_url), list[str]()
    event.listen(storage.engine, "before_cursor_execute", lambda *a: begun.append(a[2]) if "BEGIN" in a[2] else None)

    with storage.write() as db:
        db.connection()
    with storage.read() as db:
        db.connection()

    assert begun == ["BEGIN IMMEDIATE", "BEGIN"]
    storage.close()


def test_a_sqlite_file_is_safe_when_the_power_goes(sqlite_url: str):
    engine = make_engine(sqlite_url)

    with engine.connect() as db:
        found = {name: db.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    engine.dispose()


def test_a_second_process_that_writes_is_waited_for(sqlite_url: str, tmp_path: Path):
    storage = Storage(sqlite_url)
    other = sqlite3.connect(tmp_path / "debrief.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.4, other.execute, ["COMMIT"]).start()

    know(storage, "T1")

    assert teams(storage) == ["T1"]
    other.close()
    storage.close()


def test_a_second_process_that_never_ends_is_not_waited_for_for_ever(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("storage.session.LOCK_WAIT_MS", 200)
    storage = Storage(sqlite_url)
    other = sqlite3.connect(tmp_path / "debrief.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(OperationalError, match="locked"):
        know(storage, "T1")

    other.execute("COMMIT")
    know(storage, "T1")
    assert teams(storage) == ["T1"]
    other.close()
    storage.close()


def test_the_keeper_goes_before_every_turn_that_waits():
    lock, order = WriteLock(), list[str]()

    def hold(name: str, way: str) -> None:
        with getattr(lock, way)():
            order.append(name)

    with lock.turn():
        waiting = [threading.Thread(target=hold, args=(f"turn {n}", "turn")) for n in range(3)]
        waiting.append(threading.Thread(target=hold, args=("keeper", "keeper")))
        for thread in waiting:
            thread.start()
        while lock._keepers == 0:
            threading.Event().wait(0.01)
    for thread in waiting:
        thread.join()

    assert order[0] == "keeper"
    assert sorted(order[1:]) == ["turn 0", "turn 1", "turn 2"]


def test_after_the_keeper_a_turn_that_waits_comes_before_the_keeper_comes_again():
    lock, order = WriteLock(), list[str]()

    def hold(name: str, way: str) -> None:
        with getattr(lock, way)():
            order.append(name)

    with lock.keeper():
        waiting = [threading.Thread(target=hold, args=(f"keeper {n}", "keeper")) for n in range(3)]
        waiting.append(threading.Thread(target=hold, args=("turn", "turn")))
        for thread in waiting:
            thread.start()
        while lock._keepers < 3 or not lock._turns:
            threading.Event().wait(0.01)
    for thread in waiting:
        thread.join()

    assert order[0] == "turn"
    assert sorted(order[1:]) == ["keeper 0", "keeper 1", "keeper 2"]


# One bot to a file -----------------------------------------------------------------------------


def test_a_second_bot_on_the_same_file_is_refused(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'debrief.db'}"
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path / "debrief.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()

        with pytest.raises(AlreadyRunning, match="stop it first, or set DEBRIEF_DATABASE_URL"), only_one(url):
            pass
        other.communicate()

    with only_one(url):
        """The other one is gone."""


def test_postgresql_takes_any_number_of_bots():
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(only_one("postgresql://nobody@nowhere/none"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with (
        pytest.raises(NotUsable, match="DEBRIEF_DATABASE_URL cannot be used"),
        only_one(f"sqlite:///{tmp_path}/none/debrief.db"),
    ):
        pass


# Backup ------------------------------------------------------------------------------------------


def test_a_backup_is_a_whole_copy_also_while_somebody_writes(sqlite_url: str, tmp_path: Path):
    storage = Storage(sqlite_url)
    know(storage, "T1")
    with storage.write() as db:
        db.add(Workspace(team_id="T2", mark_key="k"))
        db.flush()
        backup(sqlite_url, tmp_path / "copy.db")

    copy = Storage(f"sqlite:///{tmp_path / 'copy.db'}")

    assert teams(copy) == ["T1"]
    copy.close()
    storage.close()


def test_what_cannot_be_backed_up_is_told(tmp_path: Path, sqlite_url: str):
    with pytest.raises(NotSQLite, match="pg_dump"):
        backup("postgresql://nobody@nowhere/none", tmp_path / "copy.db")
    with pytest.raises(NotUsable, match="There is no database at"):
        backup(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    with pytest.raises(NotUsable, match="could not be written"):
        backup(sqlite_url, tmp_path / "none" / "copy.db")
