from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot import facilitating, following_up, inviting, reminding, scheduling, sparing, tracking
from bot.clock import TABLE
from bot.desk import House
from bot.render import BLOCKS_LIMIT
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.meeting_time import DaysOff
from bot.review.when import read_when
from storage import actions, channels, incidents, outbox, people, reviews
from storage.incidents import Where
from storage.models import Action, Membership, OutboxNote
from tests.cast import CHANNEL, HERE, HOW_TO_STOP, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated

TEXT = "write the runbook for a full disk"
SECRET = Where(Place(ChannelId("C0SECRET")))
ASKED_AT = (0, 4, 7, 8, 9, 10, 12, 15, 17)
"""The hours at which the clock asks: the mornings of everybody here, an afternoon, a night."""


def propose(room: Room, *, owner: UserId = TOMAS, horizon: str = "quick", where: Where = HERE) -> None:
    room.serve(following_up.propose, where=where, by=MARA, wording=ActionWords(owner, None, Horizon(horizon), TEXT))


def move(room: Room, step: str, text: str = "", *, by: UserId = TOMAS) -> None:
    room.serve(following_up.move, by=by, number=1, step=step, text=text)


def committed(room: Room) -> None:
    """Action 1, quick, of Tomas, promised after its pause."""
    propose(room)
    room.pass_time(days=2)
    move(room, "commit")


def a_private_incident(room: Room) -> None:
    an_incident(room, channel=SECRET.place.channel, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET.place.channel, user_id=MARA)))


def live_through(room: Room, *, until: datetime) -> list[tuple[str, str]]:
    """Let the clock ask; each message with the moment it came."""
    said: list[tuple[str, str]] = []
    told = room.transcript()
    while room.now < until:
        if room.now.hour in ASKED_AT:
            room.desk.serve_if_due(reminding.remind_due)
            known, told = len(told), room.transcript()
            said += [(f"{room.now:%a %d %H:%M}", text.split("\n\n")[1]) for text in told[known:]]
        room.pass_time(hours=1)
    return said


def test_a_month_of_reminders(room: Room):
    an_incident(room, lead=MARA)
    propose(room, owner=TOMAS)
    room.serve(reminding.remind_due)
    room.pass_time(days=2)
    move(room, "commit")

    said = live_through(room, until=datetime(2026, 12, 24, 0, 0, tzinfo=UTC))

    assert said == [
        ("Mon 23 09:00", f"*Action 1* is due Wed 25 Nov 2026: {TEXT}."),
        ("Wed 25 09:00", f"*Action 1* is due today: {TEXT}."),
        (
            "Wed 02 09:00",
            (
                f"*Action 1* was due Wed 25 Nov 2026, 7 days ago: {TEXT}.\n"
                "What is in the way: unclear requirements, competing priorities, or too few hands? `/review action 1 "
                "block REASON` says so, `/review action 1 due DATE` plans it again."
            ),
        ),
        (
            "Wed 09 08:00",
            (
                f"*Action 1* of <@U0TOMAS> is 14 days late: {TEXT}. A word with them may show whether to clarify, plan "
                "again or get help."
            ),
        ),
        ("Wed 09 09:00", f"*Action 1* was due Wed 25 Nov 2026, 14 days ago: {TEXT}."),
        ("Wed 16 09:00", f"*Action 1* was due Wed 25 Nov 2026, 21 days ago: {TEXT}."),
        ("Wed 23 09:00", f"*Action 1* was due Wed 25 Nov 2026, 28 days ago: {TEXT}."),
    ]


def test_a_reminder_says_why_it_came_and_how_to_stop_it(room: Room):
    an_incident(room)
    committed(room)

    live_through(room, until=datetime(2026, 11, 24, tzinfo=UTC))

    assert room.transcript(TOMAS)[0].splitlines()[-1] == (
        f"You get this because this action is yours; once a day at most. {HOW_TO_STOP}"
    )


def test_a_persons_reminders_of_a_day_come_in_one_message(room: Room):
    an_incident(room)
    for _ in range(3):
        propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    for _ in range(3):
        room.serve(reminding.remind_due)

    assert [text.count("waits for your answer") for text in room.transcript(TOMAS)] == [3]


def test_a_proposal_is_asked_about_once_and_after_a_week_whoever_answers_for_the_review_hears_of_it(room: Room):
    an_incident(room, lead=MARA)
    propose(room, horizon="long")

    said = live_through(room, until=datetime(2026, 12, 31, tzinfo=UTC))

    assert said == [
        ("Fri 20 09:00", f"*Action 1* waits for your answer: {TEXT}. Do you promise it for Fri 18 Dec 2026?"),
        (
            "Fri 27 08:00",
            (
                f"*Action 1* has waited a week for a yes or a no of <@U0TOMAS>: {TEXT}. A word with them may help; a "
                "no is a good answer, too."
            ),
        ),
    ]


