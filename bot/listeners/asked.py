"""What every form is made of: what it asks, what it remembers, and what the answers come to."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.desk import Turn
from bot.listeners.blocks import Block
from bot.listeners.deeds import Deed
from bot.review.incident import ChannelId, Place, UserId
from bot.review.when import When, read_when
from storage import messages
from storage.models import Message

Answers = dict[str, Any]
MOST_OPTIONS = 100
"""Slack's limit of one menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a form remembers between being opened and being sent."""

    form: str
    incident: int | None = None
    channel: str = ""
    thread: str = ""
    ts: str | None = None
    number: int | None = None
    word: str | None = None

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @property
    def place(self) -> Place:
        return Place(ChannelId(self.channel), self.thread)

    @classmethod
    def from_json(cls, kept: str) -> "Memory":
        return cls(**json.loads(kept))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, about what, in which turn."""

    turn: Turn
    memory: Memory
    by: UserId

    @property
    def message(self) -> Message | None:
        """The message the form was opened on, where it was kept."""
        memory = self.memory
        return messages.find(self.turn.db, self.turn.team, memory.channel, memory.ts) if memory.ts else None


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its title, the word on its button, what it asks, and what the answers come to."""

    title: str
    submit: str
    ask: Callable[[Asked], list[Block]]
    deed: Callable[[Answers, Memory], Deed]
    first: str
    """The field beside which a refusal is shown."""
    word: Callable[[Asked], str] | None = None
    """What it remembers besides: the question it put, which another press may change meanwhile."""
    then: Callable[[Answers, Memory], Memory | None] | None = None
    """The form that follows, if one does."""


def options(words: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value.capitalize()) for word in words]


def moment_in(answers: Answers) -> When | None:
    if not answers.get("when"):
        return None
    return read_when(f"{datetime.fromtimestamp(int(answers['when']), UTC):%Y-%m-%dT%H:%M:%S}Z")
