"""Messages worth adding: which of all that was said belong on the timeline where nobody tagged any, and why (S2).

Every message is scored by what its words speak of and by where it stands among the others; the best of each stretch
of the incident are offered, then the best of the rest. A burst of alerts counts as one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from bot.review.cues import HEDGED, LISTED, NUMBER, PLEASANTRY, SEVERITY, Cue, cues_of, sentences
from bot.review.incident import ChannelId, Ts, UserId
from bot.review.timeline import Kind, any_of, guess_kind

MOST_CANDIDATES = 40
FEWEST_CANDIDATES = 15
"""Between these (DOMAIN §1), as far as so many say something at all."""
WORTH_OFFERING, WORTH_A_LOOK = 3.0, 2.0
"""Scores: what is offered, and what may fill up to the fewest."""
SURE = 5.5
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


@dataclass(frozen=True)
class Burst:
    """Alerts of one program in quick succession, in order of time."""

    program: str
    messages: tuple[Key, ...]
    start: datetime
    end: datetime


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


def candidates(messages: Sequence[Chatter], *, mitigated: datetime | None = None) -> list[Candidate]:
    """At most 40 messages worth adding, each once and with its best reason, in order of time."""
    in_time = sorted(messages, key=lambda message: (message.at, message.ts))
    among = _Among(in_time, mitigated)
    bursts = _bursts(in_time)
    folded = {key for burst in bursts for key in burst.messages}
    found = [_folded(burst, is_first=among.is_first_alert(burst.messages[0])) for burst in bursts]
    found += [one for message in in_time if message.key not in folded and (one := _candidate(message, among))]
    return sorted(_chosen(found), key=lambda one: (one.at, one.ts))


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


def _bursts(in_time: Sequence[Chatter]) -> list[Burst]:
    """Three alerts or more of one program, each within five minutes of the one before."""
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


def _folded(burst: Burst, *, is_first: bool) -> Candidate:
    channel, ts = burst.messages[0]
    score = A_PROGRAM_DID + len(burst.messages) / 10 + (1 if is_first else 0)
    return Candidate(channel, ts, burst.start, "a burst of alerts", kind=Kind.automated, score=score, burst=burst)


# Where a message stands among the others -------------------------------------------------------

A_SILENCE = timedelta(minutes=20)
CLOSE = timedelta(minutes=5)


class _Among:
    """What is known of all messages together: who spoke first, what drew answers, where it was silent."""

    def __init__(self, in_time: Sequence[Chatter], mitigated: datetime | None) -> None:
        people = [message for message in in_time if not message.is_bot]
        alerts = [message for message in in_time if _is_alert(message)]
        self.first_of_all = {message.key for message in people[:1]}
        self.first_words = _firsts(people, lambda message: message.user)
        self.first_alerts = {message.key for message in alerts[:1]}
        self.first_said = _firsts((message for message in in_time if message.is_bot), _masked)
        self.replies = Counter(message.thread for message in in_time if message.thread_ts not in {None, message.ts})
        self.after_silence = {after.key for before, after in pairwise(people) if after.at - before.at >= A_SILENCE}
        self.mitigated = mitigated
        self.go_aheads = _go_aheads(people)

    def is_first_alert(self, key: Key) -> bool:
        return key in self.first_alerts

    def is_at_mitigation(self, message: Chatter) -> bool:
        return self.mitigated is not None and abs(message.at - self.mitigated) <= CLOSE


def _firsts(messages: Iterable[Chatter], what: Callable[[Chatter], Hashable]) -> set[Key]:
    seen: dict[Hashable, Key] = {}
    for message in messages:
        seen.setdefault(what(message), message.key)
    return set(seen.values())


def _go_aheads(people: Sequence[Chatter]) -> set[Key]:
    """Short answers to what somebody else just asked or proposed in the same thread: there things are decided."""
    last: dict[Key | ChannelId, Chatter] = {}
    found: set[Key] = set()
    for message in people:
        place = message.thread if message.thread_ts else message.channel
        before = last.get(place) or last.get(message.thread)
        if before and before.user != message.user and message.at - before.at <= CLOSE and _is_go_ahead(message.text):
            found.add(message.key)
        last[place] = last[message.thread] = message
    return found


GO_AHEAD = re.compile(
    r"^\W*(?:yes|ok(?:ay)?|agreed|go|do it|approved|fine|sounds good|please do|let['’]?s)\b", re.IGNORECASE
)
SHORT = 8
"""Words."""


def _is_go_ahead(text: str) -> bool:
    return len(text.split()) <= SHORT and bool(GO_AHEAD.search(text)) and not text.rstrip().endswith("?")


def _masked(message: Chatter) -> str:
    """The words of a program, whatever the numbers."""
    return re.sub(r"[0-9]+", "#", message.text)


# What a message is worth -----------------------------------------------------------------------

A_PROGRAM_DID, AN_ALERT, SAID_BEFORE = 5.5, 3.0, -3.0
ANOTHER_CUE, MOST_OTHER_CUES = 0.4, 3
"""A further cue adds this part of its worth, for so many of them."""
A_LINE, MOST_LINES = 4, 40
"""Words of a message: fewer say little, more are an essay."""
Weighed = list[tuple[str, float]]


def _candidate(message: Chatter, among: _Among) -> Candidate | None:
    """The message with its score and its reason; None where nothing speaks for it."""
    kind, reasons = _of_program(message, among) if message.is_bot else _of_person(message, among)
    worth = [(why, weight) for why, weight in reasons if why]
    if not worth:
        return None
    why = max(worth, key=lambda pair: pair[1])[0]
    score = sum(weight for _, weight in reasons)
    return Candidate(message.channel, message.ts, message.at, why, kind=kind, score=round(score, 2))


def _of_program(message: Chatter, among: _Among) -> tuple[Kind, Weighed]:
    reasons: Weighed = [("", min(message.reactions, 3) * A_REACTION), ("", _answered(message, among) * A_REPLY)]
    if message.key in among.first_alerts:
        reasons.append(("the first alert", A_PROGRAM_DID + 1))
    elif _is_change(message):
        reasons.append((_what_changed(message), A_PROGRAM_DID))
    elif _is_alert(message):
        reasons.append(("an alert that ended", AN_ALERT - 1) if _is_ended(message) else ("an alert", AN_ALERT))
    if message.key not in among.first_said:
        reasons.append(("", SAID_BEFORE))
    if among.is_at_mitigation(message):
        reasons.append(("", 1.0))
    return Kind.automated, reasons


def _what_changed(message: Chatter) -> str:
    cues = [cue.why for cue in cues_of(message.text) if cue.why in {"a rollback", "a restart or fail-over"}]
    return cues[0] if cues else "a deployment"


A_REACTION, MOST_REACTIONS = 0.5, 4
A_REPLY, MOST_REPLIES = 0.3, 6


def _of_person(message: Chatter, among: _Among) -> tuple[Kind, Weighed]:
    cues = cues_of(message.text)
    reasons = [*_by_words(cues), *_by_place(message, among), *_by_shape(message, has_cue=bool(cues))]
    return _kind(message, cues), reasons


def _by_words(cues: Sequence[Cue]) -> Weighed:
    others = sum(cue.worth for cue in cues[1 : 1 + MOST_OTHER_CUES]) * ANOTHER_CUE
    return [(cues[0].why, cues[0].worth), ("", others)] if cues else []


def _by_place(message: Chatter, among: _Among) -> Weighed:
    replies = _answered(message, among) * A_REPLY
    reactions = min(message.reactions, MOST_REACTIONS) * A_REACTION
    reasons: Weighed = [
        ("many reacted to it" if message.reactions > 1 else "", reactions),
        ("many answered it" if replies > 1 else "", replies),
    ]
    if message.key in among.first_of_all:
        reasons.append(("the first word about it", 4.0))
    elif message.key in among.first_words:
        reasons.append(("their first word here", 0.8))
    if message.key in among.go_aheads:
        reasons.append(("a go-ahead", 3.0))
    if message.key in among.after_silence:
        reasons.append(("the first word after a silence", 0.8))
    if among.is_at_mitigation(message):
        reasons.append(("", 1.0))
    return reasons


def _answered(message: Chatter, among: _Among) -> int:
    is_head = message.thread_ts in {None, message.ts}
    return min(among.replies[message.thread], MOST_REPLIES) if is_head else 0


def _by_shape(message: Chatter, *, has_cue: bool) -> Weighed:
    """Statements with numbers, names and lists tell more than questions, greetings and single words."""
    said = sentences(message.text)
    words = sum(len(sentence.split()) for sentence in said)
    numbers = len(NUMBER.findall(" ".join(said)))
    reasons: Weighed = [("it gives numbers" if numbers > 1 else "", min(numbers, 4) * 0.4)]
    if len(LISTED.findall(message.text)) > 1:
        reasons.append(("it lists steps", 1.5))
    if SEVERITY.search(message.text) and not _asks(said):
        reasons.append(("how bad it is", 2.5))
    if words < A_LINE:
        reasons.append(("", -0.5))
    elif words <= MOST_LINES:
        reasons.append(("", 0.5))
    return [*reasons, *_against(said, has_cue=has_cue)]


def _asks(said: Sequence[str]) -> bool:
    return bool(said) and said[-1].endswith("?")


def _against(said: Sequence[str], *, has_cue: bool) -> Weighed:
    asks = [("", -2.0)] if _asks(said) else []
    is_polite = bool(said) and bool(PLEASANTRY.search(said[0]))
    polite = [("", -1.0 if has_cue else -2.5)] if is_polite else []
    hedged = [("", -1.0)] if any(HEDGED.search(sentence) for sentence in said[:1]) else []
    return [*asks, *polite, *hedged]


def _kind(message: Chatter, cues: Sequence[Cue]) -> Kind:
    guessed = guess_kind(message.text)
    return guessed if guessed is not Kind.note else next((cue.kind for cue in cues if cue.kind), Kind.note)


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


NEAR, TOO_NEAR = timedelta(minutes=4), 1.0
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
