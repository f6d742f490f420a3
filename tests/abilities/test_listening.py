"""The places of an incident: further ones, how far they are read, public again, and what cannot be said in one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import archiving, listening, sparing, tracking
from bot.desk import Note, Notes, Turn
from bot.review.heard import ChannelFact, MembershipFact, PersonFact
from bot.review.history import Page, Why
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import (
    AlreadyIncluded,
    AlreadyTracked,
    ChannelStillPrivate,
    NoIncidentHere,
    NotForGuests,
    NotInChannel,
    NotItsChannel,
    PlaceStaysPrivate,
    ReviewClosed,
)
from storage import channels, delivering, incidents, messages, outbox, people, reviews, silence
from storage.incidents import Where
from storage.models import Membership, Reading, Source
from tests.cast import (
    CHANNEL,
    HERE,
    JONAS,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
)

SUPPORT = ChannelId("C0SUPPORT")
PUBLIC = ChannelFacts(channel=SUPPORT, name="support", members=(MARA, PRIYA, JONAS))
PRIVATE = ChannelFacts(channel=SUPPORT, name="support", private=True, members=(MARA, PRIYA, JONAS))
GUEST = UserId("U0GUEST")


def members(room: Room, *users: UserId, channel: ChannelId = CHANNEL) -> None:
    room.change(lambda db: [db.add(Membership(team_id=TEAM, channel_id=channel, user_id=user)) for user in users])


def a_guest(room: Room) -> None:
    known: dict[str, Any] = {"name": "Guest", "zone": "UTC", "email": None, "bot": None, "gone": None}
    room.change(lambda db: people.know(db, TEAM, GUEST, **known, guest=room.now, now=room.now))


def include(room: Room, channel: ChannelFacts = PUBLIC, *, thread: str = "", by: UserId = MARA, **more: Any) -> str:
    place = Place(channel.channel, thread)
    return room.serve(listening.include, where=HERE, by=by, place=place, channel=channel, **more)


def sources(room: Room, incident: int) -> list[Source]:
    return room.change(lambda db: list(incidents.sources(db, incident)))


# Further places ----------------------------------------------------------------------------------


def test_a_further_channel_is_read_since_when_the_incidents_own_is(room: Room):
    incident = an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=3))

    answer = include(room)

    own, further = sources(room, incident)
    assert (further.channel_id, further.from_at, further.fetched_at) == (SUPPORT, own.from_at, None)
    assert "I read <#C0SUPPORT> along for *Checkout is slow* now" in answer
    assert "I keep what is written here for the review of *Checkout is slow*" in room.transcript(SUPPORT)[0]
    assert f"<@{MARA}> asked me to" in room.transcript(SUPPORT)[0]


def test_a_thread_is_taken_in_whole(room: Room):
    incident = an_incident(room)

    include(room, thread="1763370000.000100")

    assert sources(room, incident)[1].thread_ts == "1763370000.000100"
    assert sources(room, incident)[1].from_at == datetime.fromtimestamp(1763370000.0001, UTC)


def test_what_is_said_in_a_further_place_belongs_to_the_incident(room: Room):
    incident = an_incident(room)
    include(room)

    a_message(room, "a customer called", channel=SUPPORT)

    assert room.ask(lambda db: [one.text for one in messages.of_incident(db, incident)]) == ["a customer called"]
    assert "Checkout is slow" in room.serve(tracking.status, where=Where(Place(SUPPORT)), by=MARA)


def test_a_place_is_included_once(room: Room):
    an_incident(room)
    include(room)

    with pytest.raises(AlreadyIncluded):
        include(room)
    with pytest.raises(AlreadyIncluded):
        include(room, thread="1763370000.000100")


def test_a_place_of_another_incident_is_left_to_it(room: Room):
    an_incident(room)
    an_incident(room, title="Mails are late", channel=SUPPORT)

    with pytest.raises(AlreadyTracked) as refused:
        include(room)

    assert refused.value.title == "Mails are late"


def test_a_place_we_are_not_in_cannot_be_read(room: Room):
    an_incident(room)

    with pytest.raises(NotInChannel):
        include(room, ChannelFacts(channel=SUPPORT, name="support", bot_is_member=False))


def test_a_private_place_is_not_opened_to_those_who_see_the_incident(room: Room):
    an_incident(room)

    with pytest.raises(PlaceStaysPrivate):
        include(room, PRIVATE)


def test_a_place_that_was_private_once_counts_as_private(room: Room):
    an_incident(room)
    room.change(lambda db: channels.make_private(db, TEAM, SUPPORT, at=room.now))

    with pytest.raises(PlaceStaysPrivate):
        include(room)


def test_a_private_place_joins_a_private_incident_where_all_of_it_are_inside(room: Room):
    incident = an_incident(room, private=NOVEMBER_18)
    members(room, MARA, TOMAS)
    with pytest.raises(PlaceStaysPrivate):
        include(room, PRIVATE)
    members(room, PRIYA)

    include(room, ChannelFacts(channel=SUPPORT, name="x", private=True, members=(MARA, TOMAS, PRIYA, JONAS)))

    seeing = [u for u in (MARA, TOMAS, PRIYA, JONAS) if room.ask(incidents.by_number, TEAM, incident, u)]
    assert seeing == [MARA, TOMAS, PRIYA]


def test_a_private_incident_is_not_named_in_a_public_place_and_not_shown_to_it(room: Room):
    incident = an_incident(room, title="Secret leak", private=NOVEMBER_18)
    members(room, MARA)

    include(room)

    assert "Secret" not in room.transcript(SUPPORT)[0]
    assert room.ask(incidents.by_number, TEAM, incident, JONAS) is None
    with pytest.raises(NoIncidentHere):
        room.serve(tracking.status, where=Where(Place(SUPPORT)), by=JONAS)


def test_a_guest_includes_no_channel_they_are_not_in(room: Room):
    an_incident(room)
    a_guest(room)
    members(room, GUEST)

    with pytest.raises(NotForGuests):
        include(room, by=GUEST)


def test_nothing_is_included_once_the_review_is_closed(room: Room):
    incident = an_incident(room)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "closed_at", room.now))

    with pytest.raises(ReviewClosed):
        include(room)


# Public again --------------------------------------------------------------------------------------


def a_private_one(room: Room) -> int:
    incident = an_incident(room)
    members(room, MARA, TOMAS)
    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=room.now))
    return incident


def say_public(room: Room, ability: Any = listening.make_public, *, by: UserId = MARA, **facts: Any) -> str:
    channel = ChannelFacts(channel=CHANNEL, name="inc", **facts)
    return room.serve(ability, where=HERE, by=by, channel=channel)


def test_what_was_private_stays_so_until_a_member_says_otherwise(room: Room):
    incident = a_private_one(room)
    room.serve(listening.learn, channel=ChannelFacts(channel=CHANNEL, name="inc", private=False))
    before = room.ask(incidents.by_number, TEAM, incident, OUTSIDER)

    asked = say_public(room, listening.offer_public)
    in_between = room.ask(incidents.by_number, TEAM, incident, OUTSIDER)
    said = say_public(room)

    assert (before, in_between) == (None, None)
    assert room.ask(incidents.by_number, TEAM, incident, OUTSIDER) is not None
    assert "Nothing has been changed yet" in asked
    assert "can now be seen by everybody in this workspace" in said
    (told,) = room.transcript(CHANNEL)
    assert told.startswith(f"<@{MARA}> has made *Checkout is slow* public")
    history = room.ask(lambda db: [(c.what, c.by) for c in incidents.changes(db, incident, "incident")])
    assert (listening.MADE_PUBLIC, MARA) in history


def test_what_slack_calls_private_is_not_made_public(room: Room):
    a_private_one(room)

    with pytest.raises(ChannelStillPrivate):
        say_public(room, private=True)


def test_only_people_of_this_workspace_who_are_inside_make_an_incident_public(room: Room):
    a_private_one(room)
    a_guest(room)
    members(room, GUEST)

    with pytest.raises(NotForGuests):
        say_public(room, by=GUEST)
    with pytest.raises(NoIncidentHere):
        say_public(room, by=OUTSIDER)


def test_it_is_said_in_the_channel_that_became_public(room: Room):
    incident = a_private_one(room)
    members(room, MARA, channel=SUPPORT)

    with pytest.raises(NotItsChannel):
        room.serve(listening.make_public, where=Where(Place(SUPPORT), incident), by=MARA, channel=PUBLIC)


def test_what_is_also_spoken_of_in_another_private_channel_stays_private(room: Room):
    incident = a_private_one(room)
    members(room, MARA, TOMAS, channel=SUPPORT)
    room.change(lambda db: channels.make_private(db, TEAM, SUPPORT, at=room.now))
    source = Source(team_id=TEAM, incident_id=incident, channel_id=SUPPORT, from_at=room.now)
    room.change(lambda db: db.add(source))

    said = say_public(room)

    assert "stays private" in said
    assert room.ask(incidents.by_number, TEAM, incident, OUTSIDER) is None
    assert room.transcript() == []


def test_made_private_once_more_it_is_private_once_more(room: Room):
    incident = a_private_one(room)
    say_public(room)

    again = ChannelFact(channel=CHANNEL, at=room.now, how="made_private")
    room.change(lambda db: channels.keep_channel(db, TEAM, again))

    assert room.ask(incidents.by_number, TEAM, incident, OUTSIDER) is None


# How far it is read -----------------------------------------------------------------------------------


def old_source(room: Room, *, days: float = 30) -> int:
    incident = an_incident(room)
    source = sources(room, incident)[0]
    beginning = room.now - timedelta(days=days)
    room.change(lambda db: setattr(channels.source(db, source.id), "from_at", beginning))
    room.serve(archiving.begin_reading, source_id=source.id, why=Why.opening)
    return source.id


def page(room: Room, number: int, *, cursor: str | None) -> Page:
    at = (room.now - timedelta(days=number)).timestamp()
    said = tuple({"type": "message", "user": TOMAS, "text": f"n {n}", "ts": f"{at + n:.6f}"} for n in range(3))
    return Page(channel=CHANNEL, messages=said, asked_at=room.now, next_cursor=cursor)


def take_in(room: Room, source: int, one: Page) -> None:
    wanted = room.desk.look(archiving.wanted, source_id=source)
    room.serve(archiving.take_in, page=one, wanted=wanted)
    tell_progress(room, source)


def tell_progress(room: Room, source: int) -> None:
    progress = room.desk.look(listening.progress, source_id=source)
    if progress:
        room.serve(listening.tell_progress, source_id=source, progress=progress)


def finish(room: Room, source: int) -> None:
    room.serve(archiving.finish_reading, source_id=source)
    tell_progress(room, source)


def test_whoever_opened_late_hears_in_one_message_how_far_it_is_read(room: Room):
    source = old_source(room)

    take_in(room, source, page(room, 1, cursor="next"))
    first = room.transcript(MARA)
    take_in(room, source, page(room, 2, cursor="next"))
    second = room.transcript(MARA)
    take_in(room, source, page(room, 3, cursor=None))
    finish(room, source)

    assert [len(first), len(second), len(room.transcript(MARA))] == [1, 1, 1]
    assert "3 messages so far, back to Tue 17 Nov 2026, 15:00 CET" in first[0]
    assert "6 messages so far, back to Mon 16 Nov 2026, 15:00 CET" in second[0]
    assert "9 messages" in room.transcript(MARA)[0]
    assert (
        "What was edited before I came I see only as it is now, and what was deleted not at all."
        in (room.transcript(MARA)[0])
    )
    assert room.transcript(CHANNEL) == []


def test_a_short_history_is_told_at_its_end_alone(room: Room):
    source = old_source(room)
    take_in(room, source, page(room, 1, cursor=None))
    before = room.transcript(MARA)

    finish(room, source)

    assert before == []
    assert len(room.transcript(MARA)) == 1


def test_many_threads_are_told_now_and_then(room: Room):
    source = old_source(room)
    row = room.change(lambda db: db.scalars(select(Reading)).one())
    a_message(room, "line")
    room.change(lambda db: _threads(db.get_one(Reading, row.id), room.now, walked=10))

    tell_progress(room, source)
    room.change(lambda db: _threads(db.get_one(Reading, row.id), room.now, walked=11))
    tell_progress(room, source)

    assert ["10 of 40 threads" in said for said in room.transcript(MARA)] == [True]


def _threads(reading: Reading, now: datetime, *, walked: int) -> None:
    reading.paged_at, reading.walked, reading.threads = now, walked, [f"{n}.000100" for n in range(40)]


def test_an_incident_opened_as_it_began_is_told_to_nobody(room: Room):
    source = old_source(room, days=0.01)
    take_in(room, source, page(room, 0, cursor=None))

    finish(room, source)

    assert room.transcript() == []
    assert room.desk.look(listening.progress, source_id=source) is None


def test_the_day_that_is_read_unasked_of_a_channel_of_unknown_age_is_told_to_nobody(room: Room):
    source = old_source(room, days=1)
    take_in(room, source, page(room, 0, cursor=None))

    finish(room, source)

    assert room.transcript() == []


def test_whoever_included_a_place_hears_how_far_that_is_read(room: Room):
    incident = an_incident(room)
    include(room, by=PRIYA, since=room.now - timedelta(days=7))
    source = sources(room, incident)[1].id
    room.serve(archiving.begin_reading, source_id=source, why=Why.opening)
    a_message(room, "a customer called", channel=SUPPORT)
    take_in(room, source, Page(channel=SUPPORT, messages=(), asked_at=room.now))

    finish(room, source)

    assert room.transcript(MARA) == []
    assert "I have read <#C0SUPPORT> for *Checkout is slow*, back to" in room.transcript(PRIYA)[0]


def test_who_may_not_see_the_incident_any_more_hears_nothing_of_it(room: Room):
    source = old_source(room)
    room.change(lambda db: channels.make_private(db, TEAM, CHANNEL, at=room.now))

    finish(room, source)

    assert room.transcript() == []


# What could not be said where it belongs -----------------------------------------------------------------


def it_is_over(room: Room, **more: Any) -> int:
    incident = an_incident(room, **more)
    mitigated(room, incident)
    return incident


def refused(room: Room, key: str = "scheduled:1", *, error: str = "is_archived", **more: Any) -> None:
    """A note for the channel that Slack refused."""
    words = outbox.Words(key=key, channel=CHANNEL, text="The review meets *on Monday*.", at=room.now, **more)
    room.change(lambda db: outbox.say_once(db, TEAM, words))
    note = room.change(lambda db: delivering.claim(db, TEAM, now=room.now, at_most=1)[0])
    room.change(lambda db: delivering.mark_dead(db, note.id, attempt=note.attempts, error=error))


def tell_instead(room: Room) -> None:
    for what in room.desk.look(listening.unheard):
        room.serve(listening.tell_instead, **what)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("is_archived", "because the channel is archived"),
        ("not_in_channel", "because I am not in it any more"),
        ("channel_not_found", "because I am not in it any more"),
        ("restricted_action", "because I may not write there"),
    ],
)
def test_what_a_channel_cannot_be_told_goes_to_the_lead_once(room: Room, error: str, why: str):
    it_is_over(room)
    refused(room, error=error)

    for _ in range(2):
        tell_instead(room)

    (told,) = room.transcript(MARA)
    assert told.startswith(f"I could not say this in <#{CHANNEL}>, {why}:")
    assert "> The review meets *on Monday*." in told
    assert "You get this once, because you have a part in *Checkout is slow*." in told


def test_all_that_a_channel_cannot_be_told_comes_in_one_message_until_it_was_open_again(room: Room):
    it_is_over(room)
    room.change(lambda db: channels.enter(db, TEAM, ChannelFacts(channel=CHANNEL, name="inc"), now=room.now))
    refused(room)
    refused(room, "pre-read:1")
    tell_instead(room)
    room.pass_time(days=1)
    refused(room, "call:1:20261119T1400")
    tell_instead(room)
    once = room.transcript(MARA)

    room.pass_time(days=1)
    room.change(lambda db: channels.keep_channel(db, TEAM, ChannelFact(channel=CHANNEL, at=room.now, how="unarchived")))
    refused(room, "pre-read:2")
    tell_instead(room)

    assert [told.startswith("I could not say these 2 things in") for told in once] == [True]
    assert len(room.transcript(MARA)) == 2


def test_where_a_channel_is_closed_to_us_nothing_is_tried_that_nobody_asked_for(room: Room):
    incident = it_is_over(room)
    room.serve(listening.learn, channel=ChannelFacts(channel=CHANNEL, name="inc", archived=True))

    room.desk.serve(say, incident=incident)
    room.desk.serve(say_as_asked, by=MARA, incident=incident)

    assert waiting(room) == ["asked"]
    assert room.ask(lambda db: [note.error for note in outbox.dead(db, TEAM)]) == ["is_archived"]


def waiting(room: Room) -> list[str]:
    return room.ask(lambda db: [note.key for note in outbox.waiting(db, TEAM)])


def say(turn: Turn, *, incident: int) -> Notes:
    del turn
    yield Note.live(f"board:{incident}", "refused", Place(CHANNEL), sentence="how it stands")


def say_as_asked(turn: Turn, *, by: UserId, incident: int) -> Notes:
    del turn, by, incident
    yield Note.once("asked", "refused", Place(CHANNEL), sentence="as asked")


@pytest.mark.parametrize("opened", ["unarchived", "invited", "looked at", "heard"])
def test_what_should_be_seen_in_a_channel_is_said_once_it_is_open_again(room: Room, opened: str):
    incident = it_is_over(room)
    room.change(lambda db: channels.enter(db, TEAM, ChannelFacts(channel=CHANNEL, name="inc"), now=room.now))
    fact = ChannelFact(channel=CHANNEL, at=room.now, how="left" if opened == "invited" else "archived")
    room.change(lambda db: channels.keep_channel(db, TEAM, fact))
    room.desk.serve(say, incident=incident)
    room.pass_time(minutes=5)

    open_again(room, opened)

    assert waiting(room) == [f"board:{incident}"]


def open_again(room: Room, opened: str) -> None:
    match opened:
        case "unarchived":
            fact = ChannelFact(channel=CHANNEL, at=room.now, how="unarchived")
            room.change(lambda db: channels.keep_channel(db, TEAM, fact))
        case "invited":
            us = MembershipFact(channel=CHANNEL, user=UserId("U0DEBRIEF"), how="joined", at=room.now)
            room.change(lambda db: channels.keep_membership(db, TEAM, us))
        case "looked at":
            room.serve(listening.learn, channel=ChannelFacts(channel=CHANNEL, name="inc"))
        case _:
            room.desk.serve(say_as_asked, by=MARA, incident=0)
            note = room.change(lambda db: delivering.claim(db, TEAM, now=room.now, at_most=1)[0])
            said = {"attempt": note.attempts, "version": 1, "channel": CHANNEL, "ts": "1.0", "now": room.now}
            room.change(lambda db: delivering.mark_sent(db, note.id, **said))


def test_somebody_whom_slack_calls_gone_is_written_to_no_more_until_slack_says_otherwise(room: Room):
    words = outbox.Words(key="news", channel=MARA, text="news", at=room.now)
    room.change(lambda db: outbox.say_once(db, TEAM, words))
    note = room.change(lambda db: delivering.claim(db, TEAM, now=room.now, at_most=1)[0])
    room.change(lambda db: delivering.mark_dead(db, note.id, attempt=note.attempts, error="user_disabled"))

    gone = not room.ask(people.is_one_of_us, TEAM, MARA)
    back = PersonFact(user_id=MARA, name="Mara", zone="Europe/Berlin", email=None, is_bot=False, deleted=False)
    room.change(lambda db: channels.keep_person(db, TEAM, back, now=room.now))

    assert gone
    assert room.ask(people.is_one_of_us, TEAM, MARA)


def test_what_is_wrong_with_the_words_is_no_reason_to_write_to_somebody(room: Room):
    it_is_over(room)
    refused(room, error="invalid_blocks")

    tell_instead(room)

    assert room.transcript(MARA) == []


def test_what_a_private_channel_cannot_be_told_goes_to_its_members_only(room: Room):
    it_is_over(room, private=NOVEMBER_18)
    refused(room)
    tell_instead(room)
    before = room.transcript(MARA)

    members(room, MARA)
    tell_instead(room)

    assert (before, len(room.transcript(MARA))) == ([], 1)


def test_where_the_lead_is_gone_the_owner_is_told(room: Room):
    incident = it_is_over(room)
    gone: dict[str, Any] = {"name": "", "zone": "UTC", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, MARA, **gone))
    row = room.change(lambda db: incidents.get(db, incident))
    room.change(lambda db: incidents.give_role(db, row, Role.owner, TOMAS, by=TOMAS, now=room.now))
    refused(room)

    tell_instead(room)

    assert (room.transcript(MARA), len(room.transcript(TOMAS))) == ([], 1)


def test_it_waits_for_the_leads_working_hours_but_for_the_call(room: Room):
    it_is_over(room)
    room.pass_time(hours=8)
    refused(room)
    waits = room.desk.look(listening.unheard)
    refused(room, "call:1:20261118T2200")

    tell_instead(room)

    assert (waits, len(room.transcript(MARA))) == ([], 1)


def test_who_asked_for_silence_is_not_even_called_by_direct_message_and_who_else_has_a_part_is(room: Room):
    incident = it_is_over(room)
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, incident), Role.owner, TOMAS, by=MARA, now=room.now)
    )
    room.serve(sparing.set_reminders, by=MARA, words="off")
    refused(room, "call:1:20261118T1400")

    tell_instead(room)

    assert (room.transcript(MARA), len(room.transcript(TOMAS))) == ([], 1)


def test_where_nobody_wants_to_be_written_to_the_call_reaches_nobody(room: Room):
    it_is_over(room)
    room.serve(sparing.set_reminders, by=MARA, words="snooze")
    refused(room, "call:1:20261118T1400")

    assert room.desk.look(listening.unheard) == []


def test_a_call_in_place_of_another_is_told_apart_from_what_may_wait_for_the_morning(room: Room):
    it_is_over(room)
    refused(room, "call:1:20261118T1400")
    tell_instead(room)

    (key,) = room.ask(lambda db: [note.key for note in outbox.waiting(db, TEAM)])

    assert key.startswith(silence.CALL)
    assert room.desk.look(listening.unheard) == []


def test_old_news_is_told_to_nobody(room: Room):
    it_is_over(room)
    refused(room)
    room.pass_time(days=5)

    tell_instead(room)

    assert room.transcript(MARA) == []


# What is known of its channels -------------------------------------------------------------------------------


def test_where_we_are_not_in_a_channel_any_more_its_status_says_how_to_bring_us_back(room: Room):
    an_incident(room)
    room.serve(listening.learn_of_closed, channel=CHANNEL)

    said = room.serve(tracking.status, where=HERE, by=MARA)

    assert f"I am not in <#{CHANNEL}> any more, so I cannot read what is said there" in said
    assert "`/invite`" in said


def test_where_a_channel_is_archived_its_status_says_so(room: Room):
    an_incident(room)
    room.serve(listening.learn, channel=ChannelFacts(channel=CHANNEL, name="inc", archived=True))

    assert f"<#{CHANNEL}> is archived" in room.serve(tracking.status, where=HERE, by=MARA)
