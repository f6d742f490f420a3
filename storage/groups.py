"""User groups of Slack, which stand for teams: who is in which, as it was last read."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.review.incident import UserId
from bot.review.policy import Pool
from bot.review.user_group import GroupFact
from storage import pseudonyms
from storage.models import Person, UserGroup
from storage.types import clean

MENTION = re.compile(r"<!subteam\^(?P<id>[A-Za-z0-9_-]{1,80})(?:\|[^>]*)?>")
"""A user group as Slack writes it into a message."""


def keep(db: Session, team: str, facts: Collection[GroupFact], *, now: datetime) -> None:
    """Keep what Slack tells of all groups; one that it does not tell of any more is gone."""
    known = {row.group_id: row for row in _rows(db, team)}
    for fact in facts:
        row = known.pop(fact.group_id, None) or _new(db, team, fact)
        _freshen(db, row, fact, now=now)
    for row in known.values():
        row.gone_since = row.gone_since or now
    db.flush()


def _new(db: Session, team: str, fact: GroupFact) -> UserGroup:
    row = UserGroup(team_id=team, group_id=fact.group_id)
    db.add(row)
    return row


def _freshen(db: Session, row: UserGroup, fact: GroupFact, *, now: datetime) -> None:
    row.handle, row.name = clean(fact.handle), fact.name
    row.members = sorted(pseudonyms.users(db, row.team_id, fact.members))
    row.gone_since = (row.gone_since or now) if fact.is_gone else None


def _rows(db: Session, team: str) -> Sequence[UserGroup]:
    return db.scalars(select(UserGroup).where(UserGroup.team_id == team).order_by(UserGroup.group_id)).all()


def every(db: Session, team: str) -> Sequence[UserGroup]:
    """Every group that there is now."""
    return [row for row in _rows(db, team) if row.gone_since is None]


def find(db: Session, team: str, handle_or_id: str) -> UserGroup | None:
    """The group of this id, handle (with or without @) or name, in that order; None where there is none any more."""
    mention = MENTION.fullmatch(handle_or_id.strip())
    word = clean(mention["id"] if mention else handle_or_id).strip().removeprefix("@")
    if not word:
        return None
    lower = word.lower()
    named = or_(UserGroup.group_id == word, func.lower(UserGroup.handle) == lower, func.lower(UserGroup.name) == lower)
    here = (UserGroup.team_id == team, UserGroup.gone_since.is_(None))
    found = db.scalars(select(UserGroup).where(*here, named).order_by(UserGroup.group_id)).all()
    return min(found, key=lambda row: (row.group_id != word, row.handle.lower() != lower), default=None)


def members(db: Session, team: str, handle_or_id: str) -> Sequence[UserId]:
    """Who is in a group and still in the workspace, by id; nobody where there is no such group.

    `handle_or_id` may be `oncall`, `@oncall`, its id, its name or a mention of it.
    """
    group = find(db, team, handle_or_id)
    return here_of(db, group) if group else []


def called(group: UserGroup) -> str:
    """Its name, or its handle where it has none."""
    return group.name or group.handle


def here_of(db: Session, group: UserGroup) -> Sequence[UserId]:
    """Who is in this group, is a person and still here; of whom nothing is known, nothing speaks against."""
    return _here(db, group.team_id, group.members)


def pool(db: Session, team: str, of: Pool) -> Sequence[UserId]:
    """Who is in a pool of the policy, by its groups and by name, each once, by id."""
    by_group = [user for group in of.groups for user in members(db, team, group)]
    users = [*by_group, *of.people]
    return _here(db, team, users) if users else []


def _here(db: Session, team: str, users: Collection[str]) -> Sequence[UserId]:
    away = or_(Person.bot_since.is_not(None), Person.gone_since.is_not(None))
    unable = set(db.scalars(select(Person.user_id).where(Person.team_id == team, Person.user_id.in_(users), away)))
    return [UserId(user) for user in sorted(set(users) - unable)]
