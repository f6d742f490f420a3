"""Conversations, people and files change, and the bot hears of it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import quote

from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import channel_json, user_json
from bot.sandbox.talking import post, tell_changed
from bot.sandbox.workspace import BOT_USER, DOMAIN, TEAM, Channel, StoredFile, User

Json = dict[str, Any]

PRETTY_TYPES = {"txt": "Plain Text", "png": "PNG", "jpg": "JPEG", "pdf": "PDF", "md": "Markdown", "csv": "CSV"}


def create(sandbox: Sandbox, name: str, *, by: str, kind: str = "channel") -> Channel:
    channel = sandbox.workspace.new_channel(name, kind=kind, creator=by, members=[])
    sandbox.stream.tell("channel", channel=channel.id)
    if kind == "channel":
        shown = {**channel_json(channel), "context_team_id": TEAM}
        del shown["is_member"]
        sandbox.emit({"type": "channel_created", "channel": shown, "event_ts": sandbox.clock.next_ts()}, None)
    join(sandbox, channel, by)
    return channel


def join(sandbox: Sandbox, channel: Channel, user: str, *, inviter: str = "") -> bool:
    """False when that person is in it already."""
    if user in channel.members:
        return False
    channel.members.append(user)
    note(sandbox, channel, "channel_join", user=user, text=f"<@{user}> has joined the channel", **_inviter(inviter))
    if sandbox.hears_in(channel):
        _tell_membership(sandbox, channel, user, kind="member_joined_channel", **_inviter(inviter))
    sandbox.stream.tell("channel", channel=channel.id)
    return True


def leave(sandbox: Sandbox, channel: Channel, user: str) -> bool:
    """False when that person is not in it."""
    if user not in channel.members:
        return False
    bot_was_in = sandbox.hears_in(channel)
    channel.members.remove(user)
    note(sandbox, channel, "channel_leave", user=user, text=f"<@{user}> has left the channel")
    if user == BOT_USER:
        kind = "group_left" if channel.is_private else "channel_left"
        sandbox.emit({"type": kind, "channel": channel.id, "actor_id": user, "event_ts": sandbox.clock.next_ts()}, None)
    if bot_was_in:
        _tell_membership(sandbox, channel, user, kind="member_left_channel")
    sandbox.stream.tell("channel", channel=channel.id)
    return True


def rename(sandbox: Sandbox, channel: Channel, name: str, *, by: str) -> None:
    old, channel.name = channel.name, name
    channel.previous_names.insert(0, old)
    note(
        sandbox,
        channel,
        "channel_name",
        user=by,
        name=name,
        old_name=old,
        text=f'has renamed the channel from "{old}" to "{name}"',
    )
    shown = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
    shown |= {"is_channel": not channel.is_private, "is_mpim": False}
    _tell_channel(sandbox, channel, "rename", {"channel": shown})


def archive(sandbox: Sandbox, channel: Channel, *, by: str) -> None:
    note(sandbox, channel, "channel_archive", user=by, text="archived the channel", members=list(channel.members))
    channel.archived = True
    _tell_channel(sandbox, channel, "archive", {"channel": channel.id, "user": by, "is_moved": 0})


def unarchive(sandbox: Sandbox, channel: Channel, *, by: str) -> None:
    channel.archived = False
    note(sandbox, channel, "channel_unarchive", user=by, text="un-archived the channel")
    _tell_channel(sandbox, channel, "unarchive", {"channel": channel.id, "user": by})


def delete_channel(sandbox: Sandbox, channel: Channel) -> None:
    """The channel and all that was said in it is gone for good; from then on Slack does not find it."""
    _tell_channel(sandbox, channel, "deleted", {"channel": channel.id})
    del sandbox.workspace.channels[channel.id]


def convert(sandbox: Sandbox, channel: Channel, kind: str, *, by: str) -> None:
    """Make a channel private (`group`) or public (`channel`); the message of it is heard on the new side."""
    channel.kind = kind
    word = "private" if kind == "group" else "public"
    note(sandbox, channel, f"channel_convert_to_{word}", user=by, text=f"made this channel {word}")
    sandbox.stream.tell("channel", channel=channel.id)


def change_id(sandbox: Sandbox, channel: Channel) -> str:
    """Give the channel another id, as happens when it is shared; answers the old one."""
    old = channel.id
    channel.id = sandbox.workspace.new_id("C")
    del sandbox.workspace.channels[old]
    sandbox.workspace.channels[channel.id] = channel
    event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": channel.id}
    sandbox.emit(event | {"event_ts": sandbox.clock.next_ts()}, channel)
    return old


def set_topic(sandbox: Sandbox, channel: Channel, what: str, value: str, *, by: str) -> None:
    """`what` is `topic` or `purpose`."""
    setattr(channel, what, {"value": value, "creator": by, "last_set": sandbox.workspace.seconds()})
    text = f"set the channel {what if what == 'topic' else 'description'}: {value}"
    note(sandbox, channel, f"channel_{what}", user=by, text=text, **{what: value})


def note(sandbox: Sandbox, channel: Channel, subtype: str, **fields: Any) -> Json:
    """A message Slack itself writes into a channel."""
    if channel.kind == "group":
        subtype = subtype if subtype.startswith("channel_convert") else subtype.replace("channel_", "group_")
    subtype = {"group_join": "channel_join", "group_leave": "channel_leave"}.get(subtype, subtype)
    return post(sandbox, channel, {"type": "message", "subtype": subtype, "ts": sandbox.clock.next_ts(), **fields})


CHANGEABLE = (
    *("name", "real_name", "tz", "deleted", "email", "title", "team_id"),
    *("is_restricted", "is_ultra_restricted", "is_stranger"),
)


def change_user(sandbox: Sandbox, user: User, changes: Json) -> None:
    for key in CHANGEABLE:
        if key in changes:
            setattr(user, key, changes[key])
    user.updated = sandbox.workspace.seconds()
    shown = user_json(sandbox.workspace, user)
    event = {"type": "user_change", "user": shown, "cache_ts": user.updated, "event_ts": sandbox.clock.next_ts()}
    sandbox.emit(event, None)


def new_file(
    sandbox: Sandbox, *, user: str, name: str, content: bytes | None, mimetype: str = "", **more: Any
) -> StoredFile:
    """A file of that person, not shared anywhere yet."""
    file_id = sandbox.workspace.new_id("F")
    extension = name.rpartition(".")[2].lower() if "." in name else "txt"
    private = f"{sandbox.url}/files/{file_id}/{quote(name)}"
    now = sandbox.workspace.seconds()
    fields: Json = {
        "id": file_id,
        "created": now,
        "timestamp": now,
        "name": name,
        "title": more.get("title") or name,
        "mimetype": mimetype or "application/octet-stream",
        "filetype": extension,
        "pretty_type": PRETTY_TYPES.get(extension, extension.upper()),
        "user": user,
        "user_team": TEAM,
        "editable": False,
        "size": len(content) if content is not None else more.get("size", 0),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": private,
        "url_private_download": private + "?download=1",
        "permalink": f"https://{DOMAIN}.slack.com/files/{user}/{file_id}/{name}",
        "file_access": "visible",
        "shares": {},
        "channels": [],
        "groups": [],
        "ims": [],
    }
    stored = StoredFile(file_id, fields, content)
    sandbox.workspace.files[file_id] = stored
    return stored


def share_file(sandbox: Sandbox, stored: StoredFile, channel: Channel, message: Json) -> None:
    """Note on the file where it is shown, and tell the bot its id."""
    side = "public" if channel.kind == "channel" else "private"
    share = {"ts": message["ts"], "channel_name": channel.name, "team_id": TEAM, "share_user_id": stored.fields["user"]}
    share |= {"reply_users": [], "reply_users_count": 0, "reply_count": 0}
    stored.fields["shares"].setdefault(side, {}).setdefault(channel.id, []).append(share)
    key = {"channel": "channels", "im": "ims"}.get(channel.kind, "groups")
    stored.fields[key].append(channel.id)
    stored.fields["is_public"] = stored.fields["is_public"] or channel.kind == "channel"
    stored.shared = True
    if not sandbox.hears_in(channel):
        return
    event = {"type": "file_shared", "file_id": stored.id, "user_id": stored.fields["user"], "file": {"id": stored.id}}
    sandbox.emit(event | {"channel_id": channel.id, "event_ts": sandbox.clock.next_ts()}, channel)


def delete_file(sandbox: Sandbox, stored: StoredFile) -> None:
    """The file goes, and what showed it shows that something was there; the bot hears of both."""
    del sandbox.workspace.files[stored.id]
    places = [sandbox.workspace.channels[id_] for id_ in _shown_in(stored) if id_ in sandbox.workspace.channels]
    for channel in places:
        for message in channel.in_order():
            if any(file["id"] == stored.id for file in message.get("files", ())):
                _bury_file(sandbox, stored, channel, message)
    heard = [channel.id for channel in places if sandbox.hears_in(channel)]
    if heard:
        event = {"type": "file_deleted", "file_id": stored.id, "channel_ids": heard}
        sandbox.emit(event | {"event_ts": sandbox.clock.next_ts()}, None)


def _shown_in(stored: StoredFile) -> list[str]:
    return list(dict.fromkeys(stored.fields["channels"] + stored.fields["groups"] + stored.fields["ims"]))


def _bury_file(sandbox: Sandbox, stored: StoredFile, channel: Channel, message: Json) -> None:
    before = deepcopy(message)
    buried = {"id": stored.id, "mode": "tombstone"}
    message["files"] = [buried if file["id"] == stored.id else file for file in message["files"]]
    tell_changed(sandbox, channel, message, before)


def open_home(sandbox: Sandbox, user: User, tab: str = "home") -> None:
    im = sandbox.workspace.open_im(user.id, BOT_USER)
    event: Json = {"type": "app_home_opened", "user": user.id, "channel": im.id, "tab": tab}
    event["event_ts"] = sandbox.clock.next_ts()
    if tab == "home" and user.id in sandbox.workspace.homes:
        event["view"] = sandbox.workspace.homes[user.id]
    sandbox.emit(event, im)


def revoke_tokens(sandbox: Sandbox) -> None:
    """The app is taken off the workspace: its tokens stop working, and it hears so."""
    sandbox.emit({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}}, None)
    sandbox.emit({"type": "app_uninstalled"}, None)
    sandbox.token_revoked = True


def _inviter(inviter: str) -> Json:
    return {"inviter": inviter} if inviter else {}


def _tell_membership(sandbox: Sandbox, channel: Channel, user: str, *, kind: str, **more: Any) -> None:
    letter = "G" if channel.is_private else "C"
    event = {"type": kind, "user": user, "channel": channel.id, "channel_type": letter, "team": TEAM, **more}
    sandbox.emit(event | {"event_ts": sandbox.clock.next_ts()}, channel)


def _tell_channel(sandbox: Sandbox, channel: Channel, what: str, content: Json) -> None:
    sandbox.stream.tell("channel", channel=channel.id)
    if channel.is_private and not sandbox.hears_in(channel):
        return
    kind = f"{'group' if channel.is_private else 'channel'}_{what}"
    sandbox.emit({"type": kind, **content, "event_ts": sandbox.clock.next_ts()}, channel)
