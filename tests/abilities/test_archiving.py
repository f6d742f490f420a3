from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

import bot.sandbox
from bot import archiving, exports, formats, importing, tagging
from bot.review.heard import ReactionFact, read_message
from bot.review.history import LAG, Page, Why
from bot.review.incident import ChannelId
from bot.review.lifecycle import Roles
from storage import channels, incidents, messages, people, pseudonyms, reactions, readings, reviews, timeline
from storage.models import OutboxNote
from tests.cast import CHANNEL, JONAS, MARA, NOVEMBER_18, TEAM, TOMAS, Room, an_incident

SAMPLE = Path(bot.sandbox.__file__).parent / "sample"
START = int((NOVEMBER_18 - timedelta(hours=1)).timestamp())


def said(text: str, second: int, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": TOMAS, "text": text, "ts": f"{START + second}.000000"} | more


def pinned(by: str = MARA) -> list[dict[str, Any]]:
    return [{"name": "pushpin", "users": [by], "count": 1}]


def an_open_source(room: Room) -> tuple[int, int]:
    incident = an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=1))
    return incident, room.ask(lambda db: incidents.sources(db, incident)[0].id)


def read(room: Room, source: int, *pages: Page, why: Why = Why.opening) -> None:
    """Read a source to its end: these pages, one after another."""
    room.serve(archiving.begin_reading, source_id=source, why=why)
    for page in pages:
        take_in(room, source, page)
    room.serve(archiving.finish_reading, source_id=source)


def take_in(room: Room, source: int, page: Page) -> None:
    room.serve(archiving.take_in, page=page, wanted=room.desk.look(archiving.wanted, source_id=source))


def a_page(room: Room, *messages: dict[str, Any], cursor: str | None = None, older: str | None = None) -> Page:
    return Page(channel=CHANNEL, messages=messages, asked_at=room.now, next_cursor=cursor, older_ts=older)


def texts(room: Room, incident: int) -> list[str]:
    return room.ask(lambda db: [message.text for message in messages.of_incident(db, incident)])


def events(room: Room, incident: int) -> list[tuple[int, str, str | None]]:
    return room.ask(lambda db: [(e.number, e.event.source, e.words) for e in timeline.told(db, incident)])


def where(room: Room, source: int) -> tuple[bool, int, str | None] | None:
    """Where the reading of a source is; None at its end."""
    wanted = room.desk.look(archiving.wanted, source_id=source)
    return wanted.position if wanted else None


def changes(room: Room, incident: int) -> list[str | None]:
    """What the incident's history says of healing."""
    rows = room.ask(lambda db: [(row.what, row.after) for row in incidents.changes(db, incident, "incident")])
    return [after for what, after in rows if what == readings.HEALED]


def states(room: Room, incident: int) -> list[str]:
    """What became of each message, in order: here, doubted or gone."""
    moments = room.ask(lambda db: [(row.deleted_at, row.missing_since) for row in messages.of_incident(db, incident)])
    return ["gone" if deleted else "doubted" if missing else "here" for deleted, missing in moments]


# History -------------------------------------------------------------------------------------


def test_a_page_of_history_is_kept_once_however_often_it_comes(room: Room):
    incident, source = an_open_source(room)
    page = a_page(room, said("checkout is slow", 5), said("rolled back", 60, thread_ts=f"{START + 5}.000000"))
    room.serve(archiving.begin_reading, source_id=source, why=Why.opening)
    wanted = room.desk.look(archiving.wanted, source_id=source)

    for _ in range(2):
        room.serve(archiving.take_in, page=replace(page, next_cursor="next"), wanted=wanted)

    assert texts(room, incident) == ["checkout is slow", "rolled back"]
    assert where(room, source) == (False, 0, "next")


def test_a_reading_goes_on_where_it_was_cut_off_and_ends_once(room: Room):
    incident, source = an_open_source(room)
    room.serve(archiving.begin_reading, source_id=source, why=Why.opening)
    take_in(room, source, a_page(room, said("second half", 60), cursor="older"))
    cut_off = where(room, source)

    room.serve(archiving.begin_reading, source_id=source, why=Why.gap)
    take_in(room, source, a_page(room, said("first half", 5)))
    for _ in range(2):
        room.serve(archiving.finish_reading, source_id=source)
        room.pass_time(minutes=1)

    assert cut_off == (False, 0, "older")
    assert where(room, source) is None
    assert room.ask(lambda db: channels.source(db, source).fetched_at) == NOVEMBER_18
    assert texts(room, incident) == ["first half", "second half"]


