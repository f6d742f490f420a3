"""Sweeping: when the file is written anew, by whom, and that nobody waits for it before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import people, sweeping
from storage.models import Erasure
from storage.session import Storage
from storage.sweeping import Sweeper, is_too_large

TEAM = "T0SANDBOX"
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


@pytest.fixture
def storage(sqlite_url: str) -> Iterator[Storage]:
    storage = Storage(sqlite_url)
    with storage.write() as db:
        db.add(Erasure(team_id=TEAM, at=NOON))
    yield storage
    storage.close()


def live_in(storage: Storage, *zones: str) -> None:
    with storage.write() as db:
        for number, zone in enumerate(zones):
            known = {"name": "", "zone": zone, "email": None, "bot": None, "gone": None}
            people.know(db, TEAM, f"U{number}", **known, now=NOON)


def at(hour: int) -> datetime:
    return NOON.replace(hour=hour)


def test_a_small_file_is_written_anew_at_any_hour(storage: Storage):
    assert Sweeper(storage).sweep(NOON)


@pytest.mark.parametrize(
    ("zones", "hour", "rewritten"),
    [
        ([], 12, False),
        ([], 2, True),
        (["America/Los_Angeles", "Europe/Berlin", "America/Los_Angeles"], 2, False),
        (["America/Los_Angeles", "Europe/Berlin", "America/Los_Angeles"], 10, True),
    ],
)
def test_a_larger_file_is_written_anew_when_it_is_night_for_most(
    storage: Storage, zones: list[str], hour: int, rewritten: object
):
    live_in(storage, *zones)

    assert Sweeper(storage, small_bytes=1).sweep(at(hour)) is rewritten


def test_a_file_too_large_to_be_written_anew_beside_a_bot_never_is(storage: Storage, monkeypatch: pytest.MonkeyPatch):
    sweeper = Sweeper(storage, small_bytes=1, large_bytes=1)

    swept = [sweeper.sweep(at(hour)) for hour in range(24)]

    assert not any(swept)
    assert not is_too_large(storage)
    monkeypatch.setattr(sweeping, "LARGE_BYTES", 1)
    assert is_too_large(storage)


def test_what_waits_for_the_night_does_not_keep_the_keeper_waiting(storage: Storage, sqlite_url: str):
    sweeper = Sweeper(storage, small_bytes=1)
    sweeper.sweep(NOON)
    before = Path(sqlite_url.removeprefix("sqlite:///") + "-wal").stat().st_size
    live_in(storage, "Europe/Berlin")

    left = sweeper.sweep(NOON + timedelta(seconds=5))

    after = Path(sqlite_url.removeprefix("sqlite:///") + "-wal").stat().st_size
    assert (left, before) == (False, 0)
    assert after > 0
