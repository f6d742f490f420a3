"""Fetches the history that newly opened sources ask for, page by page; what a crash cut off goes on from its cursor."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from bot import archiving
from bot.desk import Desk, Turn
from bot.slack import Page, Reader
from storage import messages
from storage.models import Source

log = logging.getLogger("debrief.historian")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source whose history is still to be read."""

    source: int
    channel: str
    thread: str
    oldest: datetime
    cursor: str | None


class Historian:
    """Reads what is wanted, one source after another; asked again while it reads, it goes on reading."""

    def __init__(self, desk: Desk, reader: Reader, *, opened: Callable[[int], Any] | None = None) -> None:
        self._desk = desk
        self._reader = reader
        self._one_at_a_time = asyncio.Lock()

    async def fetch(self) -> None:
        """Read every history that is wanted now."""
        if self._one_at_a_time.locked():
            return
        async with self._one_at_a_time:
            for wanted in await asyncio.to_thread(self._desk.look, _wanted):
                await self._read(wanted)
