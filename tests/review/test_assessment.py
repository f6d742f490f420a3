from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.assessment import FROM_GRAVEST, PROLONGED, QUESTIONS, QUICK, Assessment, propose
from bot.review.incident import Severity

ANSWERS = {name: tuple(question.answers) for name, question in QUESTIONS.items()}
MILD = {name: words[0] for name, words in ANSWERS.items()}


def assessed(**answers: str) -> Assessment:
    return Assessment.from_json(MILD | answers)


@pytest.mark.parametrize(
    ("answers", "severity", "reasons"),
    [
        ({"customers": "most"}, "sev1", ("most customers felt it",)),
        ({"customers": "some"}, "sev2", ("some customers felt it",)),
        ({"customers": "inside"}, "sev3", ("only people who work here felt it",)),
        (
            {},
            "sev4",
            ("nobody felt it", "no data was lost", "nobody saw or did what they should not"),
        ),
        ({"data": "lost"}, "sev1", ("data is lost or wrong for good",)),
        ({"data": "mended"}, "sev2", ("data was lost or wrong for a while",)),
        ({"security": "yes"}, "sev1", ("somebody could see or do what they should not",)),
        ({"security": "perhaps"}, "sev2", ("somebody may have seen or done what they should not",)),
        ({"customers": "some", "hours": "peak"}, "sev1", ("some customers felt it", "it fell into peak hours")),
        (
            {"customers": "inside", "hours": "peak", "launch": "yes", "regions": "several"},
            "sev2",
            (
                "only people who work here felt it",
                "it fell into peak hours",
                "it fell on a launch or an event",
                "several regions were hit",
            ),
        ),
        ({"hours": "peak"}, "sev4", propose(assessed()).reasons),  # pyright: ignore[reportOptionalMemberAccess]
    ],
)
def test_the_answers_propose_a_severity_with_its_reasons(
    answers: dict[str, str], severity: str, reasons: tuple[str, ...]
):
    found = propose(assessed(**answers))

    assert found is not None
    assert (found.severity, found.reasons) == (Severity(severity), reasons)


def test_what_some_customers_felt_for_minutes_is_milder_and_for_hours_graver():
    minutes, hours = (propose(Assessment(customers="some", lasted=lasted)) for lasted in (QUICK / 2, PROLONGED))

    assert minutes is not None
    assert hours is not None
    assert (minutes.severity, minutes.reasons) == (Severity.sev3, ("some customers felt it, for 7 min",))
    assert (hours.severity, hours.reasons) == (Severity.sev1, ("some customers felt it", "it lasted 4 h"))


def test_what_lasted_a_quarter_of_an_hour_is_quick_no_more():
    found = propose(Assessment(customers="some", lasted=QUICK))

    assert found is not None
    assert (found.severity, found.reasons) == (Severity.sev2, ("some customers felt it",))


def test_without_an_answer_to_what_was_felt_lost_or_seen_nothing_is_proposed():
    assert propose(Assessment()) is None
    assert propose(Assessment.from_json(None)) is None
    assert propose(Assessment(hours="peak", regions="several", launch="yes", lasted=PROLONGED)) is None


def test_a_graver_answer_never_makes_it_milder():
    for answers in product(*ANSWERS.values()):
        known = dict(zip(ANSWERS, answers, strict=True))
        for name, words in ANSWERS.items():
            place = words.index(known[name])
            if place + 1 < len(words):
                assert gravity(known | {name: words[place + 1]}) <= gravity(known)


def gravity(answers: dict[str, str]) -> int:
    found = propose(Assessment.from_json(answers))
    assert found is not None
    return FROM_GRAVEST.index(found.severity)


def test_a_longer_time_never_makes_it_milder():
    for answers in product(*ANSWERS.values()):
        known = dict(zip(ANSWERS, answers, strict=True))
        found = [propose(Assessment.from_json(known, timedelta(minutes=m))) for m in (1, 14, 15, 239, 240, 9999)]
        places = [FROM_GRAVEST.index(one.severity) for one in found if one]
        assert places == sorted(places, reverse=True)


@given(kept=st.dictionaries(st.sampled_from([*QUESTIONS, "lasted", "else"]), st.text() | st.integers() | st.none()))
def test_of_what_was_kept_only_our_own_answers_are_read(kept: dict[str, object]):
    read = Assessment.from_json(kept)

    assert Assessment.from_json(read.to_json()) == read
    assert all(word in QUESTIONS[name].answers for name, word in read.to_json().items())


def test_the_answers_are_shown_as_they_were_asked():
    assert Assessment(customers="some", data="safe").lines() == [
        ("Who felt it?", "Some customers"),
        ("What about data?", "Nothing was lost or wrong"),
    ]
