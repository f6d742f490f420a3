"""Statements to the database at a tick of the clock at which nothing is due: with no review at all, and with sixty."""

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from bot.desk import House
from tests.many_reviews import STATES, a_room_with_reviews, cost

EACH = 10
HOUSES = {"calendars off": House(), "calendars on": House(calendars="on", letters_from="debrief@example.com")}


def measure() -> None:
    for name, house in HOUSES.items():
        with tempfile.TemporaryDirectory() as folder:
            nothing, many = (_costs(Path(folder), each=each, house=house) for each in (0, EACH))
        by_day, by_night = many
        print(f"{name}: {len(STATES) * EACH} reviews at eleven in the morning, at night; without any")
        for ability in by_day:
            print(f"  {by_day[ability]:5} {by_night[ability]:5} {nothing[0][ability]:5}  {ability}")
        print(f"  {sum(by_day.values()):5} {sum(by_night.values()):5} {sum(nothing[0].values()):5}  together")


def _costs(folder: Path, *, each: int, house: House) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """By day, and in the following night."""
    inside = folder / str(each)
    inside.mkdir()
    room = a_room_with_reviews(inside, each=each, house=house)
    by_day = cost(room)
    room.now += timedelta(hours=11)
    found = by_day, cost(room)
    room.storage.close()
    return found


if __name__ == "__main__":
    measure()
