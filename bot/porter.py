"""Fetches the files that messages show, so that they outlast Slack; one after another, on nobody's way.

The bot's token goes to Slack's file host over https and nowhere else: an address has to begin with that host, and is
put together anew from the host's own name. No redirect is followed.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.desk import Desk, Notes, Turn
from bot.review.heard import read_file
from bot.review.shared_file import (
    ELSEWHERE,
    GIVEN_AWAY,
    LIVING,
    LIVING_TYPES,
    NEVER_ANSWERS,
    NOT_GIVEN,
    allowed,
    is_a_page,
    may_be_a_page,
    never_given,
    type_of,
)
from bot.shelf import Draft, Shelf
from bot.slack import Slack
from storage import files
from storage.files import Wanted
from storage.health import trouble

log = logging.getLogger("debrief.porter")

MEGABYTE = 1024 * 1024
CHUNK = 256 * 1024
TIMES = ClientTimeout(total=300, connect=10, sock_read=30)
LOOK_AGAIN_S = 5.0
REST = timedelta(minutes=1)
LONG_REST = timedelta(hours=1)
ROUND = "files"
"""What a round is held by."""


class Never(Exception):
    """Why a file's bytes will never be kept, in words that stand in the export."""


class NotThisTime(Exception):
    """It did not work, and may work later."""


class NotGiven(NotThisTime):
    """Slack answered with something else than the file: it can be asked why."""


class Rest(Exception):
    """For so long nothing is fetched at all."""

    def __init__(self, span: timedelta, why: str) -> None:
        super().__init__(why)
        self.span = span


