from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from storage import presence
from tests.cast import NOVEMBER_18, TEAM, Room, a_room

HOUR = timedelta(hours=1)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def ticks(room: Room, *hours: float) -> None:
    for hour in hours:
        room.change(lambda db, hour=hour: presence.notice(db, TEAM, now=NOVEMBER_18 + hour * HOUR))


def was_away(room: Room, hour: float) -> bool:
    return room.ask(presence.was_away, TEAM, NOVEMBER_18 + hour * HOUR)


def test_who_ticks_is_there(room: Room):
    ticks(room, *range(48))

    assert not any(was_away(room, hour) for hour in range(48))


def test_a_pause_of_hours_is_an_absence(room: Room):
    ticks(room, 0, 1, 73, 74)

    assert [was_away(room, hour) for hour in (0.5, 1, 40, 72.9, 73, 80)] == [False, True, True, True, False, False]


def test_a_restart_is_none(room: Room):
    ticks(room, 0, 7, 8)

    assert not was_away(room, 3)


def test_a_clock_that_is_set_back_brings_no_absence(room: Room):
    ticks(room, 24, 0, 1, 25)

    assert not was_away(room, 12)


def test_of_two_that_tick_one_is_enough(room: Room):
    ticks(room, 0, 4, 4.1, 8, 8.1, 12)

    assert not was_away(room, 6)
