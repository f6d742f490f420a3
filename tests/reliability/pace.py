"""Couriers that keep Slack's pace, before a Slack whose clock stands still unless it is moved; and a judge."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from sqlalchemy import func, select

from bot.calling import Caller
from bot.courier import Courier
from bot.measures import Delivery
from bot.pacing import Pace
from bot.sandbox.clock import VirtualClock
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import BOT_TOKEN, User
from storage import outbox, pauses, people
from storage.models import OutboxNote
from storage.session import Storage
from tests.couriers import a_courier

TEAM, BOT = "T0SANDBOX", "U0DEBRIEF"
POST = "chat.postMessage"


class StillClock(VirtualClock):
    """Moves when it is moved, and never by itself: what is measured is the pace, and not this machine."""

    def epoch(self) -> float:
        return self._offset_s


def stand_still(clock: VirtualClock) -> None:
    moment = clock.epoch()
    clock.__class__ = StillClock
    clock._offset_s = float(int(moment))


@dataclass
class PostOffice:
    """Couriers of one database, each as a process of its own would have it."""

    storage: Storage
    slack: Running
    couriers: list[Courier] = field(default_factory=list)
    told: list[Delivery] = field(default_factory=list)

    def hire(self, *, a_second: int = 4) -> Courier:
        clock, pace = self.slack.sandbox.clock, Pace(a_second=a_second)

        async def moment() -> datetime:
            return clock.now()

        async def tell(method: str, until: datetime) -> None:
            with self.storage.write() as db:
                pauses.hold(db, TEAM, method, until=until)

        client = Caller(pace=pace, moment=moment, told=tell, token=BOT_TOKEN, base_url=self.slack.api_url)
        courier = a_courier(self.storage, client, clock.now, pace=pace, tell=self.told.append)
        self.couriers.append(courier)
        return courier

    @property
    def now(self) -> datetime:
        return self.slack.sandbox.clock.now()

    def write(self, places: Mapping[str, Sequence[str]]) -> None:
        """These notes, by channel or person, all due now."""
        with self.storage.write() as db:
            for channel, keys in places.items():
                for key in keys:
                    outbox.say_once(db, TEAM, outbox.Words(key=key, channel=channel, text=key, at=self.now))

    def people(self, number: int) -> list[str]:
        """So many more people in the workspace."""
        users = [User(f"U0P{n:05}", f"p{n}", f"Person {n}") for n in range(number)]
        self.slack.sandbox.workspace.users.update((user.id, user) for user in users)
        return [user.id for user in users]

    def channels(self, number: int) -> list[str]:
        """So many more channels with the bot in them."""
        make = self.slack.sandbox.workspace.new_channel
        return [make(f"c{n}", kind="channel", creator=BOT, members=[BOT]).id for n in range(number)]

    def left(self) -> int:
        with self.storage.read() as db:
            unsaid = select(func.count()).select_from(OutboxNote).where(OutboxNote.state.in_(("pending", "sending")))
            return db.scalar(unsaid) or 0

    async def step(self) -> None:
        """What every courier does now, to its end; then the clock moves to where the first has something to do."""
        for courier in self.couriers:
            await courier.round()
        for courier in self.couriers:
            await courier.settle()
        self.slack.sandbox.clock.advance(min([await courier._rest_s() for courier in self.couriers]))

    async def deliver(self) -> float:
        """Until everything is said; the seconds that took by Slack's clock."""
        began = self.slack.sandbox.clock.epoch()
        while self.left():
            await self.step()
        return self.last_call() - began

    def last_call(self) -> float:
        return max(moments(self.slack, POST), default=self.slack.sandbox.clock.epoch())


@asynccontextmanager
async def a_post_office(url: str) -> AsyncIterator[PostOffice]:
    """Without a courier yet; Slack's own rate limits are on."""
    async with sandbox() as slack:
        stand_still(slack.sandbox.clock)
        storage = Storage(url)
        with storage.write() as db:
            people.know_workspace(db, TEAM, name="", url="", bot_user=BOT, bot_id="B0DEBRIEF", mark_key="key")
        try:
            yield PostOffice(storage, slack)
        finally:
            storage.close()


# The judge --------------------------------------------------------------------------------


def moments(slack: Running, method: str, error: str | None = None) -> list[float]:
    """When a method was called, in order; of those that ended with an error, where one is named."""
    calls = [call for call in slack.sandbox.journal.calls if call["method"] == method]
    return [at(call) for call in calls if error is None or call["error"] == error or call["fault"] == error]


def at(call: Mapping[str, str]) -> float:
    return datetime.fromisoformat(call["at"]).timestamp()


def early(slack: Running, method: str, retry_after_s: float) -> int:
    """Calls between a 429 and the end of its `Retry-After`."""
    refused, called = moments(slack, method, "429"), moments(slack, method)
    return sum(since < moment < since + retry_after_s for since in set(refused) for moment in called)


def closest(slack: Running) -> float:
    """The least seconds between two messages asked of the same channel."""
    by_channel: defaultdict[str, list[float]] = defaultdict(list)
    for call in slack.sandbox.journal.calls:
        if call["method"] == POST:
            by_channel[call["args"]["channel"]].append(at(call))
    return min((later - sooner for each in by_channel.values() for sooner, later in pairwise(each)), default=1e9)


def most_in_a_second(slack: Running) -> int:
    """Of all messages asked for."""
    called = moments(slack, POST)
    return max(sum(moment <= other < moment + 1 for other in called) for moment in set(called))
