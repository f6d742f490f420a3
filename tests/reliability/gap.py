"""Six hours in a busy channel that nobody told us of, and a reader of history for whom time passes when it waits."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.historian import Historian
from bot.paging import History
from bot.review.heard import read_message, read_reactions
from bot.review.incident import ChannelId
from bot.sandbox.clock import VirtualClock
from bot.sandbox.server import Running, sandbox
from bot.sandbox.talking import recount_threads
from bot.sandbox.workspace import BOT_USER, Channel
from bot.slack import Slack
from storage import channels, incidents, messages, reactions, readings
from storage.models import Message, Reaction
from tests.cast import TEAM, Room, a_room, an_incident
from tests.sandbox.cast import client_of

Json = dict[str, Any]
START = datetime(2026, 11, 18, 2, tzinfo=UTC)
AWAY_AT, BACK_AT = START + timedelta(hours=6), START + timedelta(hours=12)
SAID_UNTIL = BACK_AT - timedelta(minutes=2)
"""What is younger than a minute might still be told to us: it is taken in, and is not counted as healed."""


@dataclass(frozen=True)
class Size:
    """How much is said: before we went away, and while we were."""

    parents_before: int
    quiet_threads: int
    parents: int
    old_threads: int
    replies_in_old: int
    new_threads: int
    replies_in_new: int
    page: int

    @property
    def said_in_gap(self) -> int:
        return self.parents + self.replies_in_old + self.replies_in_new


SIX_HOURS = Size(3_900, 200, 2_000, 80, 950, 190, 2_050, 999)
"""5,000 messages: 60 % replies, 19 % in older threads, 270 active threads, 6 pages of parents."""
QUICK = Size(390, 20, 200, 8, 95, 19, 205, 99)


@dataclass(frozen=True)
class Changed:
    """Messages that people changed, by ts."""

    edited: list[str]
    deleted: list[str]
    reacted: list[str]


@dataclass(frozen=True)
class Kept:
    """A message as the archive has it."""

    ts: str
    text: str
    edited_ts: str | None
    missing_since: datetime | None
    deleted_at: datetime | None


@dataclass
class Talk:
    """What is said in a channel of the sandbox, and changed there, that nobody tells us of."""

    channel: Channel
    clock: VirtualClock
    size: Size
    _dice: random.Random = field(default_factory=lambda: random.Random(7))

    def before(self) -> list[Json]:
        """What is said until we go away; the messages that stand in the channel."""
        said = list(self._said("before", self.size.parents_before, since=START, until=AWAY_AT))
        self._replies(said[: self.size.quiet_threads], 2 * self.size.quiet_threads, since=START, until=AWAY_AT)
        recount_threads(self.channel)
        return said

    def meanwhile(self, before: list[Json]) -> None:
        """What is said while we are away, to old threads, too."""
        new = list(self._said("in the gap", self.size.parents, since=AWAY_AT, until=SAID_UNTIL))
        old = before[-self.size.old_threads :]
        self._replies(old, self.size.replies_in_old, since=AWAY_AT, until=SAID_UNTIL)
        self._replies(new[: self.size.new_threads], self.size.replies_in_new, since=AWAY_AT, until=SAID_UNTIL)
        recount_threads(self.channel)

    def _said(self, words: str, count: int, *, since: datetime, until: datetime) -> Iterator[Json]:
        for number in range(count):
            yield self.say(f"{words} {number}", at=since + (until - since) * number / count)

    def _replies(self, parents: list[Json], count: int, *, since: datetime, until: datetime) -> None:
        for number in range(count):
            parent = parents[number % len(parents)]
            begun = max(datetime.fromtimestamp(float(parent["ts"]), UTC), since)
            at = begun + (until - begun) * (number + 1) / (count + 2)
            self.say(f"reply {number}", at=at, thread_ts=parent["ts"])

    def say(self, text: str, *, at: datetime, **more: Any) -> Json:
        """Something is said; every tenth has a pin on it."""
        micro = int(at.timestamp()) * 1_000_000 + self._dice.randrange(1_000_000)
        while (ts := f"{micro // 1_000_000}.{micro % 1_000_000:06d}") in self.channel.messages:
            micro += 1
        message: Json = {"type": "message", "user": "U0PRIYA", "text": text, "ts": ts, **more}
        if len(self.channel.messages) % 10 == 0:
            message["reactions"] = [{"name": "pushpin", "users": ["U0JONAS"], "count": 1}]
        self.channel.add(message)
        return message

    def changes(self, *, edits: int, deletions: int, emoji: int) -> Changed:
        """People change what stands alone or in a thread; emoji are put, or taken where there are some."""
        found = [ts for ts, one in self.channel.messages.items() if not one.get("reply_count")]
        self._dice.shuffle(found)
        edited, found = found[:edits], found[edits:]
        deleted, found = found[:deletions], found[deletions:]
        reacted = found[:emoji]
        for ts in edited:
            changed = {"user": "U0PRIYA", "ts": self.clock.next_ts()}
            self.channel.messages[ts] |= {"text": f"edited {ts}", "edited": changed}
        for ts in deleted:
            self.channel.remove(ts)
        for ts in reacted:
            message = self.channel.messages[ts]
            if message.pop("reactions", None) is None:
                message["reactions"] = [{"name": "pushpin", "users": ["U0PRIYA"], "count": 1}]
        recount_threads(self.channel)
        return Changed(edited, deleted, reacted)


@dataclass
class Gap(Talk):
    """The channel, what an archive holds of it, and a reader that may be killed."""

    _: KW_ONLY
    room: Room
    running: Running
    source: int = 0
    began: datetime = BACK_AT

    def fill(self) -> None:
        """Say everything; what was said before the gap we heard."""
        before = self.before()
        self.hears_everything()
        self.meanwhile(before)

    def hears_everything(self) -> None:
        """What is in the channel now, the archive has."""
        facts = [fact for one in self.channel.in_order() if (fact := read_message(one, self.channel.id))]
        emoji = [fact for one in self.channel.in_order() for fact in read_reactions(one, self.channel.id)]
        self.room.change(lambda db: messages.keep(db, TEAM, *facts))
        self.room.change(lambda db: reactions.keep(db, TEAM, *emoji))

    # Who reads ------------------------------------------------------------------------------

    def historian(self) -> Historian:
        """A reader that has just been started, for whom waiting takes no time."""
        clock, client = self.running.sandbox.clock, client_of(self.running)

        async def nap(seconds: float) -> None:
            clock.advance(seconds)

        history = History(client, clock.now, nap=nap, page=self.size.page)
        return Historian(self.room.desk, Slack(client), history)

    async def heals(self, *, kills: int = 0) -> None:
        """Come back and read the gap to its end, killed so many times on the way."""
        for _ in range(kills):
            await self._reads_until_killed()
        while self.is_behind():
            historian = self.historian()
            historian.was_away()
            await historian.fetch()

    async def _reads_until_killed(self) -> None:
        historian, before = self.historian(), self.answered()
        historian.was_away()
        await historian.start_due()
        until = before + self._dice.randint(1, 2 * self.size.page // 99 + 10)
        while self.answered() < until and self.is_behind():  # noqa: ASYNC110 - it is a killer that lurks
            await asyncio.sleep(self._dice.random() / 100)
        await historian.stop()

    def is_behind(self) -> bool:
        """Whether no reading has come to its end since we were away."""
        read_at = self.room.ask(lambda db: channels.source(db, self.source).read_at)
        return read_at is None or read_at < self.began

    # What came of it ------------------------------------------------------------------------

    def missing(self) -> set[str]:
        """What was said and the archive has not, or not as it was said."""
        query = select(Message.ts, Message.text).where(Message.channel_id == self.channel.id)
        kept = self.room.ask(lambda db: dict(db.execute(query).all()))
        return {ts for ts, said in self.channel.messages.items() if kept.get(ts) != said["text"]}

    def kept(self, times: Collection[str]) -> list[Kept]:
        """What the archive has of these messages."""
        columns = (Message.ts, Message.text, Message.edited_ts, Message.missing_since, Message.deleted_at)
        query = select(*columns).where(Message.channel_id == self.channel.id, Message.ts.in_(times))
        return self.room.ask(lambda db: [Kept(*row) for row in db.execute(query)])

    def emoji(self) -> set[tuple[str, str, str]]:
        """Who holds what on which message, as the archive has it."""
        query = select(Reaction.ts, Reaction.user_id, Reaction.name).where(Reaction.removed_at.is_(None))
        return self.room.ask(lambda db: {(ts, user, name) for ts, user, name in db.execute(query)})

    def shown_emoji(self) -> set[tuple[str, str, str]]:
        """The same, as Slack shows it."""
        return {
            (ts, user, reaction["name"])
            for ts, message in self.channel.messages.items()
            for reaction in message.get("reactions", [])
            for user in reaction["users"]
        }

    def answered(self) -> int:
        """Calls of history that Slack answered."""
        return sum(1 for call in self._calls() if call["ok"])

    def refused(self) -> int:
        return sum(1 for call in self._calls() if not call["ok"])

    def _calls(self) -> list[Json]:
        return [
            call
            for call in self.running.sandbox.journal.calls
            if call["method"] in ("conversations.history", "conversations.replies")
        ]

    def minutes(self) -> float:
        """How long it took, by the sandbox's clock."""
        return (self.running.sandbox.clock.now() - self.began).total_seconds() / 60

    def healed(self) -> list[str | None]:
        """The lines about it in the incident's history."""

        def lines(db: Session) -> list[str | None]:
            incident = channels.source(db, self.source).incident_id
            changes = incidents.changes(db, incident, "incident")
            return [change.after for change in changes if change.what == readings.HEALED]

        return self.room.ask(lines)


@asynccontextmanager
async def gap(folder: Path, size: Size, url: str | None = None) -> AsyncIterator[Gap]:
    """A sandbox whose channel holds a gap, and a room whose archive ends where it begins."""
    async with sandbox(now=BACK_AT) as running:
        space = running.sandbox.workspace
        members = [BOT_USER, "U0PRIYA"]
        channel = space.new_channel("inc-1-busy", kind="channel", creator="U0PRIYA", members=members)
        room = a_room(folder, url)
        room.desk.now = running.sandbox.clock.now
        here = Gap(channel, running.sandbox.clock, size, room=room, running=running)
        incident = an_incident(room, channel=ChannelId(channel.id), opened_at=START)
        here.source = room.ask(lambda db: incidents.sources(db, incident)[0].id)
        here.fill()
        try:
            yield here
        finally:
            room.storage.close()
