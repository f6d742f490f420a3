"""The door for Slack's requests: the signature first, on raw bytes; nonsense is refused and never raises."""

import asyncio
import gzip
import json
import random
import re
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from aiohttp import ClientResponse, ClientSession, web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from bot import web as pages
from bot.measures import Measures
from bot.review.heard import read_event
from bot.sandbox.over_http import signature
from bot.sandbox.workspace import SIGNING_SECRET

NOW = 1_795_266_000
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
EVENT = {
    "type": "event_callback",
    "team_id": "T0SANDBOX",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T0SANDBOX", "user_id": "U0DEBRIEF", "is_bot": True}],
    "event": {"type": "message", "channel": "C1", "user": "U1", "text": "hello", "ts": "1795266000.000100"},
}
COMMAND = {
    "command": "/review",
    "text": "help",
    "user_id": "U1",
    "channel_id": "C1",
    "team_id": "T1",
    "trigger_id": "1",
}
PRESS = {
    "type": "block_actions",
    "user": {"id": "U1", "team_id": "T1"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "container": {"type": "message", "channel_id": "C1", "is_ephemeral": False},
    "message": {"ts": "1795266000.000100"},
    "actions": [{"type": "button", "action_id": "review:next", "block_id": "b", "value": "{}"}],
}
FILLED = {
    "type": "view_submission",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "review:event",
        "private_metadata": "{}",
        "state": {"values": {}},
    },
}


