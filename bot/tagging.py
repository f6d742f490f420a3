"""The timeline: put a moment on it, take it off, correct it, and let it say what the emoji on messages say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot import wording
from bot.desk import Note, Notes, Turn
from bot.review import stops
from bot.review.incident import UserId
from bot.review.refusal import InTheFuture, NeedsText, NoSuchEvent, Refused
from bot.review.report import rfc3339
from bot.review.stops import Fold
from bot.review.timeline import Kind, Outcome, guess_kind, read_kind
from bot.review.when import When
from bot.wording import Thing
from storage import incidents, messages, people, reactions, timeline
from storage.incidents import Where
from storage.models import Incident, Message, TimelineEvent
from storage.timeline import ToldEvent

MOST_SHOWN = 25
PATIENCE = timedelta(hours=1)
"""How long an emoji waits for its message, which may be heard after it."""


class NotKept(Refused):
    """I do not have that message: it was written before this incident began, or somewhere else. Word it yourself with
    `{command} event 14:05 what happened`.
    """


# Putting a moment on it -----------------------------------------------------------------


def add_event(turn: Turn, *, where: Where, by: UserId, when: When | None, text: str) -> Notes:
    """A moment that nobody wrote down, now or at a time that has passed."""
    incident = incidents.at(turn.db, turn.team, where, by)
    words = text.strip()
    if not words:
        raise NeedsText(verb="event", example="14:05 rolled back to version 41")
    at = when.past(turn.now, _zone(turn, by)) if when else turn.now
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    kind = guess_kind(words)
    event = timeline.add(turn.db, incident, kind, at, by=by, source="typed", now=turn.now, text=words)
    yield _answer(turn, event, "added", by, stepped_in=stepped_in)
    yield from wording.look_over(turn, incident, Thing.event, by=by, number=event.number, text=words)


def add_near(turn: Turn, *, where: Where, by: UserId, number: int, text: str) -> Notes:
    """What is missing from the timeline at the time of another event; `retime` moves it where that is not exact."""
    at = _event(turn, where, by, number).occurred_at
    if not text.strip():
        raise NeedsText(verb=f"missing {number}", example="support had called twice by then")
    incident = incidents.at(turn.db, turn.team, where, by)
    kind = guess_kind(text)
    event = timeline.add(turn.db, incident, kind, at, by=by, source="typed", now=turn.now, text=text.strip())
    yield _answer(turn, event, "added", by)
    yield from wording.look_over(turn, incident, Thing.event, by=by, number=event.number, text=text)


def tag_message(
    turn: Turn,
    *,
    where: Where,
    by: UserId,
    channel: str,
    ts: str,
    kind: str | None,
    when: When | datetime | None,
    text: str | None,
) -> Notes:
    """A message as an event, with a kind, a time and a wording of one's own where they were chosen."""
    incident = incidents.at(turn.db, turn.team, where, by)
    message = _message_of(turn, incident, channel, ts)
    named = read_kind(kind) if kind else None
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    event = timeline.put_by_hand(turn.db, incident, message, by=by, now=turn.now)
    if named:
        _sort(turn, event, named, by)
    if when:
        _move(turn, event, _at(turn, when, by), by)
    if text and text.strip():
        _word(turn, event, text.strip(), by)
    timeline.confirm(turn.db, event, now=turn.now)
    yield _answer(turn, event, "tagged", by, stepped_in=stepped_in)


def _message_of(turn: Turn, incident: Incident, channel: str, ts: str) -> Message:
    message = messages.find(turn.db, turn.team, channel, ts)
    if message is None or not messages.belongs(turn.db, message, incident.id):
        raise NotKept
    return message


def _at(turn: Turn, when: When | datetime, by: UserId) -> datetime:
    return when if isinstance(when, datetime) else when.past(turn.now, _zone(turn, by))


# Correcting it ---------------------------------------------------------------------------


def edit_event(turn: Turn, *, where: Where, by: UserId, number: int, text: str) -> Notes:
    """Word an event anew; its message's own words no longer serve."""
    event = _event(turn, where, by, number)
    if not text.strip():
        raise NeedsText(verb=f"edit {number}", example="rolled back to version 41")
    _word(turn, event, text.strip(), by)
    yield _answer(turn, event, "worded", by)
    yield from _looked_over(turn, event, Thing.event, by=by, text=text)


