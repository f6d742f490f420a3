"""A light review: its owner is led through it alone, a step at a time, and may stop and go on days later.

What they read is one direct message, which changes with each press: `light.j2`, with a part for each step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot import deciding
from bot.desk import Note, Notes, Turn
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.lifecycle import Stage
from bot.review.meeting_time import add_working_days
from bot.review.policy import Depth
from bot.review.refusal import Refused
from bot.review.steps import STEPS, Step, Stepped
from storage import actions, attending, candidates, findings, incidents, people, reviews, timeline
from storage.incidents import Where
from storage.models import Action, Finding, Incident

QUIET_DAYS = 2
"""Working days after which whoever stopped in the middle is told, once, that it waits."""
WENT = "A light review: whoever answers for it went through it alone, step by step."


class NotUnderWay(Refused):
    """Nobody is led through this review now. `{command} schedule light` begins."""


# Going through it -------------------------------------------------------------------------


def begin(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Lead somebody through the review from its first step, or from where it stopped: `light`, to them alone.

    The first time, `light_announced` tells everybody who does it, and what becomes of a meeting that was planned.
    """
    incident = deciding.to_be_reviewed(turn, where, by, "schedule light")
    under_way = _under_way(turn, incident)
    if under_way:
        yield from _gone_on(turn, incident, under_way, by)
        return
    deciding.must_not_be_in_threads(turn, incident)
    deciding.choose(turn, incident, Depth.light, by)
    off = deciding.call_off_planned(turn, incident, by)
    stepped = Stepped.begin(by, turn.now)
    _keep(turn, incident, stepped)
    yield Note.once(
        f"light-announced:{stepped.mark(reviews.of(turn.db, incident).id)}",
        "light_announced",
        incidents.main_place(turn.db, incident.id),
        incident=incident.id,
        title=incident.title,
        by=by,
        off=off.meets_at if off else None,
        core=attending.core(turn.db, off) if off else (),
    )
    yield _page(turn, incident, stepped)
    yield Note.private(by, "light_begun", is_new=True, off=off.meets_at if off else None)


def _gone_on(turn: Turn, incident: Incident, before: Stepped, by: UserId) -> Notes:
    """What they read until now says that it goes on elsewhere: there is one message to press on."""
    stepped = before.go_on(by, turn.now)
    _keep(turn, incident, stepped)
    if deciding.may_read(turn, incident, before.user):
        key = before.key(reviews.of(turn.db, incident).id)
        yield Note.live(key, "light_moved", before.user, title=incident.title, user=by, is_same=by == before.user)
    yield _page(turn, incident, stepped)
    yield Note.private(by, "light_begun", is_new=False, off=None)


