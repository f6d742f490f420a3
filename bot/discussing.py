"""A review in threads: each topic has its question and a thread where the incident is spoken of, and one deadline.

Everybody reads one message that says how far it is (`threads.j2`), and one for each topic (`thread.j2`), with a part
for each. Where the incident is itself a thread, its topics stand in that thread one below the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import deciding, sitting
from bot.desk import Note, Notes, Turn
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.incident import Place, UserId
from bot.review.lifecycle import Stage
from bot.review.policy import Depth
from bot.review.refusal import Refused
from bot.review.threads import InThreads, Thread, deadline
from storage import actions, attending, candidates, findings, incidents, outbox, participants, people, reviews, threads
from storage import timeline as events
from storage.incidents import Where
from storage.models import Action, Finding, Incident, Message

WENT = "In threads: each topic had its question, everybody answered when it suited them, and nobody had to meet."
LONGER = timedelta(hours=24)


class NotInThreads(Refused):
    """The review does not go on in threads now. `{command} schedule async` begins."""


# Begun, prolonged, closed -----------------------------------------------------------------


def begin(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Ask the question of each topic in a thread of its own; what was planned as a meeting is off.

    Says `threads` and, for each topic, `thread` to everybody; once begun, only when it ends, to whoever asks.
    """
    incident = deciding.to_be_reviewed(turn, where, by, "schedule async")
    under_way = _under_way(turn, incident)
    if under_way:
        yield Note.private(by, "threads_begun", is_new=False, ends_at=under_way.ends_at)
        return
    yield from deciding.put_away(turn, incident)
    deciding.choose(turn, incident, Depth.threads, by)
    off = deciding.call_off_planned(turn, incident, by)
    begun = _begun(turn, incident, by)
    _keep(turn, incident, begun)
    yield from _shown(turn, incident, begun)
    if off:
        yield Note.once(
            f"threads-instead:{off.id}",
            "threads_instead",
            reviews.place_of(turn.db, incident, off),
            title=incident.title,
            meets_at=off.meets_at,
            core=attending.core(turn.db, off),
        )
    yield Note.private(by, "threads_begun", is_new=True, ends_at=begun.ends_at)


def _begun(turn: Turn, incident: Incident, by: UserId) -> InThreads:
    zone, hours = _zone(turn, incident), turn.house.working_hours
    off, span = turn.days_off(zone.key), turn.house.policy.async_deadline
    half_at, ends_at = (deadline(turn.now, part, zone, off=off, hours=hours) for part in (span / 2, span))
    return InThreads(by=by, began_at=turn.now, half_at=half_at, ends_at=ends_at)


def _zone(turn: Turn, incident: Incident) -> ZoneInfo:
    """Of whoever answers for the review."""
    return ZoneInfo(people.zone(turn.db, turn.team, incidents.roles(turn.db, incident.id).owner_or_lead))


