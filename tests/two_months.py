"""A review and the two months after it, with everything the clock asks: who is written to unasked, when, and how.

Six people take part, each in a zone and country of their own, and the clock ticks every few hours, also at night.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot import briefing, checking, facilitating, following_up, inviting, noting, scheduling, tagging, tracking
from bot.clock import EACH, TABLE
from bot.days_off import days_off
from bot.desk import House
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOffIn
from bot.review.when import read_when
from storage import channels, people
from storage.models import Meeting, OutboxNote
from tests.cast import CHANNEL, HERE, NOVEMBER_18, TEAM, Room, a_message, a_room, an_incident, mitigated

LEAD, OWNER, IDLE, BUSY, SLOW, LEADER = (
    UserId(f"U0{name}") for name in ("LEAD", "OWNER", "IDLE", "BUSY", "SLOW", "LEADER")
)
"""The lead, the owner of the review; attendees who do nothing, what they are asked, nothing of what they promised."""
MONTHS = timedelta(days=61)
AWAY_AFTER, AWAY = timedelta(days=8, hours=6), timedelta(days=3)
NUMBERS: Mapping[UserId, int] = {BUSY: 1, SLOW: 2}
"""Of the actions that are promised."""
Zones = Mapping[UserId, str]
HERE_AND_THERE: Zones = {
    LEAD: "Europe/Berlin",
    OWNER: "America/New_York",
    IDLE: "Europe/London",
    BUSY: "Asia/Kolkata",
    SLOW: "Europe/Berlin",
    LEADER: "Asia/Riyadh",
}


@dataclass(frozen=True)
class Told:
    """One direct message that nobody asked for, at the local time of whoever got it."""

    to: UserId
    at: datetime
    key: str
    text: str

    @property
    def is_at_night(self) -> bool:
        return not 9 <= self.at.hour < 17

    @property
    def is_on_a_day_off(self) -> bool:
        zone = str(self.at.tzinfo)
        off = days_off(zone, self.at.date())
        return self.at.weekday() in off.weekends or self.at.date() in off.holidays

    @property
    def says_how_to_stop_it(self) -> bool:
        return "/review reminders off" in self.text


@dataclass
class Months:
    """The life of one review; people do what they do at the tick after its time has come."""

    room: Room
    zones: Zones
    every: timedelta
    away_from: datetime
    """From then on the clock does not tick for three days."""
    plans: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    answered: set[tuple[UserId, str]] = field(default_factory=set)

    def live_through(self, until: datetime) -> None:
        while self.room.now < until:
            self._do_what_was_planned()
            if not self._is_away():
                self._tick()
                self._react()
            self.room.now += self.every

    def plan(self, at: datetime, deed: Callable[[], object]) -> None:
        self.plans.append((at, deed))

    def _do_what_was_planned(self) -> None:
        due = [plan for plan in self.plans if plan[0] <= self.room.now]
        self.plans = [plan for plan in self.plans if plan[0] > self.room.now]
        for _, deed in due:
            deed()

    def _is_away(self) -> bool:
        return self.away_from <= self.room.now < self.away_from + AWAY

    def _tick(self) -> None:
        for question, abilities in EACH.items():
            self.room.desk.serve_each(question, *abilities)
        for ability in TABLE:
            self.room.desk.serve_if_due(ability)

    # What people do ------------------------------------------------------------------

    def _react(self) -> None:
        """The lead books the hour that is proposed; some of the attendees answer what they are asked."""
        for told in self.told():
            if told.to in {LEAD, BUSY, SLOW} and (told.to, told.key) not in self.answered:
                self.answered.add((told.to, told.key))
                self.plan(self.room.now + timedelta(hours=2), lambda told=told: self._answer(told))

    def _answer(self, told: Told) -> None:
        asked = re.search(r"I suggest \*.*?\*", told.text)
        if told.to == LEAD and asked:
            self._book()
        elif told.to in NUMBERS and "waits for your answer" in told.text:
            self.room.serve(following_up.move, by=told.to, number=NUMBERS[told.to], step="commit")
        elif told.to == BUSY and ("is due today" in told.text or "was due" in told.text):
            self.room.serve(following_up.finish, by=BUSY, number=1, evidence={"deployed": "https://example.com/7"})
        elif told.to == BUSY and "Did it work?" in told.text:
            self.room.serve(checking.answer, by=BUSY, number=1, words="yes")

    def _book(self) -> None:
        typed = _typed_in(self.room)
        self.room.serve(scheduling.schedule, where=HERE, by=LEAD, when=read_when(typed))
        self.room.serve(inviting.invite, where=HERE, by=LEAD, users=[OWNER, IDLE, BUSY, SLOW])
        self.room.serve(briefing.name_leaders, where=HERE, by=LEAD, users=[LEADER])
        self.plan(self._meets_at(), self._meet)

    def _meets_at(self) -> datetime:
        with self.room.storage.read() as db:
            return db.scalars(select(Meeting.meets_at)).one() or self.room.now

    def _meet(self) -> None:
        """Somebody notes something, four get an action each, and nobody presses End."""
        room = self.room
        room.serve(facilitating.start, where=HERE, by=LEAD)
        room.serve(noting.note_finding, where=HERE, by=IDLE, kind=FindingKind.contributor, text="the pool is small")
        for owner in (BUSY, SLOW, IDLE, LEAD):
            wording = ActionWords(owner, None, Horizon.quick, "write the runbook for a full disk")
            room.serve(following_up.propose, where=HERE, by=LEAD, wording=wording)

    # What was said -------------------------------------------------------------------

    def told(self) -> list[Told]:
        """Every direct message that nobody asked for, in order."""
        with self.room.storage.read() as db:
            asked_for = OutboxNote.key.like("whisper:%")
            mine = OutboxNote.channel_id.in_(self.zones), OutboxNote.kind == "once", ~asked_for
            rows = db.scalars(select(OutboxNote).where(*mine).order_by(OutboxNote.id)).all()
            return [self._one(row) for row in rows]

    def _one(self, row: OutboxNote) -> Told:
        to = UserId(row.channel_id)
        return Told(to, row.not_before.astimezone(ZoneInfo(self.zones[to])), row.key, row.text)


def _typed_in(room: Room) -> str:
    """The hour that the button of the proposal books."""
    with room.storage.read() as db:
        blocks = db.scalars(select(OutboxNote.blocks).where(OutboxNote.key.like("proposal:%"))).first()
    found = re.search(r"(20\d\d-\d\d-\d\d \d\d:\d\dZ)", str(blocks))
    assert found
    return found[1]


def two_months(
    folder: Path,
    url: str | None = None,
    *,
    zones: Zones = HERE_AND_THERE,
    begins: datetime = NOVEMBER_18,
    every: timedelta = timedelta(hours=1),
    lasting: timedelta = MONTHS,
    known: DaysOffIn = days_off,
) -> list[Told]:
    """Live through them, from mitigation on; `every` so long the clock ticks, and once not for three days."""
    room = replace(a_room(folder, url), now=begins, house=House(days_off=known))
    months = Months(room, zones, every, begins + AWAY_AFTER)
    _begin(room, zones)
    months.live_through(begins + lasting)
    return months.told()


def _begin(room: Room, zones: Zones) -> None:
    for user, zone in zones.items():
        name = user.removeprefix("U0").capitalize()
        about = {"name": name, "zone": zone, "email": None, "bot": None, "gone": None, "now": room.now}
        room.change(lambda db, user=user, about=about: people.know(db, TEAM, user, **about))
    incident = an_incident(room, lead=LEAD, opened_at=room.now - timedelta(hours=3))
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, list(zones), now=room.now))
    said = (
        (SLOW, "the pool is exhausted"),
        (IDLE, "restarted the pods"),
        (BUSY, "rolled back to v41"),
        (OWNER, "errors are gone"),
    )
    for minutes, (user, text) in enumerate(said):
        a_message(room, text, by=user, at=room.now - timedelta(minutes=30 - minutes))
    room.serve(tagging.add_event, where=HERE, by=LEAD, when=read_when("10 min ago"), text="rolled back to v41")
    room.serve(tracking.take_role, where=HERE, by=LEAD, role=Role.owner, user=OWNER)
    room.serve(tracking.take_role, where=HERE, by=LEAD, role=Role.facilitator, user=LEAD)
    mitigated(room, incident)


def to(user: UserId, told: Iterable[Told]) -> list[Told]:
    return [one for one in told if one.to == user]
