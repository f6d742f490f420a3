"""An answer in private on the running bot: its button and form, its command, a mention of it, and how it is opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town

IN_A_FORM, TYPED = "Nobody had ever restarted all pods at once", "The graph was a day old"
SAID, IN_PUBLIC = "rolled checkout back to 41", "that the runbook was so old"
WORDS = [(IN_A_FORM, TYPED), (SAID,)]
KEPT = "Your answer is sealed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def here(folder: Path) -> Iterator[Town]:
    """The review meets tomorrow, and its pre-read is there."""
    with town(folder) as here:
        here.driver.say(RESPONDER, CHANNEL, SAID)
        here.types(LEAD, "severity sev2", "mitigated", "schedule 2026-11-19 10:00", f"invite @{OWNER} @{RESPONDER}")
        here.driver.wait_for_words(CHANNEL, "what surprised you")
        yield here
        assert here.violations() == []


def test_an_answer_is_nowhere_to_be_read_until_it_is_opened_in_the_meeting(here: Town, folder: Path):
    here.driver.press(RESPONDER, CHANNEL, "^Answer in private$")
    here.driver.fill(RESPONDER, text=IN_A_FORM, signed="none")
    hears_alone(here, RESPONDER, f"{KEPT}, without your name")
    here.types(OWNER, f"surprise {TYPED}")
    here.types(LEAD, "start")
    here.waits_for_agenda("Opening")

    before = [*folder.rglob("*"), *said_to(here)]
    sealed, public = ([one for one in before for each in words if each.encode() in content(one)] for words in WORDS)
    here.types(LEAD, "reveal")
    opened = words_of(here.driver.wait_for_words(CHANNEL, "2 answers, in no order"))

    assert sealed == []
    assert public
    assert f"> {IN_A_FORM}" in opened
    assert f"> {TYPED}" in opened
    assert opened.count("<@") == 1  # Who opened them.


def content(one: Path | str) -> bytes:
    if isinstance(one, str):
        return one.encode()
    return one.read_bytes() if one.is_file() else b""


def said_to(here: Town) -> list[str]:
    """All that anybody can read, and the review as it is exported."""
    places = [(CHANNEL, user) for user in (LEAD, OWNER, RESPONDER)] + [("dm", user) for user in (LEAD, OWNER)]
    said = [words_of(one) for place, user in places for one in here.driver.messages(place, user)]
    return [*said, here.report(), here.exported().decode()]


def test_words_said_in_public_are_no_answer_and_are_not_said_again(here: Town):
    here.driver.do("mention", user=OWNER, channel=CHANNEL, text=f"surprise {IN_PUBLIC}")

    hears_alone(here, OWNER, "Give it in private: nobody reads it before the meeting.")
    here.types(LEAD, "start")
    here.waits_for_agenda("Opening")
    answer = here.types(LEAD, "reveal")

    by_the_bot = [words_of(one) for one in here.driver.messages(CHANNEL, OWNER) if one.get("bot_id")]
    assert [words for words in by_the_bot if IN_PUBLIC in words] == []
    assert answer.startswith("There is nothing to reveal: no answer is sealed")


@pytest.mark.parametrize("said", ["Surprise: {}", "the answer to your question, the surprise, is {}"])
def test_whoever_answers_in_public_is_shown_how_to_in_private(here: Town, said: str):
    here.driver.do("mention", user=OWNER, channel=CHANNEL, text=said.format(IN_PUBLIC))
    hears_alone(here, OWNER, "Give it in private: nobody reads it before the meeting.")

    here.driver.press(OWNER, CHANNEL, "^Answer in private…$")
    here.driver.fill(OWNER, text=TYPED, signed="none")

    hears_alone(here, OWNER, KEPT)
    by_the_bot = [words_of(one) for one in here.driver.messages(CHANNEL, OWNER) if one.get("bot_id")]
    assert [words for words in by_the_bot if IN_PUBLIC in words] == []


def hears_alone(here: Town, user: str, words: str) -> None:
    """Wait until somebody is told so, and nobody else."""

    def look() -> bool:
        return any(words in words_of(one) for one in here.driver.messages(CHANNEL, user) if one.get("is_ephemeral"))

    here.driver.wait_for(look, f"“{words}” to {user}")
