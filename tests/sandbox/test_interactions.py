"""Commands, shortcuts, buttons and forms, and what Slack makes of the bot's answers."""

import asyncio
from typing import Any

import aiohttp

from bot.sandbox import tickets
from tests.sandbox.cast import (
    PATIENCE_S,
    Bot,
    People,
    a_button,
    a_form,
    an_input,
    buttons,
    client_of,
    error_of,
    over_socket,
    plain,
    visiting,
)

Json = dict[str, Any]
Connected = tuple[People, Bot]
INCIDENTS = "C0INCIDENTS"


def answering(*given: Any, **named: Any) -> Any:
    async def answer(ack: Any, body: Json, client: Any) -> None:
        await ack(*given, **named)

    return answer


def opening(view: Json) -> Any:
    async def answer(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    return answer


async def open_form(people: People, bot: Bot, view: Json) -> Json:
    """Let the bot open that form for priya."""
    bot.on["/review"] = opening(view)
    await people.do("command", user="priya", channel="incidents", command="/review")
    async with asyncio.timeout(PATIENCE_S):
        while not (views := (await people.see("views/priya"))["views"]):  # noqa: ASYNC110 - nothing could set an event
            await asyncio.sleep(0.01)
    return views[-1]


async def test_a_command_comes_with_who_where_and_what(connected: Connected):
    people, bot = connected

    await people.do("command", user="priya", channel="incidents", command="/review invite @lena to #general")

    [body] = bot.bodies
    assert (body["command"], body["text"]) == ("/review", "invite <@U0LENA> to <#C0GENERAL>")
    assert (body["user_id"], body["user_name"]) == ("U0PRIYA", "priya")
    assert (body["channel_id"], body["channel_name"]) == (INCIDENTS, "incidents")
    assert body["trigger_id"]


async def test_a_command_in_a_direct_conversation_or_private_channel_hides_its_name(connected: Connected):
    people, bot = connected
    await people.do("create", user="priya", name="quiet", private=True)

    await people.do("command", user="priya", channel="dm", command="/review")
    await people.do("command", user="priya", channel="quiet", command="/review")

    commands = [b for b in bot.bodies if "command" in b]
    assert [b["channel_name"] for b in commands] == ["directmessage", "privategroup"]


async def test_the_answer_of_a_command_is_whispered_or_said_aloud(connected: Connected):
    people, bot = connected

    bot.on["/review"] = answering("only you")
    whispered = await people.do("command", user="priya", channel="incidents", command="/review")
    bot.on["/review"] = answering("all of you", response_type="in_channel")
    await people.do("command", user="priya", channel="incidents", command="/review")

    assert (whispered["ok"], whispered["answer"]["text"]) == (True, "only you")
    assert [m["text"] for m in await people.messages(user="priya")] == ["only you", "all of you"]
    assert [m["text"] for m in await people.messages(user="lena")] == ["all of you"]


async def test_an_answer_that_breaks_a_rule_is_a_violation(connected: Connected):
    people, bot = connected
    bot.on["/review"] = answering(text="x", blocks=[{"type": "divider", "colour": "red"}])

    answer = await people.do("command", user="priya", channel="incidents", command="/review")

    assert (answer["ok"], answer["error"]) == (False, "dispatch_failed")
    assert [v["where"] for v in await people.violations()] == ["command answer"]
    assert await people.messages(user="priya") == []


async def test_a_command_in_a_thread_is_refused_by_slack_itself(connected: Connected):
    people, bot = connected
    parent = await people.say("x")

    answer = await people.do("command", user="priya", channel="incidents", command="/review", thread_ts=parent)

    assert answer["error"] == "/review is not supported in threads. Sorry!"
    assert [b for b in bot.bodies if "command" in b] == []


async def test_shortcuts_come_with_their_message_or_alone(connected: Connected):
    people, bot = connected
    ts = await people.say("look")

    await people.do("shortcut", user="lena", callback_id="add", channel="incidents", ts=ts)
    await people.do("shortcut", user="lena", callback_id="new")

    on_message, alone = bot.bodies[-2:]
    assert (on_message["type"], on_message["callback_id"], on_message["message"]["text"]) == (
        "message_action",
        "add",
        "look",
    )
    assert on_message["response_url"]
    assert (alone["type"], alone["callback_id"]) == ("shortcut", "new")
    assert "message" not in alone


async def test_a_button_is_found_by_its_action_and_value(connected: Connected):
    people, bot = connected
    blocks = buttons(a_button("go", "1"), a_button("stop", "2", confirm=_confirm()))
    posted = await bot.client.chat_postMessage(channel=INCIDENTS, text="Choose", blocks=blocks)

    await people.do("click", user="priya", channel="incidents", action_id="go", value="1")
    confirmed = await people.do("click", user="priya", channel="incidents", action_id="stop")
    nowhere = await people.do("click", user="priya", channel="incidents", action_id="fly")

    pressed = [b for b in bot.bodies if b.get("type") == "block_actions"]
    assert [b["actions"][0]["value"] for b in pressed] == ["1", "2"]
    assert pressed[0]["message"]["ts"] == posted["ts"]
    assert pressed[0]["container"]["type"] == "message"
    assert confirmed["confirm"]["title"]["text"] == "Sure?"
    assert nowhere["error"] == "no message there has fly"


async def test_a_button_of_another_bot_is_not_ours_to_hear(connected: Connected):
    people, bot = connected
    await people.do("message", user="watchtower", channel="incidents", text="x", blocks=buttons(a_button("silence")))

    answer = await people.do("click", user="priya", channel="incidents", action_id="silence")

    assert answer["error"] == "no message there has silence"
    assert [b for b in bot.bodies if b["type"] == "block_actions"] == []


async def test_a_choice_in_a_menu_is_kept_and_sent_with_the_next_press(connected: Connected):
    people, bot = connected
    options = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
    menu = {"type": "static_select", "action_id": "menu", "placeholder": plain("Pick"), "options": options}
    await bot.client.chat_postMessage(channel=INCIDENTS, text="Choose", blocks=buttons(menu, a_button("go")))

    await people.do("click", user="priya", channel="incidents", action_id="menu", value="Two")
    await people.do("click", user="priya", channel="incidents", action_id="go")
    wrong = await people.do("click", user="priya", channel="incidents", action_id="menu", value="Three")

    chosen, pressed = [b for b in bot.bodies if b.get("type") == "block_actions"]
    assert chosen["actions"][0]["selected_option"]["value"] == "2"
    assert pressed["state"]["values"]["buttons"]["menu"]["selected_option"]["value"] == "2"
    assert wrong["error"] == "menu does not offer 'Three', only 1, 2"


async def test_a_whispered_message_has_buttons_and_a_response_url_too(connected: Connected):
    people, bot = connected
    bot.on["/review"] = answering(text="Sure?", blocks=buttons(a_button("yes")))
    await people.do("command", user="priya", channel="incidents", command="/review")

    await people.do("click", user="priya", channel="incidents", action_id="yes")

    pressed = bot.bodies[-1]
    assert pressed["container"]["is_ephemeral"]
    assert "message" not in pressed
    async with aiohttp.ClientSession() as session:
        replaced = {"replace_original": True, "text": "Done"}
        async with session.post(pressed["response_url"], json=replaced) as response:
            assert response.status == 200
        assert [m["text"] for m in await people.messages(user="priya")] == ["Done"]
        async with session.post(pressed["response_url"], json={"delete_original": True}) as response:
            assert response.status == 200
        assert await people.messages(user="priya") == []


async def test_a_response_url_works_five_times_in_half_an_hour(connected: Connected):
    people, bot = connected
    await people.do("command", user="priya", channel="support", command="/review")
    await people.do("command", user="priya", channel="support", command="/review")
    first, second = [b["response_url"] for b in bot.bodies]

    async with aiohttp.ClientSession() as session:
        used = [await _post(session, first, text=str(i)) for i in range(6)]
        await people.do("clock", advance_s=1801)
        late = await _post(session, second, text="late")

    assert used == [200, 200, 200, 200, 200, 404]
    assert late == 404
    assert len(await people.messages("support", user="priya")) == 5


async def test_a_response_that_breaks_a_rule_is_a_violation(connected: Connected):
    people, bot = connected
    await people.do("command", user="priya", channel="incidents", command="/review")

    async with aiohttp.ClientSession() as session:
        status = await _post(session, bot.bodies[0]["response_url"], text="", blocks=[])

    assert status == 400
    assert (await people.violations())[0]["where"] == "response_url"


async def test_a_form_opens_is_filled_in_and_closes(connected: Connected):
    people, bot = connected
    due = an_input("due", "day", type="datepicker", optional=True)
    who = an_input("who", "people", type="multi_users_select")
    view = await open_form(people, bot, a_form(an_input("why", "text"), due, who, private_metadata="m"))

    answer = await people.do(
        "submit",
        user="priya",
        view_id=view["id"],
        values={"why": {"text": "DNS"}, "due": {"day": "2026-11-24"}, "who": {"people": ["U0LENA", "U0TOM"]}},
    )

    submitted = bot.bodies[-1]
    assert answer["ok"]
    assert (submitted["type"], submitted["view"]["private_metadata"]) == ("view_submission", "m")
    assert submitted["view"]["state"]["values"] == {
        "why": {"text": {"type": "plain_text_input", "value": "DNS"}},
        "due": {"day": {"type": "datepicker", "selected_date": "2026-11-24"}},
        "who": {"people": {"type": "multi_users_select", "selected_users": ["U0LENA", "U0TOM"]}},
    }
    assert (await people.see("views/priya"))["views"] == []


async def test_what_is_required_is_required_and_initial_values_count(connected: Connected):
    people, bot = connected
    view = a_form(an_input("why", "text"), an_input("more", "text", initial_value="as before"))
    await open_form(people, bot, view)

    empty = await people.do("submit", user="priya")
    strange = await people.do("submit", user="priya", values={"where": {"text": "x"}})
    full = await people.do("submit", user="priya", values={"why": {"text": "x"}})

    assert empty["error"] == "why is required: Why"
    assert strange["error"] == "the form has no block where: why, more"
    assert full["ok"]
    assert bot.bodies[-1]["view"]["state"]["values"]["more"]["text"]["value"] == "as before"


async def test_a_form_shows_errors_changes_grows_and_clears(connected: Connected):
    people, bot = connected
    await open_form(people, bot, a_form())
    filled = {"why": {"text": "x"}}

    bot.on["view_submission"] = answering(response_action="errors", errors={"why": "Say more."})
    await people.do("submit", user="priya", values=filled)
    with_errors = (await people.see("views/priya"))["views"]
    bot.on["view_submission"] = answering(response_action="update", view=a_form(title=plain("Second")))
    await people.do("submit", user="priya", values=filled)
    updated = (await people.see("views/priya"))["views"]
    bot.on["view_submission"] = answering(response_action="push", view=a_form(title=plain("Third")))
    await people.do("submit", user="priya")
    pushed = (await people.see("views/priya"))["views"]
    bot.on["view_submission"] = answering(response_action="clear")
    await people.do("submit", user="priya", values=filled)

    assert with_errors[0]["errors"] == {"why": "Say more."}
    assert [v["title"]["text"] for v in updated] == ["Second"]
    assert updated[0]["id"] == with_errors[0]["id"]
    assert [v["title"]["text"] for v in pushed] == ["Second", "Third"]
    assert pushed[1]["previous_view_id"] == pushed[1]["root_view_id"] == pushed[0]["id"]
    assert (await people.see("views/priya"))["views"] == []
    assert await people.violations() == []


async def test_errors_for_a_block_that_is_not_there_are_a_violation(connected: Connected):
    people, bot = connected
    await open_form(people, bot, a_form())
    bot.on["view_submission"] = answering(response_action="errors", errors={"elsewhere": "No."})

    answer = await people.do("submit", user="priya", values={"why": {"text": "x"}})

    assert answer["error"] == "dispatch_failed"
    assert (await people.violations())[0]["where"] == "view_submission"
    assert len((await people.see("views/priya"))["views"]) == 1


async def test_the_bot_hears_of_a_closed_form_when_it_asked_to(connected: Connected):
    people, bot = connected

    await open_form(people, bot, a_form())
    await people.do("close", user="priya")
    await open_form(people, bot, a_form(notify_on_close=True))
    await people.do("close", user="priya", all=True)

    closed = [b for b in bot.bodies if b.get("type") == "view_closed"]
    assert [b["is_cleared"] for b in closed] == [True]
    assert (await people.see("views/priya"))["views"] == []


async def test_a_trigger_opens_one_form_within_three_seconds(connected: Connected, monkeypatch):
    people, bot = connected
    client = bot.client
    await people.do("command", user="priya", channel="incidents", command="/review")
    trigger = bot.bodies[-1]["trigger_id"]

    opened = await client.views_open(trigger_id=trigger, view=a_form())
    again = await error_of(client.views_open(trigger_id=trigger, view=a_form()))
    monkeypatch.setattr(tickets, "TRIGGER_LIFE_S", -0.1)
    await people.do("command", user="priya", channel="incidents", command="/review")
    late = await error_of(client.views_open(trigger_id=bot.bodies[-1]["trigger_id"], view=a_form()))
    made_up = await error_of(client.views_open(trigger_id="1.2.3", view=a_form()))

    assert opened["view"]["id"].startswith("V")
    assert (again, late, made_up) == ("exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id")


async def test_views_are_updated_by_hash_and_pushed_three_deep(connected: Connected):
    people, bot = connected
    client = bot.client
    button = {"type": "actions", "block_id": "b", "elements": [a_button("more")]}
    view = await open_form(people, bot, a_form(button))

    async def push() -> str:
        await people.do("click", user="priya", action_id="more")
        pushed = await client.api_call(
            "views.push", json={"trigger_id": bot.bodies[-1]["trigger_id"], "view": a_form(button)}
        )
        return pushed["view"]["id"]

    updated = await client.views_update(view_id=view["id"], hash=view["hash"], view=a_form(button, title=plain("New")))
    stale = await error_of(client.views_update(view_id=view["id"], hash=view["hash"], view=a_form()))
    gone = await error_of(client.views_update(view_id="V0", view=a_form()))
    await push()
    await push()
    too_deep = await error_of(push())

    assert updated["view"]["title"]["text"] == "New"
    assert (stale, gone, too_deep) == ("hash_conflict", "not_found", "push_limit_reached")


async def test_what_was_filled_in_survives_an_update_of_the_form(connected: Connected):
    people, bot = connected
    menu = {"type": "users_select", "action_id": "who", "placeholder": plain("Who")}
    section = {"type": "section", "block_id": "s", "text": plain("Owner"), "accessory": menu}
    view = await open_form(people, bot, a_form(section))
    await people.do("click", user="priya", view_id=view["id"], action_id="who", value="U0LENA")

    await bot.client.views_update(view_id=view["id"], view=a_form(section, title=plain("Again")))
    [seen] = (await people.see("views/priya"))["views"]

    assert seen["state"]["values"]["s"]["who"]["selected_user"] == "U0LENA"


async def test_the_bot_suggests_options_while_a_person_types(connected: Connected):
    people, bot = connected
    options = [{"text": plain("Checkout"), "value": "checkout"}]
    bot.on["block_suggestion"] = answering(options=options)
    service = an_input("service", "name", type="external_select", min_query_length=0)
    await open_form(people, bot, a_form(service))

    offered = await people.do("suggest", user="priya", action_id="name", query="che")
    submitted = await people.do("submit", user="priya", values={"service": {"name": "checkout"}})

    assert offered["answer"]["options"] == options
    assert submitted["ok"]
    assert bot.bodies[-1]["view"]["state"]["values"]["service"]["name"]["selected_option"]["value"] == "checkout"


async def test_buttons_of_the_home_tab_are_pressed_there(connected: Connected):
    people, bot = connected
    home = {"type": "home", "blocks": buttons(a_button("mine", "7"))}
    await bot.client.views_publish(user_id="U0PRIYA", view=home)

    await people.do("home", user="priya")
    await people.do("click", user="priya", home=True, action_id="mine")

    pressed = bot.bodies[-1]
    assert bot.events("app_home_opened")[0]["view"]["type"] == "home"
    assert (pressed["container"]["type"], pressed["view"]["type"]) == ("view", "home")
    assert pressed["actions"][0]["value"] == "7"


async def test_only_what_the_manifest_names_can_be_typed():
    features = {
        "slash_commands": [{"command": "/review"}],
        "shortcuts": [{"callback_id": "add", "name": "Add", "type": "message"}],
    }

    async with over_socket(manifest={"features": features}) as (slack, _bot), visiting(slack.url) as people:
        known = await people.do("command", user="priya", channel="incidents", command="/review")
        unknown = await people.do("command", user="priya", channel="incidents", command="/retro")
        strange = await people.do("shortcut", user="priya", callback_id="nothing")
        home = await error_of(client_of(slack).views_publish(user_id="U0PRIYA", view={"type": "home", "blocks": []}))
        state = await people.see("state")

    assert known["ok"]
    assert unknown["error"].startswith("/retro is not a valid command")
    assert strange["error"] == "the app has no shortcut nothing"
    assert home == "not_enabled"
    assert (state["commands"], state["shortcuts"][0]["callback_id"]) == (["/review"], "add")


async def test_people_do_only_what_slack_lets_them(people: People):
    ts = await people.say("mine")

    assert "somebody else's" in (await people.do("edit", user="lena", channel="incidents", ts=ts, text="x"))["error"]
    assert (await people.do("message", user="nobody", channel="incidents", text="x"))["error"].startswith(
        "there is no user"
    )
    assert (await people.do("message", channel="incidents", text="x"))["error"].startswith("say who")
    assert (await people.do("submit", user="priya"))["error"] == "that person has no form open"
    assert (await people.do("dance", user="priya"))["error"].startswith("unknown deed")


def _confirm() -> Json:
    return {"title": plain("Sure?"), "text": plain("Really."), "confirm": plain("Yes"), "deny": plain("No")}


async def _post(session: aiohttp.ClientSession, url: str, **body: Any) -> int:
    async with session.post(url, json=body) as response:
        return response.status
