"""users.* and usergroups.*"""

from __future__ import annotations

from typing import Any

from bot.sandbox.payloads import channel_json, profile_json, user_json
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.web_api.conversations import of_types
from bot.sandbox.workspace import BOT_USER

Json = dict[str, Any]


@answers("users.info")
def users_info(call: Call) -> Json:
    return {"user": _shown(call, user_json(call.workspace, call.user()))}


@answers("users.list")
def users_list(call: Call) -> Json:
    page, metadata = call.page(list(call.workspace.users.values()), default=1000)
    members = [_shown(call, user_json(call.workspace, user)) for user in page]
    return {"members": members, "cache_ts": call.workspace.seconds(), "response_metadata": metadata}


@answers("users.lookupByEmail")
def users_lookup_by_email(call: Call) -> Json:
    for user in call.workspace.users.values():
        if user.email and user.email == call.text("email").lower() and not user.deleted:
            return {"user": user_json(call.workspace, user)}
    raise Refused("users_not_found")


@answers("users.conversations")
def users_conversations(call: Call) -> Json:
    """Of another person only the conversations that the bot may see as well."""
    user = call.text("user", BOT_USER)
    if user not in call.workspace.users:
        call.refuse("user_not_found", "invalid_arguments")
    theirs = [c for c in of_types(call) if user in c.members and (not c.is_private or BOT_USER in c.members)]
    page, metadata = call.page(theirs)
    return {"channels": [channel_json(c) for c in page], "response_metadata": metadata}


@answers("users.profile.get")
def users_profile_get(call: Call) -> Json:
    user = call.workspace.users.get(call.text("user", BOT_USER))
    if user is None:
        call.refuse("user_not_found")
        return {}
    return {"profile": profile_json(user)}


@answers("usergroups.list")
def usergroups_list(call: Call) -> Json:
    hidden = set() if call.flag("include_users") else {"users"}
    groups = [g for g in call.workspace.usergroups.values() if call.flag("include_disabled") or not g["date_delete"]]
    return {"usergroups": [{k: v for k, v in g.items() if k not in hidden} for g in groups]}


@answers("usergroups.users.list")
def usergroups_users_list(call: Call) -> Json:
    group = call.workspace.usergroups.get(call.text("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": group["users"]}


def _shown(call: Call, user: Json) -> Json:
    if not call.sandbox.manifest.may(("users:read.email",)):
        user["profile"].pop("email", None)
    if call.flag("include_locale"):
        user["locale"] = "en-US"
    return user