def test_what_was_said_before_the_incident_is_not_taken_in(room: Room):
    incident, source = an_open_source(room)

    read(room, source, a_page(room, said("private matters", -9), said("checkout is slow", 5)))

    assert texts(room, incident) == ["checkout is slow"]


def test_a_deletion_heard_live_is_not_undone_by_history(room: Room):
    incident, source = an_open_source(room)
    read(room, source, a_page(room, said("secret", 5)))
    room.change(lambda db: setattr(messages.of_incident(db, incident)[0], "deleted_at", NOVEMBER_18))

    read(room, source, a_page(room, said("secret", 5)))

    assert room.ask(lambda db: messages.of_incident(db, incident)[0].deleted_at) == NOVEMBER_18


def test_emoji_in_history_become_events_without_a_confirmation(room: Room):
    incident, source = an_open_source(room)

    read(room, source, a_page(room, said("rolled back", 5, reactions=pinned()), said("lunch?", 9)))

    assert events(room, incident) == [(1, "message", "rolled back")]
    assert room.ask(lambda db: list(db.scalars(select(OutboxNote)))) == []
    assert room.ask(reactions.underived, TEAM) == []


def test_history_does_not_bring_back_what_was_dropped(room: Room):
    incident, source = an_open_source(room)
    page = a_page(room, said("rolled back", 5, reactions=pinned()))
    read(room, source, page)
    here = incidents.Where(incidents.Place(CHANNEL))
    room.serve(tagging.drop_event, where=here, by=MARA, number=1)

    read(room, source, page, why=Why.gap)

    assert events(room, incident) == []


# Gaps -----------------------------------------------------------------------------------------


def test_what_nobody_had_told_is_one_line_of_the_incidents_history(room: Room):
    incident, source = an_open_source(room)
    read(room, source, a_page(room, said("checkout is slow", 5)))
    heard, unheard = said("checkout is slow", 5), [said(f"line {number}", 60 * number) for number in range(3, 20)]

    read(room, source, a_page(room, heard, *unheard), why=Why.gap)

    assert changes(room, incident) == ["17 messages from 13:03–13:19 UTC were fetched later"]


def test_the_report_tells_what_was_fetched_later(room: Room):
    incident, source = an_open_source(room)
    before = room.ask(formats.markdown, TEAM, incident)

    read(room, source, a_page(room, said("checkout is slow", 180)), why=Why.gap)

    assert "How this was kept" not in before
    assert "1 message from 13:03 UTC was fetched later" in room.ask(formats.markdown, TEAM, incident)


def test_what_was_fetched_at_the_opening_is_not_healing(room: Room):
    incident, source = an_open_source(room)

    read(room, source, a_page(room, said("checkout is slow", 5)))

    assert changes(room, incident) == []


def test_word_of_a_message_of_this_minute_may_be_on_its_way(room: Room):
    incident, source = an_open_source(room)

    read(room, source, a_page(room, said("just now", 3590)), why=Why.gap)

    assert texts(room, incident) == ["just now"]
    assert changes(room, incident) == []


def test_emoji_that_nobody_had_told_are_found_both_ways(room: Room):
    incident, source = an_open_source(room)
    put, taken = said("rolled back", 5), said("restarted", 9)
    read(room, source, a_page(room, put, taken | {"reactions": pinned()}))
    room.pass_time(minutes=10)

    read(room, source, a_page(room, put | {"reactions": pinned()}, taken), why=Why.gap)

    assert [words for _, _, words in events(room, incident)] == ["rolled back"]
    assert len(room.ask(reactions.underived, TEAM)) == 2


def test_an_emoji_whose_people_are_not_all_named_is_taken_from_nobody(room: Room):
    incident, source = an_open_source(room)
    read(room, source, a_page(room, said("rolled back", 5, reactions=pinned())))
    room.pass_time(minutes=10)
    some = [{"name": "pushpin", "users": [JONAS], "count": 2}]

    read(room, source, a_page(room, said("rolled back", 5, reactions=some)), why=Why.gap)

    held = room.ask(lambda db: reactions.of(db, messages.of_incident(db, incident)))
    assert list(held.values()) == [{"pushpin": [JONAS, MARA]}]


