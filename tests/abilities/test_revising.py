"""Findings after they were noted: worded anew, sorted, placed, merged, dropped, and seen again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot import facilitating, following_up, noting, revising
from bot.desk import Notes
from bot.review.findings import UnknownFindingKind
from bot.review.follow_up import ActionWords
from bot.review.incident import ChannelId, UserId
from bot.review.refusal import NeedsText, NoSuchEvent, NoSuchFinding
from storage import actions, findings, incidents, reviews
from storage.models import Action, Change, Finding, Meeting, Membership
from tests.cast import JONAS, MARA, TEAM, TOMAS, Room, an_incident, mitigated
from tests.sitting import agenda, an_event, do


@pytest.fixture
def incident(room: Room) -> int:
    """A mitigated incident with two contributors and a learning."""
    number = an_incident(room)
    mitigated(room, number)
    note(room, "contributor", "technical: the pool had no limit")
    note(room, "contributor", "nobody had set a limit for the pool")
    note(room, "learning", "process: we page support late")
    return number


def note(room: Room, kind: str, text: str, **what: Any) -> str:
    return do(room, noting.note_finding, by=TOMAS, kind=kind, text=text, **what)


def change(room: Room, ability: Callable[..., Notes], *, by: UserId = MARA, **what: Any) -> str:
    """As the edge does it: then the agenda is shown anew, where there is one."""
    return do(room, ability, by=by, **what)


def standing(room: Room, incident: int) -> list[tuple[int, str, str | None, str]]:
    return room.ask(lambda db: [(f.number, f.kind, f.sort, f.text) for f in findings.of_incident(db, incident)])


def history(room: Room) -> list[tuple[str, str | None, str | None]]:
    lines = Change.what, Change.before, Change.after
    return room.ask(
        lambda db: [tuple(row) for row in db.query(*lines).filter_by(subject="finding").order_by(Change.id)]
    )


# Worded, sorted, placed ----------------------------------------------------------------------


def test_a_finding_is_changed_where_it_stands_with_a_line_of_history_for_each_change(room: Room, incident: int):
    an_event(room, incident, "We roll back")

    change(room, revising.revise, number=2, text="no limit for the pool of workers", kind="risk", event=1)
    change(room, revising.revise, number=3, sort="communication")

    assert standing(room, incident) == [
        (1, "contributor", "technical", "the pool had no limit"),
        (2, "risk", None, "no limit for the pool of workers"),
        (3, "learning", "communication", "we page support late"),
    ]
    assert history(room) == [
        ("kind", "contributor", "risk"),
        ("event", None, "1"),
        ("text", "nobody had set a limit for the pool", "no limit for the pool of workers"),
        ("sort", "process", "communication"),
    ]


@pytest.mark.usefixtures("incident")
def test_what_stays_as_it_is_leaves_no_line(room: Room):
    change(room, revising.revise, number=1, text="the pool had no limit", kind="contributor", sort="technical")

    assert history(room) == []


def test_a_sort_that_another_kind_does_not_have_is_taken_off(room: Room, incident: int):
    change(room, revising.revise, number=1, kind="open question")

    assert standing(room, incident)[0] == (1, "question", None, "the pool had no limit")


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize(
    ("to", "refusal"),
    [
        ({"text": "  "}, NeedsText),
        ({"kind": "root cause"}, UnknownFindingKind),
        ({"sort": "luck"}, revising.UnknownSort),
        ({"event": 9}, NoSuchEvent),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(room: Room, to: dict[str, Any], refusal: type[Exception]):
    with pytest.raises(refusal):
        change(room, revising.revise, number=1, **to)

    assert history(room) == []


@pytest.mark.usefixtures("incident")
def test_a_finding_that_does_not_exist_is_refused(room: Room):
    for ability in (revising.show, revising.drop, revising.take_back):
        with pytest.raises(NoSuchFinding):
            change(room, ability, number=9)


# The stop on the table -------------------------------------------------------------------------


def test_what_is_noted_at_a_stop_comes_from_it_and_can_be_placed_elsewhere(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="timeline")

    said = note(room, "risk", "One person knows")
    change(room, revising.revise, number=4, event="none")

    assert said.startswith("Noted as risk 4, from event 1:")
    assert room.ask(lambda db: findings.events_behind(db, incident)) == {}


# Merged ----------------------------------------------------------------------------------------------


def test_merging_keeps_the_words_of_both_and_what_answered_either(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    change(room, revising.revise, number=2, event=1)
    wording = ActionWords(MARA, None, None, "Set a limit of 80 for the pool", answers=(2,))
    do(room, following_up.propose, wording=wording)

    said = change(room, revising.merge, number=1, others=[2])

    assert "Part of it, 2: nobody had set a limit for the pool" in said
    assert [number for number, *_ in standing(room, incident)] == [1, 3]
    assert room.ask(lambda db: actions.answered(db, db.query(Action).one())) == [(1, "the pool had no limit")]
    assert room.ask(lambda db: findings.events_behind(db, incident))[1] == 1
    assert history(room)[-1] == ("merged into", None, "1")


def test_what_was_merged_keeps_its_own_event_beside_that_of_the_other(room: Room, incident: int):
    an_event(room, incident, "Saturated")
    an_event(room, incident, "We roll back")
    change(room, revising.revise, number=1, event=1)
    change(room, revising.revise, number=2, event=2)

    change(room, revising.merge, number=1, others=[2])

    assert room.ask(lambda db: findings.events_behind(db, incident))[1] == 1


def test_numbers_are_not_used_again(room: Room, incident: int):
    change(room, revising.merge, number=1, others=[3])
    change(room, revising.drop, number=2)

    assert note(room, "risk", "One person knows").startswith("Noted as risk 4")
    assert [number for number, *_ in standing(room, incident)] == [1, 4]


def test_what_is_said_to_a_merged_finding_is_said_to_the_one_it_is_part_of(room: Room, incident: int):
    change(room, revising.merge, number=1, others=[2])
    change(room, revising.merge, number=3, others=[1])

    change(room, revising.revise, number=2, text="no limit anywhere")

    assert standing(room, incident) == [(3, "learning", "process", "no limit anywhere")]
    said = change(room, revising.show, number=3)
    assert "Part of it, 1: the pool had no limit" in said
    assert "Part of it, 2: nobody had set a limit for the pool" in said


@pytest.mark.usefixtures("incident")
def test_nothing_is_merged_into_itself(room: Room):
    change(room, revising.merge, number=1, others=[2])

    for others in ([1], [2], []):
        with pytest.raises(revising.MergedIntoItself):
            change(room, revising.merge, number=1, others=others)


@pytest.mark.parametrize(
    "gone", [revising.drop, lambda turn, **what: revising.merge(turn, **what | {"number": 1, "others": [2]})]
)
def test_what_was_dropped_or_merged_by_mistake_comes_back_under_its_number(
    room: Room, incident: int, gone: Callable[..., Notes]
):
    before = standing(room, incident)
    change(room, gone, number=2)

    change(room, revising.take_back, number=2)

    assert standing(room, incident) == before
    with pytest.raises(revising.NothingToTakeBack):
        change(room, revising.take_back, number=2)


def test_the_agenda_follows_what_becomes_of_a_finding(room: Room, incident: int):
    do(room, facilitating.start)
    do(room, facilitating.go_to, words="findings")

    change(room, revising.merge, number=1, others=[2])
    do(room, facilitating.refresh)

    assert "*Contributor*\n1 · technical: the pool had no limit\n\n*Learning*\n3" in agenda(room)
    assert "nobody had set" not in agenda(room)


def test_the_agenda_lists_findings_by_kind_with_their_sort_and_event(room: Room, incident: int):
    an_event(room, incident, "We roll back")
    change(room, revising.revise, number=2, event=1)
    do(room, facilitating.start)

    do(room, facilitating.go_to, words="findings")

    assert (
        "*Contributors*\n"
        "1 · technical: the pool had no limit\n"
        "2 · nobody had set a limit for the pool · event 1\n\n"
        "*Learning*\n"
        "3 · process: we page support late"
    ) in agenda(room)


# The same again ---------------------------------------------------------------------------------------


def earlier_reviews(room: Room, count: int, *, private: bool = False) -> int:
    """So many reviews that were held; the first found that the pool had no limit. The number of the first."""
    numbers = [
        an_incident(
            room,
            title=f"Earlier {n}",
            channel=ChannelId(f"C0OLD{n}"),
            opened_at=room.now - timedelta(days=40 - n),
            private=room.now if private and n == 0 else None,
        )
        for n in range(count)
    ]
    room.change(lambda db: [held(db, number) for number in numbers])
    room.change(
        lambda db: findings.add(
            db,
            incidents.get(db, numbers[0]),
            kind=noting.FindingKind.contributor,
            sort=None,
            text="The pool of connections had no limit",
            by=JONAS,
            event=None,
            now=room.now,
        )
    )
    return numbers[0]


def held(db: Any, incident: int) -> None:
    meeting: Meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
    meeting.opened_at = meeting.ended_at = incidents.get(db, incident).opened_at


def test_one_earlier_finding_is_offered_with_why(room: Room):
    earlier_reviews(room, 10)
    mitigated(room, an_incident(room))

    said = note(room, "contributor", "no limit for the connection pool")

    assert "met before, in the review of “Earlier 0”" in said
    assert "both speak of connection, limit, pool." in said
    assert "> The pool of connections had no limit" in said


def test_with_fewer_than_ten_reviews_nothing_is_offered(room: Room):
    earlier_reviews(room, 9)
    mitigated(room, an_incident(room))

    assert "met before" not in note(room, "contributor", "no limit for the connection pool")


def test_a_review_that_somebody_may_not_see_is_none_of_the_ten(room: Room):
    earlier_reviews(room, 9)
    hidden = an_incident(room, channel=ChannelId("C0SECRET"), private=room.now)
    room.change(lambda db: held(db, hidden))
    mitigated(room, an_incident(room))

    assert "met before" not in note(room, "contributor", "no limit for the connection pool")


def test_what_was_dropped_in_an_earlier_review_is_not_offered(room: Room):
    earlier_reviews(room, 10)
    room.change(lambda db: [setattr(row, "dropped_at", room.now) for row in db.query(Finding)])
    mitigated(room, an_incident(room))

    said = note(room, "contributor", "no limit for the connection pool")

    assert "met before" not in said


def test_what_is_not_alike_is_not_offered(room: Room):
    earlier_reviews(room, 10)
    mitigated(room, an_incident(room))

    assert "met before" not in note(room, "contributor", "the certificate had expired")


def test_of_a_review_that_somebody_may_not_see_nothing_is_offered(room: Room):
    first = earlier_reviews(room, 12, private=True)
    mitigated(room, an_incident(room))

    said = note(room, "contributor", "no limit for the connection pool")
    earlier = room.ask(lambda db: db.query(Finding).filter_by(incident_id=first).one().id)

    assert "met before" not in said
    with pytest.raises(NoSuchFinding):
        change(room, revising.see_again, by=TOMAS, number=1, earlier=earlier)


def test_to_a_member_of_the_private_channel_it_is_offered_and_to_others_it_is_not_shown(room: Room):
    earlier_reviews(room, 12, private=True)
    mitigated(room, an_incident(room))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id="C0OLD0", user_id=TOMAS)))

    said = note(room, "contributor", "no limit for the connection pool")
    earlier = room.ask(lambda db: db.query(Finding).order_by(Finding.id).first().id)
    theirs = change(room, revising.see_again, by=TOMAS, number=1, earlier=earlier)
    others = change(room, revising.show, by=MARA, number=1)

    assert "met before, in the review of “Earlier 0”" in said
    assert "Seen before, in the review of “Earlier 0”" in theirs
    assert "Earlier 0" not in others


def test_somebody_who_said_that_it_is_new_is_not_asked_again(room: Room):
    earlier_reviews(room, 10)
    incident = an_incident(room)
    mitigated(room, incident)
    note(room, "contributor", "no limit for the connection pool")

    change(room, revising.see_as_new, number=1)

    like = room.ask(
        lambda db: findings.like_one_before(db, db.query(Finding).filter_by(incident_id=incident).one(), TOMAS)
    )
    assert like is None
