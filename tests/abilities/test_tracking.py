from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot import opening, tracking
from bot.desk import House
from bot.opening import ChannelArchived
from bot.review.heard import ChannelFact
from bot.review.impact import Impact
from bot.review.incident import ChannelFacts, ChannelId, MomentName, Place, Severity, UserId
from bot.review.lifecycle import Role, Stage
from bot.review.policy import DEFAULT, Asked, Depth, Sharing
from bot.review.refusal import (
    AlreadyTracked,
    InTheFuture,
    NeedsPerson,
    NeedsReason,
    NoIncidentHere,
    NotInChannel,
    NotOneOfUs,
    NotYours,
    ReviewClosed,
    UnknownSeverity,
    WrongStage,
)
from bot.review.when import read_when
from bot.seals import Seal
from bot.tracking import CannotSeeIt
from storage import attending, channels, incidents, people, reviews
from storage.incidents import Where
from storage.models import Meeting, Membership, Moment, RoleHeld
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

BOT = UserId("U0DEBRIEF")
PROGRAM = UserId("U0PAGER")
THREAD = Where(Place(CHANNEL, "1763470000.000100"))


def facts(
    *,
    name: str = "inc-2211-checkout-latency",
    private: bool = False,
    archived: bool = False,
    age: timedelta | None = timedelta(hours=1),
    creator: UserId | None = MARA,
    members: tuple[UserId, ...] = (MARA, TOMAS, PRIYA),
    bot_is_member: bool = True,
) -> ChannelFacts:
    created_at = None if age is None else NOVEMBER_18 - age
    return ChannelFacts(
        channel=CHANNEL,
        name=name,
        private=private,
        archived=archived,
        created_at=created_at,
        creator=creator,
        members=members,
        bot_is_member=bot_is_member,
    )


OLD = facts(age=timedelta(days=400))


def open_here(
    room: Room,
    *,
    by: UserId = MARA,
    where: Where = HERE,
    severity: str | None = "sev2",
    title: str | None = "",
    channel: ChannelFacts | None = None,
    since: datetime | None = None,
) -> str:
    return room.serve(
        opening.open_incident,
        where=where,
        by=by,
        severity=severity,
        title=title,
        channel=channel or facts(),
        since=since,
    )


def look(room: Room, question: Callable[..., Any], *args: Any) -> Any:
    """What storage answers, readable after the session has gone."""
    return room.change(lambda db: question(db, *args))


def the_incident(room: Room, by: UserId = MARA):
    return look(room, incidents.at, TEAM, HERE, by)


def the_source(room: Room, number: int = 1):
    return look(room, incidents.sources, number)[0]


def stage(room: Room, number: int = 1) -> Stage:
    return look(room, lambda db: reviews.stage(db, incidents.get(db, number)))


def moments(room: Room, number: int = 1) -> dict[str, datetime | None]:
    return {name: row.at for name, row in look(room, incidents.moments, number).items()}


def set_to(room: Room, name: str, words: str | None = None, by: UserId = MARA) -> str:
    when = read_when(words) if words else None
    return room.serve(tracking.set_moment, where=HERE, by=by, name=name, when=when)


def history(room: Room, number: int = 1) -> list[tuple[str, str | None, str | None]]:
    return [(change.what, change.before, change.after) for change in look(room, incidents.changes, number, "incident")]


def join(room: Room, *users: UserId, channel: str = CHANNEL) -> None:
    room.change(lambda db: db.add_all([Membership(team_id=TEAM, channel_id=channel, user_id=user) for user in users]))


# Opening -----------------------------------------------------------------------------


def test_who_opens_an_incident_leads_it(room: Room):
    answer = open_here(room)

    assert look(room, incidents.roles, 1).lead == MARA
    assert "you lead it" in answer


def test_the_title_is_the_channels_name_made_readable_unless_one_is_given(room: Room):
    open_here(room)
    open_here(room, where=THREAD, title="Search is down")

    titles = [incident.title for incident in look(room, incidents.every, TEAM)]

    assert titles == ["Search is down", "Checkout latency"]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("inc-2211-checkout-latency", "Checkout latency"),
        ("incident_payments", "Payments"),
        ("inc-2211", "Inc 2211"),
        ("db-primary", "Db primary"),
        ("", "Incident"),
    ],
)
def test_a_channels_name_is_read_as_a_title(name: str, title: str):
    assert opening.readable(name) == title


def test_opening_says_once_in_the_channel_what_is_kept_how_long_and_who_sees_it(room: Room):
    open_here(room)

    (notice,) = room.transcript(CHANNEL)

    assert "365 days" in notice
    assert "Everybody in this workspace but guests can see it" in notice
    assert ":pushpin:" in notice
    assert "/review event" in notice


