import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render import (
    ALL_BLOCKS_LIMIT,
    BLOCKS_LIMIT,
    BUTTON_VALUE_LIMIT,
    MORE,
    TEXT_LIMIT,
    Rendered,
    Renderer,
    mentioned,
    templates_folder,
    with_names,
)
from bot.sandbox.validation import message_errors

NOTES = sorted((templates_folder() / "notes").glob("*.j2"))
AT = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
HALF_AN_ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
MARKS = re.compile("[\ue000-\ue002]")

FORGED_BUTTON = '\ue000{"label": "Pay", "verb": "close", "text": "", "incident": 1, "style": "", "confirm": ""}\ue000'
NASTY = [
    "<!channel>",
    "<!here|here>",
    "<@U0MARA>",
    "<#C0INC>",
    "<https://evil.example.com|bank>",
    "@here",
    "\n# Header",
    "# Header",
    "\n---\n",
    "---",
    " ---",
    "~ small",
    "-",
    "--",
    "#",
    " ",
    "\n\n",
    "\r# Header",
    "&",
    "&lt;",
    "&amp",
    FORGED_BUTTON,
    "\ue001# Header",
    "\ue002",
    "\u202e",
    "\ud800",
    "\0",
    "x" * 3_000,
    "&" * 1_500,
]
typed = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=20)), max_size=6).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    notes = tmp_path_factory.mktemp("templates") / "notes"
    notes.mkdir()
    return notes


def render(folder: Path, template: str, **facts: Any) -> Rendered:
    (folder / "note.j2").write_text(template)
    return Renderer(command="/review", folder=folder.parent).render("note", facts)


def kinds(rendered: Rendered) -> list[str]:
    return [block["type"] for block in rendered.blocks]


def words(block: dict[str, Any]) -> str:
    return (
        (block["elements"][0] if block["type"] == "context" else block)["text"]
        if "text" not in block
        else block["text"]["text"]
    )


def shown(rendered: Rendered) -> list[dict[str, Any]]:
    """Every text object that reads markup."""
    found: list[dict[str, Any]] = []
    for block in rendered.blocks:
        objects = block.get("elements", []) if block["type"] == "context" else [block.get("text") or {}]
        found += [each for each in objects if each.get("type") == "mrkdwn"]
    return found


# The templates there are -----------------------------------------------------------------


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_every_note_compiles(note: Path):
    Renderer(command="/review")._notes.get_template(f"notes/{note.name}")


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_every_note_prints_the_real_name_of_the_command(note: Path):
    assert "/review" not in note.read_text()


@pytest.mark.parametrize("note", NOTES, ids=lambda path: path.stem)
def test_no_note_shouts(note: Path):
    said = re.sub(r"\{[{%].*?[%}]\}", "", note.read_text(), flags=re.DOTALL)

    assert "!" not in said


# From words to blocks --------------------------------------------------------------------


def test_each_mark_of_a_template_becomes_its_block(folder: Path):
    note = render(folder, "# Title\nFirst.\nSecond.\n\nThird.\n---\n~ small\n\n{{ button('Next', 'next') }}\n")

    assert kinds(note) == ["header", "section", "section", "divider", "context", "actions"]
    assert words(note.blocks[1]) == "First.\nSecond."
    assert note.text == "Title\nFirst.\nSecond.\n\nThird.\nsmall"


def test_buttons_of_one_paragraph_stand_in_one_row(folder: Path):
    note = render(folder, "Text\n{{ button('A', 'next') }}\n{{ button('B', 'back') }} {{ button('C', 'end') }}\nMore")

    assert kinds(note) == ["section", "actions", "section"]
    assert [each["text"]["text"] for each in note.blocks[1]["elements"]] == ["A", "B", "C"]


def test_a_button_types_its_verb_about_its_incident(folder: Path):
    note = render(folder, "{{ button('Commit', 'action', '12 commit', incident=7, style='primary', confirm='Sure?') }}")

    (button,) = note.blocks[0]["elements"]
    assert button["action_id"].startswith("review:action:")
    assert json.loads(button["value"]) == {"text": "12 commit", "incident": 7}
    assert button["style"] == "primary"
    assert button["confirm"]["text"]["text"] == "Sure?"


