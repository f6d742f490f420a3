"""A timeline where nobody tagged anything: messages worth adding are offered, to keep, sort, word or leave out."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.desk import Note, Notes, Turn
from bot.review.candidates import Burst
from bot.review.incident import ChannelId, Ts, UserId
from bot.review.timeline import Kind
from storage import candidates, incidents, people, reviews, timeline
from storage.candidates import Offered
from storage.incidents import Where
from storage.models import Incident, Message, TimelineEvent

MOST_LISTED = 8
"""Lines of a note; the form shows every one."""


@dataclass(frozen=True)
class CandidateView:
    """A message worth adding: who said what when, why it is offered, and what it probably is."""

    channel: ChannelId
    ts: Ts
    at: datetime
    who: str | None
    """The name of the person or program."""
    words: str
    why: str
    kind: Kind
    is_sure: bool


@dataclass(frozen=True)
class Pick:
    """A message to be kept, and the kind somebody chose for it; guessed where nobody did."""

    channel: str
    ts: str
    kind: Kind | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.channel, self.ts


# Offering them ---------------------------------------------------------------------------------


def candidates_for(turn: Turn, *, where: Where, by: UserId) -> list[CandidateView]:
    """Messages worth adding that are neither on the timeline, taken off it nor left out, in order of time."""
    incident = incidents.at(turn.db, turn.team, where, by)
    found = candidates.offered(turn.db, incident.id)
    said = [one.said for one in found]
    names = names_in(turn, [one.text for one in said], {one.user for one in said if one.user})
    return [_view(one, names) for one in found]


def _view(offered: Offered, names: Mapping[str, str]) -> CandidateView:
    one, said = offered.candidate, offered.said
    return CandidateView(
        channel=one.channel,
        ts=one.ts,
        at=one.at,
        who=said.program or names.get(said.user or ""),
        words=told(one.burst) if one.burst else with_names(said.text, names),
        why=one.why,
        kind=one.kind,
        is_sure=one.is_sure,
    )


MENTION = re.compile(r"<?@([UW][A-Z0-9]{2,})\b(?:\|[^<>]*>|>)?")


def names_in(turn: Turn, texts: Iterable[str], users: Collection[str] = ()) -> dict[str, str]:
    """Names of these people and of those the texts mention, by one question."""
    mentioned = {user for text in texts for user in MENTION.findall(text)}
    return people.names(turn.db, turn.team, {*mentioned, *users})


def with_names(text: str, names: Mapping[str, str]) -> str:
    """A form shows text as it is: who is mentioned stands there by name."""
    return MENTION.sub(lambda found: f"@{names.get(found[1], found[1])}", text)


def told(burst: Burst) -> str:
    """`12 alerts from Alarm Bell, 14:02–14:09 UTC`."""
    start, end = (f"{at.astimezone(UTC):%H:%M}" for at in (burst.start, burst.end))
    count = len(burst.messages)
    return f"{count} {'alert' if count == 1 else 'alerts'} from {burst.program or 'a program'}, {start}–{end} UTC"


def offer_candidates(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The surest of them in a list, to keep in one go, and all of them in a form."""
    incident = incidents.at(turn.db, turn.team, where, by)
    found = candidates_for(turn, where=where, by=by)
    if by == incidents.roles(turn.db, incident.id).lead:
        reviews.of(turn.db, incident).candidates_offered_at = turn.now
    sure = [one for one in found if one.is_sure]
    yield Note.private(
        by,
        "candidates",
        incident=incident.id,
        total=len(found),
        suggested=len(sure),
        lines=sure[:MOST_LISTED],
    )


# Keeping them ----------------------------------------------------------------------------------


def keep_suggested(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """All that are suggested, as they were said and as the kinds that the form would choose."""
    found = candidates_for(turn, where=where, by=by)
    picks = [Pick(one.channel, one.ts, one.kind) for one in found if one.is_sure]
    yield from keep_candidates(turn, where=where, by=by, picks=picks)


def keep_candidates(
    turn: Turn, *, where: Where, by: UserId, picks: Sequence[Pick], leave: Sequence[tuple[str, str]] = ()
) -> Notes:
    """Put the chosen messages on the timeline and leave the others out; doing it again changes nothing."""
    incident = incidents.at(turn.db, turn.team, where, by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    known = timeline.tagged(turn.db, incident.id)
    wanted = {pick.key: pick for pick in picks if pick.key not in known}
    bursts = candidates.bursts(turn.db, incident.id) if wanted else {}
    events = [
        _keep(turn, incident, message, wanted[message.channel_id, message.ts], by=by, bursts=bursts)
        for message in candidates.said_in(turn.db, incident, list(wanted))
    ]
    candidates.leave_out(turn.db, incident, [key for key in leave if key not in known], by=by, now=turn.now)
    numbers = [event.number for event in events]
    yield Note.private(by, "candidates_kept", incident=incident.id, numbers=numbers, stepped_in=stepped_in)


def _keep(
    turn: Turn,
    incident: Incident,
    message: Message,
    pick: Pick,
    *,
    by: UserId,
    bursts: Mapping[tuple[str, str], Burst],
) -> TimelineEvent:
    event = timeline.put_by_hand(turn.db, incident, message, by=by, now=turn.now, kind=pick.kind)
    event.kind_by = by if pick.kind else event.kind_by
    burst = bursts.get(pick.key)
    if burst and event.text is None:
        event.source = "automated"
        timeline.reword(turn.db, event, told(burst), by=by, now=turn.now)
    timeline.confirm(turn.db, event, now=turn.now)
    return event


# Wording them ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """An event just kept, as it reads now."""

    number: int
    at: datetime
    kind: Kind
    words: str


def kept_for(turn: Turn, *, where: Where, by: UserId, keys: Sequence[tuple[str, str]]) -> list[Kept]:
    """The events of these messages, in order of time."""
    incident = incidents.at(turn.db, turn.team, where, by)
    wanted = set(keys)
    events = [one for one in timeline.told(turn.db, incident.id) if (one.event.channel_id, one.event.ts) in wanted]
    names = names_in(turn, [one.words or "" for one in events])
    return [Kept(one.number, one.occurred_at, Kind(one.kind), with_names(one.words or "", names)) for one in events]


def word_events(turn: Turn, *, where: Where, by: UserId, words: Mapping[int, str]) -> Notes:
    """Word several events anew at once; what is left as it was stays its message's own."""
    incident = incidents.at(turn.db, turn.team, where, by)
    events = [one for one in timeline.told(turn.db, incident.id) if words.get(one.number, "").strip()]
    names = names_in(turn, [one.words or "" for one in events])
    anew = [one for one in events if words[one.number].strip() != with_names(one.words or "", names).strip()]
    for one in anew:
        timeline.reword(turn.db, one.event, words[one.number].strip(), by=by, now=turn.now)
    yield Note.private(by, "candidates_worded", incident=incident.id, numbers=[one.number for one in anew])
