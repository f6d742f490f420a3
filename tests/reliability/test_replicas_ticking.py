"""Two replicas whose clocks tick at the same moment: together they say what one would say, and nobody is told twice."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import briefing, reminding
from bot.clock import Clock
from bot.desk import Desk
from bot.review.incident import ChannelId, UserId
from storage import actions, crossed, incidents, reviews, rounds, silence
from storage.actions import Proposal
from storage.models import OutboxNote
from storage.session import Storage
from tests.cast import JONAS, MARA, PRIYA, TOMAS, Room, a_message, a_room, an_incident, mitigated
from tests.sitting import do

pytestmark = pytest.mark.postgres
MEET_WITHIN_S, MEET_SURELY_S = 0.5, 60.0
"""The second is for where nothing keeps them from it."""
"""How long one waits for the other where both should be asking: longer than anything between two questions takes."""


@dataclass
class Pair:
    """Two replicas of one database, and a room that shares their clock."""

    room: Room
    one: Desk
    other: Desk

    async def tick(self) -> None:
        """Both at once; then one alone, for either may have left out what it found the other at."""
        await asyncio.gather(tick(self.one), tick(self.other))
        await tick(self.one)

    def written(self) -> list[tuple[str, str, str]]:
        return self.room.ask(everything_written)


@pytest.fixture
def pair(tmp_path: Path, postgresql_url: str) -> Iterator[Pair]:
    rooms = [a_room(tmp_path, postgresql_url), Room(Storage(postgresql_url))]
    first, second = rooms
    second.desk.now = lambda: first.now
    yield Pair(first, first.desk, second.desk)
    for room in rooms:
        room.storage.close()


async def tick(desk: Desk) -> None:
    await Clock(desk, every_s=60, also=nothing_else).tick()


async def nothing_else() -> None:
    """Nothing waits on Slack."""


def everything_written(db: Session) -> list[tuple[str, str, str]]:
    """Each note by its key, with its place and words."""
    notes = db.scalars(select(OutboxNote).order_by(OutboxNote.key)).all()
    return [(note.key, note.channel_id, note.text) for note in notes]


# Together as alone -----------------------------------------------------------------------------------


async def test_two_replicas_that_tick_at_once_write_what_one_would_write(pair: Pair, tmp_path: Path):
    alone = a_room(tmp_path)
    for room in (pair.room, alone):
        a_week_begins(room)

    for hours in (20, 24, 24, 30, 24, 24 * 7):
        for room in (pair.room, alone):
            room.pass_time(hours=hours)
        await pair.tick()
        await tick(alone.desk)

    assert pair.written() == alone.ask(everything_written)
    assert len(pair.written()) > 5
    alone.storage.close()


def a_week_begins(room: Room) -> None:
    """A mitigated incident with messages, a meeting that is planned, leaders who come, and what people promised."""
    incident = an_incident(room)
    a_message(room, "Checkout answers 503")
    mitigated(room, incident)
    room.change(lambda db: plan(room, db, incident))
    do(room, briefing.name_leaders, users=[JONAS, PRIYA])
    for owner in (TOMAS, JONAS):
        room.change(lambda db, owner=owner: promise(room, db, incident, owner))
    late = an_incident(room, channel=ChannelId("C0LATE"), lead=TOMAS)
    mitigated(room, late, room.now)


def plan(room: Room, db: Session, incident: int) -> None:
    reviews.plan(db, incidents.get(db, incident), at=room.now + timedelta(days=2), by=MARA, now=room.now)


def promise(room: Room, db: Session, incident: int, owner: UserId, *, days_ago: int = 0) -> None:
    """An action that is due in two days, less those ago."""
    then = room.now - timedelta(days=days_ago)
    words = Proposal(text="Alert on stuck queues", owner=owner, due=(then + timedelta(days=2)).date(), horizon="quick")
    actions.propose(db, incidents.get(db, incident), words, by=MARA, now=then).state = "committed"


# One direct message a day ----------------------------------------------------------------------------


async def test_somebody_of_whom_two_replicas_want_different_things_at_the_same_moment_is_written_to_once_that_day(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    await ask_jonas_at_once(pair, monkeypatch)

    assert len(pair.room.transcript(JONAS)) == 1


async def test_rounds_that_did_not_exclude_one_another_would_write_to_somebody_twice_a_day(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rounds, "is_ours", lambda *_: True)
    monkeypatch.setattr(crossed, "go_alone", lambda *_: None)

    await ask_jonas_at_once(pair, monkeypatch, meet_within_s=MEET_SURELY_S)

    assert len(pair.room.transcript(JONAS)) == 2


async def ask_jonas_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, *, meet_within_s: float = MEET_WITHIN_S
) -> None:
    """He comes to a review as a leader, and an action of his is due today; each replica begins with another of it."""
    incident = an_incident(pair.room, opened_at=pair.room.now - timedelta(days=9))
    mitigated(pair.room, incident, pair.room.now - timedelta(days=9))
    pair.room.change(lambda db: plan(pair.room, db, incident))
    do(pair.room, briefing.name_leaders, users=[JONAS])
    pair.room.change(lambda db: promise(pair.room, db, incident, JONAS, days_ago=2))
    monkeypatch.setattr(silence, "may_be_told", met(silence.may_be_told, within_s=meet_within_s))

    await asyncio.gather(
        asyncio.to_thread(pair.one.serve_if_due, briefing.brief_leaders),
        asyncio.to_thread(pair.other.serve_if_due, reminding.remind_due),
    )


def met(ask: Callable[..., bool], *, within_s: float) -> Callable[..., bool]:
    """Whoever asks about Jonas waits, with the answer, until the other has one, too."""
    both = threading.Barrier(2)

    def asked(db: Session, team: str, user: str, *rest: object, **more: object) -> bool:
        answer = ask(db, team, user, *rest, **more)
        if user == JONAS:
            with suppress(threading.BrokenBarrierError):
                both.wait(within_s)
        return answer

    return asked
