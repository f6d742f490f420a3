"""Somebody with a part in a review leaves the workspace: it is said once, to who can do something about it."""

from datetime import timedelta

from bot import following_up, listening, parting, sparing, tracking
from bot.review.follow_up import ActionWords
from bot.review.incident import ChannelFacts, UserId
from bot.review.lifecycle import Role
from storage import incidents, people, reviews
from storage.models import Action
from tests.cast import CHANNEL, HERE, JONAS, MARA, TEAM, TOMAS, Room, an_incident, mitigated


def leaves(room: Room, user: UserId) -> None:
    known = {"name": user.removeprefix("U0").capitalize(), "zone": "Europe/Berlin", "email": None, "bot": None}
    room.change(lambda db: people.know(db, TEAM, user, **known, gone=room.now, now=room.now))


def comes_back(room: Room, user: UserId) -> None:
    known = {"name": user.removeprefix("U0").capitalize(), "zone": "Europe/Berlin", "email": None, "bot": None}
    room.change(lambda db: people.know(db, TEAM, user, **known, gone=None, now=room.now))


def holds(room: Room, incident: int, role: Role, user: UserId) -> None:
    room.change(lambda db: incidents.give_role(db, incidents.get(db, incident), role, user, by=user, now=room.now))


def tell(room: Room) -> None:
    for _ in range(2):
        for what in room.desk.look(parting.bereft):
            room.serve(parting.tell_of_parting, **what)


def test_who_leads_hears_once_that_somebody_with_a_part_has_left_and_may_name_another(room: Room, incident: int):
    holds(room, incident, Role.owner, TOMAS)
    leaves(room, TOMAS)

    tell(room)

    (told,) = room.transcript()
    assert told == room.transcript(MARA)[0]
    assert "<@U0TOMAS>, owner of “Checkout is slow” in <#C0INC>, has left this workspace." in told
    assert "You get this once, because you have a part in this review." in told


def test_where_whoever_leads_has_left_the_channel_is_asked_who_takes_over(room: Room, incident: int):
    leaves(room, MARA)

    tell(room)

    (told,) = room.transcript(CHANNEL)
    assert "lead of “Checkout is slow”, has left this workspace. Who of you takes it over?" in told
    assert room.transcript() == [told]


def test_nobody_is_told_while_it_burns(room: Room):
    incident = an_incident(room)
    leaves(room, MARA)
    tell(room)
    quiet = room.transcript()

    mitigated(room, incident)
    tell(room)

    assert (quiet, len(room.transcript())) == ([], 1)


def test_it_waits_for_the_leads_working_hours(room: Room, incident: int):
    holds(room, incident, Role.owner, TOMAS)
    leaves(room, TOMAS)
    room.pass_time(hours=8)
    tell(room)
    at_night = room.transcript()

    room.pass_time(hours=12)
    tell(room)

    assert (at_night, len(room.transcript(MARA))) == ([], 1)


def test_a_lead_who_asked_for_silence_is_passed_over(room: Room, incident: int):
    for role, user in ((Role.owner, TOMAS), (Role.scribe, JONAS)):
        holds(room, incident, role, user)
    planned = room.now + timedelta(days=2)
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=planned, by=MARA, now=room.now))
    leaves(room, JONAS)

    room.serve(sparing.set_reminders, by=MARA, words="off")
    tell(room)

    assert (room.transcript(MARA), len(room.transcript(TOMAS))) == ([], 1)


def test_who_comes_back_and_leaves_again_is_told_of_again(room: Room, incident: int):
    leaves(room, MARA)
    tell(room)
    comes_back(room, MARA)
    tell(room)
    room.pass_time(days=1)
    leaves(room, MARA)

    tell(room)

    assert len(room.transcript(CHANNEL)) == 2


def test_whoever_takes_it_over_ends_it(room: Room, incident: int):
    leaves(room, MARA)

    room.serve(tracking.take_role, by=JONAS, where=HERE, role=Role.lead, user=JONAS)

    assert room.desk.look(parting.bereft) == []


def test_a_facilitator_is_missed_for_a_meeting_that_is_still_to_come_only(room: Room, incident: int):
    holds(room, incident, Role.facilitator, TOMAS)
    leaves(room, TOMAS)
    without = room.desk.look(parting.bereft)

    at = room.now + timedelta(days=2)
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now))

    assert without == []
    assert room.desk.look(parting.bereft) == [{"incident": incident, "user": TOMAS}]


def test_of_what_has_long_been_over_nobody_hears_but_where_an_action_waits_for_somebody(room: Room, incident: int):
    promise = ActionWords(JONAS, None, None, "Alert on stuck queues")
    room.serve(following_up.propose, by=MARA, where=HERE, wording=promise)
    room.pass_time(days=60)
    leaves(room, MARA)
    tell(room)
    quiet = room.transcript()

    leaves(room, JONAS)
    tell(room)

    assert quiet == []
    assert "Action 1 has an owner who left, too." in room.transcript(CHANNEL)[0]


def test_where_the_review_was_skipped_or_the_action_withdrawn_nobody_hears(room: Room, incident: int):
    promise = ActionWords(JONAS, None, None, "Alert on stuck queues")
    room.serve(following_up.propose, by=MARA, where=HERE, wording=promise)
    room.pass_time(days=60)
    for user in (MARA, JONAS):
        leaves(room, user)
    heard = room.desk.look(parting.bereft)

    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "skipped_at", room.now))
    skipped = room.desk.look(parting.bereft)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "skipped_at", None))
    room.change(lambda db: setattr(db.get_one(Action, 1), "withdrawn_at", room.now))

    assert heard
    assert (skipped, room.desk.look(parting.bereft)) == ([], [])


def test_a_channel_that_is_closed_to_us_is_asked_nothing(room: Room, incident: int):
    room.serve(listening.learn, channel=ChannelFacts(channel=CHANNEL, name="inc", archived=True))
    leaves(room, MARA)

    assert room.desk.look(parting.bereft) == []


def test_an_action_is_handed_over_by_who_may(room: Room, incident: int):
    promise = ActionWords(TOMAS, None, None, "Alert on stuck queues")
    room.serve(following_up.propose, by=MARA, where=HERE, wording=promise)
    leaves(room, TOMAS)

    said = room.serve(following_up.move, by=MARA, number=1, step="owner", text=JONAS)

    assert "Action 1 is now with <@U0JONAS>." in said
