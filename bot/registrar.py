"""Reads from Slack who is in which user group, and the profiles of those who may be asked and were never met."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.desk import Desk, Notes, Turn
from bot.historian import remember_people
from bot.review.user_group import GroupFact
from bot.slack import Slack
from storage import attending, groups, participants, people

log = logging.getLogger("debrief.registrar")

EVERY = timedelta(minutes=15)
"""How often it is read who is in which group."""
LATELY = timedelta(days=14)
"""Of incidents opened since then the affected teams are met."""
A_DAY = timedelta(days=1)
MOST_MET = 50
"""Profiles asked for at a time: Slack answers about a hundred a minute, and others ask, too."""


class Registrar:
    """Reads every quarter of an hour; what Slack does not tell now is asked again then."""

    def __init__(self, desk: Desk, slack: Slack) -> None:
        self._desk = desk
        self._slack = slack
        self._read_at: datetime | None = None

    async def read_if_due(self) -> None:
        """Read the groups, and meet who may be asked because of them."""
        now = await asyncio.to_thread(self._desk.now)
        if self._read_at and self._read_at <= now < self._read_at + EVERY:
            return
        self._read_at = now
        try:
            await self._read()
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("user groups cannot be read", extra={"error": type(error).__name__})

    async def _read(self) -> None:
        found = await self._slack.groups()
        if found is not None:
            await self._serve(remember_groups, found=found)
        unmet = await asyncio.to_thread(self._desk.look, unmet_people)
        if unmet:
            await self._serve(remember_people, found=await self._slack.people_of(unmet[:MOST_MET]))

    async def _serve(self, ability: Callable[..., Notes], **what: Any) -> None:
        await asyncio.to_thread(self._desk.serve, ability, **what)


def remember_groups(turn: Turn, *, found: Collection[GroupFact]) -> Notes:
    """Keep the user groups that Slack has told of."""
    groups.keep(turn.db, turn.team, found, now=turn.now)
    return ()


def unmet_people(turn: Turn) -> Sequence[str]:
    """Whom the policy may ask, who is asked to a planned meeting or of an affected team, and was never met."""
    policy = turn.house.policy
    pools = [policy.leaders, policy.facilitators, policy.scribes]
    asked = [user for pool in pools for user in groups.pool(turn.db, turn.team, pool)]
    asked += [user for speakers in policy.business.values() for user in speakers]
    asked += attending.expected(turn.db, turn.team)
    asked += participants.unmet(turn.db, turn.team, since=turn.now - LATELY)
    unmet = [user for user in dict.fromkeys(asked) if people.find(turn.db, turn.team, user) is None]
    return [*unmet, *_without_address(turn)]


def _without_address(turn: Turn) -> list[str]:
    """Who is asked to a meeting and would get a letter, looked up once a day: the app may be told addresses by now."""
    if not turn.house.letters_from:
        return []
    asked = [people.find(turn.db, turn.team, user) for user in attending.expected(turn.db, turn.team)]
    nowhere = [person for person in asked if person and not (person.email or person.gone_since or person.bot_since)]
    return [one.user_id for one in nowhere if one.read_at is None or turn.now - one.read_at >= A_DAY]
