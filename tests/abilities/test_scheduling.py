"""From mitigation to the meeting: the hour, the people, the pre-read, the call."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import convening, facilitating, formats, inviting, noting, preparing, scheduling, tracking
from bot.review.incident import ChannelId, UserId
from bot.review.lifecycle import Role, Stage
from bot.review.refusal import (
    CannotSeeIt,
    InThePast,
    NeedsHour,
    NeedsPerson,
    NeedsReason,
    NothingScheduled,
    NotMitigated,
    NotOneOfUs,
    NotYours,
    TooFarAhead,
    WrongStage,
)
from bot.review.when import read_when
from storage import attending, busy, incidents, people, reviews
from storage.models import Meeting, Membership, TimelineEvent
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
from tests.sitting import buttons, plain

FRIDAY_TEN = "2026-11-20 10:00"
"""In Mara's Berlin: 09:00 UTC, 43 hours after the clock of these tests."""


@pytest.fixture
def incident(room: Room) -> int:
    """An incident mitigated on Wednesday at 03:12 UTC, in a channel with Mara and Priya, who leads its meeting."""
    number = an_incident(room)
    mitigated(room, number, at=datetime(2026, 11, 18, 3, 12, tzinfo=UTC))
    members(room, MARA, PRIYA)
    room.change(lambda db: facilitates(db, number, PRIYA))
    return number


def members(room: Room, *users: UserId) -> None:
    rows = [Membership(team_id=TEAM, channel_id=CHANNEL, user_id=user) for user in users]
    room.change(lambda db: db.add_all(rows))


def do(room: Room, ability: Any, *, by: UserId = MARA, **what: Any) -> str:
    return room.serve(ability, where=HERE, by=by, **what)


def book(room: Room, when: str = FRIDAY_TEN) -> str:
    return do(room, scheduling.schedule, when=read_when(when))


def said(room: Room, to: str = CHANNEL) -> list[str]:
    """But for the links that end what is about an hour."""
    return [plain(words).partition(FOR_CALENDARS)[0].rstrip() for words in room.transcript(to)]


FOR_CALENDARS = "For your calendar: the file here, <https://calendar.google.com/"


def core(room: Room, incident: int) -> list[str]:
    def look(db: Session) -> list[str]:
        meeting = reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))
        return list(attending.core(db, meeting)) if meeting else []

    return room.ask(look)


# The hour --------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_without_a_time_three_fitting_hours_are_proposed_and_nothing_is_booked(room: Room):
    answer = room.answer(scheduling.schedule, where=HERE, by=MARA)

    assert answer is not None
    assert answer.text == (
        "I suggest *Fri 20 Nov 2026, 09:00 CET*, 53 hours after mitigation, 60 min. It suits both.\n\n"
        "• Fri 10:00, 54 hours later: suits both\n"
        "• Fri 11:00, 55 hours later: suits both\n\n"
        "Nothing is booked yet. `/review schedule mon 14:00` books any other hour."
    )
    assert buttons(answer) == ["Book Fri 09:00", "Fri 10:00", "Fri 11:00", "Other times", "No meeting needed"]
    assert room.transcript() == []


@pytest.mark.usefixtures("incident")
def test_who_lives_elsewhere_reads_the_hour_in_their_own_zone_too(room: Room, incident: int):
    room.change(lambda db: facilitates(db, incident, JONAS))

    answer = do(room, scheduling.schedule, by=JONAS)

    assert "*Fri 20 Nov 2026, 15:00 CET*" in answer
    assert "For you that is Fri 20 Nov 2026, 09:00 EST. It suits both." in answer


def facilitates(db: Session, incident: int, user: UserId) -> None:
    incidents.give_role(db, incidents.get(db, incident), Role.facilitator, user, by=None, now=NOVEMBER_18)


def test_a_weekend_in_the_window_is_given_as_the_reason(room: Room):
    incident = an_incident(room)
    mitigated(room, incident, at=datetime(2026, 11, 18, 18, 0, tzinfo=UTC))
    room.now = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)

    answer = do(room, scheduling.schedule)

    assert "*Mon 23 Nov 2026, 09:00 CET*" in answer
    assert "Saturday lies inside the 48–72 hours after mitigation" in answer


@pytest.mark.usefixtures("incident")
def test_an_hour_is_booked_and_announced_once_in_the_channel(room: Room):
    first = book(room)
    again = book(room)

    assert first.startswith("Booked for *Fri 20 Nov 2026, 10:00 CET*, 60 min.")
    assert again.startswith("The meeting is planned for *Fri 20 Nov 2026, 10:00 CET*")
    assert said(room) == [
        (
            "The review of “Checkout is slow” meets on *Fri 20 Nov, 09:00 UTC*, 60 min, here.\n\n"
            f"Asked to come: <@{MARA}>, <@{PRIYA}>. Everybody else can read the pre-read and the report.\n"
            f"<@{PRIYA}> leads the meeting.\n\n"
            "What you remember is worth adding before then: `/review event 14:05 what happened`"
        )
    ]


@pytest.mark.usefixtures("incident")
def test_the_reason_of_a_first_hour_is_told_as_the_words_of_whoever_gave_it(room: Room):
    do(room, scheduling.schedule, when=read_when(FRIDAY_TEN), reason="Priya is back\n# <!here>")

    assert f"The reason, from <@{MARA}>:\n> Priya is back # &lt;!here&gt;\n" in said(room)[0]
    assert said(room)[0].count("Priya is back") == 1


def test_a_sev1_meets_for_90_minutes(room: Room):
    incident = an_incident(room, severity="sev1")
    mitigated(room, incident)

    assert "90 min" in book(room)


@pytest.mark.usefixtures("incident")
def test_an_hour_later_than_three_days_says_so(room: Room):
    answer = book(room, "2026-11-24 10:00")

    assert "That is 6 days 5 h after mitigation; a review is wanted within 72 hours, while it is fresh." in answer
    assert "a review is wanted within 72 hours" in said(room)[0]