class Door:
    """The pages of a bot with an ordinary Bolt app behind them, and the time they are told."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self.session = session
        self.now = NOW
        self.why_not_ready: str | None = None
        self.app: AsyncApp | None = None
        self.heard: list[dict[str, Any]] = []
        self.answer: BoltResponse | None = None
        self.measures = Measures()

    async def send(self, body: bytes, content_type: str = JSON, stamp: int = NOW, **headers: str) -> ClientResponse:
        """A signed request."""
        signed = {"X-Slack-Request-Timestamp": str(stamp), "X-Slack-Signature": signature(str(stamp), body)}
        return await self.send_as(body, signed | {"Content-Type": content_type} | headers)

    async def send_as(self, body: bytes, headers: dict[str, str]) -> ClientResponse:
        async with self.session.post(f"{self.url}/slack/events", data=BytesIO(body), headers=headers) as response:
            await response.read()
            return response

    async def keep(self, body: dict[str, Any]) -> BoltResponse | None:
        read_event(body.get("event"))
        self.heard.append(body)
        return self.answer

    async def get(self, page: str) -> tuple[int, str]:
        async with self.session.get(self.url + page) as response:
            return response.status, await response.text()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with ClientSession() as session:
        door = Door("", session)

        async def ready() -> str | None:
            return door.why_not_ready

        async def now() -> datetime:
            return datetime.fromtimestamp(door.now, UTC)

        async def figures() -> bytes:
            return door.measures.page()

        application = pages.pages(ready, figures)
        pages.receive_events(
            application,
            lambda: door.app,
            secret=SIGNING_SECRET,
            now=now,
            keep=door.keep,
            acked=partial(door.measures.acked, "http"),
        )
        runner = pages.runner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        door.app = an_app(door)
        yield door
        await runner.cleanup()


def an_app(door: Door) -> AsyncApp:
    """Hears everything and answers nothing; the facts are read before that, as the keeper does."""

    async def authorize() -> Any:
        return AuthorizeResult(
            enterprise_id=None, team_id="T0SANDBOX", bot_token="xoxb-sandbox", bot_user_id="U0DEBRIEF"
        )

    async def keep(body: dict[str, Any], next: Callable[[], Any]) -> None:  # noqa: A002
        read_event(body.get("event"))
        door.heard.append(body)
        await next()

    app = AsyncApp(
        authorize=authorize,
        request_verification_enabled=False,
        before_authorize=keep,
        raise_error_for_unhandled_request=False,
    )

    async def take(ack: Any) -> None:
        await ack()

    anything = re.compile(".*")
    app.event(anything)(take_event)
    for register in (app.action, app.view, app.shortcut, app.command):
        register(anything)(take)
    return app


async def take_event() -> None:
    """Heard."""


# Whose it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'"x"', b"payload=%7B", b'{"authorizations":[1]}', b"{}"])
async def test_what_is_not_signed_is_not_even_read(door: Door, body: bytes):
    answer = await door.send_as(body, {"Content-Type": JSON})

    assert answer.status == 401
    assert door.heard == []


async def test_what_is_said_is_answered_as_it_was_kept(door: Door):
    said = {"type": "message", "channel": "C0INC", "user": "U0MARA", "text": "checkout is slow", "ts": "1.000100"}
    body = json.dumps({"type": "event_callback", "event": said}).encode()

    taken = await door.send(body)
    door.answer = BoltResponse(status=503)
    refused = await door.send(body)
    door.app = None
    too_early = await door.send(body)

    assert (taken.status, refused.status, too_early.status) == (200, 503, 503)
    assert [heard["event"]["text"] for heard in door.heard] == ["checkout is slow"] * 2


@pytest.mark.parametrize(
    ("stamp", "given"),
    [
        ("abc", "v0=1"),
        ("", ""),
        ("9" * 5_000, "v0=1"),
        ("-5", "v0=1"),
        ("1e9", "v0=1"),
        ("\u0661\u0662\u0663", "v0=1"),
        (str(NOW), "v0=\u00e9\u00e8"),
        (str(NOW), ""),
        (str(NOW), "v0=" + "0" * 64),
        (str(NOW), "v1=" + "0" * 64),
    ],
)
async def test_strange_headers_are_refused_and_never_raise(
    door: Door, caplog: pytest.LogCaptureFixture, stamp: str, given: str
):
    answer = await door.send_as(b"{}", {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": given})

    assert answer.status == 401
    assert caplog.text == ""


def test_a_signature_of_any_characters_is_compared_without_raising():
    odd = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": "v0=\udcff\u20ac"}

    assert not pages.is_signed(b"{}", odd, secret="s", now=NOW)


async def test_one_byte_changed_on_the_way_is_refused(door: Door):
    body = json.dumps(EVENT).encode()
    headers = {"X-Slack-Request-Timestamp": str(NOW), "X-Slack-Signature": signature(str(NOW), body)}

    answer = await door.send_as(body.replace(b"hello", b"hallo"), headers | {"Content-Type": JSON})

    assert answer.status == 401


@pytest.mark.parametrize(("age", "status"), [(0, 200), (299, 200), (301, 401), (-299, 200), (-301, 401)])
async def test_a_signature_is_good_for_five_minutes_of_the_clock_we_are_given(door: Door, age: int, status: int):
    door.now = NOW + age

    answer = await door.send(json.dumps(EVENT).encode())

    assert answer.status == status


# What it says ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[]", JSON),
        (b"1", JSON),
        (b'"x"', JSON),
        (b"null", JSON),
        (b"{", JSON),
        (b"\xff\xfe", JSON),
        (b"[" * 100_000, JSON),
        (b"payload=", FORM),
        (b"payload=%7B", FORM),
        (b"payload=%5B%5D", FORM),
        (b"payload=1", FORM),
        (b"payload=%7B%7D&payload=1", FORM),
        (b'{"authorizations": [1]}', JSON),
        (b'{"team": 5}', JSON),
        (b'{"type": "event_callback", "event": 1}', JSON),
        (b'{"type": "event_callback", "event": {"type": "app_mention"}}', JSON),
        (b'{"type": "block_actions", "user": {"id": "U1"}, "actions": []}', JSON),
        (b'{"type": "view_submission", "user": {"id": "U1"}, "view": {"id": "V1"}}', JSON),
        (b'{"type": "interactive_message", "callback_id": 7}', JSON),
        (b"command=/review", FORM),
    ],
)
async def test_a_signed_request_that_makes_no_sense_is_a_bad_request(
    door: Door, caplog: pytest.LogCaptureFixture, body: bytes, content_type: str
):
    answer = await door.send(body, content_type)

    assert answer.status == 400
    assert door.heard == []
    assert caplog.text == ""


@pytest.mark.parametrize("content_type", ["application/json; charset=klingon", "", "text/plain", "APPLICATION/JSON"])
async def test_a_content_type_of_any_kind_does_no_harm(door: Door, content_type: str):
    answer = await door.send(json.dumps(EVENT).encode(), content_type or "x")

    assert answer.status == 200
    assert door.heard[0]["event_id"] == "Ev1"


async def test_slacks_own_question_about_the_address_is_answered(door: Door):
    body = json.dumps({"type": "url_verification", "challenge": "c0ffee"}).encode()

    async with door.session.post(
        f"{door.url}/slack/events",
        data=body,
        headers={
            "Content-Type": JSON,
            "X-Slack-Request-Timestamp": str(NOW),
            "X-Slack-Signature": signature(str(NOW), body),
        },
    ) as answer:
        assert (answer.status, (await answer.json())["challenge"]) == (200, "c0ffee")


async def test_before_we_are_ready_slack_is_asked_to_come_back(door: Door):
    door.app = None

    assert (await door.send(json.dumps(EVENT).encode())).status == 503
    assert (await door.send(b"[]")).status == 400


HALF_PACKED = gzip.compress(b"{}", mtime=0)[:-9]


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 10**7, mtime=0), HALF_PACKED, b"not packed at all"])
async def test_what_is_packed_is_not_unpacked_signed_or_not(
    door: Door, caplog: pytest.LogCaptureFixture, packed: bytes
):
    unsigned = await door.send_as(packed, {"Content-Type": JSON, "Content-Encoding": "gzip"})
    signed = await door.send(packed, JSON, NOW, **{"Content-Encoding": "gzip"})

    assert (unsigned.status, signed.status) == (401, 400)
    assert caplog.text == ""


async def test_a_body_of_more_than_four_megabytes_is_too_large_signed_or_not(
    door: Door, caplog: pytest.LogCaptureFixture
):
    large = b'{"type": "' + b"x" * pages.BODY_LIMIT + b'"}'

    assert (await door.send(large)).status == 413
    assert (await door.send_as(large, {"Content-Type": JSON})).status == 413
    assert caplog.text == ""


TORN = [
    b"GARBAGE\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\ncanary",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\ncanary",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\ncanary\r\n0\r\n\r\n",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\nContent-Length: 6\r\n\r\ncanary",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nX-Slack-Signature: canary\x00\x01\r\n\r\n",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nX: " + b"canary" * 5_000 + b"\r\n\r\n",
    b"POST /slack/events HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\ncanary",
    b"POST /slack/events HTTP/9.9\r\nHost: canary\r\n\r\n",
]


@pytest.mark.parametrize("sent", TORN)
async def test_what_is_no_http_costs_one_line_in_the_log_and_no_traceback(
    door: Door, caplog: pytest.LogCaptureFixture, sent: bytes
):
    status = await answer_to(door, sent)

    assert not 500 <= status < 600
    assert [record.exc_info for record in caplog.records if record.exc_info] == []
    assert "canary" not in caplog.text
    assert (await door.get("/healthz"))[0] == 200


async def answer_to(door: Door, sent: bytes) -> int:
    """The status of the answer to these bytes; 0 where the connection is closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
    writer.write(sent)
    writer.write_eof()
    first = await asyncio.wait_for(reader.readline(), 60)
    writer.close()
    return int(first.split()[1]) if first else 0


