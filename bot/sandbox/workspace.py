"""The state of the sandbox's one workspace: people, conversations, messages, views, files; everything in memory."""

from __future__ import annotations

import bisect
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.clock import VirtualClock

Json = dict[str, Any]

TEAM = "T0SANDBOX"
DOMAIN = "sandbox"
BOT_USER = "U0DEBRIEF"
BOT_ID = "B0DEBRIEF"
APP_ID = "A0DEBRIEF"
BOT_TOKEN = "xoxb-sandbox"
APP_TOKEN = "xapp-sandbox"
SIGNING_SECRET = "sandbox-signing-secret"
VERIFICATION_TOKEN = "sandbox-verification-token"
ID_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


class NotThere(Exception):
    """Something named is not in the workspace; `what` is `user`, `channel`, `message`, `view` or `file`."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is no {what} {name!r} here")
        self.what = what


@dataclass
class User:
    id: str
    name: str
    real_name: str
    tz: str | None = "UTC"
    email: str = ""
    is_bot: bool = False
    bot_id: str = ""
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    team_id: str = TEAM
    title: str = ""
    updated: int = 0


@dataclass
class Channel:
    """`kind` is `channel` (public), `group` (private), `im` or `mpim`; `order` is the ts of all messages, sorted."""

    id: str
    name: str
    kind: str
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    archived: bool = False
    topic: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    purpose: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    previous_names: list[str] = field(default_factory=list)
    is_general: bool = False
    is_ext_shared: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    threads: dict[str, list[str]] = field(default_factory=dict)
    pins: list[Json] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"

    def add(self, message: Json) -> None:
        ts = message["ts"]
        if ts not in self.messages:
            bisect.insort(self.order, ts)
            if message.get("thread_ts", ts) != ts:
                bisect.insort(self.threads.setdefault(message["thread_ts"], []), ts)
        self.messages[ts] = message

    def remove(self, ts: str) -> Json:
        del self.order[bisect.bisect_left(self.order, ts)]
        message = self.messages.pop(ts)
        thread = self.threads.get(message.get("thread_ts", ts), [])
        if ts in thread:
            thread.remove(ts)
        return message

    def in_order(self) -> Iterator[Json]:
        return (self.messages[ts] for ts in self.order)

    def replies(self, thread_ts: str) -> list[Json]:
        """The replies of a thread, oldest first."""
        return [self.messages[ts] for ts in self.threads.get(thread_ts, [])]


@dataclass
class Ephemeral:
    """A message only `user` sees, in `channel`; `selected` as in `Workspace.selected`."""

    user: str
    channel: str
    message: Json


@dataclass
class StoredFile:
    """`fields` is Slack's file object; `content` its bytes, None until they were uploaded, which are shared once."""

    id: str
    fields: Json
    content: bytes | None = None
    shared: bool = False
    completed: bool = False
    ready_at: float = 0.0
    """When Slack is done with it, in seconds: until then it does not say what it is."""


@dataclass
class Workspace:
    clock: VirtualClock
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    modals: dict[str, list[Json]] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    usergroups: dict[str, Json] = field(default_factory=dict)
    scheduled: dict[str, Json] = field(default_factory=dict)
    canvases: dict[str, Json] = field(default_factory=dict)
    selected: dict[str, Json] = field(default_factory=dict)
    complaints: dict[str, Json] = field(default_factory=dict)
    team_name: str = "Sandbox"
    _random: random.Random = field(default_factory=lambda: random.Random(2026))

    def new_id(self, prefix: str) -> str:
        return prefix + "0" + "".join(self._random.choices(ID_LETTERS, k=9))

    def new_hex(self, length: int) -> str:
        return "".join(self._random.choices("0123456789abcdef", k=length))

    def seconds(self) -> int:
        return int(self.clock.epoch())

    def user(self, name: str) -> User:
        """A person by id or by name (with or without @); raises NotThere."""
        wanted = name.removeprefix("@")
        for user in self.users.values():
            if wanted in (user.id, user.name):
                return user
        raise NotThere("user", name)

    def bot_by_id(self, bot_id: str) -> User | None:
        return next((u for u in self.users.values() if u.bot_id == bot_id), None)

    def channel(self, name: str) -> Channel:
        """A conversation by id or by name (with or without #); raises NotThere."""
        wanted = name.removeprefix("#")
        if wanted in self.channels:
            return self.channels[wanted]
        for channel in self.channels.values():
            if channel.name == wanted and channel.kind in ("channel", "group"):
                return channel
        raise NotThere("channel", name)

    def message(self, channel: Channel, ts: str) -> Json:
        if ts not in channel.messages:
            raise NotThere("message", ts)
        return channel.messages[ts]

    def open_im(self, first: str, second: str) -> Channel:
        """The direct conversation of two people, made when there is none."""
        wanted = {first, second}
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == wanted:
                return channel
        return self.new_channel("", kind="im", creator=first, members=[first, second])

    def open_group(self, people: list[str]) -> Channel:
        for channel in self.channels.values():
            if channel.kind == "mpim" and set(channel.members) == set(people):
                return channel
        name = "mpdm-" + "--".join(self.users[u].name for u in people) + "-1"
        return self.new_channel(name, kind="mpim", creator=people[0], members=people)

    def new_channel(self, name: str, *, kind: str, creator: str, members: list[str]) -> Channel:
        prefix = {"channel": "C", "group": "C", "im": "D", "mpim": "G"}[kind]
        channel = Channel(self.new_id(prefix), name, kind, creator, self.seconds(), members=list(members))
        self.channels[channel.id] = channel
        return channel

    def view(self, view_id: str) -> Json:
        """A modal or Home by its id; raises NotThere."""
        for view in self.all_views():
            if view["id"] == view_id:
                return view
        raise NotThere("view", view_id)

    def all_views(self) -> Iterator[Json]:
        for stack in self.modals.values():
            yield from stack
        yield from self.homes.values()

    def viewer(self, view_id: str) -> str:
        """The user who has that view before them; raises NotThere."""
        for user, stack in self.modals.items():
            if any(view["id"] == view_id for view in stack):
                return user
        for user, view in self.homes.items():
            if view["id"] == view_id:
                return user
        raise NotThere("view", view_id)
