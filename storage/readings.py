"""Readings of history: which there are, how far each came, and what a page tells beside its words.

Silence is not deletion: what Slack does not show where it was asked for all is doubted first, and gone when a later
reading misses it again, though Slack still shows something older.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from bot.review.heard import EPOCH, ReactionFact, in_order, moment_of, read_reactions
from bot.review.history import LAG, OLD_AFTER, QUIET_FOR, WHOLE_FOR, Page, Why
from storage import pseudonyms
from storage.models import Incident, Meeting, Message, Reaction, Reading, Review, Source, Workspace
from storage.rows import in_parts, insert_new

HEALED = "healed"
"""What the history of an incident says where its archive fetched what nobody had told."""


# Readings --------------------------------------------------------------------------------


def listened(db: Session, team: str) -> Sequence[Source]:
    """The sources that are listened to now."""
    return db.scalars(select(Source).where(*_listened(team)).order_by(Source.id)).all()


def _listened(team: str) -> tuple[ColumnElement[bool], ...]:
    return Source.team_id == team, Source.until_at.is_(None)


@dataclass(frozen=True)
class Known:
    """What is known of a source that is listened to: how it was read, and whether it is spoken in."""

    source: Source
    under_way: str | None = None
    """Why it is being read."""
    began: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """When the last reading of each sort began that came to its end."""
    doubted_at: datetime | None = None
    """When something was last found missing that still is."""
    is_quiet: bool = False

    def last_began(self, whys: Collection[Why]) -> datetime | None:
        """When the last of these readings began that came to its end."""
        return max((self.began[why.value] for why in whys if why.value in self.began), default=self.source.fetched_at)


def known(db: Session, team: str, *, now: datetime, doubted_until: datetime) -> list[Known]:
    """Every source that is listened to; four statements, however many there are."""
    under_way, began = _readings(db, team)
    doubted, quiet = _doubted_at(db, team, until=doubted_until), _quiet(db, team, now=now)
    return [
        Known(source, under_way.get(source.id), began[source.id], doubted.get(source.id), source.id in quiet)
        for source in listened(db, team)
    ]


def _readings(db: Session, team: str) -> tuple[dict[int, str], defaultdict[int, dict[str, datetime]]]:
    """By source: why it is being read, and when the last reading of each sort began that came to its end."""
    is_done = case((Reading.done_at.is_(None), 0), else_=1)
    query = select(Reading.source_id, Reading.why, is_done, func.max(Reading.began_at))
    query = query.join(Source, Source.id == Reading.source_id).where(*_listened(team))
    under_way: dict[int, str] = {}
    began: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for source, why, done, at in db.execute(query.group_by(Reading.source_id, Reading.why, is_done)):
        if done:
            began[source][why] = at
        else:
            under_way[source] = why
    return under_way, began


def _doubted_at(db: Session, team: str, *, until: datetime) -> dict[int, datetime]:
    """When something was last found missing in each source, up to a moment, that still is."""
    query = (
        select(Source.id, func.max(Message.missing_since))
        .join(Message, and_(Message.team_id == Source.team_id, Message.channel_id == Source.channel_id))
        .where(*_listened(team), Message.posted_at >= Source.from_at, Message.deleted_at.is_(None))
        .where(Message.missing_since.is_not(None), Message.missing_since <= until)
    )
    return {source: at for source, at in db.execute(query.group_by(Source.id)) if at}


def _quiet(db: Session, team: str, *, now: datetime) -> set[int]:
    """The sources where nothing was said for long, of incidents whose review has met, or that are old; QUIET_FOR."""
    of_it = (Meeting.review_id == Review.id, Meeting.cancelled_at.is_(None), Meeting.scheduled_at.is_not(None))
    ahead = exists(select(Meeting.id).where(*of_it, Meeting.ended_at.is_(None)))
    of_everybody = (Meeting.review_id == Review.id, Meeting.apart.is_(None))
    met = exists(select(Meeting.id).where(*of_everybody, Meeting.ended_at <= now - QUIET_FOR))
    query = (
        select(Source.id)
        .join(Incident, Incident.id == Source.incident_id)
        .join(Review, Review.incident_id == Incident.id)
        .where(*_listened(team), or_(met, Incident.opened_at <= now - OLD_AFTER), ~ahead)
        .where(~_spoken_in(since=now - QUIET_FOR))
    )
    return {*db.scalars(query)}


def _spoken_in(*, since: datetime) -> ColumnElement[bool]:
    """Whether anything was said in a source since a moment; the newest of a channel or of a thread are in an index."""
    here = (Message.team_id == Source.team_id, Message.channel_id == Source.channel_id, Message.ts >= _ts(since))
    in_thread = exists(select(Message.id).where(*here, Message.thread_ts == Source.thread_ts))
    return case((Source.thread_ts == "", exists(select(Message.id).where(*here))), else_=in_thread)


def open_of(db: Session, source: int) -> Reading | None:
    """The reading of a source that is not at its end."""
    return db.scalar(select(Reading).where(Reading.source_id == source, Reading.done_at.is_(None)))


def get(db: Session, reading: int) -> Reading:
    return db.get_one(Reading, reading)


def held(db: Session, reading: int) -> Reading:
    """A reading, held until the turn ends: of two who read the same page, the second sees that it was kept."""
    return db.get_one(Reading, reading, with_for_update=True, populate_existing=True)


def open_held(db: Session, source: int) -> Reading | None:
    """The reading of a source that is not at its end, held; None once whoever held it before has ended it."""
    reading = open_of(db, source)
    if reading is None:
        return None
    reading = held(db, reading.id)
    return None if reading.done_at else reading


def begin(db: Session, source: Source, why: Why, *, now: datetime) -> None:
    """Begin to read a source, unless that is under way here or in another process.

    A thread is walked and has no pages of a channel.
    """
    reading = {
        "team_id": source.team_id,
        "source_id": source.id,
        "why": why.value,
        "from_at": _beginning(db, source, now=now) if why is Why.recent else source.from_at,
        "began_at": now,
        "paged_at": now if source.thread_ts else None,
        "threads": [source.thread_ts] if source.thread_ts else [],
    }
    db.execute(insert_new(db, Reading).values(**reading))


def _beginning(db: Session, source: Source, *, now: datetime) -> datetime:
    """A day back, or where the last reading began, where that is longer ago: nothing falls between two of them."""
    done = (Reading.source_id == source.id, Reading.done_at.is_not(None))
    last = db.scalar(select(func.max(Reading.began_at)).where(*done)) or now
    return max(source.from_at, min(now - WHOLE_FOR, last - LAG))


def finish(db: Session, reading: Reading, *, now: datetime) -> None:
    """The end is reached; of the earlier readings of its sort no more need be known."""
    reading.done_at = now
    earlier = (Reading.source_id == reading.source_id, Reading.why == reading.why, Reading.id < reading.id)
    db.execute(delete(Reading).where(*earlier))
    db.flush()


def is_at_end(reading: Reading) -> bool:
    """Whether all its pages and threads are behind it."""
    return reading.paged_at is not None and reading.walked >= len(reading.threads or [])


def doubt(db: Session, team: str, *, since: datetime) -> None:
    """Slack held events back since a moment: no reading before counts for what came later."""
    db.execute(update(Source).where(*_listened(team), Source.read_at > since).values(read_at=since))


def position(reading: Reading) -> tuple[bool, int, str | None]:
    """Where a reading is: among the threads, at which one, at which page."""
    return reading.paged_at is not None, reading.walked, reading.cursor


def begin_anew(reading: Reading) -> None:
    """Slack no longer knows where we were."""
    reading.cursor = reading.reached_ts = None
    if reading.paged_at is None:
        reading.threads = []


def count(reading: Reading, found: Iterable[str]) -> None:
    """Add messages, by ts, that nobody had told us of."""
    times = sorted(map(moment_of, found))
    if times:
        reading.found += len(times)
        reading.found_from = min(reading.found_from or times[0], times[0])
        reading.found_to = max(reading.found_to or times[-1], times[-1])


def turn_page(reading: Reading, page: Page) -> None:
    """Go on in the channel, or from its end to the threads."""
    times = page.times
    reading.cursor = page.next_cursor
    reading.reached_ts = times[0] if times else reading.reached_ts
    reading.oldest_ts = _older(reading.oldest_ts, page.older_ts or (times[0] if times else None))
    if page.next_cursor is None:
        reading.paged_at, reading.reached_ts = page.asked_at, None


def turn_page_of_thread(reading: Reading, page: Page) -> None:
    """Go on in the thread, or to the next."""
    times = page.times
    reading.cursor = page.next_cursor
    reading.reached_ts = times[-1] if times and page.next_cursor else None
    if page.next_cursor is None:
        reading.walked += 1


def add_threads(reading: Reading, threads: Iterable[str]) -> None:
    """Threads to walk once the channel's pages are read."""
    known = list[str](reading.threads or [])
    reading.threads = [*known, *(ts for ts in dict.fromkeys(threads) if ts not in known)]


