"""Whether a review met in time (S2), counted from mitigation, however often its meeting was moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.review.incident import in_words

TIMES = ("never", "once", "twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class InTime:
    """When it met, when it was to meet at first, how often that changed, and the last reason for it."""

    over_at: datetime
    met_at: datetime
    wanted: timedelta
    """After mitigation, at the latest."""
    first: datetime | None = None
    moved: int = 0
    why: str | None = None

    @property
    def is_so(self) -> bool:
        """By the hour at which it met; an hour that was only promised counts for nothing."""
        return self.met_at - self.over_at <= self.wanted

    def sentences(self, say: Callable[[datetime], str]) -> list[str]:
        """What the report says of it; `say` words a moment."""
        after, wanted = (
            in_words(int((self.met_at - self.over_at).total_seconds())),
            round(self.wanted.total_seconds() / 3600),
        )
        told = [
            f"It met {after} after mitigation, {'within' if self.is_so else 'later than'} the {wanted} hours wanted."
        ]
        return [*told, f"{self._moved(say)}{self._because}."] if self.moved else told

    def _moved(self, say: Callable[[datetime], str]) -> str:
        times = TIMES[self.moved] if self.moved < len(TIMES) else f"{self.moved} times"
        return (
            f"It was planned for {say(self.first)} at first and moved {times}"
            if self.first
            else f"It was moved {times}"
        )

    @property
    def _because(self) -> str:
        why = (self.why or "").strip().rstrip(".")
        if why.lower().startswith("because of "):
            return f", the last time {why[0].lower()}{why[1:]}"
        return f", the last time because: {why}" if why else ""
