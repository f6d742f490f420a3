"""Who hears of what stays undone, because the policy says so."""

from dataclasses import replace
from datetime import timedelta

from bot import escalating, following_up, reminding, scheduling, tracking
from bot.desk import House
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import UserId
from bot.review.policy import DEFAULT
from bot.review.when import read_when
from tests.cast import CHANNEL, HERE, JONAS, MARA, OUTSIDER, PRIYA, TOMAS, Room, an_incident, mitigated


def a_house(room: Room, *escalation: UserId) -> Room:
    return Room(room.storage, room.now, House(policy=replace(DEFAULT, escalation=escalation)))


def days_of(house: Room, days: int) -> Room:
    for _ in range(days * 24):
        house.serve(escalating.tell_of_unplanned)
        house.serve(reminding.remind_due)
        house.pass_time(hours=1)
    return house


def a_late_action(house: Room) -> None:
    """Of Tomas, in a review that Mara answers for."""
    an_incident(house)
    words = ActionWords(TOMAS, None, Horizon.quick, "write the runbook")
    house.serve(following_up.propose, where=HERE, by=MARA, wording=words)
    house.pass_time(days=2)
    house.serve(following_up.move, by=TOMAS, number=1, step="commit")
    house.pass_time(days=19)


def test_a_review_that_nobody_plans_is_told_once_to_those_the_policy_names(room: Room):
    house = a_house(room, JONAS)
    mitigated(house, an_incident(house))

    before = days_of(house, 4).transcript(JONAS)
    after = days_of(house, 6).transcript(JONAS)

    assert before == []
    assert [words.split(".")[0] for words in after] == ["The review of “Checkout is slow” has no hour yet"]
    assert "<@U0MARA> answers for it" in after[0]
    assert "because the policy here names you for reviews that nobody plans" in after[0]


def test_a_review_with_an_hour_or_that_is_not_asked_for_is_told_to_nobody(room: Room):
    house = a_house(room, JONAS)
    mitigated(house, an_incident(house))
    house.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-12-11 10:00Z"))
    planned = days_of(house, 6).transcript(JONAS)
    house.serve(tracking.skip, where=HERE, by=MARA, reason="it was a drill")

    assert planned == []
    assert days_of(house, 6).transcript(JONAS) == []


def test_a_light_review_needs_no_hour(room: Room):
    house = a_house(room, JONAS)
    mitigated(house, an_incident(house, severity="sev3"))

    assert days_of(house, 8).transcript(JONAS) == []


def test_of_a_private_incident_nobody_outside_hears(room: Room):
    house = a_house(room, OUTSIDER)
    mitigated(house, an_incident(house, private=house.now))

    assert days_of(house, 8).transcript(OUTSIDER) == []


def test_where_the_policy_names_nobody_nothing_is_said(room: Room):
    mitigated(room, an_incident(room))

    days_of(room, 8)

    assert [words for words in room.transcript() if "has no hour yet" in words] == []


def test_an_action_two_weeks_late_is_passed_on_once_beside_the_reviews_owner(room: Room):
    house = a_house(room, JONAS, MARA)
    a_late_action(house)

    days_of(house, 14)

    assert len(house.transcript(JONAS)) == 1
    assert "Two weeks after its day, this is passed on to you:" in house.transcript(JONAS)[0]
    assert "*Action 1* of <@U0TOMAS> is" in house.transcript(JONAS)[0]
    assert "You get this because the policy here names you for what is late; once a day" in house.transcript(JONAS)[0]
    assert [("passed on" in words, "you answer for" in words) for words in house.transcript(MARA)] == [(False, True)]


def test_an_action_that_is_done_in_time_is_passed_on_to_nobody(room: Room):
    house = a_house(room, PRIYA)
    a_late_action(house)
    house.serve(following_up.move, by=TOMAS, number=1, step="done", text="https://example.com/1")

    assert days_of(house, 14).transcript(PRIYA) == []


def test_where_it_is_late_is_said_in_no_channel(room: Room):
    house = a_house(room, JONAS)
    a_late_action(house)

    assert days_of(house, 3).transcript(CHANNEL) == []
    assert house.now - room.now > timedelta(days=20)
