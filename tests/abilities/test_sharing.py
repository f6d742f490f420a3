"""Who gets a report beside its channel, because the policy says so."""

from dataclasses import replace
from datetime import timedelta

from bot import reporting, sharing
from bot.desk import House
from bot.review.incident import ChannelId
from bot.review.policy import DEFAULT, Sharing
from storage import people
from storage.models import Channel, Membership
from tests.abilities.test_reporting import SECRET, a_held_review, a_private_review, say
from tests.cast import CHANNEL, JONAS, MARA, NOVEMBER_18, OUTSIDER, PRIYA, TEAM, TOMAS, Room

LEARN, ARCHIVED = ChannelId("C0LEARN"), ChannelId("C0OLD")


def a_house(room: Room, **named: tuple[str, ...]) -> Room:
    policy = replace(DEFAULT, sharing=Sharing(**named))  # type: ignore[arg-type]
    return Room(room.storage, room.now, House(policy=policy))


def published(house: Room, **facts: object) -> str:
    a_held_review(house, **facts)
    say(house, reporting.draft)
    return say(house, reporting.publish)


def test_the_first_page_goes_to_the_channels_of_the_policy(room: Room):
    house = a_house(room, channels=(LEARN, CHANNEL))

    answer = published(house)

    assert f"published in <#{CHANNEL}> and <#{LEARN}>." in answer
    assert [len(house.transcript(channel)) for channel in (CHANNEL, LEARN)] == [1, 1]
    assert house.transcript(CHANNEL) == house.transcript(LEARN)


def test_where_it_cannot_be_said_whoever_publishes_is_told(room: Room):
    room.change(lambda db: db.add(Channel(team_id=TEAM, channel_id=ARCHIVED, archived_at=room.now)))
    house = a_house(room, channels=(ARCHIVED,))

    answer = published(house)

    assert f"The policy sends it to <#{ARCHIVED}>, too, where I cannot post" in answer
    assert house.transcript(ARCHIVED) == []


def test_a_private_report_goes_nowhere_but_to_its_own_people(room: Room):
    house = a_house(room, channels=(LEARN,), people=(TOMAS, OUTSIDER))
    a_private_review(house)
    for verb in (reporting.draft, reporting.publish):
        say(house, verb, where=SECRET)

    house.serve(sharing.share_due)
    house.pass_time(days=1)
    house.serve(sharing.share_due)

    assert [house.transcript(to) for to in (LEARN, OUTSIDER, TOMAS)] == [[], [], []]


def test_each_reader_gets_it_once_in_their_working_hours(room: Room):
    house = a_house(room, people=(JONAS, PRIYA))
    published(house)

    for _ in range(48):
        house.serve(sharing.share_due)
        house.pass_time(hours=1)

    (mine,), (hers,) = house.transcript(JONAS), house.transcript(PRIYA)
    assert mine == hers
    assert mine.startswith("Checkout is slow\n\n*What happened*")
    assert "You get this once, because the policy here names you as a reader" in mine
    assert "reminders off" in mine


def test_at_night_nobody_is_sent_a_report(room: Room):
    house = a_house(room, people=(PRIYA,))
    published(house)

    house.serve(sharing.share_due)  # 19:30 in Kolkata.

    assert house.transcript(PRIYA) == []


def test_managers_hear_of_no_incident_that_asks_for_no_briefing(room: Room):
    house = a_house(room, managers=(JONAS,))
    published(house, severity="sev2")

    house.serve(sharing.share_due)

    assert house.transcript(JONAS) == []


def test_managers_hear_of_an_incident_that_asks_for_a_briefing(room: Room):
    house = a_house(room, managers=(JONAS,))
    published(house, severity="sev1")

    house.serve(sharing.share_due)

    assert len(house.transcript(JONAS)) == 1


def test_who_reads_it_in_its_channel_is_not_sent_it_again(room: Room):
    house = a_house(room, people=(JONAS,))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=CHANNEL, user_id=JONAS)))
    published(house)

    house.serve(sharing.share_due)

    assert house.transcript(JONAS) == []


def test_a_report_of_last_week_is_no_news(room: Room):
    published(room)
    house = a_house(room, people=(JONAS,))
    house.now = room.now + timedelta(days=7)

    house.serve(sharing.share_due)

    assert house.transcript(JONAS) == []


def test_who_left_or_wants_silence_is_sent_nothing(room: Room):
    house = a_house(room, people=(JONAS, MARA, TOMAS))
    room.change(lambda db: setattr(people.find(db, TEAM, JONAS), "gone_since", NOVEMBER_18))
    room.change(lambda db: setattr(people.find(db, TEAM, MARA), "reminders_off_at", NOVEMBER_18))
    published(house)

    house.serve(sharing.share_due)

    assert [len(house.transcript(user)) for user in (JONAS, MARA, TOMAS)] == [0, 0, 1]
