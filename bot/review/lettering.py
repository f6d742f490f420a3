"""How wide words stand, so that none is written over another."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal

Weight = Literal["regular", "bold"]

WIDTHS_OF_ASCII = (
    "260 269 408 646 572 831 732 225 300 300 551 572 268 322 268 372 572 572 572 572 572 572 572 572 572 572 268 268 "
    "572 572 572 434 899 639 650 632 730 556 519 728 741 339 273 619 524 907 760 781 605 781 622 549 556 731 600 930 "
    "586 566 572 329 372 329 572 444 281 561 615 480 615 564 344 615 618 258 258 534 258 935 618 605 615 615 413 479 "
    "361 618 508 786 529 510 470 380 551 380 572"
)
"""Thousandths of an em, from the space to the tilde, in Noto Sans, the widest of the fonts that are asked for."""
ASCII = {chr(32 + number): int(width) for number, width in enumerate(WIDTHS_OF_ASCII.split())}
SMALL, LARGE, WIDE = 700, 950, 1_200
"""Thousandths of an em for small letters of other alphabets, for capitals and signs, for what fills a square."""
HEAVIER: dict[Weight, float] = {"regular": 1.03, "bold": 1.13}
"""How much wider letters may come out, where a browser has another font."""
HEIGHT = 1.2
"""Of a line, in ems."""
ELLIPSIS = "…"


def width(words: str, *, size: float, weight: Weight = "regular") -> float:
    """How wide these words stand, in the unit of `size`; rather too much than too little."""
    return sum(map(_of, words)) / 1_000 * size * HEAVIER[weight]


@lru_cache(4_096)
def _of(letter: str) -> int:
    base = unicodedata.normalize("NFD", letter)[0]
    if base in ASCII:
        return ASCII[base]
    if unicodedata.combining(base) or unicodedata.category(base) in {"Mn", "Me", "Cf"}:
        return 0
    if unicodedata.east_asian_width(base) in {"W", "F"} or base > "\uffff":
        return WIDE
    return SMALL if base.islower() or unicodedata.category(base)[0] in "PZ" else LARGE


def cut(words: str, *, size: float, room: float, weight: Weight = "regular") -> str:
    """As many of the words as the room takes, with an ellipsis where some are left out."""
    if width(words, size=size, weight=weight) <= room:
        return words
    left = room - width(ELLIPSIS, size=size, weight=weight)
    kept = ""
    for letter in words:
        left -= width(letter, size=size, weight=weight)
        if left < 0:
            break
        kept += letter
    return f"{kept.rstrip()}{ELLIPSIS}" if kept.strip() else ""
