"""From mitigation to the meeting: its hour, proposed, booked and moved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot import agreeing, deciding, pre_reading, sitting
from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId, in_hours, in_words
from bot.review.lifecycle import Who, require
from bot.review.meeting_time import next_working_moment
from bot.review.policy import Depth
from bot.review.refusal import (
    InThePast,
    NeedsHour,
    NeedsReason,
    NothingScheduled,
    TooFarAhead,
)
from bot.review.when import When
from storage import (
    attending,
    candidates,
    incidents,
    meetings_apart,
    outbox,
    people,
    presence,
    reviews,
)
from storage.incidents import Where
from storage.models import Change, Incident, Meeting

AT_ONCE, FURTHER = 3, 6
"""Hours that are proposed, and that are shown to whoever wants others."""
FARTHEST = timedelta(days=366)
"""Ahead; a year that is farther away is a slip of the keyboard."""
LONGEST_REASON = 600
"""Letters of a reason that a button carries, and that are told."""
NOTHING_NEW: Mapping[str, Any] = {"why": None, "outside": (), "busy": ()}


# The hour --------------------------------------------------------------------------------


def schedule(turn: Turn, *, where: Where, by: UserId, when: When | None = None, reason: str = "") -> Notes:
    """Propose an hour, book the one named, or move the meeting to it; a move without a reason is asked for one."""
    incident, planned = _to_be_met_about(turn, where, by, "schedule")
    if when is None:
        yield _planned(turn, incident, planned, by) if planned else _proposed(turn, incident, by)
        return
    at = _to_come(turn, when, by)
    if planned:
        yield from _move(turn, incident, planned, at=at, by=by, reason=reason.strip())
    elif deciding.in_threads_until(turn, incident):
        yield _asks_first(turn, incident, at, by=by, reason=reason.strip())
    else:
        yield from _book(turn, incident, at, by=by, reason=reason.strip())


def choose(turn: Turn, *, where: Where, by: UserId, when: When, reason: str = "") -> Notes:
    """Book an hour that was proposed; where a meeting is booked by now, it moves with a reason and not by one press."""
    incident, planned = _to_be_met_about(turn, where, by, "schedule")
    at = _still_to_come(turn, when, by)
    if planned and at and (reason.strip() or at == planned.meets_at):
        yield from _move(turn, incident, planned, at=at, by=by, reason=reason.strip())
    elif planned:
        yield _planned(turn, incident, planned, by, to=at)
    elif at is None:
        yield _proposed(turn, incident, by, has_passed=True)
    elif deciding.in_threads_until(turn, incident):
        yield _asks_first(turn, incident, at, by=by, reason=reason.strip())
    else:
        told = _proposed_hours(turn, incident)
        yield from _book(turn, incident, at, by=by, reason=reason.strip(), told=told)


def meet_instead(turn: Turn, *, where: Where, by: UserId, when: When, reason: str = "") -> Notes:
    """Book an hour in place of the threads in which the review goes on; they end, and their overview says so."""
    incident, planned = _to_be_met_about(turn, where, by, "schedule")
    if planned or deciding.in_threads_until(turn, incident) is None:
        yield from choose(turn, where=where, by=by, when=when, reason=reason)
    else:
        yield from _book(turn, incident, _to_come(turn, when, by), by=by, reason=reason.strip())


def postpone(turn: Turn, *, where: Where, by: UserId, when: When | None, reason: str) -> Notes:
    """Move the meeting and say why; everybody hears of it once."""
    incident, planned = _to_be_moved(turn, where, by)
    if when is None:
        raise NeedsHour
    why, at = _given(reason, f"postpone {when.words}"), _to_come(turn, when, by)
    yield from _move(turn, incident, planned, at=at, by=by, reason=why)


def call_off(turn: Turn, *, where: Where, by: UserId, reason: str) -> Notes:
    """The meeting does not take place, and why (`meeting_off`); everybody hears of it once, and may plan it anew."""
    incident, planned = _to_be_moved(turn, where, by)
    deciding.give_reason(turn, incident, planned, _given(reason, "postpone off"), by=by)
    reviews.call_off(turn.db, planned, now=turn.now)
    reviews.of(turn.db, incident).proposed_at = turn.now  # Whoever called it off says what follows, and is not asked.
    deciding.record_hour(turn, incident, planned, before=planned.meets_at, after=None, by=by)
    apart = [one.apart for one in meetings_apart.planned(turn.db, reviews.of(turn.db, incident))]
    yield Note.once(
        f"called-off:{planned.id}",
        "meeting_off",
        reviews.place_of(turn.db, incident, planned),
        title=incident.title,
        meeting=planned,
        by=by,
        reason=planned.why,
        core=attending.core(turn.db, planned),
        apart=apart,
    )
    yield from pre_reading.kept_right(turn, incident, planned)
    yield Note.private(by, "meeting_off_said", incident=incident.id, apart=apart)


def explain(turn: Turn, *, where: Where, by: UserId, reason: str) -> Notes:
    """Why the meeting was moved: it stands beside the hour that was told, and nobody is told again."""
    incident, planned = _to_be_moved(turn, where, by)
    yield from _explained(turn, incident, planned, _given(reason, "postpone why"), by=by)
    yield Note.private(by, "meeting_explained", reason=planned.why)


@dataclass(frozen=True, slots=True)
class Further:
    """Hours to choose from beside the three that were proposed, the zone they are told in, and the one it has."""

    offers: Sequence[agreeing.Offer]
    zone: str
    stands: datetime | None


def further(turn: Turn, *, where: Where, by: UserId) -> Further:
    """For whoever wants another time than those."""
    incident, planned = _to_be_met_about(turn, where, by, "schedule")
    core, shown = sitting.proposal(turn, incident).core, _proposed_hours(turn, incident)
    offers = agreeing.offers(turn, incident, core, at_most=AT_ONCE + FURTHER)
    zone, stands = agreeing.lead_zone(turn, incident).key, planned.meets_at if planned else None
    return Further([offer for offer in offers if offer.at not in shown and offer.at != stands], zone, stands)


def planned_for(turn: Turn, *, where: Where, by: UserId) -> Meeting:
    """The meeting that somebody may move; raises NotYours and NothingScheduled."""
    return _to_be_moved(turn, where, by)[1]


def _to_be_moved(turn: Turn, where: Where, by: UserId) -> tuple[Incident, Meeting]:
    incident, planned = _to_be_met_about(turn, where, by, "postpone")
    if planned is None:
        raise NothingScheduled
    return incident, planned


def _given(reason: str, verb: str) -> str:
    if not reason.strip():
        raise NeedsReason(verb=verb)
    return reason.strip()


def _to_be_met_about(turn: Turn, where: Where, by: UserId, verb: str) -> tuple[Incident, Meeting | None]:
    """The incident and the meeting that is planned; where it was asked, with nobody there, everybody may move it."""
    incident = incidents.at(turn.db, turn.team, where, by)
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if planned is None or planned.asked_at is None:
        require(Who.facilitating, by, incidents.roles(turn.db, incident.id), verb)
    deciding.must_go_on(turn, incident, verb)
    return incident, planned


def _proposed(turn: Turn, incident: Incident, by: UserId, *, has_passed: bool = False) -> Note:
    """Three hours, at once; a lead who has read them is not asked again, unless more is known in a minute."""
    reads_on = _awaits_calendars(turn, incident)
    is_the_question = _asks_the_lead(turn, incident, by) and not reads_on
    if is_the_question:
        reviews.of(turn.db, incident).proposed_at = turn.now
    return Note.private(
        by,
        "schedule_proposed",
        **_proposal_facts(turn, incident),
        asks_severity=is_the_question and _asks_severity(incident),
        zone=_zone(turn, by).key,
        has_passed=has_passed,
        reads_on=reads_on,
        in_threads_until=deciding.in_threads_until(turn, incident),
    )


def _asks_the_lead(turn: Turn, incident: Incident, by: UserId) -> bool:
    """Whether this is what the lead would be asked unasked in their working hours."""
    return incidents.roles(turn.db, incident.id).lead == by and turn.asked_of(incident).depth is Depth.full


def _proposed_hours(turn: Turn, incident: Incident) -> set[datetime]:
    return {offer.at for offer in agreeing.offers(turn, incident, sitting.proposal(turn, incident).core)}


def _proposal_facts(turn: Turn, incident: Incident) -> dict[str, Any]:
    """Three hours to choose from, in the lead's zone, the best one first."""
    return {
        "incident": incident.id,
        "offers": agreeing.offers(turn, incident, sitting.proposal(turn, incident).core),
        "lead_zone": agreeing.lead_zone(turn, incident).key,
        "minutes": turn.asked_of(incident).minutes,
    }


