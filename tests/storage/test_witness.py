"""The witness: every wording and deletion is entered in a chain, and whoever changes a row behind its back is found."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import select

from bot.review.heard import MessageFact, read_event
from storage import messages, witness
from storage.models import Book, BookEntry, Message
from storage.session import Storage
from storage.witness import Entry

TEAM, CHANNEL = "T0SANDBOX", "C0INC"
SECOND = 1_763_474_400
TS = f"{SECOND}.000100"


@pytest.fixture
def process(database_url: str) -> Iterator[Callable[..., Storage]]:
    """Starts a process on the database, and another at the next call."""
    with ExitStack() as started:

        def start(**options: Any) -> Storage:
            storage = Storage(database_url, **options)
            started.callback(storage.close)
            return storage

        yield start


@pytest.fixture
def storage(process: Callable[..., Storage]) -> Storage:
    return process()


def enter(storage: Storage, *entries: Entry) -> None:
    with storage.write() as db:
        witness.write(db, TEAM, entries)


def enter_and_fail(storage: Storage, *entries: Entry) -> None:
    with storage.write() as db:
        witness.write(db, TEAM, entries)
        raise LookupError


def lines(storage: Storage) -> list[BookEntry]:
    with storage.read() as db:
        rows = list(db.scalars(select(BookEntry).order_by(BookEntry.book_id, BookEntry.number)))
        db.expunge_all()
        return rows


def keep(storage: Storage, *events: dict[str, Any]) -> None:
    facts = [fact for event in events for fact in read_event(event) if isinstance(fact, MessageFact)]
    with storage.write() as db:
        messages.keep(db, TEAM, *facts)


def posted(text: str, ts: str = TS, **more: Any) -> dict[str, Any]:
    return {"type": "message", "channel": CHANNEL, "user": "U0TOMAS", "text": text, "ts": ts, "event_ts": ts} | more


def edited(text: str, after: int, ts: str = TS, **more: Any) -> dict[str, Any]:
    at = f"{SECOND + after}.000000"
    message = {"user": "U0TOMAS", "text": text, "ts": ts, "edited": {"user": "U0TOMAS", "ts": at}} | more
    return changed("message_changed", at, message=message)


def unfurled(text: str, after: int) -> dict[str, Any]:
    return edited(text, after, attachments=[{"from_url": "https://a.example", "id": 1}])


def deleted(after: int, ts: str = TS) -> dict[str, Any]:
    return changed("message_deleted", f"{SECOND + after}.000000", deleted_ts=ts)


def changed(subtype: str, at: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "subtype": subtype, "channel": CHANNEL, "ts": at, "event_ts": at, "hidden": True} | more


def said(message: int, words: str = "checkout is slow") -> Entry:
    return Entry(message, "said", "", words.encode())


# Writing -------------------------------------------------------------------------------


def test_entries_are_numbered_without_a_gap_and_each_is_linked_to_the_one_before(storage: Storage):
    enter(storage, said(1), said(2))
    enter(storage, said(3))

    with storage.read() as db:
        seed, key = db.scalars(select(Book.seed)).one(), witness.key_of(db, TEAM, None)
    rows = lines(storage)
    before = [seed, *(row.link for row in rows)]
    assert [(row.number, row.message_id) for row in rows] == [(1, 1), (2, 2), (3, 3)]
    assert [row.link for row in rows] == [
        witness.link_of(key, link, vars(row)) for link, row in zip(before, rows, strict=False)
    ]


def test_a_change_that_is_undone_enters_nothing_and_leaves_no_gap(storage: Storage):
    enter(storage, said(1))
    with pytest.raises(LookupError):
        enter_and_fail(storage, said(2))

    enter(storage, said(3))

    assert [(row.number, row.message_id) for row in lines(storage)] == [(1, 1), (2, 3)]


def test_a_book_whose_commit_failed_is_followed_by_another_one(storage: Storage):
    enter(storage, said(1))
    with pytest.raises(Exception, match=r"NOT NULL|not-null"):
        enter(storage, Entry(2, "said", None, b""))  # pyright: ignore[reportArgumentType]

    enter(storage, said(3))

    assert [(row.number, row.message_id) for row in lines(storage)] == [(1, 1), (1, 3)]


def test_two_processes_write_books_of_their_own_and_the_later_leans_on_the_earlier(process: Callable[..., Storage]):
    processes = process(), process()

    for message, storage in zip(range(1, 5), itertools.cycle(processes), strict=False):
        enter(storage, said(message))

    one, other = {row.book_id: row for row in lines(processes[0])}
    with processes[0].read() as db:
        leans = list(db.scalars(select(Book.leans_on).order_by(Book.id)))
    rows = [(row.book_id, row.number, row.message_id) for row in lines(processes[0])]
    assert rows == [(one, 1, 1), (one, 2, 3), (other, 1, 2), (other, 2, 4)]
    assert leans == [{}, {str(one): [1, lines(processes[0])[0].link]}]


def test_a_deletion_takes_the_salts_of_everything_said_before(storage: Storage):
    enter(storage, said(1), said(2))
    with storage.write() as db:
        witness.write(db, TEAM, [said(1, "checkout is slow again")])
        witness.write(db, TEAM, [Entry(1, "deleted", "", b"tombstone")])

    assert [(row.message_id, row.what, row.salt is None) for row in lines(storage)] == [
        (1, "said", True),
        (2, "said", False),
        (1, "said", True),
        (1, "deleted", False),
    ]


def test_one_digest_of_the_same_words_tells_nothing_of_another(storage: Storage):
    enter(storage, said(1, "ok"), said(2, "ok"))

    one, other = lines(storage)

    assert one.digest != other.digest


def test_the_key_is_made_once_and_kept_with_the_workspace_unless_a_setting_names_one(process: Callable[..., Storage]):
    kept, named = process(), process(witness_key="a key of our own")

    enter(named, said(1))
    enter(kept, said(2))
    enter(process(), said(3))

    with kept.read() as db:
        own, *others = db.scalars(select(Book.keyed).order_by(Book.id))
        key = witness.key_of(db, TEAM, None)
    assert own == witness.mark_of(b"a key of our own")
    assert others == [witness.mark_of(key)] * 2


def test_the_head_leads_to_everything_entered_and_stays_until_something_is(storage: Storage):
    heads: list[Any] = []
    for message in (1, 2):
        enter(storage, said(message))
        for _ in range(2):
            with storage.write() as db:
                heads.append(witness.head(db, TEAM))

    assert heads[0] == heads[1] != heads[2] == heads[3]


# What is entered of messages -----------------------------------------------------------------


def test_each_wording_is_entered_once_however_often_it_is_heard(storage: Storage):
    keep(storage, posted("checkout is slow"), posted("checkout is slow"), edited("checkout is down", after=60))
    keep(storage, edited("checkout is down", after=60), unfurled("checkout is down", after=60))

    later = f"{SECOND + 60}.000000"
    entered = [(row.what, row.edited_ts) for row in lines(storage)]
    assert entered == [("said", ""), ("said", ""), ("said", later), ("said", later)]


def test_a_wording_is_entered_as_the_database_gives_it_back(storage: Storage):
    odd = "nul \0, half a smile \ud83d, a whole one \U0001f600 and \r\n"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": odd}, "n": 1.5, "a": None}]
    keep(storage, posted(odd, blocks=blocks, attachments=[{"b": [True, 10**12], "a": {}}]))

    with storage.read() as db:
        row, line = db.scalars(select(Message)).one(), db.scalars(select(BookEntry)).one()
        assert witness.digest_of(line.salt or "", witness.content_of(row)) == line.digest


def test_a_deletion_is_entered_and_the_salts_of_the_words_go(storage: Storage):
    keep(storage, posted("checkout is slow"))
    keep(storage, deleted(after=60))
    keep(storage, deleted(after=60))

    assert [(row.what, bool(row.salt)) for row in lines(storage)] == [("said", False), ("deleted", True)]
