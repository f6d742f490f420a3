"""Who leads the meeting and who writes: asked one after the other, free to pass, and never silently."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import inviting, rotating, scheduling, sparing, tracking
from bot.render import Rendered
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOff
from bot.review.policy import Policy, Pool
from bot.review.refusal import NoIncidentHere, NotAsked
from bot.review.when import read_when
from storage import attending, busy, incidents, people, reviews, rota, timeline
from storage.incidents import Where
from storage.models import Meeting, Membership, Message, OutboxNote, Person, RoleAsked
from tests.cast import (
    CHANNEL,
    HERE,
    HOW_TO_STOP,
    JONAS,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    a_room,
    an_incident,
    mitigated,
)
from tests.sitting import buttons, plain

THURSDAY_NINE = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
"""In London; the meeting of these tests is on Monday at ten there, and in Berlin at eleven."""
MONDAY = "2026-11-23 11:00"


@pytest.fixture
def room(tmp_path: Path, sqlite_url: str) -> Room:
    return a_room(tmp_path, sqlite_url)


def know(room: Room, user: str, **about: Any) -> None:
    """Somebody in London, unless it is said otherwise."""
    facts: dict[str, Any] = {"name": "", "zone": "Europe/London", "email": None, "bot": None, "gone": None}
    room.change(lambda db: people.know(db, TEAM, user, now=room.now, **facts | about))


def members(room: Room, *users: str, channel: str = CHANNEL) -> None:
    rows = [Membership(team_id=TEAM, channel_id=channel, user_id=user) for user in users]
    room.change(lambda db: db.add_all(rows))


def everybody_in_london(room: Room) -> None:
    room.change(lambda db: db.execute(update(Person).values(zone="Europe/London")))


def a_planned_meeting(room: Room, *users: UserId, when: str = MONDAY) -> int:
    """Mara's incident in a channel with these people, its meeting booked on Thursday at nine, when everybody works."""
    everybody_in_london(room)
    number = an_incident(room)
    members(room, MARA, *users)
    mitigated(room, number)
    room.now = THURSDAY_NINE
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(when))
    room.pass_time(minutes=30)
    return number


def tick(room: Room) -> None:
    room.serve(rotating.ask_due)


def with_pool(room: Room, *users: UserId) -> None:
    room.house = replace(room.house, policy=Policy(facilitators=Pool(people=users)))
    room.desk.house = room.house


def asked(room: Room) -> list[tuple[str, str, str | None]]:
    query = select(RoleAsked.user_id, RoleAsked.role, RoleAsked.answer).order_by(RoleAsked.id)
    return [(user, role, answer) for user, role, answer in room.ask(lambda db: db.execute(query).all())]


def take(room: Room, user: UserId, role: Role = Role.facilitator) -> str:
    return room.serve(rotating.take, where=HERE, by=user, role=role)


def pass_on(room: Room, user: UserId, role: Role = Role.facilitator) -> str:
    return room.serve(rotating.pass_on, where=HERE, by=user, role=role)


def leads(room: Room, incident: int = 1) -> str | None:
    return room.ask(incidents.roles, incident).facilitator


def said(room: Room, to: str = CHANNEL) -> list[str]:
    return [plain(words) for words in room.transcript(to)]


def labels(room: Room, to: str) -> list[str]:
    """Of the buttons of the last direct message."""
    told = select(OutboxNote.blocks).where(OutboxNote.channel_id == to).order_by(OutboxNote.id.desc()).limit(1)
    return buttons(Rendered("", room.ask(lambda db: db.scalars(told).one()) or []))


# Asking ---------------------------------------------------------------------------------------


def test_half_an_hour_after_the_booking_whose_turn_it_is_is_asked_once_and_may_pass(room: Room):
    a_planned_meeting(room, TOMAS)
    room.pass_time(minutes=-1)
    tick(room)
    assert said(room, TOMAS) == []

    room.pass_time(minutes=1)
    tick(room)
    tick(room)

    assert said(room, TOMAS) == [
        "You took no part in the response to “Checkout is slow”, so you would come to its review with fresh eyes.\n"
        "Would you lead it on *Mon 23 Nov 2026, 11:00 GMT*, 60 min, in <#C0INC>?\n\n"
        "The agenda leads you through it, and you need not know the system. You are asked because it is your turn. "
        "If I do not hear from you by Fri 20 Nov 2026, 09:30 GMT, I ask somebody else. " + HOW_TO_STOP
    ]
    assert labels(room, TOMAS) == ["Take it", "Pass"]


