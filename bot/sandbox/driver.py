"""Drives a sandbox from outside: does things as people, and sees what they see. Speaks only HTTP to `/_control`."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]
PATIENCE_S = 90.0
"""What was acknowledged too late twice comes again after a minute."""
LOOK_AGAIN_S = 0.1


class Stuck(Exception):
    """Something that should have happened did not."""


@dataclass(frozen=True)
class Driver:
    """The hands and eyes of everybody in a sandbox at `url`."""

    url: str

    # Hands.

    def do(self, deed: str, **wish: Any) -> Json:
        """One deed; raises Stuck with what the sandbox answered when it was refused."""
        answer = self.post(deed, **wish)
        if not answer.get("ok"):
            raise Stuck(f"{deed}: {answer.get('error') or answer}")
        return answer

    def post(self, deed: str, **wish: Any) -> Json:
        """One deed, whatever comes of it."""
        body = json.dumps(wish).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/_control/{deed}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def say(self, user: str, channel: str, text: str, **more: Any) -> str:
        """A message; its ts."""
        return self.do("message", user=user, channel=channel, text=text, **more)["ts"]

    def type(self, user: str, channel: str, text: str, command: str = "/review") -> str:
        """A slash command; what the bot answered in-band, or an empty string."""
        return words_of(self.do("command", user=user, channel=channel, command=command, text=text).get("answer"))

    def press(self, user: str, channel: str, label: str) -> str:
        """Press the newest button whose label matches, as the person sees it; the label."""
        message, button = self.find_button(user, channel, label)
        self.do(
            "click",
            user=user,
            channel=channel,
            ts=message["ts"],
            action_id=button["action_id"],
            value=button.get("value"),
        )
        return str(button["text"]["text"])

    def fill(self, user: str, **values: Any) -> Json:
        """Send the topmost form, its fields by their names."""
        return self.do("submit", user=user, values={name: {name: value} for name, value in values.items()})

    # Eyes.

    def get(self, what: str, **query: str) -> Json:
        ask = f"?{urllib.parse.urlencode(query)}" if query else ""
        with urllib.request.urlopen(f"{self.url}/_control/{what}{ask}", timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def messages(self, channel: str, user: str | None = None) -> list[Json]:
        """What is in a channel, oldest first; with a user, also what only that person sees."""
        return self.get(f"messages/{channel}", **({"user": user} if user else {}))["messages"]

    def find_button(self, user: str, channel: str, label: str) -> tuple[Json, Json]:
        """The newest button whose label matches; raises Stuck."""
        return self.wait_for(lambda: next(self._buttons(user, channel, label), None), f"a button {label}")

    def _buttons(self, user: str, channel: str, label: str) -> Iterator[tuple[Json, Json]]:
        for message in reversed(self.messages(channel, user)):
            for block in message.get("blocks") or []:
                for element in block.get("elements") or [] if block.get("type") == "actions" else []:
                    if re.search(label, (element.get("text") or {}).get("text") or ""):
                        yield message, element

    def wait_for(self, look: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
        """Look again until there is something; raises Stuck naming what was waited for."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            found = look()
            if found:
                return found
            time.sleep(LOOK_AGAIN_S)
        raise Stuck(f"waited {within_s:g} s in vain for {what}")

    def wait_for_words(self, channel: str, pattern: str, user: str | None = None, *, after: str = "") -> Json:
        """The newest message of a channel whose words match, posted after a ts."""

        def look() -> Json | None:
            seen = [m for m in self.messages(channel, user) if m["ts"] > after]
            return next((m for m in reversed(seen) if re.search(pattern, words_of(m))), None)

        return self.wait_for(look, f"“{pattern}” in {channel}")

    # Time.

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.get("clock")["now"])

    def move_clock_to(self, moment: datetime) -> None:
        self.do("clock", now=moment.isoformat().replace("+00:00", "Z"))

    def pass_time(self, seconds: float) -> None:
        self.do("clock", advance_s=seconds)


def words_of(message: Json | None) -> str:
    """What a person reads of a message: its text, else the words of its blocks."""
    return str((message or {}).get("text") or "")
