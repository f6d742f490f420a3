"""Who gets a report beside its channel: the people whom the policy names, once, each in their own working hours."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.formats import written
from bot.review.incident import UserId
from storage import incidents, outbox, people, reports
from storage.models import Incident

FOR_DAYS = timedelta(days=7)
"""After so long a report is no news any more, and stays where it can be read."""


def share_due(turn: Turn) -> Notes:
    """The first page of a published report, by direct message; who reads it in its channel is not told again."""
    told: set[UserId] = set()
    sharing = turn.house.policy.sharing
    if not sharing.people and not sharing.managers:
        return
    for review, incident in reports.published_since(turn.db, turn.team, turn.now - FOR_DAYS):
        for user in _readers(turn, incident):
            key = f"shared:{review.id}:{user}"
            if user in told or outbox.find(turn.db, turn.team, key) or not turn.may_tell(user, incident):
                continue
            told.add(user)
            report = written(turn.db, incident, turn.house)
            yield replace(Note.once(key, "report_shared", user, report=report), incident=incident.id)


def _readers(turn: Turn, incident: Incident) -> Iterable[UserId]:
    sharing, is_grave = turn.house.policy.sharing, turn.asked_of(incident).briefing
    there = set(people.members(turn.db, turn.team, incidents.main_place(turn.db, incident.id).channel))
    named = (*sharing.people, *(sharing.managers if is_grave else ()))
    return [user for user in dict.fromkeys(named) if user not in there]
