"""What a person can do on the page, and what they see of others."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cast import INCIDENT, SUPPORT, TOMASZ, WIDE, Workspace, message_with, visit

MEETING = 1_795_183_200  # 2026-11-20 14:00 UTC


def test_what_is_typed_arrives_as_slack_sends_it(page: Page, workspace: Workspace):
    _say(page, "is 3 < 4 & so? ask @ifeoma, not @nobody or me@tomasz.example")

    expect(message_with(page, "is 3 < 4")).to_contain_text("ask @Ifeoma Adeyemi, not @nobody")
    sent = workspace.messages()[-1]["text"]
    assert sent == "is 3 &lt; 4 &amp; so? ask <@U06IFEADE2M>, not @nobody or me@tomasz.example"


def test_shift_and_enter_begin_a_new_line(page: Page, workspace: Workspace):
    page.get_by_label("Write a message").press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")

    expect(message_with(page, "two")).to_be_visible()
    assert workspace.messages()[-1]["text"] == "one\ntwo"


def test_a_line_with_a_slash_is_a_command_and_its_verbs_are_offered(page: Page, workspace: Workspace):
    page.get_by_label("Write a message").press_sequentially("/review mitigat")
    expect(page.get_by_role("option")).to_have_text([re.compile("mitigated"), re.compile("mitigator")])
    page.keyboard.press("Tab")
    page.keyboard.type("17:27")
    page.keyboard.press("Enter")

    expect(page.locator("#composer [role=alert]")).to_contain_text("could not be reached")
    sent = workspace.delivered("slash_commands")[-1]
    assert (sent["command"], sent["text"], sent["channel_id"]) == ("/review", "mitigated 17:27", INCIDENT)


def test_a_verb_that_begins_a_longer_one_is_sent_as_it_is_typed(page: Page, workspace: Workspace):
    page.get_by_label("Write a message").press_sequentially("/review action")
    expect(page.get_by_role("option")).to_have_text([re.compile("actions")])
    page.keyboard.press("Enter")

    expect(page.locator("#composer [role=alert]")).to_contain_text("could not be reached")
    assert workspace.delivered("slash_commands")[-1]["text"] == "action"


def test_whoever_writes_sees_the_end_and_whoever_reads_is_left_in_peace(page: Page, workspace: Workspace):
    page.locator("#log").evaluate("log => log.scrollTo(0, 0)")
    workspace.do("message", user="sinead", channel=INCIDENT, text="one thing more")
    expect(page.get_by_role("button", name="New messages")).to_be_visible()
    expect(message_with(page, "one thing more")).not_to_be_in_viewport()

    _say(page, "thank you")

    expect(message_with(page, "thank you")).to_be_in_viewport()
    expect(page.get_by_role("button", name="New messages")).to_be_hidden()


def test_in_a_thread_a_command_is_refused_and_a_mention_offered_instead(page: Page, workspace: Workspace):
    page.locator(".thread-line").last.click()
    reply = page.get_by_label("Reply in this thread")
    reply.fill("/review timeline all")
    reply.press("Enter")

    expect(page.locator("#thread-composer")).to_contain_text("/review is not supported in threads. Sorry!")
    page.get_by_role("button", name="Write “@Debrief timeline all” instead").click()
    reply.press("Enter")
    expect(page.locator("#thread-log .message").last).to_contain_text("@Debrief timeline all")
    assert workspace.messages()[-1]["text"] == "<@U0DEBRIEF> timeline all"
    assert workspace.messages()[-1]["thread_ts"] != workspace.messages()[-1]["ts"]
    assert workspace.delivered("slash_commands") == []


def test_a_pushpin_is_one_press_away_and_one_press_takes_it_back(page: Page, workspace: Workspace):
    said = message_with(page, "fair play for answering")
    said.hover()
    page.get_by_role("button", name="Put on the timeline").click()

    pin = said.get_by_role("button", name=re.compile("^pushpin, 1: Tomasz"))
    expect(pin).to_have_attribute("aria-pressed", "true")
    pin.click()
    expect(pin).to_have_count(0)


def test_any_other_emoji_is_found_by_its_name(page: Page, workspace: Workspace):
    said = message_with(page, "fair play for answering")
    said.hover()
    page.get_by_role("toolbar").get_by_role("button", name="Add an emoji").click()
    offered = page.locator("[data-emoji]")
    assert [one.get_attribute("data-emoji") for one in offered.all()[:2]] == ["pushpin", "clipboard"]
    page.get_by_label("Find an emoji by name").fill("micros")
    page.keyboard.press("Enter")

    expect(said.get_by_role("button", name=re.compile("^microscope, 1"))).to_be_visible()


def test_ones_own_words_can_be_changed_and_taken_back(page: Page, workspace: Workspace):
    _say(page, "it was teh pool")
    message_with(page, "it was teh pool").hover()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Edit message").click()
    page.get_by_label("Edit message").fill("it was the pool")
    page.keyboard.press("Enter")
    expect(message_with(page, "it was the pool")).to_contain_text("(edited)")

    message_with(page, "it was the pool").hover()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete message").click()
    expect(page.locator("#log .message", has_text="it was the pool")).to_have_count(0)


def test_somebody_elses_words_cannot_be_changed(page: Page):
    message_with(page, "fair play for answering").hover()
    page.get_by_role("button", name="More actions").click()

    expect(page.get_by_role("dialog", name="More actions")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Edit message")).to_have_count(0)


def test_what_was_said_elsewhere_is_marked_unread_until_it_is_seen(page: Page, workspace: Workspace):
    workspace.do("message", user="sinead", channel="support", text="one more ticket")
    support = page.get_by_role("navigation").get_by_role("button", name="support")
    expect(support).to_contain_text("1")

    support.click()

    expect(message_with(page, "one more ticket")).to_be_visible()
    expect(support.locator(".unread")).to_have_count(0)


def test_looking_through_other_eyes_changes_the_clock_on_the_wall_and_who_speaks(page: Page, workspace: Workspace):
    expect(page.locator("#clock-face")).to_have_text("Wed 18 Nov, 19:20")
    page.get_by_role("button", name="You look as Tomasz").click()
    page.get_by_role("menuitemradio", name=re.compile("Ifeoma Adeyemi")).click()
    expect(page.locator("#clock-face")).to_have_text("Wed 18 Nov, 18:20")
    _say(page, "me again")

    expect(message_with(page, "me again")).to_be_visible()
    assert workspace.messages()[-1]["user"] == "U06IFEADE2M"


def test_a_channel_one_is_not_in_can_be_read_and_joined(page: Page, workspace: Workspace):
    workspace.do("leave", user=TOMASZ, channel=SUPPORT)
    page.get_by_role("navigation").get_by_role("button", name="support").click()
    expect(page.get_by_label("Write a message")).to_be_disabled()

    page.get_by_role("button", name="Join").click()

    expect(page.get_by_label("Write a message")).to_be_enabled()


def test_the_clock_moves_forward_in_steps(page: Page):
    page.get_by_role("button", name="+1 h").click()
    expect(page.locator("#clock-face")).to_have_text("Wed 18 Nov, 20:20")

    page.get_by_role("button", name="Next morning").click()

    expect(page.locator("#clock-face")).to_have_text("Thu 19 Nov, 09:00")


def test_the_clock_jumps_to_two_minutes_before_the_next_meeting(page: Page, workspace: Workspace):
    workspace.app_says(text=f"The review meets on <!date^{MEETING}^{{date}} at {{time}}|Friday>")
    expect(message_with(page, "The review meets on")).to_be_visible()

    page.get_by_role("button", name="Jump to the meeting").first.click()

    expect(page.locator("#clock-face")).to_have_text("Fri 20 Nov, 14:58")


def test_without_a_meeting_the_page_says_how_to_book_one(page: Page):
    page.get_by_role("button", name="Jump to the meeting").first.click()

    expect(page.locator("#notices")).to_contain_text("/review schedule")


def test_on_load_and_with_every_message_the_end_is_in_sight(page: Page, workspace: Workspace):
    assert _comes_to_the_end(page)

    workspace.app_says(text="a long answer\n" * 12)
    expect(message_with(page, "a long answer")).to_be_visible()
    page.get_by_role("button", name="All steps").click()

    assert _comes_to_the_end(page)


def test_the_keyboard_alone_reaches_a_message_and_its_actions(page: Page, workspace: Workspace):
    page.locator("#log").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".message:focus")).to_contain_text("resolved 18:05")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(message_with(page, "resolved 18:05").get_by_role("button", name=re.compile("^pushpin, 1"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_needs_nothing_from_anywhere_else(browser: Browser, workspace: Workspace, scheme: str):
    context = browser.new_context(viewport=WIDE, color_scheme="dark" if scheme == "dark" else "light")
    visited = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    visited.on("request", lambda request: asked.append(request.url))
    visited.on("console", lambda message: complaints.append(message.text))
    visited.on("pageerror", lambda error: complaints.append(str(error)))

    visit(visited, workspace.url)

    assert [url for url in asked if not url.startswith(workspace.url)] == []
    assert complaints == []
    context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen_and_channels_are_in_a_drawer(phone: Page):
    expect(phone.get_by_role("navigation")).to_be_hidden()
    phone.get_by_role("button", name="Conversations").tap()
    phone.get_by_role("navigation").get_by_role("button", name="support").tap()

    expect(phone.get_by_role("heading", level=1)).to_have_text("#support")
    expect(phone.get_by_role("navigation")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_on_a_phone_a_thread_fills_the_screen_and_closes_again(phone: Page):
    phone.locator(".thread-line").last.tap()
    panel = phone.get_by_role("complementary", name="Thread")
    box = panel.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (390, 844)

    phone.get_by_role("button", name="Close the thread").tap()

    expect(panel).to_be_hidden()


def test_on_a_phone_a_tap_on_a_message_offers_its_actions(phone: Page):
    said = message_with(phone, "fair play for answering")
    said.locator(".words").tap()
    phone.get_by_role("button", name="Put on the timeline").tap()

    expect(said.get_by_role("button", name=re.compile("^pushpin, 1"))).to_be_visible()


def test_the_guide_never_covers_the_composer(phone: Page):
    guide, composer = phone.locator("#guide").bounding_box(), phone.locator("#composer").bounding_box()

    assert guide is not None
    assert composer is not None
    assert guide["y"] + guide["height"] <= composer["y"]


def test_on_a_phone_the_end_is_in_sight(phone: Page):
    assert _comes_to_the_end(phone)


def test_on_a_phone_the_guide_is_one_line_until_more_is_wanted(phone: Page):
    guide = phone.locator("#guide")
    box = guide.bounding_box()
    assert box is not None
    assert box["height"] < 45
    expect(guide.get_by_role("button", name="Show me one")).to_be_hidden()

    guide.get_by_role("button", name="More").tap()

    expect(guide.get_by_role("button", name="Show me one")).to_be_visible()
    guide.get_by_role("button", name="Less").tap()
    expect(guide.get_by_role("button", name="Show me one")).to_be_hidden()


def test_on_a_phone_a_tap_offers_actions_after_one_on_the_apps_message(phone: Page, workspace: Workspace):
    workspace.app_says(text="said by the app")
    message_with(phone, "said by the app").locator(".words").tap()
    said = message_with(phone, "fair play for answering")
    said.locator(".words").tap()

    expect(phone.get_by_role("toolbar", name="Message actions")).to_have_count(1)
    expect(said.get_by_role("button", name="Put on the timeline")).to_be_in_viewport()


def test_on_a_phone_the_tap_that_brings_the_actions_presses_none(phone: Page):
    message_with(phone, "thank you all").locator(".words").tap()
    said = message_with(phone, "resolved 18:05")
    box = said.bounding_box()
    assert box is not None

    phone.touchscreen.tap(box["x"] + box["width"] * 0.48, box["y"] + 8)

    expect(said.get_by_role("toolbar")).to_be_visible()
    expect(said.get_by_role("button", name=re.compile("^pushpin"))).to_have_count(0)
    expect(phone.locator(".popup")).to_have_count(0)


def test_the_actions_of_a_message_whose_head_is_out_of_sight_hang_from_the_edge(phone: Page, workspace: Workspace):
    workspace.do("message", user="sinead", channel=INCIDENT, text="a long story\n" * 60)
    story = message_with(phone, "a long story")
    expect(story.locator(".words")).to_be_in_viewport()

    phone.touchscreen.tap(195, 600)

    expect(story.get_by_role("button", name="Put on the timeline")).to_be_in_viewport(ratio=1)


LEFT = "log => log.scrollHeight - log.scrollTop - log.clientHeight"


def _left_below(page: Page) -> float:
    """Pixels of the messages below what is seen."""
    return page.locator("#log").evaluate(LEFT)


def _comes_to_the_end(page: Page) -> bool:
    """Whether the end of the list is in sight within two seconds; asked from here, for the page forbids evaluation."""
    for _ in range(40):
        if _left_below(page) < 1:
            return True
        page.wait_for_timeout(50)
    return False


def _say(page: Page, text: str) -> None:
    page.get_by_label("Write a message").fill(text)
    page.keyboard.press("Enter")
