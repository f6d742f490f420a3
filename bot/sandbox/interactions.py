"""Commands, shortcuts, buttons, forms: their payloads, and what Slack makes of the bot's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox import viewing
from bot.sandbox.deliveries import Outcome
from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import actor, message_json, team
from bot.sandbox.places import SHOWN_CHANNEL_NAME, Place, channel_of, container, shown_view
from bot.sandbox.talking import bot_message, post
from bot.sandbox.validation import message_errors, options_errors, view_errors, view_too_large
from bot.sandbox.workspace import APP_ID, DOMAIN, TEAM, VERIFICATION_TOKEN, Channel, Ephemeral, User

Json = dict[str, Any]

TIMED_OUT = ("timeout", "http_timeout")
VIEW_ACTIONS = ("errors", "update", "push", "clear")


@dataclass(frozen=True)
class Answer:
    """What the person sees: `failure` is Slack's own word when the bot did not answer as it must."""

    ok: bool
    ack_ms: int
    body: Any = None
    failure: str = ""

    def json(self) -> Json:
        return {
            "ok": self.ok,
            "ack_ms": self.ack_ms,
            "answer": self.body,
            **({"error": self.failure} if self.failure else {}),
        }


async def run_command(sandbox: Sandbox, user: User, channel: Channel, *, command: str, text: str) -> Answer:
    """Type a slash command; the in-band answer is shown to the person, or to all when it says in_channel."""
    payload = {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": SHOWN_CHANNEL_NAME.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": _response_url(sandbox, user, channel),
        "trigger_id": sandbox.triggers.give(user.id),
    }
    outcome = await sandbox.deliveries.send_interaction("slash_commands", payload)
    if outcome.acked and outcome.body:
        return _shown(sandbox, user, channel, outcome)
    return _plain(outcome)


async def run_shortcut(
    sandbox: Sandbox, user: User, callback_id: str, *, channel: Channel | None, message: Json | None
) -> Answer:
    """A message shortcut where there is a message, else a global one."""
    payload = _interaction(user, "message_action" if message else "shortcut")
    payload |= {
        "callback_id": callback_id,
        "action_ts": sandbox.clock.next_ts(),
        "trigger_id": sandbox.triggers.give(user.id),
    }
    if message and channel:
        payload |= {
            "channel": channel_of(channel),
            "message_ts": message["ts"],
            "message": message_json(message),
            "response_url": _response_url(sandbox, user, channel, thread_ts=message.get("thread_ts", "")),
        }
    return _plain(await sandbox.deliveries.send_interaction("interactive", payload))


async def press(sandbox: Sandbox, user: User, place: Place, action: Json) -> Answer:
    """block_actions: a person used an element; `action` is its entry in `actions`."""
    payload = _interaction(user, "block_actions")
    payload |= {"trigger_id": sandbox.triggers.give(user.id, view_id=place.modal_id), **container(sandbox, user, place)}
    payload["actions"] = [action]
    outcome = await sandbox.deliveries.send_interaction("interactive", payload)
    return Answer(outcome.acked, outcome.ms, outcome.body, "" if outcome.acked else _failure(outcome))


async def suggest(sandbox: Sandbox, user: User, place: Place, element: Json, *, block_id: str, query: str) -> Answer:
    """block_suggestion: what the bot offers while a person types into an external select."""
    payload = _interaction(user, "block_suggestion")
    payload |= {
        "action_id": element["action_id"],
        "block_id": block_id,
        "value": query,
        **container(sandbox, user, place),
    }
    answer = _plain(await sandbox.deliveries.send_interaction("interactive", payload))
    if answer.ok and (errors := options_errors(answer.body)):
        sandbox.journal.violation("block_suggestion", errors)
    return answer


async def submit_view(sandbox: Sandbox, user: User, view: Json) -> Answer:
    """view_submission, and what Slack does with the view after the answer."""
    payload = _interaction(user, "view_submission")
    payload |= {"trigger_id": sandbox.triggers.give(user.id, view_id=view["id"]), "view": shown_view(sandbox, view)}
    payload["response_urls"] = []
    outcome = await sandbox.deliveries.send_interaction("interactive", payload)
    if not outcome.acked:
        return Answer(False, outcome.ms, None, _failure(outcome))
    problem = _follow(sandbox, user, view, outcome.body)
    if problem:
        sandbox.journal.violation("view_submission", problem)
        return Answer(False, outcome.ms, outcome.body, "dispatch_failed")
    return Answer(True, outcome.ms, outcome.body)


