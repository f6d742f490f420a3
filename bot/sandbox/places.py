"""Where a button or menu stands: in a message, seen by all or by one, or in a view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.house import Sandbox
from bot.sandbox.payloads import message_json
from bot.sandbox.selections import state_values
from bot.sandbox.validation import elements_of
from bot.sandbox.workspace import Channel, User

Json = dict[str, Any]

SHOWN_CHANNEL_NAME = {"group": "privategroup", "im": "directmessage"}


@dataclass(frozen=True)
class InView:
    view: Json

    @property
    def key(self) -> str:
        return self.view["id"]

    @property
    def blocks(self) -> list[Json]:
        return self.view["blocks"]

    @property
    def modal_id(self) -> str:
        return self.view["id"] if self.view["type"] == "modal" else ""


@dataclass(frozen=True)
class InMessage:
    channel: Channel
    message: Json
    ephemeral: bool

    @property
    def key(self) -> str:
        return f"{self.channel.id}:{self.message['ts']}"

    @property
    def blocks(self) -> list[Json]:
        nested = [block for a in self.message.get("attachments", []) for block in a.get("blocks", [])]
        return [*self.message.get("blocks", []), *nested]

    @property
    def modal_id(self) -> str:
        return ""


Place = InView | InMessage


def find_element(place: Place, action_id: str, value: str = "") -> tuple[Json, Json] | None:
    """The block and element with that action_id, and that value where it is a button."""
    for block in place.blocks:
        for element in elements_of(block):
            fits = not value or element["type"] != "button" or element.get("value", "") == value
            if element.get("action_id") == action_id and fits:
                return block, element
    return None


def container(sandbox: Sandbox, user: User, place: Place) -> Json:
    """The part of a payload that tells where the element stands."""
    if isinstance(place, InView):
        shown = shown_view(sandbox, place.view)
        return {"container": {"type": "view", "view_id": place.view["id"]}, "view": shown}
    shown = {
        "container": _message_container(place),
        "channel": channel_of(place.channel),
        "state": {"values": state_of(sandbox, place)},
        "response_url": _response_url(sandbox, user, place),
    }
    return shown if place.ephemeral else shown | {"message": message_json(place.message)}


def shown_view(sandbox: Sandbox, view: Json) -> Json:
    """The view with its state as it stands now."""
    return {**view, "state": {"values": state_of(sandbox, InView(view))}}


def state_of(sandbox: Sandbox, place: Place) -> Json:
    return state_values(place.blocks, sandbox.workspace.selected.get(place.key, {}))


def channel_of(channel: Channel) -> Json:
    return {"id": channel.id, "name": SHOWN_CHANNEL_NAME.get(channel.kind, channel.name)}


def _message_container(place: InMessage) -> Json:
    shown: Json = {"type": "message", "message_ts": place.message["ts"], "channel_id": place.channel.id}
    shown["is_ephemeral"] = place.ephemeral
    if "thread_ts" in place.message:
        shown["thread_ts"] = place.message["thread_ts"]
    return shown


def _response_url(sandbox: Sandbox, user: User, place: InMessage) -> str:
    key = sandbox.response_urls.give(
        user.id,
        place.channel.id,
        message_ts=place.message["ts"],
        thread_ts=_thread_it_replies_in(place.message),
        ephemeral=place.ephemeral,
    )
    return f"{sandbox.url}/_response/{key}"


def _thread_it_replies_in(message: Json) -> str:
    """A message that others replied to names its own thread, and stands in the channel all the same."""
    thread = str(message.get("thread_ts", ""))
    return "" if thread == message["ts"] else thread
