from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

import bot.sandbox
from bot import archiving, exports, tagging
from bot.review.lifecycle import Roles
from storage import channels, incidents, messages, people, timeline
from storage.models import OutboxNote, Source
from tests.cast import CHANNEL, MARA, NOVEMBER_18, TEAM, TOMAS, Room, an_incident

SAMPLE = Path(bot.sandbox.__file__).parent / "sample"
START = int((NOVEMBER_18 - timedelta(hours=1)).timestamp())


def said(text: str, second: int, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": TOMAS, "text": text, "ts": f"{START + second}.000000"} | more


def pinned(by: str = MARA) -> list[dict[str, Any]]:
    return [{"name": "pushpin", "users": [by], "count": 1}]


def an_open_source(room: Room) -> tuple[int, int]:
    incident = an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=1))
    return incident, room.ask(lambda db: incidents.sources(db, incident)[0].id)


def take_in(room: Room, source: int, *page: dict[str, Any], cursor: str | None = None) -> None:
    room.serve(archiving.take_in, source_id=source, messages=list(page), cursor=cursor)


def texts(room: Room, incident: int) -> list[str]:
    return room.ask(lambda db: [message.text for message in messages.of_incident(db, incident)])


def events(room: Room, incident: int) -> list[tuple[int, str, str | None]]:
    return room.ask(lambda db: [(e.number, e.event.source, e.words) for e in timeline.told(db, incident)])


def fetching(room: Room, source: int) -> tuple[str | None, datetime | None]:
    return room.ask(lambda db: db.execute(select(Source.cursor, Source.fetched_at).where(Source.id == source)).one())


# History -------------------------------------------------------------------------------------


def test_a_page_of_history_is_kept_once_however_often_it_comes(room: Room):
    incident, source = an_open_source(room)
    page = [said("checkout is slow", 5), said("rolled back", 60, thread_ts=f"{START + 5}.000000")]

    for _ in range(2):
        take_in(room, source, *page, cursor="next")

    assert texts(room, incident) == ["checkout is slow", "rolled back"]
    assert fetching(room, source) == ("next", None)


def test_a_fetch_goes_on_where_it_was_cut_off_and_ends_once(room: Room):
    incident, source = an_open_source(room)
    take_in(room, source, said("second half", 60), cursor="older")
    where = fetching(room, source)

    take_in(room, source, said("first half", 5), cursor=None)
    for _ in range(2):
        room.serve(archiving.finish_fetch, source_id=source)
        room.pass_time(minutes=1)

    assert where == ("older", None)
    assert fetching(room, source) == (None, NOVEMBER_18)
    assert texts(room, incident) == ["first half", "second half"]


def test_what_was_said_before_the_incident_is_not_taken_in(room: Room):
    incident, source = an_open_source(room)

    take_in(room, source, said("private matters", -9), said("checkout is slow", 5))

    assert texts(room, incident) == ["checkout is slow"]


def test_a_deletion_heard_live_is_not_undone_by_history(room: Room):
    incident, source = an_open_source(room)
    take_in(room, source, said("secret", 5))
    room.change(lambda db: setattr(messages.of_incident(db, incident)[0], "deleted_at", NOVEMBER_18))

    take_in(room, source, said("secret", 5))

    assert texts(room, incident) == [""]


def test_emoji_in_history_become_events_without_a_confirmation(room: Room):
    incident, source = an_open_source(room)

    take_in(room, source, said("rolled back", 5, reactions=pinned()), said("lunch?", 9))

    assert events(room, incident) == [(1, "message", "rolled back")]
    assert room.ask(lambda db: list(db.scalars(select(OutboxNote)))) == []
    assert room.ask(messages.underived, TEAM) == []


def test_history_does_not_bring_back_what_was_dropped(room: Room):
    incident, source = an_open_source(room)
    page = said("rolled back", 5, reactions=pinned())
    take_in(room, source, page)
    here = incidents.Where(incidents.Place(CHANNEL))
    room.serve(tagging.drop_event, where=here, by=MARA, number=1)

    take_in(room, source, page)

    assert events(room, incident) == []


# Exports --------------------------------------------------------------------------------------


def pages(found: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(found), size):
        yield found[start : start + size]


def take_export(room: Room, size: int = 50, **chosen: Any) -> archiving.Imported:
    export = exports.read(SAMPLE)
    channel = export.channel("inc-2211-checkout-latency")
    listed = [asdict(person) for person in export.people()]
    for page in pages(list(export.messages(channel)), size):
        room.serve(archiving.import_export, channel=asdict(channel), persons=listed, messages=page, **chosen)
    return room.desk.look(archiving.imported, channel_id=channel.id)


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
    spoke = next(m for m in wrote if m.get("subtype") not in messages.COMINGS_AND_GOINGS)
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

    room.serve(archiving.import_export, channel=channel, persons=[], messages=page)

    found = room.desk.look(archiving.imported, channel_id="G0SECRET")
    assert room.ask(lambda db: incidents.by_number(db, TEAM, found.incident, TOMAS)) is None
    assert room.ask(lambda db: incidents.by_number(db, TEAM, found.incident, MARA)) is not None
    assert room.ask(lambda db: incidents.get(db, found.incident).private_since) == datetime.fromtimestamp(
        START + 5, UTC
    )
