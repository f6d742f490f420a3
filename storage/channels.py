"""Channels, who is in them from when to when, and what their moves mean for the incidents spoken of there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot.review.heard import ChannelFact, MembershipFact, MessageFact, PersonFact
from bot.review.incident import ChannelFacts
from storage import closed, incidents, messages, people, pseudonyms, witness
from storage.models import (
    Action,
    Base,
    Change,
    Channel,
    Incident,
    Meeting,
    Membership,
    Message,
    OutboxNote,
    Person,
    Reaction,
    Review,
    Source,
    TimelineEvent,
    Workspace,
)
from storage.remembered import remembered
from storage.rows import insert_new

# Channels ------------------------------------------------------------------------------


def keep_channel(db: Session, team: str, fact: ChannelFact) -> None:
    """Keep what is new of a channel; once private, it and its incidents are private."""
    (fact,) = pseudonyms.let_in(db, team, [fact])
    if fact.moved_to:
        _move(db, team, fact.channel, to=fact.moved_to, at=fact.at)
        return
    row = _channel(db, team, fact.channel)
    row.creator, row.created_at = fact.creator or row.creator, fact.created_at or row.created_at
    if fact.name:
        _name(db, row, fact.name, at=fact.at)
    match fact.how:
        case "archived":
            row.archived_at = row.archived_at or fact.at
        case "unarchived":
            row.archived_at = None
            _open_again(db, row, at=fact.at)
        case "made_private":
            make_private(db, team, fact.channel, at=fact.at)
        case "left":
            _we_left(db, row, at=fact.at)
        case _:
            row.derived_at = None
    db.flush()


NAMED = "channel_name"
"""The line of history of a channel that was renamed: what it was called before stays findable."""


def _name(db: Session, row: Channel, name: str, *, at: datetime) -> None:
    """A channel's name is a label and nothing more: it is shown, and nothing is known by it."""
    row.name = name
    spoken_here = (Source.team_id == row.team_id, Source.channel_id == row.channel_id, Source.channel_name != name)
    renamed: dict[int, str | None] = {}
    for source in db.scalars(select(Source).where(*spoken_here).order_by(Source.id)):
        renamed.setdefault(source.incident_id, source.channel_name or None)
        source.channel_name = name
    for incident, before in renamed.items():
        of = incidents.get(db, incident)
        incidents.record_change(db, of, "incident", incident, what=NAMED, before=before, after=name, by=None, now=at)
    db.flush()


def once_called(db: Session, team: str, name: str) -> Sequence[int]:
    """The incidents of channels that had this name before, newest first."""
    called = select(Change.incident_id).where(Change.team_id == team, Change.what == NAMED, Change.before == name)
    return db.scalars(called.order_by(Change.incident_id.desc()).distinct()).all()


def _we_left(db: Session, row: Channel, *, at: datetime) -> None:
    """We are out, unless we have come back since."""
    if row.bot_joined_at is None or row.bot_joined_at <= at:
        row.bot_left_at = max(row.bot_left_at or at, at)
        db.flush()


def _we_joined(db: Session, row: Channel, *, at: datetime) -> None:
    row.bot_joined_at, row.derived_at = max(row.bot_joined_at or at, at), None
    if row.bot_left_at and row.bot_left_at <= at:
        row.bot_left_at = None
        _open_again(db, row, at=at)
    db.flush()


def _open_again(db: Session, row: Channel, *, at: datetime) -> None:
    if not (row.archived_at or row.bot_left_at):
        closed.open_again(db, row.team_id, row.channel_id, at=at)


