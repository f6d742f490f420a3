"""Any one statement fails, or all from one on, while something is to be said: it is written or not, and said once."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from bot import following_up, reminding, scheduling
from bot.desk import Notes
from bot.review.follow_up import ActionWords, Horizon
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import BOT_USER
from storage.models import Base
from tests.cast import HERE, MARA, TOMAS, Room, a_room, an_incident, mitigated
from tests.test_courier import GENERAL, GRACE, Office, an_office

Which = Callable[[int, int], bool]
"""Of a statement's number, and of the one that is meant."""
ONE: Which = int.__eq__
ALL_FROM_IT_ON: Which = int.__ge__


@contextmanager
def failing(engine: Engine, number: int, which: Which = ONE) -> Iterator[list[str]]:
    """Let statements whose number is so related to this one fail, commits included, as on a broken disk; which did."""
    numbers, failed = count(1), list[str]()

    def statement(_connection: Any, _cursor: Any, words: str, *_more: Any) -> None:
        if which(next(numbers), number):
            failed.append(words)
            raise OperationalError(words, None, OSError("the disk is gone"))

    def commit(connection: Any) -> None:
        statement(connection, None, "COMMIT")

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield failed
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


# The courier -------------------------------------------------------------------------------------


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        running.sandbox.faults.set({"rate_limits": "off"})
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.torture])])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.mark.parametrize(
    "which", [ONE, pytest.param(ALL_FROM_IT_ON, marks=pytest.mark.torture)], ids=["one", "all from it on"]
)
async def test_whichever_statement_of_a_round_fails_everything_is_said_once(url: str, slack: Running, which: Which):
    office, number, failed = an_office(url, slack), 0, ["something"]
    while failed:
        number += 1
        _write_some(office, number)
        with failing(office.storage.engine, number, which) as failed:
            await _try_rounds(office)
        while _states(office) != {"sent"}:
            await _try_rounds(office)

    assert number > 20
    assert office.seen() == [f"agenda as of {number}"]
    assert _said_to_priya(office) == [f"note {one}" for one in range(1, number + 1)]
    # One that was begun and may have been heard is not whispered again.
    assert len(set(_whispered(office))) == len(_whispered(office)) >= number - 2
    office.storage.close()


def _write_some(office: Office, number: int) -> None:
    """A live note, a whisper, and one of which Slack does not tell that it took it."""
    office.say("agenda", f"agenda as of {number}", kind="live")
    office.whisper(f"whisper {number}", to="U0PRIYA", place=GENERAL)
    office.fault("5xx_after")
    office.say(f"note {number}", to="U0PRIYA")


async def _try_rounds(office: Office) -> None:
    """Let it say what is due, and look up what it is not sure of."""
    for seconds in (0, 2 * GRACE.total_seconds(), 0):
        office.pass_time(seconds)
        with suppress(OperationalError):
            await office.courier.round()
        await office.courier.settle()


def _said_to_priya(office: Office) -> list[str]:
    space = office.slack.sandbox.workspace
    return [message["text"] for message in space.open_im("U0PRIYA", BOT_USER).in_order()]


def _whispered(office: Office) -> list[str]:
    return [each.message["text"] for each in office.slack.sandbox.workspace.ephemerals]


def _states(office: Office) -> set[str]:
    with office.storage.read() as db:
        return {state for (state,) in db.execute(select(Base.metadata.tables["outbox"].c.state))}


# The desk -------------------------------------------------------------------------------------------


def a_promise(room: Room) -> None:
    """An action is due in two days."""
    an_incident(room)
    wording = ActionWords(TOMAS, None, Horizon("quick"), "write the runbook")
    room.serve(following_up.propose, where=HERE, by=MARA, wording=wording)
    room.pass_time(days=2)
    room.serve(following_up.move, by=TOMAS, number=1, step="commit", text="")
    room.pass_time(days=3)


def a_mitigation(room: Room) -> None:
    """It is to be proposed when to meet."""
    mitigated(room, an_incident(room))
    room.pass_time(hours=1)


@pytest.mark.parametrize(
    ("ability", "before"),
    [(reminding.remind_due, a_promise), pytest.param(scheduling.propose_due, a_mitigation, marks=pytest.mark.torture)],
    ids=["a reminder", "a proposal"],
)
def test_whichever_statement_of_a_tick_fails_all_of_it_is_there_or_nothing(
    tmp_path: Path, url: str, ability: Callable[..., Notes], before: Callable[[Room], None]
):
    room = a_room(tmp_path, url)
    before(room)
    said = len(room.transcript())

    tries, halves = served_with_failures(room, ability)

    assert (tries > 5, halves) == (True, 0)
    assert len(room.transcript()) == said + 1
    room.storage.close()


def test_without_a_transaction_a_tick_whose_statement_fails_would_leave_half_of_it(tmp_path: Path, sqlite_url: str):
    room = a_room(tmp_path, sqlite_url)
    a_mitigation(room)
    room.storage._writing = room.storage.engine.execution_options(sqlite_begin="SELECT 1")

    _, halves = served_with_failures(room, scheduling.propose_due)

    assert halves > 0
    room.storage.close()


def served_with_failures(room: Room, ability: Callable[..., Notes]) -> tuple[int, int]:
    """How often it took, each time with the next statement failing, and how often something was there too soon."""
    tries, halves, failed, before = 0, 0, ["something"], everything(room)
    while failed:
        tries += 1
        halves += everything(room) != before
        with suppress(OperationalError), failing(room.storage.engine, tries) as failed:
            room.desk.serve_if_due(ability)
    room.desk.serve_if_due(ability)
    return tries, halves


def everything(room: Room) -> dict[str, list[Any]]:
    """Every row there is."""
    with room.storage.read() as db:
        return {table.name: list(db.execute(select(table))) for table in Base.metadata.sorted_tables}