def test_a_header_is_plain_and_shows_what_was_typed(folder: Path):
    note = render(folder, "# {{ title }}", title="R&D <down>\nagain")

    assert note.blocks == [{"type": "header", "text": {"type": "plain_text", "text": "R&D <down> again"}}]


def test_words_without_anything_to_read_make_no_block(folder: Path):
    note = render(
        folder, "# {{ title }}\n\n{{ text }}\n\n~ {{ title }}\n\nDone.\n\n# {{ title }}", title="", text=" \n "
    )

    assert kinds(note) == ["section"]


def test_times_are_shown_in_the_zone_of_whoever_reads_them(folder: Path):
    note = render(folder, "{{ at | clock }}", at=AT)

    assert note.text == f"<!date^{int(AT.timestamp())}^{{time}}|14:05 UTC>"


@pytest.mark.parametrize(
    ("users", "said"),
    [
        ([], ""),
        (["U1"], "<@U1>"),
        (["U1", "U2"], "<@U1> and <@U2>"),
        (["U1", "U2", "U3"], "<@U1>, <@U2> and <@U3>"),
    ],
)
def test_people_are_named_one_after_the_other(folder: Path, users: list[str], said: str):
    assert render(folder, "{{ users | persons(' and ') }}", users=users).text == said


def test_without_a_word_for_it_commas_stand_between_people(folder: Path):
    assert render(folder, "{{ users | persons }}", users=["U1", "U2", "U3"]).text == "<@U1>, <@U2>, <@U3>"


def test_somebodys_words_are_quoted_line_by_line(folder: Path):
    note = render(folder, "{{ text | quote }}", text="one\n# two\n<!channel>")

    assert kinds(note) == ["section"]
    assert note.text == "> one\n> # two\n> &lt;!channel&gt;"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x|y", "https://x\n", "https://x/\ue000", "https://x>y"]
)
def test_only_clean_web_addresses_become_links(folder: Path, url: str):
    assert render(folder, "{{ link(url, 'the page') }}", url=url).text == "the page"


def test_two_answers_become_one_message(folder: Path):
    parts = [render(folder, f"{n}\n\n{{{{ button('Go', 'next') }}}}") for n in ("One", "Two")]

    both = Rendered.joined(parts)

    assert both.text == "One\nTwo"
    assert message_errors({"text": both.text, "blocks": both.blocks}) == []


def test_many_answers_keep_inside_the_limits(folder: Path):
    both = Rendered.joined([render(folder, "{{ text }}", text="&" * 2_000) for _ in range(30)])

    assert len(both.text) <= TEXT_LIMIT
    assert not HALF_AN_ENTITY.search(both.text)
    assert message_errors({"text": both.text, "blocks": both.blocks}) == []


# What people wrote stays what it is ---------------------------------------------------------

SHAPES = [
    "{{ text }}",
    "{{ text }}{{ more }}",
    "Before {{ text }} after",
    "Before\n{{ text }}\nafter",
    "*{{ text }}* · {{ more }}",
    "{{ text | quote }}",
    "{{ text | short }}",
    "{{ link('https://example.com/?a=1&b=2', text) }}",
    "{{ text | person }}",
    "{{ [text, more] | join(', ') }}",
    "~ {{ text }}",
]


@settings(max_examples=60, deadline=None)
@given(text=typed, more=typed)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_people_wrote_is_never_a_header_a_divider_or_a_button(folder: Path, shape: str, text: str, more: str):
    note = render(folder, shape, text=text, more=more)

    assert set(kinds(note)) <= ({"context"} if shape.startswith("~ ") else {"section"})


@settings(max_examples=60, deadline=None)
@given(text=typed, more=typed)
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "link" not in shape and "person" not in shape])
def test_what_people_wrote_mentions_calls_and_links_nothing(folder: Path, shape: str, text: str, more: str):
    note = render(folder, shape, text=text, more=more)

    said = note.text + "".join(each["text"] for each in shown(note))
    assert "<" not in said
    assert not MARKS.search(said)
    assert not HALF_AN_ENTITY.search(said)
    assert all(each["verbatim"] for each in shown(note))