def test_an_emoji_of_somebody_forgotten_stays_theirs_without_a_name(room: Room):
    incident, source = an_open_source(room)
    pseudonym = room.change(lambda db: pseudonyms.give(db, TEAM, MARA, now=room.now))
    page = said("rolled back", 5, reactions=pinned())
    read(room, source, a_page(room, page))
    room.pass_time(minutes=10)

    for _ in range(2):
        read(room, source, a_page(room, page), why=Why.gap)

    held = room.ask(lambda db: reactions.of(db, messages.of_incident(db, incident)))
    assert list(held.values()) == [{"pushpin": [pseudonym]}]


def test_an_emoji_heard_live_after_the_page_was_asked_for_is_the_newer_word(room: Room):
    incident, source = an_open_source(room)
    put = said("rolled back", 5)
    read(room, source, a_page(room, put))
    asked = a_page(room, put)
    live = ReactionFact(channel=CHANNEL, ts=put["ts"], user=MARA, name="pushpin", changed_ts=ts(room.now), held=True)
    room.change(lambda db: reactions.keep(db, TEAM, live))

    read(room, source, asked, why=Why.gap)

    held = room.ask(lambda db: reactions.of(db, messages.of_incident(db, incident)))
    assert list(held.values()) == [{"pushpin": [MARA]}]


# Silence --------------------------------------------------------------------------------------


def test_what_is_missing_once_is_doubted_and_twice_is_gone(room: Room):
    incident, source = an_open_source(room)
    first, second = said("checkout is slow", 5), said("the password is swordfish", 60)
    read(room, source, a_page(room, first, second))

    room.pass_time(minutes=5)
    read(room, source, a_page(room, first), why=Why.gap)
    once = states(room, incident)
    room.pass_time(minutes=5)
    read(room, source, a_page(room, first), why=Why.gap)

    assert once == ["here", "doubted"]
    assert states(room, incident) == ["here", "gone"]
    assert texts(room, incident) == ["checkout is slow", ""]


def test_what_is_seen_again_is_trusted_again(room: Room):
    incident, source = an_open_source(room)
    both = said("checkout is slow", 5), said("rolled back", 60)
    read(room, source, a_page(room, *both))

    for shown in (both[:1], both, both[:1]):
        room.pass_time(minutes=5)
        read(room, source, a_page(room, *shown), why=Why.gap)

    assert states(room, incident) == ["here", "doubted"]


def test_what_is_older_than_all_that_slack_still_shows_is_only_doubted(room: Room):
    incident, source = an_open_source(room)
    both = said("checkout is slow", 5), said("rolled back", 60)
    read(room, source, a_page(room, *both))

    for _ in range(3):
        room.pass_time(minutes=5)
        read(room, source, a_page(room, both[1]), why=Why.gap)

    assert states(room, incident) == ["doubted", "here"]


def test_something_older_outside_the_incident_is_enough(room: Room):
    incident, source = an_open_source(room)
    both = said("checkout is slow", 5), said("rolled back", 60)
    read(room, source, a_page(room, *both))

    for _ in range(2):
        room.pass_time(minutes=5)
        read(room, source, a_page(room, both[1], older=f"{START - 500}.000000"), why=Why.gap)

    assert states(room, incident) == ["gone", "here"]


@pytest.mark.parametrize("cursor", ["more", None])
def test_a_page_says_nothing_of_what_lies_outside_it(room: Room, cursor: str | None):
    incident, source = an_open_source(room)
    early, late = [said(f"early {n}", n) for n in range(20)], [said(f"late {n}", 100 + n) for n in range(20)]
    read(room, source, a_page(room, *early, *late))
    young = said("just now", 3590)
    room.change(lambda db: messages.keep(db, TEAM, *filter(None, [read_message(young, CHANNEL)])))

    room.serve(archiving.begin_reading, source_id=source, why=Why.gap)
    take_in(room, source, a_page(room, *late, cursor="more"))
    if cursor is None:
        take_in(room, source, a_page(room, *early))

    assert set(states(room, incident)) == {"here"}


def test_a_meagre_page_proves_no_silence_and_tells_that_history_is_limited(room: Room):
    incident, source = an_open_source(room)
    page = [said(f"line {number}", number) for number in range(40)]
    read(room, source, a_page(room, *page))

    room.serve(archiving.begin_reading, source_id=source, why=Why.gap)
    take_in(room, source, a_page(room, page[0], *page[26:], cursor="more"))

    assert set(states(room, incident)) == {"here"}
    assert room.ask(lambda db: people.workspace(db, TEAM).history_limited_at) == room.now


