"""The Web API as the SDK sees it."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import APP_TOKEN
from tests.sandbox.cast import People, client_of, error_of, refusal

INCIDENTS = "C0INCIDENTS"
SUPPORT = "C0SUPPORT"


async def test_the_token_says_who_the_bot_is(client: Any):
    me = await client.auth_test()

    assert (me["user_id"], me["bot_id"], me["team_id"]) == ("U0DEBRIEF", "B0DEBRIEF", "T0SANDBOX")


async def test_a_call_without_a_good_token_is_refused(slack: Running):
    wrong = AsyncWebClient(token="xoxb-wrong", base_url=slack.api_url)
    app_token = AsyncWebClient(token=APP_TOKEN, base_url=slack.api_url)

    async with aiohttp.ClientSession() as session, session.get(f"{slack.url}/api/auth.test") as response:
        assert (await response.json())["error"] == "not_authed"
    assert await error_of(wrong.auth_test()) == "invalid_auth"
    assert await error_of(app_token.chat_postMessage(channel=INCIDENTS, text="x")) == "not_allowed_token_type"


async def test_a_method_slack_does_not_have_is_unknown(client: Any):
    assert await error_of(client.api_call("reviews.open")) == "unknown_method"


async def test_arguments_come_by_query_form_and_json(slack: Running):
    url, token = f"{slack.url}/api/users.info", {"Authorization": "Bearer xoxb-sandbox"}

    async with aiohttp.ClientSession(headers=token) as session:
        async with session.get(url, params={"user": "U0PRIYA"}) as by_query:
            queried = await by_query.json()
        async with session.post(url, data={"user": "U0PRIYA"}) as by_form:
            formed = await by_form.json()
        async with session.post(url, json={"user": "U0PRIYA"}) as by_json:
            not_read = await by_json.json()

    assert queried["user"]["name"] == formed["user"]["name"] == "priya"
    assert not_read["error"] == "invalid_arguments"  # users.info reads no JSON


async def test_people_carry_their_zone_and_a_deleted_one_none(client: Any, people: People):
    await people.do("user", user="tom", deleted=True)

    lena = (await client.users_info(user="U0LENA"))["user"]
    tom = (await client.users_info(user="U0TOM"))["user"]

    assert lena["tz"] == "Europe/Berlin"
    assert lena["tz_offset"] in (3600, 7200)
    assert tom["deleted"]
    assert "tz" not in tom


async def test_people_are_found_by_mail_and_listed_in_pages(client: Any):
    found = await client.users_lookupByEmail(email="amara@sandbox.example")
    names = [u["name"] async for page in await client.users_list(limit=5) for u in page["members"]]

    assert found["user"]["id"] == "U0AMARA"
    assert len(names) == len(set(names)) == 12
    assert await error_of(client.users_lookupByEmail(email="nobody@sandbox.example")) == "users_not_found"
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"


async def test_a_message_is_posted_changed_and_deleted(client: Any):
    posted = await client.chat_postMessage(channel=INCIDENTS, text="one")
    await client.chat_update(channel=INCIDENTS, ts=posted["ts"], text="two")
    changed = (await client.conversations_history(channel=INCIDENTS))["messages"][0]
    await client.chat_delete(channel=INCIDENTS, ts=posted["ts"])

    assert changed["text"] == "two"
    assert changed["edited"]["user"] == "U0DEBRIEF"
    assert (await client.conversations_history(channel=INCIDENTS))["messages"] == []


async def test_a_person_s_id_leads_to_the_direct_conversation(client: Any, people: People):
    posted = await client.chat_postMessage(channel="U0PRIYA", text="for you")
    opened = await client.conversations_open(users="U0PRIYA")

    assert posted["channel"].startswith("D")
    assert opened["channel"]["id"] == posted["channel"]
    assert [m["text"] for m in await people.messages("dm", user="priya")] == ["for you"]


async def test_only_members_post_and_only_the_author_changes(client: Any, people: People):
    theirs = await people.say("mine")

    assert await error_of(client.chat_postMessage(channel=SUPPORT, text="x")) == "not_in_channel"
    assert await error_of(client.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"
    assert await error_of(client.chat_update(channel=INCIDENTS, ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=INCIDENTS, ts=theirs)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=INCIDENTS, ts="1.000000", text="x")) == "message_not_found"
    assert await error_of(client.api_call("chat.postMessage", json={"channel": INCIDENTS})) == "no_text"


async def test_a_private_channel_is_not_there_for_outsiders(client: Any, people: People):
    secret = (await people.do("create", user="lena", name="secret", private=True))["channel"]

    assert await error_of(client.conversations_info(channel=secret)) == "channel_not_found"
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert secret not in [c["id"] for c in listed["channels"]]

    await people.do("invite", user="lena", channel="secret")

    assert (await client.conversations_info(channel=secret))["channel"]["is_private"]


async def test_nobody_posts_into_an_archived_channel(client: Any, people: People):
    await people.do("archive", user="priya", channel="incidents")

    assert await error_of(client.chat_postMessage(channel=INCIDENTS, text="x")) == "is_archived"
    assert (await people.do("message", user="priya", channel="incidents", text="x"))["error"] == "is_archived"

    await people.do("unarchive", user="priya", channel="incidents")

    assert (await client.chat_postMessage(channel=INCIDENTS, text="x"))["ok"]


async def test_history_is_newest_first_in_pages_and_between_two_moments(client: Any, people: People):
    stamps = [await people.say(f"message {i}") for i in range(7)]

    pages = [page["messages"] async for page in await client.conversations_history(channel=INCIDENTS, limit=3)]
    between = await client.conversations_history(channel=INCIDENTS, oldest=stamps[2], latest=stamps[5])
    with_ends = await client.conversations_history(
        channel=INCIDENTS, oldest=stamps[2], latest=stamps[5], inclusive=True
    )

    assert [m["ts"] for page in pages for m in page] == stamps[::-1]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [m["ts"] for m in between["messages"]] == [stamps[4], stamps[3]]
    assert [m["ts"] for m in with_ends["messages"]] == stamps[5:1:-1]


async def test_pages_of_history_hold_while_people_go_on_talking(client: Any, people: People):
    stamps = [await people.say(str(i)) for i in range(4)]

    first = await client.conversations_history(channel=INCIDENTS, limit=2)
    await people.say("meanwhile")
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=INCIDENTS, limit=2, cursor=cursor)

    assert [m["ts"] for m in first["messages"] + second["messages"]] == stamps[::-1]
    assert not second["has_more"]
    assert await error_of(client.conversations_history(channel=INCIDENTS, cursor="nonsense")) == "invalid_cursor"


async def test_replies_stay_out_of_history_unless_broadcast(client: Any, people: People):
    parent = await people.say("parent")
    reply = await people.say("reply", user="lena", thread_ts=parent)
    broadcast = await people.say("also to the channel", thread_ts=reply, broadcast=True)

    history = (await client.conversations_history(channel=INCIDENTS))["messages"]
    thread = (await client.conversations_replies(channel=INCIDENTS, ts=parent))["messages"]

    assert [m["ts"] for m in history] == [broadcast, parent]
    assert [m["ts"] for m in thread] == [parent, reply, broadcast]
    assert history[0]["subtype"] == "thread_broadcast"
    assert history[1]["reply_count"] == 2
    assert history[1]["reply_users"] == ["U0LENA", "U0PRIYA"]
    assert history[1]["latest_reply"] == broadcast


async def test_the_parent_of_a_thread_stays_as_a_tombstone(client: Any, people: People):
    parent = await people.say("parent")
    reply = await people.say("reply", thread_ts=parent)
    await people.do("delete", user="priya", channel="incidents", ts=parent)

    thread = (await client.conversations_replies(channel=INCIDENTS, ts=parent))["messages"]

    assert [(m.get("subtype"), m["user"]) for m in thread] == [("tombstone", "USLACKBOT"), (None, "U0PRIYA")]

    await people.do("delete", user="priya", channel="incidents", ts=reply)

    assert (await client.conversations_history(channel=INCIDENTS))["messages"] == []


async def test_metadata_comes_back_only_when_asked_for(client: Any):
    mark = {"event_type": "note", "event_payload": {"key": "k1"}}
    await client.chat_postMessage(channel=INCIDENTS, text="x", metadata=mark)

    plain = (await client.conversations_history(channel=INCIDENTS))["messages"][0]
    full = (await client.conversations_history(channel=INCIDENTS, include_all_metadata=True))["messages"][0]

    assert "metadata" not in plain
    assert full["metadata"] == mark


async def test_a_reaction_is_given_and_taken_once(client: Any, people: People):
    target = {"channel": INCIDENTS, "timestamp": await people.say("x"), "name": "memo"}

    await client.reactions_add(**target)
    again = await error_of(client.reactions_add(**target))
    held = (await client.reactions_get(channel=INCIDENTS, timestamp=target["timestamp"]))["message"]["reactions"]
    await client.reactions_remove(**target)

    assert again == "already_reacted"
    assert held == [{"name": "memo", "users": ["U0DEBRIEF"], "count": 1}]
    assert await error_of(client.reactions_remove(**target)) == "no_reaction"


async def test_a_channel_is_made_filled_renamed_and_closed(client: Any):
    made = (await client.conversations_create(name="inc-9"))["channel"]["id"]
    await client.conversations_invite(channel=made, users="U0PRIYA,U0LENA")
    await client.conversations_setTopic(channel=made, topic="checkout")
    await client.conversations_rename(channel=made, name="inc-9-done")
    members = (await client.conversations_members(channel=made))["members"]
    seen = (await client.conversations_info(channel=made))["channel"]
    await client.conversations_archive(channel=made)

    assert members == ["U0DEBRIEF", "U0PRIYA", "U0LENA"]
    assert (seen["name"], seen["topic"]["value"], seen["previous_names"]) == ("inc-9-done", "checkout", ["inc-9"])
    assert await error_of(client.conversations_archive(channel=made)) == "already_archived"
    assert await error_of(client.conversations_create(name="inc-9-done")) == "name_taken"
    assert await error_of(client.conversations_create(name="Inc 9")) == "invalid_name_specials"


async def test_the_bot_joins_public_channels_and_lists_its_own(client: Any):
    before = (await client.users_conversations())["channels"]
    await client.conversations_join(channel=SUPPORT)
    after = (await client.users_conversations())["channels"]

    assert [c["name"] for c in before] == ["general", "incidents"]
    assert [c["name"] for c in after] == ["general", "incidents", "support"]


async def test_a_file_is_uploaded_in_three_steps_and_read_with_the_token(client: Any, people: People):
    uploaded = await client.files_upload_v2(
        channel=INCIDENTS, filename="report.md", content="# Report", initial_comment="here"
    )
    known = (await client.files_info(file=uploaded["files"][0]["id"]))["file"]

    async with aiohttp.ClientSession() as session:
        async with session.get(known["url_private"], headers={"Authorization": "Bearer xoxb-sandbox"}) as response:
            content = await response.text()
        async with session.get(known["url_private"], allow_redirects=False) as response:
            stranger = response.status
        async with session.get(known["url_private"], headers={"Authorization": "Bearer xoxb-other"}) as response:
            wrong = response.status, response.content_type, await response.text()

    assert content == "# Report"
    assert stranger == 302
    assert wrong[:2] == (200, "text/html")
    assert "Sign in" in wrong[2]
    assert list(known["shares"]["public"]) == [INCIDENTS]
    assert [m["text"] for m in await people.messages()] == ["here"]


async def test_an_upload_is_shared_once_and_its_address_takes_one_file(client: Any, people: People):
    begun = await client.files_getUploadURLExternal(filename="chart.png", length=3, alt_txt="three events")
    too_early = await error_of(client.files_completeUploadExternal(files=[{"id": begun["file_id"]}]))
    async with aiohttp.ClientSession() as session:
        first = (await session.post(begun["upload_url"], data=b"png")).status
        second = (await session.post(begun["upload_url"], data=b"other")).status
    wish = {"files": [{"id": begun["file_id"]}], "channel_id": INCIDENTS, "initial_comment": "look"}
    outside = await error_of(client.files_completeUploadExternal(**wish | {"channel_id": SUPPORT}))

    await client.files_completeUploadExternal(**wish)
    again = await error_of(client.files_completeUploadExternal(**wish))

    (message,) = await people.messages()
    assert (first, second) == (200, 404)
    assert (too_early, outside, again) == ("file_not_found", "not_in_channel", "file_not_found")
    assert (message["files"][0]["alt_txt"], message["files"][0]["mimetype"]) == ("three events", "image/png")


async def test_an_upload_names_its_file_and_its_length(client: Any):
    nameless = await error_of(client.api_call("files.getUploadURLExternal", params={"length": 3}))
    empty = await error_of(client.files_getUploadURLExternal(filename="a.png", length=0))
    long_alt = await error_of(client.files_getUploadURLExternal(filename="a.png", length=3, alt_txt="x" * 1_001))

    assert (nameless, empty, long_alt) == ("missing_argument", "missing_argument", "alt_txt_too_large")


async def test_a_deleted_file_leaves_a_trace_where_it_was_shown(client: Any, people: People):
    uploaded = await client.files_upload_v2(channel=INCIDENTS, filename="chart.png", content="png")
    file = uploaded["files"][0]["id"]

    await client.files_delete(file=file)

    (message,) = await people.messages()
    assert message["files"] == [{"id": file, "mode": "tombstone"}]
    assert await error_of(client.files_delete(file=file)) == "file_not_found"


async def an_upload(client: Any, name: str = "chart.png") -> str:
    """A file that was uploaded, and not yet completed."""
    begun = await client.files_getUploadURLExternal(filename=name, length=3)
    async with aiohttp.ClientSession() as session:
        await session.post(begun["upload_url"], data=b"png")
    return begun["file_id"]


def a_picture(**file: str) -> list[dict[str, Any]]:
    return [{"type": "image", "slack_file": file, "alt_text": "three events"}]


async def test_a_picture_is_shown_by_its_file_which_is_nowhere_shared(client: Any, people: People):
    file = await an_upload(client)
    await client.files_completeUploadExternal(files=[{"id": file}])

    posted = await client.chat_postMessage(channel=INCIDENTS, text="The timeline", blocks=a_picture(id=file))
    known = (await client.files_info(file=file))["file"]
    by_address = await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=a_picture(url=known["permalink"]))
    await client.files_delete(file=file)

    (first, _) = await people.messages()
    assert (first["ts"], first["blocks"][0]["slack_file"]) == (posted["ts"], {"id": file})
    assert "files" not in first
    assert known["shares"] == {}
    assert by_address["ok"]


async def test_a_picture_that_slack_cannot_show_is_refused(client: Any, people: People):
    begun, page = await an_upload(client), await an_upload(client, "report.html")
    await client.files_completeUploadExternal(files=[{"id": page}])
    ts = (await client.chat_postMessage(channel=INCIDENTS, text="here"))["ts"]

    post = {"channel": INCIDENTS, "text": "x"}
    wishes = [{"id": "F0NOWHERE"}, {"id": begun}, {"id": page}, {"id": page, "url": "https://example.com/a.png"}, {}]
    refused = [await refusal(client.chat_postMessage(**post, blocks=a_picture(**wish))) for wish in wishes]
    changed = await refusal(client.chat_update(**post, ts=ts, blocks=a_picture(id="F0NOWHERE")))

    said = {answer["error"] for answer in (*refused, changed)}, changed["response_metadata"]["messages"]
    assert said == ({"invalid_blocks"}, ["[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"])
    assert [message["text"] for message in await people.messages()] == ["here"]


async def test_what_slack_is_not_done_with_is_not_known_to_be_a_picture(client: Any, people: People):
    await people.do("fault", file_lag_s=30)
    file = await an_upload(client)
    await client.files_completeUploadExternal(files=[{"id": file}])

    early = (await client.files_info(file=file))["file"]["mimetype"]
    too_early = await error_of(client.chat_postMessage(channel=INCIDENTS, text="x", blocks=a_picture(id=file)))
    await people.do("clock", advance_s=31)
    then = (await client.files_info(file=file))["file"]["mimetype"]

    assert (early, too_early, then) == ("", "invalid_blocks", "image/png")
    assert (await client.chat_postMessage(channel=INCIDENTS, text="x", blocks=a_picture(id=file)))["ok"]


async def test_pins_and_bookmarks_are_kept(client: Any, people: People):
    ts = await people.say("x")
    await client.pins_add(channel=INCIDENTS, timestamp=ts)
    added = await client.bookmarks_add(channel_id=INCIDENTS, title="Doc", type="link", link="https://example.com")
    again = await error_of(client.pins_add(channel=INCIDENTS, timestamp=ts))
    pinned = (await client.pins_list(channel=INCIDENTS))["items"]
    await client.pins_remove(channel=INCIDENTS, timestamp=ts)
    await client.bookmarks_remove(channel_id=INCIDENTS, bookmark_id=added["bookmark"]["id"])

    assert again == "already_pinned"
    assert [item["message"]["ts"] for item in pinned] == [ts]
    assert (await client.bookmarks_list(channel_id=INCIDENTS))["bookmarks"] == []


async def test_a_permalink_names_channel_message_and_thread(client: Any, people: People):
    parent = await people.say("parent")
    reply = await people.say("reply", thread_ts=parent)

    link = (await client.chat_getPermalink(channel=INCIDENTS, message_ts=reply))["permalink"]

    digits = reply.replace(".", "")
    assert link == f"https://sandbox.slack.com/archives/{INCIDENTS}/p{digits}?thread_ts={parent}&cid={INCIDENTS}"


async def test_a_scheduled_message_comes_when_its_moment_does_but_never_with_metadata(client: Any, people: People):
    now = (await client.users_list())["cache_ts"]
    mark = {"event_type": "note", "event_payload": {}}
    await client.chat_scheduleMessage(channel=INCIDENTS, post_at=now + 600, text="later")
    await client.chat_scheduleMessage(channel=INCIDENTS, post_at=now + 600, text="never", metadata=mark)
    before = await people.messages()

    await people.do("clock", advance_s=601)
    await people.do("react", user="priya", channel="incidents", ts=await people.say("x"), emoji="eyes")

    assert before == []
    assert [m["text"] for m in await people.messages()] == ["later", "x"]
    assert await error_of(client.chat_scheduleMessage(channel=INCIDENTS, post_at=now, text="x")) == "time_in_past"


async def test_an_ephemeral_is_seen_by_one(client: Any, people: People):
    await client.chat_postEphemeral(channel=INCIDENTS, user="U0PRIYA", text="psst")

    assert [m["text"] for m in await people.messages(user="priya")] == ["psst"]
    assert await people.messages(user="lena") == []
    assert await people.messages() == []


async def test_scopes_come_from_the_manifest():
    manifest = {"oauth_config": {"scopes": {"bot": ["chat:write", "channels:history", "channels:read"]}}}

    async with sandbox(manifest=manifest) as slack:
        client = client_of(slack)
        answer = await refusal(client.reactions_add(channel=INCIDENTS, timestamp="1.1", name="eyes"))
        private = await error_of(client.conversations_list(types="private_channel"))
        history = await client.conversations_history(channel=INCIDENTS)

    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
    assert answer["provided"] == "channels:history,channels:read,chat:write"
    assert private == "missing_scope"
    assert history["ok"]


async def test_the_sdk_follows_the_blocks_validate_method(client: Any):
    good = await client.api_call("blocks.validate", json={"blocks": [{"type": "divider"}]})
    bad = await error_of(client.api_call("blocks.validate", json={"blocks": [{"type": "dividers"}]}))

    assert good["ok"]
    assert bad == "invalid_blocks"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"display_information": {"name": "x" * 36}}, "/display_information/name"),
        (
            {"features": {"slash_commands": [{"command": "review", "description": "x"}]}},
            "/features/slash_commands/0/command",
        ),
        (
            {"features": {"shortcuts": [{"type": "any", "name": "x", "description": "x", "callback_id": "x"}]}},
            "/features/shortcuts/0/type",
        ),
        ({"settings": {"colour": "red"}}, "/settings/colour"),
        (
            {"settings": {"socket_mode_enabled": True, "event_subscriptions": {"bot_events": ["reaction_added"]}}},
            "/settings/event_subscriptions/bot_events/0",
        ),
        (
            {"settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}}},
            "/settings/event_subscriptions/request_url",
        ),
    ],
)
async def test_a_manifest_is_told_what_is_wrong_with_it(client: Any, change: dict[str, Any], pointer: str):
    good = {"display_information": {"name": "Debrief"}}

    accepted = await client.api_call("apps.manifest.validate", json={"manifest": json.dumps(good)})
    refused = await refusal(
        client.api_call("apps.manifest.validate", json={"manifest": json.dumps({**good, **change})})
    )

    assert accepted["errors"] == []
    assert (refused["error"], [e["pointer"] for e in refused["errors"]]) == ("invalid_manifest", [pointer])


@pytest.mark.parametrize("path", ["/_control/state", "/"])
async def test_control_and_page_refuse_other_sites(slack: Running, path: str):
    async with aiohttp.ClientSession() as session:
        async with session.get(slack.url + path, headers={"Origin": "https://evil.example"}) as from_elsewhere:
            assert from_elsewhere.status == 403
        async with session.get(slack.url + path, headers={"Host": "rebound.example"}) as by_another_name:
            assert by_another_name.status == 403
        async with session.get(slack.url + path) as from_here:
            assert from_here.status == 200
