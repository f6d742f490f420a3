"""Printing: three forms of one report, in which nothing that people wrote is markup, whatever the templates are."""

import io
import itertools
import logging
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from bot import formats
from bot.desk import House
from bot.drawing import NotDrawn
from bot.printing import TEMPLATES, Form, Limits, Press, printed
from bot.render import templates_folder
from bot.review.example import facts, written
from bot.review.naming import by_name
from bot.review.writer import write
from bot.review.written import Written
from tests.cast import TEAM, a_room, an_incident

AMPLE, LITTLE = Limits(seconds=60), Limits(seconds=5)
OURS = Press()
PRINT: dict[Form, Callable[[Press, Written], str | bytes]] = {
    "md": Press.markdown,
    "html": Press.html,
    "pdf": Press.pdf,
}


def words_of(paper: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)


# What people wrote stays what they wrote -----------------------------------------------------

TYPST = (
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.3.0"',
    "#let x = 1; #x",
    "*bold* _thin_ `raw` $x^2$",
    "= Heading",
    "- item",
    "+ item",
    "/ term: told",
    "@reference <label>",
    "\\ // a comment /* another */",
    '"] #panic("stop") #["',
    "https://example.com/#fragment",
    "~ -- ... 'quoted'",
)


@pytest.mark.parametrize("said", TYPST)
def test_on_paper_what_was_written_stands_as_it_was_written(said: str):
    paper = OURS.pdf(a_report_that_says(said))

    told = " ".join(words_of(paper).split())
    assert told.count(" ".join(said.split())) >= 5


def test_an_endless_word_stays_on_the_paper():
    paper = OURS.pdf(a_report_that_says("0123456789" * 40))

    assert "".join(words_of(paper).replace("\u200b", "").split()).count("0123456789" * 40) >= 5


def test_a_word_that_is_longer_than_any_page_is_printed():
    """As one run of more than 65,535 bytes it would bring down the engine, and whatever waits for the paper."""
    known = facts()
    first, *others = known.timeline
    told = replace(known, timeline=(replace(first, text="é" * 40_000), *others))

    paper = OURS.pdf(write(told, called=by_name({}), zone="UTC"))

    assert words_of(paper).count("é") >= 40_000


def a_report_that_says(said: str) -> Written:
    """In its title, its summary, an event, an answer, a comment, a finding, an action and a note."""
    known = facts()
    first, *others = known.timeline
    meeting = known.review.meetings[0]
    told = replace(
        known,
        incident=replace(known.incident, title=said, summary=f"{said}\n{said}\n{said}"),
        timeline=(
            replace(first, text=said, answer=said, comments=(replace(first.comments[0], text=said),)),
            *others,
        ),
        findings=tuple(replace(found, text=said) for found in known.findings),
        actions=tuple(replace(action, text=said) for action in known.actions),
        review=replace(
            known.review,
            meetings=(replace(meeting, notes=(replace(meeting.notes[0], text=said),)),),
        ),
    )
    return write(told, called=by_name({}), zone="UTC")


def test_a_template_that_reads_words_as_typst_would_be_noticed(tmp_path: Path):
    """The twin of the one above: `eval` makes markup of what was written, and the words are gone."""
    own(tmp_path, "report.typ", '#eval(json(bytes(sys.inputs.report)).title, mode: "markup")')

    paper = printed("pdf", a_report_that_says("*bold*"), {}, tmp_path)

    assert "*bold*" not in words_of(paper)


@pytest.mark.parametrize(
    "said", ["\x00\x1b[31m", "\u202etxt.exe", "\ud83d", "é" * 10_000, "日本 😀 Ελλ Привет", "\n\n\n"]
)
def test_odd_words_are_printed_in_every_form(said: str):
    report = a_report_that_says(said)

    assert [bool(make(OURS, report)) for make in PRINT.values()] == [True] * 3


def test_the_same_report_is_the_same_paper():
    assert OURS.pdf(written()) == OURS.pdf(written())


