"""One whole review on the running bot, and the JSON of it that other programs rely on."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.troupe import debrief
from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Town, town

MOMENTS = ("began", "detected", "acknowledged", "mitigated", "resolved")
SHAPE: Any = {
    "schema": 1,
    "incident": {
        "id": 1, "team_id": "", "title": "", "severity": "", "lead": "", "private": False,
        "sources": [{"channel_id": "", "channel_name": "", "thread_ts": None, "from": "", "to": None}],
        "moments": {name: {"at": "", "by": "", "how": ""} for name in MOMENTS},
        "durations": {"ttd_s": 0, "tta_s": 0, "ttm_s": 0, "ttr_s": 0}, "impact": {}, "summary": "",
    },
    "messages": [{
        "channel_id": "", "ts": "", "thread_ts": None, "user": "", "bot": None, "subtype": None, "text": "",
        "plain": "",
        "edited_at": None, "versions": [], "deleted_at": None, "missing_since": None, "reactions": {},
        "redactions": [], "files": [], "permalink": "",
    }],
    "timeline": [{
        "number": 1, "kind": "", "outcome": "", "occurred_at": "", "recorded_at": "", "text": "", "by": "",
        "source": "",
        "message": None, "permalink": None, "question": None, "answer": None, "comments": [], "history": [],
    }],
    "review": {
        "stage": "", "facilitator": "", "scribe": None, "owner": None,
        "meetings": [{
            "number": 1, "meets_at": "", "minutes": 1, "place": "",
            "attendees": [{"user": "", "core": True, "present": True}],
            "recording": None, "topics": [{"name": "", "planned_s": 1, "spent_s": 1}], "notes": [], "parked": [],
            "scheduled_at": "", "opened_at": "", "ended_at": "",
        }],
        "pre_read_sent_at": None, "drafted_at": "", "approved_at": "", "published_at": "", "closed_at": "",
        "cancelled_at": None, "reason": None,
    },
    "findings": [{"number": 1, "kind": "", "sort": None, "text": "", "by": "", "at": "", "event": None}],
    "actions": [{
        "number": 1, "text": "", "owner": "", "due": "", "state": "", "horizon": "", "category": None, "priority": None,
        "team": None, "answers": None, "second_order": None,
        "evidence": {"deployed": None, "tested": None, "documented": None}, "verified_by": None, "reason": None,
        "message": None, "history": [],
    }],
}  # fmt: skip
"""Every key of the contract, in its order; an empty object or list is looked at by the test itself."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with town(tmp_path_factory.mktemp("town")) as here:
        _play(here)
        yield here


def _play(here: Town) -> None:
    said = here.driver.say(RESPONDER, CHANNEL, "rolled back checkout to 41")
    here.driver.do("react", user=LEAD, channel=CHANNEL, ts=said, emoji="pushpin")
    here.types(
        LEAD, "severity sev2", "began 13:00", "detected 13:05", "acknowledged 13:20", "event 13:30 a note", "drop 1"
    )
    here.types(LEAD, "event 13:10 the alert came in", "comment 3 it was late", "mitigated 14:00", "resolved 15:00")
    here.types(
        LEAD, "summary Checkout was slow.", "schedule fri 10:00", f"facilitator @{LEAD}", "start", "next", "go findings"
    )
    here.types(OWNER, "contributor technical: no load test", "risk one of us knows the tool")
    here.types(OWNER, f"action @{OWNER} quick write the runbook")
    here.types(LEAD, "end", "draft", "approve", "publish", "close")
    here.driver.wait_for(lambda: here.review()["review"]["closed_at"], "the review to be closed")


def test_every_key_of_the_contract_is_there_in_its_order_and_no_other(played: Town):
    _compare(SHAPE, played.review(), "review")


def _compare(shape: Any, found: Any, where: str) -> None:
    if isinstance(shape, dict) and shape:
        assert isinstance(found, dict), where
        assert list(found) == list(shape), where
        for key, inner in shape.items():
            _compare(inner, found[key], f"{where}.{key}")
    elif isinstance(shape, list) and shape:
        assert found, where
        for item in found:
            _compare(shape[0], item, f"{where}[]")


def test_the_same_database_gives_the_same_bytes_twice(played: Town):
    assert played.exported() == played.exported()


def test_durations_are_counted_between_the_moments(played: Town):
    durations = played.review()["incident"]["durations"]

    assert durations == {"ttd_s": 300, "tta_s": 900, "ttm_s": 3600, "ttr_s": 7200}


def test_numbers_grow_are_never_given_again_and_the_timeline_is_in_order_of_time(played: Town):
    review = played.review()
    timeline = review["timeline"]

    assert sorted(event["number"] for event in timeline) == [2, 3]
    assert all(one["occurred_at"] <= other["occurred_at"] for one, other in pairwise(timeline))
    assert [finding["number"] for finding in review["findings"]] == [1, 2]


def test_every_time_is_in_utc(played: Town):
    times = [value for name, value in _leaves(played.review()) if name.endswith("_at") or name in {"at", "from", "to"}]

    assert [value for value in times if value and not str(value).endswith("Z")] == []


def _leaves(value: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() if name != "history" for leaf in _leaves(inner, key)]
    if isinstance(value, list):
        return [leaf for inner in value if name != "history" for leaf in _leaves(inner, name)]
    return [(name, value)]


def test_its_json_is_restored_elsewhere_to_the_byte(played: Town, tmp_path: Path):
    file, elsewhere = tmp_path / "review.json", played.env | {"DEBRIEF_DATA_DIR": str(tmp_path)}
    file.write_bytes(played.exported())

    subprocess.run(debrief("import", str(file)), env=elsewhere, capture_output=True, check=True)

    again = subprocess.run(
        debrief("export", CHANNEL, "--format", "json"), env=elsewhere, capture_output=True, check=True
    )
    assert again.stdout == file.read_bytes()


def test_slack_refused_nothing_of_it_and_no_word_is_in_the_log(played: Town):
    log = played.log.read_text()

    assert played.violations() == []
    assert "runbook" not in log
    assert "rolled back checkout" not in log
    assert [line for line in log.splitlines() if json.loads(line)["level"] == "error"] == []
