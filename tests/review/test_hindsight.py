"""What was not yet known when something was decided."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.review.hindsight import Archive, Said
from tests.review.hindsight_examples import EXAMPLES

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def told(lines: Sequence[str], start: int) -> list[Said]:
    return [
        Said(start + number, TWO + timedelta(minutes=start + number), "UANA", line.removeprefix("! "))
        for number, line in enumerate(lines)
    ]


@pytest.mark.parametrize(("before", "decision", "after"), EXAMPLES, ids=[words for _, words, _ in EXAMPLES])
def test_what_was_known_only_later_is_told_and_nothing_else(before: list[str], decision: str, after: list[str]) -> None:
    said = told([*before, decision, *after], 0)

    later = Archive(said).later(said[len(before)])

    assert [one.text for one in later] == [line.removeprefix("! ") for line in after if line.startswith("! ")]


# Forty planted decisions ----------------------------------------------------------------------

PLANTED = json.loads((Path(__file__).parent / "incidents" / "decisions.json").read_text())["decisions"]
BUILD, HELD_OUT = PLANTED[:20], PLANTED[20:]
"""The rules were mended on misses of the first half; nobody who wrote them has read the second."""


def judged(planted: Sequence[dict[str, Any]]) -> tuple[int, list[str], list[str]]:
    """How many are marked, which are missed, and what was marked wrongly."""
    missed: list[str] = []
    wrong: list[str] = []
    for one in planted:
        decision, planted_at = heard(one["decision"]), set(map(datetime.fromisoformat, one["known_later"]))
        said = [*map(heard, one["before"]), decision, *map(heard, one["after"])]
        found = Archive(said).later(decision)
        if not planted_at & {later.at for later in found}:
            missed.append(decision.text)
        wrong += [f"{decision.text} → {later.text}" for later in found if later.at not in planted_at]
    return len(planted) - len(missed), missed, wrong


def heard(message: dict[str, str]) -> Said:
    return Said(None, datetime.fromisoformat(message["at"]), message["user"], message["text"])


@pytest.mark.parametrize(
    ("half", "marked", "wrongly"), [(BUILD, 20, 0), (HELD_OUT, 18, 1)], ids=["built with", "held out"]
)
def test_planted_decisions_are_marked_with_what_was_known_only_later(
    half: Sequence[dict[str, Any]], marked: int, wrongly: int
) -> None:
    found, missed, wrong = judged(half)

    sys.stdout.writelines(f"{words}\n" for words in (*missed, *wrong))
    assert found >= marked
    assert len(wrong) <= wrongly


# Each rule by itself ------------------------------------------------------------------------

DECISION = "Let's roll back checkout to v317"
LATER = "v318 was not the problem, the database had lost an index on Monday"


def found_after(*after: str, before: Sequence[str] = ("v318 went out",)) -> list[str]:
    said = told([*before, DECISION, *after], 0)
    return [later.text for later in Archive(said).later(said[len(before)])]


def test_what_had_been_said_before_is_no_later_knowledge() -> None:
    assert found_after(LATER) == [LATER]
    assert found_after(LATER, before=[LATER]) == []


@pytest.mark.parametrize(
    "words",
    [
        "was v318 really the problem, or had the database lost an index on Monday?",
        "maybe v318 was not the problem, and the database had lost an index on Monday",
        "let's check whether the database had lost an index before v318",
        "checkout: rolling back to v317 on all pods of both regions",
        "rolled back checkout to v317, took four minutes on the slow region",
        "checkout v317 is live in both regions and on the canary",
        "ok, v317 then",
    ],
)
def test_questions_guesses_plans_and_what_carries_it_out_are_no_later_knowledge(words: str) -> None:
    assert found_after(words) == []


@pytest.mark.parametrize(
    "words",
    [
        "checkout p95 is 300 ms on v317",
        "v317 serves all traffic, no errors in ten minutes",
        "checkout v317 pods were all ready at 14:12, rollout took 6 minutes",
        "checkout answers again on v317, 40 ms from berlin",
        "graph of checkout is flat since 14:20, customers can pay again",
    ],
)
def test_how_it_went_since_is_no_later_knowledge(words: str) -> None:
    assert found_after(words) == []


def test_nothing_is_said_where_nothing_bears_on_the_decision() -> None:
    assert found_after("the vpn of the sales team was down because their contract had ended") == []
    assert Archive([]).later(Said(None, TWO, None, DECISION)) == []


def test_at_most_three_pieces_are_shown_in_order_of_time() -> None:
    facts = [
        f"v318 of checkout had {what}"
        for what in (
            "opened 40 connections to the database of orders",
            "dropped the index that the reports of finance need",
            "logged the addresses of customers in plain text",
            "kept the session cookies of partners for a year",
            "doubled the memory that images take in the cache",
        )
    ]

    shown = found_after(*facts)

    assert len(shown) == 3
    assert shown == [fact for fact in facts if fact in shown]


def test_what_says_the_same_again_is_shown_once() -> None:
    assert found_after(LATER, f"again: {LATER}") == [LATER]


@pytest.mark.parametrize("part", ["x", "é", "x/", "1-", "a'", "v1.", "hall 3 ", "\n", "```"])
def test_one_endless_word_keeps_nobody_waiting(part: str) -> None:
    """Quadratic, it would take minutes and meet the time limit of a test."""
    endless = (part * 200_000)[:200_000]

    assert found_after(endless) == []
