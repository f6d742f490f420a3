from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.review.stops import Fold, LeftOut, chosen_of, fold, left_out, room_in, stops
from bot.review.timeline import Kind, Outcome

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """All that the walk asks of an event."""

    number: int
    kind: str
    outcome: str | None
    occurred_at: datetime


def at(minutes: int) -> datetime:
    return TWO + timedelta(minutes=minutes)


def event(number: int, kind: Kind, outcome: Outcome | None = None, *, minutes: int | None = None) -> Event:
    return Event(number, kind, outcome, at(number if minutes is None else minutes))


def test_the_walk_stops_first_where_something_was_noticed_decided_passed_on_tried_in_vain_or_ended() -> None:
    events = [
        event(1, Kind.automated),
        event(2, Kind.detection),
        event(3, Kind.diagnosis),
        event(4, Kind.action_taken, Outcome.no_effect),
        event(5, Kind.decision),
        event(6, Kind.action_taken),
        event(7, Kind.handover),
        event(8, Kind.mitigation),
        event(9, Kind.communication),
    ]

    assert stops(events, at_most=5) == [2, 4, 5, 7, 8]
    assert stops(events, at_most=6) == [2, 4, 5, 6, 7, 8]
    assert stops(events, at_most=7) == [2, 3, 4, 5, 6, 7, 8]
    assert stops(events) == [2, 3, 4, 5, 6, 7, 8, 9]


def test_where_nothing_but_notes_was_taken_the_walk_stops_at_notes() -> None:
    assert stops([event(1, Kind.note), event(2, Kind.automated), event(3, Kind.note)]) == [1, 3]


def test_too_many_decisions_are_spread_from_the_first_to_the_last() -> None:
    chosen = stops([event(number, Kind.decision) for number in range(1, 41)], at_most=4)

    assert chosen == [1, 14, 27, 40]


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.sampled_from([None, *Outcome]), st.integers(0, 300)), max_size=60
    ),
    st.integers(0, 20),
)
def test_the_walk_visits_each_event_once_as_a_stop_or_in_a_fold(
    facts: list[tuple[Kind, Outcome | None, int]], at_most: int
) -> None:
    events = [event(number, kind, outcome, minutes=m) for number, (kind, outcome, m) in enumerate(facts, start=1)]

    chosen = stops(events, at_most)
    lines = fold(events, chosen)

    assert len(chosen) == len(set(chosen)) <= at_most
    assert [line for line in lines if isinstance(line, int)] == chosen
    assert sum(line.count for line in lines if isinstance(line, Fold)) + len(chosen) == len(events)
    assert not any(isinstance(a, Fold) and isinstance(b, Fold) for a, b in pairwise(lines))


def test_what_lies_between_two_stops_folds_into_one_line() -> None:
    events = [event(1, Kind.decision), event(2, Kind.note), event(3, Kind.note), event(4, Kind.mitigation)]

    assert fold(events, [1, 4]) == [1, Fold(at(2), at(3), 2), 4]


def test_an_hours_walk_has_room_for_twelve_stops_and_a_longer_one_for_fifteen() -> None:
    assert [room_in(minutes) for minutes in (35, 45, 1)] == [12, 15, 1]


def test_chosen_stops_follow_the_time_and_those_taken_off_the_timeline_are_forgotten() -> None:
    events = [event(1, Kind.note, minutes=9), event(2, Kind.note, minutes=1)]

    assert chosen_of(events, [1, 7, 2, 1]) == [2, 1]


def test_decisions_hand_overs_and_failed_attempts_are_never_skipped_silently() -> None:
    events = [
        event(1, Kind.decision),
        event(2, Kind.handover),
        event(3, Kind.action_taken, Outcome.worse),
        event(4, Kind.decision),
        event(5, Kind.decision, Outcome.no_effect),
        event(6, Kind.mitigation),
        event(7, Kind.automated),
    ]

    passed = left_out(events, [6])

    assert passed == [LeftOut("decision", (1, 4)), LeftOut("hand-over", (2,)), LeftOut("failed attempt", (3, 5))]
    assert [sort.words for sort in passed] == ["2 decisions", "1 hand-over", "2 failed attempts"]
    assert left_out(events, [1, 2, 3, 4, 5]) == []
