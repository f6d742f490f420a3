"""Files that messages show, on both databases: wanted until they are kept or given up, gone when they are deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.keeper import keep_facts
from bot.review.heard import read_event, read_file, read_message
from bot.review.incident import TeamId
from storage import files, people
from storage.models import Erasure, Incident, Message, MessageFile, Source
from storage.session import Storage

TEAM, CHANNEL = TeamId("T0SANDBOX"), "C0INC"
SECOND = 1_763_474_400
NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
HASH, OTHER = "a" * 64, "b" * 64
URL = "https://files.slack.com/files-pri/T0SANDBOX-F0GRAPH/graph.png"
GRAPH = {"id": "F0GRAPH", "name": "graph.png", "mimetype": "image/png", "size": 12, "url_private": URL}


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Checkout is slow", opened_at=NOW)
        db.add(incident)
        db.flush()
        since = datetime.fromtimestamp(SECOND - 1, UTC)
        db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=since))
    yield storage
    storage.close()


def hear(storage: Storage, *events: dict[str, Any]) -> None:
    """All of them in one commit of the keeper."""
    with storage.keep() as db:
        keep_facts(db, TEAM, [fact for event in events for fact in read_event(event)], now=NOW)


def shown(after: int = 0, *shared: dict[str, Any]) -> dict[str, Any]:
    ts = f"{SECOND + after}.000100"
    words = {"type": "message", "subtype": "file_share", "channel": CHANNEL, "user": "U0TOMAS", "text": "look"}
    return words | {"ts": ts, "event_ts": ts, "files": list(shared or [GRAPH])}


def deleted(after: int = 0) -> dict[str, Any]:
    at, ts = f"{SECOND + after + 60}.000000", f"{SECOND + after}.000100"
    about = {"type": "message", "subtype": "message_deleted", "channel": CHANNEL, "ts": at, "event_ts": at}
    return about | {"deleted_ts": ts, "previous_message": {"ts": ts, "user": "U0TOMAS"}}


FILE_DELETED = {"type": "file_deleted", "file_id": "F0GRAPH", "event_ts": f"{SECOND + 60}.000000"}


def wanted(storage: Storage, now: datetime = NOW) -> list[str]:
    with storage.read() as db:
        return [file.file_id for file in files.wanted(db, TEAM, now=now)]


def change(storage: Storage, deed: Any, *args: Any, **more: Any) -> None:
    with storage.write() as db:
        deed(db, *args, **more)


def kept(storage: Storage, file_id: str = "F0GRAPH", sha256: str = HASH) -> None:
    change(storage, files.keep, TEAM, file_id, sha256=sha256, mimetype="image/png", size=11)


def rows(storage: Storage) -> list[tuple[Any, ...]]:
    with storage.read() as db:
        found = db.query(MessageFile).order_by(MessageFile.id)
        return [(row.name, row.url, row.mimetype, row.size, row.sha256, row.skipped) for row in found]


def to_sweep(storage: Storage) -> int:
    with storage.read() as db:
        return db.query(Erasure).filter(Erasure.swept_at.is_(None)).count()


BLANK = ("", None, "", 0, None, "deleted in Slack")


def test_a_file_is_wanted_until_it_is_kept(storage: Storage):
    hear(storage, shown())

    before = wanted(storage)
    kept(storage)

    assert before == ["F0GRAPH"]
    assert wanted(storage) == []
    assert rows(storage) == [("graph.png", URL, "image/png", 11, HASH, None)]


def test_a_file_shown_twice_is_wanted_once_and_kept_for_both(storage: Storage):
    hear(storage, shown(0), shown(10))

    before = wanted(storage)
    kept(storage)

    assert before == ["F0GRAPH"]
    assert [row[4] for row in rows(storage)] == [HASH, HASH]


def test_what_is_kept_is_not_changed_by_hearing_of_it_again(storage: Storage):
    hear(storage, shown())
    kept(storage)

    hear(storage, shown())

    assert rows(storage) == [("graph.png", URL, "image/png", 11, HASH, None)]


def test_a_picture_that_the_bot_drew_itself_is_not_fetched_back(storage: Storage):
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")

    hear(storage, shown() | {"user": "U0DEBRIEF", "bot_id": "B0DEBRIEF"})

    assert wanted(storage) == []
    assert [row[-1] for row in rows(storage)] == [files.OURS]


def test_the_oldest_is_fetched_first(storage: Storage):
    hear(storage, shown(0, GRAPH | {"id": "F3"}), shown(5, GRAPH | {"id": "F1"}, GRAPH | {"id": "F2"}))

    assert wanted(storage) == ["F3", "F1", "F2"]


def test_a_file_that_failed_rests_longer_and_longer_and_is_given_up_with_its_reason(storage: Storage):
    hear(storage, shown())
    now, seen = NOW, []

    for wait in files.WAITS:
        change(storage, files.put_off, TEAM, "F0GRAPH", now=now, why="Slack did not give it")
        seen.append((wanted(storage, now + wait - timedelta(seconds=1)), wanted(storage, now + wait)))
        now += wait
    change(storage, files.put_off, TEAM, "F0GRAPH", now=now, why="Slack did not give it")

    assert seen == [([], ["F0GRAPH"])] * len(files.WAITS)
    assert list(files.WAITS) == sorted(files.WAITS)
    assert rows(storage)[0][5] == "Slack did not give it"
    assert wanted(storage, now + timedelta(days=365)) == []


def test_a_deletion_of_the_file_leaves_nothing_of_it_wherever_it_was_shown(storage: Storage):
    hear(storage, shown(0), shown(10))
    kept(storage)

    hear(storage, FILE_DELETED)
    hear(storage, shown(0))
    kept(storage)

    assert rows(storage) == [BLANK, BLANK]
    assert wanted(storage) == []
    assert to_sweep(storage) == 1


def test_a_deletion_that_is_committed_together_with_the_message_is_not_lost(storage: Storage):
    hear(storage, FILE_DELETED, shown())

    assert rows(storage) == [BLANK]


def test_a_deletion_of_the_message_leaves_nothing_of_its_file(storage: Storage):
    hear(storage, shown(0), shown(10))
    kept(storage)

    hear(storage, deleted(0))
    hear(storage, shown(0))

    assert [row == BLANK for row in rows(storage)] == [True, False]


def test_a_file_that_arrives_for_a_message_deleted_meanwhile_is_not_kept(storage: Storage):
    hear(storage, shown())
    hear(storage, deleted())

    kept(storage)

    assert rows(storage) == [BLANK]


def test_a_content_is_held_until_the_last_message_lets_go(storage: Storage):
    hear(storage, shown(0), shown(10, GRAPH | {"id": "F0AGAIN"}))
    kept(storage)
    kept(storage, "F0AGAIN")

    def who_holds() -> set[str]:
        with storage.read() as db:
            return files.held(db, {HASH, OTHER})

    both = who_holds()
    hear(storage, deleted(0))
    one = who_holds()
    hear(storage, deleted(10))

    assert (both, one, who_holds()) == ({HASH}, {HASH}, set())


def test_a_file_of_a_shared_channel_is_known_by_its_id_until_slack_tells_more(storage: Storage):
    hear(storage, shown(0, {"id": "F0GRAPH", "mode": "file_access", "file_access": "check_file_info"}))
    told = read_file(GRAPH)
    assert told

    before = rows(storage)
    change(storage, files.learn, TEAM, told)

    assert before == [("", None, "", 0, None, None)]
    assert rows(storage) == [("graph.png", URL, "image/png", 12, None, None)]


def test_the_token_in_an_exports_address_is_not_kept():
    fact = read_message({"ts": "1.0", "files": [GRAPH | {"url_private": f"{URL}?t=xoxe-1-secret"}]}, CHANNEL)

    assert fact
    assert fact.files[0].url == URL


def test_only_this_workspaces_files_are_wanted(storage: Storage):
    hear(storage, shown())

    with storage.read() as db:
        assert files.wanted(db, "T0OTHER", now=NOW) == []
        assert db.query(Message).count() == 1
