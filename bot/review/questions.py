"""One question at a stop of the walk: how and what, about the cue, the knowledge, the options and the help at hand.

Families from the debriefing literature (cues, prior knowledge, expectations, assessment, options, help, process),
in our own words; the triggers follow S1 and S2: a decision asks for its options, a judgement how one could tell,
a hand-over what was passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.review.timeline import Kind

QUESTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.detection: (
        "{person}, what was the first thing that caught your attention here?",
        "{person}, what did it look like at this moment, compared with an ordinary day?",
        "{person}, what did you expect to see when you looked, and what did you see?",
        "{person}, how could you tell that this one mattered, among the other signals of that hour?",
        "{person}, what did people outside this channel notice before we did?",
        "{person}, how could this have reached us earlier, and what would have had to be in place?",
    ),
    Kind.diagnosis: (
        "{person}, how could you tell?",
        "{person}, what did you know at this point, and what did you still have to guess?",
        "{person}, what else did it look like, and what ruled that out?",
        "{person}, what were you looking at here, and what could you not see from there?",
        "{person}, what earlier incident did this remind you of, and how was it different?",
        "{person}, what would have made this easier to see: a graph, a log line, a person?",
    ),
    Kind.decision: (
        "{person}, what were the options at this moment, and what spoke for this one?",
        "{person}, what did you know when you chose, and what did you have to leave open?",
        "{person}, what were you trying to protect here, and what were you ready to give up for it?",
        "{person}, what did you expect to happen next?",
        "{person}, how did everybody else learn of this decision, and how long did that take?",
        "{person}, what spoke for waiting at that moment, and what spoke against it?",
    ),
    Kind.action_taken: (
        "{person}, how could you tell what this would do?",
        "{person}, what did you expect this to do, and what told you whether it did?",
        "{person}, what else could have been done here, and what made this the first thing to try?",
        "{person}, how did you know how to do this: from a runbook, from memory, from somebody?",
        "{person}, what made this easy or hard at that moment: access, tools, the hour?",
        "{person}, what else did this touch, and how did that show?",
        "{person}, what would you have needed to dare this sooner, or to leave it?",
    ),
    Kind.communication: (
        "{person}, what did you know when you wrote this, and what was still open?",
        "{person}, how did this reach the people it was meant for, and how long did it take?",
        "{person}, what did customers and support know before this, and from where?",
        "{person}, how was it decided that now was the time to say something?",
        "{person}, what came back after this was said, and how did it reach the people at work?",
    ),
    Kind.mitigation: (
        "{person}, what told you that it was over, and how sure were you?",
        "{person}, what did this change, as far as you understand it today?",
        "{person}, what were you watching for in the minutes after this?",
        "{person}, what kept it from becoming larger than it was: a control, a circumstance, somebody's act?",
        "{person}, how much of this was by design, how much was improvised, and what was luck?",
    ),
    Kind.handover: (
        "{person}, what was passed on here, and what did you have to find out for yourself?",
        "{person}, what picture did you have of the situation in your first five minutes?",
        "{person}, how did everybody else learn that the lead had changed?",
        "{person}, what was still running at this moment, and how was it passed on?",
        "{person}, what made this the moment to hand over, or to ask for help?",
    ),
    Kind.automated: (
        "{person}, what did this tell the people who saw it, and what did it leave out?",
        "{person}, what was this automation built for, and how was today different?",
        "{person}, how did it help, and how did it make things harder?",
        "{person}, what would have happened without it?",
        "{person}, how often do we see this on an ordinary day, and what do we usually do with it?",
    ),
    Kind.note: (
        "{person}, what was going on for you at this moment?",
        "{person}, what was ordinary about this, and what was different from other days?",
        "{person}, what else was asking for your attention just then?",
        "{person}, what do we understand about this today that could not be seen then?",
        "{person}, what is missing from the timeline around here?",
    ),
}
"""Every one asks how or what, and begins with the `{person}` who was there."""

HINTS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(cue, re.IGNORECASE), question)
    for cue, question in (
        (r"\b(?:obviously|of course|clearly)\b", "{person}, what made that clear at the time?"),
        (
            r"\b(?:usually|normally|as always|as usual)\b",
            "{person}, what does the usual look like, and how was today different?",
        ),
        (
            r"\b(?:i knew|i was sure|i assumed|we assumed)\b",
            "{person}, how did you know, and what would have told you otherwise?",
        ),
        (
            r"\b(?:can (?:someone|somebody|anyone|anybody)|need(?:ed)? help|paging|paged|called in|pulled in)\b",
            "{person}, what made this the moment to ask for help, and how did you know whom to ask?",
        ),
        (
            r"\b(?:strange|weird|odd|confus(?:ed|ing)|surpris(?:ed|ing))\b",
            "{person}, what did you expect instead, and what did it make you think of?",
        ),
    )
)
"""Words in the event that ask for a question of their own, before those of its kind."""


def questions_for(kind: Kind, text_hint: str = "") -> Sequence[str]:
    """All that may be asked at such an event; first what its own words ask for, then what its kind does."""
    hinted = [question for cue, question in HINTS if cue.search(text_hint)][:1]
    return (*hinted, *QUESTIONS[kind])


def question_for(kind: Kind, text_hint: str = "", nth: int = 0) -> str:
    """The nth question for such an event, with a `{person}` to fill in or leave out by `addressed`.

    The first one answers to the event's own words where they ask for it; further ones rotate.
    """
    asked = questions_for(kind, text_hint)
    return asked[nth % len(asked)]


def addressed(question: str, person: str | None) -> str:
    """The question put to a person (a mention, as markup), or to the room where nobody is known."""
    if person:
        return question.replace("{person}", person)
    asked = question.replace("{person}, ", "")
    return asked[:1].upper() + asked[1:]


def with_answer(known: str | None, text: str, *, asked: str, kept: str) -> str:
    """What was answered so far and this, too: nobody's answer takes another one's place.

    An answer to another question than the one that is kept beside the event stands under its own question.
    """
    if not known:
        return text if asked == kept else f"{asked}\n{text}"
    if text in known:
        return known
    return f"{known}\n{text}" if asked == kept else f"{known}\n\n{asked}\n{text}"


# Who is in what was typed about somebody ---------------------------------------------------

MENTIONED = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^<>]*)?>|(?<![<\w])@([UW][A-Z0-9]{4,})\b")
FIRST_WORD = re.compile(r"[^\W\d_][\w'’-]+")
ALSO_WORDS = frozenset({"chase", "grant", "hope", "mark", "may", "page", "pat", "rob", "will"})
"""Names that begin a sentence as words, too; they are names where somebody did something: `Mark restarted …`."""


def first_word(text: str) -> str | None:
    """The first word of a text that begins with a capital: it may be somebody's name."""
    found = FIRST_WORD.match(text)
    return found[0] if found and found[0][0].isupper() else None


def named_in(text: str, names: Mapping[str, str]) -> set[str]:
    """The users whom a text is about: the first it mentions, else those it begins with the name of.

    Of somebody with a longer name the first one is enough: `Sara restarted …`.
    """
    mentioned = MENTIONED.search(text)
    if mentioned:
        return {mentioned[1] or mentioned[2]}
    whole = {user for user, name in names.items() if " " in name and _begins(text, name)}
    return whole or {user for user, name in names.items() if name.split()[:1] and _begins(text, name.split()[0])}


def _begins(text: str, name: str) -> bool:
    found = re.match(rf"{re.escape(name)}\b(?!['’-]\w{{2,}})\s*(\w*)", text, re.IGNORECASE)
    if found is None or not text[0].isupper():
        return False
    return name.lower() not in ALSO_WORDS or found[1].endswith("ed")
