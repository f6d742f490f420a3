import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.review.summary import Sentences, sentences_of


@pytest.mark.parametrize(
    ("summary", "asked"),
    [
        (None, Sentences("")),
        ("It crawled.\nOrders failed.\nWe rolled back.", Sentences("It crawled.", "Orders failed.", "We rolled back.")),
        ("It crawled. Orders failed. We rolled back.", Sentences("It crawled.", "Orders failed.", "We rolled back.")),
        ("It crawled. We rolled back.", Sentences("It crawled. We rolled back.")),
        ("Checkout crawled at 2.5 s p. m. for all.", Sentences("Checkout crawled at 2.5 s p. m. for all.")),
        ("Checkout crawled.\n\nWe rolled back.", Sentences("Checkout crawled.", "", "We rolled back.")),
        ("One. Two. Three. Four.", Sentences("One. Two. Three. Four.")),
        ("a\nb\nc\nd", Sentences("a b c d")),
    ],
)
def test_a_form_begins_with_what_the_summary_says(summary: str | None, asked: Sentences) -> None:
    assert sentences_of(summary) == asked


def test_three_sentences_are_three_lines_and_one_left_open_keeps_its_place() -> None:
    assert Sentences("Checkout\ncrawled.", " Orders failed. ", "We rolled back.").as_summary() == (
        "Checkout crawled.\nOrders failed.\nWe rolled back."
    )
    assert Sentences("Checkout crawled.", "", "We rolled back.").as_summary() == "Checkout crawled.\n\nWe rolled back."
    assert Sentences("Checkout crawled.").as_summary() == "Checkout crawled."


WORDS = st.text("abc .", max_size=12)


@given(st.text("abc.", min_size=1, max_size=12), WORDS, WORDS)
def test_what_was_written_in_the_form_is_there_when_it_is_opened_again(happened: str, felt: str, fixed: str) -> None:
    written = Sentences(happened, felt, fixed).as_summary()

    assert sentences_of(written).as_summary() == written


@given(st.text())
def test_any_summary_can_be_opened_and_kept_without_losing_a_word(summary: str) -> None:
    assert sentences_of(summary).as_summary().split() == summary.split()
