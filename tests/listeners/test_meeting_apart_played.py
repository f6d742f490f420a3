"""A team meets apart on the running bot: planned by a form, in its thread, by its buttons."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import CHANNEL, LEAD, RESPONDER, Town, town

Json = dict[str, Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Over, with Jonas of the people on call in it."""
    with town(tmp_path_factory.mktemp("town")) as here:
        here.driver.say(RESPONDER, CHANNEL, "the pool is exhausted")
        here.types(LEAD, "mitigated 14:00")
        yield here
        assert here.violations() == []


def in_the_room(here: Town, words: str) -> Json:
    """What stands in the thread of the team."""
    root = here.driver.wait_for_words(CHANNEL, "On call.*by itself")["ts"]

    def look() -> Json | None:
        thread = [m for m in here.driver.messages(CHANNEL) if m.get("thread_ts") == root and m["ts"] != root]
        return next((m for m in thread if words in words_of(m)), None)

    return here.driver.wait_for(look, f"“{words}” in the thread")


def groups_known(here: Town) -> int:
    with closing(sqlite3.connect(f"file:{here.env['DEBRIEF_DATA_DIR']}/debrief.db?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM user_groups").fetchone()[0]


def test_a_form_plans_it_and_its_thread_is_where_the_team_notes(here: Town):
    when = int((here.driver.now + timedelta(hours=20)).timestamp())
    here.driver.wait_for(lambda: groups_known(here), "the groups to be read")
    here.types(LEAD, "schedule apart")
    here.driver.fill(LEAD, team="S0ONCALL", when=when)

    here.driver.wait_for_words(CHANNEL, r"On call\* speaks of .* by itself first")
    in_the_room(here, "This is the room of")

    here.driver.press(RESPONDER, CHANNEL, "^Note what we found…$")
    here.driver.fill(RESPONDER, kind="contributor", text="each pod took forty connections")
    in_the_room(here, "each pod took forty connections")

    here.driver.press(RESPONDER, CHANNEL, "^We are done$")
    here.driver.wait_for_words(CHANNEL, r"On call\* has spoken of .* and found one thing")
    assert "each pod took forty connections (found by On call)" in here.report()


def test_it_is_called_off_by_a_form_and_its_thread_reads_why(here: Town):
    when = int((here.driver.now + timedelta(hours=22)).timestamp())
    here.types(LEAD, "schedule apart")
    here.driver.fill(LEAD, team="S0ONCALL", when=when)
    planned = here.driver.wait_for_words(CHANNEL, r"On call\* speaks of .* by itself first")

    here.types(LEAD, "schedule apart off")
    here.driver.fill(LEAD, reason="they spoke at lunch")

    here.driver.wait_for_words(CHANNEL, r"(?s)does not meet by itself .*nothing is asked of you.*they spoke at lunch")
    off = here.driver.wait_for_words(CHANNEL, "that meeting is off")
    assert off["ts"] == planned["ts"]


def test_whoever_does_not_lead_the_review_gets_no_form_but_the_reason(here: Town):
    before = here.driver.get(f"views/{RESPONDER}")

    here.types(RESPONDER, "schedule apart")

    assert here.driver.get(f"views/{RESPONDER}") == before
