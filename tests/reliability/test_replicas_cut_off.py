"""The database goes and comes back again and again while people work: nothing is lost or doubled, and nobody mends."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from bot.desk import Desk, Note, Notes, Replayed, Turn
from bot.review.incident import UserId
from storage import actions, incidents
from storage.actions import Proposal
from storage.models import Action
from storage.session import Storage
from tests.cast import MARA, Room, an_incident
from tests.databases import Restartable
from tests.reliability.replicas import Patience, Stage, a_stage

pytestmark = pytest.mark.postgres
PATIENCE = Patience(grace_s=1.0, call_s=0.5)
WRITERS, READERS = 4, 200
"""People who work at a time, and people who hear of it."""
FAULTS = 0.1


async def test_work_that_is_tried_again_until_it_is_kept_is_kept_once_and_said_once_through_restarts(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=PATIENCE, seed=8) as stage:
        shift = Shift(stage, units=80, within_s=2.5)

        await work_through(shift, restarts_after_s=(0.5, 1.0), down_s=(0.0, 0.2))

        assert shift.kept() == {f"unit {number}": 1 for number in range(80)}
        assert stage.flaws() == {}
        assert len(stage.said()) == 80
        assert shift.done["cut off"] > 0


async def test_a_message_written_after_its_change_would_be_lost_with_the_restart_between_them(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=PATIENCE, seed=8) as stage:
        shift = SpeaksAfterwards(stage, units=60, within_s=1.5)

        await work_through(shift, restarts_after_s=(0.3, 0.5), down_s=(0.2, 0.2))

        assert shift.kept() == {f"unit {number}": 1 for number in range(60)}
        assert stage.flaws() == {}
        assert len(stage.said()) < 60


@pytest.mark.torture
@pytest.mark.timeout(900)
async def test_five_thousand_units_of_work_are_kept_and_said_once_while_the_database_restarts_for_three_minutes(
    own_server: Restartable, nursery: Path, tmp_path: Path
):
    async with a_stage(own_server, nursery, tmp_path, patience=PATIENCE, seed=61) as stage:
        shift = Shift(stage, units=5_000, within_s=180)

        await work_through(shift, restarts_after_s=(5, 40), down_s=(0, 2))

        assert shift.kept() == {f"unit {number}": 1 for number in range(5_000)}
        assert stage.flaws() == {}
        assert len(stage.said()) == 5_000
        assert stage.done["restarts"] >= 5


@dataclass
class Shift:
    """So many units of work, spread over so many seconds; what fails is tried again, as people press a button again."""

    stage: Stage
    units: int
    within_s: float
    done: Counter[str] = field(default_factory=Counter)
    """How often a try was cut off, and how often it had been kept nevertheless."""

    def __post_init__(self) -> None:
        self.incident = an_incident(self.stage.room)
        self.readers = self.stage.newcomers(READERS)
        self.began = 0.0

    async def work(self) -> None:
        self.began = time.monotonic()
        numbers = range(self.units)
        await asyncio.gather(*(asyncio.to_thread(self._write, numbers[n::WRITERS]) for n in range(WRITERS)))

    def _write(self, numbers: Sequence[int]) -> None:
        storage = Storage(self.stage.url)
        room = Room(storage, self.stage.room.now)
        for number in numbers:
            time.sleep(max(0.0, self.began + self.within_s * number / self.units - time.monotonic()))
            while not self._is_kept(room.desk, number):
                time.sleep(0.05)
        storage.close()

    def _is_kept(self, desk: Desk, number: int) -> bool:
        """Whether a unit of work is in the database now, by this try or by an earlier one that seemed to fail."""
        reader = self.readers[number % READERS]
        try:
            self._serve(desk, number, reader)
        except Replayed:
            self.done["kept before"] += 1
        except DBAPIError:
            self.done["cut off"] += 1
            return False
        return True

    def _serve(self, desk: Desk, number: int, reader: UserId) -> None:
        desk.serve(one_unit, mark=f"unit:{number}", incident=self.incident, number=number, reader=reader)

    def promised(self) -> int:
        """How many messages the outbox holds once nobody works any more."""
        return len(self.stage.written())

    def kept(self) -> Counter[str]:
        """How often each unit of work is in the database."""
        return Counter(self.stage.room.ask(lambda db: db.scalars(select(Action.text)).all()))


async def work_through(shift: Shift, *, restarts_after_s: tuple[float, float], down_s: tuple[float, float]) -> None:
    """Let people work and replicas speak, and the database restart after such pauses until the work is done."""
    stage = shift.stage
    stage.trouble(FAULTS)
    await stage.play(3)
    working = asyncio.ensure_future(shift.work())
    while not working.done():
        await asyncio.wait([working], timeout=stage.dice.uniform(*restarts_after_s))
        if not working.done():
            await stage.restart_database(down_s=stage.dice.uniform(*down_s))
    await working
    await stage.until_settled(shift.promised())


class SpeaksAfterwards(Shift):
    """Lacks the one transaction: the message is written when the change is kept."""

    def _serve(self, desk: Desk, number: int, reader: UserId) -> None:
        desk.serve(silently, mark=f"unit:{number}", incident=self.incident, number=number)
        time.sleep(0.05)
        desk.serve(tell, number=number, reader=reader)


def one_unit(turn: Turn, *, incident: int, number: int, reader: UserId) -> Notes:
    """A proposal, and a message about it."""
    silently(turn, incident=incident, number=number)
    yield from tell(turn, number=number, reader=reader)


def silently(turn: Turn, *, incident: int, number: int) -> None:
    due = (turn.now + timedelta(days=14)).date()
    words = Proposal(text=f"unit {number}", owner=MARA, due=due, horizon="quick")
    actions.propose(turn.db, incidents.get(turn.db, incident), words, by=MARA, now=turn.now)


def tell(_turn: Turn, *, number: int, reader: UserId) -> Notes:
    yield Note.once(f"unit:{number}", "refused", reader, sentence=f"unit {number}")