def test_whoever_takes_it_leads_the_meeting_comes_to_it_and_everybody_is_told(room: Room):
    a_planned_meeting(room, TOMAS, PRIYA)
    tick(room)

    answer = take(room, PRIYA)
    take(room, PRIYA)

    assert leads(room) == PRIYA
    assert "Thank you. You lead the review of “Checkout is slow” on *Mon 23 Nov 2026, 11:00 GMT*" in answer
    assert said(room)[1:] == ["<@U0PRIYA> leads the review meeting on Mon 23 Nov, 11:00 UTC."]
    assert PRIYA in room.ask(lambda db: attending.core(db, db.scalars(select(Meeting)).one()))


def test_who_passes_is_asked_for_no_reason_and_the_next_one_is_asked(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)

    answer = pass_on(room, PRIYA)
    tick(room)

    assert answer == "That is fine, and thank you for saying so. I ask somebody else."
    assert asked(room) == [(PRIYA, "facilitator", "passed"), (TOMAS, "facilitator", None)]
    assert leads(room) is None


def test_after_a_working_day_without_an_answer_the_next_one_is_asked(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)

    room.now = datetime(2026, 11, 20, 9, 29, tzinfo=UTC)
    tick(room)
    assert len(asked(room)) == 1
    room.pass_time(minutes=1)
    tick(room)

    assert asked(room) == [(PRIYA, "facilitator", "lapsed"), (TOMAS, "facilitator", None)]


def test_whose_turn_it_is_in_two_meetings_is_asked_of_one_of_them_a_day(room: Room):
    a_planned_meeting(room)
    elsewhere = ChannelId("C0OTHER")
    mitigated(room, an_incident(room, channel=elsewhere))
    room.serve(scheduling.schedule, where=Where(Place(elsewhere)), by=MARA, when=read_when("2026-11-23 15:00"))
    with_pool(room, PRIYA)
    room.pass_time(minutes=30)

    tick(room)
    on_the_first_day = asked(room)
    room.pass_time(days=1)
    tick(room)

    assert on_the_first_day == [(PRIYA, "facilitator", None)]
    assert asked(room) == [(PRIYA, "facilitator", "lapsed"), (PRIYA, "facilitator", None)]
    assert len(said(room, PRIYA)) == 2


def test_a_late_yes_counts_while_nobody_else_has_said_it(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)
    room.pass_time(days=1)
    tick(room)

    take(room, PRIYA)
    late = take(room, TOMAS)

    assert leads(room) == PRIYA
    assert late == "Thank you. <@U0PRIYA> leads this meeting by now, so there is nothing left to do for you."


def test_a_yes_after_a_no_is_a_yes(room: Room):
    a_planned_meeting(room, PRIYA)
    tick(room)
    pass_on(room, PRIYA)

    take(room, PRIYA)

    assert leads(room) == PRIYA
    assert asked(room) == [(PRIYA, "facilitator", "taken")]


def test_whoever_has_it_does_not_lose_it_by_pressing_pass(room: Room):
    a_planned_meeting(room, PRIYA)
    tick(room)
    take(room, PRIYA)

    answer = pass_on(room, PRIYA)

    assert "hands it on" in answer
    assert leads(room) == PRIYA


def test_where_somebody_is_named_nobody_is_asked(room: Room):
    a_planned_meeting(room, TOMAS, PRIYA)
    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=PRIYA)

    tick(room)

    assert [row for row in asked(room) if row[1] == "facilitator"] == []


def test_nobody_answers_for_somebody_else(room: Room):
    a_planned_meeting(room, TOMAS, PRIYA)
    tick(room)

    with pytest.raises(NotAsked, match="`/review facilitator @name` names anybody"):
        take(room, TOMAS)
    with pytest.raises(NotAsked, match="`/review scribe @name` names anybody"):
        take(room, PRIYA, Role.scribe)
    with pytest.raises(NotAsked, match="`/review facilitator @name` names anybody"):
        room.serve(rotating.sit_beside, where=HERE, by=PRIYA, answer="taken")


