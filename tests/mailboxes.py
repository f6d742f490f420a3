"""A real mail server for tests, whose accidents are chosen, and a calendar that takes in what arrives there."""

import asyncio
import email.policy
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Literal

import ics
import vobject
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE = Path(__file__).with_name("mail_server.pem")
"""Self-signed for localhost, with its key: it is trusted by these tests alone."""
Accident = str
"""What happens to the next letter: none, the words of a refusal, or reset_at_rcpt and reset_after_data."""


def trusting() -> ssl.SSLContext:
    """Trusts this server and no other."""
    return ssl.create_default_context(cafile=CERTIFICATE)


@dataclass
class PostOffice:
    """Takes letters in; what it took lies in `letters`, also where the sender never heard so."""

    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    tried: int = 0
    at_rcpt: list[Accident] = field(default_factory=list)
    at_data: list[Accident] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    server: SMTP | None = None

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        self.tried += 1
        accident = self.at_rcpt.pop(0) if self.at_rcpt else "none"
        if accident == "reset_at_rcpt":
            hang_up(server)
        elif accident != "none":
            return accident
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        accident = self.at_data.pop(0) if self.at_data else "none"
        if accident not in {"none", "reset_after_data"}:
            return accident
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        letter = BytesParser(policy=email.policy.default).parsebytes(content)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.envelopes.append((envelope.mail_from or "", tuple(envelope.rcpt_tos)))
        if accident == "reset_after_data":
            hang_up(server)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@asynccontextmanager
async def post_office(*, security: Literal["none", "starttls", "tls"] = "none") -> AsyncIterator[PostOffice]:
    """A server on a port of its own; with a security it wants a password."""
    office = PostOffice()
    context = None
    if security != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)

    def speak() -> SMTP:
        with warnings.catch_warnings():
            # It warns of passwords in the clear, for it does not see that the socket below it is encrypted already.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                office,
                hostname="mail.sandbox.example",
                tls_context=context if security == "starttls" else None,
                require_starttls=security == "starttls",
                authenticator=office.authenticate if security != "none" else None,
                auth_required=security != "none",
                auth_require_tls=security == "starttls",
            )

    over = context if security == "tls" else None
    listening = await asyncio.get_running_loop().create_server(speak, "127.0.0.1", 0, ssl=over)
    office.port = listening.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        listening.close()


@contextmanager
def post_office_in_thread() -> Iterator[PostOffice]:
    """The same for tests that do not wait for anything, with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = post_office()
    try:
        yield asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# What it does to a calendar -----------------------------------------------------------------


def enclosed(letter: EmailMessage) -> str:
    """The calendar object of a letter."""
    (part,) = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    return part.get_content()


@dataclass(frozen=True)
class Entry:
    """A meeting as a calendar shows it."""

    sequence: int
    begins: str
    summary: str
    status: str


@dataclass
class CalendarOfSomebody:
    """Does with an object what RFC 5546 says: by UID and SEQUENCE; each is read by two parsers, which must agree."""

    entries: dict[str, Entry] = field(default_factory=dict)
    changed: int = 0

    def take_in(self, written: str) -> None:
        uid, _method, entry = read_twice(written)
        known = self.entries.get(uid)
        if known and entry.sequence <= known.sequence:
            return
        self.changed += 1
        self.entries[uid] = entry

    @property
    def shown(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.status != "CANCELLED"]


def read_twice(written: str) -> tuple[str, str, Entry]:
    """UID, method and entry, as vobject and ics both read them."""
    (other,) = ics.Calendar(written).events
    calendar: Any = vobject.readOne(written)
    event = calendar.vevent
    begins = event.dtstart.value.isoformat()
    assert other.uid == event.uid.value
    assert other.begin.isoformat() == begins
    assert other.end.isoformat() == event.dtend.value.isoformat()
    assert other.name == event.summary.value
    method = calendar.method.value if hasattr(calendar, "method") else ""
    entry = Entry(int(event.sequence.value), begins, event.summary.value, event.status.value)
    return event.uid.value, method, entry
