"""A database brought back from a backup, while Slack went on: nothing is said twice, and nothing is lost."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from bot import looking_up
from bot.paging import History
from bot.rereading import Rereader
from bot.sandbox.server import Running, sandbox
from storage import backups, brought_back, outbox, people
from storage.models import OutboxNote
from storage.session import Storage, backup
from tests.conftest import left_out
from tests.couriers import a_courier
from tests.databases import tool
from tests.sandbox.cast import client_of

TEAM = "T0SANDBOX"
GENERAL, INCIDENTS, PRIYA, TOM = "C0GENERAL", "C0INCIDENTS", "U0PRIYA", "U0TOM"


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        running.sandbox.faults.set({"rate_limits": "off"})
        yield running


@dataclass
class Bot:
    """A courier on a database, and what it is given to say."""

    slack: Running
    url: str

    def __post_init__(self) -> None:
        self.storage = Storage(self.url)
        with self.storage.write() as db:
            people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")
        self.courier = a_courier(self.storage, client_of(self.slack), self.slack.sandbox.clock.now)

    @property
    def now(self) -> datetime:
        return self.slack.sandbox.clock.now()

    def say(self, key: str, *, to: str = GENERAL, words: str = "", later: timedelta | None = None) -> None:
        due = self.now + later if later else None
        told = outbox.Words(key=key, channel=to, text=words or key, at=self.now, not_before=due)
        with self.storage.write() as db:
            outbox.say_live(db, TEAM, told)

    def announce(self, key: str, words: str) -> None:
        with self.storage.write() as db:
            outbox.say_once(db, TEAM, outbox.Words(key=key, channel=GENERAL, text=words, at=self.now))

    async def read_back(self) -> None:
        """An hour later, when everything is looked for in Slack."""
        self.slack.sandbox.clock.advance(3_600)
        history = History(client_of(self.slack), self.slack.sandbox.clock.now)
        reading = Rereader(
            self.storage, history, client_of(self.slack), team=TEAM, now=self.slack.sandbox.clock.now, wake=lambda: None
        )
        await reading.round()

    def whisper(self, key: str) -> None:
        with self.storage.write() as db:
            outbox.whisper(db, TEAM, outbox.Words(key=key, channel=GENERAL, user=PRIYA, text=key, at=self.now))

    async def deliver(self) -> None:
        while await self.courier.round():
            await self.courier.settle()

    def states(self) -> dict[str, str]:
        with self.storage.read() as db:
            return {note.key: note.state for note in db.scalars(select(OutboxNote))}

    def stop(self) -> None:
        self.storage.close()


def seen(slack: Running) -> list[str]:
    """What the bot said, wherever."""
    every = [message for place in slack.sandbox.workspace.channels.values() for message in place.in_order()]
    return sorted(message["text"] for message in every if message.get("bot_id"))


async def live_between(bot: Bot, take_a_backup: Callable[[], None]) -> None:
    """Something is said and something waits; a backup is taken; then what waited is said, and more."""
    bot.say("said before")
    await bot.deliver()
    bot.say("waits in the backup", to=INCIDENTS)
    bot.say("for tomorrow", to=TOM, later=timedelta(days=1))
    bot.whisper("an answer")
    take_a_backup()
    bot.slack.sandbox.clock.advance(3_600)
    bot.say("a reminder", to=PRIYA)
    await bot.deliver()
    bot.stop()


async def live_on(bot: Bot) -> None:
    """What was due before is written once more, as the clock would, and something new."""
    bot.say("a reminder", to=PRIYA)
    bot.say("something new", to=INCIDENTS)
    await bot.deliver()
    bot.slack.sandbox.clock.advance(86_400)
    await bot.deliver()


ALL = ["a reminder", "for tomorrow", "said before", "something new", "waits in the backup"]


async def test_what_was_said_after_the_backup_is_found_and_not_said_again(
    sqlite_url: str, tmp_path: Path, slack: Running
):
    copy = tmp_path / "monday.db"
    await live_between(Bot(slack, sqlite_url), lambda: backup(sqlite_url, copy))

    done = backups.restore(sqlite_url, copy, now=slack.sandbox.clock.now())
    bot = Bot(slack, sqlite_url)
    await live_on(bot)

    assert seen(slack) == ALL
    assert done.uncertain == 2
    assert {*bot.states().values()} == {"sent", "dead"}
    assert bot.states()["an answer"] == "dead"
    bot.stop()


async def test_without_the_look_up_both_would_be_said_twice(
    sqlite_url: str, tmp_path: Path, slack: Running, monkeypatch: pytest.MonkeyPatch
):
    copy = tmp_path / "monday.db"
    await live_between(Bot(slack, sqlite_url), lambda: backup(sqlite_url, copy))
    monkeypatch.setattr(brought_back, "mark", lambda _db, **_when: 0)

    backups.restore(sqlite_url, copy, now=slack.sandbox.clock.now())
    bot = Bot(slack, sqlite_url)
    await live_on(bot)

    assert seen(slack) == sorted([*ALL, "a reminder", "waits in the backup"])
    bot.stop()


def run(name: str, *words: str) -> None:
    """One of PostgreSQL's programs."""
    program = tool(name) or left_out(f"{name} is not installed here")
    subprocess.run([program, *words], check=True, env=os.environ | {"LC_ALL": "C"})


