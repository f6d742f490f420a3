"""The notes that this program has in hand: what is said next, and what became of it, as the database knows it.

A note is held from its claim until what became of it is written down, against all other programs of this database.
Everything here asks the database, so it is called in worker threads.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot import posting
from bot.gallery import Hung
from bot.gate import Gate
from bot.looking_up import mark_of
from bot.pacing import Pace
from bot.posting import Parcel, Said
from storage import delivering, letters, people, read_back
from storage.holds import Holds
from storage.models import OutboxNote
from storage.session import Storage

AT_ONCE = 100
"""Notes under way at a time, each of another channel: more than the pace lets begin while the longest call hangs."""
LETTERS_AT_ONCE = 4
"""Letters under way at a time, each by a connection of its own."""
YOUNG_AT_LEAST = timedelta(seconds=5)
"""How old a claim may be when Slack is called, however short the grace period is: a slow database must not mean that
nothing is ever said."""


class NotOurs(Exception):
    """Another process may have begun to look the note up: it must not be said from here."""


PutOff = Callable[[Session, OutboxNote, datetime], bool]
"""Whether a note comes too late to be said now, and was put off until it may be."""


def at_any_hour(_db: Session, _note: OutboxNote, _now: datetime) -> bool:
    """Where nothing is put off."""
    return False


class Claims:
    """Takes notes in hand, and writes down what became of them."""

    def __init__(
        self,
        storage: Storage,
        *,
        team: str,
        now: Callable[[], datetime],
        grace: timedelta,
        holds: Holds | None = None,
        pace: Pace | None = None,
        put_off: PutOff = at_any_hour,
    ) -> None:
        """A note whose outcome is not known is looked up after `grace`; without a `pace` all that is due may begin.

        `put_off` is asked of each before it is taken.
        """
        self._storage, self._team, self._now = storage, team, now
        self._grace = grace
        self._holds = holds or storage.holds
        self._put_off = put_off
        self._gate = Gate(team, now=now, pace=pace)
        self._claimed_at: dict[int, float] = {}
        self._came_at: datetime | None = None

    # What is due ----------------------------------------------------------------------------

    def take_due(self, busy: frozenset[int]) -> list[Parcel]:
        """Claim what may be said now, but for the notes that are under way."""
        begun = time.monotonic()
        parcels = self._claim(busy) if self._is_due(busy) else []
        self._claimed_at.update((parcel.id, begun) for parcel in parcels)
        return parcels

    def _is_due(self, busy: frozenset[int]) -> bool:
        now = self._now()
        with self._storage.read() as db:
            may = self._gate.allowed(db, now, free=AT_ONCE - len(busy))
            return may is not None and delivering.is_due(db, self._team, now=now, rank=may.rank, wait=may.wait)

    def _claim(self, busy: frozenset[int]) -> list[Parcel]:
        with self._taking() as take, self._storage.write() as db:
            # Others may have begun something since we looked.
            now, may = self._gate.allowed_alone(db, free=AT_ONCE - len(busy))
            if may is None:
                return []
            claimed = delivering.claim(
                db,
                self._team,
                now=now,
                at_most=may.notes,
                rank=may.rank,
                wait=may.wait,
                take=lambda note: note.id not in busy and not self._put_off(db, note, now) and take(note.key),
            )
            mark_key = people.workspace(db, self._team).mark_key
            parcels = [_parcel(note, mark_key) for note in claimed]
        if parcels:
            self._gate.began(now)
        return parcels

    def seconds_left(self) -> float | None:
        """Until more may be said; None where nothing is in its way."""
        return self._gate.seconds_left()

    def take_letters(self, busy: frozenset[int], at_most: int) -> list[Parcel]:
        """Claim letters that may be sent now, but for those that are under way; they keep no pace of Slack's."""
        now, patience = self._now(), self._grace + posting.LETTER_TIMEOUT
        with self._storage.read() as db:
            if at_most <= 0 or not letters.is_due(db, self._team, now=now, patience=patience):
                return []
        with self._storage.write() as db:
            claimed = letters.claim(db, self._team, now=now, patience=patience, at_most=at_most, busy=busy)
            mark_key = people.workspace(db, self._team).mark_key
            return [_letter(note, mark_key, letters.address(db, note)) for note in claimed]

    # What is uncertain ------------------------------------------------------------------------

    def take_uncertain(self, busy: frozenset[int]) -> list[Parcel]:
        """Take what is to be looked up, but for the notes that are under way, here or elsewhere."""
        free = max(0, AT_ONCE - len(busy))
        left = [parcel for parcel in self._uncertain() if parcel.id not in busy][:free]
        with self._taking() as take:
            ours = {parcel.id for parcel in left if take(parcel.key)}
            # Whoever held one may have written down what became of it since we asked.
            still = [parcel for parcel in self._uncertain() if parcel.id in ours] if ours else []
        settled = ours - {parcel.id for parcel in still}
        for parcel in left:
            if parcel.id in settled:
                self.release(parcel)
        return still

    def _uncertain(self) -> list[Parcel]:
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
        here, longest = now - self._came_at, self._grace + posting.CALL_TIMEOUT
        return here if not self._storage.shared and self._grace <= here < longest else longest

    # Whose it is --------------------------------------------------------------------------------

    @contextmanager
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

    def is_ours(self, parcel: Parcel) -> bool:
        """Whether nobody can have taken the note up, nor will while we hold it; by a clock that nobody sets."""
        age_s = time.monotonic() - self._claimed_at[parcel.id]
        return age_s < max(self._grace, YOUNG_AT_LEAST).total_seconds() and self._holds.keeps(self._name(parcel.key))

    def release(self, parcel: Parcel) -> None:
        """Put it down: what became of it is written, or whoever comes next is to find out."""
        self._claimed_at.pop(parcel.id, None)
        self._holds.release(self._name(parcel.key))

    def _name(self, key: str) -> str:
        return f"note:{self._team}:{key}"

    # What became of it ----------------------------------------------------------------------------

    def mark_files(self, parcel: Parcel, hung: Sequence[Hung]) -> None:
        """Raises NotOurs; a note that is still ours is so for longer, for its pictures take their time."""
        if not hung and not parcel.files:
            return
        begun = time.monotonic()
        with self._storage.write() as db:
            files = [asdict(one) for one in hung]
            if not delivering.mark_files(db, parcel.id, files, attempt=parcel.attempt, now=self._now()):
                raise NotOurs
        self._claimed_at[parcel.id] = begun

    def mark_sent(self, parcel: Parcel, said: Said) -> None:
        told = {"attempt": parcel.attempt, "version": parcel.version, "channel": said.channel, "ts": said.ts}
        with self._storage.write() as db:
            delivering.mark_sent(db, parcel.id, **told, now=self._now())

    def mark_later(self, parcel: Parcel, wait: timedelta, error: str) -> None:
        with self._storage.write() as db:
            delivering.mark_later(db, parcel.id, attempt=parcel.attempt, until=self._now() + wait, error=error)

    def mark_uncertain(self, parcel: Parcel, wait: timedelta | None = None) -> None:
        """It is to be looked up: after the grace period, unless told otherwise."""
        until = self._now() + (self._grace if wait is None else wait)
        with self._storage.write() as db:
            delivering.mark_uncertain(db, parcel.id, attempt=parcel.attempt, until=until)

    def mark_dead(self, parcel: Parcel, error: str) -> None:
        with self._storage.write() as db:
            delivering.mark_dead(db, parcel.id, attempt=parcel.attempt, error=error)

    def replace_lost(self, parcel: Parcel, ts: str) -> bool:
        """Whether the message that it was is to be said once more, for Slack lost it."""
        with self._storage.write() as db:
            return read_back.replace_lost(db, parcel.id, attempt=parcel.attempt, ts=ts, now=self._now())


def _letter(note: OutboxNote, mark_key: str, address: tuple[str, str] | None) -> Parcel:
    return replace(_parcel(note, mark_key), address=address, letter=note.letter)


def _parcel(note: OutboxNote, mark_key: str) -> Parcel:
    return Parcel(
        id=note.id,
        key=note.key,
        mark=mark_of(mark_key, note.key),
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
        is_doubted=bool(note.attempted_at and note.attempted_at < note.written_at),
        incident=note.incident_id,
        files=tuple(Hung(**file) for file in note.files or ()),
    )