def test_a_private_channel_makes_a_private_incident(room: Room):
    open_here(room, channel=facts(private=True))

    assert the_incident(room).private_since == room.now
    assert "Only members of this channel can see it" in room.transcript(CHANNEL)[0]
    with pytest.raises(NoIncidentHere):
        look(room, incidents.at, TEAM, HERE, OUTSIDER)


def test_a_channel_that_was_private_once_makes_a_private_incident(room: Room):
    room.change(lambda db: channels.enter(db, TEAM, facts(private=True), now=room.now))

    open_here(room, channel=facts(private=False))

    assert the_incident(room).private_since == room.now


def test_who_is_in_the_channel_is_remembered_from_before_we_came(room: Room):
    open_here(room)

    assert look(room, people.members, TEAM, CHANNEL) == [MARA, PRIYA, TOMAS]


def test_a_young_channel_is_taken_in_from_its_beginning(room: Room):
    open_here(room, channel=facts(age=timedelta(days=3)))

    source = the_source(room)

    assert (source.from_at, source.fetch_from, source.fetched_at) == (
        NOVEMBER_18 - timedelta(days=3),
        NOVEMBER_18 - timedelta(days=3),
        None,
    )


def test_an_old_channel_is_asked_about_before_anything_is_tracked(room: Room):
    sizes = {"24h": opening.Size(12, 3), "7d": opening.Size(1, 1), "all": opening.Size(5_231, 90, is_all=False)}

    answer = room.answer(
        opening.open_incident,
        where=HERE,
        by=MARA,
        severity="sev1",
        title="Checkout",
        channel=OLD,
        since=None,
        sizes=sizes,
    )

    assert answer is not None
    assert "12 messages, in a channel of 3 members" in answer.text
    assert "1 message, in a channel of 1 member" in answer.text
    assert "more than 5,000 messages, in a channel of 90 members" in answer.text
    assert '"from:24h sev1 Checkout"' in str(answer.blocks)
    assert room.transcript() == []
    assert look(room, incidents.every, TEAM) == []


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (opening.Size(1, 2), "1 message"),
        (opening.Size(4_312, 2), "4,312 messages"),
        (opening.Size(5_231, 2, is_all=False), "more than 5,000 messages"),
        (opening.Size(75, 2, is_all=False), "more than 75 messages"),
    ],
)
def test_of_a_huge_channel_it_is_said_that_there_is_more(size: opening.Size, words: str):
    assert size.words == words


def test_an_old_channel_is_tracked_from_the_moment_that_was_chosen(room: Room):
    since = opening.since_of("7d", OLD, now=room.now)

    open_here(room, channel=OLD, since=since)

    assert the_source(room).from_at == NOVEMBER_18 - timedelta(days=7)


def test_from_the_beginning_means_that_of_the_channel(room: Room):
    assert opening.since_of("all", OLD, now=room.now) == OLD.created_at
    assert opening.since_of("lunch", OLD, now=room.now) is None


def test_a_thread_of_an_old_channel_is_taken_in_whole_and_unasked(room: Room):
    open_here(room, where=THREAD, channel=OLD)

    source = the_source(room)

    assert source.from_at == datetime.fromtimestamp(1763470000.0001, UTC)
    assert room.transcript(CHANNEL) != []


def test_a_place_has_one_open_incident(room: Room):
    open_here(room)

    with pytest.raises(AlreadyTracked) as refused:
        open_here(room, by=TOMAS)

    assert refused.value.title == "Checkout latency"
    assert len(room.transcript(CHANNEL)) == 1


def test_a_thread_may_be_an_incident_beside_that_of_its_channel(room: Room):
    open_here(room)

    open_here(room, where=THREAD)

    assert len(look(room, incidents.every, TEAM)) == 2


def test_the_title_of_a_hidden_incident_is_not_told_to_outsiders(room: Room):
    an_incident(room, title="Secret breach", private=NOVEMBER_18)

    with pytest.raises(AlreadyTracked) as refused:
        open_here(room, by=OUTSIDER)

    assert "Secret" not in str(refused.value)


def test_a_channel_without_the_bot_or_archived_is_refused_with_a_sentence(room: Room):
    with pytest.raises(NotInChannel):
        open_here(room, channel=facts(bot_is_member=False))
    with pytest.raises(ChannelArchived):
        open_here(room, channel=facts(archived=True))


# Opening by itself --------------------------------------------------------------------


def open_itself(room: Room, channel: ChannelFacts | None = None) -> None:
    room.serve(opening.open_by_itself, channel_id=CHANNEL, channel=channel or facts())


def test_a_channel_named_like_an_incident_becomes_one_once(room: Room):
    open_itself(room)
    open_itself(room)

    assert len(look(room, incidents.every, TEAM)) == 1
    assert len(room.transcript(CHANNEL)) == 1
    assert look(room, incidents.roles, 1).lead == MARA


