"""Who sees an incident: each sort of person at each door, in public, private and converted channels."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot import following_up, offering, reporting, searching, tracking
from bot.desk import Turn
from bot.review.follow_up import ActionWords
from bot.review.heard import ChannelFact, MembershipFact, read_person
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.refusal import NoIncidentHere
from storage import channels, incidents, reports, reviews
from storage.incidents import Where
from storage.models import Source
from tests.cast import CHANNEL, JONAS, MARA, PRIYA, TEAM, TOMAS, Room, a_message, a_room, an_incident

CANARY = "zebrafish"
ELSEWHERE = Place(ChannelId("C0ELSE"))
GUEST, GUEST_OUTSIDE, PARTNER, PROGRAM, GONE = (
    UserId(user) for user in ("U0GUEST", "U0GUEST2", "U0PARTNER", "U0PROGRAM", "U0GONE")
)
NEVER_MET = UserId("U0NEVERMET")
PROFILES = (
    {"id": GUEST, "team_id": TEAM, "is_restricted": True},
    {"id": GUEST_OUTSIDE, "team_id": TEAM, "is_restricted": True, "is_ultra_restricted": True},
    {"id": PARTNER, "team_id": "T0PARTNER", "is_restricted": False},
    {"id": PROGRAM, "team_id": TEAM, "is_bot": True},
    {"id": GONE, "team_id": TEAM, "deleted": True},
)
WHO = {
    "member": MARA,
    "ex-member": TOMAS,
    "colleague outside": PRIYA,
    "guest inside": GUEST,
    "guest outside": GUEST_OUTSIDE,
    "person of another workspace": PARTNER,
    "program": PROGRAM,
    "member who is gone": GONE,
    "somebody never met": NEVER_MET,
}
SEES = {
    "public": {"member", "ex-member", "colleague outside", "guest inside"},
    "private": {"member", "guest inside"},
    "converted": {"member", "guest inside"},
}


def arrange(room: Room) -> int:
    """An incident whose every part carries the canary, in a channel with Mara, a guest and somebody who is gone."""
    incident = an_incident(room, title=f"The {CANARY}", lead=MARA)
    inside = ChannelFacts(channel=CHANNEL, name="inc", members=(MARA, TOMAS, GUEST, GONE))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    room.change(lambda db: _people(db, room))
    room.pass_time(minutes=1)
    a_message(room, f"rolled back the {CANARY}", by=MARA)
    here = Where(Place(CHANNEL))
    room.serve(following_up.propose, where=here, by=MARA, wording=ActionWords(MARA, None, None, f"feed the {CANARY}"))
    left = MembershipFact(channel=CHANNEL, user=TOMAS, how="left", at=room.now)
    room.change(lambda db: channels.keep_membership(db, TEAM, left))
    return incident


def _people(db: Session, room: Room) -> None:
    for profile in PROFILES:
        fact = read_person(profile)
        assert fact
        channels.keep_person(db, TEAM, fact, now=room.now)


@pytest.fixture(scope="module", params=SEES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Room, int]]:
    room = a_room(tmp_path_factory.mktemp("world"))
    incident = arrange(room)
    if request.param != "public":
        made = ChannelFact(channel=CHANNEL, at=room.now, how="made_private")
        room.change(lambda db: channels.keep_channel(db, TEAM, made))
    if request.param == "converted":
        opened = ChannelFacts(channel=CHANNEL, name="inc", private=False)
        room.change(lambda db: channels.enter(db, TEAM, opened, now=room.now + timedelta(days=1)))
    yield request.param, room, incident
    room.storage.close()


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The same people where there never was an incident."""
    room = a_room(tmp_path_factory.mktemp("nothing"))
    room.change(lambda db: _people(db, room))
    yield room
    room.storage.close()


def status(room: Room, by: UserId, incident: int) -> str:
    return room.serve(tracking.status, where=Where(ELSEWHERE, incident), by=by)


def report(room: Room, by: UserId, incident: int) -> str:
    return room.serve(reporting.report, where=Where(ELSEWHERE, incident), by=by, form="md")


def search(room: Room, by: UserId, _: int) -> str:
    return room.serve(searching.find, by=by, words=CANARY)


def actions(room: Room, by: UserId, _: int) -> str:
    return room.serve(following_up.show_actions, where=None, by=by, which="all")


def one_action(room: Room, by: UserId, _: int) -> str:
    return room.serve(following_up.show, by=by, number=1)


def mine(room: Room, by: UserId, _: int) -> str:
    return room.serve(tracking.my_reviews, by=by)


