"""A real calendar server, Radicale, in a process and a folder of its own, and what stands in the calendars on it."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

READER, READERS_PASSWORD = "debrief", "may see when, and not what"
STARTS_WITHIN_S = 60
MOST_TRIES = 3
TIMES = "%Y%m%dT%H%M%SZ"

CONFIG = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/calendars
[logging]
level = warning
"""
RIGHTS = """
[owners]
user: .+
collection: {{user}}(/.*)?
permissions: RrWw
[reader]
user: {reader}
collection: [^/]+/[^/]+
permissions: {permissions}
"""


@dataclass(frozen=True)
class CalendarServer:
    """Everybody has one calendar on it, called `work`; their password is the part of their address before the @."""

    url: str

    @property
    def address(self) -> str:
        """As the setting is written."""
        return f"{self.url}/{{email}}/calendar/"

    def make_calendar(self, email: str) -> None:
        self.ask("MKCALENDAR", email, f"/{email}/calendar/")

    def put(self, email: str, name: str, calendar: bytes) -> int:
        """Put an entry into somebody's calendar, as their own program would; the status that comes back."""
        return self.ask("PUT", email, f"/{email}/calendar/{name}.ics", calendar)[0]

    def get(self, email: str, name: str) -> bytes:
        return self.ask("GET", email, f"/{email}/calendar/{name}.ics")[1]

    def ask(self, method: str, email: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        password = email.partition("@")[0]
        headers = {"Authorization": "Basic " + b64encode(f"{email}:{password}".encode()).decode()}
        if body is not None:
            headers["Content-Type"] = "text/calendar; charset=utf-8"
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@contextlib.contextmanager
def a_calendar_server(folder: Path, *emails: str, permissions: str = "f") -> Iterator[CalendarServer]:
    """Runs until it is left; `permissions` are those of the reader, `f` for times alone and `r` for everything."""
    (folder / "users").write_text(
        "\n".join([f"{READER}:{READERS_PASSWORD}", *(f"{email}:{email.partition('@')[0]}" for email in emails)])
    )
    (folder / "rights").write_text(RIGHTS.format(reader=READER, permissions=permissions))
    process, url = _started(folder)
    try:
        server = CalendarServer(url)
        for email in emails:
            server.make_calendar(email)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _started(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """It takes no port of the system's choice: where somebody else was faster, another one is tried."""
    for _ in range(MOST_TRIES):
        process, port = _begin(folder)
        if _is_up(process, port):
            return process, f"http://127.0.0.1:{port}"
        process.kill()
        process.wait()
    raise OSError((folder / "log").read_text()[-2000:])


def _begin(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
        return subprocess.Popen(command, stdout=log, stderr=log), port


def _is_up(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def an_entry(uid: str, *lines: str, title: str = "Dentist, do not tell") -> bytes:
    """An entry of a calendar, with these lines of its own."""
    body = "\r\n".join([
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a person//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20261101T000000Z", f"SUMMARY:{title}", *lines, "END:VEVENT", "END:VCALENDAR", "",
    ])  # fmt: skip
    return body.encode()


def from_until(from_at: datetime, until_at: datetime) -> tuple[str, str]:
    return f"DTSTART:{from_at:{TIMES}}", f"DTEND:{until_at:{TIMES}}"
