"""Thirty incidents with teams: for how many sides somebody comes, which are named instead, how many people come."""

import tempfile
from collections import Counter
from pathlib import Path

from tests.crews import INCIDENTS, thirty_incidents

SEEDS = 4


def measure() -> None:
    for seed in range(1, SEEDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            found = thirty_incidents(Path(folder), seed=seed)
        sizes = ", ".join(f"{size} × {count}" for size, count in sorted(Counter(found.sizes).items()))
        print(f"{INCIDENTS} incidents, {found.sides} sides: {found.spoken_for} spoken for, {found.named} named")
        print(f"  neither: {len(found.neither)}; named wrongly: {len(found.wrongly_named)}; ", end="")
        print(f"named though somebody could come: {len(found.left_out)}")
        print(f"  core attendees: {sizes}; a wrong number: {len(found.wrong_size)}; cannot come: {len(found.unable)}")


if __name__ == "__main__":
    measure()
