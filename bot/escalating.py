"""A review that nobody plans: told to those whom the policy names, once."""

from collections.abc import Iterable
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
    for incident, over in _unplanned(turn) if turn.house.policy.escalation else ():
        for user in turn.house.policy.escalation:
            key = f"unplanned:{incident.id}:{over.id}:{user}"
            if user in told or outbox.find(turn.db, turn.team, key) or not turn.may_tell(user, incident):
                continue
            told.add(user)
            lead = incidents.roles(turn.db, incident.id).owner_or_lead
            note = Note.once(key, "unplanned", user, incident=incident, over_at=over.at, lead=lead)
            yield replace(note, incident=incident.id)


def _unplanned(turn: Turn) -> Iterable[tuple[Incident, Moment]]:
    latest = turn.house.policy.window[1] + ONE_DAY_MORE
    for incident in reviews.without_a_plan(turn.db, turn.team, opened_since=turn.now - LOOKED_BACK):
        over = reviews.over(turn.db, incident)
        if over and turn.asked_of(incident).depth is Depth.full and turn.now - over.recorded_at > latest:
            yield incident, over
