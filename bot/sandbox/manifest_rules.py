"""What Slack refuses of an app manifest: the limits of its official schema (July 2026) that an app meets first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.facts import event_scopes
from bot.sandbox.json_kinds import OBJECTS, misshapen

Json = dict[str, Any]

SECTIONS = frozenset(
    {
        "$schema",
        "_metadata",
        "app_directory",
        "datastores",
        "display_information",
        "external_auth_providers",
        "features",
        "functions",
        "mcp_servers",
        "oauth_config",
        "outgoing_domains",
        "settings",
        "types",
        "workflows",
    }
)
FEATURES = frozenset(
    {
        "agent_view",
        "app_home",
        "assistant_view",
        "bot_user",
        "functions",
        "shortcuts",
        "slash_commands",
        "unfurl_domains",
        "workflow_steps",
    }
)
SETTINGS = frozenset(
    {
        "allowed_ip_address_ranges",
        "event_subscriptions",
        "function_runtime",
        "hermes_app_type",
        "incoming_webhooks",
        "interactivity",
        "is_hosted",
        "is_mcp_enabled",
        "org_deploy_enabled",
        "siws_links",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }
)
KINDS_OF_KEYS = {
    **dict.fromkeys(("display_information", "features", "oauth_config", "scopes", "settings"), dict),
    **dict.fromkeys(("event_subscriptions", "app_home", "interactivity"), dict),
    **dict.fromkeys(("slash_commands", "shortcuts"), OBJECTS),
    **dict.fromkeys(("bot_events", "bot", "user"), list),
    **dict.fromkeys(("name", "description", "long_description", "command", "type", "callback_id"), str),
}
LONGEST_NAME = 35
LONGEST_DESCRIPTION = 140
LONG_DESCRIPTION = range(175, 4001)
MOST_COMMANDS = 50
COMMAND_LENGTH = range(2, 33)
MOST_SHORTCUTS = 10
LONGEST_SHORTCUT = 24
LONGEST_SHORTCUT_DESCRIPTION = 150
MOST_EVENTS = 100


def manifest_errors(manifest: Any) -> list[Json]:
    """Everything wrong with a manifest, as `message` and JSON `pointer`."""
    if not isinstance(manifest, dict):
        return [{"message": "must be an object", "pointer": "/"}]
    if wrong := list(misshapen(manifest, KINDS_OF_KEYS)):
        return [{"message": message, "pointer": "/"} for message in wrong]
    found = [*_unknown(manifest), *_display(manifest), *_commands(manifest), *_shortcuts(manifest), *_events(manifest)]
    return [{"message": message, "pointer": pointer} for pointer, message in found]


def _unknown(manifest: Json) -> Iterator[tuple[str, str]]:
    sections = (("", manifest, SECTIONS),)
    sections += (("/features", manifest.get("features", {}), FEATURES),)
    sections += (("/settings", manifest.get("settings", {}), SETTINGS),)
    for pointer, section, known in sections:
        for key in sorted(set(section) - known):
            yield f"{pointer}/{key}", "is not a setting that a manifest has"


def _display(manifest: Json) -> Iterator[tuple[str, str]]:
    display = manifest.get("display_information", {})
    if not 1 <= len(display.get("name", "")) <= LONGEST_NAME:
        yield "/display_information/name", f"must have 1 to {LONGEST_NAME} characters"
    if len(display.get("description", "")) > LONGEST_DESCRIPTION:
        yield "/display_information/description", f"must have at most {LONGEST_DESCRIPTION} characters"
    if "long_description" in display and len(display["long_description"]) not in LONG_DESCRIPTION:
        yield "/display_information/long_description", "must have 175 to 4000 characters"


def _commands(manifest: Json) -> Iterator[tuple[str, str]]:
    commands = manifest.get("features", {}).get("slash_commands", [])
    if len(commands) > MOST_COMMANDS:
        yield "/features/slash_commands", f"at most {MOST_COMMANDS}"
    for i, command in enumerate(commands):
        at = f"/features/slash_commands/{i}"
        word = command.get("command", "")
        if not word.startswith("/") or len(word) not in COMMAND_LENGTH:
            yield f"{at}/command", "must begin with / and have 2 to 32 characters"
        if not command.get("description"):
            yield f"{at}/description", "is required"


def _shortcuts(manifest: Json) -> Iterator[tuple[str, str]]:
    shortcuts = manifest.get("features", {}).get("shortcuts", [])
    if len(shortcuts) > MOST_SHORTCUTS:
        yield "/features/shortcuts", f"at most {MOST_SHORTCUTS}"
    for i, shortcut in enumerate(shortcuts):
        at = f"/features/shortcuts/{i}"
        if shortcut.get("type") not in ("message", "global"):
            yield f"{at}/type", "must be message or global"
        if not 1 <= len(shortcut.get("name", "")) <= LONGEST_SHORTCUT:
            yield f"{at}/name", f"must have 1 to {LONGEST_SHORTCUT} characters"
        if not 1 <= len(shortcut.get("description", "")) <= LONGEST_SHORTCUT_DESCRIPTION:
            yield f"{at}/description", f"must have 1 to {LONGEST_SHORTCUT_DESCRIPTION} characters"
        if not shortcut.get("callback_id"):
            yield f"{at}/callback_id", "is required"


def _events(manifest: Json) -> Iterator[tuple[str, str]]:
    at = "/settings/event_subscriptions/bot_events"
    scopes = set(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))
    settings = manifest.get("settings", {})
    subscriptions = settings.get("event_subscriptions", {})
    events = subscriptions.get("bot_events", [])
    if len(events) > MOST_EVENTS:
        yield at, f"at most {MOST_EVENTS}"
    if events and not settings.get("socket_mode_enabled") and not subscriptions.get("request_url"):
        yield "/settings/event_subscriptions/request_url", "is required without Socket Mode"
    for i, event in enumerate(events):
        needed = event_scopes().get(event, ())
        if needed and not scopes.intersection(needed):
            yield f"{at}/{i}", f"{event} needs one of the scopes {', '.join(needed)}"
