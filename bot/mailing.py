"""Letters by SMTP: one connection a letter, one person a letter, and what became of it.

A letter that may have been taken is sent again as it was. Its Message-ID, and the UID and SEQUENCE of what it encloses
for the calendar, tell whoever gets it twice that it is the same one.
"""

import contextlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import aiosmtplib

from bot import calendars
from bot.addresses import OPPORTUNE, PLAIN, SECURE, Server, is_mailbox
from bot.calendars import Appointment, Guest
from bot.outcomes import RETRY_S, UNTIL_MENDED_S, Known, Outcome

NO_ADDRESS = "no_address"
"""The word for a letter that went nowhere, since nobody knows where its reader gets any."""
A_STEP_S = 15.0
"""How long the server may take over each of its answers."""
LONGEST_WAIT_S = 900.0
"""Between two tries; it doubles up to here, for some servers want to see a stranger twice."""
PLAIN_LINES = SMTP.clone(cte_type="7bit")
"""Servers that know of no other letters than those of ASCII take it, too."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter as it leaves: whom for, which one it is, what it says and what it encloses."""

    to: Guest | None
    mark: str
    text: str
    enclosed: Mapping[str, Any]
    attempt: int = 1


class Mail:
    """Hands letters in at a server; raises Known with what became of one that was not taken."""

    def __init__(self, server: Server, sender: Guest, *, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        """`tls` is whom to trust, where that is not whom this machine trusts."""
        self._server, self._sender = server, sender
        self._tls = tls or ssl.create_default_context

    async def send(self, letter: Outgoing) -> None:
        """Hand it in; when this returns the server has taken it."""
        message = compose(letter, self._sender)
        to = letter.to.address if letter.to else ""
        try:
            connection = await self._connected()
        except aiosmtplib.SMTPAuthenticationError as refused:
            raise Known(Outcome("later", str(refused.code), timedelta(seconds=UNTIL_MENDED_S))) from None
        except (aiosmtplib.SMTPException, OSError) as failure:
            raise Known(Outcome("later", _word(failure), _wait(letter.attempt))) from None
        try:
            await connection.sendmail(self._sender.address, [to], message)
        except (aiosmtplib.SMTPException, OSError) as failure:
            raise Known(_outcome(failure, letter.attempt)) from None
        else:
            # It has been taken, whatever the server makes of our leaving.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await connection.quit()
        finally:
            connection.close()

    async def greet(self) -> None:
        """Go in and out again; raises what goes wrong, as SMTPException or OSError."""
        connection = await self._connected()
        connection.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self._server
        connection = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._sender.address.partition("@")[2],
            timeout=A_STEP_S,
            use_tls=server.scheme == SECURE,
            start_tls=server.scheme == OPPORTUNE,
            tls_context=None if server.scheme == PLAIN else self._tls(),
        )
        await connection.connect()
        return connection


# What became of it --------------------------------------------------------------------------


def _outcome(failure: Exception, attempt: int) -> Outcome:
    """5xx is a sure no, and 4xx not yet; whatever else happened, the server may have taken it."""
    code = _code(failure)
    if code is None:
        return Outcome("unknown", type(failure).__name__, _wait(attempt))
    return Outcome("never", str(code)) if code >= 500 else Outcome("later", str(code), _wait(attempt))


def _code(failure: Exception) -> int | None:
    if isinstance(failure, aiosmtplib.SMTPRecipientsRefused):
        return failure.recipients[0].code
    return failure.code if isinstance(failure, aiosmtplib.SMTPResponseException) and failure.code >= 400 else None


def _word(failure: Exception) -> str:
    return str(_code(failure) or type(failure).__name__)


def _wait(attempt: int) -> timedelta:
    return timedelta(seconds=min(RETRY_S * 2 ** min(attempt - 1, 10), LONGEST_WAIT_S))


# The letter ---------------------------------------------------------------------------------


def compose(letter: Outgoing, sender: Guest) -> bytes:
    """A letter as it is handed in, the same bytes each time; raises Known where it can be sent to nobody."""
    if letter.to is None or not is_mailbox(letter.to.address):
        raise Known(Outcome("never", NO_ADDRESS))
    appointment = Appointment.from_json(letter.enclosed["appointment"])
    message = EmailMessage(policy=PLAIN_LINES)
    message["From"] = _header(sender)
    message["To"] = _header(letter.to)
    message["Subject"] = on_a_line(letter.enclosed["subject"])
    message["Date"] = format_datetime(appointment.revised_at)
    message["Message-ID"] = f"<{letter.mark}@{sender.address.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    _enclose(message, appointment, letter.to, sender, method=letter.enclosed["method"])
    return message.as_bytes()


def _enclose(message: EmailMessage, appointment: Appointment, to: Guest, sender: Guest, *, method: str) -> None:
    write = calendars.as_cancellation if method == "CANCEL" else calendars.as_request
    words = write(appointment, to, organizer=sender).decode()
    message.add_alternative(words, subtype="calendar", params={"method": method})
    # The boundary would be drawn anew each time, and the same letter must be the same.
    message.set_boundary(f"={message['Message-ID'].strip('<>').partition('@')[0]}=")


def _header(guest: Guest) -> Address:
    user, _, domain = guest.address.partition("@")
    return Address(on_a_line(guest.name), user, domain)


def on_a_line(words: str) -> str:
    """Words that cannot end a header and begin another."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
