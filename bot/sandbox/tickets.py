"""Things Slack hands out for a short while: trigger ids and response URLs."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.clock import VirtualClock

TRIGGER_LIFE_S = 3.0
RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE = timedelta(minutes=30)


@dataclass
class Trigger:
    """May open one view for `user`; `view_id` is the modal it came from, empty elsewhere."""

    user: str
    view_id: str
    expires: float
    used: bool = False


@dataclass
class Triggers:
    _given: dict[str, Trigger] = field(default_factory=dict)

    def give(self, user: str, *, view_id: str = "") -> str:
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[trigger_id] = Trigger(user, view_id, time.monotonic() + TRIGGER_LIFE_S)
        return trigger_id

    def look(self, trigger_id: str) -> tuple[Trigger | None, str]:
        """The trigger, or the error Slack answers instead."""
        trigger = self._given.get(trigger_id)
        if trigger is None:
            return None, "invalid_trigger_id"
        if trigger.used:
            return None, "exchanged_trigger_id"
        if time.monotonic() > trigger.expires:
            return None, "expired_trigger_id"
        return trigger, ""


@dataclass
class ResponseUrl:
    """`message_ts` is the message with the button, empty for a command; `ephemeral` when only `user` sees it."""

    user: str
    channel: str
    message_ts: str
    ephemeral: bool
    expires: datetime
    uses: int = 0
    thread_ts: str = ""


@dataclass
class ResponseUrls:
    clock: VirtualClock
    given: dict[str, ResponseUrl] = field(default_factory=dict)

    def give(
        self, user: str, channel: str, *, message_ts: str = "", thread_ts: str = "", ephemeral: bool = True
    ) -> str:
        """The last part of a new response URL."""
        key = secrets.token_urlsafe(18)
        expires = self.clock.now() + RESPONSE_URL_LIFE
        self.given[key] = ResponseUrl(user, channel, message_ts, ephemeral, expires, thread_ts=thread_ts)
        return key

    def use(self, key: str) -> tuple[ResponseUrl | None, str]:
        """Count one use, or the error Slack answers instead."""
        known = self.given.get(key)
        if known is None:
            return None, "invalid_url"
        if self.clock.now() > known.expires:
            return None, "expired_url"
        if known.uses >= RESPONSE_URL_USES:
            return None, "used_url"
        known.uses += 1
        return known, ""
