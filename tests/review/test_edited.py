from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reports import Reports, escape_markdown
from bot.review.edited import Edits, read, unescaped
from bot.review.impact import Impact
from bot.review.lifecycle import Stage
from bot.review.naming import by_name
from bot.review.report import ActionFacts, EventFacts, Facts, FindingFacts, IncidentFacts, ReviewFacts
from bot.review.writer import write
from bot.review.written import Written
from tests.cast import NOVEMBER_18

REPORTS = Reports()


def a_report(text: str = "slow") -> Written:
    event = {"occurred_at": NOVEMBER_18, "recorded_at": NOVEMBER_18, "source": "typed"}
    facts = Facts(
        incident=IncidentFacts(
            id=1, team_id="T", title="Checkout", summary=f"{text} A.\n{text} B.\n{text} C.", impact=Impact(text=text)
        ),
        review=ReviewFacts(stage=Stage.drafted),
        timeline=(EventFacts(number=1, kind="decision", text=text, **event),),
        findings=(
            FindingFacts(number=1, kind="contributor", text=text, at=NOVEMBER_18, sort="technical", event=1),
            FindingFacts(number=2, kind="contributor", text=text, at=NOVEMBER_18),
            FindingFacts(number=3, kind="learning", text=text, at=NOVEMBER_18),
        ),
        actions=(ActionFacts(number=1, text=text, state="proposed", due=date(2026, 11, 25), answers=(1,)),),
    )
    return write(facts, called=by_name({}), zone="UTC")


def edit(*changes: tuple[str, str], text: str = "slow") -> Edits:
    """The report with these changes in it, read back; each is found where it stands first."""
    report = a_report(text)
    edited = REPORTS.markdown(report)
    for before, after in changes:
        assert before in edited
        edited = edited.replace(before, after, 1)
    return read(REPORTS.marked(report), edited)


def test_a_report_that_nobody_changed_changes_nothing():
    assert edit() == Edits({}, ())


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("**What happened:** slow A.", "**What happened:** new", "summary 1"),
        ("**How it was fixed:** slow C.", "**How it was fixed:** new", "summary 3"),
        ("- In words: slow", "- In words: new", "impact"),
        ("event 1, decision: slow", "event 1, decision: new", "event 1"),
        ("**Contributor 1** · *technical:* slow", "**Contributor 1** · *technical:* new", "finding 1"),
        ("**Contributor 2** · slow", "**Contributor 2** · new", "finding 2"),
        ("**Learning 3** · slow", "**Learning 3** · new", "finding 3"),
        ("**Action 1** · slow", "**Action 1** · new", "action 1"),
    ],
)
def test_a_text_that_was_changed_finds_back_to_its_thing(before: str, after: str, key: str):
    assert edit((before, after)) == Edits({key: "new"}, ())


def test_several_changes_are_taken_in_at_once():
    changes = (("**Contributor 2** · slow", "**Contributor 2** · a"), ("**Action 1** · slow", "**Action 1** · b"))

    assert edit(*changes).texts == {"finding 2": "a", "action 1": "b"}


def test_the_same_text_twice_may_be_changed_in_one_place_or_alike_in_both():
    twice = (("- In words: slow", "- In words: new"), ("- In words: slow", "- In words: new"))
    apart = (("- In words: slow", "- In words: new"), ("- In words: slow", "- In words: other"))

    assert edit(*twice) == Edits({"impact": "new"}, ())
    assert [one.why for one in edit(*apart).refused] == ["impact was changed in two places, each in its own way"]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("## Risks", "## Hazards", "“## Hazards” is no text that I can take in here"),
        ("No wider risk was noted.", "A new risk", "“A new risk” is no text that I can take in here"),
        ("due Wed 25 Nov 2026", "due Thu 26 Nov 2026", "“- slow (nobody, due Thu 26 Nov 2026)” is no text"),
        ("**Contributor 2** · slow", "**Contributor 7** · slow", "“- **Contributor 7** · slow” is no text"),
        ("- **Contributor 2** · slow\n", "", "“- **Contributor 2** · slow” is gone"),
        ("**Contributor 2** · slow", "**Contributor 2** · ", "finding 2 would be left without words"),
        ("## Risks\n", "## Risks\n\n- a new one\n", "“- a new one” is no text that I can take in here"),
    ],
)
def test_what_cannot_be_taken_in_is_named(before: str, after: str, why: str):
    found = edit((before, after))

    assert found.texts == {}
    assert any(why in one.why for one in found.refused)


def test_a_line_that_is_named_has_its_number():
    report = a_report()
    edited = REPORTS.markdown(report).replace("## Risks", "## Hazards")

    (refused,) = read(REPORTS.marked(report), edited).refused

    assert refused.line == edited.splitlines().index("## Hazards") + 1


def test_empty_lines_and_spaces_at_the_end_of_a_line_do_not_count():
    report = a_report()
    edited = REPORTS.markdown(report).replace("\n", "  \r\n\n")

    assert read(REPORTS.marked(report), edited) == Edits({}, ())


typed = st.text(st.sampled_from("ab1 .)_*`[]{}|~$\\#-+=>&<;\u2028"), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(text=typed)
def test_what_was_escaped_is_read_as_it_was_written(text: str):
    assert unescaped(escape_markdown(text)) == " ".join(text.replace("\u2028", " ").split())


@settings(max_examples=40, deadline=None)
@given(text=typed.filter(escape_markdown))
def test_whatever_was_written_an_unchanged_report_changes_nothing(text: str):
    assert edit(text=text) == Edits({}, ())
