"""Forgetting a person: no column can be overlooked, nothing that others said is lost, and it may be done again."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, String, Text, func, select
from sqlalchemy.orm import Session

from bot import facilitating, following_up, formats, noting, reminding, reporting, tagging
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords
from bot.review.heard import Content, MessageFact, PersonFact, ReactionFact
from bot.review.pseudonym import name_of
from bot.review.pulse import Pulse, Said, mark
from storage import (
    actions,
    channels,
    delivering,
    incidents,
    messages,
    outbox,
    people,
    pseudonymising,
    pulse,
    reactions,
    reviews,
    verification,
)
from storage.models import Action, Base, Meeting, Message, OutboxNote, Person, PulseMark, Reaction
from storage.pseudonymising import IDS, OF_A_PERSON, WORDS
from storage.sweeping import Sweeper
from tests.canary import bytes_with, folder_of, rows_with
from tests.cast import CHANNEL, HERE, MARA, TEAM, TOMAS, Room, a_room, an_incident, mitigated

NEITHER = {
    "actions": "team_id state horizon category priority channel_id ts worked",
    "attendees": "team_id answer",
    "book_entries": "team_id edited_ts what salt digest link",
    "books": "team_id seed keyed leans_on older",
    "busy_times": "team_id",
    "changes": "team_id subject what",
    "channels": "team_id channel_id",
    "erased_people": "team_id mark pseudonym",
    "erasures": "team_id",
    "event_comments": "team_id",
    "findings": "team_id kind sort",
    "fits": "revision",
    "gestures": "team_id mark",
    "incidents": "team_id severity",
    "links": "team_id from_kind relation to_kind",
    "meeting_notes": "team_id topic",
    "meetings": "team_id zone channel_id thread_ts stops pulse uid",
    "memberships": "team_id channel_id",
    "message_files": "team_id file_id mimetype sha256 skipped",
    "message_versions": "team_id edited_ts redactions",
    "messages": "team_id channel_id ts thread_ts bot_id subtype edited_ts redactions hidden",
    "moments": "team_id name how",
    "outbox": "team_id kind thread_ts state posted_channel posted_ts error",
    "pauses": "team_id method",
    "pulse_marks": "team_id mark",
    "reactions": "team_id channel_id ts name changed_ts",
    "readings": "team_id why cursor reached_ts oldest_ts threads",
    "reviews": "team_id published_to published_head depth",
    "roles": "team_id role",
    "roles_asked": "team_id role answer",
    "rungs": "team_id",
    "sealed_answers": "id team_id box",
    "sealed_marks": "team_id mark",
    "sources": "team_id channel_id thread_ts cursor",
    "timeline_events": "team_id kind outcome source channel_id ts",
    "user_groups": "team_id group_id",
    "workspaces": "team_id name url bot_user bot_id mark_key witness_key",
}
"""Columns in which nobody is named: keys, places, times, words of the program's own."""
FULL, ADDRESS = "Tomasz Wiśniewski-Kowalczyk", "tomasz.w@example.com"


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    room.change(
        lambda db: people.know(
            db, TEAM, TOMAS, name=FULL, zone="Europe/London", email=ADDRESS, bot=None, gone=None, now=room.now
        )
    )
    yield room
    room.storage.close()


def say(room: Room, text: str, *, by: str = TOMAS, second: int = 0, edited: int = 0) -> str:
    ts = f"{room.now.timestamp() + second:.6f}"
    at = f"{room.now.timestamp() + edited:.6f}" if edited else ""
    content = Content(edited_ts=at, text=text, blocks=[{"type": "user", "user_id": TOMAS}])
    fact = MessageFact(channel=CHANNEL, ts=ts, how="posted", user=by, content=content)
    room.change(lambda db: messages.keep(db, TEAM, fact))
    return ts


