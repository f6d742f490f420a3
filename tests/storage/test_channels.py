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
from bot.review.heard import ChannelFact, MembershipFact, read_event
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.refusal import AlreadyTracked
from storage import channels, incidents, messages, outbox, people
from storage.incidents import Where
from storage.models import Base, Channel, Membership, Message, OutboxNote, Source
from storage.outbox import Words
from tests.cast import CHANNEL, JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_message, a_room, an_incident

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


# A channel's life ------------------------------------------------------------------------------


BOT = "U0DEBRIEF"
NEW = "C0SHARED"


def happens(room: Room, **event: object) -> None:
    """Keep what Slack tells of a channel, now."""
    ts = f"{room.now.timestamp():.6f}"
    for fact in read_event({"event_ts": ts, "ts": ts, **event}):
        if isinstance(fact, ChannelFact):
            room.change(lambda db, fact=fact: channels.keep_channel(db, TEAM, fact))
        elif isinstance(fact, MembershipFact):
            room.change(lambda db, fact=fact: channels.keep_membership(db, TEAM, fact))


def the_source(room: Room, incident: int) -> Source:
    return room.change(lambda db: incidents.sources(db, incident)[0])


def row_of(room: Room, channel: str) -> Channel:
    return room.change(lambda db: db.get_one(Channel, (TEAM, channel)))


@pytest.mark.parametrize("told", ["event", "message"])
def test_an_incident_shows_the_new_name_of_its_channel_and_is_found_by_the_old(room: Room, told: str):
    incident = an_incident(room)
    by_event = {"type": "channel_rename", "channel": {"id": CHANNEL, "name": "inc-payments"}}
    by_message = {"type": "message", "subtype": "channel_name", "channel": CHANNEL, "name": "inc-payments"}

    happens(room, **(by_event if told == "event" else by_message))

    assert the_source(room, incident).channel_name == "inc-payments"
    assert room.ask(lambda db: channels.once_called(db, TEAM, "inc-checkout")) == [incident]
    assert room.ask(lambda db: [c.after for c in incidents.changes(db, incident, "incident")]) == ["inc-payments"]


def test_a_renaming_told_twice_is_one_line_of_history(room: Room):
    incident = an_incident(room)

    for _ in range(2):
        happens(room, type="channel_rename", channel={"id": CHANNEL, "name": "inc-payments"})

    assert len(room.ask(lambda db: incidents.changes(db, incident, "incident"))) == 1


def test_an_archived_channel_is_as_before_once_it_is_not(room: Room):
    an_incident(room)

    happens(room, type="channel_archive", channel=CHANNEL)
    archived = row_of(room, CHANNEL).archived_at
    happens(room, type="channel_unarchive", channel=CHANNEL)

    assert (archived, row_of(room, CHANNEL).archived_at) == (room.now, None)


@pytest.mark.parametrize("told", ["member_left_channel", "channel_left", "group_left"])
def test_that_we_are_out_is_known_until_we_are_back(room: Room, told: str):
    happens(room, type="member_joined_channel", user=BOT, channel=CHANNEL)
    room.pass_time(minutes=5)
    happens(room, type=told, user=BOT, channel=CHANNEL)
    left = room.change(lambda db: channels.hold(db, TEAM, CHANNEL).bot_left_at)
    room.pass_time(minutes=5)

    happens(room, type="member_joined_channel", user=BOT, channel=CHANNEL)

    row = row_of(room, CHANNEL)
    assert (left, row.bot_left_at, row.bot_joined_at) == (room.now - timedelta(minutes=5), None, room.now)


def test_that_we_left_may_be_heard_after_that_we_came_back(room: Room):
    late = MembershipFact(channel=CHANNEL, user=BOT, how="left", at=room.now - timedelta(minutes=5))
    happens(room, type="member_joined_channel", user=BOT, channel=CHANNEL)

    room.change(lambda db: channels.keep_membership(db, TEAM, late))

    assert room.change(lambda db: channels.hold(db, TEAM, CHANNEL).bot_left_at) is None


