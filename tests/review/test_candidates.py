import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.review.candidates import MOST_CANDIDATES, Candidate, Chatter, candidates
from bot.review.incident import ChannelId, Ts, UserId
from bot.review.signs import cues_of
from bot.review.timeline import Kind
from tests.review.marked_incidents import NAMES, measure, read

TWO = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
CHANNEL = ChannelId("C1")


def at(minutes: float) -> datetime:
    return TWO + timedelta(minutes=minutes)


def said(minutes: float, text: str, *, user: str = "UANA", reactions: int = 0, thread: str | None = None) -> Chatter:
    ts = Ts(f"{at(minutes).timestamp():.6f}")
    return Chatter(
        CHANNEL, ts, Ts(thread) if thread else None, UserId(user), is_bot=False, text=text, reactions=reactions,
        at=at(minutes),
    )  # fmt: skip


def by_program(minutes: float, text: str, program: str = "Alarm Bell") -> Chatter:
    return replace(said(minutes, text), user=None, is_bot=True, program=program)


def whys(offered: list[Candidate]) -> list[tuple[int, str]]:
    return [(int((one.at - TWO).total_seconds() // 60), one.why) for one in offered]


def test_what_is_offered_says_why_in_plain_words() -> None:
    messages = [
        by_program(0, "[FIRING] checkout latency above 2 s"),
        said(1, "looking"),
        said(2, "hm"),
        by_program(4, "web v41 deployed to production", "Deploy Train"),
        said(8, "rolled back to v40"),
        said(16, "restarting the workers"),
        said(24, "handing over to Ben, he leads from here"),
        said(32, "baskets: 3 of 9, prices: 4 of 7", reactions=4),
        said(40, "all clear, errors are gone"),
        said(42, "thanks"),
    ]

    assert whys(candidates(messages)) == [
        (0, "the first alert"),
        (4, "a deployment"),
        (8, "a rollback"),
        (16, "a restart or fail-over"),
        (24, "a hand-over"),
        (32, "many reacted to it"),
        (40, "it says that it is over"),
    ]


def test_alerts_in_quick_succession_count_as_one_from_its_first_to_its_last() -> None:
    alerts = [by_program(minute, f"[FIRING] disk {minute + 80} % full") for minute in range(12)]

    [burst] = candidates(alerts)

    assert (burst.ts, burst.why, burst.kind) == (alerts[0].ts, "a burst of alerts", Kind.automated)
    assert burst.burst
    assert (burst.burst.program, burst.burst.start, burst.burst.end) == ("Alarm Bell", at(0), at(11))
    assert burst.messages == tuple(alert.key for alert in alerts)


@pytest.mark.parametrize("apart", [6, 60])
def test_alerts_that_are_far_apart_are_no_burst(apart: int) -> None:
    alerts = [by_program(number * apart, f"[FIRING] service {chr(97 + number)} is down") for number in range(3)]

    assert [one.burst for one in candidates(alerts)] == [None, None, None]


def test_alerts_of_different_programs_are_no_burst() -> None:
    alerts = [by_program(number, "[FIRING] disk is full", f"Watch {number}") for number in range(3)]

    assert all(one.burst is None for one in candidates(alerts))


@pytest.mark.parametrize(
    "text",
    ["shall we roll it back?", "we have not restarted anything", "if we've rolled back we can look", "> rolled back"],
)
def test_what_is_asked_denied_or_quoted_tells_of_nothing(text: str) -> None:
    assert cues_of(text) == []


def test_a_short_yes_to_a_question_is_where_things_are_decided() -> None:
    messages = [said(0, "hello all"), said(10, "shall i turn it off?"), said(11, "yes, please do", user="UBEN")]

    assert (11, "a go-ahead") in whys(candidates(messages))


def test_greetings_and_single_words_are_left_out() -> None:
    words = ["hi", "thanks all", "ok", "lol", "one moment", "looking", "nice", "which one?"]

    offered = candidates([said(minute * 3, text) for minute, text in enumerate(["the shop is slow", *words])])

    assert whys(offered) == [(0, "the first word about it")]


def test_in_a_crowd_the_arrivals_give_way_to_what_was_done() -> None:
    arrivals = [said(minute * 10, "here too", user=f"U{minute}") for minute in range(60)]
    deeds = [said(600 + minute * 10, "restarted a node", user="U1") for minute in range(10)]

    offered = candidates([*deeds, *arrivals])

    assert sum(one.why == "a restart or fail-over" for one in offered) == 10
    assert len(offered) <= MOST_CANDIDATES
    assert [one.at for one in offered] == sorted(one.at for one in offered)


def test_a_long_incident_is_covered_from_end_to_end() -> None:
    loud = [said(minute * 10, "restarted the node, errors from 9 to 4 %", reactions=4) for minute in range(100)]
    quiet = [said(1_000 + minute * 10, "deployed the fix to one region") for minute in range(60)]

    offered = candidates([*loud, *quiet])

    assert len(offered) == MOST_CANDIDATES
    assert any(one.at >= at(1_000) for one in offered)


def test_two_words_of_one_moment_give_way_to_another_moment() -> None:
    of_one = [said(minute / 4, f"restarting node {minute}") for minute in range(100)]
    another = said(600, "restarting the gateway")

    assert another.ts in {one.ts for one in candidates([*of_one, another])}


def test_the_surest_are_suggested() -> None:
    offered = candidates(
        [said(0, "the shop is slow"), said(10, "rolled back to v40"), said(30, "the cache has 3 of 9")]
    )

    assert {one.why for one in offered if one.is_sure} == {"a rollback"}


def test_without_messages_there_is_nothing_to_offer() -> None:
    assert candidates([]) == []


@pytest.mark.parametrize("name", NAMES)
def test_of_what_people_marked_by_hand_four_fifths_are_offered(name: str) -> None:
    marked = read(name)

    held = measure(marked, marked.offered())

    assert held.offered <= MOST_CANDIDATES
    assert held.share >= 0.8


@pytest.mark.parametrize("name", NAMES)
def test_forty_messages_at_random_hold_far_fewer_marks(name: str) -> None:
    marked = read(name)
    every = [Candidate(one.channel, one.ts, one.at, "", kind=Kind.note, score=0) for one in marked.messages]

    held = measure(marked, random.Random(4).sample(every, MOST_CANDIDATES))

    assert held.share < 0.5


@pytest.mark.parametrize("part", ["\n", "x", "x ", "1. ", "<@UANA> ", "rolled back ", "[", "http://", "?"])
def test_one_endless_message_keeps_nobody_waiting(part: str) -> None:
    """Quadratic, it would take minutes and meet the time limit of a test."""
    endless = (part * 200_000)[:200_000]

    assert len(candidates([said(0, endless)])) <= 1