def learn(db: Session, team: str, facts: ChannelFacts, *, now: datetime) -> Channel:
    """Keep what Slack answers of a channel; of what it says nothing about, nothing is changed.

    Whoever is not among its members has left, where they are told.
    """
    row = _channel(db, team, facts.channel)
    if facts.name:
        _name(db, row, facts.name, at=now)
    was_closed = row.archived_at or row.bot_left_at
    row.archived_at = (row.archived_at or now) if facts.archived else None
    if facts.private:
        make_private(db, team, facts.channel, at=now)
    if facts.bot_is_member:
        row.bot_joined_at, row.bot_left_at = (now if row.bot_left_at else row.bot_joined_at), None
    else:
        _we_left(db, row, at=now)
    if was_closed:
        _open_again(db, row, at=now)
    if facts.members:
        know_members(db, team, facts.channel, _as_of_now(db, team, facts, now=now), now=now)
    db.flush()
    return row


JUST_NOW = timedelta(minutes=1)
"""Whoever came or left so lately may not be in the answer yet: there the event is believed."""


def _as_of_now(db: Session, team: str, facts: ChannelFacts, *, now: datetime) -> set[str]:
    here = and_(Membership.team_id == team, Membership.channel_id == facts.channel)
    came = select(Membership.user_id).where(here, Membership.joined_at >= now - JUST_NOW, Membership.left_at.is_(None))
    left = select(Membership.user_id).where(here, Membership.left_at >= now - JUST_NOW)
    return ({*facts.members} - {*db.scalars(left)}) | {*db.scalars(came)}


def closed_to_us(db: Session, incident: int) -> Sequence[Channel]:
    """The channels that an incident is listened to in, and that are archived or that we are not in any more."""
    here = and_(Channel.team_id == Source.team_id, Channel.channel_id == Source.channel_id)
    closed = or_(Channel.archived_at.is_not(None), Channel.bot_left_at.is_not(None))
    listened = and_(Source.incident_id == incident, Source.until_at.is_(None))
    return db.scalars(select(Channel).join(Source, here).where(listened, closed).distinct()).all()


def _channel(db: Session, team: str, channel: str) -> Channel:
    """The channel's row, made where there is none; two replicas making it at once make one."""
    db.execute(insert_new(db, Channel).values(team_id=team, channel_id=channel, name=""))
    return db.get_one(Channel, (team, channel))


def hold(db: Session, team: str, channel: str) -> Channel:
    """The channel's row, held until the turn ends: of two who open an incident in it at once, one waits and then looks.

    SQLite has one writer at a time, which is the same.
    """
    _channel(db, team, channel)
    return db.get_one(Channel, (team, channel), with_for_update=True, populate_existing=True)


def enter(db: Session, team: str, channel: ChannelFacts, *, now: datetime) -> Channel:
    """Remember a channel and who is in it; when they joined is not known.

    Nobody is said to have left: where Slack does not list the members, they are only who just spoke.
    """
    row = _channel(db, team, channel.channel)
    if channel.name:
        _name(db, row, channel.name, at=now)
    row.bot_joined_at, row.bot_left_at = row.bot_joined_at or now, None
    row.creator = pseudonyms.of(db, team).maybe(channel.creator) or row.creator
    row.created_at = channel.created_at or row.created_at
    if channel.private:
        make_private(db, team, channel.channel, at=now)
    _know_inside(db, team, channel.channel, pseudonyms.users(db, team, channel.members))
    return row


YOUNG = timedelta(days=7)
"""How long a channel may wait to be asked whether it opens an incident by itself; later it is too old for that."""


def underived(db: Session, team: str, *, now: datetime) -> Sequence[str]:
    """Young channels that nobody has yet asked whether they open an incident by themselves: a crash came between."""
    recent = or_(Channel.created_at >= now - YOUNG, Channel.bot_joined_at >= now - YOUNG)
    waiting = (Channel.derived_at.is_(None), Channel.archived_at.is_(None), recent)
    return db.scalars(
        select(Channel.channel_id).where(Channel.team_id == team, *waiting).order_by(Channel.channel_id)
    ).all()


