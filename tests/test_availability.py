"""Whose calendar is read, when, and that nothing is kept of it but times."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot import scheduling
from bot.availability import FRESH, PAUSE, ROUND, Availability, looking, wanted
from bot.caldav import Calendars, NotRead, Person
from bot.desk import House, Turn
from bot.review.heard import PersonFact, read_person
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.slack import Slack
from storage import busy, incidents, reviews
from storage.busy import Span
from storage.models import Person as PersonRow
from storage.session import Storage
from tests.calendar_server import READER, READERS_PASSWORD, CalendarServer, a_calendar_server, an_entry, from_until
from tests.canary import bytes_with
from tests.cast import JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_message, a_room, an_incident, mitigated

SECRET = "Interview at a competitor"
A_DAY = timedelta(days=1)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    folder = tmp_path_factory.mktemp("calendars")
    with a_calendar_server(folder, address_of(MARA), address_of(TOMAS), permissions="r") as server:
        yield server


def address_of(user: str) -> str:
    return f"{user.removeprefix('U0').lower()}@example.com"


def give_addresses(room: Room, *users: str) -> None:
    def write(db: Session) -> None:
        for user in users:
            db.get_one(PersonRow, (TEAM, user)).email = address_of(user)

    room.change(write)


@dataclass(frozen=True)
class Diaries(Calendars):
    """Calendars that remember who was asked for, and fail for whom they are told to."""

    address: str = "https://calendars.example.com/{email}/"
    failing: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    async def busy(self, person: Person, after: datetime, until: datetime) -> Sequence[Span]:
        self.asked.append(person.email)
        if person.email in map(address_of, self.failing):
            raise NotRead("it answers 503")
        return [(after + timedelta(hours=1), after + timedelta(hours=2))]


class Profiles(Slack):
    """A Slack that knows some people by their address."""

    def __init__(self, *known: str) -> None:
        super().__init__(AsyncWebClient())
        self.known = known
        self.asked: list[str] = []

    async def people_of(self, users: Collection[str]) -> list[PersonFact]:
        self.asked += users
        profile = {"email": "", "real_name": "Somebody"}
        told = [
            read_person({"id": user, "tz": "UTC", "profile": profile | {"email": address_of(user)}})
            for user in self.known
        ]
        return [one for one in told if one and one.user_id in users]


def names_asked(room: Room, diaries: Diaries | None = None) -> list[str]:
    """Whose calendars one more round reads, in order."""
    diaries = diaries or Diaries()
    asyncio.run(Availability(room.desk, diaries, Profiles()).round())
    return sorted(diaries.asked)


def an_incident_of_three(room: Room) -> int:
    """Led by Mara; Tomas and Jonas wrote in it, and Priya did not."""
    give_addresses(room, MARA, TOMAS, PRIYA)
    incident = an_incident(room)
    a_message(room, "looking", by=TOMAS)
    a_message(room, "me too", by=JONAS, at=room.now + timedelta(seconds=1))
    return incident


def test_calendars_are_read_when_the_incident_is_over_and_of_those_who_were_in_it(room: Room):
    incident = an_incident_of_three(room)

    assert names_asked(room) == []

    mitigated(room, incident)
    assert names_asked(room) == ["mara@example.com", "tomas@example.com"]


def test_what_was_read_is_kept_and_read_anew_after_an_hour_and_not_before(room: Room):
    mitigated(room, an_incident_of_three(room))
    assert len(names_asked(room)) == 2

    room.now += FRESH
    assert names_asked(room) == []

    room.pass_time(minutes=1)
    assert len(names_asked(room)) == 2
    found = room.ask(busy.between, TEAM, [MARA], room.now, room.now + A_DAY)
    assert found == {MARA: [(room.now + timedelta(hours=1), room.now + timedelta(hours=2))]}


def test_an_incident_that_is_over_anew_is_not_served_with_what_was_read_before(room: Room):
    incident = an_incident_of_three(room)
    mitigated(room, incident)
    names_asked(room)
    room.pass_time(minutes=10)

    mitigated(room, incident)

    assert len(names_asked(room)) == 2


def test_a_review_that_meets_nobody_needs_no_calendar(room: Room):
    give_addresses(room, MARA)
    mitigated(room, an_incident(room, severity="sev4"))

    assert names_asked(room) == []


def test_a_meeting_that_is_planned_keeps_the_calendars_of_its_core_fresh_until_it_opens(room: Room):
    incident = an_incident_of_three(room)
    mitigated(room, incident)

    def plan(db: Session) -> None:
        row = incidents.get(db, incident)
        reviews.plan(db, row, at=room.now + 2 * A_DAY, by=MARA, now=room.now)

    room.change(plan)
    assert address_of(MARA) in names_asked(room)

    room.pass_time(days=3)
    assert names_asked(room) == []


def test_a_calendar_that_cannot_be_read_is_left_alone_for_a_while_and_stops_no_other(room: Room):
    mitigated(room, an_incident_of_three(room))
    diaries = Diaries(failing=(MARA,))
    availability = Availability(room.desk, diaries, Profiles())

    async def rounds() -> list[list[str]]:
        found: list[list[str]] = []
        for span in (timedelta(), timedelta(seconds=5), PAUSE):
            room.now += span
            await availability.round()
            found.append(sorted(diaries.asked))
            diaries.asked.clear()
        return found

    first, soon_after, later = asyncio.run(rounds())

    assert first == ["mara@example.com", "tomas@example.com"]
    assert soon_after == []
    assert later == ["mara@example.com"]
    assert room.ask(lambda db: busy.unread(db, TEAM, [MARA, TOMAS], since=room.now - FRESH)) == [MARA]


def test_what_was_known_stays_where_a_calendar_cannot_be_read_again(room: Room):
    mitigated(room, an_incident_of_three(room))
    names_asked(room)
    room.pass_time(minutes=61)

    names_asked(room, Diaries(failing=(MARA,)))

    assert len(room.ask(busy.between, TEAM, [MARA], room.now - A_DAY, room.now + A_DAY)[MARA]) == 1


@pytest.mark.postgres
def test_of_two_programs_one_reads(tmp_path: Path, postgresql_url: str):
    room, other = a_room(tmp_path, postgresql_url), Storage(postgresql_url)
    mitigated(room, an_incident_of_three(room))
    assert other.holds.take(ROUND)

    assert names_asked(room) == []

    other.holds.release(ROUND)
    assert len(names_asked(room)) == 2
    other.close()
    room.storage.close()


def test_an_hour_waits_for_a_calendar_for_five_minutes_and_only_where_calendars_are_read(room: Room):
    incident = an_incident_of_three(room)
    mitigated(room, incident)
    since = room.now

    def waits(turn: Turn) -> bool:
        return turn.awaits_calendars([MARA, TOMAS], since=since)

    assert not room.desk.look(waits)

    room.house = House(calendars="on")
    room.__post_init__()
    assert room.desk.look(waits)

    room.pass_time(minutes=4)
    assert room.desk.look(waits)
    names_asked(room)
    assert not room.desk.look(waits)


def test_the_lead_is_offered_hours_once_the_calendars_were_read(room: Room):
    room.house = House(calendars="on")
    room.__post_init__()
    mitigated(room, an_incident_of_three(room))

    room.desk.serve_if_due(scheduling.propose_due)
    assert room.transcript(MARA) == []

    names_asked(room)
    room.desk.serve_if_due(scheduling.propose_due)
    assert len(room.transcript(MARA)) == 1


def test_the_lead_is_offered_hours_all_the_same_where_no_calendar_answers(room: Room):
    room.house = House(calendars="on")
    room.__post_init__()
    mitigated(room, an_incident_of_three(room))
    names_asked(room, Diaries(failing=(MARA, TOMAS)))

    room.pass_time(minutes=5)
    room.desk.serve_if_due(scheduling.propose_due)

    assert len(room.transcript(MARA)) == 1


def test_whoever_was_in_it_and_never_met_is_met_first_and_asked_for_once_in_a_while(room: Room):
    give_addresses(room, MARA)
    incident = an_incident(room)
    a_message(room, "looking", by=UserId("U0KENJI"))
    a_message(room, "me too", by=UserId("U0NOBODY"), at=room.now + timedelta(seconds=1))
    mitigated(room, incident)
    room.house = House(calendars="on")
    room.__post_init__()
    slack, diaries = Profiles("U0KENJI"), Diaries()
    availability = Availability(room.desk, diaries, slack)

    asyncio.run(_twice(availability))

    assert sorted(slack.asked) == ["U0KENJI", "U0NOBODY"]
    assert sorted(diaries.asked) == ["kenji@example.com", "mara@example.com"]


async def _twice(availability: Availability) -> None:
    await availability.round()
    await availability.round()


def test_whoever_takes_a_role_is_read_too(room: Room):
    incident = an_incident_of_three(room)
    mitigated(room, incident)
    names_asked(room)
    room.pass_time(minutes=1)

    room.change(
        lambda db: incidents.give_role(
            db, incidents.get(db, incident), Role.facilitator, UserId(PRIYA), by=MARA, now=room.now
        )
    )

    assert names_asked(room) == [address_of(PRIYA)]


def test_nothing_is_asked_where_nobody_is_known(room: Room):
    mitigated(room, an_incident(room))

    assert room.desk.look(wanted, of=room.desk.look(looking)) == []


def test_nothing_of_a_real_calendar_is_kept_but_times(
    room: Room, server: CalendarServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    at = room.now + A_DAY
    server.put(address_of(MARA), "one", an_entry("one", *from_until(at, at + timedelta(hours=1)), title=SECRET))
    mitigated(room, an_incident_of_three(room))

    asyncio.run(Availability(room.desk, Calendars(server.address, READER, READERS_PASSWORD), Profiles()).round())

    assert room.ask(busy.between, TEAM, [MARA], at, at + A_DAY)[MARA] == [(at, at + timedelta(hours=1))]
    assert SECRET.encode() in server.get(address_of(MARA), "one")
    assert bytes_with(tmp_path, SECRET) == []
    assert not any(word in caplog.text for word in (SECRET, "mara@example.com", READERS_PASSWORD))


def test_a_busy_person_in_no_review_is_not_read(room: Room, server: CalendarServer):
    give_addresses(room, MARA)
    an_incident(room)

    asyncio.run(Availability(room.desk, Calendars(server.address, READER, READERS_PASSWORD), Profiles()).round())

    assert room.ask(lambda db: db.scalar(text("SELECT count(*) FROM busy_times"))) == 0
