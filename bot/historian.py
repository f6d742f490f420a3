"""Reads what the archive lacks: new sources, gaps, the last day again and again, and all of it before a draft.

A reading is kept page by page, so that what a crash cut off goes on where it was. Each source is read by a task of its
own, in one of the programs that share a database; all tasks share the pace that Slack allows.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot import archiving, listening
from bot.archiving import AWAY_FROM_ALL, Due, Wanted
from bot.desk import Desk, Notes, Turn
from bot.paging import History, said_by
from bot.review.heard import PersonFact
from bot.review.history import Page, Why
from bot.review.incident import ChannelId
from bot.review.refusal import NotInChannel
from bot.slack import Slack
from storage import channels, people

log = logging.getLogger("debrief.historian")

Reached = Callable[[int], object]
"""Told how many seconds of a history have been read."""
Show = Callable[[int], AbstractContextManager[Reached]]
"""Shows somebody how far the reading of so many seconds of history has come."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=10)
"""How long a source that could not be read is left alone: longer each time."""
LOOKED_AT_FOR = timedelta(minutes=5)
"""How long it is known what a channel is like and who is in it, however many sources are read there."""
PATIENCE = timedelta(minutes=10)
"""How long a draft waits for the archive to be compared with Slack; what answers it is good for half an hour."""
LOOK_AGAIN_S = 0.25


@dataclass(frozen=True)
class Pause:
    """Since when, and for how long, a source of this channel is left alone."""

    channel: str
    since: datetime
    length: timedelta