@pytest.mark.parametrize(
    "channel",
    [
        facts(name="random"),
        facts(archived=True),
        facts(bot_is_member=False),
        facts(age=timedelta(days=30)),
    ],
    ids=["another name", "archived", "without the bot", "old"],
)
def test_other_channels_do_not_open_by_themselves(room: Room, channel: ChannelFacts):
    open_itself(room, channel)

    assert look(room, incidents.every, TEAM) == []
    assert room.transcript() == []


def test_an_incident_that_left_its_channel_does_not_come_back_by_itself(room: Room):
    open_itself(room)
    room.serve(tracking.cancel, where=HERE, by=MARA, reason="A drill")

    open_itself(room)

    assert len(look(room, incidents.every, TEAM)) == 1


def test_where_a_program_opened_it_the_first_person_to_act_leads(room: Room):
    open_itself(room, facts(creator=PROGRAM))

    assert look(room, incidents.roles, 1).lead is None
    assert "first to act" in set_to(room, "detected", by=TOMAS)
    assert "first to act" not in set_to(room, "began", "10 min ago", by=PRIYA)
    assert look(room, incidents.roles, 1).lead == TOMAS


def test_looking_is_not_acting(room: Room):
    open_itself(room, facts(creator=PROGRAM))

    answer = room.serve(tracking.status, where=HERE, by=TOMAS)

    assert "Nobody leads this yet" in answer
    assert look(room, incidents.roles, 1).lead is None


# Where it stands -------------------------------------------------------------------------


def test_the_status_tells_what_comes_next(room: Room):
    an_incident(room)

    answer = room.serve(tracking.status, where=HERE, by=MARA)

    assert "Checkout is slow" in answer
    assert "sev2" in answer
    assert "Next: when the impact is over" in answer


def test_after_mitigation_the_status_names_the_meeting(room: Room):
    mitigated(room, an_incident(room))

    answer = room.serve(tracking.status, where=HERE, by=MARA)

    assert "I propose an hour to you" in answer


def test_of_a_private_incident_the_status_says_how_it_may_become_public_later(room: Room):
    open_here(room, channel=facts(private=True))
    meanwhile = room.serve(tracking.status, where=HERE, by=MARA)
    set_to(room, "mitigated")

    answer = room.serve(tracking.status, where=HERE, by=MARA)

    assert "/review public" not in meanwhile
    assert "`/review public` shows it to everybody" in answer


def test_a_proposal_made_is_told_and_one_from_before_a_re_opening_is_not(room: Room):
    number = an_incident(room)
    mitigated(room, number)
    room.pass_time(hours=1)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, number)), "proposed_at", room.now))
    proposed = room.serve(tracking.status, where=HERE, by=MARA)
    room.pass_time(hours=1)
    room.serve(tracking.reopen, where=HERE, by=MARA)
    set_to(room, "mitigated")

    again = room.serve(tracking.status, where=HERE, by=MARA)

    assert "I have proposed an hour to you" in proposed
    assert "I propose an hour to you" in again


def test_every_stage_has_its_status(room: Room):
    number = an_incident(room)
    said = {stage(room): room.serve(tracking.status, where=HERE, by=MARA)}
    for reached in _lives_through(room, number):
        said[reached] = room.serve(tracking.status, where=HERE, by=MARA)

    assert set(said) == set(Stage) - {Stage.skipped, Stage.cancelled}
    assert len(set(said.values())) == len(said)


def _lives_through(room: Room, number: int):
    mitigated(room, number)
    yield stage(room)
    for change in (_schedule, _prepare, _start, _end, _draft, _publish, _close):
        room.pass_time(hours=1)
        room.change(lambda db, change=change: change(db, reviews.of(db, incidents.get(db, number)), room.now))
        yield stage(room)


def _schedule(db, review, now):
    meeting = reviews.add_meeting(db, review, minutes=60)
    meeting.scheduled_at, meeting.meets_at = now, now + timedelta(days=2)


def _prepare(_db, review, now):
    review.pre_read_sent_at = now


def _start(db, review, now):
    reviews.meetings(db, review)[0].opened_at = now


def _end(db, review, now):
    reviews.meetings(db, review)[0].ended_at = now


def _draft(_db, review, now):
    review.drafted_at = now


def _publish(_db, review, now):
    review.published_at = now


def _close(_db, review, now):
    review.closed_at = now


def test_buttons_for_a_role_are_shown_to_those_who_hold_it(room: Room):
    mitigated(room, an_incident(room))
    leads = room.answer(tracking.status, where=HERE, by=MARA)
    looks = room.answer(tracking.status, where=HERE, by=TOMAS)

    assert "review:schedule:" in str(leads.blocks if leads else "")
    assert "review:schedule:" not in str(looks.blocks if looks else "")


