"""Delivers the outbox to Slack: what is said next, and what became of it.

1. A note is claimed, and held against all other programs of this database, before anything is said.
2. Right before Slack is called it must still be ours.
3. A sure yes and a sure no are written down. What is not known is never simply tried again: after a grace period,
   when nobody holds the note, it is looked up in Slack.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import formats, gallery, looking_up, outcomes, pacing
from bot.drawing import NotDrawn, Picture
from bot.gallery import Gallery, Hung, Sheet
from bot.looking_up import Found
from bot.measures import Tell, nobody
from bot.outcomes import RETRY_S, Outcome
from bot.pacing import A_SECOND, IN_A_CHANNEL, Pace
from bot.posting import Parcel, Post, Said
from storage import delivering, incidents, outbox, pauses, people, read_back, rounds
from storage.health import trouble
from storage.holds import Holds
from storage.models import ANSWER, BROADCAST, OutboxNote
from storage.session import Storage

log = logging.getLogger("debrief.courier")

AT_ONCE = 100
"""Notes under way at a time, each of another channel: more than the pace lets begin while the longest call hangs."""
ANSWERS_BESIDES = 10
"""So many more where somebody waits for an answer."""
LOOK_AGAIN_S = 2.0
"""Seconds between rounds when nobody wakes the courier."""
A_MOMENT = timedelta(seconds=0.05)
"""Until we look again where another program is just beginning something."""
A_BREATH_S = 0.005
"""So that the moment for which it rests has come."""
NAP_S, LONGEST_NAP_S = 0.5, 5.0
"""Seconds until the next round after one that failed, doubled with each that fails, too."""
CALL_TIMEOUT = timedelta(seconds=15)
PICTURE_TIMEOUT = timedelta(seconds=45)
"""Several calls, and the bytes."""
MOST_TRIES = 10
"""How often the upload of a picture is tried; its summary was said long before."""
MOST_ODD_WORDS = 5
"""How often in a row Slack may refuse a note with a word that its reference does not know."""
LOOK_BACK = timedelta(minutes=5)
"""How much earlier than the attempt a look-up begins: our clock and Slack's may differ."""
NOT_THERE = "message_not_found"
"""Slack answers this where it knows nothing of the message."""
NOT_HEARD_THERE = {"channel_not_found", "is_archived", "not_in_channel", "user_not_in_channel"}
"""Slack answers these where a whisper cannot reach somebody in the place they asked from."""


class NotOurs(Exception):
    """Another process may have begun to look the note up: it must not be said from here."""


