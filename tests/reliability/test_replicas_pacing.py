"""Three replicas that look for what is due at the same moment keep one pace together, as Slack counts a workspace."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.courier import Courier
from bot.pacing import WRITES_A_SECOND, Pace
from bot.sandbox.server import Running, sandbox
from storage import outbox, pauses, rounds
from storage.session import Storage
from tests.cast import TEAM, Room, a_room
from tests.couriers import a_courier
from tests.sandbox.cast import client_of

pytestmark = pytest.mark.postgres
REPLICAS = 3
MEET_WITHIN_S, MEET_SURELY_S = 0.5, 60.0
"""The second is for where nothing keeps them from it."""


@dataclass
class Crowd:
    """Couriers of one database and one workspace, with one clock on the wall."""

    room: Room
    slack: Running
    couriers: list[Courier]

    async def round(self) -> int:
        """All of them at once; how many messages stand in Slack afterwards."""
        await asyncio.gather(*(courier.round() for courier in self.couriers))
        await asyncio.gather(*(courier.settle() for courier in self.couriers))
        channels = self.slack.sandbox.workspace.channels.values()
        return sum(len(channel.messages) for channel in channels)


@pytest.fixture
async def crowd(tmp_path: Path, postgresql_url: str) -> AsyncIterator[Crowd]:
    room, storages = a_room(tmp_path, postgresql_url), [Storage(postgresql_url) for _ in range(REPLICAS)]
    async with sandbox() as slack:
        slack.sandbox.clock.set(room.now)
        couriers = [a_courier(storage, client_of(slack), lambda: room.now, pace=Pace()) for storage in storages]
        write(room, slack)
        yield Crowd(room, slack, couriers)
    for storage in (*storages, room.storage):
        storage.close()


def write(room: Room, slack: Running) -> None:
    """A note to everybody in the workspace, all due now."""
    now, places = room.now, [user for user in slack.sandbox.workspace.users if user != "U0DEBRIEF"]
    for number, place in enumerate(places):
        words = outbox.Words(key=f"word {number}", channel=place, text="Good morning.", at=now)
        room.change(lambda db, words=words: outbox.say_once(db, TEAM, words))


async def test_replicas_that_look_at_the_same_moment_begin_no_more_together_than_one_would_alone(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pauses, "begun", met(pauses.begun))

    at_once = [await crowd.round(), await crowd.round()]
    crowd.room.pass_time(seconds=2)
    later = await crowd.round()

    assert at_once == [WRITES_A_SECOND, WRITES_A_SECOND]
    assert later == 2 * WRITES_A_SECOND


async def test_replicas_whose_claims_did_not_exclude_one_another_would_together_be_too_fast(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pauses, "begun", met(pauses.begun, within_s=MEET_SURELY_S))
    monkeypatch.setattr(rounds, "may_claim", lambda *_: True)

    assert await crowd.round() > WRITES_A_SECOND


def met(ask: Callable[..., Any], *, within_s: float = MEET_WITHIN_S) -> Callable[..., Any]:
    """Whoever asks what was begun of late waits, with the answer, until the others have one, too."""
    everybody = threading.Barrier(REPLICAS)

    def asked(*given: object, **more: object) -> Any:
        answer = ask(*given, **more)
        with suppress(threading.BrokenBarrierError):
            everybody.wait(within_s)
        return answer

    return asked
