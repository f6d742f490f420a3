from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.review.incident import ChannelId, UserId
from bot.review.meeting_time import DaysOff, WorkingHours
from storage import incidents, outbox, people, reviews, silence
from storage.models import Membership, Message, Person, Source
from storage.outbox import Words
from tests.cast import (
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
from tests.many_reviews import counted

SECRET = ChannelId("C0SECRET")
HOURS = WorkingHours.read("09:00-17:00")
THIS_MORNING = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
YESTERDAY = datetime(2026, 11, 17, 16, 0, tzinfo=UTC)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def may_be_told(room: Room, user: str = TOMAS, *, incident: int | None = None, at: datetime = NOVEMBER_18) -> bool:
    def asked(db: Session) -> bool:
        its = incidents.get(db, incident) if incident else None
        return silence.may_be_told(db, TEAM, user, its, now=at, hours=HOURS)

    return room.ask(asked)


def told(room: Room, key: str = "reminders:U0TOMAS:2026-11-18", *, at: datetime = THIS_MORNING) -> None:
    room.change(lambda db: outbox.say_once(db, TEAM, Words(key=key, channel=TOMAS, text="hello", at=at)))


def test_one_unasked_message_a_day(room: Room):
    told(room, "reminders:U0TOMAS:2026-11-17", at=YESTERDAY)
    before = may_be_told(room)

    told(room)

    assert (before, may_be_told(room)) == (True, False)


def test_a_note_that_waits_for_today_counts(room: Room):
    later = Words(key="forgotten:1", channel=TOMAS, text="hello", at=YESTERDAY, not_before=THIS_MORNING)

    room.change(lambda db: outbox.say_once(db, TEAM, later))

    assert not may_be_told(room)


def test_a_report_that_somebody_asked_for_does_not_count(room: Room):
    page = Words(key="page:pdf:1:U0TOMAS", channel=TOMAS, text="the report", at=THIS_MORNING)

    room.change(lambda db: outbox.show(db, TEAM, page))

    assert may_be_told(room)


def test_an_answer_in_a_direct_conversation_does_not_count(room: Room):
    answer = Words(key="whisper:7", channel=TOMAS, user=TOMAS, text="Here it is.", at=THIS_MORNING)

    room.change(lambda db: outbox.whisper(db, TEAM, answer))

    assert may_be_told(room)


@pytest.mark.parametrize(
    ("user", "at"),
    [
        pytest.param(PRIYA, NOVEMBER_18, id="evening in Kolkata"),
        pytest.param(TOMAS, datetime(2026, 11, 18, 8, 59, tzinfo=UTC), id="before work"),
        pytest.param(TOMAS, datetime(2026, 11, 21, 10, 0, tzinfo=UTC), id="Saturday"),
    ],
)
def test_nobody_is_written_to_outside_their_working_hours(room: Room, user: str, at: datetime):
    assert not may_be_told(room, user, at=at)


@pytest.mark.parametrize("left", ["gone", "bot"])
def test_neither_who_left_nor_a_program_is_written_to(room: Room, left: str):
    facts = {"gone": None, "bot": None} | {left: NOVEMBER_18}

    room.change(
        lambda db: people.know(
            db, TEAM, TOMAS, name="Tomas", zone="Europe/London", email=None, now=NOVEMBER_18, **facts
        )
    )

    assert not may_be_told(room)


def test_an_outsider_hears_nothing_of_a_private_incident(room: Room):
    incident = an_incident(room, channel=SECRET, private=room.now)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET, user_id=TOMAS)))

    assert may_be_told(room, TOMAS, incident=incident)
    assert may_be_told(room, OUTSIDER)
    assert not may_be_told(room, OUTSIDER, incident=incident)


def test_programs_are_not_one_of_us(room: Room):
    programs = ("U0DEBRIEF", "USLACKBOT")

    assert not any(room.ask(people.is_one_of_us, TEAM, user) for user in programs)
    assert room.ask(people.is_one_of_us, TEAM, TOMAS)


def test_nobody_is_written_to_on_a_day_off_of_their_own(room: Room):
    def asked(off: DaysOff) -> bool:
        def may(db: Session) -> bool:
            days_off = {"Europe/London": off}
            return silence.may_be_told(
                db, TEAM, TOMAS, None, now=NOVEMBER_18, hours=HOURS, days_off=lambda zone, _: days_off[zone]
            )

        return room.ask(may)

    assert asked(DaysOff())
    assert not asked(DaysOff(holidays=frozenset({NOVEMBER_18.date()})))
    assert not asked(DaysOff(weekends=frozenset({NOVEMBER_18.weekday()})))


@pytest.mark.parametrize("asked", ["reminders_off_at", "snoozed_until"])
def test_who_asked_for_silence_is_left_in_peace(room: Room, asked: str):
    later = NOVEMBER_18 + timedelta(hours=1)

    room.change(lambda db: setattr(db.get_one(Person, (TEAM, TOMAS)), asked, later))

    assert not may_be_told(room)
    assert may_be_told(room, at=later) == (asked == "snoozed_until")


