"""Connections to a PostgreSQL that was there and is gone without a word: nobody waits for it for ever."""

import socket
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import OperationalError

from storage import connecting
from storage.connecting import LIFE, life_of
from storage.moment import DatabaseTime
from storage.session import Storage


@pytest.fixture
def silent() -> Iterator[str]:
    """A database that takes a connection and then says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield f"postgresql+psycopg://debrief@127.0.0.1:{door.getsockname()[1]}/debrief"


def read(url: str) -> None:
    storage = Storage(url)
    try:
        with storage.read() as db:
            db.connection()
    finally:
        storage.close()


def tell_the_time(url: str) -> None:
    moment = DatabaseTime(url)
    try:
        moment()
    finally:
        moment.close()


def hold(url: str) -> None:
    storage = Storage(url)
    try:
        storage.holds.take("a note")
    finally:
        storage.close()


@pytest.mark.parametrize("ask", [read, tell_the_time, hold])
def test_nobody_waits_for_ever_for_a_database_that_says_nothing(
    silent: str, ask: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(connecting.LIFE, "connect_timeout", 2)

    with pytest.raises(OperationalError, match="timeout"):
        ask(silent)


def test_who_says_otherwise_in_the_url_is_heard():
    assert life_of("postgresql://u@h/d") == LIFE
    assert "connect_timeout" not in life_of("postgresql://u@h/d?connect_timeout=3")
