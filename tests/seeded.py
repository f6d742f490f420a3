"""Databases in which every table has rows, at whatever revision; and the tables of released programs, as files.

`python -m tests.seeded 0006 > tests/released/0006.json` writes such a file, when the revision is released.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, MetaData, Table

from storage.session import is_ours, make_engine, upgrade
from storage.types import UTCDateTime

Json = dict[str, Any]
RELEASED = Path(__file__).parent / "released"
KINDS: Mapping[str, Any] = {
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "datetime": UTCDateTime(),
    "float": sa.Float(),
    "integer": sa.BigInteger(),
    "json": sa.JSON(),
    "text": sa.Text(),
}
"""What a column holds, whichever database holds it. The first that fits counts."""
TABLE_OF_ALEMBIC = "alembic_version"


# What a program knows ---------------------------------------------------------------------------


def knows(revision: str) -> Json:
    """The tables of a released revision, with everything that its program names when it writes a row."""
    return json.loads((RELEASED / f"{revision}.json").read_text())


def made(revision: str) -> Json:
    """The tables as the migrations up to this revision make them today."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/made.db"
        upgrade(url, revision)
        engine = make_engine(url)
        found = described(engine)
        engine.dispose()
    return found


def described(engine: Engine) -> Json:
    """Table by table its columns, each with its kind and where it refers to, and what is unique in it."""
    return {table.name: _table(table, sa.inspect(engine)) for table in _reflected(engine).sorted_tables}


def _table(table: Table, inspector: sa.Inspector) -> Json:
    ours = [column for column in table.columns if is_ours(column.name, "", None)]
    unique = [inspector.get_pk_constraint(table.name), *inspector.get_unique_constraints(table.name)]
    unique_indexes = [one for one in inspector.get_indexes(table.name) if one["unique"]]
    return {
        "columns": {column.name: _column(column) for column in ours},
        "unique": sorted({*_columns_of(unique, "constrained_columns"), *_columns_of(unique_indexes, "column_names")}),
    }


def _columns_of(found: Sequence[Any], name: str) -> list[str]:
    return [", ".join(sorted(one.get(name) or one.get("column_names"))) for one in found]


def _column(column: sa.Column[Any]) -> Json:
    told: Json = {"kind": kind_of(column.type)}
    if isinstance(column.type, sa.String) and column.type.length:
        told["length"] = column.type.length
    if column.foreign_keys:
        told["of"] = min(reference.target_fullname for reference in column.foreign_keys)
    return told


def kind_of(kind: Any) -> str:
    plain = kind.as_generic() if not isinstance(kind, sa.JSON) else kind
    ours = (sa.Boolean, sa.Date, sa.DateTime, sa.Float, sa.Integer, sa.JSON, sa.String)
    names = ("boolean", "date", "datetime", "float", "integer", "json", "text")
    return next(name for name, known in zip(names, ours, strict=True) if isinstance(plain, known))


def _reflected(engine: Engine) -> MetaData:
    """The tables that are not the database's own, in an order in which rows may be written."""
    reflected = MetaData()
    ours = [
        name for name in sa.inspect(engine).get_table_names() if is_ours(name, "", None) and name != TABLE_OF_ALEMBIC
    ]
    reflected.reflect(engine, only=ours, resolve_fks=False)
    return reflected


def tables_of(known: Json) -> list[Table]:
    """The tables as a program has them that knows no other columns than these."""
    metadata = MetaData()
    for name, told in known.items():
        Table(name, metadata, *(sa.Column(one, KINDS[each["kind"]]) for one, each in told["columns"].items()))
    return [metadata.tables[name] for name in known]


# Rows ---------------------------------------------------------------------------------------------


def write_rows(connection: Connection, known: Json, *, row: int = 1) -> dict[str, Json]:
    """A row for each table, with a value in every column; what was written, by table."""
    written: dict[str, Json] = {}
    for table in tables_of(known):
        columns = known[table.name]["columns"]
        written[table.name] = {
            name: _value(f"{table.name}.{name}", told, written, row=row) for name, told in columns.items()
        }
        connection.execute(table.insert().values(written[table.name]))
    return written


def _value(name: str, told: Json, written: Mapping[str, Json], *, row: int) -> Any:
    if "of" in told:
        table, _, column = told["of"].partition(".")
        return written[table][column]
    return MADE_UP[told["kind"]](name, told, row)


def _text(name: str, told: Json, row: int) -> str:
    return f"{row} {name}"[: told.get("length")]


MADE_UP: Mapping[str, Any] = {
    "boolean": lambda *_: True,
    "date": lambda _name, _told, row: date(2026, 11, row),
    "datetime": lambda _name, _told, row: datetime(2026, 11, 18, 14, row, tzinfo=UTC),
    "float": lambda _name, _told, row: row + 0.5,
    "integer": lambda _name, _told, row: row,
    "json": lambda name, _told, row: [name, row],
    "text": _text,
}


def rows(connection: Connection, known: Json) -> dict[str, list[Json]]:
    """What stands in the tables, read as a program reads it that knows no other columns."""
    found = {table.name: connection.execute(sa.select(table)).mappings() for table in tables_of(known)}
    return {name: sorted(({**one} for one in every), key=str) for name, every in found.items()}


def checksum(engine: Engine) -> str:
    """Of everything that a program knows of a database: its tables, their columns, and every row."""
    known = described(engine)
    with engine.connect() as connection:
        return _hash([known, rows(connection, known)])


def fingerprint(engine: Engine, known: Json) -> str:
    """Of a database to the letter, as it describes itself, with the rows of these tables; quicker than a checksum."""
    asked = TO_THE_LETTER[engine.dialect.name]
    with engine.connect() as connection:
        letters = [[*map(tuple, connection.execute(sa.text(question)))] for question in asked]
        return _hash([letters, rows(connection, known)])


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()


TO_THE_LETTER: Mapping[str, Sequence[str]] = {
    "sqlite": [
        "SELECT type, name, sql FROM sqlite_master ORDER BY type, name",
        "SELECT version_num FROM alembic_version",
    ],
    "postgresql": [
        "SELECT columns::text FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY conname",
        "SELECT version_num FROM alembic_version",
    ],
}


def as_file(known: Json) -> str:
    """A line for each table."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(told)}" for name, told in known.items()) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(as_file(made(sys.argv[1])))
