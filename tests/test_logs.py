"""The log: JSON lines with ids, and never what people said, whatever the level."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from bot.logs import TALKATIVE, JsonLines, Lines, set_up
from storage.health import FULL


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The loggers as they were."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in TALKATIVE}
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    for name, quiet in levels.items():
        logging.getLogger(name).setLevel(quiet)


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
