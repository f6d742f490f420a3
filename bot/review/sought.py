"""What somebody looks for, how well a text answers it, and the part of the text that shows it.

Words are compared without their case, and letters of the Latin alphabet without their accents: `Zürich` is `zurich`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log

Phrase = tuple[str, ...]
"""Words that stand side by side; most have one."""

MOST_PHRASES = 12
"""Of those typed; what follows is not looked for."""
SHORTEST_BEGINNING = 3
"""Letters; a shorter one begins too many words."""
LAST_SPLIT = "\u058f"
"""Letters up to here (Latin, Greek, Cyrillic, Armenian) make words that both databases split alike."""

WORD = re.compile(r"[^\W_]+")
CHUNK = re.compile(r'"([^"]*)"|(\S+)')
QUOTES = str.maketrans("“”„«»‟", '""""""')
ACCENTED = re.compile("([A-Za-z])[\u0300-\u036f]+")
LIKE_ANOTHER = str.maketrans("ſµς", "sμσ")
"""Letters that are another letter in another place of a word, or of a font."""


@dataclass(frozen=True)
class Sought:
    """What is looked for: every one of these phrases, and where there are none these signs as they were typed."""

    phrases: tuple[Phrase, ...]
    signs: str
    begun: tuple[bool, ...] = ()
    """Of each phrase, whether its last word may be the beginning of a longer one: not what stood in quotes."""

    @property
    def is_literal(self) -> bool:
        """Whether it is looked for letter by letter: signs alone, and scripts whose words are not split by spaces."""
        return not self.phrases

    @property
    def typed(self) -> str:
        """All of it as it was typed, folded."""
        return fold(self.signs)

    @cached_property
    def patterns(self) -> tuple[tuple[re.Pattern[str], float], ...]:
        """What is found in a folded text, and what each place counts: words that only begin so count half."""
        if self.is_literal:
            return ((re.compile(re.escape(self.typed)), 1.0),)
        whole = ((re.compile(_whole(phrase)), 1.0) for phrase in self.phrases)
        begun = ((re.compile(_begun(phrase)), BEGUN_ONLY) for phrase, is_open in self._ends if is_open)
        return (*whole, *begun)

    @property
    def _ends(self) -> Iterator[tuple[Phrase, bool]]:
        return zip(self.phrases, self.begun, strict=True)


def read(words: str) -> Sought:
    """Read what was typed: what stands in quotes, or is joined by signs as in `db-prod-1`, stands side by side."""
    if any(letter > LAST_SPLIT and letter.isalpha() for letter in fold(words)):
        return Sought((), words.strip())
    said = ((fold(quoted or chunk), not quoted) for quoted, chunk in CHUNK.findall(_quoted(words)))
    kept = {phrase: is_open for folded, is_open in said if (phrase := tuple(WORD.findall(folded)))}
    phrases = tuple(kept)[:MOST_PHRASES]
    return Sought(phrases, words.strip(), tuple(kept[phrase] and _may_go_on(phrase, phrases) for phrase in phrases))


def _may_go_on(phrase: Phrase, among: tuple[Phrase, ...]) -> bool:
    """The last word of several is perhaps still being typed, however short it is."""
    return len(phrase[-1]) >= SHORTEST_BEGINNING or (len(among) > 1 and phrase == among[-1])


def _quoted(words: str) -> str:
    straight = words.translate(QUOTES)
    return straight if straight.count('"') % 2 == 0 else straight.replace('"', " ")


def fold(text: str) -> str:
    """A text as it is compared."""
    if text.isascii():
        return text.lower()
    bare = ACCENTED.sub(r"\1", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).lower().translate(LIKE_ANOTHER)


def _whole(phrase: Phrase) -> str:
    return f"{_beginning(phrase)}(?![^\\W_])"


def _begun(phrase: Phrase) -> str:
    return f"{_beginning(phrase)}[^\\W_]"


def _beginning(phrase: Phrase) -> str:
    """With the letters first, for these are looked for fastest; that no other stands before them is asked behind."""
    first, *rest = phrase
    return r"[\W_]+".join([rf"{first}(?<![^\W_]{first})", *rest])


# How well a text answers ------------------------------------------------------------------

OFTEN = 1.2
"""After so many times another one counts half."""
USUAL_LENGTH = 200
"""Characters; in a longer text a word says less of what the text is about."""
BEGUN_ONLY = 0.5
"""What a word counts that goes on behind what was typed."""
AS_TYPED = 1.5
"""How much more a text counts that has the words in the order and with the signs in which they were typed."""


class Judge:
    """Says how well a text answers, where it has all that is sought; whose text it is makes no difference."""

    def __init__(self, sought: Sought) -> None:
        self._patterns = sought.patterns
        self._typed = sought.typed if len(sought.phrases) > 1 else ""

    def score(self, text: str) -> float:
        """The more often and the shorter the text the higher; several words as they were typed count more."""
        folded = fold(text)
        told = 0.0
        for pattern, weight in self._patterns:
            count = len(pattern.findall(folded))
            told += weight * count / (count + OFTEN)
        as_typed = AS_TYPED if self._typed and self._typed in folded else 1.0
        return as_typed * told / (1 + log(1 + len(text) / USUAL_LENGTH))


# The part that shows it ---------------------------------------------------------------------

SHOWN = 200
"""Characters of a text beside what was found in it."""
BEFORE = 60
"""Of these so many at most stand before the first place where it was found."""
EDGES = "\"'()[]{}<>.,;:!?…“”„«»"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a snippet; whether it is what was looked for."""

    words: str
    is_found: bool


