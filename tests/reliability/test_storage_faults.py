"""A full disk, a locked database, a damaged page, a torn log: nothing is acknowledged unkept, and all of it mends."""

import asyncio
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.keeper import Keeper
from bot.sandbox.demo import free_port
from bot.sandbox.troupe import debrief, environment
from storage import health
from storage.session import Storage, backup
from tests.cast import TEAM
from tests.reliability.receivers import KeeperAlone, a_door, a_whole_bot
from tests.reliability.story import Part, is_whole, judge, rows_of
from tests.reliability.test_kills_of_the_receiver import Postman, a_scene, finish

MINUTES = 60
LITTLE = 16_384
"""Bytes to which the log of the bot may grow, but not that of the database."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def limit_files(pid: int, most: int) -> None:
    """Let no file of a process grow beyond so many bytes: to whoever writes, the disk is full."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))


def log_of(file: Path) -> Path:
    """The log of a database, in which every change is written first."""
    return file.with_name(f"{file.name}-wal")


def size_of(log: Path) -> int:
    """How large the log is, once anything stands in it: whoever acknowledges first may not have begun to write."""
    until = time.monotonic() + MINUTES
    while not log.exists() or not log.stat().st_size:
        assert time.monotonic() < until, "nothing was written"
        time.sleep(0.01)
    return log.stat().st_size


# The disk is full --------------------------------------------------------------------------------


async def on_a_full_disk(folder: Path, kind: str, seed: int) -> tuple[Counter[str], list[str]]:
    """What is wrong with a copy that was written while the disk was full for a while; why deliveries were refused."""
    story, postman, file = a_scene(folder, 60, seed)
    third = len(postman.copies) // 3
    with a_door(f"sqlite:///{file}", kind) as door:
        receiver = KeeperAlone(door)
        await receiver.start()
        left = await postman.deliver(receiver, postman.copies[:third])
        limit_files(receiver.pid, await asyncio.to_thread(size_of, log_of(file)))
        left += await postman.deliver(receiver, postman.copies[third : 2 * third])
        flaws = judge(rows_of(file), postman.acked.values())
        limit_files(receiver.pid, resource.RLIM_INFINITY)
        left += await postman.deliver(receiver, postman.copies[2 * third :])
        postman.copies = left
        await receiver.stop()
        await finish(postman, receiver)
    assert is_whole(file)
    return flaws + judge(rows_of(file), story), receiver.refused


async def test_on_a_full_disk_nothing_is_acknowledged_and_it_goes_on_by_itself(tmp_path: Path):
    flaws, refused = await on_a_full_disk(tmp_path, "Keeper", 1)

    assert flaws == {}
    assert set(refused) == {"OperationalError"}


async def test_a_keeper_that_acknowledged_before_the_commit_would_lose_what_the_disk_had_no_room_for(tmp_path: Path):
    flaws, _ = await on_a_full_disk(tmp_path, "AcksFirst", 1)

    assert flaws["lost"] > 0


async def test_the_whole_bot_says_that_the_disk_is_full_and_is_ready_again_once_there_is_room(tmp_path: Path):
    (first, second, *_), _, _ = a_scene(tmp_path, 20, 2)
    async with a_whole_bot(tmp_path, "http") as bot:
        await bot.start()
        assert await bot.send(0, first.body)
        limit_files(bot.bot.pid, LITTLE)

        refused = not await bot.send(0, second.body)
        full = await bot.page("/readyz")
        apology = await bot.post(b"command=/review&text=event+x&user_id=U0MARA&channel_id=C0INC&trigger_id=1", FORM)
        limit_files(bot.bot.pid, resource.RLIM_INFINITY)
        roomy = await bot.page("/readyz")
        kept = await bot.send(0, second.body)
        await bot.stop()
    assert refused
    assert full == (503, f"{health.REFUSES}\n")
    assert apology == 200
    assert (roomy, kept) == ((200, "ready\n"), True)
    assert "facts not kept" in bot.log.read_text()
    assert "traceback" not in bot.log.read_text()


# Another program holds the database ------------------------------------------------------------------


