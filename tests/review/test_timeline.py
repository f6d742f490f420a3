import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.refusal import UnknownKind
from bot.review.timeline import (
    Kind,
    guess_kind,
    read_kind,
)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("decision", Kind.decision),
        ("Action taken", Kind.action_taken),
        ("action_taken", Kind.action_taken),
        ("action", Kind.action_taken),
        ("hand-over", Kind.handover),
        ("handover", Kind.handover),
        (" NOTE ", Kind.note),
    ],
)
def test_a_kind_is_read_as_it_is_said(words: str, kind: Kind) -> None:
    assert read_kind(words) is kind


def test_an_unknown_kind_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownKind) as refused:
        read_kind("outage")

    assert "`detection`" in refused.value.sentence()
    assert "`action taken`" in refused.value.sentence()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_label_is_read_back_as_its_kind(kind: Kind) -> None:
    assert read_kind(kind.label) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I'm handing over to Ben, all notes are pinned", Kind.handover),
        ("Cai is now the lead", Kind.handover),
        ("We decided to fail over to eu-west", Kind.decision),
        ("let's roll back the 13:50 deploy", Kind.decision),
        ("we decided not to restart the primary", Kind.decision),
        ("decision:\n• scale checkout to 18 pods\n• reverse the migration", Kind.decision),
        ("mitigated, checkout works again", Kind.mitigation),
        ("Error rate is back to normal.", Kind.mitigation),
        ("checkout is back.", Kind.mitigation),
        ("status page updated", Kind.communication),
        ("Published: status page. Next update 15:05", Kind.communication),
        ("I have informed support and told customers on the phone", Kind.communication),
        ("rolled back to 1.4.2", Kind.action_taken),
        ("restarting the workers now", Kind.action_taken),
        ("alert fired for checkout latency", Kind.detection),
        ("anyone else seeing 500s?", Kind.detection),
        ("customers report empty carts", Kind.detection),
        ("looks like the pool is exhausted", Kind.diagnosis),
        ("found something. 797 of 800 connections are in use", Kind.diagnosis),
        ("the logs show timeouts to the database", Kind.diagnosis),
    ],
)
def test_a_plain_message_gets_its_kind(text: str, kind: Kind) -> None:
    assert guess_kind(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "should we roll it back?",
        "is it mitigated?",
        "not mitigated yet",
        "we haven't restarted anything",
        "once we've rolled back we can look at it",
        "> rolled back to 1.4.2",
        "see `restarted` in the log",
        "<https://wiki/restarted|runbook>",
        "thanks all",
        "let's see",
        "I'll be back in five",
        "ok",
        "",
    ],
)
def test_when_unsure_it_is_a_note(text: str) -> None:
    assert guess_kind(text) is Kind.note


@given(st.text())
def test_any_text_has_a_kind(text: str) -> None:
    assert guess_kind(text) in Kind
