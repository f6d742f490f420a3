"""The timeline as a picture: where everything stands, in plain numbers.

Across a page time runs to the right and every kind has a lane; on a phone it runs down and words stand beside it. An
outcome is told by the shape of its mark, a phase by its pattern, and only moments that somebody knows are drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Literal

from bot.review.incident import MomentName
from bot.review.lettering import HEIGHT, Weight, cut, width
from bot.review.report import EventFacts, Facts, in_time
from bot.review.stops import stops
from bot.review.time_axis import Axis, Tick, axis
from bot.review.timeline import Kind, Outcome

PAGE, PHONE = 960, 360
"""Units of width, which are pixels where nothing is scaled."""
EDGE = 12
TITLE, SAID, SMALL = 16, 12, 11
"""Sizes of letters."""
MARK = 12
"""How wide and high a mark is."""
ROW, LANE_EDGE = 20, 5
STRIP = 16
BREAK = 76
MOST_ROWS = 4
"""Of one lane; where more is needed, marks are gathered."""
ROOMS = ((260, 260), (170, 170), (200, 0), (120, 0), (0, 0))
"""How much room the words of a stop and of another event ask for, from the most generous to none."""
CELLS = (0, 24, 48, 96, 192, 384, 10_000)
"""How far around a place marks of the same outcome are gathered in one."""
LEAST_ROOM = 56
"""Fewer words than fit here tell nothing."""
SOME_ROOM = 100
"""So many words stand better to the right of their mark than all of them to its left."""
MOST_LABELS = 80
FEW = 30
"""So many events have two lines each on a phone."""
LONGEST_TITLE = 240
"""Characters of what a pointer over a mark shows."""

Anchor = Literal["start", "middle", "end"]
Tone = Literal["ink", "quiet"]
Stroke = Literal["grid", "midnight", "moment", "leader", "lane"]


# What a picture is made of -------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether some of it is covered by the other, touching not counted."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)

    def holds(self, other: Box) -> bool:
        """Whether the other lies wholly within it."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


@dataclass(frozen=True, kw_only=True)
class Words:
    """A line of words; `y` is the line they stand on."""

    x: float
    y: float
    words: str
    size: float = SAID
    weight: Weight = "regular"
    anchor: Anchor = "start"
    tone: Tone = "ink"

    @property
    def box(self) -> Box:
        """What they cover."""
        wide = width(self.words, size=self.size, weight=self.weight)
        left = self.x - {"start": 0.0, "middle": wide / 2, "end": wide}[self.anchor]
        top = self.y - self.size * 0.92
        return Box(left, top, left + wide, top + self.size * HEIGHT)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An event, or several of one outcome that are too close to one another; `x` and `y` are its middle."""

    x: float
    y: float
    outcome: Outcome
    title: str = ""

    @property
    def box(self) -> Box:
        """What it covers."""
        half = MARK / 2
        return Box(self.x - half, self.y - half, self.x + half, self.y + half)


class Phase(StrEnum):
    """A time between two known moments."""

    unseen = "unseen"
    impact = "impact"
    mitigated = "mitigated"

    @property
    def label(self) -> str:
        """As it is said."""
        return PHASES[self]


PHASES: Mapping[Phase, str] = {
    Phase.unseen: "impact, not detected yet",
    Phase.impact: "impact",
    Phase.mitigated: "mitigated, not resolved yet",
}


@dataclass(frozen=True)
class Band:
    """The shading of a phase: strong as a key or strip, faint behind the events."""

    phase: Phase
    box: Box
    strength: Literal["strong", "faint"]


@dataclass(frozen=True)
class Rule:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: Stroke


@dataclass(frozen=True)
class Gap:
    """Where time is left out, and which way time runs there."""

    box: Box
    runs: Literal["across", "down"]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture, back to front: bands, gaps, rules, marks, words; `about` tells it to who cannot see it."""

    width: float
    height: float
    title: str
    about: str
    bands: tuple[Band, ...] = ()
    gaps: tuple[Gap, ...] = ()
    rules: tuple[Rule, ...] = ()
    marks: tuple[Mark, ...] = ()
    words: tuple[Words, ...] = ()


