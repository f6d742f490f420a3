"""Which way a review goes: a meeting, alone or in threads; and what the ways without a meeting share."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Stage, Who, may, require
from bot.review.policy import Depth
from bot.review.refusal import AlreadyInMeeting, NotMitigated, Refused, ReviewClosed, WrongStage
from bot.review.steps import Stepped
from bot.review.threads import InThreads
from bot.review.written import HOW_IT_WENT
from storage import attending, incidents, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting

ASK_FOR = timedelta(days=7)
"""Of an incident opened longer ago than this nobody is asked."""
HOUR = "meets_at"
"""The word in a meeting's history for its hour."""


def to_be_reviewed(turn: Turn, where: Where, by: UserId, verb: str) -> Incident:
    """The incident, whose review this person may lead another way, and nobody else in this moment.

    Raises NotYours, AlreadyInMeeting, ReviewClosed, WrongStage, NotMitigated.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    reviews.hold(turn.db, incident)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), verb)
    must_go_on(turn, incident, verb)
    return incident


def must_go_on(turn: Turn, incident: Incident, verb: str) -> None:
    """Raises AlreadyInMeeting, ReviewClosed, WrongStage and NotMitigated."""
    stage = reviews.stage(turn.db, incident)
    if stage is Stage.in_meeting:
        raise AlreadyInMeeting
    if stage is Stage.closed:
        raise ReviewClosed
    if stage.is_called_off:
        raise WrongStage(stage=stage.label, verb=verb)
    if reviews.over_since(turn.db, incident) is None:
        raise NotMitigated


def may_choose(turn: Turn, incident: Incident, by: UserId) -> bool:
    """Whether this person may choose another way now: before it was held, and while it does not go on in threads."""
    is_to_come = reviews.stage(turn.db, incident) in {Stage.mitigated, Stage.scheduled, Stage.prepared}
    is_over = reviews.over_since(turn.db, incident) is not None
    is_theirs = may(Who.facilitating, by, incidents.roles(turn.db, incident.id))
    return is_to_come and is_over and is_theirs and in_threads_until(turn, incident) is None


def to_ask(turn: Turn, depth: Depth, *, ready: Callable[[Turn, Incident], bool]) -> Iterator[tuple[Incident, UserId]]:
    """Each lead whose review is to go this way, once for each mitigation, when they may be written to unasked."""
    asked: set[UserId] = set()
    for incident, lead in _waiting(turn, depth):
        if lead in asked or not turn.may_tell(lead, incident):
            continue
        if not reviews.is_long_ago(turn.db, incident, now=turn.now) and ready(turn, incident):
            asked.add(lead)
            yield incident, lead


def _waiting(turn: Turn, depth: Depth) -> Sequence[tuple[Incident, UserId]]:
    """Those that are to go this way, each with its lead, who may be written to now."""
    unasked = reviews.unasked(turn.db, turn.team, opened_since=turn.now - ASK_FOR)
    wanted = turn.asked_of_each(unasked)
    found = [incident for incident in unasked if wanted[incident.id].depth is depth]
    roles = incidents.roles_in(turn.db, [incident.id for incident in found]) if found else {}
    leads = [(incident, lead) for incident in found if (lead := roles[incident.id].lead)]
    free = turn.who_may_be_told([lead for _, lead in leads])
    return [(incident, lead) for incident, lead in leads if lead in free]


class InThreadsAlready(Refused):
    """The review goes on in threads already, and others write there. `{command} schedule async close` ends it."""


def must_not_be_in_threads(turn: Turn, incident: Incident) -> None:
    """Raises InThreadsAlready."""
    if in_threads_until(turn, incident):
        raise InThreadsAlready


def in_threads_until(turn: Turn, incident: Incident) -> datetime | None:
    """The deadline of the threads in which the review goes on; None where it does not."""
    going_on = InThreads.from_json(reviews.of(turn.db, incident).stepped)
    return going_on.ends_at if going_on else None


def put_away(turn: Turn, incident: Incident, *, meets_at: datetime | None = None) -> Notes:
    """Where somebody is led through it alone, that ends here; what they noted stays, and `light_put_away` says so.

    It says what the review is now instead: a meeting at that hour, or threads.
    """
    review = reviews.of(turn.db, incident)
    stepped = Stepped.from_json(review.stepped)
    if stepped is None:
        return
    review.stepped = None
    turn.db.flush()
    if may_read(turn, incident, stepped.user):
        key = stepped.key(review.id)
        yield Note.live(key, "light_put_away", stepped.user, title=incident.title, meets_at=meets_at)


def may_read(turn: Turn, incident: Incident, user: UserId) -> bool:
    """Whoever was led through it may have left the workspace, or its channel, since."""
    return incidents.by_number(turn.db, turn.team, incident.id, user) is not None


def choose(turn: Turn, incident: Incident, depth: Depth, by: UserId) -> None:
    """Write down that a person chose this way; it comes before what the policy says."""
    review = reviews.of(turn.db, incident)
    if review.depth == depth:
        return
    incidents.record_change(
        turn.db,
        incident,
        "review",
        review.id,
        what="depth",
        before=turn.asked_of(incident).depth.value,
        after=depth.value,
        by=by,
        now=turn.now,
    )
    review.depth = depth.value
    turn.db.flush()


def meet(turn: Turn, incident: Incident, by: UserId) -> None:
    """Write down that a person wants a meeting where none was asked for."""
    if turn.asked_of(incident).depth is not Depth.full:
        choose(turn, incident, Depth.full, by)


def call_off_planned(turn: Turn, incident: Incident, by: UserId) -> Meeting | None:
    """The meeting that was planned takes no place any more; None where none was."""
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if planned is None:
        return None
    reviews.call_off(turn.db, planned, now=turn.now)
    record_hour(turn, incident, planned, before=planned.meets_at, after=None, by=by)
    return planned


def record_hour(
    turn: Turn, incident: Incident, meeting: Meeting, *, before: datetime | None, after: datetime | None, by: str | None
) -> None:
    """Write into the history of a meeting that its hour is another one now, or none."""
    incidents.record_change(
        turn.db,
        incident,
        "meeting",
        meeting.id,
        what=HOUR,
        before=before.isoformat() if before else None,
        after=after.isoformat() if after else None,
        by=by,
        now=turn.now,
    )
    turn.db.flush()


def give_reason(turn: Turn, incident: Incident, meeting: Meeting, reason: str, *, by: UserId) -> None:
    """Beside its hour, and in its history: the report tells why it met late."""
    meeting.why = reason
    incidents.record_change(
        turn.db,
        incident,
        "meeting",
        meeting.id,
        what=reviews.REASON,
        before=None,
        after=reason,
        by=by,
        now=turn.now,
    )


def held(
    turn: Turn, incident: Incident, went: str, *, opened_at: datetime, by: UserId, present: Collection[UserId]
) -> Meeting:
    """Without a meeting it counts as held all the same: the draft, its actions and the report follow from here.

    `went` is the sentence with which the report tells how it was done.
    """
    review = reviews.of(turn.db, incident)
    took = int((turn.now - opened_at).total_seconds() // 60)
    meeting = reviews.add_meeting(turn.db, review, minutes=max(1, took))
    place = incidents.main_place(turn.db, incident.id)
    meeting.channel_id, meeting.thread_ts = place.channel, place.thread or None
    meeting.opened_at, meeting.ended_at = opened_at, turn.now
    for user in present:
        attending.here(turn.db, meeting, user, now=turn.now)
    reviews.note_down(turn.db, meeting, went, topic=HOW_IT_WENT, by=by, parked=None, now=turn.now)
    incidents.record_change(
        turn.db,
        incident,
        "meeting",
        meeting.id,
        what="held",
        before=None,
        after=opened_at.isoformat(),
        by=by,
        now=turn.now,
    )
    turn.db.flush()
    return meeting
