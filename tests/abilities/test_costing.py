"""What an incident took of its people and in money: totals for everybody, and of people's hours each their own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import costing, preparing, scheduling, tracking
from bot.desk import House
from bot.formats import written
from bot.listeners import forms
from bot.listeners.asked import Memory
from bot.listeners.forms import FORMS
from bot.listeners.incident_forms import NotAnAmount
from bot.review.hours import Worked
from bot.review.impact import Impact
from bot.review.incident import ChannelId, Place, UserId
from bot.review.policy import DEFAULT, Rates
from bot.review.when import read_when
from storage import incidents, people
from storage.models import Person
from tests.cast import CHANNEL, HERE, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, a_message, an_incident, mitigated
from tests.sitting import an_event

RATES = Rates(hour=80, revenue_per_minute=1_200, currency="EUR")


def a_response(room: Room, *who: UserId, opened: timedelta = timedelta()) -> int:
    """An incident in which each of these people wrote for half an hour; mitigated an hour after it began."""
    number = an_incident(room, opened_at=room.now + opened)
    began = room.now
    set_at(room, "began", began)
    for place, user in enumerate(who):
        for minute in (2, 17, 32):
            a_message(room, "looking", by=user, at=began + timedelta(minutes=minute, seconds=place))
    room.pass_time(hours=1)
    mitigated(room, number)
    return number


def set_at(room: Room, name: str, at: object) -> None:
    room.change(
        lambda db: incidents.set_moment(db, incidents.get(db, 1), name, at, by=None, how="recorded", now=room.now)  # type: ignore[arg-type]
    )


def priced(room: Room, rates: Rates = RATES) -> Room:
    return Room(room.storage, room.now, House(policy=replace(DEFAULT, rates=rates)))


def effort(room: Room) -> dict[str, Worked]:
    return dict(room.ask(lambda db: costing.effort(db, incidents.get(db, 1), room.house)).by_person)


def shown(room: Room, by: UserId) -> str:
    return room.serve(tracking.show_impact, where=HERE, by=by)


def test_everybody_is_told_the_total_and_their_own_part(room: Room):
    a_response(room, TOMAS, PRIYA, JONAS)

    told = {user: shown(room, user) for user in (TOMAS, PRIYA, JONAS)}

    total = "together 1 h 30 min, 30 min of it outside working hours."
    assert all(total in words for words in told.values())
    assert "Your part, which only you are told: 30 min, all of it in working hours." in told[TOMAS]
    assert "Your part, which only you are told: 30 min, all of it outside working hours." in told[PRIYA]


def test_who_took_no_part_is_told_no_part(room: Room):
    a_response(room, TOMAS, PRIYA, JONAS)

    assert "Your part" not in shown(room, OUTSIDER)


def test_of_two_people_no_total_is_told_to_anybody(room: Room):
    a_response(room, TOMAS, PRIYA)

    told = shown(priced(room), TOMAS)

    assert "*What it took:* 3 people." in told
    assert "together" not in told
    assert "Of fewer than three people I tell nobody a total." in told
    assert "Response cost" not in told


def test_what_was_said_before_it_began_or_after_it_was_over_is_no_part_of_the_response(room: Room):
    a_message(room, "lunch?", by=TOMAS, at=room.now - timedelta(minutes=20))
    a_response(room, TOMAS, opened=-timedelta(hours=1))
    room.pass_time(minutes=10)
    a_message(room, "what a day", by=TOMAS)

    assert effort(room)[TOMAS].active == timedelta(minutes=30)

    set_at(room, "resolved", room.now)

    assert effort(room)[TOMAS].active == timedelta(minutes=30)
    assert effort(Room(room.storage, room.now)) == effort(room)


def test_what_somebody_typed_is_work_on_this_incident_and_what_they_did_in_another_is_not(room: Room):
    number = a_response(room, TOMAS)
    other = an_incident(room, channel=ChannelId("C0OTHER"))
    an_event(room, number, "Scaled up", by=JONAS)
    an_event(room, other, "Scaled up", by=PRIYA)
    a_message(room, "Look here", by=OUTSIDER, channel=ChannelId("C0OTHER"), at=room.now)

    assert set(effort(room)) == {TOMAS, MARA, JONAS}


def test_programs_have_no_hours_and_who_left_keeps_theirs(room: Room):
    a_response(room, TOMAS, UserId("U0PAGER"))

    room.change(lambda db: setattr(people.find(db, TEAM, TOMAS), "gone_since", room.now))
    room.change(lambda db: db.add(Person(team_id=TEAM, user_id="U0PAGER", bot_since=room.now)))

    assert set(effort(room)) == {TOMAS, MARA}


def test_without_a_rate_no_money_is_told(room: Room):
    a_response(room, TOMAS, PRIYA, JONAS)

    told = shown(room, MARA)

    assert "cost" not in told.lower()
    assert "EUR" not in told


def test_with_rates_each_amount_comes_with_its_formula(room: Room):
    a_response(room, TOMAS, PRIYA, JONAS)

    told = shown(priced(room), MARA)

    assert "*Revenue lost:* EUR 72,000 (revenue lost = impact minutes × revenue per minute = 60 × EUR 1,200)" in told
    assert "*Response cost:* EUR 120 (response cost = hours of all people × hourly rate = 1.5 × EUR 80.00)" in told


def test_what_people_counted_comes_before_the_formula(room: Room):
    a_response(room, TOMAS)
    here = priced(room)

    here.serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact(lost=9_000))

    assert "*Revenue lost:* EUR 9,000 (as people counted it)" in shown(here, MARA)


def test_where_a_moment_is_missing_no_loss_is_made_up(room: Room):
    number = an_incident(room)
    mitigated(room, number)

    assert "Revenue lost" not in shown(priced(room), MARA)


def test_an_amount_stays_while_nobody_is_asked_for_it(room: Room):
    an_incident(room)
    priced(room).serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact(lost=9_000))

    room.serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact(customers="all"))

    assert "EUR 9,000" in shown(priced(room), MARA)


def test_the_pre_read_and_the_report_tell_totals_and_nobodys_part(room: Room):
    a_response(room, TOMAS, PRIYA, JONAS)
    here = priced(room)
    here.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-21 10:00Z"))
    here.serve(preparing.pre_read, where=HERE, by=MARA)

    pre_read = here.transcript(CHANNEL)[-1]
    report = here.ask(lambda db: written(db, incidents.get(db, 1), here.house))

    people_who = "4, together 1 h 30 min, 30 min of it outside working hours"
    assert f"People who responded: {people_who}" in pre_read
    assert "Revenue lost: EUR 72,000 (revenue lost = " in pre_read
    assert ("People who responded", people_who) in [(part.label, str(part.words)) for part in report.impact]
    assert "Response cost" in [part.label for part in report.page.impact]


def test_the_form_tells_whoever_opens_it_their_own_hours(room: Room):
    memory = Memory(form="impact", incident=a_response(room, TOMAS, PRIYA, JONAS), channel=CHANNEL)

    view = room.desk.look(forms.build, gesture=forms.Gesture(TOMAS, Place(CHANNEL)), memory=memory)

    assert view["blocks"][0]["text"]["text"] == (
        "Together people worked on it for 1 h 30 min, 30 min of it outside working hours. "
        "Your part, which only you are told: 30 min, all of it in working hours."
    )


def test_the_form_asks_for_money_only_where_the_policy_sets_a_rate(room: Room):
    memory = Memory(form="impact", incident=an_incident(room), channel=CHANNEL)
    gesture = forms.Gesture(MARA, Place(CHANNEL))

    usual, with_rate = (
        {block.get("block_id") for block in desk.look(forms.build, gesture=gesture, memory=memory)["blocks"]}
        for desk in (room.desk, priced(room).desk)
    )

    assert with_rate - usual == {"lost"}
    assert "displaced" in usual
    assert FORMS["impact"].deed({"lost": "9 000,000.50"}, memory).what == {"impact": Impact(lost=9_000_000.5)}
    with pytest.raises(NotAnAmount):
        FORMS["impact"].deed({"lost": "a lot"}, memory)