def test_my_reviews_are_those_i_have_a_part_in_and_may_see(room: Room):
    an_incident(room, title="Led by me", lead=TOMAS, channel=ChannelId("C0ONE"))
    an_incident(room, title="In my channel", channel=ChannelId("C0TWO"))
    an_incident(room, title="Of others", channel=ChannelId("C0THREE"))
    an_incident(room, title="Hidden", lead=TOMAS, channel=ChannelId("C0FOUR"), private=NOVEMBER_18)
    join(room, TOMAS, channel="C0TWO")

    answer = room.serve(tracking.my_reviews, by=TOMAS)

    assert answer.index("In my channel") < answer.index("Led by me")
    assert "Of others" not in answer
    assert "Hidden" not in answer


def test_an_invitation_makes_a_review_mine(room: Room):
    number = an_incident(room)

    def invite(db) -> None:
        meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, number)), minutes=60)
        attending.invite(db, meeting, JONAS, core=None, now=room.now)

    room.change(invite)

    assert "Checkout is slow" in room.serve(tracking.my_reviews, by=JONAS)


def test_who_has_no_review_is_told_how_to_open_one(room: Room):
    assert "/review open" in room.serve(tracking.my_reviews, by=JONAS)


def test_at_most_ten_of_my_reviews_are_listed(room: Room):
    for number in range(12):
        an_incident(room, title=f"Number {number:02}", channel=ChannelId(f"C0{number}"))

    answer = room.serve(tracking.my_reviews, by=MARA)

    assert "Number 02" in answer
    assert "Number 01" not in answer


# How grave it is ----------------------------------------------------------------------------


def test_a_change_of_severity_is_kept_in_history(room: Room):
    an_incident(room, severity="sev3")

    answer = room.serve(tracking.set_severity, where=HERE, by=TOMAS, words="SEV-1")

    assert "sev1 now; it was sev3" in answer
    assert "90 minutes" in answer
    assert history(room) == [("severity", "sev3", "sev1")]


def test_the_same_severity_again_changes_nothing(room: Room):
    an_incident(room, severity="sev3")

    answer = room.serve(tracking.set_severity, where=HERE, by=TOMAS, words="3")

    assert "already" in answer
    assert history(room) == []


def test_an_unknown_severity_is_refused(room: Room):
    an_incident(room)

    with pytest.raises(UnknownSeverity):
        room.serve(tracking.set_severity, where=HERE, by=TOMAS, words="catastrophic")


@pytest.mark.parametrize(
    ("severity", "said"),
    [("sev1", "90 minutes"), ("sev2", "60 minutes"), ("sev3", "light"), ("sev4", "No review"), (None, "to be safe")],
)
def test_the_policy_says_what_a_severity_asks_for(room: Room, severity: str | None, said: str):
    an_incident(room, severity=severity)

    assert said in room.serve(tracking.policy, where=HERE, by=TOMAS)


@pytest.mark.parametrize(("severity", "is_told"), [("sev1", False), ("sev2", True), ("sev4", True), (None, True)])
def test_what_speaks_for_a_higher_severity_is_told_where_there_is_one(
    room: Room, severity: str | None, *, is_told: bool
):
    an_incident(room, severity=severity)

    assert ("Think of a higher severity" in room.serve(tracking.policy_in_full, where=HERE, by=TOMAS)) is is_told


@pytest.mark.parametrize("depth", ["full", "light", "async", None])
@pytest.mark.parametrize("severity", ["sev1", "sev2", "sev3", "sev4", None])
def test_the_policy_is_told_in_a_few_lines_with_all_of_it_behind_them(
    room: Room, severity: str | None, depth: str | None
):
    number = an_incident(room, severity=severity)
    mitigated(room, number)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, number)), "depth", depth))
    sharing = Sharing(people=(JONAS,), managers=(PRIYA,), channels=(ChannelId("C0LEARN"),))
    every = frozenset({"minutes", "window_hours", "pre_read_hours", "soak_days", "sharing.people", "async_hours"})
    house = House(policy=replace(DEFAULT, sharing=sharing, given=every), seal=Seal(b"nobody can guess this"))

    told, in_full = (
        Room(room.storage, room.now, house).serve(ability, where=HERE, by=MARA)
        for ability in (tracking.policy, tracking.policy_in_full)
    )

    lines = [line for line in told.splitlines() if line.strip()]
    assert len(lines) <= 8
    assert "`/review policy all` says why" in lines[-1]
    assert len([line for line in in_full.splitlines() if line.strip()]) <= 11


