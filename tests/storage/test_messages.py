"""Facts about messages and emoji, on both databases: whatever their order and number, the same rows."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.review.heard import MessageFact, ReactionFact, read_event, read_message, read_reactions
from storage import messages, people, reactions, reviews, verification
from storage.models import Incident, Message, Source
from storage.session import Storage

TEAM, CHANNEL = "T0SANDBOX", "C0INC"
SECOND = 1_763_474_400
TS = f"{SECOND}.000100"


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


def keep(storage: Storage, *events: dict[str, Any]) -> None:
    """Each event in a transaction of its own."""
    for event in events:
        with storage.write() as db:
            messages.keep(db, TEAM, *(fact for fact in read_event(event) if isinstance(fact, MessageFact)))


def posted(text: str = "checkout is slow", ts: str = TS, **more: Any) -> dict[str, Any]:
    return {"type": "message", "channel": CHANNEL, "user": "U0TOMAS", "text": text, "ts": ts, "event_ts": ts} | more


def edited(text: str, after: int, ts: str = TS, **more: Any) -> dict[str, Any]:
    at = f"{SECOND + after}.000000"
    message = {"user": "U0TOMAS", "text": text, "ts": ts, "edited": {"user": "U0TOMAS", "ts": at}} | more
    before = {"user": "U0TOMAS", "text": "something else", "ts": ts}
    return _wrapped("message_changed", at, message=message, previous_message=before)


def unfurled(text: str, after: int, ts: str = TS) -> dict[str, Any]:
    message = {"user": "U0TOMAS", "text": text, "ts": ts, "attachments": [{"from_url": "https://a.example", "id": 1}]}
    before = {"user": "U0TOMAS", "text": text, "ts": ts}
    return _wrapped("message_changed", f"{SECOND + after}.000000", message=message, previous_message=before)


def deleted(after: int, ts: str = TS) -> dict[str, Any]:
    before = {"user": "U0TOMAS", "text": "whatever", "ts": ts}
    return _wrapped("message_deleted", f"{SECOND + after}.000000", deleted_ts=ts, previous_message=before)


def tombstone(after: int, ts: str = TS) -> dict[str, Any]:
    message = {"user": "USLACKBOT", "subtype": "tombstone", "text": "This message was deleted.", "ts": ts}
    before = {"user": "U0TOMAS", "text": "whatever", "ts": ts}
    at = f"{SECOND + after}.000000"
    return _wrapped("message_changed", at, message=message, previous_message=before)


def _wrapped(subtype: str, at: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "subtype": subtype, "channel": CHANNEL, "ts": at, "event_ts": at, "hidden": True} | more


def held(storage: Storage, ts: str = TS, channel: str = CHANNEL) -> dict[str, Any]:
    """All that is kept of a message but its row id."""
    with storage.read() as db:
        row = messages.find(db, TEAM, channel, ts)
        assert row
        shown = {column.key: getattr(row, column.key) for column in Message.__table__.columns if column.key != "id"}
        shown["versions"] = [(v.edited_ts, v.text) for v in messages.versions_of(db, [row]).get(row.id, [])]
        shown["files"] = [(f.file_id, f.name) for f in messages.files_of(db, [row]).get(row.id, [])]
        return shown


# Messages ------------------------------------------------------------------------------


def test_a_message_is_kept_with_its_moment_and_its_plain_words(storage: Storage):
    keep(storage, posted("<@U0MARA> p99 &gt; 2 s"))

    row = held(storage)

    assert (row["text"], row["plain"]) == ("<@U0MARA> p99 &gt; 2 s", "@U0MARA p99 > 2 s")
    assert row["posted_at"] == datetime(2025, 11, 18, 14, 0, 0, 100, tzinfo=UTC)


def test_an_edit_keeps_the_earlier_wording_as_a_version(storage: Storage):
    keep(storage, posted("checkout is slow"), edited("checkout is down", 30), edited("search is down", 60))

    row = held(storage)

    assert (row["text"], row["edited_ts"]) == ("search is down", f"{SECOND + 60}.000000")
    assert row["versions"] == [("", "checkout is slow"), (f"{SECOND + 30}.000000", "checkout is down")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_what_the_bot_posts_itself_only_its_newest_wording_is_kept(storage: Storage, order: tuple[int, ...]):
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0BOT", bot_id="B0BOT", mark_key="k")
        incident = db.get_one(Incident, an_incident(db))
        reviews.begin(db, incident)
    ours = {"user": "U0BOT", "bot_id": "B0BOT"}
    said = [
        posted("it quotes a canary", **ours),
        edited("a canary still", 1, **ours),
        edited("no bird at all", 2, **ours),
    ]

    keep(storage, *(said[number] for number in order))

    with storage.still() as db:
        verdict = verification.verify(db, incident, storage.books.key)
        assert verdict.first == []
    assert (held(storage)["text"], held(storage)["versions"]) == ("no bird at all", [])


def test_an_edit_of_an_unknown_message_creates_it(storage: Storage):
    keep(storage, edited("checkout is down", 30))

    assert held(storage)["text"] == "checkout is down"


def test_the_preview_of_a_link_is_no_new_version(storage: Storage):
    keep(storage, posted("see a.example"), unfurled("see a.example", 5))

    row = held(storage)

    assert (row["attachments"], row["versions"]) == ([{"from_url": "https://a.example", "id": 1}], [])


def test_a_program_that_replaces_its_words_without_a_mark_leaves_a_version(storage: Storage):
    message = {"bot_id": "B0ALERT", "text": "resolved", "ts": TS}
    before = {"bot_id": "B0ALERT", "text": "firing", "ts": TS}
    replaced = _wrapped("message_changed", f"{SECOND + 9}.000000", message=message, previous_message=before)

    keep(storage, replaced, posted("firing", user=None, bot_id="B0ALERT", subtype="bot_message"))

    assert (held(storage)["text"], held(storage)["versions"]) == ("resolved", [("", "firing")])


@pytest.mark.parametrize("gone", [deleted(90), tombstone(90)])
def test_a_deletion_takes_the_words_for_ever_and_leaves_a_tombstone(storage: Storage, gone: dict[str, Any]):
    files = [{"id": "F0GRAPH", "name": "graph.png", "size": 12, "url_private": "https://files.example/graph.png"}]
    keep(storage, posted("secret", files=files), edited("secret too", 30), gone, edited("secret again", 60))

    row = held(storage)

    assert (row["text"], row["plain"], row["versions"], row["files"]) == ("", "", [], [("F0GRAPH", "")])
    assert (row["user_id"], row["deleted_at"]) == ("U0TOMAS", datetime(2025, 11, 18, 14, 1, 30, tzinfo=UTC))


def test_an_alert_without_text_is_kept_as_a_person_reads_it(storage: Storage):
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "FIRING: checkout p99"}}]

    keep(storage, posted("", user=None, subtype="bot_message", bot_id="B0ALERT", username="Alerts", blocks=blocks))

    row = held(storage)
    assert (row["plain"], row["bot_name"], row["subtype"]) == ("FIRING: checkout p99", "Alerts", "bot_message")


def test_a_reply_also_sent_to_the_channel_is_one_message(storage: Storage):
    reply_ts, thread = f"{SECOND + 7}.000000", {"thread_ts": TS}
    keep(storage, posted("rolled back", reply_ts, **thread))
    keep(storage, posted("rolled back", reply_ts, subtype="thread_broadcast", **thread))

    row = held(storage, reply_ts)

    assert (row["thread_ts"], row["subtype"]) == (TS, "thread_broadcast")


@pytest.mark.parametrize(
    "nonsense",
    [{"ts": "soon"}, {"ts": "9" * 30}, {"channel": "C" * 81}, {"channel": None}, {"ts": None}, {"text": None, "ts": 5}],
)
def test_what_is_not_shaped_like_slack_is_no_fact(nonsense: dict[str, Any]):
    assert read_event(posted() | nonsense) == []


def test_words_that_no_database_can_hold_are_kept_clean(storage: Storage):
    keep(storage, posted("a\0b\ud800c", blocks=[{"type": "x", "y": "\0\udfff"}]))

    assert held(storage)["text"] == "ab\ufffdc"


def test_a_thousand_messages_are_kept_at_once(storage: Storage):
    facts = [read_message({"ts": f"{SECOND + n}.000000", "text": f"no {n}"}, CHANNEL) for n in range(1_000)]

    with storage.write() as db:
        messages.keep(db, TEAM, *filter(None, facts))
        messages.keep(db, TEAM, *filter(None, facts))

    assert held(storage, f"{SECOND + 999}.000000")["text"] == "no 999"


def test_two_who_keep_the_same_messages_at_once_lose_nothing(storage: Storage):
    stamps = [f"{SECOND + n}.000000" for n in range(40)]

    def first() -> None:
        keep_at_once([posted("one", ts) for ts in stamps])

    def second() -> None:
        keep_at_once([edited("two", 100, ts) for ts in reversed(stamps)])

    def keep_at_once(events: list[dict[str, Any]]) -> None:
        with storage.keep() as db:
            messages.keep(db, TEAM, *itertools.chain(*map(read_event, events)))  # pyright: ignore[reportArgumentType]

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(first), pool.submit(second)]:
            done.result()

    ends = {(held(storage, ts)["text"], len(held(storage, ts)["versions"])) for ts in stamps}
    assert ends == {("two", 1)}


# Emoji -------------------------------------------------------------------------------------


def reaction(changed: int, kind: str = "reaction_added", name: str = "pushpin") -> list[ReactionFact]:
    item = {"type": "message", "channel": CHANNEL, "ts": TS}
    at = f"{SECOND + changed}.000000"
    event = {"type": kind, "user": "U0MARA", "reaction": name, "item": item, "event_ts": at}
    return [fact for fact in read_event(event) if isinstance(fact, ReactionFact)]


def emoji(db: Session) -> list[tuple[str, bool]]:
    return [(row.name, row.removed_at is None) for row in reactions.on(db, TEAM, CHANNEL, TS)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_word_about_an_emoji_holds(storage: Storage, order: tuple[int, ...]):
    words = [reaction(1), reaction(2, "reaction_removed"), reaction(3)]

    with storage.write() as db:
        for number in order:
            reactions.keep(db, TEAM, *words[number])

    with storage.read() as db:
        assert emoji(db) == [("pushpin", True)]


def test_skin_tones_are_left_out(storage: Storage):
    with storage.write() as db:
        reactions.keep(db, TEAM, *reaction(1, name="raised_hands::skin-tone-4"))

    with storage.read() as db:
        assert emoji(db) == [("raised_hands", True)]


def test_a_changed_emoji_waits_for_its_consequences_and_an_old_word_does_not(storage: Storage):
    keep(storage, posted())

    with storage.write() as db:
        reactions.keep(db, TEAM, *reaction(5))
        reactions.on(db, TEAM, CHANNEL, TS)[0].derived_at = datetime.now(UTC)
        reactions.keep(db, TEAM, *reaction(5), *reaction(4, "reaction_removed"))
        after_an_old_word = reactions.underived(db, TEAM)
        reactions.keep(db, TEAM, *reaction(6, "reaction_removed"))

        assert (after_an_old_word, reactions.underived(db, TEAM)) == ([], [(CHANNEL, TS)])


def test_what_history_shows_is_older_than_any_word_heard_live(storage: Storage):
    history = {"ts": TS, "reactions": [{"name": "pushpin", "users": ["U0MARA"], "count": 1}]}

    with storage.write() as db:
        reactions.keep(db, TEAM, *reaction(2, "reaction_removed"), *read_reactions(history, CHANNEL))

    with storage.read() as db:
        assert emoji(db) == [("pushpin", False)]


# Questions ---------------------------------------------------------------------------------


def an_incident(db: Session, thread: str = "", *, until: datetime | None = None) -> int:
    from_at = datetime.fromtimestamp(SECOND, UTC)
    incident = Incident(team_id=TEAM, title="Checkout", opened_at=from_at)
    db.add(incident)
    db.flush()
    place = {"channel_id": CHANNEL, "thread_ts": thread, "from_at": from_at, "until_at": until}
    db.add(Source(team_id=TEAM, incident_id=incident.id, **place))
    db.flush()
    return incident.id


def texts(db: Session, incident: int) -> list[str]:
    return [message.text for message in messages.of_incident(db, incident)]


def test_an_incident_has_the_messages_of_its_sources_while_they_were_listened_to(storage: Storage):
    before, late = f"{SECOND - 9}.000000", f"{SECOND + 900}.000000"
    keep(storage, posted("too early", before), posted("inside"), posted("too late", late))
    keep(storage, posted("in a thread", f"{SECOND + 5}.000000", thread_ts=before))

    with storage.write() as db:
        incident = an_incident(db, until=datetime.fromtimestamp(SECOND + 600, UTC))

        assert texts(db, incident) == ["inside", "in a thread"]


def test_a_thread_that_is_an_incident_is_no_part_of_its_channels_incident(storage: Storage):
    keep(storage, posted("in the channel"), posted("the thread's first", f"{SECOND + 1}.000000"))
    keep(storage, posted("its reply", f"{SECOND + 2}.000000", thread_ts=f"{SECOND + 1}.000000"))

    with storage.write() as db:
        channel, thread = an_incident(db), an_incident(db, f"{SECOND + 1}.000000")

        assert texts(db, channel) == ["in the channel"]
        assert texts(db, thread) == ["the thread's first", "its reply"]


def test_a_permalink_names_the_thread():
    url = "https://sandbox.example.com/"

    assert messages.permalink(url, "C0INC", "1763474400.000100") == (
        "https://sandbox.example.com/archives/C0INC/p1763474400000100"
    )
    assert messages.permalink(url, "C0INC", "1763474401.000000", "1763474400.000100").endswith(
        "p1763474401000000?thread_ts=1763474400.000100&cid=C0INC"
    )


def test_a_deleted_message_has_no_address():
    now, url = datetime.now(UTC), "https://sandbox.example.com/"
    message = Message(team_id=TEAM, channel_id=CHANNEL, ts=TS, posted_at=now)
    there = messages.permalink_of(message, url)

    message.deleted_at = now

    assert (there, messages.permalink_of(message, url)) == (messages.permalink(url, CHANNEL, TS), None)
    assert messages.permalink_of(None, url) is None
