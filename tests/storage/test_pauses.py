"""Pauses and beginnings, by which every replica keeps to Slack's pace."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from storage import outbox, pauses
from storage.models import OutboxNote
from storage.session import Storage

TEAM, NOW = "T0SANDBOX", datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
POST, UPDATE, WHISPER = "chat.postMessage", "chat.update", "chat.postEphemeral"
ON, OFF = "reactions.add", "reactions.remove"


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def hold(storage: Storage, method: str, until: datetime, team: str = TEAM) -> None:
    with storage.write() as db:
        pauses.hold(db, team, method, until=until)


def held(storage: Storage, now: datetime = NOW) -> dict[str, datetime]:
    with storage.read() as db:
        return dict(pauses.held(db, TEAM, now=now))


def a_note(
    storage: Storage, key: str, *, channel: str = "C1", kind: str = "once", team: str = TEAM, **more: object
) -> None:
    """A note, and what became of it."""
    with storage.write() as db:
        outbox.say_once(db, team, outbox.Words(key=key, channel=channel, text=key, at=NOW))
        note = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
        note.kind = kind
        for name, value in more.items():
            setattr(note, name, value)


def said_by(storage: Storage, *methods: str) -> set[str]:
    with storage.read() as db:
        return {*db.scalars(select(OutboxNote.key).where(pauses.said_by(methods)))}


def test_a_method_is_held_for_its_workspace_until_its_time(storage: Storage):
    hold(storage, POST, after(30))
    hold(storage, UPDATE, after(90), team="T0ELSEWHERE")

    assert [held(storage, after(seconds)) for seconds in (0, 29, 30)] == [{POST: after(30)}, {POST: after(30)}, {}]


def test_of_two_moments_the_later_one_holds(storage: Storage):
    for seconds in (30, 5, 31, 2):
        hold(storage, POST, after(seconds))

    assert held(storage) == {POST: after(31)}


def test_what_was_begun_within_a_second_is_told_and_nothing_that_lies_ahead(storage: Storage):
    for number, seconds in enumerate((-2, -1, -0.5, 0, 3_600)):
        a_note(storage, str(number), attempted_at=after(seconds))
    a_note(storage, "never begun")
    a_note(storage, "elsewhere", team="T0ELSEWHERE", attempted_at=NOW)

    with storage.read() as db:
        begun = pauses.begun(db, TEAM, since=after(-1), now=NOW)

    assert sorted(begun) == [after(-0.5), NOW]


def test_a_channel_that_was_spoken_in_a_moment_ago_is_known_by_any_message_but_no_emoji(storage: Storage):
    a_note(storage, "said in one", channel="C1", attempted_at=after(-0.5), kind="picture")
    a_note(storage, "waits in one", channel="C1")
    a_note(storage, "emoji in one", channel="C1", kind="mark")
    a_note(storage, "emoji said in two", channel="C2", attempted_at=after(-0.5), kind="mark")
    a_note(storage, "waits in two", channel="C2")
    a_note(storage, "said elsewhere", channel="C3", attempted_at=NOW, team="T0ELSEWHERE")
    a_note(storage, "waits in three", channel="C3")
    a_note(storage, "begun by a clock that went wrong", channel="C4", attempted_at=after(3_600))
    a_note(storage, "waits in four", channel="C4")

    with storage.read() as db:
        spoken = pauses.spoken_in(TEAM, now=NOW, within=timedelta(seconds=1))
        found = {*db.scalars(select(OutboxNote.key).where(spoken, OutboxNote.attempted_at.is_(None)))}

    assert found == {"waits in one"}


def test_notes_are_known_by_the_method_that_carries_them(storage: Storage):
    a_note(storage, "new")
    a_note(storage, "standing", posted_channel="C1", posted_ts="1.1")
    a_note(storage, "whisper", kind="whisper")
    a_note(storage, "picture", kind="picture")
    a_note(storage, "hung", kind="picture", posted_channel="C1", posted_ts="2.2")
    a_note(storage, "memo", kind="mark")
    a_note(storage, "-memo", kind="mark")

    found = [said_by(storage, method) for method in (POST, UPDATE, WHISPER, ON, OFF, "files.delete", "views.open")]

    assert found == [
        {"new", "picture"},
        {"standing", "hung"},
        {"whisper"},
        {"memo"},
        {"-memo"},
        {"picture", "hung"},
        set(),
    ]
    assert said_by(storage, POST, WHISPER) == {"new", "picture", "whisper"}
    assert said_by(storage) == set()
