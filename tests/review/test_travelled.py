"""How word travelled, told from the timeline alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.review.timeline import Kind
from bot.review.travelled import Fact, Sort, travelled

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """All that is asked of an event."""

    number: int
    kind: str
    occurred_at: datetime
    words: str | None = "something"
    outcome: str | None = None


def at(minutes: float) -> datetime:
    return TWO + timedelta(minutes=minutes)


def event(number: int, kind: Kind, minutes: float, words: str | None = "something") -> Event:
    return Event(number, kind, at(minutes), words)


def of(sort: Sort, facts: list[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.sort is sort]


def test_word_travels_from_detection_to_support_and_customers() -> None:
    events = [
        event(1, Kind.detection, 0),
        event(2, Kind.communication, 30, "told support that checkout is slow for everybody"),
        event(3, Kind.communication, 98, "Status page updated: degraded checkout"),
        event(4, Kind.communication, 120, "told all customers by mail"),
        event(5, Kind.handover, 121, "Ben is now lead"),
        event(6, Kind.mitigation, 125),
        event(7, Kind.note, 900),
    ]

    assert travelled(events) == [
        Fact(Sort.stakeholders, 2, at(30), "First word to stakeholders, 30 min after detection."),
        Fact(Sort.customers, 3, at(98), "First word to customers, 1 h 38 min after detection."),
        Fact(Sort.silence, 3, at(98), "The longest silence came before this: 1 h 8 min.", since=at(30)),
        Fact(Sort.handover, 5, at(121), "The hand-over."),
    ]


def test_a_moment_that_somebody_set_comes_before_the_event_of_detection() -> None:
    events = [event(1, Kind.detection, 10), event(2, Kind.communication, 10, "banner is up")]

    facts = travelled(events, detected_at=at(0))

    assert of(Sort.customers, facts)[0].sentence == "First word to customers, 10 min after detection."
    assert of(Sort.customers, travelled(events))[0].sentence == "First word to customers, in the minute of detection."


def test_without_detection_no_length_is_made_up() -> None:
    facts = travelled([event(2, Kind.communication, 10, "informed the customers")])

    assert of(Sort.customers, facts)[0].sentence == "First word to customers."


def test_word_that_is_missing_is_said_last_and_once_there_is_a_timeline_to_speak_of() -> None:
    events = [event(1, Kind.detection, 0), event(2, Kind.decision, 1), event(3, Kind.mitigation, 2)]

    assert [fact.sentence for fact in travelled(events)] == [
        "The timeline holds no word to customers.",
        "The timeline holds no word to stakeholders.",
    ]
    assert travelled(events[:2]) == []


@pytest.mark.parametrize(
    "words",
    [
        "we have not told customers yet",
        "should we tell customers?",
        "did anybody inform the customers?",
        "customers report that they cannot log in",
        "once the status page is updated I will say so",
        None,
    ],
)
def test_word_that_did_not_go_out_is_no_first_word(words: str | None) -> None:
    facts = travelled([event(1, Kind.detection, 0), event(2, Kind.communication, 5, words)])

    assert facts == []


def test_a_silence_after_the_end_is_no_silence() -> None:
    events = [
        event(1, Kind.detection, 0),
        event(2, Kind.diagnosis, 5),
        event(3, Kind.action_taken, 20),
        event(4, Kind.note, 200),
    ]

    assert of(Sort.silence, travelled(events))[0].number == 4
    assert of(Sort.silence, travelled(events, over_at=at(30)))[0].number == 3
    assert of(Sort.silence, travelled(events, over_at=at(6))) == []


def test_several_hand_overs_are_counted() -> None:
    facts = travelled([event(1, Kind.handover, 0), event(2, Kind.handover, 5)])

    assert [fact.sentence for fact in facts] == ["Hand-over 1 of 2.", "Hand-over 2 of 2."]
