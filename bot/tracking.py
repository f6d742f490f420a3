"""An incident's standing: where it stands, how grave it is, its moments, its roles, its exits and the way back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot import costing, deciding, wording
from bot.desk import Note, Notes, Turn
from bot.review import lifecycle
from bot.review.assessment import Assessment, propose
from bot.review.impact import Impact
from bot.review.incident import (
    ChannelId,
    How,
    MomentName,
    Place,
    UserId,
    moment_order_doubt,
    read_severity,
)
from bot.review.lifecycle import Role, Stage, Who
from bot.review.policy import RAISES_SEVERITY
from bot.review.refusal import (
    AlreadyTracked,
    CannotSeeIt,
    NeedsPerson,
    NeedsReason,
    NeedsText,
    NotOneOfUs,
    ReviewClosed,
    WrongStage,
)
from bot.review.when import When
from bot.seeking import sought
from bot.wording import Thing
from storage import attending, channels, incidents, participants, people, reviews, rota
from storage.incidents import Where
from storage.models import Incident, Moment, Review

AT_MOST_MINE = 10
WRITTEN = (Stage.ended, Stage.drafted, Stage.published)
CANCELLABLE = (Stage.open, Stage.mitigated, Stage.scheduled, Stage.prepared, Stage.ended, Stage.drafted)
BEFORE_THE_MEETING = (Stage.mitigated, Stage.scheduled, Stage.prepared)
SKIPPABLE = (Stage.open, *BEFORE_THE_MEETING)


# Where it stands ---------------------------------------------------------------------


def status(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Where this incident stands, what comes next, and the buttons for it."""
    incident = incidents.at(turn.db, turn.team, where, by)
    yield Note.private(by, "status", **_standing(turn, incident, by))


def _standing(turn: Turn, incident: Incident, by: UserId) -> dict[str, Any]:
    roles, review = incidents.roles(turn.db, incident.id), reviews.of(turn.db, incident)
    moments, stage = incidents.moments(turn.db, incident.id), reviews.stage(turn.db, incident)
    planned = reviews.planned_meeting(turn.db, review)
    return {
        "incident": incident,
        "stage": stage,
        "roles": roles,
        "me": by,
        "moments": [(name.value, moments[name].at) for name in MomentName if name in moments],
        "meets_at": planned.meets_at if planned else None,
        "is_proposed": _is_proposed(review, moments.get(MomentName.mitigated)),
        "reason": review.reason,
        "long_ago": reviews.is_long_ago(turn.db, incident, now=turn.now),
        "places": channels.closed_to_us(turn.db, incident.id),
        "asked": turn.asked_of(incident),
        "goes_on": (review.stepped or {}).get("how"),
        "threads_until": deciding.in_threads_until(turn, incident),
        "house": turn.house.policy,
        "broke_again": stage in WRITTEN and MomentName.mitigated not in moments,
        "facilitates": lifecycle.may(Who.facilitating, by, roles),
        "owns": lifecycle.may(Who.owning, by, roles),
    }


def _is_proposed(review: Review, mitigated: Moment | None) -> bool:
    """Whether an hour was proposed since this mitigation, and not only after an earlier one."""
    return bool(review.proposed_at and mitigated and review.proposed_at >= mitigated.recorded_at)


def my_reviews(turn: Turn, *, by: UserId) -> Notes:
    """The reviews this person is part of, newest first, each with a button that shows it."""
    mine = incidents.mine(turn.db, turn.team, by, at_most=AT_MOST_MINE)
    yield Note.private(
        by, "my_reviews", reviews=[(incident, reviews.stage(turn.db, incident)) for incident in mine], most=AT_MOST_MINE
    )


# How grave it is -----------------------------------------------------------------------


