"""The unmodified bot beside a sandbox: its own process, its own folder, and the environment that points it here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

READY_WITHIN_S = 30.0
STOP_WITHIN_S = 25.0


class NotReady(Exception):
    """The bot did not come up."""


def environment(api_url: str, data: Path, port: int, *, http: bool = False) -> dict[str, str]:
    """What `debrief run` reads, for a sandbox at this address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DEBRIEF_"))}
    mode = {"SLACK_SIGNING_SECRET": "sandbox-signing-secret"} if http else {"SLACK_APP_TOKEN": "xapp-sandbox"}
    return (
        kept
        | mode
        | {
            "SLACK_BOT_TOKEN": "xoxb-sandbox",
            "SLACK_API_URL": api_url,
            "DEBRIEF_CLOCK": "slack",
            "DEBRIEF_DATA_DIR": str(data),
            "DEBRIEF_PORT": str(port),
            "DEBRIEF_LOOKUP_GRACE_S": "2",
        }
    )


def debrief(*words: str) -> list[str]:
    """The command, run by the Python that runs us."""
    return [sys.executable, "-m", "bot", *words]


@contextmanager
def bot_running(env: dict[str, str], log: Path) -> Generator[subprocess.Popen[bytes]]:
    """`debrief run` until the end of the block; raises NotReady when it does not come up."""
    with log.open("ab") as lines:
        bot = started(env, lines)
        try:
            _wait_until_ready(bot, int(env["DEBRIEF_PORT"]), log)
            yield bot
        finally:
            bot.terminate()
            try:
                bot.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                bot.kill()
                bot.wait()


def started(env: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """The command that runs the bot, begun with this environment and writing to this log."""
    return subprocess.Popen(debrief("run"), env=env, stdout=log, stderr=log)  # noqa: S603


def _wait_until_ready(bot: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and bot.poll() is None:
        if _answers(f"http://127.0.0.1:{port}/readyz"):
            return
        time.sleep(0.05)
    raise NotReady(f"The bot did not come up; its log is {log}.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False
