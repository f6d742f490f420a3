"""Fetches the history that newly opened sources ask for, page by page; what a crash cut off goes on from its cursor."""

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source whose history is still to be read, since `oldest`."""

    source: int
    place: Place
    oldest: datetime
    cursor: str | None


class Historian:
    """Reads what is wanted, one source after another; asked again while it reads, it goes on reading."""

    def __init__(self, desk: Desk, slack: Slack) -> None:
        self._desk = desk
        self._slack = slack
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
            with _progress(wanted, self._desk.now()) as reached:
                await self._read_pages(wanted, reached)
        except (NotInChannel, SlackApiError) as error:
            log.warning("history cannot be read", extra={"channel": wanted.place.channel, "error": _why(error)})
            return
        await asyncio.to_thread(self._desk.serve, archiving.finish_fetch, source_id=wanted.source)
        await self._meet_members(wanted.place.channel)

    async def _read_pages(self, wanted: Wanted, reached: "_Reached") -> None:
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
            reached(page)
            log.info("history read", extra={"channel": wanted.place.channel, "messages": len(page.messages)})
            if not cursor:
                return

    async def _meet_members(self, channel: str) -> None:
        """Names and zones of everybody in the channel, for the report and for finding an hour."""
        unknown = await asyncio.to_thread(self._desk.look, _unknown, channel=channel)
        found = await self._slack.people_of(unknown)
        await asyncio.to_thread(self._desk.serve, _remember, found=found)


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


def _remember(turn: Turn, *, found: list[PersonFact]) -> Notes:
    for person in found:
        channels.keep_person(turn.db, turn.team, person, now=turn.now)
    return ()


class _Reached:
    """How far back in time the pages have come; Slack does not say how many there are."""

    def __init__(self, wanted: Wanted, now: datetime, bar: Any) -> None:
        self._whole = max(1, int((now - wanted.oldest).total_seconds()))
        self._now = now
        self._bar = bar

    def __call__(self, page: Page) -> None:
        if self._bar and page.messages:
            back = int(self._now.timestamp() - float(page.messages[0]["ts"]))
            self._bar.update(min(back, self._whole) - self._bar.pos)


@contextmanager
def _progress(wanted: Wanted, now: datetime) -> Generator[_Reached]:
    """A bar on a terminal; elsewhere the log lines tell."""
    if not sys.stderr.isatty():
        yield _Reached(wanted, now, None)
        return
    length = max(1, int((now - wanted.oldest).total_seconds()))
    with click.progressbar(length=length, label="Reading history", file=sys.stderr) as bar:
        yield _Reached(wanted, now, bar)
        bar.update(length - bar.pos)
