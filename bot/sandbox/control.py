"""The control of the sandbox: people's deeds, the clock, faults and what there is to see; see docs/sandbox.md."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox import acting, gathering, talking
from bot.sandbox.acting import Impossible
from bot.sandbox.clock import parse_moment, rfc3339
from bot.sandbox.deliveries import Delivery
from bot.sandbox.faults import SOCKET_KINDS, BadFault
from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import channel_json, message_json, user_json
from bot.sandbox.places import shown_view
from bot.sandbox.typed import typed
from bot.sandbox.workspace import BOT_USER, Channel, StoredFile, User

Json = dict[str, Any]
Deed = Callable[[Sandbox, Json], Awaitable[Json]]


def _quick(deed: Callable[[Sandbox, Json], Json]) -> Deed:
    """A deed that changes the workspace at once and then waits for the bot's acknowledgement of its events."""

    async def do(sandbox: Sandbox, wish: Json) -> Json:
        with sandbox.watching() as caused:
            answer = deed(sandbox, wish)
        return await _with_acks(answer, caused)

    return do


async def _with_acks(answer: Json, caused: list[Delivery]) -> Json:
    outcomes = [await delivery.first for delivery in caused]
    acked = bool(outcomes) and all(outcome.acked for outcome in outcomes)
    slowest = max((outcome.ms for outcome in outcomes), default=0)
    events = [delivery.payload["event_id"] for delivery in caused]
    return {"ok": True, "ack_ms": slowest if acked else None, "answer": None, "event_ids": events, **answer}


def _who(sandbox: Sandbox, wish: Json) -> User:
    if "user" not in wish:
        raise Impossible("say who does it: user is an id or a name")
    return sandbox.workspace.user(str(wish["user"]))


def _where(sandbox: Sandbox, wish: Json) -> Channel:
    if "channel" not in wish:
        raise Impossible("say where: channel is an id or a name")
    return acting.conversation(sandbox, _who(sandbox, wish), str(wish["channel"]))


def _what(sandbox: Sandbox, wish: Json) -> tuple[User, Channel, Json]:
    channel = _where(sandbox, wish)
    return _who(sandbox, wish), channel, sandbox.workspace.message(channel, str(wish.get("ts", "")))


def message(sandbox: Sandbox, wish: Json) -> Json:
    user, channel = _who(sandbox, wish), _where(sandbox, wish)
    acting.must_be_inside(user, channel)
    content = {key: wish[key] for key in ("thread_ts", "blocks", "attachments", "broadcast") if wish.get(key)}
    if content.get("thread_ts"):
        parent = sandbox.workspace.message(channel, str(content["thread_ts"]))
        content["thread_ts"] = parent.get("thread_ts", parent["ts"])
    text = typed(sandbox.workspace, str(wish.get("text", "")))
    return {"ts": talking.say(sandbox, channel, user, text=text, **content)["ts"], "channel": channel.id}


def mention(sandbox: Sandbox, wish: Json) -> Json:
    return message(sandbox, {**wish, "text": f"<@{BOT_USER}> {wish.get('text', '')}".strip()})


