"""What is remembered of a channel and of who is in it, and which channels wait to be asked."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import opening
from bot.desk import Turn
from bot.review.heard import ChannelFact
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.refusal import AlreadyTracked
from storage import channels, incidents, people
from storage.incidents import Where
from storage.models import Channel, Membership
from tests.cast import CHANNEL, JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

FACTS = ChannelFacts(channel=CHANNEL, name="inc-checkout", private=True, members=(MARA, TOMAS), creator=MARA)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def test_a_channel_and_its_people_are_remembered_once(room: Room):
    for _ in range(2):
        room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))

    known = room.change(lambda db: db.get_one(Channel, (TEAM, CHANNEL)))
    assert (known.name, known.creator, known.private_since) == ("inc-checkout", MARA, room.now)
    assert room.ask(people.members, TEAM, CHANNEL) == [MARA, TOMAS]
    assert room.change(lambda db: [row.joined_at for row in db.scalars(select(Membership))]) == [None, None]


def test_a_channel_once_private_stays_private(room: Room):
    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))
    opened = ChannelFacts(channel=CHANNEL, name="inc-checkout", private=False)

    room.change(lambda db: channels.enter(db, TEAM, opened, now=room.now + timedelta(days=1)))

    assert room.change(lambda db: db.get_one(Channel, (TEAM, CHANNEL)).private_since) == room.now


def test_incidents_of_a_channel_that_turns_out_private_are_private(room: Room):
    incident = an_incident(room)

    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))

    assert room.ask(lambda db: incidents.get(db, incident).private_since) == room.now


def test_who_speaks_where_members_are_not_listed_drives_nobody_out(room: Room):
    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))
    told_little = ChannelFacts(channel=CHANNEL, members=(PRIYA,))

    room.change(lambda db: channels.enter(db, TEAM, told_little, now=room.now))

    assert room.ask(people.members, TEAM, CHANNEL) == [MARA, PRIYA, TOMAS]


def test_a_whole_list_of_members_tells_who_has_left(room: Room):
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, (MARA, TOMAS), now=room.now))

    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, (MARA, JONAS), now=room.now))

    assert room.ask(people.members, TEAM, CHANNEL) == [JONAS, MARA]


def created(room: Room, channel: str, *, days_ago: float = 0) -> None:
    at = room.now - timedelta(days=days_ago)
    fact = ChannelFact(channel=channel, at=at, name="inc-1", created_at=at, how="created")
    room.change(lambda db: channels.keep_channel(db, TEAM, fact))


def test_a_young_channel_waits_until_it_was_asked(room: Room):
    created(room, "C0NEW")
    created(room, "C0OLD", days_ago=8)
    waiting = room.ask(lambda db: channels.underived(db, TEAM, now=room.now))

    room.change(lambda db: channels.mark_derived(db, TEAM, "C0NEW", now=room.now))

    assert waiting == ["C0NEW"]
    assert room.ask(lambda db: channels.underived(db, TEAM, now=room.now)) == []


def test_an_archived_channel_is_not_asked(room: Room):
    created(room, "C0NEW")
    room.change(lambda db: channels.keep_channel(db, TEAM, ChannelFact(channel="C0NEW", at=room.now, how="archived")))

    assert room.ask(lambda db: channels.underived(db, TEAM, now=room.now)) == []


def test_a_channel_that_is_held_is_known_from_then_on(room: Room):
    room.change(lambda db: channels.hold(db, TEAM, ChannelId("C0NEW")))

    assert room.ask(people.channel, TEAM, "C0NEW") is not None


def test_of_two_who_open_a_channel_at_once_the_later_is_told_that_it_is_followed(room: Room):
    def open_it(db: Session, by: UserId) -> None:
        turn = Turn(db, room.now, TEAM, room.house)
        where = Where(Place(CHANNEL))
        list(opening.open_incident(turn, where=where, by=by, severity=None, title="Slow", channel=FACTS))

    with ThreadPoolExecutor(1) as pool:
        with room.storage.write() as db:
            open_it(db, MARA)
            later = pool.submit(lambda: room.change(lambda db: open_it(db, TOMAS)))
            time.sleep(0.2)
        with pytest.raises(AlreadyTracked) as refused:
            later.result()

    assert refused.value.title == "Slow"
