"""kill -9 of whoever speaks, while Slack fails and its history lags: everything is said, once, in its last words."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.models import OutboxNote
from tests.reliability.deliveries import (
    FAST,
    LAG_S,
    LIFE_S,
    MINUTES,
    THIRTY_PERCENT,
    CourierAlone,
    Mix,
    WholeBot,
    a_square,
    deliver_with_kills,
    finish,
    judge,
    kill_again_and_again,
    until_said,
    until_so,
)
from tests.reliability.receivers import a_door_of
from tests.reliability.story import is_whole

FEW, FEWER = Mix(posts=150, channels=40), Mix(posts=36, channels=12, live=0)
HANDFUL = Mix(posts=12, channels=6, live=0)
NONE: Mapping[str, float] = {}


@pytest.fixture(scope="module")
def door() -> Iterator[Path]:
    with a_door_of("sender") as door:
        yield door


async def test_a_courier_that_is_killed_again_and_again_says_everything_once(tmp_path: Path, door: Path):
    async with a_square(tmp_path, FEW, 1, faults=THIRTY_PERCENT) as square:
        courier = CourierAlone(door, square.task())
        await deliver_with_kills(square, courier, kills=30, life_s=LIFE_S)
        await finish(square, courier)
        flaws, tally = judge(square), square.tally

    assert (flaws, square.complaints, is_whole(square.file)) == ({}, "", True)
    assert tally["kills"] == 30
    assert tally["found sending"] >= 10
    assert tally["taken and not written down"] >= 5


async def test_the_whole_bot_killed_while_it_speaks_leaves_nothing_unsaid_and_nothing_twice(tmp_path: Path, door: Path):
    async with a_square(tmp_path, FEWER, 2, faults=THIRTY_PERCENT) as square:
        whole = WholeBot(square)
        await deliver_with_kills(square, whole, kills=1, life_s=LIFE_S)
        await finish(square, CourierAlone(door, square.task()))

        assert judge(square) == {}
    assert is_whole(square.file)
    assert "traceback" not in whole.log.read_text()


# What Slack forgets -----------------------------------------------------------------------------------


async def forgotten(folder: Path, door: Path, kind: str) -> Counter[str]:
    """What is wrong, but for the order, after Slack forgot eight posts that it had taken, in spite of kills."""
    async with a_square(folder, FEWER, 7, faults=NONE) as square:
        square.slack.sandbox.faults.set({"method": "chat.postMessage", "kind": "forget", "times": 8})
        sender = CourierAlone(door, square.task(kind))
        await deliver_with_kills(square, sender, kills=4, life_s=LIFE_S)
        await sender.start()
        await asyncio.to_thread(square.write, square.deeds, 0.1)
        # What is missing for an hour is old news: it is looked for before.
        await until_so(square, lambda: not square.unsaid() and not square.unread(), within_s=30, pace=FAST / 2)
        await sender.stop()
        flaws = judge(square)
        # What is said once more stands below what came after it.
        del flaws["overtaken"]
        return flaws


@pytest.mark.torture
async def test_what_slack_forgot_is_said_once_more_also_by_one_that_is_killed(tmp_path: Path, door: Path):
    assert await forgotten(tmp_path, door, "ReadsBack") == {}


@pytest.mark.torture
async def test_without_reading_back_what_slack_forgot_would_stay_missing(tmp_path: Path, door: Path):
    flaws = await forgotten(tmp_path, door, "Courier")

    assert flaws["lost"] > 0
    assert flaws["doubled"] == 0


# What each protection is for ------------------------------------------------------------------------


async def spoken(
    folder: Path, door: Path, kind: str, *, faults: Mapping[str, float], kills: int = 0, mix: Mix = FEWER, **task: float
) -> Counter[str]:
    """What is wrong after one of this kind has said everything, with such faults and so many kills."""
    async with a_square(folder, mix, 3, faults=faults) as square:
        sender = CourierAlone(door, square.task(kind, **task))
        if kills:
            await deliver_with_kills(square, sender, kills=kills, life_s=LIFE_S)
        await finish(square, sender)
        return judge(square)


@pytest.mark.torture
@pytest.mark.parametrize(
    ("faults", "kills"), [({"5xx_after": 0.15, "5xx_before": 0.15}, 0), ({"reset_after": 0.3}, 0), (NONE, 12)]
)
async def test_none_of_what_fells_those_that_lack_something_fells_the_courier(
    tmp_path: Path, door: Path, faults: Mapping[str, float], kills: int
):
    assert await spoken(tmp_path, door, "Courier", faults=faults, kills=kills) == {}


async def test_with_hardly_any_grace_what_history_does_not_show_yet_would_be_said_again(tmp_path: Path, door: Path):
    flaws = await spoken(tmp_path, door, "Courier", faults={"5xx_after": 0.3}, grace_s=2)

    assert flaws["doubled"] > 0
    assert flaws["lost"] == 0


async def test_with_the_retries_of_slacks_own_client_an_answer_that_breaks_off_would_be_said_again(
    tmp_path: Path, door: Path
):
    flaws = await spoken(tmp_path, door, "RetriesBlindly", faults={"reset_after": 0.5}, mix=HANDFUL)

    assert flaws["doubled"] > 0
    assert flaws["lost"] == 0


async def test_a_courier_that_noted_as_said_what_it_only_began_to_say_would_lose_what_slack_did_not_take(
    tmp_path: Path, door: Path
):
    flaws = await spoken(tmp_path, door, "AcksFirst", faults={"5xx_before": 0.3})

    assert flaws["lost"] > 0
    assert flaws["doubled"] == 0


async def test_a_loop_that_did_not_note_that_it_begins_to_say_something_would_say_it_twice_after_a_kill(
    tmp_path: Path, door: Path
):
    flaws = await spoken(tmp_path, door, "Naive", faults=NONE, kills=12)

    assert flaws["doubled"] > 0
    assert flaws["lost"] == 0


# What was taken late -----------------------------------------------------------------------------------


async def test_the_grace_of_what_a_killed_courier_left_begins_when_slack_may_have_taken_it(tmp_path: Path, door: Path):
    async with a_square(tmp_path, Mix(posts=1, channels=1), 5, faults={"timeout_after": 1.0}) as square:
        courier = CourierAlone(door, square.task())
        await courier.start()
        await asyncio.to_thread(square.write, square.deeds, 0)
        while not square.messages():  # noqa: ASYNC110 - another process calls
            await asyncio.sleep(0.01)
        await courier.kill()
        square.slack.sandbox.faults.set({"clear": True})
        square.slack.sandbox.faults.set({"history_lag_s": LAG_S})
        with square.storage.write() as db:
            note = db.scalars(select(OutboxNote)).one()
            note.attempted_at = square.slack.sandbox.clock.now() - timedelta(seconds=12)
        await courier.start()
        await until_said(square)
        await courier.stop()

        assert judge(square) == {}


# Five thousand posts ----------------------------------------------------------------------------------


@pytest.mark.torture
@pytest.mark.timeout(20 * MINUTES)
async def test_five_thousand_posts_and_a_thousand_kills_lose_and_double_nothing(tmp_path: Path, door: Path):
    async with a_square(tmp_path, Mix(posts=5_000, channels=80), 4, faults=THIRTY_PERCENT) as square:
        await kill_again_and_again(square, door, whole=50, alone=950)

        assert judge(square) == {}
    assert is_whole(square.file)
    assert square.complaints == ""
    assert square.tally["kills"] == 1_000
    assert square.tally["taken and not written down"] >= 200