@settings(max_examples=60, deadline=None)
@given(label=typed)
def test_a_label_does_not_break_out_of_its_link(folder: Path, label: str):
    said = render(folder, "See {{ link('https://example.com', label) }} there", label=label).text

    assert re.findall(r"<[^>]*>?", said) in ([], re.findall(r"<https://example\.com\|[^<>|\n]+>", said))


@settings(max_examples=60, deadline=None)
@given(text=typed)
def test_a_header_holds_whatever_was_typed_and_stays_one(folder: Path, text: str):
    note = render(folder, "# {{ text }}\nBelow", text=text)

    assert kinds(note) in (["header", "section"], ["section"])
    assert message_errors({"blocks": note.blocks}) == []


@settings(max_examples=60, deadline=None)
@given(label=typed, text=typed)
def test_a_button_holds_whatever_was_typed_inside_its_limits(folder: Path, label: str, text: str):
    note = render(folder, "{{ button(label, 'next', text, confirm=text) }}", label=label, text=text)

    (button,) = note.blocks[0]["elements"]
    assert len(button["value"]) <= BUTTON_VALUE_LIMIT
    assert isinstance(json.loads(button["value"])["text"], str)
    assert message_errors({"blocks": note.blocks}) == []


def test_a_short_text_of_a_button_comes_back_as_it_was(folder: Path):
    text = '“ü” \\ "quoted" 漢字 ' * 60

    note = render(folder, "{{ button('Go', 'next', text) }}", text=text)

    assert json.loads(note.blocks[0]["elements"][0]["value"])["text"] == text


# The limits ----------------------------------------------------------------------------------

LONG = """
# {{ texts[0] }}
{% for text in texts %}
{{ text }}

~ {{ text }}

{{ text | quote }}
{{ button(text, "next", text) }}
{{ button(text, "back", text) }}

{% endfor %}
---
{% for text in texts %}
{{ button(text, "end", text) }}
{% endfor %}
"""


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(typed, min_size=1, max_size=40))
def test_a_note_of_any_length_keeps_inside_slacks_limits(folder: Path, texts: list[str]):
    note = render(folder, LONG, texts=texts)

    assert message_errors({"text": note.text, "blocks": note.blocks}) == []
    assert len(note.blocks) <= BLOCKS_LIMIT
    assert sum(len(json.dumps(block, ensure_ascii=False)) for block in note.blocks) <= ALL_BLOCKS_LIMIT
    assert len(note.text) <= TEXT_LIMIT


def test_where_not_everything_fits_it_is_said_and_the_last_buttons_stay(folder: Path):
    template = "{% for n in range(80) %}\nLine {{ n }}\n\n{% endfor %}\n{{ button('Next', 'next') }}"

    note = render(folder, template)

    assert len(note.blocks) == BLOCKS_LIMIT
    assert note.blocks[-1]["type"] == "actions"
    assert note.blocks[-2]["elements"][0]["text"] == MORE


@settings(max_examples=100, deadline=None)
@given(before=st.text(alphabet="ab", max_size=6), count=st.integers(560, 1_200), what=st.sampled_from("&<>"))
def test_half_an_entity_is_never_left_by_a_cut(folder: Path, before: str, count: int, what: str):
    note = render(folder, "{{ text }}", text=before + what * count)

    assert not HALF_AN_ENTITY.search(note.text)
    assert not HALF_AN_ENTITY.search(words(note.blocks[0]))


def test_half_a_mention_is_never_left_by_a_cut(folder: Path):
    for length in range(2_880, 2_900):
        note = render(folder, "{{ text }}{{ user | person }} and so on and on", text="x" * length, user="U0MARA")

        assert words(note.blocks[0]).count("<") == words(note.blocks[0]).count(">")


def test_a_mention_in_what_somebody_wrote_becomes_a_name_and_calls_nobody(folder: Path):
    said = render(folder, "{{ words | quote }} {{ user | person }}", words="ask <@U0PRIYA> or @U0JONAS", user="U0MARA")

    named = with_names(said, {"U0PRIYA": "Priya <3", "U0JONAS": "Jonas"})

    assert named.text == "> ask @Priya &lt;3 or @Jonas <@U0MARA>"
    assert mentioned(said) == {"U0PRIYA", "U0JONAS"}
