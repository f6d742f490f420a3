"""views.*"""

from __future__ import annotations

from typing import Any

from bot.sandbox import viewing
from bot.sandbox.tickets import Trigger
from bot.sandbox.validation import view_errors, view_too_large
from bot.sandbox.web_api.call import Call, Refused, answers
from bot.sandbox.workspace import NotThere

Json = dict[str, Any]


@answers("views.open")
def open_view(call: Call) -> Json:
    trigger = _trigger(call)
    view = viewing.open_modal(call.sandbox, trigger.user, _given(call, "modal"))
    trigger.used = True
    return {"view": view}


@answers("views.push")
def push(call: Call) -> Json:
    trigger = _trigger(call)
    given = _given(call, "modal")
    if not call.workspace.modals.get(trigger.user):
        raise Refused("not_found")
    view = viewing.push_modal(call.sandbox, trigger.user, given)
    if view is None:
        raise Refused("push_limit_reached")
    trigger.used = True
    return {"view": view}


@answers("views.update")
def update(call: Call) -> Json:
    view = _named(call)
    given = _given(call, view["type"], unless=view["id"])
    _check_hash(call, view)
    return {"view": viewing.replace_view(call.sandbox, view, given)}


@answers("views.publish")
def publish(call: Call) -> Json:
    if not call.sandbox.manifest.home_tab:
        raise Refused("not_enabled")
    if call.text("user_id") not in call.workspace.users:
        call.refuse("user_not_found", "invalid_arguments")
    known = call.workspace.homes.get(call.text("user_id"))
    given = _given(call, "home", unless=known["id"] if known else "")
    if known:
        _check_hash(call, known)
    return {"view": viewing.publish_home(call.sandbox, call.text("user_id"), given)}


def _trigger(call: Call) -> Trigger:
    trigger_id = call.text("trigger_id") or call.text("interactivity_pointer")
    if not trigger_id:
        messages = ["[ERROR] missing required field: trigger_id"]
        raise Refused("invalid_arguments", response_metadata={"messages": messages})
    trigger, error = call.sandbox.triggers.look(trigger_id)
    if trigger is None:
        raise Refused(error)
    return trigger


def _given(call: Call, kind: str, *, unless: str = "") -> Json:
    given = call.parsed("view")
    errors = view_errors(given)
    if isinstance(given, dict) and view_too_large(given):
        raise Refused("view_too_large", response_metadata={"messages": ["the view is larger than 250 KB"]})
    if not errors and given["type"] != kind:
        errors = [f"type must be {kind} [json-pointer:/view/type]"]
    if errors:
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {e}" for e in errors]})
    external = given.get("external_id")
    if external and any(v["external_id"] == external and v["id"] != unless for v in call.workspace.all_views()):
        raise Refused("duplicate_external_id")
    return given


def _named(call: Call) -> Json:
    external = call.text("external_id")
    for view in call.workspace.all_views():
        if external and view["external_id"] == external:
            return view
    if not call.text("view_id") and not external:
        messages = ["[ERROR] missing required field: view_id"]
        raise Refused("invalid_arguments", response_metadata={"messages": messages})
    try:
        return call.workspace.view(call.text("view_id"))
    except NotThere:
        raise Refused("not_found") from None


def _check_hash(call: Call, view: Json) -> None:
    if call.text("hash") and call.text("hash") != view["hash"]:
        raise Refused("hash_conflict")
