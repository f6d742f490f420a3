from pathlib import Path

import pytest

from tests.cast import Room, a_room, an_incident, mitigated


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    """A desk with an empty database, whose clock stands at 14:00 UTC on Wednesday 18 November 2026."""
    return a_room(tmp_path, sqlite_url)


@pytest.fixture
def incident(room: Room) -> int:
    """A mitigated incident whose review may meet."""
    number = an_incident(room)
    mitigated(room, number)
    return number
