"""Clocks that stand still, jump, are set back, differ, and change twice a year: what is due is said, and once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import preparing, reminding, scheduling, sitting
from bot.app import system_time
from bot.clock import Clock
from bot.desk import Desk
from bot.review.incident import UserId
from storage import actions, incidents, people, reviews
from storage.actions import Proposal
from storage.models import Message, OutboxNote
from storage.moment import DatabaseTime
from tests.cast import MARA, TEAM, Room, a_message, a_room, an_incident, mitigated

WEDNESDAY = datetime(2026, 11, 18, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=each) for each in (1, 60, 3_600, 86_400))
SKEW = 262 * SECOND
"""By so much clocks are set off in Jepsen's tests."""
WALKS: dict[str, list[timedelta]] = {
    "stands still": [-MINUTE, MINUTE, MINUTE, MINUTE],
    "jumps a day ahead and back": [-2 * HOUR, DAY + HOUR, -2 * HOUR, MINUTE, DAY + HOUR],
    "is set back a day": [-MINUTE, MINUTE, -DAY, -23 * HOUR, MINUTE, HOUR],
    "is off by minutes": [-MINUTE, MINUTE, MINUTE - SKEW, MINUTE + SKEW, MINUTE],
}

REST = [walk for walk in WALKS if walk != "is set back a day"]


@dataclass(frozen=True)
class Intent:
    """Something that is to be said, how its key begins, and from when on."""

    key: str
    due: datetime
    arrange: Callable[[Room, int], object]


def plan(room: Room, incident: int) -> None:
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=FRIDAY, by=MARA, now=room.now))


def hold(room: Room, incident: int) -> None:
    def held(db: Session) -> None:
        meeting = reviews.plan(db, incidents.get(db, incident), at=FRIDAY - 2 * HOUR, by=MARA, now=room.now)
        meeting.opened_at, meeting.ended_at, meeting.touched_at = FRIDAY - 2 * HOUR, FRIDAY - HOUR, FRIDAY - HOUR

    room.change(held)


def an_action(room: Room, incident: int, **more: object) -> None:
    promise = Proposal(text="Alert on stuck queues", owner=MARA, due=datetime(2026, 11, 23).date(), horizon="quick")

    def promised(db: Session) -> None:
        action = actions.propose(db, incidents.get(db, incident), promise, by=MARA, now=room.now - 10 * DAY)
        action.state = "committed"
        for name, value in more.items():
            setattr(action, name, value)

    room.change(promised)
    hold(room, incident)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "closed_at", room.now))


def done_long_ago(room: Room, incident: int) -> None:
    an_action(room, incident, state="done", done_at=FRIDAY - 30 * DAY - 5 * HOUR)


INTENTS = {
    "the proposal of an hour": Intent("proposal:", WEDNESDAY + 8 * HOUR, lambda *_: None),
    "the pre-read": Intent("pre-read:", FRIDAY - DAY, plan),
    "the call": Intent("call:", FRIDAY - 10 * MINUTE, plan),
    "the question where nobody is": Intent("nobody-here:", FRIDAY + 10 * MINUTE, plan),
    "the draft that waits": Intent("draft-waits:", FRIDAY - HOUR + 30 * MINUTE, hold),
    "the reminder of an action": Intent("reminders:", datetime(2026, 11, 20, 8, tzinfo=UTC), an_action),
    "the question whether it worked": Intent("reminders:", datetime(2026, 11, 20, 8, tzinfo=UTC), done_long_ago),
}
"""All that the clock says; of a meeting that goes on, tests of its own do."""


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, sqlite_url)
    room.now = WEDNESDAY + 3 * HOUR
    yield room
    room.storage.close()


async def tick(room: Room) -> None:
    async def nothing_else() -> None:
        """Nothing waits on Slack."""

    await Clock(room.desk, every_s=60, also=nothing_else).tick()


def keys(room: Room, prefix: str) -> list[str]:
    return room.ask(lambda db: [key for key in db.scalars(select(OutboxNote.key)) if key.startswith(prefix)])


A_FEW = [
    ("the proposal of an hour", "jumps a day ahead and back"),
    ("the pre-read", "is set back a day"),
    ("the call", "is off by minutes"),
    ("the reminder of an action", "is set back a day"),
    ("the question where nobody is", "stands still"),
]
"""Each walk, and each way to remember what was said; all with all else is the long form."""


@pytest.mark.parametrize(("what", "walk"), A_FEW)
async def test_what_is_due_is_said_once_and_not_left_out(room: Room, what: str, walk: str):
    await must_be_said_once(room, what, walk)


@pytest.mark.torture
@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("what", INTENTS)
async def test_whatever_is_due_is_said_once_and_not_left_out_on_any_walk(room: Room, what: str, walk: str):
    await must_be_said_once(room, what, walk)


async def must_be_said_once(room: Room, what: str, walk: str) -> None:
    intent = INTENTS[what]
    incident = an_incident(room)
    mitigated(room, incident)
    intent.arrange(room, incident)
    said: list[int] = []

    for step in WALKS[walk]:
        room.now = intent.due + step
        await tick(room)
        said.append(len(keys(room, intent.key)))

    assert (said[0], said[-1]) == (0, 1), said
    assert said == sorted(said)


