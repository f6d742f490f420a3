"""A bot that is asked to stop while Slack hangs: it ends within twenty seconds, and nothing is lost or doubled."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from bot.sandbox.over_http import signature
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from storage import outbox
from storage.models import OutboxNote
from storage.session import Storage
from tests.reliability.pace import BOT, TEAM

POST = "chat.postMessage"
NOTES, HANGS = 12, 0.3
ENDS_WITHIN_S = 20
EVENT = b'{"type":"event_callback","team_id":"T0SANDBOX","event":{"type":"message","channel":"C1","ts":"1.1"}}'


@dataclass
class Program:
    """`debrief run`, as somebody starts it who runs a server, and its database."""

    process: asyncio.subprocess.Process
    storage: Storage
    port: int
    session: aiohttp.ClientSession

    async def page(self, name: str) -> tuple[int, str]:
        try:
            async with self.session.get(f"http://127.0.0.1:{self.port}/{name}") as answer:
                return answer.status, (await answer.text()).strip()
        except aiohttp.ClientConnectionError:
            return 0, ""

    async def event(self) -> int:
        """What a signed request is answered with."""
        stamp = str(int(time.time()))
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(stamp, EVENT)}
        headers["Content-Type"] = "application/json"
        async with self.session.post(f"http://127.0.0.1:{self.port}/slack/events", data=EVENT, headers=headers) as told:
            return told.status

    def write(self, channels: list[str]) -> None:
        now = datetime.now(UTC)
        with self.storage.write() as db:
            for channel in channels:
                outbox.say_once(db, TEAM, outbox.Words(key=f"note {channel}", channel=channel, text=channel, at=now))

    def states(self) -> dict[str, tuple[str, str | None]]:
        with self.storage.read() as db:
            return {note.channel_id: (note.state, note.error) for note in db.scalars(select(OutboxNote))}


@asynccontextmanager
async def running(folder: Path, slack: Running, port: int, *, http: bool) -> AsyncIterator[Program]:
    tokens = {"SLACK_SIGNING_SECRET": SIGNING_SECRET} if http else {"SLACK_APP_TOKEN": APP_TOKEN}
    env = {"PATH": os.environ["PATH"], "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_URL": slack.api_url} | tokens
    env |= {"DEBRIEF_DATA_DIR": str(folder), "DEBRIEF_PORT": str(port), "DEBRIEF_LOOKUP_GRACE_S": "1"}
    env["DEBRIEF_WRITES_A_SECOND"] = "0"
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env=env, stdout=log, stderr=log, cwd=Path(__file__).parents[2]
        )
    async with aiohttp.ClientSession() as session:
        program = Program(process, Storage(f"sqlite:///{folder / 'debrief.db'}"), port, session)
        try:
            async with asyncio.timeout(150):
                while (await program.page("readyz"))[0] != 200:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            yield program
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            program.storage.close()


def channels_of(slack: Running, number: int) -> list[str]:
    make = slack.sandbox.workspace.new_channel
    return [make(f"d{n}", kind="channel", creator=BOT, members=[BOT]).id for n in range(number)]


def said(slack: Running, channels: list[str]) -> list[int]:
    return [len(slack.sandbox.workspace.channels[channel].messages) for channel in channels]


async def until_called(slack: Running, times: int) -> None:
    async with asyncio.timeout(150):
        while sum(call["method"] == POST for call in slack.sandbox.journal.calls) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


HANGS_S = [4.0, pytest.param(60.0, marks=[pytest.mark.torture, pytest.mark.timeout(180)])]


@pytest.mark.parametrize("way", ["http", "socket"])
@pytest.mark.parametrize("hangs_s", HANGS_S)
async def test_whoever_is_stopped_ends_in_time_and_what_it_said_is_known_to_the_next(
    tmp_path: Path, free_port: int, way: str, hangs_s: float
):
    async with sandbox() as slack:
        channels = channels_of(slack, NOTES)
        slack.sandbox.faults.set({"rate_limits": "off"})
        for kind in ("timeout", "timeout_after"):
            slack.sandbox.faults.set({"method": POST, "kind": kind, "rate": HANGS / 2, "seconds": hangs_s})
        async with running(tmp_path, slack, free_port, http=way == "http") as first:
            first.write(channels)
            await until_called(slack, NOTES)
            began = time.monotonic()
            first.process.terminate()
            while (meanwhile := await first.page("readyz"))[0] == 200:  # noqa: ASYNC110 - a signal, to another process
                await asyncio.sleep(0.02)
            refused = await first.event() if way == "http" else 503
            status = await asyncio.wait_for(first.process.wait(), ENDS_WITHIN_S + 10)
            took, left = time.monotonic() - began, first.states()
        slack.sandbox.faults.set({"clear": True})
        slack.sandbox.faults.set({"rate_limits": "off"})
        async with running(tmp_path, slack, free_port, http=way == "http") as second:
            async with asyncio.timeout(150):
                while {*second.states().values()} != {("sent", None)}:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)

        assert (status, took < ENDS_WITHIN_S, refused, meanwhile) == (0, True, 503, (503, "stopping"))
        assert {*left.values()} <= {("sent", None), ("sending", "unknown"), ("sending", None), ("pending", None)}
        assert ("sending", "unknown") in left.values() or hangs_s > 15
        assert said(slack, channels) == [1] * NOTES


async def test_what_came_by_a_socket_is_answered_before_it_is_closed(tmp_path: Path, free_port: int):
    async with sandbox() as slack, running(tmp_path, slack, free_port, http=False) as program:
        async with aiohttp.ClientSession() as people:

            async def say(number: int) -> None:
                wish = {"user": "priya", "channel": "incidents", "text": f"number {number}"}
                async with people.post(f"{slack.url}/_control/message", json=wish) as answer:
                    await answer.read()

            await asyncio.gather(*map(say, range(20)))
            program.process.terminate()
            status = await asyncio.wait_for(program.process.wait(), ENDS_WITHIN_S + 10)

        delivered = [each for each in slack.sandbox.journal.deliveries if each["type"] == "message"]
        assert status == 0
        assert delivered
        assert [each["failure"] for each in delivered if not each["acked"]] == []
