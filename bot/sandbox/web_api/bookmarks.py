"""bookmarks.*"""

from __future__ import annotations

from typing import Any

from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import APP_ID, BOT_USER, Channel

Json = dict[str, Any]

MOST_BOOKMARKS = 100
EDITABLE = ("title", "link", "emoji")


@answers("bookmarks.add")
def add(call: Call) -> Json:
    channel = call.channel_inside("channel_id")
    if call.text("type") != "link":
        raise Refused("invalid_bookmark_type")
    if not call.text("link").startswith(("http://", "https://")):
        raise Refused("invalid_link")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise Refused("too_many_bookmarks")
    bookmark = _new(call, channel)
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


@answers("bookmarks.edit")
def edit(call: Call) -> Json:
    bookmark = _found(call, call.channel_inside("channel_id"))
    bookmark |= {key: call.text(key) for key in EDITABLE if key in call.args}
    bookmark |= {"date_updated": call.workspace.seconds(), "last_updated_by_user_id": BOT_USER}
    return {"bookmark": bookmark}


@answers("bookmarks.list")
def list_all(call: Call) -> Json:
    return {"bookmarks": call.channel_inside("channel_id").bookmarks}


@answers("bookmarks.remove")
def remove(call: Call) -> Json:
    channel = call.channel_inside("channel_id")
    channel.bookmarks.remove(_found(call, channel))
    return {}


def _new(call: Call, channel: Channel) -> Json:
    return {
        "id": call.workspace.new_id("Bk"),
        "channel_id": channel.id,
        "title": call.text("title"),
        "link": call.text("link"),
        "emoji": call.text("emoji"),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": call.workspace.seconds(),
        "date_updated": 0,
        "rank": "g",
        "last_updated_by_user_id": BOT_USER,
        "last_updated_by_team_id": "",
        "shortcut_id": None,
        "app_id": APP_ID,
    }


def _found(call: Call, channel: Channel) -> Json:
    for bookmark in channel.bookmarks:
        if bookmark["id"] == call.text("bookmark_id"):
            return bookmark
    call.refuse("bookmark_not_found", "not_found", "invalid_bookmark_id", "invalid_arguments")
    return {}
