"""What surfaces in a meeting, and outside one: findings, answers, thoughts for later, who is here."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot import facilitating, noting, walking
from bot.review.findings import FindingKind
from bot.review.incident import UserId
from bot.review.lifecycle import Role
from bot.review.refusal import NeedsText, NoSuchEvent, NotInMeeting, NotYours
from storage import attending, findings, incidents, reviews
from storage.models import Link
from tests.abilities.test_facilitating import agenda_blocks
from tests.cast import JONAS, MARA, TOMAS, Room, an_incident
from tests.sitting import agenda, an_event, do


def note(room: Room, ability: Any, *, by: UserId = MARA, **what: Any) -> str:
    """Note something as the edge does it: then the agenda is shown anew."""
    answer = do(room, ability, by=by, **what)
    do(room, facilitating.refresh, by=by)
    return answer


# At any moment ---------------------------------------------------------------------------


def test_a_finding_is_noted_outside_a_meeting_too(room: Room):
    incident = an_incident(room)

    answer = do(room, noting.note_finding, by=TOMAS, kind="contributor", text="external: a marketing event")

    assert answer == "Noted as contributor 1, external:\n> a marketing event"
    assert room.transcript() == []
    kept = room.ask(lambda db: [(f.kind, f.sort, f.text, f.by) for f in findings.of_incident(db, incident)])
    assert kept == [("contributor", "external", "a marketing event", TOMAS)]


def test_a_finding_does_not_leave_the_topic_on_the_table(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")

    note(room, noting.note_finding, by=TOMAS, kind="risk", text="One person knows")

    assert "*3 of 6" in agenda(room)
    assert agenda(room).endswith("· risk 1")


def test_a_finding_remembers_the_event_it_came_from(room: Room, incident: int):
    an_event(room, incident, "We roll back")

    answer = do(room, noting.note_finding, by=TOMAS, kind="risk", text="One person knows", event=1)

    assert answer.startswith("Noted as risk 1, from event 1:")
    links = room.ask(lambda db: [(link.from_kind, link.relation, link.to_kind) for link in db.query(Link)])
    assert links == [("finding", "comes_from", "event")]


@pytest.mark.usefixtures("incident")
def test_a_finding_from_an_unknown_event_is_refused_and_takes_no_number(room: Room):
    with pytest.raises(NoSuchEvent):
        do(room, noting.note_finding, kind="risk", text="One person knows", event=9)

    assert do(room, noting.note_finding, kind="risk", text="x").startswith("Noted as risk 1")


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize("kind", FindingKind)
def test_a_sort_without_words_is_asked_for_words(room: Room, kind: FindingKind):
    sort = f"{kind.sorts[0]}:" if kind.sorts else "  "

    with pytest.raises(NeedsText):
        do(room, noting.note_finding, kind=kind, text=sort)


@pytest.mark.usefixtures("incident")
def test_what_was_parked_comes_back_with_the_actions(room: Room):
    do(room, facilitating.start)

    do(room, noting.park, text="How we rotate certificates")
    do(room, facilitating.go_to, words="actions")

    assert f"*Parked*\n• How we rotate certificates (<@{MARA}>)" in agenda(room)


@pytest.mark.usefixtures("incident")
def test_a_stranger_to_the_roles_parks_nothing(room: Room):
    do(room, facilitating.start)

    with pytest.raises(NotYours):
        do(room, noting.park, by=TOMAS, text="Certificates")


@pytest.mark.usefixtures("incident")
def test_without_a_meeting_nobody_is_here_and_nothing_is_parked(room: Room):
    with pytest.raises(NotInMeeting):
        do(room, noting.arrive)
    with pytest.raises(NotInMeeting):
        do(room, noting.park, text="Certificates")


@pytest.mark.usefixtures("incident")
def test_the_scribe_may_park_a_thought(room: Room, incident: int):
    room.change(
        lambda db: incidents.give_role(db, incidents.get(db, incident), Role.scribe, JONAS, by=None, now=room.now)
    )
    do(room, facilitating.start)

    note(room, noting.park, by=JONAS, text="Certificates")

    assert "1 parked" in agenda(room)


HOSTILE = "# Now *bold*\n--- <!channel> <@U0MARA>\n{{ 7 * 7 }} &lt;"


@pytest.mark.parametrize("topic", ["timeline", "findings", "actions", "close"])
def test_hostile_words_stay_words(room: Room, incident: int, topic: str):
    an_event(room, incident, HOSTILE)
    do(room, facilitating.start)
    do(room, walking.answer_stop, number=1, text=HOSTILE)
    do(room, noting.note_finding, kind="question", text=HOSTILE)
    do(room, noting.park, text=HOSTILE)

    do(room, facilitating.go_to, words=topic)

    assert "<!channel>" not in agenda(room)
    headers = [block for block in agenda_blocks(room) if block["type"] == "header"]
    assert [header["text"]["text"] for header in headers] == ["Review of Checkout is slow"]


def test_who_says_that_they_are_here_took_part(room: Room, incident: int):
    do(room, facilitating.start)

    note(room, noting.arrive, by=TOMAS)
    note(room, noting.arrive, by=TOMAS)

    assert f"Here: <@{MARA}>, <@{TOMAS}>" in agenda(room)
    assert room.ask(lambda db: present(db, incident)) == {MARA, TOMAS}


def present(db: Session, incident: int) -> set[str]:
    meeting = reviews.open_meeting(db, reviews.of(db, incidents.get(db, incident)))
    assert meeting
    return {row.user_id for row in attending.attendees(db, meeting) if row.present_at}


@pytest.mark.usefixtures("incident")
def test_the_recording_is_a_web_address(room: Room):
    do(room, facilitating.start)

    with pytest.raises(NeedsText):
        do(room, noting.set_recording, url="javascript:alert(1)")
    note(room, noting.set_recording, url="https://video.example.com/1")

    assert "<https://video.example.com/1|the recording>" in agenda(room)