def test_the_policy_says_what_was_set_here_and_what_is_by_default(room: Room):
    an_incident(room)
    by_default = room.serve(tracking.policy, where=HERE, by=TOMAS)

    given = frozenset({"severities.sev2.minutes", "severities.sev1.review", "window_hours.opens", "soak_days"})
    asked = {**DEFAULT.severities, Severity.sev2: Asked(Depth.full, minutes=75)}
    window = (timedelta(hours=24), timedelta(hours=72))
    own = replace(DEFAULT, severities=asked, window=window, soak_days=1, pre_read_lead=timedelta(hours=8), given=given)
    here = Room(room.storage, room.now, House(policy=own)).serve(tracking.policy, where=HERE, by=TOMAS)

    assert "All of this is what I ask for by default" in by_default
    assert "60 minutes, 48 to 72 hours after mitigation" in by_default
    assert "The pre-read a day before it" in by_default
    assert "75 minutes, 24 to 72 hours after mitigation" in here
    assert "The pre-read 8 hours before it" in here
    assert "One working day before actions are promised" in here
    assert "Set here, in the policy file: its length, when it meets and the days before promises. The rest" in here


def test_a_private_question_is_told_where_its_answers_can_be_sealed(room: Room):
    an_incident(room, severity="sev1")
    sealed = Room(room.storage, room.now, House(seal=Seal(b"nobody can guess this")))

    assert "the answers stay sealed until the meeting" in sealed.serve(tracking.policy_in_full, where=HERE, by=TOMAS)
    assert "with one question to answer in private" in sealed.serve(tracking.policy, where=HERE, by=TOMAS)
    for ability in (tracking.policy, tracking.policy_in_full):
        assert not {"sealed", "private"} & {*room.serve(ability, where=HERE, by=TOMAS).replace(";", "").split()}


def test_the_policy_says_who_gets_the_report_and_of_a_private_incident_nobody_else(room: Room):
    an_incident(room)
    sharing = Sharing(people=(JONAS,), managers=(PRIYA,), channels=(ChannelId("C0LEARN"),))
    own = replace(DEFAULT, sharing=sharing, given=frozenset({"sharing.people"}))
    here = Room(room.storage, room.now, House(policy=own))

    told = here.serve(tracking.policy_in_full, where=HERE, by=TOMAS)
    inside = ChannelFacts(channel=CHANNEL, name="inc-checkout", private=True, members=(TOMAS,))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    room.change(lambda db: setattr(incidents.get(db, 1), "private_since", room.now))
    of_private = here.serve(tracking.policy_in_full, where=HERE, by=TOMAS)

    assert "The report goes to its channel, to <#C0LEARN>, to <@U0JONAS>." in told
    assert "PRIYA" not in told
    assert "The report goes to" not in of_private


# Its moments ---------------------------------------------------------------------------------


def test_a_moment_without_a_time_is_now_and_recorded(room: Room):
    an_incident(room)

    set_to(room, "detected")

    row = look(room, incidents.moments, 1)["detected"]
    assert (row.at, row.by, row.how) == (room.now, MARA, "recorded")


def test_a_typed_moment_is_the_latest_past_in_the_speakers_zone(room: Room):
    an_incident(room)

    answer = set_to(room, "began", "23:30")

    row = look(room, incidents.moments, 1)["began"]
    assert (row.at, row.how) == (datetime(2026, 11, 17, 22, 30, tzinfo=UTC), "set")
    assert "Tue 17 Nov 2026, 23:30 CET" in answer


def test_a_moment_still_to_come_is_refused(room: Room):
    an_incident(room)

    with pytest.raises(InTheFuture):
        set_to(room, "began", "2026-11-19 10:00")

    assert moments(room) == {}


def test_a_correction_keeps_what_was_said_before(room: Room):
    an_incident(room)
    set_to(room, "began", "13:00")

    set_to(room, "began", "13:10")

    assert moments(room) == {"began": datetime(2026, 11, 18, 12, 10, tzinfo=UTC)}
    assert history(room) == [("began", "2026-11-18T12:00:00Z", "2026-11-18T12:10:00Z")]


def test_the_same_moment_again_is_harmless(room: Room):
    an_incident(room)
    set_to(room, "began", "13:00")

    set_to(room, "began", "13:00")

    rows = look(room, lambda db: db.query(Moment).count())
    assert rows == 1
    assert history(room) == []


def test_pressing_a_moment_again_leaves_it_and_says_who_set_it(room: Room):
    an_incident(room)
    set_to(room, "mitigated")
    first = room.now
    room.pass_time(minutes=20)

    answer = set_to(room, "mitigated", by=TOMAS)

    assert moments(room)["mitigated"] == first
    assert "I left it as it is" in answer
    assert len(room.transcript(CHANNEL)) == 1


def test_an_odd_order_is_doubted_privately(room: Room):
    an_incident(room)
    set_to(room, "detected", "13:00")

    answer = set_to(room, "began", "13:30")

    assert "now stands before" in answer
    assert room.transcript() == []