# Who may be asked -------------------------------------------------------------------------------


def test_no_responder_no_lead_no_owner_and_no_scribe_is_asked(room: Room):
    everybody_in_london(room)
    an_incident(room)
    a_message(room, "restarted the pods", by=PRIYA)
    members(room, MARA, PRIYA, TOMAS, JONAS, OUTSIDER)
    mitigated(room, 1)
    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.owner, user=TOMAS)
    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.scribe, user=JONAS)

    assert in_turn(room, Pool()) == [OUTSIDER]


def test_whoever_wrote_what_stands_on_the_timeline_took_part_though_they_wrote_it_after_the_mitigation(room: Room):
    everybody_in_london(room)
    an_incident(room)
    members(room, MARA, PRIYA, JONAS)
    mitigated(room, 1)
    after = room.now + timedelta(minutes=3)
    for user in (PRIYA, JONAS):
        a_message(room, "rolled back, errors are gone", by=user, at=after + timedelta(seconds=user == JONAS))

    room.change(lambda db: keep(db, PRIYA))

    assert in_turn(room, Pool()) == [JONAS]
    assert room.ask(lambda db: rota.responded(db, incidents.get(db, 1), PRIYA))


def keep(db: Session, user: UserId) -> None:
    """What they wrote goes onto the timeline."""
    message = db.scalars(select(Message).where(Message.user_id == user)).one()
    timeline.put_by_hand(db, incidents.get(db, 1), message, by=MARA, now=message.posted_at)


def in_turn(room: Room, pool: Pool, days_off: Callable[[str, date], DaysOff] | None = None) -> list[str]:
    def look(db: Session) -> list[str]:
        incident = incidents.get(db, 1)
        meeting = reviews.planned_meeting(db, reviews.of(db, incident))
        more: dict[str, Any] = {"days_off": days_off} if days_off else {}
        wanted = rota.Wanted(role=Role.facilitator, pool=pool, hours=room.house.working_hours, meeting=meeting, **more)
        return [one.user for one in rota.in_turn(db, incident, wanted)]

    return room.ask(look)


def test_a_pool_of_the_policy_comes_before_whoever_is_in_the_channel(room: Room):
    a_planned_meeting(room, TOMAS)
    with_pool(room, PRIYA)

    tick(room)

    assert asked(room) == [(PRIYA, "facilitator", None)]


@pytest.mark.parametrize("kind", ["bot", "gone", "guest"])
def test_programs_guests_and_who_left_are_not_asked(room: Room, kind: str):
    a_planned_meeting(room, PRIYA, TOMAS)
    know(room, PRIYA, **{kind: room.now})

    assert in_turn(room, Pool()) == [TOMAS]


def test_who_left_after_they_were_asked_is_not_waited_for(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)
    know(room, PRIYA, gone=room.now)

    tick(room)

    assert asked(room) == [(PRIYA, "facilitator", "lapsed"), (TOMAS, "facilitator", None)]


def test_who_is_on_holiday_at_that_day_is_not_asked(room: Room):
    a_planned_meeting(room, PRIYA)
    holiday = DaysOff(holidays=frozenset({date(2026, 11, 23)}))

    assert in_turn(room, Pool()) == [PRIYA]
    assert in_turn(room, Pool(), lambda _zone, _day: holiday) == []