def test_an_owner_who_is_asked_late_has_a_week_to_decide_all_the_same(room: Room):
    an_incident(room, lead=MARA)
    propose(room, horizon="long")
    room.serve(sparing.snooze_action, by=TOMAS, number=1, words="2026-12-01")

    said = live_through(room, until=datetime(2026, 12, 31, tzinfo=UTC))

    assert [(when, "has waited a week" in text) for when, text in said] == [
        ("Tue 01 09:00", False),
        ("Tue 08 08:00", True),
    ]


def test_of_an_own_proposal_nobody_hears_that_they_have_not_decided(room: Room):
    an_incident(room, lead=MARA)
    propose(room, owner=MARA)

    said = live_through(room, until=datetime(2026, 12, 31, tzinfo=UTC))

    assert [when for when, _ in said] == ["Fri 20 08:00"]


def test_after_days_of_silence_one_message_comes(room: Room):
    an_incident(room)
    committed(room)

    room.now = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
    said = live_through(room, until=datetime(2026, 12, 9, 8, tzinfo=UTC))

    assert [when for when, _ in said] == ["Tue 08 09:00"]


def test_a_new_day_starts_a_new_ladder(room: Room):
    an_incident(room)
    committed(room)
    live_through(room, until=datetime(2026, 11, 26, tzinfo=UTC))

    move(room, "due", "2026-12-04")
    said = live_through(room, until=datetime(2026, 12, 7, tzinfo=UTC))

    assert [text for _, text in said] == [
        f"*Action 1* is due Fri 04 Dec 2026: {TEXT}.",
        f"*Action 1* is due today: {TEXT}.",
    ]


def test_who_is_given_an_action_hears_of_it_the_next_morning(room: Room):
    an_incident(room)
    propose(room, owner=TOMAS, horizon="long")
    move(room, "owner", f"<@{PRIYA}|priya>")

    said = live_through(room, until=datetime(2026, 11, 20, tzinfo=UTC))

    assert said == [("Thu 19 04:00", f"*Action 1* is with you now: {TEXT}. It is due Fri 18 Dec 2026.")]


@pytest.mark.parametrize("end", ["decline", "done", "cancel", "withdraw"])
def test_what_is_settled_says_nothing(room: Room, end: str):
    incident = an_incident(room)
    committed(room)

    if end == "decline":
        move(room, "decline", "no")
    elif end == "done":
        move(room, "done", "https://deploys.example.com/7")
    elif end == "cancel":
        room.change(lambda db: cancel(db, incident, room.now))
    else:
        room.change(lambda db: [setattr(each, "withdrawn_at", room.now) for each in actions.of_incident(db, incident)])

    assert live_through(room, until=datetime(2026, 12, 1, tzinfo=UTC)) == []


def cancel(db, incident: int, now: datetime) -> None:
    reviews.of(db, incidents.get(db, incident)).cancelled_at = now


def test_the_lead_hears_of_an_owner_who_has_left(room: Room):
    an_incident(room, lead=MARA)
    committed(room)
    gone = {"name": "Tomas", "zone": "Europe/London", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, TOMAS, **gone))

    live_through(room, until=datetime(2026, 11, 27, tzinfo=UTC))

    assert room.transcript(TOMAS) == []
    assert [text.count("has an owner I cannot reach, <@U0TOMAS>") for text in room.transcript(MARA)] == [1]


def test_nobody_is_reminded_of_a_private_incident_they_are_not_part_of(room: Room):
    a_private_incident(room)
    for owner in (OUTSIDER, MARA):
        propose(room, where=SECRET, owner=owner)

    live_through(room, until=datetime(2026, 11, 27, tzinfo=UTC))

    assert room.transcript(OUTSIDER) == []
    assert [text.count("*Action 2* waits for your answer") for text in room.transcript(MARA)] == [0, 1]


def test_who_was_told_something_today_is_left_in_peace(room: Room):
    an_incident(room)
    propose(room, owner=MARA)
    room.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    told = outbox.Words(key="proposal:1", channel=MARA, text="When shall we meet?", at=room.now)
    room.change(lambda db: outbox.say_once(db, TEAM, told))

    said = live_through(room, until=room.now + timedelta(days=4))

    assert [when for when, _ in said] == ["Mon 23 08:00"]


def test_two_replicas_that_ask_at_once_say_it_once(room: Room):
    an_incident(room)
    propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    taken = room.change(lambda db: [actions.climb(db, first(db), "soak:20261118T140000:1", now=room.now) for _ in "ab"])

    room.serve(reminding.remind_due)

    assert (taken, room.transcript()) == ([True, False], [])


def first(db) -> Action:
    found = actions.by_number(db, TEAM, 1, MARA)
    assert found
    return found[0]


def test_a_proposal_made_again_is_asked_about_anew(room: Room):
    an_incident(room)
    propose(room, horizon="long")
    live_through(room, until=datetime(2026, 11, 21, tzinfo=UTC))
    move(room, "decline", "no time")
    move(room, "propose")

    said = live_through(room, until=datetime(2026, 11, 27, tzinfo=UTC))

    assert [when for when, _ in said] == ["Tue 24 09:00"]


