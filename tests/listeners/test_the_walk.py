"""The walk on the running bot: the dialogue of S1, word for word, and everything else that can be done at a stop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import environment
from tests.reliability.town import CHANNEL, Town

LATER_THAT_MORNING = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
FACILITATOR, SARA = "finn", "sara"
PEOPLE = [{"name": FACILITATOR, "real_name": "Finn Aalto"}, {"name": SARA, "real_name": "Sara Blom"}]
RESTART = "Sara restarted the Auth service by deleting the Kubernetes pods"
ANSWER = "We had an incident the week before, and deleting the pods ended that one as well"


@contextmanager
def a_morning(folder: Path) -> Iterator[Town]:
    """Finn leads the review of an incident in which Sara restarted something at 9:05."""
    seed = folder / "people.json"
    seed.write_text(json.dumps({"users": PEOPLE, "channels": [{"name": "general"}]}))
    with in_thread(port=0, manifest=manifest(), now=LATER_THAT_MORNING, seed=seed) as slack:
        here = Town(Driver(slack.url), environment(slack.api_url, folder, free_port()), folder / "bot.log")
        here.start()
        try:
            here.driver.do("create", user=FACILITATOR, name=CHANNEL)
            here.driver.wait_for_words(CHANNEL, "followed as an incident")
            here.driver.do("invite", user=FACILITATOR, channel=CHANNEL, users=SARA)
            yield here
        finally:
            here.stop()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with a_morning(tmp_path_factory.mktemp("morning")) as here:
        here.types(SARA, "detected 9:00")
        here.types(FACILITATOR, f"event 9:05 {RESTART}", "event 9:40 Decided to page the network team")
        here.types(FACILITATOR, "mitigated 9:10", "start", "go timeline")
        here.waits_for_agenda("Stop 1 of 2")
        yield here
        assert here.violations() == []


def at(here: Town, number: int) -> dict[str, Any]:
    return next(event for event in here.review()["timeline"] if event["number"] == number)


def presses(here: Town, user: str, label: str, **answers: Any) -> None:
    """Press a button at the stop, and fill the form it opens."""
    here.driver.press(user, CHANNEL, label)
    if answers:
        here.driver.fill(user, **answers)


def what_was_missing(here: Town) -> dict[str, Any]:
    """Event 3, added from the stop at which the walk is, unless a test before did."""

    def third() -> dict[str, Any] | None:
        return next((event for event in here.review()["timeline"] if event["number"] == 3), None)

    if not third():
        here.driver.press(SARA, CHANNEL, "^Add what is missing…$")
        here.driver.fill(SARA, text="Support had called twice by then")
    return here.driver.wait_for(third, "the event")


def test_sara_is_asked_how_she_knew_and_her_answer_is_kept_and_reported(here: Town):
    here.waits_for_agenda(rf"09:05(?s:.)*> {RESTART}(?s:.)*<@U0SARA>, how could you tell what this would do\?")

    presses(here, SARA, "^Answer…$", text=ANSWER)

    here.waits_for_agenda(f"Noted so far:\n> {ANSWER}")
    event = at(here, 1)
    assert (event["kind"], event["occurred_at"], event["text"]) == ("action_taken", "2026-11-20T09:05:00Z", RESTART)
    assert (event["question"], event["answer"]) == ("How could you tell what this would do?", ANSWER)
    assert ANSWER in here.report()


def test_it_worked_is_said_with_one_press(here: Town):
    presses(here, SARA, "^It helped$")

    here.waits_for_agenda("action taken · helped")
    assert at(here, 1)["outcome"] == "helped"


def test_another_question_is_one_press_away(here: Town):
    presses(here, FACILITATOR, "^Another question$")

    here.waits_for_agenda("<@U0SARA>, what did you expect this to do, and what told you whether it did")


def test_what_was_missing_is_added_from_the_stop_with_its_time_filled_in(here: Town):
    added = what_was_missing(here)

    assert (added["text"], added["occurred_at"]) == ("Support had called twice by then", "2026-11-20T09:05:00Z")


def test_an_event_is_corrected_from_the_stop(here: Town):
    presses(here, SARA, "^Correct…$", kind="mitigation")

    here.waits_for_agenda(r"event 1 · .*09:05 UTC> · mitigation")
    assert at(here, 1)["text"] == RESTART


def test_a_comment_stands_at_the_stop(here: Town):
    presses(here, FACILITATOR, "^Comment…$", text="The dashboard was two minutes behind")

    here.waits_for_agenda("<@U0FINN>: The dashboard was two minutes behind")


def test_stops_are_chosen_in_a_form_and_what_was_left_out_can_be_visited(here: Town):
    what_was_missing(here)
    here.driver.type(FACILITATOR, CHANNEL, "stops")
    here.driver.fill(FACILITATOR, stops=["1", "3"])
    here.driver.wait_for_words(CHANNEL, "(?s)1 decision is not among them: 2", FACILITATOR)

    here.waits_for_agenda("1 decision is not among the stops: 2")
    presses(here, FACILITATOR, "^Visit 2$")

    here.waits_for_agenda("Stop 3 of 3(?s:.)*Decided to page the network team")