def test_a_moment_can_be_taken_back(room: Room):
    an_incident(room)
    set_to(room, "began", "13:00")

    answer = room.serve(tracking.clear_moment, where=HERE, by=TOMAS, name="began")

    assert moments(room) == {}
    assert history(room) == [("began", "2026-11-18T12:00:00Z", None)]
    assert "not set any more" in answer


def test_taking_back_a_moment_that_was_not_set_changes_nothing(room: Room):
    an_incident(room)

    assert "nothing changed" in room.serve(tracking.clear_moment, where=HERE, by=TOMAS, name="began")
    assert history(room) == []


def test_during_the_fire_no_moment_is_said_in_the_channel(room: Room):
    an_incident(room)

    for name in (MomentName.began, MomentName.detected, MomentName.acknowledged):
        set_to(room, name)

    assert room.transcript() == []


def test_mitigation_is_said_in_the_channel_in_one_line_once(room: Room):
    an_incident(room)

    answer = set_to(room, "mitigated")
    set_to(room, "mitigated", "10 min ago")

    (line,) = room.transcript(CHANNEL)
    assert line.startswith("Mitigated at")
    assert "\n" not in line
    assert "I propose an hour to you by direct message, in your working hours" in answer


def test_a_sev4_is_not_promised_a_review(room: Room):
    an_incident(room, severity="sev4")

    set_to(room, "mitigated")

    assert "No review has to follow" in room.transcript(CHANNEL)[0]


def test_a_mitigation_noted_after_the_exit_promises_no_review(room: Room):
    an_incident(room)
    room.serve(tracking.skip, where=HERE, by=MARA, reason="Known and harmless")

    answer = set_to(room, "mitigated")

    assert "Mitigated* is set" in answer
    assert room.transcript() == []


def test_an_odd_order_is_doubted_only_where_it_is_made(room: Room):
    an_incident(room)
    set_to(room, "detected", "13:00")
    set_to(room, "began", "13:30")

    assert "now stands before" not in set_to(room, "acknowledged")


def test_resolved_implies_nothing_and_offers_the_missing_mitigation(room: Room):
    an_incident(room)

    answer = room.answer(tracking.set_moment, where=HERE, by=MARA, name="resolved", when=None)

    assert list(moments(room)) == ["resolved"]
    assert answer is not None
    assert "not marked as mitigated" in answer.text
    assert "2026-11-18T14:00:00Z" in str(answer.blocks)


# Its roles ------------------------------------------------------------------------------------


def take(room: Room, role: Role, user: UserId | None, by: UserId = TOMAS) -> str:
    return room.serve(tracking.take_role, where=HERE, by=by, role=role, user=user)


def test_during_the_fire_a_role_changes_hands_quietly_and_is_kept_in_history(room: Room):
    an_incident(room)

    answer = take(room, Role.lead, TOMAS)

    assert look(room, incidents.roles, 1).lead == TOMAS
    assert history(room) == [("lead", MARA, TOMAS)]
    assert "<@U0TOMAS> is the lead now" in answer
    assert room.transcript() == []


def test_after_mitigation_a_role_changes_hands_in_the_open(room: Room):
    mitigated(room, an_incident(room))

    take(room, Role.facilitator, TOMAS)
    take(room, Role.facilitator, TOMAS)
    take(room, Role.facilitator, PRIYA)
    take(room, Role.facilitator, TOMAS)

    assert len(room.transcript(CHANNEL)) == 3
    assert "taking over from <@U0PRIYA>" in room.transcript(CHANNEL)[-1]


def test_a_facilitator_who_also_leads_hears_one_kind_sentence(room: Room):
    an_incident(room)

    assert "ask more than to tell" in take(room, Role.facilitator, MARA)


def test_a_facilitator_who_responded_hears_one_kind_sentence(room: Room):
    open_here(room)
    a_message(room, "Rolling back", by=PRIYA)

    assert "busy in the response" in take(room, Role.facilitator, PRIYA)


@pytest.mark.parametrize("kind", ["program", "gone", "unknown", "ourselves"])
def test_only_people_who_are_here_take_a_role(room: Room, kind: str):
    an_incident(room)
    bot, gone = (room.now if kind == "program" else None), (room.now if kind == "gone" else None)
    if kind in {"program", "gone"}:
        room.change(
            lambda db: people.know(
                db, TEAM, PROGRAM, name="P", zone="UTC", email=None, bot=bot, gone=gone, now=room.now
            )
        )

    with pytest.raises(NotOneOfUs):
        take(room, Role.scribe, BOT if kind == "ourselves" else PROGRAM)


def test_who_cannot_see_a_private_incident_takes_no_role_in_it(room: Room):
    an_incident(room, private=NOVEMBER_18)
    join(room, MARA, TOMAS)

    with pytest.raises(CannotSeeIt):
        take(room, Role.scribe, OUTSIDER)


