"""`debrief run` is killed again and again while it reads six hours that it missed, and heals all of them."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver
from bot.sandbox.server import Running, in_thread
from bot.sandbox.troupe import bot_running, environment
from bot.sandbox.workspace import BOT_USER
from storage.models import Message, Reading
from storage.session import Storage
from tests.reliability.gap import AWAY_AT, BACK_AT, SIX_HOURS, Size, Talk

KILLS, ANSWERED_AT_MOST = 20, 300
CHANNEL = "inc-1-busy"


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_a_gap_is_healed_by_a_bot_that_is_killed_twenty_times_while_it_reads(tmp_path: Path):
    with in_thread(manifest=manifest(), now=AWAY_AT) as slack:
        here = Watched(slack, tmp_path, SIX_HOURS)
        with here.bot():
            here.opens_the_incident()
        here.talk.meanwhile(here.said_before)
        slack.sandbox.clock.set(BACK_AT)
        asked_before = here.answered()

        for _ in range(KILLS):
            here.reads_until_killed()
        with here.bot():
            here.until(here.has_healed, "the gap to be healed")

        assert here.missing() == set()
        assert here.answered_until_healed - asked_before <= ANSWERED_AT_MOST


class Watched:
    """A sandbox with a channel, and the bot's database, looked into from outside."""

    def __init__(self, slack: Running, folder: Path, size: Size) -> None:
        space = slack.sandbox.workspace
        members = [BOT_USER, "U0PRIYA", "U0JONAS"]
        self.slack = slack
        self.driver = Driver(slack.url)
        self.talk = Talk(
            space.new_channel(CHANNEL, kind="channel", creator="U0PRIYA", members=members),
            slack.sandbox.clock,
            size,
        )
        self.talk.channel.created = int(AWAY_AT.timestamp()) - 6 * 3600 - 60
        self.said_before = self.talk.before()
        self.env = environment(slack.api_url, folder, free_port())
        self.log = folder / "bot.log"
        self.url = f"sqlite:///{folder / 'debrief.db'}"
        self.answered_until_healed = 0
        self._dice = random.Random(3)

    @contextmanager
    def bot(self) -> Iterator[Any]:
        """`debrief run`, while the sandbox's clock runs a hundred times as fast as ours."""
        stop = threading.Event()
        with bot_running(self.env, self.log) as process:
            hurry = threading.Thread(target=self._hurry, args=[stop])
            hurry.start()
            try:
                yield process
            finally:
                stop.set()
                hurry.join()

    def _hurry(self, stop: threading.Event) -> None:
        while not stop.wait(0.05):
            self.slack.sandbox.clock.advance(5)

    def opens_the_incident(self) -> None:
        self.driver.wait_for(lambda: self.driver.get("state")["connections"], "the bot to connect")
        self.driver.type("priya", CHANNEL, "open sev1 Busy")
        self.until(lambda: self.done("opening"), "the history to be read")

    def reads_until_killed(self) -> None:
        before, some = self.answered(), self._dice.randint(0, 25)
        with self.bot() as process:
            self.until(lambda: self.answered() >= before + some or self.has_healed(), "some pages to be read")
            time.sleep(self._dice.random() / 20)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    def has_healed(self) -> bool:
        if not self.done("gap"):
            return False
        self.answered_until_healed = self.answered_until_healed or self.answered()
        return True

    def done(self, why: str) -> bool:
        """Whether a reading for this came to its end."""
        ended = select(Reading.id).where(
            Reading.why == why, Reading.done_at.is_not(None), Reading.began_at >= self.since
        )
        return bool(self.ask(ended))

    @property
    def since(self) -> Any:
        return BACK_AT if self.slack.sandbox.clock.now() >= BACK_AT else AWAY_AT

    def missing(self) -> set[str]:
        kept = dict(self.ask(select(Message.ts, Message.text)))
        return {ts for ts, said in self.talk.channel.messages.items() if kept.get(ts) != said["text"]}

    def ask(self, query: Any) -> list[Any]:
        storage = Storage(self.url)
        try:
            with storage.read() as db:
                return list(db.execute(query).all())
        finally:
            storage.close()

    def answered(self) -> int:
        methods = ("conversations.history", "conversations.replies")
        return sum(1 for call in list(self.slack.sandbox.journal.calls) if call["method"] in methods and call["ok"])

    def until(self, look: Any, what: str) -> None:
        self.driver.wait_for(look, what, within_s=240)
