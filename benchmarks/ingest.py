"""Durable ingest against a bare Bolt app: the same signed messages, in process 200 in flight, and over HTTP.

Debrief commits each message before it answers (SQLite, synchronous=FULL), with the search for secrets, the witness and
the word index on; the bare app's listener does nothing. Five interleaved pairs; a ratio of 1 is as fast as bare Bolt.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from benchmarks.bare import bare_app
from benchmarks.load import Load
from benchmarks.slack_requests import SECRET, Signed, messages
from benchmarks.stage import a_folder, bare_over_http, bot_in_process, bot_over_http
from bot.sandbox.server import in_thread
from bot.shapes import is_slacks
from bot.web import is_signed

EVENTS, IN_FLIGHT, PAIRS = 4_000, 200, 5


def measure() -> None:
    with in_thread(port=0) as slack:
        asyncio.run(_in_process(slack.api_url))
        asyncio.run(_over_http(slack.api_url))


async def _in_process(api_url: str) -> None:
    bare = bare_app(api_url)
    with a_folder() as folder:
        async with bot_in_process(api_url, folder) as app:
            pairs = await _pairs(lambda sent: dispatched(bare, sent), lambda sent: dispatched_signed(app, sent))
    tell("in process", pairs)


async def _over_http(api_url: str) -> None:
    with bare_over_http(api_url) as bare_port, bot_over_http(api_url) as bot_port:
        bare, bot = Load(bare_port), Load(bot_port)
        await bare.connect(IN_FLIGHT)
        await bot.connect(IN_FLIGHT)
        pairs = await _pairs(bare.pour, bot.pour)
        bare.close()
        bot.close()
    tell("over HTTP", pairs)


Run = Callable[[Sequence[Signed]], Awaitable[float]]


async def _pairs(bare: Run, debrief: Run) -> list[tuple[float, float]]:
    """Seconds of each pair; a first one warms both and is not counted."""
    numbers = itertools.count(0, EVENTS)
    await bare(messages(next(numbers), EVENTS))
    await debrief(messages(next(numbers), EVENTS))
    return [
        (await bare(messages(next(numbers), EVENTS)), await debrief(messages(next(numbers), EVENTS)))
        for _ in range(PAIRS)
    ]


async def dispatched(app: AsyncApp, requests: Sequence[Signed]) -> float:
    """Seconds until an app has answered requests that it checks itself."""
    return await _timed(lambda request: app.async_dispatch(_asked(request)), requests)


async def dispatched_signed(app: AsyncApp, requests: Sequence[Signed]) -> float:
    """Seconds until our app has answered requests whose signature and shape are checked at its door."""

    async def through_the_door(request: Signed) -> object:
        if not is_signed(request.raw, request.headers, secret=SECRET, now=time.time()):
            raise SystemExit("the signature does not fit")
        asked = _asked(request)
        if not is_slacks(asked.body):
            raise SystemExit("this is no request of Slack's")
        return await app.async_dispatch(asked)

    return await _timed(through_the_door, requests)


def _asked(request: Signed) -> AsyncBoltRequest:
    return AsyncBoltRequest(body=request.raw.decode(), headers=dict(request.headers))


async def _timed(answer: Callable[[Signed], Awaitable[object]], requests: Sequence[Signed]) -> float:
    waiting: Iterator[Signed] = iter(requests)

    async def one_after_another() -> None:
        for request in waiting:
            said = await answer(request)
            if getattr(said, "status", 0) != 200:
                raise SystemExit(f"a request failed: {said}")

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
    return time.perf_counter() - began


def tell(where: str, pairs: Sequence[tuple[float, float]]) -> None:
    ratios = [bare / debrief for bare, debrief in pairs]
    bare, debrief = (EVENTS / statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"{where}: {statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"bare {bare:,.0f}/s, Debrief {debrief:,.0f}/s"
    )


if __name__ == "__main__":
    measure()
