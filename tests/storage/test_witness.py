"""The witness: every wording and deletion is entered in a chain, and whoever changes a row behind its back is found."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from bot.review.heard import ChannelFact, MessageFact, read_event
from storage import channels, messages, pseudonymising, reviews, witness
from storage.models import Book, BookEntry, Incident, Message, MessageVersion, Review, Source
from storage.session import Storage
from storage.verification import Verdict, verify
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
    with storage.write() as db:
        messages.keep(db, TEAM, *facts_of(*events))


def facts_of(*events: dict[str, Any]) -> list[MessageFact]:
    return [fact for event in events for fact in read_event(event) if isinstance(fact, MessageFact)]


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
    odd = "&lt;nul \0, half a smile \ud83d, a whole one \U0001f600 and \r\n"
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


# Reading -------------------------------------------------------------------------------------


@pytest.fixture
def incident(storage: Storage) -> Incident:
    """An incident whose channel has been listened to from the start."""
    with storage.write() as db:
        began = datetime.fromtimestamp(SECOND, UTC)
        incident = Incident(team_id=TEAM, title="Checkout is slow", opened_at=began)
        db.add(incident)
        db.flush()
        db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=began))
        reviews.begin(db, incident)
    return incident


def read(storage: Storage, incident: Incident) -> Verdict:
    with storage.still() as db:
        return verify(db, incident, storage.books.key)


def faults(storage: Storage, incident: Incident) -> list[tuple[str, str | None]]:
    return [(found.fault, found.ts) for found in read(storage, incident).first]


def behind_its_back(storage: Storage, *statements: Any) -> None:
    with storage.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def of_ts(ts: str) -> Any:
    return select(Message.id).where(Message.ts == ts).scalar_subquery()


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OTHER = f"{SECOND + 1}.000100"
LAST = f"{SECOND + 2}.000100"


@pytest.fixture
def three(storage: Storage, incident: Incident) -> Incident:
    """Three messages; the first was edited."""
    keep(storage, posted("checkout is slow"), posted("looking", ts=OTHER), posted("rolled back", ts=LAST))
    keep(storage, edited("checkout is down", after=60))
    return incident


def test_what_nobody_touched_is_as_it_was_entered(storage: Storage, three: Incident):
    keep(storage, posted("looking", ts=OTHER), unfurled("checkout is down", after=60), deleted(after=90, ts=LAST))

    verdict = read(storage, three)

    assert (verdict.first, verdict.count) == ([], 0)
    assert (verdict.books, verdict.messages, verdict.wordings, verdict.gone) == (1, 3, 3, 1)
    assert verdict.head == lines(storage)[-1].link


BEHIND_ITS_BACK = {
    "the words": (update(Message).where(Message.ts == OTHER).values(text="I did it"), ("changed", OTHER)),
    "the words as they are shown": (
        update(Message).where(Message.ts == OTHER).values(plain="somebody else did it"),
        ("changed", OTHER),
    ),
    "nothing shown of the words": (update(Message).where(Message.ts == OTHER).values(plain=""), ("changed", OTHER)),
    "a program's name": (update(Message).where(Message.ts == OTHER).values(bot_name="Priya"), ("changed", OTHER)),
    "what kind it is": (update(Message).where(Message.ts == OTHER).values(subtype="channel_join"), ("changed", OTHER)),
    "the author": (update(Message).where(Message.ts == OTHER).values(user_id="U0PRIYA"), ("changed", OTHER)),
    "the time": (
        update(Message).where(Message.ts == OTHER).values(ts=f"{SECOND + 7}.0"),
        ("changed", f"{SECOND + 7}.0"),
    ),
    "the thread": (update(Message).where(Message.ts == OTHER).values(thread_ts=TS), ("changed", OTHER)),
    "the blocks": (update(Message).where(Message.ts == OTHER).values(blocks=[{"type": "divider"}]), ("changed", OTHER)),
    "the time of an earlier wording": (update(MessageVersion).values(at=LONG_AGO), ("misdated", TS)),
    "an earlier wording": (update(MessageVersion).values(text="all is well"), ("changed", TS)),
    "an earlier wording gone": (delete(MessageVersion), ("taken", TS)),
    "an edit undone": (update(Message).where(Message.ts == TS).values(edited_ts=None), ("changed", TS)),
    "a deletion of its own": (
        update(Message)
        .where(Message.ts == OTHER)
        .values(text="", plain="", deleted_at=datetime.fromtimestamp(SECOND, UTC)),
        ("taken", OTHER),
    ),
    "an erasure of its own": (
        update(BookEntry).where(BookEntry.message_id == of_ts(OTHER)).values(salt=None),
        ("unsalted", OTHER),
    ),
    "a row gone": (delete(Message).where(Message.ts == OTHER), ("row gone", TS)),
    "a row slipped in": (
        insert(Message).values(
            team_id=TEAM,
            channel_id=CHANNEL,
            ts=f"{SECOND + 5}.0",
            posted_at=datetime.fromtimestamp(SECOND + 5, UTC),
            text="I did it",
            plain="I did it",
        ),
        ("unentered", f"{SECOND + 5}.0"),
    ),
    "an entry gone": (delete(BookEntry).where(BookEntry.message_id == of_ts(OTHER)), ("unentered", OTHER)),
    "the last entry gone": (delete(BookEntry).where(BookEntry.number == 5), ("unentered", TS)),
}


@pytest.mark.parametrize("what", BEHIND_ITS_BACK)
def test_a_change_behind_the_programs_back_is_found_at_its_place(storage: Storage, three: Incident, what: str):
    statement, found = BEHIND_ITS_BACK[what]

    behind_its_back(storage, statement)

    assert faults(storage, three)[0] == found


OUT_OF_THE_INCIDENT = {
    "before it": ({"posted_at": LONG_AGO}, ("misdated", OTHER)),
    "before it, in every column": ({"ts": "946684800.000100", "posted_at": LONG_AGO}, ("changed", "946684800.000100")),
    "to a time that is none": ({"ts": "once", "posted_at": LONG_AGO}, ("changed", "once")),
    "to another channel": ({"channel_id": "C0ELSEWHERE"}, ("changed", OTHER)),
    "into a thread that is an incident of its own": ({"thread_ts": "1.0"}, ("changed", OTHER)),
    "to another workspace": ({"team_id": "T0ELSEWHERE"}, ("row gone", TS)),
}


@pytest.mark.parametrize("where", OUT_OF_THE_INCIDENT)
def test_a_message_that_was_taken_out_of_its_incident_is_found_where_it_is(
    storage: Storage, three: Incident, where: str
):
    values, found = OUT_OF_THE_INCIDENT[where]
    with storage.write() as db:
        other = Incident(team_id=TEAM, title="Another", opened_at=LONG_AGO)
        db.add(other)
        db.flush()
        db.add(
            Source(
                team_id=TEAM, incident_id=other.id, channel_id=CHANNEL, thread_ts="1.0", from_at=LONG_AGO, until_at=None
            )
        )

    behind_its_back(storage, update(Message).where(Message.ts == OTHER).values(values))

    verdict = read(storage, three)
    assert (verdict.messages, verdict.others) == (2, 0 if where == "to another workspace" else 1)
    assert faults(storage, three)[0] == found


def test_messages_elsewhere_that_nobody_touched_are_compared_and_not_counted(storage: Storage, three: Incident):
    keep(storage, posted("in another channel", channel="C0OTHER"), deleted(after=90, ts=LAST))

    verdict = read(storage, three)

    assert (verdict.first, verdict.messages, verdict.others, verdict.gone) == ([], 3, 1, 1)


def test_entries_that_were_swapped_are_found(storage: Storage, three: Incident):
    first, second, *_ = lines(storage)
    swapped = [
        update(BookEntry).where(BookEntry.id == one.id).values(message_id=other.message_id, salt=other.salt)
        for one, other in ((first, second), (second, first))
    ]

    behind_its_back(storage, *swapped)

    found = faults(storage, three)
    assert ("link", OTHER) in found
    assert ("link", TS) in found


def test_an_old_wording_cannot_be_made_the_latest_by_numbering_its_entry_anew(storage: Storage, three: Incident):
    keep(storage, unfurled("checkout is down", after=60))
    before, _ = lines(storage)[-2:]

    behind_its_back(
        storage,
        update(BookEntry).where(BookEntry.id == before.id).values(id=10_000),
        update(Message).where(Message.ts == TS).values(attachments=None),
    )

    assert faults(storage, three) == [("order", TS)]


def test_what_is_cut_off_from_the_end_of_a_book_is_missed_by_the_next(
    process: Callable[..., Storage], storage: Storage, three: Incident
):
    keep(process(), posted("fixed", ts=f"{SECOND + 9}.0"))

    behind_its_back(storage, delete(BookEntry).where(BookEntry.number == 5))
    behind_its_back(storage, delete(MessageVersion), update(Message).where(Message.ts == TS).values(text=""))

    verdict = read(storage, three)
    assert [(found.fault, found.line) for found in verdict.first][-1] == ("leaned", 5)


def test_a_book_that_was_written_anew_with_another_key_is_found(storage: Storage, three: Incident):
    with storage.read() as db:
        book = db.scalars(select(Book)).one()
        seed = witness.seed_of(b"a key of theirs", TEAM, book.leans_on, book.older)

    behind_its_back(storage, update(Book).values(seed=seed))
    same_key = faults(storage, three)
    behind_its_back(storage, update(Book).values(keyed=witness.mark_of(b"a key of theirs")))
    other_key = read(storage, three)

    assert [fault for fault, _ in same_key] == ["seed", "link"]
    assert (other_key.count, other_key.unread, other_key.is_clean) == (0, [1], False)


def test_an_erasure_keeps_the_chain_whole(storage: Storage, three: Incident):
    with storage.write() as db:
        row = messages.find(db, TEAM, CHANNEL, OTHER)
        assert row
        message, row.text, row.plain, row.purged_at = row.id, "", "", datetime.fromtimestamp(SECOND, UTC)
        witness.write(db, TEAM, [Entry(row.id, "erased")])

    verdict = read(storage, three)
    assert (verdict.count, verdict.gone) == (0, 1)
    assert [row.salt for row in lines(storage) if row.message_id == message] == [None, None]


def test_somebody_made_nameless_is_entered_anew_and_the_chain_stays_whole(storage: Storage, three: Incident):
    with storage.write() as db:
        rows = [row for page in messages.pages_of_incident(db, three.id) for row in page]
        witness.forget(db, [row.id for row in rows])
        for row in rows:
            row.user_id = "somebody-1"
            versions = db.scalars(select(MessageVersion).where(MessageVersion.message_id == row.id)).all()
            witness.write(db, TEAM, witness.entries_of(row, versions))

    assert read(storage, three).count == 0
    assert [row.salt for row in lines(storage)][:5] == [None] * 5


def test_a_channel_that_was_given_another_id_is_entered_anew(storage: Storage, three: Incident):
    keep(storage, deleted(after=90, ts=LAST))
    with storage.write() as db:
        at = datetime.fromtimestamp(SECOND + 100, UTC)
        channels.keep_channel(db, TEAM, ChannelFact(channel=CHANNEL, moved_to="C0SHARED", how="moved", at=at))

    moved = read(storage, three)
    behind_its_back(storage, update(Message).where(Message.ts == OTHER).values(channel_id="C0ELSEWHERE"))
    behind_its_back(storage, update(Source).values(channel_id="C0ELSEWHERE"))

    assert (moved.first, moved.messages, moved.gone) == ([], 3, 1)
    assert faults(storage, three) == [("changed", OTHER)]


def test_a_forgotten_person_leaves_a_chain_that_is_whole(storage: Storage, three: Incident):
    keep(storage, edited("<@U0TOMAS> looks", after=70, ts=OTHER))
    with storage.read() as db:
        somebody = pseudonymising.known(db, TEAM, "U0TOMAS")
    pseudonym = pseudonymising.begin(storage, somebody, now=datetime.fromtimestamp(SECOND, UTC))

    list(pseudonymising.go_through(storage, somebody, pseudonym))

    verdict = read(storage, three)
    with storage.read() as db:
        assert {row.user_id for page in messages.pages_of_incident(db, three.id) for row in page} == {pseudonym}
    assert (verdict.first, verdict.messages) == ([], 3)


def test_words_that_come_back_after_their_end_are_found(storage: Storage, three: Incident):
    keep(storage, deleted(after=90, ts=OTHER))

    behind_its_back(storage, update(Message).where(Message.ts == OTHER).values(plain="looking"))
    shown = faults(storage, three)
    behind_its_back(storage, update(Message).where(Message.ts == OTHER).values(text="looking"))
    half = faults(storage, three)
    behind_its_back(storage, update(Message).where(Message.ts == OTHER).values(deleted_at=None))
    whole = faults(storage, three)

    assert shown[0] == ("back", OTHER)
    assert (half[0], whole) == (("back", OTHER), [("back", OTHER)])


def test_several_processes_at_once_leave_one_chain_that_is_whole(process: Callable[..., Storage], three: Incident):
    others = process(), process(), process()

    for second, storage in zip(range(100, 112), itertools.cycle(others), strict=False):
        keep(storage, posted(f"at {second}", ts=f"{SECOND + second}.0"))

    verdict = read(others[0], three)
    assert (verdict.first, verdict.books, verdict.messages) == ([], 4, 15)


def test_threads_of_one_process_never_wait_for_each_other_in_a_ring(storage: Storage, three: Incident):
    """All want one row, half of them before they have something to enter and half after; some change their mind."""

    def change(turn: int) -> None:
        own, shared = posted(f"turn {turn}", ts=f"{SECOND + 100 + turn}.0"), edited(f"turn {turn}", after=200 + turn)
        with suppress(LookupError), storage.write() as db:
            for event in (own, shared) if turn % 2 else (shared, own):
                messages.keep(db, TEAM, *facts_of(event))
            if turn % 5 == 0:
                raise LookupError

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change, range(40)))

    verdict = read(storage, three)
    assert (verdict.first, verdict.messages) == ([], 35)
    assert [row.number for row in lines(storage)] == list(range(1, verdict.lines + 1))


def test_messages_from_before_the_witness_are_counted_and_not_called_changed(storage: Storage, three: Incident):
    keep(storage, posted("in another channel", ts=f"{SECOND + 3}.0", channel="C0OTHER"))
    behind_its_back(storage, delete(BookEntry), delete(Book))  # As an older version left it.

    none_yet = read(storage, three)
    with closing(storage), ExitStack() as started:
        now = Storage(storage.engine.url.render_as_string(hide_password=False))
        started.callback(now.close)
        keep(now, posted("fixed", ts=f"{SECOND + 9}.0"), edited("looking into it", after=70, ts=OTHER))
        since = read(now, three)
        behind_its_back(now, update(Message).where(Message.ts == OTHER).values(text="I did it"))
        changed_since = faults(now, three)

    assert (none_yet.count, none_yet.older, none_yet.head) == (0, 3, None)
    assert (since.first, since.older, since.messages) == ([], 2, 4)
    assert changed_since == [("changed", OTHER)]


def test_a_published_head_that_is_not_in_the_books_is_found(storage: Storage, three: Incident):
    with storage.write() as db:
        reviews.of(db, three).published_head = witness.head(db, TEAM)
    published = read(storage, three)

    behind_its_back(storage, update(Review).values(published_head="0" * 64))

    assert published.count == 0
    assert faults(storage, three) == [("head", None)]
