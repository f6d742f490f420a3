"""The porter, over real HTTP: it brings what is wanted, takes the token nowhere else, and believes no page."""

import asyncio
import gzip
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import OperationalError

from bot.keeper import keep_facts
from bot.porter import MEGABYTE, ROUND, Porter
from bot.review.heard import read_event
from bot.review.shared_file import CLOSED, ELSEWHERE, GIVEN_AWAY, HIDDEN, LIVING, LOST, NOT_GIVEN, allowed, type_of
from bot.shelf import Shelf
from storage import files, messages
from storage.models import MessageFile
from storage.session import Storage
from storage.sweeping import Sweeper, waiting
from tests.canary import a_canary, bytes_with, rows_with
from tests.cast import CHANNEL, TEAM, Room, a_message, a_room

TOKEN = "xoxb-of-this-bot"
PICTURE = b"\x89PNG\r\n\x1a\n a graph of the errors"
PAGE = b"<!DOCTYPE html><html><body>Sign in to your workspace</body></html>"
LIMIT_MB = 1


# A host, and a stranger ------------------------------------------------------------------------


@dataclass
class Host:
    """Slack's API and file host on one port; remembers who asked for what with which token."""

    answers: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0
    _runner: Any = None

    async def open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/api/files.info", self._info)
        app.router.add_route("*", "/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _info(self, request: web.Request) -> web.Response:
        answer = self.told.get(request.query["file"], {"ok": False, "error": "file_not_found"})
        return web.json_response(answer if "ok" in answer else {"ok": True, "file": answer})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.raw_path, request.headers.get("Authorization")))
        answer = self.answers.get(request.path, web.Response(status=404))
        if isinstance(answer, web.Response):  # One of them can be sent only once.
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return await answer(request)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.open()
    yield host
    await host.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Host]:
    """Somebody else's server, who would like to have the token."""
    host = Host()
    await host.open()
    yield host
    await host.close()


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    return a_room(tmp_path, sqlite_url)


class Trusting(Porter):
    """The twin of every attack: goes wherever it is told."""

    def _address(self, url: str) -> str | None:
        return url


class Greedy(Porter):
    """The twin of every cap: takes whatever comes."""

    def _check_size(self, size: int) -> None:
        pass


def porter_of(room: Room, host: Host, kind: type[Porter] = Porter) -> Porter:
    client = AsyncWebClient(token=TOKEN, base_url=f"{host.url}/api/", retry_handlers=[])
    shelf = Shelf(folder_of(room), room.storage)
    shelf.open()
    return kind(room.desk, client, shelf, limit_mb=LIMIT_MB)


def folder_of(room: Room) -> Path:
    return Path(room.storage.engine.url.database or "").parent / "files"


def share(room: Room, url: str | None, file_id: str = "F1", **more: Any) -> None:
    """A message that shows a file at this address."""
    ts = a_message(room, "look")
    said = {"name": "graph.png", "mimetype": "image/png", "size": 0} | more

    def add(db: Any) -> None:
        message: Any = messages.find(db, TEAM, CHANNEL, ts)
        db.add(MessageFile(team_id=TEAM, message_id=message.id, file_id=file_id, url=url, **said))

    room.change(add)
    room.pass_time(seconds=1)


def kept(room: Room) -> dict[str, tuple[str | None, str | None]]:
    """What the database says of each file: its hash, or why there is none."""
    with room.storage.read() as db:
        return {row.file_id: (row.sha256, row.skipped) for row in db.query(MessageFile).order_by(MessageFile.id)}


def lying(room: Room) -> dict[str, bytes]:
    """Every file on the disk."""
    found = (path for path in folder_of(room).rglob("*") if path.is_file() and path.name not in {".lock", ".of"})
    return {path.name: path.read_bytes() for path in found}


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def a_file(content: bytes = PICTURE, mimetype: str = "image/png", **headers: str) -> web.Response:
    return web.Response(body=content, content_type=mimetype, headers=headers)


# Bringing ------------------------------------------------------------------------------------------


async def test_a_file_is_brought_with_the_token_and_lies_under_its_hash(room: Room, host: Host):
    host.answers["/files-pri/graph.png"] = a_file()
    share(room, f"{host.url}/files-pri/graph.png")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (hash_of(PICTURE), None)}
    assert lying(room) == {hash_of(PICTURE): PICTURE}
    assert host.asked == [("/files-pri/graph.png", f"Bearer {TOKEN}")]


