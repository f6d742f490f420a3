"""What is to be said in many places while whoever says it is killed, Slack fails and time flies; and who judges it.

The judge looks at what Slack shows in the end, by the words and by the marks, and at the outbox: what should be there
once and is lost, doubled, stale, in the wrong place or before its turn.
"""

import asyncio
import contextlib
import json
import mmap
import os
import random
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from bot.sandbox.demo import free_port
from bot.sandbox.faults import METHOD_KINDS
from bot.sandbox.server import Running, sandbox
from bot.sandbox.troupe import bot_running, environment
from bot.sandbox.workspace import BOT_USER, Channel
from storage import outbox
from storage.session import Storage
from tests.cast import TEAM, a_room
from tests.reliability.sender import SECONDS, Task

Json = dict[str, Any]
PACE, FAST = 20.0, 200.0
"""Seconds of the sandbox in one of ours: while somebody may be killed, and while nobody is."""
LONGEST_ABSENCE_S = 90.0
"""How much of the sandbox's time passes at most before the next one comes."""
GRACE_S, LAG_S = 60.0, 55.0
FAULTY = ("chat.postMessage", "chat.update", "conversations.history", "conversations.replies", "conversations.open")
KINDS = [kind for kind in METHOD_KINDS if kind != "forget"]
THIRTY_PERCENT: Mapping[str, float] = dict.fromkeys(KINDS, 0.3 / len(KINDS))
"""Of a hundred calls thirty fail: refused, or without an answer, before the effect or after it."""
SILENT_S = 0.3
"""How long a call without an answer hangs: longer than the client waits."""
LIFE_S, WHOLE_LIFE_S = 0.1, 0.3
"""About how long one lives that is to be killed: a courier alone, and the whole bot once it is ready."""
LONGEST_BOOT_S = 1.5
"""How long it is waited for the first call of one that may have nothing to say."""
MOST_CALLS, MOST_CALLS_OF_AN_OLD_ONE = 12, 120
"""How many posts one that is to be killed makes at most, unless its life is over before; one of ten grows old."""
PAUSE_S = 0.02
APART = 20
"""How many notes are written between two versions of a live one, about."""
MINUTES = 60


# What is to be said ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """Something written to the outbox: a note, or the next version of one that is live."""

    number: int
    version: int
    place: str
    thread: str = ""
    live: bool = False

    @property
    def key(self) -> str:
        return f"kill:{self.number}"

    @property
    def text(self) -> str:
        return f"note {self.number} version {self.version}"


@dataclass(frozen=True)
class Mix:
    """How many notes to how many channels; what part of them is live, in a thread, or to a person."""

    posts: int
    channels: int
    live: float = 0.1
    threaded: float = 0.15
    direct: float = 0.15


def a_plan(dice: random.Random, mix: Mix, places: Sequence[tuple[str, str]], people: Sequence[str]) -> list[Deed]:
    """So many notes in their order; the later versions of live ones come somewhere among those after them."""
    ordered: list[tuple[float, Deed]] = []
    for number in range(mix.posts):
        first = _a_deed(dice, mix, number, places, people)
        ordered.append((number, first))
        versions = range(2, dice.randint(2, 6) if first.live else 2)
        ordered += [
            (number + (version + dice.random()) * APART, replace(first, version=version)) for version in versions
        ]
    in_order = [deed for _, deed in sorted(ordered, key=lambda one: one[0])]
    return _counted_up(in_order)


def _a_deed(
    dice: random.Random, mix: Mix, number: int, places: Sequence[tuple[str, str]], people: Sequence[str]
) -> Deed:
    place, parent = dice.choice(places)
    if dice.random() < mix.direct:
        place, parent = dice.choice(people), ""
    return Deed(number, 1, place, parent if dice.random() < mix.threaded else "", live=dice.random() < mix.live)


def _counted_up(deeds: Sequence[Deed]) -> list[Deed]:
    """The versions of a note follow each other in the order in which they are written."""
    reached = Counter[int]()
    counted: list[Deed] = []
    for deed in deeds:
        reached[deed.number] += 1
        counted.append(replace(deed, version=reached[deed.number]))
    return counted


