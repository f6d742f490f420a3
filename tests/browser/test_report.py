"""The report in a real browser: what it is made of, what it loads, whether it can be read by everybody and on paper."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from bot import drawing
from bot.reports import Reports
from bot.review.naming import by_name
from tests.templates.test_formats import FACTS, NAMES, WRITTEN

CONTRAST = """
() => {
  const light = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$|transparent/.test(c)) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('body *')].filter(e => !e.closest('svg'))
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => {
      const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
      return [(a + .05) / (b + .05), e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 40)];
    });
}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    charts = {
        layout: drawing.svg(FACTS, zone="Europe/Berlin", called=by_name(NAMES), layout=layout)
        for layout in drawing.LAYOUTS
    }
    written = tmp_path_factory.mktemp("report") / "review.html"
    written.write_text(Reports().html(WRITTEN, charts), encoding="utf-8")
    return written


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    yield opened
    opened.close()


def test_it_loads_nothing_runs_nothing_and_its_own_policy_is_never_broken(page: Page, file: Path):
    asked: list[Request] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - it cannot take a method of a list
    page.on("console", lambda message: said.append(message.text))

    page.goto(file.as_uri())

    assert [request.url for request in asked] == [file.as_uri()]
    assert said == []
    assert page.locator("script").count() == 0


def test_a_style_that_is_not_its_own_would_be_refused(page: Page, file: Path):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    foreign = file.with_name("foreign.html")
    foreign.write_text(file.read_text("utf-8").replace("<main>", "<main><style>h1 { color: red }</style>"), "utf-8")

    page.goto(foreign.as_uri())

    assert any("Content Security Policy" in line for line in said)


def test_headings_go_down_one_step_at_a_time_and_landmarks_are_there(page: Page, file: Path):
    page.goto(file.as_uri())

    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert page.locator(landmark).count() == 1
    assert page.locator("html[lang=en]").count() == 1


def test_tables_have_headings_and_captions_and_links_lead_somewhere(page: Page, file: Path):
    page.goto(file.as_uri())

    bare = page.evaluate(
        "[...document.querySelectorAll('table')].filter(t => !t.caption || !t.querySelector('th[scope]'))"
    )
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.getAttribute('href')))"
    )

    assert page.locator("table").count() >= 3
    assert (bare, lost) == ([], [])
    assert (
        page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size")
        == page.locator("[id]").count()
    )


def test_the_chart_is_read_to_who_cannot_see_it(page: Page, file: Path):
    page.goto(file.as_uri())

    chart = page.locator(".chart.wide svg")

    assert chart.get_attribute("role") == "img"
    assert page.evaluate(
        "document.querySelector('.chart.wide svg > title, .chart.wide svg > desc').textContent.length > 10"
    )


def test_every_word_stands_out_from_what_is_behind_it(page: Page, file: Path, scheme: str):
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(file.as_uri())

    found = page.evaluate(CONTRAST)

    assert len(found) > 100
    assert [words for ratio, words in found if ratio < 4.5] == []


def test_the_skip_link_is_the_first_thing_a_keyboard_reaches_and_is_seen_then(page: Page, file: Path):
    page.goto(file.as_uri())
    page.keyboard.press("Tab")

    reached = page.locator(":focus")

    assert reached.inner_text() == "Skip to the summary"
    box = reached.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.parametrize("width", [360, 768, 1200, 1920])
def test_nothing_is_wider_than_the_window(page: Page, file: Path, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(file.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_the_first_page_stands_alone_and_links_can_be_read(page: Page, file: Path):
    page.goto(file.as_uri())
    page.emulate_media(media="print")

    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('.page')).breakAfter") == "page"
    shown = page.evaluate("getComputedStyle(document.querySelector('#review a'), '::after').content")
    assert "https://example.com/watch/42" in shown
    assert len(page.pdf(format="A4", prefer_css_page_size=True)) > 10_000
