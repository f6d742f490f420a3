"""Seconds from `debrief run` to the first 200 of /readyz, on an empty data directory; five starts."""

import statistics
import tempfile
import time
from pathlib import Path

from bot.sandbox.demo import free_port
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment

STARTS = 5


def measure() -> None:
    with in_thread(port=0) as slack:
        taken = [_start(slack.api_url) for _ in range(STARTS)]
    print(f"ready after {min(taken):.2f} / {statistics.median(taken):.2f} / {max(taken):.2f} s (min / median / max)")


def _start(api_url: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with bot_running(environment(api_url, Path(folder), free_port()), Path(folder) / "log"):
            return time.monotonic() - began


if __name__ == "__main__":
    measure()
