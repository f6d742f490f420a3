"""The places an incident is spoken in: further ones, how far each is read, what becomes of a channel in its life."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.desk import Note, Notes, Turn
from bot.render import Mrkdwn
from bot.review.heard import ChannelFact
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Roles, Stage
from bot.review.refusal import (
    AlreadyIncluded,
    AlreadyTracked,
    ChannelStillPrivate,
    NotForGuests,
    NotInChannel,
    NotItsChannel,
    PlaceStaysPrivate,
    ReviewClosed,
    WrongStage,
)
from storage import channels, closed, incidents, outbox, people, readings, reports, reviews, silence
from storage.incidents import Where
from storage.models import Incident, OutboxNote, Reading, Source

INCLUDED = "included"
MADE_PUBLIC = "made_public"
LATE = timedelta(hours=1)
"""What was said longer before an incident was opened is history: whoever opened it hears how far it is read."""
LOOK_BACK = timedelta(days=1)
"""So much is read unasked of a channel of unknown age; nobody needs to hear of that."""
MANY_THREADS = 20
MOST_REFUSED = 3
"""Of what a channel could not be told, so much is told in its place."""
BEFORE_THE_MEETING = (Stage.mitigated, Stage.scheduled, Stage.prepared)
EVERY_SO_MANY_THREADS = 10
"""Slack gives fifty threads a minute: fewer are read before anybody asks."""


# Further places ----------------------------------------------------------------------------------


def include(
    turn: Turn, *, where: Where, by: UserId, place: Place, channel: ChannelFacts, since: datetime | None = None
) -> Notes:
    """Listen to a further place of an incident, since when its own is read where nothing else is said.

    Raises NotInChannel, AlreadyIncluded, AlreadyTracked, PlaceStaysPrivate, ReviewClosed and WrongStage.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    _require_going_on(turn, incident)
    if not channel.bot_is_member:
        raise NotInChannel(place.channel)
    # In this order: of a channel that is closed to them, nobody hears whether it has an incident.
    _require_as_open(turn, incident, channel, by=by)
    _require_free(turn, incident, place, by=by)
    row = channels.enter(turn.db, turn.team, channel, now=turn.now)
    row.derived_at = row.derived_at or turn.now
    start = since or _usual_start(turn, incident, place)
    source = incidents.listen(turn.db, incident, place, name=channel.name, since=start)
    _record(turn, incident, INCLUDED, before=None, after=str(source.id), by=by)
    facts = {"incident": incident, "channel": place.channel, "is_thread": bool(place.thread)}
    days = turn.house.retention_days
    note = Note.once(f"included:{source.id}", "included_here", place, **facts, days=days, by=by)
    yield replace(note, incident=incident.id)
    zone = people.zone(turn.db, turn.team, by)
    yield Note.private(by, "included", **facts, since=start, zone=zone)


def _require_going_on(turn: Turn, incident: Incident) -> None:
    stage = reviews.stage(turn.db, incident)
    if stage is Stage.closed:
        raise ReviewClosed
    if stage.is_called_off:
        raise WrongStage(stage=stage.label, verb="include")


def _require_free(turn: Turn, incident: Incident, place: Place, *, by: UserId) -> None:
    """The place belongs to nobody else, and is not listened to for this incident as it is."""
    channels.hold(turn.db, turn.team, place.channel)
    whole = incidents.spoken_of(turn.db, turn.team, Place(place.channel))
    holder = incidents.spoken_of(turn.db, turn.team, place)
    if incident in (holder, whole):
        raise AlreadyIncluded
    if holder:
        raise AlreadyTracked(title=incidents.title_for(turn.db, turn.team, holder, by))


def _require_as_open(turn: Turn, incident: Incident, channel: ChannelFacts, *, by: UserId) -> None:
    """Everybody who sees the incident may read there already, so that nobody is shown what was not theirs to see."""
    person = people.find(turn.db, turn.team, by)
    is_colleague = person is not None and person.guest_since is None
    if not is_colleague and by not in channel.members:
        raise NotForGuests
    known = people.channel(turn.db, turn.team, channel.channel)
    if not channel.private and not (known and known.private_since):
        return
    inside = set(reports.insiders(turn.db, incident)) if incident.private_since else None
    if inside is None or not inside <= set(channel.members):
        raise PlaceStaysPrivate(channel=channel.channel)


def _usual_start(turn: Turn, incident: Incident, place: Place) -> datetime:
    """A thread is taken in whole, a channel since when the incident's first place is."""
    if place.thread:
        return datetime.fromtimestamp(float(place.thread), UTC)
    return incidents.sources(turn.db, incident.id)[0].from_at