@pytest.mark.parametrize(
    ("when", "told"),
    [("2026-11-21 04:12", None), ("2026-11-21 04:32", "72 h 20 min"), ("2026-11-21 05:12", "73 h")],
)
@pytest.mark.usefixtures("incident")
def test_an_hour_a_little_too_late_is_told_in_the_unit_in_which_it_is_wanted(room: Room, when: str, told: str | None):
    answer = book(room, when)

    late = re.search(r"That is (.*) after mitigation; a review is wanted within 72 hours", answer)
    assert (late[1] if late else None) == told


@pytest.mark.usefixtures("incident")
def test_whoever_would_meet_at_night_is_named_to_whoever_books(room: Room):
    answer = book(room, "2026-11-20 16:00")

    assert f"It is evening for <@{PRIYA}> (Fri 20 Nov 2026, 20:30 IST)." in answer
    assert "evening" not in said(room)[0]


@pytest.mark.usefixtures("incident")
def test_whoever_names_an_hour_hears_who_is_busy_then(room: Room):
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    room.change(lambda db: busy.keep(db, TEAM, PRIYA, [(at, at + timedelta(hours=1))], now=room.now))

    assert f"<@{PRIYA}> is busy then." in book(room)
    assert "busy" not in do(room, scheduling.schedule, when=read_when("2026-11-20 14:00"))


def test_nothing_is_planned_before_mitigation(room: Room):
    an_incident(room)

    with pytest.raises(NotMitigated):
        book(room)


@pytest.mark.usefixtures("incident")
def test_a_past_hour_is_refused(room: Room):
    with pytest.raises(InThePast):
        book(room, "2026-11-17 10:00")


@pytest.mark.usefixtures("incident")
def test_a_stranger_to_the_roles_plans_nothing(room: Room):
    with pytest.raises(NotYours):
        do(room, scheduling.schedule, by=TOMAS, when=read_when(FRIDAY_TEN))


def test_a_skipped_review_is_not_planned(room: Room, incident: int):
    room.change(lambda db: skip(db, incident))

    with pytest.raises(WrongStage):
        book(room)


def skip(db: Session, incident: int) -> None:
    reviews.of(db, incidents.get(db, incident)).skipped_at = NOVEMBER_18


@pytest.mark.usefixtures("incident")
def test_a_meeting_moved_away_and_back_is_announced_each_time(room: Room):
    book(room)
    book(room, "2026-11-20 14:00")
    book(room)

    moves = [words.split("*")[0] for words in said(room)]
    assert moves[1:] == [
        "The review of “Checkout is slow” moves from Fri 20 Nov, 09:00 UTC to ",
        "The review of “Checkout is slow” moves from Fri 20 Nov, 13:00 UTC to ",
    ]


def test_postponing_says_why_and_keeps_the_history(room: Room, incident: int):
    book(room)

    do(room, scheduling.postpone, when=read_when("2026-11-20 14:00"), reason="Priya is\n# away <!here>")

    assert said(room)[1].endswith(f"The reason, from <@{MARA}>:\n> Priya is # away &lt;!here&gt;")
    moved = room.ask(lambda db: [(c.what, c.before, c.after) for c in incidents.changes(db, incident, "meeting")])
    assert moved == [
        ("meets_at", None, "2026-11-20T09:00:00+00:00"),
        ("why", None, "Priya is\n# away <!here>"),
        ("meets_at", "2026-11-20T09:00:00+00:00", "2026-11-20T13:00:00+00:00"),
    ]


@pytest.mark.usefixtures("incident")
def test_postponing_needs_a_meeting_and_a_reason(room: Room):
    with pytest.raises(NothingScheduled):
        do(room, scheduling.postpone, when=read_when(FRIDAY_TEN), reason="x")
    book(room)
    with pytest.raises(NeedsReason):
        do(room, scheduling.postpone, when=read_when("2026-11-20 14:00"), reason=" ")
    with pytest.raises(NeedsHour, match="postpone mon 14:00 REASON"):
        do(room, scheduling.postpone, when=None, reason="Priya is away")


# Moving it ----------------------------------------------------------------------------------


def planned(room: Room, incident: int) -> Meeting:
    def look(db: Session) -> Meeting:
        (meeting,) = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))
        db.expunge(meeting)
        return meeting

    return room.ask(look)


def test_calendars_know_a_meeting_by_one_name_for_ever_and_each_move_makes_what_they_hold_older(
    room: Room, incident: int
):
    book(room)
    first = planned(room, incident)
    book(room, "2026-11-20 14:00")
    book(room, "2026-11-20 14:00")
    do(room, scheduling.postpone, when=read_when("2026-11-20 15:00"), reason="Priya is away")
    do(room, scheduling.call_off, reason="Nobody can come")

    last = planned(room, incident)
    assert first.uid is not None
    assert re.fullmatch(r"[0-9a-f]{32}@debrief", first.uid)
    assert (first.uid, first.sequence, last.uid, last.sequence) == (first.uid, 0, first.uid, 3)
    assert first.first_meets_at == last.first_meets_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_a_meeting_that_is_called_off_is_told_once_with_its_reason_and_may_be_planned_anew(room: Room, incident: int):
    book(room)

    answer = room.answer(scheduling.call_off, where=HERE, by=MARA, reason="Half of us are ill\n# <!here>")
    with pytest.raises(NothingScheduled):
        do(room, scheduling.call_off, reason="again")

    assert said(room)[1:] == [
        (
            "The review of “Checkout is slow”, planned for Fri 20 Nov, 09:00 UTC, does not take place then. "
            f"This is for <@{MARA}>, <@{PRIYA}>: nothing is asked of you until there is another hour.\n\n"
            f"The reason, from <@{MARA}>:\n> Half of us are ill # &lt;!here&gt;"
        )
    ]
    assert buttons(answer) == ["Propose another hour", "No meeting needed"]
    assert stage(room, incident) is Stage.mitigated
    assert book(room, "2026-11-20 15:00").startswith("Booked for *Fri 20 Nov 2026, 15:00 CET*")