def test_without_a_name_the_rotation_proposes_and_nothing_changes(room: Room):
    open_here(room)

    answer = room.answer(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=None)

    assert answer is not None
    assert "<@U0PRIYA> could be the facilitator" in answer.text
    assert "review:facilitator:" in str(answer.blocks)
    assert look(room, incidents.roles, 1).facilitator is None


def test_the_scribe_is_who_wrote_longest_ago(room: Room):
    open_here(room)
    take(room, Role.scribe, PRIYA)
    room.pass_time(days=1)
    take(room, Role.scribe, TOMAS)
    room.change(lambda db: db.execute(update(RoleHeld).where(RoleHeld.role == Role.scribe).values(until=room.now)))

    assert "<@U0PRIYA> could be the scribe: it is their turn, and their last one was" in take(room, Role.scribe, None)


def test_where_somebody_has_the_part_nobody_else_is_proposed_but_they_are_named(room: Room):
    open_here(room)
    take(room, Role.facilitator, PRIYA)

    answer = room.answer(tracking.take_role, where=HERE, by=TOMAS, role=Role.facilitator, user=None)
    mine = take(room, Role.facilitator, None, by=PRIYA)

    handed_on = "the facilitator of this review. `/review facilitator @name` hands it on"
    assert answer is not None
    assert answer.text == f"<@U0PRIYA> is {handed_on}, to you too."
    assert "review:facilitator:" not in str(answer.blocks)
    assert mine == f"You are {handed_on}."


def test_nobody_is_proposed_as_lead_or_owner(room: Room):
    open_here(room)

    for role in (Role.lead, Role.owner):
        with pytest.raises(NeedsPerson):
            take(room, role, None)


# Its summary --------------------------------------------------------------------------------------


def test_a_new_summary_keeps_the_earlier_one_in_history(room: Room):
    an_incident(room)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text="Slow.")

    room.serve(tracking.set_summary, where=HERE, by=TOMAS, text="Slow for an hour.")

    assert the_incident(room).summary == "Slow for an hour."
    assert history(room)[-1] == ("summary", "Slow.", "Slow for an hour.")


def test_the_summary_is_shown_or_asked_for(room: Room):
    an_incident(room)
    asked = room.serve(tracking.show_summary, where=HERE, by=TOMAS)
    room.serve(tracking.set_summary, where=HERE, by=MARA, text="Slow.")

    shown = room.serve(tracking.show_summary, where=HERE, by=TOMAS)

    assert "no summary yet" in asked
    assert "> Slow." in shown


def test_what_was_felt_is_kept_with_what_was_said_before(room: Room):
    an_incident(room)
    room.serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact(customers="a few"))

    answer = room.serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact(customers="1 in 5", inquiries=12))

    assert "Customers: 1 in 5" in answer
    assert history(room)[-1] == ("impact", "Customers: a few", "Customers: 1 in 5\nInquiries: 12")
    assert "12" in room.serve(tracking.show_impact, where=HERE, by=TOMAS)


def test_the_same_impact_again_changes_nothing(room: Room):
    an_incident(room)

    room.serve(tracking.set_impact, where=HERE, by=MARA, impact=Impact())

    assert history(room) == []
    assert "Nobody has said yet" in room.serve(tracking.show_impact, where=HERE, by=TOMAS)


# The exits, and the way back --------------------------------------------------------------------------


def test_a_cancelled_incident_is_not_listened_to(room: Room):
    an_incident(room)

    answer = room.serve(tracking.cancel, where=HERE, by=MARA, reason="A drill")

    assert stage(room) is Stage.cancelled
    assert the_source(room).until_at == room.now
    assert "> A drill" in answer
    assert room.transcript() == []


def test_an_exit_after_mitigation_is_said_in_the_channel_once(room: Room):
    mitigated(room, an_incident(room))

    room.serve(tracking.skip, where=HERE, by=MARA, reason="Known and harmless")
    room.serve(tracking.skip, where=HERE, by=MARA, reason="Known and harmless")

    assert stage(room) is Stage.skipped
    assert len(room.transcript(CHANNEL)) == 1


def test_an_exit_calls_off_the_planned_meeting(room: Room):
    number = an_incident(room)
    mitigated(room, number)
    room.change(lambda db: _schedule(db, reviews.of(db, incidents.get(db, number)), room.now))

    room.serve(tracking.cancel, where=HERE, by=MARA, reason="A duplicate")

    assert look(room, lambda db: reviews.planned_meeting(db, reviews.of(db, incidents.get(db, number)))) is None


def test_an_exit_needs_a_reason_and_one_of_its_roles(room: Room):
    an_incident(room)

    with pytest.raises(NeedsReason):
        room.serve(tracking.cancel, where=HERE, by=MARA, reason=" ")
    with pytest.raises(NotYours):
        room.serve(tracking.skip, where=HERE, by=TOMAS, reason="Because")


