"""Fetches the history that newly opened sources ask for, page by page; what a crash cut off goes on from its cursor."""

import asyncio
import logging
from collections.abc import Callable, Collection, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.errors import SlackApiError

from bot import archiving
from bot.desk import Desk, Notes, Turn
from bot.review.heard import PersonFact
from bot.review.incident import ChannelId, Place
from bot.review.refusal import NotInChannel
from bot.slack import Page, Slack
from storage import channels, incidents, people
from storage.models import Source

log = logging.getLogger("debrief.historian")


Reached = Callable[[int], object]
"""Told how many seconds of a history have been read."""
Show = Callable[[int], AbstractContextManager[Reached]]
"""Shows somebody how far the reading of so many seconds of history has come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source whose history is still to be read, since `oldest`."""

    source: int
    place: Place
    oldest: datetime
    cursor: str | None


class Historian:
    """Reads what is wanted, one source after another; asked again while it reads, it goes on reading."""

    def __init__(self, desk: Desk, slack: Slack, *, show: Show | None = None) -> None:
        self._desk = desk
        self._slack = slack
        self._show = show or _show_nobody
        self._reading = asyncio.Lock()

    async def fetch(self) -> None:
        """Read every history that is wanted now."""
        if self._reading.locked():
            return
        async with self._reading:
            for wanted in await asyncio.to_thread(self._desk.look, _wanted):
                await self._read(wanted)

    async def _read(self, wanted: Wanted) -> None:
        try:
            with self._show(int((self._desk.now() - wanted.oldest).total_seconds())) as reached:
                await self._read_pages(wanted, reached)
        except (NotInChannel, SlackApiError) as error:
            log.warning("history cannot be read", extra={"channel": wanted.place.channel, "error": _why(error)})
            return
        await asyncio.to_thread(self._desk.serve, archiving.finish_fetch, source_id=wanted.source)
        await self._meet_members(wanted.place.channel)

    async def _read_pages(self, wanted: Wanted, reached: Reached) -> None:
        cursor = wanted.cursor
        while True:
            page = await self._slack.history(wanted.place, wanted.oldest, cursor)
            cursor = page.next_cursor
            await asyncio.to_thread(
                self._desk.serve,
                archiving.take_in,
                source_id=wanted.source,
                messages=list(page.messages),
                cursor=cursor,
            )
            reached(_seconds_back(page, self._desk.now()))
            log.info("history read", extra={"channel": wanted.place.channel, "messages": len(page.messages)})
            if not cursor:
                return

    async def _meet_members(self, channel: str) -> None:
        """Names and zones of everybody in the channel, for the report and for finding an hour."""
        unknown = await asyncio.to_thread(self._desk.look, _unknown, channel=channel)
        found = await self._slack.people_of(unknown)
        await asyncio.to_thread(self._desk.serve, remember_people, found=found)


def _why(error: Exception) -> str:
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else type(error).__name__


def _wanted(turn: Turn) -> list[Wanted]:
    return [_of(source) for source in incidents.unfetched(turn.db, turn.team)]


def _of(source: Source) -> Wanted:
    place = Place(ChannelId(source.channel_id), source.thread_ts)
    return Wanted(source.id, place, source.fetch_from or source.from_at, source.cursor)


def _unknown(turn: Turn, *, channel: str) -> list[str]:
    members = people.members(turn.db, turn.team, channel)
    return [user for user in members if people.find(turn.db, turn.team, user) is None]


def remember_people(turn: Turn, *, found: Collection[PersonFact]) -> Notes:
    """Keep the profiles that Slack has told."""
    for person in found:
        channels.keep_person(turn.db, turn.team, person, now=turn.now)
    return ()


def _seconds_back(page: Page, now: datetime) -> int:
    """How far back in time a page comes; Slack does not say how many pages there are."""
    return int(now.timestamp() - float(page.messages[0]["ts"])) if page.messages else 0


@contextmanager
def _show_nobody(_seconds: int) -> Generator[Reached]:
    yield lambda _reached: None
