"""Who is proposed for the meeting of an incident: what its people did, its teams, and who of them can come."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.review import participants
from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.participants import LARGEST_TEAM, Proposal, Side, TookPart, propose
from bot.review.questions import named_in
from storage import groups, incidents, involved, people, timeline
from storage.models import Incident, Message, Person, TimelineEvent, UserGroup

Speakers = Mapping[str, Sequence[UserId]]
"""Business function, in lower case, to the people who speak for it, as the policy names them."""
NOBODY: Speakers = MappingProxyType({})


def proposed(db: Session, incident: Incident, speakers: Speakers = NOBODY) -> Proposal:
    """Who should come to the meeting of an incident, for whom they speak, and for which side nobody does."""
    held = incidents.roles(db, incident.id)
    roles = [user for user in (held.lead, held.facilitator, held.scribe, held.owner) if user]
    parts = took_part(db, incident)
    here = able(db, incident, {*roles, *(one.user for one in parts)})
    return propose(
        [user for user in roles if user in here],
        [one for one in parts if one.user in here],
        sides=_sides(db, incident, parts, speakers),
    )


def unheard(db: Session, incident: Incident, core: Collection[UserId], speakers: Speakers = NOBODY) -> Sequence[Side]:
    """The sides for which none of these comes, each with those who could."""
    return participants.unheard(core, _sides(db, incident, took_part(db, incident), speakers))


def took_part(db: Session, incident: Incident) -> Sequence[TookPart]:
    """What each person did in an incident."""
    messages = involved.involvement(db, incident)
    told = timeline.told(db, incident.id)
    events = _on_the_timeline(told, people.names(db, incident.team_id, messages))
    kept, active = Counter(one.event.by for one in told), involved.active(db, incident)
    return [
        TookPart(UserId(user), events[user], messages[user], active.get(user, timedelta()), kept[user])
        for user in sorted({*messages, *events})
    ]


def most_active(db: Session, incident: Incident) -> Sequence[UserId]:
    """Who took part in an incident and is here, whoever did most first: by what they did, not by messages alone."""
    away = involved.unable(db, incident.team_id)
    part = [one for one in took_part(db, incident) if one.user not in away]
    return [one.user for one in sorted(part, key=lambda one: (-one.weight, one.user))]


def _on_the_timeline(told: Sequence[timeline.ToldEvent], names: Mapping[str, str]) -> Counter[str]:
    """How many events are of somebody."""
    who = (_who(one.event, one.message, names) for one in told)
    return Counter(user for user in who if user)


def _who(event: TimelineEvent, message: Message | None, names: Mapping[str, str]) -> str | None:
    """Who wrote the message, or is named in what was typed, else who typed it; None for a program."""
    if event.source == "automated" or (message and message.bot_id):
        return None
    named = set[str]() if message else named_in(event.text or "", names)
    return next(iter(named), None) or (message.user_id if message else event.by)


# The sides that were touched -----------------------------------------------------------------


def _sides(db: Session, incident: Incident, parts: Sequence[TookPart], speakers: Speakers) -> list[Side]:
    """The teams of the timeline, or while nothing is on it of those who wrote, and the affected sides.

    Each with those who can come.
    """
    on_it = {one.user for one in parts if one.events} or {*involved.written_by(db, incident)}
    sides = [*_teams(db, incident, on_it), *_affected(db, incident, speakers)]
    here = able(db, incident, {user for side in sides for user in side.people})
    return [Side(side.name, tuple(user for user in side.people if user in here)) for side in sides]


def _teams(db: Session, incident: Incident, on_it: Collection[str]) -> list[Side]:
    rows = [row for row in groups.every(db, incident.team_id) if len(row.members) <= LARGEST_TEAM]
    return [_side(db, row) for row in rows if {*row.members}.intersection(on_it)]


def _side(db: Session, group: UserGroup) -> Side:
    return Side(groups.called(group), tuple(groups.here_of(db, group)))


def _affected(db: Session, incident: Incident, speakers: Speakers) -> list[Side]:
    """The functions and teams that people named as affected; a team of which nothing can be known is no gap."""
    impact = Impact.from_json(incident.impact)
    functions = [_spoken_for(db, incident, name, speakers) for name in impact.functions]
    teams = [_spoken_for(db, incident, name, speakers) for name in impact.teams]
    knows_teams = bool(groups.every(db, incident.team_id))
    return [*functions, *(side for side in teams if side.people or knows_teams)]


def _spoken_for(db: Session, incident: Incident, name: str, speakers: Speakers) -> Side:
    """By whom the policy names, else by the user group of that name."""
    group = groups.find(db, incident.team_id, name)
    named = [*speakers.get(name.strip().lower(), ())]
    label = groups.called(group) if group else name
    return Side(label, tuple(dict.fromkeys([*named, *(groups.here_of(db, group) if group else ())])))


def unmet(db: Session, team: str, *, since: datetime) -> Sequence[UserId]:
    """Members of teams that incidents opened since a moment name as affected, of whom nothing is known."""
    recent = db.scalars(select(Incident).where(Incident.team_id == team, Incident.opened_at >= since))
    impacts = [Impact.from_json(incident.impact) for incident in recent]
    names = dict.fromkeys(name for impact in impacts for name in (*impact.functions, *impact.teams))
    users = {user for name in names for user in groups.members(db, team, name)}
    known = set(db.scalars(select(Person.user_id).where(Person.team_id == team, Person.user_id.in_(users))))
    return sorted(users - known)


def answering(db: Session, incident: Incident) -> UserId | None:
    """Who answers for its review and writes its draft: the owner, else the lead, of those who are still here."""
    held = incidents.roles(db, incident.id)
    named = [user for user in (held.owner, held.lead) if user]
    here = able(db, incident, named)
    return next((user for user in named if user in here), None)


# Who can come ----------------------------------------------------------------------------------


def able(db: Session, incident: Incident, users: Collection[str]) -> set[UserId]:
    """Those of these people who are here and may see the incident.

    Of whom nothing is known, nothing speaks against in a public one; in a private one they must be in its channel.
    """
    return able_each(db, incident.team_id, [(incident, users)])[0]


def able_each(db: Session, team: str, every: Sequence[tuple[Incident, Collection[str]]]) -> Sequence[set[UserId]]:
    """The same for each of these incidents, asked of all at once."""
    everybody = {user for _, users in every for user in users}
    them = (Person.team_id == team, Person.user_id.in_(everybody), Person.read_at.is_not(None))
    known = set(db.scalars(select(Person.user_id).where(*them)))
    seen = incidents.seen_by_each(db, team, {(incident.id, user) for incident, users in every for user in users})
    away = {*involved.unable(db, team), involved.bot_user(db, team)}

    def is_able(incident: Incident, user: str) -> bool:
        if user in known:
            return (incident.id, user) in seen
        return incident.private_since is None or incidents.by_number(db, team, incident.id, user) is not None

    return [
        {UserId(user) for user in users if user not in away and is_able(incident, user)} for incident, users in every
    ]
