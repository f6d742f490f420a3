"""The timeline's rows: events and comments, what emoji made of a message, and what was said behind an event."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from bot.review.heard import moment_of
from bot.review.timeline import Kind, guess_kind
from storage import incidents, messages, outbox, people
from storage.models import Change, EventComment, Incident, Membership, Message, Reaction, Source, TimelineEvent

GUESS, PROPOSES = "guess", "action"
"""What an emoji may mean besides a kind: that the kind is guessed; that an action is proposed, which is no event."""
CONFIRMATION = "memo"
"""Our own emoji, by which a person sees that the message is on the timeline."""
BY_HAND, BY_EMOJI, KIND = "added", "emoji", "kind"
"""What the history says: put on by a person, its kind given by an emoji, its kind given by a word."""

Origin = Literal["message", "typed", "automated", "import"]
"""How an event came: from a message, typed, by a program, or with an export."""


@dataclass(frozen=True)
class ToldEvent:
    """An event with the message behind it, the words that stand for it, and how many commented it."""

    event: TimelineEvent
    message: Message | None
    comments: int

    @property
    def words(self) -> str | None:
        """None where they were deleted."""
        return words_of(self.event, self.message)

    @property
    def number(self) -> int:
        return self.event.number

    @property
    def kind(self) -> str:
        return self.event.kind

    @property
    def outcome(self) -> str | None:
        return self.event.outcome

    @property
    def occurred_at(self) -> datetime:
        return self.event.occurred_at


def words_of(event: TimelineEvent, message: Message | None) -> str | None:
    """Its own words, else those of its message as they are now; None where they were deleted."""
    said = message.plain or message.text if message and not message.deleted_at else ""
    return event.text or said or None


def on_it() -> ColumnElement[bool]:
    """That an event is on the timeline now."""
    return and_(TimelineEvent.dropped_at.is_(None), TimelineEvent.untagged_at.is_(None))


def is_on_it(event: TimelineEvent) -> bool:
    return event.dropped_at is None and event.untagged_at is None


# Questions --------------------------------------------------------------------------------


def told(db: Session, incident: int) -> list[ToldEvent]:
    """What is on the timeline now, in order of time."""
    rows = db.execute(
        select(TimelineEvent, Message)
        .outerjoin(Message, behind())
        .where(TimelineEvent.incident_id == incident, on_it())
        .order_by(TimelineEvent.occurred_at, TimelineEvent.number)
    )
    comments = _comments(db, incident)
    return [ToldEvent(event, message, comments[event.id]) for event, message in rows]


def behind() -> ColumnElement[bool]:
    """That a message is the one behind an event."""
    return and_(
        Message.team_id == TimelineEvent.team_id,
        Message.channel_id == TimelineEvent.channel_id,
        Message.ts == TimelineEvent.ts,
    )


def _comments(db: Session, incident: int) -> Counter[int]:
    of_events = (
        select(EventComment.event_id)
        .join(TimelineEvent, TimelineEvent.id == EventComment.event_id)
        .where(TimelineEvent.incident_id == incident)
    )
    return Counter(db.scalars(of_events))


def numbered(db: Session, incident: int, number: int) -> TimelineEvent | None:
    """The event of this number, one that was dropped or untagged too."""
    return db.scalar(select(TimelineEvent).where(TimelineEvent.incident_id == incident, TimelineEvent.number == number))


def of_message(db: Session, incident: int, channel: str, ts: str) -> TimelineEvent | None:
    """The event that a message is in an incident, one that was dropped or untagged too."""
    return db.scalar(
        select(TimelineEvent).where(
            TimelineEvent.incident_id == incident, TimelineEvent.channel_id == channel, TimelineEvent.ts == ts
        )
    )


def message_of(db: Session, event: TimelineEvent) -> Message | None:
    """The message behind an event."""
    return messages.find(db, event.team_id, event.channel_id, event.ts) if event.channel_id and event.ts else None


def tagged(db: Session, incident: int) -> set[tuple[str, str]]:
    """The messages that are on the timeline, or were taken off it by a word."""
    rows = db.execute(
        select(TimelineEvent.channel_id, TimelineEvent.ts).where(
            TimelineEvent.incident_id == incident, TimelineEvent.ts.is_not(None), TimelineEvent.untagged_at.is_(None)
        )
    )
    return {(channel, ts) for channel, ts in rows if channel and ts}


# Changing it --------------------------------------------------------------------------------


def add(
    db: Session,
    incident: Incident,
    kind: Kind,
    occurred_at: datetime,
    *,
    by: str | None,
    source: Origin,
    now: datetime,
    kind_by: str | None = None,
    text: str | None = None,
    message: Message | None = None,
) -> TimelineEvent:
    """A new event with the next number."""
    event = TimelineEvent(
        team_id=incident.team_id,
        incident_id=incident.id,
        number=incidents.next_event_number(db, incident.id),
        kind=kind.value,
        kind_by=kind_by,
        occurred_at=occurred_at,
        recorded_at=now,
        text=text,
        by=by,
        source=source,
        channel_id=message.channel_id if message else None,
        ts=message.ts if message else None,
    )
    db.add(event)
    db.flush()
    return event


def put_by_hand(
    db: Session, incident: Incident, message: Message, *, by: str, now: datetime, kind: Kind | None = None
) -> TimelineEvent:
    """The event of a message, put there or brought back by a person: no emoji takes it off again."""
    event = of_message(db, incident.id, message.channel_id, message.ts)
    if event is None:
        kind = kind or guessed(db, message)
        event = add(db, incident, kind, message.posted_at, by=by, source="message", now=now, message=message)
    if not is_on_it(event) or not was_put_by_hand(db, event):
        record(db, event, BY_HAND, before=None, after=None, by=by, now=now)
    event.dropped_at = event.untagged_at = None
    return event


def reword(db: Session, event: TimelineEvent, text: str, *, by: str | None, now: datetime) -> None:
    """A message's own words do not go into the history: they stay where a deletion reaches them."""
    if event.text != text:
        record(db, event, "text", before=event.text, after=text, by=by, now=now)
        event.text = text


