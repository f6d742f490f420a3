"""Delivers the outbox to Slack: the only module that posts."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from storage import outbox, people
from storage.models import OutboxNote
from storage.session import Storage

log = logging.getLogger("debrief.courier")

AT_ONCE = 20
"""Notes claimed in one round, each of another channel."""
LOOK_AGAIN_S = 2.0
"""Seconds between rounds when nobody wakes the courier."""
CALL_TIMEOUT = timedelta(seconds=15)
MARK_EVENT = "debrief_note"
LOOK_BACK = timedelta(minutes=5)
"""How much earlier than the attempt a look-up begins: our clock and Slack's may differ."""

TRY_LATER = {"service_unavailable", "team_added_to_org", "ratelimited", "rate_limited", "request_timeout"}
UNKNOWN = {"fatal_error", "internal_error"}
"""Slack answers these although part of the work may have been done."""
ALREADY_SO = {"already_reacted", "no_reaction"}
RETRY_S = 30.0


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
    attempted_at: datetime


class Courier:
    """Takes notes from the outbox, in order per channel, and says each of them once."""

    def __init__(
        self, storage: Storage, client: AsyncWebClient, *, team: str, now: Callable[[], datetime], grace: timedelta
    ) -> None:
        self._storage = storage
        self._client = client
        self._team = team
        self._now = now
        self._grace = grace
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False

    def wake(self) -> None:
        """Something was written down; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Deliver until stopped; a failing round is logged and the next one follows."""
        while not self._stopping:
            self._woken.clear()
            try:
                said = await self.round()
            except Exception:
                log.exception("a round of the courier failed")
                said = 0
            if not said:
                await self._rest()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), LOOK_AGAIN_S)
        except TimeoutError:
            return

    async def round(self) -> int:
        """Look up what is uncertain, then say what is due; how many notes were taken up."""
        for parcel in await asyncio.to_thread(self._uncertain):
            await self._look_up(parcel)
        parcels = await asyncio.to_thread(self._claim)
        await asyncio.gather(*(self._deliver(parcel) for parcel in parcels))
        return len(parcels)

    # Delivering ---------------------------------------------------------------------

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            answer = await asyncio.wait_for(self._say(parcel), CALL_TIMEOUT.total_seconds())
        except SlackApiError as error:
            await self._refused(parcel, error)
        except (ClientError, OSError, TimeoutError) as error:
            # Whether Slack took it is unknown: it stays "sending" and is looked up after the grace period.
            log.warning("not known whether it was said", extra={"note": parcel.id, "error": type(error).__name__})
        else:
            await self._said(parcel, answer)

    async def _say(self, parcel: Parcel) -> AsyncSlackResponse:
        match parcel.kind:
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
        response: Any = error.response
        word = str(response.get("error") or "") if response.status_code < 500 else ""
        if response.status_code == 429 or word in TRY_LATER:
            wait = float(response.headers.get("Retry-After") or RETRY_S)
            await asyncio.to_thread(self._mark_later, parcel, wait, word or "ratelimited")
        elif word in ALREADY_SO:
            await self._said(parcel, {})
        elif word and word not in UNKNOWN:
            log.error("refused by Slack", extra={"note": parcel.id, "kind": parcel.kind, "error": word})
            await asyncio.to_thread(self._mark_dead, parcel, word)
        else:
            log.warning("not known whether it was said", extra={"note": parcel.id, "status": response.status_code})

    # Looking up ------------------------------------------------------------------------

    async def _look_up(self, parcel: Parcel) -> None:
        """Find out whether an uncertain note was said: found by its mark, or it may be said again."""
        if parcel.kind == "whisper":
            # Nobody can look up a whisper; saying it twice is worse than once too few.
            await self._said(parcel, {})
        elif parcel.kind == "mark" or parcel.posted:
            await asyncio.to_thread(self._mark_later, parcel, 0.0, "unknown")
        else:
            await self._find(parcel)

    async def _find(self, parcel: Parcel) -> None:
        try:
            found = await self._search(parcel)
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("could not look it up yet", extra={"note": parcel.id, "error": type(error).__name__})
            return
        if found:
            await self._said(parcel, found)
        else:
            await asyncio.to_thread(self._mark_later, parcel, 0.0, "unknown")

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
        metadata = message.get("metadata") or {}
        return (metadata.get("event_payload") or {}).get("mark") == self._mark_of(parcel)

    def _mark_of(self, parcel: Parcel) -> str:
        # Metadata is readable to every member and app of the workspace: only an opaque mark goes there.
        return hmac.new(self._key.encode(), parcel.key.encode(), hashlib.sha256).hexdigest()[:32]

    # The database's side, in worker threads ------------------------------------------------

    def _claim(self) -> list[Parcel]:
        with self._storage.write() as db:
            self._key = people.workspace(db, self._team).mark_key
            return [_parcel(note) for note in outbox.claim(db, self._team, now=self._now(), at_most=AT_ONCE)]

    def _uncertain(self) -> list[Parcel]:
        with self._storage.read() as db:
            self._key = people.workspace(db, self._team).mark_key
            before = self._now() - CALL_TIMEOUT - self._grace
            return [_parcel(note) for note in outbox.uncertain(db, self._team, before=before)]

    def _mark_sent(self, parcel: Parcel, channel: str, ts: str) -> None:
        with self._storage.write() as db:
            if parcel.posted:
                channel, ts = parcel.posted
            outbox.mark_sent(db, parcel.id, version=parcel.version, channel=channel, ts=ts, now=self._now())

    def _mark_later(self, parcel: Parcel, seconds: float, error: str) -> None:
        with self._storage.write() as db:
            outbox.mark_later(db, parcel.id, until=self._now() + timedelta(seconds=seconds), error=error)

    def _mark_dead(self, parcel: Parcel, error: str) -> None:
        with self._storage.write() as db:
            outbox.mark_dead(db, parcel.id, error=error)


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
        attempted_at=note.attempted_at or note.written_at,
    )