@pytest.mark.usefixtures("incident")
def test_whoever_called_a_meeting_off_is_not_asked_for_the_next_hour_unasked(room: Room):
    book(room)
    do(room, scheduling.call_off, reason="Half of us are ill")

    for _ in range(48):
        room.pass_time(hours=1)
        room.serve(scheduling.propose_due)

    assert room.transcript(MARA) == []


@pytest.mark.usefixtures("incident")
def test_calling_off_needs_a_meeting_a_reason_and_a_role(room: Room):
    with pytest.raises(NothingScheduled):
        do(room, scheduling.call_off, reason="Nobody can come")
    book(room)
    with pytest.raises(NeedsReason, match="postpone off REASON"):
        do(room, scheduling.call_off, reason=" \n ")
    with pytest.raises(NotYours):
        do(room, scheduling.call_off, by=TOMAS, reason="Nobody can come")

    assert len(said(room)) == 1


@pytest.mark.usefixtures("incident")
def test_whatever_moves_without_a_reason_is_asked_for_it_and_with_one_it_is_not(room: Room):
    first = room.answer(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY_TEN))

    near = room.answer(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-20 14:00"))
    far = room.answer(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-26 10:00"))
    why = {"when": read_when("2026-11-24 10:00"), "reason": "Priya is away"}
    with_a_reason = room.answer(scheduling.schedule, where=HERE, by=MARA, **why)

    asked = ["Say why" in buttons(answer) for answer in (first, near, far, with_a_reason)]
    assert asked == [False, True, True, False]
    assert near is not None
    assert near.text.startswith("Moved to *Fri 20 Nov 2026, 14:00 CET*")
    assert said(room)[-1].endswith(f"The reason, from <@{MARA}>:\n> Priya is away")


@pytest.mark.usefixtures("incident")
def test_the_button_of_an_old_proposal_moves_no_meeting_and_leads_to_the_form_that_asks_why(room: Room):
    book(room)

    answer = press(room, "2026-11-20 13:30Z")

    assert answer.text.startswith(
        "The meeting is planned for *Fri 20 Nov 2026, 10:00 CET* already, 60 min. "
        "To move it to *Fri 20 Nov 2026, 14:30 CET*, say why; everybody hears of it once."
    )
    assert buttons(answer) == ["Move it there", "Call it off", "Send the pre-read now"]
    assert len(said(room)) == 1


@pytest.mark.usefixtures("incident")
def test_of_a_meeting_whose_hour_has_passed_it_is_asked_whether_they_met(room: Room):
    book(room)
    room.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    answer = room.answer(scheduling.schedule, where=HERE, by=MARA)

    assert answer is not None
    assert answer.text.startswith("The meeting was planned for *Fri 20 Nov 2026, 10:00 CET*, 60 min. Did you meet")
    assert buttons(answer) == ["Move it", "Call it off", "We met"]


def met(room: Room) -> None:
    """On Friday at ten, with Jonas, whom somebody asked by hand, and without Priya, who was let off."""
    book(room)
    do(room, inviting.invite, users=[JONAS])
    do(room, inviting.uninvite, users=[PRIYA])
    room.now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    do(room, facilitating.held, when=None)


def test_a_further_meeting_is_told_as_one_and_asks_those_who_were_asked_to_the_last(room: Room, incident: int):
    met(room)

    answer = book(room, "2026-11-23 10:00")

    assert "It is a further meeting, after that of Fri 20 Nov 2026, 10:00 CET" in answer
    assert "60 min, here. It is a further meeting, after that of Fri 20 Nov, 09:00 UTC." in said(room)[-1]
    assert core(room, incident) == [MARA, JONAS]
    assert "A further meeting is planned for Mon 23 Nov, 09:00 UTC." in plain(do(room, tracking.status))


def test_a_meeting_after_it_broke_again_is_a_first_one(room: Room, incident: int):
    met(room)
    do(room, tracking.reopen)
    mitigated(room, incident, at=room.now + timedelta(hours=1))
    room.now += timedelta(hours=2)

    answer = book(room, "2026-11-24 10:00")

    assert "further" not in answer + said(room)[-1]
    assert PRIYA in core(room, incident)


@pytest.mark.usefixtures("incident")
def test_hours_of_one_menu_are_called_alike_until_the_same_day_of_the_next_week(room: Room):
    room.now = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)

    labels = [offer.label for offer in room.desk.look(scheduling.further, where=HERE, by=MARA).offers]

    assert "Wed 09:00" in labels
    assert "Thu 26 Nov 09:00" in labels


def press(room: Room, typed: str, **more: Any) -> Any:
    """A button of a proposal, or the form of *Other times*."""
    return room.answer(scheduling.choose, where=HERE, by=MARA, when=read_when(typed), **more)


@pytest.mark.usefixtures("incident")
def test_other_times_move_a_booked_meeting_with_the_reason_that_the_form_asks_for(room: Room):
    book(room)
    found = room.desk.look(scheduling.further, where=HERE, by=MARA)

    press(room, "2026-11-20 13:30Z", reason="Priya is away")

    assert found.stands == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert said(room)[-1].endswith("> Priya is away")


@pytest.mark.usefixtures("incident")
def test_the_same_button_pressed_twice_books_once_and_says_so(room: Room):
    press(room, "2026-11-20 09:00Z")

    again = press(room, "2026-11-20 09:00Z")

    assert again.text.startswith("The meeting is planned for *Fri 20 Nov 2026, 10:00 CET*, 60 min.")
    assert len(said(room)) == 1


@pytest.mark.usefixtures("incident")
def test_an_hour_that_has_passed_since_it_was_proposed_brings_new_ones(room: Room):
    room.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    answer = press(room, "2026-11-20 09:00Z")

    assert answer.text.startswith("That hour has passed by now. I suggest *Tue 24 Nov 2026, 09:00 CET*")
    assert said(room) == []


def test_a_reason_for_the_hour_that_it_has_already_is_kept_and_nobody_is_told(room: Room, incident: int):
    book(room)

    answer = do(room, scheduling.postpone, when=read_when(FRIDAY_TEN), reason="Everybody is back by then")

    assert answer == (
        "The meeting is planned for *Fri 20 Nov 2026, 10:00 CET* already, so nothing moves and nobody is told. "
        "Your reason is kept beside its hour:\n\n> Everybody is back by then"
    )
    assert planned(room, incident).why == "Everybody is back by then"
    assert planned(room, incident).sequence == 0
    assert len(said(room)) == 1


def test_whoever_said_that_they_come_said_it_of_the_hour_before(room: Room, incident: int):
    book(room)
    do(room, convening.answer, by=PRIYA, coming="no")
    assert f"<@{PRIYA}> cannot." in do(room, scheduling.schedule)

    do(room, scheduling.postpone, when=read_when("2026-11-20 14:00"), reason="Priya is away")

    assert "cannot" not in do(room, scheduling.schedule)
    assert core(room, incident) == [MARA, PRIYA]


@pytest.mark.usefixtures("incident")
def test_the_answer_does_not_promise_a_pre_read_that_is_out(room: Room):
    first = book(room)
    soon = do(room, scheduling.schedule, when=read_when("2026-11-19 10:00"))
    do(room, preparing.pre_read)
    moved = do(room, scheduling.schedule, when=read_when("2026-11-20 14:00"))

    assert "The pre-read goes out a day before; ten minutes before, I call everybody." in first
    assert "The pre-read goes out now; ten minutes before, I call everybody." in soon
    assert "60 min. Ten minutes before, I call everybody." in moved


@pytest.mark.usefixtures("incident")
def test_a_slip_of_the_year_books_nothing(room: Room):
    with pytest.raises(TooFarAhead, match="more than a year ahead"):
        book(room, "2062-11-20 10:00")
    book(room)
    with pytest.raises(TooFarAhead):
        book(room, "2062-11-20 10:00")
    with pytest.raises(TooFarAhead):
        do(room, scheduling.postpone, when=read_when("2062-11-20 10:00"), reason="The vendor is back then")

    assert len(said(room)) == 1


def test_people_whose_clocks_agree_read_the_hour_once(room: Room):
    number = an_incident(room)
    facts: dict[str, Any] = {"name": "", "zone": "Europe/Madrid", "email": None, "bot": None, "gone": None}
    room.change(lambda db: people.know(db, TEAM, PRIYA, now=room.now, **facts))
    members(room, MARA, PRIYA)
    a_message(room, "Looking", by=PRIYA)
    mitigated(room, number)

    answer = book(room, "2026-11-20 16:30")

    assert "It is evening for <@U0MARA> and <@U0PRIYA> (Fri 20 Nov 2026, 16:30 CET)." in answer


def test_an_hour_that_somebody_chose_is_never_called_the_first_one_that_suits(room: Room):
    number = an_incident(room)
    members(room, MARA, PRIYA)
    a_thursday = datetime(2026, 11, 19, 10, 0, tzinfo=UTC)  # 48–72 hours later it is weekend.
    mitigated(room, number, at=a_thursday)

    at_night = book(room, "2026-11-23 03:00")
    why_at_night = planned(room, number).why
    book(room, "2026-11-23 09:00")

    assert why_at_night == "Saturday and Sunday lie inside the 48–72 hours after mitigation."
    assert "It is night for <@U0MARA>" in at_night
    assert planned(room, number).why == (
        "Saturday and Sunday lie inside the 48–72 hours after mitigation, so this is the first working hour after them."
    )


def test_a_reason_given_afterwards_stands_where_the_new_hour_was_told_and_nobody_is_told_again(
    room: Room, incident: int
):
    book(room)
    book(room, "2026-11-26 10:00")
    before = said(room)

    answer = do(room, scheduling.explain, reason="The vendor is back then")

    assert answer.endswith("> The vendor is back then")
    assert planned(room, incident).why == "The vendor is back then"
    assert planned(room, incident).sequence == 1
    assert [words.split("*")[0] for words in said(room)] == [words.split("*")[0] for words in before]
    assert said(room)[-1].endswith(f"The reason, from <@{MARA}>:\n> The vendor is back then")


def test_a_meeting_that_moves_is_remembered_as_the_evening_of_those_whose_it_is_now(room: Room):
    incident = three_continents(room)
    here = incidents.Where(HERE.place, incident)
    room.serve(scheduling.schedule, where=here, by=MARA, when=read_when("2026-11-20 06:00"))
    assert planned(room, incident).burden == {MARA: 180, ANGELES: 300}

    room.serve(scheduling.schedule, where=here, by=MARA, when=read_when("2026-11-20 19:00Z"))

    assert planned(room, incident).burden == {MARA: 240, SYDNEY: 180}


def test_the_report_says_that_a_meeting_which_was_moved_out_of_time_was_late(room: Room, incident: int):
    book(room)
    do(room, scheduling.postpone, when=read_when("2026-11-20 14:00"), reason="Priya is away")
    do(room, scheduling.call_off, reason="Half of us are ill")
    book(room, "2026-11-24 10:00")
    do(room, scheduling.postpone, when=read_when("2026-11-25 10:00"), reason=f"<@{PRIYA}> is back then")
    room.now = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    do(room, facilitating.start)
    do(room, facilitating.end)

    told = room.ask(lambda db: formats.written(db, incidents.get(db, incident), room.house))

    (meeting,) = told.meetings
    first = "It was planned for 2026-11-20 09:00 UTC (10:00 CET) at first and moved 3 times"
    assert meeting.in_time == (
        "It met 7 days 5 h after mitigation, later than the 72 hours wanted.",
        f"{first}, the last time because: @Priya is back then.",
    )


@pytest.mark.usefixtures("incident")
def test_whoever_wants_another_time_is_shown_more_of_them(room: Room):
    found = room.desk.look(scheduling.further, where=HERE, by=MARA)

    assert (found.zone, found.stands) == ("Europe/Berlin", None)
    assert [offer.label for offer in found.offers][:3] == ["Mon 09:00", "Tue 09:00", "Wed 25 Nov 09:00"]
    assert not {offer.at for offer in found.offers} & {datetime(2026, 11, 20, at, 0, tzinfo=UTC) for at in (8, 9, 10)}


# The people --------------------------------------------------------------------------------


def test_roles_come_first_then_the_most_active_and_eight_are_core(room: Room, incident: int):
    crowd = [UserId(f"U0CROWD{number}") for number in range(9)]
    for number, user in enumerate(crowd):
        for minute in range(9 - number):
            a_message(room, "Look", by=user, at=NOVEMBER_18 + timedelta(minutes=minute, seconds=number))

    answer = book(room)

    assert core(room, incident) == [MARA, PRIYA, *crowd[:6]]
    assert "is a lot" not in answer


def test_over_eight_core_attendees_is_a_lot(room: Room, incident: int):
    book(room)

    many = [UserId(f"U0COLLEAGUE{number}") for number in range(8)]
    for user in many:
        known = {"name": "", "zone": "UTC", "email": None, "bot": None, "gone": None, "now": room.now}
        room.change(lambda db, user=user, known=known: people.know(db, TEAM, user, **known))

    answer = do(room, inviting.invite, users=many)

    assert len(core(room, incident)) == 10
    assert f"9 core attendees is a lot, and <@{PRIYA}>, who leads, is not counted: up to eight speak" in answer


@pytest.mark.usefixtures("incident")
def test_a_small_team_is_not_warned(room: Room):
    answer = book(room)

    assert "so far" not in answer


def test_fewer_than_five_are_told_who_else_took_part(room: Room, incident: int):
    book(room)
    a_message(room, "I restarted it", by=JONAS)

    answer = do(room, inviting.uninvite, users=[PRIYA])

    assert answer.endswith(f"1 comes so far. These took part, too: <@{JONAS}>. `/review invite @name` asks them.")
    assert core(room, incident) == [MARA]


@pytest.mark.usefixtures("incident")
def test_who_is_invited_twice_is_told_once(room: Room):
    book(room)
    do(room, inviting.invite, users=[TOMAS])
    do(room, inviting.invite, users=[TOMAS])

    assert [words for words in said(room) if words.startswith(f"<@{TOMAS}>, you are asked")] == [said(room)[1]]


@pytest.mark.usefixtures("incident")
def test_an_invitation_names_people(room: Room):
    book(room)
    room.change(lambda db: is_a_program(db, TOMAS))

    with pytest.raises(NeedsPerson):
        do(room, inviting.invite, users=[])
    with pytest.raises(NotOneOfUs):
        do(room, inviting.invite, users=[TOMAS])


def test_an_outsider_of_a_private_incident_is_not_invited(room: Room, incident: int):
    room.change(lambda db: is_private(db, incident))
    book(room)

    with pytest.raises(CannotSeeIt):
        do(room, inviting.invite, users=[TOMAS])
    do(room, inviting.invite, users=[PRIYA])

    assert core(room, incident) == [MARA, PRIYA]


def is_private(db: Session, incident: int) -> None:
    incidents.get(db, incident).private_since = NOVEMBER_18


def is_a_program(db: Session, user: UserId) -> None:
    people.know(db, TEAM, user, name="", zone="UTC", email=None, bot=NOVEMBER_18, gone=None, now=NOVEMBER_18)


def test_a_facilitator_who_was_named_stays(room: Room, incident: int):
    room.change(lambda db: facilitates(db, incident, TOMAS))

    book(room)

    assert f"<@{TOMAS}> leads the meeting." in said(room)[0]


def test_where_nobody_was_named_to_lead_the_meeting_that_is_said_to_follow(room: Room):
    mitigated(room, an_incident(room))

    book(room)

    assert "I ask next who leads the meeting, and it is said here." in said(room)[0]


# The pre-read ------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_the_pre_read_goes_out_a_day_before_and_once(room: Room, incident: int):
    book(room)
    room.now = datetime(2026, 11, 19, 8, 59, tzinfo=UTC)
    room.serve(preparing.pre_reads_due)
    assert len(said(room)) == 1

    room.pass_time(minutes=1)
    room.serve(preparing.pre_reads_due)
    room.serve(preparing.pre_reads_due)
    answer = do(room, preparing.pre_read)

    assert [words.startswith("Before the review: Checkout is slow") for words in said(room)] == [False, True]
    assert answer == "The pre-read of this meeting was sent already, so nobody gets it twice."
    assert stage(room, incident) is Stage.prepared


@pytest.mark.usefixtures("incident")
def test_the_pre_read_tells_the_hour_to_which_its_meeting_moved_and_is_not_posted_again(room: Room):
    book(room)
    do(room, preparing.pre_read)

    do(room, scheduling.postpone, when=read_when("2026-11-24 14:00"), reason="Priya is away")
    room.now = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    room.serve(preparing.pre_reads_due)

    (pre_read,) = pre_reads(room)
    assert "The meeting has moved: we meet *Tue 24 Nov, 13:00 UTC*, 60 min" in pre_read
    assert "Fri 20 Nov" not in pre_read


@pytest.mark.usefixtures("incident")
def test_the_pre_read_of_a_meeting_that_is_called_off_says_so(room: Room):
    book(room)
    do(room, preparing.pre_read)

    do(room, scheduling.call_off, reason="Half of us are ill")

    (pre_read,) = pre_reads(room)
    assert "The meeting planned for Fri 20 Nov, 09:00 UTC does not take place." in pre_read
    assert "this is for you" not in pre_read


@pytest.mark.usefixtures("incident")
def test_a_meeting_that_moves_before_its_pre_read_is_due_brings_none(room: Room):
    book(room)

    book(room, "2026-11-20 14:00")

    assert pre_reads(room) == []


def pre_reads(room: Room) -> list[str]:
    return [words for words in said(room) if words.startswith("Before the review")]


def test_while_nobody_has_taken_the_lead_of_the_meeting_the_pre_read_says_of_nobody_that_they_lead(room: Room):
    mitigated(room, an_incident(room))
    book(room)

    do(room, preparing.pre_read)

    assert " leads. " not in said(room)[-1]


@pytest.mark.usefixtures("incident")
def test_a_meeting_less_than_a_day_away_gets_its_pre_read_at_once(room: Room):
    book(room, "2026-11-19 10:00")

    room.serve(preparing.pre_reads_due)

    assert said(room)[1].startswith("Before the review")


def test_an_incomplete_pre_read_says_what_is_missing(room: Room, incident: int):
    book(room)

    answer = do(room, preparing.pre_read)

    assert "Nobody has written a summary yet." in said(room)[1]
    assert "Nothing is on the timeline yet." in said(room)[1]
    assert answer.startswith("The pre-read is on its way. It has no summary yet")
    assert incident


def test_the_pre_read_shows_moments_with_formulas_the_timeline_and_open_questions(room: Room, incident: int):
    room.change(lambda db: fill(db, incident))
    do(room, noting.note_finding, by=TOMAS, kind="question", text="What woke the cache?")
    book(room)

    do(room, preparing.pre_read)

    assert said(room)[1].split("*What happened*")[1] == (
        "\n> Payments were slow.\n\n"
        "*When*\n"
        "Began Wed 18 Nov, 02:12 UTC · mitigated 03:12 UTC\n"
        "TTM = mitigated − began: *1 h*\n\n"
        "*Timeline* from Wed 18 Nov, 02:30 UTC\n"
        "02:30 UTC · decision · # We &lt;!here&gt; roll back\n"
        "_1 more: `/review timeline`_\n\n"
        "*Open questions*\n"
        "1 · What woke the cache?\n\n"
        "Something is missing or looked different to you? `/review event 14:05 what happened` · "
        "`/review question what you wonder about`"
    )


def fill(db: Session, incident: int) -> None:
    here = incidents.get(db, incident)
    here.summary = "Payments were slow."
    began = datetime(2026, 11, 18, 2, 12, tzinfo=UTC)
    incidents.set_moment(db, here, "began", began, by=MARA, how="set", now=NOVEMBER_18)
    for minute, kind, text in ((20, "automated", "Deploy 42"), (30, "decision", "# We <!here>\nroll back")):
        db.add(
            TimelineEvent(
                team_id=TEAM,
                incident_id=incident,
                number=incidents.next_event_number(db, incident),
                kind=kind,
                occurred_at=began.replace(minute=minute),
                recorded_at=NOVEMBER_18,
                text=text,
                by=TOMAS,
                source="typed",
            )
        )


# What the clock asks -------------------------------------------------------------------------


def test_mitigated_at_night_the_lead_is_asked_in_the_morning_and_once(room: Room):
    room.now = datetime(2026, 11, 18, 3, 12, tzinfo=UTC)
    incident = an_incident(room)
    mitigated(room, incident)
    asked_at: list[datetime] = []

    for _ in range(48):
        room.serve(scheduling.propose_due)
        asked_at += [room.now] * (len(room.transcript()) - len(asked_at))
        room.pass_time(minutes=30)

    assert asked_at == [datetime(2026, 11, 18, 8, 12, tzinfo=UTC)]
    assert said(room, MARA) == [
        (
            "“Checkout is slow” was mitigated on Wed 18 Nov 2026, 04:12 CET. For its review I suggest "
            f"*Fri 20 Nov 2026, 09:00 CET*, 53 hours later: 60 min in <#{CHANNEL}>.\n\n"
            "• Fri 12:00, 56 hours later\n"
            "• Fri 15:00, 59 hours later\n\n"
            f"You are asked because you lead this incident. {HOW_TO_STOP}"
        )
    ]


def test_a_lead_who_asked_for_the_hour_has_the_whole_question_at_once_and_is_not_asked_again(room: Room):
    mitigated(room, an_incident(room, severity=None))

    answer = room.answer(scheduling.schedule, where=HERE, by=MARA)
    room.serve(scheduling.propose_due)

    assert "Six questions propose one." in (answer.text if answer else "")
    assert buttons(answer)[-1] == "How grave was it?"
    assert room.transcript(MARA) == []
    assert "I have proposed an hour to you" in plain(do(room, tracking.status))


def test_a_lead_who_books_without_having_been_asked_is_offered_what_belongs_on_the_timeline_once(room: Room):
    number = an_incident(room)
    members(room, MARA, TOMAS)
    a_message(room, "rolled back to v317", by=TOMAS)
    mitigated(room, number)

    booked = room.answer(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY_TEN))
    do(room, scheduling.call_off, reason="Half of us are ill")

    assert "For its timeline I found *1 message*" in (booked.text if booked else "")
    assert buttons(booked)[-2:] == ["Choose in a form", "Keep the 1 suggested"]
    assert "For its timeline" not in book(room)