def set_severity(turn: Turn, *, where: Where, by: UserId, words: str) -> Notes:
    """Set how grave it is; raises UnknownSeverity."""
    incident = incidents.at(turn.db, turn.team, where, by)
    severity, before = read_severity(words).value, incident.severity
    if severity != before:
        incident.severity = severity
        _record(turn, incident, "severity", before=before, after=severity, by=by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    asked = turn.asked_of(incident)
    yield Note.private(by, "severity", incident=incident, before=before, asked=asked, stepped_in=stepped_in)


def policy(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """What this incident asks for, in a few lines."""
    incident = incidents.at(turn.db, turn.team, where, by)
    yield Note.private(
        by,
        "policy",
        **_asked_for(turn, incident),
        own=turn.house.policy.own(incident.severity),
        because=_reasons(turn, incident),
        chosen=reviews.of(turn.db, incident).depth,
        may_choose_way=deciding.may_choose(turn, incident, by),
    )


def policy_in_full(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Why it asks for that, who else has a part, and what would ask for more."""
    incident = incidents.at(turn.db, turn.team, where, by)
    yield Note.private(by, "policy_all", **_asked_for(turn, incident), raises=RAISES_SEVERITY)


def _asked_for(turn: Turn, incident: Incident) -> dict[str, Any]:
    asked, house = turn.asked_of(incident), turn.house.policy
    return {
        "incident": incident,
        "asked": asked,
        "house": house,
        "asks_privately": asked.private_question and turn.house.seal is not None,
        "async_hours": round(house.async_deadline / timedelta(hours=1)),
        "threads_until": deciding.in_threads_until(turn, incident),
    }


def _reasons(turn: Turn, incident: Incident) -> tuple[str, ...]:
    """Why it is as grave as it is called, where somebody answered what matters and it came to the same."""
    proposed = propose(Assessment.from_json(incident.assessed, costing.lasted(turn.db, incident)))
    return proposed.reasons if proposed and proposed.severity == incident.severity else ()


# Its moments ---------------------------------------------------------------------------


def set_moment(turn: Turn, *, where: Where, by: UserId, name: str, when: When | None) -> Notes:
    """Set one of the five moments, to now where no time is given; one that is set stays until a time is named.

    Raises InTheFuture. The first word of a mitigation is said in the channel, in one line.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    before = incidents.moments(turn.db, incident.id).get(name)
    if before and when is None:
        yield _stands_already(turn, incident, by=by, moment=before)
        return
    at = when.past(turn.now, _zone(turn, by)) if when else turn.now
    if before is None or before.at != at:
        _set(turn, incident, name, at=at, by=by, how=How.set if when else How.recorded)
    yield _moment_answer(turn, incident, by=by, name=name, before=before, stepped_in=stepped_in)
    if name == MomentName.mitigated and before is None and reviews.stage(turn.db, incident) in BEFORE_THE_MEETING:
        yield _mitigated(turn, incident)


def clear_moment(turn: Turn, *, where: Where, by: UserId, name: str) -> Notes:
    """Take a moment back; what it was stays in its history."""
    incident = incidents.at(turn.db, turn.team, where, by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    before = incidents.moments(turn.db, incident.id).get(name)
    if before:
        _set(turn, incident, name, at=None, by=by, how=How.set)
    yield Note.private(
        by,
        "moment_cleared",
        incident=incident,
        name=name,
        before=before,
        zone=people.zone(turn.db, turn.team, by),
        stepped_in=stepped_in,
    )


def _set(turn: Turn, incident: Incident, name: str, *, at: datetime | None, by: UserId, how: How) -> None:
    before = incidents.moment(turn.db, incident.id, name)
    incidents.set_moment(turn.db, incident, name, at, by=by, how=how.value, now=turn.now)
    if before:
        _record(turn, incident, name, before=_stamp(before), after=_stamp(at), by=by)


def _stamp(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


def _stands_already(turn: Turn, incident: Incident, *, by: UserId, moment: Moment) -> Note:
    zone = people.zone(turn.db, turn.team, by)
    return Note.private(by, "moment_stands", incident=incident, moment=moment, zone=zone, now=_stamp(turn.now))


def _moment_answer(
    turn: Turn, incident: Incident, *, by: UserId, name: str, before: Moment | None, stepped_in: Any
) -> Note:
    held = {key: row.at for key, row in incidents.moments(turn.db, incident.id).items() if row.at}
    doubt = moment_order_doubt(held)
    return Note.private(
        by,
        "moment",
        incident=incident,
        name=name,
        at=held[name],
        stamp=_stamp(held[name]),
        before=before.at if before else None,
        zone=people.zone(turn.db, turn.team, by),
        doubt=doubt if doubt and f"“{name}”" in doubt.lower() else None,
        missing_mitigation=name == MomentName.resolved and MomentName.mitigated not in held,
        stage=reviews.stage(turn.db, incident),
        asked=turn.asked_of(incident),
        long_ago=reviews.is_long_ago(turn.db, incident, now=turn.now),
        lead=incidents.roles(turn.db, incident.id).lead,
        me=by,
        stepped_in=stepped_in,
    )


def _mitigated(turn: Turn, incident: Incident) -> Note:
    moment = incidents.moments(turn.db, incident.id)[MomentName.mitigated]
    return Note.once(
        f"mitigated:{incident.id}:{moment.id}",
        "moment_mitigated",
        incidents.main_place(turn.db, incident.id),
        at=moment.at,
        planned=reviews.planned_meeting(turn.db, reviews.of(turn.db, incident)),
        asked=turn.asked_of(incident),
        long_ago=reviews.is_long_ago(turn.db, incident, now=turn.now),
        lead=incidents.roles(turn.db, incident.id).lead,
    )


# Its roles -------------------------------------------------------------------------------


def take_role(turn: Turn, *, where: Where, by: UserId, role: Role, user: UserId | None) -> Notes:
    """Give a role to a person, in the open once the incident is mitigated; without a person, propose one or say who
    has it.

    Raises NotOneOfUs for programs and people who left, CannotSeeIt for whoever may not see it, and
    NeedsPerson where no proposal can be made.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    if user is None:
        yield _propose(turn, incident, by=by, role=role)
        return
    _require_fit(turn, incident, user, by=by)
    before = incidents.holding(turn.db, incident.id, role)
    yield from _give(turn, incident, role, user=user, by=by, before=before.user_id if before else None)


def _give(
    turn: Turn, incident: Incident, role: Role, *, user: UserId, by: UserId, before: str | None
) -> Iterator[Note]:
    if before != user:
        incidents.give_role(turn.db, incident, role, user, by=by, now=turn.now)
        _record(turn, incident, role.value, before=before, after=user, by=by)
        _invite(turn, incident, user)
    facts = {"incident": incident, "role": role, "user": user, "by": by, "before": before}
    yield Note.private(by, "role", **facts, other=_other_part(turn, incident, role, user=user))
    held = incidents.holding(turn.db, incident.id, role)
    if before != user and held and not _is_quiet(turn, incident):
        place = incidents.main_place(turn.db, incident.id)
        yield Note.once(f"role:{incident.id}:{held.id}", "role_taken", place, **facts)


def _invite(turn: Turn, incident: Incident, user: UserId) -> None:
    """Whoever holds a role belongs into the meeting that is planned."""
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if planned:
        attending.invite(turn.db, planned, user, core=turn.now, now=turn.now)


def _other_part(turn: Turn, incident: Incident, role: Role, *, user: UserId) -> str | None:
    """What else a facilitator is here, where that makes facilitating harder."""
    if role is not Role.facilitator:
        return None
    others = [held.value for held in incidents.roles(turn.db, incident.id).of(user) if held is not Role.facilitator]
    if others:
        return others[0]
    return "responder" if user in participants.most_active(turn.db, incident)[:3] else None


def _require_fit(turn: Turn, incident: Incident, user: UserId, *, by: UserId) -> None:
    channel = incidents.main_place(turn.db, incident.id).channel
    members = people.members(turn.db, turn.team, channel)
    if user != by and not people.is_here(turn.db, turn.team, user, members=members):
        raise NotOneOfUs(user=user)
    if incidents.by_number(turn.db, turn.team, incident.id, user) is None:
        raise CannotSeeIt


def _propose(turn: Turn, incident: Incident, *, by: UserId, role: Role) -> Note:
    if role not in {Role.facilitator, Role.scribe}:
        raise NeedsPerson(verb=role.value)
    held = incidents.holding(turn.db, incident.id, role)
    if held:
        return Note.private(by, "role_held", user=held.user_id, me=by, role=role)
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    first = next(iter(rota.in_turn(turn.db, incident, sought(turn, role, planned))), None)
    if first is None:
        raise NeedsPerson(verb=role.value)
    last = incidents.last_held(turn.db, turn.team, role).get(first.user)
    facts = {"user": first.user, "last": last, "responded": first.responded}
    return Note.private(by, "role_proposed", incident=incident, role=role, **facts)


# Its summary and impact --------------------------------------------------------------------


def set_summary(turn: Turn, *, where: Where, by: UserId, text: str) -> Notes:
    """The one paragraph: what happened, what was felt, how it was fixed."""
    incident = incidents.at(turn.db, turn.team, where, by)
    words, before = text.strip(), incident.summary
    if not words:
        raise NeedsText(verb="summary", example="Payments were slow for 40 minutes; rolling back mended it.")
    if words != before:
        incident.summary = words
        _record(turn, incident, "summary", before=before, after=words, by=by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    yield Note.private(by, "summary", incident=incident, before=before, stepped_in=stepped_in)
    yield from wording.look_over(turn, incident, Thing.summary, by=by, number=0, text=words)


def show_summary(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """The paragraph as it stands."""
    incident = incidents.at(turn.db, turn.team, where, by)
    yield Note.private(by, "summary_shown", incident=incident)


def set_impact(turn: Turn, *, where: Where, by: UserId, impact: Impact) -> Notes:
    """What was felt and by whom, as the form says it."""
    incident = incidents.at(turn.db, turn.team, where, by)
    before = Impact.from_json(incident.impact)
    if turn.house.policy.rates.revenue_per_minute is None:
        impact = replace(impact, lost=before.lost)  # The form asks for it only where a rate is set.
    if impact != before:
        incident.impact = impact.to_json()
        _record(turn, incident, "impact", before=_in_lines(before), after=_in_lines(impact), by=by)
    stepped_in = incidents.first_to_act(turn.db, incident, by, now=turn.now)
    facts = {"changed": impact != before, "stepped_in": stepped_in, **_took(turn, incident, by)}
    yield Note.private(by, "impact", incident=incident, impact=impact, **facts)


def show_impact(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """What is known of it."""
    incident = incidents.at(turn.db, turn.team, where, by)
    impact = Impact.from_json(incident.impact)
    yield Note.private(by, "impact_shown", incident=incident, impact=impact, **_took(turn, incident, by))


def _took(turn: Turn, incident: Incident, by: UserId) -> dict[str, Any]:
    """What it took: totals for everybody, and of single people's hours each their own."""
    took = costing.effort(turn.db, incident, turn.house)
    return {
        "took": took,
        "mine": took.by_person.get(by),
        "costs": costing.money(turn.db, incident, turn.house, took),
    }


def _in_lines(impact: Impact) -> str | None:
    return "\n".join(f"{label}: {words}" for label, words in impact.lines()) or None


# The exits, and the way back ------------------------------------------------------------------


def cancel(turn: Turn, *, where: Where, by: UserId, reason: str) -> Notes:
    """A false alarm or a duplicate: no review, and nothing more is kept."""
    yield from _leave(turn, where, by=by, verb="cancel", exit_to=Stage.cancelled, reason=reason.strip())


def skip(turn: Turn, *, where: Where, by: UserId, reason: str) -> Notes:
    """No review is wanted."""
    yield from _leave(turn, where, by=by, verb="skip", exit_to=Stage.skipped, reason=reason.strip())


def _leave(turn: Turn, where: Where, *, by: UserId, verb: str, exit_to: Stage, reason: str) -> Iterator[Note]:
    incident = incidents.at(turn.db, turn.team, where, by)
    lifecycle.require(Who.facilitating, by, incidents.roles(turn.db, incident.id), verb)
    if not reason:
        raise NeedsReason(verb=verb)
    stage, quiet = reviews.stage(turn.db, incident), _is_quiet(turn, incident)
    _require_a_way_out(stage, exit_to, verb=verb)
    if stage is not exit_to:
        _write_exit(turn, incident, exit_to, reason=reason, by=by)
    facts = {"incident": incident, "reason": reviews.of(turn.db, incident).reason, "by": by}
    yield Note.private(by, exit_to.value, **facts)
    if stage is not exit_to and not quiet:
        key = f"{exit_to.value}:{incident.id}:{_times(turn, incident, exit_to.value)}"
        yield Note.once(key, f"{exit_to.value}_here", incidents.main_place(turn.db, incident.id), **facts)


def must_be_cancellable(turn: Turn, incident: Incident) -> None:
    """Before anybody is asked whether they mean it; raises ReviewClosed and WrongStage."""
    _require_a_way_out(reviews.stage(turn.db, incident), Stage.cancelled, verb="cancel")


def must_be_skippable(turn: Turn, incident: Incident) -> None:
    """Before anybody is asked whether they mean it; raises ReviewClosed and WrongStage."""
    _require_a_way_out(reviews.stage(turn.db, incident), Stage.skipped, verb="skip")


def _require_a_way_out(stage: Stage, exit_to: Stage, *, verb: str) -> None:
    if stage is Stage.closed:
        raise ReviewClosed
    if stage is not exit_to and stage not in (CANCELLABLE if exit_to is Stage.cancelled else SKIPPABLE):
        raise WrongStage(stage=stage.label, verb=verb)


def _write_exit(turn: Turn, incident: Incident, exit_to: Stage, *, reason: str, by: UserId) -> None:
    """Set the moment of leaving, call off the planned meeting, stop listening."""
    review = reviews.of(turn.db, incident)
    setattr(review, f"{exit_to.value}_at", turn.now)
    review.reason = reason
    planned = reviews.planned_meeting(turn.db, review)
    if planned:
        reviews.call_off(turn.db, planned, now=turn.now)
    incidents.stop_listening(turn.db, incident.id, now=turn.now)
    _record(turn, incident, exit_to.value, before=None, after=reason, by=by)


def reopen(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """It broke again: mitigation and resolution are cleared, exits lifted, and the incident listened to again.

    Raises AlreadyTracked where another incident has taken its place meanwhile.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    lifecycle.require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "reopen")
    stage, mitigated = reviews.stage(turn.db, incident), incidents.moment(turn.db, incident.id, "mitigated")
    if stage is not Stage.open:
        _require_places_free(turn, incident, by)
        _bring_back(turn, incident, by=by)
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    yield Note.private(
        by,
        "reopened",
        incident=incident,
        was=stage,
        mitigated=mitigated,
        stamp=_stamp(mitigated),
        zone=people.zone(turn.db, turn.team, by),
        meets_at=planned.meets_at if planned else None,
    )


def _require_places_free(turn: Turn, incident: Incident, by: UserId) -> None:
    for source in incidents.sources(turn.db, incident.id):
        channels.hold(turn.db, turn.team, source.channel_id)
        holder = incidents.spoken_of(turn.db, turn.team, Place(ChannelId(source.channel_id), source.thread_ts))
        if holder and holder.id != incident.id:
            raise AlreadyTracked(title=incidents.title_for(turn.db, turn.team, holder, by))


def _bring_back(turn: Turn, incident: Incident, *, by: UserId) -> None:
    review = reviews.of(turn.db, incident)
    was = reviews.stage(turn.db, incident)
    for name in (MomentName.mitigated, MomentName.resolved):
        if incidents.moment(turn.db, incident.id, name):
            _set(turn, incident, name, at=None, by=by, how=How.set)
    review.cancelled_at = review.skipped_at = review.closed_at = review.reason = None
    if reviews.planned_meeting(turn.db, review) is None:
        review.proposed_at = None
    incidents.listen_again(turn.db, incident.id)
    _record(turn, incident, "reopened", before=was.value, after=None, by=by)


# Shared by all of these ----------------------------------------------------------------------


def _is_quiet(turn: Turn, incident: Incident) -> bool:
    """During the fire nothing is said in the channel unasked."""
    return incidents.moment(turn.db, incident.id, "mitigated") is None


def _times(turn: Turn, incident: Incident, what: str) -> int:
    return sum(change.what == what for change in incidents.changes(turn.db, incident.id, "incident"))


def _record(
    turn: Turn, incident: Incident, what: str, *, before: str | None, after: str | None, by: UserId | None
) -> None:
    incidents.record_change(
        turn.db, incident, "incident", incident.id, what=what, before=before, after=after, by=by, now=turn.now
    )
    turn.db.flush()


def _zone(turn: Turn, by: UserId) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, by))