def test_who_would_be_asleep_or_is_busy_then_is_not_asked(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS, JONAS)
    know(room, PRIYA, zone="America/Los_Angeles")
    span = (datetime(2026, 11, 23, 11, 30, tzinfo=UTC), datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
    room.change(lambda db: busy.keep(db, TEAM, TOMAS, [span], now=room.now))

    assert in_turn(room, Pool()) == [JONAS]


def leads_another(room: Room, user: UserId, when: str) -> None:
    elsewhere = ChannelId("C0ELSE")
    other = an_incident(room, channel=elsewhere, lead=JONAS)
    members(room, JONAS, user, channel=elsewhere)
    mitigated(room, other)
    there = Where(Place(elsewhere))
    room.serve(tracking.take_role, where=there, by=JONAS, role=Role.facilitator, user=user)
    room.serve(scheduling.schedule, where=there, by=JONAS, when=read_when(when))


@pytest.mark.parametrize("when", ["2026-11-23 10:30", "2026-11-23 11:30"])
def test_who_leads_another_meeting_at_that_hour_is_not_asked(room: Room, when: str):
    a_planned_meeting(room, PRIYA, TOMAS)
    leads_another(room, PRIYA, when)

    assert in_turn(room, Pool()) == [TOMAS]


@pytest.mark.parametrize("when", ["2026-11-23 10:00", "2026-11-23 12:00"])
def test_who_leads_another_meeting_right_before_or_after_it_may_lead_this_one_too(room: Room, when: str):
    a_planned_meeting(room, PRIYA, TOMAS)
    leads_another(room, PRIYA, when)

    assert in_turn(room, Pool()) == [TOMAS, PRIYA]


@pytest.mark.parametrize("since", ["cancelled_at", "ended_at"])
def test_who_was_to_lead_a_meeting_that_is_off_or_over_is_free_at_its_hour(room: Room, since: str):
    a_planned_meeting(room, PRIYA, TOMAS)
    leads_another(room, PRIYA, "2026-11-23 10:30")
    over = update(Meeting).where(Meeting.channel_id == "C0ELSE").values({since: room.now})
    room.change(lambda db: db.execute(over))

    assert in_turn(room, Pool()) == [TOMAS, PRIYA]


def test_who_wants_to_be_left_alone_is_passed_over(room: Room):
    a_planned_meeting(room, PRIYA, TOMAS)
    room.serve(sparing.set_reminders, by=PRIYA, words="off")

    tick(room)

    assert asked(room) == [(TOMAS, "facilitator", None)]


def test_whose_turn_it_is_is_waited_for_until_their_morning(room: Room):
    a_planned_meeting(room, JONAS, TOMAS)
    know(room, JONAS, zone="America/Sao_Paulo")
    with_pool(room, JONAS, TOMAS)
    room.change(lambda db: postpone_to(db, datetime(2026, 11, 23, 14, 0, tzinfo=UTC)))

    tick(room)
    assert asked(room) == []
    room.now = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
    tick(room)

    assert asked(room) == [(JONAS, "facilitator", None)]


def postpone_to(db: Session, at: datetime) -> None:
    db.scalars(select(Meeting)).one().meets_at = at


def test_a_day_before_the_meeting_whoever_may_be_written_to_is_asked(room: Room):
    a_planned_meeting(room, JONAS, TOMAS, when="2026-11-20 15:00")
    know(room, JONAS, zone="America/Sao_Paulo")
    room.pass_time(hours=-1)
    room.now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    tick(room)

    assert asked(room) == [(TOMAS, "facilitator", None)]


def test_a_stranger_to_a_private_incident_is_neither_asked_nor_can_answer(room: Room):
    a_planned_meeting(room, PRIYA)
    with_pool(room, TOMAS, PRIYA)
    room.change(lambda db: setattr(incidents.get(db, 1), "private_since", NOVEMBER_18))

    tick(room)

    assert asked(room) == [(PRIYA, "facilitator", None)]
    with pytest.raises(NoIncidentHere):
        take(room, TOMAS)


def test_in_a_small_team_whoever_was_in_it_least_is_asked_and_that_is_said(room: Room):
    everybody_in_london(room)
    an_incident(room)
    members(room, MARA, PRIYA, TOMAS)
    for minute in range(3):
        a_message(room, f"Look {minute}", by=PRIYA, at=NOVEMBER_18 + timedelta(minutes=minute))
    a_message(room, "I see it too", by=TOMAS, at=NOVEMBER_18 + timedelta(minutes=5))
    mitigated(room, 1, NOVEMBER_18 + timedelta(hours=1))
    room.now = THURSDAY_NINE
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(MONDAY))
    room.pass_time(minutes=30)

    tick(room)
    take(room, TOMAS)

    assert said(room, TOMAS)[0].startswith(
        "Everybody who could lead the review of “Checkout is slow” took part in the response, and you had your "
        "hands free a little more often.\n"
    )
    assert said(room)[1:] == [
        (
            "<@U0TOMAS> leads the review meeting on Mon 23 Nov, 11:00 UTC. "
            "Everybody who could took part in the response, so it is somebody who did."
        )
    ]


