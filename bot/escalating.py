"""A review that nobody plans: told to those whom the policy names, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.review.incident import UserId
from bot.review.policy import Depth
from storage import incidents, outbox, reviews
from storage.models import Incident, Moment

LOOKED_BACK = timedelta(days=30)
"""Of what was opened longer ago nobody is told any more."""
ONE_DAY_MORE = timedelta(days=1)
"""After the window, for whoever leads it to say something."""


def tell_of_unplanned(turn: Turn) -> Notes:
    """After the window and a day, whom the policy names hears that a review it asks for has no hour (`unplanned`)."""
    told: set[UserId] = set()
    free = turn.who_may_be_told(turn.house.policy.escalation)
    unplanned = _unplanned(turn) if free else []
    said = _said(turn, unplanned) if unplanned else set[str]()
    for incident, over in unplanned:
        for user in turn.house.policy.escalation:
            key = _key(incident, over, user)
            if user not in free - told or key in said or not turn.may_tell(user, incident):
                continue
            told.add(user)
            lead = incidents.roles(turn.db, incident.id).owner_or_lead
            note = Note.once(key, "unplanned", user, incident=incident, over_at=over.at, lead=lead)
            yield replace(note, incident=incident.id)


def _unplanned(turn: Turn) -> Sequence[tuple[Incident, Moment]]:
    latest = turn.house.policy.window[1] + ONE_DAY_MORE
    waiting = reviews.without_a_plan(turn.db, turn.team, opened_since=turn.now - LOOKED_BACK)
    over = reviews.over_in(turn.db, [incident.id for incident in waiting]) if waiting else {}
    late = [one for one in waiting if one.id in over and turn.now - over[one.id].recorded_at > latest]
    asked = turn.asked_of_each(late)
    return [(incident, over[incident.id]) for incident in late if asked[incident.id].depth is Depth.full]


def _said(turn: Turn, unplanned: Sequence[tuple[Incident, Moment]]) -> set[str]:
    keys = [_key(incident, over, user) for incident, over in unplanned for user in turn.house.policy.escalation]
    return outbox.written(turn.db, turn.team, keys)


def _key(incident: Incident, over: Moment, user: UserId) -> str:
    return f"unplanned:{incident.id}:{over.id}:{user}"