def mark_derived(db: Session, team: str, channel: str, *, now: datetime) -> None:
    """Remember that a channel was asked whether it opens an incident by itself, whatever the answer."""
    _channel(db, team, channel).derived_at = now
    db.flush()


def make_private(db: Session, team: str, channel: str, *, at: datetime) -> None:
    """A channel became private, and with it every incident spoken of in it; only `make_public` takes that back."""
    row = _channel(db, team, channel)
    row.private_since = row.private_since or at
    spoken_here = select(Source.incident_id).where(Source.team_id == team, Source.channel_id == channel)
    db.execute(
        update(Incident)
        .where(Incident.id.in_(spoken_here), Incident.private_since.is_(None))
        .values(private_since=row.private_since)
    )
    db.flush()


def make_public(db: Session, team: str, channel: str) -> Sequence[int]:
    """Somebody inside said that a channel, which Slack calls public, is so here too; the incidents public by that.

    Those are not that are spoken of in another private channel.
    """
    _channel(db, team, channel).private_since = None
    db.flush()
    spoken_here = select(Source.incident_id).where(Source.team_id == team, Source.channel_id == channel)
    elsewhere = (
        select(Source.incident_id)
        .outerjoin(Channel, and_(Channel.team_id == Source.team_id, Channel.channel_id == Source.channel_id))
        .where(Source.team_id == team, or_(Channel.channel_id.is_(None), Channel.private_since.is_not(None)))
    )
    opened = and_(Incident.id.in_(spoken_here), Incident.id.not_in(elsewhere), Incident.private_since.is_not(None))
    return db.scalars(update(Incident).where(opened).values(private_since=None).returning(Incident.id)).all()


AS_ROWS = {"synchronize_session": False}
PLACED: tuple[tuple[type[Base], str], ...] = (
    (Source, "channel_id"),
    (Membership, "channel_id"),
    (Message, "channel_id"),
    (Reaction, "channel_id"),
    (TimelineEvent, "channel_id"),
    (Action, "channel_id"),
    (Meeting, "channel_id"),
    (Review, "published_to"),
    (OutboxNote, "channel_id"),
    (OutboxNote, "posted_channel"),
)
"""Where a channel is named by its id, besides its own row."""


def _move(db: Session, team: str, channel: str, *, to: str, at: datetime) -> None:
    """Slack gave a channel another id: whatever knew the old one knows the new one.

    Where an incident was opened under the new id before we heard of it, the old one's source ends, and what both
    know stays under the new id.
    """
    _move_row(db, team, channel, to=to)
    _end_doubled_sources(db, team, channel, to=to, at=at)
    _forget_doubled_emoji(db, team, channel, to=to)
    for table, column in PLACED:
        _rename(db, table, column, team, channel, to=to)
    named = and_(OutboxNote.team_id == team, OutboxNote.key.like(f"%:{channel}"))
    key = func.replace(OutboxNote.key, channel, to, type_=String())
    db.execute(update(OutboxNote).where(named).values(key=key), execution_options=AS_ROWS)
    db.expire_all()
    _merge_doubled_messages(db, team, channel, to=to, at=at)
    witness.again(db, team, to)


def _move_row(db: Session, team: str, channel: str, *, to: str) -> None:
    """The channel's own row; where there are two already, the new one stays, and is private if either is."""
    old, new = db.get(Channel, (team, channel)), db.get(Channel, (team, to))
    if old is None:
        return
    if new is None:
        old.channel_id = to
    db.flush()
    if old.private_since:
        make_private(db, team, to, at=old.private_since)


def _end_doubled_sources(db: Session, team: str, channel: str, *, to: str, at: datetime) -> None:
    taken = {source.thread_ts for source in _open_in(db, team, to)}
    for source in _open_in(db, team, channel):
        if source.thread_ts in taken:
            source.until_at = at
    db.flush()


def _open_in(db: Session, team: str, channel: str) -> Sequence[Source]:
    here = (Source.team_id == team, Source.channel_id == channel, Source.until_at.is_(None))
    return db.scalars(select(Source).where(*here)).all()


