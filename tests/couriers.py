"""A courier as the bot has it, or one in which a part is another."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.claims import Claims
from bot.courier import Courier
from bot.measures import Tell, nobody
from bot.pacing import Pace
from bot.sheets import Sheets
from storage.holds import Holds
from storage.session import Storage
from tests.cast import TEAM

GRACE = timedelta(seconds=60)
Kind = TypeVar("Kind", bound=Courier)


def a_courier(
    storage: Storage,
    client: AsyncWebClient,
    now: Callable[[], datetime],
    *,
    grace: timedelta = GRACE,
    holds: Holds | None = None,
    pace: Pace | None = None,
    tell: Tell = nobody,
    sheets: Sheets | None = None,
    kind: type[Kind] = Courier,
    claims: type[Claims] = Claims,
) -> Kind:
    """One more courier of a database; without a `pace` it says at once whatever is due."""
    in_hand = claims(storage, team=TEAM, now=now, grace=grace, holds=holds, pace=pace)
    return kind(in_hand, sheets or Sheets(storage, TEAM), client, tell=tell)
