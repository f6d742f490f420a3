"""What comes before any listener: a fact is kept, then Slack is answered, then whoever listens is asked."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.first import KeepFirst

A_MESSAGE = {"type": "message", "channel": "C0INC", "ts": "1.000100", "text": "checkout is slow"}
AN_EMOJI = {"type": "reaction_added", "user": "U0MARA", "reaction": "pushpin", "item": {"type": "message"}}


async def dispatch(event: dict[str, Any], answer: BoltResponse | None = None) -> tuple[int, list[Any]]:
    """What Slack is answered, and what was kept and then heard."""
    order: list[Any] = []

    async def keep(body: dict[str, Any]) -> BoltResponse | None:
        order.append(("kept", body["event"]["type"]))
        return answer

    app = AsyncApp(
        client=AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/"),
        request_verification_enabled=False,
        before_authorize=KeepFirst(keep),
    )
    app.use(_remember(order))
    said = await app.async_dispatch(
        AsyncBoltRequest(body={"type": "event_callback", "event": event}, mode="socket_mode")
    )
    return said.status, order


def _remember(order: list[Any]) -> Any:
    async def heard(body: dict[str, Any]) -> BoltResponse:
        order.append(("heard", body["event"]["type"]))
        return BoltResponse(status=202)

    return heard


async def test_what_is_said_is_kept_and_answered_without_asking_any_listener():
    assert await dispatch(A_MESSAGE) == (200, [("kept", "message")])


@pytest.mark.parametrize("event", [A_MESSAGE, AN_EMOJI])
async def test_what_cannot_be_kept_is_answered_so_that_slack_sends_it_again(event: dict[str, Any]):
    status, order = await dispatch(event, BoltResponse(status=503))

    assert (status, order) == (503, [("kept", event["type"])])
