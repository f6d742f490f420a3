"""Every knob does what it says, and nothing after it is cleared."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from bot.sandbox import deliveries
from bot.sandbox.faults import BadFault, Faults
from bot.sandbox.server import Running
from bot.sandbox.workspace import APP_TOKEN
from tests.sandbox.cast import (
    Bot,
    HangsUp,
    People,
    a_bot,
    client_of,
    over_socket,
    refusal,
    socket_address,
    until,
    visiting,
)

Connected = tuple[People, Bot]
INCIDENTS = "C0INCIDENTS"


async def post(client: Any, text: str = "x") -> Any:
    return await client.chat_postMessage(channel=INCIDENTS, text=text)


async def test_a_429_has_its_retry_after_and_no_effect(client: Any, people: People):
    await people.do("fault", method="chat.postMessage", kind="429", retry_after=7)

    refused = await refusal(post(client))
    afterwards = await post(client, "second")

    assert (refused.status_code, refused["error"], refused.headers["Retry-After"]) == (429, "ratelimited", "7")
    assert afterwards["ok"]
    assert [m["text"] for m in await people.messages()] == ["second"]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("5xx_before", []),
        ("5xx_after", ["x"]),
        ("reset_before", []),
        ("reset_after", ["x"]),
        ("timeout", []),
        ("timeout_after", ["x"]),
    ],
)
async def test_a_failure_is_before_or_after_the_effect(slack: Running, people: People, kind: str, shown: list[str]):
    client = HangsUp(slack)
    await people.do("fault", method="chat.postMessage", kind=kind)

    with pytest.raises((aiohttp.ClientError, asyncio.TimeoutError, Exception)):
        await post(client)

    assert [m["text"] for m in await people.messages()] == shown
    assert (await people.see("log"))["calls"][-1]["fault"] == kind
    assert (await post(client, "again"))["ok"]


async def test_a_post_may_be_answered_and_lost(connected: Connected):
    people, bot = connected
    parent = await people.say("parent")
    await people.do("fault", method="chat.postMessage", kind="forget")

    lost = await bot.client.chat_postMessage(channel=INCIDENTS, text="lost", thread_ts=parent)
    await bot.client.chat_postMessage(channel=INCIDENTS, text="kept")
    await people.say("last")

    assert lost["ok"]
    assert [m["text"] for m in await people.messages()] == ["parent", "kept", "last"]
    assert [e["text"] for e in bot.events("message")] == ["parent", "kept", "last"]


async def test_a_fault_of_every_method_strikes_by_its_rate(client: Any, people: People):
    await people.do("fault", method="*", kind="429", rate=0.5)

    outcomes = [await _ok(client.auth_test()) for _ in range(40)]
    await people.do("fault", clear=True)

    assert 8 < outcomes.count(False) < 32
    assert all([await _ok(client.auth_test()) for _ in range(10)])


async def test_events_are_dropped_and_noted(connected: Connected):
    people, bot = connected
    await people.do("fault", events="drop")

    lost = await people.do("message", user="priya", channel="incidents", text="lost")
    await people.say("heard")

    assert (lost["ok"], lost["ack_ms"]) == (True, None)
    assert [e["text"] for e in bot.heard] == ["heard"]
    assert [a["failure"] for a in await people.attempts("message")] == ["dropped", ""]


async def test_events_come_twice_under_one_id(connected: Connected):
    people, bot = connected
    await people.do("fault", events="duplicate")

    await people.say("twice")
    await until(lambda: len(bot.heard) == 2)

    assert len({b["event_id"] for b in bot.bodies}) == 1


async def test_events_come_in_the_wrong_order(connected: Connected, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deliveries, "HELD_AT_MOST_S", 60.0)
    people, bot = connected
    await people.do("fault", events="reorder")

    await people.say("first")
    await people.say("second")
    await until(lambda: len(bot.heard) == 2)

    assert [e["text"] for e in bot.heard] == ["second", "first"]


async def test_events_come_late_by_the_virtual_clock(connected: Connected):
    people, bot = connected
    await people.do("fault", events="delay", seconds=120, types=["message"])

    await people.say("late")
    before = list(bot.heard)
    await people.do("clock", advance_s=121)
    await until(lambda: bot.heard)

    assert before == []
    assert [e["text"] for e in bot.heard] == ["late"]


async def test_history_may_lag_behind(client: Any, people: People):
    await people.do("fault", history_lag_s=30)
    await post(client)

    before = (await client.conversations_history(channel=INCIDENTS))["messages"]
    await people.do("clock", advance_s=31)
    after = (await client.conversations_history(channel=INCIDENTS))["messages"]

    assert before == []
    assert [m["text"] for m in after] == ["x"]


async def test_history_may_be_limited_to_a_handful_a_minute(client: Any, people: People):
    for _ in range(4):
        await people.say("x")
    await people.do("fault", history_limit=3)

    page = await client.conversations_history(channel=INCIDENTS, limit=999)
    refused = await refusal(client.conversations_history(channel=INCIDENTS, limit=999))
    await people.do("fault", clear=True)
    whole = await client.conversations_history(channel=INCIDENTS, limit=999)

    assert (len(page["messages"]), page["has_more"]) == (3, True)
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert len(whole["messages"]) == 4


async def test_a_channel_takes_five_messages_at_once_and_then_one_a_second(client: Any, people: People):
    for _ in range(5):
        await post(client)
    refused = await refusal(post(client))
    elsewhere = await client.chat_postMessage(channel="C0GENERAL", text="x")
    await people.do("clock", advance_s=1)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert elsewhere["ok"]
    assert (await post(client))["ok"]


async def test_each_method_has_the_limit_of_its_tier(client: Any, people: People):
    for _ in range(20):
        await client.users_list()
    refused = await refusal(client.users_list())
    await people.do("clock", advance_s=61)
    later = await _ok(client.users_list())
    await people.do("fault", rate_limits="off")

    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert later
    assert all([await _ok(client.users_list()) for _ in range(30)])


@pytest.mark.parametrize("kind", ["reset", "disconnect"])
async def test_a_bot_comes_back_after_its_socket_is_gone(kind: str):
    async with over_socket() as (slack, _), visiting(slack.url) as people:
        bot = a_bot(client_of(slack))
        handler = AsyncSocketModeHandler(bot.app, APP_TOKEN, ping_interval=0.2)
        await handler.connect_async()
        answer = await people.do("fault", socket=kind)
        gone = len(slack.sandbox.sockets.connections)
        await until(lambda: slack.sandbox.sockets.connections)
        await handler.close_async()

    assert answer["ok"]
    assert gone < 2


async def test_a_warning_comes_before_the_end(slack: Running, people: People):
    async with aiohttp.ClientSession() as session:
        socket = await _connected(slack, session)
        await people.do("fault", socket="warning")
        warning = await socket.receive_json()

    assert (warning["type"], warning["reason"]) == ("disconnect", "warning")


async def test_a_black_hole_stays_open_and_silent(slack: Running, people: People):
    async with aiohttp.ClientSession() as session:
        socket = await _connected(slack, session)
        await people.do("fault", socket="black_hole")
        said = await people.do("command", user="priya", channel="incidents", command="/review")
        open_still = len(slack.sandbox.sockets.connections)
        await socket.close()

    assert (said["ok"], said["error"]) == (False, "operation_timeout")
    assert open_still == 1


async def test_a_fault_that_is_not_known_is_told_so(people: People):
    wrong = await people.do("fault", method="chat.postMessage", kind="earthquake")

    assert wrong["error"].startswith("earthquake is not a fault of chat.postMessage: choose from 429")
    assert (await people.do("fault", socket="melt"))["error"].startswith("choose from")
    with pytest.raises(BadFault):
        Faults().set({})


async def _ok(call: Any) -> bool:
    try:
        return (await call)["ok"]
    except Exception:  # noqa: BLE001 - any refusal is a no here
        return False


async def _connected(slack: Running, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    socket = await session.ws_connect(await socket_address(slack))
    await socket.receive_json()
    return socket
