"""Which incident a place means, whose incidents are whose, and who holds which role."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import NoIncidentHere
from storage import attending, incidents, reviews
from storage.incidents import Where
from storage.models import Incident, Membership, RoleHeld, Source
from tests.cast import CHANNEL, HERE, JONAS, MARA, NOVEMBER_18, OUTSIDER, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

ELSEWHERE = ChannelId("C0ELSE")


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


def test_a_meeting_in_a_thread_is_meant_in_that_thread_alone(room: Room):
    away = an_incident(room, channel=ELSEWHERE)
    thread = "1763470000.000100"
    room.change(lambda db: _meet(db, away, Place(CHANNEL, thread)))

    assert meant(room, Where(Place(CHANNEL, thread))) == away
    for other in (Place(CHANNEL), Place(CHANNEL, "1763470000.000200")):
        with pytest.raises(NoIncidentHere):
            meant(room, Where(other))


def test_a_meeting_in_a_channel_is_meant_in_its_threads_too(room: Room):
    away = an_incident(room, channel=ELSEWHERE)
    room.change(lambda db: _meet(db, away, Place(CHANNEL)))

    assert meant(room) == meant(room, Where(Place(CHANNEL, "1763470000.000100"))) == away


def _meet(db: Session, incident: int, place: Place) -> None:
    meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
    meeting.channel_id, meeting.thread_ts = place.channel, place.thread or None


def test_a_place_of_another_workspace_means_nothing_here(room: Room):
    room.change(lambda db: _another_workspaces(db, room))

    with pytest.raises(NoIncidentHere):
        meant(room)
    mine = an_incident(room, channel=ELSEWHERE)
    leave(room, mine)
    room.change(lambda db: db.add(Source(team_id=TEAM, incident_id=mine, channel_id=CHANNEL, from_at=room.now)))
    assert meant(room) == mine


def _another_workspaces(db: Session, room: Room) -> None:
    theirs = Incident(team_id="T0OTHER", title="Theirs", opened_at=room.now)
    db.add(theirs)
    db.flush()
    db.add(Source(team_id="T0OTHER", incident_id=theirs.id, channel_id=CHANNEL, from_at=room.now))


def test_a_hidden_incident_that_left_is_still_hidden(room: Room):
    leave(room, an_incident(room, private=NOVEMBER_18))

    with pytest.raises(NoIncidentHere):
        meant(room, by=OUTSIDER)


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


def _invite(db: Session, incident: int, room: Room) -> None:
    review = reviews.of(db, incidents.get(db, incident))
    attending.invite(db, reviews.add_meeting(db, review, minutes=60), TOMAS, core=None, now=room.now)


def test_only_the_first_to_act_becomes_the_lead(room: Room):
    incident = an_incident(room)

    def act(db: Session, by: UserId) -> bool:
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


def _holder(db: Session, incident: int) -> str | None:
    held = incidents.holding(db, incident, Role.scribe)
    return held.user_id if held else None


def give(db: Session, incident: int, user: UserId) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.scribe, user, by=None, now=NOVEMBER_18)


def test_of_two_who_are_given_a_role_at_once_the_later_one_holds_it(room: Room):
    incident = an_incident(room)

    with ThreadPoolExecutor(1) as pool:
        with room.storage.write() as db:
            give(db, incident, TOMAS)
            later = pool.submit(lambda: room.change(lambda db: give(db, incident, PRIYA)))
            time.sleep(0.2)
        later.result()

    assert room.ask(lambda db: _holder(db, incident)) == PRIYA
    held = select(RoleHeld.user_id).where(RoleHeld.role == Role.scribe, RoleHeld.until.is_(None))
    assert room.ask(lambda db: db.scalars(held).all()) == [PRIYA]


def test_a_role_has_one_holder_at_a_time(room: Room):
    incident = an_incident(room)
    room.change(lambda db: give(db, incident, TOMAS))
    beside = RoleHeld(team_id=TEAM, incident_id=incident, role=Role.scribe.value, user_id=PRIYA, since=room.now)

    with pytest.raises(IntegrityError):
        room.change(lambda db: db.add(beside))


def test_of_two_who_act_first_at_once_one_leads(room: Room):
    incident = an_incident(room)
    room.change(lambda db: db.execute(delete(RoleHeld)))

    def act(db: Session, by: UserId) -> bool:
        return incidents.first_to_act(db, incidents.get(db, incident), by, now=room.now)

    with ThreadPoolExecutor(1) as pool, room.storage.write() as db:
        first = act(db, TOMAS)
        later = pool.submit(lambda: room.change(lambda db: act(db, PRIYA)))
        time.sleep(0.2)

    assert (first, later.result()) == (True, False)
    assert room.ask(incidents.roles, incident).lead == TOMAS