def a_review_with_him(room: Room) -> int:
    """He leads, writes, is mentioned and named, holds an emoji, owns an action, is invited and was written to."""
    incident = an_incident(room, lead=TOMAS)
    ts = say(room, "the pods are down <@U0TOMAS>")
    say(room, f"thanks <@U0TOMAS|tomasz>, {FULL} ({ADDRESS})", by=MARA, second=1)
    say(room, f"thanks, {FULL}, all well", by=MARA, second=1, edited=9)
    emoji = ReactionFact(channel=CHANNEL, ts=ts, user=TOMAS, name="eyes", changed_ts=ts, held=True)
    room.change(lambda db: reactions.keep(db, TEAM, emoji))
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [TOMAS, MARA], now=room.now))
    room.serve(tagging.tag_message, where=HERE, by=TOMAS, channel=CHANNEL, ts=ts, kind=None, when=None, text=None)
    mitigated(room, incident)
    room.serve(
        noting.note_finding, where=HERE, by=TOMAS, kind=FindingKind.contributor, text=f"{FULL} was the only one awake"
    )
    room.serve(
        following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, None, None, "write it down, <@U0TOMAS>")
    )
    room.serve(facilitating.start, where=HERE, by=TOMAS)
    room.serve(noting.park, where=HERE, by=TOMAS, text="ask Mara")
    room.serve(facilitating.end, where=HERE, by=TOMAS)
    room.serve(reporting.draft, where=HERE, by=TOMAS)
    room.serve(reporting.publish, where=HERE, by=TOMAS)
    for number, state in enumerate(("sent", "pending")):
        note = outbox.Words(key=f"reminders:{TOMAS}:{number}", channel=TOMAS, text=f"Good morning, {FULL}", at=room.now)
        room.change(lambda db, note=note: outbox.say_once(db, TEAM, note))
        if state == "sent":
            room.change(_all_sent)
    return incident


def _all_sent(db: Session) -> None:
    for note in db.scalars(select(OutboxNote)):
        note.state, note.posted_channel, note.posted_ts = "sent", "D0TOMAS", "1.000001"


def forget(room: Room, *, transactions: int | None = None) -> str:
    """Forget him, the whole of it, or until a crash after so many transactions."""
    somebody = room.change(lambda db: pseudonymising.known(db, TEAM, TOMAS))
    pseudonym = pseudonymising.begin(room.storage, somebody, now=room.now)
    for _ in itertools.islice(pseudonymising.go_through(room.storage, somebody, pseudonym), transactions):
        pass
    if transactions is None:
        pseudonymising.finish(room.storage, somebody, pseudonym, now=room.now)
    return pseudonym


def everywhere(room: Room) -> list[str]:
    return rows_with(room.storage.engine, TOMAS, FULL, ADDRESS, FULL.encode("ascii", "backslashreplace").decode())


def count(room: Room) -> dict[str, int]:
    def look(db: Session) -> dict[str, int]:
        tables = Base.metadata.sorted_tables
        return {table.name: db.scalars(select(func.count()).select_from(table)).one() for table in tables}

    return room.ask(look)


def test_every_column_that_can_name_somebody_is_written_down():
    written = {
        (table, column)
        for named in (IDS, WORDS, {table: columns.split() for table, columns in NEITHER.items()})
        for table, columns in named.items()
        for column in columns
    }

    there = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(getattr(column.type, "impl", column.type), String | Text | JSON) and table.name not in OF_A_PERSON
    }
    assert written == there


def test_nothing_names_them_afterwards_and_nothing_else_is_lost(room: Room):
    a_review_with_him(room)
    before = count(room)

    pseudonym = forget(room)
    Sweeper(room.storage).sweep(room.now)

    after = count(room)
    assert everywhere(room) == []
    assert {table: (before[table], after[table]) for table in before if before[table] != after[table]} == {
        "book_entries": (before["book_entries"], after["book_entries"]),
        "erased_people": (0, 1),
        "erasures": (0, 1),
        "outbox": (before["outbox"], before["outbox"] - 1),
    }
    assert room.ask(lambda db: people.names(db, TEAM, [pseudonym])) == {pseudonym: name_of(pseudonym)}


def test_sqlites_file_and_log_do_not_either(room: Room):
    if room.storage.shared:
        return
    a_review_with_him(room)

    forget(room)
    Sweeper(room.storage).sweep(room.now)

    folder = folder_of(str(room.storage.engine.url))
    assert bytes_with(folder, TOMAS, FULL, ADDRESS) == []


def test_without_a_sweep_the_log_still_names_them(room: Room):
    """The twin."""
    if room.storage.shared:
        return
    a_review_with_him(room)

    forget(room)

    assert "debrief.db-wal" in bytes_with(folder_of(str(room.storage.engine.url)), ADDRESS)


def test_what_they_wrote_stays_under_the_pseudonym(room: Room):
    incident = a_review_with_him(room)

    pseudonym = forget(room)

    report = room.ask(formats.markdown, TEAM, incident)
    first = room.change(lambda db: db.scalars(select(Message).order_by(Message.id)).first())
    assert (first.user_id, first.plain) == (pseudonym, f"the pods are down @{pseudonym}")
    assert f"the pods are down @{name_of(pseudonym)}" in report
    assert f"{name_of(pseudonym)} was the only one awake" in report


