"""The same facts in every format: what one of them tells, the others tell, too."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from bot.reports import Reports
from bot.review.impact import Impact
from bot.review.incident import in_words
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import (
    ActionFacts,
    CommentFacts,
    EventFacts,
    EvidenceFacts,
    Facts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MomentFacts,
    NoteFacts,
    ReviewFacts,
    TopicFacts,
    as_json,
)
from bot.review.spreadsheet import actions_as_csv
from bot.review.writer import write
from bot.review.written import Written
from tests.cast import NOVEMBER_18

NAMES = {"U0MARA": "Mara", "U0TOMAS": "Tomas"}
KINDS = ("detection", "automated", "automated", "automated", "automated", "decision", "mitigation", "handover", "note")
UNTOLD = {"history", "pre_read_sent_at", "drafted_at", "approved_at", "published_at", "closed_at", "cancelled_at"} | {
    "recorded_at",
    "scheduled_at",
    "sources",
    "comments",
    "notes",
    "parked",
}
"""What the document keeps for programs; of comments and notes the reader is told the words, not the minute."""


def minutes(count: float) -> datetime:
    return NOVEMBER_18 + timedelta(minutes=count)


def all_facts() -> Facts:
    events = tuple(
        EventFacts(
            number=number,
            kind=kind,
            outcome=("helped", "worse", None)[number % 3] if kind != "automated" else None,
            occurred_at=minutes(number * 137),
            recorded_at=minutes(number * 137),
            text=f"event text {number}",
            by="U0TOMAS",
            source="typed",
            question=f"question of {number}" if kind == "decision" else None,
            answer=f"answer to {number}" if kind == "decision" else None,
            comments=(CommentFacts(text=f"comment on {number}", by="U0MARA", at=minutes(1)),) if number == 9 else (),
        )
        for number, kind in enumerate(KINDS, 1)
    )
    findings = tuple(
        FindingFacts(number=number, kind=kind, text=f"finding text {number}", by="U0MARA", at=minutes(0), event=6)
        for number, kind in enumerate(("contributor", "mitigator", "risk", "learning", "dissent", "question"), 1)
    )
    actions = tuple(
        ActionFacts(
            number=number,
            text=f"action text {number}",
            owner="U0TOMAS",
            due=date(2026, 12, number),
            state=state,
            horizon="long",
            category="process",
            priority="high",
            team="payments",
            answers=(number,),
            second_order=f"effect of {number}",
            evidence=EvidenceFacts(deployed=f"change {number}", tested=f"test {number}", documented=f"page {number}"),
            verified_by="U0MARA",
            reason=f"reason of {number}",
        )
        for number, state in enumerate(("proposed", "committed", "blocked", "done", "declined"), 1)
    )
    moments = {
        name: MomentFacts(at=minutes(count), by="U0MARA", how="set")
        for name, count in (("began", 0), ("detected", 12), ("mitigated", 211), ("resolved", 4_000))
    }
    meeting = MeetingFacts(
        number=1,
        meets_at=minutes(5_000),
        opened_at=minutes(5_001),
        ended_at=minutes(5_058),
        topics=(TopicFacts(name="opening", planned_s=180, spent_s=420),),
        notes=(NoteFacts(text="noted words", by="U0MARA", at=minutes(5_002), topic="opening"),),
        parked=(NoteFacts(text="parked words", by="U0TOMAS", at=minutes(5_003), topic="opening"),),
        recording="https://example.com/watch/42",
    )
    impact = Impact(customers="one in five", regions=("Europe",), services=("checkout",), inquiries=212, text="felt")
    incident = {"title": "Checkout latency", "severity": "sev1", "lead": "U0MARA", "moments": moments, "impact": impact}
    return Facts(
        incident=IncidentFacts(id=7, team_id="T", summary="It was slow.\nBuyers waited.\nRolled back.", **incident),
        review=ReviewFacts(stage=Stage.published, facilitator="U0TOMAS", meetings=(meeting,)),
        timeline=events,
        findings=findings,
        actions=actions,
    )


FACTS = all_facts()
WRITTEN = write(FACTS, called=by_name(NAMES), zone="Europe/Berlin")
DOCUMENT: Any = json.loads(json.dumps(as_json(FACTS)))


class Words(HTMLParser):
    """What is read of a page, and the moments behind its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words = ""
        self.moments: set[str] = set()
        self.feed(page.partition("</head>")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        moment = dict(attrs).get("datetime")
        self.moments |= {moment} if moment else set()

    def handle_data(self, data: str) -> None:
        self.words += data


def markdown_words(report: Written) -> str:
    tokens = MarkdownIt("commonmark").enable("table").parse(Reports().markdown(report))
    return "\n".join(part.content for token in tokens for part in token.children or () if part.type == "text")


FORMATS = {"markdown": markdown_words(WRITTEN), "html": Words(Reports().html(WRITTEN)).words}


def leaves(part: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, inner in part.items():
            if name not in UNTOLD:
                yield from leaves(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from leaves(inner, key)
    elif part is not None:
        yield key, part


TOLD = {"title", "severity", "customers", "regions", "services", "inquiries", "text", "answer", "question", "team"} | {
    "second_order",
    "reason",
    "deployed",
    "tested",
    "documented",
    "recording",
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_word_of_the_document_is_read_in_the_report(form: str):
    words = [str(value) for key, value in leaves(DOCUMENT) if key in TOLD]

    assert len(words) >= 60
    assert [word for word in words if word not in FORMATS[form]] == []
    for sentence in FACTS.incident.summary.splitlines() if FACTS.incident.summary else ():
        assert sentence in FORMATS[form]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("words", ["comment on 9", "noted words", "parked words", "Mara", "Tomas", "7 min", "57 min"])
def test_what_was_said_about_it_and_who_and_how_long_is_read_in_the_report(form: str, words: str):
    assert words in FORMATS[form]


@pytest.mark.parametrize("form", FORMATS)
def test_every_length_of_the_document_is_read_with_its_formula(form: str):
    known = {key: seconds for key, seconds in DOCUMENT["incident"]["durations"].items() if seconds is not None}

    assert set(known) == {"ttd_s", "ttm_s", "ttr_s"}
    for key, seconds in known.items():
        assert in_words(seconds) in FORMATS[form]
        assert f"{key[:3].upper()} = " in FORMATS[form]
    assert "nobody has said when it was acknowledged" in FORMATS[form]


def test_every_moment_of_the_document_is_read_in_the_report():
    moments = {str(value) for _, value in leaves(DOCUMENT) if re.fullmatch(r"\d{4}-.*Z", str(value))}

    told = Words(Reports().html(WRITTEN)).moments

    assert len(moments) > 15
    assert {moment for moment in moments if moment not in told} == set(), "the page"
    for moment in moments:
        assert f"{moment[11:16]} UTC" in FORMATS["markdown"]


def test_the_table_of_actions_tells_what_the_document_tells():
    rows = list(csv.DictReader(io.StringIO(actions_as_csv(WRITTEN))))

    for row, action in zip(rows, DOCUMENT["actions"], strict=True):
        assert (row["number"], row["action"], row["due"]) == (str(action["number"]), action["text"], action["due"])
        assert (row["reason"], row["deployed"]) == (action["reason"], action["evidence"]["deployed"])
        assert (row["state"], row["owner"]) == (action["state"].replace("_", " "), "Tomas")


def test_a_number_that_only_one_format_changed_would_be_found():
    changed = Reports().markdown(WRITTEN).replace("3 h 31 min", "3 h 30 min")

    assert in_words(DOCUMENT["incident"]["durations"]["ttm_s"]) not in changed