def prolong(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """A working day more for everybody."""
    incident, before = _going_on(turn, where, by)
    zone = _zone(turn, incident)
    off, hours = turn.days_off(zone.key), turn.house.working_hours
    longer = before.longer(deadline(before.ends_at, LONGER, zone, off=off, hours=hours))
    _keep(turn, incident, longer)
    yield from _shown(turn, incident, longer)
    yield Note.private(by, "threads_begun", is_new=False, ends_at=longer.ends_at)


def close(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Do not wait for the deadline."""
    incident, before = _going_on(turn, where, by)
    yield from _closed(turn, incident, before)
    yield Note.private(by, "threads_closed")


def _closed(turn: Turn, incident: Incident, before: InThreads) -> Notes:
    """It counts as held, and the draft of the report follows from what was noted; unless they meet instead."""
    ended = before.end(turn.now)
    if reviews.planned_meeting(turn.db, reviews.of(turn.db, incident)) is None:
        _hold(turn, incident, ended)
    _keep(turn, incident, None)
    yield from _shown(turn, incident, ended)


def _hold(turn: Turn, incident: Incident, ended: InThreads) -> None:
    present = threads.voices(turn.db, incident, list(_roots(turn, incident, ended).values()), since=ended.began_at)
    deciding.held(turn, incident, WENT, opened_at=ended.began_at, by=ended.by, present=present)


def _going_on(turn: Turn, where: Where, by: UserId) -> tuple[Incident, InThreads]:
    """Raises NotInThreads, and what `to_be_reviewed` does."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule async")
    under_way = _under_way(turn, incident)
    if under_way is None:
        raise NotInThreads
    return incident, under_way


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show what was noted; where the review does not go on in threads, nothing."""
    incident = incidents.at(turn.db, turn.team, where, by)
    under_way = _under_way(turn, incident)
    if under_way:
        yield from _shown(turn, incident, under_way)


# What was said there ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody said in a thread, and no finding keeps."""

    channel: str
    ts: str
    user: UserId
    words: str


@dataclass(frozen=True, slots=True)
class Pick:
    """A reply to be kept, and as what."""

    channel: str
    ts: str
    kind: FindingKind


def replies_in(turn: Turn, *, where: Where, by: UserId, number: int) -> tuple[Thread, list[Reply]]:
    """What may be kept of what was said in the thread of this number; raises NotInThreads."""
    incident = incidents.at(turn.db, turn.team, where, by)
    going_on = _under_way(turn, incident)
    if going_on is None:
        raise NotInThreads
    thread = list(Thread)[min(max(number, 1), len(Thread)) - 1]
    said = [one for rows in _unkept(turn, incident, going_on, [thread]) for one in rows]
    return thread, [Reply(one.channel_id, one.ts, UserId(one.user_id or ""), threads.words_of(one)) for one in said]


def keep_replies(turn: Turn, *, where: Where, by: UserId, picks: Sequence[Pick]) -> Notes:
    """Keep replies as findings, in the words and the name of whoever said them; says `replies_kept`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    going_on = _under_way(turn, incident)
    if going_on is None:
        raise NotInThreads
    said = {(row.channel_id, row.ts): row for rows in _unkept(turn, incident, going_on, Thread) for row in rows}
    kept = [_kept(turn, incident, said[pick.channel, pick.ts], pick.kind) for pick in picks if _key_of(pick) in said]
    yield Note.private(by, "replies_kept", kept=[(FindingKind(one.kind).label, one.number) for one in kept])


def _key_of(pick: Pick) -> tuple[str, str]:
    return pick.channel, pick.ts


def _kept(turn: Turn, incident: Incident, reply: Message, kind: FindingKind) -> Finding:
    """As it was said, to the letter: what its author deletes is found again by its words."""
    said = {"text": threads.words_of(reply), "by": reply.user_id or ""}
    finding = findings.add(turn.db, incident, kind=kind, sort=None, **said, event=None, now=turn.now)
    threads.quote(turn.db, finding, reply)
    return finding


def _unkept(turn: Turn, incident: Incident, going_on: InThreads, of: Iterable[Thread]) -> list[Sequence[Message]]:
    """Of each of these threads that Slack has; where the incident is itself a thread, of that one."""
    roots = _roots(turn, incident, going_on)
    places = dict.fromkeys(roots[thread] for thread in of if thread in roots)
    return [threads.unkept(turn.db, incident, place, since=going_on.began_at) for place in places]


def _under_way(turn: Turn, incident: Incident) -> InThreads | None:
    return InThreads.from_json(reviews.of(turn.db, incident).stepped)


def _keep(turn: Turn, incident: Incident, going_on: InThreads | None) -> None:
    reviews.of(turn.db, incident).stepped = going_on.to_json() if going_on else None
    turn.db.flush()


# Showing it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsPage:
    """Everything that `templates/notes/threads.j2`, `thread.j2` and its parts show."""

    incident: int
    title: str
    going_on: InThreads
    why_off: Stage | None
    """Where it was called off: what the review is now instead."""
    meets_at: datetime | None
    """When they meet instead, where somebody planned that."""
    core: Sequence[UserId]
    owner: UserId | None
    summary: str | None
    impact: Sequence[tuple[str, str]]
    events: int
    candidates: int
    found: Sequence[tuple[Thread, Sequence[Finding]]]
    actions: Sequence[Action]

    def noted(self, thread: Thread) -> int:
        """How much there is for a topic."""
        found = len(dict(self.found).get(thread, ()))
        of_others = {
            Thread.summary: int(bool(self.summary)),
            Thread.timeline: self.events,
            Thread.actions: len(self.actions),
        }
        return of_others.get(thread, found)


def _shown(turn: Turn, incident: Incident, going_on: InThreads, why_off: Stage | None = None) -> Notes:
    place, page = incidents.main_place(turn.db, incident.id), _page(turn, incident, going_on, why_off)
    yield Note.live(f"threads:{_mark(turn, incident, going_on)}", "threads", place, page=page)
    for thread in Thread:
        yield Note.live(_key(turn, incident, going_on, thread), "thread", place, page=page, thread=thread)


def _page(turn: Turn, incident: Incident, going_on: InThreads, why_off: Stage | None) -> ThreadsPage:
    by_kind = findings.by_kind(turn.db, incident.id)
    found = [(thread, [one for kind in thread.finds for one in by_kind.get(kind, ())]) for thread in Thread]
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    return ThreadsPage(
        incident=incident.id,
        title=incident.title,
        going_on=going_on,
        why_off=why_off,
        meets_at=planned.meets_at if planned else None,
        core=sitting.proposal(turn, incident).core,
        owner=participants.answering(turn.db, incident),
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        events=len(events.told(turn.db, incident.id)),
        candidates=len(candidates.offered(turn.db, incident.id)),
        found=found,
        actions=actions.of_incident(turn.db, incident.id),
    )


def _key(turn: Turn, incident: Incident, going_on: InThreads, thread: Thread) -> str:
    return f"thread:{_mark(turn, incident, going_on)}:{thread}"


def _mark(turn: Turn, incident: Incident, going_on: InThreads) -> str:
    """Of one round: an incident that broke again is asked about again."""
    return f"{reviews.of(turn.db, incident).id}:{going_on.began_at:%Y%m%dT%H%M%S}"


def _roots(turn: Turn, incident: Incident, going_on: InThreads) -> dict[Thread, Place]:
    """The thread of each topic whose message Slack has; where the incident is a thread, that one for all of them."""
    place = incidents.main_place(turn.db, incident.id)
    found = {thread: outbox.find(turn.db, turn.team, _key(turn, incident, going_on, thread)) for thread in Thread}
    return {
        thread: replace(place, thread=place.thread or note.posted_ts)
        for thread, note in found.items()
        if note and note.posted_ts
    }


# What the clock asks -----------------------------------------------------------------------


def move_on(turn: Turn) -> Notes:
    """What the time brings to each review in threads.

    1. Where it broke again, or nobody wants the review any more, it is called off; what was noted stays.
    2. At the deadline it closes, and before it where they meet instead.
    3. At half time `thread_nudge` calls the threads to mind in which nobody said anything, there and nowhere else.
    """
    for review, incident in reviews.under_way(turn.db, turn.team):
        going_on = InThreads.from_json(review.stepped)
        if going_on:
            yield from _moved_on(turn, incident, going_on)


def _moved_on(turn: Turn, incident: Incident, going_on: InThreads) -> Notes:
    stage = reviews.stage(turn.db, incident)
    if stage.is_called_off or stage is Stage.closed or reviews.over_since(turn.db, incident) is None:
        _keep(turn, incident, None)
        yield from _shown(turn, incident, going_on.end(turn.now), stage)
    elif turn.now >= going_on.ends_at or reviews.planned_meeting(turn.db, reviews.of(turn.db, incident)):
        yield from _closed(turn, incident, going_on)
    elif turn.now >= going_on.half_at and going_on.nudged_at is None:
        _keep(turn, incident, going_on.nudge(turn.now))
        yield from _nudges(turn, incident, going_on)


def _nudges(turn: Turn, incident: Incident, going_on: InThreads) -> Notes:
    roots = _roots(turn, incident, going_on)
    spoken = threads.spoken_in(turn.db, incident, list(roots.values()), since=going_on.began_at)
    page = _page(turn, incident, going_on, None)
    empty = [thread for thread, place in roots.items() if place not in spoken and not page.noted(thread)]
    silent = [thread for thread in empty if thread is not Thread.actions]  # No action is a good outcome, too.
    place = incidents.main_place(turn.db, incident.id)
    for thread in silent[:1] if place.thread else silent:
        key = f"nudge-{_key(turn, incident, going_on, thread)}"
        calls = page.core if thread is silent[0] else ()
        yield Note.once(key, "thread_nudge", roots[thread], ends_at=going_on.ends_at, thread=thread, calls=calls)


def propose_due(turn: Turn) -> Notes:
    """After mitigation, in the lead's next working hour: whether the threads shall begin (`threads_proposal`).

    Only where the policy, or a person, wants the review in threads and nobody has begun them.
    """
    for incident, lead in deciding.to_ask(turn, Depth.threads, ready=_has_not_begun):
        yield _proposal(turn, incident, lead)


def _has_not_begun(turn: Turn, incident: Incident) -> bool:
    return reviews.of(turn.db, incident).stepped is None


def _proposal(turn: Turn, incident: Incident, lead: UserId) -> Note:
    over = reviews.over(turn.db, incident)
    reviews.of(turn.db, incident).proposed_at = turn.now
    turn.db.flush()
    zone = _zone(turn, incident)
    return Note.once(
        f"threads-proposal:{incident.id}:{over.id if over else 0}",
        "threads_proposal",
        lead,
        incident=incident.id,
        title=incident.title,
        over_at=over.at if over else None,
        channel=incidents.main_place(turn.db, incident.id).channel,
        ends_at=_begun(turn, incident, lead).ends_at,
        zone=zone.key,
    )
