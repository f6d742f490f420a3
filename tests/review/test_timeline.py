from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.incident import ChannelId, Ts, UserId
from bot.review.refusal import UnknownKind
from bot.review.timeline import (
    MOST_CANDIDATES,
    Candidate,
    Chatter,
    Kind,
    candidates,
    guess_kind,
    read_kind,
)

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
CHANNEL = ChannelId("C1")


def at(minutes: int) -> datetime:
    return TWO + timedelta(minutes=minutes)


def said(minutes: int, text: str, *, user: str = "UANA", reactions: int = 0) -> Chatter:
    ts = Ts(f"{minutes}.0")
    return Chatter(CHANNEL, ts, None, UserId(user), is_bot=False, text=text, reactions=reactions, at=at(minutes))


def by_program(minutes: int, text: str) -> Chatter:
    return replace(said(minutes, text), user=None, is_bot=True)


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


def test_candidates_are_alerts_changes_recoveries_handovers_arrivals_and_what_many_reacted_to() -> None:
    messages = [
        by_program(0, "[FIRING] checkout latency above 2 s"),
        said(1, "looking"),
        said(2, "hm"),
        said(3, "here too", user="UBEN"),
        said(4, "deployed 1.4.3 at 13:50"),
        said(5, "rolled back"),
        said(6, "restarting workers"),
        said(7, "handing over to Ben"),
        said(8, "cart is empty for 3 % of users", reactions=4),
        said(9, "all clear"),
        said(10, "thanks"),
    ]

    assert candidates(messages) == [
        Candidate(CHANNEL, Ts("0.0"), "an alert"),
        Candidate(CHANNEL, Ts("1.0"), "their first word here"),
        Candidate(CHANNEL, Ts("3.0"), "their first word here"),
        Candidate(CHANNEL, Ts("4.0"), "a deployment"),
        Candidate(CHANNEL, Ts("5.0"), "a rollback"),
        Candidate(CHANNEL, Ts("6.0"), "a restart or fail-over"),
        Candidate(CHANNEL, Ts("7.0"), "a hand-over"),
        Candidate(CHANNEL, Ts("8.0"), "many reacted to it"),
        Candidate(CHANNEL, Ts("9.0"), "a recovery"),
    ]


def test_an_alert_that_keeps_firing_is_offered_once() -> None:
    messages = [by_program(minute, f"[FIRING] disk {minute + 80} % full") for minute in range(9)]

    assert [candidate.ts for candidate in candidates(messages)] == ["0.0"]


def test_in_a_crowd_the_arrivals_give_way_to_what_was_done() -> None:
    arrivals = [said(minute, "hi", user=f"U{minute}") for minute in range(60)]
    deeds = [said(100 + minute, "restarted a node", user="U1") for minute in range(10)]

    offered = candidates([*deeds, *arrivals])

    assert len(offered) == MOST_CANDIDATES
    assert sum(candidate.why == "a restart or fail-over" for candidate in offered) == 10
    assert [candidate.ts for candidate in offered] == sorted((c.ts for c in offered), key=float)
