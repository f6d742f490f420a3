from datetime import timedelta

import pytest

from bot.review.incident import UserId
from bot.review.policy import DEFAULT, Asked, Depth, Policy, Pool, Sharing


@pytest.mark.parametrize(
    ("severity", "asked"),
    [
        ("sev1", Asked(Depth.full, minutes=90, briefing=True, private_question=True)),
        ("sev2", Asked(Depth.full, private_question=True)),
        ("sev3", Asked(Depth.light)),
        ("sev4", Asked(Depth.none)),
    ],
)
def test_a_severity_says_how_much_of_a_review_it_asks_for(severity: str, asked: Asked):
    assert DEFAULT.asked_for(severity) == asked


def test_an_incident_without_a_severity_gets_a_full_review():
    assert DEFAULT.asked_for(None) == Asked(Depth.full)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1, "an hour"), (2, "2 hours"), (24, "a day"), (25, "25 hours"), (36, "36 hours"), (48, "2 days")],
)
def test_how_long_before_the_meeting_the_pre_read_comes_is_said_in_days_where_they_are_whole(hours: int, words: str):
    assert Policy(pre_read_lead=timedelta(hours=hours)).pre_read_words == words


def test_the_window_is_said_in_hours():
    assert DEFAULT.window_words == "48 to 72 hours"


def test_everybody_whom_a_policy_names_is_known_once():
    names = [UserId(f"U{number}") for number in range(8)]
    pools = (Pool(people=(name,)) for name in names[3:6])

    policy = Policy(
        escalation=(names[0],),
        sharing=Sharing(people=(names[1],), managers=(names[2], names[0])),
        **dict(zip(("leaders", "facilitators", "scribes"), pools, strict=True)),
        business={"support": (names[6], names[1]), "sales": (names[7],)},
    )

    assert sorted(policy.people) == names


def test_what_was_set_here_is_told_of_the_severity_it_is_set_for():
    given = frozenset({"severities.sev1.minutes", "severities.unknown.review", "leaders.people", "soak_days"})
    policy = Policy(given=given)

    assert policy.own("sev1") == ("its length", "the briefing of leaders", "the days before promises")
    assert policy.own("sev2") == ("the briefing of leaders", "the days before promises")
    assert policy.own(None) == ("how much of a review", "the briefing of leaders", "the days before promises")
    assert DEFAULT.own("sev1") == ()
