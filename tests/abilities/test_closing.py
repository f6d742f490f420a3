"""The close of a meeting: how it was, counted without names, and shown to everybody or to nobody."""

import logging

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import closing, facilitating, formats, noting, reporting
from bot.review import pulse as review_pulse
from bot.review.findings import FindingKind
from bot.review.incident import ChannelId, UserId
from bot.review.lifecycle import Role
from bot.review.pulse import Pulse
from bot.review.refusal import NoIncidentHere, NotInMeeting, PulseSettled, PulseUnknown, RoomOnly
from storage import attending, channels, incidents, people, pulse, reviews
from storage.models import Erasure, Meeting, PulseMark
from storage.pseudonymising import count as named
from storage.pseudonymising import known
from tests.cast import CHANNEL, HERE, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated

IN_THE_ROOM = (MARA, TOMAS, PRIYA, JONAS)


@pytest.fixture
def meeting(room: Room) -> int:
    """An open meeting of an incident whose channel has four members; the incident's number."""
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, IN_THE_ROOM, now=room.now))
    room.serve(facilitating.start, where=HERE, by=MARA)
    return incident


def present(room: Room) -> list[str]:
    meeting = last(room)
    return room.change(lambda db: [row.user_id for row in attending.attendees(db, meeting) if row.present_at])


def tap(room: Room, *words: str, by: UserId = MARA) -> str:
    return [room.serve(closing.tap, where=HERE, by=by, words=each) for each in words][-1]


def everybody(room: Room, *words: str) -> None:
    for user in IN_THE_ROOM:
        tap(room, *words, by=user)


def counts(room: Room) -> Pulse:
    return Pulse.from_json(last(room).pulse)


def held(db: Session) -> Meeting:
    return reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[-1]


def last(room: Room) -> Meeting:
    return room.change(held)


def shown(room: Room) -> Pulse | None:
    return pulse.shown(last(room), room.change(lambda db: reviews.of(db, incidents.get(db, 1))))


def marks(room: Room) -> list[PulseMark]:
    return room.change(lambda db: list(db.scalars(select(PulseMark).order_by(PulseMark.id))))


def test_each_person_counts_once_for_each_thing(room: Room, meeting: int):
    tap(room, "learned", "safe")
    tap(room, "learned", by=TOMAS)
    tap(room, "safe", "safe", by=PRIYA)

    assert counts(room) == Pulse(answers=2, learned=2, safe=1)


def test_whoever_taps_reads_alone_what_counts_for_them(room: Room, meeting: int):
    before = room.transcript()

    assert tap(room, "learned", "safe").startswith(
        "Thank you. What counts for you now: I learned something, I felt safe to speak. A second tap takes it back.\n"
    )
    assert tap(room, "safe", "learned").startswith("Taken back: nothing counts for you now.\n")
    assert room.transcript() == before


def test_only_people_in_the_channel_are_asked(room: Room, meeting: int):
    with pytest.raises(RoomOnly):
        tap(room, "learned", by=OUTSIDER)
    with pytest.raises(RoomOnly):
        tap(room, "learned", by=UserId("U0DEBRIEF"))

    assert (counts(room), marks(room)) == (Pulse(), [])


def test_to_an_outsider_a_private_meeting_is_not_there(room: Room):
    an_incident(room, private=room.now)

    with pytest.raises(NoIncidentHere):
        tap(room, "learned", by=OUTSIDER)


def test_before_the_meeting_nobody_is_asked(room: Room):
    an_incident(room)

    with pytest.raises(NotInMeeting):
        tap(room, "learned")


def test_a_word_that_is_not_on_a_button_counts_nothing(room: Room, meeting: int):
    with pytest.raises(PulseUnknown):
        tap(room, "bored")

    assert counts(room) == Pulse()


def test_with_three_answers_nobody_sees_a_count_whatever_happens(room: Room, meeting: int):
    for user in IN_THE_ROOM[:3]:
        tap(room, "learned", by=user)
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.serve(reporting.draft, where=HERE, by=MARA, uncompared=())
    room.serve(reporting.publish, where=HERE, by=MARA, to=None, audience=None)

    assert shown(room) is None
    assert "learned something" not in " ".join(room.transcript()).replace(" I learned something", "")


@pytest.mark.parametrize(("answers", "told"), [(3, [0, 0, 0]), (4, [1, 1, 0])])
def test_no_export_tells_a_count_before_four_have_answered(room: Room, meeting: int, answers: int, told: list[int]):
    for user in IN_THE_ROOM[:answers]:
        tap(room, "learned", by=user)
    room.serve(facilitating.end, where=HERE, by=MARA)

    exports = [formats.markdown, formats.html, lambda *what: str(formats.document(*what))]

    assert [room.ask(export, TEAM, meeting).count("told how it was") for export in exports] == told
    assert "pulse" not in room.ask(exports[-1], TEAM, meeting)