# The place ---------------------------------------------------------------------------------------


@dataclass
class Square:
    """A sandbox whose time flies, an outbox, and those who write to it while somebody else delivers."""

    slack: Running
    folder: Path
    deeds: list[Deed]
    dice: random.Random
    storage: Storage
    pace: float = PACE
    written: list[Deed] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    caught: set[tuple[int, int]] = field(default_factory=set)

    @property
    def file(self) -> Path:
        return self.folder / "debrief.db"

    @property
    def complaints(self) -> str:
        """What couriers said that went wrong, beside Slack."""
        log = self.folder / "courier.log"
        return log.read_text() if log.exists() else ""

    def task(self, kind: str = "Courier", *, grace_s: float = GRACE_S) -> Task:
        clock = str(self.folder / "clock")
        return Task(url=f"sqlite:///{self.file}", api=self.slack.api_url, clock=clock, grace_s=grace_s, kind=kind)

    def write(self, deeds: Sequence[Deed], within_s: float) -> None:
        """Write these in turns of their own, as an ability would, one now and one then."""
        for deed in deeds:
            time.sleep(self.dice.random() * 2 * within_s / len(deeds))
            words = outbox.Words(
                key=deed.key,
                channel=deed.place,
                thread=deed.thread,
                text=deed.text,
                at=self.slack.sandbox.clock.now(),
            )
            with self.storage.write() as db:
                (outbox.say_live if deed.live else outbox.say_once)(db, TEAM, words)
            self.written.append(deed)

    def calls(self) -> int:
        return sum(call["method"].startswith("chat.") for call in self.slack.sandbox.journal.calls)

    def unsaid(self) -> int:
        return self.ask("SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')")[0][0]

    def unread(self) -> int:
        """How many are still to be looked for in Slack."""
        return self.ask("SELECT count(*) FROM outbox WHERE read_back_at IS NULL")[0][0]

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.file)) as db:
            return db.execute(query).fetchall()

    def messages(self) -> list[tuple[Channel, Json]]:
        """Everything of ours that Slack shows."""
        channels = self.slack.sandbox.workspace.channels.values()
        return [(channel, said) for channel in channels for said in channel.in_order() if said["user"] == BOT_USER]


@contextlib.asynccontextmanager
async def a_square(
    folder: Path, mix: Mix, seed: int, *, faults: Mapping[str, float], lag_s: float = LAG_S
) -> AsyncIterator[Square]:
    """A square of so many channels with a person's message in each; `faults` are shares of the calls, by their kind."""
    dice = random.Random(seed)
    a_room(folder).storage.close()
    async with sandbox() as slack:
        slack.sandbox.manifest = replace(slack.sandbox.manifest, bot_events=frozenset())
        places = list(_places(slack, mix.channels))
        people = [user.id for user in slack.sandbox.workspace.users.values() if not user.is_bot]
        _fail(slack, faults, lag_s)
        storage = Storage(f"sqlite:///{folder}/debrief.db")
        square = Square(slack, folder, a_plan(dice, mix, places, people), dice, storage)
        async with _flying(square):
            yield square
        storage.close()


def _places(slack: Running, many: int) -> Iterator[tuple[str, str]]:
    """Channels that we are in, and a message in each, old enough to be seen whatever the history lags behind."""
    space = slack.sandbox.workspace
    for number in range(many):
        channel = space.new_channel(
            f"square-{number}", kind="channel", creator="U0PRIYA", members=[BOT_USER, "U0PRIYA"]
        )
        ts = f"{slack.sandbox.clock.epoch() - 3600 + number:.6f}"
        channel.add({"type": "message", "user": "U0PRIYA", "text": "What happened?", "ts": ts})
        yield channel.id, ts


