"""A review from before: its JSON, put back where nothing of it is, so that the same bytes can be exported again."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.desk import Notes, Turn
from bot.review.heard import ChannelFact
from bot.review.pseudonym import Replacement, moved
from bot.review.report import SCHEMA, Facts, MessageFacts, SourceFacts, as_json
from storage import channels, people, pseudonyms, reports, restored

FACTS = TypeAdapter(Facts)
HOME = re.compile(r"(https://[^/]+)/archives/")


class NotRestorable(Exception):
    """Something a person can mend or has to know; `str()` is the sentence they read."""


# Reading it ------------------------------------------------------------------------------


def read(document: object) -> Facts:
    """The facts of an exported review; raises NotRestorable."""
    if not isinstance(document, Mapping) or "incident" not in document:
        raise NotRestorable("This is not the JSON of a review: `debrief export INCIDENT --format json` writes one.")
    if document.get("schema") != SCHEMA:
        raise NotRestorable(f"This JSON is of schema {document.get('schema')}, and this version reads {SCHEMA}.")
    try:
        return FACTS.validate_python(_as_facts(document))
    except ValidationError as wrong:
        where = ".".join(str(part).rstrip("_") for part in wrong.errors()[0]["loc"])
        raise NotRestorable(f"“{where}” in this JSON is not what the JSON of a review has there.") from None
    except (AttributeError, TypeError, OverflowError):
        raise NotRestorable("This is not the JSON of a review: its parts are not where they belong.") from None


def _as_facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the one key spelt as the facts spell it: `from` is a word of Python."""
    incident = dict(document["incident"])
    incident["sources"] = [_spelt(source) for source in incident.get("sources", ())]
    with_history = {
        part: [thing | {"history": [_spelt(one) for one in thing.get("history", ())]} for thing in document[part]]
        for part in ("timeline", "actions")
    }
    return {**document, **with_history, "incident": incident}


def _spelt(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"from_" if key == "from" else key: value for key, value in part.items()}


# Putting it back ----------------------------------------------------------------------------


def with_nobody_forgotten(turn: Turn, *, document: Mapping[str, Any]) -> Any:
    """The document without whom this workspace was asked to forget; the same one where it forgot nobody."""
    forgotten = pseudonyms.read(turn.db, turn.team)
    if not forgotten.by_mark:
        return document
    replacement = Replacement(forgotten.pseudonym_of)
    return replacement.in_json(document) | {"messages": [_without(replacement, one) for one in document["messages"]]}


def _without(replacement: Replacement, message: Mapping[str, Any]) -> dict[str, Any]:
    """A message without them; a pseudonym is longer than an id, and moves the secrets that were hidden behind it."""
    edits = replacement.with_edits(message["text"] or "")[1]
    return replacement.in_json(message) | {"redactions": moved(message["redactions"], edits)}


def restore(turn: Turn, *, document: Mapping[str, Any], facts: Facts, parts: Iterable[Sequence[MessageFacts]]) -> Notes:
    """Put back a review with its messages, and look whether all is as it was; raises NotRestorable.

    1. Nothing of the review may be here: neither its number nor those of its actions, nor a place it listens to.
    2. The messages come in parts; those that are here stay as they are.
    3. Where what is here afterwards differs from the document in anything, nothing is kept.
    """
    _must_be_free(turn, facts)
    for said in parts:
        restored.keep_messages(turn.db, turn.team, said, now=turn.now)
    for source in facts.incident.sources:
        _know_channel(turn, source, facts)
    incident = restored.keep(turn.db, facts, now=turn.now)
    turn.db.expire_all()  # What the database has is looked at, not what it was given.
    now_here = as_json(reports.read_whole(turn.db, incident))
    different = next(_differences(document, now_here), None)
    if different:
        raise NotRestorable(f"“{different}” could not be put back as it was, so nothing was changed.")
    return ()


def is_here(turn: Turn, *, document: Mapping[str, Any], number: int) -> bool:
    """Whether exactly this review is here already."""
    incident = restored.incident_here(turn.db, number)
    return incident is not None and as_json(reports.read_whole(turn.db, incident)) == document


def _must_be_free(turn: Turn, facts: Facts) -> None:
    number = facts.incident.id
    if restored.incident_here(turn.db, number):
        raise NotRestorable(f"There is another incident {number} here. Restore this review into an empty database.")
    taken = restored.actions_here(turn.db, turn.team, [action.number for action in facts.actions])
    if taken:
        raise NotRestorable(f"There is another action {taken[0]} here. Restore this review into an empty database.")
    followed = restored.followed_here(turn.db, turn.team, facts.incident.sources)
    if followed:
        name = followed.channel_name or followed.channel_id
        raise NotRestorable(f"Another incident is being followed in #{name}. Restore this review before that one.")


def _know_channel(turn: Turn, source: SourceFacts, facts: Facts) -> None:
    at = source.from_ or turn.now
    if people.channel(turn.db, turn.team, source.channel_id) is None:
        fact = ChannelFact(channel=source.channel_id, at=at, name=source.channel_name, how="renamed")
        channels.keep_channel(turn.db, turn.team, fact)
    if facts.incident.private:
        channels.make_private(turn.db, turn.team, source.channel_id, at=at)


def home(facts: Facts) -> str:
    """The address of the workspace, where a link to a message tells it."""
    links = (message.permalink for message in facts.messages if message.permalink)
    return next((found[1] + "/" for link in links if (found := HOME.match(link))), "")


def _differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two documents differ, by the names of the parts."""
    # At once for what is alike, which is all of it where nothing went wrong.
    if json.dumps(one) == json.dumps(other):
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differences(one.get(key), other.get(key), f"{where}.{key}" if where else key)
    elif isinstance(one, list) and isinstance(other, list):
        for number, (left, right) in enumerate(zip_longest(one, other)):
            yield from _differences(left, right, f"{where}[{number}]")
    else:
        yield where
