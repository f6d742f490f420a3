"""One whole review by clicking and typing alone, as somebody does it who follows the guide and knows nothing else."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.sandbox.demo import stage
from tests.browser.cast import WIDE, visit

PATIENCE_MS = 20_000


@pytest.fixture
def demo(browser: Browser) -> Iterator[Page]:
    """The page of `debrief demo`: the unmodified bot beside the sample incident."""
    with stage(0) as running:
        context = browser.new_context(viewport=WIDE)
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield visit(context.new_page(), running.driver.url)
        expect.set_options(timeout=None)
        context.close()


def test_a_newcomer_comes_from_a_pinned_message_to_a_published_summary(demo: Page):
    _pins_the_message_that_the_guide_shows(demo)
    _books_the_meeting_and_goes_there(demo)
    _holds_the_meeting(demo)
    _publishes_the_report(demo)

    expect(_guide(demo)).to_contain_text("That was a whole review")
    report = _newest(demo, "published this report")
    expect(report).to_contain_text("Checkout crawled for three and a half hours")
    expect(report).to_contain_text("Alert when orders-db uses 80% of its connections")
    picture = _newest(demo, "The timeline of this review as a picture").get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("Known moments: "))
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") == 1_920


def _pins_the_message_that_the_guide_shows(demo: Page) -> None:
    expect(_guide(demo)).to_contain_text("1 of 5")
    _guide(demo).get_by_role("button", name="Show me one").click()
    shown = demo.locator(".message:focus")
    shown.get_by_role("button", name="Put on the timeline").click()
    expect(demo.get_by_role("button", name=re.compile("^memo, 1: Debrief"))).to_be_visible()


def _books_the_meeting_and_goes_there(demo: Page) -> None:
    _follows(demo, "2 of 5", "/review mitigated")
    expect(_newest(demo, "Mitigated at")).to_be_visible()
    _follows(demo, "3 of 5", "/review schedule")
    demo.get_by_role("button", name="Book it").last.click()
    expect(_newest(demo, "Asked to come")).to_be_visible()
    _guide(demo).get_by_role("button", name="Jump to the meeting").click()


def _holds_the_meeting(demo: Page) -> None:
    _follows(demo, "4 of 5", "/review start")
    _confirms(demo, "Yes, start")
    agenda = _newest(demo, "Review of Checkout latency")
    expect(agenda).to_contain_text("1 of 6 · Opening")
    agenda.get_by_role("button", name="Next", exact=True).click()
    expect(agenda).to_contain_text("2 of 6 · Summary and impact")
    _follows(demo, "4 of 5", "/review summary")
    expect(agenda).to_contain_text("Checkout crawled for three and a half hours")
    _follows(demo, "4 of 5", "/review contributor")
    expect(_newest(demo, "Noted as contributor 1, technical")).to_contain_text("Only visible to you")
    _follows(demo, "4 of 5", "/review action")
    expect(_newest(demo, "Action 1 is proposed")).to_be_visible()


def _publishes_the_report(demo: Page) -> None:
    _follows(demo, "5 of 5", "/review end")
    _confirms(demo, "Yes, end the meeting")
    expect(_newest(demo, "The meeting has ended.")).to_be_visible()
    _follows(demo, "5 of 5", "/review draft")
    expect(_newest(demo, "The draft for Checkout latency is written")).to_be_visible()
    _follows(demo, "5 of 5", "/review publish")
    _confirms(demo, "Yes, publish")


def _follows(demo: Page, step: str, words: str) -> None:
    """Lets the guide put its words into the composer, and presses Enter."""
    expect(_guide(demo)).to_contain_text(step)
    expect(_guide(demo).locator("code")).to_contain_text(words)
    _guide(demo).get_by_role("button", name="Type it for me").click()
    demo.get_by_label("Write a message").press("Enter")


def _confirms(demo: Page, label: str) -> None:
    """Presses the one button of the question that only they can see."""
    asked = demo.locator(".ephemeral", has=demo.get_by_role("button", name=label, exact=True)).last
    expect(asked).to_contain_text("Nothing has been changed yet.")
    asked.get_by_role("button", name=label, exact=True).click()


def _guide(demo: Page) -> Locator:
    return demo.get_by_role("region", name=re.compile("Guide"))


def _newest(demo: Page, text: str) -> Locator:
    return demo.locator("#log .message", has_text=text).last
