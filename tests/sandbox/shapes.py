"""Keys and JSON types of what Slack sends, from type skeletons of the Java SDK's logs and the reference, November 2026.

A `?` after a key says it may be missing; None as a type, that it may be null. Only the keys listed may come.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
ANY = object()
TS = str

AUTHORIZATION = {
    "enterprise_id": (str, None),
    "team_id": str,
    "user_id": str,
    "is_bot": bool,
    "is_enterprise_install": bool,
}
ENVELOPE = {
    "token": str,
    "team_id": str,
    "context_team_id": str,
    "context_enterprise_id": (str, None),
    "api_app_id": str,
    "event": ANY,
    "type": str,
    "event_id": str,
    "event_time": int,
    "authorizations": [AUTHORIZATION],
    "is_ext_shared_channel": bool,
    "event_context": str,
}
BOT_PROFILE = {
    "id": str,
    "deleted": bool,
    "name": str,
    "updated": int,
    "app_id": str,
    "icons": {"image_36": str, "image_48": str, "image_72": str},
    "team_id": str,
}
EDITED = {"user": str, "ts": TS}
MESSAGE = {
    "type": str,
    "subtype?": str,
    "client_msg_id?": str,
    "user?": str,
    "team?": str,
    "bot_id?": str,
    "app_id?": str,
    "bot_profile?": BOT_PROFILE,
    "username?": str,
    "text": str,
    "blocks?": [ANY],
    "attachments?": [ANY],
    "files?": [ANY],
    "upload?": bool,
    "display_as_bot?": bool,
    "metadata?": {"event_type": str, "event_payload": ANY},
    "edited?": EDITED,
    "ts": TS,
    "thread_ts?": TS,
    "parent_user_id?": str,
    "reply_count?": int,
    "reply_users_count?": int,
    "reply_users?": [str],
    "latest_reply?": TS,
    "subscribed?": bool,
    "is_locked?": bool,
    "hidden?": bool,
    "pinned_to?": [str],
    "reactions?": [{"name": str, "users": [str], "count": int}],
    "source_team?": str,
    "user_team?": str,
    "root?": ANY,
    "inviter?": str,
    "name?": str,
    "old_name?": str,
    "topic?": str,
    "purpose?": str,
    "members?": [str],
}
PLACE = {"channel": str, "event_ts": TS, "channel_type": str}
MESSAGE_EVENT = {**MESSAGE, **PLACE}
CHANGED = {
    "type": str,
    "subtype": str,
    "hidden": bool,
    "ts": TS,
    "message?": MESSAGE,
    "previous_message": MESSAGE,
    "deleted_ts?": TS,
    **PLACE,
}
REACTION = {
    "type": str,
    "user": str,
    "reaction": str,
    "item": {"type": str, "channel": str, "ts": TS},
    "item_user?": str,
    "event_ts": TS,
}
MEMBER = {
    "type": str,
    "user": str,
    "channel": str,
    "channel_type": str,
    "team": str,
    "inviter?": str,
    "event_ts": TS,
}
TOPIC = {"value": str, "creator": str, "last_set": int}
CHANNEL = {
    "id": str,
    "name": str,
    "name_normalized": str,
    "is_channel": bool,
    "is_group": bool,
    "is_im": bool,
    "is_mpim": bool,
    "is_private": bool,
    "created": int,
    "creator": str,
    "is_archived": bool,
    "is_general": bool,
    "unlinked": int,
    "is_shared": bool,
    "is_org_shared": bool,
    "is_ext_shared": bool,
    "is_pending_ext_shared": bool,
    "pending_shared": [str],
    "pending_connected_team_ids": [str],
    "shared_team_ids": [str],
    "context_team_id": str,
    "updated": int,
    "is_member?": bool,
    "topic": TOPIC,
    "purpose": TOPIC,
    "previous_names": [str],
    "num_members?": int,
}
RENAMED = {"id": str, "name": str, "name_normalized": str, "created": int, "is_channel": bool, "is_mpim": bool}
PROFILE = {
    "title": str,
    "phone": str,
    "skype": str,
    "real_name": str,
    "real_name_normalized": str,
    "display_name": str,
    "display_name_normalized": str,
    "status_text": str,
    "status_emoji": str,
    "status_expiration": int,
    "avatar_hash": str,
    "first_name": str,
    "last_name": str,
    "team": str,
    "email?": str,
    "bot_id?": str,
    "api_app_id?": str,
}
USER = {
    "id": str,
    "team_id": str,
    "name": str,
    "deleted": bool,
    "profile": PROFILE,
    "is_bot": bool,
    "is_app_user": bool,
    "updated": int,
    "color?": str,
    "real_name?": str,
    "tz?": str,
    "tz_label?": str,
    "tz_offset?": int,
    "is_admin?": bool,
    "is_owner?": bool,
    "is_primary_owner?": bool,
    "is_restricted?": bool,
    "is_ultra_restricted?": bool,
    "is_email_confirmed?": bool,
    "is_stranger?": bool,
    "who_can_share_contact_card?": str,
}
PIN = {
    "type": str,
    "user": str,
    "channel_id": str,
    "item": {"type": str, "created": int, "created_by": str, "channel": str, "message": MESSAGE},
    "item_user": str,
    "pin_count": int,
    "pinned_info": {"channel": str, "pinned_by": str, "pinned_ts": int},
    "event_ts": TS,
}
TEXT = {"type": str, "text": str, "emoji?": bool}
VIEW = {
    "id": str,
    "team_id": str,
    "type": str,
    "blocks": [ANY],
    "private_metadata": str,
    "callback_id": str,
    "external_id": str,
    "state": {"values": ANY},
    "hash": str,
    "title": TEXT,
    "clear_on_close": bool,
    "notify_on_close": bool,
    "close": (TEXT, None),
    "submit": (TEXT, None),
    "previous_view_id": (str, None),
    "root_view_id": str,
    "app_id": str,
    "app_installed_team_id": str,
    "bot_id": str,
}

EVENTS: dict[str, Any] = {
    "message": MESSAGE_EVENT,
    "message_changed": CHANGED,
    "message_deleted": CHANGED,
    "app_mention": {k: v for k, v in MESSAGE_EVENT.items() if k != "channel_type"},
    "reaction_added": REACTION,
    "reaction_removed": REACTION,
    "member_joined_channel": MEMBER,
    "member_left_channel": MEMBER,
    "channel_created": {"type": str, "channel": CHANNEL, "event_ts": TS},
    "channel_rename": {"type": str, "channel": RENAMED, "event_ts": TS},
    "channel_archive": {"type": str, "channel": str, "user": str, "is_moved": int, "event_ts": TS},
    "channel_unarchive": {"type": str, "channel": str, "user": str, "is_moved?": int, "event_ts": TS},
    "channel_id_changed": {"type": str, "old_channel_id": str, "new_channel_id": str, "event_ts": TS},
    "file_shared": {
        "type": str,
        "file_id": str,
        "user_id": str,
        "file": {"id": str},
        "channel_id": str,
        "event_ts": TS,
    },
    "file_deleted": {"type": str, "file_id": str, "channel_ids": [str], "event_ts": TS},
    "app_home_opened": {"type": str, "user": str, "channel": str, "tab": str, "view?": VIEW, "event_ts": TS},
    "user_change": {"type": str, "user": USER, "cache_ts": int, "event_ts": TS},
    "pin_added": PIN,
    "pin_removed": PIN,
    "tokens_revoked": {"type": str, "tokens": {"oauth": [str], "bot": [str]}},
    "app_uninstalled": {"type": str},
}
EVENTS["group_rename"] = EVENTS["channel_rename"]
EVENTS["group_archive"] = EVENTS["channel_archive"]

COMMAND = dict.fromkeys(
    (
        "token",
        "api_app_id",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "response_url",
        "trigger_id",
        "is_enterprise_install",
    ),
    str,
)
INTERACTION = {
    "type": str,
    "user": {"id": str, "username": str, "name": str, "team_id": str},
    "api_app_id": str,
    "token": str,
    "team": {"id": str, "domain": str},
    "enterprise": (ANY, None),
    "is_enterprise_install": bool,
}
CONTAINER = {
    "type": str,
    "message_ts?": TS,
    "channel_id?": str,
    "is_ephemeral?": bool,
    "thread_ts?": TS,
    "view_id?": str,
}
NAMED_CHANNEL = {"id": str, "name": str}
WHERE = {
    "container": CONTAINER,
    "channel?": NAMED_CHANNEL,
    "message?": MESSAGE,
    "state?": {"values": ANY},
    "response_url?": str,
    "view?": VIEW,
}
INTERACTIONS = {
    "block_actions": {**INTERACTION, "trigger_id": str, "actions": [ANY], **WHERE},
    "block_suggestion": {**INTERACTION, "action_id": str, "block_id": str, "value": str, **WHERE},
    "view_submission": {**INTERACTION, "trigger_id": str, "view": VIEW, "response_urls": [ANY]},
    "view_closed": {**INTERACTION, "view": VIEW, "is_cleared": bool},
    "shortcut": {**INTERACTION, "callback_id": str, "action_ts": TS, "trigger_id": str},
    "message_action": {
        **INTERACTION,
        "callback_id": str,
        "action_ts": TS,
        "trigger_id": str,
        "channel": NAMED_CHANNEL,
        "message_ts": TS,
        "message": MESSAGE,
        "response_url": str,
    },
}


def misfits(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    """Every place where a payload is not of that shape."""
    if shape is ANY:
        return
    if isinstance(shape, tuple):
        if value is not None:
            yield from misfits(value, shape[0], at)
    elif isinstance(shape, dict):
        yield from _object_misfits(value, shape, at)
    elif isinstance(shape, list):
        for i, item in enumerate(value if isinstance(value, list) else [ANY]):
            yield from misfits(item, shape[0], f"{at}/{i}")
    elif type(value) is not shape:
        yield f"{at}: {type(value).__name__} instead of {shape.__name__}"


def _object_misfits(value: Any, shape: Json, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {type(value).__name__} instead of an object"
        return
    known = {key.removesuffix("?"): inner for key, inner in shape.items()}
    yield from (f"{at}/{key}: unexpected" for key in value if key not in known)
    yield from (f"{at}/{key}: missing" for key in shape if not key.endswith("?") and key not in value)
    for key in value.keys() & known.keys():
        yield from misfits(value[key], known[key], f"{at}/{key}")
