"""The clock: how often which ability asks the database what is due. A ticker with a memory store, nothing more."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import (
    briefing,
    closing,
    conducting,
    convening,
    discussing,
    escalating,
    following_up,
    guarding,
    leading_through,
    listening,
    meeting_apart,
    parting,
    preparing,
    purging,
    reminding,
    reporting,
    rotating,
    scheduling,
    sealing,
    sharing,
    tagging,
)
from bot.desk import Desk, Notes, Turn
from storage import busy, gestures, reactions, sweeping
from storage.sweeping import Sweeper

log = logging.getLogger("debrief.clock")


def forget_gestures(turn: Turn) -> Notes:
    """Forget the signed requests that nobody could play again."""
    gestures.forget_old(turn.db, turn.team, now=turn.now)
    return ()


def waiting_messages(turn: Turn) -> list[dict[str, str]]:
    """Messages with emoji whose consequences are not drawn: a crash left them, or the message came after them."""
    return [{"channel": channel, "ts": ts} for channel, ts in reactions.underived(turn.db, turn.team)]


def forget_busy_times(turn: Turn) -> Notes:
    """Forget when people were busy, once it is over."""
    busy.forget_over(turn.db, turn.team, now=turn.now)
    return ()


EACH: Mapping[Callable[..., Sequence[Mapping[str, Any]]], tuple[Callable[..., Notes], ...]] = {
    # The timeline comes last: it marks the emoji as done.
    waiting_messages: (following_up.propose_from_reaction, tagging.follow_reactions),
    listening.unheard: (listening.tell_instead,),
    guarding.unwarned: (guarding.warn,),
    parting.bereft: (parting.tell_of_parting,),
    reporting.undrafted: (reporting.draft_by_itself,),
}
"""What is asked first at each tick, and whom each thing found is served to, in turns of its own."""
TABLE: tuple[Callable[..., Notes], ...] = (
    reminding.notice_absence,
    scheduling.moves_due,
    scheduling.propose_due,
    discussing.propose_due,
    discussing.move_on,
    leading_through.remind_due,
    convening.tell_calendars,
    preparing.pre_reads_due,
    preparing.calls_due,
    meeting_apart.hold_due,
    briefing.brief_leaders,
    rotating.ask_due,
    conducting.ask_where_nobody_is,
    conducting.keep_time,
    conducting.close_forgotten,
    reporting.tell_of_drafts,
    sharing.share_due,
    escalating.tell_of_unplanned,
    reminding.remind_due,
    purging.purge_due,
    closing.forget_taps,
    sealing.forget_answers,
    tagging.forget_strays,
    forget_gestures,
    forget_busy_times,
)
"""Everything else that is asked at each tick, in this order."""

FORGOTTEN_EVERY_S = 5.0
"""How often it is looked who is forgotten, whatever else the clock waits for."""
LOOK_EVERY_S = 0.2
"""How often a time that people may move is looked at."""
A_MOVE = timedelta(seconds=2)
"""A time that is so far ahead of where it should be was moved; a slow machine explains less."""


class Clock:
    """Ticks until stopped; a failing question is logged and the next one follows."""

    def __init__(
        self,
        desk: Desk,
        *,
        every_s: float,
        also: Callable[[], Awaitable[None]],
        beside: Callable[[], None] = sweeping.nothing,
    ) -> None:
        """`beside` takes off the disk what was erased from the database."""
        self._desk = desk
        self._sweeper = Sweeper(desk.storage, beside)
        self._also = also
        self._scheduler = AsyncIOScheduler()
        self._worked_at = time.monotonic()
        self.ticks = 0
        """Finished, since it was made."""
        self._zero: datetime | None = None
        self._is_ticking = False
        self._ticks = self._every(every_s, self._tick_unless_stopped)
        # Beside the ticks: fetching and sweeping may make one of them long, and what is heard meanwhile names people.
        self._every(min(every_s, FORGOTTEN_EVERY_S), self._look_unless_stopped)

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> Any:
        return self._scheduler.add_job(  # pyright: ignore[reportUnknownMemberType]
            work, "interval", seconds=seconds, coalesce=True, max_instances=1, misfire_grace_time=None
        )

    @property
    def idle_s(self) -> float:
        """Seconds since it last asked something, whether there was an answer or not."""
        return time.monotonic() - self._worked_at

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    async def watch(self) -> None:
        """Tick at once whenever the time is moved: what is due then should not keep anybody waiting."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with contextlib.suppress(OSError):  # Who cannot be asked the time now is asked again.
                moved = not self._is_ticking and await asyncio.to_thread(self._was_moved)
                if moved and self._scheduler.running:
                    self._ticks.modify(next_run_time=datetime.now(UTC))

    def _was_moved(self) -> bool:
        before, self._zero = self._zero, self._desk.now() - timedelta(seconds=time.monotonic())
        return before is not None and self._zero - before > A_MOVE

    async def _tick_unless_stopped(self) -> None:
        self._is_ticking = True
        with contextlib.suppress(asyncio.CancelledError):  # Stopped in the middle: the next start asks again.
            await self.tick()
        self._is_ticking = False

    async def _look_unless_stopped(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self.look_who_is_forgotten()

    async def look_who_is_forgotten(self) -> None:
        """The command that forgets somebody is another process, and waits until this was asked."""
        try:
            await asyncio.to_thread(self._refresh_forgotten)
        except Exception:
            log.exception("the clock could not look who is forgotten")

    async def tick(self) -> None:
        """Ask everything of the tables once, sweep after what was erased, then fetch what waits on Slack."""
        for question, abilities in EACH.items():
            self._worked_at = time.monotonic()
            try:
                await asyncio.to_thread(self._desk.serve_each, question, *abilities)
            except Exception:
                log.exception("the clock could not ask", extra={"question": question.__name__})
        for ability in TABLE:
            self._worked_at = time.monotonic()
            try:
                await asyncio.to_thread(self._desk.serve_if_due, ability)
            except Exception:
                log.exception("the clock could not serve", extra={"ability": ability.__name__})
        try:
            await asyncio.to_thread(self._sweep)
        except Exception:
            log.exception("the clock could not sweep")
        try:
            await self._also()
        except Exception:
            log.exception("the clock could not fetch")
        self.ticks += 1

    def _sweep(self) -> None:
        self._sweeper.sweep(self._desk.now())

    def _refresh_forgotten(self) -> None:
        with self._desk.storage.read() as db:
            self._desk.storage.forgotten.refresh(db, self._desk.team)
