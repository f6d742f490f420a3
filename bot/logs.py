"""Logs: JSON lines on stderr, or plain ones on a terminal; ids, never message text or tokens.

What an error says may be somebody's words ("invalid literal for int(): …"): of errors stand here their types, the codes
of those who have some, and the places that they came through.
"""

import errno
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
TALKATIVE = {
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.ERROR,
    "aiohttp": logging.WARNING,
    "alembic": logging.WARNING,
    "apscheduler": logging.ERROR,
}
"""Libraries that would write request bodies, or every tick, into the log."""
MOST_FRAMES = 50
"""Of an error that came through more places, the nearest are told."""


class JsonLines(logging.Formatter):
    """One JSON object a line, with what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record),
        } | extras(record)
        if error := error_of(record):
            line["traceback"] = way_of(error)
        return json.dumps(line, ensure_ascii=False, default=str)


class Lines(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={value}" for name, value in extras(record).items())
        line = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {message(record)} {told}".rstrip()
        error = error_of(record)
        return f"{line}\n{way_of(error)}" if error else line


def message(record: logging.LogRecord) -> str:
    """What a record says, without what its error says: libraries like to put the one into the other."""
    error = error_of(record)
    said = record.getMessage().partition("\n")[0] if error else record.getMessage()
    for each in chain(error) if error else ():
        for words in filter(None, (repr(each), str(each))):
            said = said.replace(words, type(each).__name__)
    return said


def extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in KNOWN}


def error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


# What is told of an error --------------------------------------------------------------------


def way_of(error: BaseException) -> str:
    """Its type and the lines it came through, and before them those of whatever brought it; never what they say."""
    lines = (line for each in reversed(list(chain(error))) for line in lines_of(each))
    return "\n".join(["Traceback, by types and places:", *lines])


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and whatever brought it, the newest first, each once."""
    seen, waiting = set[int](), [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        before = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [before] if before else []
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


def lines_of(error: BaseException) -> Iterator[str]:
    code = code_of(error)
    yield f"{type(error).__module__}.{type(error).__qualname__}{f' {code}' if code else ''}, through"
    for frame, line in list(traceback.walk_tb(error.__traceback__))[-MOST_FRAMES:]:
        yield f"  {frame.f_code.co_filename}:{line}:{frame.f_code.co_qualname}"


def code_of(error: BaseException) -> str | None:
    """What the system or a database's driver calls it, in a word of a fixed list."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0)
    return getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)


# What is not told at length --------------------------------------------------------------------


class DatabaseAilments(logging.Filter):
    """Where the database itself fails, a line says what is wrong; a traceback would say no more, at every tick."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or "sqlalchemy" not in sys.modules:
            return True
        from storage.health import MISFIT, trouble

        why = trouble(error)
        if why and why != MISFIT:
            record.exc_info, record.exc_text, record.why = None, None, why
        return True


def set_up(level: int) -> None:
    """Log to stderr from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(DatabaseAilments())
    handler.setFormatter(Lines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, quiet in TALKATIVE.items():
        logging.getLogger(name).setLevel(quiet)
