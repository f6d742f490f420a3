"""Rounds of the clock and of the courier: one program at a time, in each workspace."""

from collections.abc import Iterator

import pytest

from storage import crossed, rounds
from storage.session import Storage
from tests.cast import TEAM


@pytest.fixture
def storage(postgresql_url: str) -> Iterator[Storage]:
    storage = Storage(postgresql_url)
    yield storage
    storage.close()


@pytest.mark.postgres
def test_while_one_is_on_its_round_no_other_begins_one(storage: Storage):
    with storage.write() as first, storage.write() as second:
        found = rounds.is_ours(first, TEAM), rounds.is_ours(second, TEAM), rounds.is_ours(second, "T0OTHER")

    assert found == (True, False, True)


@pytest.mark.postgres
def test_a_round_ends_with_its_turn_however_that_ends(storage: Storage):
    def fail() -> None:
        with storage.write() as db:
            rounds.is_ours(db, TEAM)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    for _ in range(2):
        with storage.write() as db:
            assert rounds.is_ours(db, TEAM)


@pytest.mark.postgres
def test_who_is_stopped_on_a_round_keeps_the_others_from_theirs_for_a_while_only(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rounds, "LONGEST_PAUSE_MS", 100)
    stopped, other = Storage(storage.engine.url.render_as_string(hide_password=False)), False

    with pytest.raises(Exception, match="idle-in-transaction"), stopped.write() as db:  # noqa: PT012
        rounds.is_ours(db, TEAM)
        while not other:
            with storage.write() as theirs:
                other = rounds.is_ours(theirs, TEAM)
        rounds.is_ours(db, TEAM)

    assert other
    stopped.close()


@pytest.mark.postgres
def test_a_turn_that_is_under_way_keeps_nobody_from_saying_what_is_due(storage: Storage):
    with storage.write() as turn, storage.write() as claiming, storage.write() as asking:
        crossed.go_alone(turn, TEAM)

        free = rounds.may_claim(claiming, TEAM), rounds.is_ours(asking, TEAM)

    assert free == (True, True)


def test_alone_on_sqlite_every_round_is_ours(sqlite_url: str):
    storage = Storage(sqlite_url)

    with storage.write() as db:
        assert rounds.is_ours(db, TEAM)

    storage.close()
