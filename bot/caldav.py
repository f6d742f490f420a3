"""Asks a calendar server when somebody is busy (RFC 4791): for times alone, and for entries where it gives no times.

What it is told stays on the server it was set up with: no redirect leads to another one, and nothing is kept of an
answer but times.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from bot.busy_hours import Span, Unreadable, Window, of_entries, of_free_busy

TIMES = ClientTimeout(total=20, connect=5, sock_read=10)
MOST_BYTES = 4 * 2**20
"""A month of a very full calendar, with all that its entries say, is a tenth of it."""
CHUNK = 64 * 1024
MOST_REDIRECTS = 3
REDIRECTS = {301, 302, 307, 308}
NO_TIMES = {400, 403, 405, 409, 415, 422, 501}
"""What servers answer that do not know the question for times, or do not let us ask it."""

TIMES_ALONE = """<?xml version="1.0" encoding="utf-8"?>
<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:time-range start="{after}" end="{until}"/>\
</C:free-busy-query>"""
ENTRIES = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-data>\
<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="UID"/><C:prop name="DTSTART"/>\
<C:prop name="DTEND"/><C:prop name="DURATION"/><C:prop name="RECURRENCE-ID"/><C:prop name="STATUS"/>\
<C:prop name="TRANSP"/><C:prop name="ATTENDEE"/></C:comp></C:comp>\
<C:expand start="{after}" end="{until}"/></C:calendar-data></D:prop><C:filter><C:comp-filter name="VCALENDAR">\
<C:comp-filter name="VEVENT"><C:time-range start="{after}" end="{until}"/></C:comp-filter></C:comp-filter></C:filter>\
</C:calendar-query>"""
"""Asks for what has to do with time, so that titles stay where they are, and for every repetition by itself."""


class NotRead(Exception):
    """Why a calendar could not be read, in a few words that name nobody."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whose calendar is asked for: their e-mail address, and the zone in which their whole days lie."""

    email: str
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Calendars:
    """Where calendars lie: an address with {email} or {user} in it, which is what stands before the @ of an e-mail."""

    address: str
    user: str = ""
    password: str = field(default="", repr=False)

    async def busy(self, person: Person, after: datetime, until: datetime) -> Sequence[Span]:
        """When somebody is busy in that time (UTC), within twenty seconds; raises NotRead."""
        try:
            async with ClientSession(timeout=TIMES, cookie_jar=DummyCookieJar()) as session:
                return await self._ask(session, person, Window(after, until))
        except Unreadable as why:
            raise NotRead(str(why)) from why
        except (ClientError, TimeoutError, OSError) as error:
            raise NotRead(f"it cannot be reached ({type(error).__name__})") from error

    async def _ask(self, session: ClientSession, person: Person, window: Window) -> Sequence[Span]:
        address = self._address_of(person.email)
        status, answer = await self._report(session, address, TIMES_ALONE, window)
        if status in NO_TIMES:
            status, answer = await self._report(session, address, ENTRIES, window)
            _must_be_given(status, 207)
            return await asyncio.to_thread(of_entries, answer, window, email=person.email, zone=person.zone)
        _must_be_given(status, 200)
        return await asyncio.to_thread(of_free_busy, answer, window)

    def _address_of(self, email: str) -> URL:
        user = email.partition("@")[0]
        if not user.strip("."):
            raise NotRead("there is no address to ask for")
        named = self.address.replace("{email}", quote(email, safe="@")).replace("{user}", quote(user, safe=""))
        return URL(named, encoded=True)

    async def _report(self, session: ClientSession, address: URL, body: str, window: Window) -> tuple[int, bytes]:
        asked = body.format(after=f"{window.after:%Y%m%dT%H%M%SZ}", until=f"{window.until:%Y%m%dT%H%M%SZ}")
        for _ in range(MOST_REDIRECTS + 1):
            async with session.request(
                "REPORT", address, data=asked.encode(), headers=self.headers(), allow_redirects=False
            ) as answer:
                if answer.status not in REDIRECTS:
                    return answer.status, await self._read(answer)
                address = self._redirected(address, answer)
        raise NotRead("it sends us around in circles")

    def headers(self) -> Mapping[str, str]:
        """What every question says of itself, with who asks it."""
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": "1", "Accept-Encoding": "identity"}
        secret = b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {**headers, "Authorization": f"Basic {secret}"} if self.user else headers

    def _redirected(self, address: URL, answer: ClientResponse) -> URL:
        """Where it sends us on the same server; the password is not for another one."""
        try:
            target = address.join(URL(answer.headers.get("Location", ""), encoded=True))
            is_the_same = target.origin() == address.origin()
        except ValueError as error:
            raise NotRead("it sends us nowhere") from error
        if not is_the_same:
            raise NotRead("it sends us to another server")
        return target

    async def _read(self, answer: ClientResponse) -> bytes:
        found = bytearray()
        async for chunk in answer.content.iter_chunked(CHUNK):
            found += chunk
            self._must_fit(len(found))
        return bytes(found)

    def _must_fit(self, size: int) -> None:
        if size > MOST_BYTES:
            raise NotRead("it is too large")


def _must_be_given(status: int, expected: int) -> None:
    if status == expected:
        return
    if status == 401:
        raise NotRead("it answers 401: check DEBRIEF_CALDAV_USER and DEBRIEF_CALDAV_PASSWORD")
    raise NotRead(f"it answers {status}")