def test_the_paper_tells_what_the_page_tells():
    report = written()
    told = " ".join(words_of(OURS.pdf(report)).split())

    for event in facts().timeline:
        assert (event.text or "") in told
    for found in (*facts().findings, *facts().actions):
        assert found.text in told
    assert "TTM = mitigated − began" in told or "TTM = mitigated – began" in told
    for length in report.page.lengths:
        assert f"{length.formula}; {length.why}" in told


def test_the_chart_stands_on_the_paper():
    chart = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10"/></svg>'

    assert len(OURS.pdf(written(), {"wide": chart})) > len(OURS.pdf(written()))


# Templates of one's own ------------------------------------------------------------------------


def own(folder: Path, name: str, template: str | bytes) -> Press:
    (folder / "reports").mkdir(exist_ok=True)
    file = folder / "reports" / name
    file.write_bytes(template if isinstance(template, bytes) else template.encode())
    return Press(folder, AMPLE)


def test_a_template_of_ones_own_is_used(tmp_path: Path):
    press = own(tmp_path, "report.md.j2", "# {{ report.title }}, as we tell it")

    assert press.markdown(written()) == "# Checkout &lt;is&gt; slow &amp; \\*odd\\*, as we tell it\n"


def test_what_is_not_ones_own_stays_ours(tmp_path: Path):
    press = own(tmp_path, "report.css", "body { color: navy }")

    page = press.html(written())

    assert ("body { color: navy }" in page, "What happened" in page) == (True, True)
    assert press.markdown(written()) == OURS.markdown(written())


def test_words_are_escaped_in_templates_of_ones_own_too(tmp_path: Path):
    press = own(tmp_path, "report.html.j2", "<h1>{{ report.title }}</h1>")

    assert press.html(written()).strip() == "<h1>Checkout &lt;is&gt; slow &amp; *odd*</h1>"


def test_one_that_fails_is_replaced_by_ours_and_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    press = own(tmp_path, "report.html.j2", "{{ report.titel }}")

    with caplog.at_level(logging.WARNING):
        page = press.html(written())

    assert page == OURS.html(written())
    assert [record.__dict__["template"] for record in caplog.records] == ["report.html.j2"]
    assert "odd" not in caplog.text


def test_what_is_wrong_with_it_is_said_with_its_line(tmp_path: Path):
    press = own(tmp_path, "report.md.j2", "# {{ report.title }}\n{% if %}")

    (trouble,) = press.troubles(written())

    assert trouble.template == "report.md.j2"
    assert trouble.why.startswith("report.md.j2, line 2: TemplateSyntaxError")


def test_an_installation_s_templates_are_those_of_its_reports(tmp_path: Path):
    room = a_room(tmp_path)
    incident = an_incident(room)
    own(tmp_path, "report.md.j2", "# {{ report.title }}, as we tell it")

    told = room.ask(formats.markdown, TEAM, incident, House(templates=tmp_path))

    assert told == "# Checkout is slow, as we tell it\n"


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path: Path):
    press = Press(tmp_path / "nowhere")

    assert (press.troubles(written()), press.markdown(written())) == ([], OURS.markdown(written()))