@dataclass
class _Sheet:
    """A picture that is being drawn."""

    width: float
    words: list[Words] = field(default_factory=list[Words])
    marks: list[Mark] = field(default_factory=list[Mark])
    rules: list[Rule] = field(default_factory=list[Rule])
    bands: list[Band] = field(default_factory=list[Band])
    gaps: list[Gap] = field(default_factory=list[Gap])

    def chart(self, told: _Told, height: float) -> Chart:
        return Chart(
            width=self.width,
            height=round(height),
            title=told.title,
            about=told.about,
            bands=tuple(self.bands),
            gaps=tuple(self.gaps),
            rules=tuple(self.rules),
            marks=tuple(self.marks),
            words=tuple(self.words),
        )


# What is told -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """What there is to draw: the events in order of time, the known moments, and the events that matter most."""

    facts: Facts
    events: tuple[EventFacts, ...]
    moments: tuple[tuple[str, datetime], ...]
    most: frozenset[int]
    zone: tzinfo

    @property
    def every(self) -> list[datetime]:
        """All moments there are."""
        return [event.occurred_at for event in self.events] + [at for _, at in self.moments]

    @property
    def title(self) -> str:
        return f"Timeline of {self.facts.incident.title}"

    @property
    def when(self) -> str:
        """`Wed 18 Nov 2026, 13:56 to 17:27 CET (Europe/Berlin)`."""
        first, last = (at.astimezone(self.zone) for at in (min(self.every), max(self.every)))
        other_day = f"{last:%a} {last.day} {last:%b %Y}, " if first.date() != last.date() else ""
        other_name = f" {first:%Z}" if f"{first:%Z}" != f"{last:%Z}" else ""
        start = f"{first:%a} {first.day} {first:%b %Y}, {first:%H:%M}{other_name}"
        name = f" ({self.zone})" if str(self.zone) != f"{last:%Z}" else ""
        return f"{start} to {other_day}{last:%H:%M %Z}{name}"

    @property
    def about(self) -> str:
        """In one or two sentences, without words of the events."""
        if not self.every:
            return NOTHING
        kinds = Counter(Kind(event.kind).label for event in self.events)
        counted = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        events = f"{self.when}: {_counted(len(self.events))}{f' ({counted})' if counted else ''}."
        known = ", ".join(f"{name} {self.clock(at)}" for name, at in self.moments)
        return f"{events} {f'Known moments: {known}.' if known else 'No moment is known yet.'}"

    def clock(self, at: datetime) -> str:
        """`14:05`, with the day where there are several."""
        local = at.astimezone(self.zone)
        days = {moment.astimezone(self.zone).date() for moment in (min(self.every), max(self.every))}
        return f"{local:%H:%M}" if len(days) == 1 else f"{local.day} {local:%b %H:%M}"

    def phases(self) -> Iterator[tuple[Phase, datetime, datetime]]:
        """The phases whose beginning and end are both known, in order of time; none is guessed."""
        known = dict(self.moments)
        began, detected = known.get("began"), known.get("detected")
        mitigated, resolved = known.get("mitigated"), known.get("resolved")
        seen = detected if began and detected and detected > began else None
        if began and seen:
            yield Phase.unseen, began, min(seen, mitigated or seen)
        start = seen or began or detected
        if start and mitigated and start < mitigated:
            yield Phase.impact, start, mitigated
        if mitigated and resolved and mitigated < resolved:
            yield Phase.mitigated, mitigated, resolved


NOTHING = "Nothing is on the timeline yet."


def _told(facts: Facts, zone: tzinfo) -> _Told:
    events = in_time(facts.timeline)
    known = {name: facts.incident.moments.get(name) for name in MomentName}
    moments = [(name.value, moment.at) for name, moment in known.items() if moment and moment.at]
    in_order = tuple(sorted(moments, key=lambda pair: pair[1]))
    return _Told(facts, events, in_order, frozenset(stops(events)), zone)


def _counted(events: int) -> str:
    return "one event" if events == 1 else f"{events} events"


def _outcome(event: EventFacts) -> Outcome:
    return Outcome(event.outcome or Outcome.unknown)


