"""Looking for words that should be nowhere: in every column of every table, and in every byte of every file."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, make_url, text


def a_canary() -> str:
    """A word that stands nowhere else, and shares no beginning with another: an index stores only where they differ."""
    return "".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(16))


def rows_with(engine: Engine, *canaries: str) -> list[str]:
    """Tables and columns, of the index and its shadows too, in which one of these words stands in any case."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return sorted({place for table in tables for place in _columns_with(connection, table, canaries)})


def _columns_with(connection: Any, table: str, canaries: tuple[str, ...]) -> Iterator[str]:
    for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
        for column, value in row.items():
            if any(_says(value, canary) for canary in canaries):
                yield f"{table}.{column}"


def _says(value: object, canary: str) -> bool:
    said = value if isinstance(value, bytes) else _as_text(value).encode()
    return canary.lower().encode() in said.lower()


def _as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def bytes_with(folder: Path, *canaries: str) -> list[str]:
    """Files below a folder in whose bytes one of these words stands in any case: database, log, kept files, all."""
    every = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.name for path in every if any(canary.lower().encode() in _low(path) for canary in canaries)]


def _low(path: Path) -> bytes:
    return path.read_bytes().lower()


def folder_of(url: str) -> Path:
    """Where a SQLite database lies, with its log beside it."""
    return Path(make_url(url).database or "").parent
