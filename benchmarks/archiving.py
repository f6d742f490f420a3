"""Events kept before the ack: 2,000 messages delivered to the keeper, 200 at a time, against one commit for each."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.keeper import Keeper
from bot.review.incident import TeamId
from storage.models import Incident, Source
from storage.session import Storage, upgrade

EVENTS, AT_ONCE = 2_000, 200
TEAM = TeamId("T0BENCH")
NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)


def measure() -> None:
    together, alone = asyncio.run(_timed(AT_ONCE)), asyncio.run(_timed(1))
    rates = f"{AT_ONCE} at once {EVENTS / together:,.0f}/s, one after another {EVENTS / alone:,.0f}/s"
    print(f"{rates}: {alone / together:.1f} x")


async def _timed(at_once: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        storage = _storage(folder)
        keeper = Keeper(storage, TEAM, lambda: NOW)
        keeper.start()
        began = time.monotonic()
        for batch in _batches(at_once):
            await asyncio.gather(*(keeper.keep(_message(number)) for number in batch))
        taken = time.monotonic() - began
        keeper.stop()
        storage.close()
        return taken


def _batches(size: int) -> list[range]:
    return [range(start, min(start + size, EVENTS)) for start in range(0, EVENTS, size)]


def _storage(folder: str) -> Storage:
    url = f"sqlite:///{Path(folder) / 'debrief.db'}"
    upgrade(url)
    storage = Storage(url)
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Bench", opened_at=NOW)
        db.add(incident)
        db.flush()
        db.add(
            Source(
                team_id=TEAM, incident_id=incident.id, channel_id="C0BENCH", from_at=datetime(2026, 1, 1, tzinfo=UTC)
            )
        )
    return storage


def _message(number: int) -> dict[str, Any]:
    ts = f"{NOW.timestamp() + number:.6f}"
    event = {"type": "message", "channel": "C0BENCH", "user": "U0ONE", "text": f"line {number} " + "x" * 180, "ts": ts}
    return {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}", "event": event}


if __name__ == "__main__":
    measure()