def test_in_a_large_channel_nobody_is_asked_out_of_the_blue_and_no_responder_for_want_of_others(room: Room):
    crowd = [UserId(f"U0CROWD{number:03}") for number in range(150)]
    for user in crowd:
        know(room, user)
    a_message(room, "restarted the pods", by=TOMAS)
    a_planned_meeting(room, PRIYA, TOMAS, *crowd)

    assert in_turn(room, Pool()) == []
    earlier(room, PRIYA, 1)
    earlier(room, TOMAS, 2)

    assert in_turn(room, Pool()) == [PRIYA]


def earlier(room: Room, user: UserId, number: int = 0) -> None:
    """Somebody led the meeting of another incident."""
    since = NOVEMBER_18 - timedelta(days=30)
    other = an_incident(room, title="An earlier one", channel=ChannelId(f"C0EARLIER{number}"), opened_at=since)
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, other), Role.facilitator, user, by=None, now=since)
    )


# Nobody left ------------------------------------------------------------------------------------


def test_where_nobody_is_left_the_lead_hears_of_it_once_and_leads_or_names_somebody(room: Room):
    a_planned_meeting(room, PRIYA)
    tick(room)
    pass_on(room, PRIYA)

    tick(room)
    tick(room)

    assert said(room, MARA) == [
        "The review of “Checkout is slow” is on *Mon 23 Nov 2026, 11:00 GMT*, and nobody leads it yet. "
        "Nobody I asked can in time, so you lead it, unless you name somebody.\n\n"
        "You get this once, because you lead this incident. " + HOW_TO_STOP
    ]
    assert labels(room, MARA) == ["Name who leads"]


def test_a_lead_alone_in_the_channel_is_told_nothing(room: Room):
    a_planned_meeting(room)

    tick(room)

    assert said(room, MARA) == []


def test_two_hours_before_the_meeting_nobody_is_asked_any_more(room: Room):
    a_planned_meeting(room, PRIYA, when="2026-11-19 11:29")

    tick(room)

    assert asked(room) == []


def test_a_meeting_that_was_called_off_needs_nobody(room: Room):
    a_planned_meeting(room, PRIYA)
    tick(room)
    room.serve(scheduling.call_off, where=HERE, by=MARA, reason="nobody can come")

    answer = take(room, PRIYA)

    assert answer.startswith("Thank you. This meeting is not planned any more")
    assert leads(room) is None


@pytest.mark.parametrize("off", [tracking.skip, tracking.cancel])
@pytest.mark.parametrize("led_by", [PRIYA, TOMAS, None])
def test_whoever_was_asked_hears_that_the_review_was_called_off_whoever_was_to_lead_it(
    room: Room, off: Callable[..., Any], led_by: UserId | None
):
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)
    if led_by:
        room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=led_by)
    room.serve(off, where=HERE, by=MARA, reason="no review needed")

    told = "This review was called off, so there is nothing left to do for you."
    assert take(room, PRIYA) == f"Thank you. {told}"
    passed = "That is fine, and thank you for saying so. This review was called off, so nobody else is asked."
    assert pass_on(room, PRIYA) == passed


def test_after_it_broke_again_the_new_meeting_asks_anew(room: Room):
    a_planned_meeting(room, PRIYA)
    tick(room)
    pass_on(room, PRIYA)
    room.serve(tracking.reopen, where=HERE, by=MARA)
    room.serve(scheduling.moves_due)
    tick(room)
    assert said(room, MARA) == []

    room.pass_time(days=1)
    mitigated(room, 1)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-24 11:00"))
    room.pass_time(minutes=30)
    tick(room)

    assert asked(room) == [(PRIYA, "facilitator", "passed"), (PRIYA, "facilitator", None)]


# The scribe -------------------------------------------------------------------------------------


