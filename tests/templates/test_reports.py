import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.render import Reports, both_clocks, escape_markdown, link_markdown, quote_markdown
from bot.reporting import report_of
from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.report import (
    ActionFacts,
    CommentFacts,
    EventFacts,
    Facts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MomentFacts,
    NoteFacts,
    ReviewFacts,
)

AT = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "# Heading",
    "text\n# Heading",
    "text\n=====",
    "text\n---",
    "| a | b |\n| --- | --- |",
    "a | b",
    "[click](https://evil.example.com)",
    "![image](https://evil.example.com/x.png)",
    "**bold** _it_ `code` ~~gone~~",
    "```\nfence",
    "> quote",
    "- item\n- item",
    "1. item",
    "    code",
    "&lt;b&gt; &amp;",
    "<!-- comment",
    "[a]: https://evil.example.com",
    "back\\slash\\",
    "trailing  ",
    "line\u2028separator",
    "\u202eright to left",
    "\x00\x07\x1b[31m",
    "<@U0MARA> and <https://example.com/a_b_c|there>",
]
typed = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=1, max_size=4).map("".join)


def a_report(text: str) -> str:
    """A report in which everything a person may write is this text."""
    noted = (NoteFacts(text=text, by="U0MARA", at=AT, topic="opening"),)
    comments = (CommentFacts(text=text, by="U0MARA", at=AT),)
    event = {"number": 1, "kind": "decision", "occurred_at": AT, "recorded_at": AT, "source": "typed"}
    facts = Facts(
        incident=IncidentFacts(
            id=1,
            team_id="T",
            title=text,
            severity="sev2",
            lead="U0MARA",
            impact=Impact(customers=text, services=(text,), text=text),
            summary=text,
            moments={"began": MomentFacts(at=AT, by="U0MARA", how="set")},
        ),
        review=ReviewFacts(stage=Stage.drafted, meetings=(MeetingFacts(number=1, notes=noted, parked=noted),)),
        timeline=(EventFacts(text=text, question=text, answer=text, comments=comments, **event),),
        findings=tuple(
            FindingFacts(number=number, kind=kind, text=text, by="U0MARA", at=AT)
            for number, kind in enumerate(("contributor", "mitigator", "risk", "learning", "dissent", "question"))
        ),
        actions=(
            ActionFacts(number=1, text=text, owner="U0MARA", due=date(2026, 11, 25), state="blocked", reason=text),
        ),
    )
    return report_of(facts, names={"U0MARA": text}, zone="Europe/Berlin")


def tokens(markdown: str) -> list[Token]:
    parsed = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [inner for token in parsed for inner in (token, *(token.children or ()))]


def shape(markdown: str) -> list[str]:
    """What a reader's program makes of it, without the words."""
    kept = (
        "heading",
        "table",
        "tr",
        "th",
        "td",
        "bullet",
        "ordered",
        "list",
        "html",
        "image",
        "code",
        "fence",
        "hr",
        "s_",
    )
    return [f"{token.type}{token.tag}" for token in tokens(markdown) if token.type.startswith(kept)]


ONE_WORD = shape(a_report("word"))


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_wrote_changes_no_heading_table_or_list(text: str):
    assert shape(a_report(text)) == ONE_WORD


@settings(max_examples=60, deadline=None)
@given(text=typed.filter(lambda text: text.strip() and escape_markdown(text)))
def test_nothing_that_anybody_can_type_changes_the_shape(text: str):
    assert shape(a_report(text)) == ONE_WORD


@pytest.mark.parametrize("text", HOSTILE)
def test_a_report_holds_no_html_and_no_link_but_our_own(text: str):
    found = tokens(a_report(text))

    assert [token.type for token in found if token.type.startswith(("html", "image", "link"))] == []


def words(markdown: str) -> str:
    return "".join(token.content for token in tokens(markdown) if token.type == "text")


@pytest.mark.parametrize("text", ["a_b_c *x* | y", "1. first", "# 7 & <b>", "C:\\temp\\", "50 % ~ [ok]", "snake_case_"])
def test_what_people_wrote_is_read_as_they_wrote_it(text: str):
    assert words(escape_markdown(text)) == text


def test_an_address_stays_one():
    assert escape_markdown("see https://example.com/a_b-c/d.html?x=1") == "see https://example.com/a_b-c/d.html?x=1"


def test_a_quotation_keeps_its_lines():
    assert quote_markdown("one\n# two\n\nthree") == "> one  \n> \\# two  \n>   \n> three"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://x y", "https://x>y", None])
def test_only_clean_web_addresses_are_linked(url: str | None):
    assert link_markdown(url, "page") == "page"


@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        (AT, "UTC", "2026-11-18 14:05 UTC"),
        (AT, "Europe/Berlin", "2026-11-18 14:05 UTC (15:05 CET)"),
        (AT, "Pacific/Auckland", "2026-11-18 14:05 UTC (2026-11-19 03:05 NZDT)"),
        (None, "UTC", "not known"),
    ],
)
def test_moments_are_said_in_utc_and_in_the_leads_zone(at: datetime | None, zone: str, said: str):
    assert both_clocks(at, zone) == said


def test_mentions_and_links_are_spelt_out():
    incident = IncidentFacts(id=1, team_id="T", title="Slow", summary="<@U0MARA> saw <https://example.com/a|a graph>")
    facts = Facts(incident=incident, review=ReviewFacts(stage=Stage.open))

    report = report_of(facts, names={"U0MARA": "Mara"}, zone="UTC")

    assert "> @Mara saw https://example.com/a\n" in report


def test_people_in_the_words_of_a_message_are_named_and_hands_have_no_colour():
    text = "@U0MARA, @U0UNKNOWN: see a@U0MARA.example :point_left::skin-tone-4: :wave:"
    event = {"number": 1, "kind": "note", "occurred_at": AT, "recorded_at": AT, "source": "message"}
    incident = IncidentFacts(id=1, team_id="T", title="Slow for @U0MARA")
    facts = Facts(incident=incident, review=ReviewFacts(stage=Stage.open), timeline=(EventFacts(text=text, **event),))

    report = report_of(facts, names={"U0MARA": "Mara"}, zone="UTC")

    assert "· @Mara, @U0UNKNOWN: see a@U0MARA.example :point_left: :wave:\n" in report
    assert report.startswith("# Slow for @Mara\n")


def test_an_unfinished_report_says_what_is_missing():
    facts = Facts(incident=IncidentFacts(id=1, team_id="T", title="Slow"), review=ReviewFacts(stage=Stage.open))

    report = report_of(facts, names={}, zone="UTC")

    assert [line for line in report.splitlines() if re.match(r"[A-Z].*\.$", line)] == [
        "Nobody has written the summary yet.",
        "Nobody has described the impact yet.",
        "Too few moments are known to say.",
        "Nothing was noted as a learning.",
        "No action is open.",
        "The timeline is empty.",
        "A condition that made the incident possible or worse.",
        "None was noted.",
        "What kept it smaller: a control, a circumstance, something a person did.",
        "None was noted.",
        "A wider hazard that it brought to light.",
        "None was noted.",
        "Something we now understand better about the system or the response.",
        "None was noted.",
        "A view that differs from the others, kept as it was said.",
        "None was noted.",
        "What nobody in the room knew.",
        "None was noted.",
        "No action was proposed. That is a valid outcome.",
        "Nobody holds a role.",
        "No meeting was held with the bot.",
    ]


def test_the_renderer_refuses_a_template_that_lacks_a_fact():
    with pytest.raises(Exception, match="undefined"):
        Reports().render("report.md", names={}, zone="UTC", facts=dict[str, Any]())
