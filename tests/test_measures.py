"""What Prometheus is told: true figures of what stands, and never a word or an id of anybody."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.measures import DELIVERIES, Measures, Process, Standing
from storage import outbox, pauses
from storage.models import OutboxNote
from storage.session import Storage
from tests.canary import a_canary
from tests.cast import CHANNEL, NOVEMBER_18, TEAM, a_room, an_incident

LINE = re.compile(r"(\w+)(?:\{([^}]*)\})? (\S+)")
LABELS = {"why", "outcome", "door", "method", "le", "version", "implementation", "major", "minor", "patchlevel"}


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


def after(seconds: float) -> datetime:
    return NOVEMBER_18 + timedelta(seconds=seconds)


def measures_of(storage: Storage, *, silent_s: float = 3.0, sockets: int = 2) -> Measures:
    measures = Measures()
    process = Process(silent_s=silent_s, deaf_s=7.0, tick_age_s=1.5, ticks=4, sockets=sockets, stopping=False)
    measures.registry.register(Standing(storage, TEAM, now=lambda: NOVEMBER_18, process=lambda: process))
    return measures


def told(measures: Measures) -> dict[str, float]:
    """By name and labels: `debrief_outbox_notes why="due"`."""
    lines = [LINE.fullmatch(line) for line in measures.page().decode().splitlines() if not line.startswith("#")]
    return {" ".join(filter(None, line.groups()[:2])): float(line[3]) for line in lines if line}


def a_note(storage: Storage, key: str, **more: object) -> None:
    with storage.write() as db:
        outbox.say_once(db, TEAM, outbox.Words(key=key, channel=CHANNEL, text=key, at=after(-600)))
        note = outbox.find(db, TEAM, key)
        assert isinstance(note, OutboxNote)
        for name, value in more.items():
            setattr(note, name, value)


def test_the_outbox_is_told_by_why_its_notes_wait_and_how_old_the_oldest_is(storage: Storage):
    a_note(storage, "due")
    a_note(storage, "due, too", not_before=after(-60))
    a_note(storage, "later", not_before=after(60))
    a_note(storage, "told to wait", not_before=after(30), error="ratelimited")
    a_note(storage, "sending", state="sending", attempted_at=after(-5))
    a_note(storage, "uncertain", state="sending", error="unknown", attempted_at=after(-40), not_before=after(20))
    a_note(storage, "dead", state="dead", error="is_archived", attempted_at=after(-500))
    a_note(storage, "sent", state="sent")

    found = told(measures_of(storage))

    notes = {name.split('"')[1]: value for name, value in found.items() if name.startswith("debrief_outbox_notes")}
    ages = {name.split('"')[1]: value for name, value in found.items() if name.startswith("debrief_outbox_oldest")}
    assert notes == {"due": 2, "later": 1, "told_to_wait": 1, "sending": 1, "uncertain": 1, "dead": 1}
    assert ages == {"due": 600, "later": 0, "told_to_wait": 600, "sending": 5, "uncertain": 40, "dead": 500}


def test_what_slack_asked_to_wait_is_told_by_method(storage: Storage):
    with storage.write() as db:
        pauses.hold(db, TEAM, "chat.postMessage", until=after(30))
        pauses.hold(db, TEAM, "chat.update", until=after(-1))

    found = told(measures_of(storage))

    assert {name: value for name, value in found.items() if "pause" in name} == {
        'debrief_slack_pause_seconds method="chat.postMessage"': 30
    }


def test_the_process_tells_when_it_heard_slack_and_when_its_clock_ticked(storage: Storage):
    found = told(measures_of(storage, silent_s=12.5, sockets=1))

    assert found["debrief_slack_silent_seconds"] == 12.5
    assert found["debrief_slack_deaf_seconds"] == 7
    assert (found["debrief_clock_tick_age_seconds"], found["debrief_clock_ticks_total"]) == (1.5, 4)
    assert (found["debrief_sockets"], found["debrief_stopping"], found["debrief_database_up"]) == (1, 0, 1)


def test_history_lags_by_the_busy_place_that_was_read_longest_ago(tmp_path: Path, sqlite_url: str):
    room = a_room(tmp_path, sqlite_url)
    an_incident(room)
    with room.storage.write() as db:
        db.execute(text("UPDATE sources SET fetched_at = '2026-11-18 13:50:00.000000'"))

    found = told(measures_of(room.storage))

    assert found["debrief_history_lag_seconds"] == 600


def test_answers_and_outcomes_are_counted_from_nothing_on(storage: Storage):
    measures = measures_of(storage)
    before = told(measures)

    measures.acked("http", 0.02)
    measures.acked("socket", 4.0)
    measures.delivered("said")
    measures.delivered("said")
    found = told(measures)

    assert {before[f'debrief_deliveries_total outcome="{outcome}"'] for outcome in DELIVERIES} == {0}
    assert found['debrief_deliveries_total outcome="said"'] == 2
    assert found['debrief_ack_seconds_bucket door="http",le="0.025"'] == 1
    assert found['debrief_ack_seconds_bucket door="socket",le="3.0"'] == 0
    assert found['debrief_ack_seconds_count door="socket"'] == 1


def test_a_database_that_does_not_answer_is_a_figure_too(storage: Storage):
    with storage.write() as db:
        db.execute(text("DROP TABLE pauses"))

    found = told(measures_of(storage))

    assert found["debrief_database_up"] == 0
    assert "debrief_clock_tick_age_seconds" in found


def test_no_figure_names_anybody_or_says_anything(tmp_path: Path, sqlite_url: str):
    room, canary = a_room(tmp_path, sqlite_url), a_canary()
    an_incident(room, title=canary)
    a_note(room.storage, canary, state="dead", error=canary)
    a_note(room.storage, "waits", text=canary)
    measures = measures_of(room.storage)

    page = measures.page().decode()

    labels = {name for line in page.splitlines() if not line.startswith("#") for name in re.findall(r'(\w+)="', line)}
    assert labels <= LABELS
    assert not re.search(r"\b[UWCDGT]0\w+", page)
    assert canary not in page
