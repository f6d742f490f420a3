import json

from bot.review.impact import Impact, read_list

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
