"""Fifty incidents of a team of twelve, one a week: whom the rotation asks, and how evenly the reviews are led.

Judged by what was drawn for each week: nobody who responded, answers for the review, writes or is away may lead it.
"""

import tempfile
from pathlib import Path

from tests.turns import COLLEAGUES, INCIDENTS, fifty_incidents

SEEDS = 4


def measure() -> None:
    for seed in range(1, SEEDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            found = fifty_incidents(Path(folder), seed=seed)
        counts = " ".join(str(count) for count in sorted(found.turns[user] for user in COLLEAGUES))
        led = sum(found.turns.values())
        print(f"{INCIDENTS} incidents, {led} led, {found.asked} people asked; turns of each: {counts}")
        print(f"  conflicts of interest: {len(found.conflicts)}; ahead of anybody who could: {found.ahead} at most")
        print(f"  most minus fewest, over those who were away, too: {found.spread}")


if __name__ == "__main__":
    measure()
