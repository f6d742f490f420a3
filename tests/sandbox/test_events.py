"""What the bot hears, over Socket Mode and over signed HTTP."""

import asyncio

from tests.sandbox.cast import Bot, People, error_of, over_socket, visiting

Connected = tuple[People, Bot]


async def test_a_message_is_heard_with_its_envelope(connected: Connected):
    people, bot = connected

    answer = await people.do("message", user="priya", channel="incidents", text="hello @lena in #general")

    assert answer["ok"]
    assert answer["ack_ms"] is not None
    [event] = bot.events("message")
    assert (event["user"], event["channel"], event["channel_type"]) == ("U0PRIYA", "C0INCIDENTS", "channel")
    assert event["text"] == "hello <@U0LENA> in <#C0GENERAL>"
    assert event["ts"] == event["event_ts"] == answer["ts"]
    assert bot.bodies[0]["event_id"] == answer["event_ids"][0]
    assert bot.bodies[0]["authorizations"][0]["user_id"] == "U0DEBRIEF"


async def test_a_mention_is_heard_twice_as_message_and_as_mention(connected: Connected):
    people, bot = connected

    await people.do("mention", user="priya", channel="incidents", text="status")

    [message], [mention] = bot.events("message"), bot.events("app_mention")
    assert message["ts"] == mention["ts"]
    assert mention["text"] == "<@U0DEBRIEF> status"


async def test_the_bot_hears_nothing_where_it_is_no_member(connected: Connected):
    people, bot = connected

    ts = await people.say("not for you", channel="support")
    await people.do("react", user="lena", channel="support", ts=ts, emoji="eyes")
    await people.say("for you")

    assert [e["text"] for e in bot.events("message")] == ["for you"]
    assert bot.events("reaction_added") == []


async def test_edits_and_deletions_are_heard_with_what_was_there(connected: Connected):
    people, bot = connected
    ts = await people.say("first")

    await people.do("edit", user="priya", channel="incidents", ts=ts, text="second")
    await people.do("delete", user="priya", channel="incidents", ts=ts)

    [changed] = bot.events("message", "message_changed")
    [deleted] = bot.events("message", "message_deleted")
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("first", "second")
    assert changed["message"]["edited"]["user"] == "U0PRIYA"
    assert (deleted["deleted_ts"], deleted["previous_message"]["text"]) == (ts, "second")


async def test_a_deleted_parent_is_heard_as_a_tombstone(connected: Connected):
    people, bot = connected
    parent = await people.say("parent")
    await people.say("reply", thread_ts=parent)

    await people.do("delete", user="priya", channel="incidents", ts=parent)

    [changed] = bot.events("message", "message_changed")
    assert (changed["message"]["subtype"], changed["message"]["user"]) == ("tombstone", "USLACKBOT")
    assert changed["previous_message"]["text"] == "parent"
    assert bot.events("message", "message_deleted") == []


async def test_a_link_s_preview_is_a_change_that_leaves_the_text_alone(connected: Connected):
    people, bot = connected
    ts = await people.say("see https://example.com")

    await people.do("unfurl", channel="incidents", ts=ts)

    [changed] = bot.events("message", "message_changed")
    assert changed["message"]["text"] == changed["previous_message"]["text"] == "see <https://example.com>"
    assert changed["message"]["attachments"][0]["title"] == "Example"
    assert "edited" not in changed["message"]


async def test_reactions_are_heard_with_whose_message_it_is(connected: Connected):
    people, bot = connected
    ts = await people.say("x")

    await people.do("react", user="lena", channel="incidents", ts=ts, emoji=":pushpin:")
    await people.do("unreact", user="lena", channel="incidents", ts=ts, emoji="pushpin")

    [added], [removed] = bot.events("reaction_added"), bot.events("reaction_removed")
    assert (added["user"], added["reaction"], added["item_user"]) == ("U0LENA", "pushpin", "U0PRIYA")
    assert added["item"] == removed["item"] == {"type": "message", "channel": "C0INCIDENTS", "ts": ts}


