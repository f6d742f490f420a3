"""What was said in an incident after a decision and bears on it: later knowledge, with where it can be read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.review.hindsight import Archive, Said
from storage import messages, people, timeline
from storage.models import Incident, Message


@dataclass(frozen=True, slots=True)
class Later:
    """Something that was known only at this time."""

    at: datetime
    words: str
    permalink: str | None


def known_after(db: Session, incident: Incident, decision: Said, *, until: datetime) -> Sequence[Later]:
    """What bears on a decision and was said after it, until the review began, in order of time."""
    home = people.workspace(db, incident.team_id).url
    archive = Archive([*_messages(db, incident, until), *_typed(db, incident, until)])
    return [Later(one.at, one.text, _link(home, one.key)) for one in archive.later(decision)]


def _messages(db: Session, incident: Incident, until: datetime) -> Iterator[Said]:
    """What people and programs said; neither what we said ourselves nor what Slack writes of the channel."""
    query = select(
        Message.channel_id, Message.ts, Message.thread_ts, Message.posted_at, Message.user_id, Message.plain
    ).where(
        messages.inside(incident.id),
        Message.deleted_at.is_(None),
        Message.plain != "",
        Message.posted_at < until,
        or_(Message.subtype.is_(None), Message.subtype.not_in(messages.OF_THE_CHANNEL)),
        ~messages.by_us(),
    )
    for channel, ts, thread, at, user, words in db.execute(query):
        yield Said((channel, ts, thread or ""), at, user, words)


def _typed(db: Session, incident: Incident, until: datetime) -> Iterator[Said]:
    """Events that are no message: what somebody or a program put on the timeline."""
    for told in timeline.told(db, incident.id):
        if told.message is None and told.words and told.occurred_at < until:
            yield Said(None, told.occurred_at, told.event.by, told.words)


def _link(home: str, key: object) -> str | None:
    match key:
        case (str() as channel, str() as ts, str() as thread) if home:
            return messages.permalink(home, channel, ts, thread or None)
        case _:
            return None
