"""Slack's rate limits: so many calls a minute by the method's tier, and about one message a second in a channel.

For messages Slack keeps "a workspace-wide limit" besides, of "several hundred" a minute, which are three hundred here.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.sandbox.clock import VirtualClock
from bot.sandbox.facts import CALLS_A_MINUTE, Method

MINUTE_S = 60.0
POSTS_A_SECOND = 1.0
BURST = 5.0
POSTS_A_MINUTE = 300


@dataclass
class RateLimits:
    """Counts by the virtual clock, so that moving it lets calls through again."""

    clock: VirtualClock
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)
    _posts: deque[float] = field(default_factory=deque)

    def refuse_call(self, method: Method, *, most: int | None = None) -> int:
        """Seconds to wait before this call, 0 when it may go on now (and then it counts).

        `most` calls a minute, where that is not what the method's tier says.
        """
        most = most or CALLS_A_MINUTE.get(method.tier)
        if most is None:
            return 0
        wait_s = self._wait(self._calls[method.name], most)
        if not wait_s:
            self._calls[method.name].append(self.clock.epoch())
        return wait_s

    def refuse_post(self, channel: str) -> int:
        """Seconds to wait before the next message in that channel, 0 when it may go now."""
        now = self.clock.epoch()
        tokens, then = self._tokens.get(channel, (BURST, now))
        tokens = min(BURST, tokens + (now - then) * POSTS_A_SECOND) if then <= now else BURST
        if tokens < 1:
            return max(1, math.ceil((1 - tokens) / POSTS_A_SECOND))
        if wait_s := self._wait(self._posts, POSTS_A_MINUTE):
            return wait_s
        self._tokens[channel] = (tokens - 1, now)
        self._posts.append(now)
        return 0

    def _wait(self, calls: deque[float], most: int) -> int:
        """Seconds until there are fewer than so many within a minute."""
        now = self.clock.epoch()
        while calls and not now - MINUTE_S < calls[0] <= now:
            calls.popleft()
        return max(1, math.ceil(calls[0] + MINUTE_S - now)) if len(calls) >= most else 0
