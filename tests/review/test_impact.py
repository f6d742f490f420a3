import json
from datetime import timedelta

import pytest

from bot.review.impact import Impact, costs, money, read_amount, read_list
from bot.review.policy import Rates

FELT = Impact(
    customers="about 300 in Europe",
    regions=("eu-west",),
    services=("checkout", "search"),
    inquiries=12,
    text="Carts were empty for half an hour.",
)


def test_an_impact_is_the_same_after_it_was_kept() -> None:
    assert Impact.from_json(json.loads(json.dumps(FELT.to_json()))) == FELT


def test_where_nothing_is_known_nothing_is_kept() -> None:
    assert Impact().to_json() == {}
    assert Impact.from_json({}) == Impact.from_json(None) == Impact()
    assert not Impact().is_known


def test_an_unknown_fact_of_a_later_version_is_left_out() -> None:
    assert Impact.from_json({"customers": "all", "weather": "rain"}) == Impact(customers="all")


def test_no_inquiries_counted_is_not_the_same_as_none_received() -> None:
    assert Impact(inquiries=0).is_known
    assert Impact(inquiries=0).lines() == [("Inquiries", "0")]


def test_what_nobody_counted_is_not_shown() -> None:
    assert Impact(customers="all").lines() == [("Customers", "all")]


def test_only_what_is_known_is_shown_in_the_order_of_the_form() -> None:
    assert FELT.lines() == [
        ("Customers", "about 300 in Europe"),
        ("Regions", "eu-west"),
        ("Services", "checkout, search"),
        ("Inquiries", "12"),
        ("In words", "Carts were empty for half an hour."),
    ]


def test_names_are_read_from_a_list_each_once() -> None:
    assert read_list(" checkout, search;\ncheckout ,") == ("checkout", "search")
    assert read_list("") == ()


# What it cost -----------------------------------------------------------------------------

HOUR = timedelta(hours=1)


def test_that_nothing_was_lost_is_an_amount_that_somebody_counted() -> None:
    kept = Impact.from_json(Impact(lost=0).to_json())

    told = costs(Rates(revenue_per_minute=1_200), kept, lasted=HOUR, together=None)

    assert [cost.words for cost in told] == ["EUR 0.00 (as people counted it)"]


def test_each_amount_needs_its_own_rate_and_its_own_time() -> None:
    both, felt = Rates(hour=80, revenue_per_minute=1_200), Impact(customers="all")

    assert [cost.label for cost in costs(both, felt, lasted=HOUR, together=HOUR)] == ["Revenue lost", "Response cost"]
    assert [cost.label for cost in costs(both, felt, lasted=HOUR, together=None)] == ["Revenue lost"]
    assert [cost.label for cost in costs(both, felt, lasted=None, together=HOUR)] == ["Response cost"]
    assert costs(Rates(), Impact(lost=9_000), lasted=HOUR, together=HOUR) == []


def test_each_amount_comes_with_how_it_came_about() -> None:
    rates = Rates(hour=80, revenue_per_minute=1_200)

    told = costs(rates, Impact(), lasted=timedelta(minutes=90, seconds=59), together=timedelta(minutes=100))

    assert [cost.words for cost in told] == [
        "EUR 108,000 (revenue lost = impact minutes × revenue per minute = 90 × EUR 1,200)",
        "EUR 136 (response cost = hours of all people × hourly rate = 1.7 × EUR 80.00)",
    ]


@pytest.mark.parametrize(
    ("amount", "words"), [(99.5, "EUR 99.50"), (100, "EUR 100"), (100.4, "EUR 100"), (252_000, "EUR 252,000")]
)
def test_cents_are_told_of_small_amounts_alone(amount: float, words: str) -> None:
    assert money(amount, Rates()) == words


@pytest.mark.parametrize(
    ("words", "amount"),
    [("90000", 90_000), ("90,000", 90_000), ("90 000.50", 90_000.5), ("0", 0), ("90'000", 90_000), ("7.5", 7.5)],
)
def test_an_amount_is_read_as_people_write_it(words: str, amount: float) -> None:
    assert read_amount(words) == amount


@pytest.mark.parametrize("words", ["", " ", "a lot", "-5", "1e9", "7.555", ".5", "1" * 13, "٣", "5 EUR"])
def test_what_is_no_amount_is_none(words: str) -> None:
    assert read_amount(words) is None
