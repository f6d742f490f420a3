"""Reading when somebody is busy from a real calendar server, Radicale, with 500 entries in their three weeks.

    .venv/bin/python -m benchmarks.calendars

The server runs on this machine and takes most of the time. What is ours is measured apart: understanding its answer,
and keeping what it says.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from bot import caldav
from bot.busy_hours import Window, of_entries, of_free_busy
from bot.caldav import Calendars, Person
from storage import busy
from tests.calendar_server import READER, READERS_PASSWORD, CalendarServer, a_calendar_server, an_entry, from_until
from tests.cast import MARA, TEAM, a_room

ENTRIES, ROUNDS = 500, 10
EMAIL = "mara@example.com"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
AHEAD = timedelta(days=21)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, a_calendar_server(Path(folder), EMAIL, permissions="r") as server:
        _fill(server)
        calendars = Calendars(server.address, READER, READERS_PASSWORD)
        times = asyncio.run(_answer(calendars, caldav.TIMES_ALONE))
        entries = asyncio.run(_answer(calendars, caldav.ENTRIES))
        window = Window(NOW, NOW + AHEAD)
        person = Person(EMAIL, UTC)
        _tell("read over HTTP, times alone", lambda: asyncio.run(calendars.busy(person, NOW, NOW + AHEAD)))
        _tell(f"understand {len(times)} bytes of times", lambda: of_free_busy(times, window))
        _tell(f"understand {len(entries)} bytes of entries", lambda: of_entries(entries, window, email=EMAIL, zone=UTC))
        _tell_of_keeping(Path(folder), of_entries(entries, window, email=EMAIL, zone=UTC))


def _fill(server: CalendarServer) -> None:
    """An entry each hour, of half an hour."""
    for number in range(ENTRIES):
        at = NOW + timedelta(hours=number)
        server.put(EMAIL, f"entry-{number}", an_entry(f"entry-{number}", *from_until(at, at + timedelta(minutes=30))))


async def _answer(calendars: Calendars, question: str) -> bytes:
    body = question.format(after=f"{NOW:%Y%m%dT%H%M%SZ}", until=f"{NOW + AHEAD:%Y%m%dT%H%M%SZ}")
    address = calendars.address.replace("{email}", EMAIL)
    async with ClientSession() as session:
        asked = session.request("REPORT", address, data=body.encode(), headers=calendars.headers())
        async with asked as answer:
            return await answer.read()


def _tell_of_keeping(folder: Path, spans: list[busy.Span]) -> None:
    room = a_room(folder)

    def keep() -> None:
        room.change(lambda db: busy.keep(db, TEAM, MARA, spans, now=NOW))

    _tell(f"keep {len(spans)} times", keep)
    room.storage.close()


def _tell(what: str, work: Callable[[], object]) -> None:
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    print(f"{what}: {statistics.median(took):.0f} ms in the middle ({min(took):.0f} to {max(took):.0f})")


if __name__ == "__main__":
    main()