def _said(event: EventFacts) -> str:
    return " ".join(event.text.split()) if event.text else "the words were deleted"


def _title(events: Sequence[EventFacts], told: _Told) -> str:
    """What a pointer over a mark shows."""
    first = events[0]
    if len(events) == 1:
        head = f"{first.number} · {told.clock(first.occurred_at)} · {Kind(first.kind).label}"
        return f"{head}{_ending(first)} · {_said(first)}"[:LONGEST_TITLE]
    numbers = ", ".join(str(event.number) for event in sorted(events, key=lambda event: event.number))
    span = f"{told.clock(first.occurred_at)} to {told.clock(events[-1].occurred_at)}"
    return f"{_counted(len(events))}, {span}{_ending(first)}: {numbers}"[:LONGEST_TITLE]


def _ending(event: EventFacts) -> str:
    return f", {_outcome(event).label}" if _outcome(event) is not Outcome.unknown else ""


# Gathering what is too close -----------------------------------------------------------------------

Group = tuple[EventFacts, ...]


def _gathered(
    events: Sequence[EventFacts], cell: float, *, told: _Told, at: Callable[[datetime], float]
) -> list[Group]:
    """Events of one outcome around one place as one group; what matters most always stands alone."""
    if not cell:
        return [(event,) for event in events]
    groups: defaultdict[tuple[int, Outcome, int], list[EventFacts]] = defaultdict(list)
    for event in events:
        own = event.number if event.number in told.most else 0
        groups[int(at(event.occurred_at) / cell), _outcome(event), own].append(event)
    return sorted((tuple(group) for group in groups.values()), key=lambda group: group[0].occurred_at)


def _place(group: Group, at: Callable[[datetime], float]) -> float:
    return sum(at(event.occurred_at) for event in group) / len(group)


def _name(group: Group) -> str:
    """The number on the timeline, or how many there are."""
    return str(group[0].number) if len(group) == 1 else f"{len(group)} events"


# Across a page --------------------------------------------------------------------------------------


def wide(facts: Facts, *, zone: tzinfo, width: float = PAGE) -> Chart:
    """Time to the right, a lane for each kind."""
    told, sheet = _told(facts, zone), _Sheet(width)
    top = _heading(sheet, told)
    if not told.every:
        return sheet.chart(told, top)
    left = _gutter(told)
    line = axis(told.every, zone=zone, length=width - EDGE - left, break_length=BREAK)

    def at(moment: datetime) -> float:
        return left + line.at(moment)

    top, heads = _moment_heads(sheet, told, top=top, at=at, span=(left, width - EDGE))
    strip = Box(left, top, width - EDGE, top + STRIP)
    bottom = _lanes(sheet, told, top=strip.bottom + 4, left=left, at=at)
    field = Box(left, strip.bottom, width - EDGE, bottom)
    _shade_across(sheet, told, strip=strip, field=field, at=at)
    sheet.rules.extend(Rule(x, y, x, bottom, "moment") for x, y in heads)
    _breaks_across(sheet, line, Box(left, strip.top, width - EDGE, bottom))
    bottom = _ticks_across(sheet, line, field)
    return sheet.chart(told, _legend(sheet, told, bottom + 10))


def _heading(sheet: _Sheet, told: _Told) -> float:
    """The incident's title, from when to when, and the zone; where it ends."""
    room = sheet.width - 2 * EDGE
    title = cut(told.facts.incident.title, size=TITLE, room=room, weight="bold")
    sheet.words.append(Words(x=EDGE, y=24, words=title, size=TITLE, weight="bold"))
    lines = _wrapped(told.when if told.every else NOTHING, room)
    for number, line in enumerate(lines):
        sheet.words.append(Words(x=EDGE, y=44 + number * 16, words=line, tone="quiet"))
    return 44 + len(lines) * 16 - 4


def _wrapped(words: str, room: float) -> list[str]:
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer, size=SAID) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [cut(line, size=SAID, room=room) for line in lines]


def _gutter(told: _Told) -> float:
    labels = {Kind(event.kind).label for event in told.events}
    return EDGE + max((width(label, size=SAID) for label in labels), default=0.0) + 14


