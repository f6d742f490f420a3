"""When somebody with a part in a review leaves the workspace: who is left hears of it once, and may name another."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.desk import Note, Notes, Turn
from bot.review.incident import Place, UserId
from bot.review.lifecycle import Role
from storage import closed, departed, incidents, outbox, people, reviews, silence
from storage.departed import Departed
from storage.models import Incident

STILL_UNDER_WAY = timedelta(days=30)
"""After so long without a step in a review, a part in it is told of only where an action waits for somebody, too."""
FOR_THE_MEETING = (Role.facilitator, Role.scribe)
PARTING = "departed:"


def bereft(turn: Turn) -> list[dict[str, Any]]:
    """Who is gone and leaves a part empty that somebody has to take, where somebody may be told now."""
    return [{"incident": one.incident, "user": one.user} for one in _untold(turn) if _told_to(turn, one)]


def tell_of_parting(turn: Turn, *, incident: int, user: UserId) -> Notes:
    """Say once that somebody with a part has left: to who leads, else in the channel; says `departed`."""
    for one in (each for each in _untold(turn) if (each.incident, each.user) == (incident, user)):
        to = _told_to(turn, one)
        if to is not None:
            facts = _facts(turn, incidents.get(turn.db, incident), one)
            note = Note.once(_key(one), "departed", to, **facts, in_public=isinstance(to, Place))
            yield replace(note, incident=incident)


def _untold(turn: Turn) -> list[Departed]:
    found = departed.holding_a_part(turn.db, turn.team, since=turn.now - STILL_UNDER_WAY)
    told = outbox.keys(turn.db, turn.team, PARTING) if found else set[str]()
    return [one for one in found if _key(one) not in told]


def _key(one: Departed) -> str:
    return f"{PARTING}{one.incident}:{one.user}:{one.since:%Y%m%dT%H%M%S}"


def _told_to(turn: Turn, one: Departed) -> Place | UserId | None:
    """Whoever leads or answers for it and is here, when they may be told; where nobody is, the channel.

    Of the two, whoever asked not to be written to is passed over.
    """
    incident = incidents.get(turn.db, one.incident)
    if not _vacancies(turn, incident, one.user):
        return None
    roles = incidents.roles(turn.db, incident.id)
    here = [user for user in (roles.lead, roles.owner) if user and _is_here(turn, incident, user)]
    if here:
        willing = [user for user in here if not silence.wants_silence(turn.db, turn.team, user, now=turn.now)]
        return willing[0] if willing and turn.may_tell(willing[0], incident) else None
    place = incidents.main_place(turn.db, incident.id)
    return None if closed.why(turn.db, turn.team, place.channel) else place


def _is_here(turn: Turn, incident: Incident, user: UserId) -> bool:
    visible = incidents.by_number(turn.db, turn.team, incident.id, user) is not None
    return visible and people.is_one_of_us(turn.db, turn.team, user)


def _vacancies(turn: Turn, incident: Incident, user: UserId) -> list[Role]:
    """The parts of theirs that somebody has to take: none while the incident burns, two of them for a meeting only."""
    if reviews.over_since(turn.db, incident) is None:
        return []
    review = reviews.of(turn.db, incident)
    meets = reviews.planned_meeting(turn.db, review) or reviews.open_meeting(turn.db, review)
    return [role for role in incidents.roles(turn.db, incident.id).of(user) if meets or role not in FOR_THE_MEETING]


def _facts(turn: Turn, incident: Incident, one: Departed) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "title": incident.title,
        "user": one.user,
        "roles": _vacancies(turn, incident, one.user),
        "channel": incidents.main_place(turn.db, incident.id).channel,
        "actions": list(departed.orphaned(turn.db, incident)),
    }