async def close_view(sandbox: Sandbox, user: User, view: Json, *, all_of_them: str) -> Answer:
    """A person closes a modal; the bot hears of it only when the view asked so. `all_of_them` is "yes" or "no"."""
    shown = shown_view(sandbox, view)
    cleared = all_of_them == "yes"
    if cleared:
        viewing.close_all(sandbox, user.id)
    else:
        viewing.close_top(sandbox, user.id)
    if not view["notify_on_close"]:
        return Answer(True, 0)
    payload = _interaction(user, "view_closed") | {"view": shown, "is_cleared": cleared}
    return _plain(await sandbox.deliveries.send_interaction("interactive", payload))


def show_answer(sandbox: Sandbox, user: User, channel: Channel, body: Json, *, thread_ts: str = "") -> list[str]:
    """Show an in-band or response_url message; answers what Slack would refuse of it."""
    errors = message_errors(body)
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        errors = ["no_text"]
    if errors:
        return errors
    content = {key: body[key] for key in ("text", "attachments", "metadata") if body.get(key)}
    if body.get("blocks"):
        content["blocks"] = viewing.with_ids(sandbox, body["blocks"])
    message = bot_message(sandbox, content)
    if body.get("response_type") == "in_channel":
        post(sandbox, channel, message, thread_ts=body.get("thread_ts") or thread_ts or None)
        return []
    message["is_ephemeral"] = True
    if body.get("thread_ts") or thread_ts:
        message["thread_ts"] = body.get("thread_ts") or thread_ts
    sandbox.workspace.ephemerals.append(Ephemeral(user.id, channel.id, message))
    sandbox.stream.tell("ephemeral", channel=channel.id, user=user.id)
    return []


def _shown(sandbox: Sandbox, user: User, channel: Channel, outcome: Outcome) -> Answer:
    body = outcome.body if isinstance(outcome.body, dict) else {"text": str(outcome.body)}
    errors = show_answer(sandbox, user, channel, body)
    if errors:
        sandbox.journal.violation("command answer", errors)
        return Answer(False, outcome.ms, body, "dispatch_failed")
    return Answer(True, outcome.ms, body)


def _plain(outcome: Outcome) -> Answer:
    return Answer(outcome.acked, outcome.ms, outcome.body, "" if outcome.acked else _failure(outcome))


def _failure(outcome: Outcome) -> str:
    return "operation_timeout" if outcome.reason in TIMED_OUT else "dispatch_failed"


def _interaction(user: User, kind: str) -> Json:
    return {
        "type": kind,
        "user": actor(user),
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "team": team(),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _response_url(sandbox: Sandbox, user: User, channel: Channel, thread_ts: str = "") -> str:
    return f"{sandbox.url}/_response/{sandbox.response_urls.give(user.id, channel.id, thread_ts=thread_ts)}"


def _follow(sandbox: Sandbox, user: User, view: Json, body: Any) -> list[str]:
    """Do what the answer to a submission says; the problems with it instead, when there are any."""
    if not body:
        viewing.close_top(sandbox, user.id)
        return []
    action = body.get("response_action") if isinstance(body, dict) else None
    if action not in VIEW_ACTIONS:
        return [f"response_action must be one of {', '.join(VIEW_ACTIONS)}"]
    if action == "clear":
        viewing.close_all(sandbox, user.id)
        return []
    if action == "errors":
        return _show_errors(sandbox, user, view, body.get("errors"))
    return _show_next(sandbox, user, view, action, body.get("view"))


def _show_errors(sandbox: Sandbox, user: User, view: Json, errors: Any) -> list[str]:
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        return ["errors must name at least one input block"]
    strange = sorted(set(errors) - inputs)
    if strange:
        return [f"errors name {', '.join(strange)}, which is no input block of this view"]
    sandbox.workspace.complaints[view["id"]] = errors
    sandbox.stream.tell("view", user=user.id)
    return []


def _show_next(sandbox: Sandbox, user: User, view: Json, action: str, given: Any) -> list[str]:
    problems = view_errors(given)
    if problems or view_too_large(given):
        return problems or ["view_too_large"]
    if action == "update":
        viewing.replace_view(sandbox, view, given)
    elif viewing.push_modal(sandbox, user.id, given) is None:
        return ["push_limit_reached"]
    return []