def home(room: Room, by: UserId, _: int) -> str:
    def ask(turn: Turn) -> str:
        shown = searching.home(turn, by)
        return str([[line.title for line in shown["actions"]], [its.title for _, its in shown["coming"]]])

    return room.desk.look(ask)


def picker(room: Room, by: UserId, incident: int) -> str:
    def ask(turn: Turn) -> str:
        found = offering.candidates_for(turn, where=Where(ELSEWHERE, incident), by=by)
        return str([candidate.words for candidate in found])

    return room.desk.look(ask)


Door = Callable[[Room, UserId, int], str]
DOORS: tuple[Door, ...] = (status, report, search, actions, one_action, mine, home, picker)


def seen(door: Door, room: Room, by: UserId, incident: int) -> str:
    try:
        return door(room, by, incident)
    except Exception as refused:  # noqa: BLE001 - whatever is answered is compared
        return f"{type(refused).__name__}: {refused}"


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_everybody_sees_what_is_theirs_to_see_and_nothing_tells_the_rest_that_there_is_more(
    world: tuple[str, Room, int], nothing: Room, door: Door, who: str
):
    privacy, room, incident = world

    found = seen(door, room, WHO[who], incident)

    if who not in SEES[privacy]:
        assert found.replace(CANARY, "") == seen(door, nothing, WHO[who], incident).replace(CANARY, "")
    elif door not in {home, mine} or who == "member":
        assert CANARY in found


def test_reports_on_the_home_tab_are_those_one_may_see(world: tuple[str, Room, int]):
    privacy, room, _ = world
    room.change(lambda db: [setattr(review, "published_at", room.now) for review in _reviews(db)])

    seeing = {who for who, user in WHO.items() if room.ask(lambda db, user=user: reports.published(db, TEAM, user))}

    assert seeing == SEES[privacy]


def _reviews(db: Session) -> list[object]:
    return [reviews.of(db, incident) for incident in incidents.every(db, TEAM)]


# Several places --------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    return a_room(tmp_path, sqlite_url)


def also(room: Room, incident: int, channel: str, *members: UserId, private: bool) -> None:
    facts = ChannelFacts(channel=ChannelId(channel), name=channel, private=private, members=members)
    room.change(lambda db: channels.enter(db, TEAM, facts, now=room.now))
    source = Source(team_id=TEAM, incident_id=incident, channel_id=channel, from_at=room.now)
    room.change(lambda db: db.add(source))


def sees(room: Room, user: UserId, incident: int) -> bool:
    return room.ask(lambda db: incidents.by_number(db, TEAM, incident, user)) is not None


def test_who_is_only_in_the_public_channel_of_a_private_incident_does_not_see_it(room: Room):
    incident = arrange(room)
    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=room.now))

    also(room, incident, "C0SUPPORT", JONAS, MARA, private=False)

    assert sees(room, MARA, incident)
    assert not sees(room, JONAS, incident)


def test_a_colleague_in_the_private_channel_need_not_be_in_the_public_one(room: Room):
    incident = arrange(room)
    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=room.now))

    also(room, incident, "C0SUPPORT", private=False)

    assert sees(room, MARA, incident)


def test_a_guest_of_one_channel_does_not_see_what_was_said_in_another(room: Room):
    incident = arrange(room)
    before = sees(room, GUEST, incident)

    also(room, incident, "C0SUPPORT", MARA, private=False)

    assert (before, sees(room, GUEST, incident)) == (True, False)


def test_whoever_speaks_in_the_one_public_channel_of_an_incident_sees_it_there(room: Room):
    arrange(room)

    in_it = room.serve(tracking.status, where=Where(Place(CHANNEL)), by=NEVER_MET)

    assert CANARY in in_it
    with pytest.raises(NoIncidentHere):
        room.serve(tracking.status, where=Where(ELSEWHERE, 1), by=NEVER_MET)


def test_a_guest_who_becomes_a_colleague_sees_what_colleagues_see(room: Room):
    incident = arrange(room)
    before = sees(room, GUEST_OUTSIDE, incident)

    profile = read_person({"id": GUEST_OUTSIDE, "team_id": TEAM, "is_restricted": False})
    assert profile
    room.change(lambda db: channels.keep_person(db, TEAM, profile, now=room.now))

    assert (before, sees(room, GUEST_OUTSIDE, incident)) == (False, True)


def test_in_an_organisation_of_several_workspaces_whoever_was_let_into_ours_is_of_it(room: Room):
    profile = read_person({"id": "U0ORG", "team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME", TEAM]}})
    assert profile

    assert not profile.is_guest_of(TEAM)
