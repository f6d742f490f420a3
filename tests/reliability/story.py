"""A story that Slack tells of one channel, each part of it one to four times and in no order; and who judges the copy.

The judge looks for what Jepsen's checkers look for: what was acknowledged and is lost, doubled or stale.
"""

import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.cast import CHANNEL, TEAM, TOMAS

Json = dict[str, Any]
COPIES = (1, 2, 3, 4)
GONE = 99
"""The rank of a deletion: nothing is newer."""


@dataclass(frozen=True)
class Part:
    """One event about one message; of two the one with the higher rank is newer."""

    number: int
    ts: str
    rank: int
    text: str
    event: Json

    @property
    def body(self) -> Json:
        """The delivery: the keys of an event's outer layer."""
        authorization = {"team_id": TEAM, "user_id": "U0DEBRIEF", "is_bot": True, "is_enterprise_install": False}
        outer = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A0DEBRIEF", "event_id": f"Ev{self.number}"}
        return outer | {"event": self.event, "authorizations": [authorization | {"enterprise_id": None}]}


def a_story(dice: random.Random, events: int, began: int) -> list[Part]:
    """So many events: messages posted from this second on, some edited once or twice, some deleted."""
    numbers, parts = count(), list[Part]()
    for message in count():
        for rank, text, event in _events(f"{began + message // 5}.{message % 5 + 1:06d}", message, dice):
            parts.append(Part(next(numbers), event.pop("of"), rank, text, event))
            if len(parts) == events:
                return parts
    raise AssertionError


def _events(ts: str, message: int, dice: random.Random) -> Iterator[tuple[int, str, Json]]:
    said = {"type": "message", "user": TOMAS, "text": f"m{message} as posted", "ts": ts, "team": TEAM}
    yield 0, said["text"], said | {"channel": CHANNEL, "event_ts": ts, "of": ts}
    outer = {"type": "message", "channel": CHANNEL, "of": ts}
    for edit in range(1, dice.choice((1, 1, 2, 3))):
        at = _later(ts, edit)
        changed = said | {"text": f"m{message} edited {edit}", "edited": {"user": TOMAS, "ts": at}}
        more = {"subtype": "message_changed", "message": changed, "previous_message": said, "ts": at, "event_ts": at}
        yield edit, changed["text"], outer | more
    if dice.random() < 0.1:
        at = _later(ts, 50)
        more = {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": said, "ts": at, "event_ts": at}
        yield GONE, "", outer | more


def _later(ts: str, seconds: int) -> str:
    whole, _, fraction = ts.partition(".")
    return f"{int(whole) + seconds}.{fraction}"


def shuffled(parts: Iterable[Part], dice: random.Random) -> list[Part]:
    """Each part one to four times, in no order."""
    copies = [part for part in parts for _ in range(dice.choice(COPIES))]
    dice.shuffle(copies)
    return copies


# The judge ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A message as it is kept, with its earlier wordings."""

    ts: str
    text: str
    gone: bool
    earlier: frozenset[str]


def rows_of(file: Path) -> list[Row]:
    """What a SQLite file holds, read by nothing of ours."""
    with closing(sqlite3.connect(file)) as db:
        earlier: defaultdict[int, set[str]] = defaultdict(set)
        for message, text in db.execute("SELECT message_id, text FROM message_versions"):
            earlier[message].add(text)
        found = db.execute("SELECT id, ts, text, deleted_at IS NOT NULL FROM messages").fetchall()
    return [Row(ts, text, bool(gone), frozenset(earlier[row])) for row, ts, text, gone in found]


def is_whole(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file."""
    with closing(sqlite3.connect(file)) as db:
        db.text_factory = bytes
        return db.execute("PRAGMA integrity_check").fetchone()[0] == b"ok"


def judge(rows: Iterable[Row], acked: Iterable[Part]) -> Counter[str]:
    """How often something that was acknowledged is lost, doubled or stale; empty where all is well."""
    rows = list(rows)
    flaws = Counter({"doubled": len(rows) - len({row.ts for row in rows})})
    by_ts, newest = {row.ts: row for row in rows}, dict[str, Part]()
    for part in acked:
        newest[part.ts] = max(newest.get(part.ts, part), part, key=lambda one: one.rank)
        flaws["lost"] += _is_lost(by_ts.get(part.ts), part)
    flaws["stale"] += sum(_is_stale(by_ts[ts], part) for ts, part in newest.items() if ts in by_ts)
    return +flaws


def _is_lost(row: Row | None, part: Part) -> bool:
    """Whether a wording is neither shown nor among the earlier ones, though nothing deleted it."""
    if row is None:
        return True
    if part.rank == GONE:
        return False
    return not row.gone and part.text != row.text and part.text not in row.earlier


def _is_stale(row: Row, newest: Part) -> bool:
    """Whether something older is shown than what was acknowledged."""
    if newest.rank == GONE:
        return not row.gone
    return not row.gone and _rank(row.text) < newest.rank


def _rank(text: str) -> int:
    return int(text.rpartition(" ")[2]) if " edited " in text else 0
