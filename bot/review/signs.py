"""The signs in what was said: words by which a message may belong on a timeline that nobody wrote meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from bot.review.timeline import (
    ACTION_TAKEN,
    COMMUNICATION,
    DECISION,
    DETECTION,
    DIAGNOSIS,
    HANDOVER,
    MITIGATION,
    NEGATED,
    NOT_SAID,
    Kind,
    any_of,
)


@dataclass(frozen=True)
class Cue:
    """Words that make a message worth adding: why, how much, and the kind of event they tell of."""

    why: str
    worth: float
    kind: Kind | None
    words: tuple[re.Pattern[str], ...]

    @cached_property
    def any_word(self) -> re.Pattern[str]:
        """Its words in one pattern, in lower case: most messages have none of them, and are read only once for it."""
        return re.compile("|".join(words.pattern for words in self.words), re.MULTILINE)


def _starts(*phrases: str) -> re.Pattern[str]:
    """These words as the first of a sentence or line: so people report what they just did, or greet."""
    leave = r"(?:(?:ok(?:ay)?|yes|so|and|now|right|alright|just)\W+)?"
    return re.compile(rf"^\W*{leave}(?:{'|'.join(phrases)})", re.IGNORECASE)


CHANGE = (
    r"(?:roll|revert|restart|reboot|fail|switch|disable|block|scale|drain|page|stop|pause|freeze|turn|move|ship|deploy)"
)
"""What one may decide to do."""
DO = (
    r"(?:stopp|paus|mut|kill|cancel|appl|patch|push|start|delet|remov|add|increas|rais|lower|switch|mov|re-?rout|block"
    r"|disabl|enabl|turn|drain|clear|purg|rotat|revok|isolat|replac|rebuil|restor|throttl|limit|shedd|freez|swapp"
    r"|resum|copi|end|chang|correct|import|export|replay|re-?send|re-?index|sync|install|upgrad|downgrad|updat|reset"
    r"|unplugg|plugg|pull|mount|cordon|quarantin|truncat|vacuum|migrat|backfill|regenerat|renew|reissu|extend|flush)"
)
"""What one may do to a system."""
DONE = (
    r"(?:stopped|paused|muted|killed|cancelled|applied|patched|started|deleted|removed|switched|moved|blocked|disabled"
    r"|enabled|off|drained|cleared|rotated|revoked|isolated|replaced|rebuilt|restored|throttled|frozen|resumed|changed"
    r"|corrected|imported|replayed|resent|installed|upgraded|downgraded|updated|reset|unplugged|mounted|migrated"
    r"|renewed|reissued|extended|flushed|swapped|capped|raised|lowered)"
)
WRONG = (
    r"(?:expired|full|stuck|missing|wrong|lost|corrupt(?:ed)?|duplicated?|broken|exhausted|overloaded|unreachable"
    r"|refused|rejected|locked|blocked|leaked|leaking|hanging|behind|out of (?!the)\w+|offline|dark|empty|stale"
    r"|too \w+|twice|skewed)"
)
PEOPLE = r"(?:customers?|users?|clients?|partners?|subscribers?|merchants?|everyone|everybody)"
COUNTED = (
    r"(?:customers?|users?|orders?|accounts?|payments?|tickets?|requests?|messages?|records?|jobs?|invoices?|shops?)"
)
TOLD = r"(?:out|sent|up|published|live|posted)"
LOAD = r"(?:errors?|queue|backlog|latency|lag|p9\d|rate|load)"

CUES: tuple[Cue, ...] = (
    Cue(
        "it says that it is over",
        6,
        Kind.mitigation,
        (
            MITIGATION,
            any_of(r"mitigated", r"resolved", r"all[ -]clear", r"(?:incident|it)(?: is|['’]s)? (?:over|closed)"),
        ),
    ),
    Cue(
        "a hand-over",
        5.5,
        Kind.handover,
        (
            HANDOVER,
            any_of(
                r"hand-?overs?",
                r"over to (?:you|@\w+)",
                r"i(?:['’]ll)? take (?:it|over|both|this|that) (?:from|now|over)",
                r"you have (?:the lead|it|the incident|command)",
                r"(?:signing|logging) off",
                r"new (?:lead|incident commander|commander)",
                r"(?:i['’]m|i am|you['’]re|you are) (?:the )?(?:lead(?:ing)?|ic|incident commander|on point)",
                r"i['’]ll lead",
            ),
        ),
    ),
    Cue(
        "a decision",
        5,
        Kind.decision,
        (
            DECISION,
            any_of(
                r"decision",
                r"decided",
                r"go ahead",
                r"approved",
                rf"(?:we|i)(?:['’]ll| will) {CHANGE}",
                r"declar(?:e|ed|ing)",
                r"call(?:ing)? (?:it|this) (?:a )?sev",
                r"(?:rais|upgrad|downgrad|bump|lower)(?:e|ed|ing) (?:it |this )?to sev",
                r"we (?:stay|wait|hold|accept|keep|won['’]t|do not|don['’]t)",
            ),
            _starts(r"go(?=[.,;:]|$)", r"do it\b", r"go for it\b", r"agreed\b", r"sev-?\d"),
        ),
    ),
    Cue(
        "a rollback",
        5.5,
        Kind.action_taken,
        (
            any_of(
                r"roll(?:ed|ing) (?:\S+ ){0,2}back",
                r"revert(?:ed|ing)",
                r"rollback (?:is |was )?(?:done|started|running)",
            ),
        ),
    ),
    Cue(
        "a rollback",
        3,
        None,
        (any_of(r"roll(?:s)?[ -]?(?:it |this |that |them )?back", r"reverts?", r"back (?:to|on) v?\d[\w.]*"),),
    ),
    Cue(
        "an attempt that did not help",
        5,
        Kind.action_taken,
        (
            any_of(
                r"(?:made|makes|making|got|getting|gets) (?:it |things |that )?worse",
                r"(?:did|does|has|is)(?:n['’]t| not) (?:help(?:ed|ing)?|work(?:ed|ing)?|chang(?:ed|ing|e)|fix(?:ed)?)",
                r"no (?:effect|difference|improvement|change)",
                r"back again",
                r"(?:same|errors?|failing|broken|down) again",
                r"still (?:failing|broken|down|happening|the same|bad|there|climbing|rising|growing|dropping)",
                r"(?:same|exactly) as before",
                r"without (?:any )?(?:effect|success|luck|change)",
                r"(?:that|this|it) (?:wasn['’]t|was not|isn['’]t|is not) (?:it|enough)",
                r"wrong (?:again|guess|track|theory)",
                r"(?:rollback|restart|deploy|migration|fix|it) failed",
                r"failed (?:again|with|at|because|to)",
                r"gave up",
            ),
        ),
    ),
    Cue(
        "a restart or fail-over",
        5,
        Kind.action_taken,
        (
            any_of(
                r"restart(?:ed|ing)",
                r"reboot(?:ed|ing)",
                r"fail(?:ed|ing)[ -]?(?:\S+ )?(?:over|back)",
                r"scal(?:ed|ing) (?:\S+ )?(?:up|out|down|in|to)",
                r"promot(?:ed|ing)",
            ),
        ),
    ),
    Cue(
        "a restart or fail-over",
        3,
        None,
        (any_of(r"restarts?", r"reboots?", r"fail-?over", r"fail (?:it )?over", r"scale (?:up|out|down|to)"),),
    ),
    Cue(
        "word to customers",
        4.5,
        Kind.communication,
        (
            COMMUNICATION,
            any_of(
                r"status ?page",
                rf"{PEOPLE} (?:mail|e-?mail|message|notice|banner)",
                rf"(?:mail|e-?mail|notice|banner|letter|statement|announcement) (?:is |went |has gone |was )?{TOLD}",
                rf"(?:e-?mailed|mailed|wrote to|called|told|informed|notified|warned) (?:\S+ ){{0,3}}{PEOPLE}",
            ),
            _starts(r"published\b", r"sent to\b"),
        ),
    ),
    Cue(
        "what was found",
        4.5,
        Kind.diagnosis,
        (
            any_of(
                r"found (?:it|something|the|a|one|out|what|why|that)",
                r"turn(?:s|ed) out",
                r"(?:root )?cause[ds]? (?:is|was|by|of)",
                r"(?:that['’]?s|this is|that is|which is) (?:why|what|the (?:cause|reason|problem|culprit))",
                r"(?:the|our) (?:problem|culprit|reason|bug|trigger) (?:is|was)",
                r"(?:is|was|are|were)(?:n['’]t| not|) (?:it|them|us|ours?|innocent)",
                r"rul(?:ed?|es|ing) (?:\S+ )?out",
                r"(?:it|that|this|which) (?:explains|matches|confirms|means)",
                r"confirmed",
                r"reproduced?",
                r"oh no",
                r"because",
                r"(?:only|all|none|every one|each) of (?:the|them|those|these)",
                r"(?:what|all) (?:they|these|those) have in common",
                r"(?:exactly|always) (?:when|the)",
                r"ever since",
                r"differs?",
            ),
        ),
    ),
    Cue(
        "a recovery",
        4.5,
        None,
        (
            any_of(
                r"fixed",
                r"recover(?:ed|y|ing|s)",
                r"back (?:to normal|up|online|in sync|on)",
                r"(?:all|everything(?: is)?|are|is) (?:green|healthy|clean|normal|stable|good)",
                r"works? again",
                r"work(?:s|ing) (?:now|for)",
                r"(?:on|up|running|open|live) again",
                rf"{LOAD} (?:\S+ ){{0,4}}(?:down|falling|dropping|gone|zero|empty|drained)",
                r"caught up",
                r"zero left",
                r"verified",
            ),
        ),
    ),
    Cue(
        "a proposal",
        4,
        Kind.decision,
        (
            any_of(
                r"proposal", r"i (?:propose|suggest)", r"(?:the )?plan(?=:)", r"(?:our|new) plan is", r"options(?=:)"
            ),
        ),
    ),
    Cue(
        "a first sign",
        4,
        Kind.detection,
        (
            DETECTION,
            any_of(
                r"paged",
                r"(?:got|getting|have|had|first) (?:\S+ ){0,3}(?:complaints?|reports?|tickets?|calls?|alerts?)",
                r"opening (?:this|an incident)",
            ),
        ),
    ),
    Cue(
        "a deployment",
        4.5,
        Kind.action_taken,
        (
            any_of(
                r"(?:re)?deploy(?:ed|ing)",
                r"releas(?:ed|ing)",
                r"roll(?:ed|ing) out",
                r"shipp(?:ed|ing)",
                r"(?:is|are|now|went) live",
                r"merged",
            ),
        ),
    ),
    Cue("a deployment", 2.5, None, (any_of(r"deploy(?:s|ment)?", r"release", r"rollout", r"hot-?fix", r"canary"),)),
    Cue(
        "a suspicion",
        3.5,
        Kind.diagnosis,
        (
            DIAGNOSIS,
            any_of(
                r"suspect\w*", r"i think (?:this|it|that|we)", r"my bet", r"hypothesis", r"correlat\w+", r"lines up"
            ),
        ),
    ),
    Cue(
        "something that was done",
        3.5,
        Kind.action_taken,
        (
            ACTION_TAKEN,
            any_of(
                rf"(?:i|we)(?:['’]ve| have|['’]re| are|['’]m| am)? (?:just |now )?{DO}\w*",
                rf"(?:is|are|was|were|been) (?:\w+ )?{DONE}",
                r"(?:off|on) (?:now|again)",
            ),
        ),
    ),
    Cue(
        "something that was done",
        4.5,
        Kind.action_taken,
        (_starts(rf"{DO}(?:ed|ing|p?ed|p?ing)\b", r"(?:done|finished|completed?)(?=[\s.,;:]|$)"),),
    ),
    Cue("how many were touched", 3, None, (any_of(rf"\d[\d,.]* (?:\S+ ){{0,2}}{COUNTED}"),)),
    Cue(
        "how it changed",
        3.5,
        None,
        (
            any_of(
                r"from [~\d][\d.,%]*\s?\S{0,6} to [~\d]\S*",
                r"(?:down|up|dropp?(?:ed|s|ing)?|fell|rose|climb(?:ed|s|ing)|jumped|spiked) (?:to|by|at|from) [~\d]\S*",
                r"(\d+) of \1",
            ),
        ),
    ),
    Cue(
        "what was wrong",
        3,
        Kind.diagnosis,
        (
            any_of(
                rf"(?:is|are|was|were|has|have|had|got|been|gets?|went|goes|runs?|ran) (?:\w+ )?{WRONG}",
                r"mismatch(?:es)?",
                r"times? out",
                r"timed out",
                r"(?:does|do|did)(?:n['’]t| not) (?:match|agree|add up|fit|arrive|start|answer|respond|come up)",
                r"(?:double|wrong|missing|lost|corrupt|stale|expired) \w+",
            ),
        ),
    ),
    Cue(
        "somebody was called in",
        3,
        Kind.communication,
        (any_of(r"paging", r"calling @\w+", r"escalat(?:ed|ing|e)", r"brought in", r"woke", r"ticket (?:with|to|at)"),),
    ),
)
DENYING = {"what was found", "an attempt that did not help", "a decision", "a hand-over"}
"""Cues whose own words deny something."""
PLEASANTRY = _starts(
    r"(?:thanks?|thx|cheers|hi|hello|hey|morning|good (?:morning|night|evening)|lol|haha\w*|sorry|no worries|np|noted"
    r"|nice|great|welcome|looking|reading|one (?:sec|moment|minute)|brb|on it|ack)\b"
)
SOCIAL = any_of(
    r"thank(?:s| you)",
    r"sorry",
    r"well done",
    r"good (?:work|job|luck)",
    r"please",
    r"coffee",
    r"tea",
    r"lunch",
    r"dinner",
    r"breakfast",
    r"cake",
    r"pizza",
    r"eat",
    r"eaten",
    r"sleep",
    r"home",
    r"bed",
    r"haha\w*",
    r"lol",
    r"proud",
    r"love",
    r"birthday",
    r"weekend",
    r"(?:deep )?breath",
    r"drink",
)
"""Kindness, which is not on a timeline."""
ONESELF = any_of(r"i", r"i['’](?:m|d|ll|ve)", r"my", r"me")
SEVERITY = any_of(r"sev-?[0-4]", r"p[01]")
NUMBER = re.compile(r"(?<![\w.])\d[\d.,:]*")
LISTED = re.compile(r"^[^\S\n]*(?:[•*–-]|\d+[.)])\s", re.MULTILINE)
EMOJI = re.compile(r":[a-z0-9_+'-]+:")


def cues_of(text: str) -> list[Cue]:
    """The cues of what somebody said, the weightiest first, each reason once.

    What is asked, denied or only thought of does not count.
    """
    stated = [sentence for sentence in sentences(text) if not sentence.endswith("?")]
    every = "\n".join(stated).lower()
    found = sorted(
        (cue for cue in CUES if cue.any_word.search(every) and any(_tells(one, cue) for one in stated)),
        key=lambda cue: -cue.worth,
    )
    weightiest: dict[str, Cue] = {}
    for cue in found:
        weightiest.setdefault(cue.why, cue)
    return list(weightiest.values())


def sentences(text: str) -> list[str]:
    """The speaker's own sentences, without quotes, code and emoji."""
    own = EMOJI.sub(" ", NOT_SAID.sub(" ", text))
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n", own) if part.strip()]


def _tells(sentence: str, cue: Cue) -> bool:
    matches = (words.search(sentence) for words in cue.words)
    return any(match and (cue.why in DENYING or not NEGATED.search(sentence[: match.end()])) for match in matches)
