"""auth.*, apps.*, api.test, oauth, team.info, bots.info, blocks.validate, emoji.list, dnd.*"""

from __future__ import annotations

from typing import Any

from bot.sandbox.manifest_rules import manifest_errors
from bot.sandbox.validation import blocks_errors, message_errors, view_errors
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import APP_ID, BOT_ID, BOT_TOKEN, BOT_USER, DOMAIN, TEAM

Json = dict[str, Any]


@answers("api.test")
def api_test(call: Call) -> Json:
    if call.text("error"):
        raise Refused("invalid_arguments")
    return {"args": call.args}


@answers("auth.test")
def auth_test(call: Call) -> Json:
    return {
        "url": f"https://{DOMAIN}.slack.com/",
        "team": call.workspace.team_name,
        "user": call.workspace.users[BOT_USER].name,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


@answers("auth.revoke")
def auth_revoke(call: Call) -> Json:
    if not call.flag("test"):
        call.sandbox.token_revoked = True
    return {"revoked": not call.flag("test")}


@answers("oauth.v2.access")
def oauth_access(call: Call) -> Json:
    return {
        "access_token": BOT_TOKEN,
        "token_type": "bot",
        "scope": ",".join(sorted(call.sandbox.manifest.scopes)),
        "bot_user_id": BOT_USER,
        "app_id": APP_ID,
        "team": {"id": TEAM, "name": call.workspace.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": "U0PRIYA"},
    }


@answers("apps.connections.open")
def apps_connections_open(call: Call) -> Json:
    base = call.sandbox.url.replace("http://", "ws://", 1)
    return {"url": f"{base}/_socket/{call.sandbox.sockets.ticket()}"}


@answers("apps.manifest.validate")
def apps_manifest_validate(call: Call) -> Json:
    manifest = call.parsed("manifest", error="invalid_manifest")
    if errors := manifest_errors(manifest):
        raise Refused("invalid_manifest", errors=errors)
    return {"errors": []}


@answers("blocks.validate")
def blocks_validate(call: Call) -> Json:
    checks = {"blocks": blocks_errors, "view": view_errors, "message": message_errors}
    given = [name for name in checks if call.args.get(name) is not None]
    if len(given) != 1:
        raise Refused("invalid_arguments", response_metadata={"messages": ["give one of blocks, view and message"]})
    errors = checks[given[0]](call.parsed(given[0]))
    if errors:
        raise Refused(f"invalid_{given[0]}", errors=errors)
    return {}


@answers("team.info")
def team_info(call: Call) -> Json:
    icon = {"image_34": "", "image_44": "", "image_68": "", "image_default": True}
    team = {"id": TEAM, "name": call.workspace.team_name, "domain": DOMAIN, "email_domain": "", "icon": icon}
    return {"team": team | {"url": f"https://{DOMAIN}.slack.com/", "is_verified": False}}


@answers("bots.info")
def bots_info(call: Call) -> Json:
    bot = call.workspace.bot_by_id(call.text("bot", BOT_ID))
    if bot is None:
        raise Refused("bot_not_found")
    app = APP_ID if bot.id == BOT_USER else "A0OTHER"
    facts = {"id": bot.bot_id, "deleted": False, "name": bot.real_name, "updated": bot.updated, "app_id": app}
    return {"bot": facts | {"user_id": bot.id, "icons": {"image_36": "", "image_48": "", "image_72": ""}}}


@answers("emoji.list")
def emoji_list(call: Call) -> Json:
    return {"emoji": {}, "cache_ts": str(call.workspace.seconds())}


@answers("dnd.info")
def dnd_info(call: Call) -> Json:
    if call.text("user"):
        call.user()
    return {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1, "snooze_enabled": False}


@answers("dnd.teamInfo")
def dnd_team_info(call: Call) -> Json:
    asked = [u for u in call.text("users").split(",") if u in call.workspace.users]
    quiet = {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}
    return {"users": dict.fromkeys(asked, quiet)}