def advance(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The next step; of two presses at once one counts."""
    incident, before = _led(turn, where, by)
    yield from _moved(turn, incident, before, before.next(turn.now, seen), by=by, seen=seen)


def go_back(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The step before."""
    incident, before = _led(turn, where, by)
    yield from _moved(turn, incident, before, before.back(turn.now, seen), by=by, seen=seen)


def stop(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """For now: where it stands is kept, and the same message goes on from there."""
    incident, before = _led(turn, where, by)
    yield from _moved(turn, incident, before, before.stop(turn.now), by=by, seen=seen)


def finish(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """It counts as held; the draft of the report follows from what was noted."""
    incident, before = _led(turn, where, by)
    ended = before.end(turn.now)
    deciding.held(turn, incident, WENT, opened_at=ended.began_at, by=by, present=[ended.user])
    yield from _moved(turn, incident, before, ended, by=by, seen=seen)


def _led(turn: Turn, where: Where, by: UserId) -> tuple[Incident, Stepped]:
    """The review that is under way; raises NotUnderWay, and what `to_be_reviewed` does."""
    incident = deciding.to_be_reviewed(turn, where, by, "schedule light")
    stepped = _under_way(turn, incident)
    if stepped is None:
        raise NotUnderWay
    return incident, stepped


def _moved(turn: Turn, incident: Incident, before: Stepped, after: Stepped, *, by: UserId, seen: int | None) -> Notes:
    """A press on the message is answered by the message, which changes; what is typed hears where it stands."""
    _keep(turn, incident, after)
    yield _page(turn, incident, after)
    if seen is None or seen > before.version:
        yield Note.private(by, "light_stands", stepped=after, steps=len(STEPS), is_theirs=by == after.user)


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show what was noted elsewhere; where nobody is led through the review, nothing."""
    incident = incidents.at(turn.db, turn.team, where, by)
    stepped = _under_way(turn, incident)
    if stepped and deciding.may_read(turn, incident, stepped.user):
        yield _page(turn, incident, stepped)


def _under_way(turn: Turn, incident: Incident) -> Stepped | None:
    return Stepped.from_json(reviews.of(turn.db, incident).stepped)


def _keep(turn: Turn, incident: Incident, stepped: Stepped) -> None:
    """Where it stands, for as long as it goes on."""
    reviews.of(turn.db, incident).stepped = None if stepped.ended_at else stepped.to_json()
    turn.db.flush()


# Showing it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LightPage:
    """Everything that `templates/notes/light.j2` and its parts show."""

    incident: int
    title: str
    stepped: Stepped
    steps: int
    summary: str | None
    impact: Sequence[tuple[str, str]]
    events: int
    candidates: int
    found: Sequence[Finding]
    """What was noted of the kind that this step asks for."""
    counts: Sequence[tuple[str, int]]
    """Of each kind that was noted, in words."""
    actions: Sequence[Action]


def _page(turn: Turn, incident: Incident, stepped: Stepped) -> Note:
    key = stepped.key(reviews.of(turn.db, incident).id)
    return Note.live(key, "light", stepped.user, page=page(turn, incident, stepped))


def page(turn: Turn, incident: Incident, stepped: Stepped) -> LightPage:
    """The message, as of now."""
    by_kind, step = findings.by_kind(turn.db, incident.id), stepped.step
    return LightPage(
        incident=incident.id,
        title=incident.title,
        stepped=stepped,
        steps=len(STEPS),
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        events=len(timeline.told(turn.db, incident.id)) if step in {Step.timeline, Step.close} else 0,
        candidates=len(candidates.offered(turn.db, incident.id)) if step is Step.timeline else 0,
        found=by_kind.get(step.finds, ()) if step.finds else (),
        counts=[(kind.label if len(found) == 1 else f"{kind.label}s", len(found)) for kind, found in by_kind.items()],
        actions=actions.of_incident(turn.db, incident.id),
    )


# What the clock asks -----------------------------------------------------------------------


def remind_due(turn: Turn) -> Notes:
    """Whoever stopped in the middle is told once, two working days later, that it waits (`light_waits`)."""
    told: set[UserId] = set()
    for review, incident in reviews.under_way(turn.db, turn.team):
        stepped = Stepped.from_json(review.stepped)
        if stepped and stepped.user not in told and _is_to_be_reminded(turn, incident, stepped):
            told.add(stepped.user)
            _keep(turn, incident, stepped.remind(turn.now))
            yield _reminder(turn, incident, stepped)


def _is_to_be_reminded(turn: Turn, incident: Incident, stepped: Stepped) -> bool:
    zone = ZoneInfo(people.zone(turn.db, turn.team, stepped.user))
    off, stopped_on = turn.days_off(zone.key), stepped.touched_at.astimezone(zone).date()
    waits_until = add_working_days(stopped_on, QUIET_DAYS, weekends=off.weekends, holidays=off.holidays)
    if stepped.reminded_at or turn.now.astimezone(zone).date() < waits_until:
        return False
    is_over = reviews.over_since(turn.db, incident) is not None
    stage = reviews.stage(turn.db, incident)
    if not is_over or stage.is_called_off or stage in {Stage.closed, Stage.in_meeting}:
        return False
    return turn.may_tell(stepped.user, incident)


def _reminder(turn: Turn, incident: Incident, stepped: Stepped) -> Note:
    return Note.once(
        f"light-waits:{stepped.mark(reviews.of(turn.db, incident).id)}",
        "light_waits",
        stepped.user,
        incident=incident.id,
        title=incident.title,
        stepped=stepped,
        steps=len(STEPS),
        may_skip=not reviews.milestones(turn.db, incident).ended_at,
    )
