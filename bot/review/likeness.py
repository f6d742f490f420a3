"""How much two texts are about the same: words weighed by how rare they are, and letters where spellings differ.

Nothing leaves the machine and nothing is learnt: TF-IDF over stems and over runs of letters, compared by cosine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log, sqrt
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key")

AT_LEAST = 0.4
"""Of 1: from here on two findings are worth a look side by side; chosen by trying pairs of findings."""
FEWEST_SHARED = 2
"""Words: two texts that have one in common are seldom about the same."""
BY_WORDS = 0.7
"""How much the words count; the rest is letters, which see `timeout` in `time-outs`."""
MOST_CHARACTERS = 20_000
"""What stands behind them is not compared."""
MOST_SHARED = 5
SHORTEST_STEM = 3
TOGETHER = 3
"""Letters of a run."""

UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts written without spaces (Thai, Lao, Japanese, Chinese): two letters stand for a word."""
WORD = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+")
ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ness",
    "ings",
    "ing",
    "ies",
    "ied",
    "ers",
    "er",
    "ed",
    "es",
    "y",
    "s",
    "e",
)
COMMON = frozenset(
    WORD.findall(
        "a about after again all also am an and another any are as at back be because been before being but by can "
        "could did do does doing down during each even every few first for from get got had has have he her here him "
        "his how i if in into is it its just know knew last let like made make many me more most much my new no not "
        "nobody none nothing now of off on once one only or other our out over own same see seen she since so some "
        "somebody still such than that the their them then there these they thing this those through to too two under "
        "until up us use used very was we well went were what when where which while who whom why will with without "
        "would yet you your"
    )
)
"""Words that every text has, and that say nothing of what it is about."""

Rarity = Mapping[str, float]


class Likeness(NamedTuple, Generic[Key]):
    """A text that is like another: which, how much of 1, and the words that both have, the rarest first."""

    key: Key
    score: float
    shared: tuple[str, ...]


def closest(text: str, among: Sequence[tuple[Key, str]], *, at_least: float = AT_LEAST) -> Likeness[Key] | None:
    """The text most like this one, if one is like it at least so much."""
    return next(iter(alike(text, among, at_least=at_least)), None)


def alike(text: str, among: Sequence[tuple[Key, str]], *, at_least: float = AT_LEAST) -> Sequence[Likeness[Key]]:
    """The texts that are like this one at least so much and share words with it, the most alike first."""
    asked, others = _Read(text), [(key, _Read(other)) for key, other in among]
    read = [asked, *(other for _, other in others)]
    rarity = _rarity(one.stems for one in read), _rarity(one.runs for one in read)
    found = [_likeness(key, asked, other, rarity=rarity) for key, other in others]
    return sorted(
        (one for one in found if one.score >= at_least and len(one.shared) >= FEWEST_SHARED), key=lambda one: -one.score
    )


def _likeness(key: Key, asked: _Read, other: _Read, *, rarity: tuple[Rarity, Rarity]) -> Likeness[Key]:
    of_stems, of_runs = rarity
    by_words, by_runs = _cosine(asked.stems, other.stems, of_stems), _cosine(asked.runs, other.runs, of_runs)
    both = sorted(asked.stems.keys() & other.stems.keys(), key=lambda stem: (-of_stems[stem], stem))
    shared = tuple(asked.spelt[stem] for stem in both[:MOST_SHARED])
    return Likeness(key, BY_WORDS * by_words + (1 - BY_WORDS) * by_runs, shared)


# Reading a text ---------------------------------------------------------------------------


class _Read:
    """A text as it is compared: its stems, the word that each was first, and their runs of letters."""

    def __init__(self, text: str) -> None:
        said = [word for word in _words(text[:MOST_CHARACTERS]) if word not in COMMON]
        stems = [_stem(word) for word in said]
        self.spelt = dict(zip(reversed(stems), reversed(said), strict=True))
        self.stems = Counter(stems)
        self.runs = Counter(run for stem in stems for run in _runs(f" {stem} ", TOGETHER))


def _words(text: str) -> Iterable[str]:
    for found in WORD.finditer(text.casefold()):
        yield from _runs(found[0], 2) if re.match(f"[{UNSPACED}]", found[0]) else (found[0],)


def _runs(letters: str, length: int) -> Iterable[str]:
    return (letters[start : start + length] for start in range(max(1, len(letters) - length + 1)))


def _stem(word: str) -> str:
    """A word without its English ending: `restarted` and `restarts` are the same, and so are `stop` and `stopped`."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            stem = word.removesuffix(ending)
            return stem[:-1] if len(stem) > SHORTEST_STEM and stem[-1] == stem[-2] else stem
    return word


# Comparing -----------------------------------------------------------------------------------


def _rarity(texts: Iterable[Counter[str]]) -> Rarity:
    """How much each part tells: the fewer texts have it, the more."""
    counted = list(texts)
    among = Counter(part for parts in counted for part in parts)
    return {part: 1 + log((1 + len(counted)) / (1 + texts_with)) for part, texts_with in among.items()}


def _cosine(one: Counter[str], other: Counter[str], rarity: Rarity) -> float:
    """1 where both have the same parts as often, 0 where they have none together."""
    both = sum(_weight(one[part]) * _weight(other[part]) * rarity[part] ** 2 for part in one.keys() & other.keys())
    return both / (_length(one, rarity) * _length(other, rarity)) if both else 0.0


def _length(parts: Counter[str], rarity: Rarity) -> float:
    return sqrt(sum((_weight(count) * rarity[part]) ** 2 for part, count in parts.items()))


def _weight(count: int) -> float:
    """Said ten times is not ten times as much about it."""
    return 1 + log(count)
