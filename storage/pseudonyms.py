"""The door for people who asked to be forgotten: what Slack says of them later names their pseudonym.

Nobody's id is kept for that, only its keyed mark. A process remembers the marks, so that the door costs nothing where
nobody asked; the clock has them read anew, because the command that forgets somebody is another process.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.review.heard import ChannelFact, Content, Fact, MembershipFact, MessageFact, PersonFact, ReactionFact
from bot.review.pseudonym import Replacement, moved, name_of, new
from storage.models import ErasedPerson, Workspace

PLACE = "pseudonyms"
"""Where a session of a Storage carries what its process knows."""

Heard = TypeVar("Heard", bound=Fact)


@dataclass(frozen=True)
class Forgotten:
    """The forgotten people of a workspace, by the mark of their id."""

    key: str = ""
    by_mark: Mapping[str, str] = field(default_factory=dict[str, str])

    def pseudonym_of(self, user: str) -> str | None:
        """None for everybody else."""
        return self.by_mark.get(mark_of(self.key, user)) if self.by_mark else None

    def instead_of(self, user: str) -> str:
        return self.pseudonym_of(user) or user

    def maybe(self, user: str | None) -> str | None:
        return self.instead_of(user) if user else user


@dataclass
class Register:
    """What one process knows of the forgotten people of its workspaces."""

    _known: dict[str, Forgotten] = field(default_factory=dict[str, Forgotten])

    def of(self, db: Session, team: str) -> Forgotten:
        if team not in self._known:
            self._known[team] = read(db, team)
        return self._known[team]

    def forget(self) -> None:
        """Read anew when next asked."""
        self._known = {}

    def refresh(self, db: Session, team: str) -> None:
        self._known[team] = read(db, team)


def mark_of(key: str, user: str) -> str:
    return hmac.new(key.encode(), f"person:{user}".encode(), hashlib.sha256).hexdigest()


def read(db: Session, team: str) -> Forgotten:
    """The forgotten people of a workspace as the database has them."""
    mine = and_(ErasedPerson.team_id == Workspace.team_id)
    query = select(Workspace.mark_key, ErasedPerson.mark, ErasedPerson.pseudonym).outerjoin(ErasedPerson, mine)
    rows = db.execute(query.where(Workspace.team_id == team)).all()
    by_mark = {mark: pseudonym for _, mark, pseudonym in rows if mark}
    return Forgotten(rows[0][0] if rows else "", by_mark)


def of(db: Session, team: str) -> Forgotten:
    """Who is forgotten in a workspace, from memory where the process has one."""
    register: Register | None = db.info.get(PLACE)
    return register.of(db, team) if register else read(db, team)


def give(db: Session, team: str, user: str, *, now: datetime) -> str:
    """The pseudonym of a person from now on; the one they have, if they have one."""
    known = read(db, team)
    if pseudonym := known.pseudonym_of(user):
        return pseudonym
    taken = set(known.by_mark.values())
    pseudonym = next(name for name in iter(new, None) if name not in taken)
    db.add(ErasedPerson(team_id=team, mark=mark_of(known.key, user), pseudonym=pseudonym, at=now))
    db.flush()
    return pseudonym


# Facts at the door --------------------------------------------------------------------------


def let_in(db: Session, team: str, facts: Sequence[Heard]) -> Sequence[Heard]:
    """These facts, naming nobody who is forgotten."""
    forgotten = of(db, team)
    return [_without(forgotten, fact) for fact in facts] if forgotten.by_mark else facts


def users(db: Session, team: str, named: Collection[str]) -> Collection[str]:
    """These users, with pseudonyms for those who are forgotten."""
    forgotten = of(db, team)
    return {forgotten.instead_of(user) for user in named} if forgotten.by_mark else named


def _without(forgotten: Forgotten, fact: Any) -> Any:
    match fact:
        case MessageFact():
            content = _wording(Replacement(forgotten.pseudonym_of), fact.content) if fact.content else None
            return replace(fact, user=forgotten.maybe(fact.user), content=content)
        case ReactionFact() | MembershipFact():
            return replace(fact, user=forgotten.instead_of(fact.user))
        case ChannelFact():
            return replace(fact, creator=forgotten.maybe(fact.creator))
        case PersonFact():
            return _profile(forgotten, fact)
        case _:
            return fact


def _wording(replacement: Replacement, said: Content) -> Content:
    text, edits = replacement.with_edits(said.text)
    return replace(
        said,
        text=text,
        blocks=replacement.in_json(said.blocks),
        attachments=replacement.in_json(said.attachments),
        redactions=tuple(moved(said.redactions, edits)),
    )


def _profile(forgotten: Forgotten, fact: PersonFact) -> PersonFact:
    """Nothing of a profile is kept, and nobody is written to any more."""
    pseudonym = forgotten.pseudonym_of(fact.user_id)
    if pseudonym is None:
        return fact
    return replace(fact, user_id=pseudonym, name=name_of(pseudonym), zone="", email=None, deleted=True)
