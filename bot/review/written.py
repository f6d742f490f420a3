"""The written report as one value: every section in order, with everything decided that a reader sees.

`bot.review.writer` writes it. Markdown, HTML and PDF are templates over this value, so that they cannot disagree. Texts
are as people wrote them, with mentions spelt out, and are escaped by whoever renders them. What is not known is a
sentence, never a zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from zoneinfo import ZoneInfo

from bot.review.in_time import InTime
from bot.review.report import rfc3339

HOW_IT_WENT = "afterwards"
"""The topic of a note that was written about the review when it was over."""


class Words(str):
    """What a person wrote; `key` says of what (`finding 3`), so that an edited report finds back to it."""

    __slots__ = ("key",)
    key: str

    def __new__(cls, text: str, key: str = "") -> Self:
        words = super().__new__(cls, text)
        words.key = key
        return words


@dataclass(frozen=True, kw_only=True)
class Instant:
    """A moment on both clocks: `2026-11-18`, `14:05 UTC`, and `15:05 CET` where the zone is another one."""

    iso: str
    day: str
    utc: str
    local: str = ""

    @property
    def clock(self) -> str:
        """`14:05 UTC (15:05 CET)`."""
        return f"{self.utc} ({self.local})" if self.local else self.utc

    @property
    def words(self) -> str:
        """`2026-11-18 14:05 UTC (15:05 CET)`."""
        return f"{self.day} {self.clock}"


def instant(at: datetime, zone: str) -> Instant:
    """On the clock of UTC and of this zone; the day again where it is another one there."""
    there, here = at.astimezone(ZoneInfo(zone)), at.astimezone(UTC)
    same = there.utcoffset() == here.utcoffset()
    form = "%H:%M %Z" if there.date() == here.date() else "%Y-%m-%d %H:%M %Z"
    return Instant(
        iso=rfc3339(at),
        day=f"{here:%Y-%m-%d}",
        utc=f"{here:%H:%M} UTC",
        local="" if same else f"{there:{form}}",
    )


@dataclass(frozen=True, kw_only=True)
class Link:
    """A web address, and what it is called."""

    url: str
    label: str


def web_link(url: str | None, label: str = "") -> Link | None:
    """A link to a clean http or https address; None for any other."""
    if not url or not re.fullmatch(r"https?://[^\s<>\"'`\\]+", url):
        return None
    return Link(url=url, label=label or url)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """`Customers`: `one in five`."""

    label: str
    words: Words


@dataclass(frozen=True, kw_only=True)
class Number:
    """A length of time with its formula; `words` is None where a moment is missing, and `why` says which."""

    name: str
    until: str
    formula: str
    seconds: int | None
    words: str | None
    why: str


@dataclass(frozen=True, kw_only=True)
class MomentRow:
    """When it was and how that is known; `at` is None where nobody has said."""

    name: str
    meaning: str
    at: Instant | None
    how: str


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What somebody said about it."""

    who: str
    words: Words
    at: Instant


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """A moment on the timeline; `text` is None where its words were deleted, `found` are numbers of findings."""

    number: int
    at: Instant
    kind: str
    kind_word: str
    outcome: str
    outcome_word: str
    text: Words | None
    link: Link | None
    question: Words | None
    answer: Words | None
    comments: tuple[Remark, ...]
    found: tuple[int, ...]
    rows: tuple[()] = ()
    """Nothing is told together with it; see Run."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Things that programs did, one after the other, told together."""

    start: Instant
    end: Instant
    rows: tuple[EventRow, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the timeline, in UTC: `Wednesday 18 November 2026`."""

    name: str
    date: str
    lines: tuple[EventRow | Run, ...]


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    """One finding; `event` and `at` tell where it was found, `answered_by` which actions answer it."""

    number: int
    kind: str
    sort: str
    text: Words
    event: int | None
    at: Instant | None
    answered_by: tuple[int, ...]
    team: str = ""
    """Who found it in a meeting apart."""


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """Findings of one sort; `sort` is empty for those that nobody sorted."""

    sort: str
    rows: tuple[FindingRow, ...]


@dataclass(frozen=True, kw_only=True)
class FindingSection:
    """All findings of one kind; `empty` is the sentence that stands where there are none."""

    kind: str
    heading: str
    meaning: str
    groups: tuple[FindingGroup, ...]
    empty: str

    @property
    def rows(self) -> tuple[FindingRow, ...]:
        """Those of every sort."""
        return tuple(row for group in self.groups for row in group.rows)


@dataclass(frozen=True, kw_only=True)
class ActionRow:
    """One promise; `person` is its owner's id where people are called by their names, `due` reads `Wed 25 Nov 2026`."""

    number: int
    text: Words
    owner: str
    person: str | None
    due: str
    due_iso: str
    state: str
    state_word: str
    horizon: str
    category: str
    priority: str
    team: str
    answers: tuple[str, ...]
    """`contributor 3`."""
    second_order: Words | None
    reason: Words | None
    evidence: tuple[Labelled, ...]
    verified_by: str
    worked: str
    """What its owner said of it later, `not really`; empty where nobody has."""


@dataclass(frozen=True, kw_only=True)
class ActionGroup:
    """Actions that stand alike, under a heading: `Still to do`, `Done`, `Declined, with the reason`."""

    heading: str
    rows: tuple[ActionRow, ...]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a role."""

    role: str
    name: str
    does: str


@dataclass(frozen=True, kw_only=True)
class TopicRow:
    """A topic with the minutes it was given and took, in words."""

    name: str
    planned: str
    spent: str


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """One meeting, or the review that took its place: when, who was there, how long each topic took, what was noted."""

    number: int | None
    """None where the review was done alone or in threads."""
    planned: Instant | None
    opened: Instant | None
    ended: Instant | None
    took: str
    there: tuple[str, ...]
    missed: tuple[str, ...]
    recording: Link | None
    topics: tuple[TopicRow, ...]
    notes: tuple[Remark, ...]
    parked: tuple[Remark, ...]
    went: tuple[Words, ...]
    """What somebody wrote afterwards about how it went."""
    in_time: tuple[str, ...]
    """Sentences on when it met, and on how often it was moved before."""
    pulse: tuple[str, ...]
    """Sentences, only where enough people answered."""


@dataclass(frozen=True, kw_only=True)
class Healing:
    """What the archive had not been told of and fetched later."""

    at: Instant
    words: str


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier incident like this one, and why it is named."""

    incident: int
    title: str
    why: str
    at: str
    link: Link | None = None


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Where the witness of the archive stood when the summary was published."""

    head: str
    incident: int


@dataclass(frozen=True, kw_only=True)
class Folded:
    """The first few of something, and how many more the report has."""

    items: tuple[Words, ...]
    more: int


@dataclass(frozen=True, kw_only=True)
class FirstPage:
    """One page in plain words. A `no_…` sentence stands where the part before it is empty."""

    happened: tuple[Labelled, ...]
    no_summary: str
    impact: tuple[Labelled, ...]
    no_impact: str
    lengths: tuple[Number, ...]
    no_lengths: str
    contributors: Folded
    mitigators: Folded
    learned: Folded
    no_learnings: str
    to_do: tuple[ActionRow, ...]
    more_to_do: int
    nothing_to_do: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """The whole report, in the order of its sections."""

    title: Words
    incident: int
    severity: str
    standing: str
    private: bool
    zone: str
    page: FirstPage
    impact: tuple[Labelled, ...]
    moments: tuple[MomentRow, ...]
    numbers: tuple[Number, ...]
    timeline: tuple[Day, ...]
    events: int
    no_events: str
    travelled: tuple[str, ...]
    """How word travelled, in sentences that begin with their time."""
    findings: tuple[FindingSection, ...]
    """Contributors, mitigators, risks, learnings, differing views, open questions; empty ones, too."""
    actions: tuple[ActionGroup, ...]
    no_actions: str
    people: tuple[Holder, ...]
    no_people: str
    others: tuple[str, ...]
    """Who took part without a role."""
    meetings: tuple[Sitting, ...]
    no_meeting: str
    healed: tuple[Healing, ...]
    similar: tuple[Earlier, ...]
    mark: Mark | None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a report tells besides the facts of its own incident; `pulse` by the number of the meeting."""

    similar: tuple[Earlier, ...] = ()
    pulse: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    in_time: Mapping[int, InTime] = field(default_factory=dict[int, InTime])
    """By the number of the meeting."""
    mark: Mark | None = None
    took: tuple[tuple[str, str], ...] = ()
    """Label and words of what it took of people and money."""