async def test_two_thousand_bodies_of_nonsense_are_answered_without_a_traceback(
    door: Door, caplog: pytest.LogCaptureFixture
):
    chance = random.Random(2026)
    bodies = [a_body(chance) for _ in range(2_000)]

    statuses = [(await door.send(body, content_type)).status for body, content_type in bodies]

    failed = [body for (body, _), status in zip(bodies, statuses, strict=True) if status >= 500]
    assert not failed
    assert {200, 400, 404} <= set(statuses)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def a_body(chance: random.Random) -> tuple[bytes, str]:
    """A request of Slack's with something in it replaced, taken away or torn; or plain noise."""
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.randrange(60)), chance.choice([JSON, FORM])
    whole = json.loads(json.dumps(chance.choice([EVENT, PRESS, FILLED])))
    for _ in range(chance.randrange(4)):
        _spoil(whole, chance)
    if kind == 1:
        return urlencode({**COMMAND, chance.choice(list(COMMAND)): "\ud800".encode("utf-8", "replace")}).encode(), FORM
    if kind == 2:
        torn = json.dumps(whole).encode()
        return torn[: chance.randrange(len(torn))], JSON
    if kind in (3, 4):
        return f"payload={quote_plus(json.dumps(whole))}".encode(), FORM
    return json.dumps(whole).encode(), JSON


