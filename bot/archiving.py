"""The archive of an incident: pages of history as they are fetched."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.desk import Notes, Turn
from bot.review.heard import (
    MessageFact,
    ReactionFact,
    moment_of,
)
from bot.review.history import EVERY, EVERY_WHEN_QUIET, MEAGRE_PAGE, Page, Why, healed
from storage import channels, incidents, people, reactions, readings, timeline
from storage import messages as archive
from storage.models import Incident, Reading, Source
from storage.readings import Known

log = logging.getLogger("debrief.archiving")

LAST = "9"
"""Sorts behind every ts."""

# History -------------------------------------------------------------------------------------

AWAY_FROM_ALL = ""
"""Instead of a channel: Slack may have kept something from us anywhere."""
LOOK_AGAIN_AFTER = timedelta(minutes=2)
"""What is missing is looked for again then, so that a deletion is not doubted for long."""
FULL = (Why.opening, Why.gap, Why.whole)
"""Readings that reach back to where the incident begins."""
WHOLLY = (Why.opening, Why.recent, Why.whole)
"""Readings that show edits and emoji of the last day."""


@dataclass(frozen=True)
class Due:
    """A source that is to be read now."""

    source: int
    channel: str
    why: Why
    since: datetime


def due(turn: Turn, *, away: Mapping[str, datetime]) -> list[Due]:
    """The sources to read now; `away` tells by channel, or by AWAY_FROM_ALL, when Slack may have told us nothing."""
    known = readings.known(turn.db, turn.team, now=turn.now, doubted_until=turn.now - LOOK_AGAIN_AFTER)
    found = ((one.source, _why(one, away, now=turn.now)) for one in known)
    return [Due(source.id, source.channel_id, why, source.from_at) for source, why in found if why]


def doubt(turn: Turn, *, minute: int | None) -> Notes:
    """Slack holds back events since a minute, in seconds; a reading that began before does not count any more."""
    since = turn.now - timedelta(minutes=1)
    if minute and 0 < minute < turn.now.timestamp():
        since = datetime.fromtimestamp(minute, UTC)
    log.warning("Slack holds back events", extra={"since": since.isoformat()})
    readings.doubt(turn.db, turn.team, since=since)
    return []


def places_of(turn: Turn, *, incident_id: int) -> list[Due]:
    """The sources of an incident that are listened to, to be read whole."""
    open_ones = [source for source in incidents.sources(turn.db, incident_id) if source.until_at is None]
    return [Due(source.id, source.channel_id, Why.whole, source.from_at) for source in open_ones]


def _why(known: Known, away: Mapping[str, datetime], *, now: datetime) -> Why | None:
    source = known.source
    if known.under_way:
        return Why(known.under_way)
    if source.fetch_from and not source.fetched_at:
        return Why.opening
    last = known.last_began(FULL)
    missed = max(filter(None, (away.get(source.channel_id), away.get(AWAY_FROM_ALL))), default=None)
    if missed and (last is None or last < missed):
        return Why.gap
    if last and _is_doubted(known, since=last):
        return Why.gap
    lately, every = known.last_began(WHOLLY), EVERY_WHEN_QUIET if known.is_quiet else EVERY
    return Why.recent if lately and now - lately >= every else None


def _is_doubted(known: Known, *, since: datetime) -> bool:
    """Whether Slack has said since then that it held events back, or something is missing."""
    told_less = known.source.read_at and known.source.read_at < since
    return bool(told_less or (known.doubted_at and known.doubted_at >= since))


def begin_reading(turn: Turn, *, source_id: int, why: Why) -> Notes:
    """Begin to read a source, unless that is under way."""
    readings.begin(turn.db, channels.source(turn.db, source_id), why, now=turn.now)
    return []


@dataclass(frozen=True)
class Wanted:
    """The page that a reading wants next: of the channel itself, or of a thread."""

    reading: int
    why: Why
    channel: str
    thread: str | None
    oldest: datetime
    position: tuple[bool, int, str | None]

    @property
    def cursor(self) -> str | None:
        """Where the page begins."""
        return self.position[2]


def wanted(turn: Turn, *, source_id: int) -> Wanted | None:
    """What the reading of a source wants next; None at its end, and where nobody listens any more."""
    reading, source = readings.open_of(turn.db, source_id), channels.source(turn.db, source_id)
    if reading is None or source.until_at or readings.is_at_end(reading):
        return None
    thread = (reading.threads or [])[reading.walked] if reading.paged_at else None
    return Wanted(reading.id, Why(reading.why), source.channel_id, thread, reading.from_at, readings.position(reading))


def take_part(turn: Turn, *, part: Page, wanted: Wanted) -> Notes:
    """Keep a part of a page ahead of the rest, so that what is said meanwhile need not wait for all of it."""
    reading = readings.held(turn.db, wanted.reading)
    if not reading.done_at:
        _keep_messages(turn, channels.source(turn.db, reading.source_id), reading, part)
    return []


def take_in(turn: Turn, *, page: Page, wanted: Wanted, rest: Page | None = None) -> Notes:
    """Keep a page, or the rest of it, and where the next begins, at once; the same page twice is kept once.

    Emoji in the history of a new source become events without a confirmation: nobody waits for one.
    """
    reading = readings.held(turn.db, wanted.reading)
    if reading.done_at or readings.position(reading) != wanted.position:
        return []
    source = channels.source(turn.db, reading.source_id)
    _keep_messages(turn, source, reading, rest or page)
    _note_limit(turn, page)
    if wanted.thread:
        expected = readings.expected_in_thread(turn.db, source, reading, thread=wanted.thread, page=page)
        _compare(turn, source, reading, page=page, expected=expected)
        readings.turn_page_of_thread(reading, page)
    else:
        readings.add_threads(reading, readings.threads_to_walk(turn.db, source, reading, page))
        expected = readings.expected_in_channel(turn.db, source, reading, page)
        _compare(turn, source, reading, page=page, expected=expected)
        readings.turn_page(reading, page)
        if reading.paged_at:
            readings.add_threads(reading, readings.threads_unshown(turn.db, source, reading))
    turn.db.flush()
    return []


def wants_older(turn: Turn, *, page: Page, wanted: Wanted) -> bool:
    """Whether it matters that Slack still shows something older than this page: else nothing is held to be gone."""
    reading = readings.get(turn.db, wanted.reading)
    source = channels.source(turn.db, reading.source_id)
    if page.next_cursor or (wanted.thread and (page.messages or reading.oldest_ts)):
        return False
    if wanted.thread:
        expected = readings.expected_in_thread(turn.db, source, reading, thread=wanted.thread, page=page)
    else:
        expected = readings.expected_in_channel(turn.db, source, reading, page)
    lowest = next(iter(page.times), LAST)
    return any(one.missing_since and one.ts < lowest for one in expected)


def begin_anew(turn: Turn, *, source_id: int) -> Notes:
    """Slack no longer knows the place where a reading was: it goes back to the beginning of the channel or thread."""
    reading = readings.open_of(turn.db, source_id)
    if reading:
        readings.begin_anew(reading)
    return []


def finish_reading(turn: Turn, *, source_id: int) -> Notes:
    """The end is reached; what was healed is a line in the incident's history, once, whoever else reads it."""
    reading, source = readings.open_held(turn.db, source_id), channels.source(turn.db, source_id)
    if reading is None or not (source.until_at or readings.is_at_end(reading)):
        return []
    readings.finish(turn.db, reading, now=turn.now)
    if reading.why == Why.opening:
        source.fetched_at = source.fetched_at or turn.now
    if reading.why != Why.recent:
        source.read_at = reading.began_at
    if reading.why != Why.opening and reading.found_from and reading.found_to:
        incident = incidents.get(turn.db, source.incident_id)
        change = {"what": readings.HEALED, "before": None, "by": None, "now": turn.now}
        words = healed(reading.found, reading.found_from, reading.found_to)
        incidents.record_change(turn.db, incident, "incident", incident.id, after=words, **change)
    return []