def _record(
    turn: Turn, incident: Incident, what: str, *, before: str | None, after: str | None, by: str | None
) -> None:
    incidents.record_change(
        turn.db, incident, "incident", incident.id, what=what, before=before, after=after, by=by, now=turn.now
    )
    turn.db.flush()


# Public again --------------------------------------------------------------------------------------


def offer_public(turn: Turn, *, where: Where, by: UserId, channel: ChannelFacts) -> Notes:
    """Ask back, once it is certain that it can be done."""
    incident = _to_be_public(turn, where, by, channel)
    if incident.private_since is None:
        yield Note.private(by, "public", incident=incident, changed=False)
        return
    yield Note.private(
        by,
        "confirm",
        question="Show all that was said and noted here to everybody in this workspace? It was said in private.",
        label="Yes, show it to everybody",
        verb="public",
        text="yes",
        incident=incident.id,
    )


def make_public(turn: Turn, *, where: Where, by: UserId, channel: ChannelFacts) -> Notes:
    """What is spoken of in a channel that Slack calls public is for everybody in the workspace from now on.

    Raises ChannelStillPrivate, NotForGuests and NotItsChannel.
    """
    incident = _to_be_public(turn, where, by, channel)
    opened = channels.make_public(turn.db, turn.team, channel.channel)
    for one in opened:
        _record(turn, incidents.get(turn.db, one), MADE_PUBLIC, before="private", after="public", by=by)
    turn.db.refresh(incident)
    yield Note.private(by, "public", incident=incident, changed=True)
    if incident.id in opened:
        times = sum(change.what == MADE_PUBLIC for change in incidents.changes(turn.db, incident.id, "incident"))
        note = Note.once(
            f"public:{incident.id}:{times}", "public_here", Place(channel.channel), incident=incident, by=by
        )
        yield replace(note, incident=incident.id)


def _to_be_public(turn: Turn, where: Where, by: UserId, channel: ChannelFacts) -> Incident:
    incident = incidents.at(turn.db, turn.team, where, by)
    person = people.find(turn.db, turn.team, by)
    if person is None or person.guest_since or by not in people.members(turn.db, turn.team, channel.channel):
        raise NotForGuests
    if channel.channel not in {source.channel_id for source in incidents.sources(turn.db, incident.id)}:
        raise NotItsChannel
    if channel.private:
        raise ChannelStillPrivate
    return incident


# A channel's life ------------------------------------------------------------------------------------


def learn(turn: Turn, *, channel: ChannelFacts) -> Notes:
    """Keep what Slack says of a channel now: its name, who is in it, whether it is private or archived."""
    channels.learn(turn.db, turn.team, channel, now=turn.now)
    return ()


def learn_of_closed(turn: Turn, *, channel: ChannelId) -> Notes:
    """Slack does not show us a channel: we are not in it."""
    channels.keep_channel(turn.db, turn.team, ChannelFact(channel=channel, at=turn.now, how="left"))
    return ()


# How far it is read -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How much of a place is read, and who is to hear of it."""

    asked: UserId
    kept: readings.Kept


def progress(turn: Turn, *, source_id: int) -> Progress | None:
    """What there is to tell of how far a place is read: where somebody waits for it, and there is much of it."""
    source, reading = channels.source(turn.db, source_id), readings.open_of(turn.db, source_id)
    if reading and not _is_worth_telling(reading):
        return None
    asked = _asked(turn, incidents.get(turn.db, source.incident_id), source)
    kept = readings.kept(turn.db, source) if asked else None
    return Progress(asked, kept) if asked and kept and kept.messages else None


def tell_progress(turn: Turn, *, source_id: int, progress: Progress) -> Notes:
    """How far the history of a place is read, in one message to whoever asked for it.

    The last word says what was read, and what cannot be known of it.
    """
    source = channels.source(turn.db, source_id)
    incident = incidents.get(turn.db, source.incident_id)
    note = Note.live(
        f"reading:{source.id}",
        "reading",
        progress.asked,
        incident=incident,
        source=source,
        reading=readings.open_of(turn.db, source.id),
        kept=progress.kept,
        zone=people.zone(turn.db, turn.team, progress.asked),
    )
    yield replace(note, incident=incident.id)


def _is_worth_telling(reading: Reading) -> bool:
    """Every page of a channel that has more of them; then, where many threads follow, now and then."""
    threads = len(reading.threads or [])
    if reading.paged_at is None:
        return True
    return threads >= MANY_THREADS and reading.walked % EVERY_SO_MANY_THREADS == 0 and reading.walked < threads