def edit(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    acting.must_be_author(user, found)
    acting.edit_text(sandbox, channel, found, str(wish.get("text", "")))
    return {"ts": found["ts"]}


def delete(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    acting.must_be_author(user, found)
    talking.delete(sandbox, channel, found)
    return {"ts": wish["ts"]}


def react(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    acting.must_be_inside(user, channel)
    if not talking.react(sandbox, channel, found, user=user.id, name=str(wish["emoji"]).strip(":")):
        raise Impossible("already_reacted")
    return {}


def unreact(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    if not talking.unreact(sandbox, channel, found, user=user.id, name=str(wish["emoji"]).strip(":")):
        raise Impossible("no_reaction")
    return {}


def pin(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    talking.pin(sandbox, channel, found, user=user.id)
    return {}


def unpin(sandbox: Sandbox, wish: Json) -> Json:
    user, channel, found = _what(sandbox, wish)
    talking.unpin(sandbox, channel, found, user=user.id)
    return {}


def unfurl(sandbox: Sandbox, wish: Json) -> Json:
    """Slack itself adds a link's preview: the message changes, its text does not."""
    channel = acting.conversation(sandbox, None, str(wish["channel"]))
    found = sandbox.workspace.message(channel, str(wish["ts"]))
    url = str(wish.get("url", "https://example.com/"))
    preview = {
        "id": 1,
        "from_url": url,
        "original_url": url,
        "fallback": "Example",
        "title": "Example",
        "title_link": url,
    }
    talking.unfurl(sandbox, channel, found, [preview])
    return {}


def upload(sandbox: Sandbox, wish: Json) -> Json:
    user, channel = _who(sandbox, wish), _where(sandbox, wish)
    acting.must_be_inside(user, channel)
    name = str(wish.get("name", "note.txt"))
    stored = gathering.new_file(
        sandbox, user=user.id, name=name, content=_content(wish), mimetype=str(wish.get("mimetype", "text/plain"))
    )
    files, thread_ts = [_shown(stored, wish)], wish.get("thread_ts")
    said = talking.say(sandbox, channel, user, text=str(wish.get("text", "")), files=files, thread_ts=thread_ts)
    gathering.share_file(sandbox, stored, channel, said)
    return {"ts": said["ts"], "file": stored.id}


def _shown(stored: StoredFile, wish: Json) -> Json:
    """The file as its message shows it: whole; by its id alone, as from another company; or as a link elsewhere."""
    mode = wish.get("mode", "hosted")
    if mode == "file_access":
        return {"id": stored.id, "mode": mode, "file_access": "check_file_info"}
    if mode == "external":
        url = str(wish.get("url", "https://drive.example.com/file"))
        stored.fields |= {"mode": mode, "is_external": True, "external_type": "gdrive", "url_private": url}
    elif mode != "hosted":
        raise Impossible("mode is hosted, file_access or external")
    return stored.fields


def unshare(sandbox: Sandbox, wish: Json) -> Json:
    """The files that a message shows are deleted; the message stays."""
    user, _, found = _what(sandbox, wish)
    acting.must_be_author(user, found)
    here = [sandbox.workspace.files[f["id"]] for f in found.get("files", ()) if f["id"] in sandbox.workspace.files]
    if not here:
        raise Impossible("there is no file in that message")
    for stored in here:
        gathering.delete_file(sandbox, stored)
    return {"files": [stored.id for stored in here]}


def _content(wish: Json) -> bytes:
    content = str(wish.get("content", ""))
    if wish.get("encoding") == "base64":
        return base64.b64decode(content)
    return content.encode()


def create(sandbox: Sandbox, wish: Json) -> Json:
    kind = "group" if wish.get("private") else "channel"
    name = str(wish.get("name") or wish.get("channel", "")).removeprefix("#")
    channel = gathering.create(sandbox, name, by=_who(sandbox, wish).id, kind=kind)
    return {"channel": channel.id}


def invite(sandbox: Sandbox, wish: Json) -> Json:
    user, channel = _who(sandbox, wish), _where(sandbox, wish)
    wanted = wish.get("users") or wish.get("invitee") or BOT_USER
    for name in wanted if isinstance(wanted, list) else [wanted]:
        gathering.join(sandbox, channel, sandbox.workspace.user(str(name)).id, inviter=user.id)
    return {"channel": channel.id}


def join(sandbox: Sandbox, wish: Json) -> Json:
    gathering.join(sandbox, _where(sandbox, wish), _who(sandbox, wish).id)
    return {}


def leave(sandbox: Sandbox, wish: Json) -> Json:
    gathering.leave(sandbox, _where(sandbox, wish), _who(sandbox, wish).id)
    return {}


def archive(sandbox: Sandbox, wish: Json) -> Json:
    gathering.archive(sandbox, _where(sandbox, wish), by=_who(sandbox, wish).id)
    return {}


def unarchive(sandbox: Sandbox, wish: Json) -> Json:
    gathering.unarchive(sandbox, _where(sandbox, wish), by=_who(sandbox, wish).id)
    return {}


def delete_channel(sandbox: Sandbox, wish: Json) -> Json:
    gathering.delete_channel(sandbox, _where(sandbox, wish))
    return {}


def rename(sandbox: Sandbox, wish: Json) -> Json:
    gathering.rename(sandbox, _where(sandbox, wish), str(wish["name"]), by=_who(sandbox, wish).id)
    return {}


def convert(sandbox: Sandbox, wish: Json) -> Json:
    """To private, or `to` public, shared (with another company) or new_id (as sharing may do)."""
    channel = _where(sandbox, wish)
    if wish.get("to") == "shared":
        channel.is_ext_shared = True
        return {"channel": channel.id}
    if wish.get("to") == "new_id":
        old = gathering.change_id(sandbox, channel)
        return {"channel": channel.id, "old_channel": old}
    kind = "channel" if wish.get("to") == "public" else "group"
    gathering.convert(sandbox, channel, kind, by=_who(sandbox, wish).id)
    return {"channel": channel.id}


def home(sandbox: Sandbox, wish: Json) -> Json:
    gathering.open_home(sandbox, _who(sandbox, wish), str(wish.get("tab", "home")))
    return {}


def user(sandbox: Sandbox, wish: Json) -> Json:
    """Change a person: deleted, tz, real_name, is_restricted, team_id, …"""
    gathering.change_user(sandbox, _who(sandbox, wish), wish)
    return {}


def revoke(sandbox: Sandbox, _wish: Json) -> Json:
    gathering.revoke_tokens(sandbox)
    return {}


async def clock(sandbox: Sandbox, wish: Json) -> Json:
    """Move the clock to `now` or by `advance_s`."""
    if "now" in wish:
        sandbox.clock.set(parse_moment(str(wish["now"])))
    elif "advance_s" in wish:
        sandbox.clock.advance(float(wish["advance_s"]))
    else:
        raise Impossible("give now or advance_s")
    sandbox.stream.tell("clock")
    return {"ok": True, "now": rfc3339(sandbox.clock.now())}


async def fault(sandbox: Sandbox, wish: Json) -> Json:
    if "socket" in wish:
        if wish["socket"] not in SOCKET_KINDS:
            raise BadFault(f"choose from {', '.join(SOCKET_KINDS)}")
        await sandbox.sockets.fault(str(wish["socket"]))
    else:
        sandbox.faults.set(wish)
    return {"ok": True}


async def deliver(sandbox: Sandbox, wish: Json) -> Json:
    """Deliver once more what went out as `event_id`, or the raw `payload` as it is, or `event` in an envelope."""
    if "event_id" in wish:
        again = sandbox.deliveries.redeliver(str(wish["event_id"]))
        if again is None:
            raise Impossible(f"no event {wish['event_id']} was sent")
    elif "payload" in wish:
        again = sandbox.deliveries.send_raw(wish["payload"])
    elif "event" in wish:
        again = acting.send_event(sandbox, wish["event"])
    else:
        raise Impossible("give event_id, event or payload")
    outcome = await again.first
    return {"ok": outcome.acked, "ack_ms": outcome.ms, "answer": None, "error": outcome.reason or None}


DEEDS: dict[str, Deed] = {
    **{deed.__name__: _quick(deed) for deed in (message, mention, edit, delete, react, unreact, pin, unpin)},
    **{deed.__name__: _quick(deed) for deed in (unfurl, upload, unshare)},
    **{deed.__name__: _quick(deed) for deed in (create, invite, join, leave, archive, unarchive, rename, convert)},
    **{deed.__name__: _quick(deed) for deed in (delete_channel, home, user, revoke)},
    **{deed.__name__: deed for deed in (clock, fault, deliver)},
    **acting.INTERACTIONS,
}


def see_clock(sandbox: Sandbox) -> Json:
    return {"now": rfc3339(sandbox.clock.now())}


def see_state(sandbox: Sandbox) -> Json:
    """The whole workspace but the messages."""
    workspace = sandbox.workspace
    return {
        "now": rfc3339(sandbox.clock.now()),
        "team": {"id": "T0SANDBOX", "name": workspace.team_name},
        "bot": {"user": BOT_USER, "name": workspace.users[BOT_USER].name, "app": sandbox.manifest.name},
        "commands": sorted(sandbox.manifest.commands or []),
        "shortcuts": [dict(shortcut) for shortcut in sandbox.manifest.shortcut_list],
        "users": [user_json(workspace, user) for user in workspace.users.values()],
        "channels": [
            {**channel_json(c), "kind": c.kind, "members": list(c.members)} for c in workspace.channels.values()
        ],
        "usergroups": list(workspace.usergroups.values()),
        "connections": len(sandbox.sockets.connections),
    }


def see_messages(sandbox: Sandbox, name: str, viewer: str) -> Json:
    """A conversation, oldest first, with what only `viewer` sees when one is named."""
    user = sandbox.workspace.user(viewer) if viewer else None
    channel = acting.conversation(sandbox, user, name)
    messages = [message_json(m, with_metadata=True) for m in channel.in_order()]
    if user is not None:
        acting.must_see(user, channel)
        mine = [e.message for e in sandbox.workspace.ephemerals if (e.user, e.channel) == (user.id, channel.id)]
        messages = sorted([*messages, *mine], key=lambda m: m["ts"])
    return {"channel": channel_json(channel) | {"members": list(channel.members)}, "messages": messages}


def see_views(sandbox: Sandbox, name: str) -> Json:
    """The open modals of a person, the topmost last."""
    stack = sandbox.workspace.modals.get(sandbox.workspace.user(name).id, [])
    complaints = sandbox.workspace.complaints
    return {"views": [shown_view(sandbox, view) | {"errors": complaints.get(view["id"], {})} for view in stack]}


def see_home(sandbox: Sandbox, name: str) -> Json:
    view = sandbox.workspace.homes.get(sandbox.workspace.user(name).id)
    return {"view": shown_view(sandbox, view) if view else None}
