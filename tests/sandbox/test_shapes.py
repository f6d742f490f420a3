"""Every payload that leaves the sandbox has the keys and JSON types that Slack's have."""

from typing import Any

import pytest

from tests.sandbox.cast import Bot, People, a_button, a_form, an_input, buttons, over_socket, visiting
from tests.sandbox.shapes import CHANNEL, COMMAND, ENVELOPE, EVENTS, INTERACTIONS, MESSAGE, USER, VIEW, misfits
from tests.sandbox.test_interactions import answering, open_form

Json = dict[str, Any]
INCIDENTS = "C0INCIDENTS"


def _shape_of(payload: Json) -> Any:
    if "command" in payload:
        return COMMAND
    if "event" in payload:
        return ENVELOPE
    return INTERACTIONS[payload["type"]]


def _event_shape_of(event: Json) -> Any:
    subtype = event.get("subtype", "")
    return EVENTS[subtype] if subtype in ("message_changed", "message_deleted") else EVENTS[event["type"]]


def wrong_in(payload: Json) -> list[str]:
    wrong = list(misfits(payload, _shape_of(payload)))
    if "event" in payload:
        wrong += misfits(payload["event"], _event_shape_of(payload["event"]))
    return wrong


async def test_every_payload_of_a_busy_day_has_its_shape():
    async with over_socket() as (slack, bot), visiting(slack.url) as people:
        await _talk(people, bot)
        await _gather(people)
        await _use(people, bot)
        await people.do("revoke")
        payloads = [d["payload"] for d in (await people.see("log"))["deliveries"]]

    assert {i for p in payloads for i in wrong_in(p)} == set()
    assert {p["event"]["type"] for p in payloads if "event" in p} >= set(EVENTS) - {
        "message_changed",
        "message_deleted",
    }
    assert {p["type"] for p in payloads if "event" not in p and "command" not in p} == set(INTERACTIONS)


async def test_answers_of_the_web_api_have_their_shape(people: People, client):
    await people.say("x")
    await client.chat_postMessage(channel=INCIDENTS, text="y", blocks=[{"type": "divider"}])
    history = await client.conversations_history(channel=INCIDENTS)
    channels = await client.conversations_list()
    members = await client.users_list()
    home = await client.views_publish(user_id="U0PRIYA", view={"type": "home", "blocks": [{"type": "divider"}]})

    assert [w for m in history["messages"] for w in misfits(m, MESSAGE)] == []
    assert [w for c in channels["channels"] for w in misfits(c, CHANNEL)] == []
    assert [w for m in members["members"] for w in misfits(m, USER)] == []
    assert list(misfits(home["view"], VIEW)) == []


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"user": "U1", "ts": "1.0"}, []),
        ({"user": "U1"}, ["/ts: missing"]),
        ({"user": 1, "ts": "1.0"}, ["/user: int instead of str"]),
        ({"user": "U1", "ts": "1.0", "at": 1}, ["/at: unexpected"]),
    ],
)
def test_the_shape_check_finds_what_is_wrong(value: Json, wrong: list[str]):
    assert list(misfits(value, {"user": str, "ts": str})) == wrong


async def _talk(people: People, bot: Bot) -> None:
    client = bot.client
    parent = await people.say("hello @lena")
    await people.say("reply", thread_ts=parent, user="lena")
    await people.say("broadcast", thread_ts=parent, broadcast=True)
    await people.do("mention", user="priya", channel="incidents", text="status", thread_ts=parent)
    await people.do("message", user="watchtower", channel="incidents", attachments=[{"fallback": "CPU"}])
    await people.do("react", user="lena", channel="incidents", ts=parent, emoji="eyes")
    await people.do("pin", user="lena", channel="incidents", ts=parent)
    await people.do("unpin", user="lena", channel="incidents", ts=parent)
    await people.do("edit", user="priya", channel="incidents", ts=parent, text="hello")
    await people.do("unreact", user="lena", channel="incidents", ts=parent, emoji="eyes")
    await people.do("delete", user="priya", channel="incidents", ts=parent)
    shared = await people.do("upload", user="lena", channel="incidents", name="a.txt", content="a")
    await people.do("unshare", user="lena", channel="incidents", ts=shared["ts"])
    posted = await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=buttons(a_button("go")))
    await client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="y")
    await client.chat_delete(channel=INCIDENTS, ts=posted["ts"])
    await people.say("direct", channel="dm")


async def _gather(people: People) -> None:
    for name, private in (("inc-1", False), ("inc-2", True)):
        await people.do("create", user="priya", name=name, private=private)
        await people.do("invite", user="priya", channel=name, users=["debrief", "lena"])
        await people.do("leave", user="lena", channel=name)
        await people.do("rename", user="priya", channel=name, name=name + "-a")
        await people.do("archive", user="priya", channel=name + "-a")
    await people.do("unarchive", user="priya", channel="inc-1-a")
    await people.do("convert", user="priya", channel="inc-1-a")
    await people.do("convert", user="priya", channel="inc-1-a", to="new_id")
    await people.do("user", user="tom", deleted=True)


async def _use(people: People, bot: Bot) -> None:
    client = bot.client
    bot.on["block_suggestion"] = answering(options=[])
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=buttons(a_button("go"))))["ts"]
    await people.do("click", user="priya", channel="incidents", action_id="go")
    await people.do("shortcut", user="priya", callback_id="add", channel="incidents", ts=ts)
    await people.do("shortcut", user="priya", callback_id="new")
    await client.views_publish(user_id="U0PRIYA", view={"type": "home", "blocks": buttons(a_button("mine"))})
    await people.do("home", user="priya")
    await people.do("click", user="priya", home=True, action_id="mine")
    await open_form(
        people, bot, a_form(an_input("s", "n", type="external_select", optional=True), notify_on_close=True)
    )
    await people.do("suggest", user="priya", action_id="n", query="a")
    bot.on["view_submission"] = answering(response_action="update", view=a_form(notify_on_close=True))
    await people.do("submit", user="priya")
    await people.do("close", user="priya")
