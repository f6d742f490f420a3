"""One queue from the workspace to the bot: order, acknowledgement within 3 seconds, retries, and the faults of both."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.clock import VirtualClock
from bot.sandbox.faults import Fault, Faults
from bot.sandbox.journal import Journal

Json = dict[str, Any]

ACK_DEADLINE_S = 3.0
RETRY_AFTER_S = (0.0, 60.0, 300.0)  # virtual seconds: nearly at once, one minute, five minutes
PATIENCE_S = 0.25  # how long the next event of a channel waits for the acknowledgement of the one before
HELD_AT_MOST_S = 1.0
MILLISECONDS = 1000


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt; `reason` as in x-slack-retry-reason when it was not acknowledged."""

    acked: bool
    ms: int = 0
    body: Any = None
    reason: str = ""
    retry: bool = True


@dataclass(frozen=True)
class Attempt:
    """`number` counts the retries: 0 is the first delivery."""

    number: int = 0
    reason: str = ""


class Transport(Protocol):
    """A way to the bot: Socket Mode or signed HTTP."""

    async def send(self, kind: str, payload: Json, attempt: Attempt) -> Outcome: ...

    async def close(self) -> None: ...


@dataclass
class Delivery:
    """An event on its way; `first` is the outcome of the first attempt."""

    payload: Json
    key: str
    first: asyncio.Future[Outcome] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def event_type(self) -> str:
        return str(self.payload.get("event", self.payload).get("type", ""))


@dataclass
class Deliveries:
    clock: VirtualClock
    journal: Journal
    faults: Faults
    transport: Transport
    sent: dict[str, Delivery] = field(default_factory=dict)
    _last_of: dict[str, Delivery] = field(default_factory=dict)
    _held: list[Delivery] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def send_event(self, payload: Json, key: str) -> Delivery:
        """Queue an event; events of one `key` (their channel) leave in order."""
        delivery = Delivery(payload, key)
        self.sent[payload.get("event_id", "")] = delivery
        self._apply(self.faults.for_event(delivery.event_type), delivery)
        return delivery

    def redeliver(self, event_id: str) -> Delivery | None:
        known = self.sent.get(event_id)
        if known is None:
            return None
        return self.send_raw(known.payload, known.key)

    def send_raw(self, payload: Json, key: str = "") -> Delivery:
        """Deliver without asking the faults."""
        delivery = Delivery(payload, key)
        self._queue(delivery)
        return delivery

    async def send_interaction(self, kind: str, payload: Json) -> Outcome:
        """A command or interaction: one attempt, the bot's answer in the outcome's body."""
        outcome = await self.transport.send(kind, payload, Attempt())
        self._record(kind, payload, Attempt(), outcome)
        return outcome

    def send_once(self, kind: str, payload: Json, attempt: Attempt) -> None:
        """Deliver without retries and without anybody waiting for it."""
        self._spawn(self._once(kind, payload, attempt))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()

    async def _once(self, kind: str, payload: Json, attempt: Attempt) -> None:
        self._record(kind, payload, attempt, await self.transport.send(kind, payload, attempt))

    def _apply(self, fault: Fault | None, delivery: Delivery) -> None:
        kind = fault.kind if fault else "none"
        if kind == "drop":
            self._settle(delivery, Outcome(acked=False, reason="dropped"))
            self._record("events_api", delivery.payload, Attempt(), Outcome(acked=False, reason="dropped"))
        elif kind == "delay":
            self._settle(delivery, Outcome(acked=False, reason="delayed"))
            self._spawn(self._later(delivery, float(fault.options.get("seconds", 5)) if fault else 0))
        elif kind == "reorder":
            self._hold(delivery)
        else:
            self._queue(delivery)
            if kind == "duplicate":
                self.send_raw(delivery.payload, delivery.key)

    def _hold(self, delivery: Delivery) -> None:
        self._settle(delivery, Outcome(acked=False, reason="reordered"))
        self._held.append(delivery)
        self._spawn(self._release(delivery))

    async def _release(self, delivery: Delivery) -> None:
        await asyncio.sleep(HELD_AT_MOST_S)
        if delivery in self._held:
            self._held.remove(delivery)
            self._queue(delivery)

    async def _later(self, delivery: Delivery, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._queue(delivery)

    def _queue(self, delivery: Delivery) -> None:
        before = self._last_of.get(delivery.key)
        self._last_of[delivery.key] = delivery
        self._spawn(self._deliver(delivery, before))
        held, self._held = self._held, []
        for other in held:
            self._queue(other)

    async def _deliver(self, delivery: Delivery, before: Delivery | None) -> None:
        if before is not None:
            await asyncio.wait([before.first], timeout=PATIENCE_S)
        outcome = await self._attempt(delivery, Attempt())
        self._settle(delivery, outcome)
        for number, wait_s in enumerate(RETRY_AFTER_S, start=1):
            if outcome.acked or not outcome.retry:
                return
            await self.clock.sleep(wait_s)
            outcome = await self._attempt(delivery, Attempt(number, outcome.reason))

    async def _attempt(self, delivery: Delivery, attempt: Attempt) -> Outcome:
        outcome = await self.transport.send("events_api", delivery.payload, attempt)
        self._record("events_api", delivery.payload, attempt, outcome)
        return outcome

    def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        if not delivery.first.done():
            delivery.first.set_result(outcome)

    def _record(self, kind: str, payload: Json, attempt: Attempt, outcome: Outcome) -> None:
        self.journal.delivery(
            kind=kind,
            type=payload.get("event", payload).get("type") or payload.get("command", ""),
            event_id=payload.get("event_id", ""),
            attempt=attempt.number,
            retry_reason=attempt.reason,
            acked=outcome.acked,
            ack_ms=outcome.ms,
            failure=outcome.reason,
            answer=outcome.body,
            payload=payload,
        )

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
