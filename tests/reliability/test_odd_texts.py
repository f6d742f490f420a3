"""Whatever people write, in whatever script and length, is kept and exported whole, on either database."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import office
from bot.keeper import Keeper
from storage.types import clean
from tests.cast import CHANNEL, TEAM, TOMAS, Room, a_room, an_incident

SECOND = int(datetime(2026, 11, 18, 14, 0, tzinfo=UTC).timestamp())
ANY = st.characters()
MEAN = st.sampled_from(
    "\0\u202e\u2066\u200b\u0301\u0489\ud800\udc00\udfff\ufeff\ufffe\U0010ffff\U0001f525<>&|*_`~\\\r\n\t"
)
TEXTS = st.text(st.one_of(ANY, MEAN), max_size=60)
LONG = (
    "\u0301" * 40_000,
    "\ud83d" * 40_000,
    "\0" * 40_000,
    "\u202e<@U1>&amp;" * 4_000,
    "\U0001f469\u200d\U0001f4bb" * 10_000,
)


class Scribe:
    """Says texts to a keeper, and remembers what has to be found again."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.said: dict[str, str] = {}
        self.numbers = count(1)

    def say(self, texts: list[str]) -> None:
        """Say them all at once."""
        asyncio.run(self._say(texts))

    async def _say(self, texts: list[str]) -> None:
        keeper = Keeper(self.room.storage, TEAM, lambda: self.room.now)
        keeper.start()
        await asyncio.gather(*(keeper.keep(self._delivery(text)) for text in texts))
        await asyncio.to_thread(keeper.stop)

    def _delivery(self, text: str) -> dict[str, Any]:
        number = next(self.numbers)
        ts = f"{SECOND + number}.{number % 1_000_000:06d}"
        self.said[ts] = clean(text)
        # As it comes over the wire: a lone surrogate is an escape there.
        event = {"type": "message", "channel": CHANNEL, "user": TOMAS, "text": text, "ts": ts, "event_ts": ts}
        blocks = [{"type": "rich_text", "block_id": text[:40], "elements": [{"type": "text", "text": text}]}]
        return json.loads(json.dumps({"type": "event_callback", "event": event | {"blocks": blocks}}))

    def exported(self, form: str) -> str:
        return b"".join(office.exported(self.room.storage, "1", form)).decode()


def _texts_of(exported: str) -> dict[str, str]:
    return {message["ts"]: message["text"] for message in _messages(json.loads(exported))}


def _messages(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever in an export has a ts and a text."""
    if isinstance(value, dict):
        if "ts" in value and "text" in value:
            yield value
        for inner in value.values():
            yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)


def _tell(scribe: Scribe, examples: int) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=quiet)
    @given(texts=st.lists(TEXTS, min_size=40, max_size=60))
    def tell(texts: list[str]) -> None:
        scribe.say(texts)

    tell()
    scribe.say([*LONG, "".join(random.Random(4).choices("".join(map(chr, range(1, 0x3000))), k=40_000))])


def _is_kept_and_exported_whole(folder: Path, url: str, examples: int) -> None:
    scribe = Scribe(a_room(folder, url))
    an_incident(scribe.room)

    _tell(scribe, examples)

    exported = _texts_of(scribe.exported("json"))
    assert len(scribe.said) >= 40 * examples
    assert exported == scribe.said
    assert len(scribe.exported("md").encode()) > 1_000
    scribe.room.storage.close()


def test_whatever_people_write_is_kept_and_exported_whole(tmp_path: Path, database_url: str):
    _is_kept_and_exported_whole(tmp_path, database_url, 10)


@pytest.mark.torture
@pytest.mark.timeout(1_800)
def test_ten_thousand_odd_texts_are_kept_and_exported_whole(tmp_path: Path, database_url: str):
    _is_kept_and_exported_whole(tmp_path, database_url, 250)
