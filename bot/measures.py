"""What Prometheus is told: figures and words of fixed lists, never a text, a name or anybody's id.

What the database knows is asked when somebody looks, and what only this process knows is counted as it happens.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client import generate_latest as written
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.review.history import Why as WhyRead
from storage import pauses, readings, unsaid
from storage.session import Storage

log = logging.getLogger("debrief.measures")

Delivery = Literal["said", "put_off", "refused", "unknown", "found", "not_found", "reposted", "removed"]
"""What became of a note: said; refused for now, or for good; not known; found in Slack, or not, when looked up or read
back; said once more because Slack had lost it; a double that was taken away."""
Tell = Callable[[Delivery], None]
"""Hears what became of a note; may be called from any thread."""


def nobody(_outcome: Delivery) -> None:
    """Where nobody counts."""


DELIVERIES: tuple[Delivery, ...] = (
    "said",
    "put_off",
    "refused",
    "unknown",
    "found",
    "not_found",
    "reposted",
    "removed",
)
DOORS = ("http", "socket")
ACK_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Slack waits for three seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process knows of itself; seconds, by a clock that nobody sets."""

    silent_s: float
    """Since Slack was last heard."""
    deaf_s: float
    """All the time in which nothing could be heard, since the start."""
    tick_age_s: float
    """Since the clock last got something done."""
    ticks: int
    """In which the clock has asked everything that is due, since the start."""
    sockets: int
    stopping: bool


class Standing(Collector):
    """What the database and the process know at the moment somebody looks."""

    def __init__(
        self, storage: Storage, team: str, *, now: Callable[[], datetime], process: Callable[[], Process]
    ) -> None:
        self._storage, self._team, self._now, self._process = storage, team, now, process

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield from self._of_process(self._process())
        try:
            with self._storage.read() as db:
                found = list(self._of_database(db, self._now()))
        except (SQLAlchemyError, OSError) as error:
            log.warning("the database could not be measured", extra={"error": type(error).__name__})
            found = []
        yield gauge("debrief_database_up", "Whether the database answered just now.", float(bool(found)))
        yield from found

    def _of_process(self, process: Process) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield gauge("debrief_slack_silent_seconds", "Seconds since Slack was last heard.", process.silent_s)
        yield gauge("debrief_slack_deaf_seconds", "Seconds in which Slack could not reach us.", process.deaf_s)
        yield gauge("debrief_clock_tick_age_seconds", "Seconds since the clock got something done.", process.tick_age_s)
        yield CounterMetricFamily("debrief_clock_ticks", "How often the clock asked all that is due.", process.ticks)
        yield gauge("debrief_sockets", "Open Socket Mode connections.", process.sockets)
        yield gauge("debrief_stopping", "Whether it finishes what is under way and stops.", process.stopping)

    def _of_database(self, db: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
        yield from self._outbox(db, now)
        held = {method: (until - now).total_seconds() for method, until in pauses.held(db, self._team, now=now).items()}
        yield labelled("debrief_slack_pause_seconds", "Seconds that Slack asked not to call a method.", "method", held)
        yield gauge("debrief_history_lag_seconds", "How far behind the reading of history is.", self._lag(db, now))

    def _outbox(self, db: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
        depths = unsaid.depths(db, self._team, now=now)
        notes = {depth.why.value: float(depth.notes) for depth in depths}
        ages = {depth.why.value: age(depth.since, now) for depth in depths}
        yield labelled("debrief_outbox_notes", "Notes that are not said, by the reason.", "why", notes)
        yield labelled("debrief_outbox_oldest_seconds", "How long the oldest of them has been so.", "why", ages)

    def _lag(self, db: Session, now: datetime) -> float:
        """Of the busy places the one that was read longest ago; quiet ones are read once a day."""
        known = readings.known(db, self._team, now=now, doubted_until=now - timedelta(minutes=2))
        read = [one.last_began(tuple(WhyRead)) for one in known if not one.is_quiet]
        return max((age(at, now) for at in read if at), default=0.0)


class Measures:
    """Everything `/metrics` tells of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        PlatformCollector(registry=self.registry)
        ProcessCollector(registry=self.registry)
        self._acks = Histogram(
            "debrief_ack_seconds",
            "How long Slack waited for its answer.",
            ["door"],
            registry=self.registry,
            buckets=ACK_S,
        )
        self._deliveries = Counter("debrief_deliveries", "What became of notes.", ["outcome"], registry=self.registry)
        for door in DOORS:
            self._acks.labels(door)
        for outcome in DELIVERIES:
            self._deliveries.labels(outcome)

    def acked(self, door: Literal["http", "socket"], seconds: float) -> None:
        self._acks.labels(door).observe(seconds)

    def delivered(self, outcome: Delivery) -> None:
        """Counted; may be called from any thread."""
        self._deliveries.labels(outcome).inc()

    def page(self) -> bytes:
        """In Prometheus' text format; asks the database, so it takes a thread of its own."""
        return written(self.registry)


def gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=float(value))


def labelled(name: str, about: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