def correct_event(
    turn: Turn, *, where: Where, by: UserId, number: int, text: str, when: datetime | None, kind: str, answer: str
) -> Notes:
    """Wording, time, kind and the answer kept there, where they differ from what stands; raises InTheFuture."""
    event = _event(turn, where, by, number)
    before = event.text
    if text.strip() and text.strip() != (timeline.words_of(event, timeline.message_of(turn.db, event)) or "").strip():
        _word(turn, event, text.strip(), by)
    # A form knows whole seconds: left as it is, the exact moment stays.
    if when and int(when.timestamp()) != int(event.occurred_at.timestamp()):
        if when > turn.now:
            raise InTheFuture(words=f"{when.astimezone(_zone(turn, by)):%a %d %b, %H:%M}")
        _move(turn, event, when, by)
    if kind and kind != event.kind:
        _sort(turn, event, read_kind(kind), by)
    if answer.strip() and event.answer and answer.strip() != event.answer:
        _record(turn, event, "answer", event.answer, answer.strip(), by=by)
        event.answer = answer.strip()
    yield _answer(turn, event, "corrected", by)
    yield from _looked_over(turn, event, Thing.event, by=by, text=text if event.text != before else "")


def retime_event(turn: Turn, *, where: Where, by: UserId, number: int, when: When) -> Notes:
    """Move an event to the time nearest to where it stands; raises InTheFuture."""
    event = _event(turn, where, by, number)
    at = when.nearest(event.occurred_at, _zone(turn, by), now=turn.now)
    if at > turn.now:
        raise InTheFuture(words=when.words)
    before = event.occurred_at
    _move(turn, event, at, by)
    yield _answer(turn, event, "moved", by, before=before)


def drop_event(turn: Turn, *, where: Where, by: UserId, number: int) -> Notes:
    """Take an event off; its number is not given again, and older emoji do not bring it back."""
    incident = incidents.at(turn.db, turn.team, where, by)
    event = timeline.numbered(turn.db, incident.id, number)
    if event is None:
        raise NoSuchEvent(number=number)
    if event.dropped_at is None:
        event.dropped_at = turn.now
        timeline.record(turn.db, event, "dropped", before=None, after=None, by=by, now=turn.now)
        timeline.confirm(turn.db, event, now=turn.now)
    yield _answer(turn, event, "dropped", by)


def comment_event(turn: Turn, *, where: Where, by: UserId, number: int, text: str) -> Notes:
    """Say something about an event; with a comment on it, no emoji takes it off."""
    event = _event(turn, where, by, number)
    if not text.strip():
        raise NeedsText(verb=f"comment {number}", example="the dashboard was two minutes behind")
    timeline.comment(turn.db, event, text.strip(), by=by, now=turn.now)
    yield _answer(turn, event, "commented", by)
    yield from _looked_over(turn, event, Thing.comment, by=by, text=text)


def _looked_over(turn: Turn, event: TimelineEvent, thing: Thing, *, by: UserId, text: str) -> Notes:
    incident = incidents.get(turn.db, event.incident_id)
    return wording.look_over(turn, incident, thing, by=by, number=event.number, text=text)


def sort_event(turn: Turn, *, where: Where, by: UserId, number: int, words: str) -> Notes:
    """Say what kind an event is; raises UnknownKind."""
    event = _event(turn, where, by, number)
    _sort(turn, event, read_kind(words), by)
    yield _answer(turn, event, "sorted", by)


def mark_outcome(turn: Turn, *, where: Where, by: UserId, number: int, outcome: Outcome) -> Notes:
    """Say what an event led to."""
    event = _event(turn, where, by, number)
    if event.outcome != outcome:
        _record(turn, event, "outcome", event.outcome, outcome.value, by=by)
        event.outcome = outcome.value
    yield _answer(turn, event, "marked", by)


def _event(turn: Turn, where: Where, by: UserId, number: int) -> TimelineEvent:
    incident = incidents.at(turn.db, turn.team, where, by)
    event = timeline.numbered(turn.db, incident.id, number)
    if event is None or not timeline.is_on_it(event):
        raise NoSuchEvent(number=number)
    return event


def _word(turn: Turn, event: TimelineEvent, text: str, by: UserId) -> None:
    timeline.reword(turn.db, event, text, by=by, now=turn.now)


def _move(turn: Turn, event: TimelineEvent, at: datetime, by: UserId) -> None:
    if event.occurred_at != at:
        _record(turn, event, "occurred_at", rfc3339(event.occurred_at), rfc3339(at), by=by)
        event.occurred_at = at


def _sort(turn: Turn, event: TimelineEvent, kind: Kind, by: UserId) -> None:
    if event.kind != kind or event.kind_by is None:
        _record(turn, event, timeline.KIND, event.kind, kind.value, by=by)
        event.kind, event.kind_by = kind.value, by


def _record(turn: Turn, event: TimelineEvent, what: str, before: str | None, after: str | None, *, by: UserId) -> None:
    timeline.record(turn.db, event, what, before=before, after=after, by=by, now=turn.now)