@pytest.mark.usefixtures("incident")
def test_what_somebody_else_looked_at_the_lead_is_asked_all_the_same(room: Room):
    do(room, scheduling.schedule, by=PRIYA)

    room.serve(scheduling.propose_due)

    assert len(room.transcript(MARA)) == 1


def test_while_calendars_are_read_the_answer_says_so_and_the_lead_is_asked_once_they_are(room: Room):
    room.house = room.desk.house = replace(room.house, calendars="on")
    room.change(lambda db: has_an_address(db, MARA))
    mitigated(room, an_incident(room))

    early = room.answer(scheduling.schedule, where=HERE, by=MARA)
    room.serve(scheduling.propose_due)
    asked_early = room.transcript(MARA)
    room.pass_time(minutes=1)
    room.change(lambda db: busy.keep(db, TEAM, MARA, [], now=room.now))
    late = do(room, scheduling.schedule, by=MARA)

    assert "I am still reading the calendars of those who come." in (early.text if early else "")
    assert "Look again" in buttons(early)
    assert asked_early == []
    assert "still reading" not in late


def has_an_address(db: Session, user: UserId) -> None:
    facts: dict[str, Any] = {"name": "", "zone": "Europe/Berlin", "bot": None, "gone": None, "now": NOVEMBER_18}
    people.know(db, TEAM, user, email="mara@example.com", **facts)


