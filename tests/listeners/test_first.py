"""What comes before any listener: a fact is kept, then Slack is answered, then whoever listens is asked."""

import logging
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.first import KeepFirst, an_app
from bot.sockets import Envelopes, Socket

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


# What nobody listens to -----------------------------------------------------------------------


class Line:
    """What goes back over a socket."""

    logger = logging.getLogger("line")

    def __init__(self) -> None:
        self.acknowledged: list[str] = []

    async def send_socket_mode_response(self, response: Any) -> None:
        self.acknowledged.append(response.envelope_id)


UNHEARD = {
    "slash_commands": {"command": "/another", "user_id": "U0MARA", "channel_id": "C0INC", "text": ""},
    "events_api": {"type": "event_callback", "event": {"type": "a_thing_of_tomorrow"}},
    "interactive": {"type": "block_suggestion", "action_id": "of_old", "user": {"id": "U0MARA"}},
    "something_new": {"type": "a_thing_of_tomorrow"},
}


async def nothing_to_keep(_body: dict[str, Any]) -> None:
    """Nothing in it is a fact."""


async def as_ourselves() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T0SANDBOX", bot_user_id="U0DEBRIEF", bot_token="xoxb-1")


@pytest.mark.parametrize(("kind", "payload"), UNHEARD.items())
async def test_what_nobody_listens_to_is_acknowledged_so_that_slack_does_not_send_it_again(
    kind: str, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    client = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/")
    app = an_app(nothing_to_keep, client=client, authorize=as_ourselves)
    socket, line = Socket(app, "xapp-1", Envelopes()), Line()

    await socket.handle(line, SocketModeRequest(type=kind, envelope_id="E1", payload=payload))  # pyright: ignore[reportArgumentType]

    assert line.acknowledged == ["E1"]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("debrief")] == [
        "nobody listens to a request of Slack's"
    ]
    await socket.close_async()
