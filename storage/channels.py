"""Channels, who is in them from when to when, and what their moves mean for the incidents spoken of there."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.review.heard import ChannelFact, MembershipFact, PersonFact
from bot.review.incident import ChannelFacts
from storage import incidents, people
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
    Source,
    TimelineEvent,
    Workspace,
)
from storage.rows import insert_new

# Channels ------------------------------------------------------------------------------


def keep_channel(db: Session, team: str, fact: ChannelFact) -> None:
    """Keep what is new of a channel; once private, it and its incidents are private."""
    if fact.moved_to:
        _move(db, team, fact.channel, to=fact.moved_to)
        return
    row = _channel(db, team, fact.channel)
    row.name, row.creator = fact.name or row.name, fact.creator or row.creator
    row.created_at = fact.created_at or row.created_at
    if fact.how == "archived":
        row.archived_at = row.archived_at or fact.at
    elif fact.how == "unarchived":
        row.archived_at = None
    elif fact.how == "made_private":
        make_private(db, team, fact.channel, at=fact.at)
    else:
        row.derived_at = None
    db.flush()


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
    row.name, row.bot_joined_at = channel.name or row.name, row.bot_joined_at or now
    row.creator, row.created_at = channel.creator or row.creator, channel.created_at or row.created_at
    if channel.private:
        make_private(db, team, channel.channel, at=now)
    _know_inside(db, team, channel.channel, channel.members)
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
    """A channel became private, and with it every incident spoken of in it; nothing takes that back by itself."""
    row = _channel(db, team, channel)
    row.private_since = row.private_since or at
    spoken_here = select(Source.incident_id).where(Source.team_id == team, Source.channel_id == channel)
    db.execute(
        update(Incident)
        .where(Incident.id.in_(spoken_here), Incident.private_since.is_(None))
        .values(private_since=row.private_since)
    )
    db.flush()


def _move(db: Session, team: str, channel: str, *, to: str) -> None:
    """Slack gave a channel another id: whatever knew the old one knows the new one."""
    old = db.get(Channel, (team, channel))
    if old is not None and db.get(Channel, (team, to)) is None:
        old.channel_id = to
        db.flush()
    for table in (Source, Membership, Message, Reaction, TimelineEvent, Action, Meeting, OutboxNote):
        _rename(db, table, team, channel, to=to)


def _rename(db: Session, table: type[Base], team: str, channel: str, *, to: str) -> None:
    columns = table.__table__.c
    db.execute(
        update(table).where(columns.team_id == team, columns.channel_id == channel).values(channel_id=to),
        execution_options={"synchronize_session": False},
    )


# Who is in them ------------------------------------------------------------------------


def keep_membership(db: Session, team: str, fact: MembershipFact) -> None:
    """Keep that somebody came or left; Slack may tell it late, twice, or the leaving first."""
    if fact.how == "joined":
        _joined(db, team, fact)
    else:
        _left(db, team, fact)


def _joined(db: Session, team: str, fact: MembershipFact) -> None:
    spans = _spans(db, team, fact.channel, fact.user)
    if fact.user == db.scalar(select(Workspace.bot_user).where(Workspace.team_id == team)):
        row = _channel(db, team, fact.channel)
        row.bot_joined_at, row.derived_at = max(row.bot_joined_at or fact.at, fact.at), None
    if any(span.left_at is None or span.joined_at == fact.at for span in spans):
        return
    # That they left may have been heard first, without a beginning: give it this one.
    ended = next((span for span in spans if span.joined_at is None and span.left_at and span.left_at >= fact.at), None)
    if ended:
        ended.joined_at = fact.at
    else:
        db.add(Membership(team_id=team, channel_id=fact.channel, user_id=fact.user, joined_at=fact.at))
    db.flush()


def _left(db: Session, team: str, fact: MembershipFact) -> None:
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


def open_sources(db: Session, team: str, channels: Collection[str]) -> list[Source]:
    """The sources in these channels that are listened to now."""
    return list(
        db.scalars(
            select(Source).where(Source.team_id == team, Source.channel_id.in_(channels), Source.until_at.is_(None))
        )
    )


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
