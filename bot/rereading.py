"""Reads back what was said: what Slack lost is said once more, and of what is there twice the later goes.

Slack's word that it took a message is no proof that it kept it, and history may show late what was taken.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import outcomes
from bot.looking_up import mark_in, mark_of, says_the_same
from bot.measures import Tell, nobody
from bot.outcomes import Outcome, yes
from bot.paging import History
from bot.review.heard import in_order, moment_of
from bot.review.incident import Place
from bot.review.refusal import NotInChannel
from storage import people, read_back
from storage.models import Workspace
from storage.read_back import Said
from storage.session import Storage

log = logging.getLogger("debrief.rereading")

PLACES = 20
"""Channels and threads of a round, a call each or a few: history's pace is shared with whoever reads it for the
archive."""
CALL_TIMEOUT_S = 15.0
GONE = {"message_not_found"}
OPEN = {"later", "unknown"}
"""Outcomes after which it is tried once more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of ours that stands in Slack: under which mark, and whether somebody answered it in a thread."""

    ts: str
    mark: str
    is_answered: bool
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stand:
    """What was seen of a place between two moments: our messages, and of which only a tombstone is left.

    What was said before the database was put back from a backup, at `restored_at`, may be something else under the
    same mark.
    """

    ours: Sequence[Seen]
    buried: Collection[str]
    restored_at: datetime | None

    def copies(self, note: Said, mark: str) -> list[Seen]:
        """The messages that are this note; first the one that stays: the earliest, or else the one with an answer."""
        own = next((seen for seen in self.ours if seen.ts == note.ts), None)
        found = (seen for seen in self.ours if seen is own or (seen.mark == mark and self._is_copy(seen, note, own)))
        return sorted(found, key=lambda seen: (not seen.is_answered, in_order(seen.ts)))

    def _is_copy(self, seen: Seen, note: Said, own: Seen | None) -> bool:
        if self.restored_at is None or not moment_of(seen.ts) < self.restored_at <= moment_of(note.ts):
            return True
        return own is not None and says_the_same(seen.message, str(own.message.get("text") or ""))


class Rereader:
    """Looks for what was said, place by place; every step of it may be done again, and by several at once."""

    def __init__(
        self,
        storage: Storage,
        history: History,
        client: AsyncWebClient,
        *,
        team: str,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        tell: Tell = nobody,
    ) -> None:
        """`client` tries nothing again by itself; `wake` is called when something is to be said once more.

        `tell` hears of what is said once more, and of what is removed.
        """
        self._storage = storage
        self._history = history
        self._client = client
        self._team = team
        self._now = now
        self._wake = wake
        self._tell = tell
        self._hold = f"reading back {team}"

    async def run(self, every_s: float) -> None:
        """Look until cancelled; a failing round is logged and the next one follows."""
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("a round of reading back failed")
            await asyncio.sleep(every_s)

    async def round(self) -> int:
        """Look for what is due, unless another program does; how many notes were looked for."""
        due, us = await asyncio.to_thread(self._due)
        if not due or not await asyncio.to_thread(self._storage.holds.take, self._hold):
            return 0
        try:
            for place, notes in due.items():
                await self._look(place, notes, us)
        finally:
            await asyncio.to_thread(self._storage.holds.release, self._hold)
        return sum(map(len, due.values()))

    async def _look(self, place: Place, notes: Sequence[Said], us: Workspace) -> None:
        try:
            stand = await self._stand(place, notes, us)
        except NotInChannel:
            await asyncio.to_thread(self._mark_read, notes)
        except outcomes.FAILURES as failure:
            await self._not_seen(place, notes, outcomes.of(failure))
        else:
            for note in notes:
                await self._compare(place, note, stand, mark_of(us.mark_key, note.key))

    async def _not_seen(self, place: Place, notes: Sequence[Said], outcome: Outcome) -> None:
        """Tried again at the next round, unless Slack will not let us."""
        log.warning("could not read back", extra={"channel": place.channel, "error": outcome.word})
        if outcome.kind not in OPEN:
            await asyncio.to_thread(self._mark_read, notes)

    # What stands there ------------------------------------------------------------------

    async def _stand(self, place: Place, notes: Sequence[Said], us: Workspace) -> Stand:
        """All of ours in the span of these notes: only what was read to its end can be said to be absent."""
        since, until = min(note.since for note in notes), max(note.until for note in notes)
        # By their times: what stands on two pages is not there twice.
        messages, cursor = dict[str, Mapping[str, Any]](), None
        while True:
            page = await self._history.marked_page(place, since, until, cursor)
            messages |= {str(message["ts"]): message for message in page.messages}
            cursor = page.next_cursor
            if not cursor:
                break
        buried = {ts for ts, message in messages.items() if message.get("subtype") == "tombstone"}
        ours = [_seen(message) for message in messages.values() if _is_ours(message, us)]
        return Stand(ours, buried, us.restored_at)

    # What follows ---------------------------------------------------------------------------

    async def _compare(self, place: Place, note: Said, stand: Stand, mark: str) -> None:
        copies = stand.copies(note, mark)
        if not copies:
            await self._missed(place, note, stand)
        elif len(copies) > 1 or copies[0].ts != note.ts:
            await self._keep_one(place, note, [copy.ts for copy in copies])
        else:
            await asyncio.to_thread(self._mark_read, [note])

    async def _missed(self, place: Place, note: Said, stand: Stand) -> None:
        if note.ts not in stand.buried and await asyncio.to_thread(self._say_again, note):
            self._tell("reposted")
            log.warning("lost by Slack, said once more", extra={"note": note.id, "channel": place.channel})
            self._wake()
        else:
            await asyncio.to_thread(self._mark_read, [note])

    async def _keep_one(self, place: Place, note: Said, copies: Sequence[str]) -> None:
        """The note is read only once the others are gone: after a crash they are found again."""
        kept, *others = copies
        if not await asyncio.to_thread(self._keep, note, kept, others):
            return
        for other in others:
            if not await self._remove(place, note, other):
                return
        await asyncio.to_thread(self._mark_read, [note])
        self._wake()

    async def _remove(self, place: Place, note: Said, ts: str) -> bool:
        """Whether it is gone, or will never go."""
        told = {"note": note.id, "channel": place.channel, "ts": ts}
        try:
            await asyncio.wait_for(yes(self._client.chat_delete(channel=place.channel, ts=ts)), CALL_TIMEOUT_S)
        except outcomes.FAILURES as failure:
            outcome = outcomes.of(failure)
            if outcome.word not in GONE:
                log.warning("said twice, and not removed", extra=told | {"error": outcome.word})
                return outcome.kind not in OPEN
        self._tell("removed")
        log.warning("said twice, the other one removed", extra=told)
        return True

    # The database's side, in worker threads ------------------------------------------------------

    def _due(self) -> tuple[Mapping[Place, Sequence[Said]], Workspace]:
        with self._storage.read() as db:
            due = read_back.due(db, self._team, now=self._now(), places=PLACES)
            us = people.workspace(db, self._team)
            db.expunge(us)
            return due, us

    def _mark_read(self, notes: Sequence[Said]) -> None:
        with self._storage.write() as db:
            read_back.mark_read(db, [note.id for note in notes], now=self._now())

    def _say_again(self, note: Said) -> bool:
        with self._storage.write() as db:
            return read_back.say_again(db, note, now=self._now())

    def _keep(self, note: Said, kept: str, others: Sequence[str]) -> bool:
        with self._storage.write() as db:
            return read_back.keep_one(db, note, kept, others, now=self._now())


def _is_ours(message: Mapping[str, Any], us: Workspace) -> bool:
    """Somebody else's message may carry our mark, for everybody can read it; a tombstone is Slackbot's."""
    return (bool(us.bot_user) and message.get("user") == us.bot_user) or (
        bool(us.bot_id) and message.get("bot_id") == us.bot_id
    )


def _seen(message: Mapping[str, Any]) -> Seen:
    return Seen(str(message["ts"]), mark_in(message), bool(message.get("reply_count")), message)
