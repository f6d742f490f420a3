"""Boxes and their key: what nobody without it can read, and nobody at all can tell apart."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.seals import FILE, Answer, KeyUnusable, Seal, SealBroken, kept_in

KEY = b"a key that nobody can guess"
SEAL = Seal(KEY)
LONGEST = "🦓" * 1000


@pytest.mark.parametrize("text", ["the pager was quiet", "", " two words ", "\x00\ud800 odd", 'a "quote"\n', LONGEST])
@pytest.mark.parametrize("user", [None, "U0MARA"])
def test_what_is_closed_is_opened_as_it_was(text: str, user: str | None):
    opened = SEAL.open(SEAL.close(Answer(text, user)))

    assert opened == Answer(text.replace("\ud800", "?"), user)


def test_two_boxes_of_the_same_answer_are_not_alike_and_the_longest_is_as_long_as_the_shortest():
    boxes = [SEAL.close(Answer(text, "U0MARA")) for text in ("", "", LONGEST)]

    assert len(set(boxes)) == 3
    assert len({len(box) for box in boxes}) == 1


@pytest.mark.parametrize(
    "box", ["", "not a box", "é", SEAL.close(Answer("x"))[:-8], Seal(b"another key" * 3).close(Answer("x"))]
)
def test_a_box_that_was_damaged_or_closed_with_another_key_is_not_opened(box: str):
    with pytest.raises(SealBroken):
        SEAL.open(box)


def test_a_mark_is_the_same_for_one_person_and_review_and_another_with_another_key():
    mark = SEAL.mark(1, "U0MARA")

    assert mark == Seal(KEY).mark(1, "U0MARA")
    assert len({mark, SEAL.mark(2, "U0MARA"), SEAL.mark(1, "U0PRIYA"), Seal(b"another" * 4).mark(1, "U0MARA")}) == 4


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path):
    first, second = kept_in(tmp_path / "data"), kept_in(tmp_path / "data")

    assert second.open(first.close(Answer("x"))) == Answer("x")
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "data") == [FILE]  # noqa: PTH208 - names are what is asked for


def test_of_two_that_make_it_at_once_both_use_the_same(tmp_path: Path):
    with ThreadPoolExecutor(8) as people:
        seals = list(people.map(kept_in, [tmp_path] * 8))

    assert {seal.mark(1, "U0MARA") for seal in seals} == {seals[0].mark(1, "U0MARA")}


@pytest.mark.parametrize("held", [b"", b"short", b"  \n"])
def test_a_file_that_holds_no_key_is_said_and_not_replaced(tmp_path: Path, held: bytes):
    (tmp_path / FILE).write_bytes(held)

    with pytest.raises(KeyUnusable, match="holds no key"):
        kept_in(tmp_path)
    assert (tmp_path / FILE).read_bytes() == held


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyUnusable, match="cannot be kept"):
        kept_in(tmp_path / "file" / "data")
