"""A replica in a process of its own, that may be killed or stopped: each connection to its door is served by a child.

The child is told in one line of JSON what to be (`Part`), and answers with its number. Then it writes a line for each
call to Slack, `+method` before and `-method` after it. Where it is told a place, `before method` or `after method`, it
stops itself there and writes `stopped`; `nowhere` takes the places back. As a program:
`python -m tests.reliability.replica DOOR`.
"""

import asyncio
import gc
import json
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector, TraceConfig
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from bot import claims, posting
from bot import courier as couriers
from bot.clock import Clock
from bot.courier import Courier
from bot.desk import Desk, House
from bot.sandbox.workspace import BOT_TOKEN
from storage import delivering
from storage.holds import Holds
from storage.models import OutboxNote
from storage.session import Storage
from tests import doors
from tests.cast import TEAM, renderer
from tests.couriers import a_courier

HOLDS, CLAIMS = "holds", "claims"
"""What a replica may lack: session locks, so that its claim is a lease; claims that exclude one another."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a replica is to be; its clock goes so many seconds ahead of this machine's."""

    url: str
    api: str
    lacks: str = ""
    grace_s: float
    call_s: float
    tick_s: float
    ahead_s: float


@dataclass
class Place:
    """Where a process is to stop, and whom it tells where it is."""

    tell: Callable[[str], None]
    wanted: set[str] = field(default_factory=set)

    def passes(self, place: str) -> None:
        if place in self.wanted:
            self.wanted.remove(place)
            self.tell("stopped")
            os.kill(os.getpid(), signal.SIGSTOP)


def traced(place: Place) -> TraceConfig:
    """Passes a place at the last moment before a call's bytes leave, when no time-out can hold it back any more."""

    async def begins(_session: Any, call: Any, told: Any) -> None:
        call.method = told.url.name
        place.tell(f"+{call.method}")

    async def leaves(_session: Any, call: Any, _told: Any) -> None:
        place.passes(f"before {call.method}")

    async def ends(_session: Any, call: Any, _told: Any) -> None:
        place.passes(f"after {call.method}")
        place.tell(f"-{call.method}")

    trace = TraceConfig()
    trace.on_request_start.append(begins)
    trace.on_connection_create_end.append(leaves)
    trace.on_request_end.append(ends)
    trace.on_request_exception.append(ends)
    return trace


def main(door: str) -> None:
    """Wait at the door; this process opens no database and starts no thread, so that its children may."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    renderer("/review")
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        doors.opened(listening, door)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                asyncio.run(play(connection))
                os._exit(0)
            connection.close()


async def play(connection: socket.socket) -> None:
    """Be what is told until there is nothing more to be heard, then finish what is under way."""
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    part = Part(**json.loads(await reader.readline()))
    place = Place(lambda line: writer.write(f"{line}\n".encode()))
    place.tell(str(os.getpid()))
    once = TCPConnector(force_close=True)
    session = ClientSession(connector=once, timeout=ClientTimeout(part.call_s), trace_configs=[traced(place)])
    client = AsyncWebClient(token=BOT_TOKEN, base_url=part.api, retry_handlers=[], session=session)
    courier, clock = a_replica(part, client)
    clock.start()
    running = asyncio.create_task(courier.run())
    while line := (await reader.readline()).decode().strip():
        place.wanted = set() if line == "nowhere" else {*place.wanted, line}
    clock.stop()
    courier.stop()
    await running
    await session.close()


def a_replica(part: Part, client: AsyncWebClient) -> tuple[Courier, Clock]:
    """What of `debrief run` speaks: the clock, which writes what is due, and the courier, which says it."""
    be_quick(part)
    if part.lacks == CLAIMS:
        delivering.claim = select_then_update
    storage, now = Storage(part.url), clock_of(part)
    holds, grace = Holds() if part.lacks == HOLDS else storage.holds, timedelta(seconds=part.grace_s)
    sender = a_courier(storage, client, now, grace=grace, holds=holds)
    desk = Desk(storage, renderer("/review"), team=TEAM, house=House(), now=now, wake=sender.wake)
    return sender, Clock(desk, every_s=part.tick_s, also=nothing_else)


def be_quick(part: Part) -> None:
    """Wait for nothing as long as one would for the real Slack, and take less at a time: a kill meets more claims."""
    claims.AT_ONCE = 10
    posting.CALL_TIMEOUT, couriers.RETRY_S = timedelta(seconds=part.call_s), part.grace_s
    couriers.LOOK_AGAIN_S = couriers.NAP_S = part.grace_s / 4


def clock_of(part: Part) -> Callable[[], datetime]:
    ahead = timedelta(seconds=part.ahead_s)
    return lambda: datetime.now(UTC) + ahead


def select_then_update(
    db: Session, team: str, *, now: datetime, at_most: int, take: delivering.Take, rank: int, wait: ColumnElement[bool]
) -> Sequence[OutboxNote]:
    """As `claim`, but what was read is not locked: it may be another's by the time it is written."""
    due = db.scalars(delivering._due(team, now, at_most, rank, wait)).all()
    time.sleep(random.random() / 2)
    claimed = [note for note in due if take(note)]
    for note in claimed:
        note.state, note.attempted_at, note.attempts, note.error = "sending", now, note.attempts + 1, None
    return claimed


async def nothing_else() -> None:
    """Nothing waits on Slack."""


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    main(sys.argv[1])