@dataclass(frozen=True)
class Kept:
    """What is kept of a source, without what we said ourselves."""

    messages: int
    threads: int
    oldest: datetime | None


def kept(db: Session, source: Source) -> Kept:
    """How many messages of a source are kept, in how many threads they were answered, and since when."""
    ours = select(Workspace.bot_user).where(Workspace.team_id == source.team_id).scalar_subquery()
    here = [
        Message.team_id == source.team_id,
        Message.channel_id == source.channel_id,
        Message.posted_at >= source.from_at,
        Message.deleted_at.is_(None),
        func.coalesce(Message.user_id, "") != ours,
    ]
    if source.thread_ts:
        here.append(or_(Message.thread_ts == source.thread_ts, Message.ts == source.thread_ts))
    counted = select(func.count(Message.id), func.count(Message.thread_ts.distinct()), func.min(Message.posted_at))
    return Kept(*db.execute(counted.where(*here)).one())


def _older(known: str | None, seen: str | None) -> str | None:
    return min((ts for ts in (known, seen) if ts), key=in_order, default=None)


# Silence -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """A message that we hold where Slack was asked for all there is."""

    id: int
    ts: str
    missing_since: datetime | None


def expected_in_channel(db: Session, source: Source, reading: Reading, page: Page) -> list[Expected]:
    """What a page of the channel itself should show: from its oldest message, or from where the reading begins."""
    here = or_(Message.thread_ts.is_(None), Message.thread_ts == Message.ts, Message.subtype == "thread_broadcast")
    above = [Message.ts < reading.reached_ts] if reading.reached_ts else []
    if page.next_cursor and not page.messages:
        return []
    lowest = page.times[0] if page.next_cursor else _ts(reading.from_at)
    return _expected(db, source, page, here, Message.ts >= lowest, *above)