def comment(db: Session, event: TimelineEvent, text: str, *, by: str, now: datetime) -> None:
    """Add a comment, unless the same person said just that already."""
    same = and_(EventComment.event_id == event.id, EventComment.text == text, EventComment.by == by)
    if db.scalar(select(EventComment.id).where(same).limit(1)) is None:
        db.add(EventComment(team_id=event.team_id, event_id=event.id, text=text, by=by, at=now))
        db.flush()


def record(
    db: Session,
    event: TimelineEvent,
    what: str,
    *,
    before: str | None,
    after: str | None,
    by: str | None,
    now: datetime,
) -> None:
    """One line of an event's history."""
    incident = incidents.get(db, event.incident_id)
    incidents.record_change(db, incident, "event", event.id, what=what, before=before, after=after, by=by, now=now)


def guessed(db: Session, message: Message) -> Kind:
    """`automated` for what a program said, else the kind that the words speak of."""
    if messages.is_program(message, people.bots(db, message.team_id)):
        return Kind.automated
    return guess_kind(message.plain)


def confirm(db: Session, event: TimelineEvent, *, now: datetime) -> None:
    """Put our emoji on the message of an event, and take it away again when the event leaves the timeline."""
    key = f"{CONFIRMATION}:{event.channel_id}:{event.ts}"
    if not event.channel_id or not event.ts:
        return
    if is_on_it(event):
        on = outbox.Words(key=key, channel=event.channel_id, thread=event.ts, text=CONFIRMATION, at=now)
        outbox.react(db, event.team_id, on)
    else:
        outbox.unreact(db, event.team_id, key, now)


# What emoji make of a message -----------------------------------------------------------------


@dataclass(frozen=True)
class HeldEmoji:
    """A timeline emoji that somebody holds: what it means, whose it is, since when, and whether it was heard live."""

    meaning: str
    user: str
    since: datetime
    live: bool


