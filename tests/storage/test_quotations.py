"""Deleting: a deleted message's words leave whatever quotes them, and nobody else's words go with them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import facilitating, following_up, formats, noting, reporting, searching, tagging, tracking, walking
from bot.review.findings import FindingKind
from bot.review.heard import Content, MessageFact, ReactionFact
from bot.review.incident import ChannelId, Place, UserId
from bot.review.quotes import DELETED
from storage import delivering, incidents, messages, outbox, people, quotations, reactions, verification
from storage.incidents import Where
from storage.models import Action, Change, Erasure, Finding, Incident, OutboxNote, Review, TimelineEvent
from storage.sweeping import Sweeper
from tests.canary import a_canary, rows_with
from tests.cast import CHANNEL, HERE, MARA, NOVEMBER_18, TEAM, TOMAS, Room, a_message, a_room, an_incident, mitigated


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def delete(room: Room, ts: str, channel: str = CHANNEL, at: datetime | None = None) -> None:
    fact = MessageFact(channel=channel, ts=ts, how="deleted", deleted_at=at or room.now)
    room.change(lambda db: messages.keep(db, TEAM, fact))


def tag(room: Room, ts: str, text: str | None = None) -> None:
    room.serve(tagging.tag_message, where=HERE, by=MARA, channel=CHANNEL, ts=ts, kind=None, when=None, text=text)


def clip(room: Room, ts: str) -> None:
    """Propose an action by the emoji."""
    changed = f"{room.now.timestamp():.6f}"
    fact = ReactionFact(channel=CHANNEL, ts=ts, user=MARA, name="clipboard", changed_ts=changed, held=True)
    room.change(lambda db: reactions.keep(db, TEAM, fact))
    room.serve(following_up.propose_from_reaction, channel=CHANNEL, ts=ts)


def all_said(room: Room) -> None:
    """Let every note that waits be said in Slack."""

    def say(db: Session) -> None:
        for note in db.scalars(select(OutboxNote)):
            said = {"version": note.version, "channel": note.channel_id, "ts": "1.000001"}
            delivering.mark_sent(db, note.id, attempt=note.attempts, **said, now=room.now)

    room.change(say)


def the(room: Room, table: Any) -> Any:
    return room.change(lambda db: db.scalars(select(table)).one())


def notes(room: Room, key: str) -> list[OutboxNote]:
    return room.change(lambda db: list(db.scalars(select(OutboxNote).where(OutboxNote.key.startswith(key)))))


def a_whole_review(room: Room, ts: str, quoted: str) -> None:
    """Everything that may quote a message, does."""
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.contributor, text=f"it said “{quoted}” there")
    room.serve(tagging.comment_event, where=HERE, by=MARA, number=1, text=f"{quoted}, and nobody saw it")
    room.serve(facilitating.start, where=HERE, by=MARA)
    for _ in range(2):
        room.serve(facilitating.advance, where=HERE, by=MARA)
    room.serve(walking.answer_stop, where=HERE, by=MARA, number=1, text=f"I had read {quoted}")
    room.serve(noting.park, where=HERE, by=MARA, text=f"why {quoted}")
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.serve(reporting.draft, where=HERE, by=MARA)
    room.serve(reporting.publish, where=HERE, by=MARA)


def test_no_row_says_a_deleted_message_any_more(room: Room):
    incident, canary = an_incident(room), a_canary()
    ts = a_message(room, f"the dump of <@U0TOMAS> is at {canary}, all of it", by=TOMAS)
    tag(room, ts)
    clip(room, ts)
    mitigated(room, incident)
    a_whole_review(room, ts, f"the dump of @Tomas is at {canary}, all of it")
    all_said(room)
    before = rows_with(room.storage.engine, canary)

    delete(room, ts)
    Sweeper(room.storage).sweep(room.now)

    assert {"findings.text", "actions.text", "event_comments.text", "reviews.draft", "outbox.blocks"} <= set(before)
    assert {"timeline_events.answer", "changes.after", "meeting_notes.text", "messages.plain"} <= set(before)
    assert rows_with(room.storage.engine, canary) == []


def test_a_picture_that_shows_the_words_is_drawn_anew_without_them(room: Room):
    incident, canary = an_incident(room), a_canary()
    ts = a_message(room, f"the dump is at {canary}")
    tag(room, ts)
    mitigated(room, incident)
    a_whole_review(room, ts, "nothing of it")
    all_said(room)
    before = picture(room, incident)

    delete(room, ts)

    (note,) = notes(room, "chart:")
    assert canary in before
    assert (note.state, note.version) == ("pending", 2)
    assert canary not in picture(room, incident)


def picture(room: Room, incident: int) -> str:
    drawn = room.ask(formats.picture, TEAM, incident)
    return drawn.svg if drawn else ""


def test_a_deletion_elsewhere_leaves_the_picture_alone(room: Room):
    incident, elsewhere = an_incident(room), ChannelId("C0OTHER")
    tag(room, a_message(room, "rolled back to v41"))
    an_incident(room, channel=elsewhere)
    ts = a_message(room, "rolled back to v41", channel=elsewhere)
    mitigated(room, incident)
    a_whole_review(room, ts, "nothing of it")
    all_said(room)

    delete(room, ts, channel=elsewhere)

    (note,) = notes(room, "chart:")
    assert (note.state, note.version) == ("sent", 1)


def test_its_event_stays_and_says_that_the_words_were_deleted(room: Room):
    incident = an_incident(room)
    ts = a_message(room, "rolled back to v41")
    tag(room, ts)

    delete(room, ts)

    event = the(room, TimelineEvent)
    assert (event.number, event.text, event.dropped_at) == (1, None, None)
    assert "the words were deleted" in room.ask(formats.markdown, TEAM, incident)


def test_a_wording_of_somebody_elses_stays_unless_it_quotes_the_message(room: Room):
    an_incident(room)
    own, quoting = a_message(room, "rolled back"), a_message(room, "pods down", at=room.now + timedelta(seconds=1))
    tag(room, own, text="version 41 again")
    tag(room, quoting, text="seen by the pager: pods down, all of them")

    delete(room, own)
    delete(room, quoting)

    texts = room.ask(lambda db: db.scalars(select(TimelineEvent.text).order_by(TimelineEvent.number)).all())
    assert texts == ["version 41 again", f"seen by the pager: {DELETED}, all of them"]


def test_an_action_proposed_from_it_keeps_its_number_and_owner_and_loses_its_words(room: Room):
    an_incident(room)
    ts = a_message(room, "buy a bigger disk")
    clip(room, ts)

    delete(room, ts)

    action = the(room, Action)
    assert (action.number, action.owner, action.text) == (1, MARA, DELETED)


def test_what_other_people_say_in_common_words_is_left(room: Room):
    an_incident(room)
    ts = a_message(room, "rolled back")
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.mitigator, text="we rolled back in minutes")

    delete(room, ts)

    assert the(room, Finding).text == "we rolled back in minutes"


def test_what_was_posted_with_its_words_is_said_again_without_them_and_a_whisper_only_forgets_them(room: Room):
    incident, words = an_incident(room), "the password is hunter2-hunter2"
    ts = a_message(room, words)
    tag(room, ts)
    mitigated(room, incident)
    for key, kind in (("posted", "once"), ("waiting", "once"), ("whisper:1", "whisper")):
        said = outbox.Words(key=key, channel=CHANNEL, user=MARA, text=f"14:05 · note · {words}", at=room.now)
        room.change(
            lambda db, said=said, kind=kind: getattr(outbox, {"once": "say_once"}.get(kind, kind))(db, TEAM, said)
        )
        if key != "waiting":
            all_said(room)

    delete(room, ts)

    found = {note.key: (note.text, note.state, note.version) for note in notes(room, "") if note.kind != "mark"}
    without = f"14:05 · note · {DELETED}"
    assert found == {
        "posted": (without, "pending", 2),
        "waiting": (without, "pending", 2),
        "whisper:1": (without, "sent", 1),
    }


OLDER = "the card processor refused every third payment"


def paste(room: Room, *texts: str) -> list[str]:
    """Somebody quotes each of these in a message, five days later."""
    room.pass_time(days=5)
    return [a_message(room, text, at=room.now + timedelta(seconds=n), by=TOMAS) for n, text in enumerate(texts)]


def changes(room: Room) -> list[tuple[str | None, str | None]]:
    return room.ask(lambda db: [(row.before, row.after) for row in db.scalars(select(Change).order_by(Change.id))])


def test_of_what_we_said_twice_one_may_go_and_the_other_keeps_its_words(room: Room):
    an_incident(room)
    words = outbox.Words(key="summary", channel=CHANNEL, text="The pods were restarted by hand.", at=room.now)
    room.change(lambda db: outbox.say_once(db, TEAM, words))
    ours = room.change(lambda db: people.workspace(db, TEAM).bot_user)
    kept, doubled = (a_message(room, words.text, by=UserId(ours), at=room.now + timedelta(seconds=n)) for n in (1, 2))

    def stands(ts: str) -> None:
        there = update(OutboxNote).where(OutboxNote.key == "summary")
        room.change(
            lambda db: db.execute(there.values(posted_channel=CHANNEL, posted_ts=ts, state="sent", sent_at=NOVEMBER_18))
        )

    stands(kept)
    delete(room, doubled)
    (after,) = notes(room, "summary")
    delete(room, kept)
    (afterwards,) = notes(room, "summary")

    assert after.text == words.text
    assert DELETED in afterwards.text


def test_whoever_quotes_older_words_and_deletes_the_quotation_takes_nothing_from_the_original(room: Room):
    incident = an_incident(room)
    ts = a_message(room, "hm")
    tag(room, ts, text="Mara saw the queue grow by the minute")
    room.serve(tracking.set_summary, where=HERE, by=MARA, text=OLDER)
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.contributor, text="nobody was paged for it")
    before = changes(room)
    quoting = paste(room, OLDER, "Mara saw the queue grow by the minute", "nobody was paged for it")
    mitigated(room, incident)
    a_whole_review(room, ts, "something else")

    for one in quoting:
        delete(room, one)

    assert the(room, Incident).summary == OLDER
    events, findings = select(TimelineEvent.text).order_by(TimelineEvent.id), select(Finding.text).order_by(Finding.id)
    assert room.ask(lambda db: db.scalars(events).first()) == "Mara saw the queue grow by the minute"
    assert room.ask(lambda db: db.scalars(findings).first()) == "nobody was paged for it"
    assert changes(room)[: len(before)] == before
    assert OLDER in the(room, Review).draft
    assert DELETED not in json.dumps([note.text for note in notes(room, "")])


def test_a_quotation_written_into_the_summary_later_goes_though_the_incident_is_older(room: Room):
    an_incident(room)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text="we look into it")
    (ts,) = paste(room, OLDER)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text=f"Tomas says {OLDER}")

    delete(room, ts)

    assert the(room, Incident).summary == f"Tomas says {DELETED}"
    assert changes(room)[-1] == ("we look into it", f"Tomas says {DELETED}")


def test_an_original_stays_in_the_history_though_it_was_replaced_after_the_quotation(room: Room):
    an_incident(room)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text=OLDER)
    (ts,) = paste(room, OLDER)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text="all is known now")

    delete(room, ts)

    assert changes(room)[-1] == (OLDER, "all is known now")


def test_what_a_message_was_edited_to_takes_nothing_written_before_the_edit(room: Room):
    an_incident(room)
    (ts,) = paste(room, "one moment")
    room.pass_time(days=1)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text=OLDER)
    room.pass_time(days=1)
    edited = Content(edited_ts=f"{room.now.timestamp():.6f}", text=OLDER)
    room.change(lambda db: messages.keep(db, TEAM, MessageFact(channel=CHANNEL, ts=ts, how="changed", content=edited)))

    delete(room, ts)

    assert the(room, Incident).summary == OLDER


def test_what_is_said_in_another_incident_is_left(room: Room):
    an_incident(room)
    elsewhere = ChannelId("C0OTHER")
    an_incident(room, channel=elsewhere)
    ts = a_message(room, OLDER)
    there = Where(Place(elsewhere))
    room.serve(noting.note_finding, where=there, by=MARA, kind=FindingKind.contributor, text=OLDER)

    delete(room, ts)

    assert the(room, Finding).text == OLDER


@pytest.mark.parametrize(
    "words",
    [
        "Сегодня очередь переполнена и никто не видит",
        "Äöü ßß für die Übergabe an München",
        "決済キューが 一杯です 2026-11-18 14:02",
        "!!! … 😀 😀 hunter2-hunter2",
    ],
)
def test_words_are_found_whatever_letters_they_begin_with(room: Room, words: str):
    an_incident(room)
    ts = a_message(room, words)
    room.serve(noting.note_finding, where=HERE, by=MARA, kind=FindingKind.contributor, text=f"seen: {words.upper()}")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": words}}]
    said = outbox.Words(key="said", channel=CHANNEL, text="a list", blocks=blocks, at=room.now)
    room.change(lambda db: outbox.say_once(db, TEAM, said))

    delete(room, ts)

    assert the(room, Finding).text.startswith(f"seen: {DELETED}")
    assert DELETED in json.dumps(notes(room, "said")[0].blocks)


def test_deleting_twice_erases_once(room: Room):
    an_incident(room)
    ts = a_message(room, "once")

    delete(room, ts)
    delete(room, ts)

    assert the(room, Erasure).swept_at is None


def test_without_following_the_copies_the_words_stay_in_the_outbox(room: Room, monkeypatch: pytest.MonkeyPatch):
    """The twin: the same message deleted, and nothing done about its copies."""
    incident, canary = an_incident(room), a_canary()
    ts = a_message(room, f"the dump is at {canary}")
    tag(room, ts)
    mitigated(room, incident)
    a_whole_review(room, ts, f"the dump is at {canary}")
    monkeypatch.setattr(quotations, "follow", lambda *_: None)

    delete(room, ts)

    assert {"outbox.text", "reviews.draft"} <= set(rows_with(room.storage.engine, canary))


def test_neither_an_export_nor_a_search_nor_the_witness_misses_or_finds_them(room: Room):
    incident, canary = an_incident(room), a_canary()
    content = Content(text=f"the dump is at {canary}")
    ts = f"{room.now.timestamp():.6f}"
    said = MessageFact(channel=CHANNEL, ts=ts, how="posted", user=TOMAS, content=content)
    room.change(lambda db: messages.keep(db, TEAM, said))
    tag(room, ts)
    found = room.serve(searching.find, by=MARA, words=canary)

    delete(room, ts)

    exported = json.dumps(room.ask(formats.document, TEAM, incident)) + room.ask(formats.markdown, TEAM, incident)
    assert canary in found.replace(f"“{canary}”", "", 1)
    assert canary not in exported
    assert room.serve(searching.find, by=MARA, words=canary).count(canary) == 1
    with room.storage.still() as db:
        assert verification.verify(db, incidents.get(db, incident), None).first == []
