from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.incident import (
    FORMULAS,
    Durations,
    MomentName,
    Severity,
    durations,
    in_words,
    moment_order_doubt,
    read_severity,
    split_severity,
)
from bot.review.refusal import UnknownSeverity

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_each_duration_is_counted_by_the_formula_printed_beside_it() -> None:
    moments = {
        "began": at(0),
        "detected": at(5),
        "acknowledged": at(7),
        "mitigated": at(65),
        "resolved": at(125),
    }

    assert durations(moments) == Durations(ttd_s=300, tta_s=120, ttm_s=3900, ttr_s=7500)
    assert FORMULAS == {
        "ttd_s": "TTD = detected − began",
        "tta_s": "TTA = acknowledged − detected",
        "ttm_s": "TTM = mitigated − began",
        "ttr_s": "TTR = resolved − began",
    }


@given(st.dictionaries(st.sampled_from(list(MomentName)), st.integers(-500, 500)))
def test_no_other_moment_and_no_zero_stands_in_for_a_missing_one(minutes: dict[MomentName, int]) -> None:
    known = {name.value: at(minute) for name, minute in minutes.items()}

    counted = durations(known)

    assert (counted.ttd_s is None) == (not {"began", "detected"} <= known.keys())
    assert (counted.tta_s is None) == (not {"detected", "acknowledged"} <= known.keys())
    assert (counted.ttm_s is None) == (not {"began", "mitigated"} <= known.keys())
    assert (counted.ttr_s is None) == (not {"began", "resolved"} <= known.keys())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (11_520, "3 h 12 min"),
        (86_400, "1 day"),
        (97_200, "1 day 3 h"),
        (691_200, "8 days"),
        (-600, "−10 min"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize("words", ["sev2", "SEV2", "Sev-2", "sev 2", "2", " sev2 "])
def test_a_severity_is_read_however_it_is_typed(words: str) -> None:
    assert read_severity(words) is Severity.sev2


@pytest.mark.parametrize("words", ["", "sev0", "sev5", "critical", "sev22"])
def test_anything_else_is_refused_with_the_four_severities(words: str) -> None:
    with pytest.raises(UnknownSeverity):
        read_severity(words)


def test_a_title_may_begin_with_a_severity() -> None:
    assert split_severity("SEV1 Checkout is slow") == (Severity.sev1, "Checkout is slow")
    assert split_severity("sev3: queue grows") == (Severity.sev3, "queue grows")
    assert split_severity("sev4") == (Severity.sev4, "")
    assert split_severity("2 nodes are down") == (None, "2 nodes are down")
    assert split_severity("several nodes are down") == (None, "several nodes are down")
    assert split_severity("sev1x") == (None, "sev1x")


def test_a_moment_in_an_odd_order_is_doubted_with_a_sentence() -> None:
    doubt = moment_order_doubt({"began": at(30), "mitigated": at(10)})

    assert doubt == ("“Mitigated” now stands before “began”. If it was not so, set either one again.")


def test_mitigating_before_anybody_acknowledged_is_not_doubted() -> None:
    assert moment_order_doubt({"began": at(0), "mitigated": at(4), "acknowledged": at(9), "resolved": at(4)}) is None
