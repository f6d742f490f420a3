"""One question before the meeting: who may answer, who may open, and that nothing shows an answer before."""

import json
import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot import facilitating, formats, inviting, preparing, reporting, scheduling, sealing, tracking
from bot.review.incident import ChannelId, UserId
from bot.review.refusal import (
    AnsweredAlready,
    CoreOnly,
    MeansToReveal,
    NeedsText,
    NoIncidentHere,
    NotAskedInPrivate,
    NothingScheduled,
    NotInMeeting,
    NotSealedHere,
    NotYours,
    SealIsGone,
    TooLong,
)
from bot.review.when import read_when
from bot.seals import Answer, Seal
from storage import channels, incidents, reviews, sealed, search
from storage.models import Erasure, MeetingNote, SealedAnswer, SealedMark
from tests.cast import CHANNEL, HERE, JONAS, MARA, OUTSIDER, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated

CANARY = "zebrafish"
FRIDAY_TEN = "2026-11-20 10:00"
TWELVE = [UserId(f"U0CORE{number:02}") for number in range(12)]


class Careless(Seal):
    """Closes nothing: what the tests of secrecy must find."""

    def close(self, answer: Answer) -> str:
        return json.dumps([answer.text, answer.user])

    def open(self, box: str) -> Answer:
        return Answer(*json.loads(box))


def planned(room: Room, seal: Seal | None = None, severity: str = "sev2") -> int:
    """A review whose meeting is planned, with Mara, Priya and Jonas asked to come; Tomas only reads."""
    room.desk.house = replace(room.desk.house, seal=seal or Seal(b"a key that nobody can guess"))
    incident = an_incident(room, severity=severity)
    mitigated(room, incident)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, PRIYA, JONAS, TOMAS], now=room.now))
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY_TEN))
    room.serve(inviting.invite, where=HERE, by=MARA, users=[PRIYA, JONAS])
    room.serve(inviting.uninvite, where=HERE, by=MARA, users=[TOMAS])
    return incident


def answer(room: Room, words: str = f"the {CANARY} dashboard was green", by: UserId = PRIYA, *, signed: bool = False):
    return room.serve(sealing.answer, where=HERE, by=by, text=words, signed=signed)


def opened(room: Room) -> list[str]:
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.serve(sealing.reveal, where=HERE, by=MARA)
    return [words for words in room.transcript(CHANNEL) if "what surprised you" in words]


def rows(room: Room, of: Any) -> list[Any]:
    return room.change(lambda db: list(db.scalars(select(of))))


def test_the_answer_is_kept_and_nobody_hears_of_it(room: Room):
    planned(room)
    before = room.transcript(CHANNEL)

    said = answer(room)

    assert said.startswith("Your answer is sealed, without your name.")
    assert room.transcript(CHANNEL) == before
    assert len(rows(room, SealedAnswer)) == len(rows(room, SealedMark)) == 1


def test_opened_in_the_meeting_all_stand_there_with_a_name_or_without(room: Room):
    planned(room)
    answer(room, "the pager was quiet", JONAS, signed=True)
    answer(room, "I had no idea who to ask", PRIYA)

    (said,) = opened(room)

    assert "2 answers, in no order" in said
    assert "the pager was quiet" in said
    assert f"– <@{JONAS}>" in said
    assert "I had no idea who to ask" in said
    assert PRIYA not in said
    assert rows(room, SealedAnswer) == rows(room, SealedMark) == []
    assert len(rows(room, Erasure)) == 1  # The file of the database is swept of the boxes.


def test_only_the_answers_of_this_review_are_opened(room: Room):
    planned(room)
    answer(room, "the pager was quiet", JONAS)
    box = Seal(b"a key that nobody can guess").close(Answer("of another review"))
    other = an_incident(room, channel=ChannelId("C0ELSE"))
    room.change(lambda db: lay_down(db, other, box))

    (said,) = opened(room)

    assert "the pager was quiet" in said
    assert "of another review" not in said
    assert [row.box for row in rows(room, SealedAnswer)] == [box]


def lay_down(db: Session, incident: int, box: str) -> None:
    review = reviews.of(db, incidents.get(db, incident))
    sealed.put(db, reviews.add_meeting(db, review, minutes=60), [box], mark="a mark")


def test_what_was_opened_stands_in_the_notes_of_the_meeting_all_of_one_moment(room: Room):
    incident = planned(room)
    answer(room, "the pager was quiet", JONAS, signed=True)
    room.pass_time(minutes=17)
    answer(room, "I had no idea who to ask", PRIYA)
    room.pass_time(minutes=5)

    opened(room)

    notes = rows(room, MeetingNote)
    told = str(room.ask(formats.document, TEAM, incident))
    assert {(note.by, note.text) for note in notes} == {
        (JONAS, "the pager was quiet"),
        (sealing.SOMEBODY, "I had no idea who to ask"),
    }
    assert {note.at for note in notes} == {room.now}
    assert "I had no idea who to ask" in told


