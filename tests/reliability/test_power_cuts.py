"""kill -9 while a review is under way: what was answered is there once, and the agenda stays one message."""

import random
from pathlib import Path

import pytest

from bot.sandbox.driver import Stuck
from tests.reliability.town import CHANNEL, LEAD, OWNER, Town, town

THOUGHTS = [f"thought {letter}" for letter in "abcdefghijklmnopqrst"]


def _meeting(here: Town) -> None:
    here.types(LEAD, "severity sev2", "began 13:00", "event 13:10 the alert came in", "event 13:20 rolled back")
    here.types(LEAD, "mitigated 14:00", "schedule fri 10:00", f"facilitator @{LEAD}", "start")
    here.waits_for_agenda("1 of 6")


def test_a_meeting_goes_on_after_a_power_cut_with_nothing_lost_or_doubled(tmp_path: Path):
    with town(tmp_path) as here:
        _meeting(here)
        here.types(OWNER, "risk one of us knows the tool")
        here.types(LEAD, "next")
        here.kill()
        here.start()
        here.waits_for_agenda("2 of 6")
        here.types(LEAD, "go findings")
        here.kill()
        said = here.driver.say(OWNER, CHANNEL, "said while nobody listened")
        here.start()
        here.types(OWNER, "risk nobody watches the queue", f"action @{OWNER} quick write the runbook")
        here.types(LEAD, "go actions")
        here.waits_for_agenda("5 of 6")
        here.types(LEAD, "end")
        here.waits_for_agenda("has ended")
        review = here.review()

        assert len(here.agendas()) == 1
        assert [found["text"] for found in review["findings"]] == [
            "one of us knows the tool", "nobody watches the queue"
        ]  # fmt: skip
        assert [action["number"] for action in review["actions"]] == [1]
        assert len(review["review"]["meetings"]) == 1
        assert said
        assert here.violations() == []


@pytest.mark.torture
def test_twenty_power_cuts_at_random_moments_lose_and_double_nothing(tmp_path: Path):
    dice = random.Random(7)
    with town(tmp_path) as here:
        _meeting(here)
        answered = [thought for thought in THOUGHTS if _noted(here, thought, dice)]
        here.types(LEAD, "end")
        here.waits_for_agenda("has ended")
        texts = [found["text"] for found in here.review()["findings"]]

        assert len(texts) == len(set(texts))
        assert set(answered) <= set(texts)
        assert len(here.agendas()) == 1


def _noted(here: Town, thought: str, dice: random.Random) -> bool:
    """Note a thought, move on and cut the power somewhere in it; whether the note was answered."""
    answer = ""
    try:
        answer = here.types(OWNER, f"risk {thought}")
        if dice.random() < 0.5:
            here.types(LEAD, dice.choice(["next", "back", "go findings"]))
    except Stuck:
        pass
    here.kill()
    here.start()
    return "Noted" in answer