def _answer(turn: Turn, event: TimelineEvent, done: str, by: UserId, **more: Any) -> Note:
    message = timeline.message_of(turn.db, event)
    facts = {"stepped_in": False, "before": None} | more
    return Note.private(
        by,
        "event",
        done=done,
        number=event.number,
        at=event.occurred_at,
        zone=people.zone(turn.db, turn.team, by),
        kind=Kind(event.kind),
        guessed=event.kind_by is None,
        outcome=Outcome(event.outcome),
        words=timeline.words_of(event, message),
        incident=event.incident_id,
        **facts,
    )


def _zone(turn: Turn, by: UserId) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, by))


# What emoji say ----------------------------------------------------------------------------


def follow_reactions(turn: Turn, *, channel: str, ts: str) -> Notes:
    """Let the timeline say what the emoji on a message say; doing it again changes nothing."""
    rows = reactions.on(turn.db, turn.team, channel, ts)
    message = messages.find(turn.db, turn.team, channel, ts)
    if message is None:
        return []
    incident = _spoken_of(turn, message)
    if incident:
        own = people.workspace(turn.db, turn.team).bot_user
        count = timeline.that_count(turn.db, incident, rows)
        emoji = timeline.held_emoji(count, turn.house.emoji, own=own)
        event = timeline.follow_emoji(turn.db, incident, message, emoji, source="message", now=turn.now)
        if event and (any(one.live for one in emoji) or not timeline.is_on_it(event)):
            timeline.confirm(turn.db, event, now=turn.now)
    for row in rows:
        row.derived_at = row.derived_at or turn.now
    return []


def forget_strays(turn: Turn) -> Notes:
    """Forget emoji on messages that never came: elsewhere in the channel of a thread that is listened to."""
    reactions.forget_strays(turn.db, turn.team, before=turn.now - PATIENCE)
    return ()


def _spoken_of(turn: Turn, message: Message) -> Incident | None:
    """The incident in whose open source the message was said; a thread of its own comes before its channel."""
    where = {"thread": message.thread_ts, "ts": message.ts}
    source = incidents.source_of_message(turn.db, turn.team, message.channel_id, **where)
    return incidents.get(turn.db, source.incident_id) if source and source.from_at <= message.posted_at else None


# Looking at it -----------------------------------------------------------------------------


@dataclass(frozen=True)
class EventLine:
    """One event as it is listed."""

    number: int
    at: datetime
    kind: Kind
    outcome: Outcome
    words: str | None
    permalink: str | None
    comments: int


def show_timeline(turn: Turn, *, where: Where, by: UserId, every: Literal["all", "short"]) -> Notes:
    """The timeline in order of time: every event, or what matters most with the rest folded."""
    incident = incidents.at(turn.db, turn.team, where, by)
    events = timeline.told(turn.db, incident.id)
    is_short = every == "short" and len(events) > MOST_SHOWN
    shown = stops.fold(events, stops.stops(events, MOST_SHOWN)) if is_short else [event.number for event in events]
    lines = list(_lines(turn, events, shown))
    yield Note.private(
        by,
        "timeline",
        incident=incident,
        days=_by_day(lines, _zone(turn, by)),
        total=len(events),
        folded=sum(line.count for line in lines if isinstance(line, Fold)),
    )


def _lines(turn: Turn, events: Sequence[ToldEvent], shown: Sequence[int | Fold]) -> Iterator[EventLine | Fold]:
    """A fold that would hide a single event shows that event instead."""
    url = people.workspace(turn.db, turn.team).url
    by_number = {event.number: event for event in events}
    for one in shown:
        if isinstance(one, Fold) and one.count > 1:
            yield one
        elif isinstance(one, Fold):
            yield from (_line(event, url) for event in events if _is_folded(event, one, shown))
        else:
            yield _line(by_number[one], url)


def _is_folded(event: ToldEvent, fold: Fold, shown: Sequence[int | Fold]) -> bool:
    return event.occurred_at == fold.start and event.number not in shown


def _line(told: ToldEvent, url: str) -> EventLine:
    return EventLine(
        number=told.number,
        at=told.occurred_at,
        kind=Kind(told.kind),
        outcome=Outcome(told.event.outcome),
        words=told.words,
        permalink=messages.permalink_of(told.message, url),
        comments=told.comments,
    )


def _by_day(lines: Sequence[EventLine | Fold], zone: ZoneInfo) -> list[tuple[datetime, list[EventLine | Fold]]]:
    """Lines under the day they begin in, in the reader's zone."""
    days: list[tuple[datetime, list[EventLine | Fold]]] = []
    for line in lines:
        at = (line.start if isinstance(line, Fold) else line.at).astimezone(zone)
        if not days or days[-1][0].date() != at.date():
            days.append((at, []))
        days[-1][1].append(line)
    return days
