"""The bot was away while everything fell due: it comes back with one message to each, which says that it is late.

The same is held in a moment without the running bot by tests/abilities/test_kindness.py; this is the long form.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town

pytestmark = pytest.mark.torture

ANOTHER_LEAD = "tom"
SATURDAY = datetime(2026, 11, 21, 18, 40, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 9, 35, tzinfo=UTC)
"""In the working hours of everybody here."""
A_WHILE = timedelta(hours=7)
"""So little that nobody would say the bot was away."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """On Wednesday evening it is killed, on Saturday it is started again, and now it is Monday."""
    with town(tmp_path_factory.mktemp("away")) as town_of_all:
        town_of_all.driver.do("fault", rate_limits="off")
        everything_falls_due(town_of_all)
        town_of_all.kill()
        town_of_all.driver.move_clock_to(SATURDAY)
        town_of_all.start()
        while town_of_all.driver.now < MONDAY:
            town_of_all.driver.move_clock_to(min(MONDAY, town_of_all.driver.now + A_WHILE))
            town_of_all.ticks(2)  # One of them may have begun before.
        town_of_all.driver.wait_for_words("dm", "late: I was away", ANOTHER_LEAD)
        town_of_all.settles()
        yield town_of_all
        assert town_of_all.violations() == []


def everything_falls_due(here: Town) -> None:
    """A pre-read on Thursday and a call on Friday; a proposal on Thursday; reminders on Thursday and on Friday."""
    here.types(LEAD, "severity sev2", "began 13:00", "mitigated 14:00", "schedule 2026-11-20 14:00Z")
    for due in ("2026-11-22", "2026-11-23"):
        here.types(LEAD, f"action @{RESPONDER} by {due} quick alert on stuck queues")
        here.types(LEAD, f"action @{OWNER} by {due} quick write the runbook")
    channel = here.driver.do("create", user=ANOTHER_LEAD, name="inc-8-mail")["channel"]
    here.driver.wait_for_words(channel, "followed as an incident")
    for line in ("severity sev2", "mitigated 14:00"):
        here.driver.type(ANOTHER_LEAD, channel, line)
    here.settles()


def ours(here: Town, place: str, user: str | None = None) -> list[str]:
    """What the bot said in a place since it is back."""
    bot = here.driver.get("state")["bot"]["user"]
    said = [one for one in here.driver.messages(place, user) if one.get("user") == bot]
    return [words_of(one) for one in said if float(one["ts"]) >= SATURDAY.timestamp()]


def test_each_person_gets_one_message_which_says_that_it_is_late(here: Town):
    told = {user: ours(here, "dm", user) for user in (LEAD, OWNER, RESPONDER, ANOTHER_LEAD)}

    assert {user: len(texts) for user, texts in told.items()} == {LEAD: 0, OWNER: 1, RESPONDER: 1, ANOTHER_LEAD: 1}
    assert [" late: I was away" in text for user in (OWNER, RESPONDER, ANOTHER_LEAD) for text in told[user]] == [
        True
    ] * 3


def test_nobody_is_called_to_a_meeting_that_is_over_but_asked_whether_it_took_place(here: Town):
    (asked,) = ours(here, CHANNEL)

    assert "did you meet without me?" in asked
