"""A browser for the whole run, a workspace and a page for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bot.sandbox import server
from tests.browser.cast import EVENING, FLAGS, PHONE, WIDE, Workspace, visit

SAMPLE = Path(server.__file__).parent / "sample"
PATIENCE_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one file at a time: while it runs it holds this thread's event loop, which asynchronous tests need."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """The machine's own Chromium: nothing is downloaded for a test."""
    running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
    yield running
    running.close()


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """The sample incident on the evening of its day."""
    with server.in_thread(seed=SAMPLE, now=EVENING) as running:
        yield Workspace(running)


@pytest.fixture
def page(wide_window: Page, workspace: Workspace) -> Iterator[Page]:
    """A wide page that looks as Tomasz, who leads the sample incident."""
    yield visit(wide_window, workspace.url)
    wide_window.goto("about:blank")


@pytest.fixture
def phone(small_window: Page, workspace: Workspace) -> Iterator[Page]:
    yield visit(small_window, workspace.url)
    small_window.goto("about:blank")


@pytest.fixture(scope="module")
def reading(browser: Browser) -> Iterator[Page]:
    """One page for all tests that change nothing."""
    with server.in_thread(seed=SAMPLE, now=EVENING) as running:
        context = browser.new_context(viewport=WIDE)
        yield visit(context.new_page(), running.url)
        context.close()


@pytest.fixture(scope="module")
def wide_window(browser: Browser) -> Iterator[Page]:
    """Used again for every test: each sandbox has a port of its own, and what is remembered belongs to the port."""
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def small_window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()
