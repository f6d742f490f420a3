"""Delivers the outbox to Slack: the only module that posts."""

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy.orm import Session

from bot import formats, gallery
from bot.drawing import NotDrawn, Picture
from bot.gallery import Gallery, Hung, Sheet
from storage import incidents, outbox, people
from storage.models import OutboxNote
from storage.session import Storage

log = logging.getLogger("debrief.courier")

AT_ONCE = 20
"""Notes under way at a time, each of another channel."""
LOOK_AGAIN_S = 2.0
"""Seconds between rounds when nobody wakes the courier."""
CALL_TIMEOUT = timedelta(seconds=15)
PICTURE_TIMEOUT = timedelta(seconds=45)
"""Several calls, and the bytes."""
MOST_TRIES = 10
"""How often the upload of a picture is tried; its summary was said long before."""
MARK_EVENT = "debrief_note"
LOOK_BACK = timedelta(minutes=5)
"""How much earlier than the attempt a look-up begins: our clock and Slack's may differ."""

TRY_LATER = {"service_unavailable", "team_added_to_org", "ratelimited", "rate_limited", "request_timeout"}
UNKNOWN = {"fatal_error", "internal_error"}
"""Slack answers these although part of the work may have been done."""
ALREADY_SO = {"already_reacted", "no_reaction"}
NOT_HEARD_THERE = {"channel_not_found", "is_archived", "not_in_channel", "user_not_in_channel"}
"""Slack answers these where a whisper cannot reach somebody in the place they asked from."""
RETRY_S = 30.0
"""How long a note waits where Slack does not say how long."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A note as it leaves the database: what to say, where, in which version."""

    id: int
    key: str
    kind: str
    channel: str
    thread: str
    user: str | None
    text: str
    blocks: list[Any] | None
    version: int
    posted: tuple[str, str] | None
    attempt: int
    attempted_at: datetime
    incident: int | None = None
    files: tuple[Hung, ...] = ()


Draw = Callable[[Session, str, int], Picture | None]
"""The picture of an incident of a workspace, or None where nothing is to be seen."""


