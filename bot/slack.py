"""The Slack we read: channels and people. It keeps nothing and says nothing; abilities are given what it finds."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.paging import CLOSED_TO_US, said_by
from bot.review.heard import PersonFact, read_person
from bot.review.history import LARGE_PAGE
from bot.review.incident import ChannelFacts, ChannelId, UserId
from bot.review.refusal import NotInChannel
from bot.review.user_group import GroupFact, read_groups

log = logging.getLogger("debrief.slack")

MOST_PAGES_COUNTED = 5
AT_ONCE = 4
"""Profiles asked for at a time: Slack answers about a hundred a minute."""
NOBODY = {"user_not_found", "user_not_visible", "users_not_found"}
NOT_TOLD = {"unknown_method", "missing_scope", "fetch_members_failed"}
"""Answers of a Slack that does not say who is in a channel."""
NO_GROUPS = {"unknown_method", "missing_scope", "plan_upgrade_required"}
"""Answers of a Slack that has no user groups, or does not tell us of them."""


@dataclass(frozen=True)
class Count:
    """How many messages were said; at least so many where not all were looked at."""

    messages: int
    is_all: bool


class Slack:
    """Reads through a client that waits out rate limits and tries again after server errors."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def channel_facts(self, channel: ChannelId) -> ChannelFacts:
        """What Slack says of a channel now, its members included; raises NotInChannel."""
        answer = await self._ask("conversations.info", channel=channel)
        said = answer.get("channel") or {}
        members = await self._members_told(channel)
        return ChannelFacts(
            channel=channel,
            name=said.get("name") or "",
            private=bool(said.get("is_private")),
            archived=bool(said.get("is_archived")),
            created_at=_moment(said.get("created")),
            creator=UserId(said["creator"]) if said.get("creator") else None,
            members=tuple(members),
            bot_is_member=bool(said.get("is_member", True)),
        )

    async def person(self, user: str) -> PersonFact | None:
        """A person's profile; None where Slack knows nobody of that id."""
        try:
            answer = await self._ask("users.info", user=user)
        except SlackApiError as error:
            if said_by(error) in NOBODY:
                return None
            raise
        return read_person(answer.get("user"))

    async def people_of(self, users: Collection[str]) -> list[PersonFact]:
        """The profiles of these people, of those that Slack knows."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(user: str) -> PersonFact | None:
            async with turns:
                return await self.person(user)

        found = await asyncio.gather(*(one(user) for user in sorted(set(users))))
        return [person for person in found if person]

    async def groups(self) -> list[GroupFact] | None:
        """Every user group and who is in it; None where Slack has none or does not tell."""
        try:
            answer = await self._ask("usergroups.list", include_users=True, include_disabled=True)
        except SlackApiError as error:
            if said_by(error) not in NO_GROUPS:
                raise
            log.info("user groups are not told", extra={"error": said_by(error)})
            return None
        return read_groups(answer.get("usergroups"))

    async def counts_since(self, channel: ChannelId, moments: Sequence[datetime]) -> list[Count]:
        """How many messages, replies included, were said since each of these moments; five calls tell enough."""
        said, cursor = list[tuple[float, int]](), None
        for _ in range(MOST_PAGES_COUNTED):
            where = {"channel": channel, "oldest": _ts(min(moments)), "limit": LARGE_PAGE}
            answer = await self._ask("conversations.history", **where, **_from(cursor))
            said += [(float(one["ts"]), 1 + (one.get("reply_count") or 0)) for one in answer.get("messages") or []]
            cursor = _cursor(answer)
            if not cursor:
                break
        reached = min((at for at, _ in said), default=0.0) if cursor else 0.0
        return [_count(said, moment.timestamp(), reached=reached) for moment in moments]

    async def file(self, file_id: str) -> Mapping[str, Any]:
        """A file as Slack describes it now; raises SlackApiError."""
        answer = await self._ask("files.info", file=file_id)
        return answer.get("file") or {}

    async def _members_told(self, channel: ChannelId) -> list[UserId]:
        """Who is in a channel; nobody where Slack does not say, for that is no reason to refuse an incident."""
        try:
            return [user async for user in self._members(channel)]
        except SlackApiError as error:
            if said_by(error) not in NOT_TOLD:
                raise
            log.warning("members are not told", extra={"channel": channel, "error": said_by(error)})
            return []

    async def _members(self, channel: ChannelId) -> AsyncIterator[UserId]:
        cursor = None
        while True:
            answer = await self._ask("conversations.members", channel=channel, limit=LARGE_PAGE, **_from(cursor))
            for user in answer.get("members") or []:
                yield UserId(user)
            cursor = _cursor(answer)
            if not cursor:
                return

    async def _ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer = await self._client.api_call(method, params=_as_params(arguments), http_verb="GET")
        except SlackApiError as error:
            if said_by(error) in CLOSED_TO_US:
                raise NotInChannel(str(arguments.get("channel", ""))) from error
            raise
        return answer.data if isinstance(answer.data, dict) else {}


def _count(said: Collection[tuple[float, int]], since: float, *, reached: float) -> Count:
    return Count(sum(messages for at, messages in said if at >= since), is_all=reached <= since)


def _as_params(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: ("true" if value is True else value) for name, value in arguments.items()}


def _from(cursor: str | None) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}


def _cursor(answer: Mapping[str, Any]) -> str | None:
    return (answer.get("response_metadata") or {}).get("next_cursor") or None


def _ts(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) and seconds else None
