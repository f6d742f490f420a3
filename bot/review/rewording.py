"""Another wording, where a rule can make one that says no less and is good English; else there is none.

A sentence is reworded only where its whole shape is known. What comes out is read again: it is offered only when
nothing about it is to be pointed out any more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from bot.review.blame import Wording
from bot.review.language import SENTENCE, Nudge, is_person, nudge

BASES: Mapping[str, str] = {
    "been": "be", "broken": "break", "brought": "bring", "built": "build", "caught": "catch", "chosen": "choose",
    "come": "come", "cut": "cut", "done": "do", "drawn": "draw", "found": "find", "given": "give", "gone": "go",
    "had": "have", "held": "hold", "kept": "keep", "known": "know", "left": "leave", "let": "let", "made": "make",
    "paid": "pay", "put": "put", "read": "read", "run": "run", "said": "say", "seen": "see", "sent": "send",
    "set": "set", "shown": "show", "shut": "shut", "spoken": "speak", "stopped": "stop", "taken": "take",
    "thought": "think", "told": "tell", "understood": "understand", "written": "write", "asked": "ask",
    "called": "call", "checked": "check", "followed": "follow", "informed": "inform", "involved": "involve",
    "looked": "look", "paged": "page", "restarted": "restart", "reviewed": "review", "rolled": "roll",
    "tested": "test", "updated": "update", "waited": "wait", "warned": "warn", "watched": "watch", "added": "add",
    "announced": "announce", "drained": "drain", "escalated": "escalate", "noticed": "notice", "pinned": "pin",
    "renewed": "renew", "rotated": "rotate", "scaled": "scale", "documented": "document", "verified": "verify",
    "deployed": "deploy", "merged": "merge", "pushed": "push", "changed": "change", "disabled": "disable",
    "enabled": "enable", "started": "start", "handed": "hand", "measured": "measure", "limited": "limit",
    "closed": "close", "opened": "open",
}  # fmt: skip
"""What somebody does, by how it stands after “have”; what is missing here is not reworded."""
PASTS: Mapping[str, str] = {
    "been": "were", "broken": "broke", "chosen": "chose", "come": "came", "done": "did", "drawn": "drew",
    "given": "gave", "gone": "went", "known": "knew", "run": "ran", "seen": "saw", "shown": "showed",
    "spoken": "spoke", "taken": "took", "written": "wrote",
}  # fmt: skip
DONE = {base: participle for participle, base in BASES.items()}
LATER = re.compile(r"\b(?:earlier|sooner|faster|more|better|rather|instead)\b")
"""What is compared with what did not happen has no plain opposite."""


def better(text: str, people: Collection[str] = ()) -> str | None:
    """The text with the sentence that was noticed worded anew; None where no rule can."""
    found = nudge(text, people)
    if found is None:
        return None
    sentence = next(one for one in SENTENCE.finditer(text) if one.start() <= found.start < one.end())
    start, end = sentence.span()
    for reworded in _tries(text[start:end], found, people):
        said = text[:start] + reworded + text[end:]
        if nudge(said, people) is None:
            return said
    return None


def _tries(sentence: str, found: Nudge, people: Collection[str]) -> Sequence[str]:
    said = sentence.strip()
    stop = re.search(r"[.!?…;]*$", said)
    words, end = (said[: stop.start()], stop[0]) if stop else (said, "")
    before = sentence[: len(sentence) - len(sentence.lstrip())]
    tries = (reword(words, people) for reword in REWORDS[found.wording])
    return [before + _capital(one, like=words) + _ended(end) for one in tries if one]


def _capital(words: str, *, like: str) -> str:
    return words[:1].upper() + words[1:] if not like[:1].islower() else words


def _ended(end: str) -> str:
    return "." if "!" in end and "?" not in end else end


# One cause ------------------------------------------------------------------------------------

CAUSE = r"(?:(?:real|main|true|actual|underlying|ultimate|primary|only|single) ){0,2}(?:root[ -]?)?(?:cause|culprit)"
SOUGHT = r"\b(find|discuss|identify|understand|look for|search for)"


def _a_contributor(words: str, _: Collection[str]) -> str | None:
    said = re.sub(
        rf"\bthe {CAUSE} (?:of|for|behind) (.{{1,60}}?) (was|is)\b",
        r"a contributor to \1 \2",
        words,
        flags=re.IGNORECASE,
    )
    said = re.sub(rf"\bthe {CAUSE} (was|is)\b", r"a contributor \1", said, flags=re.IGNORECASE)
    said = re.sub(rf"\b(was|is) the {CAUSE} of\b", r"\1 a contributor to", said, flags=re.IGNORECASE)
    said = re.sub(rf"\b(was|is) the {CAUSE}$", r"\1 a contributor", said, flags=re.IGNORECASE)
    said = re.sub(r"^(?:root[ -]?cause|rca) ?:", "Contributor:", said, flags=re.IGNORECASE)
    said = re.sub(r"^root[ -]?causes ?:", "Contributors:", said, flags=re.IGNORECASE)
    said = re.sub(
        rf"{SOUGHT} the root causes? (?:of|for|behind)\b", r"\1 the contributors to", said, flags=re.IGNORECASE
    )
    said = re.sub(rf"{SOUGHT} the root causes?\b", r"\1 the contributors", said, flags=re.IGNORECASE)
    return said if said != words else None


# Why and who -----------------------------------------------------------------------------------

OBJECT = {"he": "him", "she": "her", "they": "them", "we": "us", "i": "me"}
WHY = re.compile(
    r"why did (?P<who>you|he|she|they|we|i|\S+|the [\w-]+ team|the team) (?P<did>[a-z]+)(?P<rest>\b.*)", re.IGNORECASE
)
WHO = re.compile(r"who (?P<did>[a-z]+) (?P<what>(?:the|this|that|our)(?: [\w-]+){1,3})", re.IGNORECASE)


def _what_led(words: str, people: Collection[str]) -> str | None:
    """`Why did you restart it?` → `What led you to restart it?`"""
    asked = WHY.fullmatch(words)
    if (
        not asked
        or asked["did"] in {"not", "never", "even", "just", "always", "only", "have"}
        or asked["did"].endswith("ly")
    ):
        return None
    who = asked["who"]
    known = who.lower() in {"you", *OBJECT} or who.lower().endswith("team") or is_person(who, people)
    return f"what led {OBJECT.get(who.lower(), who)} to {asked['did']}{asked['rest']}" if known else None


def _how_it_came(words: str, _: Collection[str]) -> str | None:
    """`Who approved the change?` → `How did the change come to be approved?`"""
    asked = WHO.fullmatch(words)
    known = asked and asked["did"].lower() in {*BASES, "approved", "deleted", "removed", "released", "shipped"}
    if not asked or not known or asked["did"].lower() in PASTS.values() or PREPOSITION.search(asked["what"]):
        return None
    return f"how did {asked['what']} come to be {asked['did'].lower()}"


PREPOSITION = re.compile(r"\b(?:on|in|at|to|for|from|with|without|and|or|but|when|while|because|before|after|so)\b")


# What did not happen ------------------------------------------------------------------------------

WE = r"(?P<who>we|they|i|the team|the [\w-]+ team|support|the on-call)"
HAVE = r"(?:should|could|ought to)(?:'ve|’ve| have)"
DID_NOT = re.compile(rf"(?P<before>.*?\b|){WE} {HAVE} (?P<done>[a-z]+)\b(?P<rest>.*)", re.IGNORECASE)
DID = re.compile(
    rf"(?P<before>.*?\b|){WE} (?:should not|shouldn['’]?t) have (?P<done>[a-z]+)\b(?P<rest>.*)", re.IGNORECASE
)
FAILED = re.compile(rf"(?P<before>.*?\b|){WE} failed to (?P<deed>[a-z]+)\b(?P<rest>.*)", re.IGNORECASE)
NO = re.compile(rf"there {HAVE} been an? (?P<what>.*)", re.IGNORECASE)
WAS_NOT = re.compile(
    rf"(?P<who>(?:the|this|that|our|it|these|those)(?: [\w-]+){{0,4}}?) {HAVE} been (?P<done>[a-z]+)\b(?P<rest>.*)",
    re.IGNORECASE,
)
PREVENTED = {"avoided", "prevented", "stopped", "caught", "saved", "noticed"}


def _did_not(words: str, _: Collection[str]) -> str | None:
    said = DID_NOT.fullmatch(words)
    if not said or said["done"] not in BASES or said["done"] == "been" or LATER.search(said["rest"]):
        return None
    return f"{said['before']}{said['who']} did not {BASES[said['done']]}{said['rest']}"


def _did(words: str, _: Collection[str]) -> str | None:
    said = DID.fullmatch(words)
    if not said or said["done"] not in BASES or said["done"] == "been":
        return None
    return f"{said['before']}{said['who']} {PASTS.get(said['done'], said['done'])}{said['rest']}"


def _failed(words: str, _: Collection[str]) -> str | None:
    said = FAILED.fullmatch(words)
    return f"{said['before']}{said['who']} did not {said['deed']}{said['rest']}" if said else None


def _there_was_no(words: str, _: Collection[str]) -> str | None:
    said = NO.fullmatch(words)
    return f"there was no {said['what']}" if said else None


def _was_not(words: str, _: Collection[str]) -> str | None:
    said = WAS_NOT.fullmatch(words)
    if not said or said["done"] in PREVENTED or LATER.search(said["rest"]):
        return None
    if not (said["done"].endswith("ed") or said["done"] in BASES):
        return None
    return f"{said['who']} {_was(said['who'])} not {said['done']}{said['rest']}"


def _was(what: str) -> str:
    last = what.rsplit(maxsplit=1)[-1].lower()
    return "were" if last in {"these", "those"} or re.search(r"[^siu]s$", last) else "was"


# Verdicts ------------------------------------------------------------------------------------------

ADVERBS = r"(?:obviously|carelessly|sloppily|recklessly|negligently|stupidly|foolishly|needlessly|blatantly)"
ADJECTIVES = r"(?:careless|sloppy|reckless|negligent|stupid|ridiculous|lazy|silly|shoddy|foolish|half-baked|idiotic)"
VERDICTS = r"(?:mistakes?|errors?|blunders?|decisions?|ideas?|work|job|behaviou?r|and|but|or|of|in|way)\b"
FEWEST_WORDS = 5
"""`It was a careless deploy` says nothing any more without the verdict."""


def _without_the_verdict(words: str, _: Collection[str]) -> str | None:
    said = re.sub(rf"^{ADVERBS},? |,? {ADVERBS}(?=$|,)|(?<= ){ADVERBS} ", "", words, flags=re.IGNORECASE)
    with_article = rf"\ban? {ADJECTIVES} (?!{VERDICTS})(?=([a-z]))"
    said = re.sub(with_article, lambda found: _article(found[1]), said, flags=re.IGNORECASE)
    with_the = rf"\b(the|this|that|our|their) {ADJECTIVES} (?!{VERDICTS})(?=[a-z])"
    said = re.sub(with_the, r"\1 ", said, flags=re.IGNORECASE)
    return said if len(said.split()) >= FEWEST_WORDS else None


def _article(letter: str) -> str:
    return "an " if letter.lower() in "aeio" else "a "


# People --------------------------------------------------------------------------------------------

THING = r"(?P<what>(?:the|our|an?)(?: [\w-]+){1,4}|[a-z][\w-]+)"
FORGOT = re.compile(rf"(?P<who>.{{1,60}}?) (?:had )?forgot(?:ten)? to (?P<deed>[a-z]+) {THING}", re.IGNORECASE)
BROKE = re.compile(
    rf"(?P<who>.{{1,60}}?) (?P<did>broke|crashed|took down|brought down|missed|skipped|ignored) {THING}", re.IGNORECASE
)
OWN = re.compile(
    r"(?P<who>.{1,60}?)['’]s (?P<what>[a-z][\w-]+) "
    r"(?P<rest>(?:broke|caused|crashed|took down|triggered|led to|wiped)\b.*)"
)
CAME_OF_IT: Mapping[str, str] = {
    "broke": "broke", "crashed": "crashed", "took down": "went down", "brought down": "went down",
    "missed": "{was} missed", "skipped": "{was} skipped", "ignored": "{was} not answered",
}  # fmt: skip


def _was_not_done(words: str, _: Collection[str]) -> str | None:
    """`Somebody forgot to renew the certificate` → `The certificate was not renewed`."""
    said = FORGOT.fullmatch(words)
    if not said or said["deed"] not in DONE or PREPOSITION.search(said["what"]):
        return None
    return f"{said['what']} {_was(said['what'])} not {DONE[said['deed']]}"


def _came_of_it(words: str, people: Collection[str]) -> str | None:
    """`Kofi broke the build` → `The build broke`."""
    said = BROKE.fullmatch(words)
    if not said or PREPOSITION.search(said["what"]) or not _somebody(said["who"], people):
        return None
    return f"{said['what']} {CAME_OF_IT[said['did'].lower()].format(was=_was(said['what']))}"


def _a_change(words: str, people: Collection[str]) -> str | None:
    """`Lena's deploy broke checkout` → `A deploy broke checkout`."""
    said = OWN.fullmatch(words)
    if not said or not is_person(said["who"], people):
        return None
    return f"{_article(said['what'][0])}{said['what']} {said['rest']}"


def _somebody(who: str, people: Collection[str]) -> bool:
    return who.lower() in {"he", "she", "you", "i", "someone", "somebody"} or is_person(who, people)


Reword = Callable[[str, Collection[str]], str | None]
REWORDS: Mapping[Wording, Sequence[Reword]] = {
    Wording.counterfactual: (_there_was_no, _did, _did_not, _was_not, _failed),
    Wording.judging: (_without_the_verdict,),
    Wording.human_error: (_was_not_done,),
    Wording.single_cause: (_a_contributor,),
    Wording.person_at_fault: (_came_of_it, _a_change, _was_not_done),
    Wording.why_who_question: (_what_led, _how_it_came),
}