def _moment_heads(
    sheet: _Sheet, told: _Told, *, top: float, at: Callable[[datetime], float], span: tuple[float, float]
) -> tuple[float, list[tuple[float, float]]]:
    """The names of the known moments over their lines, in as many rows as they need; where each line begins."""
    placed: list[_Head] = []
    for head in sorted((_head(told, name, at(moment), moment, span) for name, moment in told.moments), key=_by_side):
        rows = (row for row in range(len(placed)) if all(head.is_clear_of(other, row) for other in placed))
        # In a row of its own no name covers it, though a line may.
        row = next(rows, max((other.row + 1 for other in placed), default=0))
        placed.append(replace(head, row=row))
    for head in placed:
        y = top + head.row * HEAD
        sheet.words.append(Words(x=head.left, y=y + 11, words=head.words, size=SMALL, weight="bold"))
    rows = max((head.row + 1 for head in placed), default=0)
    return top + rows * HEAD + 2, [(head.x, top + head.row * HEAD + 1) for head in placed]


HEAD = 15
"""How high a row of moments' names is."""


@dataclass(frozen=True)
class _Head:
    """The name of a moment, from `left` to `right`, and `x`, where its line begins to run down from its row."""

    x: float
    left: float
    right: float
    words: str
    row: int = 0

    def is_clear_of(self, other: _Head, row: int) -> bool:
        """Whether in this row neither name covers the other, and no line runs through one."""
        if row == other.row:
            return self.right + 6 <= other.left or other.right + 6 <= self.left
        upper, lower = (self, other) if row < other.row else (other, self)
        return not lower.left - 2 < upper.x < lower.right + 2


def _head(told: _Told, name: str, x: float, moment: datetime, span: tuple[float, float]) -> _Head:
    words = f"{name} {told.clock(moment)}"
    wide = width(words, size=SMALL, weight="bold")
    left = x + 4 if x + 4 + wide <= span[1] else x - 4 - wide
    return _Head(x, left, left + wide, words)


def _by_side(head: _Head) -> tuple[bool, float]:
    """Those left of their line first, from the right; then the others, from the left."""
    is_left = head.left < head.x
    return not is_left, -head.x if is_left else head.x


def _shade_across(sheet: _Sheet, told: _Told, *, strip: Box, field: Box, at: Callable[[datetime], float]) -> None:
    for phase, start, end in told.phases():
        left, right = at(start), at(end)
        sheet.bands.append(Band(phase, Box(left, field.top, right, field.bottom), "faint"))
        sheet.bands.append(Band(phase, Box(left, strip.top, right, strip.bottom), "strong"))


def _breaks_across(sheet: _Sheet, line: Axis, field: Box) -> None:
    for pause in line.breaks:
        near, far = field.left + pause.near, field.left + pause.far
        sheet.gaps.append(Gap(Box(near, field.top, far, field.bottom), "across"))


def _ticks_across(sheet: _Sheet, line: Axis, field: Box) -> float:
    """Hours below the field, days below the hours, and how long each break is; where they end."""
    ticks = line.ticks(58)
    for tick in ticks:
        x = field.left + tick.at
        sheet.rules.append(Rule(x, field.top, x, field.bottom + 4, _stroke(tick, ticks, line)))
        wide = width(_hour(tick, ticks), size=SMALL)
        left = min(max(x - wide / 2, 0), sheet.width - EDGE - wide)
        sheet.words.append(Words(x=left, y=field.bottom + 16, words=_hour(tick, ticks), size=SMALL, tone="quiet"))
    bottom = _days_across(sheet, line, field, ticks)
    for pause in line.breaks:
        x = field.left + (pause.near + pause.far) / 2
        for number, words in enumerate((pause.words, "quiet")):
            sheet.words.append(Words(x=x, y=bottom + 11 + 14 * number, words=words, size=SMALL, anchor="middle"))
    return bottom + (30 if line.breaks else 0)


def _stroke(tick: Tick, ticks: Sequence[Tick], line: Axis) -> Stroke:
    """A midnight among hours stands out; where every tick is one, none does."""
    stands_out = tick.begins_day and line.crosses_midnight and not all(one.begins_day for one in ticks)
    return "midnight" if stands_out else "grid"


