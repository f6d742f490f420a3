"""What the clock costs while nothing is due: as many questions of many reviews as of few."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.desk import House, Note, Turn
from bot.review.policy import Policy, Sharing
from storage import attending, reviews
from tests.cast import MARA, Room
from tests.many_reviews import a_room_with_reviews, cost, cost_of, tick

POLICY = Policy(sharing=Sharing(people=(MARA,)))
EVERYTHING = House(calendars="on", letters_from="debrief@example.com", policy=POLICY)
Rooms = tuple[Room, Room]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    """One with a review in each state, and one with four."""
    few, many = (a_room_with_reviews(tmp_path_factory.mktemp("r"), each=each, house=EVERYTHING) for each in (1, 4))
    yield few, many
    for room in (few, many):
        room.storage.close()


def test_while_nothing_is_due_it_asks_as_many_questions_however_many_reviews_there_are(rooms: Rooms):
    few, many = (cost(room) for room in rooms)

    assert few == many


def test_at_night_it_does_so_too(rooms: Rooms):
    for room in rooms:
        room.now += timedelta(hours=11)
        tick(room)

    few, many = (cost(room) for room in rooms)

    assert few == many


def test_what_is_asked_of_each_review_by_itself_is_noticed(rooms: Rooms):
    def ask_each(turn: Turn) -> list[Note]:
        for meeting, _ in reviews.planned_between(turn.db, turn.team, turn.now, turn.now + timedelta(days=60)):
            attending.core(turn.db, meeting)
        return []

    few, many = (cost_of(room, ask_each) for room in rooms)

    assert (few, many) == (1 + 2, 1 + 8)


def test_once_everything_was_said_nothing_more_is(tmp_path: Path, database_url: str):
    room = a_room_with_reviews(tmp_path, database_url, each=1, house=EVERYTHING)
    said = room.transcript()

    tick(room)

    assert room.transcript() == said
    assert len(said) > 10
    room.storage.close()
