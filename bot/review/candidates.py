"""Messages worth adding: which of all that was said belong on the timeline where nobody tagged any, and why (S2).

Every message is scored by what its words speak of and by where it stands among the others; the best of each stretch
of the incident are offered, then the best of the rest. A burst of alerts counts as one.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, pairwise

from bot.review.incident import ChannelId, Ts, UserId
from bot.review.signs import LISTED, NUMBER, ONESELF, PLEASANTRY, SEVERITY, SOCIAL, Cue, cues_of, sentences
from bot.review.timeline import Kind, any_of, guess_kind

MOST_CANDIDATES = 40
FEWEST_CANDIDATES = 15
"""Between these (DOMAIN §1), as far as so many say something at all."""
WORTH_OFFERING, WORTH_A_LOOK = -2.2, -3.0
"""Scores: what is offered, and what may fill up to the fewest."""
SURE = -0.7
"""From this score on a candidate is suggested."""

Key = tuple[ChannelId, Ts]


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
    program: str = ""
    """What the program that said it calls itself."""

    @property
    def key(self) -> Key:
        return self.channel, self.ts

    @property
    def thread(self) -> Key:
        return self.channel, self.thread_ts or self.ts

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in {None, self.ts}


@dataclass(frozen=True)
class Burst:
    """Alerts of one program in quick succession, in order of time."""

    program: str
    messages: tuple[Key, ...]
    start: datetime
    end: datetime

    def without(self, known: Collection[tuple[str, str]]) -> Burst:
        """The burst less those that are on the timeline by themselves."""
        return replace(self, messages=tuple(key for key in self.messages if key not in known))


@dataclass(frozen=True)
class Candidate:
    """A message worth adding, or a burst by its first one: why it is offered, and what it probably is."""

    channel: ChannelId
    ts: Ts
    at: datetime
    why: str
    _: KW_ONLY
    kind: Kind
    score: float
    burst: Burst | None = None

    @property
    def is_sure(self) -> bool:
        """Whether it is suggested."""
        return self.score >= SURE

    @property
    def messages(self) -> tuple[Key, ...]:
        """All it stands for."""
        return self.burst.messages if self.burst else ((self.channel, self.ts),)


def candidates(messages: Sequence[Chatter]) -> list[Candidate]:
    """At most 40 messages worth adding, each once and with its best reason, in order of time."""
    in_time = sorted(messages, key=lambda message: (message.at, message.ts))
    among = _Among(in_time)
    all_bursts = bursts(in_time)
    folded = {key for burst in all_bursts for key in burst.messages}
    found = [_folded(burst) for burst in all_bursts]
    found += [one for message in in_time if message.key not in folded and (one := _candidate(message, among))]
    said = {message.key: message for message in messages}
    chosen = [replace(one, kind=_kind(said[one.channel, one.ts])) for one in _chosen(found)]
    return sorted(chosen, key=lambda one: (one.at, one.ts))


def _kind(message: Chatter) -> Kind:
    """As a tag of it would guess, else what the cue tells of."""
    guessed = Kind.automated if message.is_bot else guess_kind(message.text)
    return guessed if guessed is not Kind.note else _kind_by_cue(message, cues_of(message.text))


# Bursts of alerts ------------------------------------------------------------------------------

ALERT = any_of(
    r"alert(?:s|ing)?", "alarm", "firing", "triggered", "critical", "incident", "down", "unhealthy", r"failed",
    r"sev-?\d", r"p[01]", r"above", r"below", r"threshold", r"errors?", r"timeouts?", r"availability", r"degraded",
    r"warn(?:ing)?",
)  # fmt: skip
ENDED = any_of(r"resolved", r"recovered", r"ok", r"healthy", r"closed", r"cleared")
CHANGED = any_of(
    r"deploy(?:ed|ing|ment|s)?", r"releas(?:ed|e|ing)", r"roll(?:ed|ing|out)?[ -]?(?:back|out)?", r"is live",
    r"restart(?:ed|ing|s)?", r"scal(?:ed|ing)", r"fail(?:ed|ing)?[ -]?over", r"merged", r"config(?:uration)?",
    r"promoted", r"migration", r"flag", r"breaker",
)  # fmt: skip
A_BURST = 3
QUICK = timedelta(minutes=5)
"""Alerts follow one another that quickly in a burst."""


def _is_alert(message: Chatter) -> bool:
    return message.is_bot and bool(ALERT.search(message.text)) and not _is_change(message)


def _is_change(message: Chatter) -> bool:
    return bool(CHANGED.search(_head(message))) and not re.search(r"\bfiring\b", message.text, re.IGNORECASE)


def _head(message: Chatter) -> str:
    return message.text.strip().partition("\n")[0]


def _is_ended(message: Chatter) -> bool:
    return _is_alert(message) and bool(ENDED.search(_head(message)))


def bursts(messages: Sequence[Chatter]) -> list[Burst]:
    """Three alerts or more of one program, each within five minutes of the one before."""
    in_time = sorted(messages, key=lambda message: (message.at, message.ts))
    by_program: defaultdict[str, list[Chatter]] = defaultdict(list)
    for message in in_time:
        if _is_alert(message) and not _is_ended(message):
            by_program[message.program].append(message)
    runs = [run for alerts in by_program.values() for run in _runs(alerts) if len(run) >= A_BURST]
    return [Burst(run[0].program, tuple(one.key for one in run), run[0].at, run[-1].at) for run in runs]


def _runs(alerts: Sequence[Chatter]) -> list[list[Chatter]]:
    runs: list[list[Chatter]] = []
    for alert in alerts:
        if runs and alert.at - runs[-1][-1].at <= QUICK:
            runs[-1].append(alert)
        else:
            runs.append([alert])
    return runs


def _folded(burst: Burst) -> Candidate:
    channel, ts = burst.messages[0]
    score = round(math.log2(len(burst.messages)) - 1.5, 2)
    return Candidate(channel, ts, burst.start, "a burst of alerts", kind=Kind.automated, score=score, burst=burst)


# Where a message stands among the others -------------------------------------------------------

SOON = timedelta(minutes=5)
"""A short yes within it answers what was asked before."""
AROUND = 6
"""Messages before and after one that it is compared with."""


class _Among:
    """What is known of all messages together: who spoke first and most, what drew answers, where it was silent."""

    def __init__(self, in_time: Sequence[Chatter]) -> None:
        people = [message for message in in_time if not message.is_bot]
        alerts = [message for message in in_time if _is_alert(message)]
        self.first_of_all = set(islice((message.key for message in people if _says_something(message)), 1))
        self.first_words = _firsts(people, lambda message: message.user)
        self.first_alerts = {message.key for message in alerts[:1]}
        self.first_said = _firsts((message for message in in_time if message.is_bot), _masked)
        self.replies = Counter(message.thread for message in in_time if message.is_reply)
        self.spoke = Counter(message.user for message in people)
        self.before = {after.key: after.at - before.at for before, after in pairwise(people)}
        self.after = {before.key: after.at - before.at for before, after in pairwise(people)}
        self.go_aheads = _go_aheads(people)
        self.longer = _longer(people)

    def stands_out(self, message: Chatter) -> float:
        """How much longer it was silent before than after it, in doublings of the pause; at most some three."""
        before, after = (pauses.get(message.key, SOON).total_seconds() + 30 for pauses in (self.before, self.after))
        return max(-1.5, min(3.5, math.log2(before / after)))


SOMETHING = 4
"""Words; with fewer nobody says what is the matter."""


def _says_something(message: Chatter) -> bool:
    return len(message.text.split()) >= SOMETHING


def _firsts(messages: Iterable[Chatter], what: Callable[[Chatter], Hashable]) -> set[Key]:
    seen: dict[Hashable, Key] = {}
    for message in messages:
        seen.setdefault(what(message), message.key)
    return set(seen.values())


def _longer(people: Sequence[Chatter]) -> dict[Key, float]:
    """How much longer a message is than those around it, in doublings of their middle length."""
    lengths = [len(message.text.split()) for message in people]
    found: dict[Key, float] = {}
    for number, message in enumerate(people):
        around = sorted(lengths[max(0, number - AROUND) : number] + lengths[number + 1 : number + 1 + AROUND])
        middle = around[len(around) // 2] if around else lengths[number]
        found[message.key] = math.log2((1 + lengths[number]) / (1 + middle))
    return found


def _go_aheads(people: Sequence[Chatter]) -> set[Key]:
    """Short answers to what somebody else just asked or proposed in the same thread: there things are decided."""
    last: dict[Key | ChannelId, Chatter] = {}
    found: set[Key] = set()
    for message in people:
        place = message.thread if message.thread_ts else message.channel
        before = last.get(place) or last.get(message.thread)
        if before and before.user != message.user and message.at - before.at <= SOON and _is_go_ahead(message.text):
            found.add(message.key)
        last[place] = last[message.thread] = message
    return found


GO_AHEAD = re.compile(
    r"^\W*(?:yes|ok(?:ay)?|agreed|go|do it|approved|fine|sounds good|please do|let['’]?s)\b", re.IGNORECASE
)
BRIEF = 8
"""Words."""


def _is_go_ahead(text: str) -> bool:
    return len(text.split()) <= BRIEF and bool(GO_AHEAD.search(text)) and not text.rstrip().endswith("?")


def _masked(message: Chatter) -> str:
    """The words of a program, whatever the numbers."""
    return re.sub(r"[0-9]+", "#", message.text)


# What a message is worth -----------------------------------------------------------------------

BASE = -3.5
WEIGHTS: Mapping[str, float] = {
    "cue": 1.25, "further cues": 0.75, "told briefly": 1.25, "go-ahead": 1.25, "severity": 0.4, "steps": 0.2,
    "reactions": 1.7, "mere reactions": 0.2, "answers": 0.5, "reply": 0.4, "silence": 0.35, "longer": 0.5,
    "parts": 0.9, "deeds": 0.3, "sentences": 0.65, "numbers": 0.1, "first of all": 1.5, "first word": 0.1,
    "talks much": -0.7, "asks": -0.7, "greets": -0.55, "kind": -0.45, "oneself": -0.2,
    "program": 1.0, "change": 1.5, "first alert": 2.5, "said before": -0.6,
}  # fmt: skip
"""The odds, as a logarithm, that a person would mark it; rounded from three incidents that people marked by hand."""
WHYS: Mapping[str, str] = {
    "go-ahead": "a go-ahead",
    "first alert": "the first alert",
    "first of all": "the first word about it",
    "severity": "how bad it is",
    "steps": "it lists steps",
    "reactions": "many reacted to it",
    "answers": "many answered it",
    "numbers": "it gives numbers",
    "silence": "it broke a silence",
    "first word": "their first word here",
    "parts": "it says much at once",
    "sentences": "it says much at once",
    "longer": "it says much at once",
    "program": "what a program said",
}
"""The reasons that are said, those that tell more before those that tell less."""
Traits = dict[str, float]


def _candidate(message: Chatter, among: _Among) -> Candidate | None:
    """The message with its score and its reason; None where nothing speaks for it."""
    cues = cues_of(message.text)
    traits = _of_program(message, among) if message.is_bot else _of_person(message, cues, among)
    why = _why(message, cues, traits)
    if why is None:
        return None
    score = BASE + sum(WEIGHTS[name] * value for name, value in traits.items())
    return Candidate(
        message.channel, message.ts, message.at, why, kind=_kind_by_cue(message, cues), score=round(score, 2)
    )


def _why(message: Chatter, cues: Sequence[Cue], traits: Traits) -> str | None:
    if message.is_bot and "first alert" not in traits:
        return _what_it_said(message, cues)
    if cues and not message.is_bot:
        return cues[0].why
    return next((why for name, why in WHYS.items() if traits.get(name, 0) > ENOUGH.get(name, 0)), None)


ENOUGH: Mapping[str, float] = {"reactions": 1.0, "answers": 0.5, "numbers": 0.5, "silence": 1.5}
"""What a reason has to come to before it is said."""


def _what_it_said(message: Chatter, cues: Sequence[Cue]) -> str:
    if _is_change(message):
        return next((cue.why for cue in cues if cue.why in {"a rollback", "a restart or fail-over"}), "a deployment")
    if _is_alert(message):
        return "an alert that ended" if _is_ended(message) else "an alert"
    return WHYS["program"]


def _of_program(message: Chatter, among: _Among) -> Traits:
    traits = _answered(message, among) | {"program": 1.0}
    if message.reactions:
        traits["reactions"] = _reacted(message)
    if message.key in among.first_alerts:
        traits["first alert"] = 1.0
    elif _is_change(message):
        traits["change"] = 1.0
    if message.key not in among.first_said:
        traits["said before"] = 1.0
    return traits


def _of_person(message: Chatter, cues: Sequence[Cue], among: _Among) -> Traits:
    own = " ".join(sentences(message.text))
    return {
        **_by_words(own, cues),
        **_by_reactions(message, own, cues),
        **_answered(message, among),
        **_by_place(message, among),
        **_by_shape(message, own),
        **_against(own),
    }


TOP = 5
"""The worth of a cue that counts once."""


def _by_words(own: str, cues: Sequence[Cue]) -> Traits:
    if not cues:
        return {}
    best = cues[0].worth / TOP
    brief = {"told briefly": best} if len(own.split()) <= BRIEF else {}
    return {"cue": best, "further cues": sum(cue.worth for cue in cues[1:4]) / TOP, **brief}


def _by_reactions(message: Chatter, own: str, cues: Sequence[Cue]) -> Traits:
    """Where the words tell of nothing, reactions were for a kindness or a joke."""
    if not message.reactions:
        return {}
    return {"reactions" if cues or NUMBER.search(own) else "mere reactions": _reacted(message)}


def _reacted(message: Chatter) -> float:
    return 1 + (min(message.reactions, 5) - 1) * 0.3


def _answered(message: Chatter, among: _Among) -> Traits:
    replies = 0 if message.is_reply else among.replies[message.thread]
    return {"answers": min(replies, 6) / 3} if replies else {}


def _by_place(message: Chatter, among: _Among) -> Traits:
    return {
        "silence": among.stands_out(message),
        "longer": among.longer[message.key],
        "talks much": math.log2(among.spoke[message.user]) / 4,
        "reply": float(message.is_reply),
        "go-ahead": float(message.key in among.go_aheads),
        "first of all": float(message.key in among.first_of_all),
        "first word": float(message.key in among.first_words),
    }


PAST = re.compile(r"\b\w{3,}ed\b", re.IGNORECASE)


def _by_shape(message: Chatter, own: str) -> Traits:
    """Statements with parts, deeds and numbers tell more than single words."""
    return {
        "parts": min(own.count(","), 3) / 2,
        "deeds": min(len(PAST.findall(own)), 2),
        "sentences": min(len(sentences(message.text)), 5) / 3,
        "numbers": min(len(NUMBER.findall(own)), 4) / 2,
        "steps": float(len(LISTED.findall(message.text)) > 1),
        "severity": float(bool(SEVERITY.search(message.text))),
    }


def _against(own: str) -> Traits:
    """Questions, greetings, kindness, and what is about the speaker."""
    return {
        "asks": float(own.endswith("?")),
        "greets": float(bool(PLEASANTRY.search(own))),
        "kind": float(bool(SOCIAL.search(own))),
        "oneself": float(bool(ONESELF.search(own))),
    }


def _kind_by_cue(message: Chatter, cues: Sequence[Cue]) -> Kind:
    return Kind.automated if message.is_bot else next((cue.kind for cue in cues if cue.kind), Kind.note)


# Choosing among them ---------------------------------------------------------------------------

STRETCHES = 8
"""A long incident is covered from end to end: so many parts, each with its best ones."""
OF_A_STRETCH = 2


def _chosen(found: Sequence[Candidate]) -> list[Candidate]:
    """The best of each stretch of the incident, then the best of all; the surest first."""
    best = sorted((one for one in found if one.score >= WORTH_A_LOOK), key=lambda one: (-one.score, one.at, one.ts))
    good = sum(one.score >= WORTH_OFFERING for one in best)
    room = min(MOST_CANDIDATES, max(FEWEST_CANDIDATES, good))
    return _apart(_of_stretches(best), best, room)


def _of_stretches(best: Sequence[Candidate]) -> list[Candidate]:
    in_time = sorted(best, key=lambda one: (one.at, one.ts))
    size = max(1, -(-len(in_time) // STRETCHES))
    parts = [in_time[start : start + size] for start in range(0, len(in_time), size)]
    return [
        one
        for part in parts
        for one in sorted(part, key=lambda one: -one.score)[:OF_A_STRETCH]
        if one.score >= WORTH_OFFERING
    ]


NEAR, TOO_NEAR = timedelta(minutes=4), 0.3
"""Two messages of one kind so near to each other probably tell of one moment; the second is worth less."""


def _apart(first: Sequence[Candidate], best: Sequence[Candidate], room: int) -> list[Candidate]:
    chosen = list(first[:room])
    left = [one for one in best[: room * 4] if one not in chosen]
    while left and len(chosen) < room:
        one = max(left, key=lambda each: each.score - TOO_NEAR * sum(_is_near(each, other) for other in chosen))
        chosen.append(one)
        left.remove(one)
    return chosen


def _is_near(one: Candidate, other: Candidate) -> bool:
    return one.kind is other.kind and abs(one.at - other.at) <= NEAR