def _keep_messages(turn: Turn, source: Source, reading: Reading, page: Page) -> None:
    """What is new is counted, unless it is so young that word of it may be on its way."""
    facts = [fact for fact in page.facts if _is_inside(source, fact)]
    told = [fact.key for fact in facts if fact.content and moment_of(fact.ts) < page.sure_until]
    known = archive.known(turn.db, turn.team, told)
    readings.count(reading, (ts for channel, ts in told if (channel, ts) not in known))
    emoji = readings.emoji_told(turn.db, source, reading, page=page, inside={fact.ts for fact in facts})
    archive.keep(turn.db, turn.team, *facts)
    reactions.keep(turn.db, turn.team, *emoji)
    follow(turn, incidents.get(turn.db, source.incident_id), emoji, came="message")
    if reading.why == Why.opening:
        mark_drawn(turn, emoji)


def _is_inside(source: Source, fact: MessageFact) -> bool:
    return moment_of(fact.ts) >= source.from_at and source.thread_ts in {"", fact.thread_ts, fact.ts}


def _compare(
    turn: Turn, source: Source, reading: Reading, *, page: Page, expected: Sequence[readings.Expected]
) -> None:
    """What is missing for the second time is gone, as if we had been told; a meagre page proves nothing."""
    if page.is_meagre:
        return
    oldest = page.older_ts or next(iter(page.times), None) or reading.oldest_ts
    gone = readings.compare(turn.db, reading, expected, page=page, oldest=oldest)
    deleted = [
        MessageFact(channel=source.channel_id, ts=one.ts, how="deleted", deleted_at=page.asked_at) for one in gone
    ]
    archive.keep(turn.db, turn.team, *deleted)


def _note_limit(turn: Turn, page: Page) -> None:
    """Slack gives some apps only a handful of messages a minute; a page of more shows that we are none of them."""
    space = people.workspace(turn.db, turn.team)
    if page.is_meagre:
        space.history_limited_at = space.history_limited_at or turn.now
    elif len(page.messages) > MEAGRE_PAGE:
        space.history_limited_at = None


def follow(turn: Turn, incident: Incident, emoji: Sequence[ReactionFact], *, came: timeline.Origin) -> None:
    """Let the timeline say what the emoji on a page say; what else they ask for is drawn at the clock's tick."""
    own = people.workspace(turn.db, turn.team).bot_user
    for channel, ts in sorted({(fact.channel, fact.ts) for fact in emoji}):
        message = archive.find(turn.db, turn.team, channel, ts)
        if message and archive.belongs(turn.db, message, incident.id):
            rows = timeline.that_count(turn.db, incident, reactions.on(turn.db, turn.team, channel, ts))
            held = timeline.held_emoji(rows, turn.house.emoji, own=own)
            timeline.follow_emoji(turn.db, incident, message, held, source=came, now=turn.now)


def mark_drawn(turn: Turn, emoji: Sequence[ReactionFact]) -> None:
    """Nothing more follows from these, and nobody waits for a confirmation."""
    for channel, ts in sorted({(fact.channel, fact.ts) for fact in emoji}):
        for row in reactions.on(turn.db, turn.team, channel, ts):
            row.derived_at = row.derived_at or turn.now
