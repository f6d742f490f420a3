"""The meeting that is open, for whoever is in it, and for whoever may move it."""

from bot.desk import Turn
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.refusal import NotInMeeting
from storage import incidents, sittings
from storage.incidents import Where
from storage.sittings import Sitting


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
