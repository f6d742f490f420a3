"""Requests as Slack sends and signs them: a message of about 1 kB, an emoji, a slash command."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

SECRET = "sandbox-signing-secret"
TEAM, CHANNEL, APP, SOMEBODY = "T0SANDBOX", "C0BENCH", "A0BENCH", "U0ONE"
WORDS = ["checkout", "latency", "rose", "after", "deploy", "rollback", "queue", "worker", "replica", "timeout", "retry"]
JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Signed:
    """One request: its body and the headers Slack puts on it."""

    raw: bytes
    headers: dict[str, str]

    @property
    def wire(self) -> bytes:
        """The same as it goes over a kept connection."""
        head = {"Host": "localhost", "Content-Length": str(len(self.raw)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"POST /slack/events HTTP/1.1\r\n{lines}\r\n".encode() + self.raw


def signed(raw: bytes, kind: str = JSON_TYPE) -> Signed:
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    return Signed(raw, headers)


def messages(first: int, many: int) -> list[Signed]:
    """Signed messages, each with a ts of its own."""
    return [signed(json.dumps(envelope(message(number), number)).encode()) for number in range(first, first + many)]


def command(text: str = "help") -> Signed:
    """`/review` typed by somebody in the incident's channel."""
    said = {
        "command": "/review",
        "text": text,
        "team_id": TEAM,
        "user_id": SOMEBODY,
        "channel_id": CHANNEL,
        "trigger_id": f"1.{time.monotonic_ns()}",
        "response_url": "http://127.0.0.1:9/nobody",
    }
    return signed(urlencode(said).encode(), FORM_TYPE)


def envelope(event: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "token": "ZZZZZZWSxiZZZ2yIvs3peJ",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{number:010d}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": "U0DEBRIEF",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-eyJldCI6Im1lc3NhZ2UiLCJ0aWQiOiJUMFNBTkRCT1gi{number:010d}",
    }


def message(number: int) -> dict[str, Any]:
    ts = f"{int(time.time()) + number // 900_000}.{number % 900_000:06d}"
    text = f"line {number}: " + " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 16))
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {
        "user": f"U{number % 40:09d}",
        "type": "message",
        "ts": ts,
        "client_msg_id": f"f1a1c9a4-0000-4000-8000-{number:012d}",
        "text": text,
        "team": TEAM,
        "blocks": [{"type": "rich_text", "block_id": f"b{number}", "elements": [words]}],
        "channel": CHANNEL,
        "event_ts": ts,
        "channel_type": "channel",
    }


def emoji(number: int) -> dict[str, Any]:
    said = message(number)
    return {
        "type": "reaction_added",
        "user": said["user"],
        "reaction": "pushpin",
        "item": {"type": "message", "channel": CHANNEL, "ts": said["ts"]},
        "item_user": SOMEBODY,
        "event_ts": said["ts"],
    }
