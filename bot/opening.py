"""Opening an incident: in a channel, in a thread, or by itself where a channel's name says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.desk import Note, Notes, Turn
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import AlreadyTracked, NotInChannel, Refused
from storage import channels, incidents, people, reviews
from storage.incidents import Where
from storage.models import Channel, Incident

YOUNG = timedelta(days=7)
"""A channel older than this is asked about: what was said in it before was not said for a review."""
LOOK_BACK = timedelta(days=1)
ROUGHLY = 1_000
"""To what the size of a huge channel is rounded down."""
FROM = {"24h": "Last 24 hours", "7d": "Last 7 days", "all": "From the beginning"}
"""What may be taken in of an old channel: the words of `open from:24h`, and the button's."""


@dataclass(frozen=True, slots=True)
class Size:
    """What reading an old channel would take in; of a huge one only so much is counted."""

    messages: int
    members: int
    is_all: bool = True

    @property
    def words(self) -> str:
        """`12 messages`, `more than 5,000 messages`."""
        if not self.is_all:
            return f"more than {self.messages // ROUGHLY * ROUGHLY or self.messages:,} messages"
        return f"{self.messages:,} message{'' if self.messages == 1 else 's'}"


class ChannelArchived(Refused):
    """An archived channel has nothing new to read. Unarchive it, or open the incident somewhere else."""


class NotOneOfChannel(Refused):
    """Only who is in this channel opens an incident here, for it is private, or was. Join it, or ask somebody in it."""


def open_incident(
    turn: Turn,
    *,
    where: Where,
    by: UserId,
    severity: str | None,
    title: str | None,
    channel: ChannelFacts,
    since: datetime | None = None,
    sizes: Mapping[str, Size] | None = None,
) -> Notes:
    """Track this place as an incident; in an old channel, ask from when first.

    `sizes` go by the words of FROM. Raises ChannelArchived, NotInChannel, NotOneOfChannel and AlreadyTracked.
    """
    _require_room_for(turn, where.place, by=by, channel=channel)
    if since is None and not where.place.thread and is_old(channel, now=turn.now):
        return [_ask_from_when(by, severity, title=title, sizes=sizes or {})]
    return _open(turn, where.place, by=by, severity=severity, title=title, channel=channel, since=since)


def open_by_itself(turn: Turn, *, channel_id: ChannelId, channel: ChannelFacts) -> Notes:
    """A young channel whose name says that it is an incident's becomes one, once."""
    known = channels.hold(turn.db, turn.team, channel_id)
    if not _opens_by_itself(turn, channel_id, channel):
        return
    creator = channel.creator or (UserId(known.creator) if known.creator else None)
    inside = channel.members or people.members(turn.db, turn.team, channel_id)
    human = creator if creator and people.is_here(turn.db, turn.team, creator, members=inside) else None
    incident = _begin(turn, Place(channel_id), by=human, severity=None, title=None, channel=channel, since=None)
    yield _opened(turn, incident)


def unasked(turn: Turn) -> list[str]:
    """The channels that nobody has asked yet whether they open an incident."""
    return list(channels.underived(turn.db, turn.team, now=turn.now))


def was_asked(turn: Turn, *, channel_id: ChannelId) -> Notes:
    """Do not ask this channel again, whatever it answered."""
    channels.mark_derived(turn.db, turn.team, channel_id, now=turn.now)
    return ()


def since_of(words: str, channel: ChannelFacts, *, now: datetime) -> datetime | None:
    """The moment that the words after `from:` mean for this channel; None for words that are not of FROM."""
    beginning = channel.created_at or datetime.fromtimestamp(0, UTC)
    return {"24h": now - LOOK_BACK, "7d": now - YOUNG, "all": beginning}.get(words)


def _require_room_for(turn: Turn, place: Place, *, by: UserId, channel: ChannelFacts) -> None:
    if channel.archived:
        raise ChannelArchived
    if not channel.bot_is_member:
        raise NotInChannel
    _require_member(turn, channels.hold(turn.db, turn.team, place.channel), by=by, channel=channel)
    holder = incidents.spoken_of(turn.db, turn.team, place)
    if holder:
        raise AlreadyTracked(title=incidents.title_for(turn.db, turn.team, holder, by))


