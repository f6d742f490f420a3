"""When people are busy, and nothing else of their calendars."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, UserId
from storage import busy, incidents, people, reviews
from storage.models import Attendee, BusyTime, Meeting, Person
from tests.cast import MARA, NOVEMBER_18, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

NINE = NOVEMBER_18.replace(hour=9) + timedelta(days=2)
A_DAY = timedelta(days=1)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def at(hours: float) -> datetime:
    """So many hours after nine o'clock."""
    return NINE + timedelta(hours=hours)


def keep(room: Room, user: str, *spans: busy.Span) -> None:
    room.change(lambda db: busy.keep(db, TEAM, user, spans, now=room.now))


def rows(room: Room) -> list[tuple[str, datetime]]:
    found = room.ask(lambda db: db.execute(select(BusyTime.user_id, BusyTime.from_at).order_by(BusyTime.id)).all())
    return [(user, from_at) for user, from_at in found]


def give_address(room: Room, user: str, email: str | None) -> None:
    def write(db: Session) -> None:
        db.get_one(Person, (TEAM, user)).email = email

    room.change(write)


def test_what_was_read_is_given_for_each_person_in_order_and_without_overlaps(room: Room):
    keep(room, MARA, (at(3), at(4)), (at(0), at(1)), (at(0.5), at(2)), (at(4), at(5)))
    keep(room, TOMAS, (at(6), at(7)))

    found = room.ask(busy.between, TEAM, [MARA, TOMAS, PRIYA], NINE, NINE + A_DAY)

    assert found == {MARA: [(at(0), at(2)), (at(3), at(5))], TOMAS: [(at(6), at(7))], PRIYA: []}


def test_only_what_touches_the_time_asked_for_is_given_and_that_whole(room: Room):
    keep(room, MARA, (at(-2), at(-1)), (at(-0.5), at(0.5)), (at(2), at(4)), (at(5), at(6)))

    found = room.ask(busy.between, TEAM, [MARA], at(0), at(3))

    assert found[MARA] == [(at(-0.5), at(0.5)), (at(2), at(4))]


def test_a_time_that_ends_when_another_begins_is_not_in_its_way(room: Room):
    keep(room, MARA, (at(0), at(1)))

    assert room.ask(busy.between, TEAM, [MARA], at(1), at(2)) == {MARA: []}
    assert room.ask(busy.between, TEAM, [MARA], at(-1), at(0)) == {MARA: []}


def test_a_newer_reading_takes_the_place_of_the_one_before(room: Room):
    keep(room, MARA, (at(0), at(1)))
    keep(room, TOMAS, (at(0), at(1)))

    keep(room, MARA, (at(2), at(3)))

    found = room.ask(busy.between, TEAM, [MARA, TOMAS], NINE, NINE + A_DAY)
    assert found == {MARA: [(at(2), at(3))], TOMAS: [(at(0), at(1))]}


def test_what_is_over_and_what_ends_before_it_begins_is_not_kept(room: Room):
    keep(room, MARA, (room.now - A_DAY, room.now), (at(2), at(1)), (at(1), at(1)))

    assert rows(room) == []


def test_nothing_is_kept_of_somebody_who_is_not_known(room: Room):
    keep(room, "U0NOBODY", (at(0), at(1)))

    assert rows(room) == []


def test_many_times_are_kept(room: Room):
    spans = [(at(2 * number), at(2 * number + 1)) for number in range(1500)]

    keep(room, MARA, *spans)

    assert room.ask(busy.between, TEAM, [MARA], NINE, at(4000))[MARA] == spans
    assert len(rows(room)) == len(spans)


def test_of_another_workspace_nothing_is_given(room: Room):
    keep(room, MARA, (at(0), at(1)))

    assert room.ask(busy.between, "T0OTHER", [MARA], NINE, NINE + A_DAY) == {MARA: []}


def test_a_calendar_is_awaited_only_where_it_can_be_found_and_only_for_minutes(room: Room):
    give_address(room, MARA, "mara@example.com")

    def is_awaited(*users: str) -> bool:
        return room.ask(lambda db: busy.is_awaited(db, TEAM, users, since=NOVEMBER_18, now=room.now))

    assert is_awaited(MARA, TOMAS)
    assert not is_awaited(TOMAS)  # Nobody knows where his is.

    room.pass_time(minutes=5)

    assert not is_awaited(MARA, TOMAS)


def test_a_calendar_that_was_read_is_awaited_no_longer(room: Room):
    give_address(room, MARA, "mara@example.com")
    room.pass_time(minutes=1)

    keep(room, MARA)

    assert not room.ask(lambda db: busy.is_awaited(db, TEAM, [MARA], since=NOVEMBER_18, now=room.now))
    assert room.ask(lambda db: busy.unread(db, TEAM, [MARA, TOMAS], since=NOVEMBER_18)) == [TOMAS]


