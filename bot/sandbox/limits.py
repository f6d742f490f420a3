"""Slack's rate limits: so many calls a minute by the method's tier, and about one message a second in a channel."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.sandbox.clock import VirtualClock
from bot.sandbox.facts import CALLS_A_MINUTE, Method

MINUTE_S = 60.0
POSTS_A_SECOND = 1.0
BURST = 5.0


@dataclass
class RateLimits:
    """Counts by the virtual clock, so that moving it lets calls through again."""

    clock: VirtualClock
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def refuse_call(self, method: Method, *, most: int | None = None) -> int:
        """Seconds to wait before this call, 0 when it may go on now (and then it counts).

        `most` calls a minute, where that is not what the method's tier says.
        """
        most = most or CALLS_A_MINUTE.get(method.tier)
        if most is None:
            return 0
        now, calls = self.clock.epoch(), self._calls[method.name]
        while calls and not now - MINUTE_S < calls[0] <= now:
            calls.popleft()
        if len(calls) >= most:
            return max(1, math.ceil(calls[0] + MINUTE_S - now))
        calls.append(now)
        return 0

    def refuse_post(self, channel: str) -> int:
        """Seconds to wait before the next message in that channel, 0 when it may go now."""
        now = self.clock.epoch()
        tokens, then = self._tokens.get(channel, (BURST, now))
        tokens = min(BURST, tokens + (now - then) * POSTS_A_SECOND) if then <= now else BURST
        if tokens < 1:
            return max(1, math.ceil((1 - tokens) / POSTS_A_SECOND))
        self._tokens[channel] = (tokens - 1, now)
        return 0