def _planned(turn: Turn, incident: Incident, meeting: Meeting, by: UserId, *, to: datetime | None = None) -> Note:
    """When it is planned, and what moves it: to the hour that somebody chose, if they did."""
    facts = {"zone": _zone(turn, by).key, "to": to, "has_passed": (meeting.meets_at or turn.now) < turn.now}
    said = sitting.answers(turn, meeting)
    return Note.private(by, "schedule_stands", incident=incident.id, meeting=meeting, **facts, **said)


def _asks_first(turn: Turn, incident: Incident, at: datetime, *, by: UserId, reason: str) -> Note:
    """Others write in the threads: they end only when somebody says so; the button types the reason, too."""
    typed = agreeing.as_typed(at)
    return Note.private(
        by,
        "schedule_instead",
        incident=incident.id,
        at=at,
        typed=f"{typed} because {reason[:LONGEST_REASON]}" if reason else typed,
        ends_at=deciding.in_threads_until(turn, incident),
        zone=_zone(turn, by).key,
    )


def _book(
    turn: Turn, incident: Incident, at: datetime, *, by: UserId, reason: str = "", told: Collection[datetime] = ()
) -> Notes:
    """Book it; of an hour that was told of already, the answer does not tell again what it is like."""
    deciding.meet(turn, incident, by)
    yield from deciding.put_away(turn, incident, meets_at=at)
    met = reviews.last_met(turn.db, incident)
    core = attending.core(turn.db, met) if met else sitting.proposal(turn, incident).core
    busy = agreeing.busy_at(turn, incident, core, at)
    meeting = _new_meeting(turn, incident, at, by)
    if reason:
        deciding.give_reason(turn, incident, meeting, reason, by=by)
    deciding.record_hour(turn, incident, meeting, before=None, after=at, by=by)
    yield Note.once(
        _announcement(turn, incident, meeting),
        "schedule_announced",
        reviews.place_of(turn.db, incident, meeting),
        title=incident.title,
        meeting=meeting,
        met_at=met.opened_at if met else None,
        core=attending.core(turn.db, meeting),
        facilitator=incidents.roles(turn.db, incident.id).facilitator,
        by=by,
        reason=reason,
        **sitting.for_calendars(turn, incident, meeting),
    )
    news = NOTHING_NEW if at in told else _news(turn, incident, meeting, reason=reason, busy=busy)
    yield Note.private(by, "schedule_booked", **_booked_facts(turn, incident, meeting, by), **news, asks_why=False)


