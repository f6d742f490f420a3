"""Leaders: those who come get five private lines on how to take part, the others a page of their own (S2)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.policy import Depth, Pool
from bot.review.refusal import NeedsPerson, NothingScheduled
from bot.sitting import must_be_able_to_come
from storage import attending, groups, incidents, outbox, reviews
from storage.incidents import Where
from storage.models import Incident, Meeting

BEFORE = timedelta(hours=48)
"""So long ahead of the meeting the lines may come: two of a leader's days, on one of which nothing else was said."""
AFTER = timedelta(hours=24)
"""So long after mitigation leaders are briefed where no meeting has a pre-read to wait for."""
BRIEF_FOR = timedelta(days=14)
"""An incident opened longer ago than this is no news to anybody."""


def name_leaders(turn: Turn, *, where: Where, by: UserId, users: Sequence[UserId]) -> Notes:
    """Ask leaders to come, as readers of the room and not as its core; says `leaders_named`, and nothing in public."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "leaders")
    meeting = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if meeting is None:
        raise NothingScheduled
    if not users:
        raise NeedsPerson(verb="leaders")
    for user in users:
        must_be_able_to_come(turn, incident, user)
    for user in dict.fromkeys(users):
        attending.name_leader(turn.db, incident, meeting, user, by=by, now=turn.now)
    yield Note.private(by, "leaders_named", users=list(dict.fromkeys(users)), meeting=meeting)


def brief_leaders(turn: Turn) -> Notes:
    """When each may be written to: `leader_lines` to those who come, `leader_briefing` to those who do not; once."""
    told: set[UserId] = set()
    for user, note in [*_to_those_who_come(turn), *_to_those_who_do_not(turn)]:
        if user not in told:
            told.add(user)
            yield note


def _to_those_who_come(turn: Turn) -> Iterator[tuple[UserId, Note]]:
    """In the two days before their meeting."""
    for meeting, incident in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + BEFORE):
        for user in attending.leaders(turn.db, incident, meeting):
            if _is_to_be_told(turn, incident, meeting, user=user):
                yield user, _lines(turn, incident, meeting, user=user)


def _is_to_be_told(turn: Turn, incident: Incident, meeting: Meeting, *, user: UserId) -> bool:
    return outbox.find(turn.db, turn.team, _key(meeting, user)) is None and turn.may_tell(user, incident)


def _lines(turn: Turn, incident: Incident, meeting: Meeting, *, user: UserId) -> Note:
    place = reviews.place_of(turn.db, incident, meeting)
    return Note.once(
        _key(meeting, user),
        "leader_lines",
        user,
        title=incident.title,
        meeting=meeting,
        channel=place.channel,
        facilitator=incidents.roles(turn.db, incident.id).facilitator_or_lead,
    )


def _key(meeting: Meeting, user: UserId) -> str:
    return f"leader-lines:{meeting.id}:{user}"


# Those who do not come ------------------------------------------------------------------------


def _to_those_who_do_not(turn: Turn) -> Iterator[tuple[UserId, Note]]:
    """Where the policy asks for it: from the pre-read on, until the report is published."""
    if turn.house.policy.leaders == Pool():
        return
    for incident in reviews.unpublished(turn.db, turn.team, opened_since=turn.now - BRIEF_FOR):
        if _is_to_be_briefed(turn, incident):
            for user in _who_do_not_come(turn, incident):
                if turn.may_tell(user, incident):
                    yield user, _page(turn, incident, user=user)


def _is_to_be_briefed(turn: Turn, incident: Incident) -> bool:
    asked, over_at = turn.asked_of(incident), reviews.over_since(turn.db, incident)
    if not asked.briefing or asked.depth is Depth.none or over_at is None:
        return False
    has_no_meeting = asked.depth is not Depth.full and over_at <= turn.now - AFTER
    return has_no_meeting or reviews.of(turn.db, incident).pre_read_sent_at is not None


def _who_do_not_come(turn: Turn, incident: Incident) -> Sequence[UserId]:
    """Leaders who have no part in the review, and no page yet."""
    meetings = reviews.meetings(turn.db, reviews.of(turn.db, incident))
    come = {row.user_id for meeting in meetings for row in attending.attendees(turn.db, meeting)}
    held = incidents.roles(turn.db, incident.id)
    part = come | {held.lead, held.facilitator, held.scribe, held.owner}
    pool = [user for user in groups.pool(turn.db, turn.team, turn.house.policy.leaders) if user not in part]
    return [user for user in pool if outbox.find(turn.db, turn.team, _page_key(turn, incident, user)) is None]


def _page_key(turn: Turn, incident: Incident, user: UserId) -> str:
    return f"leader-briefing:{reviews.of(turn.db, incident).id}:{user}"


def _page(turn: Turn, incident: Incident, *, user: UserId) -> Note:
    review, roles = reviews.of(turn.db, incident), incidents.roles(turn.db, incident.id)
    meeting = reviews.planned_meeting(turn.db, review)
    return Note.once(
        _page_key(turn, incident, user),
        "leader_briefing",
        user,
        title=incident.title,
        severity=incident.severity,
        over_at=reviews.over_since(turn.db, incident),
        summary=incident.summary,
        impact=Impact.from_json(incident.impact).lines(),
        durations=reviews.lengths(turn.db, incident),
        meets_at=meeting.meets_at if meeting else None,
        has_met=reviews.last_held(turn.db, review) is not None,
        facilitator=roles.facilitator_or_lead,
        lead=roles.lead,
    )
