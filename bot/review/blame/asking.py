"""Why and who: questions to defend oneself against."""

from collections.abc import Sequence

from bot.review.blame.excuses import SEARCHED, followed_by, is_inside, is_no_question
from bot.review.blame.parts import NAMED, ONE_PERSON, SOMEBODY, W
from bot.review.blame.reading import Rule, Wording, rule

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
WHY_WHO: Sequence[Rule] = (
    rule(
        Wording.why_who_question,
        rf"\bwhy (?:(?:on earth|exactly|then) )?"
        rf"(?:did|didn't|do|don't|does|doesn't|was|were|wasn't|weren't|has|have|had|hasn't|haven't|hadn't|would"
        rf"|wouldn't"
        rf"|could|couldn't|can't|is|isn't|are|aren't|should|shouldn't) (?:the |our |your |a "
        rf"|an )?(?:{W} ){{0,2}}?{SOMEBODY}",
        is_no_question,
    ),
    rule(Wording.why_who_question, rf"\bhow come (?:the |our )?(?:{W} ){{0,2}}?{SOMEBODY}"),
    rule(Wording.why_who_question, r"\bwhy (?:on earth|the hell|in the world|the heck)\b"),
    rule(
        Wording.why_who_question,
        r"\bwhy (?:nobody|no one|so (?:late|slow|long)|did it take|is it always)\b",
        is_no_question,
    ),
    rule(
        Wording.why_who_question,
        rf"\bwhy (?:was|were|wasn't|weren't|is|isn't|hasn't|had|hadn't) (?:{W} ){{0,6}}?{PASSIVES}\b",
        is_no_question,
    ),
    rule(
        Wording.why_who_question,
        rf"\b(?:explain|tell (?:me|us)|justify|want to know|like to know|asked? (?:him|her)) why {ONE_PERSON}",
    ),
    rule(
        Wording.why_who_question,
        rf"\bwho(?:'s| is| was| are)?(?: the (?:person|one|idiot|genius)(?: who| that)?| it (?:who|that))?"
        rf"(?: (?:exactly|on earth|the hell|actually|even|again|then|in their right mind))? {ASKED_FOR_WHO}\b",
        is_inside,
        followed_by(r" (?:you|we|they|it affect|this affect|this reach|it reach|each|i|not|support|customers)\b"),
    ),
    rule(
        Wording.why_who_question,
        r"\bwho\b.{1,60}\b(?:and|but|yet) (?:didn't|did not|ignored|failed|still)\b",
        is_inside,
    ),
    rule(
        Wording.why_who_question,
        r"\b(?:whose|who's) (?:fault|idea|mistake|job|change|commit|decision|deploy|responsibility|bug|brilliant"
        r"|bright|call)\b",
        lambda sentence, match: not sentence.is_question and not SEARCHED.search(sentence.before(match)),
    ),
    rule(
        Wording.why_who_question,
        rf"\bwhich (?:one )?of (?:you|us|them|your)\b|\bwhich (?:{W} )?(?:engineer|person|developer|idiot|genius|guy"
        rf"|dev) {ASKED_FOR_WHO}\b",
        is_inside,
    ),
    rule(
        Wording.why_who_question,
        rf"\bhow (?:could|can|did) (?:{NAMED}|you|anyone|anybody|someone|somebody|he|she|they)"
        r" (?:(?:possibly|ever|even|just|have|really) ){0,2}(?:not|miss|missed|forget|forgotten|overlook|overlooked"
        r"|ignore|ignored|let|be so|been so|think)\b",
    ),
)
