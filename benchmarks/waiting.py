"""How long Slack waits for an answer at 1,000 events a second: for events, and for `/review` typed meanwhile.

Over HTTP, ten seconds each, five interleaved pairs of the bare app and `debrief run`; at a ratio of 1 both are as fast.
Bare Bolt only says a word to `/review`; Debrief looks up the incident and writes its standing.
"""

import asyncio
import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.load import Answers, Load
from benchmarks.slack_requests import command, messages
from benchmarks.stage import bare_over_http, bot_over_http
from bot.sandbox.server import in_thread

PER_SECOND, SECONDS, PAIRS = 1_000, 10, 5
COMMANDS_PER_SECOND = 10
SLACKS_PATIENCE_S = 3.0
MS = 1_000


@dataclass(frozen=True)
class Waits:
    """What one app was asked, and how long each answer took."""

    events: Answers
    commands: Answers


def measure() -> None:
    with in_thread(port=0) as slack, bare_over_http(slack.api_url) as bare, bot_over_http(slack.api_url) as debrief:
        pairs = asyncio.run(_pairs(bare, debrief))
    _tell("events", [(bare.events, debrief.events) for bare, debrief in pairs])
    _tell("/review", [(bare.commands, debrief.commands) for bare, debrief in pairs])


async def _pairs(bare: int, debrief: int) -> list[tuple[Waits, Waits]]:
    """A first, short pair warms both and is not counted."""
    numbers = itertools.count(0, PER_SECOND * SECONDS)
    await _waits(bare, numbers, seconds=1)
    await _waits(debrief, numbers, seconds=1)
    return [
        (await _waits(bare, numbers, seconds=SECONDS), await _waits(debrief, numbers, seconds=SECONDS))
        for _ in range(PAIRS)
    ]


async def _waits(port: int, numbers: Iterator[int], *, seconds: int) -> Waits:
    for_events, for_commands = Load(port), Load(port)
    await for_events.connect(50)
    await for_commands.connect(5)
    events, commands = await asyncio.gather(
        for_events.trickle(messages(next(numbers), PER_SECOND * seconds), PER_SECOND),
        for_commands.trickle([command() for _ in range(COMMANDS_PER_SECOND * seconds)], COMMANDS_PER_SECOND),
    )
    for_events.close()
    for_commands.close()
    return Waits(events, commands)


def _tell(what: str, pairs: Sequence[tuple[Answers, Answers]]) -> None:
    ratios = [debrief.percentile(0.99) / bare.percentile(0.99) for bare, debrief in pairs]
    bare, debrief = (statistics.median(each.percentile(0.99) for each in side) for side in zip(*pairs, strict=True))
    late = sum(took > SLACKS_PATIENCE_S for _, answers in pairs for took in answers.took)
    longest = max(max(answers.took) for _, answers in pairs)
    print(
        f"{what}: p99 {statistics.median(ratios):.1f} x ({min(ratios):.1f} to {max(ratios):.1f}); "
        f"bare {bare * MS:.0f} ms, Debrief {debrief * MS:.0f} ms; "
        f"Debrief's longest {longest * MS:.0f} ms, over 3 s: {late}"
    )


if __name__ == "__main__":
    measure()
