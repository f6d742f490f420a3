"""A team speaks of an incident by itself before everybody does; what it finds stands with its name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import convening, facilitating, following_up, formats, meeting_apart, noting, reporting, scheduling, tracking
from bot.desk import House
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords, Horizon
from bot.review.incident import Place, UserId
from bot.review.lifecycle import Stage
from bot.review.refusal import NeedsReason, NoIncidentHere, NotMitigated, NotYours
from bot.review.user_group import GroupFact
from bot.review.when import read_when
from bot.sheets import Sheets
from storage import actions, attending, channels, groups, incidents, letters, meetings_apart, people, reviews
from storage.incidents import Where
from storage.models import Action, Meeting, OutboxNote, Source
from tests.cast import (
    CHANNEL,
    HERE,
    JONAS,
    MARA,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
    stage,
)
from tests.sitting import buttons, delivered, do, plain, said

PAYMENTS = "S0PAY"
TEN = datetime(2026, 11, 19, 10, 0, tzinfo=UTC)
"""Tomorrow."""
THROUGH_THE_POOL = "each pod took forty connections"


@pytest.fixture
def incident(room: Room) -> int:
    """Mitigated an hour ago; Tomas and Priya, who are of payments, wrote in it, and Jonas, of payments too, did not."""
    number = an_incident(room)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS, PRIYA], now=room.now))
    for minutes, user in ((70, TOMAS), (65, PRIYA), (64, TOMAS), (60, MARA)):
        a_message(room, "the pool is exhausted", by=user, at=room.now - timedelta(minutes=minutes))
    room.change(lambda db: listens_since(db, room.now - timedelta(hours=2)))
    mitigated(room, number, at=room.now - timedelta(hours=1))
    a_group(room, TOMAS, PRIYA, JONAS)
    return number


def listens_since(db: Session, since: datetime) -> None:
    db.scalars(select(Source)).one().from_at = since


def a_group(room: Room, *members: str) -> None:
    room.change(lambda db: groups.keep(db, TEAM, [a_fact(*members)], now=room.now))


def a_fact(*members: str) -> GroupFact:
    return GroupFact(group_id=PAYMENTS, handle="payments", name="Payments", members=tuple(members))


def plan(room: Room, when: str = "2026-11-19T10:00Z", *, team: str = "@payments", **what: Any) -> str:
    answer = do(room, meeting_apart.plan, **{"team": team, "when": read_when(when) if when else None} | what)
    return plain(answer)


def tick(room: Room) -> None:
    room.desk.serve_if_due(meeting_apart.hold_due)
    delivered(room)


def with_a_room(room: Room) -> Place:
    """Planned, said, and its thread opened."""
    plan(room)
    delivered(room)
    tick(room)
    return Place(CHANNEL, said(room, "apart:")[0].posted_ts or "")


def note(room: Room, place: Place, text: str = THROUGH_THE_POOL, by: UserId = TOMAS) -> None:
    room.serve(noting.note_finding, where=Where(place), by=by, kind=FindingKind.contributor, text=text)
    room.serve(meeting_apart.refresh, where=Where(place), by=by)
    delivered(room)


def announced(room: Room) -> str:
    return plain(said(room, "apart:")[0].text)


def in_its_room(room: Room) -> str:
    return plain(said(room, "apart-found:")[0].text)


def the_meeting(room: Room) -> Meeting:
    def find(db: Session) -> Meeting:
        meeting = db.scalars(select(Meeting).where(Meeting.apart.is_not(None))).one()
        db.expunge(meeting)
        return meeting

    return room.ask(find)


def teams(room: Room, incident: int) -> dict[int, str]:
    return dict(room.ask(meetings_apart.teams, incident))


# Planned ------------------------------------------------------------------------------------


def test_a_team_is_asked_where_the_incident_is_spoken_of(room: Room, incident: int):
    answer = plan(room)

    assert announced(room) == (
        "*Payments* speaks of “Checkout is slow” by itself first: *Thu 19 Nov, 10:00 UTC*, 45 min, "
        "in the thread of this message.\n\n"
        "Asked to come: <@U0TOMAS>, <@U0PRIYA>. What they find stands, with the team's name, "
        "among what everybody speaks about."
    )
    assert answer == (
        "Payments meets by itself on *Thu 19 Nov 2026, 11:00 CET*, 45 min: <@U0TOMAS>, <@U0PRIYA>. "
        "Its room is the thread of the message I have posted, and I call them there ten minutes before."
    )


def test_where_nobody_of_a_team_was_there_all_who_can_see_it_are_asked(room: Room, incident: int):
    a_group(room, JONAS, OUTSIDER)

    plan(room)

    assert "Asked to come: <@U0JONAS>, <@U0OUTSIDER>." in announced(room)


def test_whoever_cannot_see_a_private_incident_is_not_asked(room: Room, incident: int):
    room.change(lambda db: setattr(incidents.get(db, incident), "private_since", room.now))
    a_group(room, PRIYA, OUTSIDER)

    plan(room)
    assert "Asked to come: <@U0PRIYA>." in announced(room)

    a_group(room, OUTSIDER)
    room.change(lambda db: setattr(db.scalars(select(Meeting)).one(), "cancelled_at", room.now))
    with pytest.raises(meeting_apart.NobodyOfTeam, match="Nobody of Payments can see this incident"):
        plan(room)
    with pytest.raises(NoIncidentHere):
        plan(room, by=OUTSIDER)


def test_who_has_left_is_not_asked(room: Room, incident: int):
    room.change(
        lambda db: people.know(
            db, TEAM, TOMAS, name="Tomas", zone="UTC", email=None, bot=None, gone=room.now, now=room.now
        )
    )

    plan(room)

    assert "Asked to come: <@U0PRIYA>." in announced(room)


@pytest.mark.parametrize("team", ["payments", "@Payments", "Payments", PAYMENTS, "<!subteam^S0PAY|@payments>"])
def test_a_team_is_known_by_whatever_slack_calls_it(room: Room, incident: int, team: str):
    plan(room, team=team)

    assert the_meeting(room).apart == "Payments"


@pytest.mark.parametrize("team", ["@ops", "<!subteam^S0GONE>", "x" * 5000, "\ud800", "@a\0"])
def test_an_unknown_team_is_refused_with_how_to_name_one(room: Room, incident: int, team: str):
    with pytest.raises(meeting_apart.UnknownTeam, match="schedule apart @group thu 10:00"):
        plan(room, team=team)


@pytest.mark.parametrize(("team", "when"), [("@payments", ""), ("", "2026-11-19T10:00Z"), ("  ", "")])
def test_it_needs_a_team_and_an_hour(room: Room, incident: int, team: str, when: str):
    with pytest.raises(meeting_apart.NeedsTeamAndHour):
        plan(room, when, team=team)


def test_a_team_meets_before_everybody_does(room: Room, incident: int):
    do(room, scheduling.schedule, when=read_when("2026-11-19T10:30Z"))

    with pytest.raises(meeting_apart.EverybodyMeetsBefore, match=r"Everybody meets on Thu 19 Nov at 11:30 CET\."):
        plan(room)

    plan(room, "2026-11-19T09:45Z")
    assert "by itself first: *Thu 19 Nov, 09:45 UTC*" in announced(room)


def test_where_everybody_has_met_no_team_meets_before(room: Room, incident: int):
    do(room, facilitating.held, when=None)

    with pytest.raises(meeting_apart.EverybodyMetAlready, match="Everybody has met about it already"):
        plan(room)

    do(room, scheduling.schedule, when=read_when("2026-11-20T10:00Z"))
    assert plan(room).startswith("Payments meets by itself")


def test_only_who_leads_the_review_plans_it_and_once_the_incident_is_over(room: Room, incident: int):
    with pytest.raises(NotYours):
        plan(room, by=PRIYA)

    do(room, tracking.clear_moment, name="mitigated")
    with pytest.raises(NotMitigated):
        plan(room)


@pytest.mark.usefixtures("incident")
def test_whoever_plans_it_hears_for_whom_the_hour_is_outside_work(room: Room):
    on_a_sunday = plan(room, "2026-11-22T10:00Z")
    on_monday = plan(room, "2026-11-23T10:00Z")

    assert f"a day off for <@{TOMAS}> (Sun 22 Nov 2026, 10:00 GMT)" in on_a_sunday
    assert "It is" not in on_monday


def test_another_hour_moves_it_and_the_same_words_say_nothing_twice(room: Room, incident: int):
    plan(room)
    plan(room)
    plan(room, "2026-11-20T09:00Z")

    (note,) = said(room, "apart:")
    assert "*Fri 20 Nov, 09:00 UTC*" in plain(note.text)
    assert the_meeting(room).sequence == 1


def test_whoever_was_asked_hears_of_another_hour_once_in_its_room(room: Room, incident: int):
    place = with_a_room(room)

    answer = plan(room, "2026-11-20T09:00Z")
    plan(room, "2026-11-20T09:00Z")
    tick(room)

    (moved,) = said(room, "apart-moved:")
    assert (moved.channel_id, moved.thread_ts) == (place.channel, place.thread)
    assert plain(moved.text) == (
        "*Payments* speaks of “Checkout is slow” by itself on *Fri 20 Nov, 09:00 UTC* now, not on Thu 19 Nov, "
        "10:00 UTC. This is for <@U0TOMAS>, <@U0PRIYA>."
    )
    assert answer.endswith("<@U0TOMAS>, <@U0PRIYA>. They hear of the new hour once.")


def test_the_meeting_of_everybody_is_none_the_less_to_be_planned(room: Room, incident: int):
    plan(room)
    delivered(room)

    assert stage(room, incident) is Stage.mitigated

    do(room, scheduling.schedule, when=read_when("2026-11-20T10:00Z"))
    assert stage(room, incident) is Stage.scheduled
    assert room.ask(lambda db: _planned(db, incident)) == (None, 2, None)
    assert room.ask(lambda db: sorted(attending.core(db, the_meeting(room)))) == [PRIYA, TOMAS]


def _planned(db: Session, incident: int) -> tuple[str | None, int, str | None]:
    meeting = reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))
    assert meeting is not None
    return meeting.apart, meeting.number, meeting.thread_ts


# In its room -----------------------------------------------------------------------------------


def test_the_thread_of_its_message_is_its_room(room: Room, incident: int):
    place = with_a_room(room)

    (found,) = said(room, "apart-found:")
    assert (found.channel_id, found.thread_ts) == (place.channel, place.thread)
    assert in_its_room(room).startswith("This is the room of *Payments*. What did we see and do")
    assert "Nothing is noted yet." in in_its_room(room)


def test_what_is_found_there_is_the_teams_and_what_is_found_elsewhere_is_nobodys(room: Room, incident: int):
    place = with_a_room(room)

    note(room, place)
    note(room, Place(CHANNEL), "the deploy went out on a Friday")
    note(room, replace(place, thread="1700000000.000100"), "nobody watched the dashboard")

    assert teams(room, incident) == {1: "Payments"}
    assert f"1 · _contributor_ · {THROUGH_THE_POOL}" in in_its_room(room)
    assert "Friday" not in in_its_room(room)


def test_it_is_called_ten_minutes_before_in_its_room_and_once(room: Room, incident: int):
    place = with_a_room(room)
    room.now = TEN - timedelta(minutes=10)

    tick(room)
    tick(room)

    (call,) = said(room, "call:")
    assert call.thread_ts == place.thread
    assert plain(call.text) == (
        "Payments, you meet here at 10:00 UTC: <@U0TOMAS>, <@U0PRIYA>. “Checkout is slow”, 45 min, among yourselves."
    )


@pytest.mark.parametrize(("minutes", "calls"), [(5, 1), (6, 0)])
def test_after_an_outage_it_is_called_while_it_is_still_worth_it(room: Room, incident: int, minutes: int, calls: int):
    with_a_room(room)
    room.now = TEN + timedelta(minutes=minutes)

    tick(room)

    assert len(said(room, "call:")) == calls


def test_a_group_with_nobody_is_told_as_such(room: Room, incident: int):
    a_group(room)

    with pytest.raises(meeting_apart.NobodyInTeam, match="Nobody is in Payments now"):
        plan(room)


@pytest.mark.parametrize(
    ("typed", "read"), [("<@U0TOMAS>", "@Tomas"), ("<!subteam^S0GONE|@ops>", "@ops"), ("<@U0TOMAS|tom>", "@Tomas")]
)
def test_what_is_no_team_is_named_as_it_is_read(room: Room, incident: int, typed: str, read: str):
    with pytest.raises(meeting_apart.UnknownTeam, match=f"“{read}”"):
        plan(room, team=typed)


def test_whoever_of_the_team_cannot_come_or_is_asked_where_they_do_not_read_is_named(room: Room, incident: int):
    facts = {"name": "Priya", "zone": "UTC", "email": None, "bot": None, "gone": room.now, "now": room.now}
    room.change(lambda db: people.know(db, TEAM, PRIYA, **facts))
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, JONAS], now=room.now))
    a_group(room, TOMAS, PRIYA)

    answer = plan(room)

    assert "Left out of the group: <@U0PRIYA>." in answer
    assert "Not in <#C0INC>, where I ask everybody: <@U0TOMAS>." in answer


def test_whoever_is_there_may_end_it_and_twice_is_once(room: Room, incident: int):
    place = with_a_room(room)
    note(room, place)

    answers = [plain(room.serve(meeting_apart.end, where=Where(place), by=PRIYA)) for _ in range(2)]

    assert answers == ["Thank you. What Payments found goes to everybody with the team's name."] * 2
    assert announced(room) == (
        "*Payments* has spoken of “Checkout is slow” by itself and found one thing. "
        "What it found stands, with the team's name, among what everybody speaks about."
    )
    assert stage(room, incident) is Stage.mitigated
    note(room, place, "and the alert had no owner")
    assert teams(room, incident) == {1: "Payments", 2: "Payments"}
    assert "found 2 things" in announced(room)


def test_nothing_is_ended_where_no_team_meets(room: Room, incident: int):
    with_a_room(room)

    with pytest.raises(meeting_apart.NoTeamHere):
        do(room, meeting_apart.end)


def test_it_ends_by_itself_a_day_after_its_hour(room: Room, incident: int):
    with_a_room(room)

    room.now = TEN + timedelta(hours=24, minutes=44)
    tick(room)
    assert the_meeting(room).ended_at is None

    room.pass_time(minutes=1)
    tick(room)
    assert the_meeting(room).ended_at == room.now
    assert announced(room) == (
        "The time of *Payments* to speak of “Checkout is slow” by itself is over. Nothing was noted there."
    )
    assert "has spoken" not in in_its_room(room)


def test_no_report_is_written_before_everybody_has_met(room: Room, incident: int):
    place = with_a_room(room)
    room.now = TEN
    room.serve(meeting_apart.end, where=Where(place), by=PRIYA)

    room.pass_time(hours=3)
    assert room.desk.look(reporting.undrafted) == []

    do(room, facilitating.start)
    do(room, facilitating.end)
    room.pass_time(hours=3)
    assert len(room.desk.look(reporting.undrafted)) == 1


def test_an_action_of_a_team_waits_for_everybody(room: Room, incident: int):
    place = with_a_room(room)
    do(room, scheduling.schedule, when=read_when("2026-11-20T10:00Z"))
    words = ActionWords(TOMAS, None, Horizon.quick, "limit the pool to forty connections")
    room.serve(following_up.propose, where=Where(place), by=TOMAS, wording=words)
    room.now = TEN
    room.serve(meeting_apart.end, where=Where(place), by=PRIYA)

    assert room.ask(lambda db: actions.soaks_from(db, db.scalars(select(Action)).one(), now=room.now)) == datetime(
        2026, 11, 20, 11, 0, tzinfo=UTC
    )


# Called off --------------------------------------------------------------------------------------


def call_off(room: Room, **what: Any) -> str:
    return do(room, meeting_apart.call_off, **{"reason": "the two are on a plane", **what})


def off(room: Room) -> str:
    """What whoever was asked is told; it is told once."""
    (note,) = said(room, "apart-off:")
    return plain(note.text)


def test_one_is_called_off_by_itself_and_who_was_asked_reads_why_once(room: Room, incident: int):
    place = with_a_room(room)
    do(room, scheduling.schedule, when=read_when("2026-11-20T10:00Z"))

    answer = call_off(room)
    tick(room)

    (note,) = said(room, "apart-off:")
    assert (note.channel_id, note.thread_ts) == (place.channel, place.thread)
    assert plain(note.text) == (
        "*Payments* does not meet by itself on Thu 19 Nov, 10:00 UTC. This is for <@U0TOMAS>, <@U0PRIYA>: nothing is "
        "asked of you then.\n\nThe reason, from <@U0MARA>:\n> the two are on a plane"
    )
    assert answer.startswith("Payments does not meet by itself, and whoever was asked to it reads why.")
    assert announced(room) == "*Payments* does not meet by itself on Thu 19 Nov, 10:00 UTC: that meeting is off."
    assert in_its_room(room) == "This meeting of *Payments* is off."
    assert pressed(said(room, "apart-found:")[0]) == []
    assert stage(room, incident) is Stage.scheduled


def test_the_calendars_of_who_was_asked_follow_it(room: Room, incident: int):
    room.house = room.desk.house = House(letters_from="debrief@sandbox.example")
    room.change(give_addresses)
    with_a_room(room)
    told = [calendars_told(room)]
    plan(room, "2026-11-20T09:00Z")
    told.append(calendars_told(room))
    call_off(room)
    told.append(calendars_told(room))

    assert [{method for method, *_ in one.values()} for one in told] == [{"REQUEST"}, {"REQUEST"}, {"CANCEL"}]
    assert [set(one) for one in told] == [{TOMAS, PRIYA}] * 3
    assert len({uid for one in told for _, uid, _ in one.values()}) == 1
    sequences = [{sequence for *_, sequence in one.values()} for one in told]
    assert max(sequences[0]) < min(sequences[1]) <= max(sequences[1]) < min(sequences[2])
    (file,) = said(room, "calendar:")
    assert Sheets(room.storage, TEAM, house=room.house).of(file.key, None, reader=CHANNEL) is None


def give_addresses(db: Session) -> None:
    for user in (TOMAS, PRIYA):
        person = people.find(db, TEAM, user)
        assert person
        person.email = f"{user.lower()}@sandbox.example"


def calendars_told(room: Room) -> dict[str, tuple[str, str, int]]:
    """By person: what their newest letter asks of their calendar, for which entry, in which version; and it leaves."""
    room.desk.serve_if_due(convening.tell_calendars)

    def leave(db: Session) -> dict[str, tuple[str, str, int]]:
        written = list(letters.beginning(db, TEAM, "letter:"))
        for note in written:
            note.attempts, note.state, note.said_version = note.attempts + 1, "sent", note.version
        enclosed = {note.user_id or "": note.letter or {} for note in written}
        return {
            user: (one["method"], one["appointment"]["uid"], one["appointment"]["sequence"])
            for user, one in enclosed.items()
        }

    return room.change(leave)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_calling_one_off_takes_a_reason_and_without_one_nothing_is_changed(room: Room, incident: int, reason: str):
    with_a_room(room)

    with pytest.raises(NeedsReason):
        call_off(room, reason=reason)

    assert the_meeting(room).cancelled_at is None
    assert said(room, "apart-off:") == []


def test_the_reason_stands_in_its_history(room: Room, incident: int):
    plan(room)

    call_off(room)

    history = room.ask(lambda db: [(row.what, row.after) for row in incidents.changes(db, incident, "meeting")])
    assert ("why", "the two are on a plane") in history
    assert history[-1] == ("meets_at", None)


def test_only_who_leads_the_review_calls_one_off(room: Room, incident: int):
    plan(room)

    with pytest.raises(NotYours):
        call_off(room, by=PRIYA)
    with pytest.raises(NotYours):
        do(room, meeting_apart.planned, by=PRIYA)


def test_where_no_team_is_yet_to_meet_there_is_none_to_call_off(room: Room, incident: int):
    with pytest.raises(meeting_apart.NoneApart):
        call_off(room)

    plan(room)
    call_off(room)
    with pytest.raises(meeting_apart.NoneApart):
        call_off(room)
    assert len(said(room, "apart-off:")) == 1


def test_of_several_teams_the_one_is_called_off_that_is_meant(room: Room, incident: int):
    place = with_a_room(room)
    fact = GroupFact(group_id="S0OPS", handle="ops", name="Operations", members=(MARA,))
    room.change(lambda db: groups.keep(db, TEAM, [fact, a_fact(TOMAS, PRIYA)], now=room.now))
    plan(room, team="@ops")

    with pytest.raises(meeting_apart.WhichTeam, match="Several teams meet apart: Payments, Operations"):
        call_off(room)
    with pytest.raises(meeting_apart.NoneApart):
        call_off(room, team="@nobody")

    call_off(room, team="@ops")
    assert "*Operations* does not meet" in off(room)
    room.serve(meeting_apart.call_off, where=Where(place), by=MARA, reason="they spoke at lunch")
    assert room.ask(lambda db: [row.cancelled_at for row in db.scalars(select(Meeting))]) == [room.now] * 2


def test_a_form_offers_those_that_are_yet_to_meet(room: Room, incident: int):
    plan(room)

    offered = room.desk.look(meeting_apart.planned, where=HERE, by=MARA)

    assert offered == [(1, "Payments · Thu 19 Nov, 11:00")]
    assert room.desk.look(meeting_apart.teams, where=HERE, by=MARA).named == [(PAYMENTS, offered[0][1])]
    call_off(room, number=1)
    assert the_meeting(room).cancelled_at == room.now


def test_of_several_the_form_calls_off_the_one_that_was_chosen(room: Room, incident: int):
    teams_of_outsiders(room)
    plan(room)
    plan(room, team="@ops")

    call_off(room, number=2)

    assert room.ask(lambda db: [row.apart for row in db.scalars(select(Meeting)) if row.cancelled_at]) == ["Admins"]


def test_of_the_teams_those_who_were_in_the_incident_are_offered_first(room: Room, incident: int):
    teams_of_outsiders(room)

    assert [name for _, name in room.desk.look(meeting_apart.teams, where=HERE, by=MARA).named] == [
        "Payments",
        "Admins",
        "Bookings",
    ]


def teams_of_outsiders(room: Room) -> None:
    """Beside payments, who were there, two who were not."""
    others = [GroupFact("S0OPS", "ops", "Admins", (OUTSIDER,)), GroupFact("S0BOOK", "book", "Bookings", (OUTSIDER,))]
    room.change(lambda db: groups.keep(db, TEAM, [*others, a_fact(TOMAS, PRIYA)], now=room.now))


def test_after_it_was_called_off_the_team_can_be_asked_anew(room: Room, incident: int):
    with_a_room(room)
    call_off(room)

    plan(room, "2026-11-19T11:00Z")

    assert [note.text for note in said(room, "apart:")][1].startswith("*Payments* speaks of")


def test_what_is_planned_for_teams_is_told_to_whoever_calls_the_meeting_of_everybody_off(room: Room, incident: int):
    plan(room)
    do(room, scheduling.schedule, when=read_when("2026-11-20T10:00Z"))

    answer = room.answer(scheduling.call_off, where=HERE, by=MARA, reason="half of us are away")

    assert "Payments still meets by itself." in (answer.text if answer else "")
    assert "Call that off, too…" in buttons(answer)
    (off,) = (note.text for note in said(room, "called-off:"))
    assert "nothing is asked of you for it until there is another hour. Payments still meets by itself." in plain(off)


def test_once_everybody_begins_no_team_need_meet_any_more(room: Room, incident: int):
    with_a_room(room)

    do(room, facilitating.start)
    tick(room)

    assert the_meeting(room).cancelled_at == room.now
    assert off(room).endswith("Everybody meets about it already; what you saw belongs there.")
    assert stage(room, incident) is Stage.in_meeting


def test_where_everybody_begins_after_its_hour_it_has_ended(room: Room, incident: int):
    note(room, with_a_room(room))
    room.now = TEN + timedelta(hours=1)

    do(room, facilitating.start)
    tick(room)

    assert the_meeting(room).ended_at == room.now
    assert said(room, "apart-off:") == []


EXITS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "broke again": (tracking.reopen, {}, "It broke again, so it is too early to look back."),
    "skipped": (tracking.skip, {"reason": "a small one"}, "There is no review of it any more."),
    "cancelled": (tracking.cancel, {"reason": "a false alarm"}, "There is no review of it any more."),
    "held": (
        facilitating.held,
        {"when": None},
        "Everybody has met about it by now; what you saw is welcome here.",
    ),
}


@pytest.mark.parametrize("exit_", EXITS)
def test_it_ends_with_the_review_and_who_was_asked_is_told_once(room: Room, incident: int, exit_: str):
    ability, what, why = EXITS[exit_]
    with_a_room(room)
    do(room, ability, **what)

    tick(room)
    tick(room)

    assert the_meeting(room).cancelled_at == room.now
    assert announced(room) == "*Payments* does not meet by itself on Thu 19 Nov, 10:00 UTC: that meeting is off."
    assert off(room).endswith(f"<@U0TOMAS>, <@U0PRIYA>: nothing is asked of you then.\n\n{why}")
    room.now = TEN
    tick(room)
    assert said(room, "call:") == []


def test_where_its_message_cannot_be_said_it_still_ends(room: Room, incident: int):
    plan(room)
    room.now = TEN + timedelta(days=2)

    tick(room)

    assert the_meeting(room).ended_at == room.now


# Among everybody ----------------------------------------------------------------------------------


def test_the_agenda_of_everybody_names_the_team_beside_what_it_found(room: Room, incident: int):
    note(room, with_a_room(room))
    note(room, Place(CHANNEL), "the deploy went out on a Friday", MARA)

    do(room, facilitating.start)
    do(room, facilitating.go_to, words="findings")

    agenda = plain(said(room, "agenda:")[-1].text)
    assert f"1 · {THROUGH_THE_POOL} · Payments" in agenda
    assert "2 · the deploy went out on a Friday\n" in agenda


def test_the_report_names_the_team_beside_what_it_found(room: Room, incident: int):
    note(room, with_a_room(room))
    do(room, facilitating.start)
    do(room, facilitating.end)

    for text in (formats.markdown, formats.html):
        shown = room.ask(text, TEAM, incident)
        assert shown.count("found by Payments") == 1
    assert room.ask(formats.pdf, TEAM, incident).startswith(b"%PDF")


def test_every_message_of_it_says_what_can_be_done(room: Room, incident: int):
    with_a_room(room)

    (found,) = said(room, "apart-found:")

    assert pressed(found) == ["Note what we found…", "We are done"]


def pressed(note: OutboxNote) -> list[str]:
    """The labels of what can be pressed on it."""
    return [one["text"]["text"] for block in note.blocks or [] for one in block.get("elements", []) if "value" in one]
