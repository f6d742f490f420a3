"""The workspace, the people in it, and who is in which channel when."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Channel, Membership, Person, Workspace

UNKNOWN_ZONE = "UTC"
SLACKBOT = "USLACKBOT"
"""Slack says of it that it is no bot."""


def workspace(db: Session, team: str) -> Workspace:
    """The workspace this process serves; it is made at start."""
    return db.get_one(Workspace, team)


def workspaces(db: Session) -> Sequence[Workspace]:
    """Every workspace this database knows; one, unless it was moved together from several."""
    return db.scalars(select(Workspace).order_by(Workspace.team_id)).all()


def know_workspace(db: Session, team: str, *, name: str, url: str, bot_user: str, bot_id: str, mark_key: str) -> None:
    """Make or freshen the workspace; its key, once made, stays."""
    row = db.get(Workspace, team)
    if row is None:
        row = Workspace(team_id=team, mark_key=mark_key)
        db.add(row)
    row.name, row.url, row.bot_user, row.bot_id = name, url, bot_user, bot_id
    db.flush()


def find(db: Session, team: str, user: str) -> Person | None:
    return db.get(Person, (team, user))


def know(
    db: Session,
    team: str,
    user: str,
    *,
    name: str,
    zone: str,
    email: str | None,
    bot: datetime | None,
    gone: datetime | None,
    guest: datetime | None = None,
    now: datetime,
) -> None:
    """Make or freshen what is known of a person; an unknown zone counts as UTC."""
    row = db.get(Person, (team, user))
    if row is None:
        row = Person(team_id=team, user_id=user)
        db.add(row)
    row.name, row.zone, row.email, row.read_at = name, _known_zone(zone), email, now
    row.bot_since, row.gone_since, row.guest_since = bot, gone, guest
    db.flush()


def _known_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UNKNOWN_ZONE
    return zone


def zone(db: Session, team: str, user: str | None) -> str:
    """The name of a person's time zone, UTC where it is unknown."""
    row = db.get(Person, (team, user)) if user else None
    return row.zone if row else UNKNOWN_ZONE


def zones(db: Session, team: str, users: Collection[str]) -> dict[str, str]:
    """The names of their time zones by user id, of those known."""
    rows = db.execute(select(Person.user_id, Person.zone).where(Person.team_id == team, Person.user_id.in_(users)))
    return dict(rows.all())


def names(db: Session, team: str, users: Collection[str]) -> dict[str, str]:
    """Names by user id, of those known."""
    return {user: person.name for user, person in known(db, team, users).items() if person.name}


def known(db: Session, team: str, users: Collection[str]) -> dict[str, Person]:
    """Those of these people of whom Slack has told, by user id."""
    rows = db.scalars(select(Person).where(Person.team_id == team, Person.user_id.in_(users)))
    return {row.user_id: row for row in rows}


def is_one_of_us(db: Session, team: str, user: str) -> bool:
    """A person of this workspace: neither a program nor gone; of whom nothing is known, nothing speaks against."""
    if user in programs(db, team):
        return False
    return is_person(find(db, team, user))


def programs(db: Session, team: str) -> set[str]:
    """Slack's own and this one, of which Slack may say that they are people."""
    return {SLACKBOT, workspace(db, team).bot_user}


def is_person(known: Person | None) -> bool:
    """Neither a program nor gone, by what is known of them."""
    return known is None or not (known.bot_since or known.gone_since)


def of_us_among(db: Session, team: str, users: Collection[str]) -> set[str]:
    """Those of these users that are people of this workspace, as above."""
    found, others = known(db, team, users), programs(db, team)
    return {user for user in users if user not in others and is_person(found.get(user))}


def is_here(db: Session, team: str, user: str, *, members: Collection[str]) -> bool:
    """One of us who is known, or, while nothing is known of them, at least in the channel."""
    return is_one_of_us(db, team, user) and (user in members or find(db, team, user) is not None)


def bots(db: Session, team: str) -> set[str]:
    """The users that are programs."""
    return set(db.scalars(select(Person.user_id).where(Person.team_id == team, Person.bot_since.is_not(None))))


def channel(db: Session, team: str, channel_id: str) -> Channel | None:
    return db.get(Channel, (team, channel_id))


def channels(db: Session, team: str, channel_ids: Collection[str]) -> Sequence[Channel]:
    """Those of these channels that are known."""
    return db.scalars(select(Channel).where(Channel.team_id == team, Channel.channel_id.in_(channel_ids))).all()


def members(db: Session, team: str, channel_id: str) -> Sequence[str]:
    """Who is in a channel now."""
    return members_in(db, team, [channel_id]).get(channel_id, [])


def members_in(db: Session, team: str, channels: Collection[str]) -> dict[str, list[str]]:
    """Who is in each of these channels now, where anybody is."""
    rows = db.execute(
        select(Membership.channel_id, Membership.user_id)
        .where(Membership.team_id == team, Membership.channel_id.in_(channels), Membership.left_at.is_(None))
        .order_by(Membership.user_id)
        .distinct()
    )
    found: dict[str, list[str]] = {}
    for channel, user in rows:
        found.setdefault(channel, []).append(user)
    return found