def _fail(slack: Running, faults: Mapping[str, float], lag_s: float) -> None:
    """Let such shares of the calls fail so, of all kinds together as many as their sum, and history lag behind."""
    slack.sandbox.faults.set({"history_lag_s": lag_s})
    for method in FAULTY:
        left = 1.0
        for kind, share in faults.items():
            more = {"seconds": SILENT_S, "retry_after": 1}
            slack.sandbox.faults.set({"method": method, "kind": kind, "rate": share / left} | more)
            left -= share


@contextlib.asynccontextmanager
async def _flying(square: Square) -> AsyncIterator[None]:
    """Let the sandbox's time fly, and tell it to whoever reads the file."""
    clock, file = square.slack.sandbox.clock, square.folder / "clock"
    file.write_bytes(bytes(SECONDS.size))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), SECONDS.size) as shown:

        async def fly() -> None:
            while True:
                shown[:] = SECONDS.pack(clock.epoch() - time.time())
                await asyncio.sleep(0.01)
                clock.advance(0.01 * square.pace)

        flying = asyncio.ensure_future(fly())
        try:
            yield
        finally:
            flying.cancel()


# Who delivers ------------------------------------------------------------------------------------


class Sender(Protocol):
    """One that delivers, and may be killed."""

    async def start(self) -> None: ...

    async def kill(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass
class CourierAlone:
    """A connection to one child of sender.py."""

    door: Path
    task: Task
    pid: int = 0

    async def start(self) -> None:
        self.reader, self.writer = await asyncio.open_unix_connection(self.door)
        self.writer.write(json.dumps(asdict(self.task)).encode() + b"\n")
        self.pid = int(await self.reader.readline())

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        await self._end()

    async def stop(self) -> None:
        """Let it finish what is under way."""
        self.writer.write_eof()
        await self._end()

    async def _end(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self.reader.read()
        self.writer.close()


@dataclass
class WholeBot:
    """`debrief run` beside the same sandbox, over sockets."""

    square: Square
    bot: Any = None

    def __post_init__(self) -> None:
        here = environment(self.square.slack.api_url, self.square.folder, free_port())
        self.env = here | {"DEBRIEF_LOOKUP_GRACE_S": str(GRACE_S)}
        self.log = self.square.folder / "bot.log"

    async def start(self) -> None:
        self._running = bot_running(self.env, self.log)
        self.bot = await asyncio.to_thread(self._running.__enter__)

    async def kill(self) -> None:
        os.kill(self.bot.pid, signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        await asyncio.to_thread(self._running.__exit__, None, None, None)


async def deliver_with_kills(square: Square, sender: Sender, *, kills: int, share: float = 1.0, life_s: float) -> None:
    """Write a share of the plan while whoever delivers is killed so often, at any moment of some lives of seconds."""
    size = int(len(square.deeds) * share) // max(1, kills) + 1
    for _ in range(kills):
        deeds, square.deeds = square.deeds[:size], square.deeds[size:]
        await sender.start()
        writing = asyncio.ensure_future(asyncio.to_thread(square.write, deeds, life_s))
        most = MOST_CALLS if square.dice.random() < 0.9 else MOST_CALLS_OF_AN_OLD_ONE
        await _some_moment(square, life_s, calls=min(most, len(deeds) + square.unsaid()))
        await sender.kill()
        count_caught(square)
        await writing
        square.slack.sandbox.clock.advance(square.dice.random() * LONGEST_ABSENCE_S)


async def _some_moment(square: Square, life_s: float, *, calls: int) -> None:
    """Any moment of a life; most times one that comes shortly after Slack was called so often, or less often."""
    if square.dice.random() < 0.25:
        await asyncio.sleep(square.dice.random() * life_s)
        return
    called = square.calls()
    wanted, until = called + square.dice.randint(1, max(1, calls)), time.monotonic() + LONGEST_BOOT_S
    while called < wanted and time.monotonic() < until:
        await asyncio.sleep(0.001)
        if (now := square.calls()) > called:
            until = time.monotonic() + life_s
        called = now
    await asyncio.sleep(square.dice.random() * 0.006)


def count_caught(square: Square) -> None:
    """What the killed one left behind: notes in the middle of being sent, and those that Slack had taken already."""
    asked = "SELECT id, attempts, text FROM outbox WHERE state = 'sending' AND error IS NULL"
    left = {(row, attempt): text for row, attempt, text in square.ask(asked) if (row, attempt) not in square.caught}
    shown = {said["text"] for _, said in square.messages()} if left else set[str]()
    square.caught |= left.keys()
    square.tally["kills"] += 1
    square.tally["found sending"] += bool(left)
    square.tally["taken and not written down"] += not shown.isdisjoint(left.values())


async def finish(square: Square, sender: Sender, *, within_s: float = 100) -> None:
    """Write the rest and let one that nobody kills deliver until nothing waits."""
    await sender.start()
    await asyncio.to_thread(square.write, square.deeds, 0.1)
    square.deeds = []
    await until_said(square, within_s=within_s)
    await sender.stop()


async def until_said(square: Square, *, within_s: float = 100) -> None:
    """Let time fly until nothing waits; what waits for too long is left."""
    await until_so(square, lambda: not square.unsaid(), within_s=within_s)


async def until_so(square: Square, so: Callable[[], bool], *, within_s: float = 100, pace: float = FAST) -> None:
    """Let time fly until something is so, but not for ever."""
    square.pace, until = pace, time.monotonic() + within_s
    while not so() and time.monotonic() < until:  # noqa: ASYNC110 - another process delivers
        await asyncio.sleep(PAUSE_S)


async def kill_again_and_again(square: Square, door: Path, *, whole: int, alone: int) -> None:
    """Deliver all of it with so many kills of `debrief run` and of a courier alone, and to the end without one."""
    courier = CourierAlone(door, square.task())
    share = whole / (whole + alone)
    await deliver_with_kills(square, WholeBot(square), kills=whole, share=share, life_s=WHOLE_LIFE_S)
    await deliver_with_kills(square, courier, kills=alone, life_s=LIFE_S)
    await finish(square, courier, within_s=10 * MINUTES)


# The judge ---------------------------------------------------------------------------------------


def judge(square: Square) -> Counter[str]:
    """How often something is wrong with what Slack shows and with the outbox; empty where all is well."""
    last = {deed.number: deed for deed in square.written}
    shown, marks = defaultdict[int, list[tuple[Channel, Json]]](list), Counter[str]()
    for channel, said in square.messages():
        shown[int(said["text"].split()[1])].append((channel, said))
        marks[str(said.get("metadata", {}).get("event_payload", {}).get("mark"))] += 1
    flaws = Counter(
        {
            "lost": len(last.keys() - shown.keys()),
            "doubled": sum(len(found) - 1 for found in shown.values()),
            "marked alike": sum(many - 1 for many in marks.values()),
            "overtaken": _overtaken(shown),
            "removed": sum(call["method"] == "chat.delete" for call in square.slack.sandbox.journal.calls),
            "unsent": square.ask("SELECT count(*) FROM outbox WHERE state != 'sent'")[0][0],
        }
    )
    for number, found in shown.items():
        flaws["stale"] += any(said["text"] != last[number].text for _, said in found)
        flaws["misplaced"] += not all(_is_there(last[number], channel, said) for channel, said in found)
    return +flaws


def _overtaken(shown: Mapping[int, Sequence[tuple[Channel, Json]]]) -> int:
    """How many notes stand in a channel before one that was written earlier."""
    by_channel = defaultdict[str, list[tuple[float, int]]](list)
    for number, found in shown.items():
        by_channel[found[0][0].id].append((min(float(said["ts"]) for _, said in found), number))
    in_order = [[number for _, number in sorted(said)] for said in by_channel.values()]
    return sum(earlier > later for numbers in in_order for earlier, later in pairwise(numbers))


def _is_there(deed: Deed, channel: Channel, said: Json) -> bool:
    here = (
        channel.kind == "im" and deed.place in channel.members
        if deed.place.startswith("U")
        else deed.place == channel.id
    )
    return here and said.get("thread_ts", "") == deed.thread
