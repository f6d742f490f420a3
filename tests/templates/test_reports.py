import re
from base64 import b64encode
from datetime import UTC, date, datetime
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.reports import Reports, escape_markdown, link_markdown
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
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
from bot.review.writer import EMPTY, write
from bot.review.written import Link, Written

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


REPORTS = Reports()


def a_report(text: str) -> str:
    return REPORTS.markdown(written(text))


def a_page(text: str) -> str:
    return REPORTS.html(written(text))


def written(text: str) -> Written:
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
            summary=f"A summary of many lines\n\n\n{text}",
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
    return write(facts, called=by_name({"U0MARA": text}), zone="Europe/Berlin")


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
@given(text=typed.filter(escape_markdown))
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


def test_a_link_is_written_with_its_label_escaped():
    assert link_markdown(Link(url="https://example.com/a_b", label="a [b]")) == "[a \\[b\\]](<https://example.com/a_b>)"


def test_mentions_and_links_are_spelt_out():
    incident = IncidentFacts(id=1, team_id="T", title="Slow", summary="<@U0MARA> saw <https://example.com/a|a graph>")
    facts = Facts(incident=incident, review=ReviewFacts(stage=Stage.open))

    report = REPORTS.markdown(write(facts, called=by_name({"U0MARA": "Mara"}), zone="UTC"))

    assert "**What happened:** @Mara saw https://example.com/a\n" in report


def test_people_in_the_words_of_a_message_are_named_and_hands_have_no_colour():
    text = "@U0MARA, @U0UNKNOWN: see a@U0MARA.example :point_left::skin-tone-4: :wave:"
    event = {"number": 1, "kind": "note", "occurred_at": AT, "recorded_at": AT, "source": "message"}
    incident = IncidentFacts(id=1, team_id="T", title="Slow for @U0MARA")
    facts = Facts(incident=incident, review=ReviewFacts(stage=Stage.open), timeline=(EventFacts(text=text, **event),))

    report = REPORTS.markdown(write(facts, called=by_name({"U0MARA": "Mara"}), zone="UTC"))

    assert ", note: @Mara, @U0UNKNOWN: see a@U0MARA.example :point_left: :wave:\n" in report
    assert report.startswith("# Slow for @Mara\n")


def capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def test_an_unfinished_report_says_what_is_missing():
    facts = Facts(incident=IncidentFacts(id=1, team_id="T", title="Slow"), review=ReviewFacts(stage=Stage.open))

    report = REPORTS.markdown(write(facts, called=by_name({}), zone="UTC"))

    assert [line for line in report.splitlines() if re.match(r"[A-Z].*\.$", line)] == [
        "Nobody has written the summary yet.",
        "Nobody has described the impact yet.",
        "Too few moments are known to say.",
        "Nothing was noted as a learning.",
        "No action is open.",
        "Nobody has described the impact yet.",
        "Nothing is on the timeline.",
        *(sentence for kind in FindingKind for sentence in (capital(kind.meaning), EMPTY[kind])),
        "No action was proposed. That can be the right outcome.",
        "Nobody holds a role.",
        "No meeting was held with the bot.",
    ]


# HTML


class Shape(HTMLParser):
    """What a browser makes of a page, without the words: every tag with its attributes, but for numbers and times."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {sorted(attrs)}")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


ONE_WORD_PAGE = Shape(a_page("word")).tags
ATTRIBUTES = [
    '" onmouseover="alert(1)',
    "' autofocus onfocus=alert(1) x='",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}",
]


@pytest.mark.parametrize("text", [*HOSTILE, *ATTRIBUTES])
def test_what_people_wrote_makes_no_tag_and_no_attribute(text: str):
    assert Shape(a_page(text)).tags == ONE_WORD_PAGE


@settings(max_examples=40, deadline=None)
@given(text=typed.filter(escape_markdown))
def test_nothing_that_anybody_can_type_changes_the_page(text: str):
    assert Shape(a_page(text)).tags == ONE_WORD_PAGE


def test_without_escaping_the_page_would_be_changed():
    class Trusting(Reports):
        def __init__(self) -> None:
            super().__init__()
            self._html = self._environment(autoescape=False)

    assert Shape(Trusting().html(written("<b>word</b>"))).tags != ONE_WORD_PAGE


def test_what_people_wrote_is_read_on_the_page_as_they_wrote_it():
    assert "a <b> & {{ 7 }}\nsecond line" in "".join(Shape(a_page("a <b> & {{ 7 }}\nsecond line")).words)


def test_the_page_may_load_run_and_send_nothing_and_only_its_own_styles_count():
    drawing = "<svg><style>circle { fill: none }</style><circle/></svg>"

    page = REPORTS.html(written("word"), {"wide": drawing})

    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digests = [sha256(style.encode()).digest() for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)]
    allowed = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    assert len(digests) == 2
    assert unescape(policy) == f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
    assert not re.search(r"<script|<link|<img|@import|url\(| style=", page)