def _hour(tick: Tick, ticks: Sequence[Tick]) -> str:
    """The hour; the day where ticks are days."""
    if all(one.begins_day for one in ticks):
        return f"{tick.local.day} {tick.local:%b}"
    return f"{tick.local:%H:%M}"


def _days_across(sheet: _Sheet, line: Axis, field: Box, ticks: Sequence[Tick]) -> float:
    """Under the first tick of each day which day it is, as far as there is room; where they end."""
    if all(tick.begins_day for tick in ticks) or not line.crosses_midnight:
        return field.bottom + 20
    end, day = 0.0, None
    for tick in ticks:
        words = f"{tick.local:%a} {tick.local.day} {tick.local:%b}"
        wide = width(words, size=SMALL, weight="bold")
        left = min(max(field.left + tick.at - wide / 2, 0), sheet.width - EDGE - wide)
        if tick.local.date() != day and left >= end + 6:
            sheet.words.append(Words(x=left, y=field.bottom + 30, words=words, size=SMALL, weight="bold", tone="quiet"))
            end, day = left + wide, tick.local.date()
    return field.bottom + 36


@dataclass(frozen=True)
class _Flag:
    """A mark with what stands beside it: its number, and as many words as there is room for."""

    group: Group
    x: float
    side: Literal["right", "left"]
    room: float

    @property
    def reach(self) -> float:
        """How far it reaches from its middle to the side where its words stand."""
        return MARK / 2 + 4 + self._number + (5 + self.room if self.room else 0) + 5

    @property
    def _number(self) -> float:
        return width(_name(self.group), size=SMALL, weight="bold")

    @property
    def left(self) -> float:
        return self.x - (MARK / 2 + 1 if self.side == "right" else self.reach)

    @property
    def right(self) -> float:
        return self.x + (self.reach if self.side == "right" else MARK / 2 + 1)

    def words(self, y: float) -> Iterator[Words]:
        """The number next to the mark, the words behind it."""
        step = 1 if self.side == "right" else -1
        anchor: Anchor = "start" if self.side == "right" else "end"
        x, y = self.x + step * (MARK / 2 + 4), y + 4
        yield Words(x=x, y=y, words=_name(self.group), size=SMALL, weight="bold", anchor=anchor)
        words = cut(_said(self.group[0]), size=SAID, room=self.room) if self.room and len(self.group) == 1 else ""
        if words:
            yield Words(x=x + step * (self._number + 5), y=y, words=words, anchor=anchor)


def _lanes(sheet: _Sheet, told: _Told, *, top: float, left: float, at: Callable[[datetime], float]) -> float:
    """One lane for each kind that there is; where the last one ends."""
    span = (left, sheet.width - EDGE)
    for kind in (kind for kind in Kind if any(event.kind == kind for event in told.events)):
        rows = _rows([event for event in told.events if event.kind == kind], told, at=at, span=span)
        bottom = top + 2 * LANE_EDGE + ROW * len(rows)
        sheet.words.append(Words(x=EDGE, y=top + LANE_EDGE + 14, words=kind.label))
        sheet.rules.append(Rule(EDGE, bottom, sheet.width - EDGE, bottom, "lane"))
        for number, row in enumerate(rows):
            _raise_flags(sheet, told, row, y=top + LANE_EDGE + ROW * (number + 0.5))
        top = bottom
    return top if told.events else top + ROW


def _raise_flags(sheet: _Sheet, told: _Told, row: Sequence[_Flag], *, y: float) -> None:
    for flag in row:
        title = _title(flag.group, told)
        sheet.marks.append(Mark(x=flag.x, y=y, outcome=_outcome(flag.group[0]), title=title))
        sheet.words.extend(flag.words(y))