def test_without_that_limit_three_answers_would_be_shown(room: Room, meeting: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(review_pulse, "ENOUGH", 3)
    for user in IN_THE_ROOM[:3]:
        tap(room, "learned", by=user)

    room.serve(facilitating.end, where=HERE, by=MARA)

    assert shown(room) == Pulse(answers=3, learned=3, is_settled=True)


def test_with_four_answers_everybody_sees_the_counts_once_the_meeting_has_ended(room: Room, meeting: int):
    everybody(room, "learned")
    tap(room, "again", by=PRIYA)
    before = shown(room)

    room.serve(facilitating.end, where=HERE, by=MARA)

    assert before is None
    assert shown(room) == Pulse(answers=4, learned=4, again=1, is_settled=True)


def test_what_was_shown_takes_no_tap_any_more_or_the_difference_would_tell(room: Room, meeting: int):
    everybody(room, "learned")
    room.serve(facilitating.end, where=HERE, by=MARA)

    with pytest.raises(PulseSettled):
        tap(room, "safe")
    room.serve(facilitating.start, where=HERE, by=MARA)
    with pytest.raises(PulseSettled):
        tap(room, "safe")


def test_what_was_not_shown_can_still_be_answered_until_the_review_is_published(room: Room, meeting: int):
    tap(room, "learned", by=TOMAS)
    room.serve(facilitating.end, where=HERE, by=MARA)
    everybody(room, "safe")
    waiting = shown(room)

    room.serve(reporting.draft, where=HERE, by=MARA, uncompared=())
    room.serve(reporting.publish, where=HERE, by=MARA, to=None, audience=None)

    assert waiting is None
    assert shown(room) == Pulse(answers=4, learned=1, safe=4)
    with pytest.raises(PulseSettled):
        tap(room, "again")


def test_when_the_review_is_published_nobody_can_know_any_more_who_tapped(room: Room, meeting: int):
    everybody(room, "learned", "safe")
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.desk.serve_if_due(closing.forget_taps)
    kept = len(marks(room))

    room.serve(reporting.draft, where=HERE, by=MARA, uncompared=())
    room.serve(reporting.publish, where=HERE, by=MARA, to=None, audience=None)
    room.desk.serve_if_due(closing.forget_taps)

    assert (kept, marks(room)) == (8, [])
    assert room.ask(lambda db: db.scalars(select(Erasure)).one().swept_at) is None
    assert shown(room) == Pulse(answers=4, learned=4, safe=4, is_settled=True)


def test_of_a_review_that_is_never_published_the_taps_are_forgotten_after_a_month(room: Room, meeting: int):
    tap(room, "learned")
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.pass_time(days=29)
    room.desk.serve_if_due(closing.forget_taps)
    kept = len(marks(room))
    room.pass_time(days=2)

    room.desk.serve_if_due(closing.forget_taps)

    assert (kept, marks(room)) == (1, [])
    with pytest.raises(PulseSettled):
        tap(room, "learned")


def test_a_tap_names_nobody_in_the_database_the_log_or_what_erasing_counts(
    room: Room, meeting: int, caplog: pytest.LogCaptureFixture
):
    before = room.ask(lambda db: named(db, known(db, TEAM, PRIYA)))
    here = present(room)

    with caplog.at_level(logging.DEBUG):
        tap(room, "safe", by=PRIYA)

    assert caplog.records
    assert not any(PRIYA in str(vars(record)) or "safe" in str(vars(record)) for record in caplog.records)
    assert PRIYA not in str([vars(mark) for mark in marks(room)])
    assert room.ask(lambda db: named(db, known(db, TEAM, PRIYA))) == before
    assert present(room) == here


def test_taps_are_not_numbered_in_the_order_they_came(room: Room, meeting: int):
    for _ in range(3):
        everybody(room, "learned")

    assert marks(room)
    assert all(mark.id > 1_000_000 for mark in marks(room))


def test_a_meeting_that_sits_elsewhere_asks_those_who_are_there(room: Room, meeting: int):
    elsewhere = ChannelId("C0REVIEW")
    room.change(
        lambda db: setattr(reviews.meetings(db, reviews.of(db, incidents.get(db, 1)))[-1], "channel_id", elsewhere)
    )
    room.change(lambda db: channels.know_members(db, TEAM, elsewhere, [OUTSIDER], now=room.now))

    tap(room, "learned", by=OUTSIDER)
    tap(room, "learned", by=MARA)

    assert counts(room).answers == 2


def test_taps_do_not_keep_a_meeting_awake(room: Room, meeting: int):
    touched = last(room).touched_at
    room.pass_time(minutes=10)

    tap(room, "learned")

    assert last(room).touched_at == touched


def test_who_asks_gets_the_buttons(room: Room, meeting: int):
    answer = room.answer(closing.ask_pulse, where=HERE, by=TOMAS)

    assert answer
    labels = [
        button["text"]["text"] for block in answer.blocks if block["type"] == "actions" for button in block["elements"]
    ]
    assert labels == ["I learned something", "I would come again", "I felt safe to speak", "None of these"]


# The close of the meeting, and what it says when it has ended


def agenda(room: Room) -> str:
    return next(text for text in reversed(room.transcript(CHANNEL)) if text.startswith("Review of "))


def test_the_close_asks_for_three_sentences_what_is_open_what_was_learned_and_how_it_was(room: Room, meeting: int):
    for kind, text in ((FindingKind.question, "how long do sessions last?"), (FindingKind.learning, "pools are small")):
        room.serve(noting.note_finding, where=HERE, by=TOMAS, kind=kind, text=text)

    room.serve(facilitating.go_to, where=HERE, by=MARA, words="close")

    asked = [line for line in agenda(room).splitlines() if line.startswith(("*", "1 ·", "2 ·"))]
    assert asked[1:] == [
        "*Three plain sentences*, for the first page of the report: what happened, what was felt, how it was fixed.",
        "*What is still open?* These are kept:",
        "1 · how long do sessions last?",
        "*What is one thing each of us learned?*",
        "2 · pools are small",
        (
            "*How was it for you?* Tap what is true. It is counted without names, and nobody sees a count before four "
            "people have answered."
        ),
        "*What happens next*",
    ]


def test_the_close_names_nobody_who_has_not_said_what_they_learned(room: Room, meeting: int):
    room.serve(noting.note_finding, where=HERE, by=TOMAS, kind=FindingKind.learning, text="pools are small")

    room.serve(facilitating.go_to, where=HERE, by=MARA, words="close")

    assert not {f"<@{user}>" for user in (TOMAS, PRIYA, JONAS)} & set(agenda(room).split())


def test_when_the_meeting_has_ended_everybody_reads_how_it_was_and_what_comes_next(room: Room, meeting: int):
    everybody(room, "learned", "again")
    tap(room, "again", by=JONAS)

    room.serve(facilitating.end, where=HERE, by=MARA)

    assert (
        "*How it was* for 4 people who said so, without their names:\n"
        "I learned something: 4\n"
        "I would come again: 3\n"
        "I felt safe to speak: 0\n"
    ) in agenda(room)
    assert agenda(room).endswith("then their owners say yes or no to them.")


def leaves(room: Room, user: UserId) -> None:
    room.change(
        lambda db: people.know(db, TEAM, user, name="", zone="UTC", email=None, bot=None, gone=room.now, now=room.now)
    )


def takes(room: Room, incident: int, role: Role, user: UserId) -> None:
    room.change(lambda db: incidents.give_role(db, incidents.get(db, incident), role, user, by=MARA, now=room.now))


def test_who_has_left_the_workspace_is_not_named_as_writing_the_draft(room: Room, meeting: int):
    takes(room, meeting, Role.owner, TOMAS)
    leaves(room, TOMAS)

    answer = room.serve(facilitating.end, where=HERE, by=MARA)

    assert "<@U0MARA> has the draft of the report by" in agenda(room)
    assert "<@U0MARA> has the draft by" in answer
    assert "<@U0TOMAS> has the draft" not in agenda(room)


def test_where_nobody_is_left_to_write_the_draft_it_is_asked_who_does(room: Room, meeting: int):
    takes(room, meeting, Role.facilitator, PRIYA)
    leaves(room, MARA)

    answer = room.serve(facilitating.end, where=HERE, by=PRIYA)

    asked = "Nobody here answers for this review yet: `/review owner @name` says who has the draft"
    assert asked in agenda(room)
    assert asked in answer


def test_where_fewer_than_four_have_answered_the_end_asks_once_more_and_tells_no_count(room: Room, meeting: int):
    for user in IN_THE_ROOM[:3]:
        tap(room, "learned", by=user)

    room.serve(facilitating.end, where=HERE, by=MARA)

    assert "*How it was*" not in agenda(room)
    assert "*How was it for you?* You can still say so until the report is out." in agenda(room)


def test_a_review_without_actions_ended_well(room: Room, meeting: int):
    room.serve(facilitating.end, where=HERE, by=MARA)

    assert "No action came out of it. That is a good outcome, too" in agenda(room)