# Many at once ------------------------------------------------------------------------


def free(room: Room, *users: str) -> frozenset[str]:
    return room.ask(lambda db: silence.who_may_be_told(db, TEAM, users, now=NOVEMBER_18, hours=HOURS))


def in_london(room: Room, count: int) -> list[str]:
    users = [f"U0MANY{number}" for number in range(count)]

    def write(db: Session) -> None:
        for user in users:
            db.merge(Person(team_id=TEAM, user_id=user, zone="Europe/London", read_at=NOVEMBER_18))

    room.change(write)
    return users


def test_of_many_each_is_judged_by_what_is_said_of_them(room: Room):
    one, at_the_fire, silent, *_ = in_london(room, 3)
    fire = a_fire(room)
    a_message(room, "on it", by=UserId(at_the_fire))
    room.change(lambda db: setattr(db.get_one(Person, (TEAM, silent)), "reminders_off_at", NOVEMBER_18))
    told(room)
    asked = (one, at_the_fire, silent, MARA, TOMAS, PRIYA, "U0DEBRIEF", "U0UNKNOWN")

    while_it_burns = free(room, *asked)
    mitigated(room, fire)

    assert while_it_burns == {one, "U0UNKNOWN"}
    assert free(room, *asked) == {one, "U0UNKNOWN", at_the_fire, MARA}
    assert free(room, *asked) == {user for user in asked if may_be_told(room, user)}


def test_however_many_are_asked_about_it_is_as_many_questions(room: Room):
    a_fire(room)
    found: list[int] = []

    for count in (5, 25):
        users = in_london(room, count)
        with counted(room.storage.engine) as sent:
            assert free(room, *users) == {*users}
        found.append(len(sent))

    assert found[0] == found[1]


# At a fire ---------------------------------------------------------------------------


def a_fire(room: Room, *, hours_ago: float = 3) -> int:
    return an_incident(room, lead=MARA, opened_at=room.now - timedelta(hours=hours_ago))


def test_who_responds_to_a_burning_incident_is_left_in_peace(room: Room):
    a_fire(room)
    a_message(room, "looking at the pool now", by=TOMAS)

    assert not may_be_told(room, TOMAS)
    assert not may_be_told(room, MARA)
    assert may_be_told(room, OUTSIDER)


def test_who_was_let_into_the_channel_and_has_said_nothing_is_at_no_fire(room: Room):
    a_fire(room)
    ts = a_message(room, "has joined the channel", by=PRIYA)

    room.change(lambda db: db.execute(update(Message).where(Message.ts == ts).values(subtype="channel_join")))

    assert may_be_told(room, PRIYA, at=datetime(2026, 11, 18, 10, tzinfo=UTC))


def test_who_wrote_in_the_channel_days_before_it_burned_is_at_no_fire(room: Room):
    a_fire(room)

    a_message(room, "deployed", by=TOMAS, at=room.now - timedelta(days=2))

    assert may_be_told(room, TOMAS)


def test_where_the_fire_is_a_thread_who_writes_beside_it_is_at_no_fire(room: Room):
    a_fire(room)
    room.change(lambda db: db.execute(update(Source).values(thread_ts="100.000001")))

    ts = a_message(room, "lunch, anybody?", by=TOMAS)
    beside = may_be_told(room, TOMAS)
    room.change(lambda db: db.execute(update(Message).where(Message.ts == ts).values(thread_ts="100.000001")))

    assert (beside, may_be_told(room, TOMAS)) == (True, False)


def test_when_it_is_mitigated_they_may_be_told_again(room: Room):
    incident = a_fire(room)

    mitigated(room, incident)

    assert may_be_told(room, MARA)


def test_one_that_broke_again_burns_again(room: Room):
    incident = a_fire(room, hours_ago=100)
    mitigated(room, incident, room.now - timedelta(hours=90))
    before = may_be_told(room, MARA)

    room.change(
        lambda db: incidents.set_moment(
            db, incidents.get(db, incident), "mitigated", None, by=MARA, how="set", now=room.now
        )
    )

    assert (before, may_be_told(room, MARA)) == (True, False)


def test_a_fire_that_nobody_calls_mitigated_silences_for_a_day_at_most(room: Room):
    a_fire(room, hours_ago=25)

    assert may_be_told(room, MARA)


@pytest.mark.parametrize("end", ["cancelled_at", "skipped_at"])
def test_a_false_alarm_is_no_fire(room: Room, end: str):
    incident = a_fire(room)

    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), end, room.now))

    assert may_be_told(room, MARA)


# What Slack did not take in time ------------------------------------------------------

