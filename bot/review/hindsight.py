"""Later knowledge: what was said after a decision that bears on it and was not known then.

It speaks against hindsight, and never of what a person could have seen. A later message is such knowledge where

1. it shares distinctive terms with the decision, or with what was on the table just before it,
2. it states something: no question, no plan, no guess, no thanks, and nothing that merely carries the decision out or
   says how things stand now,
3. it is new: nothing said before the decision holds most of it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

MOST_SHOWN = 3
CONTEXT = 6
"""Messages before a decision that say what was on the table."""
OF_THE_CONTEXT = 0.5
"""What a term weighs that the decision itself does not use."""
EXACT = 1.6
"""What a host, a number, a version or a code weighs against a plain word."""
NEAR_THE_BEST = 0.55
"""What scores less than this part of the best is not shown."""
KNOWN = 0.65
"""So much of a message in one earlier one, and it is no news."""
NEW_TERMS = 3
"""Terms that make something new; one less where it names a host or a number that the decision was about."""
FEW = 200
"""So many messages more are thought of, all about something else: in a short incident no term is rare."""


@dataclass(frozen=True)
class Said:
    """Something that was said, by a message or on the timeline; `key` is whatever its owner knows it by."""

    key: object
    at: datetime
    user: str | None
    text: str


# Terms ------------------------------------------------------------------------------------

TOKEN = re.compile(r"[^\W_][\w'’./:#%+-]*[\w%+]|[^\W_]")
MARKUP = re.compile(r"```.*?```|<(?:https?|mailto)[^<>]*>|https?://\S+|<[@#!][^<>]*>|:[a-z0-9_+-]+:", re.DOTALL)
ONE_OF = re.compile(r"\b([^\W\d_]{3,}) (\d{1,2}|[b-hj-zA-Z])(?![\w%]|[.,:'’]\w)")
"""`hall 3`, `acquirer B`."""
IS_EXACT = re.compile(r"(?=.*\d).*[^\W\d_]|.*\d.*\d.*\d|.*(?:\d\.\d|[^\W\d_][._/:#-]\w|_)")
"""Matched from the start: looked for at every letter, a word of 40,000 of them would keep the bot busy for minutes."""
A_TIME = re.compile(r"\d?\d[:.h]\d\d(?:[ap]m)?|\d{1,3}(?:st|nd|rd|th|s|m|h|am|pm|min|ms|k|x|%)|\d{1,2}")
"""Hours, lengths of time and small numbers, which are written alike about anything."""
ENDINGS = ("ing", "ed", "ies", "es", "s", "ly")
PARTICLES = ("back", "over", "out", "off", "down", "up")
PLAIN_WORDS = """
a about after again all almost along also although always am an and any anybody anyone are around as at away be
because been before being both but by came can come could did do does doing done down each either else even ever
every everybody everything few first for from get gets getting go goes going gone got had has have having he her
here hers him his how i if in into is it its itself just keep keeps kept know last later least less let lets like
little look looks lot made make makes many may maybe me might mine more most much must my near need needs never new
next no nobody none nor not nothing now of off ok okay old on once one only onto or other our ours out over own per
put quite really right said same say says see seem seems seen she should since so some somebody someone something
soon still such take takes than that the their theirs them then there these they thing things this those though
through time till to together too took toward turn turned turns two under until up upon us use very want was way we
well went were what when where whether which while who whole whom whose why will with within without would yes yet
you your yours
"""
PROGRESS_WORDS = """
added agree agreed applied better blocked clear cleared complete completed confirm confirmed deleted deploy deployed
disabled done enabled fine finished fixed good great green healthy lgtm live merged minute minutes nice
normal promoted ready recover recovered removed restart restarted roll rolled rolling run running sent shipped
skipped stable start started status stopped switched sure thank thanks think today tomorrow up wait work works
"""
"""Words that say that something goes on or is done, and nothing else."""
PLAIN = frozenset(PLAIN_WORDS.split())


class Vocabulary(dict[str, str | None]):
    """The term of each token that was read; a few thousand tokens make up an incident."""

    def __missing__(self, token: str) -> str | None:
        self[token] = term = _term(token)
        return term

    def terms_of(self, text: str) -> frozenset[str]:
        """The terms of a text: hosts, numbers and codes as they are, plain words by their stem."""
        said = MARKUP.sub(" ", text)
        named = {f"{word}-{which}".lower() for word, which in ONE_OF.findall(said) if word.lower() not in PLAIN}
        return frozenset(term for token in TOKEN.findall(said) if (term := self[token])) | named


def _term(token: str) -> str | None:
    word = token.lower().replace("’", "'").removesuffix("'s").rstrip("'.:/-")
    if is_exact(word):
        return word
    return None if len(word) < 2 or word in PLAIN or word.split("'")[0] in PLAIN else _stem(word)


def is_exact(term: str) -> bool:
    """Whether a term is a name, a code or a number that is written in one way only."""
    return bool(IS_EXACT.match(term)) and not A_TIME.fullmatch(term)


def _stem(word: str) -> str:
    for particle in PARTICLES:
        if len(word) > len(particle) + 3 and word.endswith(particle):
            word = word.removesuffix(particle)
            break
    for ending in ENDINGS:
        if len(word) > len(ending) + 2 and word.endswith(ending) and not word.endswith("ss"):
            word = word.removesuffix(ending) + ("y" if ending == "ies" else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


SMALL_TALK_WORDS = """
beer birthday breakfast cake canteen chair coffee concert dentist dinner dishwasher dog elevator flowers
football fridge guitar gym headphones hoodie hungry kids kitchen lunch microwave parking pizza playlist
projector ramen sandwich seats sofa theatre snacks sticker stickers sushi tea toilet umbrella whiteboard yoga
"""
"""Of the house and the people in it: words of the incident come up there in another sense."""
NO_NEWS = frozenset(filter(None, map(_term, PROGRESS_WORDS.split())))
SMALL_TALK = frozenset(filter(None, map(_term, SMALL_TALK_WORDS.split())))

# What states something, and what does not -----------------------------------------------------


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


FOUND = _any_of(
    r"turn(?:s|ed) out",
    "found",
    "all along",
    "already",
    "actually",
    "in (?:fact|truth)",
    "because",
    "the real",
    r"(?:logs?|audit|trace|profile|dump|graph|metrics?|report|vendor|provider|support|finance|dashboards?)\b.{0,24}"
    r"\b(?:says?|said|shows?|showed|wrote|is full|is in)",
    "according to",
    "says?|said|reports?|reported|confirms?|confirmed|measured|noticed|discovered|learned|counted|wrote back",
    "just (?:learned|saw|heard|called)",
    r"this (?:morning|week|month)|yesterday|last (?:night|week|month|year|spring|summer|autumn|winter|\w+day)|\w+ ago",
    "we now know",
    "apparently",
    "nobody knew",
    "nothing (?:ever|to do with)",
    "belongs? to",
    "that is (?:how|what|why)",
    "it(?:['’]s| is) (?:a|an|the|not|only)",
    "and not the",
    "none of",
    "neither",
    "never",
    "no longer",
    "expired",
)
"""Somebody says how they know, or tells of what was so before anybody looked."""
TOLD_OF_THEN = _any_of(
    r"(?:was|were|had|held)\b(?! (?:all |short |done|fixed|rolled|restarted|deployed|merged|added|ready))",
    r"(?:has|have) (?:been|already|never|no)",
    r"since (?:the|this|last|then|yesterday|noon|midnight|spring|summer|autumn|winter|\w+day|[A-Z]\w+|\d[\d:.]*)",
    "(?:did|could|do|does|would) not",
    "(?:was|were|did|could|do|does|would)n['’]t",
    "(?:comes?|came) from",
    "means that",
    "only (?:reads?|waits?)",
    "is the",
    "too",
    "as well",
    "just as (?:much|many)",
    "instead of",
    "even",
    "missing",
)
"""Somebody tells of the past, or of something alike; how it went since is told like that, too."""
FACT = _any_of(
    "has|have|holds?|needs?|uses|reads|writes|points to|runs on|lives (?:on|in)|depends? on|contains?|allows?|expects?",
    "refuses?|rejects?|ignores?|caches|keeps?|sends?|takes?|knows?|shares?|belongs?|counts?|lacks?|bounces?|waits? for",
    "fails?|breaks?|drops|locks|opens|closes|returns?|removes?|answers?|costs?|means|covers?|misses",
    r"\d+(?:[.,]\d+)? ?(?:%|percent|of (?:the|those|these|our|them))",
    r"(?!(?:is|are|was|were|be|been|get|gets|got|all|now|just|i|we)\b)\w+ (?!need)\w{2,}ed",
    "only",
    "every",
    "both",
    "without",
    "different",
    "same",
    "wrong",
    "broken",
)
"""Somebody says how something is built, behaves or is shared out."""
ASSENT = re.compile(
    r"^\W*(?:ok|okay|yes|yep|yeah|no|nope|sure|done|ack|agreed|thanks|thank you|thx|ty|nice|great|cool|good|perfect"
    r"|\+1|lgtm|on it|same|brb|hi|hello|morning|sounds good|will do|got it|understood|fair enough|makes sense)\b"
    r"[\W\d]*(?:\w+\W*){0,5}$",
    re.IGNORECASE,
)
NO_STATEMENT = re.compile(
    r"^\W*(?:please|pls|can|could|would|will|should|shall|does|do|did|is|are|was|were|has|have|any|who|what|when"
    r"|where|why|how|let['’]?s|let us|we should|we could|we need|we will|we['’]ll|i will|i['’]ll|i am|i['’]m|going to"
    r"|next time|remember|note to|todo|to do|someone|somebody|anyone|anybody)\b",
    re.IGNORECASE,
)
PERSONAL = _any_of("my", "mine", "yours?", "who (?:has|wants?|took|left|needs?)")
"""Somebody speaks of themselves or to somebody, and not of the incident."""
GUESSED = _any_of(
    "maybe",
    "perhaps",
    "probably",
    "i (?:think|guess|suspect)",
    "my (?:guess|theory)",
    "might",
    "could be",
    "not sure",
    "no idea",
    "wondering",
    "unrelated",
    "not ours",
    "by the way",
    "btw",
)
NOW = _any_of(
    "back to normal",
    r"(?:is|are|looks?|seems?) (?:now |all )?(?:back|up|green|healthy|stable|fine|good|better|gone|ok|falling|dropping"
    r"|rising|recovering|down|off|on|live|out|running|done|merged|paused|primary|through)"
    r"(?=\W*$|[,.;]|\s+(?:now|again|everywhere|for|in (?:both|all)|on (?:both|all|the))\b)",
    "works? (?:again|for me)",
    r"(?:is|are) at \d",
    r"(?:lag|depth|errors?|rate|latency|load)\b.{0,12}\b(?:is|are|at) \d",
    r"still \w+$",
    "no change",
    "now$",
    r"took (?:about |only )?(?:\d+|an?|two|three|four|five|six|eight|ten|several) (?:s|sec|min|minute|hour)\w*",
    "(?:is|are|was|were|all) ready",
    "cleared|drained|registered|passed (?:its|all|the) (?:checks|tests)",
    "no (?:more )?(?:errors?|alerts?|timeouts|complaints)",
    r"(?:takes?|took|serves?|gets?|has) (?:(?:all|every|full|the|its|of)\s*){0,3}"
    "(?:traffic|requests?|load|reads|writes|calls|everything|jobs)",
    "(?:came|comes|come) (?:up|back)",
    r"another (?:\w+ )?(?:minutes?|hours?)",
    "(?:answers?|works?|responds?|replies) again|can .{1,30} again|again$",
    r"p\d\d (?:is |at )*\d+",
    "holds? (?:at|steady)",
    "(?:flat|quiet|stable|steady|green|clean) (?:since|for)",
    "(?:short|brief) (?:spike|dip)",
)
"""How things stand by now, and how it went."""
BEGINS_WITH_A_DEED = re.compile(
    r"^\W*(?:(?:now|just|i|we|have|has|we['’]ve|i['’]ve)\s+)*(?!(?:turned|found|learned|noticed|discovered|confirmed|"
    r"counted|according|nothing|during|missing|something)\b)(?:\w{3,}(?:ing|ed))\b"
    r"(?!\s+(?:writes|reads|takes|needs|has|is|was|sends|keeps|holds|uses|costs|breaks|fails|drops|counts|goes|shows)\b)",
    re.IGNORECASE,
)


def states(text: str) -> bool:
    """Whether it says how something is or was; not a question, a plan, a guess, thanks or a word of agreement."""
    said = MARKUP.sub(" ", text).strip()
    return not (said.endswith("?") or any(no.search(said) for no in (ASSENT, NO_STATEMENT, GUESSED)))


@dataclass(frozen=True)
class Cue:
    """How plainly something tells of what was so: what that weighs, and how much it must bear on the decision."""

    weight: float
    least: float


FOUND_OUT = Cue(0.8, least=0.5)
"""Somebody says how they know, or tells of what was so before anybody looked."""
TOLD_A_FACT = Cue(0.4, least=0.7)
"""Somebody says how something is built, or behaves."""
SAID = Cue(0.0, least=2.0)
GOES_ON = Cue(0.0, least=math.inf)
"""It merely carries something out, or says how things stand now."""


def _cue(text: str) -> Cue:
    if FOUND.search(text):
        return FOUND_OUT
    if NOW.search(text.rstrip(" .")) or BEGINS_WITH_A_DEED.search(text):
        return GOES_ON
    if TOLD_OF_THEN.search(text):
        return FOUND_OUT
    return TOLD_A_FACT if FACT.search(text) else SAID


# All that was said in an incident ---------------------------------------------------------------


class Archive:
    """What was said in an incident, in order of time, indexed once; asked for each decision."""

    def __init__(self, said: Iterable[Said]) -> None:
        self.said = sorted(said, key=lambda one: one.at)
        self.times = [one.at for one in self.said]
        self.vocabulary = Vocabulary()
        self.terms = [self.vocabulary.terms_of(one.text) for one in self.said]
        counts = Counter(chain.from_iterable(self.terms))
        self.worth = {term: _worth(term, count, len(self.said) + FEW) for term, count in counts.items()}

    def later(self, decision: Said, *, at_most: int = MOST_SHOWN) -> Sequence[Said]:
        """At most so many pieces of later knowledge, in order of time; none where nothing bears on the decision."""
        start = bisect_right(self.times, decision.at)
        topic = self._topic(decision, start)
        fresh = self._fresh(self._scored(topic, start), decision, start, at_most=at_most)
        return [self.said[number] for number in sorted(fresh)]

    def _topic(self, decision: Said, start: int) -> Mapping[str, float]:
        """What a shared term weighs: fully where the decision names it, less where it was only on the table."""
        table = range(max(0, start - CONTEXT), start)
        around = {term: OF_THE_CONTEXT * self.worth[term] for number in table for term in self.terms[number]}
        named = self.vocabulary.terms_of(decision.text)
        return around | {term: self.worth[term] for term in named if term in self.worth}

    def _scored(self, topic: Mapping[str, float], start: int) -> Sequence[tuple[float, int]]:
        """What is later knowledge, best first; what shares too little to come near the best is not read at all."""
        after = range(start, len(self.said))
        shared = ((sum(map(topic.__getitem__, self.terms[number] & topic.keys())), number) for number in after)
        bearing = sorted((pair for pair in shared if pair[0] >= FOUND_OUT.least), key=lambda pair: (-pair[0], pair[1]))
        best, found = 0.0, list[tuple[float, int]]()
        for most, number in bearing:
            if most + FOUND_OUT.weight < NEAR_THE_BEST * best:
                break
            if score := self._score(topic, number):
                best = max(best, score)
                found.append((score, number))
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    def _score(self, topic: Mapping[str, float], number: int) -> float:
        """How much it bears on the topic and tells of it; 0 where it is no later knowledge."""
        terms, text = self.terms[number], self.said[number].text
        shared, news = terms & topic.keys(), terms - topic.keys() - NO_NEWS
        names = any(map(is_exact, shared))
        if len(news) < NEW_TERMS - names or not states(text):
            return 0.0
        if news & SMALL_TALK or (not names and PERSONAL.search(text)):
            return 0.0
        cue = _cue(text)
        bears = sum(topic[term] for term in shared if cue is FOUND_OUT or term not in NO_NEWS)
        return bears + cue.weight if bears >= cue.least else 0.0

    def _fresh(self, found: Sequence[tuple[float, int]], decision: Said, start: int, *, at_most: int) -> Sequence[int]:
        """The best of what was not known before, neither from an earlier message nor from one shown already."""
        fresh: list[int] = []
        for score, number in found:
            if len(fresh) == at_most or score < NEAR_THE_BEST * found[0][0]:
                break
            others = [self.vocabulary.terms_of(decision.text), *(self.terms[other] for other in fresh)]
            if not self._holds(others, number) and not self._holds(self.terms[:start], number):
                fresh.append(number)
        return fresh

    def _holds(self, others: Iterable[frozenset[str]], number: int) -> bool:
        """Whether one of these holds most of what a message says."""
        terms, worth = self.terms[number], self.worth.__getitem__
        most = KNOWN * sum(map(worth, terms))
        return any(sum(map(worth, shared)) >= most for other in others if (shared := terms & other))


def _worth(term: str, count: int, number: int) -> float:
    """From nearly 0 for a term of every message to 1 for one that is said once; more for names and numbers."""
    rarity = math.log(number / (count + 0.5)) / math.log(number / 1.5)
    return max(0.0, rarity) * (EXACT if is_exact(term) else 1.0)