def test_a_process_apart_knows_no_secret_of_the_bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    python, known = tmp_path / "python", tmp_path / "known"
    python.write_text(f'#!/bin/sh\nenv > "{known}"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")

    told = own(tmp_path, "report.md.j2", "{{ report.title }}, as we tell it").markdown(written())

    assert told.endswith(", as we tell it\n")
    assert "PYTHONPATH=" in known.read_text(encoding="utf-8")
    assert "xoxb-1" not in known.read_text(encoding="utf-8")


def test_a_process_apart_reads_no_file_but_its_templates(tmp_path: Path):
    own(tmp_path, "report.typ", '#json(bytes(sys.inputs.report)).title #read("/etc/hostname")')

    (trouble,) = Press(tmp_path, AMPLE).troubles(written())

    assert "file" in trouble.why


def test_a_process_apart_takes_no_more_memory_than_it_may(tmp_path: Path):
    own(tmp_path, "report.md.j2", "{{ report.title * 50_000_000 }}")

    (trouble,) = Press(tmp_path, AMPLE).troubles(written())

    assert "MemoryError" in trouble.why


# Broken and hostile ones

JINJA = (
    "{{ report.titel }}",
    "{% if %}",
    "{% for %}",
    "{{ 1 / 0 }}",
    "{% include 'nowhere.j2' %}",
    "{% extends 'report.md.j2' %}",
    "{% include '../../bot/app.py' %}",
    "{% include '/etc/passwd' %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ report.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.environ }}",
    "{{ 'x' * 10 ** 10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ range(10 ** 9) | list }}",
    "",
    "   ",
    "nothing of the review",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ report.title | nothing }}",
    "{{ report.title.format() }}{{ none.x }}",
    "{{ report.timeline.append(1) }}",
    "{% set x = [1] %}{% for y in x %}{{ x.append(1) }}{% endfor %}",
    "{% raw %}",
    "{{ '{{' }}{{",
)
PAPER = (
    "#panic()",
    "#let",
    '#read("/etc/passwd")',
    '#read("../../app.py")',
    "#while true {}",
    '#import "@preview/nothing:1.0.0"',
    "#let f() = f()\n#f()",
    '#include "report.typ"',
    "#nothing",
    "#(1 / 0)",
    '#image("nowhere.png")',
    "#range(100000000000).len()",
    "#for x in range(100000000) [#x]",
    "#set page(width: -1pt)",
    '#json(bytes("{"))',
    "\x00#",
    '#eval("#panic()")',
    "#v(",
    "$",
    "#[",
)
BYTES = (b"\xff\xfe\x00", b"\x80" * 1000, b"{" * 100_000, b"#[" * 50_000, b"(" * 100_000)


def hostile() -> Iterator[tuple[str, bytes]]:
    """Each with the file it stands in: those written down, then halves of our own, with a piece cut out or doubled."""
    for text in JINJA:
        yield from (("report.md.j2", text.encode()), ("report.html.j2", text.encode()))
    yield from (("report.typ", text.encode()) for text in PAPER)
    yield from (("report.typ" if number % 2 else "report.md.j2", text) for number, text in enumerate(BYTES))
    chance = random.Random(4)  # The same ones every time.
    names = itertools.cycle(("report.md.j2", "report.html.j2", "report.typ", "report.css"))
    for name in names:
        whole = (templates_folder() / "reports" / name).read_bytes()
        start, end = sorted((chance.randrange(len(whole)), chance.randrange(len(whole))))
        yield name, whole[:start] + whole[end:] if chance.random() < 0.7 else whole[:end] + whole[start:]


def every_one_gives_a_report(folder: Path, templates: Iterator[tuple[str, bytes]], limits: Limits) -> int:
    report, count = written(), 0
    for number, (name, template) in enumerate(templates):
        here = folder / str(number)
        here.mkdir()
        own(here, name, template)
        form: Form = next(form for form, files in TEMPLATES.items() if name in files)
        assert PRINT[form](Press(here, limits), report), template[:200]
        count += 1
    return count


def test_broken_and_hostile_templates_give_a_report_each(tmp_path: Path):
    some = itertools.islice(hostile(), 0, 200, 23)

    assert every_one_gives_a_report(tmp_path, some, Limits(seconds=2)) == 9


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_two_hundred_broken_and_hostile_templates_give_two_hundred_reports(tmp_path: Path):
    assert every_one_gives_a_report(tmp_path, itertools.islice(hostile(), 200), LITTLE) == 200


def test_in_our_own_process_a_broken_template_gives_none(tmp_path: Path):
    """The twin of the ones above."""
    own(tmp_path, "report.md.j2", "{{ 1 / 0 }}")

    with pytest.raises(ZeroDivisionError):
        printed("md", written(), {}, tmp_path)


def test_where_the_engine_itself_gives_up_there_is_no_report_and_nobody_waits_for_it(tmp_path: Path):
    endless = "#" + '"' + "é" * 70_000 + '"'
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.typ").write_text(endless)

    with pytest.raises(NotDrawn):
        printed("pdf", written(), {}, tmp_path)