class Porter:
    """Asks the database which files are wanted, brings them, and records each."""

    def __init__(self, desk: Desk, client: AsyncWebClient, shelf: Shelf, *, limit_mb: int) -> None:
        self._desk = desk
        self._client = client
        self._slack = Slack(client)
        self._shelf = shelf
        self._limit_mb = limit_mb
        self._woken = asyncio.Event()
        self._rests_until: datetime | None = None

    def hear(self, body: Mapping[str, Any]) -> None:
        """Be told of a delivery that was kept: a file that was shared need not wait for the next look."""
        event = body.get("event")
        if isinstance(event, dict) and event.get("type") == "file_shared":
            self._woken.set()

    async def run(self) -> None:
        """Fetch until cancelled; a failing round is logged and the next one follows."""
        while True:
            self._woken.clear()
            try:
                await self.round()
            except Exception:
                log.exception("a round of the porter failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_AGAIN_S)

    async def round(self) -> None:
        """Fetch what is wanted now, until it is time to rest, unless another program on this database does so."""
        now = await asyncio.to_thread(self._desk.now)
        if not self._limit_mb or (self._rests_until and now < self._rests_until):
            return
        holds = self._desk.storage.holds
        if not await asyncio.to_thread(holds.take, ROUND):
            return
        try:
            await self._fetch_wanted(now)
        finally:
            await asyncio.to_thread(holds.release, ROUND)

    async def _fetch_wanted(self, now: datetime) -> None:
        for wanted in await asyncio.to_thread(self._desk.look, _wanted):
            try:
                await self._fetch(wanted)
            except Rest as rest:
                self._rests_until = now + rest.span
                log.warning("files wait", extra={"seconds": int(rest.span.total_seconds()), "why": str(rest)})
                return

    async def _fetch(self, wanted: Wanted) -> None:
        try:
            await self._bring(wanted)
        except Never as why:
            log.info("a file is not kept", extra={"file": wanted.file_id, "why": str(why)})
            await asyncio.to_thread(self._desk.serve, _skip, file_id=wanted.file_id, why=str(why))
        except (NotThisTime, ClientError, TimeoutError) as why:
            log.info("a file is put off", extra={"file": wanted.file_id, "why": type(why).__name__})
            await asyncio.to_thread(self._desk.serve, _put_off, file_id=wanted.file_id)
        except Rest:
            raise
        except Exception as error:
            if trouble(error):  # No database: that is no fault of the file's.
                raise
            log.exception("a file cannot be fetched", extra={"file": wanted.file_id})
            await asyncio.to_thread(self._desk.serve, _put_off, file_id=wanted.file_id)

    async def _bring(self, wanted: Wanted) -> None:
        known = wanted if wanted.url else await self._ask(wanted)
        try:
            await self._carry(known)
        except NotGiven:
            if wanted.url:
                await self._ask(wanted)
            raise

    # What Slack says of a file --------------------------------------------------------

    async def _ask(self, wanted: Wanted) -> Wanted:
        """The file as Slack describes it now; raises Never where that settles it."""
        try:
            said = await self._slack.file(wanted.file_id)
        except SlackApiError as error:
            raise _refusal(str(error.response.get("error") or "")) from error
        why = never_given(said)
        if why:
            raise Never(why)
        fact = read_file(said)
        if fact and not fact.url and said.get("url_private"):
            raise Never(GIVEN_AWAY)
        if fact is None or not fact.url:
            raise NotThisTime
        await asyncio.to_thread(self._desk.serve, _learn, said=said)
        return replace(wanted, url=fact.url, mimetype=fact.mimetype, size=fact.size)

    # The bytes --------------------------------------------------------------------------

    async def _carry(self, wanted: Wanted) -> None:
        address = self._address(wanted.url or "")
        if address is None:
            raise Never(ELSEWHERE)
        if wanted.mimetype.startswith(LIVING_TYPES):
            raise Never(LIVING)
        self._check_size(wanted.size)
        try:
            draft = await asyncio.to_thread(self._shelf.draft)
            try:
                await self._download(address, wanted, draft)
                await asyncio.to_thread(self._put, draft, wanted)
            finally:
                await asyncio.to_thread(draft.discard)
        except ClientConnectorError as error:
            raise Rest(REST, "Slack's file host cannot be reached") from error
        except (ClientError, TimeoutError):
            raise
        except OSError as error:
            raise Rest(REST, f"the disk does not take it ({error.strerror})") from error

    def _address(self, url: str) -> str | None:
        return allowed(url, self._client.base_url)

    async def _download(self, address: str, wanted: Wanted, draft: Draft) -> None:
        async with self._answer(address) as answer:
            _check_status(answer)
            self._check_size(answer.content_length or 0)
            async for chunk in answer.content.iter_chunked(CHUNK):
                self._check_size(draft.size + len(chunk))
                await asyncio.to_thread(draft.write, chunk)
            signing_in = is_a_page(draft.head, answer.content_type)
            if signing_in and not may_be_a_page(wanted.mimetype, announced=wanted.size, came=draft.size):
                raise NotGiven

    @contextlib.asynccontextmanager
    async def _answer(self, address: str) -> AsyncIterator[ClientResponse]:
        headers = {"Authorization": f"Bearer {self._client.token}", "Accept-Encoding": "identity"}
        proxy = self._client.proxy if address.startswith("https:") else None
        async with (
            ClientSession(timeout=TIMES, cookie_jar=DummyCookieJar()) as session,
            session.get(
                address, headers=headers, proxy=proxy, allow_redirects=False, ssl=self._client.ssl or True
            ) as answer,
        ):
            yield answer

    def _check_size(self, size: int) -> None:
        if size > self._limit_mb * MEGABYTE:
            raise Never(f"larger than {self._limit_mb} MB")

    def _put(self, draft: Draft, wanted: Wanted) -> None:
        mimetype = type_of(draft.head, wanted.mimetype)

        def record(db: Session) -> None:
            files.keep(db, self._desk.team, wanted.file_id, sha256=draft.sha256, mimetype=mimetype, size=draft.size)

        self._shelf.put(draft, record)
        log.info("a file is kept", extra={"file": wanted.file_id, "bytes": draft.size})


# What Slack answers ---------------------------------------------------------------------------------


def _check_status(answer: ClientResponse) -> None:
    if answer.status == 429:
        raise Rest(_retry_after(answer.headers), "Slack asks for patience")
    if answer.status >= 500:
        raise NotThisTime
    if answer.status != 200:
        raise NotGiven


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    seconds = headers.get("Retry-After", "")
    return min(timedelta(seconds=int(seconds)), LONG_REST) if re.fullmatch(r"\d{1,5}", seconds) else REST


def _refusal(code: str) -> Exception:
    if code in NEVER_ANSWERS:
        return Never(NEVER_ANSWERS[code])
    if code in {"missing_scope", "ratelimited"}:
        return Rest(LONG_REST if code == "missing_scope" else REST, code)
    return NotThisTime(code)


# What the database is asked and told ------------------------------------------------------------------


def _wanted(turn: Turn) -> list[Wanted]:
    return files.wanted(turn.db, turn.team, now=turn.now)


def _skip(turn: Turn, *, file_id: str, why: str) -> Notes:
    files.skip(turn.db, turn.team, file_id, why=why)
    return ()


def _put_off(turn: Turn, *, file_id: str) -> Notes:
    files.put_off(turn.db, turn.team, file_id, now=turn.now, why=NOT_GIVEN)
    return ()


def _learn(turn: Turn, *, said: Mapping[str, Any]) -> Notes:
    fact = read_file(said)
    if fact:
        files.learn(turn.db, turn.team, fact)
    return ()
