"""kill -9 while files are fetched: each is there once and right, and what was half fetched is not."""

import base64
import hashlib
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.town import CHANNEL, OWNER, Town, town

LARGE = 6 * 1024 * 1024
PART = ".part-*"


def share(here: Town, name: str, content: bytes) -> str:
    """Somebody shares a file; the message's ts."""
    said = {"user": OWNER, "channel": CHANNEL, "name": name, "mimetype": "application/octet-stream"}
    packed = base64.b64encode(content).decode()
    return here.driver.do("upload", **said, content=packed, encoding="base64")["ts"]


def contents(count: int, seed: int = 7) -> list[bytes]:
    dice = random.Random(seed)
    return [dice.randbytes(LARGE) for _ in range(count)]


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def folder_of(here: Town) -> Path:
    return Path(here.env["DEBRIEF_DATA_DIR"]) / "files"


def lying(here: Town) -> dict[str, str]:
    """Every file in the folder, its name with the hash of what is in it."""
    found = (path for path in folder_of(here).rglob("*") if path.is_file() and path.name not in {".lock", ".of"})
    return {path.name: hash_of(path.read_bytes()) for path in found}


def told(here: Town) -> dict[str, tuple[Any, Any]]:
    """What the export says of each file: its hash, and why it is not kept."""
    files = [file for message in here.review()["messages"] for file in message["files"]]
    return {file["name"]: (file["sha256"], file["skipped"]) for file in files}


def kill_in_the_middle(here: Town) -> list[str]:
    """Cut the power as soon as a file is half there; the names of the halves that are left."""

    def halves() -> list[Path]:
        return [path for path in folder_of(here).glob(PART) if path.stat().st_size]

    until = time.monotonic() + 60
    while not halves() and time.monotonic() < until:
        time.sleep(0.001)
    here.kill()
    return [path.name for path in halves()]


def fetched(here: Town) -> int:
    """How many files the database says are here."""
    with closing(sqlite3.connect(folder_of(here).parent / "debrief.db")) as db:
        return db.execute("SELECT count(*) FROM message_files WHERE sha256 IS NOT NULL").fetchone()[0]


def test_a_power_cut_in_the_middle_of_a_file_leaves_each_there_once_and_right(tmp_path: Path):
    graph, log = contents(2)
    with town(tmp_path) as here:
        share(here, "graph.png", graph)
        share(here, "log.txt", log)
        share(here, "the same log.txt", log)
        halves = kill_in_the_middle(here)
        here.start()
        here.driver.wait_for(lambda: fetched(here) == 3, "the files")

        assert halves
        assert told(here) == {
            "graph.png": (hash_of(graph), None),
            "log.txt": (hash_of(log), None),
            "the same log.txt": (hash_of(log), None),
        }
        assert lying(here) == {name: name for name in (hash_of(graph), hash_of(log))}


def test_a_file_leaves_the_disk_with_its_message_and_alone_and_stays_while_somebody_else_shows_it(tmp_path: Path):
    with town(tmp_path) as here:
        first = share(here, "graph.png", b"a graph")
        share(here, "the same graph.png", b"a graph")
        log = share(here, "log.txt", b"line one")
        here.driver.wait_for(lambda: fetched(here) == 3, "the files")
        before = lying(here)
        here.driver.do("delete", user=OWNER, channel=CHANNEL, ts=first)
        here.driver.do("unshare", user=OWNER, channel=CHANNEL, ts=log)
        here.driver.wait_for(lambda: len(lying(here)) == 1, "the deleted ones to go")
        here.settles()

        assert set(before) == {hash_of(b"a graph"), hash_of(b"line one")}
        assert lying(here) == {hash_of(b"a graph"): hash_of(b"a graph")}
        files = [file for message in here.review()["messages"] for file in message["files"]]
        assert sorted((file["name"] or "", file["skipped"] or "") for file in files) == [
            ("", "deleted in Slack"),
            ("", "deleted in Slack"),
            ("the same graph.png", ""),
        ]


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_twenty_power_cuts_while_files_are_fetched_lose_and_double_none(tmp_path: Path):
    shared = contents(24)
    with town(tmp_path) as here:
        here.kill()
        for number, content in enumerate(shared):
            if number % 4 == 0:
                here.start()
            share(here, f"{number}.bin", content)
            if number % 4 == 3:
                kill_in_the_middle(here)
        dice = random.Random(11)
        for _ in range(14):
            here.start()
            time.sleep(dice.random())
            here.kill()
        here.start()
        here.driver.wait_for(lambda: fetched(here) == len(shared), "the files", within_s=120)

        assert told(here) == {f"{number}.bin": (hash_of(content), None) for number, content in enumerate(shared)}
        assert lying(here) == {name: name for name in map(hash_of, shared)}
