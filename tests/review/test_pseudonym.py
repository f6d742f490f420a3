"""Pseudonyms: nobody is named by them, and nobody else's name is changed."""

import pytest

from bot.review.heard import ID
from bot.review.pseudonym import Replacement, is_pseudonym, moved, name_of, new

SOMEONE = "UERASED4F2A19"
MARA = Replacement.of_one("U0MARA", SOMEONE, ["Mara O'Neil & Co", "mara@example.com"])


def test_a_pseudonym_is_an_id_as_slack_has_them_and_is_never_the_same_twice():
    several = {new() for _ in range(50)}

    assert len(several) > 45
    assert all(ID.fullmatch(one) and is_pseudonym(one) for one in several)
    assert name_of(SOMEONE) == "Someone 4F2A19"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("ask <@U0MARA> now", f"ask <@{SOMEONE}> now"),
        ("ask <@U0MARA|mara> now", f"ask <@{SOMEONE}> now"),
        ("ask @U0MARA now", f"ask @{SOMEONE} now"),
        ("reminders:U0MARA:2026-11-18", f"reminders:{SOMEONE}:2026-11-18"),
        ("U0MARA", SOMEONE),
        ("thanks, Mara O'Neil & Co", "thanks, Someone 4F2A19"),
        ("thanks, Mara O'Neil &amp; Co", "thanks, Someone 4F2A19"),
        ("write to mara@example.com", "write to Someone 4F2A19"),
        ("<@U0MARA>: Mara O'Neil & Co", f"<@{SOMEONE}>: Someone 4F2A19"),
    ],
)
def test_somebody_is_replaced_wherever_they_stand(said: str, left: str):
    assert MARA.in_text(said) == left


@pytest.mark.parametrize("said", ["U0MARAX", "XU0MARA", "<@U0MARABELLA>", "Samara O'Neil & Co", "the marathon"])
def test_nobody_else_is(said: str):
    assert MARA.in_text(said) == said


def test_every_string_of_blocks_is_looked_at():
    blocks = [{"type": "user", "user_id": "U0MARA", "n": 1, "elements": ["<@U0MARA>", None]}]

    assert MARA.in_json(blocks) == [{"type": "user", "user_id": SOMEONE, "n": 1, "elements": [f"<@{SOMEONE}>", None]}]


def test_a_replaced_secret_is_found_where_it_stands_afterwards():
    text, edits = MARA.with_edits("<@U0MARA> said [secret] to <@U0MARA>")

    (one,) = moved([{"kind": "token", "offset": 15, "length": 8}], edits)

    assert text[one["offset"] : one["offset"] + one["length"]] == "[secret]"


def test_a_secret_outside_of_the_text_moves_nowhere():
    outside = {"kind": "token", "offset": None, "length": None}

    _, edits = MARA.with_edits("<@U0MARA> pasted it into a block")

    assert moved([outside], edits) == [outside]
