"""Signed requests poured over kept connections, as fast as they are answered or at a steady rate."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.slack_requests import Signed


@dataclass
class Answers:
    """How each request was answered: its status and how long it took, in seconds."""

    statuses: list[int] = field(default_factory=list[int])
    took: list[float] = field(default_factory=list[float])

    def percentile(self, share: float) -> float:
        return sorted(self.took)[min(int(len(self.took) * share), len(self.took) - 1)]

    def refuse_failures(self) -> None:
        failed = [status for status in self.statuses if status != 200]
        if failed:
            raise SystemExit(f"{len(failed)} of {len(self.statuses)} requests failed, the first with {failed[0]}")


class _Line(asyncio.Protocol):
    """A kept connection: one request at a time, and the next as soon as it was answered."""

    def __init__(self, load: "Load") -> None:
        self._load, self._got, self._began = load, b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, began: float, wire: bytes) -> None:
        self._began = began
        self._transport.write(wire)  # pyright: ignore[reportAttributeAccessIssue]

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, gap, body = self._got.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        self._got = b""
        self._load.answered(self, int(head.split(b" ", 2)[1]), time.perf_counter() - self._began)

    def close(self) -> None:
        self._transport.close()


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class Load:
    """Some kept connections to one server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Line] = []
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._answers = Answers()
        self._open = 0
        self._done = asyncio.Event()

    async def connect(self, lines: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(lines):
            _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._port)
            self._idle.append(line)

    def close(self) -> None:
        for line in self._idle:
            line.close()

    async def pour(self, requests: Sequence[Signed]) -> float:
        """Seconds until all are answered, each line asking again as soon as it was answered."""
        self._expect(len(requests))
        wires = [request.wire for request in requests]
        began = time.perf_counter()
        for wire in wires:
            self._ask(began, wire)
        await self._done.wait()
        self._answers.refuse_failures()
        return time.perf_counter() - began

    async def trickle(self, requests: Sequence[Signed], per_second: float) -> Answers:
        """The answers to requests sent at a steady rate, whether or not the earlier ones are answered."""
        self._expect(len(requests))
        wires: Iterator[bytes] = iter([request.wire for request in requests])
        began, sent = time.perf_counter(), 0
        while sent < len(requests):
            due = min(int((time.perf_counter() - began) * per_second) + 1, len(requests))
            for number in range(sent, due):
                self._ask(began + number / per_second, next(wires))
            sent = due
            await asyncio.sleep(0.001)
        await self._done.wait()
        self._answers.refuse_failures()
        return self._answers

    def _expect(self, many: int) -> None:
        self._answers, self._open = Answers(), many
        self._done.clear()

    def _ask(self, began: float, wire: bytes) -> None:
        if self._idle:
            self._idle.pop().ask(began, wire)
        else:
            self._waiting.append((began, wire))

    def answered(self, line: _Line, status: int, took: float) -> None:
        self._answers.statuses.append(status)
        self._answers.took.append(took)
        if self._waiting:
            line.ask(*self._waiting.popleft())
        else:
            self._idle.append(line)
        self._open -= 1
        if not self._open:
            self._done.set()
