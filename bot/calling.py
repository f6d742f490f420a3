"""Calls to Slack that keep its pace: a method that Slack asked not to call is not called before its time."""

import math
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.pacing import Pace

RATE_LIMITED = 429
UNTOLD_S = 30.0
"""How long a method waits where Slack does not say how long."""
JITTER, MOST_JITTER_S = 0.1, 2.0
"""A share of what Slack asks for is added at random, so that not all who wait come at the same moment."""


Told = Callable[[str, datetime], Awaitable[None]]
"""Told which method is not to be called before which moment, so that other processes hear of it."""


async def nobody(_method: str, _until: datetime) -> None:
    """Where there is no other process."""


class OnHold(SlackApiError):
    """Not called: Slack said to wait, or its limit is reached. It reads like Slack's own answer, but tells when."""

    def __init__(self, client: AsyncWebClient, method: str, *, until: datetime, now: datetime) -> None:
        self.until = until
        answer = AsyncSlackResponse(
            client=client,
            http_verb="POST",
            api_url=f"{client.base_url}{method}",
            req_args={},
            data={"ok": False, "error": "ratelimited"},
            headers={"Retry-After": str(seconds_until(until, now))},
            status_code=RATE_LIMITED,
        )
        super().__init__(f"{method} is on hold", answer)


class Caller(AsyncWebClient):
    """A client without retry handlers, for a call that is repeated might say something twice; raises OnHold."""

    def __init__(
        self, *, pace: Pace, moment: Callable[[], Awaitable[datetime]], told: Told = nobody, **given: Any
    ) -> None:
        super().__init__(**{"retry_handlers": [], **given})
        self._pace, self._moment, self._told = pace, moment, told

    async def api_call(self, api_method: str, **given: Any) -> AsyncSlackResponse:
        """Call a method unless it is on hold; what Slack then asks to wait is held at once, for every task."""
        now = await self._moment()
        if until := self._pace.opens(api_method, now):
            raise OnHold(self, api_method, until=until, now=now)
        self._pace.called(api_method, now)
        try:
            return await super().api_call(api_method, **given)
        except SlackApiError as error:
            if getattr(error.response, "status_code", 0) == RATE_LIMITED:
                await self._hold(api_method, wait_told(error, random.random()))  # noqa: S311 - no secret
            raise

    async def _hold(self, method: str, wait: timedelta) -> None:
        now = await self._moment()
        self._pace.hold(method, now, now + wait)
        await self._told(method, now + wait)


def wait_told(error: SlackApiError, chance: float = 0.0) -> timedelta:
    """How long Slack asks to wait, never less than it says, and a little more by `chance`, which lies from 0 to 1."""
    given = str(error.response.headers.get("Retry-After") or "")
    seconds = float(given) if given.isdecimal() else UNTOLD_S
    return timedelta(seconds=seconds + chance * min(JITTER * seconds, MOST_JITTER_S))


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds, at least one, after which that moment has come."""
    return max(1, math.ceil((moment - now).total_seconds()))