def test_it_goes_on_where_it_was_interrupted(room: Room):
    a_review_with_him(room)
    first = forget(room, transactions=3)

    halfway, second = everywhere(room), forget(room)

    assert first == second
    assert halfway
    assert [place for place in everywhere(room) if "_words" not in place] == []


def test_nobody_can_work_out_any_more_what_they_tapped_and_it_still_counts(room: Room):
    an_incident(room)
    room.change(lambda db: reviews.plan(db, incidents.get(db, 1), at=room.now, by=MARA, now=room.now))
    for user in (TOMAS, MARA):
        room.change(lambda db, user=user: pulse.tap(db, meeting(db), user, Said.safe))

    forget(room)

    key = room.ask(lambda db: people.workspace(db, TEAM).mark_key)
    marks = room.ask(lambda db: db.scalars(select(PulseMark.mark)).all())
    counted = room.ask(lambda db: Pulse.from_json(meeting(db).pulse))
    assert (marks, counted.safe) == ([mark(key, 1, MARA, Said.safe)], 2)


def meeting(db: Session) -> Meeting:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[-1]


def test_pictures_that_are_to_be_seen_are_drawn_anew(room: Room):
    incident = an_incident(room)
    words = outbox.Words(key="chart:1:C0INC", channel=CHANNEL, text="The timeline.", incident=incident, at=room.now)
    room.change(lambda db: outbox.show(db, TEAM, words))
    note = room.change(lambda db: outbox.find(db, TEAM, words.key))
    said: dict[str, Any] = {"attempt": 1, "version": 1, "channel": CHANNEL, "ts": ""}
    room.change(lambda db: delivering.mark_sent(db, note.id, **said, now=room.now))

    forget(room)

    note = room.change(lambda db: outbox.find(db, TEAM, words.key))
    assert (note.state, note.version) == ("pending", 2)


def test_doing_it_again_changes_nothing(room: Room):
    a_review_with_him(room)
    forget(room)

    somebody = room.change(lambda db: pseudonymising.known(db, TEAM, TOMAS))

    assert room.ask(pseudonymising.count, somebody) == 0


def test_what_slack_says_of_them_later_names_the_pseudonym(room: Room):
    a_review_with_him(room)
    pseudonym = forget(room)
    profile = PersonFact(user_id=TOMAS, name=FULL, zone="Europe/London", email=ADDRESS, is_bot=False, deleted=False)

    say(room, "the pods are down <@U0TOMAS>", second=30)
    room.change(lambda db: channels.keep_person(db, TEAM, profile, now=room.now))

    assert [place for place in everywhere(room) if "_words" not in place] == []
    person = room.change(lambda db: db.get(Person, (TEAM, pseudonym)))
    assert (person.name, person.email, person.gone_since is not None) == (name_of(pseudonym), None, True)


def test_an_emoji_that_came_back_under_the_pseudonym_meanwhile_is_there_once(room: Room):
    incident = an_incident(room)
    ts = say(room, "rolled back")
    emoji = ReactionFact(channel=CHANNEL, ts=ts, user=TOMAS, name="eyes", changed_ts=ts, held=True)
    room.change(lambda db: reactions.keep(db, TEAM, emoji))
    somebody = room.change(lambda db: pseudonymising.known(db, TEAM, TOMAS))
    pseudonym = pseudonymising.begin(room.storage, somebody, now=room.now)
    room.change(lambda db: reactions.keep(db, TEAM, emoji))

    forget(room)

    assert list(room.ask(lambda db: db.scalars(select(Reaction.user_id)).all())) == [pseudonym]
    assert incident


def test_the_reminders_stop_and_who_answers_for_the_review_hears_of_it(room: Room):
    incident = an_incident(room, lead=MARA)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(TOMAS, None, None, "write it down"))
    pseudonym = forget(room)
    room.now += timedelta(days=5)
    room.now = room.now.replace(hour=10)

    room.serve(reminding.remind_due)

    action = room.change(lambda db: db.scalars(select(Action)).one())
    assert (action.owner, room.transcript(TOMAS), room.transcript(pseudonym)) == (pseudonym, [], [])
    (told,) = room.transcript(MARA)
    assert name_of(pseudonym) in told
    assert room.ask(lambda db: [one.number for one, _ in actions.still_open(db, TEAM)]) == [1]
    assert incident


def test_the_archive_is_whole_afterwards(room: Room):
    incident = a_review_with_him(room)

    forget(room)

    assert verdict(room, incident) == []


def verdict(room: Room, incident: int) -> list[verification.Found]:
    with room.storage.still() as db:
        return verification.verify(db, incidents.get(db, incident), None).first