async def while_locked(folder: Path, kind: str, spells: Sequence[float], *, until_acked: bool = False) -> Counter[str]:
    """What is wrong with a copy that was written while another program held the database for spells of seconds.

    `until_acked` is for one that acknowledges all the same: it is killed once it has.
    """
    story, postman, file = a_scene(folder, 30 * len(spells), 3)
    size = len(postman.copies) // len(spells) + 1
    flaws, left = Counter[str](), list[Part]()
    with a_door(f"sqlite:///{file}", kind) as door:
        receiver = KeeperAlone(door)
        for number, seconds in enumerate(spells):
            await receiver.start()
            copies = postman.copies[number * size : (number + 1) * size]
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                delivering = asyncio.ensure_future(postman.deliver(receiver, copies))
                await asyncio.sleep(seconds)
                while until_acked and not postman.acked and not delivering.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                flaws += judge(rows_of(file), postman.acked.values())
                if until_acked:
                    await receiver.kill()
                other.execute("ROLLBACK")
            left += await delivering
            if not until_acked:
                await receiver.stop()
        postman.copies = left
        await finish(postman, receiver)
    assert is_whole(file)
    return flaws + judge(rows_of(file), story)


async def test_while_another_program_holds_the_database_nothing_is_acknowledged_that_is_not_kept(tmp_path: Path):
    assert await while_locked(tmp_path, "Keeper", (0.1, 0.4)) == {}


async def test_a_keeper_that_acknowledged_before_the_commit_would_lose_what_waited_for_the_lock(tmp_path: Path):
    flaws = await while_locked(tmp_path, "AcksFirst", (0.3,), until_acked=True)

    assert flaws["lost"] > 0


# A page is damaged ------------------------------------------------------------------------------------


class KeeperHere:
    """A keeper in this process."""

    def __init__(self, file: Path) -> None:
        self.storage = Storage(f"sqlite:///{file}")
        self.keeper = Keeper(self.storage, TEAM, lambda: datetime.now(UTC))
        self.keeper.start()

    async def send(self, number: int, body: dict[str, Any]) -> bool:
        try:
            await self.keeper.keep(body)
        except Exception:  # noqa: BLE001 - a damaged page says anything, and whatever it was, nothing was kept
            return False
        return True

    async def stop(self) -> None:
        await asyncio.to_thread(self.keeper.stop)
        self.storage.close()


async def told(postman: Postman, file: Path, parts: Sequence[Part]) -> None:
    """Tell parts of a story to a keeper here, whatever it makes of them."""
    keeper = KeeperHere(file)
    await postman.deliver(keeper, parts)
    await keeper.stop()


async def a_copy(folder: Path, seed: int) -> tuple[list[Part], Postman, Path]:
    """A story told in full."""
    story, postman, file = a_scene(folder, 80, seed)
    await told(postman, file, story)
    return story, postman, file


def overwrite(file: Path, dice: random.Random, start: int | None = None) -> None:
    """Put 200 bytes of noise somewhere into a file."""
    with file.open("r+b") as raw:
        raw.seek(dice.randrange(file.stat().st_size - 200) if start is None else start)
        raw.write(dice.randbytes(200))


async def on_a_damaged_page(folder: Path, seed: int) -> Counter[str]:
    """What is wrong once a file with 200 bytes of noise in it was served, and a backup put in its place."""
    story, postman, file = await a_copy(folder, seed)
    url, dice = f"sqlite:///{file}", random.Random(seed)
    backup(url, folder / "backup.db")
    overwrite(file, dice)
    known, whole = health.damage(url, within_s=MINUTES), _says_whole(file)
    await told(postman, file, story[:10])
    _put_in_place(folder / "backup.db", file)
    await told(postman, file, story)
    assert (known is None) == whole
    assert is_whole(file)
    return judge(rows_of(file), story)


