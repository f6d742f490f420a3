"""People's deeds that need a rule of Slack's client: who may edit, which element is meant, what a form accepts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox import interactions, talking
from bot.sandbox.deliveries import Delivery
from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import envelope
from bot.sandbox.places import InMessage, InView, Place, find_element, state_of
from bot.sandbox.selections import CannotChoose, chosen_state, initial, is_empty, options_of
from bot.sandbox.typed import rich_text, typed
from bot.sandbox.validation import elements_of
from bot.sandbox.workspace import APP_ID, BOT_USER, Channel, NotThere, User

Json = dict[str, Any]

DM_NAMES = ("dm", "im", BOT_USER, "@debrief")


class Impossible(Exception):
    """Slack's client would not let a person do that; the message says why."""


def conversation(sandbox: Sandbox, user: User | None, name: str) -> Channel:
    """A conversation by id or name; `dm` is the direct one of that person with the bot."""
    if user is not None and name in DM_NAMES:
        return sandbox.workspace.open_im(user.id, BOT_USER)
    if user is not None and (
        name.removeprefix("@") in {u.name for u in sandbox.workspace.users.values()} and name.startswith("@")
    ):
        return sandbox.workspace.open_im(user.id, sandbox.workspace.user(name).id)
    return sandbox.workspace.channel(name)


def must_be_inside(user: User, channel: Channel) -> None:
    must_see(user, channel)
    if user.deleted:
        raise Impossible("account_inactive")
    if channel.archived:
        raise Impossible("is_archived")
    if user.id not in channel.members:
        raise Impossible("not_in_channel")


def must_see(user: User, channel: Channel) -> None:
    """A private conversation is not there for those outside it; raises NotThere."""
    if channel.is_private and user.id not in channel.members:
        raise NotThere("channel", channel.name)


def must_be_author(user: User, message: Json) -> None:
    if message.get("user", user.id) != user.id:
        raise Impossible("this message is somebody else's")


def edit_text(sandbox: Sandbox, channel: Channel, message: Json, text: str) -> None:
    text = typed(sandbox.workspace, text)
    by = message.get("user", "")
    talking.edit(sandbox, channel, message, by=by, text=text, blocks=rich_text(sandbox.workspace, text))


def send_event(sandbox: Sandbox, event: Json) -> Delivery:
    return sandbox.deliveries.send_raw(envelope(sandbox.workspace, event), str(event.get("channel", "")))


async def command(sandbox: Sandbox, wish: Json) -> Json:
    """A slash command: `command` may hold the whole line, or `text` the rest of it."""
    user = sandbox.workspace.user(str(wish["user"]))
    channel = conversation(sandbox, user, str(wish["channel"]))
    name, _, rest = str(wish["command"]).partition(" ")
    text = str(wish.get("text", rest)).strip()
    must_see(user, channel)
    if wish.get("thread_ts"):
        raise Impossible(f"{name} is not supported in threads. Sorry!")
    known = sandbox.manifest.commands
    if known is not None and name not in known:
        raise Impossible(f"{name} is not a valid command. In Slack, all messages that start with the / are commands.")
    escaped = typed(sandbox.workspace, text, named=bool(wish.get("named")))
    answer = await interactions.run_command(sandbox, user, channel, command=name, text=escaped)
    return answer.json()


async def shortcut(sandbox: Sandbox, wish: Json) -> Json:
    """A shortcut: `callback_id`, and `channel` with `ts` for one on a message."""
    user = sandbox.workspace.user(str(wish["user"]))
    callback_id = str(wish["callback_id"])
    known = sandbox.manifest.shortcuts
    if known is not None and callback_id not in known:
        raise Impossible(f"the app has no shortcut {callback_id}")
    channel = conversation(sandbox, user, str(wish["channel"])) if "channel" in wish else None
    message = sandbox.workspace.message(channel, str(wish["ts"])) if channel and "ts" in wish else None
    return (await interactions.run_shortcut(sandbox, user, callback_id, channel=channel, message=message)).json()


async def click(sandbox: Sandbox, wish: Json) -> Json:
    """Use an element: press a button, or choose `value` (or `values`) in a menu."""
    user = sandbox.workspace.user(str(wish["user"]))
    place = _place(sandbox, user, wish)
    wanted = wish.get("values", wish.get("value"))
    found = find_element(place, str(wish["action_id"]), str(wanted or ""))
    if found is None:
        raise Impossible(f"there is no element {wish['action_id']} {wanted or ''} there".replace("  ", " "))
    block, element = found
    action = _action(sandbox, place, block, element, wanted)
    answer = (await interactions.press(sandbox, user, place, action)).json()
    return answer | ({"confirm": element["confirm"]} if element.get("confirm") else {})


async def submit(sandbox: Sandbox, wish: Json) -> Json:
    """Fill in a form with `values` {block_id: {action_id: value}} and submit it."""
    user = sandbox.workspace.user(str(wish["user"]))
    view = _open_view(sandbox, user, wish)
    await _fill(sandbox, user, view, wish.get("values") or {})
    _check_filled(sandbox, view)
    sandbox.workspace.complaints.pop(view["id"], None)
    return (await interactions.submit_view(sandbox, user, view)).json()


async def close(sandbox: Sandbox, wish: Json) -> Json:
    """Close the topmost form, or all of them with `{"all": true}`."""
    user = sandbox.workspace.user(str(wish["user"]))
    view = _open_view(sandbox, user, wish)
    return (await interactions.close_view(sandbox, user, view, all_of_them="yes" if wish.get("all") else "no")).json()


