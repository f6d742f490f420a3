"""What went over the wire: every Web API call, delivery, acknowledgement and rule the bot broke."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.clock import VirtualClock, rfc3339

Json = dict[str, Any]


@dataclass
class Journal:
    """Entries carry `n`, a number that only grows, and `at`, a moment of the virtual clock."""

    clock: VirtualClock
    calls: list[Json] = field(default_factory=list)
    deliveries: list[Json] = field(default_factory=list)
    violations: list[Json] = field(default_factory=list)
    _count: int = 0

    def call(self, **facts: Any) -> None:
        self.calls.append(self._entry(facts))

    def delivery(self, **facts: Any) -> None:
        self.deliveries.append(self._entry(facts))

    def violation(self, where: str, messages: list[str]) -> None:
        """The bot sent something Slack would refuse; `where` names the method or answer."""
        self.violations.append(self._entry({"where": where, "messages": messages}))

    def since(self, number: int) -> Json:
        return {
            "calls": [entry for entry in self.calls if entry["n"] > number],
            "deliveries": [entry for entry in self.deliveries if entry["n"] > number],
            "violations": [entry for entry in self.violations if entry["n"] > number],
            "last": self._count,
        }

    def _entry(self, facts: Json) -> Json:
        self._count += 1
        return {"n": self._count, "at": rfc3339(self.clock.now()), **facts}


@dataclass
class Stream:
    """Tells whoever listens that something changed; the listener then asks for the new state."""

    _listeners: set[asyncio.Queue[Json]] = field(default_factory=set)

    def tell(self, kind: str, **about: str) -> None:
        for listener in self._listeners:
            listener.put_nowait({"type": kind, **about})

    def listen(self) -> asyncio.Queue[Json]:
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Json]) -> None:
        self._listeners.discard(queue)
