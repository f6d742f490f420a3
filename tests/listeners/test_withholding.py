"""What is typed to the bot loses its secrets at the door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.listeners import forms
from bot.listeners.edge import Edge, Gesture
from bot.listeners.forms import Memory
from bot.listeners.performing import perform
from bot.review.incident import Place
from bot.review.refusal import Refused, UnknownVerb
from tests.cast import CHANNEL, MARA, Room, a_room, an_incident

CANARY = "C4n4ry7Kx" * 4
TOKEN = "ghp" + "_" + CANARY
WORDS = "[secret removed: GitHub token]"
GESTURE = Gesture(MARA, Place(CHANNEL))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    an_incident(room)
    yield room
    room.storage.close()


def on_disk(room: Room) -> bytes:
    folder = Path(str(room.storage.engine.url.database)).parent
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "line",
    [
        "event 13:00 restarted with @@",
        "summary Checkout crawled. The key was @@.",
        "contributor technical: @@ was in the image",
        "action <@U0MARA> quick revoke @@",
        "cancel only a test of @@",
        "severity @@",
        "no-such-verb @@",
    ],
)
async def test_no_verb_keeps_a_secret(edge: Edge, room: Room, line: str):
    try:
        said = await perform(edge, GESTURE, line.replace("@@", TOKEN))
        heard = said.text if said else ""
    except Refused as refused:
        heard = refused.sentence("/review")

    assert heard
    assert CANARY not in heard
    assert CANARY.encode() not in on_disk(room)


async def test_the_answer_says_what_was_left_out(edge: Edge):
    said = await perform(edge, GESTURE, f"event 13:00 restarted with {TOKEN}")

    assert said is not None
    assert f"restarted with {WORDS}" in said.text
    assert "(GitHub token). I left it out" in said.text


@pytest.mark.parametrize("line", ["@@", "key=@@ and more"])
async def test_a_secret_typed_for_a_verb_is_answered_as_one(edge: Edge, line: str):
    said = await perform(edge, GESTURE, line.replace("@@", TOKEN))

    assert said is not None
    assert "begins with what looks like a secret (GitHub token)" in said.text
    assert "I kept nothing of it" in said.text
    assert "[secret" not in said.text
    assert "Did you mean" not in said.text


@pytest.mark.parametrize("line", ["severtiy @@", "severity @@", "the token is @@"])
async def test_a_refusal_says_what_was_left_out_too(edge: Edge, line: str):
    said = await perform(edge, GESTURE, line.replace("@@", TOKEN))

    assert said is not None
    assert "(GitHub token). I kept nothing of it." in said.text


async def test_a_refusal_of_words_without_a_secret_says_nothing_of_one(edge: Edge):
    with pytest.raises(UnknownVerb):
        await perform(edge, GESTURE, "severtiy 2")


async def test_what_holds_no_secret_is_answered_as_ever(edge: Edge):
    said = await perform(edge, GESTURE, "event 13:00 password reset works again")

    assert said is not None
    assert "password reset works again" in said.text
    assert "left it out" not in said.text


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        ("event", {"text": "@@"}),
        ("action", {"text": "revoke it", "owner": MARA, "horizon": "quick", "second_order": "@@", "team": "@@"}),
        ("impact", {"customers": "@@", "regions": "eu, @@", "text": "@@"}),
        ("finding", {"kind": "risk", "text": "@@"}),
    ],
)
async def test_no_form_keeps_a_secret(edge: Edge, room: Room, form: str, answers: dict[str, Any]):
    memory = Memory(form=form, incident=1, channel=CHANNEL)
    filled = {name: answer.replace("@@", TOKEN) for name, answer in answers.items()}

    said = await forms._serve(edge, GESTURE, memory, filled)  # What Bolt calls is a function inside of another.

    assert said is not None
    assert "(GitHub token). I left it out" in said.text
    assert CANARY.encode() not in on_disk(room)
