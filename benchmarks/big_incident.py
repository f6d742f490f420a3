"""An incident of 100,000 messages: taken in page by page, told as Markdown, exported as JSON,
verified, and the memory it takes.

Each step is a process of its own, so that its greatest memory is its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot import importing, office
from bot.desk import Desk, House
from bot.render import Renderer
from bot.review.incident import TeamId
from storage import people
from storage.session import Storage, upgrade

MESSAGES, PAGE = 100_000, 1_000
TEAM = TeamId("T0BENCH")
BEGAN = datetime(2026, 11, 18, 14, tzinfo=UTC)
CHANNEL = {"id": "C0BENCH", "name": "inc-bench", "created": BEGAN}
STEPS = ("ingest", "md", "json", "verify")


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'debrief.db'}"
        for step in STEPS:
            print(
                subprocess.run(
                    [sys.executable, "-m", __spec__.name, step, url], capture_output=True, text=True, check=True
                ).stdout,
                end="",
            )


def _step(step: str, url: str) -> None:
    began = time.monotonic()
    size = {"ingest": ingest, "verify": _verify}.get(step, partial(_export, form=step))(url)
    taken = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{step:<7} {taken:5.1f} s, {memory:4.0f} MB at most, {size}")


def ingest(url: str, *, messages: int = MESSAGES, tag_every: int = 500) -> str:
    """An incident of so many messages, one in so many of them on the timeline."""
    upgrade(url)
    storage = Storage(url)
    with storage.write() as db:
        people.know_workspace(
            db, TEAM, name="", url="https://x.slack.com/", bot_user="U0BOT", bot_id="B0BOT", mark_key="k"
        )
    desk = Desk(storage, Renderer(command="/review"), team=TEAM, house=House(), now=lambda: BEGAN)
    for page in _pages(messages, tag_every):
        desk.serve(importing.import_export, channel=CHANNEL, persons=(), messages=page, title="Bench", severity="sev1")
    storage.close()
    return f"{messages:,} messages"


def _pages(messages: int, tag_every: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, messages, PAGE):
        yield [_message(number, tag_every) for number in range(start, start + PAGE)]


def _message(number: int, tag_every: int) -> dict[str, Any]:
    ts = f"{BEGAN.timestamp() + number:.6f}"
    text = f"line {number}: " + "p99 of checkout is at 2400 ms and the pool waits " * 4
    said: dict[str, Any] = {"type": "message", "user": f"U0{number % 40:02}", "text": text, "ts": ts}
    if number % 5 == 4:
        said["thread_ts"] = f"{BEGAN.timestamp() + number - 4:.6f}"
    if number % tag_every == 0:
        said["reactions"] = [{"name": "pushpin", "users": ["U001"], "count": 1}]
    return said


def _verify(url: str) -> str:
    storage = Storage(url)
    told, as_it_was = office.verified(storage, "1")
    storage.close()
    return f"{'as it was' if as_it_was else 'NOT as it was'}, {len(told)} lines"


def _export(url: str, form: str) -> str:
    storage = Storage(url)
    size = sum(map(len, office.exported(storage, "1", form)))
    storage.close()
    return f"{size:,} characters"


if __name__ == "__main__":
    _step(*sys.argv[1:]) if len(sys.argv) > 1 else measure()