def _rows(
    events: Sequence[EventFacts], told: _Told, *, at: Callable[[datetime], float], span: tuple[float, float]
) -> list[list[_Flag]]:
    """The events of a lane in as few rows as will do, with as many words as those rows hold."""
    rows = list[list[_Flag]]()
    for stop_room, other_room in ROOMS:
        flags = [_flag((event,), at, span, stop_room if event.number in told.most else other_room) for event in events]
        rows = _stacked(flags)
        if len(rows) <= (MOST_ROWS if other_room or stop_room else MOST_ROWS + 1):
            return [_stretched(row, span) for row in rows]
    for cell in CELLS[1:]:
        rows = _stacked([_flag(group, at, span, 0) for group in _gathered(events, cell, told=told, at=at)])
        if len(rows) <= MOST_ROWS:
            break
    return [_stretched(row, span) for row in rows]


def _flag(group: Group, at: Callable[[datetime], float], span: tuple[float, float], room: float) -> _Flag:
    """Its words stand to the right, or to the left where the picture ends."""
    needed = width(_said(group[0]), size=SAID) + 1 if len(group) == 1 else 0.0
    right = _Flag(group, _place(group, at), "right", min(room, needed))
    if right.right <= span[1]:
        return right
    some = replace(right, room=right.room - (right.right - span[1]))
    if some.room >= SOME_ROOM:
        return some
    left = replace(right, side="left")
    if left.left >= span[0]:
        return left
    bare = replace(right, room=0.0)
    return bare if bare.right <= span[1] else replace(bare, side="left")


def _stacked(flags: Iterable[_Flag]) -> list[list[_Flag]]:
    """Flags in rows, so that none covers another in its row."""
    rows: list[list[_Flag]] = []
    for flag in sorted(flags, key=lambda flag: flag.left):
        row = next((row for row in rows if row[-1].right <= flag.left), None)
        if row is None:
            rows.append([flag])
        else:
            row.append(flag)
    return rows


def _stretched(row: Sequence[_Flag], span: tuple[float, float]) -> list[_Flag]:
    """The same, with more words where there is room before the next one."""
    stretched: list[_Flag] = []
    for number, flag in enumerate(row):
        end = row[number + 1].left if number + 1 < len(row) else span[1]
        free = end - flag.right + flag.room - (0 if flag.room else 5)
        needed = width(_said(flag.group[0]), size=SAID) + 1 if len(flag.group) == 1 else 0.0
        room = min(free, needed)
        grows = flag.side == "right" and room > flag.room and (room >= LEAST_ROOM or room == needed)
        stretched.append(replace(flag, room=room) if grows else flag)
    return stretched


# The key ---------------------------------------------------------------------------------------------


def _legend(sheet: _Sheet, told: _Told, top: float) -> float:
    """What the shapes and patterns mean that are there; where the picture ends."""
    x, y = float(EDGE), top + 8
    shown = {_outcome(event) for event in told.events}
    phases = list(dict.fromkeys(phase for phase, _, _ in told.phases()))
    for key in (*(outcome for outcome in Outcome if outcome in shown), *phases):
        words = OUTCOMES[key] if isinstance(key, Outcome) else key.label
        swatch = MARK if isinstance(key, Outcome) else 22
        wide = swatch + 6 + width(words, size=SMALL)
        if x + wide > sheet.width - EDGE and x > EDGE:
            x, y = float(EDGE), y + 20
        if isinstance(key, Outcome):
            sheet.marks.append(Mark(x=x + MARK / 2, y=y, outcome=key))
        else:
            sheet.bands.append(Band(key, Box(x, y - 6, x + swatch, y + 6), "strong"))
        sheet.words.append(Words(x=x + swatch + 6, y=y + 4, words=words, size=SMALL, tone="quiet"))
        x += wide + 18
    return y + 8 + EDGE


OUTCOMES: Mapping[Outcome, str] = {
    Outcome.helped: "helped",
    Outcome.no_effect: "no effect",
    Outcome.worse: "made it worse",
    Outcome.unknown: "effect not marked",
}


# Down a phone --------------------------------------------------------------------------------------------

BAR, BAR_WIDTH, MARKS = 56, 10, 74
"""Where the phases and the marks begin; the hours stand before them."""
COLUMN = MARK + 2
MOST_COLUMNS = 8
LINE = 15
SHORTEST_DOWN = 300
BREAK_DOWN = 46
"""Two lines of words."""
CELLS_DOWN = (0, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 10_000)


