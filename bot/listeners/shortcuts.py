"""Shortcuts on a message: each opens a form that remembers the message."""

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.listeners import forms
from bot.listeners.asked import Memory
from bot.listeners.edge import Edge, Gesture, answer_press, incident_meant
from bot.render import Rendered
from bot.review.incident import ChannelId, Place, UserId

FORM_OF = {"add_to_timeline": "tag", "propose_action": "action", "open_incident_here": "open"}


def register(app: AsyncApp, edge: Edge) -> None:
    for callback, form in FORM_OF.items():
        app.shortcut(callback)(_opener(edge, form))


def _opener(edge: Edge, form: str) -> Any:
    async def opened(ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], context: AsyncBoltContext) -> None:
        message = body.get("message") or {}
        thread = message.get("thread_ts") or (message.get("ts", "") if form == "open" else "")
        place = Place(ChannelId(body["channel"]["id"]), thread)
        gesture = Gesture(UserId(body["user"]["id"]), place, body.get("trigger_id", ""), context.get("mark"))
        await answer_press(edge, ack, respond, _open(edge, gesture, form, message.get("ts")), replaces="nothing")

    return opened


async def _open(edge: Edge, gesture: Gesture, form: str, ts: str | None) -> Rendered | None:
    await edge.meet(gesture.by)
    incident = None if form == "open" else await edge.look(incident_meant, gesture=gesture)
    memory = Memory(form=form, incident=incident, channel=gesture.place.channel, thread=gesture.place.thread, ts=ts)
    await edge.open_form(gesture.trigger, edge.look(forms.build, gesture=gesture, memory=memory))
    return None
