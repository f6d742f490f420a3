"""Calls that keep Slack's pace, with the sandbox as Slack: what is on hold never leaves this process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError

from bot.calling import Caller, OnHold, Told, nobody, seconds_until, wait_told
from bot.pacing import Pace
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import BOT_TOKEN

POST, UPDATE = "chat.postMessage", "chat.update"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


async def failure_of(caller: Caller) -> SlackApiError:
    with pytest.raises(SlackApiError) as refused:
        await caller.chat_postMessage(channel="C0GENERAL", text="hello")
    return refused.value


def a_caller(slack: Running, pace: Pace, told: Told = nobody) -> Caller:
    async def moment() -> datetime:
        return slack.sandbox.clock.now()

    return Caller(pace=pace, moment=moment, told=told, token=BOT_TOKEN, base_url=slack.api_url)


def calls(slack: Running, method: str) -> int:
    return sum(call["method"] == method for call in slack.sandbox.journal.calls)


async def test_a_method_on_hold_is_not_called_and_others_are(slack: Running):
    pace = Pace()
    caller, now = a_caller(slack, pace), slack.sandbox.clock.now()
    pace.hold(POST, now, now + timedelta(seconds=30))

    with pytest.raises(OnHold) as refused:
        await caller.chat_postMessage(channel="C0GENERAL", text="hello")
    await caller.auth_test()

    assert refused.value.until == now + timedelta(seconds=30)
    assert (calls(slack, POST), calls(slack, "auth.test")) == (0, 1)


async def test_a_method_on_hold_is_called_again_once_its_time_has_come(slack: Running):
    pace = Pace()
    caller, now = a_caller(slack, pace), slack.sandbox.clock.now()
    pace.hold(POST, now, now + timedelta(seconds=30))

    slack.sandbox.clock.advance(30)
    await caller.chat_postMessage(channel="C0GENERAL", text="hello")

    assert calls(slack, POST) == 1


async def test_what_is_on_hold_reads_like_slacks_own_answer(slack: Running):
    pace = Pace()
    caller, now = a_caller(slack, pace), slack.sandbox.clock.now()
    pace.hold(POST, now, now + timedelta(seconds=30))

    with pytest.raises(SlackApiError) as refused:
        await caller.chat_postMessage(channel="C0GENERAL", text="hello")

    answer = refused.value.response
    assert (answer.status_code, answer["error"]) == (429, "ratelimited")
    assert timedelta(seconds=29) < wait_told(refused.value) <= timedelta(seconds=30)


async def test_what_slack_asks_to_wait_is_on_hold_at_once_and_others_are_told(slack: Running):
    told: list[tuple[str, datetime]] = []

    async def tell(method: str, until: datetime) -> None:
        told.append((method, until))

    caller, now = a_caller(slack, Pace(), told=tell), slack.sandbox.clock.now()
    slack.sandbox.faults.set({"method": POST, "kind": "429", "retry_after": 20})

    refused = [await failure_of(caller), await failure_of(caller)]

    ((method, until),) = told
    assert [type(error) for error in refused] == [SlackApiError, OnHold]
    assert (calls(slack, POST), method) == (1, POST)
    assert timedelta(seconds=20) <= until - now < timedelta(seconds=25)


async def test_slacks_tier_is_kept_before_slack_has_to_say_so(slack: Running):
    caller = a_caller(slack, Pace())
    ts = str((await caller.chat_postMessage(channel="C0GENERAL", text="0"))["ts"])
    for number in range(50):
        await caller.chat_update(channel="C0GENERAL", ts=ts, text=str(number))

    with pytest.raises(OnHold):
        await caller.chat_update(channel="C0GENERAL", ts=ts, text="50")

    assert calls(slack, UPDATE) == 50
    assert not any(call["error"] for call in slack.sandbox.journal.calls)


async def test_a_call_that_broke_is_not_repeated(slack: Running):
    slack.sandbox.faults.set({"method": POST, "kind": "reset_after"})

    with pytest.raises(ClientError):
        await a_caller(slack, Pace()).chat_postMessage(channel="C0GENERAL", text="hello")

    assert calls(slack, POST) == 1


# How long ---------------------------------------------------------------------------------


def told_to_wait(retry_after: str | None) -> SlackApiError:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    answer: Any = SimpleNamespace(headers=headers, api_url=f"https://slack.com/api/{POST}")
    return SlackApiError("429", cast("dict[str, Any]", answer))


def test_a_wait_is_never_shorter_than_slack_says_and_at_most_a_tenth_longer():
    shortest, longest = (wait_told(told_to_wait("10"), chance) for chance in (0.0, 1.0))

    assert (shortest, longest) == (timedelta(seconds=10), timedelta(seconds=11))


def test_a_long_wait_becomes_two_seconds_longer_at_most():
    assert wait_told(told_to_wait("600"), 1.0) == timedelta(seconds=602)


def test_where_slack_does_not_say_how_long_the_wait_is_half_a_minute():
    waits = [wait_told(told_to_wait(said)) for said in (None, "soon", "-3", "")]

    assert waits == [timedelta(seconds=30)] * 4


def test_the_seconds_told_have_always_come_when_they_are_over():
    assert [seconds_until(NOW + timedelta(seconds=seconds), NOW) for seconds in (-5, 0.2, 1, 1.2)] == [1, 1, 1, 2]
