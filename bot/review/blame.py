"""The cues of wordings that sound like a verdict, and what excuses each: a fact, a requirement, an open question.

The classes come from the literature on blame: Dekker's counterfactuals, Allspaw's traps, Google's animated language.
Precision comes first: a false nudge costs trust. Every repetition is bounded: a text takes as long as it is long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PERSON_MARK = "\ue100"
"""Stands for every letter of somebody's name, so that places in the text stay what they are."""


class Wording(StrEnum):
    """What a wording sounds like."""

    counterfactual = "counterfactual"
    judging = "judging"
    human_error = "human_error"
    single_cause = "single_cause"
    person_at_fault = "person_at_fault"
    why_who_question = "why_who_question"

    @property
    def sounds(self) -> str:
        """How it may be read, to follow “may be read as”."""
        return SOUNDS[self]

    @property
    def instead(self) -> str:
        """The question that leads to another wording."""
        return INSTEAD[self]


SOUNDS: Mapping[Wording, str] = {
    Wording.counterfactual: "what did not happen, seen from afterwards",
    Wording.judging: "a verdict",
    Wording.human_error: "an end of the search at a person",
    Wording.single_cause: "the one cause, and an incident rarely has only one",
    Wording.person_at_fault: "one person's fault",
    Wording.why_who_question: "a question to defend oneself against",
}
INSTEAD: Mapping[Wording, str] = {
    Wording.counterfactual: "What was done at that moment, and what made it sensible then?",
    Wording.judging: "What could anybody see or measure: a time, a number, what was on the screen?",
    Wording.human_error: "What made this easy to happen, and what let it matter?",
    Wording.single_cause: "What else made it possible, or worse? Each is a contributor of its own.",
    Wording.person_at_fault: "How would it read with a role or a system as its subject?",
    Wording.why_who_question: "How would it read as a question that begins with how or what?",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as the rules read it, and where it begins in the text."""

    text: str
    start: int

    @property
    def is_question(self) -> bool:
        return self.text.rstrip(" \"')*_").endswith("?")

    def before(self, match: re.Match[str], letters: int = 60) -> str:
        return self.text[max(0, match.start() - letters) : match.start()]

    def after(self, match: re.Match[str], letters: int = 60) -> str:
        return self.text[match.end() : match.end() + letters]


Unless = Callable[[Sentence, re.Match[str]], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that sound like something, unless one of these says that they do not here."""

    wording: Wording
    words: re.Pattern[str]
    unless: Sequence[Unless] = ()

    def first(self, sentence: Sentence) -> re.Match[str] | None:
        found = (match for match in self.words.finditer(sentence.text))
        return next((match for match in found if not any(excuse(sentence, match) for excuse in self.unless)), None)


# The parts of patterns ------------------------------------------------------------------------------

W = r"[\w'-]{1,30}"
NAMED = rf"{PERSON_MARK}{{1,90}}"
ADVERB = (
    r"(?:really|probably|simply|just|easily|also|always|already|all|maybe|perhaps|only|better|first|then|at least"
    r"|long|well|both|even|never|still|again|[a-z]{2,15}ly)"
)
IRREGULAR = (
    "been become begun bought broken brought built burnt caught chosen come cost cut done drawn driven fallen "
    "felt fought found given gone got gotten grown had held hit hurt kept known learned learnt led left let lost "
    "made meant met paid put read rung run said seen sent set shown shut slept spent split spoken spotted stood "
    "stuck taken taught thought thrown told understood woken won written withdrawn undone overridden rewritten "
    "rebuilt foreseen frozen hidden spun sped forgotten forbidden sunk worn stopped"
)
PARTICIPLE = rf"(?:{IRREGULAR.replace(' ', '|')}|[a-z]{{2,20}}ed)"
HUMANS = (
    r"(?:teams?|squads?|crew|engineers?|developers?|devs?|operators?|leads?|responders?|on-?call|support|managers?"
    r"|management|leadership|staff|persons?|people|colleagues?|authors?|reviewers?|owners?|shift|admins?|dbas?|sres?"
    r"|ops"
    r"|interns?|contractors?|commander|facilitator|scribe|folks|guys?|department|deployer|committer|sales|marketing)"
)
PRONOUN = r"(?:he|she|you|we|i|they|someone|somebody|anyone|anybody|nobody|everyone|everybody|no one|one of us)"
SOMEBODY = rf"(?<!\w)(?:{NAMED}|{PRONOUN}|{HUMANS})(?!\w)"
ONE_PERSON = rf"(?<!\w)(?:{NAMED}(?: and {NAMED})?|he|she|you)(?!\w)"
BLAMED = (
    rf"(?:{ONE_PERSON}|(?<!\w)(?:someone|somebody)(?: (?:on|from|in) (?:the |our )?{W}(?: team)?)?|\b(?:the|an?|our"
    rf"|that|some)"
    rf" (?:{W} )?(?:interns?|juniors?|new hire|new guy|newbie|rookie|idiot|genius|clown)\b)"
)
DEEDS = (
    r"(?:pushed|deployed|merged|shipped|released|committed|uploaded|applied|ran|typed|clicked|deleted|dropped|removed"
    r"|restarted|introduced|used|picked|chose|edited|entered|rolled out|wiped|copied|pasted|changed|wrote|set|gave"
    r"|sent"
    r"|opened|closed|turned|approved|started|stopped|rebooted|unplugged|disabled|enabled|cleared|truncated|updated"
    r"|read)"
)
"""What is told of somebody without blame, until it is said to be wrong."""
GOOD_DEEDS = (
    r"(?:noticed|saw|found|spotted|fixed|restored|caught|called|helped|reali[sz]ed|suggested|remembered|led|answered"
    r"|paged"
    r"|rolled|joined|took over|knew|proposed|recovered|saved|detected|reported|told|asked|explained|had|raised"
    r"|mitigated"
    r"|first|showed|solved|could|can|opened|wrote|is|was|were|will|keeps|knows|owns|understands|understood|came)"
)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Without regard to case; `didnt` is `didn't`."""
    return re.compile(pattern.replace("n't", "n'?t"), re.IGNORECASE)


# What excuses them ----------------------------------------------------------------------------------

HOW_OR_WHAT = _compiled(r"\b(?:how|what|which|where|when)\b")
NOT = _compiled(
    r"\b(?:not(?! only| just| acceptable)|no(?! excuse| doubt| question)|nobody|no one|none|nothing|never|neither"
    r"|nor|without"
    r"|hardly|rarely|seldom|instead of|rather than|far from|than for|isn't|wasn't|aren't|weren't|don't|didn't|doesn't"
    r"|cannot(?! believe)|can't(?! believe)|leave out|left out|search for|hunt for)\b"
)
SPARED = _compiled(
    r"\b(?:without|otherwise|luck|luckily|lucky|fortunately|thanks|thankfully|but for|worse|saved us|anyway|anyhow"
    r"|either"
    r"|regardless|even (?:if|with|though|then|a))\b"
)
THINGS = (
    r"(?:fields?|columns?|sections?|labels?|headings?|boxe?s?|terms?|word|phrases?|headline|categor(?:y|ies)|tags?"
    r"|title)"
)
TERM_BEFORE = _compiled(rf"\b{THINGS}(?: (?:for|of|on|about|called|named|says|reads|is|was))?(?: (?:the|a|an))? $")
TERM_AFTER = _compiled(
    rf"(?: analys[ie]s)?(?:[- ](?:\w+ )?{THINGS}| (?:template|form|workshop|course|dropdown|doc)| in (?:the|a|an"
    rf"|its) (?:\w+ )?(?:headline|form|template|title))\b"
)


def _asked_openly(sentence: Sentence, match: re.Match[str]) -> bool:
    """`How could we have detected this earlier?`"""
    return sentence.is_question and bool(HOW_OR_WHAT.search(sentence.text[: match.start()]))


def _denied(sentence: Sentence, match: re.Match[str]) -> bool:
    """`Nobody was careless`, `there was no single root cause`."""
    return bool(NOT.search(sentence.before(match, 30)))


def _spared(sentence: Sentence, _: re.Match[str]) -> bool:
    """What kept it smaller is told by what did not happen: `without the breaker all regions would have been down`."""
    return bool(SPARED.search(sentence.text))


def _a_term(sentence: Sentence, match: re.Match[str]) -> bool:
    """`The field for the root cause is optional`."""
    return bool(TERM_BEFORE.search(sentence.before(match)) or TERM_AFTER.match(sentence.after(match)))


def _followed_by(pattern: str) -> Unless:
    words = _compiled(pattern)
    return lambda sentence, match: bool(words.match(sentence.after(match)))


def _preceded_by(pattern: str) -> Unless:
    words = _compiled(rf"(?:{pattern})$")
    return lambda sentence, match: bool(words.search(sentence.before(match)))


def _with(pattern: str) -> Unless:
    words = _compiled(pattern)
    return lambda sentence, _: bool(words.search(sentence.text))


def _required(sentence: Sentence, match: re.Match[str]) -> bool:
    """`Every service should have documented owners`."""
    said, before = match[0] + sentence.after(match, 30), sentence.before(match)
    return bool(ATTRIBUTE.search(said)) and bool(EACH.search(before) or not BY_SOMEBODY.search(before))


ATTRIBUTE = _compiled(
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
NOBODY = _compiled(r"(?:nobody|no one)\b")
EACH = _compiled(r"\b(?:each|every|all|any|new|both) ")
BY_SOMEBODY = _compiled(rf"{SOMEBODY} (?:{W} ){{0,2}}$|{SOMEBODY}$")


def _is_no_question(sentence: Sentence, match: re.Match[str]) -> bool:
    """Asked neither with a question mark nor as a sentence that opens with it."""
    return not sentence.is_question and not _begins(sentence, match)


def _is_inside(sentence: Sentence, match: re.Match[str]) -> bool:
    """`The engineer who deployed it` asks nothing."""
    before = sentence.text[: match.start()]
    stops = before.rstrip()[-1:] in {",", ":", "-", "–", "—", "("} and sentence.is_question
    return not (_begins(sentence, match) or stops or SEARCHED.search(sentence.before(match)))


def _begins(sentence: Sentence, match: re.Match[str]) -> bool:
    before = sentence.text[: match.start()]
    return len(before) <= 60 and bool(OPENED.match(before))


SEARCHED = _compiled(
    r"\b(?:find out|finding out|figure out|work out|determine|identify|establish|tell us|tell me|ask|want to know"
    r"|need to know"
    r"|wants to know|should know|clarify|explain|like to know|wonder|curious|remember|sure|know exactly|matters) $"
)
OPENED = _compiled(
    r"[\W_]*(?:(?:so|and|but|ok|okay|well|also|then|now|seriously|honestly|wait|question|open question|hm+"
    r"|again)\b[\W_]*){0,3}$"
)


# The rules ------------------------------------------------------------------------------------------------

SHOULD = (
    r"(?:should(?:n't)? (?:(?:not|never|therefore|rather|[a-z]+ly|at the very least|at least|then|also|just|all|both"
    r"|still) ){0,2}"
    r"(?:have|of|'ve)|should(?:n't)?'?ve|shoulda|ought(?:n't)? (?:not |never )?to(?: (?:have|'ve)|'ve))"
)
PREVENTED = (
    r"(?:prevented|avoided|caught|stopped|saved|spared|shortened|warned|helped|spotted|detected|noticed|fixed"
    r"|limited|seen"
    r"|reduced|told us|shown us|alerted|flagged|found|foreseen|anticipated|predicted|made (?:all )?the difference"
    r"|revealed"
    r"|averted|contained|given us|bought us|cut|halved|surfaced|made it|kept us|blocked|shown (?:it|this|that)"
    r"|sufficed)"
)
SHORTER = (
    r"(?:(?:much|far|a lot|way|so much|even) )?(?:shorter|faster|quicker|smaller|sooner|earlier|easier|better"
    r"|simpler|avoidable"
    r"|over|enough|obvious|visible|clear|fine|safe|unaffected|no problem|a non-event|a (?:\w+ ){1,3}blip)"
)
HUMAN_DEEDS = (
    r"(?:mention|communicate|escalate|reali[sz]e|consider|consult|inform|tell|ask|ensure|understand|involve"
    r"|hand over|follow"
    r"|document|think|anticipate|plan|pay|take|listen|appreciate|raise|coordinate|update the (?:runbook|docs|status)"
    r"|hand)"
)
SYSTEM_DEEDS = (
    r"(?:start|restart|connect|load|boot|come|resolve|acquire|pull|mount|bind|parse|reach|recover|join|elect|renew"
    r"|fail"
    r"|scale|sync|replicate|open|schedule|initiali[sz]e|allocate|authenticate|return|complete|deploy|build|compile)"
)
PASSIVES = (
    r"(?:caught|tested|noticed|reviewed|escalated|told|communicated|checked|documented|informed|approved|merged"
    r"|ignored"
    r"|skipped|forgotten|missed|allowed|deployed|pushed|paged|called|announced|rolled back|asked|warned|involved"
    r"|done|fixed)"
)
ASKED_FOR_WHO = (
    r"(?:did|broke|caused|forgot|approved|merged|deployed|pushed|changed|deleted|disabled|enabled|dropped|ignored"
    r"|missed"
    r"|signed|let|allowed|decided|touched|left|introduced|messed|thought|ran|shipped|wrote|removed|turned|silenced"
    r"|muted"
    r"|skipped|screwed|released|committed|typed|configured|set|gave|granted|responsible|to blame|at fault|supposed"
    r"|made"
    r"|failed|took|brought|killed|wiped|didn't|switched|pulled|put|reviewed|rubber-?stamped|authori[sz]ed|came up"
    r"|told)"
)


def _rule(wording: Wording, pattern: str, *unless: Unless) -> Rule:
    return Rule(wording, _compiled(pattern), unless)


WHY_WHO: Sequence[Rule] = (
    _rule(
        Wording.why_who_question,
        rf"\bwhy (?:(?:on earth|exactly|then) )?"
        rf"(?:did|didn't|do|don't|does|doesn't|was|were|wasn't|weren't|has|have|had|hasn't|haven't|hadn't|would"
        rf"|wouldn't"
        rf"|could|couldn't|can't|is|isn't|are|aren't|should|shouldn't) (?:the |our |your |a "
        rf"|an )?(?:{W} ){{0,2}}?{SOMEBODY}",
        _is_no_question,
    ),
    _rule(Wording.why_who_question, rf"\bhow come (?:the |our )?(?:{W} ){{0,2}}?{SOMEBODY}"),
    _rule(Wording.why_who_question, r"\bwhy (?:on earth|the hell|in the world|the heck)\b"),
    _rule(
        Wording.why_who_question,
        r"\bwhy (?:nobody|no one|so (?:late|slow|long)|did it take|is it always)\b",
        _is_no_question,
    ),
    _rule(
        Wording.why_who_question,
        rf"\bwhy (?:was|were|wasn't|weren't|is|isn't|hasn't|had|hadn't) (?:{W} ){{0,6}}?{PASSIVES}\b",
        _is_no_question,
    ),
    _rule(
        Wording.why_who_question,
        rf"\b(?:explain|tell (?:me|us)|justify|want to know|like to know|asked? (?:him|her)) why {ONE_PERSON}",
    ),
    _rule(
        Wording.why_who_question,
        rf"\bwho(?:'s| is| was| are)?(?: the (?:person|one|idiot|genius)(?: who| that)?| it (?:who|that))?"
        rf"(?: (?:exactly|on earth|the hell|actually|even|again|then|in their right mind))? {ASKED_FOR_WHO}\b",
        _is_inside,
        _followed_by(r" (?:you|we|they|it affect|this affect|this reach|it reach|each|i|not|support|customers)\b"),
    ),
    _rule(
        Wording.why_who_question,
        r"\bwho\b.{1,60}\b(?:and|but|yet) (?:didn't|did not|ignored|failed|still)\b",
        _is_inside,
    ),
    _rule(
        Wording.why_who_question,
        r"\b(?:whose|who's) (?:fault|idea|mistake|job|change|commit|decision|deploy|responsibility|bug|brilliant"
        r"|bright|call)\b",
        lambda sentence, match: not sentence.is_question and not SEARCHED.search(sentence.before(match)),
    ),
    _rule(
        Wording.why_who_question,
        rf"\bwhich (?:one )?of (?:you|us|them|your)\b|\bwhich (?:{W} )?(?:engineer|person|developer|idiot|genius|guy"
        rf"|dev) {ASKED_FOR_WHO}\b",
        _is_inside,
    ),
    _rule(
        Wording.why_who_question,
        rf"\bhow (?:could|can|did) (?:{NAMED}|you|anyone|anybody|someone|somebody|he|she|they)"
        r" (?:(?:possibly|ever|even|just|have|really) ){0,2}(?:not|miss|missed|forget|forgotten|overlook|overlooked"
        r"|ignore|ignored|let|be so|been so|think)\b",
    ),
)

FAULTS = (
    r"(?:broke|breaks|broken|caused|causes|crashed|crashes|forgot|forgets|botched|bungled|fumbled|misconfigured"
    r"|misread"
    r"|mishandled|ignored|ignores|neglected|overlooked|missed|misses|panicked|skipped|skips|corrupted|messed|screwed"
    r"|fucked"
    r"|blew|bricked|wrecked|ruined|sabotaged|nuked|destroyed|fat-?fingered|mistyped|mislabell?ed|misunderstood"
    r"|misjudged"
    r"|underestimated|triggered|killed|kills|wiped|wipes|misclicked"
    rf"|(?:took|takes|brought|brings|knocked) (?:down|out|offline|over|(?:the |our )?(?:{W} ){{1,3}}(?:down|out"
    rf"|offline))"
    rf"|(?:made|makes) (?:a|an|the|this|that|another) (?:{W} )?(?:mistake|error|blunder|typo)"
    rf"|(?:is|was|were|are) (?:\w+ )?(?:to blame|at fault)"
    rf"|(?:is|was|were|are) (?:\w+ )?responsible for (?:the|this|that|our|a) (?:{W} )?"
    r"(?:outage|incident|bug|mess|downtime|failure|breakage|problem|error|mistake|loss)"
    rf"|(?:is|was) the (?:one|person|guy) (?:who|that) (?!{GOOD_DEEDS}\b)\w+"
    rf"|{DEEDS} (?:(?:a|an|the|that|this|his|her|your|some|our|yet another) )?(?:{W} )?"
    r"(?:bad|broken|wrong|faulty|buggy|untested|unreviewed|bug|typo|incorrect|invalid|half-finished|unfinished"
    r"|sloppy)"
    rf"|{DEEDS} (?:{W} ){{0,6}}?without (?:{W}ing|an?|any|the|asking|telling)"
    rf"|{DEEDS} (?:it |this |that )?(?:straight|directly|right) (?:to|in|into|on) (?:main|master|prod|production"
    rf"|live|trunk)"
    rf"|(?:left|leaves) (?:the |a |an |our |his |her )?(?:{W} ){{1,4}}(?:open|on|enabled|running|unlocked|exposed"
    rf"|half-done|disabled|off|unattended|unfinished)"
    rf"|let (?:the |our |a |his |her )?(?:{W} ){{1,3}}(?:expire|lapse|die|run out|fill|slip|rot|fail)"
    r"|went (?:ahead|rogue|off script)|dropped the ball|cut corners|couldn't be bothered)"
)
NOT_DONE = (
    r"(?:didn't|did not|never|hasn't|hadn't|had not|doesn't|does not) (?:even |bother to |really |properly |once )?"
    r"(?:(?:check|test|read|follow|tell|notify|inform|ask|verify|bother|review|escalate|update|answer|respond|care"
    r"|pay|reply"
    r"|communicate|document|think|listen|announce|warn|say|react|mention|double-check|close|wait|look)(?:s|ed)?|told"
    r"|said"
    r"|run the|thought|paid|hand(?:ed)?)\b"
)
PERSON: Sequence[Rule] = (
    _rule(
        Wording.person_at_fault,
        rf"{BLAMED}(?: (?:{ADVERB}|had|has|have|who|once|apparently|then|clearly|and)){{0,3}},? {FAULTS}\b",
        _asked_openly,
    ),
    _rule(
        Wording.person_at_fault,
        rf"{BLAMED} (?:[\w',/-]{{1,30}} ){{1,8}}and (?:then |so |thus |thereby )?"
        rf"(?:broke|crashed|wiped|killed|forgot|took down|took (?:{W} ){{1,3}}down|caused|ruined|wrecked|messed up"
        rf"|brought down)\b",
    ),
    _rule(
        Wording.person_at_fault,
        rf"{ONE_PERSON}(?: (?:{ADVERB}|simply|just|and)){{0,2}} {NOT_DONE}",
        _followed_by(r" (?:yet|because)\b"),
    ),
    _rule(
        Wording.person_at_fault,
        r"\bi (?:broke|crashed|messed up|screwed up|ruined|wrecked|took (?:\w+ )?down|caused the)\b",
    ),
    _rule(
        Wording.person_at_fault,
        rf"{NAMED}'s? (?:{W} ){{0,3}}?(?:mistake|error|fault|blunder|typo|oversight|negligence|carelessness"
        rf"|screw-?up|mess|bug"
        r"|failure|incompetence|laziness|doing|(?:bad|broken|faulty|sloppy|buggy|untested|wrong) \w+)\b",
    ),
    _rule(
        Wording.person_at_fault,
        rf"{NAMED}'s? (?:{W} ){{1,4}}?(?:broke|caused|crashed|took down|took out|brought down|killed|wiped|corrupted"
        rf"|triggered"
        r"|led to|wrecked|ruined|took (?:\w+ ){1,3}down)\b",
    ),
    _rule(
        Wording.person_at_fault,
        rf"\bit was (?:{NAMED}|him|her|you)(?:,? (?:who|that)) (?:{ADVERB} )?(?!{GOOD_DEEDS}\b)\w+",
    ),
    _rule(
        Wording.person_at_fault,
        rf"\b(?:this|that|it|one|mess|outage|incident|all)(?:'s| is| was) (?:(?:all|entirely|squarely|really|mostly"
        rf"|totally|purely) )?on {NAMED}(?!'|\w| (?:laptop|side|screen))",
    ),
    _rule(Wording.person_at_fault, rf"\b(?:can|could|may) (?:all )?thank {NAMED} for\b"),
    _rule(
        Wording.person_at_fault,
        rf"\b(?:faulty|bad|broken|wrong|buggy|untested|offending) (?:{W} ){{1,3}}(?:came from|comes from|is from"
        rf"|was from|was by|by|from|of) {NAMED}",
    ),
    _rule(
        Wording.person_at_fault,
        rf"\b(?:bug|mess|typo|mistake|outage|error|regression|(?:faulty|bad|broken|wrong|buggy) \w+) (?:that "
        rf"|which )?{NAMED} "
        r"(?:had )?(?:introduced|wrote|written|shipped|pushed|made|caused|deployed|merged|left)\b",
    ),
    _rule(
        Wording.person_at_fault,
        r"\b(?:my|your|his|her|their|our|\w+'s) (?:own )?(?:fault|blunder|screw-?up)\b",
        _denied,
        _followed_by(r"[- ](?:line|lines|tolerance|injection|domain|domains|rate|zone|handler)\b"),
    ),
    _rule(Wording.person_at_fault, r"\b(?:my|your|his|her) (?:own )?(?:mistake|error)\b", _denied),
    _rule(
        Wording.person_at_fault,
        rf"\b(?:broken|caused|deleted|crashed|triggered|introduced|messed up|wiped|misconfigured|killed|screwed up"
        rf"|forgotten|ignored|skipped|botched) by {NAMED}",
        _denied,
    ),
    _rule(
        Wording.person_at_fault,
        rf"\b(?:because of|due to|blame[ds]?|blaming|fault of"
        rf"|on account of) {NAMED}",
        _denied,
    ),
    _rule(
        Wording.person_at_fault, r"\b(?:is|was|are|were|be) (?:\w+ )?(?:to blame|at fault)\b", _denied, _asked_openly
    ),
)

COUNTERFACTUAL: Sequence[Rule] = (
    _rule(
        Wording.counterfactual,
        rf"\b{SHOULD} (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b",
        _asked_openly,
        _required,
        _followed_by(r"[- ](?:access|replicas?|permissions?|only|rights?)\b"),
        _preceded_by(r"\b(?:thought|assumed|expected|believed|supposed)\b.{0,40}"),
    ),
    _rule(Wording.counterfactual, rf"\b{SHOULD}(?: but| and)?\s{{0,3}}(?=[.,;!)…]|$)", _asked_openly),
    _rule(
        Wording.counterfactual,
        rf"{SOMEBODY}(?: {ADVERB})? (?:could (?:{ADVERB} ){{0,2}}(?:have|of)|could'?ve"
        rf"|coulda) (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b",
        _asked_openly,
        _spared,
        _followed_by(r"(?: \w+)? (?:out|down|worse|data|orders|money)\b"),
        lambda _, match: bool(NOBODY.match(match[0])),
        _with(r"\b(?:could have|could've) (?:lost|run out|ended|meant|been (?:down|hit|affected|any))\b"),
    ),
    _rule(
        Wording.counterfactual,
        rf"\b(?:(?:could|might|may) (?:{ADVERB} ){{0,2}}(?:have|of)|could'?ve|coulda|might'?ve) (?:{ADVERB} ){{0,2}}"
        rf"(?:been (?:{ADVERB} ){{0,2}}(?:{SHORTER}|{PREVENTED})|{PREVENTED})\b",
        _asked_openly,
        _spared,
        _preceded_by(r"\b(?:customers?|users?|attackers?|we|anyone|nobody|no one)(?: \w+)? "),
    ),
    _rule(
        Wording.counterfactual,
        rf"(?:\bwould|'d) (?:{ADVERB} ){{0,2}}(?:have|of)(?: {ADVERB}){{0,2}} "
        rf"(?:been (?:{ADVERB} ){{0,2}}(?:{SHORTER}|{PREVENTED})|{PREVENTED})\b",
        _asked_openly,
        _spared,
    ),
    _rule(
        Wording.counterfactual, rf"\b(?:would'?ve|woulda) (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b", _asked_openly, _spared
    ),
    _rule(
        Wording.counterfactual,
        rf"\bwould(?:n't| not| never)(?: {ADVERB})?(?: have|'ve) (?:happened|hurt|been|mattered|gone|occurred|broken"
        rf"|crashed|failed"
        rf"|spread|lost|taken|lasted|escalated|needed|had|come to)\b",
        _asked_openly,
        _spared,
    ),
    _rule(
        Wording.counterfactual,
        rf"(?<!\w)(?:{NAMED}|he|she|you|we|any(?:one|body| {W} (?:engineer|developer|operator|person)))(?: would"
        rf"|'d)(?: {ADVERB})?"
        rf" (?:have|of) (?:{ADVERB} )?{PARTICIPLE}\b",
        _asked_openly,
        _spared,
    ),
    _rule(
        Wording.counterfactual,
        rf"{SOMEBODY}(?: (?:had|have|has|also|again|simply|completely|repeatedly|totally|who|then|just|even"
        rf"|[a-z]+ly)){{0,2}}"
        rf" (?:failed|fail|fails|failing) to (?!{SYSTEM_DEEDS}\b)\w+",
    ),
    _rule(Wording.counterfactual, rf"\b(?:failed|fails|failure|failing) to (?:\w+ly )?{HUMAN_DEEDS}\b", _denied),
    _rule(
        Wording.counterfactual,
        r"\bfailure to (?:test|check|review|notify|act|notice|verify|respond|react|alert)\b",
        _denied,
    ),
    _rule(
        Wording.counterfactual,
        rf"\bif only (?!\d|one\b|two\b|an? few|some\b|part\b|half\b)(?:{W} ){{1,6}}?(?:had|would|could|were|was)\b"
        rf"|\bif only (?:{W}'d|{NAMED}|i|we|you|he|she|they|someone|somebody)(?!\w)|\bif only\W{{0,5}}$",
    ),
    _rule(
        Wording.counterfactual,
        rf"\bif (?:the |our )?(?:{W} )?{SOMEBODY}(?: (?:had|hadn't|had not|would have)|'d|'d have)(?: (?:{ADVERB}"
        rf"|not))? {PARTICIPLE}\b",
        _asked_openly,
        _spared,
        _preceded_by(
            r"\b(?:ask|asked|asks|wonder|wondered|check|checked|see|saw|know|knew|known|sure|unsure|unclear|as|idea"
            r"|tell|matter) "
        ),
    ),
    _rule(
        Wording.counterfactual,
        rf"\bif (?:there|it|this|that|(?:the|an?|our|those|these) (?:{W} ){{0,3}}{W}) (?:had|hadn't"
        rf"|had not)(?: (?:{ADVERB}|not))? {PARTICIPLE}\b.{{0,120}}\bwould",
        _asked_openly,
        _spared,
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.counterfactual,
        rf"\bwould(?:n't| not| never| have).{{0,120}}\b(?:if (?:{W} ){{1,4}}(?:had|hadn't)|had (?:{SOMEBODY}|it|this"
        rf"|that|there|the {W}|those|these) (?:not )?(?:{ADVERB} )?{PARTICIPLE})\b",
        _asked_openly,
        _spared,
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.counterfactual,
        rf"(?:^\W{{0,6}}|[,:(–—-] ?)(?:{W} )?had (?:{SOMEBODY}|it|this|that|there|(?:the|our|an?|those"
        rf"|these) (?:{W} ){{0,2}}?{W}) (?:{ADVERB} |not |been )?{PARTICIPLE}\b.{{0,120}}\b(?:would|could|might)\b",
        _asked_openly,
        _spared,
    ),
    _rule(Wording.counterfactual, rf"\bhad {SOMEBODY} (?:only|just|simply|bothered|known)\b"),
    _rule(
        Wording.counterfactual,
        rf"\b(?:wish|wishes|wished) (?:that )?(?:the |our )?(?:{W} ){{0,3}}(?:had"
        rf"|{W}'d)\b",
    ),
    _rule(
        Wording.counterfactual,
        r"\b(?:didn't|did not|never) (?:even )?(?:bother|bothered|think to|thought to|care to|cared to|take the time"
        r"|took the time)\b"
        r"|\b(?:neglected|omitted|neglects) to\b|\bnobody (?:even )?(?:bothered|thought to)\b",
    ),
    _rule(Wording.counterfactual, r"\b(?:avoidable|preventable)\b", _denied, _with(r"\b(?:whether|how|what)\b")),
    _rule(Wording.counterfactual, rf"{ONE_PERSON} (?:was|were) supposed to\b"),
)

ONLY = (
    r"(?:real|main|true|actual|only|sole|primary|underlying|ultimate|single|fundamental|definitive|exact|direct|core"
    r"|one true)"
)
OPEN = (
    r" (?:(?:of (?:the |this |that )?(?:[\w'-]{1,30} ){0,4}?[\w'-]{1,30} )?(?:is|was|are|were"
    r"|remains?) )?(?:(?:still|not|as yet|so far|yet|currently) ){0,2}"
    r"(?:unknown|unclear|known|open|under|being|never|not|only one|one of|found|a mystery|to be|among|disputed"
    r"|missing)\b"
)
SINGLE_CAUSE: Sequence[Rule] = (
    _rule(Wording.single_cause, r"\b(?<!\.)root[ -]?causes?\b(?!\.\w)|\brca\b", _denied, _a_term),
    _rule(
        Wording.single_cause,
        rf"\bthe (?:(?:{ONLY}|whole|likely|probable|obvious|original) ){{0,2}}(?:cause|culprit)(?: (?:of|for"
        rf"|behind) (?:{W} ){{0,6}}?{W})?"
        r" (?:was|is|were|turned out to be|must be|must have been)\b",
        _followed_by(OPEN),
        _denied,
        lambda sentence, _: sentence.is_question,
    ),
    _rule(Wording.single_cause, rf"\b{ONLY} (?:cause|culprit)\b", _denied, _followed_by(OPEN), _a_term),
    _rule(
        Wording.single_cause,
        rf"^[\W_]{{0,6}}(?:the )?(?:cause|culprit)(?: (?:of|for) (?:{W} ){{0,6}}?{W})? ?[:=](?! ?(?:unknown|unclear"
        rf"|open|tbd|\?))",
        _a_term,
    ),
    _rule(
        Wording.single_cause,
        r"\b(?:was|were|is|as|be|found|identified|are) the (?:\w+ )?(?:cause|culprit)\b",
        _denied,
        lambda sentence, _: sentence.is_question,
        _with(r"\b(?:whether|if|may|might|could)\b"),
    ),
    _rule(
        Wording.single_cause,
        r"\b(?:one and only|exactly one|one single|a single|only one|just one|the sole|the only) (?:trigger|reason"
        r"|cause|explanation|culprit|factor)\b",
        _denied,
        _followed_by(r" (?:we|i|they|to|not)\b"),
    ),
    _rule(Wording.single_cause, r"\b(?:smoking gun|the culprit)\b", _denied, _a_term),
    _rule(
        Wording.single_cause,
        r"\b(?:boils?|boiled|comes?|came) (?:all )?down to (?!earth|a vote|zero|\d|the (?:ground|wire))"
        r"|\bexplains (?:everything|it all|the (?:whole|entire))\b",
        _denied,
    ),
    _rule(
        Wording.single_cause,
        r"\bthe (?:only|sole|single|one|real|whole) (?:reason|thing|factor|problem)\b.{0,60}?\b(?:was|is|that caused"
        r"|responsible)\b",
        _denied,
        _with(r"\b(?:to (?:do|check|watch)|we (?:could|can|had|have))\b"),
    ),
    _rule(
        Wording.single_cause,
        r"\b(?:outage|incident|downtime|whole thing|disruption|everything|all of (?:this|it)|it all|this all"
        r"|entire (?:outage|incident|thing))"
        r" (?:(?:was|is|were|happened|came|occurred|broke|started|failed|died|stopped|went wrong|went down"
        r"|fell over) )(?:(?:\w+ly|just|only|all|about) ){0,2}"
        r"(?:caused by|down to|due to|because(?: of)?|the result of|a result of|the fault of|on account of)\b",
        _denied,
        _followed_by(r" (?:start|begin|end|several|many|two|three|a combination|a mix|finish|more than)\b"),
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.single_cause,
        r"\b(?:solely|purely|entirely|exclusively) (?:because of|because|due to|caused by|the fault of|down to|by)\b"
        r"|\bcaused (?:solely|purely|entirely|only|exclusively|simply) by\b|\b(?:all|simply) (?:because of|due to"
        r"|down to|caused by)\b",
        _denied,
    ),
    _rule(
        Wording.single_cause,
        r"\bthe reason (?:for|behind|why) (?:the |this |that |our |all )?(?:\w+ )?(?:outage|incident|downtime"
        r"|disruption|crash|failure|this|everything)\b.{0,40}?\b(?:was|is)\b"
        r"|^[\W_]{0,6}the reason (?:was|is)\b|\bwhat (?:really )?caused (?:the|this|it)\b.{0,40}\b(?:was|is)\b",
        _followed_by(OPEN),
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.single_cause,
        r"\broot (?:problem|issue|reason|trigger)\b|\broot of (?:the|this|it|all) (?:problem|issue|outage|incident"
        r"|evil|matter|trouble|all)"
        r"|\bcaused (?:the|this) (?:whole|entire) (?:outage|incident|thing|mess|chain)\b|\b(?:pure"
        r"|plain) and simple\b|\bend of story\b|\bcase closed\b|\bsimple as that\b"
        r"|\bit(?:'s| is| was) always dns\b",
        _denied,
    ),
)

CARE = r"(?:careful|vigilant|attentive|diligent|cautious|disciplined|conscientious|mindful)"
HUMAN_ERROR: Sequence[Rule] = (
    _rule(
        Wording.human_error,
        r"\b(?:human|pilot|engineer|people|person|personal|administrator|admin|developer|dba"
        r"|sysadmin)(?:'s)?[- ](?:errors?|mistakes?|failures?|blunders?)\b"
        r"|\b(?:operator|user|manual)[- ](?:error|mistakes?|blunders?)\b",
        _denied,
        _a_term,
        _preceded_by(
            r"\b(?:share|number|rate|count|types?|kinds?|class|classes|percentage) of |\b[A-Z][\w-]+ (?-i:operator)"
        ),
        _followed_by(
            r"[- ]?(?:rates?|messages?|pages?|codes?|counts?|dashboards?|responses?|logs?|budget|reports?|handling"
            r"|handler|class|metric|counter|in the logs?|\(|=|:\d)"
        ),
    ),
    _rule(
        Wording.human_error,
        r"\b(?:pebkac|pebcak|fat[- ]?finger(?:s|ed|ing)?|absent-?minded(?:ly|ness)?|brain ?fart|mis-?clicked"
        r"|mis-?typed)\b",
        _denied,
    ),
    _rule(
        Wording.human_error,
        r"\b(?:forgot|forgets|forgotten|forgetting|forgetful(?:ness)?)\b(?!-)",
        _denied,
        _followed_by(
            r"[- ]?(?:password|passcode|pin|my|your)\b|[- ]\w+[- ](?:link|page|form|flow|e-?mail|screen|endpoint"
            r"|button|mails?)\b"
        ),
    ),
    _rule(
        Wording.human_error,
        rf"\b(?:be|being|been|get) (?:(?:a (?:bit|little|lot)|much|far|way|extra|very|so|even|more|super|really|just"
        rf"|all) ){{0,3}}{CARE}\b"
        rf"|\b(?:wasn't|weren't|isn't|aren't|not|never|hardly) (?:being )?(?:(?:very|really|too|so"
        rf"|at all) )?{CARE}\b|\b(?:more|extra|too little) {CARE}\b"
        rf"|\b{CARE} enough\b|\bstay (?:alert|focused|sharp)\b",
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.human_error,
        r"\b(?:more|greater|better|extra|enough|due|insufficient|inadequate|little|lack of|lacked|lacks|poor"
        r"|no) (?:\w+ (?:and|or) )?"
        r"(?:care|attention|diligence|vigilance|discipline|caution|concentration|attentiveness|training)\b",
        _followed_by(r" (?:from the press|plan|team|data|set|runs?|job|about)\b"),
        _preceded_by(
            r"\b(?:needs?|needed|takes?|with|get|gets|got|have|has|had|deserves?|drew|draws?) (?:a )?(?:lot "
            r"|little )?(?=no )"
        ),
    ),
    _rule(
        Wording.human_error,
        r"\bpay(?:ing|s)? (?:closer|more|enough|better|any|much|proper|close) attention\b"
        r"|\b(?:not|n't|never|must|should|needs? to|has to|have to|had to|please) pay(?:ing)? attention\b",
    ),
    _rule(
        Wording.human_error,
        r"\b(?:take|takes|taking|took|taken) (?:(?:more|better|extra|greater|enough) )care\b(?! of)"
        r"|\btake care (?:when|not|to|with|that|next)\b",
    ),
    _rule(
        Wording.human_error,
        r"\b(?:inattenti(?:on|ve|veness)|inexperienced|undertrained|untrained (?:staff|engineer|people|person))\b",
        _denied,
    ),
    _rule(
        Wording.human_error,
        r"\bre-?train(?:ed|ing|s)?\b",
        _with(
            r"\b(?:models?|classifier|weights|embeddings?|network|ranker|recommender|predictor|detector|epochs?"
            r"|dataset|gpus?|nightly|weekly|feature store|ml)\b"
        ),
    ),
    _rule(
        Wording.human_error,
        rf"\b(?:needs?|require[sd]?|send|additional|mandatory|refresher|proper) (?:{W} ){{0,4}}?(?:training|trained"
        rf"|refresher)\b",
        _with(r"\b(?:models?|dataset|data set|gpus?|epochs?)\b"),
    ),
    _rule(
        Wording.human_error,
        rf"{SOMEBODY}(?: (?:{ADVERB}|had|has|have|who)){{0,2}} (?:made|makes|make) (?:an?|the|some|another|this|that"
        rf"|several) (?:{W} )?(?:mistakes?|errors?|blunders?|typos?|slip)\b",
    ),
    _rule(
        Wording.human_error,
        r"\b(?:must|should|need to|needs to|has to|have to|please|always|everyone|people|engineers"
        r"|next time) (?:to )?(?:always )?"
        r"(?:remember to|try harder|do better|think before|think twice|concentrate|focus better|double[- ]check"
        r"|be reminded)\b",
        lambda sentence, _: "?" in sentence.text,
    ),
    _rule(
        Wording.human_error,
        r"\bremind (?:everyone|everybody|people|engineers|staff|the team|all|developers|operators|the on-?call|him"
        r"|her|them|[\w-]+ (?:team|engineers|staff))\b",
    ),
    _rule(
        Wording.human_error,
        r"\b(?:wasn't paying|weren't paying|not paying|weren't concentrating|wasn't concentrating|not concentrating"
        r"|slipped (?:his|her|my|our|their|someone's) minds?"
        r"|(?:due to|was|by|through|an?) (?:\w+ )?oversight (?:by|on|from|of (?:the|an?|our) (?:\w+ )?(?:engineer"
        r"|team|operator|person))|was an oversight)\b",
    ),
    _rule(
        Wording.human_error,
        r"\b(?:error|mistake|slip|lapse|typo) (?:on the part of|by (?:the|an?|our|one of) (?:\w+ ){0,2}(?:engineer"
        r"|operator|developer|on-?call|responder|admin|dba|person|colleague|team))\b",
    ),
    _rule(
        Wording.human_error,
        rf"{SOMEBODY}(?: (?:{ADVERB}|had|has|have)){{0,2}} (?:accidentally|mistakenly|inadvertently|carelessly"
        rf"|by mistake|by accident|erroneously|absent-?mindedly|wrongly|unthinkingly)\b"
        r"|\b(?:accidentally|mistakenly|inadvertently) \w+ed by (?:an?|the|one|our|somebody|someone)\b",
    ),
    _rule(
        Wording.human_error,
        rf"\b(?:not following|didn't follow|did not follow|failed to follow|without following|ignored|ignoring"
        rf"|violated|violating) (?:the |our )?(?:{W} )?(?:process|processes|procedure|procedures|protocol|rules"
        rf"|guidelines|policy)\b",
        _with(r"\b(?:firewall|routing|robots|cors|eviction|retention|network)\b"),
    ),
)

STRONG = (
    r"careless(?:ly|ness)?|slopp(?:y|ily|iness)|negligent(?:ly)?|negligence|reckless(?:ly|ness)?|irresponsib(?:ly|le"
    r"|ility)"
    r"|incompeten(?:t|tly|ce)|stupid(?:ly|ity)?|idiot(?:s|ic|ically)?|ridiculous(?:ly)?|unacceptabl[ey]"
    r"|inexcusabl[ey]|unforgivabl[ey]"
    r"|unprofessional(?:ly|ism)?|blatant(?:ly)?|embarrassing(?:ly)?|embarrassment|amateur(?:ish|ishly|s)?"
    r"|half-?baked|half-?assed|half-?hearted(?:ly)?"
    r"|shodd(?:y|ily)|mismanag(?:ed|ement|ing)|thoughtless(?:ly|ness)?|mindless(?:ly)?|brainless|clueless"
    r"|foolish(?:ly|ness)?|silly|laughabl[ey]"
    r"|pathetic(?:ally)?|lousy|disgrace(?:ful)?|shameful(?:ly)?|outrageous(?:ly)?|absurd(?:ly)?|appalling(?:ly)?"
    r"|abysmal(?:ly)?|atrocious"
    r"|moron(?:s|ic)?|inept(?:ly|itude)?|arrogan(?:t|ce|tly)|cowboys?|botched|bungl(?:ed|ing)|slacking|dumb|nonsense"
    r"|rubbish|crappy|crap|bullshit"
    r"|insan(?:e|ely|ity)|madness|ill-?prepared|ill-?advised|lackadaisical|haphazard(?:ly)?|slapdash|inexplicabl[ey]"
    r"|hopeless(?:ly)?|terribl[ey]"
    r"|horribl[ey]|awful(?:ly)?|dreadful(?:ly)?|woeful(?:ly)?|disastrous(?:ly)?|(?-i:lax)|facepalm|complacen(?:t|cy)"
    r"|boneheaded|senseless|lame"
    r"|overconfiden(?:t|ce)|indefensible|shambl(?:es|olic)|unbelievabl[ey]"
)
WORK = (
    r"(?:test(?:ed|ing)?|communicat(?:ed|ion|ing)|plan(?:ned|ning)|manag(?:ed|ement)|handled|design(?:ed)?"
    r"|writ(?:ten|ing)"
    r"|execut(?:ed|ion)|prepar(?:ed|ation)|decisions?|judge?ments?|choices?|coordinat(?:ed|ion)|thought(?: out"
    r"| through)?|review(?:ed|s)?"
    r"|organi[sz]ed|trained|leadership|work|job|behaviou?r|attitude|maintained|documented|run|supervis(?:ed|ion)"
    r"|oversight)"
)
VIRTUES = (
    r"(?:common sense|professionalism|accountability|competence|respect|effort|thought|foresight|rigou?r|judge?ment"
    r"|interest|ownership|responsibility)"
)
JUDGING: Sequence[Rule] = (
    _rule(
        Wording.judging,
        rf"\b(?:{STRONG})\b",
        _denied,
        _a_term,
        _followed_by(
            r"[- ](?:clients?|terminals?|pipes?|proxy|boy|counter|init|parallel|phrase|quorum|hinted|match\w*"
            r"|back-?off|slop|hashing|mode)\b"
        ),
    ),
    _rule(
        Wording.judging,
        r"\b(?:lazy|lazily|laziness)\b",
        _denied,
        _followed_by(
            r"[- ]?(?:load|init|eval|import|migrat|fetch|connect|creat|comput|bind|field|refresh|open|cache|start"
            r"|reconnect|free|delet"
            r"|expir|restor|sync|mount|pull|replicat|quer|attribut|singleton|proxy|compil|resol|writ|read|instantiat"
            r"|propert|consum|iterat)"
        ),
        _preceded_by(
            r"\b(?:is|are|was|were|made|loaded|created|evaluated|initiali[sz]ed|opened|computed|resolved|connects?"
            r"|opens?|loads?)(?: \w+)? (?=lazily)"
        ),
        _with(r"\b(?:umount|unmount|iterator|hibernate|orm|singleton|evaluation|loading)\b"),
    ),
    _rule(
        Wording.judging,
        r"\b(?:obvious|obviously)\b",
        _denied,
        _preceded_by(
            r"\b(?:more|most|less|make|makes|made|making|become|becomes|became|becoming|look|looked|looks|seem"
            r"|seemed) (?:[\w-]+ ){0,4}"
        ),
        lambda sentence, _: sentence.is_question,
    ),
    _rule(Wording.judging, r"!{3,}|!\?|\?!"),
    _rule(
        Wording.judging,
        rf"\b(?:lack(?:ed|s|ing)? (?:of )?|zero |insufficient |inadequate |absence of |total lack of )(?:\w+ (?:and"
        rf"|or) |\w+ )?{VIRTUES}\b",
        _followed_by(r" (?:map|matrix|list|file|field|rates?)\b"),
    ),
    _rule(
        Wording.judging,
        rf"\b(?:insufficient|inadequate|inadequately|insufficiently|poor|poorly|badly|terrible|lousy) {WORK}\b",
        _denied,
    ),
    _rule(
        Wording.judging,
        r"\b(?:bad|terrible|awful|poor|horrible|questionable|stupid|dubious|crazy|rash|hasty|wrong) (?:decisions?"
        r"|judge?ments?|ideas?|choices?|attitude|behaviou?r|job|habits?|practices?)\b"
        r"|\b(?:a|the) (?:bad|wrong|poor|terrible) call\b",
        _denied,
        lambda sentence, _: sentence.is_question,
    ),
    _rule(
        Wording.judging,
        r"\b(?:rookie|beginner'?s?|basic|elementary|silly|schoolboy|classic|dumb|huge|big|costly|serious|grave"
        r"|unnecessary|avoidable|terrible|simple|needless|bad|major) (?:mistakes?|blunders?)\b"
        r"|\b(?:rookie|beginner'?s?|elementary|silly|schoolboy|stupid) errors?\b",
        _denied,
    ),
    _rule(
        Wording.judging,
        r"\b(?:was|is|were|are|such|what|been|it's|that's|like) (?:an? |(?:\w+ly )|complete |total |utter |absolute "
        r"|pure ){0,3}(?:disaster|mess|joke|shambles|farce|train ?wreck|nightmare|fiasco|circus|clown show|garbage"
        r"|trash|useless|hopeless|naive|chaos)\b",
        _denied,
        _followed_by(
            r"[- ](?:recovery|collect\w*|plan|site|monkey|engineering|mesh|datetimes?|implementation|bayes)\b"
        ),
    ),
    _rule(
        Wording.judging,
        r"\b(?:no excuse|any competent|common sense|know(?:n)? better|knew better|asleep at the wheel|(?:drop|drops"
        r"|dropped|dropping) the ball|cut(?:s|ting)? corners"
        r"|(?:couldn't|could not) be bothered|couldn't care less|nobody (?:cared|could be bothered)|what (?:were"
        r"|was) (?:they|you|we|he|she|\ue100+) thinking"
        r"|screwed up|messed up|fucked up|screw-?ups?|should be ashamed|not acceptable|beyond me|beggars belief"
        r"|can't believe|cannot believe|amateur hour"
        r"|nobody in their right mind|in their right mind|(?:grossly|totally|wholly|completely"
        r"|utterly) (?:insufficient|inadequate|unprepared|wrong|irresponsible)"
        r"|(?:painfully|shockingly|incredibly|embarrassingly) (?:slow|bad|late|poor|weak|long)|(?:way|far"
        r"|much) too (?:slow|slowly|late|long) to (?:react|respond|answer|act|notice|tell|escalate|decide)"
        r"|blindly (?:trust|follow|copy|copied|copying|deploy|merg|push|accept|approv|restart|ran|run)\w*|(?:badly"
        r"|poorly) (?:written|built|made|designed))\b",
        _preceded_by(r"\b(?:so|nobody|we|no one) (?=can't believe we got)"),
    ),
    _rule(
        Wording.judging,
        r"\b(?:needless(?:ly)?|inexcusably|wilfully|willfully|wantonly)\b",
        _denied,
        _followed_by(r" to say"),
    ),
)

RULES: Sequence[Rule] = (*WHY_WHO, *COUNTERFACTUAL, *PERSON, *SINGLE_CAUSE, *HUMAN_ERROR, *JUDGING)
"""The first that finds something is the one that is spoken of."""
