from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.review.incident import ChannelId
from storage import search
from storage.models import Action, Finding, Membership, Message, TimelineEvent
from tests.cast import MARA, OUTSIDER, TEAM, TOMAS, Room, a_message, a_room, an_incident

SECRET_CHANNEL = ChannelId("C0SECRET")


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def found(room: Room, words: str, *, by: str = MARA) -> list[tuple[str, str]]:
    return [(hit.sort, hit.text) for hit in room.ask(search.find, TEAM, by, words)]


def test_words_are_found_wherever_they_stand(room: Room):
    incident = an_incident(room, title="Disk full on db1")
    a_message(room, "the DISK is at 100%", by=TOMAS)
    room.change(lambda db: db.add_all(everywhere(room, incident)))

    assert found(room, "disk") == [
        ("title", "Disk full on db1"),
        ("finding", "nobody watched the disk"),
        ("action", "alert at 80 % of the disk"),
        ("event", "disk alert fired"),
        ("message", "the DISK is at 100%"),
    ]


def everywhere(room: Room, incident: int) -> list[Finding | Action | TimelineEvent]:
    return [
        Finding(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            kind="contributor",
            text="nobody watched the disk",
            by=MARA,
            at=room.now,
        ),
        Action(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            text="alert at 80 % of the disk",
            owner=MARA,
            proposed_at=room.now,
        ),
        TimelineEvent(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            kind="detection",
            occurred_at=room.now,
            recorded_at=room.now,
            text="disk alert fired",
            source="typed",
        ),
    ]


@pytest.mark.parametrize("words", ["%", "_", "100%", "\\"])
def test_a_wildcard_that_was_typed_means_itself(room: Room, words: str):
    an_incident(room)
    a_message(room, "nothing to see")
    room.pass_time(seconds=1)
    a_message(room, "100% of a_b\\c")

    assert found(room, words) == [("message", "100% of a_b\\c")]


@pytest.mark.parametrize("words", ["ärger", "ÄRGER", "Ärger mit dem straßen", "ΣΦΆΛΜΑ"])
def test_words_of_any_alphabet_are_found_whatever_their_case(room: Room, words: str):
    an_incident(room)
    text = "ÄRGER mit dem Straßenpool, σφάλμα"
    a_message(room, text)

    assert found(room, words) == [("message", text)]


def test_what_was_deleted_or_dropped_is_not_found(room: Room):
    incident = an_incident(room, title="Slow")
    a_message(room, "disk")
    room.change(lambda db: db.add_all(everywhere(room, incident)))
    assert len(found(room, "disk")) == 4

    room.change(lambda db: [setattr(row, "deleted_at", room.now) for row in db.query(Message)])
    room.change(lambda db: [setattr(row, "dropped_at", room.now) for row in db.query(Finding)])
    room.change(lambda db: [setattr(row, "untagged_at", room.now) for row in db.query(TimelineEvent)])
    room.change(lambda db: [setattr(row, "withdrawn_at", room.now) for row in db.query(Action)])

    assert found(room, "disk") == []


def test_a_private_incident_is_found_by_its_members_alone(room: Room):
    incident = an_incident(room, title="Disk", channel=SECRET_CHANNEL, private=room.now)
    a_message(room, "disk", channel=SECRET_CHANNEL)
    room.change(lambda db: db.add_all(everywhere(room, incident)))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET_CHANNEL, user_id=MARA)))

    assert len(found(room, "disk", by=MARA)) == 5
    assert found(room, "disk", by=OUTSIDER) == []


def test_at_most_ten_are_shown_and_each_message_once(room: Room):
    an_incident(room)
    an_incident(room, channel=ChannelId("C0OTHER"))
    for _ in range(12):
        room.pass_time(seconds=1)
        a_message(room, "disk")

    hits = room.ask(search.find, TEAM, MARA, "disk")

    assert len(hits) == len({hit.permalink for hit in hits}) == 10


def test_what_was_said_before_the_incident_belongs_to_nobody(room: Room):
    a_message(room, "disk", at=room.now - timedelta(days=2))
    an_incident(room)

    assert found(room, "disk") == []


def test_a_message_is_found_by_all_of_its_words_the_last_one_perhaps_only_begun(room: Room):
    an_incident(room)
    a_message(room, "rolled back node-42 of payments_db, see /var/log/checkout.err")

    assert found(room, "checkout node")
    assert found(room, "err") == found(room, "checkout node")
    assert found(room, "node 42 payments rolled b")
    assert found(room, "node 43") == []


def test_a_message_that_was_reworded_is_found_by_its_new_words_alone(room: Room):
    an_incident(room)
    a_message(room, "the replica lags")

    room.change(lambda db: [setattr(row, "plain", "the primary is slow") for row in db.query(Message)])

    assert found(room, "replica") == []
    assert found(room, "primary slow")


def test_words_that_were_erased_leave_the_index_file_as_well(tmp_path: Path):
    room = a_room(tmp_path)
    an_incident(room)
    a_message(room, "the canary sang")
    room.change(lambda db: [setattr(row, field, "") for row in db.query(Message) for field in ("text", "plain")])

    step = 0
    while room.change(lambda db: search.sweep_step(db, step)):  # noqa: B023
        step += 1
    room.storage.close()

    assert b"canary" not in (tmp_path / "debrief.db").read_bytes()
