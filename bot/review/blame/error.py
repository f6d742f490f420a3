"""Human error: the search ends at a person, or asks people to be more careful."""

from collections.abc import Sequence

from bot.review.blame.excuses import a_term, beside, denied, followed_by, preceded_by
from bot.review.blame.parts import ADVERB, SOMEBODY, W
from bot.review.blame.reading import Rule, Wording, rule

CARE = r"(?:careful|vigilant|attentive|diligent|cautious|disciplined|conscientious|mindful)"
HUMAN_ERROR: Sequence[Rule] = (
    rule(
        Wording.human_error,
        r"\b(?:human|pilot|engineer|people|person|personal|administrator|admin|developer|dba"
        r"|sysadmin)(?:'s)?[- ](?:errors?|mistakes?|failures?|blunders?)\b"
        r"|\b(?:operator|user|manual)[- ](?:error|mistakes?|blunders?)\b",
        denied,
        a_term,
        preceded_by(
            r"\b(?:share|number|rate|count|types?|kinds?|class|classes|percentage) of |\b[A-Z][\w-]+ (?-i:operator)"
        ),
        followed_by(
            r"[- ]?(?:rates?|messages?|pages?|codes?|counts?|dashboards?|responses?|logs?|budget|reports?|handling"
            r"|handler|class|metric|counter|in the logs?|\(|=|:\d)"
        ),
    ),
    rule(
        Wording.human_error,
        r"\b(?:pebkac|pebcak|fat[- ]?finger(?:s|ed|ing)?|absent-?minded(?:ly|ness)?|brain ?fart|mis-?clicked"
        r"|mis-?typed)\b",
        denied,
    ),
    rule(
        Wording.human_error,
        r"\b(?:forgot|forgets|forgotten|forgetting|forgetful(?:ness)?)\b(?!-)",
        denied,
        followed_by(
            r"[- ]?(?:password|passcode|pin|my|your)\b|[- ]\w+[- ](?:link|page|form|flow|e-?mail|screen|endpoint"
            r"|button|mails?)\b"
        ),
    ),
    rule(
        Wording.human_error,
        rf"\b(?:be|being|been|get) (?:(?:a (?:bit|little|lot)|much|far|way|extra|very|so|even|more|super|really|just"
        rf"|all) ){{0,3}}{CARE}\b"
        rf"|\b(?:wasn't|weren't|isn't|aren't|not|never|hardly) (?:being )?(?:(?:very|really|too|so"
        rf"|at all) )?{CARE}\b|\b(?:more|extra|too little) {CARE}\b"
        rf"|\b{CARE} enough\b|\bstay (?:alert|focused|sharp)\b",
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.human_error,
        r"\b(?:more|greater|better|extra|enough|due|insufficient|inadequate|little|lack of|lacked|lacks|poor"
        r"|no) (?:\w+ (?:and|or) )?"
        r"(?:care|attention|diligence|vigilance|discipline|caution|concentration|attentiveness|training)\b",
        followed_by(r" (?:from the press|plan|team|data|set|runs?|job|about)\b"),
        preceded_by(
            r"\b(?:needs?|needed|takes?|with|get|gets|got|have|has|had|deserves?|drew|draws?) (?:a )?(?:lot "
            r"|little )?(?=no )"
        ),
    ),
    rule(
        Wording.human_error,
        r"\bpay(?:ing|s)? (?:closer|more|enough|better|any|much|proper|close) attention\b"
        r"|\b(?:not|n't|never|must|should|needs? to|has to|have to|had to|please) pay(?:ing)? attention\b",
    ),
    rule(
        Wording.human_error,
        r"\b(?:take|takes|taking|took|taken) (?:(?:more|better|extra|greater|enough) )care\b(?! of)"
        r"|\btake care (?:when|not|to|with|that|next)\b",
    ),
    rule(
        Wording.human_error,
        r"\b(?:inattenti(?:on|ve|veness)|inexperienced|undertrained|untrained (?:staff|engineer|people|person))\b",
        denied,
    ),
    rule(
        Wording.human_error,
        r"\bre-?train(?:ed|ing|s)?\b",
        beside(
            r"\b(?:models?|classifier|weights|embeddings?|network|ranker|recommender|predictor|detector|epochs?"
            r"|dataset|gpus?|nightly|weekly|feature store|ml)\b"
        ),
    ),
    rule(
        Wording.human_error,
        rf"\b(?:needs?|require[sd]?|send|additional|mandatory|refresher|proper) (?:{W} ){{0,4}}?(?:training|trained"
        rf"|refresher)\b",
        beside(r"\b(?:models?|dataset|data set|gpus?|epochs?)\b"),
    ),
    rule(
        Wording.human_error,
        rf"{SOMEBODY}(?: (?:{ADVERB}|had|has|have|who)){{0,2}} (?:made|makes|make) (?:an?|the|some|another|this|that"
        rf"|several) (?:{W} )?(?:mistakes?|errors?|blunders?|typos?|slip)\b",
    ),
    rule(
        Wording.human_error,
        r"\b(?:must|should|need to|needs to|has to|have to|please|always|everyone|people|engineers"
        r"|next time) (?:to )?(?:always )?"
        r"(?:remember to|try harder|do better|think before|think twice|concentrate|focus better|double[- ]check"
        r"|be reminded)\b",
        lambda sentence, _: "?" in sentence.text,
    ),
    rule(
        Wording.human_error,
        r"\bremind (?:everyone|everybody|people|engineers|staff|the team|all|developers|operators|the on-?call|him"
        r"|her|them|[\w-]+ (?:team|engineers|staff))\b",
    ),
    rule(
        Wording.human_error,
        r"\b(?:wasn't paying|weren't paying|not paying|weren't concentrating|wasn't concentrating|not concentrating"
        r"|slipped (?:his|her|my|our|their|someone's) minds?"
        r"|(?:due to|was|by|through|an?) (?:\w+ )?oversight (?:by|on|from|of (?:the|an?|our) (?:\w+ )?(?:engineer"
        r"|team|operator|person))|was an oversight)\b",
    ),
    rule(
        Wording.human_error,
        r"\b(?:error|mistake|slip|lapse|typo) (?:on the part of|by (?:the|an?|our|one of) (?:\w+ ){0,2}(?:engineer"
        r"|operator|developer|on-?call|responder|admin|dba|person|colleague|team))\b",
    ),
    rule(
        Wording.human_error,
        rf"{SOMEBODY}(?: (?:{ADVERB}|had|has|have)){{0,2}} (?:accidentally|mistakenly|inadvertently|carelessly"
        rf"|by mistake|by accident|erroneously|absent-?mindedly|wrongly|unthinkingly)\b"
        r"|\b(?:accidentally|mistakenly|inadvertently) \w+ed by (?:an?|the|one|our|somebody|someone)\b",
    ),
    rule(
        Wording.human_error,
        rf"\b(?:not following|didn't follow|did not follow|failed to follow|without following|ignored|ignoring"
        rf"|violated|violating) (?:the |our )?(?:{W} )?(?:process|processes|procedure|procedures|protocol|rules"
        rf"|guidelines|policy)\b",
        beside(r"\b(?:firewall|routing|robots|cors|eviction|retention|network)\b"),
    ),
)
