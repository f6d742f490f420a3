"""kill -9 of whoever receives while a story is told: each message is there once, and its last text is right."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cast import a_room, an_incident
from tests.reliability.receivers import KeeperAlone, Receiver, Told, a_door, a_whole_bot
from tests.reliability.story import Part, a_story, is_whole, judge, rows_of, shuffled

AT_ONCE = 40
"""Deliveries under way."""


@dataclass
class Postman:
    """Delivers copies in their order, many at once; what is not acknowledged is delivered again, later."""

    copies: list[Part]
    dice: random.Random
    acked: dict[int, Part] = field(default_factory=dict)
    acks: int = 0

    async def deliver(self, receiver: Told, copies: Sequence[Part]) -> list[Part]:
        """What of these was not acknowledged."""
        waiting, left = list(reversed(copies)), list[Part]()

        async def carry() -> None:
            while waiting:
                part = waiting.pop()
                if await receiver.send(self.dice.getrandbits(60), part.body):
                    self.acked[part.number] = part
                    self.acks += 1
                else:
                    left.append(part)

        await asyncio.gather(*(carry() for _ in range(AT_ONCE)))
        return left

    async def until_killed(self, receiver: Receiver, copies: Sequence[Part]) -> list[Part]:
        """Deliver these and kill the receiver somewhere in them; what was not acknowledged."""
        await receiver.start()
        since, wanted = self.acks, self.dice.randrange(max(1, len(copies)))
        delivering = asyncio.ensure_future(self.deliver(receiver, copies))
        while self.acks - since < wanted and not delivering.done():  # noqa: ASYNC110 - looked at between two acks
            await asyncio.sleep(0.001)
        await asyncio.sleep(self.dice.random() * 0.01)
        await receiver.kill()
        return await delivering


async def tell(postman: Postman, receiver: Receiver, file: Path, *, kills: int, share: float = 1.0) -> Counter[str]:
    """Tell a share of the copies with so many kills; what the judge finds after any of them."""
    flaws = Counter[str]()
    size = int(len(postman.copies) * share) // max(1, kills) + 1
    for _ in range(kills):
        part, postman.copies = postman.copies[:size], postman.copies[size:]
        postman.copies += await postman.until_killed(receiver, part)
        flaws += judge(rows_of(file), postman.acked.values())
    return flaws


async def finish(postman: Postman, receiver: KeeperAlone) -> None:
    """Deliver what is left until all of it is acknowledged."""
    await receiver.start()
    while postman.copies:
        postman.copies = await postman.deliver(receiver, postman.copies)
    await receiver.stop()


def a_scene(folder: Path, events: int, seed: int) -> tuple[list[Part], Postman, Path]:
    """A database with an incident, a story, and who delivers it."""
    room, dice, began = a_room(folder), random.Random(seed), int(time.time()) - 3_600
    an_incident(room, opened_at=datetime.fromtimestamp(began, UTC))
    room.storage.close()
    story = a_story(dice, events, began)
    return story, Postman(shuffled(story, dice), dice), folder / "debrief.db"


async def the_keeper_killed(folder: Path, kind: str, *, events: int, kills: int, seed: int) -> Counter[str]:
    """What is wrong with the copy after all was told to a keeper that was killed so often."""
    story, postman, file = a_scene(folder, events, seed)
    with a_door(f"sqlite:///{file}", kind) as door:
        receiver = KeeperAlone(door)
        flaws = await tell(postman, receiver, file, kills=kills)
        await finish(postman, receiver)
    assert is_whole(file)
    assert len(postman.acked) == len(story)
    return flaws + judge(rows_of(file), story)


async def test_a_keeper_that_is_killed_again_and_again_loses_doubles_and_ages_nothing(tmp_path: Path):
    assert await the_keeper_killed(tmp_path, "Keeper", events=300, kills=5, seed=1) == {}


async def test_a_keeper_that_acknowledged_before_the_commit_would_lose_what_it_had_promised(tmp_path: Path):
    flaws = await the_keeper_killed(tmp_path, "AcksFirst", events=300, kills=5, seed=1)

    assert flaws["lost"] > 0


async def test_a_keeper_that_took_the_last_word_it_hears_for_the_newest_would_show_stale_texts(tmp_path: Path):
    flaws = await the_keeper_killed(tmp_path, "InOrderOfArrival", events=300, kills=1, seed=1)

    assert flaws["stale"] > 0
    assert flaws["doubled"] == 0


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_the_whole_bot_killed_while_slack_delivers_loses_doubles_and_ages_nothing(tmp_path: Path, way: str):
    _, postman, file = a_scene(tmp_path, 200, 2)

    async with a_whole_bot(tmp_path, way) as bot:
        flaws = await tell(postman, bot, file, kills=1)

    assert flaws == {}
    assert postman.acks > 0
    assert "Traceback" not in bot.log.read_text()


@pytest.mark.torture
@pytest.mark.timeout(1_800)
async def test_ten_thousand_events_and_five_hundred_kills_lose_double_and_age_nothing(tmp_path: Path):
    story, postman, file = a_scene(tmp_path, 10_000, 3)

    flaws = Counter[str]()
    for way, kills in (("socket", 50), ("http", 10)):
        async with a_whole_bot(tmp_path, way) as bot:
            flaws += await tell(postman, bot, file, kills=kills, share=0.25)
    with a_door(f"sqlite:///{file}") as door:
        receiver = KeeperAlone(door)
        flaws += await tell(postman, receiver, file, kills=440)
        await finish(postman, receiver)

    assert flaws == {}
    assert is_whole(file)
    assert len(postman.acked) == len(story)
    assert judge(rows_of(file), story) == {}
