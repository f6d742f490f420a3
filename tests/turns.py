"""Fifty incidents of one team, one a week: who is asked to lead each review, who takes it, who had how many turns.

Who responds, who answers for the review, who writes, who is on holiday and whose calendar is full is drawn each week.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot import rotating, scheduling, tracking
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOff
from bot.review.policy import Policy, Pool
from bot.review.when import read_when
from storage import busy, incidents, people
from storage.incidents import Where
from storage.models import Membership, RoleAsked
from tests.cast import NOVEMBER_18, TEAM, Room, a_message, a_room, an_incident, mitigated

ZONES = ("Europe/London", "Europe/Lisbon", "Europe/Dublin", "Atlantic/Canary")
"""Where it is as late as in London, with holidays of their own."""
COLLEAGUES = {UserId(f"U0TEAM{number:02}"): ZONES[number % len(ZONES)] for number in range(12)}
INCIDENTS = 50
HOURS = 100
"""From the booking to the meeting."""
ANSWERS = {"take": 70, "pass": 20, "say nothing": 10}


@dataclass(frozen=True)
class Week:
    """What one week is like."""

    lead: UserId
    owner: UserId
    scribe: UserId
    responders: frozenset[UserId]
    away: frozenset[UserId]
    """Their calendars are full, or their country has a holiday, when the meeting is."""

    @property
    def barred(self) -> frozenset[UserId]:
        """Who may not lead its review."""
        return self.responders | self.away | {self.lead, self.owner, self.scribe}


@dataclass
class Figures:
    """What came of all of them."""

    turns: Counter[str] = field(default_factory=Counter)
    conflicts: list[str] = field(default_factory=list)
    asked: int = 0
    ahead: int = 0
    """The most turns by which somebody who just took one was ahead of somebody else who could have had it."""

    @property
    def spread(self) -> int:
        """Between who had most turns and who had fewest, over everybody."""
        return max(self.turns.values()) - min(self.turns[user] for user in COLLEAGUES)


@dataclass
class Year:
    """The weeks, one after the other, in one room."""

    room: Room
    dice: random.Random
    holidays: set[tuple[str, date]] = field(default_factory=set)
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        policy = Policy(facilitators=Pool(people=tuple(COLLEAGUES)))
        self.room.house = replace(self.room.house, policy=policy, days_off=self._days_off)
        self.room.desk.house = self.room.house
        for user, zone in COLLEAGUES.items():
            self._know(user, zone)

    def _know(self, user: UserId, zone: str) -> None:
        about: dict[str, Any] = {"name": "", "zone": zone, "email": None, "bot": None, "gone": None}
        self.room.change(lambda db: people.know(db, TEAM, user, now=self.room.now, **about))

    def _days_off(self, zone: str, _around: date) -> DaysOff:
        return DaysOff(holidays=frozenset(day for where, day in self.holidays if where == zone))

    def live_through(self, number: int) -> None:
        self.room.now = NOVEMBER_18 + timedelta(weeks=number)
        meets_at = self.room.now + timedelta(days=5)
        week = self._week(meets_at)
        incident, where = self._incident(number, week)
        self.room.serve(scheduling.schedule, where=where, by=week.lead, when=read_when(f"{meets_at:%Y-%m-%d %H:%M}Z"))
        refused = self._ask(incident, where)
        self._judge(incident, week, refused)

    def _week(self, meets_at: datetime) -> Week:
        lead, owner, scribe, *others = self.dice.sample(list(COLLEAGUES), len(COLLEAGUES))
        full = self.dice.sample(list(COLLEAGUES), self.dice.randint(0, 3))
        for user in full:
            span = (meets_at, meets_at + timedelta(hours=1))
            self.room.change(lambda db, user=user, span=span: busy.keep(db, TEAM, user, [span], now=self.room.now))
        closed = self.dice.choice((*ZONES, ""))
        self.holidays.add((closed, meets_at.date()))
        off = {user for user, zone in COLLEAGUES.items() if zone == closed}
        return Week(lead, owner, scribe, frozenset(others[: self.dice.randint(0, 4)]), frozenset({*full, *off}))

    def _incident(self, number: int, week: Week) -> tuple[int, Where]:
        """It begins on a Wednesday, and its meeting is booked on Thursday morning."""
        channel = ChannelId(f"C0INC{number:02}")
        incident = an_incident(self.room, lead=week.lead, channel=channel)
        rows = [Membership(team_id=TEAM, channel_id=channel, user_id=user) for user in COLLEAGUES]
        self.room.change(lambda db: db.add_all(rows))
        for user in sorted(week.responders):
            a_message(self.room, "on it", by=user, at=self.room.now, channel=channel)
            self.room.pass_time(minutes=1)
        mitigated(self.room, incident)
        where = Where(Place(channel))
        for role, user in ((Role.owner, week.owner), (Role.scribe, week.scribe)):
            self.room.serve(tracking.take_role, where=where, by=week.lead, role=role, user=user)
        self.room.pass_time(hours=19)
        return incident, where

    def _ask(self, incident: int, where: Where) -> set[UserId]:
        """It ticks every hour; whoever is asked answers at once, or never. Who did not take it."""
        refused: set[UserId] = set()
        for _ in range(HOURS):
            self.room.pass_time(hours=1)
            self.room.serve(rotating.ask_due)
            for user in set(self._waiting(incident)) - refused:
                self.figures.asked += 1
                answer = self.dice.choices(list(ANSWERS), list(ANSWERS.values()))[0]
                if answer == "take":
                    self.room.serve(rotating.take, where=where, by=user, role=Role.facilitator)
                    return refused
                refused.add(user)
                if answer == "pass":
                    self.room.serve(rotating.pass_on, where=where, by=user, role=Role.facilitator)
        return refused

    def _waiting(self, incident: int) -> Iterator[UserId]:
        query = select(RoleAsked.user_id).where(RoleAsked.incident_id == incident, RoleAsked.answer.is_(None))
        yield from (UserId(user) for user in self.room.ask(lambda db: db.scalars(query).all()))

    def _judge(self, incident: int, week: Week, refused: set[UserId]) -> None:
        """By what was drawn alone, and by nothing that the program says of it."""
        leads = self.room.ask(incidents.roles, incident).facilitator
        if leads is None:
            return
        if leads in week.barred:
            self.figures.conflicts.append(leads)
        self.figures.turns[leads] += 1
        could = [user for user in COLLEAGUES if user not in week.barred | refused]
        behind = min(self.figures.turns[user] for user in could)
        self.figures.ahead = max(self.figures.ahead, self.figures.turns[leads] - behind)


def fifty_incidents(folder: Path, url: str | None = None, *, seed: int = 1, incidents: int = INCIDENTS) -> Figures:
    """Live through them."""
    year = Year(a_room(folder, url), random.Random(seed))
    for number in range(incidents):
        year.live_through(number)
    return year.figures