def _new_meeting(turn: Turn, incident: Incident, at: datetime, by: UserId) -> Meeting:
    reviews.of(turn.db, incident).pre_read_sent_at = None  # That was for an earlier meeting; this one gets its own.
    meeting = reviews.plan(
        turn.db,
        incident,
        at=at,
        minutes=turn.asked_of(incident).minutes,
        by=by,
        now=turn.now,
        speakers=turn.house.policy.business,
    )
    # A further meeting is late for nothing.
    why = None if reviews.last_met(turn.db, incident) else _why(turn, incident, at)
    meeting.why, meeting.call = why, sitting.call_of(turn, incident)
    _weigh(turn, incident, meeting)
    return meeting


def _move(turn: Turn, incident: Incident, meeting: Meeting, *, at: datetime, by: UserId, reason: str) -> Notes:
    """To another hour, for which everybody is asked anew; at the hour it has already, nobody is told."""
    if at == meeting.meets_at:
        yield from _stays(turn, incident, meeting, by=by, reason=reason)
        return
    before, busy = meeting.meets_at, agreeing.busy_at(turn, incident, attending.core(turn.db, meeting), at)
    reviews.move(turn.db, meeting, to=at, by=by, now=turn.now)
    attending.ask_anew(turn.db, meeting)
    meeting.why = _why(turn, incident, at)
    if reason:
        deciding.give_reason(turn, incident, meeting, reason, by=by)
    _weigh(turn, incident, meeting)
    deciding.record_hour(turn, incident, meeting, before=before, after=at, by=by)
    yield _moved(turn, incident, meeting, before=before, by=by, reason=reason)
    yield from pre_reading.kept_right(turn, incident, meeting)
    news = _news(turn, incident, meeting, reason=reason, busy=busy)
    yield Note.private(
        by, "schedule_booked", **_booked_facts(turn, incident, meeting, by, before), **news, asks_why=not reason
    )


