"""Reads from when until when those are busy whose review looks for its hour, and again each hour until it has met.

Nobody's calendar is read who has no part in such a review.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot import sitting
from bot.caldav import Calendars, NotRead, Person
from bot.desk import Desk, Notes, Turn
from bot.historian import remember_people
from bot.review.incident import UserId
from bot.review.policy import Depth
from bot.slack import Slack
from storage import attending, busy, people, reviews
from storage.busy import Span

log = logging.getLogger("debrief.availability")

LOOK_AGAIN_S = 5.0
FRESH = timedelta(hours=1)
"""So long what was read is good enough."""
AHEAD = timedelta(days=21)
"""How far it is read: three weeks from now."""
RECENT = timedelta(days=7)
"""An incident opened longer ago than this looks for no hour unless somebody asks."""
AT_ONCE = 4
MOST_MET = 50
"""Profiles asked for at a time: Slack answers about a hundred a minute."""
PAUSE = timedelta(minutes=10)
"""How long a calendar that could not be read is left alone."""
ROUND = "calendars"
"""What a round is held by."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose calendar is to be read."""

    user: UserId
    person: Person


class Availability:
    """Asks the database whose calendar is wanted, reads each, and records when they are busy."""

    def __init__(self, desk: Desk, calendars: Calendars, slack: Slack) -> None:
        self._desk = desk
        self._calendars = calendars
        self._slack = slack
        self._pauses: dict[UserId, datetime] = {}

    async def run(self) -> None:
        """Read until cancelled; a failing round is logged and the next one follows."""
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("a round of calendars failed")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def round(self) -> None:
        """Read what is wanted now, unless another program on this database does so."""
        now = await asyncio.to_thread(self._desk.now)
        await self._meet(now)
        wanted = [one for one in await self._wanted() if now >= self._pauses.get(one.user, now)]
        holds = self._desk.storage.holds
        if not wanted or not await asyncio.to_thread(holds.take, ROUND):
            return
        try:
            turns = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._read(one, now, turns) for one in wanted))
        finally:
            await asyncio.to_thread(holds.release, ROUND)

    async def _meet(self, now: datetime) -> None:
        """Ask Slack for the address of those of whom nothing is known; whom it does not know now it is asked later."""
        unknown = await asyncio.to_thread(self._desk.look, unknown_people)
        asked = [user for user in unknown if now >= self._pauses.get(user, now)][:MOST_MET]
        if not asked:
            return
        self._pauses |= dict.fromkeys(asked, now + PAUSE)
        try:
            found = await self._slack.people_of(asked)
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("people cannot be met", extra={"error": type(error).__name__})
            return
        await asyncio.to_thread(self._desk.serve, remember_people, found=found)
        for person in found:
            self._pauses.pop(UserId(person.user_id), None)

    async def _wanted(self) -> Sequence[Wanted]:
        return await asyncio.to_thread(self._desk.look, wanted)

    async def _read(self, wanted: Wanted, now: datetime, turns: asyncio.Semaphore) -> None:
        try:
            async with turns:
                spans = await self._calendars.busy(wanted.person, now, now + AHEAD)
        except NotRead as why:
            log.warning("a calendar cannot be read", extra={"user": wanted.user, "why": str(why)})
            self._pauses[wanted.user] = now + PAUSE
            return
        self._pauses.pop(wanted.user, None)
        await asyncio.to_thread(self._desk.serve, keep_busy, user=wanted.user, spans=spans)


def wanted(turn: Turn) -> Sequence[Wanted]:
    """Who has a part in a review that looks for its hour, and whose calendar was not read in the last hour.

    When an incident is over, those who were in it come first, whenever theirs was read.
    """
    stale = dict.fromkeys(user for users, since in _reviews(turn) for user in _stale(turn, users, since))
    zones = people.zones(turn.db, turn.team, list(stale))
    found = busy.readable(turn.db, turn.team, list(stale))
    return [Wanted(user, Person(email, ZoneInfo(zones[user]))) for user, email in found.items()]


def unknown_people(turn: Turn) -> Sequence[UserId]:
    """Who has a part in such a review, and nobody has told us their address."""
    users = dict.fromkeys(user for users, _ in _reviews(turn) for user in users)
    return busy.unmet(turn.db, turn.team, list(users))


def _stale(turn: Turn, users: Sequence[UserId], since: datetime) -> Sequence[UserId]:
    return busy.unread(turn.db, turn.team, users, since=max(since, turn.now - FRESH))


def _reviews(turn: Turn) -> Iterable[tuple[Sequence[UserId], datetime]]:
    """Those who should come to the meeting of each review, and since when its hour is looked for."""
    for incident in reviews.without_a_plan(turn.db, turn.team, opened_since=turn.now - RECENT):
        over = reviews.over(turn.db, incident)
        if over and turn.asked_of(incident).depth is Depth.full:
            yield sitting.proposal(turn, incident).core, over.recorded_at
    for meeting, _ in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + AHEAD):
        yield attending.core(turn.db, meeting), turn.now - FRESH


def keep_busy(turn: Turn, *, user: UserId, spans: Sequence[Span]) -> Notes:
    """Keep when somebody is busy, in place of what was known of it."""
    busy.keep(turn.db, turn.team, user, spans, now=turn.now)
    return ()