def test_a_lead_who_looked_while_calendars_were_read_is_asked_by_message_once_they_are(room: Room):
    room.house = room.desk.house = replace(room.house, calendars="on")
    room.change(lambda db: has_an_address(db, MARA))
    mitigated(room, an_incident(room))
    do(room, scheduling.schedule)
    room.change(lambda db: busy.keep(db, TEAM, MARA, [], now=room.now))

    room.serve(scheduling.propose_due)

    assert len(room.transcript(MARA)) == 1


def test_a_lead_who_left_a_private_channel_is_not_asked_about_it(room: Room):
    mitigated(room, an_incident(room, private=NOVEMBER_18))
    members(room, MARA)
    room.change(lambda db: leaves_the_channel(db, MARA))

    room.serve(scheduling.propose_due)

    assert room.transcript() == []


def leaves_the_channel(db: Session, user: UserId) -> None:
    db.query(Membership).filter_by(user_id=user).one().left_at = NOVEMBER_18


def test_a_lead_who_left_the_workspace_is_not_asked(room: Room):
    mitigated(room, an_incident(room))
    room.change(lambda db: is_gone(db, MARA))

    room.serve(scheduling.propose_due)

    assert room.transcript() == []


def is_gone(db: Session, user: UserId) -> None:
    people.know(db, TEAM, user, name="", zone="UTC", email=None, bot=None, gone=NOVEMBER_18, now=NOVEMBER_18)


