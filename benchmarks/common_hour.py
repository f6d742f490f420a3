"""Random teams anywhere, with holidays and calendars of 500 entries: hours that are wrong, and what choosing one costs.

`python -m benchmarks.common_hour [TEAMS]`
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from bot.review.common_hour import Attendee, Hour, Wish, common_hours
from tests.review.common_hour_cases import cases, faults

TEAMS = 200_000
SHARES = 40
"""Each with a seed of its own, so that as many processes as there are processors share them."""


@dataclass(frozen=True)
class Judged:
    """What became of one share: the faults, how the best hours are, and the CPU time of each choice."""

    faults: list[str]
    kinds: Counter[str]
    seconds: list[float]


def measure(teams: int = TEAMS) -> None:
    with ProcessPoolExecutor() as processes:
        judged = list(processes.map(_judge, [teams // SHARES] * SHARES, range(SHARES)))
    found = [fault for share in judged for fault in share.faults]
    seconds = sorted(second for share in judged for second in share.seconds)
    kinds = sum((share.kinds for share in judged), Counter[str]())
    print(f"{len(seconds)} teams: {len(found)} wrong hours; {dict(kinds)}")
    print(
        f"one choice, CPU time: {_ms(statistics.median(seconds))} in the middle, {_ms(_at(seconds, 0.99))} at the 99th"
    )
    for fault in found[:20]:
        print(f"  {fault}")


def _judge(teams: int, seed: int) -> Judged:
    judged = Judged([], Counter(), [])

    def timed(wish: Wish, people: Sequence[Attendee]) -> list[Hour]:
        began = time.process_time()
        hours = common_hours(wish, people)
        judged.seconds.append(time.process_time() - began)
        judged.kinds[_kind(hours[0])] += 1
        return hours

    for case in cases(teams, seed=1_000 + seed):
        judged.faults.extend(faults(case, timed))
    return judged


def _kind(hour: Hour) -> str:
    if hour.why is None:
        return "suit all in the window"
    return "suit all after it" if hour.suits_all else "least bad"


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms"


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else TEAMS)
