"""The search for secrets: what it costs an ordinary line, how many secrets it finds, what it takes for one wrongly."""

import statistics
import time
from collections.abc import Callable

from bot.review.secrets import find, replace
from tests.review import secrets_test_half

ROUNDS = 5


def measure() -> None:
    lines = secrets_test_half.ordinary()
    bare = [_timed(len, lines) for _ in range(ROUNDS)]
    with_search = [_timed(find, lines) for _ in range(ROUNDS)]
    costs = [(one - other) * 1e9 / len(lines) for one, other in zip(with_search, bare, strict=True)]
    usual = [line for line in lines if not find(line) and len(line) < 60 and ":" not in line and "=" not in line]
    plain = [_timed(find, usual) * 1e9 / len(usual) for _ in range(ROUNDS)]
    print(f"a line that looks like a secret {_said(costs)}; a plain one {_said(plain)}")
    _rates(lines)


def _timed(search: Callable[[str], object], lines: list[str]) -> float:
    began = time.perf_counter()
    for line in lines:
        search(line)
    return time.perf_counter() - began


def _said(nanoseconds: list[float]) -> str:
    return f"{statistics.median(nanoseconds):,.0f} ns ({min(nanoseconds):,.0f} to {max(nanoseconds):,.0f})"


def _rates(lines: list[str]) -> None:
    planted = secrets_test_half.secrets()
    kept = {one: replace(one.text)[0] for one in planted}
    missed = [one for one, text in kept.items() if any(value[len(value) // 2 :] in text for value in one.values)]
    altered = [line for line in lines if replace(line)[0] != line]
    hits, kinds = len(planted) - len(missed), len({one.kind for one in planted})
    print(f"found {hits} of {len(planted)} secrets of {kinds} kinds: {hits / len(planted):.1%}")
    print(f"altered {len(altered)} of {len(lines)} ordinary lines: {len(altered) / len(lines):.2%}")
    for one in missed:
        print(f"  missed, {one.kind}: {one.text[:120]!r}")
    for line in altered:
        print(f"  altered: {line[:120]!r}")


if __name__ == "__main__":
    measure()
