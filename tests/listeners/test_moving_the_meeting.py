"""The meeting's hour on the running bot: chosen in a form, moved and called off with a reason, each told once."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, Town, town_after_it

FRIDAY_NOON = int(datetime(2026, 11, 27, 12, 0, tzinfo=UTC).timestamp())


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_after_it(tmp_path_factory.mktemp("town"), "sev2") as here:
        yield here


def test_the_lead_chooses_another_time_moves_it_and_calls_it_off(here: Town):
    here.types(LEAD, "schedule")
    here.driver.press(LEAD, CHANNEL, "^Other times$")
    here.driver.fill(LEAD, offer=first_option(here))
    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* meets on")

    here.types(LEAD, "schedule")
    here.driver.press(LEAD, CHANNEL, "^Move it$")
    opened(here)
    here.driver.fill(LEAD, when=FRIDAY_NOON, reason="The vendor is back then.")
    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* moves from .*The vendor is back then")

    here.types(LEAD, "schedule")
    here.driver.press(LEAD, CHANNEL, "^Call it off$")
    opened(here)
    here.driver.fill(LEAD, reason="Half of us are ill.")
    here.driver.wait_for_words(CHANNEL, "(?s)does not take place then.*Half of us are ill")

    assert here.review()["review"]["stage"] == "mitigated"
    assert told(here, "The vendor is back then") == told(here, "Half of us are ill") == 1


def opened(here: Town) -> list[dict[str, Any]]:
    """The blocks of the form that is open, once it is."""
    views: list[dict[str, Any]] = here.driver.wait_for(lambda: here.driver.get(f"views/{LEAD}")["views"], "the form")
    return views[-1]["blocks"]


def asked(here: Town, name: str) -> dict[str, Any]:
    """A field of it."""
    return next(block for block in opened(here) if block.get("block_id") == name)["element"]


def first_option(here: Town) -> str:
    """What the first hour in its menu stands for."""
    return asked(here, "offer")["options"][0]["value"]


def told(here: Town, words: str) -> int:
    """How many messages in the channel hold these words."""
    return sum(words in words_of(message) for message in here.driver.messages(CHANNEL))


def test_a_button_of_the_old_proposal_leads_to_the_form_with_its_hour_and_the_reason_is_told_with_the_move(here: Town):
    here.types(LEAD, "schedule")
    _, old = here.driver.find_button(LEAD, CHANNEL, r"^\w{3} .*\d\d:\d\d$")
    here.types(LEAD, "schedule 2026-11-26 10:00Z")
    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* meets on")

    here.driver.press(LEAD, CHANNEL, f"^{old['text']['text']}$")
    here.driver.press(LEAD, CHANNEL, "^Move it there$")
    here.driver.fill(LEAD, when=hour_filled_in(here), reason="The vendor is back then.")

    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* moves from .*The vendor is back then")
    assert moves(here) == 1


def test_a_reason_given_afterwards_comes_into_the_message_that_told_the_move(here: Town):
    here.types(LEAD, "schedule 2026-11-26 10:00Z")
    answer = here.types(LEAD, "schedule 2026-11-27 10:00Z")
    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* moves from")

    here.driver.press(LEAD, CHANNEL, "^Say why$")
    opened(here)
    here.driver.fill(LEAD, reason="The vendor is back then.")

    assert answer.startswith("Moved to ")
    here.driver.wait_for_words(CHANNEL, "(?s)The review of .* moves from .*The vendor is back then")
    assert moves(here) == 1


def test_a_meeting_takes_the_place_of_the_threads_and_their_overview_says_so(here: Town):
    here.types(LEAD, "schedule async")
    here.driver.wait_for_words(CHANNEL, "happens here, in threads")

    asked = here.types(LEAD, "schedule 2026-11-27 10:00Z because some things are better said than written")
    here.driver.press(LEAD, CHANNEL, "^Meet then instead$")

    assert "nothing is booked yet" in asked
    here.driver.wait_for_words(CHANNEL, "some things are better said than written")
    here.driver.wait_for_words(CHANNEL, "goes on in a meeting")
    assert told(here, "happens here, in threads") == 0


def hour_filled_in(here: Town) -> int:
    return asked(here, "when")["initial_date_time"]


def moves(here: Town) -> int:
    return told(here, " moves from ")
