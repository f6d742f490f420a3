"""Faults that a test may ask for: of Web API methods, of event deliveries, of history and of rate limits."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

METHOD_KINDS = {
    "429": "refused with Retry-After, no effect",
    "5xx_before": "HTTP 503, no effect",
    "5xx_after": "HTTP 503 after the effect",
    "timeout": "never answered, no effect",
    "timeout_after": "never answered, after the effect",
    "reset_before": "connection reset, no effect",
    "reset_after": "connection reset after the effect",
    "forget": "answered ok, but the message is never there and nobody hears of it",
}
EVENT_KINDS = ("drop", "duplicate", "reorder", "delay")
SOCKET_KINDS = ("reset", "disconnect", "warning", "black_hole")
ALWAYS = 1.0


class BadFault(Exception):
    """The fault asked for is not one of those the sandbox knows; the message says which it knows."""


@dataclass
class Fault:
    """Strikes while `times` is not used up, each time with probability `rate`."""

    target: str
    kind: str
    rate: float
    times: int | None
    options: Json

    @property
    def spent(self) -> bool:
        return self.times is not None and self.times <= 0


@dataclass
class Faults:
    of_methods: list[Fault] = field(default_factory=list)
    of_events: list[Fault] = field(default_factory=list)
    history_lag_s: float = 0.0
    history_limit: int | None = None
    file_lag_s: float = 0.0
    rate_limits: bool = True
    _random: random.Random = field(default_factory=lambda: random.Random(20))

    def set(self, wish: Json) -> None:
        """Remember a fault; raises BadFault when it is not known."""
        if wish.get("clear"):
            self._clear()
        elif "method" in wish:
            self.of_methods.append(_fault(wish, str(wish["method"]), str(wish.get("kind", "")), tuple(METHOD_KINDS)))
        elif "events" in wish:
            self.of_events.append(_fault(wish, "events", str(wish["events"]), EVENT_KINDS))
        elif "history_lag_s" in wish:
            self.history_lag_s = float(wish["history_lag_s"])
        elif "history_limit" in wish:
            self.history_limit = int(wish["history_limit"])
        elif "file_lag_s" in wish:
            self.file_lag_s = float(wish["file_lag_s"])
        elif "rate_limits" in wish:
            self.rate_limits = wish["rate_limits"] == "on"
        else:
            raise BadFault(
                "name a method, events, history_lag_s, history_limit, file_lag_s, rate_limits, socket or clear"
            )

    def for_method(self, method: str) -> Fault | None:
        return self._struck([f for f in self.of_methods if f.target in (method, "*")])

    def for_event(self, event_type: str) -> Fault | None:
        return self._struck([f for f in self.of_events if event_type in f.options.get("types", [event_type])])

    def _struck(self, candidates: list[Fault]) -> Fault | None:
        for fault in candidates:
            if not fault.spent and self._random.random() < fault.rate:
                fault.times = None if fault.times is None else fault.times - 1
                return fault
        return None

    def _clear(self) -> None:
        self.of_methods.clear()
        self.of_events.clear()
        self.history_lag_s = 0.0
        self.history_limit = None
        self.file_lag_s = 0.0
        self.rate_limits = True


def _fault(wish: Json, target: str, kind: str, known: tuple[str, ...]) -> Fault:
    if kind not in known:
        raise BadFault(f"{kind or 'nothing'} is not a fault of {target}: choose from {', '.join(known)}")
    times = wish.get("times", None if "rate" in wish else 1)
    return Fault(target, kind, float(wish.get("rate", ALWAYS)), times, wish)
