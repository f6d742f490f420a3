"""The agenda of one meeting: its topics, their minutes, and where the room stands (S1, S2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.review.refusal import MeetingTooShort, NeedsMinutes, NoSuchTopic, NotInMeeting, TooFewMinutes

MINUTE = timedelta(minutes=1)
TIMELINE = "timeline"
ACTIONS = "actions"
LABELS: Mapping[str, str] = {
    "opening": "Opening",
    "summary": "Summary and impact",
    TIMELINE: "Timeline walk",
    "findings": "Contributors, mitigators, risks and learnings",
    "actions": "Actions",
    "close": "Close",
}
IN_60 = (3, 4, 35, 9, 5, 4)
IN_90 = (5, 5, 45, 17, 10, 8)
"""Minutes of each topic; the walk has more than half of a short meeting."""


@dataclass(frozen=True)
class Topic:
    """One item of the agenda; `planned` is in whole minutes."""

    name: str
    label: str
    planned: timedelta

    @property
    def minutes(self) -> int:
        """The planned minutes."""
        return self.planned // MINUTE


@dataclass(frozen=True)
class MinutesLeft:
    """Of the topic and of the meeting, rounded up; below zero by how much it has run over."""

    topic: int
    meeting: int


class Mark(StrEnum):
    """What of the time is said to whoever leads, once a topic."""

    quarter_left = "quarter-left"
    over_run = "over-run"


@dataclass(frozen=True)
class Agenda:
    """Where a meeting stands. Every change gives a new value with the next `version`.

    `spent` are whole seconds per topic, without those of the topic that is running. `stops` are numbers of events;
    `stop` is an index into them. `moved_at` is when the room came to the topic or stop on the table, `shown_at` the
    moment its message shows, and `posted` how often that message was posted anew. `asked` counts the further questions
    that were asked at an event.
    """

    topics: tuple[Topic, ...]
    opened_at: datetime
    entered_at: datetime
    moved_at: datetime
    shown_at: datetime
    spent: tuple[int, ...]
    current: int = 0
    stop: int = 0
    stops: tuple[int, ...] = ()
    asked: Mapping[int, int] = field(default_factory=dict[int, int])
    ended_at: datetime | None = None
    version: int = 1
    posted: int = 1

    @classmethod
    def open(cls, minutes: int, now: datetime, *, stops: Sequence[int] = ()) -> Agenda:
        """A meeting of that length that begins now; raises MeetingTooShort."""
        now = _whole_second(now)
        topics = topics_in(minutes)
        return cls(topics, now, now, now, now, spent=(0,) * len(topics), stops=tuple(stops))

    # Where it stands.

    @property
    def topic(self) -> Topic:
        """The topic on the table."""
        return self.topics[self.current]

    @property
    def following(self) -> Topic | None:
        """The topic after it."""
        return None if self.is_last else self.topics[self.current + 1]

    @property
    def is_last(self) -> bool:
        """Whether the topic on the table is the last one, where *next* stays."""
        return self.current == len(self.topics) - 1

    @property
    def event(self) -> int | None:
        """The number of the event at which the walk has stopped; None outside the walk or without stops."""
        return self.stops[self.stop] if self.topic.name == TIMELINE and self.stops else None

    def spent_s(self, now: datetime) -> tuple[int, ...]:
        """Whole seconds per topic, the running one included: each second belongs to exactly one."""
        running = 0 if self.ended_at else max(0, _seconds(_whole_second(now) - self.entered_at))
        return tuple(spent + running * (number == self.current) for number, spent in enumerate(self.spent))

    @property
    def topic_until(self) -> datetime:
        """Until when the topic on the table may take, if it keeps to its minutes."""
        return self.entered_at + self.topic.planned - timedelta(seconds=self.spent[self.current])

    @property
    def ends_at(self) -> datetime:
        """When the meeting ends if it keeps to its minutes; a pause between end and resume moves it."""
        planned = sum((topic.planned for topic in self.topics), timedelta())
        return self.entered_at + planned - timedelta(seconds=sum(self.spent))

    def minutes_taken(self) -> list[tuple[Topic, int]]:
        """Every topic of a meeting that ended, with the minutes it took."""
        return [(topic, round(spent / 60)) for topic, spent in zip(self.topics, self.spent, strict=True)]

    def minutes_left(self, now: datetime) -> MinutesLeft:
        """What is left of the topic and of the meeting; a pause between end and resume does not count."""
        spent = self.spent_s(now)
        planned = sum(_seconds(topic.planned) for topic in self.topics)
        return MinutesLeft(
            topic=_minutes_up(_seconds(self.topic.planned) - spent[self.current]),
            meeting=_minutes_up(planned - sum(spent)),
        )

    # What its message shows, and what is said of the time.

    def is_outdated(self, now: datetime) -> bool:
        """Whether the minutes its message shows have passed; at most once a minute, and not when nothing is left."""
        return not self.ended_at and self._minutes_on_show(now) != self._minutes_on_show(self.shown_at)

    def _minutes_on_show(self, at: datetime) -> tuple[int, int]:
        """Of the topic while it has any, then of the meeting: both would change at two moments of each minute."""
        left = self.minutes_left(at)
        return (left.topic, 0) if left.topic > 0 else (0, max(0, left.meeting))

    def shown(self, now: datetime) -> Agenda:
        """Its message shows this moment now; nothing was moved by that."""
        return replace(self, shown_at=_whole_second(now))

    def post_anew(self, seen: int | None = None) -> Agenda:
        """Its message is to be posted once more, further down; unchanged where `seen` has passed."""
        self._must_be_open()
        return self if self.has_passed(seen) else self._changed(posted=self.posted + 1)

    def mark(self, now: datetime) -> Mark | None:
        """What whoever leads wants to know of the time: a quarter of the topic is left, or it has run over."""
        if self.ended_at:
            return None
        if now >= self.topic_until:
            return Mark.over_run
        return Mark.quarter_left if now >= self.topic_until - self.topic.planned / 4 else None

    # A meeting without a facilitator goes on by its own clock.

    @property
    def moves_at(self) -> datetime:
        """When it goes on by itself: what is left of the topic is shared among its stops, at least a minute each."""
        stops = len(self.stops) - self.stop if self.event is not None else 1
        return self.moved_at + max(_whole_seconds((self.topic_until - self.moved_at) / stops), MINUTE)

    def go_on(self, now: datetime) -> Agenda:
        """Where it stands by its own clock; each move at its own moment, so a pause of the bot costs no minutes."""
        agenda = self
        while not agenda.ended_at and agenda.moves_at <= now and not agenda.is_at_its_end:
            agenda = agenda.advance(agenda.moves_at)
        return agenda

    @property
    def is_at_its_end(self) -> bool:
        """Whether *next* would stay: the last topic, after its last stop."""
        return self.is_last and not (self.event is not None and self.stop < len(self.stops) - 1)

    # Moving on. With two facilitators pressing at once, the second press carries a version that has passed.

    def has_passed(self, seen: int | None) -> bool:
        """Whether a button was pressed on an agenda that has changed since; what is typed has seen none."""
        return seen not in {None, self.version}

    def advance(self, now: datetime, seen: int | None = None) -> Agenda:
        """The next stop of the walk, else the next topic; unchanged on the last topic or where `seen` has passed."""
        self._must_be_open()
        if self.has_passed(seen):
            return self
        if self.event is not None and self.stop < len(self.stops) - 1:
            return self._changed(stop=self.stop + 1, moved_at=self._at(now))
        return self if self.is_last else self._enter(self.current + 1, now)

    def back(self, now: datetime, seen: int | None = None) -> Agenda:
        """The stop before, else the topic before; unchanged on the first one or where `seen` has passed."""
        self._must_be_open()
        if self.has_passed(seen):
            return self
        if self.event is not None and self.stop > 0:
            return self._changed(stop=self.stop - 1, moved_at=self._at(now))
        return self._enter(self.current - 1, now) if self.current else self

    def go_to(self, words: str, now: datetime) -> Agenda:
        """Any topic, by its number, its name or how its name or label begins; the walk goes on where it was left.

        Raises NoSuchTopic.
        """
        self._must_be_open()
        number = self._find(words)
        return self if number == self.current else self._enter(number, now)

    def _find(self, words: str) -> int:
        said = " ".join(words.lower().split())
        for number, topic in enumerate(self.topics):
            if said == str(number + 1) or (said and _begins(topic, said)):
                return number
        raise NoSuchTopic(words=words.strip(), topics=tuple(topic.name for topic in self.topics))

    def extend(self, minutes: int, seen: int | None = None) -> Agenda:
        """More minutes for the topic on the table, taken from the longest later ones: the meeting ends on time.

        Each later topic keeps at least one minute; unchanged where `seen` has passed. Raises NeedsMinutes or
        TooFewMinutes.
        """
        self._must_be_open()
        if self.has_passed(seen):
            return self
        if minutes < 1:
            raise NeedsMinutes
        planned = [topic.minutes for topic in self.topics]
        planned[self.current] += minutes
        _take(minutes, planned, later=range(self.current + 1, len(planned)))
        topics = tuple(
            replace(topic, planned=count * MINUTE) for topic, count in zip(self.topics, planned, strict=True)
        )
        return self._changed(topics=topics)

    def can_extend(self) -> int:
        """How many minutes the later topics could give up."""
        return sum(topic.minutes - 1 for topic in self.topics[self.current + 1 :])

    def end(self, now: datetime) -> Agenda:
        """The meeting is over; ending twice is harmless."""
        return self if self.ended_at else self._changed(spent=self.spent_s(now), ended_at=_whole_second(now))

    def resume(self, now: datetime) -> Agenda:
        """It goes on at the same topic and stop; what was an open meeting already stays as it is."""
        now = _whole_second(now)
        return self._changed(ended_at=None, entered_at=now, moved_at=now) if self.ended_at else self

    def with_stops(self, stops: Sequence[int]) -> Agenda:
        """Other stops for the walk, which stays as far along as it can."""
        return self._changed(stops=tuple(stops), stop=max(0, min(self.stop, len(stops) - 1)))

    def visit(self, event: int, stops: Sequence[int], now: datetime) -> Agenda:
        """The walk, at this event, with these stops; the event is one of them."""
        there = self.go_to(TIMELINE, now)
        return replace(
            there, version=self.version + 1, stops=tuple(stops), stop=list(stops).index(event), moved_at=self._at(now)
        )

    def ask_another(self, seen: int | None = None) -> Agenda:
        """The next question at this stop; unchanged outside the walk or where `seen` has passed."""
        self._must_be_open()
        if self.event is None or self.has_passed(seen):
            return self
        return self._changed(asked={**self.asked, self.event: self.asked.get(self.event, 0) + 1})

    def _must_be_open(self) -> None:
        if self.ended_at:
            raise NotInMeeting

    def _enter(self, number: int, now: datetime) -> Agenda:
        at = self._at(now)
        return self._changed(spent=self.spent_s(now), current=number, entered_at=at, moved_at=at)

    def _at(self, now: datetime) -> datetime:
        """A clock that was set back adds nothing, and never makes a second count twice."""
        return max(_whole_second(now), self.entered_at)

    def _changed(self, **what: Any) -> Agenda:
        return replace(self, version=self.version + 1, **what)

    # As it is kept.

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` gives an equal value back."""
        return {
            "topics": [[topic.name, topic.label, topic.minutes] for topic in self.topics],
            "opened_at": self.opened_at.isoformat(),
            "entered_at": self.entered_at.isoformat(),
            "moved_at": self.moved_at.isoformat(),
            "shown_at": self.shown_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "spent": list(self.spent),
            "current": self.current,
            "stop": self.stop,
            "stops": list(self.stops),
            "asked": {str(event): times for event, times in self.asked.items()},
            "version": self.version,
            "posted": self.posted,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Agenda:
        """The agenda that `to_json` kept, at first without the last three."""
        entered_at = datetime.fromisoformat(kept["entered_at"])
        return cls(
            topics=tuple(Topic(name, label, minutes * MINUTE) for name, label, minutes in kept["topics"]),
            opened_at=datetime.fromisoformat(kept["opened_at"]),
            entered_at=entered_at,
            moved_at=datetime.fromisoformat(kept["moved_at"]) if "moved_at" in kept else entered_at,
            shown_at=datetime.fromisoformat(kept["shown_at"]) if "shown_at" in kept else entered_at,
            ended_at=datetime.fromisoformat(kept["ended_at"]) if kept["ended_at"] else None,
            spent=tuple(kept["spent"]),
            current=kept["current"],
            stop=kept["stop"],
            stops=tuple(kept["stops"]),
            asked={int(event): times for event, times in kept.get("asked", {}).items()},
            version=kept["version"],
            posted=kept.get("posted", 1),
        )


def topics_in(minutes: int) -> tuple[Topic, ...]:
    """The six topics in that many minutes: whole ones, none without one. Raises MeetingTooShort."""
    if minutes < len(LABELS):
        raise MeetingTooShort(minutes=minutes, least=len(LABELS))
    table = IN_60 if minutes < 75 else IN_90
    shares = _scaled(table, minutes)
    return tuple(Topic(name, LABELS[name], share * MINUTE) for name, share in zip(LABELS, shares, strict=True))


def _scaled(table: Sequence[int], minutes: int) -> list[int]:
    """One minute each, and the others by the table; what rounding leaves goes to the largest remainders."""
    spare, total = minutes - len(table), sum(table) - len(table)
    shares = [1 + (share - 1) * spare // total for share in table]
    by_remainder = sorted(range(len(table)), key=lambda number: -((table[number] - 1) * spare % total))
    for number in by_remainder[: minutes - sum(shares)]:
        shares[number] += 1
    return shares


def _take(minutes: int, planned: list[int], *, later: Sequence[int]) -> None:
    can_have = sum(planned[number] - 1 for number in later)
    if minutes > can_have:
        raise TooFewMinutes(asked=minutes, can_have=can_have)
    for number in sorted(later, key=lambda number: -planned[number]):
        taken = min(minutes, planned[number] - 1)
        planned[number] -= taken
        minutes -= taken


def _begins(topic: Topic, said: str) -> bool:
    return topic.name.startswith(said) or topic.label.lower().startswith(said)


def _seconds(length: timedelta) -> int:
    return length // timedelta(seconds=1)


def _whole_seconds(length: timedelta) -> timedelta:
    return timedelta(seconds=_seconds(length))


def _minutes_up(seconds: int) -> int:
    return -(-seconds // 60)


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
