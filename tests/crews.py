"""Thirty incidents with teams, drawn at random: who was there, who can come, and who is proposed for the meeting.

What is right is judged by what was drawn, and not by what the program made of it.
"""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from bot.review.impact import Impact
from bot.review.incident import ChannelId, UserId
from bot.review.user_group import GroupFact
from storage import attending, groups, incidents, participants, people, reviews
from storage.models import Channel, Meeting, Membership
from tests.cast import NOVEMBER_18, TEAM, Room, a_message, a_room, an_incident
from tests.sitting import an_event

INCIDENTS = 30
FUNCTIONS = ("Support", "Sales", "Legal", "Marketing")


@dataclass
class Crew:
    """One incident as it was drawn."""

    people: list[UserId]
    teams: dict[str, list[UserId]]
    wrote: Mapping[UserId, int]
    events: Mapping[UserId, int]
    speakers: dict[str, list[UserId]]
    functions: list[str]
    named: list[str]
    """Teams that somebody named as affected, of which one may be unknown."""
    gone: set[UserId]
    inside: set[UserId] | None
    """Who is in the private channel; None where the incident is public."""

    @property
    def able(self) -> set[UserId]:
        """Who can come."""
        return ({*self.people} if self.inside is None else self.inside) - self.gone

    @property
    def sides(self) -> dict[str, set[UserId]]:
        """Everything somebody should speak for, and who could."""
        there = {*self.events} or {*self.wrote}
        touched = {name for name, members in self.teams.items() if there & {*members}}
        sides = {name: {*self.teams.get(name, ())} for name in {*touched, *self.named}}
        sides |= {name: {*self.speakers.get(name.lower(), ())} for name in self.functions}
        return {name: members & self.able for name, members in sides.items()}


