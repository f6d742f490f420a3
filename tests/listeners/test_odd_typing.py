"""Odd characters behind the verbs of planning a review: each is answered in words, and nothing goes wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import scheduling
from bot.desk import House
from bot.listeners.edge import Edge, Gesture, outcome
from bot.listeners.performing import perform
from bot.listeners.reading import as_seen
from bot.review.incident import Place
from bot.review.refusal import WrongStage
from bot.review.when import read_when
from bot.sandbox.validation import message_errors
from bot.seals import Seal
from storage import incidents, reviews
from tests.cast import CHANNEL, HERE, MARA, Room, a_room, an_incident, mitigated
from tests.sitting import plain

ODD = {
    "NUL": "\0",
    "other controls": "\x01\x1b[31m\x7f\x9f",
    "a lone surrogate": "\ud83d",
    "ten thousand characters": "x" * 10_000,
    "ten thousand words": "no " * 3_333,
    "right to left": "\u202e\u200fsev1\u2069",
    "emoji alone": "\U0001f525\U0001f525 :fire:",
    "markup": "<!channel> <@U0MARA|`x`> *_~`",
}
TYPED = (
    "severity",
    "severity sev1",
    "policy",
    "schedule",
    "schedule apart @payments",
    "schedule apart @payments off",
    "schedule apart off",
    "schedule light",
    "schedule async",
    "postpone",
    "postpone off",
    "postpone why",
    "invite",
    "invite @payments",
    "uninvite",
    "leaders",
    "facilitator",
    "scribe",
    "pre-read",
    "surprise",
    "reveal",
    "held",
    "skip",
)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """An incident that is over, whose review meets."""
    room = a_room(tmp_path)
    room.house = room.desk.house = House(seal=Seal(b"nobody can guess this"))
    mitigated(room, an_incident(room))
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 10:00"))
    yield room
    room.storage.close()


@pytest.mark.parametrize("odd", ODD)
async def test_whatever_is_typed_behind_a_verb_is_answered_in_words(edge: Edge, odd: str):
    wrong: list[str] = []
    for number, typed in enumerate(TYPED):
        for gap in ("", " "):
            said = await outcome(edge, perform(edge, a_gesture(f"{number}{gap}"), f"{typed}{gap}{ODD[odd]}"))
            words = said.text if said else ""
            broken = not words or "something went wrong" in words or len(words) > 3_000 or "\0" in words
            if broken or (said and message_errors({"text": said.text, "blocks": said.blocks})):
                wrong.append(f"{typed!r}: {words[:80]}")

    assert wrong == []


def a_gesture(mark: str) -> Gesture:
    return Gesture(MARA, Place(CHANNEL), mark=mark)


@pytest.mark.parametrize("odd", ["NUL", "other controls"])
@pytest.mark.parametrize("typed", ["severity sev1{}", "severity {}sev1", "severity\u200f sev1\u200e", "sever{}ity 1"])
async def test_characters_that_nobody_sees_change_no_word(edge: Edge, room: Room, typed: str, odd: str):
    unseen = "".join(letter for letter in ODD[odd] if not letter.isprintable())

    said = await outcome(edge, perform(edge, a_gesture("1"), typed.format(unseen)))

    assert "sev1 now" in plain(said.text if said else "")
    assert room.ask(lambda db: incidents.get(db, 1).severity) == "sev1"


@pytest.mark.parametrize("verb", ["cancel", "skip"])
async def test_what_does_not_fit_any_more_is_refused_before_anybody_is_asked_whether_they_mean_it(
    edge: Edge, room: Room, verb: str
):
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, 1)), "published_at", room.now))

    with pytest.raises(WrongStage):
        await perform(edge, a_gesture("1"), f"{verb} a duplicate")


async def test_a_word_that_is_no_severity_is_quoted_and_changes_nothing(edge: Edge, room: Room):
    said = await outcome(edge, perform(edge, a_gesture("1"), f"severity sev1{ODD['ten thousand characters']}"))

    assert re.match(r"“sev1x+…” is not a severity", said.text if said else "")
    assert room.ask(lambda db: incidents.get(db, 1).severity) == "sev2"


@pytest.mark.parametrize("text", ["שלום \u200fworld", "👩\u200d🚒 was here", "line one\nline two\tend", "a  b"])
def test_what_people_write_stays_as_they_wrote_it(text: str):
    assert as_seen(text).replace("\u200f", "") == text.replace("\u200f", "")
