"""The guide: where it stands is read from the channel, and from nothing else."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cast import INCIDENT, TOMASZ, Workspace, message_with, visit

MEETING = 1_795_183_200  # 2026-11-20 14:00 UTC
FOLLOWED = "*Checkout latency* is now followed as an incident."
MITIGATED = "Mitigated at 17:27, thank you all."
ANNOUNCED = f"The review of “Checkout latency” meets on *<!date^{MEETING}^{{date}} at {{time}}|Friday>*, 50 min, here."
AGENDA = "Review of Checkout latency\n*2 of 6 · Summary and impact* · 8 min"
PUBLISHED = "Checkout latency\nTomasz published this report."


def test_a_pin_that_the_app_confirmed_ticks_the_first_step(page: Page, workspace: Workspace):
    expect(_guide(page)).to_contain_text("1 of 5")

    _pin(workspace)

    expect(_guide(page)).to_contain_text("2 of 5")


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ([MITIGATED], "3 of 5"),
        ([MITIGATED, ANNOUNCED], "Jump to the meeting"),
        ([AGENDA], "Say in a few plain sentences"),
        ([ANNOUNCED, AGENDA, "*The meeting has ended.* It ended at 15:40."], "/review draft"),
        ([PUBLISHED], "That was a whole review"),
    ],
)
def test_what_was_done_before_the_page_was_opened_is_ticked(
    wide_window: Page, workspace: Workspace, said: list[str], step: str
):
    for text in [FOLLOWED, *said]:
        workspace.app_says(text=text)

    visit(wide_window, workspace.url)

    expect(_guide(wide_window)).to_contain_text(step)
    wide_window.goto("about:blank")


def test_a_later_step_ticks_the_ones_before_it(page: Page, workspace: Workspace):
    workspace.app_says(text=FOLLOWED)
    workspace.app_says(text=MITIGATED)
    expect(_guide(page)).to_contain_text("3 of 5")

    workspace.app_says(text=AGENDA)

    expect(_guide(page)).to_contain_text("4 of 5")


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        ("*Mitigated* stands at 18:27 already. I left it as it is.", "3 of 5"),
        ("The meeting is planned for *Friday 15:00*, 50 min.", "Jump to the meeting"),
    ],
)
def test_the_answer_that_it_stands_already_ticks_the_step_too(page: Page, workspace: Workspace, answer: str, step: str):
    workspace.app_says(text=FOLLOWED)
    workspace.api("chat.postEphemeral", channel=INCIDENT, user=TOMASZ, text=answer)

    expect(_guide(page)).to_contain_text(step)


def test_an_action_noted_early_ticks_nothing_before_it(page: Page, workspace: Workspace):
    workspace.app_says(text=FOLLOWED)
    workspace.app_says(text="Action 1 is proposed:")
    expect(message_with(page, "Action 1 is proposed")).to_be_visible()

    expect(_guide(page)).to_contain_text("1 of 5")


def test_a_new_incident_begins_again_at_the_first_step(page: Page, workspace: Workspace):
    for text in (FOLLOWED, MITIGATED, ANNOUNCED):
        workspace.app_says(text=text)
    expect(_guide(page)).to_contain_text("3 of 5")

    workspace.app_says(text="*Search is slow* is now followed as an incident.")

    expect(_guide(page)).to_contain_text("1 of 5")


def test_what_only_one_person_was_told_stays_ticked_for_whoever_looks_next(page: Page, workspace: Workspace):
    for text in (FOLLOWED, AGENDA):
        workspace.app_says(text=text)
    workspace.api("chat.postEphemeral", channel=INCIDENT, user=TOMASZ, text="The summary is written.")
    expect(_guide(page)).to_contain_text("Note what made it possible")

    page.get_by_role("button", name="You look as Tomasz").click()
    page.get_by_role("menuitemradio", name=re.compile("Ifeoma Adeyemi")).click()

    expect(page.get_by_role("button", name="You look as Ifeoma")).to_be_visible()
    expect(_guide(page)).to_contain_text("Note what made it possible")


def test_the_guide_types_and_asks_for_enter_when_it_has_typed_already(page: Page, workspace: Workspace):
    _pin(workspace)
    _guide(page).get_by_role("button", name="Type it for me").click()
    composer = page.get_by_label("Write a message")
    expect(composer).to_have_value("/review mitigated")
    expect(page.locator("#composer [role=alert]")).to_be_empty()

    _guide(page).get_by_role("button", name="Type it for me").click()

    expect(page.locator("#composer [role=alert]")).to_contain_text("press Enter")
    expect(composer).to_be_focused()
    expect(composer).to_have_value("/review mitigated")
    assert workspace.delivered("slash_commands") == []


def test_the_guide_types_in_the_channel_of_the_incident(page: Page, workspace: Workspace):
    workspace.app_says(text=FOLLOWED)
    _pin(workspace)
    page.get_by_role("navigation").get_by_role("button", name="support").click()

    _guide(page).get_by_role("button", name="Type it for me").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("#inc-2211-checkout-latency")
    expect(page.get_by_label("Write a message")).to_have_value("/review mitigated")


def test_the_guide_can_be_put_away_and_comes_back_where_the_review_is(page: Page, workspace: Workspace):
    _pin(workspace)
    page.get_by_role("button", name="Put the guide away").click()
    visit(page, page.url)
    expect(page.locator("#guide")).to_be_hidden()

    page.get_by_role("button", name="Show the guide").click()

    expect(_guide(page)).to_contain_text("2 of 5")


def _pin(workspace: Workspace) -> None:
    """Ifeoma pins a message, and the app confirms it."""
    said = next(message for message in workspace.messages() if "fair play" in message["text"])
    workspace.do("react", user="ifeoma", channel=INCIDENT, ts=said["ts"], emoji="pushpin")
    workspace.api("reactions.add", channel=INCIDENT, timestamp=said["ts"], name="memo")


def _guide(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("Guide"))