def _stays(turn: Turn, incident: Incident, meeting: Meeting, *, by: UserId, reason: str) -> Notes:
    """The hour is the one it has; a reason is kept beside it all the same."""
    if reason:
        yield from _explained(turn, incident, meeting, reason, by=by)
        yield Note.private(by, "meeting_stays", meeting=meeting, zone=_zone(turn, by).key, reason=reason)
    else:
        yield _planned(turn, incident, meeting, by)


def _explained(turn: Turn, incident: Incident, meeting: Meeting, reason: str, *, by: UserId) -> Notes:
    """What was said of its last move says the reason from now on."""
    deciding.give_reason(turn, incident, meeting, reason, by=by)
    last = next(iter(reversed(_hours(turn, incident, meeting))), None)
    if last and last.before and last.after:
        yield _moved(turn, incident, meeting, before=datetime.fromisoformat(last.before), by=by, reason=reason)


def _moved(
    turn: Turn, incident: Incident, meeting: Meeting, *, before: datetime | None, by: UserId, reason: str
) -> Note:
    return Note.live(
        _announcement(turn, incident, meeting),
        "postponed",
        reviews.place_of(turn.db, incident, meeting),
        title=incident.title,
        meeting=meeting,
        before=before,
        by=by,
        reason=reason,
        core=attending.core(turn.db, meeting),
        **sitting.for_calendars(turn, incident, meeting),
    )


def _why(turn: Turn, incident: Incident, at: datetime) -> str | None:
    """Why it meets at an hour that does not suit everybody, or later than the policy wants, where it does."""
    best = agreeing.offers(turn, incident, sitting.proposal(turn, incident).core, at_most=1)[0]
    over_at = reviews.over_since(turn.db, incident)
    is_late = over_at is not None and at - over_at >= turn.house.policy.window[1] + timedelta(minutes=1)
    if at == best.at and best.why:
        return best.why
    if is_late and at < best.at and best.in_the_way:
        return best.in_the_way
    if over_at is None or not is_late:
        return None
    return _late(at - over_at, wanted=turn.house.policy.window[1])


def _late(later: timedelta, *, wanted: timedelta) -> str:
    """In hours where days would sound like what is wanted."""
    tell = in_hours if later < wanted + timedelta(days=1) else in_words
    after, within = tell(int(later.total_seconds())), round(wanted / timedelta(hours=1))
    return f"That is {after} after mitigation; a review is wanted within {within} hours, while it is fresh."


def _weigh(turn: Turn, incident: Incident, meeting: Meeting) -> None:
    """Remember whose evening or morning it takes: the next time it is somebody else's."""
    hour = agreeing.hour_at(turn, incident, attending.core(turn.db, meeting), meeting)
    meeting.burden = {strain.user: strain.minutes for strain in hour.strained} or None


def _announcement(turn: Turn, incident: Incident, meeting: Meeting) -> str:
    """The key of one move: a meeting moved away and back is told twice, one booked twice is told once."""
    return f"scheduled:{meeting.id}:{meeting.meets_at:%Y%m%dT%H%M}:{len(_hours(turn, incident, meeting))}"


def _hours(turn: Turn, incident: Incident, meeting: Meeting) -> Sequence[Change]:
    """Each time that its hour became another one, oldest first."""
    every = incidents.changes(turn.db, incident.id, "meeting")
    return [change for change in every if change.subject_id == meeting.id and change.what == deciding.HOUR]


def _booked_facts(
    turn: Turn, incident: Incident, meeting: Meeting, by: UserId, before: datetime | None = None
) -> dict[str, Any]:
    meets_at, policy = meeting.meets_at or turn.now, turn.house.policy
    leads = incidents.roles(turn.db, incident.id).lead == by
    met = reviews.last_met(turn.db, incident) if before is None else None
    return {
        "meeting": meeting,
        "before": before,
        "met_at": met.opened_at if met else None,
        "worth": _offer(turn, incident) if leads and before is None else None,
        "zone": _zone(turn, by).key,
        "pre_read": policy.pre_read_words,
        "pre_read_is_sent": reviews.of(turn.db, incident).pre_read_sent_at is not None,
        "pre_read_is_due": meets_at - policy.pre_read_lead <= turn.now,
        **sitting.advice(turn, incident, meeting),
    }


def _news(turn: Turn, incident: Incident, meeting: Meeting, *, reason: str, busy: Sequence[UserId]) -> dict[str, Any]:
    """What the hour is like, for whoever named it; their own reason they know."""
    hour = agreeing.hour_at(turn, incident, attending.core(turn.db, meeting), meeting)
    return {"why": None if reason else meeting.why, "outside": agreeing.outside(turn, hour), "busy": busy}


