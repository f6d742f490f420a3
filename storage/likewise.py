"""Earlier incidents like one, for those who prepare its review or read of it: never while it still burns.

Everybody in the channel reads it, so only incidents are named that each of them may see.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.review.likeness import alike
from bot.review.written import Earlier
from storage import incidents, timeline
from storage.incidents import visible_to
from storage.models import Finding, Incident, Meeting, Membership, Message, Person, Review, TimelineEvent, Workspace

FEWEST = 10
"""Reviews that were held before: among fewer, what is most alike is hardly alike."""
MOST = 3
NEWEST = 200
"""So many earlier reviews are compared."""
MOST_CHARACTERS = 4_000
"""Of each of them."""
AT_LEAST = 0.3
"""Of 1; two accounts of an incident share fewer words than two findings do. Chosen by trying a dozen made-up ones."""


def earlier(db: Session, incident: Incident, *channels: str) -> tuple[Earlier, ...]:
    """The reviews most like this incident that everybody in these channels may see, and the words they share."""
    if incidents.moment(db, incident.id, "mitigated") is None or _reviewed(db, incident.team_id) < FEWEST:
        return ()
    others = db.scalars(_known_to_all(incident, channels).order_by(Incident.id.desc()).limit(NEWEST)).all()
    told = _told(db, [incident, *others])
    found = alike(told[incident.id], [(other, told[other.id]) for other in others], at_least=AT_LEAST)
    return tuple(_earlier(one.key, one.shared) for one in found[:MOST])


def _earlier(like: Incident, shared: Sequence[str]) -> Earlier:
    why = f"both speak of {', '.join(shared)}"
    return Earlier(incident=like.id, title=like.title, why=why, at=f"{like.opened_at:%d %B %Y}".lstrip("0"))


def _reviewed(db: Session, team: str) -> int:
    held = select(func.count(Review.id)).where(Review.team_id == team, _was_held())
    return db.scalar(held) or 0


def _was_held() -> ColumnElement[bool]:
    of_it = (Meeting.review_id == Review.id, Meeting.apart.is_(None))
    met = exists(select(Meeting.id).where(*of_it, Meeting.ended_at.is_not(None)))
    left = and_(Review.cancelled_at.is_(None), Review.skipped_at.is_(None))
    return and_(left, or_(Review.published_at.is_not(None), met))


def _known_to_all(incident: Incident, channels: Collection[str]) -> Select[Incident]:
    """What was reviewed, but for what somebody who is in one of these channels, or may walk in, does not see."""
    other = select(Incident).join(Review, Review.incident_id == Incident.id)
    other = other.where(Incident.team_id == incident.team_id, Incident.id != incident.id, _was_held())
    if incident.private_since is None:
        other = other.where(Incident.private_since.is_(None))
    return other.where(~_is_hidden_from_one_of(channels))


def _is_hidden_from_one_of(channels: Collection[str]) -> ColumnElement[bool]:
    reads = (
        Membership.team_id == Incident.team_id,
        Membership.channel_id.in_(channels),
        Membership.left_at.is_(None),
        ~_is_program(),
    )
    blind = select(Membership.id).where(*reads, ~visible_to(Membership.user_id))
    return exists(blind.correlate(Incident))


def _is_program() -> ColumnElement[bool]:
    """Programs do not read what is posted; we are one of them."""
    known = (Person.team_id == Membership.team_id, Person.user_id == Membership.user_id, Person.bot_since.is_not(None))
    us = (Workspace.team_id == Membership.team_id, Workspace.bot_user == Membership.user_id)
    bot = exists(select(Person.user_id).where(*known).correlate(Membership))
    return or_(bot, exists(select(Workspace.team_id).where(*us).correlate(Membership)))


def _told(db: Session, told: Sequence[Incident]) -> dict[int, str]:
    """What each of them was about: its title, its summary, what was found, how its events are worded."""
    words: defaultdict[int, list[str]] = defaultdict(list)
    for one in told:
        words[one.id] += [one.title, one.summary or ""]
    for number, text in db.execute(_found(words)):
        words[number].append(text)
    for event, said in db.execute(_events(words)):
        words[event.incident_id].append(timeline.words_of(event, said) or "")
    return {number: "\n".join(said)[:MOST_CHARACTERS] for number, said in words.items()}


def _found(numbers: Collection[int]) -> Select[int, str]:
    found = select(Finding.incident_id, Finding.text).where(Finding.incident_id.in_(numbers))
    return found.where(Finding.dropped_at.is_(None)).order_by(Finding.id)


def _events(numbers: Collection[int]) -> Select[TimelineEvent, Message | None]:
    events = select(TimelineEvent, Message).outerjoin(Message, timeline.behind())
    on_it = (TimelineEvent.incident_id.in_(numbers), timeline.on_it())
    return events.where(*on_it).order_by(TimelineEvent.id)  # pyright: ignore[reportReturnType] - an outer join
