"""What people type to us loses its secrets at the door; whoever typed one is told so with the answer."""

from collections.abc import Collection, Mapping
from typing import Any

from bot import guarding
from bot.listeners.edge import Edge
from bot.render import Rendered
from bot.review import secrets


def withheld(text: str) -> tuple[str, set[str]]:
    """The words without their secrets, and the kinds of these."""
    words, redactions = secrets.replace(text)
    return words, {one["kind"] for one in redactions}


def withheld_of(answers: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """What was filled into a form without its secrets, and the kinds of these."""
    kinds: set[str] = set()
    words: dict[str, Any] = {}
    for name, answer in answers.items():
        words[name], seen = withheld(answer) if isinstance(answer, str) else (answer, set[str]())
        kinds |= seen
    return words, kinds


def with_a_word(edge: Edge, said: Rendered | None, kinds: Collection[str]) -> Rendered | None:
    """The answer, and what was left out of what it answers; where nothing is answered, nothing was done yet."""
    if said is None or not kinds:
        return said
    return Rendered.joined([said, edge.said("secret_typed", kinds=guarding.kinds_of(sorted(kinds)))])
