"""When somebody is busy is read from a real calendar server: times alone, and nothing else that stands there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

from bot import caldav
from bot.caldav import MOST_BYTES, Calendars, NotRead, Person
from storage.busy import merged
from tests.calendar_server import (
    READER,
    READERS_PASSWORD,
    CalendarServer,
    a_calendar_server,
    an_entry,
    from_until,
)

MARA, JONAS = "mara@example.com", "jonas@example.com"
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
A_WEEK = timedelta(days=7)


def at(day: int, hour: float) -> datetime:
    """That hour, in UTC, of the days after Monday."""
    return MONDAY + timedelta(days=day, hours=hour)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calendars")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[CalendarServer]:
    """Where the reader is allowed to see times, and not what is in them."""
    emails = [MARA, "empty@example.com", "tomas@example.com", "ana+work@example.com"]
    with a_calendar_server(folder, *emails) as server:
        fill(server, MARA)
        yield server


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """Where the reader may see everything."""
    with a_calendar_server(tmp_path_factory.mktemp("open"), MARA, JONAS, permissions="r") as server:
        fill(server, MARA)
        yield server


def fill(server: CalendarServer, email: str) -> None:
    """A week with everything in it that a calendar can say of time."""
    entries = {
        "once": from_until(at(0, 9), at(0, 10)),
        "overlapping": from_until(at(0, 9.5), at(0, 11)),
        "each day": (*from_until(at(-7, 13), at(-7, 13.5)), "RRULE:FREQ=DAILY;BYDAY=TU,WE"),
        "tentative": (*from_until(at(3, 9), at(3, 10)), "STATUS:TENTATIVE"),
        "lasting": (f"DTSTART:{at(3, 11):%Y%m%dT%H%M%SZ}", "DURATION:PT45M"),
        "at home": ("DTSTART;TZID=Europe/Berlin:20261126T150000", "DTEND;TZID=Europe/Berlin:20261126T160000"),
        "free": (*from_until(at(1, 8), at(1, 18)), "TRANSP:TRANSPARENT"),
        "cancelled": (*from_until(at(2, 8), at(2, 12)), "STATUS:CANCELLED"),
        "long ago": from_until(at(-30, 8), at(-30, 18)),
        "later": from_until(at(30, 8), at(30, 18)),
    }
    for name, lines in entries.items():
        assert server.put(email, name.replace(" ", "-"), an_entry(name, *lines)) == 201


BUSY = [
    (at(0, 9), at(0, 11)),
    (at(1, 13), at(1, 13.5)),
    (at(2, 13), at(2, 13.5)),
    (at(3, 9), at(3, 10)),
    (at(3, 11), at(3, 11.75)),
    (at(3, 14), at(3, 15)),
]


def calendars(server: CalendarServer, address: str = "") -> Calendars:
    return Calendars(address or server.address, READER, READERS_PASSWORD)


async def read(calendars: Calendars, email: str = MARA, zone: ZoneInfo = BERLIN) -> list[Any]:
    return list(merged(await calendars.busy(Person(email, zone), MONDAY, MONDAY + A_WEEK)))


# What a real server tells ----------------------------------------------------------------------


async def test_busy_times_are_read_where_nothing_but_times_may_be_seen(server: CalendarServer):
    assert await read(calendars(server)) == BUSY


async def test_somebody_with_an_empty_calendar_is_free(server: CalendarServer):
    assert await read(calendars(server), "empty@example.com") == []


async def test_an_address_with_odd_letters_finds_its_calendar(server: CalendarServer):
    assert server.put("ana+work@example.com", "one", an_entry("one", *from_until(at(0, 9), at(0, 10)))) == 201

    assert await read(calendars(server), "ana+work@example.com") == [(at(0, 9), at(0, 10))]


async def test_a_calendar_is_found_by_what_stands_before_the_at(server: CalendarServer):
    by_user = f"{server.url}/{{user}}@example.com/calendar/"

    assert await read(calendars(server, by_user)) == BUSY


async def test_what_lies_over_an_edge_is_cut_off_there(server: CalendarServer):
    server.put("tomas@example.com", "journey", an_entry("journey", *from_until(at(-1, 12), at(9, 12))))

    assert await read(calendars(server), "tomas@example.com") == [(MONDAY, MONDAY + A_WEEK)]


async def test_a_wrong_password_is_told_with_the_settings_that_hold_it(server: CalendarServer):
    with pytest.raises(NotRead, match="401: check DEBRIEF_CALDAV_USER and DEBRIEF_CALDAV_PASSWORD"):
        await read(Calendars(server.address, READER, "something else"))


async def test_a_calendar_that_is_not_there_is_told(server: CalendarServer):
    with pytest.raises(NotRead, match=r"^it answers 40[34]$"):
        await read(calendars(server), "nobody@example.com")


async def test_a_server_that_is_not_there_is_told(free_port: int):
    with pytest.raises(NotRead, match="cannot be reached"):
        await read(Calendars(f"http://127.0.0.1:{free_port}/{{email}}/"))


@pytest.mark.parametrize("email", ["..@example.com", "@example.com", ".", ""])
async def test_an_address_that_would_lead_elsewhere_on_the_server_is_not_asked_for(server: CalendarServer, email: str):
    with pytest.raises(NotRead, match="no address"):
        await read(calendars(server, f"{server.url}/{{user}}/calendar/"), email)


# A server in between ------------------------------------------------------------------------------


@dataclass
class Gate:
    """A server that answers what it is told to, and passes everything else on to a real one."""

    behind: str = ""
    answers: dict[str, Callable[[web.Request], Any]] = field(default_factory=dict)
    """By the question's name."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and authorization of each question."""
    questions: list[str] = field(default_factory=list)
    url: str = ""
    _runner: Any = None

    async def open(self) -> None:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()

    @property
    def calendars(self) -> Calendars:
        return Calendars(f"{self.url}/{{email}}/calendar/", READER, READERS_PASSWORD)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path, request.headers.get("Authorization")))
        body = await request.text()
        self.questions.append(body)
        for name, answer in self.answers.items():
            if name in body:
                return await answer(request)
        return await self._pass_on(request, body)

    async def _pass_on(self, request: web.Request, body: str) -> web.Response:
        headers = {name: request.headers[name] for name in ("Authorization", "Depth", "Content-Type")}
        async with (
            ClientSession() as session,
            session.request(request.method, self.behind + request.path, data=body, headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


def says(status: int, body: bytes = b"", **headers: str) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@pytest.fixture
async def gate(open_server: CalendarServer) -> AsyncIterator[Gate]:
    gate = Gate(behind=open_server.url)
    await gate.open()
    yield gate
    await gate.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Gate]:
    """Somebody else's server, who would like to have the password."""
    stranger = Gate(answers={"": says(200)})
    await stranger.open()
    yield stranger
    await stranger.close()


@pytest.mark.parametrize("status", [400, 403, 405, 409, 415, 422, 501])
async def test_entries_are_read_where_a_server_does_not_give_times_alone(gate: Gate, status: int):
    gate.answers["free-busy-query"] = says(status)

    assert await read(gate.calendars) == BUSY
    assert len(gate.questions) == 2


async def test_entries_are_asked_for_without_their_titles(gate: Gate):
    gate.answers["free-busy-query"] = says(415)

    await read(gate.calendars)

    assert "SUMMARY" not in gate.questions[1]
    assert 'name="DTSTART"' in gate.questions[1]


async def test_what_somebody_declined_keeps_them_from_nothing(gate: Gate, open_server: CalendarServer):
    gate.answers["free-busy-query"] = says(415)
    declined = "ATTENDEE;PARTSTAT=DECLINED:mailto:Jonas@Example.com"
    of_others = "ATTENDEE;PARTSTAT=DECLINED:mailto:tomas@example.com"
    open_server.put(JONAS, "declined", an_entry("declined", *from_until(at(4, 8), at(4, 9)), declined, of_others))
    open_server.put(JONAS, "accepted", an_entry("accepted", *from_until(at(4, 10), at(4, 11)), of_others))

    assert await read(gate.calendars, JONAS) == [(at(4, 10), at(4, 11))]


async def test_a_whole_day_is_a_day_in_the_zone_of_its_person(gate: Gate):
    gate.answers["free-busy-query"] = says(415)
    gate.answers["calendar-query"] = says(207, entries(an_entry("day", "DTSTART;VALUE=DATE:20261125")))

    found = await read(gate.calendars, zone=ZoneInfo("America/New_York"))

    assert found == [(at(2, 5), at(3, 5))]


async def test_a_redirect_on_the_same_server_is_followed(gate: Gate):
    async def move(request: web.Request) -> web.Response:
        return web.Response(status=308, headers={"Location": "/mara@example.com/calendar/"})

    gate.answers = {"": lambda request: move(request) if "old" in request.path else gate._pass_on(request, TIMES)}

    found = await read(Calendars(f"{gate.url}/old/{{email}}/", READER, READERS_PASSWORD))

    assert found == BUSY


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_who_is_sent_around_in_circles_turns_away(gate: Gate, status: int):
    gate.answers[""] = says(status, Location="/mara@example.com/calendar/")

    with pytest.raises(NotRead, match="it sends us around in circles"):
        await read(gate.calendars)
    assert len(gate.questions) == 4


class Trusting(Calendars):
    """The twin: goes wherever it is sent."""

    def _redirected(self, address: URL, answer: Any) -> URL:
        return address.join(URL(answer.headers["Location"]))


async def test_no_redirect_leads_to_another_server(gate: Gate, stranger: Gate):
    gate.answers[""] = says(307, Location=f"{stranger.url}/mine")

    with pytest.raises(NotRead, match="another server"):
        await read(gate.calendars)
    assert stranger.asked == []

    with pytest.raises(NotRead):
        await read(Trusting(gate.calendars.address, READER, READERS_PASSWORD))
    assert [path for path, password in stranger.asked if password] == ["/mine"]


@pytest.mark.parametrize("where", ["", "mailto:mara@example.com", "http://["])
async def test_a_redirect_to_nowhere_is_told(gate: Gate, where: str):
    gate.answers[""] = says(302, Location=where)

    with pytest.raises(NotRead, match="it sends us"):
        await read(gate.calendars)


class Patient(Calendars):
    """The twin: takes however much there is."""

    def _must_fit(self, size: int) -> None:
        pass


async def test_no_more_is_taken_than_a_calendar_can_have(gate: Gate):
    gate.answers[""] = says(200, b"X" * (MOST_BYTES + 1))

    with pytest.raises(NotRead, match="too large"):
        await read(gate.calendars)
    with pytest.raises(NotRead, match="cannot be read"):
        await read(Patient(gate.calendars.address))


async def test_a_server_that_does_not_go_on_is_left(gate: Gate, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caldav, "TIMES", ClientTimeout(total=0.3))

    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    gate.answers[""] = never

    with pytest.raises(NotRead, match=r"cannot be reached \(TimeoutError\)"):
        await read(gate.calendars)


@pytest.mark.parametrize("status", [204, 404, 410, 429, 500, 503])
async def test_any_other_answer_is_told_by_its_number(gate: Gate, status: int):
    gate.answers[""] = says(status)

    with pytest.raises(NotRead, match=f"^it answers {status}$"):
        await read(gate.calendars)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>Sign in</html>", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"]
)
async def test_what_is_no_calendar_is_not_taken_for_an_empty_one(gate: Gate, answer: bytes):
    gate.answers[""] = says(200, answer)

    with pytest.raises(NotRead):
        await read(gate.calendars)


def test_who_has_no_name_on_the_server_names_no_password():
    with_one, without = (Calendars("https://example.com/{email}", user, "secret").headers() for user in (READER, ""))

    assert with_one.keys() - without.keys() == {"Authorization"}


async def test_the_password_is_shown_nowhere(server: CalendarServer):
    assert READERS_PASSWORD not in repr(calendars(server))


def entries(*calendars: bytes) -> bytes:
    told = "".join(f"<D:response><C:calendar-data>{one.decode()}</C:calendar-data></D:response>" for one in calendars)
    names = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return f"<D:multistatus {names}>{told}</D:multistatus>".encode()


TIMES = caldav.TIMES_ALONE.format(after="20261123T000000Z", until="20261130T000000Z")
