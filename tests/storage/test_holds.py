"""Holds: one program has each of them, and who is killed, cut off or restarted under has none."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from storage import holds
from storage.holds import Holds, SharedHolds
from storage.session import make_engine


@pytest.fixture
def two(postgresql_url: str) -> Iterator[tuple[Holds, Holds]]:
    """Two programs on one database."""
    engine = make_engine(postgresql_url)
    both = holds.of(engine), holds.of(engine)
    yield both
    for each in both:
        each.close()
    engine.dispose()


def cut_off(url: str) -> None:
    """End every session but our own, as a restart of the server does."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        ours = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(f"SELECT pg_terminate_backend(pid) {ours}")


def taken_within(these: Holds, name: str, seconds: float = 60.0) -> bool:
    """The server notices a moment later that a session is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if these.take(name):
            return True
        time.sleep(0.01)
    return False


def test_what_one_program_is_in_the_middle_of_no_other_begins(two: tuple[Holds, Holds]):
    one, other = two

    assert (one.take("a note"), other.take("a note"), other.take("another note")) == (True, False, True)


def test_what_is_released_may_be_taken_by_another(two: tuple[Holds, Holds]):
    one, other = two
    one.take("a note")

    one.release("a note")

    assert (one.keeps("a note"), other.take("a note")) == (False, True)


def test_a_program_does_not_begin_twice_what_it_is_in_the_middle_of(two: tuple[Holds, Holds]):
    one, other = two

    again = one.take("a note"), one.take("a note")
    one.release("a note")

    assert again == (True, False)
    assert other.take("a note")


def test_who_is_cut_off_from_the_database_holds_nothing_and_can_begin_again(
    two: tuple[Holds, Holds], postgresql_url: str
):
    one, other = two
    one.take("a note")
    other.take("another note")
    before = one.keeps("a note")

    cut_off(postgresql_url)

    assert (before, one.keeps("a note"), other.keeps("another note")) == (True, False, False)
    assert taken_within(other, "a note")
    assert not one.take("a note")


def test_who_begins_something_after_being_cut_off_has_not_got_back_what_was_held_before(
    two: tuple[Holds, Holds], postgresql_url: str
):
    one, other = two
    one.take("a note")

    cut_off(postgresql_url)
    begun = taken_within(one, "another note")

    assert begun
    assert not one.keeps("a note")
    assert taken_within(other, "a note")


def test_what_was_lost_and_taken_again_by_another_is_not_released_from_here(
    two: tuple[Holds, Holds], postgresql_url: str
):
    one, other = two
    one.take("a note")
    cut_off(postgresql_url)
    taken_within(other, "a note")

    one.release("a note")

    assert (other.keeps("a note"), one.take("a note")) == (True, False)


def test_holds_end_with_their_program(two: tuple[Holds, Holds]):
    one, other = two
    one.take("a note")

    one.close()

    assert taken_within(other, "a note")


def test_a_hold_keeps_no_connection_of_those_that_turns_use(postgresql_url: str):
    engine = make_engine(postgresql_url)
    mine = holds.of(engine)

    mine.take("a note")

    assert isinstance(mine, SharedHolds)
    assert engine.pool.status().count("Current Checked out connections: 0") == 1
    mine.close()
    engine.dispose()


def test_alone_on_sqlite_there_is_nobody_to_hold_anything_against(sqlite_url: str):
    engine = make_engine(sqlite_url)
    mine = holds.of(engine)

    assert (mine.take("a note"), mine.take("a note"), mine.keeps("a note")) == (True, True, True)
    engine.dispose()
