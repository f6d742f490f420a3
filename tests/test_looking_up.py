"""Looking up what we said: by its mark, on whatever page it stands, and by nothing else."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot import looking_up, outcomes
from bot.looking_up import find, mark_of, metadata
from bot.sandbox.server import Running, sandbox
from tests.sandbox.cast import client_of
from tests.test_courier import INCIDENTS

MINE, OTHER = mark_of("a key", "reminder:1"), mark_of("a key", "reminder:2")


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(looking_up, "A_PAGE", 2)
    async with sandbox() as running:
        running.sandbox.faults.set({"rate_limits": "off"})
        yield running


async def say(slack: Running, *marks: str, thread: str = "") -> list[str]:
    """Messages with these marks, and no mark where it is empty; their times."""
    client, said = client_of(slack), list[str]()
    for mark in marks:
        more = {"metadata": metadata(mark)} if mark else {}
        answer = await client.chat_postMessage(channel=INCIDENTS, text="Hello", thread_ts=thread or None, **more)
        said.append(answer["ts"])
    return said


@pytest.mark.parametrize("in_a_thread", ["", "in a thread"])
async def test_a_message_is_found_on_whatever_page_it_stands(slack: Running, in_a_thread: str):
    parent = (await say(slack, ""))[0] if in_a_thread else ""
    said = await say(slack, OTHER, "", MINE, "", OTHER, "", thread=parent)

    found = await find(client_of(slack), INCIDENTS, thread=parent, oldest="0", marks=[MINE])

    assert found
    assert (found.channel, found.ts, found.mark) == (INCIDENTS, said[2], MINE)


async def test_what_was_not_said_since_then_is_not_found(slack: Running):
    said = await say(slack, MINE, "", OTHER)

    assert await find(client_of(slack), INCIDENTS, thread="", oldest=said[1], marks=[MINE]) is None


class Curt(AsyncWebClient):
    """Hears a yes and nothing else, whatever it asks."""

    answer: Mapping[str, Any] = MappingProxyType({"ok": True})

    async def api_call(self, api_method: str, **given: Any) -> AsyncSlackResponse:
        told = dict(self.answer)
        return AsyncSlackResponse(
            client=self, http_verb="GET", api_url=api_method, req_args=given, data=told, headers={}, status_code=200
        )


@pytest.mark.parametrize("thread", ["", "1.0"])
async def test_half_an_answer_is_not_taken_for_an_empty_channel(thread: str):
    with pytest.raises(outcomes.FAILURES):
        await find(Curt(), INCIDENTS, thread=thread, oldest="0", marks=[MINE])


def test_a_mark_tells_the_key_to_nobody_who_does_not_have_ours():
    assert mark_of("a key", "reminder:1") == MINE
    assert len({MINE, OTHER, mark_of("another key", "reminder:1")}) == 3