NONSENSE = [
    None,
    0,
    1,
    -1.5,
    "",
    "x",
    "\u0000",
    [],
    [1],
    [[]],
    {},
    {"id": 1},
    {"id": []},
    True,
    "\U0001f525" * 50,
    {"type": 1},
]


def _spoil(whole: Any, chance: random.Random) -> None:
    """Replace or remove one thing somewhere inside."""
    while isinstance(whole, dict | list) and whole:
        key = chance.choice(list(whole) if isinstance(whole, dict) else range(len(whole)))
        if not isinstance(whole[key], dict | list) or not whole[key] or chance.random() < 0.3:
            whole[key] = deepcopy(chance.choice(NONSENSE))
            if isinstance(whole, dict) and chance.random() < 0.3:
                del whole[key]
            return
        whole = whole[key]


# The pages ---------------------------------------------------------------------------------------


def test_an_event_that_was_parsed_is_for_bolt_what_it_would_have_parsed_itself():
    added = {"type": "reaction_added", "user": "U1", "item": {"type": "message", "channel": "C1", "ts": "1.0"}}
    raw = json.dumps(EVENT | {"event": added}).encode()
    headers = {"content-type": JSON, "x-slack-request-timestamp": str(NOW), "x-slack-retry-num": "1"}

    once, twice = pages.read(raw, headers, pages.an_event(raw)), pages.read(raw, headers)

    assert once
    assert twice
    assert once.context.actor_user_id == "U1"
    assert vars(once) == vars(twice)


def test_a_gesture_and_a_challenge_are_no_events():
    bodies = [PRESS, COMMAND, {"type": "url_verification"}, {"type": "block_actions", "x": "event_callback"}, {}]

    assert [pages.an_event(json.dumps(body).encode()) for body in bodies] == [None] * len(bodies)


async def test_health_tells_that_the_process_lives_ready_or_not(door: Door):
    door.why_not_ready = "starting"

    assert await door.get("/healthz") == (200, "alive\n")


async def test_readiness_comes_with_its_reason(door: Door):
    door.why_not_ready = "Slack was not heard from recently"
    before = await door.get("/readyz")
    door.why_not_ready = None

    assert before == (503, "Slack was not heard from recently\n")
    assert await door.get("/readyz") == (200, "ready\n")


async def test_metrics_are_text_for_prometheus(door: Door):
    status, text = await door.get("/metrics")

    assert status == 200
    assert "# TYPE debrief_ack_seconds histogram" in text


async def test_every_signed_request_is_counted_with_how_long_slack_waited(door: Door):
    await door.send(json.dumps(EVENT).encode())
    await door.send(json.dumps(EVENT).encode(), stamp=NOW - 900)

    _, text = await door.get("/metrics")

    assert 'debrief_ack_seconds_count{door="http"} 1.0' in text


async def test_whoever_stops_asks_slack_to_send_again(door: Door):
    door.app = None

    answers = [await door.send(json.dumps(EVENT).encode()), await door.send(urlencode(COMMAND).encode(), FORM)]

    assert [answer.status for answer in answers] == [503, 503]
    assert door.heard == []


async def test_over_socket_mode_there_is_no_door_for_requests():
    async def ready() -> None:
        return None

    runner = pages.runner(pages.pages(ready))
    await runner.setup()

    assert "/slack/events" not in [resource.canonical for resource in runner.app.router.resources()]
    await runner.cleanup()