async def test_what_is_kept_is_not_fetched_again(room: Room, host: Host):
    host.answers["/graph.png"] = a_file()
    share(room, f"{host.url}/graph.png")
    porter = porter_of(room, host)

    await porter.round()
    await porter.round()

    assert len(host.asked) == 1


async def test_the_same_content_of_two_files_lies_once(room: Room, host: Host):
    host.answers |= {"/one.png": a_file(), "/two.png": a_file()}
    share(room, f"{host.url}/one.png", "F1")
    share(room, f"{host.url}/two.png", "F2")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (hash_of(PICTURE), None), "F2": (hash_of(PICTURE), None)}
    assert list(lying(room)) == [hash_of(PICTURE)]


async def test_a_file_known_by_its_id_alone_is_asked_for(room: Room, host: Host):
    host.answers["/graph.png"] = a_file()
    host.told["F1"] = {"id": "F1", "name": "graph.png", "mimetype": "image/png", "url_private": f"{host.url}/graph.png"}
    share(room, None, name="", mimetype="")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (hash_of(PICTURE), None)}


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "con", "a" * 300, "graph\x00.png", "\u202egnp.hparg", "/etc/passwd", "a/b", ".lock"]
)
async def test_a_files_name_is_never_a_path(room: Room, host: Host, name: str):
    host.answers["/graph.png"] = a_file()
    share(room, f"{host.url}/graph.png", name=name)

    await porter_of(room, host).round()

    assert lying(room) == {hash_of(PICTURE): PICTURE}


async def test_a_name_with_blanks_and_letters_of_all_kinds_is_fetched_as_it_is(room: Room, host: Host):
    host.answers["/files/Störung.png"] = a_file()
    share(room, f"{host.url}/files/Störung.png")

    await porter_of(room, host).round()

    assert host.asked[0][0] == "/files/St%C3%B6rung.png"
    assert kept(room)["F1"][0]


async def test_the_type_that_the_bytes_show_is_recorded(room: Room, host: Host):
    host.answers["/graph.png"] = a_file(b"\xff\xd8\xff\xe0 a photograph")
    share(room, f"{host.url}/graph.png")

    await porter_of(room, host).round()

    with room.storage.read() as db:
        assert [row.mimetype for row in db.query(MessageFile)] == ["image/jpeg"]


def test_bytes_that_show_no_type_are_what_slack_says():
    assert type_of(b"RIFF\x00\x00\x00\x00WEBP", "image/png") == "image/webp"
    assert type_of(b"line one", "text/plain") == "text/plain"


async def test_with_a_limit_of_nothing_nothing_is_fetched_and_nothing_given_up(room: Room, host: Host):
    share(room, f"{host.url}/graph.png")
    client = AsyncWebClient(token=TOKEN, base_url=f"{host.url}/api/")

    await Porter(room.desk, client, Shelf(folder_of(room), room.storage), limit_mb=0).round()

    assert host.asked == []
    assert kept(room) == {"F1": (None, None)}


