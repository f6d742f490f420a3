"""Who may come to a meeting, who is missing from it, and who may move the one that is open."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot import calendars
from bot.desk import Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.participants import FEWEST, Proposal
from bot.review.refusal import CannotSeeIt, NothingScheduled, NotInMeeting, NotOneOfUs
from storage import attending, groups, incidents, participants, people, reviews, sealed, sittings
from storage.incidents import Where
from storage.models import Incident, Meeting
from storage.sittings import Sitting

CALL_BEFORE = timedelta(minutes=10)
"""Who comes to a meeting is called so long before its hour."""
STILL_WORTH_CALLING = timedelta(minutes=5)
"""After the hour, where the bot was away at the time of the call."""


def must_be_able_to_come(turn: Turn, incident: Incident, user: UserId) -> None:
    """Raises NotOneOfUs and CannotSeeIt."""
    if not people.is_one_of_us(turn.db, turn.team, user):
        raise NotOneOfUs(user=user)
    if incidents.by_number(turn.db, turn.team, incident.id, user) is None:
        raise CannotSeeIt


def for_calendars(turn: Turn, incident: Incident, meeting: Meeting) -> Mapping[str, Any]:
    """Links that add a meeting to a calendar by hand, and of which incident the buttons speak."""
    now = calendars.appointment(turn.db, turn.house, incident, meeting)
    google, outlook = calendars.google_link(now), calendars.outlook_link(now)
    return {"incident": incident.id, "google": google, "outlook": outlook}


def call_of(turn: Turn, incident: Incident) -> str | None:
    """Where the meetings of an incident are held besides Slack; None where they are not."""
    return calendars.call_of(turn.house, incident) or None


def answers(turn: Turn, meeting: Meeting) -> Mapping[str, Any]:
    """Which core attendees said that they come, and which that they cannot."""
    asked = [row for row in attending.attendees(turn.db, meeting) if row.core_since]
    return {
        "coming": [row.user_id for row in asked if row.answer == "yes"],
        "cannot": [row.user_id for row in asked if row.answer == "no"],
    }


def open_now(turn: Turn, where: Where, by: UserId) -> Sitting:
    """Raises NotInMeeting."""
    sitting = sittings.of(turn.db, incidents.at(turn.db, turn.team, where, by))
    if sitting is None:
        raise NotInMeeting
    return sitting


def led_by(turn: Turn, where: Where, by: UserId, verb: str) -> Sitting:
    """For who leads it; for everybody where it runs by itself. Raises NotInMeeting and NotYours."""
    sitting = open_now(turn, where, by)
    if sitting.meeting.self_run_at is None:
        require(Who.facilitating, by, incidents.roles(turn.db, sitting.incident.id), verb)
    return sitting


def with_attendees(turn: Turn, where: Where, by: UserId, verb: str) -> tuple[Incident, Meeting]:
    """The incident, and its meeting that is planned or open; raises NotYours and NothingScheduled."""
    incident = incidents.at(turn.db, turn.team, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), verb)
    review = reviews.of(turn.db, incident)
    meeting = reviews.planned_meeting(turn.db, review) or reviews.open_meeting(turn.db, review)
    if meeting is None:
        raise NothingScheduled
    return incident, meeting


def proposal(turn: Turn, incident: Incident) -> Proposal:
    """Who should come to the next meeting of it: who was there, and somebody for every side that was touched."""
    return participants.proposed(turn.db, incident, turn.house.policy.business)


def advice(turn: Turn, incident: Incident, meeting: Meeting) -> Mapping[str, Any]:
    """How many come, who is missing where fewer than five do though more took part, and for which side nobody comes.

    Whoever leads it is there for the others, and is not counted. A team that meets by itself misses nobody.
    """
    core, let_off = attending.core(turn.db, meeting), attending.let_off(turn.db, meeting)
    facilitator = incidents.roles(turn.db, incident.id).facilitator
    leads = facilitator if facilitator in core else None
    count = len(core) - bool(leads)
    asked = {*core, *let_off}
    missing = [user for user in participants.most_active(turn.db, incident) if user not in asked]
    is_few = count < FEWEST
    return {
        "incident": incident.id,
        "count": count,
        "leads": leads,
        "knows_teams": bool(groups.every(turn.db, turn.team)),
        "is_many": count > attending.MOST_CORE,
        "missing": sorted(missing[:FEWEST]) if is_few and not meeting.apart else [],
        "unheard": [] if meeting.apart else participants.unheard(turn.db, incident, core, turn.house.policy.business),
        "excused": let_off,
        "outside_of": outside_of(turn, incident, meeting, core),
    }


def outside_of(turn: Turn, incident: Incident, meeting: Meeting, core: Sequence[UserId]) -> Mapping[str, Any]:
    """The channel in which people are asked, who is not in it, and who of them is written to by e-mail."""
    channel = reviews.place_of(turn.db, incident, meeting).channel
    members = people.members(turn.db, turn.team, channel)
    absent = [user for user in core if user not in members] if members else []
    known = people.known(turn.db, turn.team, absent) if turn.house.letters_from else {}
    by_mail = [user for user in absent if user in known and known[user].email]
    return {"channel": channel, "unheard_of": [user for user in absent if user not in by_mail], "by_mail": by_mail}


def takes_sealed_answers(turn: Turn, incident: Incident, meeting: Meeting) -> bool:
    """Whether its core attendees may answer one question in private: until the answers are opened, or the end."""
    asks = turn.house.seal is not None and turn.asked_of(incident).private_question
    return asks and meeting.ended_at is None and not sealed.were_revealed(turn.db, reviews.of(turn.db, incident))
