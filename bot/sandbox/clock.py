"""The sandbox's own time: it flows like real time from an offset, and can be moved."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

MICROSECONDS = 1_000_000
LONGEST_NAP_S = 30.0


class VirtualClock:
    """Aware UTC time that can be moved; also hands out the strictly increasing `ts` of messages."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset_s = (start.timestamp() - time.time()) if start else 0.0
        self._last_ts = 0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.epoch(), UTC)

    def epoch(self) -> float:
        """Seconds since 1970 by this clock."""
        return time.time() + self._offset_s

    def set(self, moment: datetime) -> None:
        self._offset_s = moment.timestamp() - time.time()
        self._wake_sleepers()

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds
        self._wake_sleepers()

    def next_ts(self) -> str:
        """A Slack timestamp, unique in the workspace and later than every one before it."""
        self._last_ts = max(int(self.epoch() * MICROSECONDS), self._last_ts + 1)
        return f"{self._last_ts // MICROSECONDS}.{self._last_ts % MICROSECONDS:06d}"

    async def sleep(self, seconds: float) -> None:
        """Sleep that long by this clock; moving the clock shortens or lengthens the rest."""
        until = self.epoch() + seconds
        while (left := until - self.epoch()) > 0:
            await self._nap(min(left, LONGEST_NAP_S))

    async def _nap(self, seconds: float) -> None:
        # Python 3.11's wait_for would swallow that we are cancelled in the moment in which the clock is moved.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    def _wake_sleepers(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """An aware UTC moment from RFC 3339; raises ValueError without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone: end it with Z")
    return moment.astimezone(UTC)
