import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.report import (
    ActionFacts,
    AttendeeFacts,
    ChangeFacts,
    CommentFacts,
    EventFacts,
    Facts,
    FileFacts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MessageFacts,
    MessageRef,
    MomentFacts,
    NoteFacts,
    PlaceFacts,
    ReviewFacts,
    SourceFacts,
    TopicFacts,
    VersionFacts,
    actions_to_do,
    as_json,
    findings_by_kind,
)


def at(minute: int) -> datetime:
    return datetime(2026, 11, 20, 14, minute, tzinfo=UTC)


def an_event(number: int, minute: int) -> EventFacts:
    return EventFacts(
        number=number,
        kind="decision",
        outcome="helped",
        occurred_at=at(minute),
        recorded_at=at(59),
        text="fail over",
        source="typed",
        message=MessageRef(channel_id="C1", ts="1.2"),
        comments=(CommentFacts(text="it took a while", by="U2", at=at(58)),),
        history=(ChangeFacts(what="text", from_="fail", to="fail over", by="U1", at=at(57)),),
    )


def an_action(number: int, *, due: date | None = None, state: str = "proposed") -> ActionFacts:
    return ActionFacts(number=number, text="set a limit", state=state, due=due, owner="U1", horizon="quick")


def a_finding(number: int, kind: FindingKind) -> FindingFacts:
    return FindingFacts(number=number, kind=kind, text="no limit on the pool", by="U1", at=at(30))


MESSAGE = MessageFacts(
    channel_id="C1",
    ts="1763647500.000200",
    text="rolled back",
    plain="rolled back",
    reactions={"pushpin": ("U2", "U1"), "eyes": ("U3",)},
    versions=(VersionFacts(text="rolled bakc", at=at(5)),),
    files=(FileFacts(id="F2"), FileFacts(id="F1", name="graph.png")),
)
MEETING = MeetingFacts(
    number=1,
    meets_at=at(0),
    minutes=60,
    place=PlaceFacts(channel_id="C1"),
    attendees=(AttendeeFacts(user="U2", core=True, present=False), AttendeeFacts(user="U1", core=True, present=True)),
    topics=(TopicFacts(name="opening", planned_s=180, spent_s=200),),
    notes=(NoteFacts(text="noted", by="U1", at=at(3), topic="opening"),),
)
FACTS = Facts(
    incident=IncidentFacts(
        id=7,
        team_id="T1",
        title="Checkout is slow",
        severity="sev2",
        lead="U1",
        sources=(SourceFacts(channel_id="C1", channel_name="inc-checkout", from_=at(0)),),
        moments={
            "began": MomentFacts(at=at(0), by="U1", how="set"),
            "mitigated": MomentFacts(at=at(50), by="U1", how="recorded"),
        },
        impact=Impact(customers="about 300"),
    ),
    review=ReviewFacts(stage=Stage.drafted, owner="U1", meetings=(MEETING,)),
    messages=(MESSAGE, replace(MESSAGE, ts="999999999.000100")),
    timeline=(an_event(2, 10), an_event(1, 20), an_event(3, 10)),
    findings=(a_finding(2, FindingKind.risk), a_finding(1, FindingKind.contributor)),
    actions=(an_action(12), an_action(4, due=date(2026, 12, 1))),
)


def keys(words: str) -> list[str]:
    return words.split()


