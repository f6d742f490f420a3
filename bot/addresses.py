"""Where letters are handed in, and what an address of mail is."""

import re
from dataclasses import dataclass
from email.utils import getaddresses
from urllib.parse import unquote, urlsplit

from bot.calendars import Guest

SECURE, OPPORTUNE, PLAIN = "smtps", "smtp", "smtp+plain"
PORTS = {SECURE: 465, OPPORTUNE: 587, PLAIN: 25}
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
LONGEST_MAILBOX = 254
"""Characters (RFC 5321)."""


def mailbox(words: str) -> Guest:
    """`Debrief <debrief@example.com>` or the address alone; raises ValueError for everything that is no address."""
    (name, address), *others = getaddresses([words]) or [("", "")]
    if others or not is_mailbox(address) or not words.isprintable():
        raise ValueError("give an address such as Debrief <debrief@example.com>")
    return Guest(address, name)


def is_mailbox(address: str) -> bool:
    """Whether a letter can be sent there: a plain address without any sign that means something to a mail server."""
    return len(address) <= LONGEST_MAILBOX and MAILBOX.fullmatch(address) is not None


@dataclass(frozen=True, slots=True)
class Server:
    """Where letters are handed in; its password is not shown."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    @classmethod
    def read(cls, url: str) -> "Server":
        """`smtp://` demands STARTTLS, `smtps://` speaks TLS from the start, `smtp+plain://` is for one's own relay.

        Raises ValueError, and never with what stands in the address.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise ValueError("give an address such as smtp://user:password@mail.example.com:587") from None
        server = cls(
            parts.scheme, parts.hostname or "", port, unquote(parts.username or ""), unquote(parts.password or "")
        )
        if not server.host or not url.isprintable():
            raise ValueError("give an address such as smtp://user:password@mail.example.com:587")
        if server.scheme == PLAIN and server.password:
            raise ValueError("smtp+plain would send the password for all to read: use smtp:// or smtps://")
        return server

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"
