"""What people type to us loses its secrets at the door; whoever typed one is told so with the answer."""

from collections.abc import Collection, Mapping
from typing import Any

from bot import guarding
from bot.listeners.edge import Edge
from bot.render import Rendered
from bot.review import secrets
from bot.review.refusal import Refused, UnknownVerb

CUT_LABEL = secrets.LABEL.split()[0]
"""All that is left of the words for a secret where one word is read as a verb."""


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


def refused_with_a_word(edge: Edge, refused: Refused, kinds: Collection[str]) -> Rendered:
    """The refusal of words that had a secret in them; where that stood for a verb, there is none to name."""
    named = guarding.kinds_of(sorted(kinds))
    if isinstance(refused, UnknownVerb) and CUT_LABEL in refused.verb:
        return edge.said("secret_not_a_verb", kinds=named)
    return Rendered.joined([edge.refused(refused), edge.said("secret_refused", kinds=named)])
