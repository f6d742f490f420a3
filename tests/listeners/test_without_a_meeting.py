"""A light review and one in threads on the running bot: their buttons, their forms, their threads, the deadline."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town_after_it

Json = dict[str, Any]


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_after_it(tmp_path_factory.mktemp("town"), "sev3") as here:
        yield here


def test_the_lead_is_led_through_a_light_review_from_a_button_to_the_draft(here: Town):
    here.types(LEAD, "policy")
    here.driver.press(LEAD, CHANNEL, "^Lead me through it$")
    step(here, "1 of 8 · Summary and impact")
    here.driver.press(LEAD, "dm", "^Write them$")
    here.driver.fill(LEAD, happened="Checkout crawled.", felt="Buyers waited.", fixed="Going back to 41.")
    step(here, "Checkout crawled.")
    for label in ("2 of 8 · Timeline", "3 of 8 · Contributors"):
        here.driver.press(LEAD, "dm", "^Next$")
        step(here, label)
    here.driver.press(LEAD, "dm", "^Note one$")
    here.driver.fill(LEAD, kind="contributor", text="a retry without a limit")
    step(here, "1 · a retry without a limit")
    here.driver.press(LEAD, "dm", "^Stop for now$")
    step(here, "waits. at step 3 of 8")
    here.driver.pass_time(3 * 86400)
    here.driver.press(LEAD, "dm", "^Go on$")
    step(here, "3 of 8 · Contributors")
    for number in range(4, 9):
        here.driver.press(LEAD, "dm", "^Next$")
        step(here, f"{number} of 8")
    here.driver.press(LEAD, "dm", "^Close it$")
    step(here, "is done. It counts as held|is done.. It counts as held")
    here.driver.press(LEAD, "dm", "^Write the draft$")

    here.driver.wait_for(lambda: here.review()["review"]["stage"] == "drafted", "the draft")
    assert "a retry without a limit" in here.report()


def test_who_says_in_public_what_surprised_them_hears_that_this_review_asks_for_it_in_the_open(here: Town):
    here.driver.do("mention", user=OWNER, channel=CHANNEL, text="surprise the graph was a day old")

    def is_told() -> bool:
        told = [words_of(one) for one in here.driver.messages(CHANNEL, OWNER) if one.get("is_ephemeral")]
        return any("so nobody is asked anything in private" in words for words in told)

    here.driver.wait_for(is_told, "where such words are welcome")


def step(here: Town, pattern: str) -> None:
    """Wait for what the newest message of the light review says."""
    here.driver.wait_for_words("dm", f"(?s)The light review of.*{pattern}", LEAD)


def test_the_questions_are_answered_in_threads_until_the_deadline(here: Town):
    here.types(LEAD, "schedule async")
    root = thread(here, "Contributors and mitigators")
    here.driver.press(OWNER, CHANNEL, "^Note a contributor$")
    here.driver.fill(OWNER, kind="contributor", text="a retry without a limit")
    thread(here, "Contributors and mitigators.*1 · _contributor_ · a retry without a limit")
    here.driver.do(
        "mention", user=RESPONDER, channel=CHANNEL, thread_ts=root["ts"], text="mitigator luck: a quiet hour"
    )
    thread(here, "Contributors and mitigators.*2 · _mitigator_, luck · a quiet hour")

    said = thread(here, "Risks, learnings and open questions")
    here.driver.say(RESPONDER, CHANNEL, "the replica lags by minutes", thread_ts=said["ts"])
    field = here.driver.wait_for(lambda: offered(here), "the reply to be offered")
    here.driver.fill(OWNER, **{field: "learning"})
    thread(here, "Risks, learnings and open questions.*3 · _learning_ · the replica lags by minutes")

    here.driver.pass_time(6 * 86400)

    here.driver.wait_for_words(CHANNEL, r"(?s)in threads has ended.*3 · Contributors and mitigators: 2 noted")
    here.driver.pass_time(31 * 60)
    here.driver.wait_for(lambda: here.review()["review"]["stage"] == "drafted", "the draft")
    (meeting,) = here.review()["review"]["meetings"]
    assert len([one for one in meeting["attendees"] if one["present"]]) == 2


def offered(here: Town) -> str | None:
    """The field of the only reply in the form that the newest button opens."""
    here.driver.press(OWNER, CHANNEL, "^Keep from the replies$")
    views = here.driver.wait_for(lambda: here.driver.get(f"views/{OWNER}")["views"], "the form")
    return next((block["block_id"] for block in views[-1]["blocks"] if block["type"] == "input"), None)


def thread(here: Town, pattern: str) -> Json:
    return here.driver.wait_for_words(CHANNEL, f"(?s)^.?\\d of 5 · {pattern}")


def test_what_is_said_in_a_thread_keeps_it_from_being_called_to_mind(here: Town):
    here.types(LEAD, "schedule async")
    root = thread(here, "Contributors and mitigators")
    here.driver.say(RESPONDER, CHANNEL, "the pods were restarted first", thread_ts=root["ts"])
    thread(here, "Actions")

    here.driver.pass_time(40 * 3600)

    nudges = here.driver.wait_for(lambda: nudged(here), "the threads to be called to mind")
    assert root["ts"] not in nudges
    assert len(nudges) >= 1


def nudged(here: Town) -> list[str]:
    said = [one for one in here.driver.messages(CHANNEL) if "Half of the time is over" in words_of(one)]
    return [one["thread_ts"] for one in said]
