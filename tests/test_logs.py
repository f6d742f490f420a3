"""The log: JSON lines with ids, and never what people said, whatever the level."""

import asyncio
import gc
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from bot.desk import Note, Notes, Turn
from bot.logs import MOST_FRAMES, TALKATIVE, JsonLines, Lines, set_up, way_of
from bot.review.incident import Place
from storage.health import FULL
from tests.canary import a_canary
from tests.cast import CHANNEL, Room, a_room


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The loggers as they were."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in TALKATIVE}
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name, quiet in levels.items():
        logging.getLogger(name).setLevel(quiet)


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    return a_room(tmp_path, sqlite_url)


def a_record(message: str = "served", **extra: object) -> logging.LogRecord:
    return logging.getLogger("debrief.desk").makeRecord(
        "debrief.desk", logging.INFO, "", 0, message, (), None, extra=extra
    )


def test_a_line_is_one_json_object_with_what_was_given():
    line = JsonLines().format(a_record(ability="add_event", notes=2))

    told = json.loads(line)
    at = told.pop("at")
    assert told == {"level": "info", "logger": "debrief.desk", "message": "served", "ability": "add_event", "notes": 2}
    assert at.endswith("+00:00")
    assert "\n" not in line


def test_a_traceback_stays_inside_its_line():
    try:
        raise LookupError
    except LookupError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())

    line = JsonLines().format(record)

    assert "LookupError" in json.loads(line)["traceback"]
    assert "\n" not in line


def test_something_that_is_not_json_is_written_all_the_same():
    assert json.loads(JsonLines().format(a_record(what={1, 2} - {2})))["what"] == "{1}"


def test_on_a_terminal_a_line_is_for_people():
    assert Lines().format(a_record(notes=2)).endswith(" served notes=2")


def test_libraries_that_write_bodies_stay_silent_even_in_detail(capsys: pytest.CaptureFixture[str]):
    set_up(logging.DEBUG)

    for name in TALKATIVE:
        logging.getLogger(name).info("the body was: swordfish")
        logging.getLogger(f"{name}.AsyncApp").debug("swordfish")
    logging.getLogger("debrief.app").debug("ready")

    written = capsys.readouterr().err
    assert "swordfish" not in written
    assert json.loads(written)["message"] == "ready"


@pytest.mark.parametrize(
    ("most_pages", "statement", "kept"), [(1, "CREATE TABLE t (x)", False), (99, "NONSENSE", True)]
)
def test_where_the_database_itself_fails_the_log_says_what_is_wrong_and_spares_the_traceback(
    capsys: pytest.CaptureFixture[str], most_pages: int, statement: str, *, kept: bool
):
    set_up(logging.INFO)
    engine = create_engine("sqlite://")
    with engine.connect() as database:
        database.exec_driver_sql(f"PRAGMA max_page_count={most_pages}")
        try:
            database.exec_driver_sql(statement)
        except OperationalError:
            logging.getLogger("debrief.clock").exception("the clock could not ask")
    engine.dispose()

    told = json.loads(capsys.readouterr().err)
    assert ("traceback" in told) == kept
    assert (told.get("why") == FULL) == (not kept)


# What an error says may be what somebody typed --------------------------------------------------


def typed(_turn: Turn, *, words: str) -> Notes:
    """Fails in the way of a rule that takes a number."""
    yield Note.once("key", "refused", Place(CHANNEL), sentence="x" * int(words))


def asked_of_the_database(turn: Turn, *, words: str) -> Notes:
    """Fails in the way of a statement, whose parameters stand in the error."""
    turn.db.execute(text("SELECT x FROM nowhere WHERE y = :words"), {"words": words})
    yield from ()


def brought_by_another(turn: Turn, *, words: str) -> Notes:
    try:
        yield from typed(turn, words=words)
    except ValueError as error:
        error.add_note(f"It was {words}.")
        raise ExceptionGroup(words, [LookupError(words), KeyError(words)]) from error


@pytest.mark.parametrize("ability", [typed, asked_of_the_database, brought_by_another])
@pytest.mark.parametrize("formatter", [JsonLines, Lines])
def test_of_an_ability_that_fails_the_log_says_where_and_not_what_somebody_typed(
    room: Room,
    capsys: pytest.CaptureFixture[str],
    ability: Callable[..., Notes],
    formatter: type[logging.Formatter],
):
    canary = a_canary()
    set_up(logging.DEBUG)
    logging.getLogger().handlers[0].setFormatter(formatter())

    try:
        room.serve(ability, words=canary)
    except Exception as error:
        logging.getLogger("debrief.edge").exception(f"a gesture failed ({error}, {error!r})")  # noqa: G004, TRY401

    written = capsys.readouterr().err
    assert canary not in written
    assert f"{__file__}:" in written
    assert f":{ability.__qualname__}" in written
    assert "a gesture failed (" in written


async def test_of_a_task_that_nobody_waited_for_the_log_does_not_say_what_somebody_typed(
    capsys: pytest.CaptureFixture[str],
):
    canary = a_canary()
    set_up(logging.DEBUG)

    async def fails() -> int:
        return int(canary)

    task = asyncio.ensure_future(fails())
    await asyncio.wait([task])
    del task
    gc.collect()

    written = capsys.readouterr().err
    assert canary not in written
    assert "ValueError" in written


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "swordfish"), "ENOENT"),
        (LookupError("swordfish"), None),
    ],
)
def test_an_error_is_told_by_its_type_and_its_code(error: Exception, code: str | None):
    told = way_of(error)

    assert told.splitlines()[1] == f"builtins.{type(error).__name__}{f' {code}' if code else ''}, through"
    assert "swordfish" not in told


def test_an_error_of_the_databases_driver_keeps_the_drivers_code():
    engine = create_engine("sqlite://")
    with pytest.raises(OperationalError) as raised, engine.connect() as database:
        database.exec_driver_sql("NONSENSE")
    engine.dispose()

    assert "sqlite3.OperationalError SQLITE_ERROR, through" in way_of(raised.value)


def test_of_an_endless_way_the_nearest_places_are_told():
    def around() -> None:
        around()

    with pytest.raises(RecursionError) as raised:
        around()

    assert len(way_of(raised.value).splitlines()) == 2 + MOST_FRAMES


def test_errors_that_brought_each_other_are_told_once():
    one, other = LookupError(), ValueError()
    one.__cause__, other.__cause__ = other, one

    assert way_of(one).count("LookupError") == 1