def _forget_doubled_emoji(db: Session, team: str, channel: str, *, to: str) -> None:
    other = aliased(Reaction)
    same = (other.ts == Reaction.ts, other.user_id == Reaction.user_id, other.name == Reaction.name)
    known = select(other.id).where(other.team_id == team, other.channel_id == to, *same).exists()
    doubled = delete(Reaction).where(Reaction.team_id == team, Reaction.channel_id == channel, known)
    db.execute(doubled, execution_options=AS_ROWS)


def _merge_doubled_messages(db: Session, team: str, channel: str, *, to: str, at: datetime) -> None:
    """What stayed behind is known under the new id as well: its words are merged there and leave the old row."""
    left = db.scalars(select(Message).where(Message.team_id == team, Message.channel_id == channel)).all()
    messages.keep(db, team, *(_as_fact(row, to) for row in left))
    gone = (MessageFact(channel=channel, ts=row.ts, how="deleted", deleted_at=at) for row in left)
    messages.keep(db, team, *gone)


def _as_fact(row: Message, channel: str) -> MessageFact:
    said = messages.content_of(row)
    return MessageFact(
        channel=channel,
        ts=row.ts,
        how="deleted" if row.deleted_at else "posted",
        thread_ts=row.thread_ts,
        user=row.user_id,
        bot_id=row.bot_id,
        bot_name=row.bot_name,
        subtype=row.subtype,
        content=None if row.deleted_at else said,
        deleted_at=row.deleted_at,
        hidden=frozenset(row.hidden.split(", ") if row.hidden else ()),
    )


def _rename(db: Session, table: type[Base], column: str, team: str, channel: str, *, to: str) -> None:
    columns = table.__table__.c
    mine = [columns.team_id == team, columns[column] == channel]
    if table is Message:
        other = aliased(Message)
        mine.append(
            ~select(other.id).where(other.team_id == team, other.channel_id == to, other.ts == columns.ts).exists()
        )
    db.execute(update(table).where(*mine).values({column: to}), execution_options=AS_ROWS)


# Who is in them ------------------------------------------------------------------------


def keep_membership(db: Session, team: str, fact: MembershipFact) -> None:
    """Keep that somebody came or left; Slack may tell it late, twice, or the leaving first."""
    (fact,) = pseudonyms.let_in(db, team, [fact])
    if fact.how == "joined":
        _joined(db, team, fact)
    else:
        _left(db, team, fact)


def _joined(db: Session, team: str, fact: MembershipFact) -> None:
    spans = _spans(db, team, fact.channel, fact.user)
    if _is_us(db, team, fact.user):
        _we_joined(db, _channel(db, team, fact.channel), at=fact.at)
    if any(span.left_at is None or span.joined_at == fact.at for span in spans):
        return
    # That they left may have been heard first, without a beginning: give it this one.
    ended = next((span for span in spans if span.joined_at is None and span.left_at and span.left_at >= fact.at), None)
    if ended:
        ended.joined_at = fact.at
    else:
        db.add(Membership(team_id=team, channel_id=fact.channel, user_id=fact.user, joined_at=fact.at))
    db.flush()


def _is_us(db: Session, team: str, user: str) -> bool:
    return user == db.scalar(select(Workspace.bot_user).where(Workspace.team_id == team))


def _left(db: Session, team: str, fact: MembershipFact) -> None:
    if _is_us(db, team, fact.user):
        _we_left(db, _channel(db, team, fact.channel), at=fact.at)
    spans = _spans(db, team, fact.channel, fact.user)
    if any(span.left_at == fact.at for span in spans):
        return
    inside = next((s for s in spans if s.left_at is None and (s.joined_at is None or s.joined_at <= fact.at)), None)
    if inside:
        inside.left_at = fact.at
    else:
        db.add(Membership(team_id=team, channel_id=fact.channel, user_id=fact.user, left_at=fact.at))
    db.flush()


