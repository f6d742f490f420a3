"""Users, conversations, messages and envelopes as Slack writes them in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.sandbox.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    DOMAIN,
    TEAM,
    VERIFICATION_TOKEN,
    Channel,
    User,
    Workspace,
)

Json = dict[str, Any]


def user_json(workspace: Workspace, user: User) -> Json:
    """A user as users.info answers; a deleted one has no zone, as in Slack."""
    answer: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "profile": profile_json(user),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": user.updated,
    }
    if user.deleted:
        return answer
    answer |= {"color": "4bbe2e", "real_name": user.real_name, "is_admin": False, "is_owner": False}
    answer |= {"is_primary_owner": False, "is_restricted": user.is_restricted}
    answer["is_ultra_restricted"] = user.is_ultra_restricted
    answer |= {"is_email_confirmed": True, "who_can_share_contact_card": "EVERYONE"}
    if user.is_stranger:
        answer["is_stranger"] = True
    return answer | _zone(workspace, user)


def profile_json(user: User) -> Json:
    first, _, last = user.real_name.partition(" ")
    profile: Json = {
        "title": user.title,
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": "",
        "first_name": first,
        "last_name": last,
        "team": user.team_id,
    }
    if user.email:
        profile["email"] = user.email
    if user.bot_id:
        profile |= {"bot_id": user.bot_id, "api_app_id": APP_ID if user.id == BOT_USER else "A0OTHER"}
    return profile


def _zone(workspace: Workspace, user: User) -> Json:
    if user.tz is None:
        return {}
    here = datetime.fromtimestamp(workspace.clock.epoch(), ZoneInfo(user.tz))
    offset = here.utcoffset()
    return {
        "tz": user.tz,
        "tz_label": here.tzname() or user.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
    }


def channel_json(channel: Channel, *, for_user: str = BOT_USER) -> Json:
    if channel.kind == "im":
        return _im_json(channel, for_user)
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind in ("channel", "group"),
        "is_group": False,
        "is_im": False,
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.is_private,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.archived,
        "is_general": channel.is_general,
        "unlinked": 0,
        "is_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "shared_team_ids": [TEAM],
        "context_team_id": TEAM,
        "updated": channel.created * 1000,
        "is_member": for_user in channel.members,
        "topic": channel.topic,
        "purpose": channel.purpose,
        "previous_names": channel.previous_names,
    }


def _im_json(channel: Channel, for_user: str) -> Json:
    other = next((u for u in channel.members if u != for_user), for_user)
    return {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": TEAM,
        "updated": channel.created * 1000,
        "user": other,
        "is_user_deleted": False,
        "priority": 0,
    }


def bot_profile(user: User) -> Json:
    return {
        "id": user.bot_id,
        "deleted": False,
        "name": user.real_name,
        "updated": user.updated,
        "app_id": APP_ID if user.bot_id == BOT_ID else "A0OTHER",
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
        "team_id": TEAM,
    }


def message_json(message: Json, *, with_metadata: bool = False) -> Json:
    """A message as history shows it."""
    shown = dict(message)
    if not with_metadata and "metadata" in shown:
        del shown["metadata"]
    return shown


def permalink(channel: Channel, message: Json) -> str:
    link = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    if message.get("thread_ts") not in (None, message["ts"]):
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return link


def envelope(workspace: Workspace, event: Json, *, ext_shared: bool = False) -> Json:
    """The outer layer of every event."""
    event_id = "Ev0" + workspace.new_hex(8).upper()
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": workspace.seconds(),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": ext_shared,
        "event_context": f"4-{event_id}",
    }


def actor(user: User) -> Json:
    """The `user` of an interaction."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def team() -> Json:
    return {"id": TEAM, "domain": DOMAIN}