def snippet(text: str, sought: Sought) -> tuple[Part, ...]:
    """The first part of a text, on one line, in which most of what is sought stands; what was found is marked."""
    line = unicodedata.normalize("NFC", " ".join(text.replace("```", " ").split()))
    marks = _marks(line, sought)
    start = _start(line, marks)
    end = min(len(line), start + SHOWN)
    if end < len(line):
        end = max(line.rfind(" ", start, end), start + SHOWN // 2)
    parts = list(_cut(line, start, end, marks=[mark for mark in marks if start <= mark[0] and mark[1] <= end]))
    before = [Part("… ", is_found=False)] if start else []
    after = [Part(" …", is_found=False)] if end < len(line) else []
    return (*before, *parts, *after)


def _marks(line: str, sought: Sought) -> list[tuple[int, int]]:
    """Where it was found: whole runs between spaces, for half a word cannot be marked, without the signs around."""
    runs = sorted({run for start, end in _spans(line, sought) for run in _runs(line, start, end)})
    return [
        (end - len(line[start:end].lstrip(EDGES)), start + len(line[start:end].rstrip(EDGES))) for start, end in runs
    ]


def _runs(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs between spaces that a place touches."""
    at = line.rfind(" ", 0, start) + 1
    while at < end:
        stop = line.find(" ", at)
        stop = len(line) if stop < 0 else stop
        yield at, stop
        at = stop + 1


def _spans(line: str, sought: Sought) -> Iterator[tuple[int, int]]:
    """Where what is sought stands in the line itself: where folding changes its length, each word is folded alone."""
    folded = fold(line)
    if len(folded) == len(line):
        for pattern, _ in sought.patterns:
            yield from (found.span() for found in pattern.finditer(folded))
        return
    words = [(fold(found[0]), *found.span()) for found in WORD.finditer(line)]
    for phrase in sought.phrases:
        for at in range(len(words) - len(phrase) + 1):
            here = words[at : at + len(phrase)]
            *first, last = (word for word, _, _ in here)
            if tuple(first) == phrase[:-1] and last.startswith(phrase[-1]):
                yield here[0][1], here[-1][2]


def _start(line: str, marks: list[tuple[int, int]]) -> int:
    """Where the snippet begins: between words, and where it shows most of what was found."""
    if not marks or len(line) <= SHOWN:
        return 0
    best = max((first for first, _ in marks), key=lambda at: (_behind(at, marks), -at))
    wanted = best - BEFORE
    return line.find(" ", wanted, best) + 1 if wanted > 0 else 0


def _behind(at: int, marks: list[tuple[int, int]]) -> int:
    """How much of what was found stands soon behind a place."""
    return sum(at <= first < at + SHOWN - BEFORE for first, _ in marks)


def _cut(line: str, start: int, end: int, *, marks: list[tuple[int, int]]) -> Iterator[Part]:
    at = start
    for first, last in marks:
        if last <= first:
            continue
        if first > at:
            yield Part(line[at:first], is_found=False)
        yield Part(line[first:last], is_found=True)
        at = last
    if at < end:
        yield Part(line[at:end], is_found=False)