def begin_of(file: Path, name: str) -> int:
    """The byte at which the first page of a table or an index begins; whoever reads or writes it comes by."""
    with closing(sqlite3.connect(file)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
        return (page - 1) * db.execute("PRAGMA page_size").fetchone()[0]


def _says_whole(file: Path) -> bool:
    try:
        return is_whole(file)
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return False


def _put_in_place(copy: Path, file: Path) -> None:
    """What the doctor says: the damaged file goes with those beside it."""
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    shutil.copy(copy, file)


@pytest.mark.parametrize("name", ["messages", "sqlite_autoindex_messages_1"])
async def test_a_damaged_page_is_noticed_and_a_backup_in_its_place_mends_it(tmp_path: Path, name: str):
    story, postman, file = await a_copy(tmp_path, 1)
    url, acks = f"sqlite:///{file}", postman.acks
    backup(url, tmp_path / "backup.db")
    overwrite(file, random.Random(1), begin_of(file, name))

    known = health.damage(url, within_s=MINUTES)
    await told(postman, file, story)
    kept = postman.acks - acks
    _put_in_place(tmp_path / "backup.db", file)
    await told(postman, file, story)

    assert (known, kept) == (health.DAMAGED, 0)
    assert postman.acks - acks == len(story)
    assert is_whole(file)
    assert judge(rows_of(file), story) == {}


async def test_a_damage_anywhere_is_noticed_or_there_is_none_and_a_backup_mends_it(tmp_path: Path):
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()

        assert await on_a_damaged_page(folder, seed) == {}


def test_on_a_damaged_file_the_bot_does_not_start_and_the_doctor_says_what_to_do(tmp_path: Path):
    _, _, file = a_scene(tmp_path, 1, 5)
    overwrite(file, random.Random(5), start=4096 * 2)
    env = environment("http://127.0.0.1:9/api/", tmp_path, free_port())

    run = subprocess.run(debrief("run"), env=env, capture_output=True, text=True, timeout=60, check=False)
    doctor = subprocess.run(debrief("doctor"), env=env, capture_output=True, text=True, timeout=60, check=False)

    assert (run.returncode, "Traceback" in run.stderr) == (2, False)
    assert health.DAMAGED in run.stderr
    assert f"NOT database: {health.DAMAGED}" in doctor.stdout


# The log is torn -----------------------------------------------------------------------------------------


async def torn(folder: Path, seed: int, *, keep_log: str = "a part") -> tuple[list[str], list[str], Path]:
    """The texts kept one after the other, those in a copy whose log was cut at some byte, and the copy."""
    _, postman, file = a_scene(folder, 200, seed)
    posted, dice = [part for part in postman.copies if part.rank == 0][:25], random.Random(seed)
    keeper = KeeperHere(file)
    for part in posted:
        assert await keeper.send(part.number, part.body)
    copy = _copied(file, folder / "copy.db", dice, keep_log)
    await keeper.stop()
    with closing(sqlite3.connect(copy)) as db:
        kept = [text for (text,) in db.execute("SELECT text FROM messages ORDER BY id")]
    return list(dict.fromkeys(part.text for part in posted)), kept, copy


def _copied(file: Path, copy: Path, dice: random.Random, keep_log: str) -> Path:
    shutil.copy(file, copy)
    log = Path(shutil.copy(f"{file}-wal", f"{copy}-wal"))
    if keep_log == "a part":
        os.truncate(log, dice.randrange(log.stat().st_size))
    elif keep_log == "nothing":
        log.unlink()
    return copy


async def test_a_log_that_is_torn_anywhere_leaves_the_beginning_of_what_was_kept(tmp_path: Path):
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()

        said, kept, copy = await torn(folder, seed)

        assert kept == said[: len(kept)]
        assert is_whole(copy)
        assert health.damage(f"sqlite:///{copy}") is None


async def test_a_log_that_is_whole_holds_all_that_was_acknowledged_and_without_it_much_would_be_lost(tmp_path: Path):
    said, kept, copy = await torn(tmp_path, 7, keep_log="all of it")
    (tmp_path / "without").mkdir()
    _, left, _ = await torn(tmp_path / "without", 7, keep_log="nothing")

    assert (kept, is_whole(copy)) == (said, True)
    assert len(left) < len(said)


# Twenty of each ------------------------------------------------------------------------------------------


@pytest.mark.torture
@pytest.mark.timeout(20 * MINUTES)
async def test_twenty_of_each_fault_lose_nothing_that_was_acknowledged(tmp_path: Path):
    folders = [tmp_path / str(seed) for seed in range(20)]
    for seed, folder in enumerate(folders):
        for name in ("full", "damaged", "torn"):
            (folder / name).mkdir(parents=True)
        flaws, refused = await on_a_full_disk(folder / "full", "Keeper", seed)
        said, kept, copy = await torn(folder / "torn", seed)

        assert flaws == {}
        assert refused
        assert await on_a_damaged_page(folder / "damaged", seed) == {}
        assert (kept, is_whole(copy)) == (said[: len(kept)], True)


@pytest.mark.torture
@pytest.mark.timeout(20 * MINUTES)
async def test_twenty_spells_of_up_to_ten_seconds_under_lock_lose_nothing(tmp_path: Path):
    dice = random.Random(9)

    assert await while_locked(tmp_path, "Keeper", [dice.random() * 10 for _ in range(20)]) == {}