def test_during_the_fire_nobody_is_asked(room: Room):
    an_incident(room)

    room.serve(scheduling.propose_due)

    assert room.transcript() == []


def test_with_the_hour_the_lead_is_offered_to_say_how_grave_it_was_where_nobody_has(room: Room):
    mitigated(room, an_incident(room, severity=None))
    mitigated(room, an_incident(room, title="Mail is late", lead=TOMAS, channel=ChannelId("C0MAIL")))

    room.serve(scheduling.propose_due)

    (unknown,), (known,) = room.transcript(MARA), room.transcript(TOMAS)
    assert "It has no severity yet, so I plan for a full review. Six questions propose one." in unknown
    assert "Six questions" not in known


@pytest.mark.parametrize("severity", ["sev3", "sev4"])
def test_no_review_is_proposed_where_the_severity_asks_for_none(room: Room, severity: str):
    mitigated(room, an_incident(room, severity=severity))

    room.serve(scheduling.propose_due)

    assert room.transcript() == []


def test_a_planned_skipped_or_old_review_is_not_proposed(room: Room):
    week_ago = NOVEMBER_18 - timedelta(days=8)
    planned, skipped, old = (
        an_incident(room, channel=f"C0{name}", opened_at=at)  # pyright: ignore[reportArgumentType]
        for name, at in (("PLANNED", None), ("SKIPPED", None), ("OLD", week_ago))
    )
    for incident in (planned, skipped, old):
        mitigated(room, incident)
    room.serve(scheduling.schedule, where=incidents.Where(HERE.place, planned), by=MARA, when=read_when(FRIDAY_TEN))
    room.change(lambda db: skip(db, skipped))

    room.serve(scheduling.propose_due)

    assert room.transcript(MARA) == []