def test_a_full_page_tells_that_history_is_not_limited(room: Room):
    _, source = an_open_source(room)
    room.change(lambda db: setattr(people.workspace(db, TEAM), "history_limited_at", room.now))

    read(room, source, a_page(room, *(said(f"line {number}", number) for number in range(40))))

    assert room.ask(lambda db: people.workspace(db, TEAM).history_limited_at) is None


def test_replies_that_a_thread_no_longer_shows_are_gone_with_the_second_look(room: Room):
    incident, source = an_open_source(room)
    parent = said("checkout is slow", 5, reply_count=2, latest_reply=f"{START + 70}.000000")
    replies = [said(f"reply {n}", n, thread_ts=parent["ts"]) for n in (60, 70)]
    read(room, source, a_page(room, parent), a_page(room, parent, *replies))
    shrunk = parent | {"reply_count": 1, "latest_reply": replies[0]["ts"]}

    for _ in range(2):
        room.pass_time(minutes=5)
        read(room, source, a_page(room, shrunk), a_page(room, shrunk, replies[0]), why=Why.gap)

    assert states(room, incident) == ["here", "here", "gone"]


def test_a_thread_that_is_gone_takes_its_replies_along(room: Room):
    incident, source = an_open_source(room)
    first = said("hello", 1)
    parent = said("checkout is slow", 5, reply_count=1, latest_reply=f"{START + 60}.000000")
    reply = said("looking", 60, thread_ts=parent["ts"])
    read(room, source, a_page(room, first, parent), a_page(room, parent, reply))

    for _ in range(2):
        room.pass_time(minutes=5)
        read(room, source, a_page(room, first), a_page(room), why=Why.gap)

    assert states(room, incident) == ["here", "gone", "gone"]


# What is due -----------------------------------------------------------------------------------


def due(room: Room, away: dict[str, datetime] | None = None) -> list[Why]:
    found = room.desk.look(archiving.due, away=away or {})
    return [one.why for one in found]


def a_wanted_source(room: Room) -> tuple[int, int]:
    incident, source = an_open_source(room)
    room.change(lambda db: setattr(channels.source(db, source), "fetch_from", NOVEMBER_18))
    return incident, source


def test_a_new_source_is_read_first_and_then_every_ten_minutes_at_the_latest(room: Room):
    _, source = a_wanted_source(room)
    new = due(room)
    read(room, source, a_page(room))

    found = {minutes: due_in(room, minutes) for minutes in (1, 6, 7)}

    assert new == [Why.opening]
    assert found == {1: [], 6: [], 7: [Why.recent]}


def due_in(room: Room, minutes: int) -> list[Why]:
    was, room.now = room.now, room.now + timedelta(minutes=minutes)
    found = due(room)
    room.now = was
    return found


def test_whoever_was_away_reads_the_gap_once(room: Room):
    _, source = a_wanted_source(room)
    read(room, source, a_page(room))
    room.pass_time(minutes=2)
    away = {archiving.AWAY_FROM_ALL: room.now}

    before = due(room, away)
    read(room, source, a_page(room), why=Why.gap)

    assert (before, due(room, away)) == ([Why.gap], [])


def test_a_channel_we_were_away_from_is_read_alone(room: Room):
    _, source = a_wanted_source(room)
    read(room, source, a_page(room))
    room.pass_time(minutes=2)

    assert due(room, {"C0OTHER": room.now}) == []
    assert due(room, {CHANNEL: room.now}) == [Why.gap]


@pytest.mark.parametrize("minute", [int(NOVEMBER_18.timestamp()) - 300, None])
def test_what_slack_held_back_is_read_again(room: Room, minute: int | None):
    _, source = a_wanted_source(room)
    read(room, source, a_page(room))
    read(room, source, a_page(room), why=Why.gap)
    room.serve(archiving.doubt, minute=minute)

    before = due(room)
    room.pass_time(minutes=2)
    read(room, source, a_page(room), why=Why.gap)

    assert (before, due(room)) == ([Why.gap], [])


