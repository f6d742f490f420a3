"""Logs: JSON lines on stderr, or plain ones on a terminal; ids, never message text or tokens."""

import json
import logging
import sys
from datetime import UTC, datetime

KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
TALKATIVE = {
    "slack_bolt": logging.ERROR,
    "slack_sdk": logging.ERROR,
    "aiohttp": logging.WARNING,
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
}
"""Libraries that would write request bodies, or every tick, into the log."""


class JsonLines(logging.Formatter):
    """One JSON object a line, with what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        } | extras(record)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Lines(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={value}" for name, value in extras(record).items())
        line = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {record.getMessage()} {told}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in KNOWN}


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