@dataclass
class Found:
    """What came of it: sides that are neither spoken for nor named, wrong words about why, cores of a wrong size."""

    sides: int = 0
    spoken_for: int = 0
    named: int = 0
    sizes: list[int] = field(default_factory=list)
    neither: list[str] = field(default_factory=list)
    wrongly_named: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Sides for which somebody could come, and nobody does."""
    wrong_size: list[int] = field(default_factory=list)
    unable: list[str] = field(default_factory=list)


Meet = Callable[[Session, int, Crew], Sequence[UserId]]


def thirty_incidents(folder: Path, *, seed: int = 1, meet: Meet | None = None) -> Found:
    """The same for the same seed; `meet` is how those who come are chosen, where it is not the program that does."""
    room, found = a_room(folder), Found()
    for number in range(INCIDENTS):
        crew = drawn(random.Random(f"{seed}:{number}"), number)
        incident = played(room, crew, number)
        core = room.change(lambda db, incident=incident, crew=crew: (meet or met)(db, incident, crew))
        judge(crew, core, _gaps(room, incident, crew), found)
    room.storage.close()
    return found


def drawn(chance: random.Random, number: int) -> Crew:
    """Two to twelve teams that overlap, one to forty people in the response, and whatever can be in the way."""
    people = [UserId(f"U{number:02}P{one:02}") for one in range(60)]
    teams = {f"Team {one}": chance.sample(people, chance.randint(2, 9)) for one in range(chance.randint(2, 12))}
    there = chance.sample(people, chance.choice([1, 3, 4, 6, 9, 20, 40]))
    on_it = [user for user in there if chance.random() < 0.5] if chance.random() < 0.8 else []
    speakers = {name.lower(): chance.sample(people, 2) for name in FUNCTIONS if chance.random() < 0.6}
    return Crew(
        people=people,
        teams=teams,
        wrote={user: chance.randint(1, 6) for user in there},
        events={user: chance.randint(1, 3) for user in on_it},
        speakers=speakers,
        functions=chance.sample(FUNCTIONS, chance.randint(0, 3)),
        named=chance.sample([*teams, "Nobody's team"], chance.randint(0, 2)),
        gone={user for user in people if chance.random() < 0.1},
        inside={*there, *chance.sample(people, 10)} if chance.random() < 0.25 else None,
    )


def played(room: Room, crew: Crew, number: int) -> int:
    """The incident with its people, its messages and its timeline."""
    room.change(lambda db: _known(db, crew))
    channel, lead = ChannelId(f"C0INC{number:02}"), next(iter(crew.wrote))
    private = NOVEMBER_18 if crew.inside is not None else None
    incident = an_incident(room, channel=channel, lead=lead, private=private)
    room.change(lambda db: _inside(db, channel, crew))
    moment = NOVEMBER_18 + timedelta(minutes=number * 10)
    for user, count in crew.wrote.items():
        for _ in range(count):
            moment += timedelta(milliseconds=1)
            a_message(room, "Looking", by=user, at=moment, channel=channel)
    for user, count in crew.events.items():
        for _ in range(count):
            an_event(room, incident, "Restarted it", by=user)
    kept = Impact(functions=tuple(crew.functions), teams=tuple(crew.named)).to_json()
    room.change(lambda db: setattr(incidents.get(db, incident), "impact", kept))
    return incident


def _known(db: Session, crew: Crew) -> None:
    for user in crew.people:
        gone = NOVEMBER_18 if user in crew.gone else None
        people.know(db, TEAM, user, name=user, zone="UTC", email=None, bot=None, gone=gone, now=NOVEMBER_18)
    facts = [
        GroupFact(f"S{one:02}", name.lower().replace(" ", "-"), name, tuple(members))
        for one, (name, members) in enumerate(crew.teams.items())
    ]
    site = GroupFact("S99", "site", "The whole site", (*crew.people, *(f"U0{one:03}" for one in range(20))))
    groups.keep(db, TEAM, [*facts, site], now=NOVEMBER_18)


def _inside(db: Session, channel: ChannelId, crew: Crew) -> None:
    private = NOVEMBER_18 if crew.inside is not None else None
    db.add(Channel(team_id=TEAM, channel_id=channel, private_since=private))
    db.add_all([Membership(team_id=TEAM, channel_id=channel, user_id=user) for user in crew.inside or ()])


def met(db: Session, incident: int, crew: Crew) -> Sequence[UserId]:
    """Who is asked to the meeting that is planned for it."""
    row, at = incidents.get(db, incident), NOVEMBER_18 + timedelta(days=2)
    meeting = reviews.plan(db, row, at=at, by=None, now=NOVEMBER_18, speakers=crew.speakers)
    return attending.core(db, meeting)


def met_by_the_busiest(db: Session, incident: int, crew: Crew) -> Sequence[UserId]:
    """As if no team counted: those come who did most."""
    for user in met(db, incident, crew):
        attending.uninvite(db, _meeting(db, incident), user, now=NOVEMBER_18)
    able = [user for user in crew.wrote if user in crew.able]
    for user in sorted(able, key=lambda user: -crew.wrote[user])[:8]:
        attending.invite(db, _meeting(db, incident), user, core=NOVEMBER_18, now=NOVEMBER_18)
    return attending.core(db, _meeting(db, incident))


def _meeting(db: Session, incident: int) -> Meeting:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[0]


def _gaps(room: Room, incident: int, crew: Crew) -> Mapping[str, Collection[UserId]]:
    """The sides that whoever leads the review hears are not spoken for, with those who could."""

    def ask(db: Session) -> Mapping[str, Collection[UserId]]:
        row, core = incidents.get(db, incident), attending.core(db, _meeting(db, incident))
        return {side.name: side.people for side in participants.unheard(db, row, core, crew.speakers)}

    return room.ask(ask)


def judge(crew: Crew, core: Sequence[UserId], gaps: Mapping[str, Collection[UserId]], found: Found) -> None:
    """Count what was done well, and write down what was not."""
    spoken_for = {name for name, members in crew.sides.items() if members & {*core}}
    found.sides += len(crew.sides)
    found.spoken_for += len(spoken_for)
    found.named += len(gaps)
    found.sizes.append(len(core))
    found.neither += [name for name in crew.sides if name not in spoken_for and name not in gaps]
    found.wrongly_named += [
        name for name, could in gaps.items() if name in spoken_for or {*could} != crew.sides.get(name)
    ]
    found.left_out += [name for name, could in gaps.items() if could]
    found.unable += [user for user in core if user not in crew.able]
    there = {*crew.wrote, *crew.events} & crew.able
    if len(core) > 8 or (len(core) < 5 and not there <= {*core}):
        found.wrong_size.append(len(core))