async def suggest(sandbox: Sandbox, wish: Json) -> Json:
    """What the bot offers in an external select for `query`."""
    user = sandbox.workspace.user(str(wish["user"]))
    place = _place(sandbox, user, wish)
    found = find_element(place, str(wish["action_id"]))
    if found is None:
        raise Impossible(f"there is no element {wish['action_id']} there")
    query = str(wish.get("query", ""))
    return (
        await interactions.suggest(sandbox, user, place, found[1], block_id=found[0]["block_id"], query=query)
    ).json()


INTERACTIONS: dict[str, Callable[[Sandbox, Json], Awaitable[Json]]] = {
    deed.__name__: deed for deed in (command, shortcut, click, submit, close, suggest)
}


def _place(sandbox: Sandbox, user: User, wish: Json) -> Place:
    """Where the element is: a view, the Home tab, a message, or the newest message that has it."""
    if "view_id" in wish:
        return InView(sandbox.workspace.view(str(wish["view_id"])))
    if wish.get("home"):
        if user.id not in sandbox.workspace.homes:
            raise Impossible("that person's Home tab is empty")
        return InView(sandbox.workspace.homes[user.id])
    if "channel" not in wish:
        stack = sandbox.workspace.modals.get(user.id)
        if not stack:
            raise Impossible("say where: channel and ts, view_id, or home")
        return InView(stack[-1])
    return _message_place(sandbox, user, wish)


def _message_place(sandbox: Sandbox, user: User, wish: Json) -> Place:
    channel = conversation(sandbox, user, str(wish["channel"]))
    mine = [e.message for e in sandbox.workspace.ephemerals if (e.user, e.channel) == (user.id, channel.id)]
    places = [InMessage(channel, m, ephemeral=False) for m in channel.in_order() if m.get("app_id") == APP_ID]
    places += [InMessage(channel, m, ephemeral=True) for m in mine]
    places.sort(key=lambda place: place.message["ts"], reverse=True)
    if "ts" in wish:
        places = [p for p in places if p.message["ts"] == str(wish["ts"])]
    for place in places:
        if find_element(place, str(wish["action_id"]), str(wish.get("value", ""))):
            return place
    raise Impossible(f"no message there has {wish['action_id']}")


def _action(sandbox: Sandbox, place: Place, block: Json, element: Json, wanted: Any) -> Json:
    """The entry in `actions`, and for a menu the new selection kept."""
    action: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    action["action_ts"] = sandbox.clock.next_ts()
    if element["type"] in ("button", "icon_button", "workflow_button"):
        action |= {key: element[key] for key in ("text", "value", "style", "url", "confirm") if key in element}
        return action
    if element["type"] == "overflow":
        option = next((o for o in options_of(element) if wanted in (o["value"], o["text"]["text"])), None)
        if option is None:
            raise CannotChoose(f"{element['action_id']} does not offer {wanted!r}")
        return action | {"selected_option": option}
    state = chosen_state(element, wanted)
    _keep(sandbox, place.key, block, element, state)
    return action | state | {key: element[key] for key in ("placeholder",) if key in element}


def _keep(sandbox: Sandbox, key: str, block: Json, element: Json, state: Json) -> None:
    chosen = sandbox.workspace.selected.setdefault(key, {})
    chosen.setdefault(block["block_id"], {})[element["action_id"]] = state


def _open_view(sandbox: Sandbox, user: User, wish: Json) -> Json:
    stack = sandbox.workspace.modals.get(user.id)
    if not stack:
        raise Impossible("that person has no form open")
    if wish.get("view_id", stack[-1]["id"]) != stack[-1]["id"]:
        raise NotThere("view", str(wish["view_id"]))
    return stack[-1]


async def _fill(sandbox: Sandbox, user: User, view: Json, values: Json) -> None:
    by_id = {block["block_id"]: block for block in view["blocks"]}
    for block_id, fields in values.items():
        if block_id not in by_id:
            raise Impossible(f"the form has no block {block_id}: {', '.join(by_id)}")
        elements = {e["action_id"]: e for e in elements_of(by_id[block_id])}
        for action_id, value in fields.items():
            if action_id not in elements:
                raise Impossible(f"the block {block_id} has no {action_id}: {', '.join(elements)}")
            block, element = by_id[block_id], elements[action_id]
            offered = await _offered(sandbox, user, view=view, block=block, element=element, value=value)
            _keep(sandbox, view["id"], block, element, chosen_state(element, value, offered))


async def _offered(sandbox: Sandbox, user: User, *, view: Json, block: Json, element: Json, value: Any) -> list[Json]:
    """For an external select, ask the bot for its options as the client does while a person types."""
    if "external" not in element["type"]:
        return []
    query = str(value[0] if isinstance(value, list) and value else value or "")
    kept = initial(element)
    known = [kept["selected_option"]] if kept.get("selected_option") else kept.get("selected_options") or []
    answer = await interactions.suggest(sandbox, user, InView(view), element, block_id=block["block_id"], query=query)
    body = answer.body if isinstance(answer.body, dict) else {}
    groups = [option for group in body.get("option_groups", []) for option in group["options"]]
    return [*known, *body.get("options", []), *groups]


def _check_filled(sandbox: Sandbox, view: Json) -> None:
    if view["submit"] is None:
        raise Impossible("this form has no submit button")
    values = state_of(sandbox, InView(view))
    for block in view["blocks"]:
        if block["type"] == "input" and not block.get("optional"):
            state = values[block["block_id"]][block["element"]["action_id"]]
            if is_empty(state):
                raise Impossible(f"{block['block_id']} is required: {block['label']['text']}")
