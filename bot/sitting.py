"""Who may come to a meeting, and who may move the one that is open."""

from bot.desk import Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.refusal import CannotSeeIt, NotInMeeting, NotOneOfUs
from storage import incidents, people, sittings
from storage.incidents import Where
from storage.models import Incident
from storage.sittings import Sitting


def must_be_able_to_come(turn: Turn, incident: Incident, user: UserId) -> None:
    """Raises NotOneOfUs and CannotSeeIt."""
    if not people.is_one_of_us(turn.db, turn.team, user):
        raise NotOneOfUs(user=user)
    if incidents.by_number(turn.db, turn.team, incident.id, user) is None:
        raise CannotSeeIt


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
