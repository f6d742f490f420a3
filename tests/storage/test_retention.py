"""Retention: after the promised days the messages of a closed incident lose their words, and its report loses none."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import facilitating, formats, noting, purging, reporting, tagging, tracking
from bot.review.findings import FindingKind
from bot.review.heard import Content, FileFact, MessageFact, moment_of
from bot.review.incident import ChannelId
from storage import delivering, incidents, messages, outbox, retention, reviews
from storage.models import Message, MessageFile, MessageVersion, OutboxNote, Source
from storage.sweeping import Sweeper
from tests.canary import a_canary, rows_with
from tests.cast import CHANNEL, HERE, MARA, TEAM, Room, a_message, a_room, an_incident, mitigated

A_YEAR = timedelta(days=365)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def hear(room: Room, ts: str, text: str, edited_ts: str = "", *files: FileFact) -> None:
    content = Content(edited_ts=edited_ts, text=text)
    fact = MessageFact(channel=CHANNEL, ts=ts, how="posted", user="U0TOMAS", content=content, files=files)
    room.change(lambda db: messages.keep(db, TEAM, fact))


def tag(room: Room, ts: str) -> None:
    room.serve(tagging.tag_message, where=HERE, by=MARA, channel=CHANNEL, ts=ts, kind=None, when=None, text=None)


def close(room: Room, incident: int, *, by: str = "closed_at") -> None:
    """Over now, and no longer listened to."""

    def end(db: Session) -> None:
        setattr(reviews.of(db, incidents.get(db, incident)), by, room.now)
        incidents.stop_listening(db, incident, now=room.now)

    room.change(end)


def purge(room: Room) -> None:
    """As often as the clock has to ask."""
    for _ in range(4):
        room.serve(purging.purge_due)


def words(room: Room) -> list[str]:
    return list(room.ask(lambda db: db.scalars(select(Message.text).order_by(Message.id)).all()))


def reviewed(room: Room, incident: int) -> None:
    """A review with all its parts, published."""
    mitigated(room, incident)
    room.serve(
        noting.note_finding, where=HERE, by=MARA, kind=FindingKind.contributor, text="four times the connections"
    )
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.serve(reporting.draft, where=HERE, by=MARA)
    room.serve(reporting.publish, where=HERE, by=MARA)


def test_the_words_go_after_the_promised_days_and_not_before(room: Room):
    incident = an_incident(room)
    a_message(room, "checkout is slow")
    close(room, incident)
    before = words(room)

    room.now += A_YEAR - timedelta(minutes=1)
    purge(room)
    still = words(room)
    room.now += timedelta(minutes=1)
    purge(room)

    assert (before, still, words(room)) == (["checkout is slow"], ["checkout is slow"], [""])


@pytest.mark.parametrize("over", ["cancelled_at", "skipped_at"])
def test_an_incident_without_a_review_is_kept_as_long(room: Room, over: str):
    incident = an_incident(room)
    a_message(room, "false alarm")
    close(room, incident, by=over)
    room.now += A_YEAR

    purge(room)

    assert words(room) == [""]


def test_an_incident_that_goes_on_keeps_its_words(room: Room):
    an_incident(room)
    a_message(room, "still open")
    room.now += 3 * A_YEAR

    purge(room)

    assert words(room) == ["still open"]


def test_an_incident_that_was_reopened_keeps_its_words(room: Room):
    incident = an_incident(room)
    a_message(room, "it broke again")
    mitigated(room, incident)
    close(room, incident)
    room.serve(tracking.reopen, where=HERE, by=MARA)
    room.now += A_YEAR

    purge(room)

    assert words(room) == ["it broke again"]


def test_the_report_reads_the_same_before_and_after(room: Room):
    incident, canary = an_incident(room), a_canary()
    tagged, silent = a_message(room, f"*rolled* back & <forth> {canary}"), a_canary()
    a_message(room, f"lunch? {silent}", at=room.now + timedelta(seconds=1))
    tag(room, tagged)
    room.now += timedelta(minutes=1)
    reviewed(room, incident)
    close(room, incident)
    room.now += A_YEAR
    report = room.ask(formats.markdown, TEAM, incident)

    purge(room)
    Sweeper(room.storage).sweep(room.now)

    assert room.ask(formats.markdown, TEAM, incident) == report
    assert canary in report
    assert rows_with(room.storage.engine, silent) == []


def test_the_json_keeps_every_message_and_none_of_their_words(room: Room):
    incident = an_incident(room)
    ts = a_message(room, "first words")
    hear(room, ts, "later words", f"{moment_of(ts).timestamp() + 5:.6f}", FileFact(file_id="F1", name="graph.png"))
    close(room, incident)
    room.now += A_YEAR

    purge(room)

    (message,) = room.ask(formats.document, TEAM, incident)["messages"]
    assert (message["ts"], message["user"], message["text"], message["plain"]) == (ts, "U0TOMAS", None, None)
    assert (message["versions"], message["files"][0]["name"]) == ([], None)
    assert room.ask(lambda db: db.scalars(select(MessageVersion)).all()) == []
    assert room.ask(lambda db: db.scalars(select(MessageFile.skipped)).one()) == retention.KEPT_NO_LONGER


def test_nothing_that_is_heard_later_brings_them_back(room: Room):
    incident = an_incident(room)
    ts = a_message(room, "kept long enough")
    close(room, incident)
    room.now += A_YEAR
    purge(room)

    hear(room, ts, "kept long enough", "", FileFact(file_id="F1", name="graph.png"))
    hear(room, ts, "edited after all", f"{moment_of(ts).timestamp() + 5:.6f}")

    assert words(room) == [""]
    assert room.ask(lambda db: db.scalars(select(MessageFile)).all()) == []


def test_a_message_of_two_incidents_waits_for_the_one_that_is_kept_longer(room: Room):
    first, second = an_incident(room), an_incident(room, channel=ChannelId("C0OTHER"))
    ts = a_message(room, "seen by both")

    def share(db: Session) -> None:
        since = room.now - timedelta(hours=1)
        incident = incidents.get(db, second)
        source = Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=since, until_at=room.now)
        db.add(source)

    room.change(share)
    close(room, first)
    room.now += timedelta(days=10)
    close(room, second)

    room.now += A_YEAR - timedelta(days=1)
    purge(room)
    waiting = words(room)
    room.now += timedelta(days=1)
    purge(room)

    assert (waiting, words(room)) == (["seen by both"], [""])
    assert ts


def test_many_messages_go_in_turns_and_the_incident_says_when_none_is_left(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    incident = an_incident(room)
    for second in range(5):
        a_message(room, f"no {second}", at=room.now + timedelta(seconds=second))
    room.now += timedelta(minutes=1)
    close(room, incident)
    room.now += A_YEAR
    left: list[tuple[int, bool]] = []

    for _ in range(4):
        room.serve(purging.purge_due)
        done = room.ask(lambda db: incidents.get(db, incident).purged_at is not None)
        left.append((sum(map(bool, words(room))), done))

    assert left == [(3, False), (1, False), (0, False), (0, True)]


def test_a_message_deleted_after_that_takes_the_words_that_were_kept_for_the_report(room: Room):
    incident, canary = an_incident(room), a_canary()
    ts = a_message(room, f"look at {canary}")
    tag(room, ts)
    close(room, incident)
    room.now += A_YEAR
    purge(room)

    fact = MessageFact(channel=CHANNEL, ts=ts, how="deleted", deleted_at=room.now)
    room.change(lambda db: messages.keep(db, TEAM, fact))
    Sweeper(room.storage).sweep(room.now)

    assert rows_with(room.storage.engine, canary) == []


def test_what_the_bot_said_long_ago_is_kept_no_longer_either(room: Room):
    close(room, an_incident(room))
    said = outbox.Words(
        key="k", channel=CHANNEL, text="14:05 · note · lunch", blocks=[{"type": "divider"}], at=room.now
    )
    room.change(partial(outbox.say_once, team=TEAM, words=said))
    note = room.change(lambda db: outbox.waiting(db, TEAM)[0].id)
    sent: dict[str, Any] = {"attempt": 0, "version": 1, "channel": CHANNEL, "ts": "1.000001", "now": room.now}
    room.change(lambda db: delivering.mark_sent(db, note, **sent))
    room.now += A_YEAR

    purge(room)

    rows = room.ask(lambda db: db.execute(select(OutboxNote.text, OutboxNote.blocks, OutboxNote.state)).all())
    assert [tuple(row) for row in rows] == [("", None, "sent")]
