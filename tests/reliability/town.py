"""A sandbox with the unmodified bot beside it, which may be killed at any moment and started anew."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bot.cli import main
from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from tests.settling import Settling

Json = dict[str, Any]
EVENING = datetime(2026, 11, 18, 18, 20, tzinfo=UTC)
CHANNEL = "inc-7-checkout"
LEAD, OWNER, RESPONDER = "lena", "noor", "jonas"
CONFIRMED = {
    "start": "Yes, start",
    "end": "Yes, end the meeting",
    "publish": "Yes, publish",
    "close": "Yes, close it",
}


@dataclass
class Town(Settling):
    """Everybody in the sandbox, and the bot that can be killed."""

    driver: Driver
    env: dict[str, str]
    log: Path
    bot: Any = None
    _running: Any = field(default=None, repr=False)

    def start(self) -> None:
        self._running = bot_running(self.env, self.log)
        self.bot = self._running.__enter__()
        self.driver.wait_for(lambda: self.driver.get("state")["connections"], "the bot to connect")

    def kill(self) -> None:
        """As a power cut would: no time to finish anything."""
        os.kill(self.bot.pid, signal.SIGKILL)
        self.bot.wait()
        self._running.__exit__(None, None, None)
        self.driver.wait_for(lambda: not self.driver.get("state")["connections"], "Slack to notice")

    def stop(self) -> None:
        self._running.__exit__(None, None, None)

    def types(self, user: str, *lines: str) -> str:
        """Type one line after the other and press what asks back; the last answer."""
        answer = ""
        for line in lines:
            answer = self.driver.type(user, CHANNEL, line)
            label = CONFIRMED.get(line.split()[0])
            if label and "Nothing has been changed yet" in answer:
                self.driver.press(user, CHANNEL, f"^{label}$")
        return answer

    def agendas(self) -> list[str]:
        """The agenda messages in the channel."""
        words = [words_of(message) for message in self.driver.messages(CHANNEL)]
        return [text for text in words if text.startswith("Review of")]

    def waits_for_agenda(self, pattern: str) -> None:
        self.driver.wait_for_words(CHANNEL, f"(?s)^Review of.*{pattern}")

    def exported(self, form: str = "json", channel: str = CHANNEL) -> bytes:
        """The review in a format, by the command line, in this process: to start another takes a second."""
        done = CliRunner().invoke(main, ["export", channel, "--format", form], env=self.env, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout_bytes

    def report(self) -> str:
        """The review as people read it."""
        return self.exported("md").decode()

    def review(self) -> Json:
        return json.loads(self.exported())

    def violations(self) -> list[Json]:
        return self.driver.get("log")["violations"]


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """An incident that Lena leads, with Noor and Jonas in it."""
    with in_thread(port=0, manifest=manifest(), now=EVENING) as slack:
        here = Town(Driver(slack.url), environment(slack.api_url, folder, free_port()), folder / "bot.log")
        here.start()
        try:
            here.driver.do("create", user=LEAD, name=CHANNEL)
            here.driver.wait_for_words(CHANNEL, "followed as an incident")
            for user in (OWNER, RESPONDER):
                here.driver.do("invite", user=LEAD, channel=CHANNEL, users=user)
            yield here
        finally:
            here.stop()


@contextmanager
def town_after_it(folder: Path, severity: str) -> Iterator[Town]:
    """The incident is over; whatever is done then, Slack takes all of it."""
    with town(folder) as here:
        here.driver.say(RESPONDER, CHANNEL, "rolled checkout back to 41")
        here.types(LEAD, f"severity {severity}", "mitigated")
        yield here
        assert here.violations() == []
