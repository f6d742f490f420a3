"""A keeper in a process of its own, that may be killed: each connection to its door is served by a fresh child.

It is told a delivery a line, and writes the number of each that it has kept. As a program:
`python receiver.py DOOR DATABASE_URL [KIND]`, where the kind is `Keeper` or one of those below, which lack something.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.keeper import Keeper
from storage.session import Storage
from tests import doors
from tests.cast import TEAM


class AcksFirst(Keeper):
    """Lacks the commit before the acknowledgement: keeps afterwards, as a listener would that acknowledges at once."""

    async def keep(self, body: Mapping[str, Any]) -> None:
        self.later = [*getattr(self, "later", ())[-1_000:], asyncio.ensure_future(super().keep(body))]


class InOrderOfArrival(Keeper):
    """Lacks the merge: whatever comes last is taken for the newest wording."""

    arrivals = count(1)

    async def keep(self, body: Mapping[str, Any]) -> None:
        told = deepcopy(dict(body))
        message = told["event"].get("message", told["event"])
        if "text" in message:
            message["edited"] = {"user": "U0", "ts": f"{9_000_000_000 + next(self.arrivals)}.000000"}
        await super().keep(told)


KINDS = {kind.__name__: kind for kind in (Keeper, AcksFirst, InOrderOfArrival)}


def main(door: str, url: str, kind: str) -> None:
    wait_at(door, lambda connection: serve(connection, url, kind))


def wait_at(door: str, serve: Callable[[socket.socket], Coroutine[Any, Any, None]]) -> None:
    """Serve each that comes in a child of its own; this process opens no database, so that its children may."""
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        doors.opened(listening, door)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                asyncio.run(serve(connection))
                os._exit(0)
            connection.close()


async def serve(connection: socket.socket, url: str, kind: str) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=2**24)
    keeper = KINDS[kind](Storage(url), TEAM, lambda: datetime.now(UTC))
    keeper.start()
    writer.write(f"{os.getpid()}\n".encode())

    async def keep(number: int, body: dict[str, Any]) -> None:
        try:
            await keeper.keep(body)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing was kept
            writer.write(f"{number} {type(error).__name__}\n".encode())
        else:
            writer.write(f"{number}\n".encode())

    async with asyncio.TaskGroup() as keeping:
        while line := await reader.readline():
            told = json.loads(line)
            keeping.create_task(keep(told["number"], told["body"]))
    await asyncio.to_thread(keeper.stop)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], (*sys.argv, "Keeper")[3])
