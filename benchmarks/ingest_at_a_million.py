"""Durable ingest with 1,000,000 messages stored, against an empty database; it takes minutes, so it is run by hand.

The million are written by SQL, with their entries in the witness's book and their words in the index. Messages are
dispatched in process, 200 in flight, five interleaved pairs; a ratio of 1 costs as much as with an empty database.
"""

import asyncio
import itertools
import sqlite3
import statistics
from contextlib import closing
from pathlib import Path

from benchmarks.ingest import EVENTS, PAIRS, dispatched_signed
from benchmarks.slack_requests import CHANNEL, TEAM, messages
from benchmarks.stage import a_folder, bot_in_process
from bot.sandbox.server import in_thread

STORED = 1_000_000
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
WORDS = " || ' w' || ".join(
    f"(i * {step} % {of})" for step, of in itertools.product((7_919, 104_729), (40, 3_000, 30_000))
)
A_BOOK = (
    "INSERT INTO books (id, team_id, begun_at, seed, keyed, leans_on, older) "
    "VALUES (1, :team, '2026-01-01', '', '', '{}', NULL)"
)
SAID = (
    "INSERT INTO messages (id, team_id, channel_id, ts, thread_ts, posted_at, user_id, text, plain, blocks) "
    f"{NUMBERS} SELECT i, :team, CASE i % 4 WHEN 0 THEN :channel ELSE 'C' || (i % 40) END, "
    "1700000000 + i || '.000100', CASE i % 3 WHEN 0 THEN 1700000000 + i - i % 30 || '.000100' END, "
    f"'2025-06-01', 'U' || (i % 40), {WORDS}, {WORDS}, "
    """'[{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}]' FROM n"""
)
ENTERED = (
    "INSERT INTO book_entries (team_id, book_id, number, message_id, edited_ts, what, salt, digest, link) "
    f"{NUMBERS} SELECT :team, 1, i, i, '', 'said', hex(randomblob(16)), hex(randomblob(32)), hex(randomblob(32)) FROM n"
)


def measure() -> None:
    with a_folder() as empty, a_folder() as full, in_thread(port=0) as slack:
        fill(full / "debrief.db")
        asyncio.run(_compare(slack.api_url, empty, full))


def fill(database: Path) -> None:
    """Store a million messages straight in the file."""
    given = {"team": TEAM, "channel": CHANNEL, "many": STORED}
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in (A_BOOK, SAID, ENTERED):
            connection.execute(statement, given)


async def _compare(api_url: str, empty: Path, full: Path) -> None:
    numbers = itertools.count(0, EVENTS)
    async with bot_in_process(api_url, empty) as at_nothing, bot_in_process(api_url, full) as at_a_million:
        pairs = [
            (
                await dispatched_signed(at_nothing, messages(next(numbers), EVENTS)),
                await dispatched_signed(at_a_million, messages(next(numbers), EVENTS)),
            )
            for _ in range(PAIRS + 1)
        ][1:]
    ratios = [full_took / empty_took for empty_took, full_took in pairs]
    nothing, million = (EVENTS / statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"cost at {STORED:,} messages: {statistics.median(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"empty {nothing:,.0f}/s, at {STORED:,} {million:,.0f}/s"
    )


if __name__ == "__main__":
    measure()
