"""What storage can tell of reviews: whose turn it is, who took part, what is planned."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import WorkingHours
from bot.review.policy import Pool
from storage import findings, incidents, involved, people, rota
from storage.models import Membership
from tests.cast import (
    CHANNEL,
    JONAS,
    MARA,
    NOVEMBER_18,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    a_room,
    an_incident,
    mitigated,
)


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def members(room: Room, *users: str) -> None:
    rows = [Membership(team_id=TEAM, channel_id=CHANNEL, user_id=user) for user in users]
    room.change(lambda db: db.add_all(rows))


def facilitated(room: Room, user: UserId, *, days_ago: int) -> None:
    """Somebody led the meeting of an earlier incident."""
    earlier = an_incident(room, title="An earlier one", channel=f"C0EARLIER{days_ago}")  # pyright: ignore[reportArgumentType]
    since = NOVEMBER_18 - timedelta(days=days_ago)
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, earlier), Role.facilitator, user, by=None, now=since)
    )


def whose_turn(room: Room, incident: int) -> rota.Rotation | None:
    wanted = rota.Wanted(role=Role.facilitator, pool=Pool(), hours=WorkingHours())
    return next(iter(room.ask(lambda db: rota.in_turn(db, incidents.get(db, incident), wanted))), None)


def test_the_rotation_proposes_who_led_a_meeting_longest_ago(room: Room):
    incident = an_incident(room)
    members(room, MARA, TOMAS, PRIYA)
    facilitated(room, TOMAS, days_ago=9)
    facilitated(room, PRIYA, days_ago=30)

    turn = whose_turn(room, incident)

    assert turn == rota.Rotation(PRIYA, responded=False)


def test_who_never_led_a_meeting_comes_first(room: Room):
    incident = an_incident(room)
    members(room, MARA, TOMAS, PRIYA)
    facilitated(room, PRIYA, days_ago=300)

    turn = whose_turn(room, incident)

    assert turn == rota.Rotation(TOMAS, responded=False)


def test_whoever_responded_does_not_lead_the_meeting(room: Room):
    incident = an_incident(room)
    members(room, MARA, TOMAS, PRIYA)
    a_message(room, "Restarted the pods", by=PRIYA)

    turn = whose_turn(room, incident)

    assert turn == rota.Rotation(TOMAS, responded=False)


def test_a_word_after_mitigation_makes_nobody_a_responder(room: Room):
    incident = an_incident(room)
    members(room, MARA, PRIYA)
    mitigated(room, incident)
    a_message(room, "Well done", by=PRIYA, at=NOVEMBER_18 + timedelta(hours=1))

    turn = whose_turn(room, incident)

    assert turn == rota.Rotation(PRIYA, responded=False)


def test_in_a_small_team_the_least_involved_leads_the_meeting(room: Room):
    incident = an_incident(room)
    members(room, MARA, TOMAS, PRIYA)
    for minute in range(3):
        a_message(room, f"Look {minute}", by=PRIYA, at=NOVEMBER_18 + timedelta(minutes=minute))
    a_message(room, "I see it too", by=TOMAS, at=NOVEMBER_18 + timedelta(minutes=9))

    turn = whose_turn(room, incident)

    assert turn == rota.Rotation(TOMAS, responded=True)


def test_programs_and_people_who_left_do_not_lead_a_meeting(room: Room):
    incident = an_incident(room)
    members(room, MARA, TOMAS, PRIYA, "U0DEBRIEF")
    room.change(lambda db: leaves(db, TOMAS))
    room.change(lambda db: is_a_program(db, PRIYA))

    turn = whose_turn(room, incident)

    assert turn is None


def leaves(db: Session, user: UserId) -> None:
    people.know(db, TEAM, user, name="", zone="UTC", email=None, bot=None, gone=NOVEMBER_18, now=NOVEMBER_18)


def is_a_program(db: Session, user: UserId) -> None:
    people.know(db, TEAM, user, name="", zone="UTC", email=None, bot=NOVEMBER_18, gone=None, now=NOVEMBER_18)


def test_the_most_active_come_first(room: Room):
    incident = an_incident(room)
    a_message(room, "One", by=TOMAS)
    for minute in (1, 2):
        a_message(room, "Two", by=PRIYA, at=NOVEMBER_18 + timedelta(minutes=minute))

    active = room.ask(lambda db: involved.most_active(db, incidents.get(db, incident)))

    assert active == [PRIYA, TOMAS]


def test_words_spoken_before_the_incident_or_elsewhere_do_not_count(room: Room):
    incident = an_incident(room)
    a_message(room, "Lunch?", by=JONAS, at=NOVEMBER_18 - timedelta(hours=2))
    a_message(room, "Elsewhere", by=JONAS, channel="C0GENERAL")
    a_message(room, "Here", by=TOMAS)

    active = room.ask(lambda db: involved.most_active(db, incidents.get(db, incident)))

    assert active == [TOMAS]


def test_findings_are_grouped_by_kind_in_the_order_a_review_speaks_of_them(room: Room):
    incident = an_incident(room)

    def note(db: Session) -> None:
        here = incidents.get(db, incident)
        findings.add(
            db, here, kind=FindingKind.risk, sort=None, text="One person knows", by=MARA, event=None, now=room.now
        )
        findings.add(
            db, here, kind=FindingKind.contributor, sort="human", text="Two alerts", by=MARA, event=None, now=room.now
        )

    room.change(note)

    grouped = room.ask(lambda db: {k: [f.number for f in v] for k, v in findings.by_kind(db, incident).items()})
    assert grouped == {FindingKind.contributor: [2], FindingKind.risk: [1]}
