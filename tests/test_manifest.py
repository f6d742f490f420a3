"""The manifest: within the rules of Slack's schema, and with the smallest scopes that do."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.listeners.shortcuts import FORM_OF
from bot.manifest import EVENTS, SCOPES, SHORTCUTS, manifest
from bot.sandbox.facts import event_scopes, methods

BOT = Path(__file__).parents[1] / "bot"
SETTINGS = {
    "event_subscriptions",
    "interactivity",
    "org_deploy_enabled",
    "socket_mode_enabled",
    "token_rotation_enabled",
}
"""Those we use of the ones the schema knows."""
IN_PROFILES = "users:read.email"
"""No method of ours needs it: profiles that we read for names hold addresses with it, and none without."""
NOT_OURS = {"apps.connections.open"}
"""Called with the app's own token, whose scope is not in a manifest's list of bot scopes."""
CONVERSATIONS = {"channels", "groups", "im", "mpim"}


@pytest.fixture(params=[None, "https://debrief.example.com/"], ids=["socket", "http"])
def made(request: pytest.FixtureRequest) -> dict[str, Any]:
    return manifest(http=request.param)


def test_names_and_descriptions_keep_to_their_lengths(made: dict[str, Any]):
    display, features = made["display_information"], made["features"]

    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert re.fullmatch(r"#[0-9a-f]{6}", display["background_color"])
    assert len(features["bot_user"]["display_name"]) <= 80
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert len(shortcut["callback_id"]) <= 255
        assert shortcut["type"] in {"message", "global"}
    assert 0 < len(features["shortcuts"]) <= 10
    for command in features["slash_commands"]:
        assert re.fullmatch(r"/\S{1,31}", command["command"])
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000
        assert command["should_escape"] is True


def test_only_known_settings_are_set(made: dict[str, Any]):
    assert set(made) == {"display_information", "features", "oauth_config", "settings"}
    assert set(made["settings"]) == SETTINGS
    assert set(made["features"]) == {"app_home", "bot_user", "shortcuts", "slash_commands"}
    assert len(made["settings"]["event_subscriptions"]["bot_events"]) == len(set(EVENTS)) <= 100
    assert len(set(made["oauth_config"]["scopes"]["bot"])) <= 255


def test_over_socket_mode_there_is_no_address_anywhere():
    made = manifest()

    assert made["settings"]["socket_mode_enabled"] is True
    assert "http" not in str(made)


def test_over_http_everything_goes_to_one_address():
    made = manifest(http="https://debrief.example.com/")

    url = "https://debrief.example.com/slack/events"
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["features"]["slash_commands"][0]["url"] == url


def test_it_hears_what_is_deleted_wherever_it_speaks():
    assert {"message.channels", "message.groups", "message.im"} <= set(EVENTS)


def test_the_command_may_have_another_name():
    assert manifest(command="/debrief")["features"]["slash_commands"][0]["command"] == "/debrief"


def test_every_shortcut_has_a_form_and_every_form_its_shortcut():
    assert {callback for callback, _, _ in SHORTCUTS} == set(FORM_OF)


def test_every_event_is_one_that_our_scopes_let_us_hear():
    unheard = [event for event in EVENTS if not _granted(event_scopes()[event])]

    assert unheard == []


def test_every_method_that_is_called_is_covered():
    called = methods_called()

    assert {"chat.postMessage", "conversations.history", "views.open"} <= called
    assert [name for name in sorted(called - NOT_OURS) if not _granted(methods()[name].scopes)] == []


def test_in_every_kind_of_channel_that_is_read_the_scopes_are_there():
    for method in ("conversations.history", "conversations.replies", "conversations.info", "conversations.members"):
        asked = [scope for scope in methods()[method].scopes if scope.split(":")[0] in {"channels", "groups"}]
        assert set(asked) <= set(SCOPES), method


def test_every_scope_is_needed_by_something_and_tells_its_reason():
    wanted = {scope for name in methods_called() for scope in methods()[name].scopes}
    wanted |= {scope for event in EVENTS for scope in event_scopes()[event]}

    assert set(SCOPES) - wanted - {"commands", IN_PROFILES} == set()
    assert all(reason and without for reason, without in SCOPES.values())


def _granted(scopes: tuple[str, ...]) -> bool:
    return not scopes or bool(set(scopes) & set(SCOPES))


def methods_called() -> set[str]:
    """Every Web API method that the program's own source names, as a call of the client or as a word."""
    source = "\n".join(path.read_text() for path in BOT.rglob("*.py") if "sandbox" not in path.parts)
    known = methods()
    named = {word for word in re.findall(r'"([a-z]+(?:\.[a-zA-Z]+)+)"', source) if word in known}
    spelled = {name.replace(".", "_").lower(): name for name in known}
    calls = re.findall(r"(?:client|reads|writes)\.(\w+)\(", source)
    return named | {spelled[call.lower()] for call in calls if call.lower() in spelled}
