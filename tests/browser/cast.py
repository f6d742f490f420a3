"""The sandbox as a page sees it, and hands that post and look from outside."""

import json
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect

from bot.sandbox.server import Running

Json = dict[str, Any]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE: ViewportSize = {"width": 1400, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
TOMASZ = "U06TWILCZ4K"
IFEOMA = "U06IFEADE2M"
INCIDENT = "C0C4INC2211"
SUPPORT = "C01SUPPORT7"
EVENING = datetime(2026, 11, 18, 18, 20, tzinfo=UTC)
"""The sample incident is over; in Warsaw, where Tomasz lives, it is 19:20."""


@dataclass(frozen=True)
class Workspace:
    """A running sandbox: what the app says in it, what people do, what was delivered to the app."""

    running: Running

    @property
    def url(self) -> str:
        return self.running.url

    def app_says(self, **message: Any) -> Json:
        return self.api("chat.postMessage", channel=INCIDENT, **message)

    def app_opens(self, user: str, view: Json) -> None:
        trigger = self.running.sandbox.triggers.give(user)
        self.api("views.open", trigger_id=trigger, view=view)

    def app_objects(self, user: str, errors: Json) -> None:
        """The open form gets these sentences, as after a submission that was not taken."""
        sandbox = self.running.sandbox
        sandbox.workspace.complaints[sandbox.workspace.modals[user][-1]["id"]] = errors
        sandbox.stream.tell("view", user=user)
        self.look("clock")  # the sandbox runs in a thread of its own, and wakes for a request

    def api(self, method: str, **arguments: Any) -> Json:
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer xoxb-sandbox"}
        request = urllib.request.Request(f"{self.url}/api/{method}", json.dumps(arguments).encode(), headers)
        answer = _asked(request)
        assert answer["ok"], answer
        return answer

    def do(self, deed: str, **wish: Any) -> Json:
        return _asked(urllib.request.Request(f"{self.url}/_control/{deed}", json.dumps(wish).encode()))

    def look(self, path: str) -> Json:
        return _asked(urllib.request.Request(f"{self.url}/_control/{path}"))

    def messages(self, channel: str = INCIDENT, user: str = TOMASZ) -> list[Json]:
        return self.look(f"messages/{channel}?user={user}")["messages"]

    def delivered(self, kind: str) -> list[Json]:
        """The payloads of that kind, `interactive` or `slash_commands`, that went out so far."""
        return [entry["payload"] for entry in self.look("log")["deliveries"] if entry["kind"] == kind]


def _asked(request: urllib.request.Request) -> Json:
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def visit(page: Page, url: str) -> Page:
    """Open the page and wait until it knows the workspace."""
    page.goto(url)
    expect(page.locator("body[data-ready]")).to_be_attached()
    return page


def message_with(page: Page, text: str) -> Locator:
    return page.locator("#log .message", has_text=text).last


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str) -> Json:
    return {"text": plain(text), "value": value}


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def asked(block_id: str, label: str, element: Json, **more: Any) -> Json:
    """An input block, its element called `v`."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element | {"action_id": "v"},
        **more,
    }


def form(*blocks: Json) -> Json:
    return {"type": "modal", "title": plain("A form"), "submit": plain("Save"), "blocks": list(blocks)}
