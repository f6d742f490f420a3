"""Nonsense at the doors of the unmodified bot: refused or passed over, in a line of the log without a word of it."""

import asyncio
import json
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from multidict import CIMultiDict
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver
from bot.sandbox.over_http import signature
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from tests.cast import TEAM
from tests.reliability.meagre import until
from tests.reliability.nonsense import CANARY, Request, Sent, frames, pointed_at, recorded, requests
from tests.reliability.receivers import WholeBot, a_whole_bot
from tests.reliability.story import rows_of
from tests.reliability.test_kills_of_the_receiver import a_scene

AT_ONCE = 16
UNHANDLED = ("error", "a listener failed")
MINUTES = 60


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sent]]:
    """What the sandbox delivers, of each shape one."""
    folder, port = tmp_path_factory.mktemp("recorded"), free_port()
    with in_thread(http_url=f"http://127.0.0.1:{port}/slack/events") as slack, ExitStack() as running:
        running.enter_context(bot_running(environment(slack.api_url, folder, port, http=True), folder / "log"))
        driver = Driver(slack.url)
        driver.do("fault", rate_limits="off")
        yield recorded(driver)


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncIterator[WholeBot]:
    a_scene(tmp_path, 1, 1)
    async with a_whole_bot(tmp_path, "http") as bot:
        await bot.start()
        yield bot
        await bot.stop()


@pytest.fixture
async def over_sockets(tmp_path: Path) -> AsyncIterator[WholeBot]:
    a_scene(tmp_path, 1, 1)
    async with a_whole_bot(tmp_path, "socket") as bot:
        await bot.start()
        yield bot
        await bot.stop()


def lines(bot: WholeBot) -> list[dict[str, object]]:
    """The log so far."""
    return [json.loads(line) for line in bot.log.read_text().splitlines()]


def failed(bot: WholeBot) -> list[dict[str, object]]:
    """Lines that tell of something unhandled."""
    return [line for line in lines(bot) if "traceback" in line or (line["level"], line["message"]) == UNHANDLED]


async def still_serves(bot: WholeBot, folder: Path) -> bool:
    """Whether an ordinary message is kept, and the bot says that it is ready."""
    story, _, file = _plain_story(folder)
    kept = await bot.send(0, story)
    return kept and (await bot.page("/readyz"))[0] == 200 and any(row.text == "all is well" for row in rows_of(file))


def _plain_story(folder: Path) -> tuple[dict[str, object], None, Path]:
    ts = f"{int(time.time())}.000777"
    event = {"type": "message", "channel": "C0INC", "user": "U0TOMAS", "text": "all is well", "ts": ts, "event_ts": ts}
    return {"type": "event_callback", "team_id": "T0SANDBOX", "event": event}, None, folder / "debrief.db"


async def statuses(bot: WholeBot, asked: Iterator[Request], sign: str, dice: random.Random) -> list[int]:
    """What each of these is answered with."""
    found = list[int]()

    async def ask() -> None:
        for request in asked:
            headers = CIMultiDict(request.headers)
            headers.extend(_signed(request.body) if sign == "signed" else _unsigned(request.body, dice))
            body = _pieces(request.body) if request.chunks else request.body
            found.append(await bot.post_as(body, headers))

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return found


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


