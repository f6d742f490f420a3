"""The Slack app manifest: the smallest scopes and events, each with its reason and what stops without it."""

from typing import Any

SCOPES: dict[str, tuple[str, str]] = {
    "commands": ("the slash command and the message shortcuts", "nobody can speak to the bot"),
    "app_mentions:read": ("@Debrief in threads, where Slack offers no slash commands", "threads have only buttons"),
    "chat:write": ("the agenda, the pre-read, reminders, the summary", "the bot is mute"),
    "channels:history": ("to keep the messages of public incident channels", "public incidents are not archived"),
    "groups:history": ("to keep the messages of private incident channels", "private incidents are not archived"),
    "im:history": ("to look up whether a reminder was said before saying it again", "one may come twice"),
    "im:write": ("to find the direct conversation that this look-up reads", "a reminder may come twice"),
    "channels:join": ("to be in a public incident channel from its first minute", "you invite the bot to each by hand"),
    "channels:read": ("name, age and members of public channels", "incidents cannot be opened in public channels"),
    "groups:read": ("name, age and members of private channels", "incidents cannot be opened in private channels"),
    "reactions:read": ("emoji that put a message on the timeline", "tagging by emoji stops"),
    "reactions:write": ("the one memo emoji that confirms a tag", "tags are not confirmed"),
    "files:read": ("to keep screenshots that are shared in an incident", "of files only the names are kept"),
    "files:write": (
        "the timeline as a picture below a published summary, and a report as a page or PDF for whoever asks",
        "summaries go without their picture, and nobody is sent a whole report",
    ),
    "users:read": (
        "names and time zones, so that hours are said in yours, and who is a guest",
        "all times are read and said in UTC, and everybody sees only incidents whose channels they are in",
    ),
    "usergroups:read": (
        "who is in which team, so that every team has somebody in the meeting",
        "meetings are proposed without looking at teams, and no user group can be a pool",
    ),
    "users:read.email": (
        "e-mail addresses, for an invitation by letter and to find somebody's calendar, where you set those up",
        "nobody gets a letter, no calendar is asked, and the invitation is only a file in Slack",
    ),
}
"""Scope -> (what it is for, what stops without it)."""

EVENTS = (
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_id_changed",
    "channel_left",
    "channel_rename",
    "channel_unarchive",
    "file_deleted",
    "file_shared",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
    "user_change",
)

SHORTCUTS = (
    ("add_to_timeline", "Add to timeline", "Put this message on the incident's timeline"),
    ("propose_action", "Propose an action", "Turn this message into an action with an owner"),
    ("open_incident_here", "Open an incident here", "Track this thread as an incident"),
)
"""(callback id, name, description) of the shortcuts on a message."""


def manifest(*, command: str = "/review", http: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or for HTTP where the address of the bot is given."""
    request_url = {"request_url": f"{http.rstrip('/')}/slack/events"} if http else {}
    slash: dict[str, Any] = {
        "command": command,
        "description": "The incident's review: where it stands and what comes next",
        "usage_hint": "[help] or a verb",
        "should_escape": True,
    }
    return {
        "display_information": {
            "name": "Debrief",
            "description": "Keeps the incident, runs the review, follows the actions",
            "background_color": "#2f3e46",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Debrief", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": callback, "description": description}
                for callback, name, description in SHORTCUTS
            ],
            "slash_commands": [slash | ({"url": request_url["request_url"]} if http else {})],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": request_url | {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True} | request_url,
            "org_deploy_enabled": False,
            "socket_mode_enabled": http is None,
            "token_rotation_enabled": False,
        },
    }
