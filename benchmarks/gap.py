"""Six hours that nobody told of: 5,000 messages, 270 active threads, 60 % replies, 19 % in older threads, 6 pages of
parents; 3 % of the calls refused, the reader stopped 20 times. Then a full snapshot: 100 edits, 40 deletions, 30 emoji.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from storage import channels
from tests.reliability.gap import SIX_HOURS, Changed, Gap, gap

KILLS, REFUSED = 20, 0.03
EDITS, DELETIONS, EMOJI = 100, 40, 30


def measure() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    async with gap(folder, SIX_HOURS) as here:
        for method in ("conversations.history", "conversations.replies"):
            here.running.sandbox.faults.set({"method": method, "kind": "429", "rate": REFUSED, "retry_after": 2})
        missed, began = len(here.missing()), time.monotonic()
        await here.heals(kills=KILLS)
        healed = missed - len(here.missing())
        calls = f"{here.answered()} calls answered and {here.refused()} refused"
        print(
            f"healed {healed:,} of {missed:,} messages: {calls}, {KILLS} stops, {here.minutes():.1f} minutes of Slack's"
        )
        print(f"({time.monotonic() - began:.0f} s of ours, for waiting took no time)")
        await _snapshot(here)


async def _snapshot(here: Gap) -> None:
    changed = here.changes(edits=EDITS, deletions=DELETIONS, emoji=EMOJI)
    here.clock.advance(120)
    incident = here.room.ask(lambda db: channels.source(db, here.source).incident_id)
    before, began = here.answered(), here.clock.now()
    await here.historian().compare(incident)
    minutes = (here.clock.now() - began).total_seconds() / 60
    words = f"{here.answered() - before} calls, {minutes:.1f} minutes of Slack's"
    print(f"a full snapshot found {_found(here, changed)}: {words}")


def _found(here: Gap, changed: Changed) -> str:
    edits = sum(one.text == f"edited {one.ts}" for one in here.kept(changed.edited))
    deletions = sum(one.missing_since is not None for one in here.kept(changed.deleted))
    wrong = {ts for ts, _, _ in here.emoji() ^ here.shown_emoji()} & set(changed.reacted)
    emoji = len(changed.reacted) - len(wrong)
    return f"{edits} of {EDITS} edits, {deletions} of {DELETIONS} deletions, {emoji} of {EMOJI} emoji"


if __name__ == "__main__":
    measure()
