"""How fast Slack may be called: reckoned from what was begun of late and from what Slack told us. It has no clock.

What Slack sets (its page on rate limits, and the tier of each method; 2026-08-20): calls a minute, by method and
workspace; for messages one a second in a channel, and "a workspace-wide limit" besides, of "several hundred" a minute.
Where it answers 429, the method is not to be called for this workspace before the seconds of `Retry-After`; others may.

Answers that Slack waits for itself, by a response_url or a view, are not paced: they are part of its own request.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

A_SECOND = timedelta(seconds=1)
IN_A_CHANNEL = timedelta(seconds=1.02)
"""Between two messages in a channel; a little more than Slack's second, for one call takes longer than another."""
WRITES_A_SECOND = 4
"""Notes begun a second in a workspace: 240 a minute, so that even three hundred are "several hundred"."""
MORE_FOR_ANSWERS = 1
"""So many a second beyond that, for what somebody waits for."""
A_MINUTE = timedelta(seconds=61)
"""Slack's minute, by a clock that may go a little faster than Slack's."""
CALLS_A_MINUTE: Mapping[str, int] = {
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "chat.update": 50,
    "conversations.open": 50,
    "files.completeUploadExternal": 100,
    "files.delete": 50,
    "files.getUploadURLExternal": 100,
    "reactions.add": 50,
    "reactions.remove": 20,
}
"""By the method's tier, of those that only the courier calls."""
LONGEST_TOLD = timedelta(hours=1)
"""Another process's pause that lies further ahead than this was written by a clock that went wrong."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many notes may begin now, and how many answers."""

    notes: int
    answers: int


def room(begun: Sequence[datetime], now: datetime, *, a_second: int = WRITES_A_SECOND) -> Room:
    """The room that is left by the notes begun within the last second, of every replica."""
    left = a_second - sum(now - A_SECOND < at <= now for at in begun)
    return Room(max(0, left), max(0, left + MORE_FOR_ANSWERS))


def again(begun: Sequence[datetime], closed: Mapping[str, datetime], now: datetime) -> datetime | None:
    """When there is room again, in the workspace, in a channel, or for a method; None where nothing is taken up."""
    ends = [at + span for at in begun for span in (A_SECOND, IN_A_CHANNEL)]
    return min((at for at in (*ends, *closed.values()) if at > now), default=None)


class Pace:
    """What one process knows of a workspace's pace; every moment comes in, and one that lies ahead of it is ignored."""

    def __init__(self, calls_a_minute: Mapping[str, int] = CALLS_A_MINUTE, *, a_second: int = WRITES_A_SECOND) -> None:
        self._most = calls_a_minute
        self._a_second = a_second
        self._held: dict[str, tuple[datetime, datetime]] = {}
        self._called: dict[str, tuple[datetime, ...]] = {}
        """Replaced and never changed, for the courier asks from several threads."""

    def room(self, begun: Sequence[datetime], now: datetime) -> Room:
        """The room that is left by the notes that every replica began of late."""
        return room(begun, now, a_second=self._a_second)

    def hold(self, method: str, now: datetime, until: datetime) -> None:
        """Slack told us at this moment not to call the method before another."""
        since, before = self._held.get(method, (now, now))
        still = since <= now < before
        self._held[method] = (now, max(until, before) if still else until)

    def learn(self, held: Mapping[str, datetime], now: datetime) -> None:
        """Other processes were told so, too."""
        for method, until in held.items():
            if now < until <= now + LONGEST_TOLD and until > (self.opens(method, now) or now):
                self.hold(method, now, until)

    def called(self, method: str, now: datetime) -> None:
        """The method is called now."""
        if method in self._most:
            self._called[method] = (*self._within_a_minute(method, now), now)

    def opens(self, method: str, now: datetime) -> datetime | None:
        """When the method may be called again; None where it may be now."""
        since, until = self._held.get(method, (now, now))
        told = until if since <= now < until else None
        return max(filter(None, (told, self._minute_opens(method, now))), default=None)

    def closed(self, now: datetime) -> dict[str, datetime]:
        """The methods that may not be called now, and when they may be."""
        opening = {method: self.opens(method, now) for method in {*self._held, *self._called}}
        return {method: at for method, at in opening.items() if at}

    def _minute_opens(self, method: str, now: datetime) -> datetime | None:
        calls, most = self._within_a_minute(method, now), self._most.get(method, math.inf)
        return calls[-int(most)] + A_MINUTE if len(calls) >= most else None

    def _within_a_minute(self, method: str, now: datetime) -> tuple[datetime, ...]:
        return tuple(at for at in self._called.get(method, ()) if now - A_MINUTE < at <= now)
