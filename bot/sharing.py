"""Who gets a report beside its channel: the people whom the policy names, once, each in their own working hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.desk import Note, Notes, Turn
from bot.formats import written
from bot.review.incident import UserId
from storage import incidents, outbox, people, reports
from storage.models import Incident, Review

FOR_DAYS = timedelta(days=7)
"""After so long a report is no news any more, and stays where it can be read."""


def share_due(turn: Turn) -> Notes:
    """The first page of a published report, by direct message; who reads it in its channel is not told again."""
    told: set[UserId] = set()
    sharing = turn.house.policy.sharing
    if not sharing.people and not sharing.managers:
        return
    published = reports.published_since(turn.db, turn.team, turn.now - FOR_DAYS)
    waiting = _unshared(turn, published) if published else []
    for incident, user, key in waiting:
        if user in told or not turn.may_tell(user, incident):
            continue
        told.add(user)
        report = written(turn.db, incident, turn.house)
        yield replace(Note.once(key, "report_shared", user, report=report), incident=incident.id)


def _unshared(turn: Turn, published: Sequence[tuple[Review, Incident]]) -> Sequence[tuple[Incident, UserId, str]]:
    """Who may be written to now and has not got it, with the key under which they do."""
    sharing = turn.house.policy.sharing
    free = turn.who_may_be_told([*sharing.people, *sharing.managers])
    places = incidents.main_places(turn.db, [incident.id for _, incident in published])
    there = people.members_in(turn.db, turn.team, {place.channel for place in places.values()})
    found = [
        (incident, user, f"shared:{review.id}:{user}")
        for review, incident in published
        for user in _readers(turn, incident)
        if user in free and user not in there.get(places[incident.id].channel, ())
    ]
    said = outbox.written(turn.db, turn.team, [key for *_, key in found])
    return [one for one in found if one[2] not in said]


def _readers(turn: Turn, incident: Incident) -> Sequence[UserId]:
    sharing, is_grave = turn.house.policy.sharing, turn.house.policy.asked_for(incident.severity).briefing
    return list(dict.fromkeys((*sharing.people, *(sharing.managers if is_grave else ()))))