def test_the_calendar_of_somebody_who_has_left_is_not_looked_for(room: Room):
    give_address(room, MARA, "mara@example.com")
    room.change(
        lambda db: people.know(
            db, TEAM, TOMAS, name="Tomas", zone="UTC", email="t@example.com", bot=None, gone=room.now, now=room.now
        )
    )

    assert room.ask(busy.readable, TEAM, [MARA, TOMAS, PRIYA]) == {MARA: "mara@example.com"}


def test_what_is_over_is_forgotten_and_so_is_a_calendar_not_read_for_a_week(room: Room):
    keep(room, MARA, (at(0), at(1)), (at(24 * 30), at(24 * 31)))
    room.pass_time(days=4)
    keep(room, TOMAS, (at(24 * 30), at(24 * 31)))

    room.change(lambda db: busy.forget_over(db, TEAM, now=room.now))
    assert rows(room) == [(MARA, at(24 * 30)), (TOMAS, at(24 * 30))]

    room.pass_time(days=4)
    room.change(lambda db: busy.forget_over(db, TEAM, now=room.now))
    assert rows(room) == [(TOMAS, at(24 * 30))]


# Meetings of ours ---------------------------------------------------------------------------


def plan(room: Room, incident: int, at: datetime) -> None:
    def write(db: Session) -> None:
        reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now)

    room.change(write)


def for_a_meeting(room: Room, incident: int, *users: UserId) -> Mapping[UserId, Sequence[busy.Span]]:
    return room.ask(lambda db: busy.for_a_meeting(db, incidents.get(db, incident), users, NINE, NINE + A_DAY))


def test_a_meeting_is_in_nobodys_way_that_would_take_its_place(room: Room):
    incident = an_incident(room)
    plan(room, incident, at(1))
    keep(room, MARA, (at(0.5), at(2.5)), (at(4), at(5)))

    assert for_a_meeting(room, incident, MARA) == {MARA: [(at(0.5), at(1)), (at(2), at(2.5)), (at(4), at(5))]}


def test_nobody_is_asked_to_two_reviews_at_once_whether_or_not_their_calendar_is_read(room: Room):
    first, second = an_incident(room), an_incident(room, channel=ChannelId("C0OTHER"))
    plan(room, first, at(1))

    assert for_a_meeting(room, second, MARA, TOMAS) == {MARA: [(at(1), at(2))], TOMAS: []}


@pytest.mark.parametrize("since", ["cancelled_at", "ended_at"])
def test_a_meeting_that_is_off_or_over_keeps_nobody_busy(room: Room, since: str):
    first, second = an_incident(room), an_incident(room, channel=ChannelId("C0OTHER"))
    plan(room, first, at(1))
    room.change(lambda db: setattr(db.scalars(select(Meeting)).one(), since, room.now))

    assert for_a_meeting(room, second, MARA) == {MARA: []}


@pytest.mark.parametrize("row", [{"core_since": None}, {"uninvited_at": NOVEMBER_18}], ids=["reads along", "let off"])
def test_whoever_need_not_come_to_a_meeting_is_not_kept_busy_by_it(room: Room, row: dict[str, datetime | None]):
    first, second = an_incident(room), an_incident(room, channel=ChannelId("C0OTHER"))
    plan(room, first, at(1))
    room.change(lambda db: db.execute(update(Attendee).values(row)))

    assert for_a_meeting(room, second, MARA) == {MARA: []}


def test_a_team_that_meets_apart_is_busy_then_for_the_meeting_of_everybody_too(room: Room):
    incident = an_incident(room)
    plan(room, incident, at(1))
    room.change(lambda db: setattr(db.scalars(select(Meeting)).one(), "apart", "Payments"))

    assert for_a_meeting(room, incident, MARA) == {MARA: [(at(1), at(2))]}


def test_a_program_has_no_calendar_to_look_for(room: Room):
    give_address(room, MARA, "mara@example.com")
    room.change(lambda db: setattr(db.get_one(Person, (TEAM, MARA)), "bot_since", room.now))

    assert room.ask(busy.readable, TEAM, [MARA]) == {}


def test_the_calendar_of_somebody_of_whom_nothing_is_known_yet_is_awaited(room: Room):
    assert room.ask(busy.unmet, TEAM, [MARA, "U0NOBODY"]) == ["U0NOBODY"]
    assert room.ask(lambda db: busy.is_awaited(db, TEAM, ["U0NOBODY"], since=NOVEMBER_18, now=room.now))
