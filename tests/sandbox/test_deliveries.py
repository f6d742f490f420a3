"""Acknowledgements, retries, signatures and connections."""

import asyncio
import json
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.server import Running, SandboxSettings, sandbox, serve
from bot.sandbox.workspace import APP_TOKEN, SIGNING_SECRET
from tests.sandbox.cast import (
    Bot,
    People,
    a_bot,
    an_endpoint,
    client_of,
    error_of,
    over_http,
    over_socket,
    socket_address,
    until,
    visiting,
)

Json = dict[str, Any]
Connected = tuple[People, Bot]


class Clock:
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


async def test_requests_are_signed_by_the_virtual_clock():
    seen: list[tuple[str, dict[str, str]]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((await request.text(), dict(request.headers)))
        return web.Response()

    runner, url = await _listening(take)
    async with sandbox(http_url=url) as slack, visiting(slack.url) as people:
        await people.do("clock", now="2030-01-01T00:00:00Z")
        await people.say("x")
    await runner.cleanup()

    body, headers = seen[-1]
    stamp = headers["X-Slack-Request-Timestamp"]
    verifier = SignatureVerifier(SIGNING_SECRET, clock=Clock(float(stamp)))  # type: ignore[arg-type]
    assert stamp == "1893456000"
    assert verifier.is_valid(body, stamp, headers["X-Slack-Signature"])


async def test_an_address_is_verified_when_slack_learns_it():
    challenges = []

    def answer(body: Json, _request: web.Request) -> web.Response:
        challenges.append(body["type"])
        return web.Response(text=body.get("challenge", ""))

    async with an_endpoint(answer) as url, sandbox(http_url=url):
        await until(lambda: challenges)

    assert challenges == ["url_verification"]


async def test_an_event_that_fails_comes_again_at_once_after_one_and_after_five_minutes():
    tries: list[tuple[str | None, str | None]] = []

    def answer(body: Json, request: web.Request) -> web.Response:
        if body["type"] == "event_callback":
            tries.append((request.headers.get("x-slack-retry-num"), request.headers.get("x-slack-retry-reason")))
        return web.Response(status=500)

    async with an_endpoint(answer) as url, sandbox(http_url=url) as slack, visiting(slack.url) as people:
        said = await people.do("message", user="priya", channel="incidents", text="x")
        await until(lambda: len(tries) == 2)
        await people.do("clock", advance_s=59)
        await asyncio.sleep(0.05)
        after_59_s = len(tries)
        await people.do("clock", advance_s=2)
        await until(lambda: len(tries) == 3)
        await people.do("clock", advance_s=301)
        await until(lambda: len(tries) == 4)
        await people.do("clock", advance_s=4000)
        attempts = await people.attempts("message")

    assert said["ok"]
    assert said["ack_ms"] is None
    assert after_59_s == 2
    assert tries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert [a["attempt"] for a in attempts] == [0, 1, 2, 3]
    assert len({a["event_id"] for a in attempts}) == 1


async def test_no_retry_is_made_where_the_bot_asks_for_none():
    tries = []

    def answer(body: Json, _request: web.Request) -> web.Response:
        tries.append(body["type"])
        return web.Response(status=500, headers={"x-slack-no-retry": "1"})

    async with an_endpoint(answer) as url, sandbox(http_url=url) as slack, visiting(slack.url) as people:
        await people.say("x")
        await asyncio.sleep(0.05)

    assert tries.count("event_callback") == 1


async def test_an_answer_later_than_three_seconds_is_a_failure():
    async with over_socket() as (slack, bot), visiting(slack.url) as people:
        given_up = asyncio.Event()

        async def too_slow(ack: Any, body: Json, client: Any) -> None:
            await given_up.wait()
            await ack("late")

        bot.on["/review"] = too_slow
        answer = await people.do("command", user="priya", channel="incidents", command="/review")
        given_up.set()
        [attempt] = await people.attempts("/review")

    assert (answer["ok"], answer["error"]) == (False, "operation_timeout")
    assert attempt["ack_ms"] >= 3000
    assert not attempt["acked"]


async def test_without_a_bot_interactions_fail_at_once_and_events_wait_for_it(slack: Running, people: People):
    command = await people.do("command", user="priya", channel="incidents", command="/review")
    said = await people.do("message", user="priya", channel="incidents", text="is anybody there")
    bot = a_bot(client_of(slack))
    handler = AsyncSocketModeHandler(bot.app, APP_TOKEN)
    await handler.connect_async()

    await people.do("clock", advance_s=61)
    await until(lambda: bot.heard)
    await handler.close_async()

    assert (command["ok"], command["error"]) == (False, "dispatch_failed")
    assert (said["ok"], said["ack_ms"]) == (True, None)
    assert bot.heard[0]["text"] == "is anybody there"


async def test_a_bot_that_raises_before_it_acknowledges_is_asked_again(connected: Connected):
    people, bot = connected
    failures = iter([True, False])

    @bot.app.middleware
    async def stumble(next: Any) -> None:  # noqa: A002 - the name Bolt injects by
        if next_fails():
            raise RuntimeError("the database is away")
        await next()

    def next_fails() -> bool:
        return next_of(failures)

    await people.say("x")
    await until(lambda: bot.heard)

    assert [(a["attempt"], a["acked"]) for a in await people.attempts("message")] == [(0, False), (1, True)]


def next_of(values: Any) -> bool:
    return next(values, False)


async def test_a_payload_goes_to_one_of_several_connections():
    async with over_socket() as (slack, first), visiting(slack.url) as people:
        second = a_bot(client_of(slack))
        handler = AsyncSocketModeHandler(second.app, APP_TOKEN)
        await handler.connect_async()
        for i in range(20):
            await people.say(str(i))
        connections = (await people.see("state"))["connections"]
        await handler.close_async()

    assert connections == 2
    assert first.heard
    assert second.heard
    assert sorted(int(e["text"]) for e in first.heard + second.heard) == list(range(20))


async def test_a_ticket_opens_one_connection(slack: Running):
    url = await socket_address(slack)

    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            hello = await socket.receive_json()
        again = await _refused(session, url)

    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": "A0DEBRIEF"}
    assert again == 404


async def test_the_eleventh_connection_is_sent_away(slack: Running):

    async with aiohttp.ClientSession() as session:
        kept = []
        for _ in range(10):
            kept.append(await session.ws_connect(await socket_address(slack)))
            await kept[-1].receive_json()
        last = await session.ws_connect(await socket_address(slack))
        goodbye = await last.receive_json()

    assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")


async def test_an_envelope_says_whether_it_takes_an_answer(slack: Running, people: People):

    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(await socket_address(slack))
        await socket.receive_json()
        saying = asyncio.create_task(people.say("x"))
        event = await socket.receive_json()
        await socket.send_str(json.dumps({"envelope_id": event["envelope_id"]}))
        await saying
        commanding = asyncio.create_task(people.do("command", user="priya", channel="dm", command="/review"))
        command = await socket.receive_json()
        await socket.send_str(json.dumps({"envelope_id": command["envelope_id"], "payload": {"text": "hi"}}))
        answer = await commanding

    assert (event["type"], event["accepts_response_payload"], event["retry_attempt"]) == ("events_api", False, 0)
    assert (command["type"], command["accepts_response_payload"]) == ("slash_commands", True)
    assert answer["answer"] == {"text": "hi"}


async def test_an_event_can_be_delivered_again(connected: Connected):
    people, bot = connected
    event_id = (await people.do("message", user="priya", channel="incidents", text="x"))["event_ids"][0]

    answer = await people.do("deliver", event_id=event_id)

    assert answer["ok"]
    assert [b["event_id"] for b in bot.bodies] == [event_id, event_id]


async def test_anything_can_be_delivered():
    async with over_http() as (slack, _bot), visiting(slack.url) as people:
        answer = await people.do("deliver", payload={"type": "nonsense"})
        unknown = await people.do("deliver", event_id="Ev0")

    assert (answer["ok"], answer["error"]) == (False, "http_error")
    assert unknown["error"] == "no event Ev0 was sent"


async def test_only_the_app_level_token_opens_connections(slack: Running):
    assert await error_of(client_of(slack).api_call("apps.connections.open")) == "not_allowed_token_type"


async def test_a_taken_port_is_an_error(slack: Running):
    port = int(slack.url.rpartition(":")[2])

    try:
        await serve(SandboxSettings(port=port))
    except OSError as error:
        taken = error
    else:
        taken = None

    assert taken is not None


async def _refused(session: aiohttp.ClientSession, url: str) -> int:
    try:
        await session.ws_connect(url)
    except aiohttp.WSServerHandshakeError as error:
        return error.status
    return 0


async def _listening(handler: Any) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_post("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"
