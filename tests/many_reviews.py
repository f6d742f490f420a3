"""A room with many reviews in every state, each with people of its own, where everything due has been said."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, event, update
from sqlalchemy.orm import Session

from bot.availability import looking, unknown_people, wanted
from bot.clock import EACH, TABLE
from bot.desk import House, Notes
from bot.review.incident import ChannelId, UserId
from bot.review.lifecycle import Role
from storage import actions, attending, incidents, people, presence, reviews
from storage.actions import Proposal
from storage.models import Attendee, Incident, Meeting, Membership, Person
from tests.cast import TEAM, Room, a_message, a_room, an_incident, mitigated

A_MONDAY = datetime(2026, 11, 9, 11, 0, tzinfo=UTC)
"""In the morning in London, where everybody is."""

MEETS_IN = timedelta(days=28)
TEAM_OF = 6
DAYS = 4
"""Working days after which everything that was due has been said, one message a person and day."""


@dataclass(frozen=True, slots=True)
class Case:
    """One review: its incident, its meeting and the people in its channel, the lead first."""

    room: Room
    incident: Incident
    meeting: Meeting
    people: Sequence[UserId]

    @property
    def lead(self) -> UserId:
        return self.people[0]

    def give(self, db: Session, **roles: int) -> None:
        """Give roles to people of the channel, by their place in it."""
        for role, place in roles.items():
            incidents.give_role(db, self.incident, Role(role), self.people[place], by=self.lead, now=self.room.now)


def held(db: Session, case: Case) -> None:
    """It met, and its draft waits for somebody to approve it; somebody promised something that is not due yet."""
    _ended(db, case)
    due = case.room.now.date() + 2 * MEETS_IN
    promise = Proposal(text="Alert on stuck queues", owner=case.people[5], due=due, horizon="long")
    actions.propose(db, case.incident, promise, by=case.lead, now=case.room.now).state = "committed"


def planned_without_anybody(db: Session, case: Case) -> None:
    """It is planned, and nobody who is asked to lead it, or to write, answers."""
    case.meeting.scheduled_at = case.room.now


def planned_with_everybody(db: Session, case: Case) -> None:
    case.give(db, facilitator=3, scribe=4)


def published(db: Session, case: Case) -> None:
    _ended(db, case)
    review = reviews.of(db, case.incident)
    review.drafted_at = review.approved_at = review.published_at = case.room.now


def called_off(db: Session, case: Case) -> None:
    case.meeting.cancelled_at = reviews.of(db, case.incident).cancelled_at = case.room.now


def not_planned(db: Session, case: Case) -> None:
    """Whoever leads was asked for the hour, and did not answer."""
    db.execute(delete(Attendee).where(Attendee.meeting_id == case.meeting.id))
    db.delete(case.meeting)


STATES: Sequence[Callable[[Session, Case], None]] = (
    held,
    planned_without_anybody,
    planned_with_everybody,
    published,
    called_off,
    not_planned,
)


def _ended(db: Session, case: Case) -> None:
    case.give(db, facilitator=3)
    meeting, now = case.meeting, case.room.now
    meeting.meets_at = meeting.opened_at = now - timedelta(hours=2)
    meeting.ended_at = meeting.touched_at = now - timedelta(hours=1)
    for user in case.people[:4]:
        attending.here(db, meeting, user, now=now)


def a_room_with_reviews(folder: Path, url: str | None = None, *, each: int, house: House | None = None) -> Room:
    """Where of each state there are so many; everything that can be due has been said, and it is a morning."""
    room = a_room(folder, url)
    room.now = A_MONDAY
    room.house = room.desk.house = house or House()
    for number in range(each):
        for place, state in enumerate(STATES):
            _begin(room, state, number * len(STATES) + place)
    for _ in range(DAYS):
        room.pass_time(hours=1)
        tick(room)
        room.pass_time(hours=3)
        tick(room)
        room.pass_time(hours=20)
    tick(room)
    tick(room)
    room.change(lambda db: db.execute(update(Person).values(calendar_read_at=room.now)))
    return room


def _begin(room: Room, state: Callable[[Session, Case], None], number: int) -> None:
    users = [UserId(f"U{number:03}P{one}") for one in range(TEAM_OF)]
    room.change(lambda db: _move_in(db, room, users, number))
    channel = ChannelId(f"C0MANY{number:03}")
    incident = an_incident(room, lead=users[0], channel=channel)
    for user in users[:3]:
        a_message(room, "on it", by=user, channel=channel)
        room.pass_time(seconds=1)
    mitigated(room, incident)

    def arrange(db: Session) -> None:
        row = incidents.get(db, incident)
        meeting = reviews.plan(db, row, at=A_MONDAY + MEETS_IN, by=users[0], now=room.now)
        state(db, Case(room, row, meeting, users))

    room.change(arrange)


def _move_in(db: Session, room: Room, users: Sequence[UserId], number: int) -> None:
    for user in users:
        email = f"{user.lower()}@example.com"
        people.know(db, TEAM, user, name=user, zone="Europe/London", email=email, bot=None, gone=None, now=room.now)
        db.add(Membership(team_id=TEAM, channel_id=f"C0MANY{number:03}", user_id=user))
    presence.notice(db, TEAM, now=room.now)


def tick(room: Room) -> None:
    """As the clock does."""
    for question, abilities in EACH.items():
        room.desk.serve_each(question, *abilities)
    for ability in TABLE:
        room.desk.serve_if_due(ability)


# What it costs ----------------------------------------------------------------------------


@contextmanager
def counted(engine: Engine) -> Generator[list[str]]:
    """The statements that are sent to the database meanwhile, without the beginnings of transactions."""
    sent: list[str] = []

    def send(*told: object) -> None:
        statement = str(told[2])
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", send)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", send)


def cost(room: Room) -> Mapping[str, int]:
    """How many statements each ability asks at a tick, by its name."""
    return dict(_costs(room))


def cost_of(room: Room, ability: Callable[..., Notes]) -> int:
    """How many statements one ability asks."""
    return _cost(room, ability, partial(room.desk.serve_if_due, ability))[1]


def _costs(room: Room) -> Iterator[tuple[str, int]]:
    desk = room.desk
    for question, abilities in EACH.items():
        yield _cost(room, question, partial(desk.serve_each, question, *abilities))
    for ability in TABLE:
        yield _cost(room, ability, partial(desk.serve_if_due, ability))
    if room.house.calendars == "on":  # Beside the ticks, and as often.
        found = desk.look(looking)
        yield _cost(room, looking, partial(desk.look, looking, known=found))
        yield _cost(room, unknown_people, partial(desk.look, unknown_people, of=found))
        yield _cost(room, wanted, partial(desk.look, wanted, of=found))


def _cost(room: Room, what: Callable[..., Any], ask: Callable[[], Any]) -> tuple[str, int]:
    with counted(room.storage.engine) as sent:
        ask()
    return f"{what.__module__.rpartition('.')[2]}.{what.__name__}", len(sent)
