"""One call of a Web API method: its arguments, its refusals, and what handlers ask of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.facts import SCOPE_PREFIX, Method, methods
from bot.sandbox.house import Sandbox
from bot.sandbox.workspace import BOT_USER, Channel, NotThere, User, Workspace

Json = dict[str, Any]
Handler = Callable[["Call"], Json]

HANDLERS: dict[str, Handler] = {}
CURSOR_MARK = "next:"


class Refused(Exception):
    """The method answers `{"ok": false, "error": …}`; `extra` goes beside the error."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra


@dataclass
class Call:
    method: Method
    sandbox: Sandbox
    args: Json

    @property
    def workspace(self) -> Workspace:
        return self.sandbox.workspace

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, *, default: str = "false") -> bool:
        return str(self.args.get(name, default)).lower() in ("1", "true", "yes")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except ValueError:
            self.refuse("invalid_limit", "invalid_arguments")
            return default

    def parsed(self, name: str, *, error: str = "invalid_arguments") -> Any:
        """An argument that is JSON, in a JSON body as itself and in a form as a string."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            self.refuse(error, "invalid_arguments")

    def refuse(self, *errors: str, **extra: Any) -> None:
        """Answer the first of the errors that this method documents; always raises Refused."""
        raise Refused(next((e for e in errors if self.method.may_answer(e)), "invalid_arguments"), **extra)

    def user(self, name: str = "user") -> User:
        try:
            return self.workspace.users[self.text(name)]
        except KeyError:
            raise Refused(self._first("user_not_found", "users_not_found")) from None

    def channel(self, name: str = "channel") -> Channel:
        """A conversation the bot may know of; a private one only as a member."""
        channel = self.workspace.channels.get(self.text(name).strip())
        if channel is None or (channel.is_private and BOT_USER not in channel.members):
            raise Refused(self._first("channel_not_found", "invalid_channel"))
        self.needs_scope_for(channel)
        return channel

    def channel_inside(self, name: str = "channel") -> Channel:
        """A conversation the bot is a member of."""
        channel = self.channel(name)
        if BOT_USER not in channel.members:
            self.refuse("not_in_channel", "no_access", "channel_not_found")
        return channel

    def open_channel_inside(self, name: str = "channel") -> Channel:
        channel = self.channel_inside(name)
        if channel.archived:
            self.refuse("is_archived", "channel_not_found")
        return channel

    def message(self, channel: Channel, name: str = "ts", *, error: str = "message_not_found") -> Json:
        try:
            return self.workspace.message(channel, self.text(name))
        except NotThere:
            raise Refused(self._first(error, "thread_not_found")) from None

    def needs_scope_for(self, channel: Channel) -> None:
        """Methods of conversations ask the scope of the kind of conversation: groups:history for a private one."""
        wanted = tuple(s for s in self.method.scopes if s.startswith(SCOPE_PREFIX[channel.kind]))
        if self.method.name.startswith("conversations.") and wanted and not self.sandbox.manifest.may(wanted):
            self.refuse("missing_scope", needed=wanted[0], provided=",".join(sorted(self.sandbox.manifest.scopes)))

    def page(self, items: Sequence[Any], *, default: int = 100, most: int = 1000) -> tuple[list[Any], Json]:
        """The page that cursor and limit ask for, and its response_metadata."""
        limit = self.limit(default=default, most=most)
        start = int(float(self.cursor() or 0))
        page = list(items[start : start + limit])
        more = start + limit < len(items)
        return page, {"next_cursor": a_cursor(str(start + limit)) if more else ""}

    def limit(self, *, default: int, most: int) -> int:
        return max(1, min(self.number("limit", default), most))

    def cursor(self) -> str:
        """What the cursor holds, a number as text; empty on the first page."""
        if not self.text("cursor"):
            return ""
        try:
            held = base64.urlsafe_b64decode(self.text("cursor")).decode().removeprefix(CURSOR_MARK)
            float(held)
        except ValueError:
            raise Refused(self._first("invalid_cursor")) from None
        return held

    def _first(self, *errors: str) -> str:
        return next((e for e in errors if self.method.may_answer(e)), "invalid_arguments")


def a_cursor(held: str) -> str:
    return base64.urlsafe_b64encode(f"{CURSOR_MARK}{held}".encode()).decode()


def answers(name: str) -> Callable[[Handler], Handler]:
    """Register the handler of a method; it answers the keys beside `ok`."""

    def register(handler: Handler) -> Handler:
        if name not in methods():
            raise KeyError(f"{name} is not in the table of facts")
        HANDLERS[name] = handler
        return handler

    return register