@pytest.fixture
def full_room(room: Room) -> Room:
    """Twelve people have answered, one after the other."""
    planned(room)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, *TWELVE], now=room.now))
    room.serve(inviting.invite, where=HERE, by=MARA, users=TWELVE)
    for number, user in enumerate(TWELVE):
        answer(room, f"answer {number:02}", user)
    return room


def test_they_are_opened_in_an_order_that_tells_nothing(full_room: Room):
    opened(full_room)

    notes = sorted(rows(full_room, MeetingNote), key=lambda note: note.id)
    given = [f"answer {number:02}" for number in range(len(TWELVE))]
    assert sorted(note.text for note in notes) == given
    assert [note.text for note in notes] != given  # By chance once in 479 million runs.


def test_where_they_lie_does_not_tell_who_answered_first(full_room: Room):
    seal = full_room.desk.house.seal
    assert seal

    with full_room.storage.read() as db:
        boxes = db.scalars(text("SELECT box FROM sealed_answers")).all()
        marks = list(db.scalars(text("SELECT mark FROM sealed_marks")).all())

    lying = [seal.open(box).text for box in boxes]
    given = [seal.mark(1, user) for user in TWELVE]
    assert lying != sorted(lying)
    assert sorted(marks) == sorted(given)
    assert marks != given  # By chance once in 479 million runs; where PostgreSQL lays a row is its own affair.


def test_with_each_answer_every_box_is_another_so_that_two_backups_do_not_tell_which_was_added(room: Room):
    planned(room)
    answer(room, "one", JONAS)
    before = {(row.id, row.box) for row in rows(room, SealedAnswer)}

    answer(room, "two", PRIYA)

    after = {(row.id, row.box) for row in rows(room, SealedAnswer)}
    assert not {id for id, _ in before} & {id for id, _ in after}  # noqa: A001
    assert not {box for _, box in before} & {box for _, box in after}


# Nobody sees it before ----------------------------------------------------------------------------


def seen_anywhere(room: Room, folder: Path, log: str) -> list[str]:
    """Where the canary can be read: what is said, exported, found, logged, or lies in the files."""
    incident = 1
    exports = {
        "json": str(room.ask(formats.document, TEAM, incident)),
        "markdown": room.ask(formats.markdown, TEAM, incident),
        "page": room.ask(formats.html, TEAM, incident),
        "picture": str(room.ask(formats.picture, TEAM, incident)),
    }
    people = (MARA, PRIYA, JONAS, TOMAS)
    found = {f"search of {user}": str(room.ask(search.find, TEAM, user, CANARY).hits) for user in people}
    said = {"said": "\n".join(room.transcript()), "log": log}
    for user in people:
        for ability in (tracking.status, reporting.report, tracking.policy):
            what = {"form": "md"} if ability is reporting.report else {}
            said[f"{ability.__name__} for {user}"] = room.serve(ability, where=HERE, by=user, **what)
    files = {file.name: file.read_bytes().decode("latin-1") for file in folder.rglob("debrief.db*") if file.is_file()}
    everywhere = exports | found | said | files
    return [place for place, words in everywhere.items() if CANARY in words]


@pytest.mark.parametrize("signed", [True, False])
def test_no_view_export_log_or_file_shows_one_before_it_is_opened(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, signed: bool
):
    caplog.set_level(logging.DEBUG)
    planned(room)
    answer(room, signed=signed)
    room.serve(preparing.pre_read, where=HERE, by=MARA)
    room.serve(facilitating.start, where=HERE, by=MARA)

    assert seen_anywhere(room, tmp_path, caplog.text) == []


