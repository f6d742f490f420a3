"""The reader of history, with a Slack that says little: what it asks for, and what it leaves alone."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.historian import Historian
from bot.paging import History
from bot.review.heard import PersonFact
from bot.review.history import Page
from bot.review.incident import ChannelFacts, ChannelId, UserId
from bot.slack import Slack
from storage import channels, incidents, people
from storage.holds import Holds
from storage.session import Storage
from tests.cast import CHANNEL, MARA, TEAM, TOMAS, Room, a_room, an_incident

OTHER = ChannelId("C0OTHER")
ALARM = UserId("U0ALARM")


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    return a_room(tmp_path, sqlite_url)


class Doorkeeper(Slack):
    """Remembers of which channels it was asked."""

    def __init__(self) -> None:
        super().__init__(AsyncWebClient())
        self.asked: list[str] = []

    async def channel_facts(self, channel: ChannelId) -> ChannelFacts:
        self.asked.append(channel)
        return ChannelFacts(channel=channel, name="inc", members=(MARA, TOMAS))


class Silence(History):
    """Empty pages; some of the places make it fail in a way that nobody expects."""

    def __init__(self, now: Callable[[], datetime], *, broken: str = "") -> None:
        super().__init__(AsyncWebClient(), now)
        self.now = now
        self.broken = broken
        self.asked: list[str] = []

    async def channel_page(self, channel: str, oldest: datetime, cursor: str | None = None) -> Page:
        return self._nothing(channel, channel)

    async def thread_page(self, channel: str, thread: str, cursor: str | None = None) -> Page:
        return self._nothing(channel, thread)

    def _nothing(self, channel: str, place: str) -> Page:
        self.asked.append(place)
        if place == self.broken:
            raise RuntimeError("nobody expected this")
        return Page(channel=channel, messages=(), asked_at=self.now())

    async def oldest_before(self, channel: str, ts: str) -> str | None:
        return None


def a_place(room: Room, channel: ChannelId = CHANNEL, thread: str = "") -> None:
    """A source that is to be read."""
    incident = an_incident(room, channel=ChannelId(f"C0NEW{thread}"))

    def move(db: object) -> None:
        row = channels.source(db, incidents.sources(db, incident)[0].id)  # pyright: ignore[reportArgumentType]
        row.channel_id, row.thread_ts, row.fetch_from = channel, thread, room.now

    room.change(move)


def thread(number: int) -> str:
    return f"17634744{number:02}.000100"


async def test_who_is_in_a_channel_is_asked_once_however_many_of_its_threads_are_read(room: Room):
    for number in range(12):
        a_place(room, thread=thread(number))
    a_place(room, OTHER)
    slack, history = Doorkeeper(), Silence(lambda: room.now)
    historian = Historian(room.desk, slack, history)

    await historian.fetch()
    first = sorted(slack.asked)
    room.pass_time(minutes=7)
    await historian.fetch()

    assert first == [CHANNEL, OTHER]
    assert sorted(slack.asked) == [CHANNEL, CHANNEL, OTHER, OTHER]
    assert len(history.asked) == 2 * 13


async def test_what_comes_back_is_looked_at_at_once(room: Room):
    a_place(room)
    slack = Doorkeeper()
    historian = Historian(room.desk, slack, Silence(lambda: room.now))
    await historian.fetch()
    room.pass_time(minutes=1)

    historian.was_away(CHANNEL)
    await historian.fetch()

    assert slack.asked == [CHANNEL, CHANNEL]


async def test_what_fails_as_nobody_expected_is_left_alone_for_longer_each_time(room: Room):
    for number in range(2):
        a_place(room, thread=thread(number))
    history = Silence(lambda: room.now, broken=thread(0))
    historian = Historian(room.desk, Doorkeeper(), history)

    for _ in range(20):
        with contextlib.suppress(RuntimeError):
            await historian.fetch()
        room.pass_time(seconds=5)

    assert history.asked.count(thread(0)) == 3  # At once, and once a pause of 15 and one of 30 seconds are over.
    assert history.asked.count(thread(1)) == 1


class Hall(Doorkeeper):
    """A channel that one more comes to after it was opened, who is a program."""

    def __init__(self) -> None:
        super().__init__()
        self.here: tuple[UserId, ...] = (MARA, TOMAS)
        self.described: list[str] = []

    async def channel_facts(self, channel: ChannelId) -> ChannelFacts:
        return ChannelFacts(channel=channel, name="inc", members=self.here)

    async def person(self, user: str) -> PersonFact:
        self.described.append(user)
        return PersonFact(
            user_id=user, name=f"name of {user}", zone="UTC", email=None, is_bot=user == ALARM, deleted=False
        )


async def test_who_comes_after_the_opening_is_known_by_name_and_programs_for_what_they_are(room: Room):
    a_place(room)
    slack = Hall()
    historian = Historian(room.desk, slack, Silence(lambda: room.now))
    await historian.fetch()
    slack.here = (MARA, TOMAS, ALARM)

    for _ in range(3):
        room.pass_time(minutes=15)
        await historian.fetch()

    assert room.ask(people.bots, TEAM) == {ALARM}
    assert room.ask(people.find, TEAM, TOMAS)
    assert slack.described.count(ALARM) == 1


async def test_who_is_in_a_channel_is_known_before_its_history_is_read(room: Room):
    a_place(room)
    historian = Historian(room.desk, Hall(), Silence(lambda: room.now, broken=CHANNEL))

    with contextlib.suppress(RuntimeError):
        await historian.fetch()

    assert room.ask(people.find, TEAM, TOMAS)


# Several programs on one database -------------------------------------------------------------------


@pytest.fixture
def rooms(tmp_path: Path, postgresql_url: str) -> Iterator[list[Room]]:
    both = [a_room(tmp_path, postgresql_url), Room(Storage(postgresql_url))]
    yield both
    for each in both:
        each.storage.close()


async def read_by_both(rooms: list[Room]) -> list[str]:
    """What Slack is asked for while two programs find the same places due."""
    for number in range(6):
        a_place(rooms[0], thread=thread(number))
    histories = [Silence(lambda: rooms[0].now) for _ in rooms]
    readers = [Historian(each.desk, Doorkeeper(), history) for each, history in zip(rooms, histories, strict=True)]
    await asyncio.gather(*(reader.fetch() for reader in readers))
    return sorted(place for history in histories for place in history.asked)


@pytest.mark.postgres
async def test_of_several_programs_one_reads_a_place_and_asks_slack_for_it_once(rooms: list[Room]):
    assert await read_by_both(rooms) == [thread(number) for number in range(6)]


@pytest.mark.postgres
async def test_programs_that_held_nothing_would_ask_slack_twice(rooms: list[Room]):
    for each in rooms:
        each.storage.holds = Holds()

    assert len(await read_by_both(rooms)) > 6


@pytest.mark.postgres
async def test_a_draft_waits_for_another_program_that_reads_its_place_and_then_reads_it_whole(rooms: list[Room]):
    a_place(rooms[0])
    history = Silence(lambda: rooms[0].now)
    reader = Historian(rooms[0].desk, Doorkeeper(), history)
    rooms[1].storage.holds.take("history:1")

    comparing = asyncio.ensure_future(reader.compare(1))
    await asyncio.sleep(0.1)
    before = list(history.asked)
    rooms[1].storage.holds.release("history:1")

    assert (before, await comparing, history.asked) == ([], [], [CHANNEL])
