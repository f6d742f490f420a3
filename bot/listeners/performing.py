"""Doing what a verb says: from the words somebody typed or pressed to the ability, and to the forms on the way."""

import re
from contextlib import suppress
from dataclasses import replace

from bot import sealing, tracking
from bot.desk import Turn
from bot.listeners import forms
from bot.listeners.asked import Memory
from bot.listeners.deeds import do
from bot.listeners.edge import Edge, Gesture, incident_meant
from bot.listeners.reading import MENTION, as_seen
from bot.listeners.withholding import refused_with_a_word, with_a_word, withheld
from bot.listeners.words import VERBS, Question, Verb, explained, groups, look_up
from bot.render import Rendered
from bot.review.lifecycle import require
from bot.review.plain_text import of_typed
from bot.review.refusal import NoIncidentHere, Refused
from storage import incidents

TYPED = {"text", "reason", "words", "title"}
"""What people write in their own words; Slack escapes it on the way to us."""


async def perform(edge: Edge, gesture: Gesture, text: str) -> Rendered | None:
    """Do what was typed or pressed, without the secrets in it; raises a refusal with the sentence to say."""
    words, kinds = withheld(as_seen(text))
    try:
        return with_a_word(edge, await _perform(edge, gesture, words), kinds)
    except Refused as refused:
        if not kinds:
            raise
        return refused_with_a_word(edge, refused, kinds)


async def _perform(edge: Edge, gesture: Gesture, text: str) -> Rendered | None:
    await edge.meet(gesture.by, *MENTION.findall(text))
    word, _, rest = text.strip().partition(" ")
    if not word or word.lower() == "status":
        return await _where_it_stands(edge, gesture)
    if word.lower() == "help":
        return _help(edge, rest)
    aloud = _told_aloud(gesture, text)
    if aloud:
        with suppress(NoIncidentHere):
            await edge.look(sealing.must_be_asked_at_all, where=gesture.where, by=gesture.by)
        return edge.said("told_aloud", verb=aloud)
    verb, rest = look_up(text)
    if verb.said_alone and not gesture.trigger:
        rest = ""
    if verb.asks and not gesture.pressed:
        return await _confirm(edge, gesture, verb, verb.asks, rest=rest)
    form = await _form(edge, gesture, verb, rest)
    if form:
        return await _open_form(edge, gesture, form, verb.name, rest=rest)
    return await _serve(edge, gesture, verb, rest)


def _told_aloud(gesture: Gesture, text: str) -> str | None:
    """Of a mention, which everybody reads: the verb of an answer in private that it names, where a form takes that."""
    if gesture.trigger or gesture.pressed:
        return None
    words = re.findall(r"\w+", text.lower())
    # Whoever begins with a verb means that one, whatever words follow.
    meant = words[:1] if words and words[0] in VERBS else [word for word in words if word in VERBS]
    return next((word for word in meant if VERBS[word].said_alone and forms.wanted(word, "")), None)


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
    verb = explained(about)
    return edge.said("help_verb", verb=(verb.typed, verb.told, verb.who.label, verb.asks is not None))


async def _confirm(edge: Edge, gesture: Gesture, verb: Verb, question: Question, *, rest: str) -> Rendered:
    """Ask back once the words are in order, an incident is at hand and this person may."""
    verb.deed(rest)
    incident = await edge.look(_permitted, gesture=gesture, verb=verb)
    return edge.said(
        "confirm",
        question=question.words,
        label=question.yes,
        verb=verb.name,
        text=rest,
        incident=incident,
    )


def _permitted(turn: Turn, *, gesture: Gesture, verb: Verb) -> int:
    """The incident that is meant; refuses before anybody is asked to confirm what is not theirs, or does not fit."""
    incident = incident_meant(turn, gesture=gesture)
    require(verb.who, gesture.by, incidents.roles(turn.db, incident), verb.name)
    if verb.asks and verb.asks.only_where:
        verb.asks.only_where(turn, incidents.get(turn.db, incident))
    return incident


async def _open_form(edge: Edge, gesture: Gesture, form: str, verb: str, *, rest: str) -> None:
    incident = None if form in forms.ANYWHERE else await edge.look(incident_meant, gesture=gesture)
    number = re.match(r"(?:(?:for|at|form|edit \w+|async keep)\s+)?#?(\d+)", rest.lower())
    memory = Memory(
        form=form,
        incident=incident,
        channel=gesture.place.channel,
        thread=gesture.place.thread,
        number=int(number[1]) if number else None,
        word=verb,
    )
    await edge.open_form(gesture.trigger, edge.look(forms.build, gesture=gesture, memory=memory))


async def _serve(edge: Edge, gesture: Gesture, verb: Verb, rest: str) -> Rendered | None:
    deed = verb.deed(rest)
    what = {name: of_typed(value) if name in TYPED and value else value for name, value in deed.what.items()}
    return await do(edge, gesture, replace(deed, what=what))
