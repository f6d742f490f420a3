"""Blocks, messages and views that Slack refuses are refused, and remembered as violations."""

from typing import Any

import pytest

from bot.sandbox.validation import block_text_length, blocks_errors, options_errors, view_errors
from tests.sandbox.cast import People, a_button, a_form, an_input, buttons, error_of, plain, refusal

Json = dict[str, Any]
INCIDENTS = "C0INCIDENTS"


def a_section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def a_menu(action_id: str = "menu", **more: Any) -> Json:
    options = [{"text": plain("One"), "value": "1"}]
    return {"type": "static_select", "action_id": action_id, "placeholder": plain("Pick"), "options": options, **more}


GOOD = {
    "section": [a_section()],
    "section with fields": [{"type": "section", "fields": [plain("a"), plain("b")]}],
    "section with a menu": [a_section(accessory=a_menu())],
    "header": [{"type": "header", "text": plain("Title")}],
    "context": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]}],
    "buttons": buttons(a_button("a", "1"), a_button("b", style="danger")),
    "same action in two blocks": [*buttons(a_button("a", "1")), {**buttons(a_button("a", "2"))[0], "block_id": "two"}],
    "divider": [{"type": "divider"}],
    "markdown": [{"type": "markdown", "text": "**x**"}],
    "overflow": [a_section(accessory={"type": "overflow", "action_id": "o", "options": a_menu()["options"]})],
    "fifty": [{"type": "divider"}] * 50,
}
BAD = {
    "unknown type": ([{"type": "sections"}], "unsupported type"),
    "unknown key": ([a_section(colour="red")], "additional property: colour"),
    "null": ([{"type": "section", "text": None}], "must not be null"),
    "no text": ([{"type": "section"}], "text or fields"),
    "empty text": ([a_section("")], "more than 0 characters"),
    "long section": ([a_section("x" * 3001)], "3000"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "150"),
    "mrkdwn header": ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
    "eleven in context": ([{"type": "context", "elements": [plain("x")] * 11}], "10"),
    "twenty-six actions": (buttons(*[a_button(f"a{i}") for i in range(26)]), "25"),
    "no actions": (buttons(), "must not be empty"),
    "long button": (buttons({**a_button("a"), "text": plain("x" * 76)}), "75"),
    "long value": (buttons(a_button("a", "x" * 2001)), "2000"),
    "mrkdwn button": (buttons({**a_button("a"), "text": {"type": "mrkdwn", "text": "x"}}), "unsupported type"),
    "text in actions": (buttons(plain("x")), "unsupported type"),
    "menu without options": ([a_section(accessory={**a_menu(), "options": []})], "options"),
    "initial not offered": (
        [a_section(accessory=a_menu(initial_option={"text": plain("Two"), "value": "2"}))],
        "not among the options",
    ),
    "same block id": ([a_section(block_id="a"), a_section(block_id="a")], "block_id a already exists"),
    "same action id": (buttons(a_button("a"), a_button("a")), "action_id a already exists"),
    "fifty-one": ([{"type": "divider"}] * 51, "no more than 50"),
    "image without alt": ([{"type": "image", "image_url": "https://x.example/a.png"}], "alt_text"),
    "long markdown": ([{"type": "markdown", "text": "x" * 6001}] * 2, "12000"),
    "not a list": ({"type": "divider"}, "must be an array"),
}
BAD_VIEWS = {
    "no title": ({k: v for k, v in a_form().items() if k != "title"}, "title"),
    "long title": (a_form(title=plain("x" * 25)), "24"),
    "no submit": ({k: v for k, v in a_form().items() if k != "submit"}, "submit"),
    "long metadata": (a_form(private_metadata="x" * 3001), "3000"),
    "long callback": (a_form(callback_id="x" * 256), "255"),
    "unknown key": (a_form(colour="red"), "additional property: colour"),
    "mrkdwn title": (a_form(title={"type": "mrkdwn", "text": "x"}), "plain_text"),
    "many blocks": (a_form(*[{"type": "divider"}] * 101), "100"),
    "markdown in a modal": (a_form({"type": "markdown", "text": "x"}), "not allowed in a modal"),
    "unknown kind": (a_form(type="sheet"), "modal or home"),
    "button as input": (a_form({**an_input("b", "a"), "element": a_button("a")}), "unsupported type"),
    "home with a title": ({"type": "home", "title": plain("x"), "blocks": []}, "additional property: title"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_blocks_pass(name: str):
    assert blocks_errors(GOOD[name]) == []


@pytest.mark.parametrize("name", BAD)
def test_bad_blocks_are_told_why(name: str):
    blocks, why = BAD[name]

    assert any(why in error for error in blocks_errors(blocks))


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_bad_views_are_told_why(name: str):
    view, why = BAD_VIEWS[name]

    assert any(why in error for error in view_errors(view))


@pytest.mark.parametrize(
    "element",
    [
        {"type": "datepicker", "initial_date": "2026-11-20"},
        {"type": "datetimepicker", "initial_date_time": 1_795_000_000},
        {"type": "timepicker", "initial_time": "10:00"},
        {"type": "multi_users_select", "initial_users": ["U0PRIYA"]},
        {"type": "checkboxes", "options": a_menu()["options"], "initial_options": a_menu()["options"]},
        {"type": "radio_buttons", "options": a_menu()["options"]},
        {"type": "number_input", "is_decimal_allowed": False},
        {"type": "external_select", "min_query_length": 0},
        {"type": "plain_text_input", "multiline": True, "max_length": 3000, "initial_value": "x"},
        {"type": "url_text_input"},
    ],
    ids=lambda element: element["type"],
)
def test_every_input_of_a_form_passes(element: Json):
    assert view_errors(a_form(an_input("b", "a", **element))) == []


def test_the_text_of_all_blocks_is_counted():
    blocks = [a_section("x" * 100), {"type": "context", "elements": [plain("y" * 50)]}, *buttons(a_button("a"))]

    assert block_text_length(blocks) == 100 + 50 + len("Press")


def test_suggested_options_are_looked_at():
    assert options_errors({"options": a_menu()["options"]}) == []
    assert options_errors({"options": [{"text": plain("x")}]}) == [
        "missing required field: value [json-pointer:/options/0]"
    ]
    assert options_errors(None) == ["answer with options or option_groups"]


async def test_a_refused_message_is_a_violation(client: Any, people: People):
    bad = await refusal(client.chat_postMessage(channel=INCIDENTS, text="x", blocks=[{"type": "sections"}]))
    long = [a_section("x" * 2900, block_id=f"b{i}") for i in range(5)]
    too_long = await error_of(client.chat_postMessage(channel=INCIDENTS, text="x", blocks=long))

    assert bad["error"] == "invalid_blocks"
    assert too_long == "msg_blocks_too_long"
    assert [v["where"] for v in await people.violations()] == ["chat.postMessage"] * 2
    assert await people.messages() == []


async def test_what_is_no_block_attachment_or_metadata_is_refused(client: Any):
    wrong = {"blocks": "[", "attachments": [1], "metadata": {"event_type": 1}}

    errors = [
        await error_of(client.api_call("chat.postMessage", json={"channel": INCIDENTS, "text": "x", key: value}))
        for key, value in wrong.items()
    ]

    assert errors == ["invalid_blocks_format", "invalid_blocks", "invalid_metadata_format"]


async def test_over_long_text_is_cut_when_posted_and_refused_when_changed(client: Any, people: People):
    posted = await client.chat_postMessage(channel=INCIDENTS, text="x" * 40_001)
    changed = await error_of(client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="x" * 40_001))

    assert len(posted["message"]["text"]) == 40_000
    assert posted["warning"] == "message_truncated"
    assert changed == "msg_too_long"
    assert len(await people.violations()) == 2


async def test_a_good_message_is_no_violation(client: Any, people: People):
    await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=GOOD["buttons"])

    assert await people.violations() == []


async def test_a_home_is_published_unless_it_is_wrong_or_stale(client: Any, people: People):
    home = {"type": "home", "blocks": [a_section("Welcome")]}
    first = (await client.views_publish(user_id="U0PRIYA", view=home))["view"]
    second = (await client.views_publish(user_id="U0PRIYA", view=home, hash=first["hash"]))["view"]

    wrong = await refusal(client.views_publish(user_id="U0PRIYA", view=a_form()))
    stale = await error_of(client.views_publish(user_id="U0PRIYA", view=home, hash=first["hash"]))
    huge = {"type": "home", "blocks": [a_section("x" * 2990, block_id=f"{i}") for i in range(90)]}

    assert second["id"] == first["id"]
    assert (wrong["error"], stale) == ("invalid_arguments", "hash_conflict")
    assert await error_of(client.views_publish(user_id="U0PRIYA", view=huge)) == "view_too_large"
    assert (await people.see("home/priya"))["view"]["blocks"][0]["text"]["text"] == "Welcome"