def _to_come(turn: Turn, when: When, by: UserId) -> datetime:
    """The hour that somebody named; raises InThePast and TooFarAhead."""
    at = when.future(turn.now, _zone(turn, by))
    if at > turn.now + FARTHEST:
        raise TooFarAhead(words=when.words)
    return at


def _still_to_come(turn: Turn, when: When, by: UserId) -> datetime | None:
    """An hour that was to choose from, and may have passed since; raises TooFarAhead."""
    try:
        return _to_come(turn, when, by)
    except InThePast:
        return None


def _zone(turn: Turn, user: str | None) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, user))


# What the clock asks -------------------------------------------------------------------------


def propose_due(turn: Turn) -> Notes:
    """After mitigation, in the lead's next working hour: an hour to say yes to, by direct message (`proposal`)."""
    for incident, lead in deciding.to_ask(turn, Depth.full, ready=_is_ready):
        yield _proposal(turn, incident, lead)


def _is_ready(turn: Turn, incident: Incident) -> bool:
    if outbox.find(turn.db, turn.team, _proposal_key(turn, incident)):
        return False  # A clock that was set back since makes no second question of it.
    return not _awaits_calendars(turn, incident)


def _awaits_calendars(turn: Turn, incident: Incident) -> bool:
    """Whether it is known in a minute who is busy, and not yet; read they are where the policy asks for a meeting."""
    over = reviews.over(turn.db, incident)
    if over is None or turn.asked_of(incident).depth is not Depth.full:
        return False
    return turn.awaits_calendars(sitting.proposal(turn, incident).core, since=over.recorded_at)


def _proposal(turn: Turn, incident: Incident, lead: UserId) -> Note:
    reviews.of(turn.db, incident).proposed_at = turn.now
    place = incidents.main_place(turn.db, incident.id)
    return Note.once(
        _proposal_key(turn, incident),
        "proposal",
        lead,
        title=incident.title,
        over_at=reviews.over_since(turn.db, incident),
        channel=place.channel,
        days_late=_days_late(turn, incident, lead),
        worth=_offer(turn, incident),
        asks_severity=_asks_severity(incident),
        **_proposal_facts(turn, incident),
    )


def _proposal_key(turn: Turn, incident: Incident) -> str:
    over = reviews.over(turn.db, incident)
    return f"proposal:{reviews.of(turn.db, incident).id}:{over.id if over else 0}"


def _days_late(turn: Turn, incident: Incident, lead: UserId) -> int:
    """After the lead's first working moment, where we were away then."""
    over, zone = reviews.over(turn.db, incident), _zone(turn, lead)
    off = turn.days_off(zone.key)
    since = over.recorded_at if over else turn.now
    meant_for = next_working_moment(since, zone, turn.house.working_hours, off.weekends, off.holidays)
    return presence.days_late(turn.db, turn.team, meant_for, now=turn.now)


def _asks_severity(incident: Incident) -> bool:
    return not (incident.severity or incident.assessed)


@dataclass(frozen=True, slots=True)
class Worth:
    """How many messages may belong on the timeline, and how many of them are suggested."""

    total: int
    suggested: int


def _offer(turn: Turn, incident: Incident) -> Worth | None:
    """Messages worth adding, which are offered with the hour, once; None where the lead has seen them already."""
    review, over = reviews.of(turn.db, incident), reviews.over(turn.db, incident)
    if review.candidates_offered_at and over and review.candidates_offered_at >= over.recorded_at:
        return None
    review.candidates_offered_at = turn.now
    found = candidates.offered(turn.db, incident.id)
    return Worth(len(found), sum(one.candidate.is_sure for one in found)) if found else None


def moves_due(turn: Turn) -> Notes:
    """It broke again: a meeting not yet held is called off (`meeting_called_off`), and nobody is called for that.

    The next mitigation brings a new proposal.
    """
    for meeting, incident in reviews.planned_too_soon(turn.db, turn.team):
        reviews.call_off(turn.db, meeting, now=turn.now)
        deciding.record_hour(turn, incident, meeting, before=meeting.meets_at, after=None, by=None)
        yield Note.once(
            f"called-off:{meeting.id}",
            "meeting_called_off",
            reviews.place_of(turn.db, incident, meeting),
            title=incident.title,
            meets_at=meeting.meets_at,
        )
        yield from pre_reading.kept_right(turn, incident, meeting)
