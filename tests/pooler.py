"""A connection pooler for PostgreSQL, as small as one can be: sessions are lent for a transaction, or for good.

It understands as much of the protocol as it has to: where a message ends, and when a session is in no transaction. The
message types are those of https://www.postgresql.org/docs/current/protocol-message-formats.html.
"""

import asyncio
import struct
import tempfile
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

NO_ENCRYPTION = {80877103, 80877104}
"""What a client asks first where it would rather be encrypted."""
ASK = b"QS"
"""Messages of a client that are answered until the session is ready again."""
PORT = ".s.PGSQL.5432"
Mode = Literal["session", "transaction"]


@dataclass
class Lent:
    """A session of the server's."""

    reader: StreamReader
    writer: StreamWriter


@dataclass
class Pooler:
    server: Path
    mode: Mode
    idle: list[Lent] = field(default_factory=list)
    welcome: bytes = b""
    open: list[StreamWriter] = field(default_factory=list)

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One client, from its first word to its last."""
        self.open.append(writer)
        hello = await _first_word(reader, writer)
        if not self.idle:
            self.idle.append(await self._session(hello))
        writer.write(self.welcome)
        lent: Lent | None = None
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while (message := await _message(reader))[:1] != b"X":
                lent = lent or (self.idle.pop() if self.idle else await self._session(hello))
                lent.writer.write(message)
                if message[:1] in ASK and await _answered(lent, writer) == b"I" and self.mode == "transaction":
                    self.idle.append(lent)
                    lent = None
        if lent:
            lent.writer.close()
        writer.close()

    async def _session(self, hello: bytes) -> Lent:
        lent = Lent(*await asyncio.open_unix_connection(self.server))
        self.open.append(lent.writer)
        lent.writer.write(hello)
        told = b""
        while (message := await _message(lent.reader))[:1] != b"Z":
            told += message
        self.welcome = told + message
        return lent


async def _first_word(reader: StreamReader, writer: StreamWriter) -> bytes:
    while True:
        length = await reader.readexactly(4)
        word = await reader.readexactly(struct.unpack("!I", length)[0] - 4)
        if struct.unpack("!I", word[:4])[0] not in NO_ENCRYPTION:
            return length + word
        writer.write(b"N")


async def _message(reader: StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


async def _answered(lent: Lent, writer: StreamWriter) -> bytes:
    """Pass an answer on, to its end; `I` where the session is in no transaction then."""
    while True:
        message = await _message(lent.reader)
        writer.write(message)
        if message[:1] == b"Z":
            return message[5:]


async def _stand(
    pooler: Pooler, door: Path, opened: "Future[asyncio.AbstractEventLoop]", closing: asyncio.Event
) -> None:
    listening = await asyncio.start_unix_server(pooler.serve, door)
    opened.set_result(asyncio.get_running_loop())
    await closing.wait()
    listening.close()
    for writer in pooler.open:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in pooler.open), return_exceptions=True)


@contextmanager
def pooled(url: str, mode: Mode) -> Iterator[str]:
    """The URL of the same database, of a server of the tests' own, behind a pooler."""
    # The path of a Unix socket may have 107 bytes, and some machines' temporary directories use most of them.
    with tempfile.TemporaryDirectory(prefix="pool-", dir=Path("/tmp")) as folder:
        yield from _pooled(url, mode, Path(folder))


def _pooled(url: str, mode: Mode, folder: Path) -> Iterator[str]:
    real = make_url(url)
    pooler = Pooler(Path(str(real.query["host"])) / PORT, mode)
    opened: Future[asyncio.AbstractEventLoop] = Future()
    closing = asyncio.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_stand(pooler, folder / PORT, opened, closing)))
    thread.start()
    loop = opened.result(10)
    try:
        yield real.set(query={"host": str(folder)}).render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join()
