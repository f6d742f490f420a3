import json
from pathlib import Path

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from bot.review.lettering import cut, width

ANY = st.text(max_size=80)


def test_words_that_fit_stay_whole():
    said = "rolled back to v317"

    assert cut(said, size=12, room=width(said, size=12)) == said


def test_words_that_do_not_fit_end_in_an_ellipsis():
    assert cut("rolled back to v317", size=12, room=70) == "rolled bac…"


@given(words=ANY, room=st.floats(0, 400))
def test_what_is_cut_never_stands_wider_than_its_room(words, room):
    assert width(cut(words, size=12, room=room), size=12) <= room


@pytest.mark.parametrize(
    "words", ["Rollback to v317, errors gone", "Żółta łódź übervoll", "Київ пишут что", "Ελλάδα σήμερα"]
)
def test_the_letters_of_the_bundled_font_stand_no_wider_than_is_thought(words):
    assert drawn_width(words) <= width(words, size=100)


def drawn_width(words: str) -> float:
    """As typst measures it with the font that comes with the program."""
    source = (
        b'#set text(font: "Noto Sans", size: 100pt)\n'
        b"#context [#metadata(measure(text(sys.inputs.words)).width.pt()) <wide>]"
    )
    fonts = typst.Fonts(font_paths=[str(Path(__file__).parents[2] / "bot" / "fonts")])
    found = typst.query(source, "<wide>", field="value", one=True, font_paths=fonts, sys_inputs={"words": words})
    return json.loads(found)
