"""Later knowledge: how many planted decisions are marked, and what it costs in an incident of 10,000 messages."""

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.review.hindsight import Archive, Said
from tests.review.test_hindsight import BUILD, HELD_OUT, judged

MESSAGES, WORDS, ROUNDS = 10_000, 3_000, 5
BEGAN = datetime(2026, 11, 18, tzinfo=UTC)


def measure() -> None:
    for name, half in (("built with", BUILD), ("held out", HELD_OUT)):
        marked, _, wrong = judged(half)
        print(f"{name}: {marked} of {len(half)} decisions marked, {len(wrong)} messages marked wrongly")
    said = _incident()
    archive = Archive(said)
    print(f"{MESSAGES:,} messages read once: {_cost(lambda: Archive(said))}")
    print(f"one decision asked about: {_cost(lambda: archive.later(said[MESSAGES // 3]))}")


def _incident() -> list[Said]:
    """Talk in which a few words come often and most come rarely, about 20 hosts and 400 versions."""
    dice = random.Random(7)
    words, weights = [f"word{n}" for n in range(WORDS)], [1 / (n + 1) for n in range(WORDS)]
    lines = (
        f"{' '.join(dice.choices(words, weights, k=14))} db-{dice.randint(1, 20)} was v{dice.randint(1, 400)}"
        for _ in range(MESSAGES)
    )
    return [Said(number, BEGAN + timedelta(seconds=20 * number), "U0ANA", line) for number, line in enumerate(lines)]


def _cost(work: Callable[[], Any]) -> str:
    taken = [_timed(work) for _ in range(ROUNDS)]
    return f"{statistics.median(taken) * 1e3:.0f} ms ({min(taken) * 1e3:.0f} to {max(taken) * 1e3:.0f})"


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    measure()
