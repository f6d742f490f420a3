"""Doing what a verb says: from the words somebody typed or pressed to the ability, and to the forms on the way."""

import re

from bot import following_up, opening, reporting, tracking
from bot.desk import Turn
from bot.listeners import forms
from bot.listeners.edge import Edge, Gesture
from bot.listeners.forms import Memory
from bot.listeners.opening import audience, open_here, refresh_agenda
from bot.listeners.reading import MENTION
from bot.listeners.words import Verb, groups, look_up
from bot.render import Rendered
from bot.review.plain_text import of_typed
from bot.review.refusal import NoIncidentHere
from storage import incidents

SINCE = re.compile(r"^from:(\w+)\s*")
"""`open from:24h …` says how much of an old channel is taken in; the buttons of that question carry it."""
BY_NUMBER = (following_up.move, following_up.show, reporting.search)
"""Abilities that need no place: what they are about is named."""
TYPED = {"text", "reason", "words", "title"}
"""What people write in their own words; Slack escapes it on the way to us."""


async def perform(edge: Edge, gesture: Gesture, text: str) -> Rendered | None:
    """Do what was typed or pressed; raises a refusal with the sentence to say."""
    await edge.meet(gesture.by, *MENTION.findall(text))
    word, _, rest = text.strip().partition(" ")
    if not word or word.lower() == "status":
        return await _where_it_stands(edge, gesture)
    if word.lower() == "help":
        return _help(edge, rest)
    verb, rest = look_up(text)
    if verb.asks and not gesture.pressed:
        return await _confirm(edge, gesture, verb, rest)
    form = await _form(edge, gesture, verb, rest)
    if form:
        return await _open_form(edge, gesture, form, verb.name, rest=rest)
    return await _serve(edge, gesture, verb, rest)


async def _form(edge: Edge, gesture: Gesture, verb: Verb, rest: str) -> str | None:
    """The form to open; what is done already needs no proof again, only somebody who confirms it."""
    form = forms.wanted(verb.name, rest) if gesture.trigger else None
    if form == "evidence" and await edge.look(forms.is_done, by=gesture.by, rest=rest):
        return None
    return form


async def _where_it_stands(edge: Edge, gesture: Gesture) -> Rendered | None:
    try:
        return await edge.serve(tracking.status, where=gesture.where, by=gesture.by)
    except NoIncidentHere:
        return await edge.serve(tracking.my_reviews, by=gesture.by)


def _help(edge: Edge, about: str) -> Rendered:
    if not about.strip():
        return edge.said("help", groups=groups())
    verb, _ = look_up(about)
    return edge.said("help_verb", verb=(verb.typed, verb.does, verb.who, verb.asks is not None))


async def _confirm(edge: Edge, gesture: Gesture, verb: Verb, rest: str) -> Rendered:
    """Ask back once the words are in order and an incident is at hand."""
    verb.call(rest)
    return edge.said(
        "confirm",
        question=verb.asks,
        label=verb.name.capitalize(),
        verb=verb.name,
        text=rest,
        incident=await edge.look(_incident_meant, gesture=gesture),
    )


async def _open_form(edge: Edge, gesture: Gesture, form: str, verb: str, *, rest: str) -> None:
    incident = None if form == "evidence" else await edge.look(_incident_meant, gesture=gesture)
    number = re.match(r"#?(\d+)", rest)
    memory = Memory(
        form=form,
        incident=incident,
        channel=gesture.place.channel,
        thread=gesture.place.thread,
        number=int(number[1]) if number else None,
        word=verb,
    )
    view = await edge.look(forms.build, gesture=gesture, memory=memory)
    await edge.open_form(gesture.trigger, view)


def _incident_meant(turn: Turn, *, gesture: Gesture) -> int:
    return incidents.at(turn.db, turn.team, gesture.where, gesture.by).id


async def _serve(edge: Edge, gesture: Gesture, verb: Verb, rest: str) -> Rendered | None:
    since = SINCE.match(rest) if verb.name == "open" else None
    ability, what = verb.call(SINCE.sub("", rest) if since else rest)
    what = {name: of_typed(value) if name in TYPED and value else value for name, value in what.items()}
    if ability is opening.open_incident:
        return await open_here(edge, gesture, **what, since=since[1] if since else None)
    if ability is reporting.publish:
        what["audience"] = await audience(edge, what["to"])
    if ability not in BY_NUMBER:
        what["where"] = gesture.where
    said = await edge.serve(ability, by=gesture.by, mark=gesture.mark, **what)
    if verb.touches_agenda:
        await refresh_agenda(edge, gesture)
    return said