def test_a_thread_is_walked_and_its_channel_not_read(room: Room):
    incident, source = an_open_source(room)
    parent = said("checkout is slow", 5)
    room.change(lambda db: setattr(channels.source(db, source), "thread_ts", parent["ts"]))

    room.serve(archiving.begin_reading, source_id=source, why=Why.recent)
    wanted = room.desk.look(archiving.wanted, source_id=source)
    take_in(room, source, a_page(room, parent, said("looking", 60, thread_ts=parent["ts"])))

    assert (wanted.thread, where(room, source)) == (parent["ts"], None)
    assert texts(room, incident) == ["checkout is slow", "looking"]


def test_what_is_missing_is_looked_for_again_after_two_minutes(room: Room):
    _, source = a_wanted_source(room)
    read(room, source, a_page(room, said("hello", 1), said("secret", 5)))
    room.pass_time(minutes=2)
    read(room, source, a_page(room, said("hello", 1)), why=Why.gap)

    found = {minutes: due_in(room, minutes) for minutes in (1, 2)}
    room.pass_time(minutes=2)
    read(room, source, a_page(room, said("hello", 1)), why=Why.gap)

    assert found == {1: [], 2: [Why.gap]}
    assert due_in(room, 1) == []


def test_a_place_that_is_no_longer_listened_to_is_not_read(room: Room):
    incident, _ = a_wanted_source(room)

    room.change(lambda db: incidents.stop_listening(db, incident, now=room.now))

    assert due(room, {archiving.AWAY_FROM_ALL: room.now}) == []


def in_long_quiet(room: Room, source: int, incident: int, *, days: float) -> None:
    """Read at the opening, then met; nothing has been said for so many days, and everything was read just now."""
    read(room, source, a_page(room, said("hello", 1)))
    room.change(lambda db: met(db, incident, room.now))
    room.pass_time(days=days)
    read(room, source, a_page(room, said("hello", 1)), why=Why.recent)


def met(db: Session, incident: int, at: datetime) -> None:
    meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
    meeting.scheduled_at = meeting.opened_at = meeting.ended_at = at


def test_a_quiet_place_is_read_once_a_day_after_its_review_has_met(room: Room):
    incident, source = a_wanted_source(room)
    in_long_quiet(room, source, incident, days=4)

    found = {minutes: due_in(room, minutes) for minutes in (7, 23 * 60, 24 * 60)}

    assert found == {7: [], 23 * 60: [], 24 * 60: [Why.recent]}
    assert due(room, {archiving.AWAY_FROM_ALL: room.now + timedelta(minutes=1)}) == [Why.gap]


def test_what_is_quiet_for_two_days_alone_is_read_as_ever(room: Room):
    incident, source = a_wanted_source(room)
    in_long_quiet(room, source, incident, days=2)

    assert due_in(room, 7) == [Why.recent]


@pytest.mark.parametrize("thread", ["", f"{START + 1}.000000"])
def test_a_word_in_a_quiet_place_ends_the_quiet(room: Room, thread: str):
    incident, source = a_wanted_source(room)
    room.change(lambda db: setattr(channels.source(db, source), "thread_ts", thread))
    in_long_quiet(room, source, incident, days=4)
    quiet = due_in(room, 7)

    heard = read_message(said("it is slow again", 4 * 86400, thread_ts=thread or None), CHANNEL)
    assert heard
    room.change(lambda db: messages.keep(db, TEAM, heard))

    assert (quiet, due_in(room, 7)) == ([], [Why.recent])


def test_a_meeting_ahead_ends_the_quiet(room: Room):
    incident, source = a_wanted_source(room)
    in_long_quiet(room, source, incident, days=4)

    room.change(
        lambda db: setattr(
            reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60), "scheduled_at", room.now
        )
    )

    assert due_in(room, 7) == [Why.recent]


@pytest.mark.parametrize(("days", "why"), [(29, [Why.recent]), (31, [])])
def test_where_no_review_ever_met_it_is_quiet_after_a_month(room: Room, days: int, why: list[Why]):
    _, source = a_wanted_source(room)
    read(room, source, a_page(room, said("hello", 1)))
    room.pass_time(days=days)
    read(room, source, a_page(room), why=Why.recent)

    assert due_in(room, 7) == why


def test_the_daily_reading_of_a_quiet_place_begins_where_the_last_one_did(room: Room):
    incident, source = a_wanted_source(room)
    in_long_quiet(room, source, incident, days=4)
    last = room.now
    room.pass_time(days=2)

    room.serve(archiving.begin_reading, source_id=source, why=Why.recent)

    assert room.desk.look(archiving.wanted, source_id=source).oldest == last - LAG


