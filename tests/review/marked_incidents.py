"""Three incidents whose timelines were marked by hand before there were rules: what of it do the candidates hold?"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bot.review.candidates import Candidate, Chatter, candidates
from bot.review.incident import ChannelId, Ts, UserId
from bot.review.plain_text import plain

INCIDENTS = Path(__file__).parent / "incidents"
SAMPLE = Path(__file__).parents[2] / "bot" / "sandbox" / "sample"
NAMES = ("sample_marks", "checkout_thread", "three_days")
HERE = ChannelId("C0INC")


@dataclass(frozen=True)
class Marked:
    """An incident's messages, and which of them a person marked."""

    name: str
    messages: tuple[Chatter, ...]
    marks: frozenset[str]

    def offered(self) -> list[Candidate]:
        return candidates(self.messages)


@dataclass(frozen=True)
class Held:
    """How many marks the candidates hold; a folded burst holds those of its messages."""

    name: str
    messages: int
    offered: int
    marks: int
    held: int
    suggested: int
    reasons: Counter[str]
    right: Counter[str]

    @property
    def share(self) -> float:
        return self.held / self.marks


def measure(marked: Marked, offered: Sequence[Candidate]) -> Held:
    of_each = [(one, {ts for _, ts in one.messages} & marked.marks) for one in offered]
    return Held(
        marked.name,
        len(marked.messages),
        len(offered),
        len(marked.marks),
        len(set[str]().union(*(marks for _, marks in of_each))),
        sum(one.is_sure for one in offered),
        Counter(one.why for one in offered),
        Counter(one.why for one, marks in of_each if marks),
    )


@cache
def read(name: str) -> Marked:
    kept = json.loads((INCIDENTS / f"{name}.json").read_text())
    return _sample(kept) if name == "sample_marks" else _written(name, kept)


def _written(name: str, kept: dict[str, Any]) -> Marked:
    return Marked(
        name,
        tuple(_message(one) for one in kept["messages"] if not one.get("joined")),
        frozenset(_ts(at) for at in kept["marked"]),
    )


def _message(one: dict[str, Any]) -> Chatter:
    thread = one["thread_of"]
    return Chatter(
        HERE,
        Ts(_ts(one["at"])),
        Ts(_ts(thread)) if thread else None,
        UserId(one["user"]) if one["user"] else None,
        is_bot=one["bot"] is not None,
        text=plain(one["text"]),
        reactions=sum(one["reactions"].values()),
        at=datetime.fromisoformat(one["at"]),
        program=one.get("bot_name") or one["bot"] or "",
    )


def _ts(at: str) -> str:
    return f"{datetime.fromisoformat(at).timestamp():.6f}"


OF_THE_CHANNEL = {"channel_join", "channel_topic", "tombstone"}


def _sample(kept: dict[str, Any]) -> Marked:
    said = json.loads((SAMPLE / kept["channel"] / f"{kept['day']}.json").read_text())
    return Marked(
        "sample",
        tuple(_exported(one) for one in said if one.get("subtype") not in OF_THE_CHANNEL),
        frozenset(mark["ts"] for mark in kept["marked"]),
    )


def _exported(one: dict[str, Any]) -> Chatter:
    return Chatter(
        HERE,
        Ts(one["ts"]),
        Ts(one["thread_ts"]) if one.get("thread_ts") else None,
        UserId(one["user"]) if one.get("user") else None,
        is_bot="bot_id" in one,
        text=plain(one.get("text", ""), one.get("blocks"), one.get("attachments")),
        reactions=sum(reaction["count"] for reaction in one.get("reactions", [])),
        at=datetime.fromtimestamp(float(one["ts"]), UTC),
        program=one.get("username", ""),
    )
