"""A person at fault: who is named as the one who broke it."""

from collections.abc import Sequence

from bot.review.blame.excuses import asked_openly, denied, followed_by
from bot.review.blame.parts import ADVERB, BLAMED, DEEDS, GOOD_DEEDS, NAMED, ONE_PERSON, W
from bot.review.blame.reading import Rule, Wording, rule

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
    rule(
        Wording.person_at_fault,
        rf"{BLAMED}(?: (?:{ADVERB}|had|has|have|who|once|apparently|then|clearly|and)){{0,3}},? {FAULTS}\b",
        asked_openly,
    ),
    rule(
        Wording.person_at_fault,
        rf"{BLAMED} (?:[\w',/-]{{1,30}} ){{1,8}}and (?:then |so |thus |thereby )?"
        rf"(?:broke|crashed|wiped|killed|forgot|took down|took (?:{W} ){{1,3}}down|caused|ruined|wrecked|messed up"
        rf"|brought down)\b",
    ),
    rule(
        Wording.person_at_fault,
        rf"{ONE_PERSON}(?: (?:{ADVERB}|simply|just|and)){{0,2}} {NOT_DONE}",
        followed_by(r" (?:yet|because)\b"),
    ),
    rule(
        Wording.person_at_fault,
        r"\bi (?:broke|crashed|messed up|screwed up|ruined|wrecked|took (?:\w+ )?down|caused the)\b",
    ),
    rule(
        Wording.person_at_fault,
        rf"{NAMED}'s? (?:{W} ){{0,3}}?(?:mistake|error|fault|blunder|typo|oversight|negligence|carelessness"
        rf"|screw-?up|mess|bug"
        r"|failure|incompetence|laziness|doing|(?:bad|broken|faulty|sloppy|buggy|untested|wrong) \w+)\b",
    ),
    rule(
        Wording.person_at_fault,
        rf"{NAMED}'s? (?:{W} ){{1,4}}?(?:broke|caused|crashed|took down|took out|brought down|killed|wiped|corrupted"
        rf"|triggered"
        r"|led to|wrecked|ruined|took (?:\w+ ){1,3}down)\b",
    ),
    rule(
        Wording.person_at_fault,
        rf"\bit was (?:{NAMED}|him|her|you)(?:,? (?:who|that)) (?:{ADVERB} )?(?!{GOOD_DEEDS}\b)\w+",
    ),
    rule(
        Wording.person_at_fault,
        rf"\b(?:this|that|it|one|mess|outage|incident|all)(?:'s| is| was) (?:(?:all|entirely|squarely|really|mostly"
        rf"|totally|purely) )?on {NAMED}(?!'|\w| (?:laptop|side|screen))",
    ),
    rule(Wording.person_at_fault, rf"\b(?:can|could|may) (?:all )?thank {NAMED} for\b"),
    rule(
        Wording.person_at_fault,
        rf"\b(?:faulty|bad|broken|wrong|buggy|untested|offending) (?:{W} ){{1,3}}(?:came from|comes from|is from"
        rf"|was from|was by|by|from|of) {NAMED}",
    ),
    rule(
        Wording.person_at_fault,
        rf"\b(?:bug|mess|typo|mistake|outage|error|regression|(?:faulty|bad|broken|wrong|buggy) \w+) (?:that "
        rf"|which )?{NAMED} "
        r"(?:had )?(?:introduced|wrote|written|shipped|pushed|made|caused|deployed|merged|left)\b",
    ),
    rule(
        Wording.person_at_fault,
        r"\b(?:my|your|his|her|their|our|\w+'s) (?:own )?(?:fault|blunder|screw-?up)\b",
        denied,
        followed_by(r"[- ](?:line|lines|tolerance|injection|domain|domains|rate|zone|handler)\b"),
    ),
    rule(Wording.person_at_fault, r"\b(?:my|your|his|her) (?:own )?(?:mistake|error)\b", denied),
    rule(
        Wording.person_at_fault,
        rf"\b(?:broken|caused|deleted|crashed|triggered|introduced|messed up|wiped|misconfigured|killed|screwed up"
        rf"|forgotten|ignored|skipped|botched) by {NAMED}",
        denied,
    ),
    rule(
        Wording.person_at_fault,
        rf"\b(?:because of|due to|blame[ds]?|blaming|fault of"
        rf"|on account of) {NAMED}",
        denied,
    ),
    rule(Wording.person_at_fault, r"\b(?:is|was|are|were|be) (?:\w+ )?(?:to blame|at fault)\b", denied, asked_openly),
)
