"""Who is proposed for the meeting of an incident, as the database knows it."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.review.impact import Impact
from bot.review.incident import UserId
from bot.review.participants import Gap, Proposal, Side, Why
from bot.review.user_group import GroupFact
from storage import attending, groups, incidents, participants, people, reviews
from storage.models import Channel, Membership
from tests.cast import CHANNEL, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, a_message, a_room, an_incident
from tests.crews import Found, met_by_the_busiest, thirty_incidents
from tests.sitting import an_event

PAYMENTS = GroupFact("S0PAY", "payments", "Payments", (TOMAS, JONAS))
SUPPORT = GroupFact("S0SUP", "support", "Customer support", (PRIYA,))


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def told(room: Room, *facts: GroupFact) -> None:
    """Slack tells of these groups."""
    room.change(lambda db: groups.keep(db, TEAM, facts, now=room.now))


def says(room: Room, user: UserId, words: str = "Looking") -> str:
    """A message, a minute after the one before."""
    room.pass_time(minutes=1)
    return a_message(room, words, by=user)


def felt(room: Room, incident: int, **impact: Any) -> None:
    """Somebody filled in what was affected."""
    kept = Impact(**impact).to_json()
    room.change(lambda db: setattr(incidents.get(db, incident), "impact", kept))


def proposed(room: Room, incident: int, speakers: participants.Speakers = participants.NOBODY) -> Proposal:
    return room.ask(lambda db: participants.proposed(db, incidents.get(db, incident), speakers))


def test_whoever_wrote_or_stands_on_the_timeline_comes_with_the_lead(room: Room):
    incident = an_incident(room)
    ts = says(room, JONAS, "Rolled back")
    an_event(room, incident, None, channel_id=CHANNEL, ts=ts, source="message", by=PRIYA)
    says(room, TOMAS)

    assert asdict(proposed(room, incident)) == asdict(Proposal(core=(MARA, JONAS, PRIYA, TOMAS)))


def test_who_only_wrote_one_message_comes_after_whoever_acted_on_the_timeline(room: Room):
    incident = an_incident(room)
    for number in range(12):
        says(room, UserId(f"U0{number:02}"), "Any news?")
    acted = says(room, TOMAS, "Rolled back")
    an_event(room, incident, None, channel_id=CHANNEL, ts=acted, source="message", by=MARA)
    an_event(room, incident, "The pool is larger now", by=JONAS)

    active = room.ask(lambda db: participants.most_active(db, incidents.get(db, incident)))

    assert set(active[:3]) == {MARA, TOMAS, JONAS}
    assert {MARA, TOMAS, JONAS} <= {*proposed(room, incident).core}


def test_whoever_was_at_it_for_hours_comes_before_who_wrote_as_much_at_once(room: Room):
    incident = an_incident(room)
    crowd = [UserId(f"U0{number:02}") for number in range(12)]
    for user in crowd:
        for _ in range(3):
            room.now += timedelta(seconds=1)
            a_message(room, "Looking", by=user)
    for _ in range(3):
        room.pass_time(hours=1)
        a_message(room, "Still looking", by=TOMAS)

    parts = {one.user: one for one in room.ask(lambda db: participants.took_part(db, incidents.get(db, incident)))}

    assert parts[TOMAS].active == timedelta(seconds=3000)
    assert parts[crowd[0]].active == timedelta(seconds=1000)
    assert TOMAS in proposed(room, incident).core


def test_a_team_of_the_timeline_is_spoken_for(room: Room):
    incident = an_incident(room)
    told(room, PAYMENTS, SUPPORT)
    an_event(room, incident, "Restarted the queue", by=TOMAS)

    assert proposed(room, incident).speaks_for == {TOMAS: ("Payments",)}


@pytest.mark.parametrize("text", [f"<@{JONAS}> restarted the queue", "Jonas restarted the queue"])
def test_an_event_is_of_whoever_is_named_in_it_and_not_of_who_typed_it(room: Room, text: str):
    incident = an_incident(room)
    says(room, JONAS)
    an_event(room, incident, text, by=TOMAS)

    parts = room.ask(lambda db: participants.took_part(db, incidents.get(db, incident)))

    assert {one.user: one.events for one in parts} == {JONAS: 1, TOMAS: 0}


def test_what_a_program_reported_is_nobodys(room: Room):
    incident = an_incident(room)
    an_event(room, incident, "Scaled up", by=None, source="automated")

    assert room.ask(lambda db: participants.took_part(db, incidents.get(db, incident))) == []


def test_a_whole_site_is_no_team(room: Room):
    incident = an_incident(room)
    told(room, GroupFact("S0ALL", "berlin", "Berlin", (TOMAS, *(f"U0{number:03}" for number in range(60)))))
    an_event(room, incident, "Restarted the queue", by=TOMAS)

    assert proposed(room, incident).speaks_for == {}


def test_where_nothing_is_on_the_timeline_the_teams_of_those_who_wrote_count(room: Room):
    incident = an_incident(room)
    told(room, PAYMENTS)
    says(room, TOMAS)

    assert proposed(room, incident).speaks_for == {TOMAS: ("Payments",)}


def test_the_affected_functions_are_spoken_for_by_whom_the_policy_names(room: Room):
    incident = an_incident(room)
    felt(room, incident, functions=("Sales", "Legal"))

    proposal = proposed(room, incident, {"sales": (JONAS,)})

    assert proposal.speaks_for == {JONAS: ("Sales",)}
    assert proposal.gaps == (Gap("Legal", Why.nobody),)


def test_a_function_without_a_name_in_the_policy_is_its_user_group(room: Room):
    incident = an_incident(room)
    told(room, SUPPORT)
    felt(room, incident, functions=("support",), teams=("Customer Support",))

    proposal = proposed(room, incident)

    assert (proposal.speaks_for, proposal.gaps) == ({PRIYA: ("Customer support",)}, ())


@pytest.mark.parametrize(("facts", "gaps"), [((), ()), ((PAYMENTS,), (Gap("Networking", Why.nobody),))])
def test_an_affected_team_that_nobody_knows_is_a_gap_only_where_teams_are_known(
    room: Room, facts: tuple[GroupFact, ...], gaps: tuple[Gap, ...]
):
    incident = an_incident(room)
    told(room, *facts)
    felt(room, incident, teams=("Networking",))

    assert proposed(room, incident).gaps == gaps


def test_programs_and_who_has_left_are_not_proposed(room: Room):
    incident = an_incident(room)
    for user in (TOMAS, JONAS, UserId("U0DEBRIEF")):
        says(room, user)
    told(room, PAYMENTS)
    gone(room, TOMAS)

    proposal = proposed(room, incident)

    assert (proposal.core, proposal.speaks_for) == ((MARA, JONAS), {JONAS: ("Payments",)})


def gone(room: Room, user: UserId) -> None:
    known = {"name": "", "zone": "UTC", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, user, **known))


def test_for_a_private_incident_only_who_is_in_its_channel_is_proposed(room: Room):
    incident = an_incident(room, private=room.now)
    room.change(lambda db: members(db, MARA, TOMAS, "U0STRANGER"))
    told(room, GroupFact("S0SUP", "support", "Support", (PRIYA, OUTSIDER)))
    felt(room, incident, functions=("support",))
    for user in (TOMAS, UserId("U0STRANGER"), JONAS):
        says(room, user)

    proposal = proposed(room, incident, {"support": (PRIYA,)})

    assert proposal.core == (MARA, "U0STRANGER", TOMAS)
    assert proposal.readers == ()
    assert proposal.gaps == (Gap("Support", Why.nobody),)


def members(db: Session, *users: str) -> None:
    db.add(Channel(team_id=TEAM, channel_id=CHANNEL, private_since=db.get_one(participants.Incident, 1).opened_at))
    db.add_all([Membership(team_id=TEAM, channel_id=CHANNEL, user_id=user) for user in users])


def test_a_new_meeting_keeps_whom_each_was_asked_to_speak_for(room: Room):
    incident = an_incident(room)
    told(room, PAYMENTS)
    an_event(room, incident, "Restarted the queue", by=TOMAS)
    felt(room, incident, functions=("Sales",))

    asked = room.change(lambda db: planned(db, incident, {"sales": (JONAS,)}))

    assert asked == [(MARA, True, None), (JONAS, True, "Sales"), (TOMAS, True, "Payments")]


def planned(db: Session, incident: int, speakers: participants.Speakers) -> list[tuple[str, bool, str | None]]:
    row = incidents.get(db, incident)
    meeting = reviews.plan(db, row, at=row.opened_at, by=MARA, now=row.opened_at, speakers=speakers)
    return [(one.user_id, one.core_since is not None, one.why) for one in attending.attendees(db, meeting)]


def test_who_comes_leaves_those_unheard_for_whom_nobody_does(room: Room):
    incident = an_incident(room)
    told(room, PAYMENTS)
    an_event(room, incident, "Restarted the queue", by=TOMAS)

    unheard = room.ask(lambda db: participants.unheard(db, incidents.get(db, incident), [MARA]))

    assert unheard == [Side("Payments", (JONAS, TOMAS))]


def test_members_of_affected_teams_who_were_never_met_are_found(room: Room):
    incident = an_incident(room)
    told(room, GroupFact("S0SUP", "support", "Support", ("U0NEW", PRIYA)), PAYMENTS)
    felt(room, incident, functions=("support", "\ud800nobody\0"))

    assert room.ask(lambda db: participants.unmet(db, TEAM, since=room.now)) == ["U0NEW"]


# Thirty incidents ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return thirty_incidents(tmp_path_factory.mktemp("crews"))


def test_in_thirty_incidents_every_side_is_spoken_for_or_named(thirty: Found):
    assert (thirty.neither, thirty.wrongly_named, thirty.left_out) == ([], [], [])
    assert thirty.spoken_for + thirty.named == thirty.sides
    assert min(thirty.spoken_for, thirty.named) > 0


def test_in_thirty_incidents_five_to_eight_come_or_everybody_who_was_there(thirty: Found):
    assert (thirty.wrong_size, thirty.unable) == ([], [])
    assert (min(thirty.sizes) < 5, max(thirty.sizes)) == (True, 8)


def test_where_no_team_counts_sides_are_left_out_for_which_somebody_could_come(tmp_path: Path):
    found = thirty_incidents(tmp_path, meet=met_by_the_busiest)

    assert found.left_out