def _signed(body: bytes, stamp: str = "") -> list[tuple[str, str]]:
    stamp = stamp or str(int(time.time()))
    return [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", signature(stamp, body))]


def _unsigned(body: bytes, dice: random.Random) -> list[tuple[str, str]]:
    good = _signed(body)
    return dice.choice(
        [
            [],
            good[:1],
            good[1:],
            _signed(body + b" "),
            _signed(body, str(int(time.time()) - 301)),
            _signed(body, str(int(time.time()) + 400)),
            [good[0], ("X-Slack-Signature", "v0=" + "0" * 64), good[1]],
            [("X-Slack-Request-Timestamp", CANARY), good[1]],
            [good[0], ("X-Slack-Signature", good[1][1].upper())],
        ]
    )


# Over HTTP -------------------------------------------------------------------------------------


async def _fuzz_http(bot: WholeBot, sent: list[Sent], folder: Path, number: int) -> None:
    dice, sent = random.Random(f"http {number}"), pointed_at(bot.slack.url, sent)
    signed = await statuses(bot, requests(sent, dice, number), "signed", dice)
    unsigned = await statuses(bot, requests(sent, dice, number), "unsigned", dice)

    assert set(signed) <= {200, 400, 404, 413}
    assert {200, 400} <= set(signed)
    assert set(unsigned) == {401}
    assert failed(bot) == []
    assert CANARY not in bot.log.read_text()
    assert await still_serves(bot, folder)


async def test_nonsense_over_http_is_refused_without_a_traceback_or_a_word_of_it(
    over_http: WholeBot, sent: list[Sent], tmp_path: Path
):
    await _fuzz_http(over_http, sent, tmp_path, 500)


@pytest.mark.torture
@pytest.mark.timeout(30 * MINUTES)
async def test_ten_thousand_signed_and_ten_thousand_unsigned_requests_are_all_handled(
    over_http: WholeBot, sent: list[Sent], tmp_path: Path
):
    await _fuzz_http(over_http, sent, tmp_path, 10_000)


# Over Socket Mode --------------------------------------------------------------------------------


async def _fuzz_sockets(bot: WholeBot, sent: list[Sent], folder: Path, number: int) -> None:
    dice, before = random.Random(f"socket {number}"), list(bot.slack.open)
    waiting = frames(pointed_at(bot.slack.url, sent), dice, number)
    told = set[str]()

    async def tell() -> None:
        for envelope, frame in waiting:
            told.add(envelope)
            await bot.slack.send_frame(envelope, frame, within_s=2)

    await asyncio.gather(*(tell() for _ in range(4 * AT_ONCE)))

    # A slow machine acknowledges later; what is passed over is never acknowledged.
    await until(lambda: len(told & bot.slack.acknowledged) > len(told) * 0.5)
    assert bot.slack.open[: len(before)] == before
    assert failed(bot) == []
    assert CANARY not in bot.log.read_text()
    assert await still_serves(bot, folder)


async def test_nonsense_over_a_socket_is_passed_over_and_the_connection_stays(
    over_sockets: WholeBot, sent: list[Sent], tmp_path: Path
):
    await _fuzz_sockets(over_sockets, sent, tmp_path, 500)


@pytest.mark.torture
@pytest.mark.timeout(30 * MINUTES)
async def test_ten_thousand_frames_of_nonsense_are_all_passed_over(
    over_sockets: WholeBot, sent: list[Sent], tmp_path: Path
):
    await _fuzz_sockets(over_sockets, sent, tmp_path, 10_000)


# What the tests above would notice ---------------------------------------------------------------


async def test_behind_a_door_that_checked_nothing_the_same_nonsense_would_fail(sent: list[Sent]):
    bodies = [request.body.decode("utf-8", "replace") for request in requests(sent, random.Random(1), 500)]

    raised = 0
    for body in bodies:
        try:
            AsyncBoltRequest(body=body, headers={"content-type": "application/json"})
        except Exception:  # noqa: BLE001 - whatever it is, nobody would have caught it
            raised += 1

    assert raised > 50


# Events that Slack holds back ----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["http", "socket"])
async def test_the_minute_in_which_slack_holds_back_events_is_acknowledged_and_read_again(tmp_path: Path, way: str):
    a_scene(tmp_path, 1, 1)
    minute = int(time.time()) // 60 * 60 - 120
    async with a_whole_bot(tmp_path, way) as bot:
        await bot.start()
        with closing(sqlite3.connect(tmp_path / "debrief.db", timeout=60)) as db:
            db.execute("UPDATE sources SET read_at = ?", (str(datetime.now(UTC).replace(tzinfo=None)),))
            db.commit()

        acked = await bot.send(1, {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": minute})

        with closing(sqlite3.connect(tmp_path / "debrief.db")) as db:
            read_at = datetime.fromisoformat(db.execute("SELECT read_at FROM sources").fetchone()[0])
        await bot.stop()
    assert acked
    assert read_at.replace(tzinfo=UTC) == datetime.fromtimestamp(minute, UTC)
    assert "Slack holds back events" in bot.log.read_text()