def test_many_places_are_looked_after_with_as_few_questions_as_one(room: Room):
    asked = statements(room)
    found: dict[int, int] = {}
    for number in range(30):
        incident = an_incident(room, channel=ChannelId(f"C0INC{number}"))
        source = room.ask(lambda db, incident=incident: incidents.sources(db, incident)[0].id)
        room.change(lambda db, source=source: setattr(channels.source(db, source), "fetch_from", NOVEMBER_18))
        asked.clear()
        assert len(due(room)) == number + 1
        found[number] = len(asked)

    assert set(found.values()) == {4}


def statements(room: Room) -> list[str]:
    """What the database is asked, without the beginnings of transactions."""
    asked: list[str] = []

    def ask(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(room.storage.engine, "before_cursor_execute", ask)
    return asked


def ts(at: datetime) -> str:
    return f"{at.timestamp():.6f}"


# Exports --------------------------------------------------------------------------------------


def pages(found: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(found), size):
        yield found[start : start + size]


def take_export(room: Room, size: int = 50, **chosen: Any) -> importing.Imported:
    export = exports.read(SAMPLE)
    channel = export.channel("inc-2211-checkout-latency")
    listed = [asdict(person) for person in export.people()]
    for page in pages(list(export.messages(channel)), size):
        room.serve(importing.import_export, channel=asdict(channel), persons=listed, messages=page, **chosen)
    return room.desk.look(importing.imported, channel_id=channel.id)


def test_an_exported_channel_becomes_an_incident(room: Room):
    found = take_export(room, title="Checkout latency", severity="sev1")

    count = exports.read(SAMPLE).count(exports.read(SAMPLE).channel("inc-2211-checkout-latency"))
    assert (found.title, found.messages) == ("Checkout latency", count)
    assert found.events > 0
    assert {source for _, source, _ in events(room, found.incident)} == {"import"}
    assert room.ask(incidents.moments, found.incident) == {}


def test_an_import_done_twice_adds_nothing(room: Room):
    first = take_export(room)

    again = take_export(room, size=17)

    assert first == again
    assert room.ask(lambda db: len(incidents.every(db, TEAM))) == 1


def test_the_imported_incident_opens_with_its_first_message_and_whoever_wrote_first_leads(room: Room):
    found = take_export(room)

    export = exports.read(SAMPLE)
    wrote = [m for m in export.messages(export.channel("inc-2211-checkout-latency")) if not m.get("bot_id")]
    spoke = next(m for m in wrote if m.get("subtype") not in messages.OF_THE_CHANNEL)
    opened_at = room.ask(lambda db: incidents.get(db, found.incident).opened_at)
    roles: Roles = room.ask(incidents.roles, found.incident)
    first = room.ask(lambda db: messages.of_incident(db, found.incident)[0].posted_at)
    assert (opened_at, roles.lead) == (first, spoke["user"])


def test_an_imported_channel_can_still_be_followed_live(room: Room):
    take_export(room)

    channel = exports.read(SAMPLE).channel("inc-2211-checkout-latency")

    assert channel.id not in {place.channel for place in room.ask(channels.open_sources, TEAM)}


def test_people_and_members_of_an_export_are_known(room: Room):
    take_export(room)

    export = exports.read(SAMPLE)
    channel = export.channel("inc-2211-checkout-latency")
    assert set(room.ask(people.members, TEAM, channel.id)) == set(channel.members)
    someone = next(person for person in export.people() if person.tz and not person.is_bot)
    assert room.ask(people.zone, TEAM, someone.user_id) == someone.tz


def test_a_private_channel_of_an_export_is_a_private_incident(room: Room):
    channel = {"id": "G0SECRET", "name": "inc-breach", "private": True, "created": None, "members": (MARA,)}
    page = [said("somebody is in", 5)]

    room.serve(importing.import_export, channel=channel, persons=[], messages=page)

    found = room.desk.look(importing.imported, channel_id="G0SECRET")
    assert room.ask(lambda db: incidents.by_number(db, TEAM, found.incident, TOMAS)) is None
    assert room.ask(lambda db: incidents.by_number(db, TEAM, found.incident, MARA)) is not None
    assert room.ask(lambda db: incidents.get(db, found.incident).private_since) == datetime.fromtimestamp(
        START + 5, UTC
    )