@pytest.mark.parametrize(("mitigated_days", "began_days"), [(8, None), (8, 9), (0, 8)])
def test_no_review_is_proposed_of_what_was_long_ago_when_it_was_opened_but_may_be_asked_for(
    room: Room, mitigated_days: int, began_days: int | None
):
    incident = an_incident(room)
    mitigated(room, incident, at=room.now - timedelta(days=mitigated_days))
    if began_days:
        began = room.now - timedelta(days=began_days)
        row = room.change(lambda db: incidents.get(db, incident))
        room.change(lambda db: incidents.set_moment(db, row, "began", began, by=MARA, how="set", now=room.now))

    room.serve(scheduling.propose_due)

    assert room.transcript(MARA) == []
    assert "I propose none by myself" in room.serve(tracking.status, where=HERE, by=MARA)
    assert "I suggest *" in room.serve(scheduling.schedule, where=HERE, by=MARA)


def test_mitigated_a_while_ago_it_is_proposed_still(room: Room):
    mitigated(room, an_incident(room), at=room.now - timedelta(days=6))

    room.serve(scheduling.propose_due)

    assert len(room.transcript(MARA)) == 1


def test_who_says_that_it_was_mitigated_long_ago_hears_that_no_meeting_is_proposed(room: Room):
    an_incident(room)
    facts = {"where": HERE, "by": MARA, "name": "mitigated", "when": read_when("2026-11-02 10:00")}

    answer = room.serve(tracking.set_moment, **facts)

    assert "I propose no meeting by myself" in answer
    (said_here,) = room.transcript(CHANNEL)
    assert "more than a week old, so I propose no meeting by myself; `/review schedule` plans one" in said_here


def test_a_lead_hears_of_one_thing_a_day(room: Room):
    for channel in ("C0ONE", "C0TWO"):
        mitigated(room, an_incident(room, channel=channel))  # pyright: ignore[reportArgumentType]

    room.serve(scheduling.propose_due)
    assert len(room.transcript(MARA)) == 1
    room.pass_time(hours=20)
    room.serve(scheduling.propose_due)

    assert len(room.transcript(MARA)) == 2


@pytest.mark.usefixtures("incident")
def test_ten_minutes_before_everybody_is_called_once(room: Room):
    book(room)
    room.now = datetime(2026, 11, 20, 8, 49, tzinfo=UTC)
    room.serve(preparing.calls_due)
    assert len(said(room)) == 1

    room.pass_time(minutes=1)
    room.serve(preparing.calls_due)
    room.serve(preparing.calls_due)

    assert said(room)[1:] == [
        (
            "The review of “Checkout is slow” begins at 09:00 UTC, here.\n"
            f"This is for <@{MARA}>.\n\n"
            "In 60 minutes: what happened and what was felt, the timeline step by step, what made it possible and what "
            f"kept it small, and what we do about it. <@{PRIYA}> opens the meeting."
        )
    ]


