"""How things are worded: what sounds like a verdict is noticed, to offer its author another wording.

Code, quotes and links are passed over; of people it matters only that they are people.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.review.blame import PERSON_MARK, RULES, Sentence, Wording
from bot.review.given_names import is_given_name


@dataclass(frozen=True, slots=True)
class Nudge:
    """What was noticed: the words, where they stand in the text, and what they sound like."""

    wording: Wording
    cue: str
    start: int
    end: int


def nudge(text: str, people: Collection[str] = ()) -> Nudge | None:
    """The first thing to point out to the author of a text, if any; `people` are names besides the common ones."""
    said = SENTENCE.finditer(_readable(text, people))
    sentences = [Sentence(found[0], found.start()) for found in said if WORDS.search(found[0])]
    for rule in RULES:
        for sentence in sentences:
            match = rule.first(sentence)
            if match:
                start, end = sentence.start + match.start(), sentence.start + match.end()
                return Nudge(rule.wording, text[start:end].strip(), start, end)
    return None


def is_person(words: str, people: Collection[str] = ()) -> bool:
    """Whether words are nothing but somebody's name or mention."""
    return bool(re.fullmatch(rf"{PERSON_MARK}+", _readable(f"{words} ", people).strip()))


# What is read ----------------------------------------------------------------------------------

SKIPPED_MARK = "\ue101"
SENTENCE = re.compile(r"(?:[^.!?;…\n]|[.!?;…](?=[^\s.!?;…]))+[.!?;…]*")
WORDS = re.compile(r"[^\W\d_]{2}|!!")
SKIPPED = re.compile(
    r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^“”\n]*”|„[^„“”\n]*[“”]|«[^«»\n]*»|»[^«»\n]*«|‘[^‘’\n]*’(?!\w)|‚[^‚‘\n]*‘"
    r"|「[^「」\n]*」|(?<!\w)'[^'\n]{1,300}'(?!\w)|^(?:>|&gt;)[^\n]*$|https?://\S+|<(?!@)[^<>\n]*>",
    re.DOTALL | re.MULTILINE,
)
MENTION = re.compile(r"<@[A-Z0-9]{1,40}(?:\|[^<>\n]{0,80})?>|(?<![\w@.])@[A-Za-z][\w.-]{1,40}")
NAME = re.compile(r"(?<![\w@/.#-])[^\W\d_]{2,20}(?![\w/@-]|\.\w)")
SURNAME = re.compile(rf"({PERSON_MARK}) (?!I\b)([A-Z][^\W\d_]{{1,20}})(?=[\s',])")
AS_TYPED = str.maketrans({"’": "'", "\t": " ", "\u00a0": " "})


def _readable(text: str, people: Collection[str]) -> str:
    """The text letter for letter, with marks in place of people, and of code, quotes and links."""
    read = SKIPPED.sub(lambda found: SKIPPED_MARK * len(found[0]), text).translate(AS_TYPED)
    read = MENTION.sub(lambda found: PERSON_MARK * len(found[0]), read)
    known = {part for name in people for part in (name, *name.split()) if len(part) > 2}
    read = NAME.sub(lambda found: _marked(found[0], known), read)
    return SURNAME.sub(lambda found: PERSON_MARK * len(found[0]), read)


def _marked(word: str, known: Collection[str]) -> str:
    return PERSON_MARK * len(word) if word in known or is_given_name(word) else word
