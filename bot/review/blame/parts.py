"""The parts that the patterns are made of: who somebody is, and what is told of people."""

from bot.review.blame.reading import PERSON_MARK

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
