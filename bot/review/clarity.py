"""Whether an action can be finished as it is worded: where it cannot, one question back (S2, PagerDuty's guide).

Precision first: a wording that is specific is left alone, and so is one we are unsure of.
"""

from __future__ import annotations

import re

BOUNDED = re.compile(
    r"\b(?:so that|until|unless|within|at least|at most|below|above|under|over|less than|more than|when|every|each)\b"
    r"|[0-9]",
    re.IGNORECASE,
)
"""Words that usually say how one knows that it is finished."""

Cues = tuple[tuple[re.Pattern[str], str], ...]


def _cues(*pairs: tuple[str, str]) -> Cues:
    return tuple((re.compile(cue, re.IGNORECASE), question) for cue, question in pairs)


PEOPLE = _cues(
    (
        (
            r"^(?:please )?(?:be|being) (?:more )?(?:careful|mindful|attentive|vigilant|aware|diligent)\b"
            r"|\bmore (?:care|careful|carefully|attention)\b"
            r"|^(?:always |please )?remember to\b|^pay (?:more |closer )?attention\b"
            r"|^(?:do not|don['’]?t|never) forget\b|^(?:try|make an effort) (?:to|not to)\b|\bdouble[- ]check\w*\s*\.?$"
        ),
        "What could change in the system or the process, so that nobody has to remember this?",
    ),
    (
        (
            r"^re-?train(?:ing)?\b|^remind (?:everyone|everybody|people|all|the (?:team|engineers|on-call))\b"
            r"|^raise awareness\b|^(?:tell|ask) (?:everyone|everybody|people|the (?:team|engineers)) to\b"
        ),
        "What will be easier to do right afterwards, and how will you see that it is?",
    ),
)
"""Mending people: however exactly it is worded, it works only as long as somebody remembers."""
VAGUE = _cues(
    (
        r"^train(?:ing)?\b|^educate\b",
        "What will people be able to do afterwards, and how will you see that they can?",
    ),
    (
        r"^(?:investigate|look (?:into|at)|explore|research|analy[sz]e|check out|dig into|understand)\b",
        "Which question should be answered at the end, and where will the answer be written down?",
    ),
    (
        (
            r"^(?:improve|better|enhance|optimi[sz]e|strengthen|fix|increase|more|add(?: more| better)?) "
            r"(?:the |our )?(?:monitoring|alerting|alerts|observability|logging|dashboards?)\s*\.?$"
            r"|^better (?:monitoring|alerting|alerts|observability|logging)\b"
        ),
        "What would be measured, and at which value should somebody be told?",
    ),
    (
        r"^(?:improve|better|enhance|optimi[sz]e|strengthen|clean up|harden|streamline)\b",
        "How will you see that it is better: what is different once it is finished?",
    ),
    (
        r"^(?:ensure|make sure|guarantee)\b",
        "What will be built, written or switched on to make that so?",
    ),
    (
        r"^(?:consider|think about|discuss|talk about|maybe|we should (?:consider|think about|discuss))\b",
        "What should be decided, by whom, and where will the decision be written down?",
    ),
    (
        r"^(?:prevent|avoid|never|don['’]?t|do not) .*\b(?:again|in (?:the )?future|happening|happens?)\b",
        "Which one condition would you change first, and how would you see that it has changed?",
    ),
    (
        (
            r"^(?:work(?:ing)? on|continue|keep (?:on )?\w+ing\b|help (?:with|out)|focus on|deal with|take care of"
            r"|follow up|push for|strive|aim (?:to|for))\b"
        ),
        "What will be there on the day it is finished that is not there today?",
    ),
    (
        (
            r"\b(?:everything|everywhere)\b|\bacross the (?:board|company|organi[sz]ation)\b"
            r"|\ball (?:the |our )?(?:services|systems|teams|components|code|alerts|dashboards|tests|runbooks|docs"
            r"|documentation|environments|clusters|databases|pipelines)\b"
        ),
        "Which one comes first, and how many are enough for now?",
    ),
    (
        (
            r"^(?:the|a|an|our|some|more|new|another|additional|missing|proper|automatic|automated|regular|no)\b"
            r"|^(?:alerts|dashboards|tests|documentation|docs|runbooks?|playbooks?|checklists?|metrics"
            r"|procedures?|processes|polic(?:y|ies))\b"
        ),
        "What will somebody do about it? A verb in front says it: write, set, remove, measure, test.",
    ),
)
"""No end in sight: no way to know that it is finished, no bounds, no verb."""


def question_about(text: str) -> str | None:
    """A question back where the wording has no end to it; None where it is specific, and always when unsure."""
    said = text.strip()
    cues = PEOPLE if BOUNDED.search(said) else PEOPLE + VAGUE
    return next((question for cue, question in cues if cue.search(said)), None)