@pytest.mark.postgres
async def test_of_several_programs_on_a_database_one_at_a_time_fetches_files(
    postgresql_url: str, tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # A server's database has no folder of its own.
    room, other = a_room(tmp_path, postgresql_url), Storage(postgresql_url)
    host.answers["/graph.png"] = a_file(b"\x89PNG")
    share(room, f"{host.url}/graph.png")

    other.holds.take(ROUND)
    await porter_of(room, host).round()
    meanwhile = len(host.asked)
    other.holds.release(ROUND)
    await porter_of(room, host).round()

    assert (meanwhile, len(host.asked)) == (0, 1)
    assert other.holds.take(ROUND)
    other.close()
    room.storage.close()


# Where the token may go --------------------------------------------------------------------------------

SLACK = "https://slack.com/api/"
RIGHT = "https://files.slack.com/files-pri/T1-F1/graph.png"
TRICKY = [
    "http://files.slack.com/x",
    "https://files.slack.com@evil.example/x",
    "https://files.slack.com:443@evil.example/x",
    "https://user:password@files.slack.com/x",
    "https://files.slack.com.evil.example/x",
    "https://evil.example/files.slack.com/x",
    "https://evilfiles.slack.com/x",
    "https://slack.com/x",
    "https://files.slack.com./x",
    "https://FILES.slack.com/x",
    "HTTPS://files.slack.com/x",
    "https://files.slack.com:444/x",
    "https://files.slack.com:4430/x",
    "https://files.slack.com:443:443/x",
    "https://files.slack.com\\@evil.example/x",
    "https://files.slack.com/\\evil.example/x",
    "https:\\\\files.slack.com/x",
    "https:///files.slack.com/x",
    "//files.slack.com/x",
    "https://files.slack.com#@evil.example/x",
    "https://files.slack.com/x#fragment",
    "https://files.slack.com?@evil.example/x",
    "https://files。slack。com/x",
    "https://files.ѕlack.com/x",
    "https://files%2Eslack%2Ecom/x",
    "https://files.slack.com%2F@evil.example/x",
    "https://files.slack.com%00.evil.example/x",
    "https://files.slack.com\t.evil.example/x",
    "https://files.slack.com/x\r\nHost: evil.example",
    "https://files.slack.com /x",
    " https://files.slack.com/x",
    "https://files.slack.com",
    "https://127.0.0.1/x",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("url", TRICKY)
def test_a_tricky_address_is_not_one_of_slacks_file_host(url: str):
    assert allowed(url, SLACK) is None


@pytest.mark.parametrize(
    ("url", "goes_to"),
    [
        (RIGHT, RIGHT),
        ("https://files.slack.com:443/files-pri/a.png", "https://files.slack.com/files-pri/a.png"),
        ("https://files.slack.com//evil.example/x", "https://files.slack.com//evil.example/x"),
        ("https://files.slack.com/@evil.example/x", "https://files.slack.com/@evil.example/x"),
    ],
)
def test_an_address_of_slacks_file_host_is_fetched_from_there(url: str, goes_to: str):
    assert allowed(url, SLACK) == goes_to


@pytest.mark.parametrize(
    ("url", "api", "goes"),
    [
        ("http://127.0.0.1:4040/files/F1/a.png", "http://127.0.0.1:4040/api/", True),
        ("http://[::1]:4040/files/F1/a.png", "http://[::1]:4040/api/", True),
        ("http://127.0.0.1:4041/files/F1/a.png", "http://127.0.0.1:4040/api/", False),
        ("http://localhost:4040/files/F1/a.png", "http://127.0.0.1:4040/api/", False),
        ("https://127.0.0.1:4040/files/F1/a.png", "http://127.0.0.1:4040/api/", False),
        ("http://127.0.0.1:40400/a.png", "http://127.0.0.1:4040/api/", False),
        (RIGHT, "http://127.0.0.1:4040/api/", False),
        ("https://slack.example.com/a.png", "https://slack.example.com/api/", False),
        (RIGHT, "https://slack.example.com/api/", True),
    ],
)
def test_of_another_slack_only_the_one_on_this_machine_gives_files(url: str, api: str, goes: bool):  # noqa: FBT001
    assert (allowed(url, api) is not None) == goes


def aimed_at(stranger: Host, host: Host) -> list[str]:
    """Addresses that look like the host's and lead to the stranger."""
    here, there = f"127.0.0.1:{host.port}", f"127.0.0.1:{stranger.port}"
    return [
        f"http://{there}/x",
        f"http://{here}@{there}/x",
        f"http://{here}:x@{there}/x",
        f"http://{here}%2F@{there}/x",
        f"http://{here}%23@{there}/x",
        f"http://localhost:{stranger.port}/x",
        f"http://127.0.0.1.:{stranger.port}/x",
        f"http://0x7f000001:{stranger.port}/x",
        f"HTTP://{there}/x",
        f"http://{here}\\@{there}/x",
        f"http://{here}#@{there}/x",
        f"http://{here}?@{there}/x",
        f"http://{there}\\@{here}/x",
    ]


async def test_the_token_never_reaches_a_stranger(room: Room, host: Host, stranger: Host):
    for number, url in enumerate(aimed_at(stranger, host)):
        share(room, url, f"F{number}")

    await porter_of(room, host).round()

    assert stranger.asked == []
    assert {why for _, why in kept(room).values()} == {ELSEWHERE}


async def test_a_porter_that_trusts_addresses_hands_the_token_to_the_stranger(room: Room, host: Host, stranger: Host):
    for number, url in enumerate(aimed_at(stranger, host)):
        share(room, url, f"F{number}")
        await porter_of(room, host, Trusting).round()
        room.change(lambda db, file_id=f"F{number}": files.skip(db, TEAM, file_id, why="tried"))

    assert f"Bearer {TOKEN}" in [token for _, token in stranger.asked]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(room: Room, host: Host, stranger: Host, status: int):
    host.answers["/graph.png"] = web.Response(status=status, headers={"Location": f"{stranger.url}/x"})
    host.told["F1"] = {"id": "F1", "url_private": f"{host.url}/graph.png"}
    share(room, f"{host.url}/graph.png")

    await porter_of(room, host).round()

    assert stranger.asked == []
    assert [path for path, _ in host.asked] == ["/graph.png"]
    assert kept(room) == {"F1": (None, None)}


# What is no file ------------------------------------------------------------------------------------------


async def test_a_page_to_sign_in_is_not_a_picture(room: Room, host: Host):
    host.answers["/graph.png"] = a_file(PAGE, "text/html")
    host.told["F1"] = {"id": "F1", "url_private": f"{host.url}/graph.png"}
    share(room, f"{host.url}/graph.png", size=len(PAGE))

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (None, None)}
    assert lying(room) == {}


async def test_a_page_that_calls_itself_a_picture_is_none(room: Room, host: Host):
    host.answers["/graph.png"] = a_file(b"\r\n " + PAGE)
    host.told["F1"] = {"id": "F1", "url_private": f"{host.url}/graph.png"}
    share(room, f"{host.url}/graph.png")

    await porter_of(room, host).round()

    assert lying(room) == {}


@pytest.mark.parametrize(("announced", "believed"), [(len(PAGE), True), (len(PAGE) + 1, False)])
async def test_a_page_that_somebody_shared_is_kept_when_it_is_as_long_as_announced(
    room: Room, host: Host, announced: int, *, believed: bool
):
    host.answers["/page.html"] = a_file(PAGE, "text/html")
    host.told["F1"] = {"id": "F1", "url_private": f"{host.url}/page.html"}
    share(room, f"{host.url}/page.html", mimetype="text/html", size=announced)

    await porter_of(room, host).round()

    assert (lying(room) == {hash_of(PAGE): PAGE}) == believed


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"ok": False, "error": "file_deleted"}, LOST),
        ({"ok": False, "error": "file_not_found"}, LOST),
        ({"ok": False, "error": "access_denied"}, CLOSED),
        ({"id": "F1", "mode": "tombstone"}, LOST),
        ({"id": "F1", "mode": "hidden_by_limit"}, HIDDEN),
        (
            {"id": "F1", "mode": "external", "is_external": True, "url_private": "https://drive.example.com/1"},
            ELSEWHERE,
        ),
    ],
)
async def test_what_slack_will_never_give_says_why(room: Room, host: Host, told: dict[str, Any], why: str):
    host.told["F1"] = told
    share(room, f"{host.url}/gone.png")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (None, why)}