@pytest.mark.parametrize("walk", ["is set back a day", *(pytest.param(one, marks=pytest.mark.torture) for one in REST)])
async def test_what_is_kept_for_so_long_goes_then_and_nothing_else_does(room: Room, walk: str):
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")
    over = room.now
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "closed_at", over))
    room.change(lambda db: incidents.stop_listening(db, incident, now=over))
    room.pass_time(days=300)
    a_message(room, "said later, elsewhere", channel="C0OTHER")
    kept: list[int] = []

    for step in WALKS[walk]:
        room.now = over + room.house.retention_days * DAY + step
        await tick(room)
        kept.append(len([text for text in room.ask(lambda db: db.scalars(select(Message.text)).all()) if text]))

    assert (kept[0], kept[-1]) == (2, 1)


# Where clocks change twice a year -----------------------------------------------------------------

CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29)),
    ("Europe/Berlin", datetime(2026, 10, 25)),
    ("America/New_York", datetime(2026, 3, 8)),
    ("America/New_York", datetime(2026, 11, 1)),
    ("Australia/Lord_Howe", datetime(2026, 4, 5)),
    ("Australia/Lord_Howe", datetime(2026, 10, 4)),
    ("America/Santiago", datetime(2026, 4, 5)),
    ("America/Santiago", datetime(2026, 9, 6)),
]
"""Sundays on which they do, in the night before or during them."""
LOOKS = [time(0, 30), time(2, 30), time(8), time(8, 30), time(9), time(9, 30), time(10), time(16, 30), time(23, 30)]
"""When it is looked, as clocks on the wall show it."""


@pytest.mark.parametrize(
    ("zone", "sunday"), [*CHANGES[:2], *(pytest.param(*one, marks=pytest.mark.torture) for one in CHANGES[2:])]
)
def test_over_a_change_of_clocks_each_is_told_once_in_the_morning_of_a_working_day(
    room: Room, zone: str, sunday: datetime
):
    here, room.now = ZoneInfo(zone), sunday.replace(tzinfo=UTC) - 12 * HOUR
    lives_in(room, MARA, zone)
    incident = an_incident(room)
    mitigated(room, incident)
    an_action_due(room, incident, sunday)
    told: list[datetime] = []

    for day in range(3):
        for at in LOOKS:
            wall = datetime.combine((sunday + day * DAY).date(), at, here)
            room.now, before = wall.astimezone(UTC), len(room.transcript(MARA))
            for ability in (scheduling.propose_due, reminding.remind_due):
                room.desk.serve_if_due(ability)
            told += [wall] * (len(room.transcript(MARA)) - before)

    assert [at.date() for at in told] == [(sunday + DAY).date(), (sunday + 2 * DAY).date()]
    assert {at.time() for at in told} == {time(9)}
    assert len(keys(room, "proposal:")) == len(keys(room, "reminders:")) == 1


def lives_in(room: Room, user: UserId, zone: str) -> None:
    known = {"name": "Mara", "zone": zone, "email": None, "bot": None, "gone": None}
    room.change(lambda db: people.know(db, TEAM, user, **known, now=room.now))


def an_action_due(room: Room, incident: int, sunday: datetime) -> None:
    promise = Proposal(text="Alert", owner=MARA, due=(sunday + 4 * DAY).date(), horizon="quick")
    earlier = room.now - 10 * DAY

    def promised(db: Session) -> None:
        actions.propose(db, incidents.get(db, incident), promise, by=MARA, now=earlier).state = "committed"

    room.change(promised)


# Two programs on one database, whose machines disagree ---------------------------------------------


def called_by_two(url: str, folder: Path, clock: Callable[[], datetime], *, due_in: timedelta) -> int:
    """How often a meeting is called to by two programs, one too early and one too late by its machine's clock."""
    room, moment = a_room(folder, url), DatabaseTime(url)
    room.now = moment()
    incident = an_incident(room)
    mitigated(room, incident)
    at = moment() + sitting.CALL_BEFORE + due_in
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now))
    for skew in (SKEW, -SKEW, SKEW):
        desk = Desk(room.storage, room.desk.renderer, team=TEAM, house=room.house, now=clock)
        with time_machine.travel(moment() + skew):
            desk.serve_if_due(preparing.calls_due)
    calls = len(keys(room, "call:"))
    moment.close()
    room.storage.close()
    return calls


@pytest.mark.postgres
@pytest.mark.parametrize(("due_in", "calls"), [(timedelta(seconds=100), 0), (timedelta(seconds=-1), 1)])
def test_of_two_programs_whose_clocks_differ_the_time_of_their_database_decides(
    postgresql_url: str, tmp_path: Path, due_in: timedelta, calls: int
):
    clock = DatabaseTime(postgresql_url)

    assert called_by_two(postgresql_url, tmp_path, clock, due_in=due_in) == calls
    clock.close()


@pytest.mark.postgres
def test_by_the_clocks_of_their_machines_one_would_call_too_early(postgresql_url: str, tmp_path: Path):
    assert called_by_two(postgresql_url, tmp_path, system_time, due_in=timedelta(seconds=100)) == 1