@dataclass(frozen=True)
class _Entry:
    """Words beside the axis: the place they belong to, what is said first, and the lines of it."""

    at: float
    mark_x: float
    head: str
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + (5 if len(self.lines) > 1 else 2)


def narrow(facts: Facts, *, zone: tzinfo, width: float = PHONE) -> Chart:
    """Time downwards, the words of each event beside it."""
    told, sheet = _told(facts, zone), _Sheet(width)
    top = _heading(sheet, told) + 8
    if not told.every:
        return sheet.chart(told, top)
    line, columns = _columns(told)

    def at(moment: datetime) -> float:
        return top + line.at(moment)

    left = MARKS + COLUMN * max(len(columns), 1) + 18
    entries = [*_event_entries(sheet, told, columns, at=at, left=left), *_moment_entries(sheet, told, at=at, left=left)]
    _write_entries(sheet, entries, left=left, span=(top, top + line.length))
    _shade_down(sheet, told, Box(BAR, top, left - 18, top + line.length), at=at)
    _breaks_down(sheet, line, Box(EDGE, top, left - 18, top + line.length))
    _ticks_down(sheet, line, Box(EDGE, top, left - 18, top + line.length))
    return sheet.chart(told, _legend(sheet, told, top + line.length + 16))


def _columns(told: _Told) -> tuple[Axis, list[list[Group]]]:
    """An axis long enough for the words beside it, and the marks in columns; gathered only where there are too many."""
    length = _length_down(told)
    line = axis(told.every, zone=told.zone, length=length, break_length=BREAK_DOWN)
    columns = list[list[Group]]()
    for who in (told, replace(told, most=frozenset())):
        for cell in CELLS_DOWN:
            groups = _gathered(told.events, cell, told=who, at=line.at)
            columns = _side_by_side(groups, line.at)
            if len(columns) <= MOST_COLUMNS and len(groups) <= MOST_LABELS:
                return line, columns
    return line, columns


def _length_down(told: _Told) -> float:
    events = min(len(told.events), MOST_LABELS)
    each = LINE * _lines_each(len(told.events)) + 5
    needed = 1.15 * (events * each + len(told.moments) * (LINE + 2))
    return max(SHORTEST_DOWN, needed)


def _lines_each(events: int) -> int:
    return 1 if events > FEW else 2 if events > FEW // 2 else 3


def _side_by_side(groups: Sequence[Group], at: Callable[[datetime], float]) -> list[list[Group]]:
    """Marks in columns, so that none covers another."""
    columns: list[list[Group]] = []
    for group in sorted(groups, key=lambda group: _place(group, at)):
        y = _place(group, at)
        column = next((column for column in columns if _place(column[-1], at) + COLUMN <= y), None)
        if column is None:
            columns.append([group])
        else:
            column.append(group)
    return columns


def _event_entries(
    sheet: _Sheet, told: _Told, columns: Sequence[Sequence[Group]], *, at: Callable[[datetime], float], left: float
) -> Iterator[_Entry]:
    lines = _lines_each(len(told.events))
    for number, column in enumerate(columns):
        x = MARKS + COLUMN * number + MARK / 2
        for group in column:
            y = _place(group, at)
            sheet.marks.append(Mark(x=x, y=y, outcome=_outcome(group[0]), title=_title(group, told)))
            said = _said_beside(group, told, lines=lines, room=sheet.width - EDGE - left)
            yield _Entry(y, x + MARK / 2 + 1, _name(group), said)


def _said_beside(group: Group, told: _Told, *, lines: int, room: float) -> tuple[str, ...]:
    """In one line the kind and the words; in several the hour and the kind first, and then the words."""
    first = group[0]
    beside = room - width(_name(group), size=SAID, weight="bold") - 5
    if len(group) > 1:
        kinds = Counter(Kind(event.kind).label for event in group).most_common()
        return (cut(", ".join(f"{kind} {count}" for kind, count in kinds), size=SAID, room=beside),)
    if lines == 1:
        return (cut(f"{Kind(first.kind).label}: {_said(first)}", size=SAID, room=beside),)
    local = first.occurred_at.astimezone(told.zone)
    head = cut(f"{local:%H:%M} · {Kind(first.kind).label}{_ending(first)}", size=SAID, room=beside)
    wrapped = _wrapped(_said(first), room)
    if len(wrapped) > lines - 1:
        wrapped = [*wrapped[: lines - 2], cut(" ".join(wrapped[lines - 2 :]), size=SAID, room=room)]
    return (head, *wrapped)


