"""Column types: the same meaning on SQLite and PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; a naive one is refused with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a moment without a time zone cannot be stored"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text that both databases can hold: lone surrogates become U+FFFD, NUL goes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else clean(value)


class CleanJSON(TypeDecorator[Any]):
    """JSON whose strings are clean; PostgreSQL refuses NUL inside JSON as well."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any | None], Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        write = super().bind_processor(dialect)

        def write_clean(value: Any) -> Any:
            written = write(value) if write else value
            # As text it shows at once that there is nothing to clean: NUL and surrogates are escaped in it.
            if written is None or (isinstance(written, str) and "\\u0000" not in written and "\\ud" not in written):
                return written
            return write(clean_json(value)) if write else clean_json(value)

        return write_clean


def clean(text: str) -> str:
    """The text as it can be stored and shown."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_json(value: Any) -> Any:
    """The same value with every string in it clean."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): clean_json(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [clean_json(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
