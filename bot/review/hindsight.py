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
from functools import cached_property

MOST_SHOWN = 3
CONTEXT = 6
"""Messages before a decision that say what was on the table."""
OF_THE_CONTEXT = 0.5
"""What a term weighs that the decision itself does not use."""
EXACT = 1.6
"""What a host, a number, a version or a code weighs against a plain word."""
ENOUGH = 0.55
ENOUGH_WITHOUT_A_CUE = 1.0
FOUND_OUT = 0.8
"""What it weighs that somebody says how they know, or tells of what was so all along."""
NEAR_THE_BEST = 0.55
"""What scores less than this part of the best is not shown."""
KNOWN = 0.65
"""So much of a message in one earlier one, and it is no news."""
NEW_TERMS = 2
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
IS_EXACT = re.compile(r"\d|[^\W\d_][._/:#-]\w|_")
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


def terms_of(text: str) -> frozenset[str]:
    """The terms of a text: hosts, numbers and codes as they are, plain words by their stem."""
    said = MARKUP.sub(" ", text)
    return frozenset(term for token in TOKEN.findall(said) if (term := _term(token)))


def _term(token: str) -> str | None:
    word = token.lower().replace("’", "'").removesuffix("'s").rstrip("'.:/-")
    if is_exact(word):
        return word
    return None if len(word) < 2 or word in PLAIN or word.split("'")[0] in PLAIN else _stem(word)


def is_exact(term: str) -> bool:
    """Whether a term is a name or a number that is written in one way only."""
    return bool(IS_EXACT.search(term))


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


NO_NEWS = frozenset(filter(None, map(_term, PROGRESS_WORDS.split())))

# What states something, and what does not -----------------------------------------------------


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


FOUND = _any_of(
    r"turn(?:s|ed) out",
    r"found (?:it|out|that|the|a|why|how)",
    r"(?:was|were|had|held)\b(?! (?:done|fixed|rolled|restarted|deployed|merged|added))",
    r"(?:has|have) (?:been|already|never|no)",
    "all along",
    "already",
    r"since (?:the|this|last|yesterday|\w+day|\d)",
    "actually",
    "in (?:fact|truth)",
    "because",
    "the real",
    r"(?:logs?|audit|trace|profile|dump|graph|metrics?|report|vendor|provider|support|finance|dashboards?)\b.{0,24}"
    r"\b(?:says?|said|shows?|showed|wrote|is full|is in)",
    "according to",
    "just (?:learned|saw|heard|called)",
    "we now know",
    "apparently",
    "nobody knew",
    "nothing ever",
    "(?:did|could|do|does|would) not",
    "(?:was|were|did|could|do|does|would)n['’]t",
    "(?:comes?|came) from",
    "belongs? to",
    "that is (?:how|what|why)",
    "means that",
    "only (?:reads?|waits?)",
    "is the",
    "wrote back",
    "counted",
)
"""Somebody says how they know, or tells of what was so before anybody looked."""
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
    r"|rising|recovering|down|off|on|live|out|running|done|merged|paused|primary|through)",
    "works? (?:again|for me)",
    r"(?:is|are) at \d",
    r"(?:lag|depth|errors?|rate|latency|load)\b.{0,12}\b(?:is|are|at) \d",
    r"still \w+$",
    "no change",
    "now$",
)
"""How things stand by now."""
BEGINS_WITH_A_DEED = re.compile(
    r"^\W*(?:(?:now|just|i|we|have|has|we['’]ve|i['’]ve)\s+)*(?!(?:turned|found|learned|noticed|discovered|confirmed|"
    r"counted|according|nothing|during|missing|something)\b)(?:\w{3,}(?:ing|ed))\b",
    re.IGNORECASE,
)


def states(text: str) -> bool:
    """Whether it says how something is or was; not a question, a plan, a guess, thanks or a word of agreement."""
    said = MARKUP.sub(" ", text).strip()
    return not (said.endswith("?") or ASSENT.search(said) or NO_STATEMENT.search(said) or GUESSED.search(said))


def tells_how_it_is_known(text: str) -> bool:
    """Whether it says how somebody knows, or what had been so before anybody looked."""
    return bool(FOUND.search(text))


def _merely_goes_on(text: str) -> bool:
    """Whether it only carries something out, or says how things stand now."""
    return bool(NOW.search(text.rstrip(" .")) or BEGINS_WITH_A_DEED.search(text))


# All that was said in an incident ---------------------------------------------------------------


class Archive:
    """What was said in an incident, in order of time, indexed once; asked for each decision."""

    def __init__(self, said: Iterable[Said]) -> None:
        self.said = sorted(said, key=lambda one: one.at)
        self.times = [one.at for one in self.said]
        self.terms = [terms_of(one.text) for one in self.said]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """In how many messages each term stands."""
        return Counter(term for terms in self.terms for term in terms)

    def worth(self, term: str) -> float:
        """From nearly 0 for a term of every message to 1 for one that is said once; more for names and numbers."""
        number = len(self.said) + FEW
        rarity = math.log(number / (self.counts.get(term, 0) + 0.5)) / math.log(number / 1.5)
        return max(0.0, rarity) * (EXACT if is_exact(term) else 1.0)

    def later(self, decision: Said, *, at_most: int = MOST_SHOWN) -> Sequence[Said]:
        """At most so many pieces of later knowledge, in order of time; none where nothing bears on the decision."""
        start = bisect_right(self.times, decision.at)
        topic = self._topic(decision, start)
        news = [(self._score(topic, number), number) for number in range(start, len(self.said))]
        found = sorted(((score, number) for score, number in news if score), key=lambda pair: (-pair[0], pair[1]))
        fresh = self._fresh(found, decision, start, at_most=at_most)
        return [self.said[number] for number in sorted(fresh)]

    def _topic(self, decision: Said, start: int) -> Mapping[str, float]:
        """What a shared term weighs: fully where the decision names it, less where it was only on the table."""
        table = range(max(0, start - CONTEXT), start)
        around = {term: OF_THE_CONTEXT * self.worth(term) for number in table for term in self.terms[number]}
        return around | {term: self.worth(term) for term in terms_of(decision.text)}

    def _score(self, topic: Mapping[str, float], number: int) -> float:
        """0 where it is no later knowledge."""
        terms = self.terms[number]
        text = self.said[number].text
        found = tells_how_it_is_known(text)
        bears = sum(topic[term] for term in terms & topic.keys() if found or term not in NO_NEWS)
        if not bears or len([term for term in terms if term not in topic and term not in NO_NEWS]) < NEW_TERMS:
            return 0.0
        if not states(text):
            return 0.0
        if not found and (bears < ENOUGH_WITHOUT_A_CUE or _merely_goes_on(text)):
            return 0.0
        return 0.0 if bears < ENOUGH else bears + FOUND_OUT * found

    def _fresh(self, found: Sequence[tuple[float, int]], decision: Said, start: int, *, at_most: int) -> Sequence[int]:
        """The best of what was not known before, neither from an earlier message nor from one shown already."""
        fresh: list[int] = []
        for score, number in found:
            if len(fresh) == at_most or score < NEAR_THE_BEST * found[0][0]:
                break
            others = [terms_of(decision.text), *(self.terms[other] for other in fresh)]
            if not self._holds(others, number) and not self._holds(self.terms[:start], number):
                fresh.append(number)
        return fresh

    def _holds(self, others: Iterable[frozenset[str]], number: int) -> bool:
        """Whether one of these holds most of what a message says."""
        terms = self.terms[number]
        whole = sum(map(self.worth, terms))
        return any(sum(map(self.worth, terms & other)) >= KNOWN * whole for other in others if terms & other)