@pytest.mark.postgres
async def test_a_dump_of_postgresql_is_brought_back_without_saying_anything_twice(
    postgresql_url: str, tmp_path: Path, slack: Running
):
    dump, address = tmp_path / "monday.dump", make_url(postgresql_url).set(drivername="postgresql")
    where = address.render_as_string(hide_password=False)

    await live_between(Bot(slack, postgresql_url), lambda: run("pg_dump", "--format=custom", f"--file={dump}", where))

    run("pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={where}", str(dump))
    backups.mark(postgresql_url, now=slack.sandbox.clock.now())
    bot = Bot(slack, postgresql_url)
    await live_on(bot)

    assert seen(slack) == ALL
    bot.stop()


async def test_a_week_later_nothing_is_looked_up_any_more(sqlite_url: str, tmp_path: Path, slack: Running):
    bot = Bot(slack, sqlite_url)
    bot.say("said before")
    await bot.deliver()
    bot.stop()
    backup(sqlite_url, tmp_path / "monday.db")
    backups.restore(sqlite_url, tmp_path / "monday.db", now=slack.sandbox.clock.now())

    bot = Bot(slack, sqlite_url)
    bot.say("within the week")
    slack.sandbox.clock.advance(brought_back.LOOKED_UP_FIRST.total_seconds())
    bot.say("a week later", to=PRIYA)

    assert (bot.states()["within the week"], bot.states()["a week later"]) == ("sending", "pending")
    bot.stop()


async def test_an_answer_waits_for_no_look_up(sqlite_url: str, tmp_path: Path, slack: Running):
    backup(sqlite_url, tmp_path / "monday.db")
    bot = Bot(slack, sqlite_url)
    bot.stop()
    backup(sqlite_url, tmp_path / "tuesday.db")
    backups.restore(sqlite_url, tmp_path / "tuesday.db", now=slack.sandbox.clock.now())

    bot = Bot(slack, sqlite_url)
    bot.whisper("an answer")

    assert bot.states() == {"an answer": "pending"}
    bot.stop()


async def lost_and_said_anew(slack: Running, url: str, folder: Path) -> Bot:
    """A number that is part of a key is lost with the backup's restore, and given again to something else."""
    bot = Bot(slack, url)
    bot.announce("before", "something else :pushpin:")
    await bot.deliver()
    backup(url, folder / "monday.db")
    bot.announce("role:1:2", "Lena leads it.")
    bot.announce("role:1:3", "Tom & Priya write.")
    await bot.deliver()
    bot.stop()
    slack.sandbox.clock.advance(600)
    backups.restore(url, folder / "monday.db", now=slack.sandbox.clock.now())

    bot = Bot(slack, url)
    bot.announce("role:1:2", "Tom writes.")
    bot.announce("role:1:3", "Tom &amp; Priya write.")
    await bot.deliver()
    return bot


ONCE_EACH = ["Lena leads it.", "Tom & Priya write.", "Tom writes.", "something else :pushpin:"]


async def test_a_key_that_is_given_again_after_a_restore_is_another_note(
    sqlite_url: str, tmp_path: Path, slack: Running
):
    bot = await lost_and_said_anew(slack, sqlite_url, tmp_path)
    await bot.read_back()

    assert seen(slack) == ONCE_EACH
    bot.stop()


async def test_without_reading_the_words_one_of_two_would_be_taken_for_the_other(
    sqlite_url: str, tmp_path: Path, slack: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(looking_up, "says_the_same", lambda *_: True)
    bot = await lost_and_said_anew(slack, sqlite_url, tmp_path)

    assert "Tom writes." not in seen(slack)
    bot.stop()
