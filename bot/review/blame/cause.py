"""A single cause, where an incident has several contributors."""

from collections.abc import Sequence

from bot.review.blame.excuses import a_term, beside, denied, followed_by
from bot.review.blame.parts import W
from bot.review.blame.reading import Rule, Wording, rule

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
    rule(Wording.single_cause, r"\b(?<!\.)root[ -]?causes?\b(?!\.\w)|\brca\b", denied, a_term),
    rule(
        Wording.single_cause,
        rf"\bthe (?:(?:{ONLY}|whole|likely|probable|obvious|original) ){{0,2}}(?:cause|culprit)(?: (?:of|for"
        rf"|behind) (?:{W} ){{0,6}}?{W})?"
        r" (?:was|is|were|turned out to be|must be|must have been)\b",
        followed_by(OPEN),
        denied,
        lambda sentence, _: sentence.is_question,
    ),
    rule(Wording.single_cause, rf"\b{ONLY} (?:cause|culprit)\b", denied, followed_by(OPEN), a_term),
    rule(
        Wording.single_cause,
        rf"^[\W_]{{0,6}}(?:the )?(?:cause|culprit)(?: (?:of|for) (?:{W} ){{0,6}}?{W})? ?[:=](?! ?(?:unknown|unclear"
        rf"|open|tbd|\?))",
        a_term,
    ),
    rule(
        Wording.single_cause,
        r"\b(?:was|were|is|as|be|found|identified|are) the (?:\w+ )?(?:cause|culprit)\b",
        denied,
        lambda sentence, _: sentence.is_question,
        beside(r"\b(?:whether|if|may|might|could)\b"),
    ),
    rule(
        Wording.single_cause,
        r"\b(?:one and only|exactly one|one single|a single|only one|just one|the sole|the only) (?:trigger|reason"
        r"|cause|explanation|culprit|factor)\b",
        denied,
        followed_by(r" (?:we|i|they|to|not)\b"),
    ),
    rule(Wording.single_cause, r"\b(?:smoking gun|the culprit)\b", denied, a_term),
    rule(
        Wording.single_cause,
        r"\b(?:boils?|boiled|comes?|came) (?:all )?down to (?!earth|a vote|zero|\d|the (?:ground|wire))"
        r"|\bexplains (?:everything|it all|the (?:whole|entire))\b",
        denied,
    ),
    rule(
        Wording.single_cause,
        r"\bthe (?:only|sole|single|one|real|whole) (?:reason|thing|factor|problem)\b.{0,60}?\b(?:was|is|that caused"
        r"|responsible)\b",
        denied,
        beside(r"\b(?:to (?:do|check|watch)|we (?:could|can|had|have))\b"),
    ),
    rule(
        Wording.single_cause,
        r"\b(?:outage|incident|downtime|whole thing|disruption|everything|all of (?:this|it)|it all|this all"
        r"|entire (?:outage|incident|thing))"
        r" (?:(?:was|is|were|happened|came|occurred|broke|started|failed|died|stopped|went wrong|went down"
        r"|fell over) )(?:(?:\w+ly|just|only|all|about) ){0,2}"
        r"(?:caused by|down to|due to|because(?: of)?|the result of|a result of|the fault of|on account of)\b",
        denied,
        followed_by(r" (?:start|begin|end|several|many|two|three|a combination|a mix|finish|more than)\b"),
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.single_cause,
        r"\b(?:solely|purely|entirely|exclusively) (?:because of|because|due to|caused by|the fault of|down to|by)\b"
        r"|\bcaused (?:solely|purely|entirely|only|exclusively|simply) by\b|\b(?:all|simply) (?:because of|due to"
        r"|down to|caused by)\b",
        denied,
    ),
    rule(
        Wording.single_cause,
        r"\bthe reason (?:for|behind|why) (?:the |this |that |our |all )?(?:\w+ )?(?:outage|incident|downtime"
        r"|disruption|crash|failure|this|everything)\b.{0,40}?\b(?:was|is)\b"
        r"|^[\W_]{0,6}the reason (?:was|is)\b|\bwhat (?:really )?caused (?:the|this|it)\b.{0,40}\b(?:was|is)\b",
        followed_by(OPEN),
        lambda sentence, _: sentence.is_question,
    ),
    rule(
        Wording.single_cause,
        r"\broot (?:problem|issue|reason|trigger)\b|\broot of (?:the|this|it|all) (?:problem|issue|outage|incident"
        r"|evil|matter|trouble|all)"
        r"|\bcaused (?:the|this) (?:whole|entire) (?:outage|incident|thing|mess|chain)\b|\b(?:pure"
        r"|plain) and simple\b|\bend of story\b|\bcase closed\b|\bsimple as that\b"
        r"|\bit(?:'s| is| was) always dns\b",
        denied,
    ),
)
