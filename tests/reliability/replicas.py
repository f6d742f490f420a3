"""Replicas on one PostgreSQL, the Slack they speak to, and who kills, stops and restarts them."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import Enum, auto
from functools import cache
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.sandbox.facts import all_bot_scopes
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import User
from storage import actions, incidents, outbox, people
from storage.actions import Proposal
from storage.models import OutboxNote
from storage.session import upgrade
from tests.cast import MARA, TEAM, Room, a_room, an_incident
from tests.databases import Restartable, Server, database_name
from tests.reliability.replica import Part

ROOT = Path(__file__).parents[2]
POST, UPDATE = "chat.postMessage", "chat.update"
ANYWHERE = "anywhere"
PLACES = (f"before {POST}", f"after {POST}", ANYWHERE)
COMES_THERE_WITHIN_S = 1.0
AT_A_TIME = 2
"""So many stand still at most, of three: one goes on."""
MOVES_WITHIN_S = 60.0
"""Longer than anything takes that goes on at all."""
DEAF = {"oauth_config": {"scopes": {"bot": sorted(all_bot_scopes())}}}
"""The manifest of an app that hears of nothing, for nobody here listens."""
KINDS_OF_FAULTS = ("429", "5xx_before", "5xx_after", "reset_before", "reset_after", "timeout", "timeout_after")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long replicas wait for Slack and before they look a note up, in seconds."""

    grace_s: float
    call_s: float

    @property
    def all_s(self) -> float:
        """After this long a note that nobody holds is looked up."""
        return self.grace_s + self.call_s


class Deed(Enum):
    """What may be done to replicas."""

    kill = auto()
    pause = auto()
    restart = auto()


# Replicas ----------------------------------------------------------------------------------------