def _spans(db: Session, team: str, channel: str, user: str) -> list[Membership]:
    query = select(Membership).where(
        Membership.team_id == team, Membership.channel_id == channel, Membership.user_id == user
    )
    return list(db.scalars(query.order_by(Membership.id)))


def know_members(db: Session, team: str, channel: str, members: Collection[str], *, now: datetime) -> None:
    """Keep who is in a channel at this moment, all of them; whoever else was in it has left."""
    members = pseudonyms.users(db, team, members)
    inside = _know_inside(db, team, channel, members)
    gone = update(Membership).where(
        Membership.team_id == team,
        Membership.channel_id == channel,
        Membership.left_at.is_(None),
        Membership.user_id.in_(inside - set(members)),
    )
    db.execute(gone.values(left_at=now))
    db.flush()


def _know_inside(db: Session, team: str, channel: str, members: Collection[str]) -> set[str]:
    """Add those who were not seen coming, and give who was known to be inside before."""
    inside = set(people.members(db, team, channel))
    for user in sorted(set(members) - inside):
        db.add(Membership(team_id=team, channel_id=channel, user_id=user))
    db.flush()
    return inside


def keep_person(db: Session, team: str, fact: PersonFact, *, now: datetime) -> None:
    """Keep what a profile says; since when somebody is a program, gone or a guest is when it was first heard."""
    (fact,) = pseudonyms.let_in(db, team, [fact])
    row = db.get(Person, (team, fact.user_id))
    bot_since, gone_since, guest_since = (row.bot_since, row.gone_since, row.guest_since) if row else (None,) * 3
    people.know(
        db,
        team,
        fact.user_id,
        name=fact.name,
        zone=fact.zone or people.UNKNOWN_ZONE,
        email=fact.email,
        bot=(bot_since or now) if fact.is_bot else None,
        gone=(gone_since or now) if fact.deleted else None,
        guest=(guest_since or now) if fact.is_guest_of(team) else None,
        now=now,
    )


# What is listened to -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listened:
    """A place that is listened to: a channel, or one of its threads, for what was said from a moment on."""

    channel: str
    thread_ts: str
    from_at: datetime


def open_sources(db: Session, team: str) -> Sequence[Listened]:
    """All places that are listened to now."""
    return remembered(db, Source, ("open", team), lambda: _open_sources(db, team))


def _open_sources(db: Session, team: str) -> Sequence[Listened]:
    query = select(Source.channel_id, Source.thread_ts, Source.from_at)
    rows = db.execute(query.where(Source.team_id == team, Source.until_at.is_(None)))
    return [Listened(channel, thread_ts, from_at) for channel, thread_ts, from_at in rows]


def source(db: Session, source_id: int) -> Source:
    """A source by its row id."""
    return db.get_one(Source, source_id)


# What came from an export --------------------------------------------------------------------

IMPORTED = "imported"


def imported(db: Session, team: str, channel: str) -> Incident | None:
    """The incident that a channel of an export became."""
    marked = select(Change.incident_id).where(Change.team_id == team, Change.what == IMPORTED, Change.after == channel)
    return db.scalar(select(Incident).where(Incident.id.in_(marked)).order_by(Incident.id).limit(1))


def mark_imported(db: Session, incident: Incident, channel: str, name: str, *, at: datetime, now: datetime) -> None:
    """Give an incident its place in a channel of an export, closed from the start, and remember that it came so."""
    place = Source(
        team_id=incident.team_id,
        incident_id=incident.id,
        channel_id=channel,
        channel_name=name,
        from_at=at,
        until_at=at,
        fetched_at=now,
    )
    db.add(place)
    incidents.record_change(
        db, incident, "incident", incident.id, what=IMPORTED, before=None, after=channel, by=None, now=now
    )
    db.flush()
