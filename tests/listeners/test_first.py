"""What comes before any listener: a fact is kept, then Slack is answered, then whoever listens is asked."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import tagging
from bot.desk import Replayed
from bot.listeners.first import KeepFirst, RememberMark, an_app
from bot.sockets import Envelopes, Socket
from bot.web import mark_of_payload
from storage import timeline
from storage.session import Storage
from tests.cast import HERE, MARA, Room, a_room, an_incident

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


# What comes again -----------------------------------------------------------------------------


class RememberNothing(RememberMark):
    """Lacks the mark of what comes over a socket."""

    async def async_process(self, *, req: Any, resp: Any, next: Any) -> BoltResponse:  # noqa: A002
        return await next()


A_COMMAND = {"command": "/review", "user_id": MARA, "channel_id": HERE.place.channel, "text": "", "trigger_id": "1.2.3"}


@pytest.mark.parametrize(("middleware", "effects"), [(RememberMark, 1), (RememberNothing, 2)])
async def test_an_envelope_that_comes_again_to_another_replica_has_one_effect_because_its_mark_is_in_the_database(
    database_url: str, tmp_path: Path, middleware: type[RememberMark], effects: int
):
    room = a_room(tmp_path, database_url)
    incident, other = an_incident(room), Room(Storage(database_url))
    sockets, line = [a_replica(each, middleware()) for each in (room, other)], Line()

    for number, socket in enumerate(sockets):
        again = SocketModeRequest(
            type="slash_commands", envelope_id=f"E{number}", payload=dict(A_COMMAND), retry_attempt=number
        )
        await socket.handle(line, again)  # pyright: ignore[reportArgumentType]

    assert len(room.ask(timeline.told, incident)) == effects
    assert line.acknowledged == ["E0", "E1"]
    for socket, each in zip(sockets, (room, other), strict=True):
        await socket.close_async()
        each.storage.close()


async def test_two_gestures_that_are_alike_have_two_effects():
    once, again = mark_of_payload(A_COMMAND), mark_of_payload(A_COMMAND | {"trigger_id": "1.2.4"})

    assert once != again
    assert mark_of_payload(A_COMMAND, attempt="1") == once
    assert mark_of_payload({"type": "view_closed"}) is None


def a_replica(room: Room, middleware: RememberMark) -> Socket:
    client = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/")
    app = an_app(nothing_to_keep, client=client, authorize=as_ourselves)
    app.use(middleware)

    async def add(ack: AsyncAck, context: dict[str, Any]) -> None:
        with suppress(Replayed):
            what: Any = {"by": MARA, "where": HERE, "when": None, "text": "it broke", "mark": context.get("mark")}
            await asyncio.to_thread(room.serve, tagging.add_event, **what)
        await ack()

    app.command("/review")(add)
    return Socket(app, "xapp-1", Envelopes())


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ('{"type": "hello", "num_connections": 9}', []),
        ('{"type": "hello", "num_connections": 10}', ["all ten connections that Slack gives an app are taken"]),
        ('{"type": "disconnect", "reason": "too_many_websockets"}', ["Slack gives this app no further connection"]),
    ],
)
async def test_more_bots_than_slack_opens_connections_for_are_told_of(
    frame: str, told: list[str], caplog: pytest.LogCaptureFixture
):
    client = AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:9/")
    socket = Socket(an_app(nothing_to_keep, client=client, authorize=as_ourselves), "xapp-1", Envelopes())
    socket.client.message_listeners.clear()
    socket.client.auto_reconnect_enabled = False

    await socket.client.message_queue.put(frame)
    await socket.client.process_message()

    warned = [record.getMessage() for record in caplog.records if record.name == "debrief.sockets"]
    assert [words.partition(":")[0] for words in warned] == told
    await socket.close_async()