class Historian:
    """Reads what is due, each source once at a time."""

    def __init__(self, desk: Desk, slack: Slack, history: History, *, show: Show | None = None) -> None:
        self._desk = desk
        self._slack = slack
        self._history = history
        self._show = show or _show_nobody
        self._tasks: dict[int, asyncio.Task[bool]] = {}
        self._asked: set[str] = set()
        self._away: dict[str, datetime] = {}
        self._pauses: dict[int, Pause] = {}
        self._failed: dict[int, str] = {}
        self._looks: dict[str, tuple[datetime, asyncio.Task[None]]] = {}

    def was_away(self, channel: str = AWAY_FROM_ALL) -> None:
        """Slack may have kept something from us until now, everywhere or in one channel: look for it."""
        self._asked.add(channel)

    async def start_due(self) -> None:
        """Begin to read what is due; nobody waits for it."""
        now = await asyncio.to_thread(self._desk.now)
        for source, channel in self._failed.items():
            self._pause(source, channel, now)
        self._failed.clear()
        for channel in self._asked:
            self._away[channel] = now
            self._begin_afresh(channel)
        self._asked.clear()
        held = [due.source for due in await self._due(now) if await self._hold(due.source)]
        still_due = {due.source: due for due in await self._due(now)} if held else {}
        for source in held:
            if source in still_due:
                self._start(still_due[source])
            else:  # Whoever held it before us has just read it.
                await self._let_go(source)

    async def _due(self, now: datetime) -> list[Due]:
        due: Sequence[Due] = await asyncio.to_thread(self._desk.look, archiving.due, away=self._away)
        return [one for one in due if one.source not in self._tasks and not self._is_paused(one.source, now)]

    async def fetch(self) -> None:
        """Read what is due now, to its end."""
        await self.start_due()
        await asyncio.gather(*self._tasks.values())

    async def compare(self, incident: int) -> Sequence[str]:
        """Read the places of an incident whole, within ten minutes; the channels where Slack did not let us."""
        due = await asyncio.to_thread(self._desk.look, archiving.places_of, incident_id=incident)
        until = await asyncio.to_thread(self._desk.now) + PATIENCE
        done = await asyncio.gather(*(self._compare(one, until) for one in due))
        return [one.channel for one, was_read in zip(due, done, strict=True) if not was_read]

    async def stop(self) -> None:
        """Read no further; what was read is kept, and the rest goes on at the next start."""
        tasks = [*self._tasks.values(), *(look for _, look in self._looks.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _compare(self, due: Due, until: datetime) -> bool:
        """What is being read of the source comes first, then all of it."""
        under_way = self._tasks.get(due.source)
        if under_way and not await self._in_time(under_way, until):
            return False
        again = self._tasks.get(due.source)
        if again is None and await self._hold_in_time(due.source, until):
            again = self._start(due)
        return again is not None and await self._in_time(again, until)

    async def _in_time(self, task: asyncio.Task[bool], until: datetime) -> bool:
        while await asyncio.to_thread(self._desk.now) < until:
            done, _ = await asyncio.wait({task}, timeout=LOOK_AGAIN_S)
            if done:
                return not task.cancelled() and not task.exception() and task.result()
        return False

    # One source --------------------------------------------------------------------------

    async def _hold(self, source: int) -> bool:
        """Whether nobody else reads a source; then it is ours until the reading ends."""
        return await asyncio.to_thread(self._desk.storage.holds.take, _name_of(source))

    async def _hold_in_time(self, source: int, until: datetime) -> bool:
        """Wait for another program that reads it."""
        while not await self._hold(source):
            if await asyncio.to_thread(self._desk.now) >= until:
                return False
            await asyncio.sleep(LOOK_AGAIN_S)
        return True

    async def _let_go(self, source: int) -> None:
        await asyncio.to_thread(self._desk.storage.holds.release, _name_of(source))

    def _start(self, due: Due) -> asyncio.Task[bool]:
        """Read a source that we hold."""
        task = self._tasks[due.source] = asyncio.create_task(self._read_held(due))
        task.add_done_callback(lambda done: self._forget(due, done))
        return task

    def _forget(self, due: Due, task: asyncio.Task[bool]) -> None:
        self._tasks.pop(due.source, None)
        error = None if task.cancelled() else task.exception()
        if error:
            log.error("a history could not be kept", exc_info=error, extra={"source": due.source})
            self._failed[due.source] = due.channel

    async def _read_held(self, due: Due) -> bool:
        try:
            return await self._read(due)
        finally:
            await self._let_go(due.source)

    async def _read(self, due: Due) -> bool:
        """Whether the end was reached; a Slack that cannot be read is asked again later."""
        try:
            await self._look_once(due.channel)
            await self._serve(archiving.begin_reading, source_id=due.source, why=due.why)
            await self._walk(due)
        except (NotInChannel, SlackApiError, ClientError, OSError, TimeoutError) as error:
            await self._put_off(due, error)
            return False
        await self._serve(archiving.finish_reading, source_id=due.source)
        self._pauses.pop(due.source, None)
        if due.why is Why.opening:
            await self._tell_progress(due)
        return True

    async def _look_once(self, channel: str) -> None:
        """Look at a channel unless that was done lately, for whichever of its sources."""
        now = await asyncio.to_thread(self._desk.now)
        since, look = self._looks.get(channel, (now, None))
        if look is None or _has_failed(look) or not since <= now < since + LOOKED_AT_FOR:
            look = asyncio.create_task(self._look_at(channel))
            self._looks[channel] = (now, look)
        await asyncio.shield(look)

    async def _look_at(self, channel: str) -> None:
        """What became of a channel that nobody told us: its name, whether it is private now, who is in it.

        That Slack does not say is no reason not to read it.
        """
        try:
            facts = await self._slack.channel_facts(ChannelId(channel))
        except NotInChannel:
            await self._serve(listening.learn_of_closed, channel=ChannelId(channel))
            raise
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("a channel is not described", extra={"channel": channel, "error": type(error).__name__})
        else:
            await self._serve(listening.learn, channel=facts)
            await self._meet_members(channel)

    async def _walk(self, due: Due) -> None:
        now = await asyncio.to_thread(self._desk.now)
        show = self._show if due.why is Why.opening else _show_nobody
        with show(int((now - due.since).total_seconds())) as reached:
            while wanted := await asyncio.to_thread(self._desk.look, archiving.wanted, source_id=due.source):
                page = await self._ask(wanted)
                await self._keep(page, wanted)
                if due.why is Why.opening:
                    await self._tell_progress(due)
                if page.is_meagre:
                    self._history.slow_down()
                if not wanted.thread:
                    reached(_seconds_back(page))
                log.info("history read", extra={"channel": wanted.channel, "messages": len(page.messages)})

    async def _tell_progress(self, due: Due) -> None:
        """Whoever waits for a history hears how far it is read; where there is nothing to tell, nothing is written."""
        progress = await asyncio.to_thread(self._desk.look, listening.progress, source_id=due.source)
        if progress:
            await self._serve(listening.tell_progress, source_id=due.source, progress=progress)

    async def _keep(self, page: Page, wanted: Wanted) -> None:
        """Part by part: what is said meanwhile goes first."""
        *ahead, rest = page.parts()
        for part in (*ahead, rest):
            await asyncio.to_thread(lambda part=part: part.facts)
            if part is not rest:
                await self._serve(archiving.take_part, part=part, wanted=wanted)
        await self._serve(archiving.take_in, page=page, wanted=wanted, rest=rest)

    async def _ask(self, wanted: Wanted) -> Page:
        if wanted.thread:
            page = await self._history.thread_page(wanted.channel, wanted.thread, wanted.cursor)
        else:
            page = await self._history.channel_page(wanted.channel, wanted.oldest, wanted.cursor)
        if not await asyncio.to_thread(self._desk.look, archiving.wants_older, page=page, wanted=wanted):
            return page
        lowest = next(iter(page.times), wanted.thread or f"{wanted.oldest.timestamp():.6f}")
        return replace(page, older_ts=await self._history.oldest_before(wanted.channel, lowest))

    async def _put_off(self, due: Due, error: Exception) -> None:
        word = said_by(error) if isinstance(error, SlackApiError) else type(error).__name__
        log.warning("history cannot be read", extra={"channel": due.channel, "error": word})
        if word == "invalid_cursor":
            await self._serve(archiving.begin_anew, source_id=due.source)
        now = await asyncio.to_thread(self._desk.now)
        self._pause(due.source, due.channel, now)
        if isinstance(error, NotInChannel):
            self._pauses[due.source] = Pause(due.channel, now, LONGEST_PAUSE)

    def _pause(self, source: int, channel: str, now: datetime) -> None:
        """Leave a source alone, for twice as long as the last time."""
        before = self._pauses.get(source)
        length = min(before.length * 2, LONGEST_PAUSE) if before else FIRST_PAUSE
        self._pauses[source] = Pause(channel, now, length)

    def _is_paused(self, source: int, now: datetime) -> bool:
        pause = self._pauses.get(source)
        return pause is not None and pause.since <= now < pause.since + pause.length

    def _begin_afresh(self, channel: str) -> None:
        """Whatever kept us from a channel, or from all, may be over, and whatever was seen of it, too."""
        for source, pause in list(self._pauses.items()):
            if channel in (AWAY_FROM_ALL, pause.channel):
                del self._pauses[source]
        for known in [channel] if channel else list(self._looks):
            self._looks.pop(known, None)

    async def _meet_members(self, channel: str) -> None:
        """Names and zones of whoever is in the channel and not known, for the report and for finding an hour.

        Before its history is read, which can take hours, and again later, for most people come after it was opened;
        and a program in it is only known for one by its profile.
        """
        unknown = await asyncio.to_thread(self._desk.look, _unknown, channel=channel)
        with contextlib.suppress(SlackApiError, ClientError, OSError, TimeoutError):
            found = await self._slack.people_of(unknown)
            await self._serve(remember_people, found=found)

    async def _serve(self, ability: Callable[..., Notes], **what: Any) -> None:
        await asyncio.to_thread(self._desk.serve, ability, **what)


def _name_of(source: int) -> str:
    """What it is held by."""
    return f"history:{source}"


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _unknown(turn: Turn, *, channel: str) -> list[str]:
    members = people.members(turn.db, turn.team, channel)
    return [user for user in members if people.find(turn.db, turn.team, user) is None]


def remember_people(turn: Turn, *, found: Collection[PersonFact]) -> Notes:
    """Keep the profiles that Slack has told."""
    for person in found:
        channels.keep_person(turn.db, turn.team, person, now=turn.now)
    return ()


def _seconds_back(page: Page) -> int:
    """How far back in time a page comes; Slack does not say how many pages there are."""
    return int(page.asked_at.timestamp() - float(page.times[0])) if page.messages else 0


@contextmanager
def _show_nobody(_seconds: int) -> Generator[Reached]:
    yield lambda _reached: None
