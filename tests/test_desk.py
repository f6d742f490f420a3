"""The one door: what is decided and what is said of it are one transaction, and a gesture is served once."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from jinja2 import UndefinedError

from bot.desk import Desk, Note, Notes, Replayed, Turn, Whisper
from bot.review.incident import Place, UserId
from bot.review.refusal import NoIncidentHere
from storage import crossed, incidents, silence
from tests.cast import CHANNEL, HERE, MARA, NOVEMBER_18, TEAM, TOMAS, Room, a_room, an_incident

HALL = Place(CHANNEL)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    an_incident(room, severity=None)
    yield room
    room.storage.close()


def severity(room: Room) -> str | None:
    return room.ask(lambda db: incidents.at(db, TEAM, HERE, MARA).severity)


def change(turn: Turn) -> None:
    incidents.at(turn.db, turn.team, HERE, MARA).severity = "sev1"


def whole(turn: Turn, *, by: UserId) -> Notes:
    change(turn)
    yield Note.once("key", "refused", HALL, sentence="to all")
    yield Note.private(by, "refused", sentence="to you")


def answering_another(turn: Turn, *, by: UserId) -> Notes:
    del by
    change(turn)
    yield Note.private(TOMAS, "refused", sentence="to somebody who did not ask")


def broken_template(turn: Turn, *, by: UserId) -> Notes:
    change(turn)
    yield Note.private(by, "refused", nothing="of use")


def keyless(turn: Turn, *, by: UserId) -> Notes:
    change(turn)
    yield Note(kind="once", template="refused", facts={"sentence": f"by {by}"})


def refusing(turn: Turn, *, by: UserId) -> Notes:
    del by
    change(turn)
    raise NoIncidentHere


def test_what_is_said_is_written_with_what_was_decided(room: Room):
    answer = room.serve(whole, by=MARA)

    assert answer == "to you"
    assert (severity(room), room.transcript()) == ("sev1", ["to all"])


@pytest.mark.parametrize(
    ("ability", "error"),
    [
        (broken_template, UndefinedError),
        (keyless, ValueError),
        (answering_another, ValueError),
        (refusing, NoIncidentHere),
    ],
)
def test_what_fails_on_the_way_undoes_the_whole_turn(room: Room, ability: Any, error: type[Exception]):
    with pytest.raises(error):
        room.serve(ability, by=MARA)

    assert (severity(room), room.transcript()) == (None, [])


def test_a_gesture_that_was_served_is_not_served_again(room: Room):
    room.desk.serve(whole, by=MARA, mark="m")
    room.change(lambda db: setattr(incidents.at(db, TEAM, HERE, MARA), "severity", "sev4"))

    with pytest.raises(Replayed):
        room.desk.serve(whole, by=MARA, mark="m")

    assert severity(room) == "sev4"


def test_a_gesture_that_was_refused_may_come_again(room: Room):
    with pytest.raises(NoIncidentHere):
        room.desk.serve(refusing, by=MARA, mark="m")

    assert room.desk.serve(whole, by=MARA, mark="m")


def test_an_answer_that_no_request_can_carry_is_whispered(room: Room):
    said = room.desk.serve(whole, by=MARA)
    assert said

    room.desk.whisper(said, MARA, Whisper(HALL, "mention:1"))

    assert room.transcript(CHANNEL) == ["to all", "to you"]


def test_the_courier_is_woken_when_all_is_committed(room: Room):
    seen: list[str | None] = []
    desk = Desk(
        room.storage,
        room.desk.renderer,
        team=TEAM,
        house=room.house,
        now=lambda: NOVEMBER_18,
        wake=lambda: seen.append(severity(room)),
    )

    desk.serve(whole, by=MARA)

    assert seen == ["sev1"]


def test_looking_changes_nothing(room: Room):
    room.desk.look(change)

    assert severity(room) is None


def test_a_turn_is_one_line_in_the_log_with_ids_and_no_words(room: Room, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, "debrief"):
        room.serve(whole, by=MARA)

    served = [record for record in caplog.records if record.getMessage() == "served"]
    assert [(record.__dict__["ability"], record.__dict__["notes"]) for record in served] == [("whole", 2)]
    assert "to all" not in str([record.__dict__ for record in caplog.records])


def test_what_is_due_is_served_once_and_found_out_before_without_writing(room: Room):
    def wait(turn: Turn) -> Notes:
        if severity(room) is None:
            change(turn)
        return ()

    def speak(_: Turn) -> Notes:
        yield Note.once("due", "refused", HALL, sentence="now")

    for ability in (wait, speak, wait, speak):
        room.desk.serve_if_due(ability)

    assert (severity(room), room.transcript()) == ("sev1", ["now"])


def test_what_fails_while_it_is_only_asked_fails_as_it_would_when_served(room: Room):
    def fail(_: Turn) -> Notes:
        raise LookupError

    with pytest.raises(LookupError):
        room.desk.serve_if_due(fail)


def test_one_of_several_that_fails_stops_no_other(room: Room, caplog: pytest.LogCaptureFixture):
    def three(_: Turn) -> list[dict[str, int]]:
        return [{"number": number} for number in (1, 2, 3)]

    def say(_: Turn, *, number: int) -> Notes:
        if number == 2:
            raise LookupError
        yield Note.once(f"k{number}", "refused", HALL, sentence=f"number {number}")

    room.desk.serve_each(three, say)

    assert room.transcript() == ["number 1", "number 3"]
    assert [record.__dict__["number"] for record in caplog.records if record.exc_info] == [2]


class WithoutRounds(Desk):
    """Serves what is due whoever else does."""

    def _in_its_round(self, ability: Callable[..., Notes | None]) -> Callable[..., Notes | None]:
        return ability


def told_by_two_at_once(url: str, folder: Path, kind: type[Desk]) -> list[str]:
    """What one person is told when two programs find at once that they may be written to, each about another thing."""
    rooms, both = [a_room(folder, url) for _ in range(2)], Barrier(2)

    def ask(number: int) -> None:
        def tell(turn: Turn) -> Notes:
            if silence.may_be_told(turn.db, TEAM, MARA, None, now=turn.now, hours=turn.house.working_hours):
                with suppress(BrokenBarrierError):
                    both.wait(60 if kind is WithoutRounds else 0.5)
                yield Note.once(f"news:{number}", "refused", MARA, sentence=f"news {number}")

        room = rooms[number]
        kind(room.storage, room.desk.renderer, team=TEAM, house=room.house, now=lambda: room.now).serve_if_due(tell)

    with ThreadPoolExecutor(2) as programs:
        list(programs.map(ask, range(2)))
    said = rooms[0].transcript(MARA)
    for room in rooms:
        room.storage.close()
    return said


@pytest.mark.postgres
def test_two_programs_that_share_a_database_never_write_to_one_person_twice_on_a_day(
    postgresql_url: str, tmp_path: Path
):
    assert len(told_by_two_at_once(postgresql_url, tmp_path, Desk)) == 1


@pytest.mark.postgres
def test_without_rounds_and_turns_of_their_own_two_programs_would_write_to_one_person_twice(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crossed, "go_alone", lambda *_: None)

    assert len(told_by_two_at_once(postgresql_url, tmp_path, WithoutRounds)) == 2
