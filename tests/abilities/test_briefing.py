"""Leaders: those who come to a review, and those who do not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import briefing, inviting
from bot.desk import House
from bot.review.impact import Impact
from bot.review.policy import DEFAULT, Depth, Policy, Pool
from bot.review.refusal import NothingScheduled, NotYours
from bot.review.user_group import GroupFact
from storage import attending, groups, incidents, reviews
from storage.models import OutboxNote
from tests.cast import CHANNEL, HERE, JONAS, MARA, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated
from tests.sitting import do, plain


@pytest.fixture
def incident(room: Room) -> int:
    """An incident whose review meets in two days."""
    number = an_incident(room)
    mitigated(room, number)
    at = room.now + timedelta(days=2)
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, number), at=at, by=MARA, now=room.now)))
    return number


@pytest.mark.usefixtures("incident")
def test_a_leader_who_comes_gets_five_private_lines_once(room: Room):
    answer = do(room, briefing.name_leaders, users=[JONAS])

    for _ in range(3):
        room.serve(briefing.brief_leaders)
        room.pass_time(hours=1)

    (told,) = room.transcript(JONAS)
    assert plain(answer).startswith(f"<@{JONAS}> is asked to the meeting on Fri 20 Nov, 14:00 UTC, beside its core.")
    assert [line[0] for line in told.split("\n") if line[:1].isdigit()] == list("12345")
    assert room.transcript(CHANNEL) == []


def test_a_leader_is_no_core_attendee(room: Room, incident: int):
    do(room, briefing.name_leaders, users=[JONAS])

    meeting = room.ask(lambda db: core(db, incident))

    assert JONAS not in meeting


def core(db: Session, incident: int) -> list[str]:
    planned = reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))
    assert planned
    return [*attending.core(db, planned)]


@pytest.mark.usefixtures("incident")
def test_a_leader_is_written_to_in_their_own_working_hours_and_not_twice_a_day(room: Room):
    """At 14:00 UTC it is evening where Priya is; Tomas was written to today."""
    do(room, briefing.name_leaders, users=[PRIYA, TOMAS])
    room.change(lambda db: db.add(written_to(room, TOMAS)))

    room.serve(briefing.brief_leaders)
    today = [len(room.transcript(user)) for user in (PRIYA, TOMAS)]
    room.pass_time(hours=19)
    room.serve(briefing.brief_leaders)

    assert today == [0, 1]
    assert [len(room.transcript(user)) for user in (PRIYA, TOMAS)] == [1, 2]


def written_to(room: Room, user: str) -> OutboxNote:
    return OutboxNote(
        team_id=TEAM,
        key="something",
        kind="once",
        channel_id=user,
        text="Something else",
        written_at=room.now,
        not_before=room.now,
    )


@pytest.mark.usefixtures("incident")
def test_a_leader_who_was_let_off_hears_nothing(room: Room):
    do(room, briefing.name_leaders, users=[JONAS])
    do(room, inviting.uninvite, users=[JONAS])

    room.serve(briefing.brief_leaders)

    assert room.transcript(JONAS) == []


@pytest.mark.usefixtures("incident")
def test_only_who_leads_the_review_names_leaders(room: Room):
    with pytest.raises(NotYours):
        do(room, briefing.name_leaders, by=TOMAS, users=[JONAS])


def test_leaders_are_named_for_a_meeting_that_is_planned(room: Room):
    an_incident(room)

    with pytest.raises(NothingScheduled):
        room.serve(briefing.name_leaders, where=HERE, by=MARA, users=[JONAS])


# Those who do not come ------------------------------------------------------------------


LED = replace(DEFAULT, leaders=Pool(people=(JONAS,)))
"""Where Jonas is the one leader."""


def ruled_by(room: Room, policy: Policy) -> Room:
    """The same people under another policy."""
    return Room(room.storage, now=room.now, house=House(policy=policy))


def prepared(room: Room, **facts: Any) -> int:
    """An incident whose review meets in two days, with its pre-read sent."""
    asked: dict[str, Any] = {"severity": "sev1"} | facts
    number = an_incident(room, **asked)
    mitigated(room, number)
    at = room.now + timedelta(days=2)

    def plan(db: Session) -> None:
        incident = incidents.get(db, number)
        reviews.plan(db, incident, at=at, by=MARA, now=room.now)
        reviews.of(db, incident).pre_read_sent_at = room.now

    room.change(plan)
    return number


def change(room: Room, number: int, **facts: Any) -> None:
    """Something about an incident is different."""

    def do_it(db: Session) -> None:
        for name, value in facts.items():
            setattr(incidents.get(db, number), name, value)

    room.change(do_it)


def briefed(room: Room, user: str = JONAS) -> list[str]:
    """What somebody is told once the clock has asked a few times."""
    for _ in range(3):
        room.serve(briefing.brief_leaders)
        room.pass_time(minutes=5)
    return [plain(text) for text in room.transcript(user)]


def test_a_leader_who_does_not_come_gets_one_page_once(room: Room):
    room = ruled_by(room, LED)
    number = prepared(room)
    impact = Impact(customers="about 300", functions=("Support",)).to_json()
    change(room, number, summary="Payments failed.\nCarts were lost.", impact=impact)

    (page,) = briefed(room)

    assert page.startswith("A page for you as a leader: Checkout is slow\n\nSev1, over since Wed 18 Nov, 14:00 UTC.")
    assert "Payments failed." in page
    assert "Customers: about 300" in page
    assert f"look back together on Fri 20 Nov, 14:00 UTC; <@{MARA}> leads the meeting" in page
    assert page.endswith("`/review reminders off` stops them.")
    assert room.transcript(CHANNEL) == []


def test_where_nothing_is_known_the_page_says_so(room: Room):
    room = ruled_by(room, LED)
    prepared(room)

    (page,) = briefed(room)

    assert "Nobody has written it down yet" in page
    assert "What was felt" not in page


@pytest.mark.parametrize("severity", ["sev2", "sev3", "sev4", None])
def test_of_what_asks_for_no_briefing_there_is_none(room: Room, severity: str | None):
    room = ruled_by(room, LED)
    prepared(room, severity=severity)

    assert briefed(room) == []


def test_the_page_waits_for_the_pre_read(room: Room):
    room = ruled_by(room, LED)
    number = prepared(room)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, number)), "pre_read_sent_at", None))

    assert briefed(room) == []


def test_where_no_meeting_is_asked_for_the_page_comes_a_day_after_mitigation(room: Room):
    sev1 = replace(DEFAULT.asked_for("sev1"), depth=Depth.threads)
    room = ruled_by(room, replace(LED, severities={**DEFAULT.severities, "sev1": sev1}))  # pyright: ignore[reportArgumentType]
    mitigated(room, an_incident(room, severity="sev1"))

    too_soon = briefed(room)
    room.pass_time(hours=24)

    assert (too_soon, len(briefed(room))) == ([], 1)


def test_a_leader_who_comes_gets_the_five_lines_and_no_page(room: Room):
    room = ruled_by(room, LED)
    prepared(room)
    do(room, briefing.name_leaders, users=[JONAS])

    (lines,) = briefed(room)

    assert "five lines for you alone" in lines


def test_a_leader_with_a_part_in_the_incident_gets_no_page(room: Room):
    room = ruled_by(room, replace(DEFAULT, leaders=Pool(people=(MARA,))))
    prepared(room)

    assert briefed(room, MARA) == []


def test_leaders_may_be_a_user_group(room: Room):
    room = ruled_by(room, replace(DEFAULT, leaders=Pool(groups=("@leaders",))))
    facts = [GroupFact("S0LEAD", "leaders", "Leaders", (JONAS, TOMAS))]
    room.change(lambda db: groups.keep(db, TEAM, facts, now=room.now))
    prepared(room)

    assert (len(briefed(room)), len(briefed(room, TOMAS))) == (1, 1)


def test_a_leader_hears_nothing_of_a_private_incident_that_they_cannot_see(room: Room):
    room = ruled_by(room, LED)
    prepared(room, private=room.now)

    assert briefed(room) == []


def test_a_leader_gets_one_page_a_day(room: Room):
    room = ruled_by(room, LED)
    prepared(room)
    prepared(room, title="Search is empty", channel="C0OTHER")

    today = len(briefed(room))
    room.pass_time(days=1)

    assert (today, len(briefed(room))) == (1, 2)


def test_what_was_published_or_called_off_needs_no_page(room: Room):
    room = ruled_by(room, LED)
    for number, moment in ((1, "published_at"), (2, "skipped_at"), (3, "cancelled_at")):
        prepared(room, channel=f"C0OTHER{number}")
        room.change(lambda db, number=number, moment=moment: setattr(of(db, number), moment, room.now))

    assert briefed(room) == []


def of(db: Session, number: int) -> Any:
    return reviews.of(db, incidents.get(db, number))


def test_a_meeting_that_is_moved_brings_no_second_page(room: Room):
    room = ruled_by(room, LED)
    number = prepared(room)
    first = len(briefed(room))

    room.change(lambda db: setattr(reviews.meetings(db, of(db, number))[0], "meets_at", room.now + timedelta(days=5)))
    room.pass_time(days=1)

    assert (first, len(briefed(room))) == (1, 1)
