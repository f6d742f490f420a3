"""conversations.*"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from bot.sandbox import gathering
from bot.sandbox.facts import SCOPE_PREFIX
from bot.sandbox.payloads import channel_json, message_json
from bot.sandbox.web_api.call import Call, Refused, a_cursor, answers
from bot.sandbox.workspace import BOT_USER, Channel

Json = dict[str, Any]

KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
NAME = re.compile(r"^[^\W_A-Z]?[\w-]*$")
LONGEST_NAME = 80
MOST_PAGE = 999
MOST_THREAD_PAGE = 1000
LONGEST_TOPIC = 250
MOST_IN_GROUP = 8


@answers("conversations.info")
def info(call: Call) -> Json:
    channel = call.channel()
    answer = channel_json(channel)
    if call.flag("include_num_members"):
        answer["num_members"] = len(channel.members)
    return {"channel": answer}


@answers("conversations.list")
def list_all(call: Call) -> Json:
    seen = [c for c in of_types(call) if not c.is_private or BOT_USER in c.members]
    page, metadata = call.page(seen)
    channels = [{**channel_json(c), **({} if c.kind == "im" else {"num_members": len(c.members)})} for c in page]
    return {"channels": channels, "response_metadata": metadata}


def of_types(call: Call) -> list[Channel]:
    """The conversations of the kinds asked for; refuses a kind the bot has no scope for."""
    asked = [word.strip() for word in call.text("types", "public_channel").split(",")]
    if any(word not in KINDS for word in asked):
        call.refuse("invalid_types")
    kinds = {KINDS[word] for word in asked}
    for kind in sorted(kinds):
        if not call.sandbox.manifest.may((SCOPE_PREFIX[kind] + "read",)):
            provided = ",".join(sorted(call.sandbox.manifest.scopes))
            call.refuse("missing_scope", needed=SCOPE_PREFIX[kind] + "read", provided=provided)
    hide_archived = call.flag("exclude_archived")
    return [c for c in call.workspace.channels.values() if c.kind in kinds and not (hide_archived and c.archived)]


@answers("conversations.members")
def members(call: Call) -> Json:
    page, metadata = call.page(call.channel().members)
    return {"members": page, "response_metadata": metadata}


@answers("conversations.history")
def history(call: Call) -> Json:
    """Newest first; only what stands in the channel itself, replies only when broadcast."""
    channel = call.channel_inside()
    limit = call.limit(default=100, most=_most(call, MOST_PAGE))
    found = list(islice(_newest_first(call, channel), limit + 1))
    page, more = found[:limit], len(found) > limit
    answer: Json = {"messages": _shown(call, page), "has_more": more}
    answer |= {"pin_count": len(channel.pins), "channel_actions_ts": None, "channel_actions_count": 0}
    if more:
        answer["response_metadata"] = {"next_cursor": a_cursor(page[-1]["ts"])}
    return answer


@answers("conversations.replies")
def replies(call: Call) -> Json:
    """The parent first, then its replies, oldest first; each page starts with the parent."""
    channel = call.channel_inside()
    asked = call.message(channel, error="thread_not_found")
    root = asked.get("thread_ts", asked["ts"])
    if root not in channel.messages or float(asked["ts"]) > _horizon(call):
        raise Refused("thread_not_found")
    inside, most = [m for m in channel.replies(root) if _window(call)(m)], _most(call, MOST_THREAD_PAGE)
    page, metadata = call.page(inside, default=most, most=most)
    messages = _shown(call, [channel.messages[root], *page])
    answer: Json = {"messages": messages, "has_more": bool(metadata["next_cursor"])}
    if metadata["next_cursor"]:
        answer["response_metadata"] = metadata
    return answer


@answers("conversations.open")
def open_conversation(call: Call) -> Json:
    people = [user for user in call.text("users").split(",") if user]
    channel = call.channel() if call.text("channel") else _opened(call, people)
    full = channel_json(channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": full}


def _opened(call: Call, people: list[str]) -> Channel:
    if not people:
        raise Refused("users_list_not_supplied")
    if len(people) > MOST_IN_GROUP:
        raise Refused("too_many_users")
    for user in people:
        if user not in call.workspace.users:
            raise Refused("user_not_found")
        if call.workspace.users[user].deleted:
            raise Refused("user_disabled")
    needed = "im:write" if len(people) == 1 else "mpim:write"
    if not call.sandbox.manifest.may((needed,)):
        raise Refused("missing_scope", needed=needed, provided=",".join(sorted(call.sandbox.manifest.scopes)))
    if len(people) == 1:
        return call.workspace.open_im(people[0], BOT_USER)
    return call.workspace.open_group([BOT_USER, *people])


@answers("conversations.create")
def create(call: Call) -> Json:
    name = call.text("name")
    _check_name(call, name)
    kind = "group" if call.flag("is_private") else "channel"
    _check_scope_to_write(call, kind)
    return {"channel": channel_json(gathering.create(call.sandbox, name, by=BOT_USER, kind=kind))}


@answers("conversations.rename")
def rename(call: Call) -> Json:
    channel = call.open_channel_inside()
    _check_name(call, call.text("name"))
    if channel.creator != BOT_USER:
        raise Refused("not_authorized")
    gathering.rename(call.sandbox, channel, call.text("name"), by=BOT_USER)
    return {"channel": channel_json(channel)}


@answers("conversations.join")
def join(call: Call) -> Json:
    channel = call.channel()
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    joined = gathering.join(call.sandbox, channel, BOT_USER)
    answer: Json = {"channel": channel_json(channel)}
    if not joined:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


@answers("conversations.leave")
def leave(call: Call) -> Json:
    channel = call.channel()
    if channel.is_general:
        raise Refused("cant_leave_general")
    if not gathering.leave(call.sandbox, channel, BOT_USER):
        return {"not_in_channel": True}
    return {}


@answers("conversations.invite")
def invite(call: Call) -> Json:
    channel = call.open_channel_inside()
    people = [u for u in call.text("users").split(",") if u]
    if not people:
        raise Refused("no_user")
    for user in people:
        if user not in call.workspace.users:
            raise Refused("user_not_found")
        if user == BOT_USER:
            raise Refused("cant_invite_self")
        if user in channel.members:
            raise Refused("already_in_channel")
        if call.workspace.users[user].deleted:
            raise Refused("cant_invite")
    for user in people:
        gathering.join(call.sandbox, channel, user, inviter=BOT_USER)
    return {"channel": channel_json(channel)}


@answers("conversations.kick")
def kick(call: Call) -> Json:
    channel = call.channel_inside()
    user = call.user()
    if user.id == BOT_USER:
        raise Refused("cant_kick_self")
    if channel.is_general:
        raise Refused("cant_kick_from_general")
    if not gathering.leave(call.sandbox, channel, user.id):
        raise Refused("not_in_channel")
    return {}


@answers("conversations.archive")
def archive(call: Call) -> Json:
    channel = call.channel_inside()
    if channel.archived:
        raise Refused("already_archived")
    if channel.is_general:
        raise Refused("cant_archive_general")
    gathering.archive(call.sandbox, channel, by=BOT_USER)
    return {}


@answers("conversations.unarchive")
def unarchive(call: Call) -> Json:
    channel = call.channel()
    if not channel.archived:
        raise Refused("not_archived")
    gathering.unarchive(call.sandbox, channel, by=BOT_USER)
    return {}


@answers("conversations.setTopic")
def set_topic(call: Call) -> Json:
    channel = _with_topic(call, "topic")
    return {"channel": channel_json(channel), "topic": channel.topic["value"]}


@answers("conversations.setPurpose")
def set_purpose(call: Call) -> Json:
    channel = _with_topic(call, "purpose")
    return {"channel": channel_json(channel), "purpose": channel.purpose["value"]}


@answers("conversations.canvases.create")
def create_canvas(call: Call) -> Json:
    channel = call.channel_inside("channel_id")
    if any(canvas.get("channel_id") == channel.id for canvas in call.workspace.canvases.values()):
        raise Refused("channel_canvas_already_exists")
    canvas_id = call.workspace.new_id("F")
    content = call.parsed("document_content") or {}
    call.workspace.canvases[canvas_id] = {"channel_id": channel.id, "markdown": content.get("markdown", "")}
    return {"canvas_id": canvas_id}


def _with_topic(call: Call, what: str) -> Channel:
    channel = call.open_channel_inside()
    if channel.kind == "im":
        raise Refused("method_not_supported_for_channel_type")
    if len(call.text(what)) > LONGEST_TOPIC:
        raise Refused("too_long")
    gathering.set_topic(call.sandbox, channel, what, call.text(what), by=BOT_USER)
    return channel


def _check_name(call: Call, name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise Refused("invalid_name_maxlength")
    if name != name.lower() or not NAME.match(name):
        raise Refused("invalid_name_specials")
    if not name.strip("-_"):
        raise Refused("invalid_name_punctuation")
    if any(c.name == name for c in call.workspace.channels.values()):
        raise Refused("name_taken")


def _check_scope_to_write(call: Call, kind: str) -> None:
    wanted = ("groups:write",) if kind == "group" else ("channels:manage", "channels:write")
    if not call.sandbox.manifest.may(wanted):
        raise Refused("missing_scope", needed=wanted[0], provided=",".join(sorted(call.sandbox.manifest.scopes)))


def _shown(call: Call, messages: list[Json]) -> list[Json]:
    metadata = call.flag("include_all_metadata")
    return [message_json(message, with_metadata=metadata) for message in messages]


def _top_level(message: Json) -> bool:
    return message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"


def _newest_first(call: Call, channel: Channel) -> Iterator[Json]:
    """What stands in the channel itself, from the end or from where the cursor left off."""
    inside, oldest, before = _window(call), _bound(call, "oldest", "0"), call.cursor()
    place = bisect.bisect_left(channel.order, before) if before else len(channel.order)
    while place > 0:
        place -= 1
        message = channel.messages[channel.order[place]]
        if float(message["ts"]) < oldest:
            return
        if _top_level(message) and inside(message):
            yield message


def _window(call: Call) -> Callable[[Json], bool]:
    """Whether a message is between `oldest` and `latest` and old enough to be seen."""
    oldest, latest = _bound(call, "oldest", "0"), _bound(call, "latest", "inf")
    horizon = _horizon(call)
    if call.flag("inclusive"):
        return lambda message: oldest <= float(message["ts"]) <= min(latest, horizon)
    return lambda message: oldest < float(message["ts"]) < latest and float(message["ts"]) <= horizon


def _most(call: Call, usual: int) -> int:
    """The longest page: shorter where Slack limits the app."""
    limit = call.sandbox.faults.history_limit
    return usual if limit is None else min(usual, limit)


def _horizon(call: Call) -> float:
    """The youngest moment that is shown: history may lag behind."""
    lag_s = call.sandbox.faults.history_lag_s
    return call.sandbox.clock.epoch() - lag_s if lag_s > 0 else math.inf


def _bound(call: Call, name: str, default: str) -> float:
    try:
        return float(call.text(name, default) or default)
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None