def _moment_entries(sheet: _Sheet, told: _Told, *, at: Callable[[datetime], float], left: float) -> Iterator[_Entry]:
    for name, moment in told.moments:
        y = at(moment)
        sheet.rules.append(Rule(BAR, y, left - 16, y, "moment"))
        yield _Entry(y, left - 16, f"{name} {told.clock(moment)}", ("",))


def _write_entries(sheet: _Sheet, entries: Sequence[_Entry], *, left: float, span: tuple[float, float]) -> None:
    """Each as near to its place as the others let it, with a line that leads there."""
    in_order = sorted(entries, key=lambda entry: entry.at)
    for entry, top in zip(in_order, _spread(in_order, span), strict=True):
        y, room = top + LINE - 4, sheet.width - EDGE - left
        head = cut(entry.head, size=SAID, room=room, weight="bold")
        sheet.words.append(Words(x=left, y=y, words=head, weight="bold"))
        x = left + width(head, size=SAID, weight="bold") + 5
        for number, line in enumerate(entry.lines):
            if line:
                sheet.words.append(Words(x=left if number else x, y=y + LINE * number, words=line))
        sheet.rules.append(Rule(entry.mark_x, entry.at, left - 14, entry.at, "leader"))
        sheet.rules.append(Rule(left - 14, entry.at, left - 3, y - 4, "leader"))


def _spread(in_order: Sequence[_Entry], span: tuple[float, float]) -> list[float]:
    """Where each one begins: pushed down by those before it, and then up by the end of the span."""
    tops, end = list[float](), span[0]
    for entry in in_order:
        tops.append(max(entry.at - LINE / 2, end))
        end = tops[-1] + entry.height
    below = span[1]
    for number in range(len(tops) - 1, -1, -1):
        tops[number] = min(tops[number], below - in_order[number].height)
        below = tops[number]
    return tops


def _shade_down(sheet: _Sheet, told: _Told, field: Box, *, at: Callable[[datetime], float]) -> None:
    for phase, start, end in told.phases():
        sheet.bands.append(Band(phase, Box(BAR, at(start), BAR + BAR_WIDTH, at(end)), "strong"))
        sheet.bands.append(Band(phase, Box(BAR + BAR_WIDTH, at(start), field.right, at(end)), "faint"))


def _breaks_down(sheet: _Sheet, line: Axis, field: Box) -> None:
    """How long it was quiet, and on which day it went on where that is another one."""
    for number, pause in enumerate(line.breaks):
        near, far = field.top + pause.near, field.top + pause.far
        sheet.gaps.append(Gap(Box(field.left, near, field.right, far), "down"))
        next_day = line.stretches[number + 1].start.astimezone(line.zone)
        words = [f"{pause.words} quiet"]
        if next_day.date() != line.stretches[number].end.astimezone(line.zone).date():
            words.append(f"{next_day:%a} {next_day.day} {next_day:%b}")
        y = (near + far) / 2 + 4 - 7 * (len(words) - 1)
        for row, said in enumerate(words):
            sheet.words.append(Words(x=EDGE, y=y + 14 * row, words=said, size=SMALL))


def _ticks_down(sheet: _Sheet, line: Axis, field: Box) -> None:
    ticks = line.ticks(36)
    for tick in ticks:
        y = field.top + tick.at
        stroke = _stroke(tick, ticks, line)
        sheet.rules.append(Rule(BAR - 4, y, field.right, y, stroke))
        words = f"{tick.local:%a} {tick.local.day}" if stroke == "midnight" else _hour(tick, ticks)
        sheet.words.append(Words(x=BAR - 7, y=y + 4, words=words, size=SMALL, anchor="end", tone="quiet"))
