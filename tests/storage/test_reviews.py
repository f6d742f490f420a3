"""What storage can tell of reviews: whose turn it is, who took part, what is planned."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.review.findings import FindingKind
from bot.review.incident import ChannelId, UserId
from bot.review.lifecycle import Role, Stage
from bot.review.meeting_time import WorkingHours
from bot.review.policy import Pool
from storage import findings, incidents, participants, people, reviews, rota
from storage.models import Incident, Meeting, Membership, Review
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

    active = room.ask(lambda db: participants.most_active(db, incidents.get(db, incident)))

    assert active == [PRIYA, TOMAS]


def test_words_spoken_before_the_incident_or_elsewhere_do_not_count(room: Room):
    incident = an_incident(room)
    a_message(room, "Lunch?", by=JONAS, at=NOVEMBER_18 - timedelta(hours=2))
    a_message(room, "Elsewhere", by=JONAS, channel="C0GENERAL")
    a_message(room, "Here", by=TOMAS)

    active = room.ask(lambda db: participants.most_active(db, incidents.get(db, incident)))

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


# What waits for a plan -------------------------------------------------------------------------


def never(db: Session, incident: Incident) -> None:
    """It goes on."""


def is_over(db: Session, incident: Incident, name: str = "mitigated", days: int = 0) -> None:
    at = NOVEMBER_18 + timedelta(days=days)
    incidents.set_moment(db, incident, name, at, by=MARA, how="set", now=at)


def breaks_again(db: Session, incident: Incident) -> None:
    is_over(db, incident)
    incidents.set_moment(db, incident, "mitigated", None, by=MARA, how="set", now=NOVEMBER_18)


def is_planned(db: Session, incident: Incident) -> Meeting:
    is_over(db, incident)
    return reviews.plan(db, incident, at=NOVEMBER_18 + timedelta(days=2), by=MARA, now=NOVEMBER_18)


def is_called_off(db: Session, incident: Incident) -> None:
    reviews.call_off(db, is_planned(db, incident), now=NOVEMBER_18)


def is_open(db: Session, incident: Incident) -> None:
    is_planned(db, incident).opened_at = NOVEMBER_18


def is_held(db: Session, incident: Incident) -> None:
    meeting = is_planned(db, incident)
    meeting.opened_at = meeting.ended_at = NOVEMBER_18


def meets_apart(db: Session, incident: Incident) -> None:
    is_planned(db, incident).apart = "Payments"


def marked(moment: str) -> Callable[[Session, Incident], None]:
    def mark(db: Session, incident: Incident) -> None:
        is_over(db, incident)
        setattr(reviews.of(db, incident), moment, NOVEMBER_18)

    return mark


MARKED = [marked(column.name) for column in Review.__table__.columns if column.name.endswith("_at")]
STATES = (never, is_over, breaks_again, is_planned, is_called_off, is_open, is_held, meets_apart, *MARKED)


def in_every_state(room: Room) -> None:
    for number, state in enumerate(STATES):
        incident = an_incident(room, channel=ChannelId(f"C0STATE{number}"))
        room.change(lambda db, state=state, incident=incident: state(db, incidents.get(db, incident)))
    resolved = an_incident(room, channel=ChannelId("C0RESOLVED"))
    room.change(lambda db: is_over(db, incidents.get(db, resolved), "resolved"))


def waiting(room: Room) -> list[int]:
    return room.ask(lambda db: [one.id for one in reviews.without_a_plan(db, TEAM, opened_since=NOVEMBER_18)])


def test_what_waits_for_a_plan_is_what_the_stage_calls_mitigated(room: Room):
    in_every_state(room)

    found = waiting(room)

    every = room.ask(lambda db: {one.id: reviews.stage(db, one) for one in db.query(Incident).order_by(Incident.id)})
    assert found == [number for number, stage in every.items() if stage is Stage.mitigated]
    assert 3 < len(found) < len(every) - 3


def test_however_much_waits_it_is_one_question(room: Room):
    in_every_state(room)
    asked: list[str] = []
    event.listen(room.storage.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    waiting(room)

    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_of_each_mitigation_somebody_is_asked_once(room: Room):
    number = an_incident(room)

    def ask(db: Session, incident: Incident) -> None:
        reviews.of(db, incident).proposed_at = NOVEMBER_18

    def is_over_again(db: Session, incident: Incident) -> None:
        is_over(db, incident, days=1)

    found = [unasked(room)]
    for deed in (is_over, ask, is_over_again):
        room.change(lambda db, deed=deed: deed(db, incidents.get(db, number)))
        found.append(unasked(room))

    assert found == [False, True, False, True]


def unasked(room: Room) -> bool:
    return bool(room.ask(lambda db: reviews.unasked(db, TEAM, opened_since=NOVEMBER_18)))