async def test_a_new_channel_and_an_invitation_are_heard(connected: Connected):
    people, bot = connected

    made = (await people.do("create", user="priya", name="inc-7"))["channel"]
    await people.do("invite", user="priya", channel="inc-7")

    [created], [joined] = bot.events("channel_created"), bot.events("member_joined_channel")
    assert (created["channel"]["id"], created["channel"]["name"]) == (made, "inc-7")
    assert (joined["user"], joined["channel"], joined["inviter"]) == ("U0DEBRIEF", made, "U0PRIYA")
    assert bot.events("message", "channel_join")[0]["inviter"] == "U0PRIYA"


async def test_a_private_channel_is_heard_of_only_by_members(connected: Connected):
    people, bot = connected

    await people.do("create", user="priya", name="quiet", private=True)
    await people.do("rename", user="priya", channel="quiet", name="quieter")
    await people.do("invite", user="priya", channel="quieter")
    await people.do("rename", user="priya", channel="quieter", name="quietest")
    await people.do("archive", user="priya", channel="quietest")

    assert bot.events("channel_created") == []
    assert [e["channel"]["name"] for e in bot.events("group_rename")] == ["quietest"]
    assert len(bot.events("group_archive")) == 1


async def test_leaving_renaming_archiving_and_converting_are_heard(connected: Connected):
    people, bot = connected

    await people.do("leave", user="tom", channel="incidents")
    await people.do("rename", user="priya", channel="incidents", name="trouble")
    await people.do("convert", user="priya", channel="trouble")
    await people.do("convert", user="priya", channel="trouble", to="public")
    await people.do("archive", user="priya", channel="trouble")
    await people.do("unarchive", user="priya", channel="trouble")

    assert bot.events("member_left_channel")[0]["user"] == "U0TOM"
    assert bot.events("channel_rename")[0]["channel"]["name"] == "trouble"
    assert bot.events("message", "channel_name")[0]["old_name"] == "incidents"
    assert bot.events("message", "channel_convert_to_private")[0]["channel_type"] == "group"
    assert bot.events("message", "channel_convert_to_public")[0]["channel_type"] == "channel"
    assert len(bot.events("channel_archive")) == len(bot.events("channel_unarchive")) == 1


async def test_a_deleted_channel_is_told_of_and_found_no_more(connected: Connected):
    people, bot = connected

    await people.do("delete_channel", user="priya", channel="incidents")

    [told] = bot.events("channel_deleted")
    assert told["channel"] == "C0INCIDENTS"
    assert await error_of(bot.client.chat_postMessage(channel="C0INCIDENTS", text="x")) == "channel_not_found"


async def test_a_channel_may_get_another_id(connected: Connected):
    people, bot = connected

    answer = await people.do("convert", user="priya", channel="incidents", to="new_id")

    [changed] = bot.events("channel_id_changed")
    assert (changed["old_channel_id"], changed["new_channel_id"]) == ("C0INCIDENTS", answer["channel"])


async def test_a_file_is_heard_as_a_message_and_by_its_id_alone(connected: Connected):
    people, bot = connected

    answer = await people.do("upload", user="lena", channel="incidents", name="log.txt", content="line one")

    [shared] = bot.events("file_shared")
    assert shared["file"] == {"id": answer["file"]}
    assert (shared["channel_id"], shared["user_id"]) == ("C0INCIDENTS", "U0LENA")
    assert bot.events("message", "file_share")[0]["files"][0]["name"] == "log.txt"


async def test_a_deleted_file_is_heard_and_its_message_shows_that_something_was_there(connected: Connected):
    people, bot = connected
    shared = await people.do("upload", user="lena", channel="incidents", name="log.txt", content="line one")

    await people.do("unshare", user="lena", channel="incidents", ts=shared["ts"])
    again = await people.do("unshare", user="lena", channel="incidents", ts=shared["ts"])

    [gone] = bot.events("file_deleted")
    assert (gone["file_id"], gone["channel_ids"]) == (shared["file"], ["C0INCIDENTS"])
    [changed] = bot.events("message", "message_changed")
    assert changed["message"]["files"] == [{"id": shared["file"], "mode": "tombstone"}]
    assert again["error"] == "there is no file in that message"


async def test_a_file_of_another_company_is_heard_by_its_id_and_one_from_elsewhere_with_its_address(
    connected: Connected,
):
    people, bot = connected

    theirs = await people.do("upload", user="lena", channel="incidents", mode="file_access", content="line one")
    await people.do("upload", user="lena", channel="incidents", mode="external", url="https://drive.example.com/1")

    shown = [message["files"][0] for message in bot.events("message", "file_share")]
    told = (await bot.client.files_info(file=theirs["file"]))["file"]
    assert shown[0] == {"id": theirs["file"], "mode": "file_access", "file_access": "check_file_info"}
    assert (shown[1]["is_external"], shown[1]["url_private"]) == (True, "https://drive.example.com/1")
    assert told["url_private"].startswith("http://127.0.0.1:")


