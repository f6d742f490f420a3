"""The real bot, and what it was never told: dropped by Slack, said while it was dead, or to sockets that were deaf."""

import random
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import formats
from storage.models import Incident
from storage.session import Storage
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Json, Town, town

WITHIN_S = 600
"""Ten minutes of the sandbox's clock."""


def test_what_slack_silently_drops_is_here_within_ten_minutes(tmp_path: Path):
    with town(tmp_path) as here:
        drop(here, rate=0.3)

        people_talk(here, lines=24)
        dropped = lost(here)
        here.driver.pass_time(WITHIN_S)

        assert dropped
        waits_for_everything(here)


@pytest.mark.torture
def test_what_slack_silently_drops_of_a_long_evening_is_here_within_ten_minutes(tmp_path: Path):
    with town(tmp_path) as here:
        drop(here, rate=0.3)

        for _ in range(4):
            people_talk(here, lines=60)
            assert seconds_until_everything_is_here(here) <= WITHIN_S


def test_without_history_what_slack_dropped_stays_away(tmp_path: Path):
    """The twin: history cannot be read."""
    with town(tmp_path) as here:
        here.driver.do("fault", method="conversations.history", kind="5xx_before", rate=1)
        drop(here, rate=0.3)

        people_talk(here, lines=24)
        here.driver.pass_time(WITHIN_S)
        here.settles()

        assert lost(here)


def test_what_was_said_while_the_bot_was_dead_is_fetched_and_told_in_the_report(tmp_path: Path):
    with town(tmp_path) as here:
        people_talk(here, lines=10)
        here.kill()
        people_talk(here, lines=17)
        here.driver.pass_time(3600)

        here.start()

        waits_for_everything(here)
        here.driver.wait_for(lambda: "fetched later" in here.report(), "the report to tell of it")


def test_what_was_said_while_the_sockets_were_deaf_is_fetched_when_they_connect_anew(tmp_path: Path):
    with town(tmp_path) as here:
        drop(here, rate=1.0)
        people_talk(here, lines=10)
        here.driver.pass_time(90)
        here.driver.do("fault", clear=True)

        here.driver.do("fault", socket="disconnect")

        waits_for_everything(here)


def test_a_draft_is_compared_with_slack_first_or_says_that_it_could_not_be(tmp_path: Path):
    with town(tmp_path) as here:
        drop(here, rate=1.0)
        people_talk(here, lines=9)
        here.driver.pass_time(90)
        here.driver.do("fault", clear=True)

        compared = here.types(LEAD, "mitigated", "held", "draft")
        unheard = lost(here)
        here.driver.do("fault", method="conversations.history", kind="5xx_before", rate=1)
        alone = here.types(LEAD, "draft")

        assert unheard == set()
        assert "is written" in compared
        assert "did not let me compare" not in compared
        assert "did not let me compare" in alone


# What is said, and what of it is kept ---------------------------------------------------------


def drop(here: Town, *, rate: float) -> None:
    types = ["message", "reaction_added", "reaction_removed"]
    here.driver.do("fault", events="drop", rate=rate, types=types)


def people_talk(here: Town, *, lines: int) -> None:
    """Lines and replies, some with a pin, and some of these pins taken away again."""
    dice, said = random.Random(lines), list[str]()
    for number in range(lines):
        thread = {"thread_ts": dice.choice(said)} if said and dice.random() < 0.5 else {}
        user = dice.choice([LEAD, OWNER, RESPONDER])
        ts = here.driver.say(user, CHANNEL, f"line {number} of {lines}", **thread)
        said += [] if thread else [ts]
        if number % 3 == 0:
            here.driver.do("react", user=LEAD, channel=CHANNEL, ts=ts, emoji="pushpin")
        if number % 9 == 0:
            here.driver.do("unreact", user=LEAD, channel=CHANNEL, ts=ts, emoji="pushpin")


def waits_for_everything(here: Town) -> None:
    here.driver.wait_for(lambda: not lost(here), "everything to be in the archive and on the timeline", within_s=100)


def seconds_until_everything_is_here(here: Town) -> float:
    """By the sandbox's clock, which is hurried; ten minutes and a bit at most."""
    began = here.driver.now
    here.driver.pass_time(WITHIN_S * 0.8)
    while lost(here) and (here.driver.now - began).total_seconds() <= WITHIN_S:
        here.driver.pass_time(1)
        time.sleep(0.3)
    return (here.driver.now - began).total_seconds()


def lost(here: Town) -> set[tuple[str, str]]:
    """What the review does not say as Slack shows it: messages by their words, pins by what they made of them."""
    review = as_kept(here)
    kept = {(one["ts"], one["text"]) for one in review["messages"]}
    told = {(event["message"]["ts"], "pinned") for event in review["timeline"] if event["message"]}
    shown = [one for one in here.driver.messages(CHANNEL) if one.get("text", "").startswith("line ")]
    said = {(one["ts"], one["text"]) for one in shown}
    pinned = {(one["ts"], "pinned") for one in shown if is_pinned(one)}
    return (said - kept) | (pinned ^ told)


def as_kept(here: Town) -> Json:
    """The review as the database has it now; the bot goes on writing."""
    storage = Storage(f"sqlite:///{here.env['DEBRIEF_DATA_DIR']}/debrief.db")
    try:
        with storage.read() as db:
            incident = db.scalars(select(Incident)).one()
            return formats.document(db, incident.team_id, incident.id)
    finally:
        storage.close()


def is_pinned(message: Json) -> bool:
    return any(reaction["name"] == "pushpin" for reaction in message.get("reactions", []))