@dataclass(frozen=True, slots=True)
class Room:
    """So many notes of a rank, or of a lower one, may begin now, but for those that have to wait."""

    rank: int
    notes: int
    wait: ColumnElement[bool]


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
        holds: Holds | None = None,
        pace: Pace | None = None,
        tell: Tell = nobody,
        draw: Draw = formats.picture,
        print_html: Callable[[Session, str, int], str] = formats.html,
        print_pdf: Callable[[Session, str, int], bytes] = formats.pdf,
    ) -> None:
        """`client` tries nothing again by itself; a note whose outcome is not known is looked up after `grace`.

        Without a `pace` everything that is due begins at once. `tell` hears what became of each note.
        """
        self._storage = storage
        self._client = client
        self._team = team
        self._now = now
        self._grace = grace
        self._holds = holds or storage.holds
        self._pace, self._tell = pace, tell
        self._again: datetime | None = None
        self._draw, self._print_html, self._print_pdf = draw, print_html, print_pdf
        self._post = Post(
            client=client,
            gallery=Gallery(client),
            ready=self._ready,
            drawn=lambda parcel: asyncio.to_thread(self._drawn, parcel),
            mark_files=lambda parcel, hung: asyncio.to_thread(self._mark_files, parcel, hung),
        )
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._claimed_at: dict[int, float] = {}
        self._came_at: datetime | None = None
        self._odd_words = Counter[int]()

    def wake(self) -> None:
        """Something was written down; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopped.set()
        self.wake()

    async def run(self) -> None:
        """Deliver until stopped, then finish what is under way; a failing round is logged and another one follows."""
        failed = 0
        while not self._stopped.is_set():
            self._woken.clear()
            rest_s = await self._try_round()
            failed = failed + 1 if rest_s is None else 0
            # Where the database fails, what wakes us does not mend it.
            awaited, seconds = (self._stopped, _nap(failed)) if rest_s is None else (self._woken, rest_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(awaited.wait(), seconds)
        await self.settle()

    async def _try_round(self) -> float | None:
        """Seconds until the next; None where this one failed."""
        try:
            await self.round()
            return await self._rest_s()
        except SQLAlchemyError as error:
            log.warning("nothing can be said for now", extra={"why": trouble(error) or type(error).__name__})
        except Exception:
            log.exception("a round of the courier failed")
        return None

    async def _rest_s(self) -> float:
        """Until there is room again, where that is sooner than we would look."""
        if self._again is None:
            return LOOK_AGAIN_S
        now = await asyncio.to_thread(self._now)
        return min(LOOK_AGAIN_S, max(0.0, (self._again - now).total_seconds()) + A_BREATH_S)

    async def round(self) -> int:
        """Begin to look up what is uncertain and to say what is due; how many notes were taken up."""
        # What is under way when the database is asked may be settled, and not put down yet, when it answers.
        uncertain = await asyncio.to_thread(self._uncertain, frozenset(self._under_way))
        for parcel in uncertain:
            self._begin(parcel, self._look_up)
        due = await asyncio.to_thread(self._claim, frozenset(self._under_way))
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
        """What is left unsaid and unknown here, for whatever reason, is looked up by whoever comes next."""
        try:
            await work(parcel)
        except NotOurs:
            log.warning("was not ours any more", extra={"note": parcel.id})
        except SQLAlchemyError as error:
            why = trouble(error) or type(error).__name__
            log.warning("what became of a note could not be written down", extra={"note": parcel.id, "why": why})
        except Exception:
            log.exception("a note could not be carried", extra={"note": parcel.id})
        finally:
            await self._put_down(parcel)

    async def _put_down(self, parcel: Parcel) -> None:
        try:
            await asyncio.to_thread(self._release, parcel)
        finally:
            # The next note of this channel may be due now.
            del self._under_way[parcel.id]
            self._woken.set()

    # Delivering ---------------------------------------------------------------------

    async def _deliver(self, parcel: Parcel) -> None:
        patience = PICTURE_TIMEOUT if parcel.kind == "picture" else CALL_TIMEOUT
        try:
            said = await asyncio.wait_for(self._post.carry(parcel), patience.total_seconds())
        except NotOurs:
            await self._not_sent(parcel)
        except NotDrawn:
            await self._dead(parcel, "not_drawn")
        except outcomes.FAILURES as failure:
            await self._failed(parcel, outcomes.of(failure))
        else:
            await self._said(parcel, said)

    async def _ready(self, parcel: Parcel) -> None:
        """Right before Slack is called; raises NotOurs."""
        if not await asyncio.to_thread(self._is_ours, parcel):
            raise NotOurs

    async def _failed(self, parcel: Parcel, outcome: Outcome) -> None:
        match outcome.kind:
            case "later":
                self._tell("put_off")
                await asyncio.to_thread(self._mark_later, parcel, outcome.wait, outcome.word)
            case "already":
                await self._said(parcel, Said(parcel.channel))
            case "never" if parcel.kind == "whisper" and parcel.user and outcome.word in NOT_HEARD_THERE:
                await self._deliver(replace(parcel, kind="once", channel=parcel.user, thread=""))
            case "never" if outcome.word == NOT_THERE and await self._is_lost(parcel):
                log.warning("lost by Slack, said once more", extra={"note": parcel.id})
            case "never":
                await self._dead(parcel, outcome.word)
            case "unheard_of":
                await self._refused_oddly(parcel, outcome.word)
            case "unknown":
                await self._unknown(parcel, outcome.word)

    async def _is_lost(self, parcel: Parcel) -> bool:
        """Whether Slack lost what was to be updated, and it is due again; what a person deleted is not."""
        return parcel.posted is not None and await asyncio.to_thread(self._replace_lost, parcel, parcel.posted[1])

    async def _refused_oddly(self, parcel: Parcel, word: str) -> None:
        """Slack may have done it nevertheless, so it is looked up; what cannot be and what goes on is given up."""
        self._odd_words[parcel.id] += 1
        if parcel.kind == "whisper" or self._odd_words[parcel.id] > MOST_ODD_WORDS:
            await self._dead(parcel, word)
        else:
            await self._unknown(parcel, word)

    async def _not_sent(self, parcel: Parcel) -> None:
        """Surely not from here; where nobody else has taken it up meanwhile, it is due again."""
        log.warning("was not ours any more", extra={"note": parcel.id})
        await asyncio.to_thread(self._mark_later, parcel, A_SECOND, "not_ours")

    async def _unknown(self, parcel: Parcel, why: str) -> None:
        """Slack may have taken it: after the grace period it is looked up, and never said again blindly."""
        log.warning("not known whether it was said", extra={"note": parcel.id, "error": why})
        self._tell("unknown")
        await asyncio.to_thread(self._mark_uncertain, parcel, self._grace)

    async def _said(self, parcel: Parcel, said: Said) -> None:
        self._odd_words.pop(parcel.id, None)
        await asyncio.to_thread(self._mark_sent, parcel, said.channel, said.ts)
        self._tell("said")
        log.info("said", extra={"note": parcel.id, "kind": parcel.kind})

    async def _dead(self, parcel: Parcel, word: str) -> None:
        self._odd_words.pop(parcel.id, None)
        self._tell("refused")
        log.error("refused by Slack", extra={"note": parcel.id, "kind": parcel.kind, "error": word})
        await asyncio.to_thread(self._mark_dead, parcel, word)

    # Looking up ------------------------------------------------------------------------

    async def _look_up(self, parcel: Parcel) -> None:
        """Find out whether an uncertain note was said: found by its mark, or it may be said again."""
        if parcel.kind == "whisper":
            # Nobody can look up a whisper; saying it twice is worse than once too few.
            await self._said(parcel, Said(parcel.channel))
        elif parcel.kind == "mark" or parcel.posted or (parcel.kind == "picture" and not parcel.files):
            # Done again it has the same effect.
            await self._found(parcel, None)
        else:
            await self._find(parcel)

    async def _find(self, parcel: Parcel) -> None:
        try:
            found = await self._search(parcel)
        except outcomes.FAILURES as failure:
            await self._not_found_out(parcel, outcomes.of(failure))
        else:
            await self._found(parcel, found)

    async def _found(self, parcel: Parcel, found: Found | None) -> None:
        self._tell("found" if found else "not_found")
        if found is None and parcel.kind == "picture" and parcel.attempt >= MOST_TRIES:
            await self._dead(parcel, "not_uploaded")
        elif found is None:
            await asyncio.to_thread(self._mark_later, parcel, timedelta(), "unknown")
        else:
            await asyncio.to_thread(self._mark_files, parcel, [replace(hung, shown=True) for hung in parcel.files])
            # Which version was taken is not known: where there are several the newest is said once more, in its place.
            said = Said(found.channel, found.ts)
            await self._said(replace(parcel, version=0) if parcel.version > 1 else parcel, said)

    async def _not_found_out(self, parcel: Parcel, outcome: Outcome) -> None:
        if outcome.kind == "never":
            # We may not look there any more, so it stays unknown for ever, and the channel must not wait for it.
            await self._dead(parcel, outcome.word)
        else:
            log.warning("could not look it up yet", extra={"note": parcel.id, "error": outcome.word})
            wait = outcome.wait or timedelta(seconds=RETRY_S)
            await asyncio.to_thread(self._mark_uncertain, parcel, wait)

    async def _search(self, parcel: Parcel) -> Found | None:
        channel = await looking_up.conversation(self._client, parcel.channel)
        since = f"{(parcel.attempted_at - LOOK_BACK).timestamp():.6f}"
        files = [hung.file for hung in parcel.files]
        return await looking_up.find(
            self._client, channel, thread=parcel.thread, oldest=since, marks=[parcel.mark], files=files
        )

    # The database's side, in worker threads ------------------------------------------------

    def _claim(self, busy: frozenset[int]) -> list[Parcel]:
        begun, now = time.monotonic(), self._now()
        with self._storage.read() as db:
            room = self._room(db, now, AT_ONCE - len(busy))
            if room is None or not delivering.is_due(db, self._team, now=now, rank=room.rank, wait=room.wait):
                return []
        with self._taking() as take, self._storage.write() as db:
            if self._pace and self._storage.shared:
                # Others may have begun something since we looked: the room is one for all of us.
                now, room = self._room_of_all(db, AT_ONCE - len(busy))
                if room is None:
                    return []
            mark_key = people.workspace(db, self._team).mark_key
            notes = delivering.claim(
                db,
                self._team,
                now=now,
                at_most=room.notes,
                rank=room.rank,
                wait=room.wait,
                take=lambda note: note.id not in busy and take(note.key),
            )
            parcels = [_parcel(note, mark_key) for note in notes]
        self._claimed_at.update((parcel.id, begun) for parcel in parcels)
        if parcels and self._pace:
            self._again = min(now + A_SECOND, self._again or now + A_SECOND)
        return parcels

    def _room_of_all(self, db: Session, free: int) -> tuple[datetime, Room | None]:
        """The room that all programs of this database leave together, and since when; nobody else begins meanwhile."""
        ours = rounds.may_claim(db, self._team)
        now = self._now()
        if ours:
            return now, self._room(db, now, free)
        self._again = now + A_MOMENT
        return now, None

    def _room(self, db: Session, now: datetime, free: int) -> Room | None:
        """Which notes may begin now, and how many: those somebody waits for go beyond, and then before, the others."""
        notes, answers, wait = free, free + ANSWERS_BESIDES, false()
        if self._pace:
            begun = pauses.begun(db, self._team, since=now - IN_A_CHANNEL, now=now)
            self._pace.learn(pauses.held(db, self._team, now=now), now)
            budget, closed = self._pace.room(begun, now), self._pace.closed(now)
            notes, answers = min(notes, budget.notes), min(answers, budget.answers)
            wait = or_(pauses.said_by(closed), pauses.spoken_in(self._team, now=now, within=IN_A_CHANNEL))
            self._again = pacing.again(begun, closed, now)
        if notes > 0:
            return Room(BROADCAST, notes, wait)
        return Room(ANSWER, answers, wait) if answers > 0 else None

    def _uncertain(self, busy: frozenset[int]) -> list[Parcel]:
        free = max(0, AT_ONCE - len(busy))
        left = [parcel for parcel in self._ask_uncertain() if parcel.id not in busy][:free]
        with self._taking() as take:
            ours = {parcel.id for parcel in left if take(parcel.key)}
            # Whoever held one may have written down what became of it since we asked.
            still = [parcel for parcel in self._ask_uncertain() if parcel.id in ours] if ours else []
        for parcel in left:
            if parcel.id in ours - {one.id for one in still}:
                self._release(parcel)
        return still

    def _ask_uncertain(self) -> list[Parcel]:
        now = self._now()
        with self._storage.read() as db:
            mark_key = people.workspace(db, self._team).mark_key
            found = delivering.uncertain(db, self._team, now=now, patience=self._patience(now))
            return [_parcel(note, mark_key) for note in found]

    def _patience(self, now: datetime) -> timedelta:
        """How long after its claim what was left is looked up: Slack may have taken it as late as a call ends.

        Where nobody else writes, it was left by a program that was gone when we came.
        """
        self._came_at = self._came_at or now
        here, longest = now - self._came_at, self._grace + CALL_TIMEOUT
        return here if not self._storage.shared and self._grace <= here < longest else longest

    @contextlib.contextmanager
    def _taking(self) -> Generator[Callable[[str], bool]]:
        """Holds notes by their keys; where what is done with them fails, all are given up."""
        taken: list[str] = []

        def take(key: str) -> bool:
            if self._holds.take(self._name(key)):
                taken.append(key)
                return True
            return False

        try:
            yield take
        except BaseException:
            for key in taken:
                self._holds.release(self._name(key))
            raise

    def _is_ours(self, parcel: Parcel) -> bool:
        """Whether nobody can have taken the note up, nor will while we hold it; by a clock that nobody sets."""
        young = time.monotonic() - self._claimed_at[parcel.id] < max(self._grace, A_SECOND).total_seconds()
        return young and self._holds.keeps(self._name(parcel.key))

    def _release(self, parcel: Parcel) -> None:
        self._claimed_at.pop(parcel.id, None)
        self._holds.release(self._name(parcel.key))

    def _name(self, key: str) -> str:
        return f"note:{self._team}:{key}"

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
        """Raises NotOurs; a note that is still ours is so for longer, for its pictures take their time."""
        if not hung and not parcel.files:
            return
        begun = time.monotonic()
        with self._storage.write() as db:
            files = [asdict(one) for one in hung]
            if not delivering.mark_files(db, parcel.id, files, attempt=parcel.attempt, now=self._now()):
                raise NotOurs
        self._claimed_at[parcel.id] = begun

    def _mark_sent(self, parcel: Parcel, channel: str, ts: str) -> None:
        told = {"attempt": parcel.attempt, "version": parcel.version, "channel": channel, "ts": ts}
        with self._storage.write() as db:
            delivering.mark_sent(db, parcel.id, **told, now=self._now())

    def _mark_later(self, parcel: Parcel, wait: timedelta, error: str) -> None:
        with self._storage.write() as db:
            delivering.mark_later(db, parcel.id, attempt=parcel.attempt, until=self._now() + wait, error=error)

    def _mark_uncertain(self, parcel: Parcel, wait: timedelta) -> None:
        with self._storage.write() as db:
            delivering.mark_uncertain(db, parcel.id, attempt=parcel.attempt, until=self._now() + wait)

    def _replace_lost(self, parcel: Parcel, ts: str) -> bool:
        with self._storage.write() as db:
            return read_back.replace_lost(db, parcel.id, attempt=parcel.attempt, ts=ts, now=self._now())

    def _mark_dead(self, parcel: Parcel, error: str) -> None:
        with self._storage.write() as db:
            delivering.mark_dead(db, parcel.id, attempt=parcel.attempt, error=error)


def _nap(failed: int) -> float:
    """Seconds, after so many rounds that failed in a row."""
    return min(NAP_S * 2 ** (failed - 1), LONGEST_NAP_S)


def _parcel(note: OutboxNote, mark_key: str) -> Parcel:
    return Parcel(
        id=note.id,
        key=note.key,
        mark=looking_up.mark_of(mark_key, note.key),
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
