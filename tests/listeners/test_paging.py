"""Pages of history and their pace, against the sandbox, whose clock is moved while we wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.paging import HISTORY, REPLIES, History, Pace
from bot.review.refusal import NotInChannel
from bot.sandbox.server import Running, sandbox
from tests.sandbox.cast import People, client_of, visiting

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
INCIDENTS = "C0INCIDENTS"


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with sandbox(now=NOON) as here:
        yield here


@pytest.fixture
async def people(running: Running) -> AsyncIterator[People]:
    async with visiting(running.url) as who:
        yield who


@pytest.fixture
def history(running: Running) -> History:
    """Whose time is moved while it waits for its turn."""

    async def nap(_seconds: float) -> None:
        running.sandbox.clock.advance(20)

    return History(client_of(running), running.sandbox.clock.now, nap=nap)


async def test_a_page_is_in_order_and_knows_when_it_was_asked_for(people: People, history: History):
    parent = await people.say("checkout is slow")
    await people.say("something else")
    await people.say("rolled back", thread_ts=parent)

    page = await history.channel_page(INCIDENTS, LONG_AGO)
    thread = await history.thread_page(INCIDENTS, parent)

    assert [message["text"] for message in page.messages][-2:] == ["checkout is slow", "something else"]
    assert [message["text"] for message in thread.messages] == ["checkout is slow", "rolled back"]
    assert timedelta() <= page.asked_at - NOON < timedelta(minutes=1)


async def test_a_thread_that_is_gone_is_an_empty_page(history: History):
    page = await history.thread_page(INCIDENTS, "1763000000.000100")

    assert (page.messages, page.next_cursor) == ((), None)


async def test_a_channel_that_is_closed_to_us_is_refused_with_a_sentence(history: History):
    with pytest.raises(NotInChannel):
        await history.channel_page("C0NOWHERE", LONG_AGO)


async def test_whether_slack_shows_anything_older_is_one_question(people: People, history: History):
    first = await people.say("hello")
    second = await people.say("checkout is slow")

    assert await history.oldest_before(INCIDENTS, second) == first
    assert await history.oldest_before(INCIDENTS, first) is None


async def test_a_wait_that_slack_asks_for_ends_when_the_clock_is_moved(running: Running, people: People):
    history = History(client_of(running), running.sandbox.clock.now)
    await people.do("fault", method=HISTORY, kind="429", retry_after=300)

    page = await moving(running, history.channel_page(INCIDENTS, LONG_AGO))

    assert page.asked_at - NOON >= timedelta(seconds=300)
    assert [call["ok"] for call in await calls(people, HISTORY)] == [False, True]


async def test_no_more_is_asked_in_a_minute_than_slack_allows(running: Running, people: People, history: History):
    parent = await people.say("checkout is slow")

    for _ in range(60):
        await history.thread_page(INCIDENTS, parent)

    assert {call["ok"] for call in await calls(people, REPLIES)} == {True}
    assert timedelta(minutes=1) <= running.sandbox.clock.now() - NOON < timedelta(minutes=2)


async def test_a_limited_history_is_asked_once_a_minute(history: History):
    history.slow_down()

    asked = [(await history.channel_page(INCIDENTS, LONG_AGO)).asked_at for _ in range(3)]

    assert asked[2] - asked[0] >= timedelta(minutes=2)


async def test_a_clock_that_is_moved_back_holds_nobody_up():
    now = [NOON]
    pace = Pace(lambda: now[0], 1)
    await pace.turn()
    now[0] = NOON - timedelta(days=1)

    async with asyncio.timeout(60):
        assert await pace.turn() == now[0]


async def moving(running: Running, asked: Awaitable[Any]) -> Any:
    """Wait for an answer while time flies."""
    task = asyncio.ensure_future(asked)
    await asyncio.sleep(0)
    while not task.done():
        done, _ = await asyncio.wait({task}, timeout=0.1)
        if not done:
            running.sandbox.clock.advance(20)
    return task.result()


async def calls(people: People, method: str) -> list[dict[str, Any]]:
    return [call for call in (await people.see("log"))["calls"] if call["method"] == method]
