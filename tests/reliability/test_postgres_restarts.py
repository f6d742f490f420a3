"""PostgreSQL stopped at once and started again under whoever keeps: nothing is acknowledged unkept, and it goes on."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.models import Message, MessageVersion
from storage.session import Storage, upgrade
from tests.cast import a_room, an_incident
from tests.databases import Restartable
from tests.reliability.receivers import KeeperAlone, a_door
from tests.reliability.story import Part, Row, a_story, judge, shuffled
from tests.reliability.test_kills_of_the_receiver import Postman, finish

pytestmark = pytest.mark.postgres


def rows_in(url: str) -> list[Row]:
    storage = Storage(url)
    with storage.read() as db:
        earlier: defaultdict[int, set[str]] = defaultdict(set)
        for message, text in db.execute(select(MessageVersion.message_id, MessageVersion.text)):
            earlier[message].add(text)
        found = [
            Row(row.ts, row.text, row.deleted_at is not None, frozenset(earlier[row.id]))
            for row in db.scalars(select(Message))
        ]
    storage.close()
    return found


async def restarted(
    server: Restartable, folder: Path, kind: str, *, events: int, restarts: int
) -> tuple[Counter[str], set[str]]:
    """What is wrong with a copy whose server was stopped so often in the middle; why deliveries were refused."""
    url, dice, began = server.server.create(), random.Random(11), int(time.time()) - 3_600
    upgrade(url)
    room = a_room(folder, url)
    an_incident(room, opened_at=datetime.fromtimestamp(began, UTC))
    room.storage.close()
    story, flaws = a_story(dice, events, began), Counter[str]()
    postman = Postman(shuffled(story, dice), dice)
    size = len(postman.copies) // restarts
    with a_door(url, kind) as door:
        receiver = KeeperAlone(door)
        await receiver.start()
        for _ in range(restarts):
            part, postman.copies = postman.copies[:size], postman.copies[size:]
            postman.copies += await _through_a_restart(server, postman, receiver, part)
            flaws += judge(await asyncio.to_thread(rows_in, url), postman.acked.values())
        await receiver.stop()
        await finish(postman, receiver)
    return flaws + judge(rows_in(url), story), set(receiver.refused)


async def _through_a_restart(
    server: Restartable, postman: Postman, receiver: KeeperAlone, part: list[Part]
) -> list[Part]:
    delivering = asyncio.ensure_future(postman.deliver(receiver, part))
    await asyncio.sleep(postman.dice.random() * 0.05)
    await asyncio.to_thread(server.stop_at_once)
    left = await delivering
    await asyncio.to_thread(server.start)
    return left


async def test_a_restart_of_the_database_loses_nothing_that_was_acknowledged_and_needs_nobody(
    own_server: Restartable, tmp_path: Path
):
    flaws, refused = await restarted(own_server, tmp_path, "Keeper", events=100, restarts=1)

    assert flaws == {}
    assert refused <= {"OperationalError", "InterfaceError"}
    assert refused


async def test_a_keeper_that_acknowledged_before_the_commit_would_lose_what_the_restart_cut_off(
    own_server: Restartable, tmp_path: Path
):
    flaws, _ = await restarted(own_server, tmp_path, "AcksFirst", events=100, restarts=1)

    assert flaws["lost"] > 0


@pytest.mark.torture
@pytest.mark.timeout(1_200)
async def test_twenty_restarts_of_the_database_lose_nothing(own_server: Restartable, tmp_path: Path):
    flaws, _ = await restarted(own_server, tmp_path, "Keeper", events=3_000, restarts=20)

    assert flaws == {}