def that_count(db: Session, incident: Incident, rows: Sequence[Reaction]) -> Sequence[Reaction]:
    """The emoji that say something: of a private incident those of people who are, or were, in one of its channels.

    Where its channel has become public in Slack, nobody else learns by our confirmation that there is an incident.
    """
    if incident.private_since is None:
        return rows
    its_own = select(Source.channel_id).where(Source.incident_id == incident.id)
    inside = select(Membership.user_id).where(
        Membership.team_id == incident.team_id,
        Membership.channel_id.in_(its_own),
        Membership.user_id.in_([row.user_id for row in rows]),
    )
    known = set(db.scalars(inside))
    return [row for row in rows if row.user_id in known]


def held_emoji(rows: Collection[Reaction], emoji: Mapping[str, str], *, own: str) -> list[HeldEmoji]:
    """The timeline emoji that people hold, in the order given; ours do not count."""
    return [
        HeldEmoji(emoji[row.name], row.user_id, moment_of(row.changed_ts), live=row.changed_ts != row.ts)
        for row in rows
        if row.removed_at is None and row.user_id != own and emoji.get(row.name, PROPOSES) != PROPOSES
    ]


def follow_emoji(
    db: Session, incident: Incident, message: Message, emoji: Sequence[HeldEmoji], *, source: Origin, now: datetime
) -> TimelineEvent | None:
    """Let the timeline say what the emoji on a message say; doing it again changes nothing.

    1. What was dropped comes back only by an emoji newer than that.
    2. Without an emoji it leaves, unless a person put, worded, answered or commented it.
    3. The last kind given wins, by an emoji or by a word; none given, it is guessed once.
    """
    event = of_message(db, incident.id, message.channel_id, message.ts)
    if event and event.dropped_at:
        emoji = [one for one in emoji if one.since > (event.dropped_at or one.since)]
        if not emoji:
            return event
    if emoji:
        event = _put(db, incident, message, event, emoji, source=source, now=now)
    elif event and is_on_it(event) and not _stays_without_emoji(db, event):
        event.untagged_at = now
    db.flush()
    return event


def _put(
    db: Session,
    incident: Incident,
    message: Message,
    event: TimelineEvent | None,
    emoji: Sequence[HeldEmoji],
    *,
    source: Origin,
    now: datetime,
) -> TimelineEvent:
    kind, kind_by = _kind(db, message, event, emoji)
    if event is None:
        by = emoji[0].user
        return add(
            db, incident, kind, message.posted_at, by=by, source=source, now=now, kind_by=kind_by, message=message
        )
    event.untagged_at = event.dropped_at = None
    if kind != event.kind:
        by = kind_by or emoji[-1].user
        record(db, event, BY_EMOJI, before=event.kind, after=kind.value, by=by, now=now)
        event.kind = kind.value
    event.kind_by = kind_by
    return event


def _kind(
    db: Session, message: Message, event: TimelineEvent | None, emoji: Sequence[HeldEmoji]
) -> tuple[Kind, str | None]:
    word_at = _kind_word_at(db, event) if event else None
    given = [one for one in emoji if one.meaning != GUESS and (word_at is None or one.since > word_at)]
    if given:
        return Kind(given[-1].meaning), given[-1].user
    if event and (word_at or event.kind_by is None):
        return Kind(event.kind), event.kind_by
    return guessed(db, message), None


def _kind_word_at(db: Session, event: TimelineEvent) -> datetime | None:
    """When a person last named its kind in words."""
    word = and_(Change.subject == "event", Change.subject_id == event.id, Change.what == KIND)
    return db.scalar(select(func.max(Change.at)).where(word))


def _stays_without_emoji(db: Session, event: TimelineEvent) -> bool:
    commented = select(EventComment.id).where(EventComment.event_id == event.id).limit(1)
    said = event.text is not None or event.answer is not None
    return said or was_put_by_hand(db, event) or db.scalar(commented) is not None


def was_put_by_hand(db: Session, event: TimelineEvent) -> bool:
    """Whether a person put it there with a form or a button, whatever the emoji."""
    put = and_(Change.subject == "event", Change.subject_id == event.id, Change.what == BY_HAND)
    return db.scalar(select(Change.id).where(put).limit(1)) is not None
