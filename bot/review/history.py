"""Readings of history: why there are some, what a page is and is not, and what was healed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from bot.review.heard import MessageFact, in_order, read_message

LAG = timedelta(minutes=1)
"""History may lag, and clocks differ: that something is not shown says nothing while it is younger than this."""
WHOLE_FOR = timedelta(hours=24)
"""How far back an open incident is read whole again and again, emoji and edits included."""
EVERY = timedelta(minutes=7)
"""How often: what Slack kept from us is here within ten minutes, three minutes of reading 150 threads included."""
QUIET_FOR, OLD_AFTER = timedelta(days=3), timedelta(days=30)
"""A place is quiet where nothing was said for so long, after the review has met, or once the incident is so old."""
EVERY_WHEN_QUIET = timedelta(days=1)
"""How often a quiet place is read: nobody closes every review, and Slack allows few calls. A word heard there, or a
connection that was lost, makes it read at once as any other."""
LARGE_PAGE = 999
"""The most messages that Slack gives to a call."""
PART = 250
"""Messages to a commit: whatever is said meanwhile waits for it."""
MEAGRE_PAGE = 15
"""What it gives to an app that is distributed outside its marketplace, once a minute (May 2025)."""


class Why(StrEnum):
    """What a reading is for, and so which threads it walks."""

    opening = "opening"
    """A new source: everything, from where the incident begins."""
    gap = "gap"
    """We were away, or Slack held back: threads that do not look as we hold them."""
    recent = "recent"
    """The last 24 hours whole, edits and emoji in threads included."""
    whole = "whole"
    """Everything, before a report is drafted: edits and emoji show on a reply alone."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Messages as Slack wrote them, when it was asked for them, and where the next page begins."""

    channel: str
    messages: tuple[Mapping[str, Any], ...]
    asked_at: datetime
    next_cursor: str | None = None
    older_ts: str | None = None
    """A message before all of these, where it was asked whether there is one."""

    @property
    def times(self) -> list[str]:
        """The ts of its messages, in order."""
        return sorted((str(message["ts"]) for message in self.messages), key=in_order)

    @cached_property
    def facts(self) -> list[MessageFact]:
        """What its messages say; read once, before anybody waits for the database."""
        return [fact for fact in (read_message(message, self.channel) for message in self.messages) if fact]

    def parts(self) -> list[Page]:
        """The page in parts that are quickly kept, at least one."""
        starts = range(0, len(self.messages), PART) or [0]
        return [replace(self, messages=self.messages[start : start + PART]) for start in starts]

    @property
    def is_meagre(self) -> bool:
        """Whether Slack gave a handful where it was asked for many, though there are more."""
        return self.next_cursor is not None and 0 < len(self.messages) <= MEAGRE_PAGE

    @property
    def sure_until(self) -> datetime:
        """What was posted before this moment, the page would show."""
        return self.asked_at - LAG


def healed(count: int, since: datetime, until: datetime) -> str:
    """`17 messages from 14:03–14:20 were fetched later`; with dates where a day ended between; UTC."""
    messages, were = ("1 message", "was") if count == 1 else (f"{count:,} messages", "were")
    return f"{messages} from {_span(since.astimezone(UTC), until.astimezone(UTC))} {were} fetched later"


def _span(since: datetime, until: datetime) -> str:
    first, last = f"{since:%H:%M}", f"{until:%H:%M}"
    if since.date() != until.date():
        return f"{since.day} {since:%b} {first} – {until.day} {until:%b} {last} UTC"
    return f"{first}–{last} UTC" if first != last else f"{first} UTC"
