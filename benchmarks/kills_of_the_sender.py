"""5,000 posts to 80 channels and ten people on SQLite, 1,000 kill -9 of whoever sends them (50 of `debrief run`, the
others of the same courier in a fork), 30 % of the calls failing in seven ways, history 55 s behind, 60 s of grace.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.reliability.deliveries import THIRTY_PERCENT, Mix, Square, a_square, judge, kill_again_and_again
from tests.reliability.receivers import a_door_of
from tests.reliability.story import is_whole

POSTS, WHOLE, ALONE = 5_000, 50, 950


def measure(posts: int = POSTS, whole: int = WHOLE, alone: int = ALONE) -> None:
    with tempfile.TemporaryDirectory() as folder, a_door_of("sender") as door:
        asyncio.run(_measure(Path(folder), door, posts, whole=whole, alone=alone))


async def _measure(folder: Path, door: Path, posts: int, *, whole: int, alone: int) -> None:
    began = time.monotonic()
    async with a_square(folder, Mix(posts, channels=80), 4, faults=THIRTY_PERCENT) as square:
        await kill_again_and_again(square, door, whole=whole, alone=alone)
        _tell(square, judge(square), time.monotonic() - began)


def _tell(square: Square, flaws: Counter[str], seconds: float) -> None:
    tally, calls = square.tally, square.slack.sandbox.journal.calls
    failed, updates = sum(bool(call["fault"]) for call in calls), sum(call["method"] == "chat.update" for call in calls)
    posts = len({deed.key for deed in square.written})
    print(f"{posts:,} posts in {len(square.written):,} versions: {dict(flaws) or 'nothing'} wrong")
    print(
        f"{tally['kills']:,} kills found {tally['found sending']:,} times something in the middle of being sent, "
        f"{tally['taken and not written down']:,} times something that Slack had taken"
    )
    print(f"{len(calls):,} calls, {updates:,} of them updates; {failed / len(calls):.0%} failed")
    print(f"the database is {'whole' if is_whole(square.file) else 'damaged'}; {seconds:.0f} s")
    if square.complaints:
        print(square.complaints)


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))
