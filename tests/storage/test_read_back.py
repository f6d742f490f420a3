"""What is looked for in Slack after it was said: which notes, when, and that nobody says one once too often."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from bot.review.heard import MessageFact
from storage import messages, outbox, people, read_back
from storage.models import Change, Incident, OutboxNote
from storage.outbox import Words
from storage.read_back import AGAIN, FOR, LATEST, SOON, Said
from storage.session import Storage

TEAM = "T1"
NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
TS = f"{NOW.timestamp():.6f}"
LATER = f"{(NOW + SECOND).timestamp():.6f}"


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
    yield storage
    storage.close()


def said(storage: Storage, key: str = "a", *, kind: str = "once", ts: str = TS, **more: Any) -> None:
    """A note that Slack said it took."""
    write: Callable[..., None] = {"once": outbox.say_once, "live": outbox.say_live, "mark": outbox.react}[kind]
    with storage.write() as db:
        write(db, TEAM, Words(key=key, channel="C1", text=key, at=NOW))
        row = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
        row.state, row.posted_channel, row.posted_ts, row.said_version, row.attempts = "sent", "C1", ts, 1, 1
        for name, value in more.items():
            setattr(row, name, value)


def due(storage: Storage, now: datetime, places: int = 20) -> list[Said]:
    with storage.read() as db:
        return [one for notes in read_back.due(db, TEAM, now=now, places=places).values() for one in notes]


def the_note(storage: Storage, key: str = "a") -> OutboxNote:
    with storage.read() as db:
        row = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
        db.expunge(row)
        return row


def say_again(storage: Storage, note: Said, now: datetime = NOW + SOON) -> bool:
    with storage.write() as db:
        return read_back.say_again(db, note, now=now)


def test_a_note_is_looked_for_once_five_minutes_after_it_was_said(storage: Storage):
    said(storage)

    early, then = due(storage, NOW + SOON - SECOND), due(storage, NOW + SOON)
    with storage.write() as db:
        read_back.mark_read(db, [note.id for note in then], now=NOW + SOON)

    assert early == []
    assert [note.key for note in then] == ["a"]
    assert due(storage, NOW + SOON + AGAIN) == []


def test_what_was_tried_more_than_once_is_looked_for_every_hour_of_a_day(storage: Storage):
    said(storage, attempts=2, read_back_at=NOW + SOON)

    moments = [NOW + SOON + AGAIN - SECOND, NOW + SOON + AGAIN, NOW + FOR + SECOND]
    found = [len(due(storage, moment)) for moment in moments]

    assert found == [0, 1, 0]


def test_answers_whispers_and_emoji_are_not_looked_for(storage: Storage):
    said(storage, "answer", rank=0)
    said(storage, "whisper", kind="once")
    with storage.write() as db:
        db.scalars(select(OutboxNote).where(OutboxNote.key == "whisper")).one().kind = "whisper"
    said(storage, "emoji", kind="mark")
    said(storage, "waiting", state="pending")
    said(storage, "reminder")

    assert [note.key for note in due(storage, NOW + SOON)] == ["reminder"]


def test_all_notes_of_a_place_come_together_the_earliest_place_first(storage: Storage):
    for number, (key, place) in enumerate((("b1", "C2"), ("a1", "C1"), ("b2", "C2"))):
        said(storage, key, ts=f"{(NOW + number * SECOND).timestamp():.6f}", posted_channel=place)

    assert [note.key for note in due(storage, NOW + LATEST, places=1)] == ["b1", "b2"]


def test_it_is_looked_for_from_before_it_was_written_but_not_from_weeks_ago(storage: Storage):
    said(storage, "now")
    said(storage, "later", written_at=NOW - timedelta(days=14))

    since = {note.key: note.since for note in due(storage, NOW + SOON)}

    assert since == {"now": NOW - SOON, "later": NOW - LATEST - SOON}


def test_what_is_missing_is_said_once_more_afresh_and_never_a_third_time(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)

    again = say_again(storage, note)
    row = the_note(storage)
    with storage.write() as db:
        there = db.get_one(OutboxNote, note.id)
        there.state, there.posted_channel, there.posted_ts = "sent", "C1", f"{(NOW + SOON).timestamp():.6f}"
    (note,) = due(storage, NOW + SOON * 2)

    assert again
    assert (row.state, row.posted_ts, row.posted_channel, row.said_version) == ("pending", None, None, 0)
    assert row.reposted_at == NOW + SOON
    assert not say_again(storage, note, NOW + SOON * 2)


@pytest.mark.parametrize(
    "how",
    [{"deleted_at": NOW}, {"read_back_at": NOW}, {"reposted_at": NOW}, {"state": "pending"}, {"posted_ts": LATER}],
    ids=lambda how: next(iter(how)),
)
def test_it_is_not_said_once_more_where_that_would_be_wrong(storage: Storage, how: dict[str, Any]):
    said(storage)
    (note,) = due(storage, NOW + SOON)
    with storage.write() as db:
        row = db.get_one(OutboxNote, note.id)
        for name, value in how.items():
            setattr(row, name, value)

    assert not say_again(storage, note)


def test_what_is_missing_for_an_hour_is_old_news(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + LATEST)

    assert not say_again(storage, note, NOW + LATEST + SECOND)
    assert say_again(storage, note, NOW + LATEST)


def test_a_deletion_is_remembered_of_our_posts_alone_and_only_when(storage: Storage):
    said(storage)
    gone = [MessageFact(channel=channel, ts=TS, how="deleted", deleted_at=NOW + MINUTE) for channel in ("C9", "C1")]
    changed = MessageFact(channel="C1", ts=TS, how="changed")

    (note,) = due(storage, NOW + SOON)
    with storage.write() as db:
        read_back.mark_deleted(db, TEAM, [changed, gone[0]])
    before = the_note(storage).deleted_at
    with storage.write() as db:
        read_back.mark_deleted(db, TEAM, gone)

    assert before is None
    assert the_note(storage).deleted_at == NOW + MINUTE
    assert not say_again(storage, note)


def test_what_the_archive_knows_to_be_deleted_is_not_said_once_more(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)
    with storage.write() as db:
        messages.keep(db, TEAM, MessageFact(channel="C1", ts=TS, how="deleted", deleted_at=NOW + MINUTE))

    assert not say_again(storage, note)


def test_what_is_said_once_more_meanwhile_is_looked_for_anew(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)

    say_again(storage, note)
    with storage.write() as db:
        read_back.mark_read(db, [note.id], now=NOW + SOON)

    assert the_note(storage).read_back_at is None


def test_what_the_archive_heard_and_nobody_deleted_is_said_once_more(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)
    with storage.write() as db:
        messages.keep(db, TEAM, MessageFact(channel="C1", ts=TS, how="changed"))

    assert say_again(storage, note)


def test_what_cannot_be_updated_is_posted_anew_once_a_live_note_whenever_that_is(storage: Storage):
    said(storage, "agenda", kind="live", read_back_at=NOW + SOON, state="sending", version=7)
    said(storage, "reminder", state="sending")
    agenda, reminder = the_note(storage, "agenda").id, the_note(storage, "reminder").id

    def replace(row: int, now: datetime, attempt: int = 1) -> bool:
        with storage.write() as db:
            return read_back.replace_lost(db, row, attempt=attempt, ts=TS, now=now)

    assert not replace(agenda, NOW + FOR, attempt=2)
    assert [replace(agenda, NOW + FOR), replace(agenda, NOW + FOR)] == [True, False]
    assert [replace(reminder, NOW + FOR), replace(reminder, NOW + SOON)] == [False, True]
    row = the_note(storage, "agenda")
    assert (row.state, row.version, row.posted_ts) == ("pending", 7, None)


@pytest.mark.postgres
def test_of_two_replicas_that_miss_it_at_once_one_says_it_once_more(postgresql_url: str):
    storage, other = Storage(postgresql_url), Storage(postgresql_url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
    said(storage)
    (note,) = due(storage, NOW + SOON)
    together = Barrier(2)

    def miss(replica: Storage) -> bool:
        together.wait(60)
        return say_again(replica, note)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(miss, [storage, other]))

    storage.close()
    other.close()
    assert sorted(done) == [False, True]


# What is there twice -----------------------------------------------------------------------------


def keep_one(storage: Storage, note: Said, kept: str, *others: str) -> bool:
    with storage.write() as db:
        return read_back.keep_one(db, note, kept, others, now=NOW + SOON)


EARLIER = f"{(NOW - MINUTE).timestamp():.6f}"


def test_the_note_is_the_message_that_stays_and_its_newer_words_go_there(storage: Storage):
    said(storage)
    said(storage, "agenda", kind="live", version=2, said_version=2)
    once, live = due(storage, NOW + SOON)

    kept = [keep_one(storage, note, EARLIER, TS) for note in (once, live)]

    assert kept == [True, True]
    rows = [the_note(storage, key) for key in ("a", "agenda")]
    assert [(row.state, row.posted_ts, row.said_version) for row in rows] == [
        ("sent", EARLIER, 1),
        ("pending", EARLIER, 0),
    ]


def test_who_comes_second_removes_nothing(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)

    assert keep_one(storage, note, EARLIER, TS)
    assert not keep_one(storage, note, EARLIER, TS)


def test_while_newer_words_are_on_their_way_nothing_is_removed(storage: Storage):
    said(storage)
    (note,) = due(storage, NOW + SOON)
    with storage.write() as db:
        db.get_one(OutboxNote, note.id).state = "sending"

    assert not keep_one(storage, note, EARLIER, TS)


def test_where_somebody_deleted_the_other_one_the_note_is_not_deleted(storage: Storage):
    said(storage, deleted_at=NOW)
    (note,) = due(storage, NOW + SOON)

    keep_one(storage, note, EARLIER, TS)

    assert the_note(storage).deleted_at is None


def test_the_history_of_the_incident_tells_it_once(storage: Storage):
    with storage.write() as db:
        incident = Incident(team_id=TEAM, title="Checkout", opened_at=NOW)
        db.add(incident)
    said(storage, incident_id=incident.id)
    (note,) = due(storage, NOW + SOON)

    for _ in range(2):
        assert keep_one(storage, note, TS, EARLIER)

    with storage.read() as db:
        lines = db.execute(select(Change.what, Change.before, Change.after, Change.by)).all()
    assert [tuple(line) for line in lines] == [("said_twice", EARLIER, TS, None)]
