"""Reads from when until when those are busy whose review looks for its hour, and again each hour until it has met.

Nobody's calendar is read who has no part in such a review.
"""

import asyncio
import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
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
from storage import attending, busy, incidents, people, reviews
from storage.busy import Span
from storage.models import Incident

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
LOOKED_THROUGH_FOR = timedelta(minutes=1)
"""So long it is known who should come to a review without an hour, where nobody's part in it changed meanwhile."""
ROUND = "calendars"
"""What a round is held by."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose calendar is to be read."""

    user: UserId
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """A review whose meeting looks for its hour, or has one that is to come."""

    users: Sequence[UserId]
    """Who should come."""
    since: datetime
    """From this moment on their calendars are wanted."""
    mark: Hashable = None
    """Without an hour: what may not have changed, for this to be so still."""
    seen_at: datetime


class Availability:
    """Asks the database whose calendar is wanted, reads each, and records when they are busy."""

    def __init__(self, desk: Desk, calendars: Calendars, slack: Slack) -> None:
        self._desk = desk
        self._calendars = calendars
        self._slack = slack
        self._pauses: dict[UserId, datetime] = {}
        self._looking: Sequence[Looking] = ()

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
        self._looking = await asyncio.to_thread(self._desk.look, looking, known=self._looking)
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
        unknown = await asyncio.to_thread(self._desk.look, unknown_people, of=self._looking)
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
        return await asyncio.to_thread(self._desk.look, wanted, of=self._looking)

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


def wanted(turn: Turn, *, of: Sequence[Looking]) -> Sequence[Wanted]:
    """Who should come to these, and whose calendar was not read in the last hour.

    When an incident is over, those who were in it come first, whenever theirs was read.
    """
    read = busy.last_read(turn.db, turn.team, _everybody(of)) if of else {}
    fresh = turn.now - FRESH
    stale = dict.fromkeys(
        user for one in of for user in one.users if user not in read or read[user] < max(one.since, fresh)
    )
    if not stale:
        return []
    zones = people.zones(turn.db, turn.team, list(stale))
    found = busy.readable(turn.db, turn.team, list(stale))
    return [Wanted(user, Person(email, ZoneInfo(zones[user]))) for user, email in found.items()]


def unknown_people(turn: Turn, *, of: Sequence[Looking]) -> Sequence[UserId]:
    """Who should come to these, and nobody has told us their address."""
    return busy.unmet(turn.db, turn.team, _everybody(of)) if of else []


def _everybody(of: Sequence[Looking]) -> Sequence[UserId]:
    return list(dict.fromkeys(user for one in of for user in one.users))


# Whose review looks for its hour ------------------------------------------------------------------


def looking(turn: Turn, *, known: Sequence[Looking] = ()) -> Sequence[Looking]:
    """Every review whose meeting looks for its hour, or has one that is to come.

    To find who should come takes many questions: what was `known` a moment ago is not asked again.
    """
    return [*_without_an_hour(turn, {one.mark: one for one in known}), *_with_an_hour(turn)]


def _without_an_hour(turn: Turn, known: Mapping[Hashable, Looking]) -> Iterator[Looking]:
    waiting = reviews.without_a_plan(turn.db, turn.team, opened_since=turn.now - RECENT)
    numbers = [incident.id for incident in waiting]
    over = reviews.over_in(turn.db, numbers) if waiting else {}
    roles = incidents.roles_in(turn.db, numbers) if waiting else {}
    for incident in waiting:
        if incident.id in over:
            mark = (over[incident.id].id, incident.severity, roles[incident.id])
            yield _still(turn, known.get(mark)) or _seen_now(turn, incident, over[incident.id].recorded_at, mark)


def _still(turn: Turn, one: Looking | None) -> Looking | None:
    return one if one and one.seen_at <= turn.now < one.seen_at + LOOKED_THROUGH_FOR else None


def _seen_now(turn: Turn, incident: Incident, since: datetime, mark: Hashable) -> Looking:
    meets = turn.asked_of(incident).depth is Depth.full
    users = sitting.proposal(turn, incident).core if meets else ()
    return Looking(users=users, since=since, mark=mark, seen_at=turn.now)


def _with_an_hour(turn: Turn) -> Iterator[Looking]:
    planned = reviews.planned_between(turn.db, turn.team, turn.now, turn.now + AHEAD)
    cores = attending.cores(turn.db, [meeting for meeting, _ in planned]) if planned else {}
    for meeting, _ in planned:
        yield Looking(users=cores[meeting.id], since=turn.now - FRESH, seen_at=turn.now)


def keep_busy(turn: Turn, *, user: UserId, spans: Sequence[Span]) -> Notes:
    """Keep when somebody is busy, in place of what was known of it."""
    busy.keep(turn.db, turn.team, user, spans, now=turn.now)
    return ()