MONDAY_NIGHT = datetime(2026, 11, 16, 23, 0, tzinfo=UTC)
TUESDAY, WEDNESDAY = (datetime(2026, 11, day, 9, 0, tzinfo=UTC) for day in (17, 18))
AT_NINE_ON_MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def put_off(room: Room, key: str, *, at: datetime, off: DaysOff | None = None) -> tuple[bool, str, datetime]:
    """Whether it has to wait, how it stands then, and from when on it is due."""

    def asked(db: Session) -> tuple[bool, str, datetime]:
        note = outbox.find(db, TEAM, key)
        assert note
        waits = silence.put_off(db, note, at, hours=HOURS, days_off=lambda *_: off or DaysOff())
        return waits, note.state, note.not_before

    return room.change(asked)


def test_a_message_that_slack_takes_in_time_is_not_put_off(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)

    later_that_day = put_off(room, "reminders:1", at=AT_NINE_ON_MONDAY + timedelta(hours=7))

    assert later_that_day == (False, "pending", AT_NINE_ON_MONDAY)


def test_what_slack_did_not_take_until_night_waits_for_the_next_working_hour(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    a_holiday = DaysOff(holidays=frozenset({TUESDAY.date()}))

    assert put_off(room, "reminders:1", at=MONDAY_NIGHT) == (True, "pending", TUESDAY)
    assert put_off(room, "reminders:1", at=TUESDAY, off=a_holiday) == (True, "pending", WEDNESDAY)


def test_what_is_put_off_is_in_the_way_of_no_answer(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    room.change(lambda db: setattr(outbox.find(db, TEAM, "reminders:1"), "error", "ratelimited"))

    put_off(room, "reminders:1", at=MONDAY_NIGHT)

    assert room.ask(lambda db: [note.error for note in outbox.waiting(db, TEAM)]) == [None]


@pytest.mark.parametrize("key", ["call:instead:1:C0INC:is_archived", "whisper:7"])
def test_neither_the_ten_minute_call_nor_an_answer_waits_for_the_morning(room: Room, key: str):
    told(room, key, at=AT_NINE_ON_MONDAY)

    assert put_off(room, key, at=MONDAY_NIGHT) == (False, "pending", AT_NINE_ON_MONDAY)


def test_what_is_said_in_a_channel_is_not_put_off(room: Room):
    room.change(
        lambda db: outbox.say_once(
            db, TEAM, Words(key="pre-read:1", channel="C0INC", text="hello", at=AT_NINE_ON_MONDAY)
        )
    )

    assert not put_off(room, "pre-read:1", at=MONDAY_NIGHT)[0]


def test_two_that_waited_come_on_two_days(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    told(room, "draft-waits:1", at=TUESDAY)

    first, second = (put_off(room, key, at=TUESDAY) for key in ("reminders:1", "draft-waits:1"))

    assert first == (False, "pending", AT_NINE_ON_MONDAY)
    assert second == (True, "pending", WEDNESDAY)


@pytest.mark.parametrize("known", [{"state": "sent", "sent_at": TUESDAY}, {"state": "sending"}])
def test_what_was_said_today_or_may_be_makes_the_next_one_wait(room: Room, known: dict[str, object]):
    told(room, "draft-waits:1", at=AT_NINE_ON_MONDAY)
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    room.change(lambda db: [setattr(outbox.find(db, TEAM, "reminders:1"), *one) for one in known.items()])

    assert put_off(room, "draft-waits:1", at=TUESDAY) == (True, "pending", WEDNESDAY)
    assert put_off(room, "draft-waits:1", at=WEDNESDAY)[0] == ("sent_at" not in known)


def test_what_came_late_today_was_said_today(room: Room):
    told(room, at=YESTERDAY)
    room.change(lambda db: setattr(outbox.find(db, TEAM, "reminders:U0TOMAS:2026-11-18"), "sent_at", THIS_MORNING))

    assert not may_be_told(room)


def test_who_asked_for_silence_while_it_waited_does_not_get_it(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    room.change(lambda db: setattr(db.get_one(Person, (TEAM, TOMAS)), "reminders_off_at", MONDAY_NIGHT))

    assert put_off(room, "reminders:1", at=TUESDAY)[:2] == (True, "dead")


def test_who_asked_for_a_pause_while_it_waited_gets_it_afterwards(room: Room):
    told(room, "reminders:1", at=AT_NINE_ON_MONDAY)
    room.change(lambda db: setattr(db.get_one(Person, (TEAM, TOMAS)), "snoozed_until", WEDNESDAY - timedelta(hours=9)))

    assert put_off(room, "reminders:1", at=TUESDAY) == (True, "pending", WEDNESDAY)


def test_what_waited_does_not_come_during_a_fire(room: Room):
    told(room, "reminders:1", at=THIS_MORNING)
    a_fire(room)
    a_message(room, "looking at the pool now", by=TOMAS)

    assert put_off(room, "reminders:1", at=room.now) == (True, "pending", room.now + timedelta(minutes=30))
