"""A light review: somebody is led through it alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import deciding, facilitating, formats, leading_through, noting, reporting, scheduling, tracking
from bot.render import Rendered
from bot.review.findings import FindingKind
from bot.review.heard import MembershipFact
from bot.review.incident import ChannelFacts, UserId
from bot.review.lifecycle import Role, Stage
from bot.review.refusal import (
    AlreadyInMeeting,
    NoIncidentHere,
    NotMitigated,
    NotYours,
    ReviewClosed,
    WrongStage,
)
from bot.review.steps import Stepped
from bot.review.when import read_when
from storage import channels, incidents, reviews
from storage.models import Change, Incident
from tests.cast import (
    CHANNEL,
    HERE,
    HOW_TO_STOP,
    JONAS,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    an_incident,
    mitigated,
    stage,
)
from tests.sitting import do, plain, said


@pytest.fixture
def incident(room: Room) -> int:
    """A sev3, mitigated an hour ago."""
    number = an_incident(room, severity="sev3")
    mitigated(room, number, at=room.now - timedelta(hours=1))
    return number


def begin(room: Room, **what: Any) -> str:
    return do(room, leading_through.begin, **what)


def shown(room: Room, to: str = MARA) -> str:
    """What the newest message of the light review says to somebody."""
    return plain([note.text for note in said(room, "light:") if note.channel_id == to][-1])


def pressed(room: Room) -> list[str]:
    """The labels of what can be pressed on it."""
    blocks = said(room, "light:")[-1].blocks or []
    return [one["text"]["text"] for block in blocks for one in block.get("elements", []) if "value" in one]


def stepped(room: Room, incident: int) -> Stepped:
    found = room.ask(lambda db: Stepped.from_json(reviews.of(db, incidents.get(db, incident)).stepped))
    assert found
    return found


# Beginning -------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_whoever_asks_is_led_through_it_in_one_direct_message_and_everybody_is_told_once(room: Room):
    answer = begin(room)

    assert answer == "I lead you through it in our direct messages, eight steps, one at a time."
    assert shown(room).startswith("*The light review of “Checkout is slow”* · 1 of 8 · Summary and impact\n")
    assert pressed(room) == ["Write them", "Fill in the impact", "Next", "Stop for now"]
    assert room.transcript(CHANNEL) == [
        (
            "“Checkout is slow” gets a light review: <@U0MARA> goes through it alone, and the report comes here. "
            "What you remember can still go in."
        )
    ]


def test_choosing_it_is_written_down_and_no_hour_is_proposed_any_more(room: Room):
    incident = an_incident(room, severity="sev1")
    mitigated(room, incident)

    begin(room)
    room.pass_time(hours=20)
    room.desk.serve(scheduling.propose_due)

    assert changes(room, incident) == [("depth", "full", "light", MARA)]
    assert room.transcript(MARA) == [said(room, "light:")[-1].text]
    assert "light" in do(room, tracking.policy)


def changes(room: Room, incident: int) -> list[tuple[str, str | None, str | None, str | None]]:
    of_it = select(Change).where(Change.incident_id == incident, Change.subject == "review").order_by(Change.id)
    return room.ask(lambda db: [(row.what, row.before, row.after, row.by) for row in db.scalars(of_it)])


def test_a_meeting_that_was_planned_is_off_and_its_place_is_told(room: Room, incident: int):
    at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=at, by=MARA, now=room.now))

    answer = begin(room)

    off = f"The meeting on Fri 20 Nov, 09:00 UTC is off. This is for <@{MARA}>, who need not come."
    assert off in plain(room.transcript(CHANNEL)[-1])
    assert "Fri 20 Nov, 09:00 UTC is called off, and whoever was asked to come reads that." in plain(answer)
    assert room.ask(lambda db: planned(db, incident)) is None


def planned(db: Session, incident: int) -> object:
    return reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))


@pytest.mark.parametrize("by", [TOMAS, PRIYA])
@pytest.mark.usefixtures("incident")
def test_it_is_for_those_who_answer_for_the_review(room: Room, by: str):
    with pytest.raises(NotYours):
        begin(room, by=by)

    assert room.transcript() == []


def test_a_private_incident_does_not_exist_for_others(room: Room):
    incident = an_incident(room, severity="sev3", private=room.now)
    mitigated(room, incident)

    with pytest.raises(NoIncidentHere):
        begin(room, by=OUTSIDER)


def test_while_it_burns_there_is_nothing_to_go_through(room: Room):
    an_incident(room, severity="sev3")

    with pytest.raises(NotMitigated):
        begin(room)


@pytest.mark.usefixtures("incident")
def test_in_an_open_meeting_nobody_is_led_through_alone(room: Room):
    do(room, facilitating.start)

    with pytest.raises(AlreadyInMeeting):
        begin(room)


@pytest.mark.usefixtures("incident")
def test_where_no_review_is_wanted_there_is_none_to_be_led_through(room: Room):
    do(room, tracking.skip, reason="too small")

    with pytest.raises(WrongStage):
        begin(room)


# Going through it ------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_each_step_asks_one_thing_and_shows_what_is_noted(room: Room):
    begin(room)
    for _ in range(2):
        do(room, leading_through.advance)
    do(room, noting.note_finding, kind=FindingKind.contributor, text="technical: a retry without a limit")

    do(room, leading_through.refresh)

    assert shown(room) == (
        "*The light review of “Checkout is slow”* · 3 of 8 · Contributors\n\n"
        "*What made it possible, or worse?* Look for conditions rather than people: technical, human or external. "
        "There is rarely only one.\n\n"
        "1 · technical: a retry without a limit"
    )
    assert pressed(room) == ["Note another", "Next", "Back", "Stop for now"]


@pytest.mark.usefixtures("incident")
def test_all_eight_steps_can_be_read_and_the_last_one_closes(room: Room):
    begin(room)

    read = [shown(room)]
    for seen in range(1, 8):
        do(room, leading_through.advance, seen=seen)
        read.append(shown(room))

    assert [words.split("\n")[0].rsplit(" · ", 2)[1] for words in read] == [f"{n} of 8" for n in range(1, 9)]
    assert pressed(room) == ["Write them", "Add a question", "Close it", "Back", "Stop for now"]


def test_of_two_presses_on_the_same_message_one_counts(room: Room, incident: int):
    begin(room)

    do(room, leading_through.advance, seen=1)
    do(room, leading_through.advance, seen=1)

    assert stepped(room, incident).number == 2


def test_stopped_it_waits_for_days_and_goes_on_in_a_message_at_the_bottom(room: Room, incident: int):
    begin(room)
    do(room, leading_through.advance)
    do(room, leading_through.stop)
    waits = shown(room)
    room.pass_time(days=5)

    answer = begin(room)

    first, second = said(room, "light:")
    assert "waits* at step 2 of 8, timeline." in waits
    assert answer == "It goes on in our direct messages, at the step where it stopped."
    assert plain(first.text) == "The light review of “Checkout is slow” goes on further down."
    assert "2 of 8 · Timeline" in second.text
    assert stepped(room, incident).stopped_at is None
    assert len(room.transcript(CHANNEL)) == 1


def test_another_who_answers_for_it_may_go_on_with_it(room: Room, incident: int):
    begin(room)
    room.change(lambda db: owns(db, incident))

    begin(room, by=JONAS)

    assert "<@U0JONAS> goes on with the light review" in shown(room, MARA)
    assert "1 of 8" in shown(room, JONAS)


def owns(db: Session, incident: int) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.owner, JONAS, by=MARA, now=Room.now)


@pytest.mark.usefixtures("incident")
def test_before_it_began_there_is_no_step_to_take(room: Room):
    for ability in (leading_through.advance, leading_through.go_back, leading_through.stop, leading_through.finish):
        with pytest.raises(leading_through.NotUnderWay):
            do(room, ability)


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize(
    ("ability", "seen", "where"),
    [
        (leading_through.advance, None, "is at step 2 of 8, timeline: it goes on in our direct messages, where its"),
        (leading_through.advance, 99, "is at step 1 of 8, summary and impact: it goes on in our direct messages"),
        (leading_through.go_back, None, "is at step 1 of 8, summary and impact"),
        (leading_through.stop, None, "waits at step 1 of 8, summary and impact. `/review schedule light` goes on"),
        (leading_through.finish, None, "is done and counts as held."),
    ],
)
def test_whoever_types_a_step_hears_where_the_review_stands(room: Room, ability: Any, seen: int | None, where: str):
    begin(room)

    assert f"The light review {where}" in do(room, ability, seen=seen)


@pytest.mark.usefixtures("incident")
def test_whoever_types_a_step_of_somebody_elses_review_hears_who_has_its_buttons(room: Room):
    begin(room)
    room.change(lambda db: facilitates(db, PRIYA))

    assert f"in my direct messages with <@{MARA}>" in do(room, leading_through.advance, by=PRIYA)


def facilitates(db: Session, user: UserId) -> None:
    incident = db.scalars(select(Incident)).one()
    incidents.give_role(db, incident, Role.facilitator, user, by=None, now=NOVEMBER_18)


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize("ability", [leading_through.advance, leading_through.stop, leading_through.finish])
def test_a_press_is_answered_by_the_message_it_was_made_on(room: Room, ability: Any):
    begin(room)

    assert do(room, ability, seen=1) == ""


def test_a_meeting_that_is_booked_takes_the_place_of_the_light_review(room: Room, incident: int):
    begin(room)

    do(room, scheduling.schedule, when=read_when("2026-11-20 10:00"))

    assert shown(room) == (
        "The review of “Checkout is slow” goes on in a meeting, Fri 20 Nov, 09:00 UTC. "
        "What you noted is kept, and is at hand there."
    )
    with pytest.raises(leading_through.NotUnderWay):
        do(room, leading_through.advance)
    assert stage(room, incident) is Stage.scheduled


def test_where_it_broke_again_the_review_waits_and_then_goes_on(room: Room, incident: int):
    begin(room)
    do(room, leading_through.advance)
    do(room, tracking.clear_moment, name="mitigated")

    with pytest.raises(NotMitigated):
        do(room, leading_through.advance)
    mitigated(room, incident)
    do(room, leading_through.advance)

    assert stepped(room, incident).number == 3


@pytest.mark.usefixtures("incident")
def test_what_was_noted_elsewhere_does_nothing_where_nobody_is_led_through(room: Room):
    do(room, leading_through.refresh)

    assert room.transcript() == []


def test_who_left_the_private_channel_reads_nothing_more_of_it(room: Room):
    before = led_out(room)

    do(room, leading_through.refresh, by=JONAS)
    begin(room, by=JONAS)

    assert room.transcript(MARA) == before
    assert "1 of 8" in shown(room, JONAS)


def test_without_a_look_at_who_may_see_it_they_would_read_on(room: Room, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deciding, "may_read", lambda *_: True)
    before = led_out(room)

    do(room, noting.note_finding, by=JONAS, kind=FindingKind.risk, text="the key lies in the wiki")
    begin(room, by=JONAS)

    assert room.transcript(MARA) != before


def led_out(room: Room) -> list[str]:
    """Mara is led through the review of a private incident, and then leaves its channel; what she has read."""
    inside = ChannelFacts(channel=CHANNEL, name="inc", private=True, members=(MARA, JONAS))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    incident = an_incident(room, severity="sev3", private=room.now)
    mitigated(room, incident)
    begin(room)
    room.change(lambda db: owns(db, incident))
    left = MembershipFact(channel=CHANNEL, user=MARA, how="left", at=room.now)
    room.change(lambda db: channels.keep_membership(db, TEAM, left))
    return room.transcript(MARA)


# Closing ---------------------------------------------------------------------------------


def test_closed_it_counts_as_held_and_the_draft_follows(room: Room, incident: int):
    begin(room)
    do(room, noting.note_finding, kind=FindingKind.learning, text="the replica lags")
    room.pass_time(minutes=25)

    do(room, leading_through.finish)

    assert stage(room, incident) is Stage.ended
    assert shown(room).startswith("*The light review of “Checkout is slow” is done.* It counts as held.")
    assert "Noted: 1 learning." in shown(room)
    assert pressed(room) == ["Write the draft"]
    assert "1 finding" in do(room, reporting.draft)
    assert stage(room, incident) is Stage.drafted


def test_what_took_the_place_of_a_meeting_is_not_told_as_one(room: Room, incident: int):
    do(room, scheduling.schedule, when=read_when("2026-11-20 10:00"))
    begin(room)
    room.pass_time(hours=50)
    do(room, leading_through.finish)

    (done,) = room.ask(lambda db: formats.written(db, incidents.get(db, incident), room.house)).meetings
    report = written(room, do(room, reporting.draft))

    assert (done.number, done.in_time) == (None, ())
    assert "### Without a meeting\n" in report
    assert "- Begun 2026-11-18 14:00 UTC (15:00 CET), done 2026-11-20 16:00 UTC (17:00 CET)\n" in report


def test_a_meeting_after_one_that_was_called_off_is_the_first_to_a_reader(room: Room, incident: int):
    do(room, scheduling.schedule, when=read_when("2026-11-20 10:00"))
    begin(room)
    do(room, scheduling.schedule, when=read_when("2026-11-20 11:00"))
    do(room, facilitating.start)

    (meeting,) = room.ask(lambda db: formats.written(db, incidents.get(db, incident), room.house)).meetings

    assert meeting.number == 1


@pytest.mark.usefixtures("incident")
def test_the_report_tells_how_it_was_reviewed_and_by_whom(room: Room):
    begin(room)
    room.pass_time(minutes=25)
    do(room, leading_through.finish)

    do(room, reporting.draft)
    report = do(room, reporting.report, form="md")

    assert "A light review: whoever answers for it went through it alone, step by step." in written(room, report)


def written(room: Room, _: str) -> str:
    return room.ask(lambda db: reviews.of(db, db.scalars(select(Incident)).one()).draft or "")


def test_nobody_needs_to_write_the_draft_for_it_writes_itself(room: Room, incident: int):
    begin(room)
    do(room, leading_through.finish)
    room.pass_time(minutes=31)

    room.desk.serve_each(reporting.undrafted, reporting.draft_by_itself)

    assert stage(room, incident) is Stage.drafted


@pytest.mark.usefixtures("incident")
def test_closed_twice_it_is_held_once(room: Room):
    begin(room)
    do(room, leading_through.finish)

    with pytest.raises(leading_through.NotUnderWay):
        do(room, leading_through.finish)


def test_a_review_that_was_closed_is_not_gone_through_again(room: Room, incident: int):
    begin(room)
    do(room, leading_through.finish)
    do(room, reporting.draft)
    do(room, reporting.publish)
    do(room, reporting.close)

    with pytest.raises(ReviewClosed):
        begin(room)


# Where it is offered ---------------------------------------------------------------------


@pytest.mark.parametrize("ability", [tracking.policy, tracking.status])
@pytest.mark.usefixtures("incident")
def test_what_a_small_incident_asks_for_comes_with_a_button_that_begins_it(room: Room, ability: Any):
    answer = room.answer(ability, where=HERE, by=MARA)

    assert answer
    assert "schedule" in {one["action_id"].split(":")[1] for one in elements(answer) if '"light"' in one["value"]}


@pytest.mark.usefixtures("incident")
def test_while_it_goes_on_the_standing_of_the_incident_says_so(room: Room):
    begin(room)

    assert "Next: the light review, which somebody is in the middle of." in do(room, tracking.status)


@pytest.mark.usefixtures("incident")
def test_who_may_not_choose_is_shown_no_button_for_it(room: Room):
    answer = room.answer(tracking.policy, where=HERE, by=TOMAS)

    assert answer
    assert elements(answer) == []


def elements(answer: Rendered) -> list[dict[str, Any]]:
    return [one for block in answer.blocks for one in block.get("elements", []) if "value" in one]


def test_a_mitigated_sev3_says_how_it_may_be_reviewed(room: Room):
    an_incident(room, severity="sev3")

    do(room, tracking.set_moment, name="mitigated", when=read_when("13:30"))

    (said_there,) = room.transcript(CHANNEL)
    assert "No meeting has to follow; `/review schedule light` leads whoever answers for it" in said_there


# Where it was left -----------------------------------------------------------------------


def remind(room: Room) -> list[str]:
    room.desk.serve_if_due(leading_through.remind_due)
    return [note.text for note in said(room, "light-waits:")]


@pytest.mark.usefixtures("incident")
def test_who_left_it_is_told_once_two_working_days_later_that_it_waits(room: Room):
    begin(room)
    do(room, leading_through.advance)
    room.pass_time(days=1)
    a_day_later = remind(room)
    room.pass_time(days=1)

    reminded = remind(room)
    room.pass_time(days=10)

    assert a_day_later == []
    assert reminded == [
        (
            "The light review of “Checkout is slow” waits for you at step 2 of 8, timeline. A few minutes finish it, "
            f"and all that you noted is kept.\n\nYou hear this once, because you began it. {HOW_TO_STOP}"
        )
    ]
    assert remind(room) == reminded


@pytest.mark.parametrize(
    "night", [datetime(2026, 11, 20, 22, 0, tzinfo=UTC), datetime(2026, 11, 21, 10, 0, tzinfo=UTC)]
)
@pytest.mark.usefixtures("incident")
def test_at_night_and_on_weekends_nobody_is_told(room: Room, night: datetime):
    begin(room)
    room.now = night

    assert remind(room) == []


@pytest.mark.parametrize(
    "way_out", [(tracking.skip, {"reason": "small"}), (tracking.clear_moment, {"name": "mitigated"})]
)
@pytest.mark.usefixtures("incident")
def test_where_it_cannot_go_on_nobody_is_told_that_it_waits(room: Room, way_out: tuple[Any, dict[str, Any]]):
    begin(room)
    ability, what = way_out
    do(room, ability, **what)
    room.pass_time(days=2)

    assert remind(room) == []


@pytest.mark.usefixtures("incident")
def test_what_is_finished_waits_for_nobody(room: Room):
    begin(room)
    do(room, leading_through.finish)
    room.pass_time(days=2)

    assert remind(room) == []
