"""Which incident a place means, whose incidents are whose, and what is remembered of a channel."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.review.incident import ChannelFacts, ChannelId, Place
from bot.review.lifecycle import Role
from bot.review.refusal import NoIncidentHere
from storage import incidents, people, reviews
from storage.incidents import Where
from storage.models import Channel, Membership, Source
from tests.cast import CHANNEL, HERE, JONAS, MARA, NOVEMBER_18, OUTSIDER, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

ELSEWHERE = ChannelId("C0ELSE")
FACTS = ChannelFacts(channel=CHANNEL, name="inc-checkout", private=True, members=(MARA, TOMAS), creator=MARA)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def meant(room: Room, where: Where = HERE, by: str = MARA) -> int:
    return room.change(lambda db: incidents.at(db, TEAM, where, by).id)


def leave(room: Room, incident: int) -> None:
    room.change(lambda db: incidents.stop_listening(db, incident, now=room.now))


def test_a_place_means_the_latest_incident_spoken_of_there_when_none_is_now(room: Room):
    first = an_incident(room)
    leave(room, first)
    second = an_incident(room)
    leave(room, second)

    assert meant(room) == second


def test_an_incident_spoken_of_now_comes_before_one_that_was(room: Room):
    first = an_incident(room)
    leave(room, an_incident(room, channel=ELSEWHERE))
    now_there = an_incident(room, channel=ELSEWHERE)

    assert meant(room) == first
    assert meant(room, Where(Place(ELSEWHERE))) == now_there


def test_a_thread_that_was_an_incident_is_now_its_channels(room: Room):
    whole = an_incident(room)
    thread = an_incident(room, channel=ELSEWHERE)
    room.change(lambda db: _make_thread(db.scalars(select(Source).where(Source.incident_id == thread)).one()))
    there = Where(Place(CHANNEL, "1763470000.000100"))
    before = meant(room, there)

    leave(room, thread)

    assert (before, meant(room, there)) == (thread, whole)


def _make_thread(source: Source) -> None:
    source.channel_id, source.thread_ts = CHANNEL, "1763470000.000100"


def test_a_hidden_incident_that_left_is_still_hidden(room: Room):
    leave(room, an_incident(room, private=NOVEMBER_18))

    with pytest.raises(NoIncidentHere):
        meant(room, by=OUTSIDER)


def test_a_channel_and_its_people_are_remembered_once(room: Room):
    for _ in range(2):
        room.change(lambda db: incidents.enter(db, TEAM, FACTS, now=room.now))

    known = room.change(lambda db: db.get_one(Channel, (TEAM, CHANNEL)))
    assert (known.name, known.creator, known.private_since) == ("inc-checkout", MARA, room.now)
    assert room.ask(people.members, TEAM, CHANNEL) == [MARA, TOMAS]
    assert room.change(lambda db: [row.joined_at for row in db.scalars(select(Membership))]) == [None, None]


def test_a_channel_once_private_stays_private(room: Room):
    room.change(lambda db: incidents.enter(db, TEAM, FACTS, now=room.now))
    opened = ChannelFacts(channel=CHANNEL, name="inc-checkout", private=False)

    room.change(lambda db: incidents.enter(db, TEAM, opened, now=room.now + timedelta(days=1)))

    assert room.change(lambda db: db.get_one(Channel, (TEAM, CHANNEL)).private_since) == room.now


def test_listening_again_fetches_what_was_said_meanwhile(room: Room):
    incident = an_incident(room)
    room.change(lambda db: setattr(incidents.sources(db, incident)[0], "fetched_at", room.now))
    leave(room, incident)

    room.change(lambda db: incidents.listen_again(db, incident))

    (source,) = room.change(lambda db: list(incidents.sources(db, incident)))
    assert (source.until_at, source.fetched_at, source.fetch_from) == (None, None, room.now)


def test_a_fetch_that_had_not_ended_goes_on_from_where_it_was_to_begin(room: Room):
    incident = an_incident(room)
    beginning = room.now - timedelta(hours=3)
    room.change(lambda db: setattr(incidents.sources(db, incident)[0], "fetch_from", beginning))
    leave(room, incident)

    room.change(lambda db: incidents.listen_again(db, incident))

    assert room.change(lambda db: incidents.sources(db, incident)[0].fetch_from) == beginning


def test_mine_are_those_of_my_roles_my_invitations_and_my_channels(room: Room):
    led = an_incident(room, lead=TOMAS, channel=ChannelId("C0A"))
    invited = an_incident(room, channel=ChannelId("C0B"))
    joined = an_incident(room, channel=ChannelId("C0C"))
    an_incident(room, channel=ChannelId("C0D"))
    an_incident(room, lead=TOMAS, channel=ChannelId("C0E"), private=NOVEMBER_18)
    room.change(lambda db: _invite(db, invited, room))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id="C0C", user_id=TOMAS)))

    mine = room.change(lambda db: [incident.id for incident in incidents.mine(db, TEAM, TOMAS, at_most=10)])

    assert mine == [joined, invited, led]
    assert len(room.change(lambda db: incidents.mine(db, TEAM, TOMAS, at_most=1))) == 1


def _invite(db, incident: int, room: Room) -> None:
    review = reviews.of(db, incidents.get(db, incident))
    reviews.invite(db, reviews.add_meeting(db, review, minutes=60), TOMAS, core=None, now=room.now)


def test_only_the_first_to_act_becomes_the_lead(room: Room):
    incident = an_incident(room)

    def act(db, by) -> bool:
        return incidents.first_to_act(db, incidents.get(db, incident), by, now=room.now)

    assert room.change(lambda db: act(db, TOMAS)) is False
    assert room.ask(incidents.roles, incident).lead == MARA


def test_the_latest_turn_of_everybody_in_a_role_is_known(room: Room):
    incident = an_incident(room)
    for user, days in ((PRIYA, 3), (JONAS, 2), (PRIYA, 1)):
        since = room.now - timedelta(days=days)
        room.change(
            lambda db, user=user, since=since: incidents.give_role(
                db, incidents.get(db, incident), Role.scribe, user, by=None, now=since
            )
        )

    last = room.ask(incidents.last_held, TEAM, Role.scribe)

    assert last == {PRIYA: room.now - timedelta(days=1), JONAS: room.now - timedelta(days=2)}
    assert room.change(lambda db: _holder(db, incident)) == PRIYA


def _holder(db, incident: int) -> str | None:
    held = incidents.holding(db, incident, Role.scribe)
    return held.user_id if held else None