def test_the_document_has_exactly_the_promised_keys() -> None:
    document = as_json(FACTS)
    incident, review, message, event = (
        document["incident"],
        document["review"],
        document["messages"][0],
        document["timeline"][0],
    )

    assert list(document) == keys("schema incident messages timeline review findings actions")
    assert list(incident) == keys("id team_id title severity lead private sources moments durations impact summary")
    assert list(incident["sources"][0]) == keys("channel_id channel_name thread_ts from to")
    assert list(incident["moments"]) == keys("began detected acknowledged mitigated resolved")
    assert list(incident["moments"]["began"]) == keys("at by how")
    assert list(message) == keys(
        "channel_id ts thread_ts user bot subtype text plain edited_at versions deleted_at missing_since reactions "
        "redactions files permalink"
    )
    assert list(message["files"][0]) == keys("id name mimetype size sha256 skipped")
    assert list(event) == keys(
        "number kind outcome occurred_at recorded_at text by source message permalink question answer comments history"
    )
    assert list(event["history"][0]) == keys("what from to by at")
    assert list(review) == keys(
        "stage facilitator scribe owner meetings pre_read_sent_at drafted_at approved_at published_at closed_at "
        "cancelled_at reason"
    )
    assert list(review["meetings"][0]) == keys(
        "number meets_at minutes place attendees recording topics notes parked scheduled_at opened_at ended_at"
    )
    assert list(document["findings"][0]) == keys("number kind sort text by at event")
    assert list(document["actions"][0]) == keys(
        "number text owner due state horizon category priority team answers second_order evidence verified_by reason "
        "message history"
    )
    assert document["actions"][0]["evidence"] == {"deployed": None, "tested": None, "documented": None}


def test_messages_come_by_ts_the_timeline_by_time_and_the_rest_by_number() -> None:
    document = as_json(FACTS)

    assert [message["ts"] for message in document["messages"]] == ["999999999.000100", "1763647500.000200"]
    assert [event["number"] for event in document["timeline"]] == [2, 3, 1]
    assert [finding["number"] for finding in document["findings"]] == [1, 2]
    assert [action["number"] for action in document["actions"]] == [4, 12]


def test_the_same_facts_give_the_same_bytes_in_whatever_order_they_came() -> None:
    shuffled = random.Random(7)
    mixed = replace(
        FACTS,
        messages=tuple(shuffled.sample(FACTS.messages, len(FACTS.messages))),
        timeline=tuple(shuffled.sample(FACTS.timeline, len(FACTS.timeline))),
        actions=FACTS.actions[::-1],
    )

    assert json.dumps(as_json(mixed)) == json.dumps(as_json(FACTS))


def test_the_document_is_plain_json() -> None:
    assert json.loads(json.dumps(as_json(FACTS))) == as_json(FACTS)


def test_times_are_utc_and_durations_are_counted_only_from_known_moments() -> None:
    incident = as_json(FACTS)["incident"]

    assert incident["moments"]["began"] == {"at": "2026-11-20T14:00:00Z", "by": "U1", "how": "set"}
    assert incident["moments"]["detected"] == {"at": None, "by": None, "how": None}
    assert incident["durations"] == {"ttd_s": None, "tta_s": None, "ttm_s": 3000, "ttr_s": None}


def test_what_is_absent_is_null_or_an_empty_list() -> None:
    document = as_json(
        Facts(incident=IncidentFacts(id=1, team_id="T1", title="x"), review=ReviewFacts(stage=Stage.open))
    )

    assert document["incident"]["impact"] == {}
    assert document["incident"]["summary"] is None
    assert document["incident"]["sources"] == document["messages"] == document["actions"] == []
    assert document["review"]["stage"] == "open"


def test_people_are_listed_in_one_order() -> None:
    document = as_json(FACTS)

    assert document["messages"][0]["reactions"] == {"eyes": ["U3"], "pushpin": ["U1", "U2"]}
    assert [attendee["user"] for attendee in document["review"]["meetings"][0]["attendees"]] == ["U1", "U2"]


def test_a_report_tells_contributors_first_and_leaves_out_what_was_not_found() -> None:
    assert list(findings_by_kind(FACTS.findings)) == [FindingKind.contributor, FindingKind.risk]


def test_actions_to_do_come_by_due_day_and_without_one_last() -> None:
    actions = (an_action(1), an_action(2, due=date(2026, 12, 9)), an_action(3, due=date(2026, 12, 1), state="done"))

    assert [action.number for action in actions_to_do(actions)] == [2, 1]
