"""The timeline: kinds and outcomes of events, and the kind a message probably tells of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from bot.review.refusal import UnknownKind


class Kind(StrEnum):
    """What sort of moment an event is."""

    detection = "detection"
    diagnosis = "diagnosis"
    decision = "decision"
    action_taken = "action_taken"
    communication = "communication"
    mitigation = "mitigation"
    handover = "handover"
    automated = "automated"
    note = "note"

    @property
    def label(self) -> str:
        """As it is said: `action taken`, `hand-over`."""
        return "hand-over" if self is Kind.handover else self.value.replace("_", " ")


class Outcome(StrEnum):
    """What it did: failed attempts teach as much as good ones (S2)."""

    helped = "helped"
    no_effect = "no_effect"
    worse = "worse"
    unknown = "unknown"

    @property
    def label(self) -> str:
        """As it is said: `no effect`."""
        return self.value.replace("_", " ")


OTHER_WORDS: Mapping[str, Kind] = {"action": Kind.action_taken, "hand over": Kind.handover, "hand off": Kind.handover}


def read_kind(words: str) -> Kind:
    """`decision`, `action taken`, `action`, `hand-over`; raises UnknownKind."""
    said = " ".join(words.lower().replace("_", " ").replace("-", " ").split())
    known = {**OTHER_WORDS} | {kind.value.replace("_", " "): kind for kind in Kind}
    if said not in known:
        raise UnknownKind(words=words.strip(), kinds=tuple(kind.label for kind in Kind))
    return known[said]


# Guessing the kind of a tagged message. A wrong kind misleads more than none: what is not plainly one kind is a note.


def any_of(*phrases: str) -> re.Pattern[str]:
    """Any of these phrases as whole words, in whatever case."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


HANDOVER = any_of(
    r"hand(?:ing|ed|s)?[ -]?(?:over|off)",
    r"tak(?:ing|es|en) over (?:from|as|the lead|lead|incident|command)",
    r"(?:is|am|['’]m) now (?:the )?(?:lead|leading|in charge)",
    r"has the lead",
    r"end of my shift",
    r"shift change",
)
MITIGATION = any_of(
    r"mitigated",
    r"(?:all|everything(?: is)?|we(?: are|['’]re)|fully|has|have) (?:recovered|green)",
    r"back to normal",
    r"(?:is|are) back(?: up)?(?=[.,;:]|$)",
    r"errors? (?:are|is|have) (?:gone|stopped|cleared)",
    r"impact (?:is|has) (?:over|ended|stopped)",
)
DECISION = any_of(
    r"(?:we(?:['’]ve| have)? |i(?:['’]ve| have)? )?decided (?:to|not to|against|on)",
    r"decision(?=:)",
    r"(?:we )?agreed to",
    r"(?:we(?:['’]re| are)|i(?:['’]m| am)) going with",
    r"(?:we(?:['’]re| are)|i(?:['’]m| am)) going to (?:roll|revert|restart|fail|switch|disable|block|scale|drain)",
    r"let['’]?s (?:roll|revert|restart|fail ?over|switch|disable|block|scale|drain|page|stop|pause|freeze)",
)
COMMUNICATION = any_of(
    r"(?:updated|posted (?:on|to)|update on) (?:the |our )?status ?page",
    r"status ?page (?:is |was |has been )?(?:updated|published)",
    r"published(?::| on| to)? (?:the |our )?status ?page",
    r"(?:told|informed|notified|e-?mailed|called) (?:the |all |our )?"
    r"(?:customers?|support|stakeholders|legal|press|partners?)",
    r"(?:customers?|support|stakeholders) (?:have been|has been|were|was|are|is) (?:told|informed|notified)",
)
ACTION_TAKEN = any_of(
    r"roll(?:ed|ing) (?:it |this |that |them )?back",
    r"revert(?:ed|ing)",
    r"restart(?:ed|ing)",
    r"reboot(?:ed|ing)",
    r"redeploy(?:ed|ing)?",
    r"deployed",
    r"fail(?:ed|ing) over (?:to|from)",
    r"scal(?:ed|ing) (?:up|out|down|in|to)",
    r"drain(?:ed|ing)",
    r"(?:disabled|switched off|turned off|enabled|switched on|turned on|paused|blocked)",
    r"(?:flushed|purged|cleared) (?:the )?(?:cache|queue|disk|logs)",
)
DIAGNOSIS = any_of(
    r"(?:it |this |that )?(?:looks|seems) like",
    r"turns out",
    r"(?:i|we) (?:strongly )?suspect",
    r"my (?:theory|guess|hypothesis)",
    r"(?:the )?(?:logs?|graphs?|metrics?|traces?|dashboards?) (?:show|shows|say|says|point|points)",
    r"(?:i|we) (?:found|see) (?:that|the|a|an|lots|many|\d)",
    r"^found (?:it|something|the)",
    r"correlates? with",
    r"started (?:right )?(?:after|when|with)",
)
DETECTION = any_of(
    r"(?:alert|alarm|monitor|pager) (?:fired|went off|triggered|says)",
    r"(?:got|was|been|were) paged",
    r"customers? (?:report|reports|reported|are reporting|see|are seeing|cannot|can['’]?t|are complaining)",
    r"(?:anyone|anybody|someone|is anyone|else) (?:else )?(?:seeing|getting|noticing)",
    r"(?:we(?:['’]re| are)|i(?:['’]m| am)) (?:seeing|getting) (?:a lot of |lots of |many |some )?"
    r"(?:5\d\ds?|errors?|timeouts?|alerts?)",
    r"support (?:is getting|gets|got|has) (?:\S+ )?(?:tickets|calls|reports|complaints)",
)
RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.handover, HANDOVER),
    (Kind.decision, DECISION),
    (Kind.mitigation, MITIGATION),
    (Kind.communication, COMMUNICATION),
    (Kind.action_taken, ACTION_TAKEN),
    (Kind.detection, DETECTION),
    (Kind.diagnosis, DIAGNOSIS),
)
NEGATED = re.compile(
    r"\b(?:not|never|no longer|(?:have|has|is|are|was|were|did|do|does)n['’]?t|if|once|until|unless)\b",
    re.IGNORECASE,
)
NOT_SAID = re.compile(r"```.*?```|`[^`]*`|^(?:>|&gt;).*?$|<[^<>]*>", re.DOTALL | re.MULTILINE)
"""Code, quotes, links and mentions are not the speaker's own words."""


def guess_kind(text: str) -> Kind:
    """What kind of event a person's words probably tell of; a note when unsure."""
    said = NOT_SAID.sub(" ", text)
    return next((kind for kind, cue in RULES if _says(said, cue, kind=kind)), Kind.note)


def _says(text: str, cue: re.Pattern[str], *, kind: Kind) -> bool:
    return any(_plainly(sentence, cue, kind=kind) for sentence in re.split(r"(?<=[.!?])\s+|\n", text))


def _plainly(sentence: str, cue: re.Pattern[str], *, kind: Kind) -> bool:
    match = cue.search(sentence)
    if not match or (sentence.rstrip().endswith("?") and kind is not Kind.detection):
        return False
    return kind is Kind.decision or not NEGATED.search(sentence[: match.end()])
