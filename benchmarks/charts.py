"""Draws sample timelines into a folder, to be looked at, with the time each took: `python -m benchmarks.charts OUT`."""

import random
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import drawing
from bot.drawing import Layout
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import EventFacts, Facts, IncidentFacts, MomentFacts, ReviewFacts
from bot.review.timeline import Kind, Outcome

ZONE = "Europe/Berlin"
AFTERNOON = datetime(2026, 11, 18, 12, 56, tzinfo=UTC)
NIGHT = datetime(2026, 11, 18, 21, 40, tzinfo=UTC)
SAYINGS = (
    "p99 of checkout above 2 s for five minutes",
    "we suspect the payment provider, its status page is yellow",
    "decided to restart the checkout pods one by one",
    "restarted checkout-7 to checkout-12, errors went up",
    "orders-db is out of connections: 400 of 400 in use",
    "told customers on the status page that paying may fail",
    "Ananya hands over to Dana, the runbook is pinned",
    "rollback to v317 is through, errors are back to normal",
    "Żółta łódź ist übervoll – Ελλάδα и Київ пишут, что не могут оплатить",
    "🚒 決済が失敗しています 🔥 all regions",
    "ok",
)


def events(count: int, start: datetime, length: timedelta, seed: int = 4) -> Iterator[EventFacts]:
    """Events as they come: most in the first third, programs more often than people."""
    chance = random.Random(seed)
    kinds = list(Kind)
    for number in range(1, count + 1):
        at = start + length * chance.betavariate(1.1, 1.8)
        yield EventFacts(
            number=number,
            kind=chance.choices(kinds, [2, 6, 3, 6, 3, 1, 1, 10, 5])[0].value,
            outcome=chance.choices(list(Outcome), [2, 2, 1, 8])[0].value,
            occurred_at=at,
            recorded_at=at,
            text=chance.choice(SAYINGS),
            source="typed",
        )


def facts(count: int, start: datetime, length: timedelta, **moments: float) -> Facts:
    """A timeline of so many events; `moments` are shares of its length."""
    known = {name: MomentFacts(at=start + length * share, how="set") for name, share in moments.items()}
    told = IncidentFacts(id=1, team_id="T", title="Checkout is slow in Europe", moments=known)
    return Facts(incident=told, review=ReviewFacts(stage=Stage.drafted), timeline=tuple(events(count, start, length)))


ALL = {"began": 0.0, "detected": 0.06, "acknowledged": 0.08, "mitigated": 0.6, "resolved": 0.95}
SAMPLES: Mapping[str, Facts] = {
    "none": facts(0, AFTERNOON, timedelta(hours=3)),
    "moments-only": facts(0, AFTERNOON, timedelta(hours=3), **ALL),
    "one": facts(1, AFTERNOON, timedelta(hours=3)),
    "five": facts(5, AFTERNOON, timedelta(hours=3.5), **ALL),
    "sixty": facts(60, AFTERNOON, timedelta(hours=3.5), **ALL),
    "four-hundred": facts(400, AFTERNOON, timedelta(hours=12), **ALL),
    "night": facts(24, NIGHT, timedelta(hours=5), began=0, detected=0.2, mitigated=0.8),
    "twelve-hours": facts(45, AFTERNOON, timedelta(hours=12), **ALL),
    "three-days": facts(120, AFTERNOON, timedelta(days=3), **ALL),
    "thirty-days": facts(60, AFTERNOON, timedelta(days=30), **ALL),
    "five-minutes": facts(14, AFTERNOON, timedelta(minutes=5), began=0.0, resolved=1.0),
    "a-day-later": facts(12, AFTERNOON, timedelta(hours=2), began=0, detected=0.1, mitigated=1.0, resolved=13.0),
}


def main() -> None:
    """Write each sample across and down, as SVG and PNG."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    layouts: tuple[Layout, ...] = ("wide", "narrow")
    for name, sample in SAMPLES.items():
        for layout in layouts:
            begun = time.perf_counter()
            picture = drawing.svg(sample, zone=ZONE, called=by_name({}), layout=layout)
            drawn = time.perf_counter()
            pixels = drawing.png(picture)
            done = time.perf_counter()
            (folder / f"{name}-{layout}.svg").write_text(picture, encoding="utf-8")
            (folder / f"{name}-{layout}.png").write_bytes(pixels)
            print(
                f"{name:14} {layout:6} SVG {(drawn - begun) * 1_000:6.1f} ms {len(picture) / 1_000:6.1f} kB"
                f" · PNG {(done - drawn) * 1_000:6.1f} ms {len(pixels) / 1_000:6.1f} kB"
            )


if __name__ == "__main__":
    main()
