"""Who plays in these tests: people, by the control; a small real Bolt app, as the bot."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import Running, SandboxSettings, serve
from bot.sandbox.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET

Json = dict[str, Any]
ANYTHING = re.compile(".*")
PATIENCE_S, HANGS_UP_AFTER_S = 60.0, 1.0
"""What happens at all happens before the first; the second is for what was told to hang."""


@dataclass
class People:
    """Deeds and looks of the control."""

    url: str
    session: aiohttp.ClientSession

    async def do(self, deed: str, **wish: Any) -> Json:
        async with self.session.post(f"{self.url}/_control/{deed}", json=wish) as response:
            return await response.json()

    async def see(self, what: str, **query: str) -> Json:
        async with self.session.get(f"{self.url}/_control/{what}", params=query) as response:
            return await response.json()

    async def say(self, text: str, *, user: str = "priya", channel: str = "incidents", **more: Any) -> str:
        """Post a message; answers its ts."""
        return (await self.do("message", user=user, channel=channel, text=text, **more))["ts"]

    async def messages(self, channel: str = "incidents", **query: str) -> list[Json]:
        return (await self.see(f"messages/{channel}", **query))["messages"]

    async def violations(self) -> list[Json]:
        return (await self.see("log"))["violations"]

    async def attempts(self, event_type: str) -> list[Json]:
        return [d for d in (await self.see("log"))["deliveries"] if d["type"] == event_type]


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[People]:
    """People of the sandbox at that address."""
    async with aiohttp.ClientSession() as session:
        yield People(url, session)


@dataclass
class Bot:
    """Remembers all it hears; `on` holds what to do for a command, view or action: (ack, body, client) -> None."""

    app: AsyncApp
    heard: list[Json] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    on: dict[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        return self.app.client

    def events(self, kind: str, subtype: str | None = None) -> list[Json]:
        return [e for e in self.heard if e["type"] == kind and e.get("subtype") == subtype]


def client_of(slack: Running, **more: Any) -> Any:
    """A client of the SDK; Any, because its answers are typed as if each might be missing."""
    return AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[], **more)


class HangsUp(AsyncWebClient):
    """Waits long for an answer, but not for one that its sandbox was told not to give."""

    def __init__(self, slack: Running) -> None:
        super().__init__(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])
        self._faults = slack.sandbox.faults

    async def api_call(self, api_method: str, **given: Any) -> Any:
        faults = [fault for fault in self._faults.of_methods if fault.target in (api_method, "*") and not fault.spent]
        hangs = any(fault.kind.startswith("timeout") for fault in faults)
        self.timeout = HANGS_UP_AFTER_S if hangs else PATIENCE_S  # pyright: ignore[reportAttributeAccessIssue]
        return await super().api_call(api_method, **given)


async def socket_address(slack: Running) -> str:
    """A fresh address for one Socket Mode connection."""
    client: Any = AsyncWebClient(token=APP_TOKEN, base_url=slack.api_url)
    return (await client.apps_connections_open(app_token=APP_TOKEN))["url"]


async def refusal(call: Any) -> Any:
    """What the Web API said when it refused a call."""
    try:
        answer = await call
    except SlackApiError as error:
        return error.response
    raise AssertionError(f"it was not refused: {answer}")


async def error_of(call: Any) -> str:
    return (await refusal(call))["error"]


def a_bot(client: Any) -> Bot:
    app = AsyncApp(client=client, signing_secret=SIGNING_SECRET, ignoring_self_events_enabled=False)
    bot = Bot(app)

    @app.event(ANYTHING)  # type: ignore[arg-type]
    async def _(event: Json, body: Json) -> None:
        bot.heard.append(event)
        bot.bodies.append(body)

    async def answer(ack: Any, body: Json, client: Any) -> None:
        bot.bodies.append(body)
        await bot.on.get(body.get("command") or body["type"], _just_ack)(ack, body, client)

    app.command(ANYTHING)(answer)
    app.action(ANYTHING)(answer)
    app.view(ANYTHING)(answer)
    app.view_closed(ANYTHING)(answer)
    app.shortcut(ANYTHING)(answer)
    app.options(ANYTHING)(answer)
    return bot


async def _just_ack(ack: Any, body: Json, client: Any) -> None:
    await ack()


async def until(condition: Any, *, within_s: float = PATIENCE_S) -> None:
    """Wait for what happens in the background."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def over_socket(**settings: Any) -> AsyncIterator[tuple[Running, Bot]]:
    """A sandbox and a bot that came by Socket Mode."""
    running = await serve(SandboxSettings(**settings))
    bot = a_bot(client_of(running))
    handler = AsyncSocketModeHandler(bot.app, APP_TOKEN)
    await handler.connect_async()
    try:
        yield running, bot
    finally:
        await handler.close_async()
        await running.stop()


@asynccontextmanager
async def over_http(**settings: Any) -> AsyncIterator[tuple[Running, Bot]]:
    """A sandbox and a bot that is called by signed HTTP."""
    client = AsyncWebClient(token=BOT_TOKEN)
    bot = a_bot(client)
    runner = web.AppRunner(bot.app.web_app("/slack/events"), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    running = await serve(SandboxSettings(http_url=url, **settings))
    client.base_url = running.api_url
    try:
        yield running, bot
    finally:
        await running.stop()
        await runner.cleanup()


@asynccontextmanager
async def an_endpoint(answer: Callable[[Json, web.Request], web.StreamResponse]) -> AsyncIterator[str]:
    """A plain HTTP address in the bot's place that answers as told."""

    async def handle(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        return answer(json.loads(text) if text.startswith("{") else {}, request)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def a_form(*blocks: Json, **more: Any) -> Json:
    title = {"type": "modal", "callback_id": "form", "title": plain("A form"), "submit": plain("Save")}
    return {**title, "blocks": list(blocks) or [an_input("why", "text")], **more}


def an_input(block_id: str, action_id: str, **element: Any) -> Json:
    more = {"optional": element.pop("optional")} if "optional" in element else {}
    held = {"type": "plain_text_input", "action_id": action_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain("Why"), "element": held, **more}


def a_button(action_id: str, value: str = "", **more: Any) -> Json:
    button = {"type": "button", "action_id": action_id, "text": plain("Press"), **more}
    return button | ({"value": value} if value else {})


def buttons(*elements: Json) -> list[Json]:
    return [{"type": "actions", "block_id": "buttons", "elements": list(elements)}]