def _require_member(turn: Turn, known: Channel, *, by: UserId, channel: ChannelFacts) -> None:
    """In a channel that is private here nobody else hears whether it has an incident: all are told the same."""
    is_private = channel.private or known.private_since is not None
    if is_private and by not in channel.members and by not in people.members(turn.db, turn.team, known.channel_id):
        raise NotOneOfChannel


def _ask_from_when(by: UserId, severity: str | None, *, title: str | None, sizes: Mapping[str, Size]) -> Note:
    rest = " ".join(word for word in (severity, title) if word)
    choices = [(label, f"from:{words} {rest}".strip(), sizes.get(words)) for words, label in FROM.items()]
    return Note.private(by, "open", choices=choices)


def _open(
    turn: Turn,
    place: Place,
    *,
    by: UserId,
    severity: str | None,
    title: str | None,
    channel: ChannelFacts,
    since: datetime | None,
) -> Notes:
    incident = _begin(turn, place, by=by, severity=severity, title=title, channel=channel, since=since)
    yield _opened(turn, incident)
    yield Note.private(by, "opened_answer", incident=incident, asked=turn.asked_of(incident))


def _begin(
    turn: Turn,
    place: Place,
    *,
    by: UserId | None,
    severity: str | None,
    title: str | None,
    channel: ChannelFacts,
    since: datetime | None,
) -> Incident:
    row = channels.enter(turn.db, turn.team, channel, now=turn.now)
    row.derived_at = turn.now
    title = (title or "").strip() or (f"Thread in #{channel.name}" if place.thread else readable(channel.name))
    private = row.private_since is not None
    incident = incidents.begin(turn.db, turn.team, title, severity=severity, by=by, private=private, now=turn.now)
    since = since or _usual_start(turn, place, channel)
    incidents.listen(turn.db, incident, place, name=channel.name, since=since)
    reviews.begin(turn.db, incident)
    if by:
        incidents.give_role(turn.db, incident, Role.lead, by, by=by, now=turn.now)
    return incident


def _usual_start(turn: Turn, place: Place, channel: ChannelFacts) -> datetime:
    """A thread is taken in whole, and so is a young channel; an old one from a day before."""
    if place.thread:
        return datetime.fromtimestamp(float(place.thread), UTC)
    return channel.created_at if channel.created_at and not is_old(channel, now=turn.now) else turn.now - LOOK_BACK


def _opened(turn: Turn, incident: Incident) -> Note:
    return Note.once(
        f"opened:{incident.id}",
        "opened",
        incidents.main_place(turn.db, incident.id),
        incident=incident,
        lead=incidents.roles(turn.db, incident.id).lead,
        days=turn.house.retention_days,
        pin=next((name for name, kind in turn.house.emoji.items() if kind == "guess"), None),
    )


def _opens_by_itself(turn: Turn, channel_id: ChannelId, channel: ChannelFacts) -> bool:
    named = re.search(turn.house.channel_pattern, channel.name) is not None
    possible = channel.bot_is_member and not channel.archived and not is_old(channel, now=turn.now)
    return named and possible and not incidents.was_ever_spoken_in(turn.db, turn.team, channel_id)


def is_old(channel: ChannelFacts, *, now: datetime) -> bool:
    """Whether people wrote in it long before this incident; nobody is asked about a channel of unknown age."""
    return channel.created_at is not None and now - channel.created_at > YOUNG


def readable(name: str) -> str:
    """A channel's name as a title: `inc-2211-checkout-latency` is “Checkout latency”."""
    words = [word for word in re.split(r"[-_\s]+", name) if word]
    said = [word for word in words if not word.isdigit() and word not in {"inc", "incident"}] or words
    title = " ".join(said)
    return title[:1].upper() + title[1:] if title else "Incident"