def test_a_look_at_a_channel_mends_what_was_not_heard_of_it(room: Room):
    incident = an_incident(room)
    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))
    seen = ChannelFacts(
        channel=CHANNEL, name="inc-new", private=True, archived=True, members=(MARA, JONAS), bot_is_member=False
    )

    room.change(lambda db: channels.learn(db, TEAM, seen, now=room.now))

    row = row_of(room, CHANNEL)
    assert (row.name, row.archived_at, row.private_since, row.bot_left_at) == ("inc-new", *(room.now,) * 3)
    assert the_source(room, incident).channel_name == "inc-new"
    assert room.ask(people.members, TEAM, CHANNEL) == [JONAS, MARA]


def test_of_who_came_and_left_just_now_the_event_is_believed(room: Room):
    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))
    room.pass_time(hours=1)
    happens(room, type="member_left_channel", user=TOMAS, channel=CHANNEL)
    happens(room, type="member_joined_channel", user=PRIYA, channel=CHANNEL)
    room.pass_time(seconds=5)

    room.change(lambda db: channels.learn(db, TEAM, FACTS, now=room.now))
    at_once = room.ask(people.members, TEAM, CHANNEL)
    room.pass_time(minutes=5)
    room.change(lambda db: channels.learn(db, TEAM, FACTS, now=room.now))

    assert at_once == [MARA, PRIYA]
    assert room.ask(people.members, TEAM, CHANNEL) == [MARA, TOMAS]


def test_a_private_incident_of_two_private_channels_is_public_when_both_are_said_to_be(room: Room):
    incident = an_incident(room)
    also = Source(team_id=TEAM, incident_id=incident, channel_id="C0TWO", from_at=room.now)
    room.change(lambda db: db.add(also))
    for channel in (CHANNEL, "C0TWO"):
        room.change(lambda db, channel=channel: channels.make_private(db, TEAM, channel, at=room.now))

    room.change(lambda db: channels.make_public(db, TEAM, CHANNEL))
    after_one = room.ask(lambda db: incidents.get(db, incident).private_since)
    room.change(lambda db: channels.make_public(db, TEAM, "C0TWO"))

    assert (after_one, room.ask(lambda db: incidents.get(db, incident).private_since)) == (room.now, None)


# Another id --------------------------------------------------------------------------------------


def moves(room: Room) -> None:
    happens(room, type="channel_id_changed", old_channel_id=CHANNEL, new_channel_id=NEW)


def test_every_column_that_names_a_channel_follows_it_to_its_new_id():
    named = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if "channel" in column.name and column.name != "channel_name"
    }

    followed = {(table.__tablename__, column) for table, column in channels.PLACED}

    assert named - followed == {("channels", "channel_id")}


def test_an_incident_follows_its_channel_to_a_new_id(room: Room):
    incident = an_incident(room)
    room.change(lambda db: channels.enter(db, TEAM, FACTS, now=room.now))
    ts = a_message(room, "rolled back")
    words = Words(key=f"published:1:{CHANNEL}", channel=CHANNEL, text="Hello", at=room.now)
    room.change(lambda db: outbox.say_live(db, TEAM, words))

    for _ in range(2):
        moves(room)

    assert the_source(room, incident).channel_id == NEW
    assert room.ask(lambda db: messages.known(db, TEAM, [(NEW, ts), (CHANNEL, ts)])) == {(NEW, ts)}
    assert room.ask(people.members, TEAM, NEW) == [MARA, TOMAS]
    assert row_of(room, NEW).private_since == room.now
    assert room.ask(lambda db: db.scalars(select(OutboxNote.key)).all()) == [f"published:1:{NEW}"]


def test_where_another_incident_was_opened_under_the_new_id_before_it_was_heard_of_nothing_is_lost(room: Room):
    first, at = an_incident(room), room.now
    ts, only_old = a_message(room, "rolled back"), a_message(room, "all green", at=at + timedelta(seconds=1))
    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=at))
    second = an_incident(room, channel=ChannelId(NEW))
    a_message(room, "rolled back", channel=NEW, at=at)

    moves(room)

    rows = room.change(lambda db: db.scalars(select(Message).order_by(Message.ts, Message.id)).all())
    assert [(row.ts, row.text) for row in rows if row.channel_id == NEW] == [
        (ts, "rolled back"),
        (only_old, "all green"),
    ]
    assert [(row.text, row.deleted_at) for row in rows if row.channel_id == CHANNEL] == [("", room.now)]
    assert (the_source(room, first).until_at, the_source(room, second).until_at) == (room.now, None)
    assert room.ask(lambda db: incidents.get(db, second).private_since) == at