def test_the_question_to_commit_shows_how_to_answer_otherwise(room: Room):
    an_incident(room)
    propose(room)

    live_through(room, until=datetime(2026, 11, 21, tzinfo=UTC))

    assert room.transcript(TOMAS)[0].split("\n\n")[1:3] == [
        f"*Action 1* waits for your answer: {TEXT}. Do you promise it for Wed 25 Nov 2026?",
        (
            "Is it worth it against your other work? Commit promises it, Reshape changes its wording, day or owner, "
            "and Decline says no with your reason. Each of them is a good answer. I ask once."
        ),
    ]


def test_a_digest_says_how_many_actions_it_is_about(room: Room):
    an_incident(room)
    for _ in range(21):
        propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    room.serve(reminding.remind_due)

    assert room.transcript(TOMAS)[0].startswith("21 actions need a word from you.")
    assert "And 15 more; `/review actions mine` shows them all." in room.transcript(TOMAS)[0]


@pytest.mark.parametrize("count", [1, 8, 40])
def test_however_much_is_due_the_message_ends_with_how_to_stop_it(room: Room, count: int):
    an_incident(room, lead=MARA)
    for owner in (MARA, TOMAS):
        for _ in range(count):
            wording = ActionWords(owner, None, Horizon.quick, "words " * 50)
            room.serve(following_up.propose, where=HERE, by=MARA, wording=wording)
    live_through(room, until=datetime(2026, 11, 21, tzinfo=UTC))
    room.now = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)

    room.serve(reminding.remind_due)

    shown = room.ask(blocks_of_all)
    assert len(shown) >= 2
    assert all("/review reminders off" in str(blocks[-1]) and len(blocks) <= BLOCKS_LIMIT for blocks in shown)


def blocks_of_all(db) -> list[list[dict]]:
    return list(db.scalars(select(OutboxNote.blocks)))


def test_an_answer_of_today_does_not_silence_a_reminder(room: Room):
    an_incident(room)
    propose(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    answer = outbox.Words(key="whisper:1", channel=TOMAS, user=TOMAS, text="Here it is.", at=room.now)
    room.change(lambda db: outbox.whisper(db, TEAM, answer))

    room.serve(reminding.remind_due)

    assert len(room.transcript(TOMAS)) == 2


def test_a_rung_due_on_a_holiday_comes_the_working_day_before(room: Room):
    an_incident(room)
    propose(room)
    room.serve(following_up.move, by=MARA, number=1, step="due", text="2026-11-27")
    room.pass_time(days=2)
    move(room, "commit")
    wednesday, thursday = date(2026, 11, 25), date(2026, 11, 26)
    free = DaysOff(holidays=frozenset({date(2026, 11, 24), thursday, date(2026, 11, 27)}))
    room.desk.house = House(days_off=lambda zone, _: free if zone == "Europe/London" else DaysOff())

    said = live_through(room, until=datetime(2026, 11, 29, tzinfo=UTC))

    assert [when for when, _ in said] == ["Mon 23 09:00", f"{wednesday:%a %d} 09:00"]


def test_who_responds_to_a_burning_incident_is_reminded_of_another_one_when_it_is_over(room: Room):
    an_incident(room)
    committed(room)
    room.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    fire = an_incident(room, title="Logins fail", lead=TOMAS, channel=ChannelId("C0FIRE"))
    during = live_through(room, until=datetime(2026, 11, 23, 12, tzinfo=UTC))

    mitigated(room, fire)

    assert (during, live_through(room, until=room.now + timedelta(hours=1))) == (
        [],
        [("Mon 23 12:00", f"*Action 1* is due Wed 25 Nov 2026: {TEXT}.")],
    )


def two_months_of_everything(room: Room) -> list[str]:
    """Whatever the clock asks, from the planning of a review to an action left undone; the messages to Tomas.

    He attends, promises his one action when he is asked, and does nothing more.
    """
    incident = an_incident(room, lead=MARA, opened_at=room.now - timedelta(hours=3))
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS, PRIYA], now=room.now))
    mitigated(room, incident)
    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=MARA)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 10:00Z"))
    room.serve(inviting.invite, where=HERE, by=MARA, users=[TOMAS])
    let_the_clock_ask(room, until=datetime(2026, 11, 20, 10, 5, tzinfo=UTC), hours=6)
    room.serve(facilitating.start, where=HERE, by=MARA)
    propose(room)
    room.serve(facilitating.end, where=HERE, by=MARA)
    let_the_clock_ask(room, until=datetime(2026, 11, 24, 10, tzinfo=UTC), hours=6)
    move(room, "commit")
    let_the_clock_ask(room, until=datetime(2027, 1, 15, tzinfo=UTC), hours=24)
    return room.transcript(TOMAS)


def let_the_clock_ask(room: Room, *, until: datetime, hours: int) -> None:
    while room.now < until:
        for ability in TABLE:
            room.desk.serve_if_due(ability)
        room.pass_time(hours=hours)
    room.now = until


def test_who_attends_and_has_one_action_is_written_to_six_times_at_most(room: Room):
    said = two_months_of_everything(room)

    assert [text.count("This is the last time I write to you about it.") for text in said] == [0, 0, 0, 0, 0, 1]


def test_without_that_limit_it_would_be_every_week(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reminding, "MOST_TOLD", 100)

    assert len(two_months_of_everything(room)) > 6