def test_where_nothing_is_closed_it_is_found_in_the_files(room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """The sensitivity of the above."""
    planned(room, Careless(b"a key that nobody can guess"))
    answer(room)

    assert {place.split("-")[0] for place in seen_anywhere(room, tmp_path, caplog.text)} == {"debrief.db"}


def test_an_answer_without_a_name_has_no_name_in_its_box_either(room: Room):
    planned(room)
    answer(room, "I had no idea who to ask")
    seal = room.desk.house.seal
    assert seal

    (row,) = rows(room, SealedAnswer)

    assert seal.open(row.box) == Answer("I had no idea who to ask", None)
    assert {column.name for column in SealedAnswer.__table__.columns} == {"id", "team_id", "meeting_id", "box"}


# Who may ------------------------------------------------------------------------------------------


def test_each_person_answers_once_for_nobody_can_tell_which_answer_is_theirs(room: Room):
    planned(room)
    answer(room)

    with pytest.raises(AnsweredAlready):
        answer(room, "something else", signed=True)


@pytest.mark.parametrize(("by", "why"), [(TOMAS, CoreOnly), (OUTSIDER, CoreOnly)])
def test_who_was_not_asked_to_come_is_told_where_their_words_are_welcome(room: Room, by: UserId, why: type[Exception]):
    planned(room)

    with pytest.raises(why):
        answer(room, by=by)


def test_whoever_cannot_answer_hears_so_before_they_write(room: Room):
    planned(room)
    room.desk.look(sealing.may_answer, where=HERE, by=PRIYA)
    answer(room)

    with pytest.raises(AnsweredAlready):
        room.desk.look(sealing.may_answer, where=HERE, by=PRIYA)
    with pytest.raises(CoreOnly):
        room.desk.look(sealing.may_answer, where=HERE, by=TOMAS)


def test_who_put_their_name_to_it_is_not_told_that_nobody_knows_which_answer_is_theirs(room: Room):
    planned(room)
    answer(room, signed=True)

    with pytest.raises(AnsweredAlready, match="of those without a name nobody can tell whose they are"):
        answer(room, "something else", signed=True)


NOT_MANY = [("", NeedsText), (" \n", NeedsText), (" Reveal ", MeansToReveal), ("x" * 1001, TooLong)]


@pytest.mark.parametrize(("words", "why"), NOT_MANY)
def test_an_answer_needs_words_and_not_too_many(room: Room, words: str, why: type[Exception]):
    planned(room)

    with pytest.raises(why):
        answer(room, words)
    assert rows(room, SealedMark) == []


def test_an_answer_may_be_as_long_as_there_is_room_for(room: Room):
    planned(room)
    answer(room, "x" * 1000)

    (row,) = rows(room, SealedAnswer)

    assert room.desk.house.seal
    assert room.desk.house.seal.open(row.box).text == "x" * 1000


def test_what_another_key_closed_stays_as_it_was_beside_the_next_answer(room: Room):
    planned(room, Seal(b"the key that was lost since"))
    answer(room, "one", JONAS)
    (before,) = rows(room, SealedAnswer)
    room.desk.house = replace(room.desk.house, seal=Seal(b"the key that was made then"))

    answer(room, "two", PRIYA)

    after = {row.box for row in rows(room, SealedAnswer)}
    assert before.box in after
    assert len(after) == 2


def test_nobody_is_asked_where_the_severity_asks_for_none_where_no_key_is_and_after_they_were_opened(room: Room):
    planned(room, severity="sev3")
    with pytest.raises(NotSealedHere):
        answer(room)

    room.change(lambda db: setattr(incidents.get(db, 1), "severity", "sev1"))
    room.desk.house = replace(room.desk.house, seal=None)
    with pytest.raises(NotSealedHere):
        answer(room)

    room.desk.house = replace(room.desk.house, seal=Seal(b"a key that nobody can guess"))
    answer(room)
    opened(room)
    with pytest.raises(NotSealedHere):
        answer(room, by=JONAS)


def test_without_a_meeting_there_is_nothing_to_answer_before(room: Room, incident: int):
    room.desk.house = replace(room.desk.house, seal=Seal(b"a key that nobody can guess"))

    with pytest.raises(NothingScheduled):
        answer(room)


@pytest.mark.parametrize("depth", ["light", "async"])
def test_where_no_meeting_is_wanted_nobody_is_asked_in_private(room: Room, incident: int, depth: str):
    room.desk.house = replace(room.desk.house, seal=Seal(b"a key that nobody can guess"))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "depth", depth))

    with pytest.raises(NotAskedInPrivate):
        room.desk.look(sealing.may_answer, where=HERE, by=PRIYA)


def test_a_private_review_is_a_missing_one_for_who_does_not_see_it(room: Room):
    planned(room)
    room.change(lambda db: setattr(incidents.get(db, 1), "private_since", room.now))

    with pytest.raises(NoIncidentHere):
        answer(room, by=OUTSIDER)


def test_they_are_opened_by_who_leads_the_meeting_and_only_in_it(room: Room):
    planned(room)
    answer(room)
    with pytest.raises(NotInMeeting):
        room.serve(sealing.reveal, where=HERE, by=MARA)
    room.serve(facilitating.start, where=HERE, by=MARA)

    with pytest.raises(NotYours):
        room.serve(sealing.reveal, where=HERE, by=TOMAS)


