"""What became of a call: a yes and a no are sure only in Slack's own words, and everything else is not known."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot import outcomes
from bot.outcomes import ALREADY_SO, NEVER, OURS_TO_MEND, TRY_LATER, UNKNOWN, Outcome, yes
from bot.sandbox.facts import COMMON_ERRORS, methods

METHODS = (
    "chat.delete",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.update",
    "conversations.history",
    "conversations.open",
    "conversations.replies",
    "files.completeUploadExternal",
    "files.delete",
    "files.getUploadURLExternal",
    "reactions.add",
    "reactions.remove",
)
"""What the courier calls."""
HTML = "<html><body>502 Bad Gateway</body></html>"


class Door:
    """A Slack that answers as it is told."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.answer: Callable[[], web.StreamResponse] = web.Response

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        del request
        return self.answer()

    async def ask(self, answer: Callable[[], web.StreamResponse]) -> Outcome | None:
        """The outcome of a call that is answered so; None where it is a yes."""
        self.answer = answer
        client = AsyncWebClient(token="xoxb-1", base_url=self.url, retry_handlers=[], timeout=60)
        try:
            await yes(client.chat_postMessage(channel="C1", text="hello"))
        except outcomes.FAILURES as failure:
            return outcomes.of(failure)
        return None


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    application = web.Application()
    application.router.add_post("/{method}", door._serve)
    async with TestServer(application) as server:
        door.url = str(server.make_url("/"))
        yield door


def said(body: Any, status: int = 200, **headers: str) -> Callable[[], web.Response]:
    """An answer in JSON."""
    return lambda: web.json_response(body, status=status, headers=headers)


def sent(body: str | bytes, kind: str = "application/json", status: int = 200) -> Callable[[], web.Response]:
    """An answer of these bytes."""
    content = body.encode() if isinstance(body, str) else body
    return lambda: web.Response(body=content, status=status, headers={"Content-Type": kind})


async def test_only_status_200_and_ok_is_a_yes(door: Door):
    assert await door.ask(said({"ok": True, "channel": "C1", "ts": "1.0"})) is None


@pytest.mark.parametrize(
    "answer",
    [
        said({}),
        said({"ts": "1.0"}),
        said({"ok": None}),
        said({"ok": "true"}),
        said({"error": "is_archived"}),
        said([]),
        said([1]),
        said(1),
        said("is_archived"),
        said(None),
        said({"ok": True}, status=500),
        said({"ok": True}, status=302),
        said({"ok": False, "error": "is_archived"}, status=503),
        said({"ok": False, "error": "is_archived"}, status=403),
        said({"ok": False, "error": "fatal_error"}),
        said({"ok": False, "error": "internal_error"}),
        said({"ok": False}),
        said({"ok": False, "error": ""}),
        sent(HTML, "text/html"),
        sent(HTML, "text/html", 502),
        sent(HTML, "text/html", 403),
        sent("ok", "text/plain"),
        sent(""),
        sent('{"ok": tr'),
        sent("", status=500),
        sent(HTML),
        sent(b'{"ok": "\xff\xfe"}'),
        sent(b"\x1f\x8b\x00", "application/gzip"),
    ],
)
async def test_an_answer_that_is_not_slacks_own_leaves_it_open(door: Door, answer: Callable[[], web.Response]):
    outcome = await door.ask(answer)

    assert outcome is not None
    assert outcome.kind == "unknown"


async def test_no_answer_leaves_it_open(door: Door):
    def hang() -> web.StreamResponse:
        raise asyncio.CancelledError  # aiohttp cuts the connection.

    outcome = await door.ask(hang)

    assert outcome is not None
    assert (outcome.kind, outcome.word) == ("unknown", "ServerDisconnectedError")


async def test_a_slack_that_is_not_there_leaves_it_open():
    door = Door("http://127.0.0.1:9/")

    outcome = await door.ask(web.Response)

    assert outcome is not None
    assert outcome.kind == "unknown"


@pytest.mark.parametrize(
    "answer",
    [
        said({"ok": False, "error": "ratelimited"}, status=429, **{"Retry-After": "7"}),
        lambda: web.Response(text=HTML, status=429, headers={"Content-Type": "text/html", "Retry-After": "7"}),
        lambda: web.Response(text="{", status=429, headers={"Content-Type": "application/json", "Retry-After": "7"}),
    ],
)
async def test_429_is_a_no_until_the_time_that_it_tells_whatever_its_words(
    door: Door, answer: Callable[[], web.Response]
):
    assert await door.ask(answer) == Outcome("later", "ratelimited", timedelta(seconds=7))


@pytest.mark.parametrize("told", ["", "soon", "-5", "1.5"])
async def test_a_time_that_cannot_be_read_is_half_a_minute(door: Door, told: str):
    outcome = await door.ask(said({"ok": False, "error": "ratelimited"}, status=429, **{"Retry-After": told}))

    assert outcome == Outcome("later", "ratelimited", timedelta(seconds=30))


async def test_nothing_is_tried_again_without_a_pause(door: Door):
    outcome = await door.ask(said({"ok": False, "error": "ratelimited"}, status=429, **{"Retry-After": "0"}))

    assert outcome == Outcome("later", "ratelimited", timedelta(seconds=1))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("is_archived", "never"),
        ("msg_too_long", "never"),
        ("service_unavailable", "later"),
        ("invalid_auth", "later"),
        ("already_reacted", "already"),
        ("a_word_of_next_year", "unheard_of"),
    ],
)
async def test_slacks_own_word_is_a_sure_no_if_its_reference_has_it(door: Door, word: str, kind: str):
    outcome = await door.ask(said({"ok": False, "error": word}))

    assert outcome is not None
    assert (outcome.kind, outcome.word) == (kind, word)


def test_every_word_of_the_reference_is_in_one_class():
    classes = [TRY_LATER, OURS_TO_MEND, ALREADY_SO, UNKNOWN, NEVER]
    known = [word for each in classes for word in each]

    listed = COMMON_ERRORS.union(*(methods()[method].errors for method in METHODS))

    assert listed - set(known) == set()
    assert len(known) == len(set(known))