def expected_in_thread(db: Session, source: Source, reading: Reading, *, thread: str, page: Page) -> list[Expected]:
    """What a page of a thread should show, its first message included."""
    here = or_(Message.thread_ts == thread, Message.ts == thread)
    behind = [Message.ts > reading.reached_ts] if reading.reached_ts else []
    ahead = [Message.ts <= page.times[-1]] if page.next_cursor and page.messages else []
    return _expected(db, source, page, here, *behind, *ahead)


def _expected(db: Session, source: Source, page: Page, *inside: ColumnElement[bool]) -> list[Expected]:
    query = select(Message.id, Message.ts, Message.missing_since).where(
        Message.team_id == source.team_id,
        Message.channel_id == source.channel_id,
        Message.deleted_at.is_(None),
        Message.posted_at >= source.from_at,
        Message.posted_at < page.sure_until,
        *inside,
    )
    return [Expected(*row) for row in db.execute(query.order_by(Message.ts))]


def compare(
    db: Session, reading: Reading, expected: Sequence[Expected], *, page: Page, oldest: str | None
) -> list[Expected]:
    """Doubt what is not shown, trust again what is, and give what was missing before and still is."""
    shown = set(page.times)
    _set_missing(db, [one.id for one in expected if one.missing_since and one.ts in shown], None)
    absent = [one for one in expected if one.ts not in shown]
    _set_missing(db, [one.id for one in absent if one.missing_since is None], page.asked_at)
    return [one for one in absent if _is_gone(one, reading, page, oldest=oldest)]


def _set_missing(db: Session, ids: Sequence[int], since: datetime | None) -> None:
    for part in in_parts(ids):
        db.execute(update(Message).where(Message.id.in_(part)).values(missing_since=since))


def _is_gone(one: Expected, reading: Reading, page: Page, *, oldest: str | None) -> bool:
    if one.missing_since is None or oldest is None:
        return False
    again = one.missing_since < reading.began_at and one.missing_since <= page.sure_until
    return again and in_order(oldest) < in_order(one.ts)


def _doubted(source: Source, column: Any) -> Any:
    return select(column).where(
        Message.team_id == source.team_id,
        Message.channel_id == source.channel_id,
        Message.posted_at >= source.from_at,
        Message.deleted_at.is_(None),
        Message.missing_since.is_not(None),
    )


# Threads ------------------------------------------------------------------------------------


def threads_to_walk(db: Session, source: Source, reading: Reading, page: Page) -> list[str]:
    """The threads of a page that do not look as we hold them; after them those whose replies may have changed.

    Both begin with whatever was spoken in last, for it is most likely to change.
    """
    parents = [one for one in page.messages if one.get("reply_count")]
    shown = {str(one["ts"]): (one["reply_count"], str(one.get("latest_reply") or "")) for one in parents}
    known = _sizes(db, source, list(shown))
    since = page.asked_at - WHOLE_FOR if reading.why == Why.recent else EPOCH
    newest = sorted(shown, key=lambda ts: in_order(shown[ts][1]), reverse=True)
    moved = [ts for ts in newest if known.get(ts) != shown[ts]]
    rest = [ts for ts in newest if known.get(ts) == shown[ts] and moment_of(shown[ts][1]) >= since]
    return moved + rest if reading.why in {Why.recent, Why.whole} else moved


