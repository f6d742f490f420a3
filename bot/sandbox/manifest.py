"""What the app was given: its scopes, events and features, from a manifest or, without one, everything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.facts import all_bot_scopes, event_scopes

Json = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """`bot_events` and `commands` None means that none is refused, as when no manifest was given."""

    scopes: frozenset[str]
    bot_events: frozenset[str] | None = None
    commands: frozenset[str] | None = None
    shortcuts: frozenset[str] | None = None
    shortcut_list: tuple[tuple[tuple[str, str], ...], ...] = ()
    home_tab: bool = True
    name: str = "Debrief"

    def may(self, scopes: tuple[str, ...]) -> bool:
        return not scopes or bool(self.scopes.intersection(scopes))

    def hears(self, event: str) -> bool:
        """Whether the app subscribed to that event (`message.im`) and has a scope for it."""
        subscribed = self.bot_events is None or event in self.bot_events
        return subscribed and self.may(event_scopes().get(event, ()))


def everything() -> Manifest:
    return Manifest(scopes=all_bot_scopes())


def read_manifest(path: Path) -> Manifest:
    return from_json(json.loads(path.read_text()))


def from_json(manifest: Json) -> Manifest:
    """A manifest in Slack's own form."""
    features = manifest.get("features", {})
    settings = manifest.get("settings", {})
    events = settings.get("event_subscriptions", {}).get("bot_events", [])
    return Manifest(
        scopes=frozenset(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", [])),
        bot_events=frozenset(events),
        commands=frozenset(c["command"] for c in features.get("slash_commands", [])),
        shortcuts=frozenset(s["callback_id"] for s in features.get("shortcuts", [])),
        shortcut_list=tuple(tuple(sorted(s.items())) for s in features.get("shortcuts", [])),
        home_tab=bool(features.get("app_home", {}).get("home_tab_enabled", False)),
        name=manifest.get("display_information", {}).get("name", "Debrief"),
    )
