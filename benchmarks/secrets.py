"""The search for secrets: what it costs a line and a message, how many it finds, what it takes for one wrongly."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from bot.review.pasted import in_message
from bot.review.secrets import find, replace
from tests.review import secrets_test_half

ROUNDS = 5
PLAIN = (
    "I think the db is back. who has the numbers of the last hour?",
    "pool size went from 20 to 80, and half of the pods fit",
    "reverted in 7c11c05, deploy follows",
    "<@U0MARA> can you look at the graphs? it began at 13:56 or so",
    "errors are falling now, 2.1 % of requests",
) * 400


def measure() -> None:
    risky = secrets_test_half.ordinary()
    messages = [(line, _blocks(line)) for line in PLAIN]
    print(f"a plain line: {_cost(find, PLAIN)}")
    print(f"a line that looks like a secret: {_cost(find, risky)}")
    print(f"a plain message with its blocks: {_cost(lambda said: in_message(*said), messages)}")
    _rates(risky)


def _blocks(line: str) -> list[Any]:
    """As Slack sends along what somebody typed."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": line}]}
    return [{"type": "rich_text", "block_id": "x7Ab2", "elements": [section]}]


def _cost(search: Callable[[Any], object], lines: Sequence[Any]) -> str:
    """Beside a call that does nothing, in pairs."""
    pairs = [(_timed(search, lines), _timed(len, lines)) for _ in range(ROUNDS)]
    each = [(with_search - bare) * 1e6 / len(lines) for with_search, bare in pairs]
    return f"{statistics.median(each):.1f} µs ({min(each):.1f} to {max(each):.1f})"


def _timed(search: Callable[[Any], object], lines: Sequence[Any]) -> float:
    began = time.perf_counter()
    for line in lines:
        search(line)
    return time.perf_counter() - began


def _rates(lines: Sequence[str]) -> None:
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