def _asked(turn: Turn, incident: Incident, source: Source) -> UserId | None:
    """Whoever asked for what was said long before, and may still see it; nobody where a channel opened by itself."""
    by, at = incident.opened_by, incident.opened_at
    for change in incidents.changes(turn.db, incident.id, "incident"):
        if change.what == INCLUDED and change.after == str(source.id):
            by, at = change.by, change.at
    channel = people.channel(turn.db, turn.team, source.channel_id)
    usual = LATE if channel and channel.created_at else LOOK_BACK
    if by is None or at - source.from_at <= usual:
        return None
    return UserId(by) if incidents.by_number(turn.db, turn.team, incident.id, by) else None


# What could not be said where it belongs -----------------------------------------------------------------


def unheard(turn: Turn) -> list[dict[str, int | str]]:
    """The incidents with a channel in which Slack refused what we said, where somebody may be told instead now."""
    refused = outbox.refused_lately(turn.db, turn.team, now=turn.now)
    found = {(incident.id, note.channel_id) for note in refused if (incident := _incident_of(turn, note))}
    return [{"incident": one, "channel": channel} for one, channel in sorted(found) if _instead(turn, one, channel)]


def tell_instead(turn: Turn, *, incident: int, channel: str) -> Notes:
    """What a channel could not be told goes to who leads, with why; of a private incident to members only.

    1. Once, until the channel was open again: nobody hears of what comes after it.
    2. With the ten-minute call in it, it comes at once; to nobody, though, who asked not to be written to.
    """
    found = _instead(turn, incident, channel)
    if found:
        about = incidents.get(turn.db, incident)
        reader, notes = found
        key = (_key_at_once if any(map(_is_call, notes)) else _key)(turn, about, notes)
        yield replace(Note.once(key, "instead", reader, **_instead_facts(turn, about, notes)), incident=about.id)


def _instead(turn: Turn, incident: int, channel: str) -> tuple[UserId, Sequence[OutboxNote]] | None:
    """Who may be told now, and what; None where nobody may, or somebody was told already."""
    about = incidents.get(turn.db, incident)
    refused = outbox.refused_lately(turn.db, turn.team, now=turn.now)
    notes = [note for note in refused if note.channel_id == channel and _incident_of(turn, note) == about]
    reader = _reader(turn, about)
    if not notes or reader is None or _was_told(turn, about, notes):
        return None
    return (reader, notes) if any(map(_is_call, notes)) or turn.may_tell(reader, about) else None


def _was_told(turn: Turn, incident: Incident, notes: Sequence[OutboxNote]) -> bool:
    return any(outbox.find(turn.db, turn.team, key(turn, incident, notes)) for key in (_key, _key_at_once))


def _key(turn: Turn, incident: Incident, notes: Sequence[OutboxNote]) -> str:
    return f"instead:{incident.id}:{notes[-1].channel_id}:{closed.since(turn.db, notes[-1])}"


def _key_at_once(turn: Turn, incident: Incident, notes: Sequence[OutboxNote]) -> str:
    """It begins as the call's does: where Slack does not take it at once, it does not wait for working hours either."""
    return silence.CALL + _key(turn, incident, notes)


def _is_call(note: OutboxNote) -> bool:
    return note.key.startswith(silence.CALL)


def _instead_facts(turn: Turn, incident: Incident, notes: Sequence[OutboxNote]) -> dict[str, Any]:
    return {
        "incident": incident,
        "channel": notes[-1].channel_id,
        "error": notes[-1].error,
        "words": [Mrkdwn("\n".join(f"> {line}" for line in note.text.splitlines())) for note in notes[:MOST_REFUSED]],
        "more": max(0, len(notes) - MOST_REFUSED),
        "may_skip": reviews.stage(turn.db, incident) in BEFORE_THE_MEETING,
    }


def _incident_of(turn: Turn, note: OutboxNote) -> Incident | None:
    if note.incident_id:
        return incidents.get(turn.db, note.incident_id)
    return incidents.last_spoken_in(turn.db, turn.team, Place(ChannelId(note.channel_id), note.thread_ts))


def _reader(turn: Turn, incident: Incident) -> UserId | None:
    """The lead, or who else has a part in it, may see it and did not ask to be left alone."""
    return next(
        filter(lambda user: _reaches(turn, incident, user), _by_part(incidents.roles(turn.db, incident.id))), None
    )


def _by_part(roles: Roles) -> Iterator[UserId]:
    yield from filter(None, (roles.lead, roles.owner, roles.facilitator, roles.scribe))


def _reaches(turn: Turn, incident: Incident, user: UserId) -> bool:
    if silence.wants_silence(turn.db, turn.team, user, now=turn.now):
        return False
    visible = incidents.by_number(turn.db, turn.team, incident.id, user) is not None
    return visible and people.is_one_of_us(turn.db, turn.team, user)
