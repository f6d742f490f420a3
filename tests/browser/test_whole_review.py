"""One whole review by clicking and typing alone, as somebody does it who follows the guide and knows nothing else."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bot.sandbox.demo import stage
from tests.browser.cast import PHONE, WIDE, visit

PATIENCE_MS = 60_000


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


def test_a_newcomer_comes_from_a_pinned_message_to_a_declined_action(demo: Page):
    _pins_the_message_that_the_guide_shows(demo)
    _keeps_what_belongs_on_the_timeline(demo)
    _books_the_meeting_and_goes_there(demo)
    _opens_the_meeting(demo)
    _walks_from_stop_to_stop(demo)
    _notes_and_words_findings(demo)
    _proposes_actions(demo)
    _closes_the_meeting(demo)
    _edits_and_publishes_the_report(demo)
    _finds_it_again(demo)
    _declines_an_action(demo)

    for place in ("Debrief", "inc-2211-checkout-latency"):
        demo.get_by_role("navigation").get_by_role("button", name=re.compile(place)).click()
        demo.set_viewport_size(PHONE)
        assert demo.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        demo.set_viewport_size(WIDE)


# Before the meeting ----------------------------------------------------------------------------------------


def _pins_the_message_that_the_guide_shows(demo: Page) -> None:
    expect(_guide(demo)).to_contain_text("1 of 5")
    _guide(demo).get_by_role("button", name="Show me one").click()
    shown = demo.locator(".message:focus")
    shown.get_by_role("button", name="Put on the timeline").click()
    expect(demo.get_by_role("button", name=re.compile("^memo, 1: Debrief"))).to_be_visible()
    _follows(demo, "2 of 5", "/review mitigated")
    expect(_newest(demo, "Mitigated at")).to_be_visible()


def _keeps_what_belongs_on_the_timeline(demo: Page) -> None:
    _presses(demo, "Messages worth keeping")
    expect(_newest(demo, "messages that may belong on the timeline")).to_contain_text("Nothing is on the timeline")
    _presses(demo, "Choose in a form")
    form = _form(demo, "Worth keeping")
    expect(form.get_by_text("An attempt that did not help.")).to_be_visible()
    form.get_by_label(re.compile("opening this for the slow checkout")).select_option("Leave it out")
    form.get_by_label(re.compile("checkout-api v318 is live")).select_option("Keep as automated")
    _sends(form, "Keep these")

    form = _form(demo, "In other words")
    form.get_by_label(re.compile("14:57 · action taken")).fill("The restart made it worse, so it was stopped half-way.")
    _sends(form, "Keep the words")
    expect(_newest(demo, "messages are on the timeline now")).to_be_visible()
    expect(_newest(demo, "reads as you wrote it")).to_be_visible()


def _books_the_meeting_and_goes_there(demo: Page) -> None:
    _follows(demo, "3 of 5", "/review schedule")
    demo.get_by_role("button", name=re.compile("^Book ")).last.click()
    expect(_newest(demo, "Asked to come")).to_be_visible()
    _guide(demo).get_by_role("button", name="Jump to the meeting").click()
    expect(_newest(demo, "Before the review")).to_contain_text("ok, go")


# The meeting -----------------------------------------------------------------------------------------------


def _opens_the_meeting(demo: Page) -> None:
    _follows(demo, "4 of 5", "/review start")
    _confirms(demo, "Yes, start")
    expect(_agenda(demo)).to_contain_text("1 of 6 · Opening")
    _on_the_agenda(demo, "I am here")
    expect(_agenda(demo)).to_contain_text("Here: @Tomasz")
    _on_the_agenda(demo, "Help card")
    expect(_newest(demo, "For you alone, while you lead")).to_contain_text("Only visible to you")
    _presses(demo, "Keep the link…")
    form = _form(demo, "The recording")
    form.get_by_label("Link to the recording").fill("https://video.example.com/17")
    _sends(form, "Keep")
    expect(_agenda(demo).get_by_role("link", name="the recording")).to_be_visible()

    _on_the_agenda(demo, "Next")
    expect(_agenda(demo)).to_contain_text("2 of 6 · Summary and impact")
    _follows(demo, "4 of 5", "/review summary")
    expect(_agenda(demo)).to_contain_text("Checkout crawled for three and a half hours")


def _walks_from_stop_to_stop(demo: Page) -> None:
    _on_the_agenda(demo, "Next")
    expect(_agenda(demo)).to_contain_text("Stop 1 of")
    question = _agenda(demo).locator("strong, b").filter(has_text="?").last
    before = question.inner_text()
    _on_the_agenda(demo, "Another question")
    expect(question).not_to_have_text(before)

    _on_the_agenda(demo, "Answer…")
    form = _form(demo, "Keep an answer")
    form.get_by_role("textbox").fill("Nobody else had taken it yet.")
    _sends(form, "Keep")
    expect(_agenda(demo)).to_contain_text("Nobody else had taken it yet.")
    _on_the_agenda(demo, "It helped")
    expect(_agenda(demo)).to_contain_text(" · helped · ")
    _on_the_agenda(demo, "Add what is missing…")
    form = _form(demo, "Add what is missing")
    form.get_by_label("What happened").fill("support had three tickets about slow checkouts")
    _sends(form, "Add")
    expect(_newest(demo, "is on the timeline at")).to_contain_text("support had three tickets")
    _goes_on_to_what_was_not_known(demo)


def _goes_on_to_what_was_not_known(demo: Page) -> None:
    """To the first decision of which something was known only later."""
    for stop in range(2, 12):
        _on_the_agenda(demo, "Next")
        expect(_agenda(demo)).to_contain_text(f"Stop {stop} of")
        if "Not yet known then" in _agenda(demo).inner_text():
            break
    expect(_agenda(demo)).to_contain_text("known only at")
    expect(_agenda(demo)).to_contain_text("What was said on calls and seen on dashboards is not here.")


def _notes_and_words_findings(demo: Page) -> None:
    _goes_to(demo, "Contributors, mitigators, risks and learnings")
    _follows(demo, "4 of 5", "/review contributor")
    expect(_newest(demo, "Noted as contributor 1, technical")).to_contain_text("Only visible to you")

    _notes(demo, "Mitigator", "Fewer pods fit the database")
    expect(_agenda(demo)).to_contain_text("2 · Fewer pods fit the database")
    _notes(demo, "Contributor", "The root cause was the limit of connections")
    expect(_newest(demo, "may be read as the one cause")).to_contain_text("Only you see this")
    _presses(demo, "Use")
    expect(_agenda(demo)).to_contain_text("3 · A contributor was the limit of connections")
    _notes(demo, "Contributor", "we should have tested with all pods")
    _presses(demo, "Keep mine")
    expect(_agenda(demo)).to_contain_text("4 · we should have tested with all pods")

    _types(demo, "/review finding 2")
    _presses(demo, "Edit…")
    form = _form(demo, "Change a finding")
    form.get_by_label("Of which sort").select_option("Mitigator: improvised")
    _sends(form, "Keep")
    expect(_agenda(demo)).to_contain_text("2 · improvised: Fewer pods fit the database")
    _types(demo, "/review finding 1")
    _presses(demo, "Merge…")
    form = _form(demo, "Merge findings")
    form.get_by_role("checkbox", name=re.compile("^3 ")).check()
    _sends(form, "Merge")
    expect(_agenda(demo)).not_to_contain_text("3 · A contributor")


def _proposes_actions(demo: Page) -> None:
    _goes_to(demo, "Actions")
    _follows(demo, "4 of 5", "/review action")
    expect(_newest(demo, "is proposed")).to_contain_text("Alert when orders-db uses 80% of its connections")
    for words in ("Improve monitoring", "Write the steps of a rolling restart into the runbook"):
        _on_the_agenda(demo, "Propose an action")
        form = _form(demo, "Propose an action")
        form.get_by_label("What will be done").fill(words)
        _sends(form, "Propose")
        expect(_agenda(demo)).to_contain_text(f" · {words}")
    vague = demo.locator("#log .ephemeral", has_text="Improve monitoring")
    expect(vague).to_contain_text("One question, to make it easy to finish")


def _closes_the_meeting(demo: Page) -> None:
    _goes_to(demo, "Close")
    _on_the_agenda(demo, "Change them")
    form = _form(demo, "Three plain sentences")
    form.get_by_label("What was felt, and by whom").fill("One checkout in five failed.")
    _sends(form, "Keep")
    expect(_agenda(demo)).to_contain_text("One checkout in five failed.")
    _on_the_agenda(demo, "One thing I learned")
    form = _form(demo, "One thing I learned")
    form.get_by_label("I learned that …").fill("A pool is a promise of the database")
    _sends(form, "Keep")
    expect(_agenda(demo)).to_contain_text("A pool is a promise of the database")
    _on_the_agenda(demo, "I felt safe to speak")
    expect(_newest(demo, "What counts for you now: I felt safe to speak")).to_contain_text("Only you see this")

    _follows(demo, "5 of 5", "/review end")
    _confirms(demo, "Yes, end the meeting")
    expect(_agenda(demo)).to_contain_text("The meeting has ended.")


# After the meeting -----------------------------------------------------------------------------------------


def _edits_and_publishes_the_report(demo: Page) -> None:
    _follows(demo, "5 of 5", "/review draft")
    expect(_newest(demo, "The draft for Checkout latency is written")).to_be_visible()
    _presses(demo, "Edit it")
    _presses(demo, "The first page")
    form = _form(demo, "Edit the first page")
    form.get_by_label("How it was fixed").fill("Going back to v317 ended it.")
    _sends(form, "Keep")
    expect(_newest(demo, "Every format of the report tells it so")).to_be_visible()
    _presses(demo, "Approve")
    expect(_newest(demo, "The draft is approved")).to_be_visible()
    _follows(demo, "5 of 5", "/review publish")
    _confirms(demo, "Yes, publish")

    expect(_guide(demo)).to_contain_text("That was a whole review")
    report = _newest(demo, "published this report")
    expect(report).to_contain_text("Going back to v317 ended it.")
    expect(report).to_contain_text("Alert when orders-db uses 80% of its connections")
    picture = _newest(demo, "The timeline of this review as a picture").get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("Known moments: "))
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") == 1_920


def _finds_it_again(demo: Page) -> None:
    _types(demo, "/review search v317")
    expect(_newest(demo, "with “v317”")).to_contain_text("Checkout latency · summary")
    for form, words in (("html", "as a page"), ("pdf", "as a PDF")):
        _types(demo, f"/review report {form}")
        expect(_newest(demo, f"I send you the whole of it {words}")).to_be_visible()
    demo.get_by_role("navigation").get_by_role("button", name="Debrief").click()
    expect(_newest(demo, "Here is the report you asked for, as a page")).to_be_visible()
    expect(_newest(demo, "Here is the report you asked for, as a PDF")).to_be_visible()


def _declines_an_action(demo: Page) -> None:
    home = demo.get_by_role("tabpanel", name="Home")
    demo.get_by_role("tab", name="Home").click()
    expect(home).to_contain_text("Checkout latency · published")
    home.get_by_role("button", name=re.compile("^Decline")).first.click()
    form = _form(demo, "Say no, and why")
    form.get_by_label("The reason").fill("The other alert says it better.")
    _sends(form, "Decline")
    expect(demo.locator("#modal")).to_be_hidden()
    _opens_home_again(demo)
    expect(home).not_to_contain_text("Improve monitoring")


def _opens_home_again(demo: Page) -> None:
    demo.get_by_role("tab", name="Messages").click()
    demo.get_by_role("tab", name="Home").click()


# Hands and eyes --------------------------------------------------------------------------------------------


def _types(demo: Page, words: str) -> None:
    demo.get_by_label("Write a message").fill(words)
    demo.get_by_label("Write a message").press("Enter")


def _presses(demo: Page, label: str) -> None:
    """The newest button of that name in the conversation."""
    demo.locator("#log").get_by_role("button", name=label, exact=True).last.click()


def _on_the_agenda(demo: Page, label: str) -> None:
    _agenda(demo).get_by_role("button", name=label, exact=True).click()


def _goes_to(demo: Page, topic: str) -> None:
    _on_the_agenda(demo, "Go to…")
    form = _form(demo, "Go to a topic")
    form.get_by_label("Where to").select_option(
        form.get_by_role("option", name=re.compile(topic)).get_attribute("value")
    )
    _sends(form, "Go there")
    expect(_agenda(demo)).to_contain_text(f" of 6 · {topic}")


def _notes(demo: Page, kind: str, words: str) -> None:
    _on_the_agenda(demo, "Note…")
    form = _form(demo, "Note it")
    form.get_by_label("What it is").select_option(kind)
    form.get_by_label("In a sentence").fill(words)
    _sends(form, "Note")
    expect(_newest(demo, words)).to_be_visible()


def _form(demo: Page, title: str) -> Locator:
    """The form of that title, once it is there."""
    expect(demo.locator("#modal-title")).to_have_text(title)
    return demo.locator("#modal")


def _sends(form: Locator, label: str) -> None:
    form.get_by_role("button", name=label, exact=True).click()


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


def _agenda(demo: Page) -> Locator:
    return _newest(demo, "Review of Checkout latency")


def _guide(demo: Page) -> Locator:
    return demo.get_by_role("region", name=re.compile("Guide"))


def _newest(demo: Page, text: str) -> Locator:
    return demo.locator("#log .message", has_text=text).last