async def test_pins_home_and_people_are_heard(connected: Connected):
    people, bot = connected
    ts = await people.say("x")

    await people.do("pin", user="lena", channel="incidents", ts=ts)
    await people.do("unpin", user="lena", channel="incidents", ts=ts)
    await people.do("home", user="lena")
    await people.do("user", user="lena", tz="Asia/Tokyo")

    assert bot.events("pin_added")[0]["item"]["message"]["ts"] == ts
    assert len(bot.events("pin_removed")) == 1
    assert bot.events("app_home_opened")[0]["tab"] == "home"
    assert bot.events("user_change")[0]["user"]["tz"] == "Asia/Tokyo"


async def test_people_may_be_guests_or_of_another_workspace(connected: Connected):
    people, bot = connected

    await people.do("user", user="lena", is_restricted=True, is_ultra_restricted=True)
    await people.do("user", user="tom", team_id="T0PARTNER")
    await people.say("hello from next door", user="tom")

    guest, partner = (event["user"] for event in bot.events("user_change"))
    assert (guest["is_restricted"], guest["is_ultra_restricted"]) == (True, True)
    assert (partner["team_id"], partner["is_restricted"]) == ("T0PARTNER", False)
    assert bot.events("message")[0]["user_team"] == "T0PARTNER"


async def test_another_bot_s_alert_is_a_bot_message(connected: Connected):
    people, bot = connected

    attachments = [{"fallback": "CPU is high", "text": "CPU is high", "color": "danger"}]
    await people.do("message", user="watchtower", channel="incidents", attachments=attachments)

    [alert] = bot.events("message", "bot_message")
    assert (alert["bot_id"], alert["text"], alert["attachments"]) == ("B0WATCH", "", attachments)
    assert "user" not in alert


async def test_the_bot_hears_its_own_messages_too(connected: Connected):
    people, bot = connected

    posted = await bot.client.chat_postMessage(channel="C0INCIDENTS", text="<@U0DEBRIEF> is me")
    await bot.client.chat_update(channel="C0INCIDENTS", ts=posted["ts"], text="changed")
    await people.say("x")

    own = bot.events("message")[0]
    assert (own["bot_id"], own["user"], own["ts"]) == ("B0DEBRIEF", "U0DEBRIEF", posted["ts"])
    assert bot.events("message", "message_changed")[0]["message"]["text"] == "changed"
    assert bot.events("app_mention") == []


async def test_a_direct_message_is_heard_as_one(connected: Connected):
    people, bot = connected

    await people.say("hello", channel="dm")

    assert bot.events("message")[0]["channel_type"] == "im"


async def test_events_of_a_channel_are_heard_in_order(connected: Connected):
    people, bot = connected

    await asyncio.gather(*[people.say(str(i)) for i in range(60)])

    stamps = [e["ts"] for e in bot.events("message")]
    assert len(stamps) == 60
    assert stamps == sorted(stamps)


async def test_the_loss_of_the_token_is_heard_and_felt(connected: Connected):
    people, bot = connected

    await people.do("revoke")

    assert len(bot.events("tokens_revoked")) == len(bot.events("app_uninstalled")) == 1
    assert await error_of(bot.client.users_list()) == "token_revoked"


async def test_only_events_of_the_manifest_are_heard():
    bot_events = ["app_mention", "message.channels", "reaction_added"]
    scopes = ["channels:history", "app_mentions:read"]
    manifest = {
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {"event_subscriptions": {"bot_events": bot_events}},
    }

    async with over_socket(manifest=manifest) as (running, bot), visiting(running.url) as people:
        ts = await people.say("heard")
        await people.say("not heard: im:history is missing", channel="dm")
        await people.do("react", user="priya", channel="incidents", ts=ts, emoji="eyes")
        await people.do("user", user="tom", deleted=True)
        await people.do("mention", user="priya", channel="incidents", text="heard")

    assert [e["type"] for e in bot.heard] == ["message", "message", "app_mention"]
