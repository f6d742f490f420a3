"""A full disk and a locked database under whoever speaks: nothing is lost or said twice, and it goes on by itself."""

import asyncio
import resource
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.reliability.deliveries import MINUTES, CourierAlone, Mix, Square, a_square, judge, until_said
from tests.reliability.receivers import a_door_of
from tests.reliability.story import is_whole
from tests.reliability.test_storage_faults import limit_files, log_of, size_of

SOME = Mix(posts=30, channels=15)
A_FEW_FAIL = {"5xx_after": 0.1, "5xx_before": 0.1}


@pytest.fixture(scope="module")
def door() -> Iterator[Path]:
    with a_door_of("sender") as door:
        yield door


async def write(square: Square, share: float) -> None:
    """Write so much of what is left to be written."""
    size = round(len(square.deeds) * share)
    deeds, square.deeds = square.deeds[:size], square.deeds[size:]
    await asyncio.to_thread(square.write, deeds, 0.1)


async def on_a_full_disk(folder: Path, door: Path, seed: int, *, seconds: float) -> tuple[Counter[str], int]:
    """What is wrong after all was said by one whose disk was full for a while; how much was said meanwhile."""
    async with a_square(folder, SOME, seed, faults=A_FEW_FAIL) as square:
        courier = CourierAlone(door, square.task())
        await courier.start()
        await write(square, 0.3)
        limit_files(courier.pid, await asyncio.to_thread(size_of, log_of(square.file)))
        before = await _once_quiet(square)
        await write(square, 0.5)
        await asyncio.sleep(seconds)
        meanwhile = square.calls() - before
        limit_files(courier.pid, resource.RLIM_INFINITY)
        await _go_on(square, courier)
        return judge(square), meanwhile


async def _once_quiet(square: Square) -> int:
    """How often Slack was called once what had begun is over."""
    before = -1
    async with asyncio.timeout(60):
        while before < square.calls():
            before = square.calls()
            await asyncio.sleep(0.3)
    return before


async def while_locked(folder: Path, door: Path, spells: Sequence[float], *, kill: bool) -> Counter[str]:
    """What is wrong after all was said by one whose database another program held for spells of seconds."""
    async with a_square(folder, SOME, 6, faults=A_FEW_FAIL) as square:
        courier = CourierAlone(door, square.task())
        await courier.start()
        for number, seconds in enumerate(spells):
            await write(square, 1 / (len(spells) + 1 - number))
            await asyncio.sleep(square.dice.random() * 0.02)
            with closing(sqlite3.connect(square.file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(seconds)
                if kill:
                    await courier.kill()
                    await courier.start()
                other.execute("ROLLBACK")
        await _go_on(square, courier)
        return judge(square)


async def _go_on(square: Square, courier: CourierAlone) -> None:
    await write(square, 1)
    await until_said(square)
    await courier.stop()
    assert is_whole(square.file)


async def test_on_a_full_disk_nothing_new_is_begun_and_all_of_it_is_said_once_there_is_room(tmp_path: Path, door: Path):
    flaws, meanwhile = await on_a_full_disk(tmp_path, door, 1, seconds=0.3)

    assert (flaws, meanwhile) == ({}, 0)


@pytest.mark.torture
@pytest.mark.parametrize("kill", [False, True], ids=["it lives", "it dies"])
async def test_while_another_program_holds_the_database_nothing_is_lost_or_said_twice(
    tmp_path: Path, door: Path, *, kill: bool
):
    assert await while_locked(tmp_path, door, (0.1, 0.4), kill=kill) == {}


@pytest.mark.torture
@pytest.mark.timeout(20 * MINUTES)
async def test_twenty_full_disks_and_twenty_spells_of_up_to_ten_seconds_under_lock(tmp_path: Path, door: Path):
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert await on_a_full_disk(folder, door, seed, seconds=seed / 4) == ({}, 0)
    (tmp_path / "locked").mkdir()

    assert await while_locked(tmp_path / "locked", door, [(spell * 7) % 20 / 2 for spell in range(20)], kill=True) == {}