def test_what_is_written_is_not_skipped_and_what_is_closed_not_cancelled(room: Room):
    number = an_incident(room)
    room.change(lambda db: _draft(db, reviews.of(db, incidents.get(db, number)), room.now))
    with pytest.raises(WrongStage):
        room.serve(tracking.skip, where=HERE, by=MARA, reason="Because")

    room.change(lambda db: _close(db, reviews.of(db, incidents.get(db, number)), room.now))

    with pytest.raises(ReviewClosed):
        room.serve(tracking.cancel, where=HERE, by=MARA, reason="Because")


def test_a_cancelled_place_still_shows_its_incident_and_may_get_a_new_one(room: Room):
    open_here(room)
    room.serve(tracking.cancel, where=HERE, by=MARA, reason="A drill")
    assert "A drill" in room.serve(tracking.status, where=HERE, by=TOMAS)

    open_here(room, title="The real one")

    assert "The real one" in room.serve(tracking.status, where=HERE, by=TOMAS)


def test_reopening_clears_the_mitigation_and_keeps_its_history(room: Room):
    number = an_incident(room)
    mitigated(room, number)
    room.pass_time(days=1)

    answer = room.answer(tracking.reopen, where=HERE, by=MARA)

    assert stage(room) is Stage.open
    assert moments(room) == {}
    assert history(room) == [("mitigated", "2026-11-18T14:00:00Z", None), ("reopened", "mitigated", None)]
    assert answer is not None
    assert "2026-11-18T14:00:00Z" in str(answer.blocks)
    assert room.transcript() == []


def test_reopening_lifts_an_exit_and_fetches_what_was_said_meanwhile(room: Room):
    an_incident(room)
    room.change(lambda db: setattr(incidents.sources(db, 1)[0], "fetched_at", room.now))
    left = room.now
    room.serve(tracking.cancel, where=HERE, by=MARA, reason="A drill")
    room.pass_time(hours=2)

    room.serve(tracking.reopen, where=HERE, by=MARA)

    source = the_source(room)
    assert stage(room) is Stage.open
    assert (source.until_at, source.fetch_from, source.fetched_at) == (None, left, None)


def test_an_exit_in_the_instant_of_a_reopening_counts(room: Room):
    an_incident(room)
    for _ in range(2):
        room.serve(tracking.skip, where=HERE, by=MARA, reason="A drill")
        assert stage(room) is Stage.skipped
        room.serve(tracking.reopen, where=HERE, by=MARA)
        assert stage(room) is Stage.open


def test_reopening_keeps_a_meeting_not_yet_held(room: Room):
    number = an_incident(room)
    mitigated(room, number)
    room.change(lambda db: _schedule(db, reviews.of(db, incidents.get(db, number)), room.now))

    answer = room.serve(tracking.reopen, where=HERE, by=MARA)

    assert look(room, lambda db: reviews.planned_meeting(db, reviews.of(db, incidents.get(db, number)))) is not None
    assert "is called off" in answer


def test_what_is_open_has_nothing_to_reopen(room: Room):
    an_incident(room)

    assert "nothing to bring back" in room.serve(tracking.reopen, where=HERE, by=MARA)
    assert history(room) == []


def test_an_incident_does_not_come_back_into_a_place_that_another_one_took(room: Room):
    open_here(room)
    room.serve(tracking.cancel, where=HERE, by=MARA, reason="A drill")
    open_here(room, title="The real one")

    with pytest.raises(AlreadyTracked):
        room.serve(tracking.reopen, where=Where(HERE.place, incident=1), by=MARA)


def test_whoever_takes_a_role_belongs_into_the_meeting_that_is_planned(room: Room):
    incident = an_incident(room)
    mitigated(room, incident)
    meeting = room.change(lambda db: _planned(db, incident))

    room.serve(tracking.take_role, where=HERE, by=MARA, role=Role.facilitator, user=MARA)

    assert room.ask(lambda db: [row.user_id for row in attending.attendees(db, db.get(Meeting, meeting))]) == [MARA]


def _planned(db: Session, incident: int) -> int:
    meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
    meeting.scheduled_at, meeting.meets_at = NOVEMBER_18, NOVEMBER_18 + timedelta(days=2)
    return meeting.id


def test_a_channel_that_a_crash_left_unasked_is_asked_once(room: Room):
    known = ChannelFact(channel=CHANNEL, at=room.now, name="inc-1", created_at=room.now, how="created")
    room.change(lambda db: channels.keep_channel(db, TEAM, known))

    before = room.desk.look(opening.unasked)
    room.serve(opening.was_asked, channel_id=CHANNEL)

    assert (before, room.desk.look(opening.unasked)) == ([CHANNEL], [])
