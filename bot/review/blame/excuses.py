"""What excuses a wording: a fact, a requirement, an open question, a term."""

from __future__ import annotations

import re

from bot.review.blame.parts import SOMEBODY, W
from bot.review.blame.reading import Sentence, Unless, compiled

HOW_OR_WHAT = compiled(r"\b(?:how|what|which|where|when)\b")
NOT = compiled(
    r"\b(?:not(?! only| just| acceptable)|no(?! excuse| doubt| question)|nobody|no one|none|nothing|never|neither"
    r"|nor|without"
    r"|hardly|rarely|seldom|instead of|rather than|far from|than for|isn't|wasn't|aren't|weren't|don't|didn't|doesn't"
    r"|cannot(?! believe)|can't(?! believe)|leave out|left out|search for|hunt for)\b"
)
SPARED = compiled(
    r"\b(?:without|otherwise|luck|luckily|lucky|fortunately|thanks|thankfully|but for|worse|saved us|anyway|anyhow"
    r"|either"
    r"|regardless|even (?:if|with|though|then|a))\b"
)
THINGS = (
    r"(?:fields?|columns?|sections?|labels?|headings?|boxe?s?|terms?|word|phrases?|headline|categor(?:y|ies)|tags?"
    r"|title)"
)
TERM_BEFORE = compiled(rf"\b{THINGS}(?: (?:for|of|on|about|called|named|says|reads|is|was))?(?: (?:the|a|an))? $")
TERM_AFTER = compiled(
    rf"(?: analys[ie]s)?(?:[- ](?:\w+ )?{THINGS}| (?:template|form|workshop|course|dropdown|doc)| in (?:the|a|an"
    rf"|its) (?:\w+ )?(?:headline|form|template|title))\b"
)


def asked_openly(sentence: Sentence, match: re.Match[str]) -> bool:
    """`How could we have detected this earlier?`"""
    return sentence.is_question and bool(HOW_OR_WHAT.search(sentence.text[: match.start()]))


def denied(sentence: Sentence, match: re.Match[str]) -> bool:
    """`Nobody was careless`, `there was no single root cause`."""
    return bool(NOT.search(sentence.before(match, 30)))


def spared(sentence: Sentence, _: re.Match[str]) -> bool:
    """What kept it smaller is told by what did not happen: `without the breaker all regions would have been down`."""
    return bool(SPARED.search(sentence.text))


def a_term(sentence: Sentence, match: re.Match[str]) -> bool:
    """`The field for the root cause is optional`."""
    return bool(TERM_BEFORE.search(sentence.before(match)) or TERM_AFTER.match(sentence.after(match)))


def followed_by(pattern: str) -> Unless:
    words = compiled(pattern)
    return lambda sentence, match: bool(words.match(sentence.after(match)))


def preceded_by(pattern: str) -> Unless:
    words = compiled(rf"(?:{pattern})$")
    return lambda sentence, match: bool(words.search(sentence.before(match)))


def beside(pattern: str) -> Unless:
    words = compiled(pattern)
    return lambda sentence, _: bool(words.search(sentence.text))


def required(sentence: Sentence, match: re.Match[str]) -> bool:
    """`Every service should have documented owners`."""
    said, before = match[0] + sentence.after(match, 30), sentence.before(match)
    return bool(ATTRIBUTE.search(said)) and bool(EACH.search(before) or not BY_SOMEBODY.search(before))


ATTRIBUTE = compiled(
    r"\bhave (?:documented|named|dedicated|limited|shared|tested|increased|reduced|restricted|defined|automated"
    r"|configured"
    r"|assigned|separated|encrypted|signed|pinned|versioned|replicated|isolated|bounded|fixed|agreed|tagged|staged"
    r"|scheduled|detailed|updated|written|set|read|split|built|scoped|localized|localised|enabled|rehearsed"
    r"|verified)[- ]"
    r"(?!(?:the|a|an|this|that|these|those|it|them|him|her|us|me|our|their|his|by|in|on|at|for|from|to|with|and|or"
    r"|but"
    r"|before|after|when|while|earlier|sooner|first|then|there|up|out|off|down|more|less|much|long|as|so|because"
    r"|since"
    r"|until|under|over|about|into|all|every|any|both|someone|people)\b)[a-z]"
)
NOBODY = compiled(r"(?:nobody|no one)\b")
EACH = compiled(r"\b(?:each|every|all|any|new|both) ")
BY_SOMEBODY = compiled(rf"{SOMEBODY} (?:{W} ){{0,2}}$|{SOMEBODY}$")


def is_no_question(sentence: Sentence, match: re.Match[str]) -> bool:
    """Asked neither with a question mark nor as a sentence that opens with it."""
    return not sentence.is_question and not _begins(sentence, match)


def is_inside(sentence: Sentence, match: re.Match[str]) -> bool:
    """`The engineer who deployed it` asks nothing."""
    before = sentence.text[: match.start()]
    stops = before.rstrip()[-1:] in {",", ":", "-", "–", "—", "("} and sentence.is_question
    return not (_begins(sentence, match) or stops or SEARCHED.search(sentence.before(match)))


def _begins(sentence: Sentence, match: re.Match[str]) -> bool:
    before = sentence.text[: match.start()]
    return len(before) <= 60 and bool(OPENED.match(before))


SEARCHED = compiled(
    r"\b(?:find out|finding out|figure out|work out|determine|identify|establish|tell us|tell me|ask|want to know"
    r"|need to know"
    r"|wants to know|should know|clarify|explain|like to know|wonder|curious|remember|sure|know exactly|matters) $"
)
OPENED = compiled(
    r"[\W_]*(?:(?:so|and|but|ok|okay|well|also|then|now|seriously|honestly|wait|question|open question|hm+"
    r"|again)\b[\W_]*){0,3}$"
)
