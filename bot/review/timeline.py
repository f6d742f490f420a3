"""The timeline: kinds and outcomes of events, and messages worth adding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.review.incident import ChannelId, Ts, UserId
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


# Messages worth adding, where nobody tagged any.

MOST_CANDIDATES = 40
MOST_REACTED = 5
ENOUGH_REACTIONS = 2


@dataclass(frozen=True)
class Chatter:
    """A message of the incident, as far as the rules look at it; leave out what this bot itself said."""

    channel: ChannelId
    ts: Ts
    thread_ts: Ts | None
    user: UserId | None
    is_bot: bool
    text: str
    reactions: int
    at: datetime


@dataclass(frozen=True)
class Candidate:
    """A message worth adding, and why it is offered."""

    channel: ChannelId
    ts: Ts
    why: str


ALERT = any_of(
    r"alert(?:s|ing)?",
    "alarm",
    "firing",
    "triggered",
    "critical",
    "incident",
    "down",
    "unhealthy",
    r"sev-?\d",
    r"p[01]",
)
DEPLOY = any_of(r"deploy(?:s|ed|ing|ment)?", r"released?", r"rollout", r"rolled out", r"shipped", r"merged")
ROLLBACK = any_of(r"roll(?:ed|ing)?[ -]?(?:it |this )?back", r"revert(?:ed|ing|s)?", "rollback")
RESTART = any_of(
    r"restart(?:ed|ing|s)?", r"reboot(?:ed|ing|s)?", r"fail(?:ed|ing)?[ -]?over", r"scal(?:ed|ing) (?:up|out|down|to)"
)
FIXED = any_of(r"fixed", r"mitigated", r"resolved", r"recover(?:ed|y|ing)", r"back to normal", r"all (?:green|clear)")
WHYS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a hand-over", HANDOVER),
    ("a rollback", ROLLBACK),
    ("a restart or fail-over", RESTART),
    ("a recovery", FIXED),
    ("a deployment", DEPLOY),
)
FIRST_WORD = "their first word here"
REACTED = "many reacted to it"
IN_ORDER_OF_WORTH = ("an alert", *(why for why, _ in WHYS), REACTED, FIRST_WORD)


def candidates(messages: Sequence[Chatter]) -> list[Candidate]:
    """At most 40 messages worth adding, each once and with its best reason, in order of time."""
    in_time = sorted(messages, key=lambda message: (message.at, message.ts))
    first_words, loud = _first_words(in_time), _most_reacted(in_time)
    repeated = _repeated_alerts(in_time)
    found = [
        (message, why)
        for number, message in enumerate(in_time)
        if number not in repeated and (why := _why(message, is_loud=number in loud, is_first=number in first_words))
    ]
    kept = sorted(found, key=lambda pair: IN_ORDER_OF_WORTH.index(pair[1]))[:MOST_CANDIDATES]
    kept.sort(key=lambda pair: (pair[0].at, pair[0].ts))
    return [Candidate(message.channel, message.ts, why) for message, why in kept]


def _why(message: Chatter, *, is_loud: bool, is_first: bool) -> str | None:
    if message.is_bot and ALERT.search(message.text):
        return "an alert"
    said = NOT_SAID.sub(" ", message.text)
    by_words = next((why for why, cue in WHYS if cue.search(said)), None)
    return by_words or (REACTED if is_loud else None) or (FIRST_WORD if is_first else None)


def _first_words(messages: Sequence[Chatter]) -> set[int]:
    seen: dict[UserId, int] = {}
    for number, message in enumerate(messages):
        if message.user and not message.is_bot:
            seen.setdefault(message.user, number)
    return set(seen.values())


def _most_reacted(messages: Sequence[Chatter]) -> set[int]:
    enough = [number for number, message in enumerate(messages) if message.reactions >= ENOUGH_REACTIONS]
    return set(sorted(enough, key=lambda number: -messages[number].reactions)[:MOST_REACTED])


def _repeated_alerts(messages: Sequence[Chatter]) -> set[int]:
    """An alert that fires every minute is worth adding once: the same words, whatever the numbers."""
    said: set[str] = set()
    repeated: set[int] = set()
    for number, message in enumerate(messages):
        words = re.sub(r"[0-9]+", "#", message.text) if message.is_bot else ""
        if words and words in said:
            repeated.add(number)
        said.add(words)
    return repeated
