"""What waits to be said: claimed one to a channel, in order, and settled only by whoever holds the attempt."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from storage import delivering, outbox, people
from storage.models import ANSWER, OutboxNote
from storage.outbox import Words
from storage.session import Storage

TEAM = "T1"
NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="", bot_id="", mark_key="k")
    yield storage
    storage.close()


def say(storage: Storage, key: str, *, to: str = "C1", live: str = "", **more: Any) -> None:
    write = outbox.say_live if live else outbox.say_once
    with storage.write() as db:
        write(db, TEAM, Words(**{"key": key, "channel": to, "text": live or key, "at": NOW} | more))


def claim(storage: Storage, now: datetime = NOW, at_most: int = 20) -> dict[str, tuple[int, int]]:
    """The keys claimed, each with its row and its attempt."""
    with storage.write() as db:
        return {n.key: (n.id, n.attempts) for n in delivering.claim(db, TEAM, now=now, at_most=at_most)}


def settle(storage: Storage, note: tuple[int, int], version: int = 1, ts: str = "1.0") -> None:
    with storage.write() as db:
        delivering.mark_sent(db, note[0], attempt=note[1], version=version, channel="C1", ts=ts, now=NOW)


def later(storage: Storage, note: tuple[int, int], wait: timedelta) -> None:
    with storage.write() as db:
        delivering.mark_later(db, note[0], attempt=note[1], until=NOW + wait, error="ratelimited")


def whole(storage: Storage, key: str) -> OutboxNote:
    with storage.read() as db:
        note = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
        db.expunge(note)
        return note


def state(storage: Storage, key: str) -> str:
    return whole(storage, key).state


def test_of_each_channel_the_first_is_taken(storage: Storage):
    for key, channel in (("a1", "C1"), ("b1", "C2"), ("a2", "C1")):
        say(storage, key, to=channel)

    assert list(claim(storage)) == ["a1", "b1"]
    assert claim(storage) == {}


def test_no_more_are_taken_than_can_be_carried(storage: Storage):
    for n in range(5):
        say(storage, f"n{n}", to=f"C{n}")

    assert len(claim(storage, at_most=2)) == 2


def test_the_next_follows_when_the_first_is_said(storage: Storage):
    say(storage, "one")
    say(storage, "two")

    settle(storage, claim(storage)["one"])

    assert list(claim(storage)) == ["two"]


def test_what_was_told_to_wait_is_not_overtaken(storage: Storage):
    say(storage, "one")
    say(storage, "two")
    later(storage, claim(storage)["one"], 5 * MINUTE)

    assert claim(storage, NOW + 4 * MINUTE) == {}
    assert list(claim(storage, NOW + 5 * MINUTE)) == ["one"]


def test_what_is_meant_for_later_is_overtaken(storage: Storage):
    say(storage, "tomorrow", not_before=NOW + timedelta(days=1))
    say(storage, "now")

    assert list(claim(storage)) == ["now"]


def test_words_wait_for_no_picture_that_is_on_its_way_or_was_told_to_wait(storage: Storage):
    with storage.write() as db:
        outbox.show(db, TEAM, Words(key="picture", channel="C1", text="the timeline", at=NOW))

    picture = claim(storage)["picture"]
    say(storage, "words")
    on_its_way = claim(storage)
    settle(storage, on_its_way["words"])
    later(storage, picture, MINUTE)
    say(storage, "more words")

    assert [*on_its_way] == ["words"]
    assert [*claim(storage)] == ["more words"]


def test_a_channel_has_one_note_under_way_whatever_becomes_due(storage: Storage):
    say(storage, "soon", not_before=NOW + MINUTE)
    say(storage, "now")
    claim(storage)

    assert claim(storage, NOW + 2 * MINUTE) == {}


def answer(storage: Storage, key: str, *, to: str, place: str) -> None:
    with storage.write() as db:
        outbox.whisper(db, TEAM, Words(key=f"whisper:{key}", channel=place, user=to, text=key, at=NOW))


@pytest.mark.parametrize("place", ["C9", "U9"])
def test_an_answer_goes_ahead_of_what_nobody_waits_for(storage: Storage, place: str):
    for n in range(200):
        say(storage, f"n{n}", to=f"U{1000 + n}")
    answer(storage, "answer", to="U9", place=place)

    assert list(claim(storage, at_most=3)) == ["whisper:answer", "n0", "n1"]


def test_a_report_that_somebody_asked_for_is_an_answer(storage: Storage):
    say(storage, "n", to="C1")
    with storage.write() as db:
        outbox.show(db, TEAM, Words(key="page:pdf:7:U9", channel="U9", text="", incident=7, at=NOW))

    assert list(claim(storage, at_most=1)) == ["page:pdf:7:U9"]


def test_within_a_channel_an_answer_waits_for_what_was_written_before(storage: Storage):
    say(storage, "before", to="C1")
    answer(storage, "answer", to="U9", place="C1")

    assert list(claim(storage)) == ["before"]


def test_only_answers_are_taken_where_there_is_no_room_for_more(storage: Storage):
    say(storage, "n", to="C1")
    answer(storage, "answer", to="U9", place="C9")

    with storage.write() as db:
        claimed = delivering.claim(db, TEAM, now=NOW, at_most=20, rank=ANSWER)

    assert [note.key for note in claimed] == ["whisper:answer"]


def test_what_somebody_is_in_the_middle_of_is_left_alone(storage: Storage):
    say(storage, "held", to="C1")
    say(storage, "after it", to="C1")
    say(storage, "free", to="C2")

    with storage.write() as db:
        claimed = delivering.claim(db, TEAM, now=NOW, at_most=20, take=lambda note: note.key != "held")

    assert [note.key for note in claimed] == ["free"]
    assert state(storage, "held") == "pending"


def test_two_who_ask_at_once_never_get_the_same(storage: Storage):
    for n in range(30):
        say(storage, f"n{n}", to=f"C{n}")

    with ThreadPoolExecutor(4) as pool:
        found = [key for keys in pool.map(lambda _: list(claim(storage)), range(8)) for key in keys]

    assert sorted(found) == sorted(f"n{n}" for n in range(30))


@pytest.mark.postgres
def test_what_somebody_is_just_claiming_keeps_nobody_waiting(postgresql_url: str):
    storage = Storage(postgresql_url)
    say(storage, "a1", to="C1")
    say(storage, "b1", to="C2")

    with storage.write() as one, storage.write() as other:
        first = [note.key for note in delivering.claim(one, TEAM, now=NOW, at_most=1)]
        other.execute(text("SET LOCAL lock_timeout = '30s'"))
        then = [note.key for note in delivering.claim(other, TEAM, now=NOW, at_most=20)]

    storage.close()
    assert (first, then) == (["a1"], ["b1"])


def test_who_lost_the_attempt_settles_nothing(storage: Storage):
    say(storage, "one")
    first = claim(storage)["one"]
    later(storage, first, timedelta())
    second = claim(storage)["one"]

    later(storage, first, timedelta())
    with storage.write() as db:
        delivering.mark_dead(db, first[0], attempt=first[1], error="is_archived")

    assert second == (first[0], first[1] + 1)
    assert state(storage, "one") == "sending"


def test_what_was_said_in_an_attempt_is_not_unsaid_by_it(storage: Storage):
    say(storage, "a")
    note, attempt = claim(storage)["a"]
    settle(storage, (note, attempt))

    with storage.write() as db:
        delivering.mark_dead(db, note, attempt=attempt, error="is_archived")
        delivering.mark_uncertain(db, note, attempt=attempt, until=NOW)
    later(storage, (note, attempt), MINUTE)

    assert (state(storage, "a"), whole(storage, "a").error) == ("sent", None)


def test_a_newer_version_waits_again_when_the_one_before_is_said(storage: Storage):
    say(storage, "agenda", live="Opening")
    note = claim(storage)["agenda"]
    say(storage, "agenda", live="Summary")

    during = state(storage, "agenda")
    settle(storage, note)

    assert (during, state(storage, "agenda")) == ("sending", "pending")


def lost(storage: Storage, note: tuple[int, int]) -> None:
    """Nobody holds it any more, it was looked up, and nothing was found."""
    later(storage, note, timedelta())


def test_an_old_version_that_lands_after_the_newest_lets_the_newest_be_said_once_more(storage: Storage):
    say(storage, "agenda", live="Opening")
    paused = claim(storage)["agenda"]
    lost(storage, paused)
    say(storage, "agenda", live="Summary")
    settle(storage, claim(storage)["agenda"], version=2)
    before = state(storage, "agenda")

    settle(storage, paused, version=1)
    again = claim(storage)["agenda"]
    settle(storage, again, version=3)

    assert (before, state(storage, "agenda")) == ("sent", "sent")
    assert whole(storage, "agenda").text == "Summary"


def test_an_old_version_that_lands_while_the_newest_is_said_lets_it_be_said_once_more(storage: Storage):
    say(storage, "agenda", live="Opening")
    settle(storage, claim(storage)["agenda"])
    say(storage, "agenda", live="Summary")
    settle(storage, claim(storage)["agenda"], version=2)
    say(storage, "agenda", live="Timeline")
    now = claim(storage)["agenda"]

    settle(storage, (now[0], now[1] - 2), version=1)
    during = state(storage, "agenda")
    settle(storage, now, version=3)

    assert (during, state(storage, "agenda")) == ("sending", "pending")


def test_what_was_said_as_two_messages_stays_the_one_that_was_written_down(storage: Storage):
    say(storage, "one")
    paused = claim(storage)["one"]
    lost(storage, paused)
    settle(storage, claim(storage)["one"], ts="2.0")

    settle(storage, paused, ts="1.0")

    assert (whole(storage, "one").posted_ts, state(storage, "one")) == ("2.0", "sent")


def test_a_yes_that_comes_late_is_a_yes(storage: Storage):
    say(storage, "one")
    slow = claim(storage)["one"]
    lost(storage, slow)

    settle(storage, slow)

    assert (whole(storage, "one").posted_ts, state(storage, "one")) == ("1.0", "sent")


def test_a_late_yes_does_not_tell_what_becomes_of_what_is_said_this_moment(storage: Storage):
    say(storage, "one")
    slow = claim(storage)["one"]
    lost(storage, slow)
    claim(storage)

    settle(storage, slow)

    assert (whole(storage, "one").posted_ts, state(storage, "one")) == ("1.0", "sending")


def test_what_is_found_in_a_version_that_nobody_knows_does_not_unsay_a_later_yes(storage: Storage):
    say(storage, "a")
    note = claim(storage)["a"]
    settle(storage, note)

    settle(storage, note, version=0)

    assert state(storage, "a") == "sent"


def test_files_are_written_down_by_whose_attempt_it_is(storage: Storage):
    say(storage, "one")
    paused = claim(storage)["one"]
    lost(storage, paused)
    now = claim(storage)["one"]

    with storage.write() as db:
        done = [delivering.mark_files(db, note[0], [], attempt=note[1], now=NOW + MINUTE) for note in (paused, now)]

    assert done == [False, True]
    assert whole(storage, "one").attempted_at == NOW + MINUTE


def test_newer_words_keep_the_place_of_those_that_wait_already(storage: Storage):
    say(storage, "agenda", live="Opening")
    say(storage, "after it", at=NOW + timedelta(seconds=1))
    say(storage, "agenda", live="Summary", at=NOW + timedelta(seconds=5))

    # Who claims looked at the clock before the newer words were there.
    claimed = claim(storage, NOW + timedelta(seconds=3))

    assert list(claimed) == ["agenda"]


def test_the_same_words_are_no_new_version(storage: Storage):
    say(storage, "agenda", live="Opening")
    settle(storage, claim(storage)["agenda"])

    say(storage, "agenda", live="Opening")

    assert state(storage, "agenda") == "sent"


def test_a_live_note_that_was_given_up_is_tried_again_with_new_words(storage: Storage):
    say(storage, "agenda", live="Opening")
    note = claim(storage)["agenda"]
    with storage.write() as db:
        delivering.mark_dead(db, note[0], attempt=note[1], error="not_in_channel")

    say(storage, "agenda", live="Summary")

    assert list(claim(storage)) == ["agenda"]


def test_uncertain_is_what_is_known_to_be_or_was_left_behind(storage: Storage):
    for key, channel in (("left", "C1"), ("known", "C2"), ("fresh", "C3")):
        say(storage, key, to=channel, not_before=NOW if key != "fresh" else NOW + 10 * MINUTE)
    known = claim(storage)["known"]
    with storage.write() as db:
        delivering.mark_uncertain(db, known[0], attempt=known[1], until=NOW + 3 * MINUTE)
    claim(storage, NOW + 10 * MINUTE)

    def asked(after: timedelta) -> list[str]:
        with storage.read() as db:
            return [n.key for n in delivering.uncertain(db, TEAM, now=NOW + after, patience=5 * MINUTE)]

    assert [asked(minutes * MINUTE) for minutes in (2, 3, 5, 15)] == [
        [],
        ["known"],
        ["left", "known"],
        ["left", "known", "fresh"],
    ]


def test_what_was_told_to_wait_and_is_left_behind_at_the_next_try_is_uncertain(storage: Storage):
    say(storage, "a")
    later(storage, claim(storage)["a"], MINUTE)

    claim(storage, NOW + MINUTE)

    with storage.read() as db:
        left = [note.key for note in delivering.uncertain(db, TEAM, now=NOW + 3 * MINUTE, patience=MINUTE)]
    assert left == ["a"]


def test_what_another_workspace_says_in_a_shared_channel_keeps_nobody_waiting(storage: Storage):
    with storage.write() as db:
        outbox.say_once(db, "T2", Words(key="theirs", channel="C1", text="theirs", at=NOW))
        theirs = delivering.claim(db, "T2", now=NOW, at_most=1)
    say(storage, "ours")

    assert [note.key for note in theirs] == ["theirs"]
    assert [*claim(storage)] == ["ours"]


def test_what_waits_and_what_never_will_be_said_can_be_asked(storage: Storage):
    say(storage, "waits")
    say(storage, "dies", to="C2")
    note = claim(storage)["dies"]
    with storage.write() as db:
        delivering.mark_dead(db, note[0], attempt=note[1], error="is_archived")

    with storage.read() as db:
        assert [n.key for n in outbox.waiting(db, TEAM)] == ["waits"]
        assert [(n.key, n.error) for n in outbox.dead(db, TEAM)] == [("dies", "is_archived")]


def at_once(storage: Storage, first: Words, second: Words, *, live: str = "") -> None:
    """Two turns write under one key: the second begins before the first is committed."""
    write = outbox.say_live if live else outbox.say_once

    def later() -> None:
        with storage.write() as db:
            write(db, TEAM, second)

    with ThreadPoolExecutor(1) as pool:
        with storage.write() as db:
            write(db, TEAM, first)
            waiting = pool.submit(later)
            time.sleep(0.2)
        waiting.result()


def words(text: str) -> Words:
    return Words(key="agenda:1", channel="C1", text=text, at=NOW)


def test_what_two_replicas_say_at_once_is_written_once(storage: Storage):
    at_once(storage, words("hello"), words("hello"))

    with storage.read() as db:
        assert [(note.text, note.version) for note in db.scalars(select(OutboxNote))] == [("hello", 1)]


def test_newer_words_are_not_lost_to_those_written_at_once(storage: Storage):
    at_once(storage, words("one"), words("two"), live="live")
    at_once(storage, words("three"), words("four"), live="live")

    with storage.read() as db:
        assert [(note.text, note.version) for note in db.scalars(select(OutboxNote))] == [("four", 4)]


# However much was said before -------------------------------------------------------------


def test_what_is_asked_every_other_second_does_not_look_through_what_was_said(sqlite_url: str):
    storage = Storage(sqlite_url)
    asked: list[tuple[str, Any]] = []
    event.listen(storage.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    with storage.write() as db:
        delivering.is_due(db, TEAM, now=NOW)
        delivering.claim(db, TEAM, now=NOW, at_most=20)
        delivering.uncertain(db, TEAM, now=NOW, patience=MINUTE)

    with storage.read() as db:
        plan = [step for query, given in asked[1:] for step in _plan(db, query, given)]

    through_notes = [step for step in plan if "outbox" in step]
    assert through_notes
    assert [step for step in through_notes if "state=?" not in step] == []
    storage.close()


def _plan(db: Session, query: str, given: Any) -> list[str]:
    return [row[3] for row in db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", given)]
