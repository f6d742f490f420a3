"""What calendars hold of a meeting follows what is so, by file and by letter; and people say whether they come."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import convening, inviting, preparing, scheduling, tracking
from bot.desk import House
from bot.review.incident import ChannelFacts, Place, UserId
from bot.review.lifecycle import Role
from bot.review.refusal import NoIncidentHere, NoneToComeTo, NotOneOfUs
from bot.review.when import read_when
from bot.sheets import Sheets
from storage import attending, channels, letters, people, pseudonymising
from storage.incidents import Where
from storage.models import Attendee, Meeting, OutboxNote
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
    an_incident,
    mitigated,
)
from tests.mailboxes import read_twice

FRIDAY, MONDAY = "2026-11-20 10:00", "2026-11-23 11:00"
MAIL = House(letters_from="debrief@sandbox.example")
ASKED = (MARA, TOMAS, PRIYA)


@pytest.fixture
def incident(room: Room) -> int:
    """Mitigated, with three people in it who have addresses, in a house that sends letters."""
    room.house = room.desk.house = MAIL
    room.change(_give_addresses)
    number = an_incident(room)
    mitigated(room, number)
    return number


def _give_addresses(db: Session) -> None:
    for user in (*ASKED, JONAS):
        row = people.find(db, TEAM, user)
        assert row
        row.email = f"{user.lower()}@sandbox.example"


def booked(room: Room, *, at: str = FRIDAY, asked: tuple[UserId, ...] = ASKED) -> None:
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(at))
    room.serve(inviting.invite, where=HERE, by=MARA, users=list(asked))
    tick(room)


def move(room: Room, at: str = MONDAY) -> None:
    room.serve(scheduling.postpone, where=HERE, by=MARA, when=read_when(at), reason="Half of us are away")


def tick(room: Room) -> None:
    """As the clock does, twice: nothing is told a second time."""
    room.desk.serve_if_due(convening.tell_calendars)
    before = told(room)
    room.desk.serve_if_due(convening.tell_calendars)
    assert told(room) == before


def told(room: Room) -> list[tuple[str, int, str]]:
    return room.ask(
        lambda db: [(n.key, n.version, n.text) for n in db.scalars(select(OutboxNote).order_by(OutboxNote.id))]
    )


def written(room: Room) -> dict[str, tuple[dict[str, Any], str]]:
    """By person: what their newest letter encloses, and its text."""
    return room.ask(lambda db: {n.user_id: (n.letter, n.text) for n in letters.beginning(db, TEAM, "letter:")})


def written_to(room: Room) -> dict[str, tuple[str, int]]:
    """By person: what their newest letter asks of their calendar, and its sequence."""
    return {
        user: (enclosed["method"], enclosed["appointment"]["sequence"]) for user, (enclosed, _) in written(room).items()
    }


def letter_to(room: Room, user: str) -> tuple[str, str]:
    """Subject and text of the newest."""
    enclosed, text = written(room)[user]
    return enclosed["subject"], text


def sent(room: Room) -> None:
    """Whatever waits has left."""

    def leave(db: Session) -> None:
        for note in letters.beginning(db, TEAM, "letter:"):
            note.attempts, note.state, note.said_version = note.attempts + 1, "sent", note.version

    room.change(leave)


def number_of(room: Room) -> tuple[str, int]:
    """UID and sequence of the only meeting."""
    return tuple(room.ask(lambda db: db.execute(select(Meeting.uid, Meeting.sequence)).one()))


def the_file(room: Room) -> str | None:
    """The calendar as it hangs in the place of the meeting, once it is hung."""
    key = room.ask(lambda db: db.scalars(select(OutboxNote.key).where(OutboxNote.key.like("calendar:%"))).one())
    sheet = Sheets(room.storage, TEAM, house=room.house).of(key, None, reader=CHANNEL)
    return sheet.made().decode() if sheet else None


# Letters ---------------------------------------------------------------------------------


def test_everybody_asked_to_come_gets_an_invitation(room: Room, incident: int):
    booked(room)

    assert set(written_to(room)) == set(ASKED)
    assert {method for method, _ in written_to(room).values()} == {"REQUEST"}


def test_an_invitation_says_what_when_and_where_in_its_readers_zone(room: Room, incident: int):
    booked(room)

    subject, text = letter_to(room, TOMAS)

    assert subject == "Review: Checkout is slow, Fri 20 Nov 2026, 09:00 GMT"
    assert "Where: Slack\nhttps://sandbox.example.com/archives/C0INC\n" in text
    assert text.endswith("You get this letter because you were asked to this review in Slack.\n")


def test_without_a_mail_server_nobody_gets_a_letter_and_the_file_hangs_all_the_same(room: Room, incident: int):
    room.house = room.desk.house = House()

    booked(room)

    assert written_to(room) == {}
    assert the_file(room)


def test_who_gets_an_address_later_gets_the_letter_then(room: Room, incident: int):
    booked(room, asked=(OUTSIDER,))
    before = written_to(room)

    def know(db: Session) -> None:
        row = people.find(db, TEAM, OUTSIDER)
        assert row
        row.email = "late@sandbox.example"

    room.change(know)
    tick(room)

    assert OUTSIDER not in before
    assert OUTSIDER in written_to(room)


def test_a_moved_meeting_is_moved_in_every_calendar(room: Room, incident: int):
    booked(room)
    sent(room)
    uid, first = number_of(room)

    move(room)
    tick(room)

    assert number_of(room) == (uid, first + 1)
    assert set(written_to(room).values()) == {("REQUEST", first + 1)}
    subject, text = letter_to(room, MARA)
    assert subject == "Changed: Review: Checkout is slow, Mon 23 Nov 2026, 11:00 CET"
    assert "Half of us are away" in text


def test_a_meeting_that_nobody_changed_through_us_is_followed_too(room: Room, incident: int):
    booked(room)
    sent(room)
    uid, before = number_of(room)

    def lengthen(db: Session) -> None:
        db.scalars(select(Meeting)).one().minutes = 90

    room.change(lengthen)
    tick(room)

    assert number_of(room) == (uid, before + 1)
    assert set(written_to(room).values()) == {("REQUEST", before + 1)}


def test_who_is_asked_later_gets_a_letter_and_nobody_else_does(room: Room, incident: int):
    booked(room)
    sent(room)
    before = written_to(room)

    room.serve(inviting.invite, where=HERE, by=MARA, users=[JONAS])
    tick(room)

    after = written_to(room)
    assert after.pop(JONAS)[0] == "REQUEST"
    assert after == before


def test_who_is_let_off_has_the_hour_back(room: Room, incident: int):
    booked(room)
    sent(room)
    before = written_to(room)[TOMAS][1]

    room.serve(inviting.uninvite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)

    assert written_to(room)[TOMAS] == ("CANCEL", before + 1)
    assert letter_to(room, TOMAS)[0].startswith("You need not come: ")
    assert written_to(room)[MARA] == ("REQUEST", before)


def test_who_is_let_off_before_the_letter_left_gets_none(room: Room, incident: int):
    booked(room)

    room.serve(inviting.uninvite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)

    assert TOMAS not in written_to(room)


def test_who_is_let_off_and_asked_again_is_invited_anew(room: Room, incident: int):
    booked(room)
    sent(room)
    room.serve(inviting.uninvite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)
    sent(room)
    before = written_to(room)[TOMAS][1]

    room.serve(inviting.invite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)

    assert written_to(room)[TOMAS] == ("REQUEST", before + 1)
    assert not letter_to(room, TOMAS)[0].startswith("Changed")


def test_a_meeting_that_is_called_off_goes_from_every_calendar(room: Room, incident: int):
    booked(room)
    sent(room)

    room.serve(tracking.cancel, where=HERE, by=MARA, reason="It was a false alarm")
    tick(room)

    assert {method for method, _ in written_to(room).values()} == {"CANCEL"}
    assert letter_to(room, PRIYA)[0].startswith("Called off: ")
    assert the_file(room) is None


def test_a_meeting_that_was_called_off_before_anybody_heard_is_told_to_nobody(room: Room, incident: int):
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY))
    room.serve(tracking.cancel, where=HERE, by=MARA, reason="It was a false alarm")

    tick(room)

    assert [key for key, _, _ in told(room) if key.startswith(("letter:", "calendar:"))] == []


def test_a_meeting_that_begins_is_told_to_no_calendar_any_more(room: Room, incident: int):
    booked(room)
    sent(room)
    before = written_to(room)
    room.now = datetime(2026, 11, 20, 9, 0, tzinfo=NOVEMBER_18.tzinfo)

    room.serve(inviting.uninvite, where=HERE, by=MARA, users=[TOMAS])
    tick(room)

    assert written_to(room) == before


def test_who_leaves_the_workspace_is_written_to_no_more(room: Room, incident: int):
    def leave(db: Session) -> None:
        row = people.find(db, TEAM, TOMAS)
        assert row
        row.gone_since = NOVEMBER_18

    room.change(leave)
    booked(room, asked=(MARA, PRIYA))

    assert TOMAS not in written_to(room)


# What a private incident tells -------------------------------------------------------------------


def a_private_incident(room: Room, **more: Any) -> int:
    """Mara is in its channel."""
    inside = ChannelFacts(channel=CHANNEL, name="inc-secret", private=True, members=(MARA,))
    room.change(lambda db: channels.enter(db, TEAM, inside, now=room.now))
    room.house = room.desk.house = MAIL
    room.change(_give_addresses)
    number = an_incident(room, private=NOVEMBER_18, **more)
    mitigated(room, number)
    return number


def test_of_a_private_incident_calendars_know_no_name(room: Room):
    a_private_incident(room, title="The zebrafish leaked")

    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY))
    tick(room)

    subject, text = letter_to(room, MARA)
    assert "zebrafish" not in subject + text + (the_file(room) or "zebrafish")
    assert subject.startswith("Review of an incident, Fri 20 Nov 2026")
    assert "CLASS:PRIVATE" in (the_file(room) or "")
    (announced,) = [note for note in room.transcript(CHANNEL) if "meets on" in note]
    assert [link for link in re.findall(r"https://\S+", announced) if "zebrafish" in link] == []


def test_an_outsider_of_a_private_incident_gets_no_letter(room: Room):
    a_private_incident(room)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY))

    def ask(db: Session) -> None:
        attending.invite(db, db.scalars(select(Meeting)).one(), OUTSIDER, core=room.now, now=room.now)
        row = people.find(db, TEAM, OUTSIDER)
        assert row
        row.email = "out@sandbox.example"

    room.change(ask)
    tick(room)

    assert set(written_to(room)) == {MARA}


# The file -----------------------------------------------------------------------------------


def test_the_file_hangs_where_the_meeting_is_held(room: Room, incident: int):
    booked(room)

    uid, method, entry = read_twice(the_file(room) or "")

    assert (uid, method, entry.begins) == (number_of(room)[0], "", "2026-11-20T09:00:00+00:00")
    assert room.transcript(CHANNEL)[-1].startswith("The review of “Checkout is slow”, for your calendar")


def sheet(room: Room) -> str:
    key = room.ask(lambda db: db.scalars(select(OutboxNote.key).where(OutboxNote.key.like("calendar:%"))).one())
    found = Sheets(room.storage, TEAM, house=room.house).of(key, None, reader=CHANNEL)
    assert found
    return found.mark


def test_another_hour_is_another_file_and_another_guest_is_not(room: Room, incident: int):
    booked(room)
    first = sheet(room)

    room.serve(inviting.invite, where=HERE, by=MARA, users=[JONAS])
    tick(room)
    with_one_more = sheet(room)
    move(room)
    tick(room)

    assert first == with_one_more
    assert sheet(room) != first


def test_a_program_of_before_that_hung_nothing_leaves_it_to_us(room: Room, incident: int):
    booked(room)

    def hang_nothing(db: Session) -> None:
        note = db.scalars(select(OutboxNote).where(OutboxNote.key.like("calendar:%"))).one()
        note.state, note.said_version = "sent", note.version

    room.change(hang_nothing)
    room.desk.serve_if_due(convening.tell_calendars)

    assert room.ask(lambda db: db.scalars(select(OutboxNote.state).where(OutboxNote.key.like("calendar:%"))).all()) == [
        "pending"
    ]


def test_a_meeting_elsewhere_takes_its_file_along(room: Room, incident: int):
    booked(room)

    def elsewhere(db: Session) -> None:
        db.scalars(select(Meeting)).one().channel_id = "C0ELSE"

    room.change(elsewhere)
    tick(room)

    keys = room.ask(lambda db: db.scalars(select(OutboxNote.key).where(OutboxNote.key.like("calendar:%"))).all())
    sheets = Sheets(room.storage, TEAM, house=room.house)
    assert [sheets.of(key, None, reader="") is not None for key in sorted(keys)] == [True, False]


def test_the_call_is_where_the_house_says(room: Room, incident: int):
    room.house = room.desk.house = replace(MAIL, meeting_link="https://meet.sandbox.example/inc-{incident}")

    booked(room)

    (other,) = [line for line in (the_file(room) or "").splitlines() if line.startswith("URL")]
    assert other == f"URL:https://meet.sandbox.example/inc-{incident}"
    assert f"Where: https://meet.sandbox.example/inc-{incident}\n" in letter_to(room, MARA)[1]


def test_a_name_that_somebody_mentions_in_a_title_is_a_name_in_the_calendar(room: Room):
    number = an_incident(room, title="<@U0TOMAS>'s disk\r\nATTENDEE:mailto:eve@example.com " + "x" * 4_000)
    mitigated(room, number)

    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY))
    tick(room)

    (_, _, entry) = read_twice(the_file(room) or "")
    assert entry.summary.startswith("Review: @Tomas's disk ATTENDEE:mailto:eve@example.com xxx")
    assert len(entry.summary) <= 130


# Who comes ------------------------------------------------------------------------------------


def answers(room: Room) -> dict[str, str | None]:
    said = select(Attendee.user_id, Attendee.answer).where(Attendee.answer.is_not(None))
    return room.ask(lambda db: dict(db.execute(said).all()))


def test_who_comes_says_so_and_may_think_again(room: Room, incident: int):
    booked(room)

    first = room.serve(convening.answer, where=HERE, by=TOMAS, coming="yes")
    said = answers(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")

    assert first == "Noted: you come on *Fri 20 Nov 2026, 09:00 GMT*."
    assert (said, answers(room)) == ({TOMAS: "yes"}, {TOMAS: "no"})


def test_another_hour_asks_anew(room: Room, incident: int):
    booked(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")

    move(room)
    tick(room)

    assert answers(room) == {}


def test_what_somebody_says_of_the_new_hour_stands_though_calendars_have_yet_to_hear_of_it(room: Room, incident: int):
    booked(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")

    move(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="yes")
    tick(room)

    assert answers(room) == {TOMAS: "yes"}


def test_another_guest_does_not(room: Room, incident: int):
    booked(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")

    room.serve(inviting.invite, where=HERE, by=MARA, users=[JONAS])
    tick(room)

    assert answers(room) == {TOMAS: "no"}


def test_who_was_not_asked_is_welcome_to_listen(room: Room, incident: int):
    booked(room)

    said = room.serve(convening.answer, where=HERE, by=JONAS, coming="yes")

    assert said.startswith("Noted. You are welcome to listen on ")
    assert JONAS not in written_to(room)


def test_who_was_not_asked_need_not_excuse_themselves(room: Room, incident: int):
    booked(room)

    said = room.serve(convening.answer, where=HERE, by=JONAS, coming="no")

    assert said.startswith("You were not asked to come")
    assert answers(room) == {}


def test_who_was_to_lead_and_cannot_come_hears_how_to_hand_it_on(room: Room, incident: int):
    booked(room)
    room.serve(tracking.take_role, where=HERE, by=PRIYA, role=Role.facilitator, user=PRIYA)

    said = room.serve(convening.answer, where=HERE, by=PRIYA, coming="no")

    assert "`/review facilitator @name` hands it on" in said


def test_without_a_meeting_there_is_nothing_to_answer(room: Room, incident: int):
    with pytest.raises(NoneToComeTo):
        room.serve(convening.answer, where=HERE, by=TOMAS, coming="yes")


def test_an_outsider_of_a_private_incident_is_answered_as_if_there_were_none(room: Room):
    number = a_private_incident(room)
    room.serve(scheduling.schedule, where=HERE, by=MARA, when=read_when(FRIDAY))

    with pytest.raises(NoIncidentHere):
        room.serve(convening.answer, where=HERE, by=OUTSIDER, coming="yes")
    with pytest.raises(NoIncidentHere):
        room.serve(convening.answer, where=Where(Place(CHANNEL), number), by=OUTSIDER, coming="yes")


def test_a_program_cannot_come(room: Room, incident: int):
    booked(room)

    with pytest.raises(NotOneOfUs):
        room.serve(convening.answer, where=HERE, by=UserId("U0DEBRIEF"), coming="yes")


def test_whoever_plans_sees_who_comes(room: Room, incident: int):
    booked(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")
    room.serve(convening.answer, where=HERE, by=PRIYA, coming="yes")

    said = room.serve(scheduling.schedule, where=HERE, by=MARA)

    assert f"<@{PRIYA}> comes. <@{TOMAS}> cannot." in said


def test_the_call_says_who_cannot_come(room: Room, incident: int):
    booked(room)
    room.serve(convening.answer, where=HERE, by=TOMAS, coming="no")
    room.now = datetime(2026, 11, 20, 8, 52, tzinfo=NOVEMBER_18.tzinfo)

    room.serve(preparing.calls_due)

    (call,) = [words for words in room.transcript(CHANNEL) if "begins at" in words]
    assert f"<@{TOMAS}> cannot come.\n\nIn 60 minutes" in call


def test_the_announcement_names_the_call(room: Room, incident: int):
    room.house = room.desk.house = replace(MAIL, meeting_link="https://meet.sandbox.example/inc-{incident}")

    booked(room)

    (announced,) = [words for words in room.transcript(CHANNEL) if "meets on" in words]
    assert f"here and on <https://meet.sandbox.example/inc-{incident}|the call>." in announced


def test_who_is_forgotten_stands_in_no_letter_and_no_calendar(room: Room, incident: int):
    booked(room)
    sent(room)
    room.serve(inviting.invite, where=HERE, by=MARA, users=[JONAS])
    tick(room)

    for user in (TOMAS, JONAS):
        erase(room, user)
    tick(room)

    kept = room.ask(lambda db: str([*db.execute(select(OutboxNote.__table__)), *db.execute(select(Meeting.__table__))]))
    assert "mara@sandbox.example" not in kept
    assert [word for word in (TOMAS, JONAS, "tomas@", "jonas@") if word.lower() in kept.lower()] == []
    assert {user: method for user, (method, _) in written_to(room).items()} == {
        MARA: "REQUEST",
        PRIYA: "REQUEST",
    }


def erase(room: Room, user: str) -> None:
    somebody = room.ask(lambda db: pseudonymising.known(db, TEAM, user))
    pseudonym = pseudonymising.begin(room.storage, somebody, now=room.now)
    assert sum(pseudonymising.go_through(room.storage, somebody, pseudonym))
    pseudonymising.finish(room.storage, somebody, pseudonym, now=room.now)
