"""Blocks and forms: what they look like, and what the app is told of them."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.cast import IFEOMA, INCIDENT, TOMASZ, Workspace, asked, form, message_with, option, plain, section

Json = dict[str, Any]

MOMENT = 1_795_183_200  # 2026-11-20 14:00 UTC


def test_every_kind_of_block_is_drawn_with_its_words(page: Page, workspace: Workspace):
    fields = [{"type": "mrkdwn", "text": "*TTD*\n12 min"}, {"type": "plain_text", "text": "*as typed*"}]
    rich = [{"type": "rich_text_section", "elements": [{"type": "text", "text": "rich", "style": {"bold": True}}]}]

    workspace.app_says(
        text="fallback",
        blocks=[
            {"type": "header", "text": plain("The review")},
            {"type": "section", "fields": fields},
            {"type": "divider"},
            {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "A chart of latency"},
            {"type": "rich_text", "elements": rich},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "you see this because you _lead_"}]},
        ],
    )

    said = message_with(page, "The review")
    expect(said.get_by_role("heading", name="The review")).to_be_visible()
    expect(said.locator("strong", has_text="TTD")).to_be_visible()
    expect(said).to_contain_text("*as typed*")
    expect(said).to_contain_text("A chart of latency")
    expect(said.locator("strong", has_text="rich")).to_be_visible()
    expect(said.locator("em", has_text="lead")).to_be_visible()
    assert said.locator("img").count() == 0


def test_an_attachment_shows_its_bar_title_and_fields(page: Page, workspace: Workspace):
    field = {"title": "Since", "value": "13:16"}

    workspace.app_says(
        text="", attachments=[{"color": "#cc3344", "title": "Alarm", "text": "p99 *up*", "fields": [field]}]
    )

    bar = message_with(page, "Alarm").locator(".attachment")
    expect(bar).to_have_css("border-left-color", "rgb(204, 51, 68)")
    expect(bar).to_contain_text("p99 up")
    expect(bar).to_contain_text("Since")


def test_a_press_tells_the_app_which_button_it_was(page: Page, workspace: Workspace):
    buttons = [
        {"type": "button", "action_id": "review:next", "text": plain(t), "value": v}
        for t, v in (("One", "1"), ("Two", "2"))
    ]
    buttons[1]["action_id"] = "review:next:1"
    said = workspace.app_says(text="press", blocks=[{"type": "actions", "elements": buttons}])

    page.get_by_role("button", name="Two").click()

    expect(page.get_by_role("alert").filter(has_text="could not be reached")).to_be_visible()
    pressed = workspace.delivered("interactive")[-1]
    assert pressed["actions"][0]["value"] == "2"
    assert (pressed["container"]["message_ts"], pressed["user"]["id"]) == (said["ts"], TOMASZ)


def test_a_button_that_asks_first_does_nothing_until_it_is_confirmed(page: Page, workspace: Workspace):
    confirm = {
        "title": plain("Skip it?"),
        "text": plain("Nobody is reminded."),
        "confirm": plain("Skip it"),
        "deny": plain("Keep it"),
    }
    skip = {"type": "button", "action_id": "skip", "style": "danger", "text": plain("Skip"), "confirm": confirm}
    workspace.app_says(text="x", blocks=[{"type": "actions", "elements": [skip]}])

    page.get_by_role("button", name="Skip", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    refused = workspace.delivered("interactive")
    page.get_by_role("button", name="Skip", exact=True).click()
    page.get_by_role("button", name="Skip it").click()
    expect(page.locator(".notice")).to_be_visible()

    assert refused == []
    assert [action["action_id"] for p in workspace.delivered("interactive") for action in p["actions"]] == ["skip"]


def test_choosing_in_a_message_is_told_at_once(page: Page, workspace: Workspace):
    who = {"type": "users_select", "action_id": "who", "placeholder": plain("Choose a person")}
    workspace.app_says(text="x", blocks=[section("Who leads?") | {"accessory": who}])

    page.get_by_label("Choose a person").select_option(label="Ifeoma Adeyemi")
    expect(page.locator(".notice")).to_be_visible()

    assert workspace.delivered("interactive")[-1]["actions"][0]["selected_user"] == IFEOMA


def test_a_form_sends_every_kind_of_field(page: Page, workspace: Workspace):
    workspace.app_opens(TOMASZ, _every_field())

    form_shown = page.get_by_role("dialog", name="A form")
    form_shown.get_by_label("What happened").fill("line one\nline two")
    form_shown.get_by_label("Kind").select_option("decision")
    form_shown.get_by_label("When").fill("2026-11-18T17:27")
    form_shown.get_by_label("Day").fill("2026-11-25")
    form_shown.get_by_label("Hour").fill("09:30")
    form_shown.get_by_label("Ifeoma Adeyemi").check()
    form_shown.get_by_label("It helped").check()
    form_shown.get_by_label("Customers").check()
    form_shown.get_by_label("Link").fill("https://example.com/42")
    form_shown.get_by_label("People").fill("23")
    form_shown.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_be_visible()

    assert _values(workspace) == {
        "text": "line one\nline two",
        "kind": "decision",
        "when": 1_795_019_220,
        "day": "2026-11-25",
        "hour": "09:30",
        "who": [IFEOMA],
        "how": "helped",
        "felt": ["customers"],
        "link": "https://example.com/42",
        "count": "23",
    }


def test_a_form_keeps_what_it_was_opened_with(page: Page, workspace: Workspace):
    workspace.app_opens(TOMASZ, form(asked("text", "What", {"type": "plain_text_input", "initial_value": "as it was"})))

    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice")).to_be_visible()

    assert _values(workspace) == {"text": "as it was"}


def test_a_required_field_left_empty_is_named_beside_it(page: Page, workspace: Workspace):
    workspace.app_opens(TOMASZ, form(asked("text", "What happened", {"type": "plain_text_input"})))

    page.get_by_role("button", name="Save").click()

    expect(page.locator("[data-block=text] .error")).to_have_text("Please complete this field.")
    assert workspace.delivered("interactive") == []


def test_what_the_app_says_of_a_field_stands_beside_it_and_nothing_typed_is_lost(page: Page, workspace: Workspace):
    fields = [asked("when", "When", {"type": "plain_text_input"}), asked("why", "Why", {"type": "plain_text_input"})]
    workspace.app_opens(TOMASZ, form(*fields))
    page.get_by_label("When").fill("soonish")
    page.get_by_label("Why").fill("because")

    workspace.app_objects(TOMASZ, {"when": "I cannot read this time."})

    expect(page.locator("[data-block=when] .error")).to_have_text("I cannot read this time.")
    expect(page.get_by_label("When")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Why")).to_have_value("because")


def test_escape_closes_a_form_for_good(page: Page, workspace: Workspace):
    workspace.app_opens(TOMASZ, form(section("Something to read")))
    expect(page.get_by_role("dialog", name="A form")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog", name="A form")).to_be_hidden()
    assert workspace.look(f"views/{TOMASZ}") == {"views": []}


def test_the_home_tab_shows_what_the_app_published(page: Page, workspace: Workspace):
    done = {"type": "button", "action_id": "done", "text": plain("Done")}
    blocks = [{"type": "header", "text": plain("Your actions")}, {"type": "actions", "elements": [done]}]
    workspace.api("views.publish", user_id=TOMASZ, view={"type": "home", "blocks": blocks})

    page.get_by_role("navigation").get_by_role("button", name="Debrief").click()
    page.get_by_role("tab", name="Home").click()

    expect(page.get_by_role("heading", name="Your actions")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".notice")).to_be_visible()
    assert workspace.delivered("interactive")[-1]["view"]["type"] == "home"


def test_only_you_can_see_an_ephemeral_and_you_can_put_it_away(page: Page, workspace: Workspace):
    workspace.api("chat.postEphemeral", channel=INCIDENT, user=TOMASZ, text="between us")

    expect(message_with(page, "between us")).to_contain_text("Only visible to you")
    page.get_by_role("button", name="Dismiss").click()

    expect(page.locator("#log .message", has_text="between us")).to_have_count(0)


def _every_field() -> Json:
    kinds = [option("Detection", "detection"), option("Decision", "decision")]
    return form(
        asked("text", "What happened", {"type": "plain_text_input", "multiline": True}),
        asked("kind", "Kind", {"type": "static_select", "options": kinds}),
        asked("when", "When", {"type": "datetimepicker", "initial_date_time": MOMENT}),
        asked("day", "Day", {"type": "datepicker"}),
        asked("hour", "Hour", {"type": "timepicker"}),
        asked("who", "Who was there", {"type": "multi_users_select"}),
        asked("how", "How it went", {"type": "radio_buttons", "options": [option("It helped", "helped")]}),
        asked("felt", "Felt by", {"type": "checkboxes", "options": [option("Customers", "customers")]}),
        asked("link", "Link", {"type": "url_text_input"}),
        asked("count", "People", {"type": "number_input", "is_decimal_allowed": False}),
    )


def _values(workspace: Workspace) -> Json:
    """What the last submission held, each field in its simplest form."""
    values = workspace.delivered("interactive")[-1]["view"]["state"]["values"]
    return {block: _simple(fields["v"]) for block, fields in values.items()}


def _simple(state: Json) -> Any:
    value = next(v for k, v in state.items() if k != "type")
    if isinstance(value, list):
        return [one["value"] if isinstance(one, dict) else one for one in value]
    return value["value"] if isinstance(value, dict) else value