@dataclass
class Replica:
    """A child of replica.py, what it is asking Slack, and whether it stands still."""

    door: Path
    part: Part
    pid: int = 0
    under_way: Counter[str] = field(default_factory=Counter)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: bool = False

    async def start(self) -> None:
        reader, self.writer = await asyncio.open_unix_connection(self.door)
        self.writer.write(json.dumps(asdict(self.part)).encode() + b"\n")
        self.pid = int(await reader.readline())
        self.under_way.clear()
        self.stopped.clear()
        self.listening = asyncio.ensure_future(self._listen(reader))

    async def kill(self) -> int:
        """Kill it; how many posts it had under way."""
        os.kill(self.pid, signal.SIGKILL)
        await self.listening
        self.writer.close()
        return self.under_way[POST]

    def expect(self, place: str) -> None:
        """Let it stand still once it comes to this place, `before` or `after` a method."""
        self.wanted = True
        self.stopped.clear()
        self.writer.write(f"{place}\n".encode())

    def expect_no_more(self) -> None:
        self.wanted = False
        self.writer.write(b"nowhere\n")

    async def stand_still(self, place: str) -> None:
        """Let it stand still in this place, or where it is if it does not come there soon."""
        if place != ANYWHERE:
            self.expect(place)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopped.wait(), COMES_THERE_WITHIN_S)
            self.expect_no_more()
        if not self.stopped.is_set():
            self.stopped.set()
            os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        self.stopped.clear()
        os.kill(self.pid, signal.SIGCONT)

    async def end(self) -> None:
        """Let it finish what is under way."""
        self.writer.write_eof()
        await asyncio.wait_for(self.listening, MOVES_WITHIN_S)
        self.writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while (line := (await reader.readline()).decode()).endswith("\n"):
                if line == "stopped\n":
                    self._stands_still()
                else:
                    self.under_way[line[1:].strip()] += 1 if line[0] == "+" else -1

    def _stands_still(self) -> None:
        """It came to the place; where that took so long that it was stopped elsewhere, it may go on."""
        if self.wanted:
            self.stopped.set()
        elif not self.stopped.is_set():
            os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def a_nursery() -> Iterator[Path]:
    """replica.py, waiting behind the door whose path is given, in a folder whose name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="door-", dir=Path("/tmp")) as folder:
        door = Path(folder) / "door"
        waiting = subprocess.Popen([sys.executable, "-m", "tests.reliability.replica", str(door)], cwd=ROOT)
        try:
            until = time.monotonic() + 60
            while not door.exists() and waiting.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            yield door
        finally:
            waiting.kill()
            waiting.wait()


# The stage -----------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A database with people and an incident in it, a Slack where it is Wednesday morning, and replicas."""

    server: Restartable
    door: Path
    slack: Running
    room: Room
    url: str
    patience: Patience
    dice: random.Random
    replicas: list[Replica] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    """What was done to them, and how often it met them at work."""

    async def play(self, how_many: int, *, lacks: str = "") -> None:
        """Let so many replicas begin, each of which may lack something."""
        part = Part(
            url=self.url,
            api=self.slack.api_url,
            lacks=lacks,
            grace_s=self.patience.grace_s,
            call_s=self.patience.call_s,
            tick_s=2 * self.patience.grace_s,
            ahead_s=self.room.now.timestamp() - time.time(),
        )
        self.slack.sandbox.clock.set(self.room.now)
        self.replicas = [Replica(self.door, part) for _ in range(how_many)]
        await asyncio.gather(*(replica.start() for replica in self.replicas))

    # What is to be said

    def write_notes(self, how_many: int) -> None:
        """Notes to so many people, each due now."""
        everybody = self.newcomers(how_many)

        def write(db: Session) -> None:
            for user in everybody:
                words = outbox.Words(key=f"word:{user}", channel=user, text=f"A word for {user}", at=self.room.now)
                outbox.say_once(db, TEAM, words)

        self.room.change(write)

    def let_be_reminded(self, how_many: int) -> None:
        """So many people, each with a proposal about which the clock will ask them now."""
        everybody, incident = self.newcomers(how_many), an_incident(self.room)
        long_ago, soon = self.room.now - timedelta(days=8), (self.room.now + timedelta(days=5)).date()

        def propose(db: Session) -> None:
            found = incidents.get(db, incident)
            for user in everybody:
                people.know(db, TEAM, user, name=user, zone="UTC", email=None, bot=None, gone=None, now=self.room.now)
                proposal = Proposal(text=f"a thing of {user}", owner=user, due=soon, horizon="quick")
                actions.propose(db, found, proposal, by=MARA, now=long_ago)

        self.room.change(propose)

    def newcomers(self, how_many: int) -> list[UserId]:
        """So many people who were not there before."""
        known = self.slack.sandbox.workspace.users
        names = [f"u{len(known) + n:05}" for n in range(how_many)]
        known |= {name.upper(): User(name.upper(), name, name.title()) for name in names}
        return [UserId(name.upper()) for name in names]

    def trouble(self, rate: float) -> None:
        """Let so large a share of the posts go wrong, in every way, and a third of that of what is looked up."""
        self._trouble("chat.postMessage", rate)
        for method in ("conversations.open", "conversations.history"):
            self._trouble(method, rate / 3)

    def _trouble(self, method: str, rate: float) -> None:
        each = 1 - (1 - rate) ** (1 / len(KINDS_OF_FAULTS))
        for kind in KINDS_OF_FAULTS:
            wish = {"method": method, "kind": kind, "rate": each, "seconds": 2 * self.patience.call_s}
            self.slack.sandbox.faults.set(wish)

    # What was said

    def said(self) -> list[str]:
        """The marks of all that stands in Slack."""
        return [
            str(message.get("metadata", {}).get("event_payload", {}).get("mark"))
            for channel in self.slack.sandbox.workspace.channels.values()
            for message in channel.in_order()
        ]

    def texts(self) -> list[str]:
        """The words of all that stands in Slack."""
        channels = self.slack.sandbox.workspace.channels.values()
        return [message["text"] for channel in channels for message in channel.in_order()]

    def written(self) -> dict[str, str]:
        """The key of each note in the outbox by its mark."""
        with self.room.storage.read() as db:
            key = people.workspace(db, TEAM).mark_key.encode()
            keys = db.scalars(select(OutboxNote.key)).all()
        return {hmac.new(key, each.encode(), hashlib.sha256).hexdigest()[:32]: each for each in keys}

    def left(self) -> int:
        """How many notes are not at their end."""
        with self.room.storage.read() as db:
            return db.scalar(select(func.count(OutboxNote.id)).where(OutboxNote.state != "sent")) or 0

    def flaws(self) -> dict[str, int]:
        """What is wrong in Slack, measured against the outbox."""
        written, said = self.written(), Counter(self.said())
        found = {
            "lost": sum(mark not in said for mark in written),
            "doubled": sum(said.values()) - len(said),
            "unknown": sum(mark not in written for mark in said),
        }
        return {flaw: count for flaw, count in found.items() if count}

    async def until_said(self, how_many: int) -> None:
        """Wait until so many messages stand in Slack, or nothing moves any more."""
        await self._until(self._is_said(how_many), every_s=0.01)

    async def until_settled(self, how_many: int) -> None:
        """Wait until so many notes were written and all of them are at their end, or nothing moves any more."""
        await self._until(self._is_settled(how_many), every_s=0.1)

    def _is_said(self, how_many: int) -> Callable[[], Awaitable[bool]]:
        async def is_said() -> bool:
            return len(self.said()) >= how_many

        return is_said

    def _is_settled(self, how_many: int) -> Callable[[], Awaitable[bool]]:
        def look() -> bool:
            with contextlib.suppress(OperationalError):
                return len(self.written()) >= how_many and not self.left()
            return False

        return lambda: asyncio.to_thread(look)

    async def _until(self, so: Callable[[], Awaitable[bool]], *, every_s: float) -> None:
        calls, since = 0, time.monotonic()
        while not await so() and time.monotonic() - since < MOVES_WITHIN_S:
            if len(self.slack.sandbox.journal.calls) > calls:
                calls, since = len(self.slack.sandbox.journal.calls), time.monotonic()
            await asyncio.sleep(every_s)

    # What is done to them

    async def suffer(self, deeds: Mapping[Deed, int], *, while_said: int) -> None:
        """Do so much of everything to them, in any order, spread over the saying of so many messages."""
        every = [deed for deed, times in deeds.items() for _ in range(times)]
        self.dice.shuffle(every)
        still = set[asyncio.Task[None]]()
        for n, deed in enumerate(every):
            await self.until_said(while_said * n // len(every))
            if deed is Deed.pause:
                while len(still) >= AT_A_TIME:
                    _, still = await asyncio.wait(still, return_when=asyncio.FIRST_COMPLETED)
                still.add(asyncio.create_task(self.pause_one()))
            elif deed is Deed.kill:
                await self.kill_one()
            else:
                # Whoever stands still between his last look at his lock and the call cannot see that the lock is gone.
                await asyncio.gather(*still)
                await self.restart_database()
        await asyncio.gather(*still)

    async def kill_one(self) -> None:
        """A replica that is posting gets kill -9, at some moment of that, and a new one in its place."""
        replica = await self._one_that_posts()
        await asyncio.sleep(self.dice.random() * 0.02)
        posting = await replica.kill()
        self.done.update(kills=1, kills_while_sending=posting > 0)
        await replica.start()

    async def _one_that_posts(self) -> Replica:
        begun = time.monotonic()
        while time.monotonic() - begun < COMES_THERE_WITHIN_S:
            posting = [replica for replica in self.moving() if replica.under_way[POST]]
            if posting:
                return self.dice.choice(posting)
            await asyncio.sleep(0.001)
        return self.dice.choice(self.moving())

    def moving(self) -> list[Replica]:
        return [replica for replica in self.replicas if not replica.wanted and not replica.stopped.is_set()]

    async def stopped_at(self, place: str, deed: Callable[[], None]) -> list[Replica]:
        """Do something that makes a replica come to this place, and let it stand still there."""
        for replica in self.replicas:
            replica.expect(place)
        await asyncio.sleep(0.1)
        deed()
        await self._until(self._stands_one, every_s=0.01)
        found = [replica for replica in self.replicas if replica.stopped.is_set()]
        for replica in self.replicas:
            replica.expect_no_more()
        return found

    async def _stands_one(self) -> bool:
        return any(replica.stopped.is_set() for replica in self.replicas)

    async def wait_out(self) -> None:
        """Wait for longer than replicas wait for one another."""
        await asyncio.sleep(2 * self.patience.all_s)

    async def until_quiet(self) -> None:
        """Wait until nobody has anything under way."""
        await asyncio.sleep(self.patience.call_s)
        while any(replica.under_way.total() for replica in self.replicas):  # noqa: ASYNC110 - other processes tell
            await asyncio.sleep(0.02)

    async def pause_one(self) -> None:
        """Let a replica stand still for longer than anybody waits: before a post, after one, or wherever it is."""
        replica = self.dice.choice(self.moving())
        await replica.stand_still(self.dice.choice(PLACES))
        begun, sending = time.monotonic(), replica.under_way[POST] > 0
        await asyncio.sleep(self.patience.all_s * (1 + self.dice.random()))
        long = time.monotonic() - begun > self.patience.all_s
        self.done.update(pauses=1, long_pauses=long, long_pauses_while_sending=long and sending)
        replica.go_on()

    async def restart_database(self, *, down_s: float = 0.0) -> None:
        """`pg_ctl restart -m immediate`, with so many seconds in between."""
        await asyncio.to_thread(self.server.stop_at_once)
        await asyncio.sleep(down_s)
        await asyncio.to_thread(self.server.start)
        self.done.update(restarts=1)

    async def end(self) -> None:
        await asyncio.gather(*(replica.end() for replica in self.replicas))


@cache
def _migrated(server: Server) -> str:
    """The name of a migrated database of this server."""
    url = server.create()
    upgrade(url)
    return database_name(url)


@contextlib.asynccontextmanager
async def a_stage(
    server: Restartable, door: Path, folder: Path, *, patience: Patience, seed: int
) -> AsyncIterator[Stage]:
    """A stage with nobody on it yet."""
    url = server.server.create(await asyncio.to_thread(_migrated, server.server))
    room = a_room(folder, url)
    async with sandbox(manifest=DEAF) as slack:
        slack.sandbox.faults.set({"rate_limits": "off"})
        stage = Stage(server, door, slack, room, url, patience, random.Random(seed))
        try:
            yield stage
        finally:
            await stage.end()
            room.storage.close()
            server.server.drop(url)
