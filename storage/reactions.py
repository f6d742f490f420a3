"""Emoji: facts about them merge here without regard to the order they come in; the newest word on each holds.

An emoji may be known before its message is, and waits until its consequences are drawn.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.review.heard import ReactionFact, in_order, moment_of
from storage import pseudonyms
from storage.models import Message, Reaction
from storage.rows import any_key, delete_any, in_parts, insert_new_of

Key = tuple[str, str]


def keep(db: Session, team: str, *facts: ReactionFact) -> None:
    """Keep what was said of emoji; the newest word on each holds, and waits for its consequences to be drawn."""
    newest: dict[Any, ReactionFact] = {}
    for fact in pseudonyms.let_in(db, team, facts):
        newest[fact.key] = max(newest.get(fact.key, fact), fact, key=lambda said: said.rank)
    for part in in_parts(sorted(newest)):
        _keep(db, team, {key: newest[key] for key in part})


def _keep(db: Session, team: str, facts: Mapping[Any, ReactionFact]) -> None:
    rows = [_new(team, fact) for fact in facts.values()]
    here = insert_new_of(db, Reaction, rows, "channel_id", "ts", "user_id", "name")
    if rest := {key: fact for key, fact in facts.items() if key not in here}:
        _merge(db, team, rest)


def _merge(db: Session, team: str, facts: Mapping[Any, ReactionFact]) -> None:
    known = _known(db, team, list(facts.values()))
    for key, row in known.items():
        if facts[key].rank > (in_order(row.changed_ts), row.removed_at is not None):
            row.changed_ts, row.removed_at, row.derived_at = facts[key].changed_ts, _removed_at(facts[key]), None
    db.flush()


def _known(db: Session, team: str, facts: Sequence[ReactionFact]) -> dict[Any, Reaction]:
    keys = [(fact.channel, fact.ts) for fact in facts]
    query = select(Reaction).where(Reaction.team_id == team, any_key(Reaction, keys)).order_by(Reaction.id)
    rows = db.scalars(query.with_for_update().execution_options(populate_existing=True))
    wanted = {fact.key for fact in facts}
    by_key = {(row.channel_id, row.ts, row.user_id, row.name): row for row in rows}
    return {key: row for key, row in by_key.items() if key in wanted}


def _new(team: str, fact: ReactionFact) -> dict[str, Any]:
    return {
        "team_id": team,
        "channel_id": fact.channel,
        "ts": fact.ts,
        "user_id": fact.user,
        "name": fact.name,
        "changed_ts": fact.changed_ts,
        "removed_at": _removed_at(fact),
    }


def _removed_at(fact: ReactionFact) -> datetime | None:
    return None if fact.held else moment_of(fact.changed_ts)


def of(db: Session, messages: Sequence[Message]) -> dict[int, dict[str, list[str]]]:
    """Who holds which emoji now, by message id; names and people in alphabetical order."""
    ids = {(message.channel_id, message.ts): message.id for message in messages}
    found: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)
    query = select(Reaction).where(Reaction.removed_at.is_(None)).order_by(Reaction.name, Reaction.user_id)
    team = messages[0].team_id if messages else ""
    for part in in_parts(list(ids)):
        for row in db.scalars(query.where(Reaction.team_id == team, any_key(Reaction, part))):
            found[ids[row.channel_id, row.ts]].setdefault(row.name, []).append(row.user_id)
    return dict(found)


def on(db: Session, team: str, channel: str, ts: str) -> Sequence[Reaction]:
    """Every word kept about emoji on one message, those taken away too, in the order given."""
    query = select(Reaction).where(Reaction.team_id == team, Reaction.channel_id == channel, Reaction.ts == ts)
    return sorted(db.scalars(query), key=lambda row: (in_order(row.changed_ts), row.id))


def underived(db: Session, team: str, at_most: int = 200) -> list[Key]:
    """Messages with emoji whose consequences are not drawn yet, oldest first.

    Of too many the newest: one that fails again and again, and a flood, keep nobody's emoji waiting.
    """
    newest = func.max(Reaction.id)
    query = (
        select(Reaction.channel_id, Reaction.ts)
        .where(Reaction.team_id == team, Reaction.derived_at.is_(None), _its_message())
        .group_by(Reaction.channel_id, Reaction.ts)
        .order_by(newest.desc())
        .limit(at_most)
    )
    return [(channel, ts) for channel, ts in db.execute(query)][::-1]


def forget_strays(db: Session, team: str, *, before: datetime) -> None:
    """Forget emoji that were given before this moment on messages that never came; history tells of both together."""
    delete_any(
        db,
        Reaction,
        Reaction.team_id == team,
        Reaction.derived_at.is_(None),
        Reaction.changed_ts < f"{before.timestamp():.6f}",
        ~_its_message(),
    )


def _its_message() -> ColumnElement[bool]:
    here = (Message.team_id == Reaction.team_id, Message.channel_id == Reaction.channel_id, Message.ts == Reaction.ts)
    return select(Message.id).where(*here).exists()