async def test_a_file_whose_name_held_a_secret_is_not_fetched(room: Room, host: Host):
    token = "ghp" + "_" + "C4n4ry7Kx" * 4
    host.told["F1"] = {"id": "F1", "name": f"{token}.txt", "url_private": f"{host.url}/{token}.txt"}
    share(room, None, name="")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (None, GIVEN_AWAY)}
    assert host.asked == []


async def test_what_lies_elsewhere_and_what_goes_on_living_is_skipped_without_a_call(room: Room, host: Host):
    share(room, "https://drive.example.com/1", "F1")
    share(room, f"{host.url}/canvas", "F2", mimetype="application/vnd.slack-docs")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (None, ELSEWHERE), "F2": (None, LIVING)}
    assert host.asked == []


# Too large --------------------------------------------------------------------------------------------------

LARGE = os.urandom(MEGABYTE + 1)


async def chunked(request: web.Request) -> web.StreamResponse:
    """Never says how much there is to come."""
    answer = web.StreamResponse(headers={"Content-Type": "image/png"})
    await answer.prepare(request)
    for start in range(0, len(LARGE), 4096):
        await answer.write(LARGE[start : start + 4096])
    return answer


def packed() -> web.Response:
    """A length that is true of the package and not of what is inside."""
    return a_file(gzip.compress(bytes(4 * MEGABYTE)), **{"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("answer", "announced"),
    [(a_file, LIMIT_MB * MEGABYTE + 1), (lambda: a_file(LARGE), 0), (lambda: chunked, 12), (packed, 12)],
    ids=["announced", "content-length", "streamed", "packed"],
)
@pytest.mark.parametrize("kind", [Porter, Greedy])
async def test_what_is_too_large_is_not_kept_however_small_it_says_it_is(
    room: Room, host: Host, answer: Any, announced: int, kind: type[Porter]
):
    """The greedy one is the twin."""
    host.answers["/graph.png"] = answer()
    share(room, f"{host.url}/graph.png", size=announced)

    await porter_of(room, host, kind).round()

    if kind is Porter:
        assert kept(room) == {"F1": (None, "larger than 1 MB")}
        assert lying(room) == {}
    else:
        assert len(lying(room)) == 1


async def test_what_is_exactly_as_large_as_allowed_is_kept(room: Room, host: Host):
    host.answers["/graph.png"] = a_file(LARGE[:-1])
    share(room, f"{host.url}/graph.png", size=MEGABYTE)

    await porter_of(room, host).round()

    assert list(lying(room)) == [hash_of(LARGE[:-1])]


# Patience ------------------------------------------------------------------------------------------------------


async def test_when_slack_asks_for_patience_nothing_is_fetched_until_then(room: Room, host: Host):
    host.answers["/one.png"] = web.Response(status=429, headers={"Retry-After": "90"})
    share(room, f"{host.url}/one.png", "F1")
    share(room, f"{host.url}/two.png", "F2")
    porter = porter_of(room, host)

    await porter.round()
    host.answers |= {"/one.png": a_file(), "/two.png": a_file()}
    room.pass_time(seconds=80)
    await porter.round()
    early = len(host.asked)
    room.pass_time(seconds=11)
    await porter.round()

    assert early == 1
    assert [path for path, _ in host.asked] == ["/one.png", "/one.png", "/two.png"]


async def test_without_the_scope_files_wait_and_are_not_given_up(room: Room, host: Host):
    host.answers["/graph.png"] = a_file(PAGE, "text/html")
    host.told["F1"] = {"ok": False, "error": "missing_scope", "needed": "files:read"}
    share(room, f"{host.url}/graph.png")
    porter = porter_of(room, host)

    for _ in range(30):
        await porter.round()
        room.pass_time(hours=24)
    host.answers["/graph.png"] = a_file()
    await porter.round()

    assert kept(room)["F1"][0] == hash_of(PICTURE)


async def test_a_file_that_always_fails_stops_no_other_and_is_given_up(room: Room, host: Host):
    host.answers |= {"/broken.png": web.Response(status=500), "/graph.png": a_file()}
    share(room, f"{host.url}/broken.png", "F1")
    share(room, f"{host.url}/graph.png", "F2")
    porter = porter_of(room, host)

    await porter.round()
    soon = kept(room)
    for wait in (*files.WAITS, timedelta(days=30)):
        room.now += wait
        await porter.round()

    assert soon == {"F1": (None, None), "F2": (hash_of(PICTURE), None)}
    assert kept(room)["F1"] == (None, NOT_GIVEN)
    assert len([path for path, _ in host.asked if path == "/broken.png"]) == len(files.WAITS) + 1


class Poisoned(Porter):
    """One file is too much for it, in a way that nobody thought of."""

    def _address(self, url: str) -> str | None:
        if url.endswith("/poison.png"):
            raise LookupError
        return super()._address(url)


async def test_a_file_that_fails_as_nobody_thought_of_is_put_off_and_stops_no_other(
    room: Room, host: Host, caplog: pytest.LogCaptureFixture
):
    host.answers["/graph.png"] = a_file()
    share(room, f"{host.url}/poison.png", "F1")
    share(room, f"{host.url}/graph.png", "F2")
    porter = porter_of(room, host, Poisoned)

    await porter.round()
    await porter.round()

    assert kept(room) == {"F1": (None, None), "F2": (hash_of(PICTURE), None)}
    assert [record.__dict__["file"] for record in caplog.records if record.exc_info] == ["F1"]
    with room.storage.read() as db:
        assert [row.attempts for row in db.query(MessageFile).order_by(MessageFile.id)] == [1, 0]


class Meanwhile(Porter):
    """The database fails while a file is brought."""

    def _address(self, url: str) -> str | None:
        raise OperationalError("SELECT 1", {}, ConnectionResetError())


async def test_a_database_that_fails_meanwhile_costs_no_file_a_try(room: Room, host: Host):
    share(room, f"{host.url}/graph.png")

    with pytest.raises(OperationalError):
        await porter_of(room, host, Meanwhile).round()

    with room.storage.read() as db:
        assert [row.attempts for row in db.query(MessageFile)] == [0]


async def test_a_connection_that_breaks_in_the_middle_leaves_nothing_and_is_tried_again(room: Room, host: Host):
    async def broken(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b"\x89PNG half of it")
        assert request.transport
        request.transport.close()
        return answer

    host.answers["/graph.png"] = broken
    share(room, f"{host.url}/graph.png")
    porter = porter_of(room, host)

    await porter.round()
    left = lying(room)
    host.answers["/graph.png"] = a_file()
    room.pass_time(minutes=2)
    await porter.round()

    assert left == {}
    assert kept(room)["F1"][0] == hash_of(PICTURE)


async def test_a_host_that_cannot_be_reached_costs_no_file_a_try(room: Room, host: Host):
    host.answers["/graph.png"] = a_file()
    share(room, f"{host.url}/graph.png")
    porter = porter_of(room, host)
    await host.close()

    await porter.round()

    with room.storage.read() as db:
        assert [(row.attempts, row.tried_at) for row in db.query(MessageFile)] == [(0, None)]


async def test_a_file_that_is_deleted_while_it_is_brought_leaves_nothing(room: Room, host: Host):
    async def deleted_meanwhile(request: web.Request) -> web.Response:
        await asyncio.to_thread(room.change, lambda db: files.delete(db, TEAM, "F1", now=room.now))
        return a_file()

    host.answers["/graph.png"] = deleted_meanwhile
    share(room, f"{host.url}/graph.png")

    await porter_of(room, host).round()

    assert kept(room) == {"F1": (None, files.DELETED)}
    assert lying(room) == {}


async def test_what_was_deleted_leaves_the_disk_with_the_next_sweep(room: Room, host: Host):
    host.answers["/graph.png"] = a_file()
    share(room, f"{host.url}/graph.png")
    await porter_of(room, host).round()
    before = lying(room)

    room.change(lambda db: files.delete(db, TEAM, "F1", now=room.now))
    Sweeper(room.storage, Shelf(folder_of(room), room.storage).sweep).sweep(room.now)

    assert len(before) == 1
    assert lying(room) == {}


def delete_alone(room: Room, file_id: str) -> None:
    """Slack says that somebody deleted a file."""
    facts = read_event({"type": "file_deleted", "file_id": file_id, "event_ts": "1.0"})
    room.change(lambda db: keep_facts(db, TEAM, facts, now=room.now))


@pytest.mark.parametrize("swept", [True, False])
async def test_of_a_file_that_is_deleted_alone_no_byte_is_left_after_the_next_sweep(
    room: Room, host: Host, *, swept: bool
):
    """Without the sweep, which is the twin, all of it is still there."""
    name, content, folder = a_canary(), a_canary(), folder_of(room).parent
    host.answers[f"/{name}.txt"] = a_file(content.encode(), "text/plain")
    share(room, f"{host.url}/{name}.txt", name=f"{name}.txt", mimetype="text/plain")
    await porter_of(room, host).round()
    sha256 = hash_of(content.encode())

    delete_alone(room, "F1")
    if swept:
        assert Sweeper(room.storage, Shelf(folder_of(room), room.storage).sweep).sweep(room.now)

    found = [bytes_with(folder, word) != [] for word in (name, content, sha256)]
    assert found == [not swept] * 3
    assert rows_with(room.storage.engine, name, content, sha256) == []
    assert room.ask(waiting) == (0 if swept else 1)
