"""The running bot with a real calendar server: the hours it proposes are those at which nobody is busy."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.manifest import manifest
from bot.sandbox.demo import free_port
from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import environment
from tests.calendar_server import READER, READERS_PASSWORD, a_calendar_server, an_entry, from_until
from tests.reliability.town import CHANNEL, EVENING, LEAD, RESPONDER, Town

Json = dict[str, Any]
LENA, JONAS = "lena@sandbox.example", "jonas@sandbox.example"
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Lena leads, with Jonas in it; on Monday she is busy until three, and he from four, by the clock of Berlin."""
    folder = tmp_path_factory.mktemp("town")
    with a_calendar_server(folder, LENA, JONAS) as calendars, in_thread(manifest=manifest(), now=EVENING) as slack:
        for email, from_hour, until_hour in ((LENA, 6, 14), (JONAS, 15, 20)):
            times = (MONDAY + timedelta(hours=from_hour), MONDAY + timedelta(hours=until_hour))
            calendars.put(email, "long", an_entry("long", *from_until(*times), title="A secret plan"))
        env = environment(slack.api_url, folder, free_port()) | {
            "DEBRIEF_CALDAV_URL": calendars.address,
            "DEBRIEF_CALDAV_USER": READER,
            "DEBRIEF_CALDAV_PASSWORD": READERS_PASSWORD,
        }
        here = Town(Driver(slack.url), env, folder / "bot.log")
        here.start()
        try:
            yield here
        finally:
            here.stop()


def test_the_hours_of_the_proposal_are_those_at_which_nobody_is_busy(here: Town):
    here.driver.do("create", user=LEAD, name=CHANNEL)
    here.driver.wait_for_words(CHANNEL, "followed as an incident")
    here.driver.do("invite", user=LEAD, channel=CHANNEL, users=RESPONDER)
    here.types(RESPONDER, "event 15:00 the pool is exhausted")

    here.types(LEAD, "mitigated 19:00")
    here.driver.wait_for(lambda: read(here) >= 2, "both calendars to be read")
    here.driver.move_clock_to(datetime(2026, 11, 19, 8, 30, tzinfo=UTC))

    proposal = here.driver.wait_for(lambda: proposals(here), "the proposal")[-1]
    on_monday = [hour for label in labels(proposal) for hour in re.findall(r"Mon (\d\d:\d\d)", label)]
    assert on_monday == ["15:00"]
    assert "secret plan" not in here.log.read_text()


def read(here: Town) -> int:
    """How many calendars were read."""
    with closing(sqlite3.connect(f"file:{here.env['DEBRIEF_DATA_DIR']}/debrief.db?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM people WHERE calendar_read_at IS NOT NULL").fetchone()[0]


def proposals(here: Town) -> list[Json]:
    """What the lead was asked in their direct messages."""
    return [m for m in here.driver.messages("dm", LEAD) if "I suggest" in words_of(m)]


def labels(message: Json) -> list[str]:
    return [
        one["text"]["text"]
        for block in message.get("blocks") or []
        if block.get("type") == "actions"
        for one in block["elements"]
    ]