class Courier:
    """Takes notes from the outbox, in order per channel, and says each of them once."""

    def __init__(
        self,
        storage: Storage,
        client: AsyncWebClient,
        *,
        team: str,
        now: Callable[[], datetime],
        grace: timedelta,
        draw: Draw = formats.picture,
        print_html: Callable[[Session, str, int], str] = formats.html,
        print_pdf: Callable[[Session, str, int], bytes] = formats.pdf,
    ) -> None:
        self._storage = storage
        self._client = client
        self._team = team
        self._now = now
        self._grace = grace
        self._draw, self._print_html, self._print_pdf = draw, print_html, print_pdf
        self._gallery = Gallery(client)
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something was written down; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Deliver until stopped, then finish what is under way; a failing round is logged and the next one follows."""
        while not self._stopping:
            self._woken.clear()
            try:
                await self.round()
            except Exception:
                log.exception("a round of the courier failed")
            await self._rest()
        await self.settle()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), LOOK_AGAIN_S)

    async def round(self) -> int:
        """Begin to look up what is uncertain and to say what is due; how many notes were taken up."""
        uncertain = await asyncio.to_thread(self._uncertain)
        for parcel in uncertain:
            self._begin(parcel, self._look_up)
        due = await asyncio.to_thread(self._claim, AT_ONCE - len(self._under_way))
        for parcel in due:
            self._begin(parcel, self._deliver)
        return len(uncertain) + len(due)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._under_way.values())

    def _begin(self, parcel: Parcel, work: Callable[[Parcel], Coroutine[Any, Any, None]]) -> None:
        """Every note goes its own way, so that a slow channel keeps no other waiting."""
        self._under_way[parcel.id] = asyncio.create_task(self._carry(parcel, work))

    async def _carry(self, parcel: Parcel, work: Callable[[Parcel], Coroutine[Any, Any, None]]) -> None:
        try:
            await work(parcel)
        except Exception:
            log.exception("a note could not be carried", extra={"note": parcel.id})
        finally:
            # The next note of this channel may be due now.
            del self._under_way[parcel.id]
            self._woken.set()

    # Delivering ---------------------------------------------------------------------

    async def _deliver(self, parcel: Parcel) -> None:
        patience = PICTURE_TIMEOUT if parcel.kind == "picture" else CALL_TIMEOUT
        try:
            answer = await asyncio.wait_for(self._say(parcel), patience.total_seconds())
        except SlackApiError as error:
            await self._refused(parcel, error)
        except NotDrawn:
            await self._dead(parcel, "not_drawn")
        except (ClientError, OSError, TimeoutError) as error:
            await self._unknown(parcel, type(error).__name__)
        else:
            await self._said(parcel, answer)

    async def _unknown(self, parcel: Parcel, why: str) -> None:
        """Slack may have taken it: after the grace period it is looked up, and never said again blindly."""
        log.warning("not known whether it was said", extra={"note": parcel.id, "error": why})
        await asyncio.to_thread(self._mark_uncertain, parcel, self._grace)

    async def _say(self, parcel: Parcel) -> Mapping[str, Any] | AsyncSlackResponse:
        match parcel.kind:
            case "picture":
                return await self._hang(parcel)
            case "mark":
                return await self._mark(parcel)
            case "whisper":
                return await self._client.chat_postEphemeral(user=parcel.user or "", **self._words(parcel))
            case _ if parcel.posted:
                channel, ts = parcel.posted
                return await self._client.chat_update(
                    channel=channel, ts=ts, text=parcel.text, blocks=parcel.blocks, parse="none", link_names=False
                )
            case _:
                metadata = {"event_type": MARK_EVENT, "event_payload": {"mark": self._mark_of(parcel)}}
                return await self._client.chat_postMessage(
                    metadata=metadata, unfurl_links=False, unfurl_media=False, **self._words(parcel)
                )

    async def _hang(self, parcel: Parcel) -> Mapping[str, Any]:
        """Let the picture, or the page, be seen as it is now, and no other.

        1. It is drawn from what is known now; the one that is there stays where it is the same.
        2. What is there goes first, so that nothing erased stays to be seen because an upload fails.
        3. The file's number is written down before it is shown, so that it can be looked up and taken down.
        """
        sheet = await asyncio.to_thread(self._drawn, parcel)
        drawn = sheet.mark if sheet else ""
        if [(hung.drawn, hung.shown) for hung in parcel.files] == [(drawn, True)]:
            return {}
        await self._take_down(parcel)
        if sheet:
            channel = await self._conversation(parcel.channel)
            file = await self._gallery.upload(sheet, await asyncio.to_thread(sheet.made))
            await asyncio.to_thread(self._mark_files, parcel, [Hung(file, drawn)])
            await self._gallery.show(file, sheet.title, channel=channel, thread=parcel.thread, words=parcel.text)
            await asyncio.to_thread(self._mark_files, parcel, [Hung(file, drawn, shown=True)])
        return {}

    async def _take_down(self, parcel: Parcel) -> None:
        await asyncio.to_thread(self._mark_files, parcel, [replace(hung, shown=False) for hung in parcel.files])
        for hung in parcel.files:
            await self._gallery.take_down(hung.file)
        await asyncio.to_thread(self._mark_files, parcel, [])

    def _words(self, parcel: Parcel) -> dict[str, Any]:
        words: dict[str, Any] = {"channel": parcel.channel, "text": parcel.text, "blocks": parcel.blocks}
        if parcel.thread:
            words["thread_ts"] = parcel.thread
        return words | {"parse": "none", "link_names": False}

    async def _mark(self, parcel: Parcel) -> AsyncSlackResponse:
        message = {"channel": parcel.channel, "timestamp": parcel.thread, "name": parcel.text.removeprefix("-")}
        if parcel.text.startswith("-"):
            return await self._client.reactions_remove(**message)
        return await self._client.reactions_add(**message)

    async def _said(self, parcel: Parcel, answer: Mapping[str, Any] | AsyncSlackResponse) -> None:
        channel = str(answer.get("channel") or parcel.channel)
        ts = str(answer.get("ts") or answer.get("message_ts") or "")
        await asyncio.to_thread(self._mark_sent, parcel, channel, ts)
        log.info("said", extra={"note": parcel.id, "kind": parcel.kind})

    async def _refused(self, parcel: Parcel, error: SlackApiError) -> None:
        word = _word(error)
        if _may_try_again(error):
            await asyncio.to_thread(self._mark_later, parcel, _wait(error), word or "ratelimited")
        elif word in ALREADY_SO:
            await self._said(parcel, {})
        elif parcel.kind == "whisper" and parcel.user and word in NOT_HEARD_THERE:
            await self._deliver(replace(parcel, kind="once", channel=parcel.user, thread=""))
        elif word and word not in UNKNOWN:
            await self._dead(parcel, word)
        else:
            await self._unknown(parcel, word or str(error.response.status_code))

    async def _dead(self, parcel: Parcel, word: str) -> None:
        log.error("refused by Slack", extra={"note": parcel.id, "kind": parcel.kind, "error": word})
        await asyncio.to_thread(self._mark_dead, parcel, word)

    # Looking up ------------------------------------------------------------------------

    async def _look_up(self, parcel: Parcel) -> None:
        """Find out whether an uncertain note was said: found by its mark, or it may be said again."""
        if parcel.kind == "whisper":
            # Nobody can look up a whisper; saying it twice is worse than once too few.
            await self._said(parcel, {})
        elif parcel.kind == "mark" or (parcel.posted if parcel.kind != "picture" else not parcel.files):
            await self._found(parcel, None)
        else:
            await self._find(parcel)

    async def _find(self, parcel: Parcel) -> None:
        try:
            found = await self._search(parcel)
        except SlackApiError as error:
            await self._not_found_out(parcel, error)
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("could not look it up yet", extra={"note": parcel.id, "error": type(error).__name__})
            await asyncio.to_thread(self._mark_uncertain, parcel, timedelta(seconds=RETRY_S))
        else:
            await self._found(parcel, found)

    async def _found(self, parcel: Parcel, found: Mapping[str, Any] | None) -> None:
        if found is None and parcel.kind == "picture" and parcel.attempt >= MOST_TRIES:
            await self._dead(parcel, "not_uploaded")
        elif found is None:
            await asyncio.to_thread(self._mark_later, parcel, timedelta(), "unknown")
        else:
            await asyncio.to_thread(self._mark_files, parcel, [replace(hung, shown=True) for hung in parcel.files])
            # Which version was taken is not known: where there are several the newest is said once more, in its place.
            await self._said(replace(parcel, version=0) if parcel.version > 1 else parcel, found)

    async def _not_found_out(self, parcel: Parcel, error: SlackApiError) -> None:
        word = _word(error)
        if word and word not in UNKNOWN and not _may_try_again(error):
            # We may not look there any more, so it stays unknown for ever, and the channel must not wait for it.
            await self._dead(parcel, word)
        else:
            log.warning("could not look it up yet", extra={"note": parcel.id, "error": word})
            await asyncio.to_thread(self._mark_uncertain, parcel, _wait(error))

    async def _search(self, parcel: Parcel) -> Mapping[str, Any] | None:
        channel = await self._conversation(parcel.channel)
        oldest, cursor = f"{(parcel.attempted_at - LOOK_BACK).timestamp():.6f}", ""
        while True:
            asked: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "cursor": cursor,
                "limit": 200,
                "include_all_metadata": True,
            }
            page = await (
                self._client.conversations_replies(ts=parcel.thread, **asked)
                if parcel.thread
                else self._client.conversations_history(**asked)
            )
            for message in page.get("messages") or []:
                if self._carries(message, parcel):
                    return {"channel": channel, "ts": message["ts"]}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def _conversation(self, channel: str) -> str:
        if not channel.startswith(("U", "W")):
            return channel
        opened = await self._client.conversations_open(users=channel)
        return str((opened.get("channel") or {}).get("id"))

    def _carries(self, message: Mapping[str, Any], parcel: Parcel) -> bool:
        files = {str(file.get("id")) for file in message.get("files") or () if file.get("mode") != "tombstone"}
        if any(hung.file in files for hung in parcel.files):
            return True
        metadata = message.get("metadata") or {}
        return (metadata.get("event_payload") or {}).get("mark") == self._mark_of(parcel)

    def _mark_of(self, parcel: Parcel) -> str:
        # Metadata is readable to every member and app of the workspace: only an opaque mark goes there.
        return hmac.new(self._key.encode(), parcel.key.encode(), hashlib.sha256).hexdigest()[:32]

    # The database's side, in worker threads ------------------------------------------------

    def _claim(self, at_most: int) -> list[Parcel]:
        if at_most <= 0:
            return []
        with self._storage.read() as db:
            if not outbox.is_due(db, self._team, now=self._now()):
                return []
        with self._storage.write() as db:
            self._key = people.workspace(db, self._team).mark_key
            return [_parcel(note) for note in outbox.claim(db, self._team, now=self._now(), at_most=at_most)]

    def _uncertain(self) -> list[Parcel]:
        # Where nobody else writes, what is being sent and not under way here was left by a crash.
        patience = self._grace + (CALL_TIMEOUT if self._storage.shared else timedelta())
        with self._storage.read() as db:
            self._key = people.workspace(db, self._team).mark_key
            found = outbox.uncertain(db, self._team, now=self._now(), patience=patience)
            return [_parcel(note) for note in found if note.id not in self._under_way]

    def _drawn(self, parcel: Parcel) -> Sheet | None:
        if parcel.incident is None:
            return None
        with self._storage.read() as db:
            if parcel.key.startswith(outbox.PAGE):
                return self._page(db, parcel.incident, parcel.key.split(":")[1], reader=parcel.channel)
            picture = self._draw(db, self._team, parcel.incident)
            return gallery.of_picture(picture) if picture else None

    def _page(self, db: Session, incident: int, form: str, *, reader: str) -> Sheet | None:
        """For somebody who may still read it."""
        if incidents.by_number(db, self._team, incident, reader) is None:
            return None
        if form == "pdf":
            return gallery.of_paper(self._print_pdf(db, self._team, incident), incident)
        return gallery.of_page(self._print_html(db, self._team, incident), incident)

    def _mark_files(self, parcel: Parcel, hung: Sequence[Hung]) -> None:
        if hung or parcel.files:
            with self._storage.write() as db:
                outbox.mark_files(db, parcel.id, [asdict(one) for one in hung])

    def _mark_sent(self, parcel: Parcel, channel: str, ts: str) -> None:
        with self._storage.write() as db:
            if parcel.posted:
                channel, ts = parcel.posted
            outbox.mark_sent(db, parcel.id, version=parcel.version, channel=channel, ts=ts, now=self._now())

    def _mark_later(self, parcel: Parcel, wait: timedelta, error: str) -> None:
        with self._storage.write() as db:
            outbox.mark_later(db, parcel.id, attempt=parcel.attempt, until=self._now() + wait, error=error)

    def _mark_uncertain(self, parcel: Parcel, wait: timedelta) -> None:
        with self._storage.write() as db:
            outbox.mark_uncertain(db, parcel.id, attempt=parcel.attempt, until=self._now() + wait)

    def _mark_dead(self, parcel: Parcel, error: str) -> None:
        with self._storage.write() as db:
            outbox.mark_dead(db, parcel.id, attempt=parcel.attempt, error=error)


def _word(error: SlackApiError) -> str:
    """What Slack said, where it was Slack that answered."""
    response: Any = error.response
    said = response.data if isinstance(response.data, dict) and response.status_code < 500 else {}
    return str(said.get("error") or "")


def _may_try_again(error: SlackApiError) -> bool:
    """Whether Slack surely did nothing and would rather hear it later."""
    return error.response.status_code == 429 or _word(error) in TRY_LATER


def _wait(error: SlackApiError) -> timedelta:
    given = str(error.response.headers.get("Retry-After") or "")
    return timedelta(seconds=float(given) if given.isdecimal() else RETRY_S)


def _parcel(note: OutboxNote) -> Parcel:
    return Parcel(
        id=note.id,
        key=note.key,
        kind=note.kind,
        channel=note.channel_id,
        thread=note.thread_ts,
        user=note.user_id,
        text=note.text,
        blocks=note.blocks,
        version=note.version,
        posted=(note.posted_channel, note.posted_ts) if note.posted_channel and note.posted_ts else None,
        attempt=note.attempts,
        attempted_at=note.attempted_at or note.written_at,
        incident=note.incident_id,
        files=tuple(Hung(**file) for file in note.files or ()),
    )
