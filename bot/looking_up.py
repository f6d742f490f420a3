"""Finds in Slack what we said: by an opaque mark that every message of ours carries, or by the file it shows.

The one who asks decides what a finding means. What goes wrong is raised as one of the FAILURES of outcomes.
"""

import hashlib
import hmac
import html
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.outcomes import messages_of, yes

EVENT = "debrief_note"
"""What Slack calls the type of our metadata."""
A_PAGE = 200

Json = Mapping[str, Any]


def mark_of(mark_key: str, key: str) -> str:
    """The mark of the note of this key and of no other; every member and app can read it, so it tells them nothing."""
    return hmac.new(mark_key.encode(), key.encode(), hashlib.sha256).hexdigest()[:32]


def metadata(mark: str) -> dict[str, Any]:
    """A mark as a message carries it."""
    return {"event_type": EVENT, "event_payload": {"mark": mark}}


@dataclass(frozen=True, slots=True)
class Found:
    """A message of ours: where it stands, and the mark that it carries."""

    channel: str
    ts: str
    mark: str


async def find(
    client: AsyncWebClient,
    channel: str,
    *,
    thread: str,
    oldest: str,
    marks: Collection[str],
    files: Collection[str] = (),
    words: str | None = None,
) -> Found | None:
    """The first message that Slack lists since a ts and that carries one of the marks or shows one of the files.

    Where `words` are given, it is one that says the same. None where all of the channel since then, or of the
    thread in it, was read, and there is none.
    """
    async with aclosing(_messages(client, channel, thread, oldest)) as messages:
        async for message in messages:
            mark = mark_in(message)
            is_meant = words is None or says_the_same(message, words)
            if (mark in marks and is_meant) or not shown_in(message).isdisjoint(files):
                return Found(channel, str(message["ts"]), mark)
    return None


def mark_in(message: Json) -> str:
    """The mark that a message carries; empty where there is none."""
    carried = message.get("metadata") or {}
    return str((carried.get("event_payload") or {}).get("mark") or "")


EMOJI = re.compile(":[a-z0-9_+-]+:")


def says_the_same(message: Json, words: str) -> bool:
    """Whether a message says these words; Slack writes emoji and marks in its own way."""
    return _bare(str(message.get("text") or "")) == _bare(words)


def _bare(words: str) -> list[str]:
    return re.findall(r"\w+", EMOJI.sub(" ", html.unescape(words)))


def shown_in(message: Json) -> set[str]:
    """The files that can be seen in a message."""
    return {str(file.get("id")) for file in message.get("files") or () if file.get("mode") != "tombstone"}


async def _messages(client: AsyncWebClient, channel: str, thread: str, oldest: str) -> AsyncGenerator[Json]:
    asked: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": A_PAGE, "include_all_metadata": True}
    cursor = ""
    while True:
        page = await yes(
            client.conversations_replies(ts=thread, cursor=cursor, **asked)
            if thread
            else client.conversations_history(cursor=cursor, **asked)
        )
        for message in messages_of(page):
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


async def conversation(client: AsyncWebClient, channel: str) -> str:
    """The conversation itself: a channel is one, and with a person it is the direct one."""
    if not channel.startswith(("U", "W")):
        return channel
    opened = await yes(client.conversations_open(users=channel))
    return str((opened.get("channel") or {}).get("id"))
