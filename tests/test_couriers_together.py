"""Couriers of several replicas on one PostgreSQL: nobody says what somebody else may still be saying."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeVar

import pytest

from bot import claims, posting
from bot.courier import Courier
from bot.posting import Parcel
from bot.sandbox.server import Running, sandbox
from storage.holds import Holds
from storage.session import Storage
from tests.couriers import GRACE, a_courier
from tests.sandbox.cast import client_of
from tests.storage.test_holds import cut_off
from tests.test_courier import Office, an_office

pytestmark = pytest.mark.postgres

Kind = TypeVar("Kind", bound=Courier)
LONG = GRACE.total_seconds() + posting.CALL_TIMEOUT.total_seconds() + 1


class StandsStill(Courier):
    """Stands still once, at the last moment before it calls Slack: it has looked whether it may."""

    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **more)  # pyright: ignore[reportArgumentType]
        self.came, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def _ready(self, parcel: Parcel) -> None:
        await super()._ready(parcel)
        await self._stand_still()

    async def _stand_still(self) -> None:
        self.came.set()
        await self.may_go_on.wait()

    async def begin(self) -> None:
        """Claim what is due, and stand still."""
        await self.round()
        await self.came.wait()

    async def go_on(self) -> None:
        self.may_go_on.set()
        await self.settle()


class StandsStillEarlier(StandsStill):
    """Stands still between the claim and the look whether it may."""

    async def _ready(self, parcel: Parcel) -> None:
        await self._stand_still()
        await Courier._ready(self, parcel)


class Careless(StandsStill):
    """Lacks the look whether the note is still ours."""

    async def _ready(self, parcel: Parcel) -> None:
        del parcel
        await self._stand_still()


class Town(Office):
    """An office with several replicas, each with a connection for its holds; `office.courier` is one that goes on."""

    url: str

    def replica(self, kind: type[Kind], holds: Holds | None = None, grace: timedelta = GRACE) -> Kind:
        client, now = client_of(self.slack), self.slack.sandbox.clock.now
        storage = Storage(self.url)
        self.others.append(storage)
        return a_courier(storage, client, now, grace=grace, holds=holds, kind=kind)

    others: list[Storage]


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


@pytest.fixture
async def town(postgresql_url: str, slack: Running) -> AsyncIterator[Town]:
    office = an_office(postgresql_url, slack)
    town = Town(office.storage, slack, office.courier)
    town.url, town.others = postgresql_url, []
    yield town
    for storage in (town.storage, *town.others):
        storage.close()


# A replica that is only stopped -----------------------------------------------------------


async def test_who_stands_still_with_a_note_in_hand_is_left_to_say_it(town: Town):
    stopped = town.replica(StandsStill)
    town.say("the pre-read")
    await stopped.begin()

    town.pass_time(LONG)
    await town.round()
    meanwhile = town.called("conversations.history"), town.seen()
    await stopped.go_on()

    assert meanwhile == (0, [])
    assert town.seen() == ["the pre-read"]
    assert town.state("the pre-read") == ("sent", None)


async def test_without_the_lock_it_would_be_said_twice(town: Town):
    stopped = town.replica(StandsStill, Holds())
    town.courier = town.replica(Courier, Holds())
    town.say("the pre-read")
    await stopped.begin()

    town.pass_time(LONG)
    await town.round()
    await stopped.go_on()

    assert town.seen() == ["the pre-read", "the pre-read"]


async def test_what_a_killed_replica_had_in_hand_is_looked_up_by_another(town: Town):
    killed = town.replica(StandsStill)
    town.say("the pre-read")
    await killed.begin()
    killed._claims._holds.close()

    town.pass_time(LONG)
    await town.round()

    assert town.called("conversations.history") == 1
    assert town.seen() == ["the pre-read"]


# A replica that lost its lock -------------------------------------------------------------


async def test_who_lost_the_lock_does_not_say_it_any_more(town: Town):
    paused = town.replica(StandsStillEarlier)
    town.say("the pre-read")
    await paused.begin()
    cut_off(town.url)

    town.pass_time(LONG)
    await town.round()
    before = town.seen()
    await paused.go_on()
    await town.round()

    assert before == town.seen() == ["the pre-read"]
    assert town.called("chat.postMessage") == 1


async def test_who_does_not_look_whether_it_has_the_lock_would_say_it_again(town: Town):
    paused = town.replica(Careless)
    town.say("the pre-read")
    await paused.begin()
    cut_off(town.url)

    town.pass_time(LONG)
    await town.round()
    await paused.go_on()

    assert town.seen() == ["the pre-read", "the pre-read"]


async def test_what_was_surely_not_said_waits_for_no_look_up(town: Town):
    paused = town.replica(StandsStillEarlier)
    town.whisper("for priya", to="U0PRIYA")
    await paused.begin()
    cut_off(town.url)

    await paused.go_on()
    left = town.state("for priya")
    town.pass_time(1)
    await town.round()

    assert left == ("pending", "not_ours")
    assert [each.user for each in town.slack.sandbox.workspace.ephemerals] == ["U0PRIYA"]


async def test_a_claim_that_is_older_than_the_grace_period_is_given_back(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(claims, "YOUNG_AT_LEAST", timedelta(seconds=0.5))
    paused = town.replica(StandsStillEarlier, grace=timedelta())
    town.say("the pre-read")
    await paused.begin()
    await asyncio.sleep(1)

    await paused.go_on()

    assert town.called("chat.postMessage") == 0
    assert town.state("the pre-read") == ("pending", "not_ours")


# Old versions -------------------------------------------------------------------------------


async def test_without_a_grace_period_a_slow_database_is_no_reason_to_say_nothing(town: Town):
    slow = town.replica(StandsStillEarlier, grace=timedelta())
    town.say("the pre-read")
    await slow.begin()
    await asyncio.sleep(1.1)

    await slow.go_on()

    assert town.seen() == ["the pre-read"]


async def test_a_paused_replica_does_not_put_an_old_version_over_a_newer(town: Town):
    paused = await _agenda_with_one_version_in_hand(town, StandsStillEarlier)
    cut_off(town.url)

    await _say_the_newest(town)
    await paused.go_on()

    assert town.seen() == ["Timeline"]
    assert town.called("chat.update") == 1


async def test_an_old_version_that_lands_after_all_is_followed_by_the_newest(town: Town):
    paused = await _agenda_with_one_version_in_hand(town, StandsStill)
    cut_off(town.url)

    await _say_the_newest(town)
    await paused.go_on()
    landed = town.seen()
    await town.round()

    assert landed == ["Summary"]
    assert town.seen() == ["Timeline"]
    assert town.state("agenda") == ("sent", None)


async def test_while_somebody_has_a_version_in_hand_no_newer_one_is_said(town: Town):
    paused = await _agenda_with_one_version_in_hand(town, StandsStill)

    await _say_the_newest(town)
    meanwhile = town.seen()
    await paused.go_on()
    await town.round()

    assert meanwhile == ["Opening"]
    assert town.seen() == ["Timeline"]


async def _agenda_with_one_version_in_hand(town: Town, kind: type[StandsStill]) -> StandsStill:
    town.say("agenda", "Opening", kind="live")
    await town.round()
    paused = town.replica(kind)
    town.say("agenda", "Summary", kind="live")
    await paused.begin()
    return paused


async def _say_the_newest(town: Town) -> None:
    town.say("agenda", "Timeline", kind="live")
    town.pass_time(LONG)
    await town.round()
