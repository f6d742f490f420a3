"""Counterfactuals: what did not happen, seen from afterwards."""

from collections.abc import Sequence

from bot.review.blame.excuses import NOBODY, asked_openly, beside, denied, followed_by, preceded_by, required, spared
from bot.review.blame.parts import ADVERB, NAMED, ONE_PERSON, PARTICIPLE, SOMEBODY, W
from bot.review.blame.reading import Rule, Wording, rule

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
COUNTERFACTUAL: Sequence[Rule] = (
    rule(
        Wording.counterfactual,
        rf"\b{SHOULD} (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b",
        asked_openly,
        required,
        followed_by(r"[- ](?:access|replicas?|permissions?|only|rights?)\b"),
        preceded_by(r"\b(?:thought|assumed|expected|believed|supposed)\b.{0,40}"),
    ),
    rule(Wording.counterfactual, rf"\b{SHOULD}(?: but| and)?\s{{0,3}}(?=[.,;!)…]|$)", asked_openly),
    rule(
        Wording.counterfactual,
        rf"{SOMEBODY}(?: {ADVERB})? (?:could (?:{ADVERB} ){{0,2}}(?:have|of)|could'?ve"
        rf"|coulda) (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b",
        asked_openly,
        spared,
        followed_by(r"(?: \w+)? (?:out|down|worse|data|orders|money)\b"),
        lambda _, match: bool(NOBODY.match(match[0])),
        beside(r"\b(?:could have|could've) (?:lost|run out|ended|meant|been (?:down|hit|affected|any))\b"),
    ),
    rule(
        Wording.counterfactual,
        rf"\b(?:(?:could|might|may) (?:{ADVERB} ){{0,2}}(?:have|of)|could'?ve|coulda|might'?ve) (?:{ADVERB} ){{0,2}}"
        rf"(?:been (?:{ADVERB} ){{0,2}}(?:{SHORTER}|{PREVENTED})|{PREVENTED})\b",
        asked_openly,
        spared,
        preceded_by(r"\b(?:customers?|users?|attackers?|we|anyone|nobody|no one)(?: \w+)? "),
    ),
    rule(
        Wording.counterfactual,
        rf"(?:\bwould|'d) (?:{ADVERB} ){{0,2}}(?:have|of)(?: {ADVERB}){{0,2}} "
        rf"(?:been (?:{ADVERB} ){{0,2}}(?:{SHORTER}|{PREVENTED})|{PREVENTED})\b",
        asked_openly,
        spared,
    ),
    rule(Wording.counterfactual, rf"\b(?:would'?ve|woulda) (?:{ADVERB} ){{0,2}}{PARTICIPLE}\b", asked_openly, spared),
    rule(
        Wording.counterfactual,
        rf"\bwould(?:n't| not| never)(?: {ADVERB})?(?: have|'ve) (?:happened|hurt|been|mattered|gone|occurred|broken"
        rf"|crashed|failed"
        rf"|spread|lost|taken|lasted|escalated|needed|had|come to)\b",
        asked_openly,
        spared,
    ),
    rule(
        Wording.counterfactual,
        rf"(?<!\w)(?:{NAMED}|he|she|you|we|any(?:one|body| {W} (?:engineer|developer|operator|person)))(?: would"
        rf"|'d)(?: {ADVERB})?"
        rf" (?:have|of) (?:{ADVERB} )?{PARTICIPLE}\b",
        asked_openly,
        spared,
    ),
    rule(
        Wording.counterfactual,
        rf"{SOMEBODY}(?: (?:had|have|has|also|again|simply|completely|repeatedly|totally|who|then|just|even"
        rf"|[a-z]+ly)){{0,2}}"
        rf" (?:failed|fail|fails|failing) to (?!{SYSTEM_DEEDS}\b)\w+",
    ),
    rule(Wording.counterfactual, rf"\b(?:failed|fails|failure|failing) to (?:\w+ly )?{HUMAN_DEEDS}\b", denied),
    rule(
        Wording.counterfactual,
        r"\bfailure to (?:test|check|review|notify|act|notice|verify|respond|react|alert)\b",
        denied,
    ),
    rule(
        Wording.counterfactual,
        rf"\bif only (?!\d|one\b|two\b|an? few|some\b|part\b|half\b)(?:{W} ){{1,6}}?(?:had|would|could|were|was)\b"
        rf"|\bif only (?:{W}'d|{NAMED}|i|we|you|he|she|they|someone|somebody)(?!\w)|\bif only\W{{0,5}}$",
    ),
    rule(
        Wording.counterfactual,
        rf"\bif (?:the |our )?(?:{W} )?{SOMEBODY}(?: (?:had|hadn't|had not|would have)|'d|'d have)(?: (?:{ADVERB}"
        rf"|not))? {PARTICIPLE}\b",
        asked_openly,
        spared,
        preceded_by(
            r"\b(?:ask|asked|asks|wonder|wondered|check|checked|see|saw|know|knew|known|sure|unsure|unclear|as|idea"
            r"|tell|matter) "
        ),
    ),
    rule(
        Wording.counterfactual,
        rf"\bif (?:there|it|this|that|(?:the|an?|our|those|these) (?:{W} ){{0,3}}{W}) (?:had|hadn't"
        rf"|had not)(?: (?:{ADVERB}|not))? {PARTICIPLE}\b.{{0,120}}\bwould",
        asked_openly,
        spared,
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.counterfactual,
        rf"\bwould(?:n't| not| never| have).{{0,120}}\b(?:if (?:{W} ){{1,4}}(?:had|hadn't)|had (?:{SOMEBODY}|it|this"
        rf"|that|there|the {W}|those|these) (?:not )?(?:{ADVERB} )?{PARTICIPLE})\b",
        asked_openly,
        spared,
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.counterfactual,
        rf"(?:^\W{{0,6}}|[,:(–—-] ?)(?:{W} )?had (?:{SOMEBODY}|it|this|that|there|(?:the|our|an?|those"
        rf"|these) (?:{W} ){{0,2}}?{W}) (?:{ADVERB} |not |been )?{PARTICIPLE}\b.{{0,120}}\b(?:would|could|might)\b",
        asked_openly,
        spared,
    ),
    rule(Wording.counterfactual, rf"\bhad {SOMEBODY} (?:only|just|simply|bothered|known)\b"),
    rule(
        Wording.counterfactual,
        rf"\b(?:wish|wishes|wished) (?:that )?(?:the |our )?(?:{W} ){{0,3}}(?:had"
        rf"|{W}'d)\b",
    ),
    rule(
        Wording.counterfactual,
        r"\b(?:didn't|did not|never) (?:even )?(?:bother|bothered|think to|thought to|care to|cared to|take the time"
        r"|took the time)\b"
        r"|\b(?:neglected|omitted|neglects) to\b|\bnobody (?:even )?(?:bothered|thought to)\b",
    ),
    rule(Wording.counterfactual, r"\b(?:avoidable|preventable)\b", denied, beside(r"\b(?:whether|how|what)\b")),
    rule(Wording.counterfactual, rf"{ONE_PERSON} (?:was|were) supposed to\b"),
)