@pytest.mark.usefixtures("incident")
def test_a_meeting_long_past_is_not_called(room: Room):
    book(room)
    room.now = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)

    room.serve(preparing.calls_due)

    assert len(said(room)) == 1


def test_when_it_breaks_again_the_meeting_is_called_off_and_proposed_anew_after_the_next_mitigation(
    room: Room, incident: int
):
    book(room)
    room.change(lambda db: clear_mitigation(db, incident))
    room.serve(scheduling.moves_due)
    room.serve(scheduling.moves_due)
    room.serve(scheduling.propose_due)
    assert room.transcript(MARA) == []

    mitigated(room, incident)
    room.serve(scheduling.propose_due)

    assert said(room)[1:] == [
        (
            "“Checkout is slow” is not over, so the review planned for Fri 20 Nov, 09:00 UTC is off, and nothing is "
            "asked of you for it. Once it is mitigated, a new hour is proposed."
        )
    ]
    assert "For its review I suggest *Mon 23 Nov 2026, 09:00 CET*, 5 days later" in said(room, MARA)[0]
    assert "It suits both." in said(room, MARA)[0]


def clear_mitigation(db: Session, incident: int) -> None:
    incidents.set_moment(db, incidents.get(db, incident), "mitigated", None, by=MARA, how="set", now=NOVEMBER_18)


def test_a_meeting_planned_anew_gets_a_pre_read_of_its_own(room: Room, incident: int):
    book(room)
    do(room, preparing.pre_read)
    room.change(lambda db: clear_mitigation(db, incident))
    room.serve(scheduling.moves_due)
    mitigated(room, incident)

    book(room, "2026-11-20 15:00")
    assert stage(room, incident) is Stage.scheduled
    do(room, preparing.pre_read)

    assert len([words for words in said(room) if words.startswith("Before the review")]) == 2
    assert stage(room, incident) is Stage.prepared


# The whole way -----------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_from_the_booking_to_the_end_of_the_meeting_the_channel_reads_four_messages(room: Room):
    book(room)
    room.now = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    room.serve(preparing.pre_reads_due)
    room.now = datetime(2026, 11, 20, 8, 50, tzinfo=UTC)
    room.serve(preparing.calls_due)
    room.pass_time(minutes=10)
    do(room, facilitating.start, by=PRIYA)
    do(room, facilitating.advance, by=PRIYA)
    do(room, facilitating.end, by=PRIYA)

    assert [words.split("\n")[0][:42] for words in said(room)] == [
        "The review of “Checkout is slow” meets on ",
        "Before the review: Checkout is slow",
        "The review of “Checkout is slow” begins at",
        "Review of Checkout is slow",
    ]


SYDNEY, ANGELES = UserId("U0SYDNEY"), UserId("U0ANGELES")
WEDNESDAY_NIGHT = datetime(2026, 11, 18, 3, 12, tzinfo=UTC)


def three_continents(room: Room, *, at: datetime = WEDNESDAY_NIGHT, title: str = "Checkout is slow") -> int:
    """An incident whose three people, with Mara in Berlin, share no working hour."""
    for user, zone in ((SYDNEY, "Australia/Sydney"), (ANGELES, "America/Los_Angeles")):
        known = {"name": "", "zone": zone, "email": None, "bot": None, "gone": None, "now": room.now}
        room.change(lambda db, user=user, known=known: people.know(db, TEAM, user, **known))
    channel = ChannelId(f"C0{at:%d%H%M}")
    incident = an_incident(room, title=title, channel=channel, opened_at=at - timedelta(hours=1))
    for number, user in enumerate((MARA, SYDNEY, ANGELES)):
        a_message(room, "on it", by=user, at=at - timedelta(minutes=number + 1), channel=channel)
    mitigated(room, incident, at=at)
    return incident


def test_where_no_hour_is_common_the_proposal_says_whose_evening_it_is(room: Room):
    incident = three_continents(room)

    answer = plain(room.serve(scheduling.schedule, where=incidents.Where(HERE.place, incident), by=MARA))

    assert answer.split("\n\n")[0] == (
        "I suggest *Fri 20 Nov 2026, 06:00 CET*, 50 hours after mitigation, 60 min.\n"
        "No hour is a working one for all three, so this is the least bad one.\n"
        f"It is evening for <@{ANGELES}> (Thu 19 Nov 2026, 21:00 PST), early morning for <@{MARA}> "
        "(Fri 20 Nov 2026, 06:00 CET). Whose turn that is changes from review to review."
    )


def test_the_answer_to_a_button_does_not_repeat_what_the_proposal_told_of_the_hour(room: Room):
    where = incidents.Where(HERE.place, three_continents(room))

    pressed = room.serve(scheduling.choose, where=where, by=MARA, when=read_when("2026-11-20 05:00Z"))
    room.serve(scheduling.call_off, where=where, by=MARA, reason="Sydney is ill")
    typed = room.serve(scheduling.schedule, where=where, by=MARA, when=read_when("2026-11-20 05:00Z"))

    assert "least bad" not in pressed
    assert "It is evening" not in pressed
    assert "so this is the least bad one." in typed
    assert f"It is evening for <@{ANGELES}>" in typed


def test_the_next_review_takes_somebody_elses_evening(room: Room):
    monday = WEDNESDAY_NIGHT - timedelta(days=2)
    room.now = monday + timedelta(hours=10)
    first, second = (three_continents(room, at=monday + timedelta(minutes=number)) for number in (0, 5))

    before = burdened_by_the_best(room, second)
    room.serve(
        scheduling.schedule, where=incidents.Where(HERE.place, first), by=MARA, when=read_when("2026-11-18 19:00Z")
    )

    assert before == [SYDNEY, MARA]
    assert burdened_by_the_best(room, second) == [ANGELES, MARA]


def burdened_by_the_best(room: Room, incident: int) -> list[UserId]:
    said = room.serve(scheduling.schedule, where=incidents.Where(HERE.place, incident), by=MARA)
    sentence = next(line for line in said.split("\n") if line.startswith("It is "))
    return sorted((UserId(user) for user in re.findall(r"<@(\w+)>", sentence)), key=lambda user: user == MARA)
