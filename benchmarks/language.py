"""Nudges: how many of them are right, how many verdicts they notice, which not, and what reading a sentence costs."""

import statistics
import time
from collections.abc import Sequence

from bot.review.language import nudge
from tests.review import language_build_half, language_test_half

ROUNDS = 5
Half = Sequence[tuple[str, str | None]]


def measure() -> None:
    for name, half in (("build", language_build_half.SENTENCES), ("test", language_test_half.SENTENCES)):
        print(f"the {name} half:")
        _rates(half)
    print(f"a sentence: {_cost([text for text, _ in language_build_half.SENTENCES])}")


def _rates(half: Half) -> None:
    said = [(text, kind, nudge(text)) for text, kind in half]
    right = [kind == found.wording for _, kind, found in said if kind and found]
    wrong = [(text, found) for text, kind, found in said if found and not kind]
    missed = [(text, kind) for text, kind, found in said if kind and not found]
    precision, recall = len(right) / (len(right) + len(wrong)), len(right) / (len(right) + len(missed))
    print(f"  precision {precision:.3f}, recall {recall:.3f}, of the right class {sum(right) / len(right):.3f}")
    for text, found in wrong:
        print(f"  wrong, {found.wording} for {found.cue!r}: {text!r}")
    for text, kind in missed:
        print(f"  missed, {kind}: {text!r}")


def _cost(texts: Sequence[str]) -> str:
    """Beside reading nothing, in pairs."""
    pairs = [(_timed(texts), _timed([""] * len(texts))) for _ in range(ROUNDS)]
    each = [(reading - bare) * 1e6 / len(texts) for reading, bare in pairs]
    return f"{statistics.median(each):.0f} µs ({min(each):.0f} to {max(each):.0f})"


def _timed(texts: Sequence[str]) -> float:
    began = time.perf_counter()
    for text in texts:
        nudge(text)
    return time.perf_counter() - began


if __name__ == "__main__":
    measure()