def test_with_another_key_they_stay_closed_and_nothing_is_lost(room: Room):
    planned(room)
    answer(room)
    room.serve(facilitating.start, where=HERE, by=MARA)
    for seal in (Seal(b"not the key that it was"), None):
        room.desk.house = replace(room.desk.house, seal=seal)

        with pytest.raises(SealIsGone):
            room.serve(sealing.reveal, where=HERE, by=MARA)
    assert len(rows(room, SealedAnswer)) == 1


def test_where_nobody_answered_reveal_says_so(room: Room):
    planned(room)
    room.serve(facilitating.start, where=HERE, by=MARA)

    assert room.serve(sealing.reveal, where=HERE, by=MARA).startswith("There is nothing to reveal")


def test_who_opens_them_again_hears_that_they_are_open(room: Room):
    planned(room)
    answer(room)
    opened(room)

    again = room.serve(sealing.reveal, where=HERE, by=MARA)

    assert again == "The answers are open already: they are notes of the meeting now, and stand in its report."


# What becomes of them -----------------------------------------------------------------------------


def test_a_meeting_that_moves_or_is_planned_anew_keeps_the_answers(room: Room):
    incident = planned(room)
    answer(room, "the pager was quiet", JONAS)
    cancelled = lambda db: setattr(planned_meeting(db, incident), "cancelled_at", room.now)  # noqa: E731
    room.change(cancelled)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2026-11-23 10:00"))
    room.serve(inviting.invite, where=HERE, by=MARA, users=[PRIYA])
    answer(room, "I had no idea who to ask", PRIYA)

    (said,) = opened(room)

    assert "2 answers" in said


def publish_with_an_answer(db: Session, incident: int, now: datetime) -> None:
    """A review that is over, with an answer that nobody opened."""
    review = reviews.of(db, incidents.get(db, incident))
    review.published_at = now
    sealed.put(db, reviews.add_meeting(db, review, minutes=60), ["a box"], mark="a mark")


def planned_meeting(db: Session, incident: int) -> Any:
    return reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))


@pytest.mark.parametrize("over", ["published_at", "closed_at", "skipped_at", "cancelled_at"])
def test_what_nobody_opened_goes_with_the_review(room: Room, over: str):
    incident = planned(room)
    answer(room)
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), over, room.now))

    room.serve(sealing.forget_answers)

    assert rows(room, SealedAnswer) == rows(room, SealedMark) == []
    assert len(rows(room, Erasure)) == 1


def test_while_the_review_goes_on_they_are_kept(room: Room):
    planned(room)
    answer(room)

    room.serve(sealing.forget_answers)

    assert len(rows(room, SealedAnswer)) == 1
    assert rows(room, Erasure) == []


def test_what_nobody_opened_is_kept_for_thirty_days_after_the_meeting(room: Room):
    planned(room)
    answer(room)
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.serve(facilitating.end, where=HERE, by=MARA)

    room.pass_time(days=30)
    room.serve(sealing.forget_answers)
    kept = len(rows(room, SealedAnswer))
    room.pass_time(minutes=1)
    room.serve(sealing.forget_answers)

    assert (kept, rows(room, SealedAnswer), rows(room, SealedMark)) == (1, [], [])


def test_what_was_answered_before_a_second_meeting_is_kept_however_long_ago_the_first_one_was(room: Room):
    planned(room)
    room.serve(facilitating.start, where=HERE, by=MARA)
    room.serve(facilitating.end, where=HERE, by=MARA)
    room.pass_time(days=40)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when("2027-01-08 10:00"))
    room.serve(inviting.invite, where=HERE, by=MARA, users=[PRIYA])
    answer(room)

    room.serve(sealing.forget_answers)

    assert len(rows(room, SealedAnswer)) == len(rows(room, SealedMark)) == 1


def test_of_two_reviews_the_answers_of_the_one_stay_when_the_other_is_over(room: Room):
    planned(room)
    answer(room)
    other = an_incident(room, channel=ChannelId("C0ELSE"))
    room.change(lambda db: publish_with_an_answer(db, other, room.now))

    room.serve(sealing.forget_answers)

    assert len(rows(room, SealedAnswer)) == len(rows(room, SealedMark)) == 1


# The pre-read asks --------------------------------------------------------------------------------


def test_the_pre_read_asks_once_for_everybody_and_nobody_is_written_to(room: Room):
    planned(room)

    room.serve(preparing.pre_read, where=HERE, by=MARA)

    assert "what surprised you?" in room.transcript(CHANNEL)[-1]
    assert [room.transcript(user) for user in (PRIYA, JONAS)] == [[], []]


def test_where_nobody_is_asked_the_pre_read_does_not_speak_of_it(room: Room):
    planned(room, severity="sev3")

    room.serve(preparing.pre_read, where=HERE, by=MARA)

    assert "surprised" not in "".join(room.transcript(CHANNEL))