def _sizes(db: Session, source: Source, threads: Sequence[str]) -> dict[str, tuple[int, str]]:
    """How many replies we hold of threads, and the latest."""
    found: dict[str, tuple[int, str]] = {}
    query = select(Message.thread_ts, func.count(Message.id), func.max(Message.ts)).where(
        Message.team_id == source.team_id,
        Message.channel_id == source.channel_id,
        Message.ts != Message.thread_ts,
        Message.deleted_at.is_(None),
        Message.missing_since.is_(None),
    )
    for part in in_parts(threads):
        rows = db.execute(query.where(Message.thread_ts.in_(part)).group_by(Message.thread_ts))
        found |= {str(thread): (replies, latest) for thread, replies, latest in rows}
    return found


def threads_unshown(db: Session, source: Source, reading: Reading) -> list[str]:
    """Threads that the pages of the channel did not speak of: begun before them, or with something missing."""
    older = select(Message.thread_ts).where(
        Message.team_id == source.team_id,
        Message.channel_id == source.channel_id,
        Message.thread_ts < _ts(reading.from_at),
        Message.deleted_at.is_(None),
        Message.posted_at >= _spoken_since(source, reading),
    )
    missing_parent = Message.thread_ts.in_(_doubted(source, Message.ts))
    below = select(Message.thread_ts).where(
        Message.team_id == source.team_id, Message.channel_id == source.channel_id, missing_parent
    )
    found = {*db.scalars(older), *db.scalars(below), *db.scalars(_doubted(source, Message.thread_ts))}
    return sorted((ts for ts in found if ts), key=in_order)


def _spoken_since(source: Source, reading: Reading) -> datetime:
    """Since when a thread must have been spoken in to be walked though no page shows its first message."""
    if reading.why in {Why.whole, Why.opening}:
        return source.from_at
    return max(source.from_at, (source.read_at or reading.began_at) - WHOLE_FOR)


# Emoji --------------------------------------------------------------------------------------


def emoji_told(
    db: Session, source: Source, reading: Reading, *, page: Page, inside: Collection[str]
) -> list[ReactionFact]:
    """What a page tells of emoji that we do not know, both ways; what was heard live since it was asked is newer.

    When they were put there it does not say: between the last reading and this one, or for those of old messages and
    of a new incident, when the message was written.
    """
    held: defaultdict[str, list[Reaction]] = defaultdict(list)
    for part in in_parts(sorted(inside)):
        where = (Reaction.team_id == source.team_id, Reaction.channel_id == source.channel_id, Reaction.ts.in_(part))
        for row in db.scalars(select(Reaction).where(*where)):
            held[row.ts].append(row)
    told: defaultdict[str, list[ReactionFact]] = defaultdict(list)
    shown = [fact for message in page.messages for fact in read_reactions(message, source.channel_id)]
    for fact in pseudonyms.let_in(db, source.team_id, shown):
        told[fact.ts].append(fact)
    old = page.asked_at if reading.why == Why.opening else page.asked_at - WHOLE_FOR
    return [
        fact
        for message in page.messages
        if message["ts"] in inside
        for fact in _emoji_on(message, told[message["ts"]], held[message["ts"]], asked_at=page.asked_at, old=old)
    ]


def _emoji_on(
    message: Mapping[str, Any],
    told: Sequence[ReactionFact],
    rows: Sequence[Reaction],
    *,
    asked_at: datetime,
    old: datetime,
) -> Iterator[ReactionFact]:
    ts, known = str(message["ts"]), {(row.user_id, row.name): row for row in rows}
    seen = max(_ts(asked_at - LAG), ts, key=in_order)
    still = {(fact.user, fact.name) for fact in told}
    for fact in told:
        row = known.get((fact.user, fact.name))
        if row is None:
            yield fact if moment_of(ts) < old else replace(fact, changed_ts=seen)
        elif row.removed_at:
            yield replace(fact, changed_ts=seen)
    partly = set(_partly_told(message))
    for (user, name), row in known.items():
        if row.removed_at is None and (user, name) not in still and name not in partly:
            yield ReactionFact(channel=row.channel_id, ts=ts, user=user, name=name, changed_ts=seen, held=False)


def _partly_told(message: Mapping[str, Any]) -> Iterator[str]:
    """Emoji of which Slack names only some of the people."""
    for reaction in message.get("reactions") or ():
        if len(reaction.get("users") or ()) < (reaction.get("count") or 0):
            yield str(reaction.get("name", "")).split("::")[0]


def _ts(at: datetime) -> str:
    return f"{at.astimezone(UTC).timestamp():.6f}"
