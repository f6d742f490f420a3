"""Modals and Home tabs: made from what the bot sends, stacked, replaced and closed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.sandbox.house import Sandbox
from bot.sandbox.validation import elements_of
from bot.sandbox.workspace import APP_ID, BOT_ID, TEAM

Json = dict[str, Any]

MOST_STACKED = 3


def new_view(sandbox: Sandbox, given: Json, *, previous: Json | None = None, view_id: str = "") -> Json:
    """The view as Slack keeps it, with ids and a hash."""
    view_id = view_id or sandbox.workspace.new_id("V")
    view: Json = {
        "id": view_id,
        "team_id": TEAM,
        "type": given["type"],
        "blocks": with_ids(sandbox, given["blocks"]),
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "external_id": given.get("external_id", ""),
        "state": {"values": {}},
        "hash": f"{sandbox.workspace.seconds()}.{sandbox.workspace.new_hex(8)}",
        "title": given.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": bool(given.get("clear_on_close")),
        "notify_on_close": bool(given.get("notify_on_close")),
        "close": given.get("close"),
        "submit": given.get("submit"),
        "previous_view_id": previous["id"] if previous else None,
        "root_view_id": previous["root_view_id"] if previous else view_id,
        "app_id": APP_ID,
        "app_installed_team_id": TEAM,
        "bot_id": BOT_ID,
    }
    return view


def open_modal(sandbox: Sandbox, user: str, given: Json) -> Json:
    view = new_view(sandbox, given)
    sandbox.workspace.modals[user] = [view]
    sandbox.stream.tell("view", user=user)
    return view


def push_modal(sandbox: Sandbox, user: str, given: Json) -> Json | None:
    """The new top of the stack, or None when it is full or there is none."""
    stack = sandbox.workspace.modals.get(user, [])
    if not stack or len(stack) >= MOST_STACKED:
        return None
    view = new_view(sandbox, given, previous=stack[-1])
    stack.append(view)
    sandbox.stream.tell("view", user=user)
    return view


def replace_view(sandbox: Sandbox, view: Json, given: Json) -> Json:
    """Change a view in place; what a person filled in stays where block and action ids stay."""
    fresh = new_view(sandbox, given, view_id=view["id"])
    kept = {key: view[key] for key in ("previous_view_id", "root_view_id")}
    view.clear()
    view.update(fresh | kept)
    sandbox.workspace.complaints.pop(view["id"], None)
    sandbox.stream.tell("view", user=sandbox.workspace.viewer(view["id"]))
    return view


def publish_home(sandbox: Sandbox, user: str, given: Json) -> Json:
    known = sandbox.workspace.homes.get(user)
    view = new_view(sandbox, given, view_id=known["id"] if known else "")
    sandbox.workspace.homes[user] = view
    sandbox.stream.tell("home", user=user)
    return view


def close_top(sandbox: Sandbox, user: str) -> None:
    stack = sandbox.workspace.modals.get(user, [])
    if stack:
        sandbox.workspace.selected.pop(stack.pop()["id"], None)
    if not stack:
        sandbox.workspace.modals.pop(user, None)
    sandbox.stream.tell("view", user=user)


def close_all(sandbox: Sandbox, user: str) -> None:
    for view in sandbox.workspace.modals.pop(user, []):
        sandbox.workspace.selected.pop(view["id"], None)
    sandbox.stream.tell("view", user=user)


def with_ids(sandbox: Sandbox, blocks: list[Json]) -> list[Json]:
    """Blocks with the ids that Slack makes up where the bot gave none."""
    filled = deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", sandbox.workspace.new_hex(5))
        for element in elements_of(block):
            element.setdefault("action_id", sandbox.workspace.new_hex(5))
    return filled