def test_whoever_is_asked_to_the_meeting_may_be_asked_to_write_and_nobody_for_two_parts(room: Room):
    a_planned_meeting(room, PRIYA)
    room.serve(inviting.invite, where=HERE, by=MARA, users=[TOMAS, PRIYA])

    tick(room)
    take(room, TOMAS, Role.scribe)

    assert asked(room) == [(PRIYA, "facilitator", None), (TOMAS, "scribe", "taken")]
    assert said(room, TOMAS)[0].startswith(
        "Would you write at the review of “Checkout is slow” on *Mon 23 Nov 2026, 11:00 GMT*, 60 min, in <#C0INC>?"
    )
    assert room.ask(incidents.roles, 1).scribe == TOMAS


def test_who_comes_to_speak_for_somebody_is_asked_last_to_write(room: Room):
    everybody_in_london(room)
    an_incident(room)
    members(room, MARA, TOMAS, JONAS)
    a_message(room, "restarted the pods", by=TOMAS)
    mitigated(room, 1, NOVEMBER_18 + timedelta(hours=1))
    room.now = THURSDAY_NINE
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(MONDAY))
    room.serve(inviting.invite, where=HERE, by=MARA, users=[JONAS])
    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=PRIYA)
    room.pass_time(minutes=30)

    tick(room)
    pass_on(room, TOMAS, Role.scribe)
    tick(room)

    assert asked(room) == [(TOMAS, "scribe", "passed"), (JONAS, "scribe", None)]


def test_who_leads_and_who_writes_is_told_missing_in_one_message(room: Room):
    a_planned_meeting(room, PRIYA)
    room.serve(inviting.invite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)
    pass_on(room, TOMAS, Role.scribe)
    tick(room)
    assert said(room, MARA) == []

    pass_on(room, PRIYA)
    tick(room)

    assert "and nobody leads it or writes at it yet." in said(room, MARA)[0]
    assert labels(room, MARA) == ["Name who leads", "Name who writes"]


# Beside a first-timer ----------------------------------------------------------------------------


def test_for_a_first_meeting_somebody_who_led_one_is_offered_and_asked_only_where_it_is_wanted(room: Room):
    earlier(room, TOMAS)
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)
    answer = take(room, PRIYA)
    tick(room)
    assert "It is the first one you lead. <@U0TOMAS> has led one before, and could sit beside you." in answer
    assert said(room, TOMAS) == []

    kept = room.serve(rotating.ask_beside, where=HERE, by=PRIYA)
    tick(room)
    tick(room)

    assert kept == "I ask <@U0TOMAS> in their working hours, and you hear what they say."
    assert len(said(room, TOMAS)) == 1
    assert "<@U0PRIYA> leads the review of “Checkout is slow” on *Mon 23 Nov 2026, 11:00 GMT*" in said(room, TOMAS)[0]
    assert labels(room, TOMAS) == ["Gladly", "Not this time"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [("taken", "<@U0TOMAS> sits beside you at the review"), ("passed", "<@U0TOMAS> cannot come to")],
)
def test_who_wanted_somebody_beside_them_hears_what_they_say(room: Room, answer: str, told: str):
    earlier(room, TOMAS)
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)
    take(room, PRIYA)
    room.serve(rotating.ask_beside, where=HERE, by=PRIYA)
    tick(room)

    room.serve(rotating.sit_beside, where=HERE, by=TOMAS, answer=answer)
    room.serve(rotating.sit_beside, where=HERE, by=TOMAS, answer=answer)

    assert [words for words in said(room, PRIYA) if told in words] == said(room, PRIYA)[1:]
    assert len(said(room, PRIYA)) == 2
    core = room.ask(lambda db: attending.core(db, db.scalars(select(Meeting)).one()))
    assert (TOMAS in core) == (answer == "taken")


def test_who_has_led_before_is_offered_nobody(room: Room):
    earlier(room, PRIYA, 1)
    earlier(room, TOMAS, 2)
    a_planned_meeting(room, PRIYA, TOMAS)
    tick(room)

    answer = take(room, UserId(asked(room)[0][0]))

    assert "first one you lead" not in answer
