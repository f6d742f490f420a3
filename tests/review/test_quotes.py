"""Quotations: words are found in their copies, and nobody else's words are taken for them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render import Renderer, short
from bot.reports import escape_markdown
from bot.review.quotes import DELETED, Reach, Wordings, normal, take_out, take_out_of_json
from bot.review.quotes import _starts as positions  # the two readings of one text must agree

LONG = "the card processor <b> & its *own* queue\nare `full` since 14:02"


def wordings(*texts: str, **names: str) -> Wordings:
    return Wordings.of(texts, names)


@pytest.mark.parametrize(
    "copy",
    [
        LONG,
        f"before: {LONG}, after",
        f"> {LONG}".replace("\n", "\n> "),
        escape_markdown(LONG),
        LONG.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        LONG.upper(),
    ],
)
def test_words_are_found_however_they_were_quoted(copy: str):
    said = take_out(copy, wordings(LONG), "own")

    assert DELETED in said
    assert "processor" not in said.lower()


def test_what_stands_around_them_stays():
    assert take_out(f"Noted: {LONG} (by Mara)", wordings(LONG), "own") == f"Noted: {DELETED} (by Mara)"


@pytest.mark.parametrize("length", [12, 30, 44])
def test_a_copy_that_was_cut_short_is_found_by_its_ellipsis(length: int):
    said = take_out(f"14:02 · note · {short(LONG, length)} · link", wordings(LONG), "own")

    assert said == f"14:02 · note · {DELETED} · link"


def test_a_mention_is_found_by_the_name_that_was_put_in_its_place():
    said = take_out(
        "ask @Mara Lang about the dump", wordings("ask <@U0MARA> about the dump", U0MARA="Mara Lang"), "own"
    )

    assert said == DELETED


@pytest.mark.parametrize("words", ["rolled back", "restarted pods", "ok", "works again"])
def test_what_anybody_might_say_is_not_taken_from_somebody_elses_words(words: str):
    text = f"we {words} and it was fine"

    assert take_out(text, wordings(words), "own") == text


@pytest.mark.parametrize("words", ["call +4915112345", "hunter2hunter2", "mara@example.com", "CANARY-17"])
def test_what_only_its_author_would_say_is_taken_however_short(words: str):
    assert take_out(f"the finding: {words}.", wordings(words), "own") == f"the finding: {DELETED}."


@pytest.mark.parametrize(
    "line", ["14:05 · note · hunter2 · link", "> hunter2", "hunter2", "- note · hunter2 ([message](x))"]
)
def test_short_words_are_found_where_they_have_a_place_of_their_own(line: str):
    said = take_out(line, wordings("hunter2"), "places")

    assert (DELETED in said, "hunter2" in said) == (True, False)


def test_short_words_in_a_sentence_of_somebody_else_are_left():
    assert take_out("we saw hunter2 there", wordings("hunter2"), "places") == "we saw hunter2 there"


def test_a_part_of_a_longer_word_is_left():
    assert take_out("undisclosed", wordings("disclosed"), "some") == "undisclosed"


def test_every_string_of_blocks_is_looked_at_and_a_button_stays_one():
    value = json.dumps({"text": f'12 “{LONG}"', "incident": 3}, ensure_ascii=False)
    blocks: list[Any] = [{"type": "section", "text": {"text": f"> {LONG}"}}, {"elements": [{"value": value}]}]

    said = take_out_of_json(blocks, wordings(LONG), "own")

    assert said[0]["text"]["text"] == DELETED or said[0]["text"]["text"] == f"> {DELETED}"
    assert json.loads(said[1]["elements"][0]["value"]) == {"text": f'12 “{DELETED}"', "incident": 3}


@given(st.text(), st.sampled_from(["own", "places", "some"]))
def test_no_text_is_too_odd_to_be_looked_through(text: str, reach: Reach):
    assert len(positions(text)) == len(normal(text))
    assert isinstance(take_out(text + "…", wordings(text, text[:9]), reach), str)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Co", "Cs"]) | st.just("\n"), min_size=30).filter(
        lambda text: len(normal(text).split()) >= 3
    )
)
def test_whatever_the_bot_quotes_is_found_again(text: str):
    if len(normal(text)) < 20:
        return
    rendered = Renderer(command="/review").render("summary_shown", {"incident": {"title": "t", "summary": text}})

    said = take_out(rendered.text, wordings(text), "own")

    assert DELETED in said or len(text) > 2_000
