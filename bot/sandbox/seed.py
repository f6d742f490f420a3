"""Fills the workspace: the default people, a small JSON of our own, or a Slack export (folder or zip)."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.sandbox.clock import parse_moment
from bot.sandbox.people import add_bot, add_default_channels, add_default_people, add_group
from bot.sandbox.talking import recount_threads
from bot.sandbox.typed import rich_text
from bot.sandbox.workspace import BOT_USER, TEAM, Channel, StoredFile, User, Workspace

Json = dict[str, Any]

DEFAULT_DAY = datetime(2026, 1, 1, tzinfo=UTC)
NOT_KEPT = ("replies", "user_profile", "source_team", "user_team")
EMPTY_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GUESTS_AND_STRANGERS = ("deleted", "is_restricted", "is_stranger", "is_bot")


class BadSeed(Exception):
    """The seed cannot be read; the message says which part."""


def fill(workspace: Workspace, seed: Path | None, *, bot_name: str) -> None:
    """Put people, channels and history into an empty workspace; raises BadSeed."""
    add_bot(workspace, bot_name)
    if seed is None:
        add_default_people(workspace)
        add_default_channels(workspace)
    elif seed.is_dir():
        _from_export(workspace, seed)
    elif zipfile.is_zipfile(seed):
        _from_zip(workspace, seed)
    else:
        _from_json(workspace, _read(seed))
    for channel in workspace.channels.values():
        recount_threads(channel)


def _from_zip(workspace: Workspace, seed: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(seed) as archive:
        archive.extractall(folder)
        roots = [path.parent for path in Path(folder).rglob("channels.json")]
        if not roots:
            raise BadSeed(f"{seed} holds no channels.json, so it is no Slack export")
        _from_export(workspace, roots[0])


def _from_export(workspace: Workspace, folder: Path) -> None:
    if not (folder / "users.json").exists():
        raise BadSeed(f"{folder} holds no users.json, so it is no Slack export")
    rows = _read(folder / "users.json")
    home = _home_of(rows)
    for row in rows:
        _add_exported_user(workspace, row, home)
    for name, kind in (("channels.json", "channel"), ("groups.json", "group")):
        if (folder / name).exists():
            for row in _read(folder / name):
                _add_exported_channel(workspace, folder, row, kind)


def _home_of(rows: list[Json]) -> str:
    """The workspace that was exported, which is ours now: most people are in it, and the others are strangers."""
    teams = Counter(row["team_id"] for row in rows if "team_id" in row)
    return teams.most_common(1)[0][0] if teams else TEAM


def _add_exported_user(workspace: Workspace, row: Json, home: str) -> None:
    profile, team = row.get("profile", {}), row.get("team_id", home)
    user = User(
        id=row["id"],
        name=row.get("name", row["id"]),
        real_name=row.get("real_name") or profile.get("real_name", ""),
        tz=row.get("tz"),
        email=profile.get("email", ""),
        bot_id=profile.get("bot_id", ""),
        team_id=TEAM if team == home else team,
        updated=row.get("updated", 0),
    )
    for key in GUESTS_AND_STRANGERS:
        setattr(user, key, bool(row.get(key)))
    if user.id != BOT_USER:
        workspace.users[user.id] = user


def _add_exported_channel(workspace: Workspace, folder: Path, row: Json, kind: str) -> None:
    members = [user for user in row.get("members", []) if user in workspace.users]
    channel = Channel(row["id"], row["name"], kind, row.get("creator", ""), row.get("created", 0), members=members)
    channel.archived = bool(row.get("is_archived"))
    channel.is_general = bool(row.get("is_general"))
    channel.topic |= row.get("topic", {})
    channel.purpose |= row.get("purpose", {})
    if BOT_USER not in members and kind == "channel" and not channel.archived:
        channel.members.append(BOT_USER)
    workspace.channels[channel.id] = channel
    for day in sorted((folder / row["name"]).glob("*.json")):
        for message in _read(day):
            channel.add({k: v for k, v in message.items() if k not in NOT_KEPT})
            for fields in message.get("files", []):
                if "name" in fields:
                    _add_exported_file(workspace, channel, fields)


def _add_exported_file(workspace: Workspace, channel: Channel, fields: Json) -> None:
    """An export holds no bytes: the preview stands for them, and an empty picture for pictures."""
    is_picture = fields.get("mimetype", "").startswith("image/")
    fields |= {"is_public": channel.kind == "channel", "channels": [channel.id], "groups": [], "ims": []}
    fields.setdefault("user", "")
    fields.setdefault("mimetype", "application/octet-stream")
    for key in [k for k in fields if k.startswith("thumb_")]:
        del fields[key]
    content = EMPTY_PICTURE if is_picture else fields.get("preview", "").encode()
    workspace.files[fields["id"]] = StoredFile(fields["id"], fields, content, shared=True)


def move_files_to(workspace: Workspace, url: str) -> None:
    """Files of an export are downloaded from the sandbox like all others."""
    for stored in workspace.files.values():
        private = f"{url}/files/{stored.id}/{quote(stored.fields['name'])}"
        stored.fields |= {"url_private": private, "url_private_download": private + "?download=1"}


def _from_json(workspace: Workspace, seed: Json) -> None:
    if not isinstance(seed, dict):
        raise BadSeed("a seed is an object with users and channels")
    workspace.team_name = seed.get("team", workspace.team_name)
    if "users" in seed:
        for row in seed["users"]:
            _add_user(workspace, row)
    else:
        add_default_people(workspace)
    if "channels" not in seed:
        add_default_channels(workspace)
    for row in seed.get("channels", []):
        _add_channel(workspace, row)
    for row in seed.get("usergroups", []):
        members = [workspace.user(name).id for name in row.get("users", [])]
        add_group(workspace, row["handle"], row.get("name", row["handle"]), members)


def _add_user(workspace: Workspace, row: Json) -> None:
    name = row["name"]
    user_id = row.get("id") or "U0" + "".join(c for c in name.upper() if c.isalnum())
    user = User(
        user_id,
        name,
        row.get("real_name", name),
        row.get("tz", "UTC"),
        email=row.get("email", ""),
        bot_id=row.get("bot_id", ""),
    )
    for key in GUESTS_AND_STRANGERS:
        setattr(user, key, bool(row.get(key)))
    workspace.users[user_id] = user


def _add_channel(workspace: Workspace, row: Json) -> None:
    names = row.get("members") or [u.id for u in workspace.users.values() if u.id != BOT_USER]
    members = [workspace.user(name).id for name in names]
    if row.get("bot", True) and BOT_USER not in members:
        members.append(BOT_USER)
    channel_id = row.get("id") or "C0" + "".join(c for c in row["name"].upper() if c.isalnum())
    kind = "group" if row.get("private") else "channel"
    created = int(parse_moment(row["created"]).timestamp()) if "created" in row else int(DEFAULT_DAY.timestamp())
    channel = Channel(channel_id, row["name"], kind, members[0], created, members=members)
    channel.is_general = row["name"] == "general"
    workspace.channels[channel_id] = channel
    for number, message in enumerate(row.get("messages", [])):
        channel.add(_message(workspace, message, number))


def _message(workspace: Workspace, row: Json, number: int) -> Json:
    """`ts` or `at`, `user`, `text`; `thread_ts`, `reactions` {name: [user]}, `blocks` and `attachments` may follow."""
    ts = row.get("ts") or f"{parse_moment(row['at']).timestamp():.6f}"[:-3] + f"{number % 1000:03d}"
    user = workspace.user(row["user"])
    message: Json = {"type": "message", "text": row.get("text", ""), "ts": ts, "team": TEAM}
    if user.is_bot:
        message |= {"subtype": "bot_message", "bot_id": user.bot_id, "username": user.real_name}
    else:
        message |= {"user": user.id, "blocks": rich_text(workspace, message["text"])}
    message |= {
        key: row[key] for key in ("thread_ts", "blocks", "attachments", "files", "edited", "subtype") if key in row
    }
    if row.get("reactions"):
        message["reactions"] = [_reaction(workspace, name, users) for name, users in row["reactions"].items()]
    return message


def _reaction(workspace: Workspace, name: str, users: list[str]) -> Json:
    ids = [workspace.user(user).id for user in users]
    return {"name": name, "users": ids, "count": len(ids)}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadSeed(f"{path} cannot be read: {error}") from error
