"""The demo: a sandbox with the sample incident, the unmodified bot beside it, and one whole review played on them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox.driver import Driver
from bot.sandbox.play import Review
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, debrief, environment

SAMPLE = Path(__file__).parent / "sample"
CHANNEL = "inc-2211-checkout-latency"
LEAD = "tomasz"
EVENING = datetime(2026, 11, 18, 18, 20, tzinfo=UTC)
"""The sample incident was resolved a quarter of an hour ago."""


@dataclass(frozen=True)
class Stage:
    """A sandbox and a bot that run; `env` is the bot's environment."""

    driver: Driver
    env: dict[str, str]
    log: Path


def show(port: int) -> int:
    """Run the demo until it is interrupted, and say where its page is."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    with stage(port) as running:
        sys.stdout.write(
            f"Debrief's demo is at {running.driver.url}\n"
            "A local Slack with a sample incident and the bot; nothing leaves this machine.\n"
            f"The bot's log is {running.log}. Press Ctrl+C to stop.\n"
        )
        sys.stdout.flush()
        stopped.wait()
    return 0


def play_headless(folder: Path, png: Callable[[str], bytes]) -> int:
    """Play one whole review on a virtual clock, print it, and write its report into a folder; `png` draws an SVG."""
    with stage(0) as running:
        for line in Review(running.driver, CHANNEL).play():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        _write_report(running, folder)
        _write_chart((folder / "review.html").read_text("utf-8"), folder, png)
    sys.stdout.write(f"\nThe report is in {folder}/.\n")
    return 0


def _write_report(running: Stage, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for form in ("html", "pdf", "md", "json"):
        words = debrief("export", CHANNEL, "--format", form, "--out", str(folder / f"review.{form}"))
        subprocess.run(words, env=running.env, check=True)  # noqa: S603


def _write_chart(page: str, folder: Path, png: Callable[[str], bytes]) -> None:
    """The picture of the timeline as it stands in the page, and as a summary in Slack shows it."""
    picture = page[page.index("<svg") : page.index("</svg>") + len("</svg>")]
    (folder / "timeline.svg").write_text(picture, "utf-8")
    (folder / "timeline.png").write_bytes(png(picture))


@contextmanager
def stage(port: int, **settings: str) -> Generator[Stage]:
    """The sandbox with the sample, the bot beside it with these settings more, and the incident opened by its lead."""
    with tempfile.TemporaryDirectory(prefix="debrief-demo-") as folder:
        data = Path(folder)
        manifest = data / "manifest.json"
        printed = subprocess.run(debrief("manifest"), capture_output=True, check=True)  # noqa: S603
        manifest.write_bytes(printed.stdout)
        with in_thread(port=port, seed=SAMPLE, manifest=manifest, now=EVENING) as slack:
            env = environment(slack.api_url, data, free_port()) | settings
            log = data / "bot.log"
            with bot_running(env, log):
                driver = Driver(slack.url)
                _open_incident(driver)
                yield Stage(driver, env, log)


def _open_incident(driver: Driver) -> None:
    driver.wait_for(lambda: driver.get("state")["connections"], "the bot to connect")
    driver.type(LEAD, CHANNEL, "open")
    driver.wait_for_words(CHANNEL, "followed as an incident")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
