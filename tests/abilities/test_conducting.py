"""What the clock does in a meeting."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from bot import conducting, facilitating, noting, scheduling
from bot.review.incident import UserId
from bot.review.lifecycle import Role, Stage
from bot.review.refusal import NotYours
from bot.review.when import read_when
from storage import delivering, incidents, messages, reviews, timeline
from storage.models import Meeting, Membership, OutboxNote, TimelineEvent
from tests.cast import (
    CHANNEL,
    HERE,
    HOW_TO_STOP,
    JONAS,
    MARA,
    NOVEMBER_18,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
    stage,
)
from tests.sitting import agenda, an_event, delivered, do, in_thread, plain, said


def planned_now(room: Room, incident: int) -> None:
    """The review meets now."""
    room.change(lambda db: bool(reviews.plan(db, incidents.get(db, incident), at=room.now, by=MARA, now=room.now)))


def the_meeting(room: Room, incident: int) -> Meeting:
    def look(db: Session) -> Meeting:
        meeting = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[-1]
        db.expunge_all()
        return meeting

    return room.ask(look)


def ticks(room: Room, minutes: float, *, every_s: int = 20) -> None:
    """Time passes, and the clock looks every so many seconds."""
    for _ in range(round(minutes * 60 / every_s)):
        room.pass_time(seconds=every_s)
        room.desk.serve_if_due(conducting.keep_time)


# The minutes that are left ---------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_the_message_shows_the_minutes_that_are_left_once_a_minute(room: Room):
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")
    before = said(room, "agenda:")[0].version

    ticks(room, 5)

    assert "*3 of 6 · Timeline walk* · 30 of 35 min left, until 14:35 UTC" in agenda(room)
    assert "The meeting has 55 min left and ends at 15:00 UTC" in agenda(room)
    assert said(room, "agenda:")[0].version == before + 5


@pytest.mark.usefixtures("incident")
def test_what_slack_refuses_is_not_said_again_every_minute_but_by_the_next_gesture(room: Room):
    do(room, facilitating.start)
    room.change(refused)

    ticks(room, 5)
    waited = said(room, "agenda:")[0].state
    do(room, facilitating.advance)

    assert (waited, said(room, "agenda:")[0].state) == ("dead", "pending")


def refused(db: Session) -> None:
    (note,) = delivering.claim(db, TEAM, now=NOVEMBER_18, at_most=1)
    delivering.mark_dead(db, note.id, attempt=note.attempts, error="is_archived")


@pytest.mark.usefixtures("incident")
def test_a_topic_that_has_run_over_is_not_held_up_to_the_room(room: Room):
    do(room, facilitating.start)

    ticks(room, 10)

    assert "*1 of 6 · Opening* · 3 min\n" in agenda(room)
    assert len([text for text in room.transcript(CHANNEL) if text.startswith("Review of")]) == 1


@pytest.mark.usefixtures("incident")
def test_what_the_time_brings_is_no_gesture(room: Room):
    do(room, facilitating.start)

    ticks(room, 91, every_s=60)
    room.serve(conducting.close_forgotten)

    assert "It ended at" not in agenda(room)
    assert "counts as ended with the last thing that was noted, at 14:00 UTC" in agenda(room)


# What is said to whoever leads --------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_whoever_leads_hears_alone_that_a_quarter_is_left_and_that_a_topic_runs_over_once_each(room: Room):
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")

    ticks(room, 40, every_s=60)

    heard = [(note.kind, note.user_id, plain(note.text).split("\n")[0]) for note in marks(room)]
    assert heard == [
        ("whisper", MARA, "“Timeline walk”: 8 of 35 min left, then Contributors, mitigators, risks and learnings."),
        (
            "whisper",
            MARA,
            (
                "“Timeline walk” has had its 35 min. Go on when it suits the room; a few more minutes come from a "
                "later topic, so that you still end on time."
            ),
        ),
    ]


def marks(room: Room) -> list[OutboxNote]:
    return [*said(room, "quarter-left:"), *said(room, "over-run:")]


@pytest.mark.usefixtures("incident")
def test_who_returns_to_a_topic_is_not_told_again(room: Room):
    do(room, facilitating.start)
    ticks(room, 4)
    do(room, facilitating.advance)

    do(room, facilitating.go_back)
    ticks(room, 1)

    assert len(said(room, "over-run:")) == 1


def test_the_named_facilitator_hears_of_the_time_and_not_the_lead(room: Room, incident: int):
    room.change(lambda db: leads(db, incident, JONAS))
    do(room, facilitating.start, by=JONAS)
    do(room, noting.arrive, by=MARA)

    ticks(room, 4)

    assert {note.user_id for note in marks(room)} == {JONAS}


def test_where_the_facilitator_did_not_come_the_lead_who_opened_the_meeting_hears_of_the_time(
    room: Room, incident: int
):
    room.change(lambda db: leads(db, incident, JONAS))
    do(room, facilitating.start, by=MARA)

    ticks(room, 4)

    assert {note.user_id for note in marks(room)} == {MARA}


def test_who_left_the_channel_of_a_private_incident_hears_nothing_of_its_meeting(room: Room):
    private = an_incident(room, private=NOVEMBER_18)
    mitigated(room, private)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=CHANNEL, user_id=MARA)))
    do(room, facilitating.start)
    room.change(lambda db: leaves(db, MARA))

    ticks(room, 4)

    assert marks(room) == []


def leads(db: Session, incident: int, user: UserId) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.facilitator, user, by=None, now=NOVEMBER_18)


# What was noted gathers in the thread ----------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_what_is_noted_gathers_in_the_thread_of_the_agenda_by_name_and_without_a_mention(room: Room):
    do(room, facilitating.start)
    delivered(room)
    room.pass_time(minutes=1)

    do(room, noting.note_finding, by=TOMAS, kind="contributor", text="technical: no load test")
    do(room, facilitating.refresh, by=TOMAS)
    room.pass_time(minutes=1)
    do(room, noting.park, text="Certificates")
    do(room, noting.note, by=PRIYA, text="Support heard of it first")
    do(room, facilitating.refresh)

    assert in_thread(room) == [
        "*Contributor 1* · technical: no load test · noted by Tomas",
        "*Parked* · Certificates · noted by Mara",
        "*Note* · Support heard of it first · noted by Priya",
    ]
    assert {note.thread_ts for note in said(room, "noted:")} == {said(room, "agenda:")[0].posted_ts}


@pytest.mark.usefixtures("incident")
def test_what_was_noted_before_the_agenda_stood_in_slack_gathers_as_soon_as_it_does(room: Room):
    do(room, facilitating.start)
    do(room, noting.note_finding, kind="risk", text="One person knows")
    do(room, facilitating.refresh)
    assert in_thread(room) == []

    delivered(room)
    ticks(room, 1)

    assert in_thread(room) == ["*Risk 1* · One person knows · noted by Mara"]


@pytest.mark.usefixtures("incident")
def test_a_crash_between_noting_and_showing_loses_no_line(room: Room):
    do(room, facilitating.start)
    delivered(room)
    do(room, noting.note_finding, kind="risk", text="One person knows")

    ticks(room, 0.4)
    ticks(room, 3)

    assert in_thread(room) == ["*Risk 1* · One person knows · noted by Mara"]
    assert "risk 1" in agenda(room)


def test_a_line_follows_what_it_tells_of(room: Room, incident: int):
    do(room, facilitating.start)
    delivered(room)
    number = an_event(room, incident, "We roll back", at=room.now)
    do(room, facilitating.refresh)

    room.change(lambda db: reworded(db, incident, number, "We went back to 41"))
    do(room, facilitating.refresh)

    assert in_thread(room) == [f"*Event {number}* · We went back to 41 · noted by Tomas"]


def reworded(db: Session, incident: int, number: int, text: str) -> None:
    the_event(db, incident, number).text = text


def the_event(db: Session, incident: int, number: int) -> TimelineEvent:
    event = timeline.numbered(db, incident, number)
    assert event
    return event


def test_what_is_taken_back_says_so_in_its_line(room: Room, incident: int):
    do(room, facilitating.start)
    delivered(room)
    number = an_event(room, incident, "We roll back", at=room.now)
    do(room, facilitating.refresh)

    room.change(lambda db: dropped(db, incident, number, room.now))
    do(room, facilitating.refresh)

    assert in_thread(room) == [f"Event {number} was taken back."]


def dropped(db: Session, incident: int, number: int, at: datetime) -> None:
    the_event(db, incident, number).dropped_at = at


def test_a_line_loses_the_words_of_a_message_that_is_deleted(room: Room, incident: int):
    do(room, facilitating.start)
    delivered(room)
    ts = a_message(room, "the password is hunter2", by=PRIYA)
    number = an_event(room, incident, None, at=room.now, source="message", channel_id=CHANNEL, ts=ts)
    do(room, facilitating.refresh)
    assert "hunter2" in in_thread(room)[0]

    room.change(lambda db: deleted(db, ts, room.now))
    do(room, facilitating.refresh)

    assert in_thread(room) == [f"*Event {number}* · its words were deleted · noted by Tomas"]


def deleted(db: Session, ts: str, at: datetime) -> None:
    row = messages.find(db, TEAM, CHANNEL, ts)
    assert row
    row.deleted_at = at


@pytest.mark.usefixtures("incident")
def test_what_is_found_after_the_meeting_is_no_part_of_its_thread(room: Room):
    do(room, facilitating.start)
    delivered(room)
    do(room, facilitating.end)
    room.pass_time(hours=1)

    do(room, noting.note_finding, kind="risk", text="One person knows")
    do(room, facilitating.refresh)

    assert in_thread(room) == []
    assert "One person knows" in agenda(room)


# A meeting that runs by itself -------------------------------------------------------------------


def test_nobody_there_ten_minutes_after_the_hour_is_asked_about_once(room: Room, incident: int):
    planned_now(room, incident)
    room.pass_time(minutes=9)
    room.serve(conducting.ask_where_nobody_is)
    assert room.transcript(CHANNEL) == []

    for _ in range(30):
        room.pass_time(minutes=1)
        room.serve(conducting.ask_where_nobody_is)

    (asked,) = room.transcript(CHANNEL)
    assert plain(asked).startswith(
        "The review of “Checkout is slow” was to begin at 14:00 UTC, and nobody has opened it yet. Shall it run by "
        "itself for those who are here, with the agenda going on when the minutes of a topic are over? Or shall it "
        "move, to Fri 20 Nov, 14:00 UTC perhaps?"
    )


def test_of_a_meeting_whose_hour_fell_into_an_absence_it_is_asked_once_in_the_leads_hours_whether_it_met(
    room: Room, incident: int
):
    planned_now(room, incident)
    asked_at: list[datetime] = []
    room.pass_time(hours=6)

    for _ in range(48):
        room.serve(conducting.ask_where_nobody_is)
        asked_at += [room.now] * (len(room.transcript(CHANNEL)) - len(asked_at))
        room.pass_time(hours=1)

    assert asked_at == [datetime(2026, 11, 19, 8, 0, tzinfo=UTC)]
    assert plain(room.transcript(CHANNEL)[0]) == (
        "The review of “Checkout is slow” was to meet on Wed 18 Nov, 14:00 UTC. I was away then, and do not know: did "
        "you meet without me? Or shall it move, to Fri 20 Nov, 14:00 UTC perhaps?\n\n"
        "I ask this once. After “We met” you note here what came of it, and the draft of the report begins. "
        "`/review postpone` moves it to any other hour."
    )


def test_what_was_booked_for_an_hour_gone_by_is_not_asked_about(room: Room, incident: int):
    planned_now(room, incident)
    room.change(lambda db: setattr(the_planned(db, incident), "meets_at", room.now - timedelta(hours=5)))

    room.serve(conducting.ask_where_nobody_is)

    assert room.transcript(CHANNEL) == []


def test_after_a_week_nobody_is_asked_whether_it_met(room: Room, incident: int):
    planned_now(room, incident)
    room.pass_time(days=7)

    room.serve(conducting.ask_where_nobody_is)

    assert room.transcript(CHANNEL) == []


def test_a_meeting_that_was_opened_is_not_asked_about(room: Room, incident: int):
    planned_now(room, incident)
    do(room, facilitating.start)
    room.pass_time(minutes=15)

    room.serve(conducting.ask_where_nobody_is)

    assert said(room, "nobody-here:") == []


def test_after_the_question_anybody_may_let_it_run_by_itself(room: Room, incident: int):
    planned_now(room, incident)
    with pytest.raises(NotYours):
        do(room, facilitating.run_itself, by=JONAS)
    room.pass_time(minutes=10)
    room.serve(conducting.ask_where_nobody_is)

    do(room, facilitating.run_itself, by=JONAS)

    assert stage(room, incident) is Stage.in_meeting
    assert "Nobody leads today" in agenda(room)


def test_after_the_question_anybody_may_move_it_and_it_is_asked_about_anew_at_its_new_hour(room: Room, incident: int):
    planned_now(room, incident)
    room.pass_time(minutes=10)
    room.serve(conducting.ask_where_nobody_is)

    do(room, scheduling.postpone, by=JONAS, when=read_when("2026-11-20 13:00Z"), reason="Nobody could open it.")
    room.now = datetime(2026, 11, 20, 13, 10, tzinfo=UTC)
    room.serve(conducting.ask_where_nobody_is)

    assert len(said(room, "nobody-here:")) == 2


def the_planned(db: Session, incident: int) -> Meeting:
    planned = reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))
    assert planned
    return planned


def was_asked(db: Session, incident: int, at: datetime) -> None:
    the_planned(db, incident).asked_at = at


def run_by_itself(room: Room, incident: int) -> None:
    planned_now(room, incident)
    room.change(lambda db: was_asked(db, incident, room.now))
    do(room, facilitating.run_itself, by=JONAS)


def test_a_meeting_that_runs_by_itself_goes_on_when_the_minutes_of_a_topic_are_over(room: Room, incident: int):
    run_by_itself(room, incident)
    heads = []

    for _ in range(60):
        heads.append(agenda(room).split("\n")[2].split("*")[1])
        ticks(room, 1)

    assert [heads.count(head) for head in dict.fromkeys(heads)] == [3, 4, 35, 9, 5, 4]
    assert marks(room) == []


def test_in_a_meeting_that_runs_by_itself_anybody_may_press(room: Room, incident: int):
    run_by_itself(room, incident)

    do(room, facilitating.advance, by=TOMAS)
    do(room, facilitating.extend, by=PRIYA, minutes=5)
    do(room, noting.park, by=PRIYA, text="Certificates")
    ticks(room, 8, every_s=60)

    assert "*2 of 6 · Summary and impact* · 1 of 9 min left" in agenda(room)
    assert "1 parked" in agenda(room)


def test_whoever_leads_takes_it_over_from_the_clock(room: Room, incident: int):
    run_by_itself(room, incident)
    ticks(room, 4)

    do(room, facilitating.start, by=MARA)
    ticks(room, 10)

    assert "*2 of 6 · Summary and impact*" in agenda(room)
    assert "Nobody leads today" not in agenda(room)
    with pytest.raises(NotYours):
        do(room, facilitating.advance, by=TOMAS)


def test_a_meeting_that_ran_by_itself_took_its_minutes(room: Room, incident: int):
    run_by_itself(room, incident)

    ticks(room, 91, every_s=60)
    room.serve(conducting.close_forgotten)

    assert the_meeting(room, incident).ended_at == NOVEMBER_18 + timedelta(minutes=60)
    assert "It ended at 15:00 UTC." in agenda(room)
    assert "Timeline walk: 35 min of 35" in agenda(room)


def test_an_event_added_before_the_walk_is_walked_by_itself_too(room: Room, incident: int):
    run_by_itself(room, incident)
    an_event(room, incident, "We roll back")

    ticks(room, 8)

    assert "*Stop 1 of 1*" in agenda(room)


# A meeting that nobody ended ------------------------------------------------------------------------


def test_a_forgotten_meeting_ended_with_its_last_gesture_and_its_owner_is_told_once(room: Room, incident: int):
    do(room, facilitating.start)
    room.pass_time(minutes=40)
    do(room, facilitating.advance)
    room.pass_time(minutes=51)

    room.serve(conducting.close_forgotten)
    room.pass_time(days=1)
    room.serve(conducting.close_forgotten)

    assert the_meeting(room, incident).ended_at == NOVEMBER_18 + timedelta(minutes=40)
    assert "Nobody pressed End" in agenda(room)
    (told,) = room.transcript(MARA)
    assert plain(told) == (
        f"Nobody pressed End in the review of “Checkout is slow”, in <#{CHANNEL}>, so I counted it as ended at "
        "14:40 UTC, when something was last noted. You hear this because the review is yours.\n\n"
        f"{HOW_TO_STOP}"
    )


@pytest.mark.usefixtures("incident")
def test_a_meeting_forgotten_at_night_is_told_of_in_the_morning(room: Room):
    room.pass_time(hours=3)
    do(room, facilitating.start)
    room.pass_time(hours=9)
    room.serve(conducting.close_forgotten)
    assert room.transcript(MARA) == []

    room.now = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    room.serve(conducting.close_forgotten)

    assert len(room.transcript(MARA)) == 1


def test_of_two_forgotten_meetings_their_owner_hears_on_two_days(room: Room, incident: int):
    other = an_incident(room, title="Another", channel="C0OTHER")  # pyright: ignore[reportArgumentType]
    mitigated(room, other)
    for number in (incident, other):
        room.serve(facilitating.start, where=incidents.Where(HERE.place, number), by=MARA)
    room.pass_time(hours=1, minutes=31)
    told: list[int] = []

    for _ in range(2):
        room.serve(conducting.close_forgotten)
        told.append(len(room.transcript(MARA)))
        room.pass_time(days=1)

    assert told == [1, 2]


def test_the_title_of_a_private_review_is_not_told_to_an_owner_who_left_its_channel(room: Room):
    incident = an_incident(room, private=NOVEMBER_18)
    mitigated(room, incident)
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=CHANNEL, user_id=MARA)))
    do(room, facilitating.start)
    room.change(lambda db: leaves(db, MARA))
    room.pass_time(hours=1, minutes=31)

    room.serve(conducting.close_forgotten)

    assert stage(room, incident) is Stage.ended
    assert room.transcript(MARA) == []


def leaves(db: Session, user: UserId) -> None:
    db.query(Membership).filter_by(user_id=user).one().left_at = NOVEMBER_18


def test_who_opens_a_forgotten_meeting_again_is_not_told_of_it(room: Room, incident: int):
    room.pass_time(hours=3)
    do(room, facilitating.start)
    room.pass_time(hours=9)
    room.serve(conducting.close_forgotten)
    do(room, facilitating.start)
    do(room, facilitating.end)

    room.now = datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    room.serve(conducting.close_forgotten)

    assert stage(room, incident) is Stage.ended
    assert room.transcript(MARA) == []


def test_a_meeting_that_runs_over_is_left_alone_while_people_work(room: Room, incident: int):
    do(room, facilitating.start)
    room.pass_time(minutes=85)
    do(room, noting.note_finding, kind="risk", text="One person knows")
    do(room, facilitating.refresh)
    room.pass_time(minutes=10)

    room.serve(conducting.close_forgotten)

    assert stage(room, incident) is Stage.in_meeting
