"""Keeps what Slack says before Slack is told that it was received: one writer, which commits everything that waits."""

import asyncio
import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.orm import Session

from bot.review.heard import (
    ChannelFact,
    Fact,
    FileGoneFact,
    MembershipFact,
    MessageFact,
    PersonFact,
    ReactionFact,
    moment_of,
    read_event,
)
from bot.review.incident import TeamId
from storage import channels, crossed, files, messages, reactions, read_back
from storage.channels import Listened
from storage.health import trouble
from storage.session import Storage

log = logging.getLogger("debrief.keeper")

MOST_AT_ONCE = 500
"""Deliveries to a commit."""


class NotKeepingError(Exception):
    """The keeper is not running, so nothing can be promised; Slack will try again."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    facts: Sequence[Fact]
    kept: asyncio.Future[None]


class Keeper:
    """Facts of one workspace, group-committed: a lone event waits for nobody, a flood shares its commits."""

    def __init__(self, storage: Storage, team: TeamId, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._team = team
        self._now = now
        self._waiting: SimpleQueue[_Delivery | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._door = threading.Lock()

    def start(self) -> None:
        """Begin to keep."""
        self._writer = threading.Thread(target=self._write, name="keeper", daemon=True)
        self._writer.start()

    def stop(self) -> None:
        """Keep what has already come, then no more; returns when that is done."""
        with self._door:
            writer, self._writer = self._writer, None
            self._waiting.put(None)
        if writer:
            writer.join()

    async def keep(self, body: Mapping[str, Any]) -> None:
        """Return when the facts of this delivery are committed; raise where they cannot be, so that Slack retries."""
        facts = read_event(body.get("event")) if body.get("type") == "event_callback" else []
        if not facts:
            return
        delivery = _Delivery(facts, asyncio.get_running_loop().create_future())
        with self._door:
            if self._writer is None:
                raise NotKeepingError
            self._waiting.put(delivery)
        await delivery.kept

    # The writer's thread ---------------------------------------------------------------

    def _write(self) -> None:
        while deliveries := self._next():
            self._commit_together(deliveries)

    def _next(self) -> list[_Delivery]:
        """All that waits now, at least one; nothing once the end is reached."""
        first = self._waiting.get()
        deliveries = [first] if first else []
        try:
            while deliveries and len(deliveries) < MOST_AT_ONCE:
                following = self._waiting.get_nowait()
                if following is None:
                    self._waiting.put(None)
                    break
                deliveries.append(following)
        except Empty:
            pass
        return deliveries

    def _commit_together(self, deliveries: list[_Delivery]) -> None:
        try:
            self._commit(deliveries)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one delivery, and tells whoever sent it
            why = trouble(error)
            if why:  # No database: trying each alone would only let the last ones wait longer.
                log.warning("facts not kept", extra={"deliveries": len(deliveries), "why": why})
                _settle(deliveries, error)
            else:
                self._commit_each(deliveries, error)
        else:
            _settle(deliveries, None)

    def _commit_each(self, deliveries: list[_Delivery], error: Exception) -> None:
        """One that cannot be kept must not lose its neighbours."""
        if len(deliveries) == 1:
            log.error("a fact cannot be kept", exc_info=error)
            _settle(deliveries, error)
            return
        for delivery in deliveries:
            self._commit_together([delivery])

    def _commit(self, deliveries: Sequence[_Delivery]) -> None:
        facts = [fact for delivery in deliveries for fact in delivery.facts]

        def turn() -> None:
            with self._storage.keep() as db:
                keep_facts(db, self._team, facts, now=self._now())

        crossed.run_again(turn)


def _settle(deliveries: Sequence[_Delivery], error: Exception | None) -> None:
    """Tell who waits; each event loop is woken once, however many wait in it."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
    for delivery in deliveries:
        by_loop[delivery.kept.get_loop()].append(delivery.kept)
    for loop, waiting in by_loop.items():
        with contextlib.suppress(RuntimeError):  # A closed loop has nobody who waits.
            loop.call_soon_threadsafe(_tell, waiting, error)


def _tell(waiting: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for kept in waiting:
        if kept.done():  # Its request was given up; the fact is kept all the same.
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)


# What is kept ------------------------------------------------------------------------------


def keep_facts(db: Session, team: TeamId, facts: Sequence[Fact], *, now: datetime) -> None:
    """Keep facts of all sorts: who is where, always; what is said, where an incident is spoken of."""
    for fact in facts:
        if isinstance(fact, ChannelFact):
            channels.keep_channel(db, team, fact)
        elif isinstance(fact, MembershipFact):
            channels.keep_membership(db, team, fact)
        elif isinstance(fact, PersonFact):
            channels.keep_person(db, team, fact, now=now)
    said = [fact for fact in facts if isinstance(fact, MessageFact | ReactionFact)]
    if said:
        _keep_said(db, team, said)
    for fact in facts:
        if isinstance(fact, FileGoneFact):  # After the messages that may show the file for the first time.
            files.delete(db, team, fact.file_id, now=now)


def _keep_said(db: Session, team: TeamId, said: Sequence[MessageFact | ReactionFact]) -> None:
    listened = defaultdict[str, list[Listened]](list)
    for place in channels.open_sources(db, team):
        listened[place.channel].append(place)
    inside, outside = [], []
    for fact in said:
        (inside if _belongs(fact, listened.get(fact.channel, ())) else outside).append(fact)
    known = messages.known(db, team, [(fact.channel, fact.ts) for fact in outside if _may_be_known(fact)])
    kept = inside + [fact for fact in outside if (fact.channel, fact.ts) in known]
    messages.keep(db, team, *(fact for fact in kept if isinstance(fact, MessageFact)))
    # Of what we said ourselves it counts everywhere, in direct conversations, too.
    read_back.mark_deleted(db, team, [fact for fact in said if isinstance(fact, MessageFact)])
    reactions.keep(db, team, *(fact for fact in kept if isinstance(fact, ReactionFact)))


def _may_be_known(fact: MessageFact | ReactionFact) -> bool:
    return isinstance(fact, ReactionFact) or fact.how != "posted"


def _belongs(fact: MessageFact | ReactionFact, here: Collection[Listened]) -> bool:
    """Said where an incident is listened to. An emoji does not tell its thread: it is kept for the whole channel."""
    if isinstance(fact, ReactionFact):
        return bool(here)
    return any(place.thread_ts in {"", fact.thread_ts, fact.ts} and _since(place, fact) for place in here)


def _since(place: Listened, fact: MessageFact) -> bool:
    """What is posted now is inside; a change of something older than the incident is not."""
    return fact.how == "posted" or moment_of(fact.ts) >= place.from_at
