"""The sample incident is a whole one: everything a review needs is in it, and nothing in it leads nowhere."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import exports

SAMPLE = Path(exports.__file__).parent / "sandbox" / "sample"
INCIDENT = "inc-2211-checkout-latency"
CHANNELS = [INCIDENT, "support", "general"]

SUBTYPES = {"channel_join", "channel_topic", "bot_message", "tombstone", "thread_broadcast"}
Message = dict[str, Any]


@pytest.fixture(scope="module")
def export() -> exports.Export:
    return exports.read(SAMPLE)


@pytest.fixture(scope="module")
def incident(export: exports.Export) -> list[Message]:
    return list(export.messages(export.channel(INCIDENT)))


@pytest.fixture(scope="module")
def everything(export: exports.Export) -> list[Message]:
    return [message for name in CHANNELS for message in export.messages(export.channel(name))]


@pytest.fixture(scope="module")
def everybody(export: exports.Export) -> set[str]:
    return {person.user_id for person in export.people()}


# The cast --------------------------------------------------------------------------


def test_ten_people_in_five_zones_take_part(export: exports.Export, incident: list[Message]):
    spoke = {message.get("user") for message in incident}

    people = [person for person in export.people() if person.user_id in spoke and not person.is_bot]

    assert len(people) == 10
    assert {person.tz for person in people} == {
        "Europe/Berlin",
        "Europe/London",
        "America/New_York",
        "Asia/Kolkata",
        "America/Sao_Paulo",
    }


def test_zones_and_their_offsets_agree_on_the_day():
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)

    for user in parsed("users.json"):
        if "tz" in user:
            assert noon.astimezone(ZoneInfo(user["tz"])).utcoffset() == timedelta(seconds=user["tz_offset"])


def test_every_address_is_an_invented_one():
    every = " ".join(path.read_text(encoding="utf-8") for path in SAMPLE.rglob("*.json"))

    hosts = set(re.findall(r"https?://([^/\s\"|>]+)", every)) | set(re.findall(r"[\w.+-]+@([\w.-]+)", every))

    assert hosts
    assert all(host == "example.com" or host.endswith(".example.com") for host in hosts)


def test_somebody_who_left_is_mentioned(export: exports.Export, incident: list[Message]):
    left = [person.user_id for person in export.people() if person.deleted]

    assert any(f"<@{user}>" in message["text"] for user in left for message in incident)


# The messages ----------------------------------------------------------------------


def test_the_incident_takes_five_hours_of_one_wednesday(incident: list[Message]):
    first, last = moment(incident[0]), moment(incident[-1])

    assert 110 <= len(incident) <= 150
    assert first.date() == last.date() == datetime(2026, 11, 18, tzinfo=UTC).date()
    assert timedelta(hours=4, minutes=45) < last - first < timedelta(hours=5, minutes=15)


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_file_holds_one_day_in_order(channel: str):
    times = [message["ts"] for message in parsed(f"{channel}/2026-11-18.json")]

    assert times == sorted(set(times))
    assert all(re.fullmatch(r"\d{10}\.\d{6}", ts) for ts in times)


def test_no_time_is_used_twice_in_the_whole_export(everything: list[Message]):
    assert max(Counter(message["ts"] for message in everything).values()) == 1


def test_each_sort_of_message_is_there(incident: list[Message]):
    assert {message["subtype"] for message in incident if "subtype" in message} == SUBTYPES
    assert sum("edited" in message for message in incident) >= 3


def test_edits_come_after_what_they_edit_and_are_the_authors(everything: list[Message]):
    for message in everything:
        if "edited" in message:
            assert message["edited"]["user"] == message["user"]
            assert float(message["edited"]["ts"]) > float(message["ts"])


def test_programs_speak_in_blocks_and_attachments_alone(incident: list[Message]):
    said = [message for message in incident if message.get("subtype") == "bot_message"]

    assert {message["bot_profile"]["name"] for message in said} == {"Alarm Bell", "Deploy Train"}
    assert all(message["text"] == "" and message["bot_id"] == message["bot_profile"]["id"] for message in said)
    assert all(message.get("blocks") or message.get("attachments") for message in said)
    assert any("blocks" in message for message in said)
    assert any("attachments" in message for message in said)


def test_a_picture_and_a_log_were_shared(incident: list[Message]):
    files = [file for message in incident for file in message.get("files", [])]

    assert {file["mimetype"] for file in files} == {"image/png", "text/plain"}
    assert all(file["size"] and file["url_private"] and file["name"] for file in files)


@pytest.mark.parametrize(
    "sign",
    ["```", "`confirm`", "–", "é", "\u0627", "\u0936", "::skin-tone-", "<https://", "<#C", "\n• ", "&gt; "],
    ids=["block", "code", "dash", "accent", "arabic", "hindi", "skin tone", "link", "channel", "list", "quote"],
)
def test_the_text_has_what_real_text_has(incident: list[Message], sign: str):
    assert any(sign in message["text"] for message in incident)


def test_blocks_say_the_same_as_the_text(everything: list[Message]):
    for message in everything:
        if message.get("blocks") and message["text"]:
            assert letters(" ".join(said_in(message["blocks"]))) == letters(plain(message["text"]))


# Threads ---------------------------------------------------------------------------


def test_there_are_threads_short_and_long(incident: list[Message]):
    replies = [message["reply_count"] for message in incident if "reply_count" in message]

    assert len(replies) >= 6
    assert max(replies) >= 12


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_thread_counts_its_own_replies(export: exports.Export, channel: str):
    messages = list(export.messages(export.channel(channel)))
    parents = {message["ts"]: message for message in messages if "reply_count" in message}

    replies = [m for m in messages if "thread_ts" in m and m["thread_ts"] != m["ts"]]

    assert {reply["thread_ts"] for reply in replies} == set(parents)
    for ts, parent in parents.items():
        own = [reply for reply in replies if reply["thread_ts"] == ts]
        assert {reply["parent_user_id"] for reply in own} == {parent["user"]}
        assert thread_fields(parent) == {
            "thread_ts": ts,
            "reply_count": len(own),
            "reply_users": list(dict.fromkeys(reply["user"] for reply in own)),
            "reply_users_count": len({reply["user"] for reply in own}),
            "latest_reply": own[-1]["ts"],
            "replies": [{"user": reply["user"], "ts": reply["ts"]} for reply in own],
        }


def test_one_deleted_message_still_heads_its_thread(incident: list[Message]):
    (stone,) = [message for message in incident if message.get("subtype") == "tombstone"]

    assert stone["text"] == "This message was deleted."
    assert stone["reply_count"] == 2


def test_one_reply_was_sent_to_the_channel_too(incident: list[Message]):
    (broadcast,) = [message for message in incident if message.get("subtype") == "thread_broadcast"]

    assert broadcast["root"]["ts"] == broadcast["thread_ts"]


# Reactions and mentions --------------------------------------------------------------


def test_nine_moments_are_pinned_by_several_people(incident: list[Message]):
    pinned = [reaction["users"] for reaction in reactions(incident) if reaction["name"] == "pushpin"]

    assert len(pinned) == 9
    assert len({user for users in pinned for user in users}) >= 5


def test_two_proposals_are_clipped_by_two_people(incident: list[Message]):
    clipped = [reaction["users"] for reaction in reactions(incident) if reaction["name"] == "clipboard"]

    assert len(clipped) == 2
    assert len({user for users in clipped for user in users}) == 2


def test_whoever_is_named_is_in_the_list_of_people(everything: list[Message], everybody: set[str]):
    reacted = {user for reaction in reactions(everything) for user in reaction["users"]}
    mentioned = set(re.findall(r"<@([A-Z0-9]+)>", json.dumps(everything)))
    spoke = {message["user"] for message in everything if "user" in message}

    assert min(len(reacted), len(mentioned), len(spoke)) > 1
    assert reacted | mentioned | spoke <= everybody


def test_reactions_count_whom_they_list(everything: list[Message]):
    assert all(reaction["count"] == len(set(reaction["users"])) for reaction in reactions(everything))


def test_members_are_those_who_joined(export: exports.Export, incident: list[Message]):
    joined = [message["user"] for message in incident if message.get("subtype") == "channel_join"]

    assert list(export.channel(INCIDENT).members) == joined


def test_nobody_speaks_before_joining(incident: list[Message]):
    present: set[str] = {"USLACKBOT"}

    for message in incident:
        if message.get("subtype") == "channel_join":
            present.add(message["user"])
        assert message.get("user", "USLACKBOT") in present


def test_the_channel_ends_with_the_topic_it_was_last_given(incident: list[Message]):
    (listed,) = [channel for channel in parsed("channels.json") if channel["name"] == INCIDENT]

    topics = [message["topic"] for message in incident if message.get("subtype") == "channel_topic"]

    assert listed["topic"]["value"] == topics[-1]


def test_the_files_are_written_the_same_way_each_time():
    for path in SAMPLE.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def parsed(name: str) -> list[Message]:
    return json.loads((SAMPLE / name).read_text(encoding="utf-8"))


def moment(message: Message) -> datetime:
    return datetime.fromtimestamp(float(message["ts"]), UTC)


def reactions(messages: list[Message]) -> list[Message]:
    return [reaction for message in messages for reaction in message.get("reactions", [])]


def thread_fields(parent: Message) -> Message:
    names = ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply", "replies")
    return {name: parent[name] for name in names}


def said_in(value: Any) -> Iterator[str]:
    """The words of rich text, in order; an emoji by its name, a person or a channel by its id."""
    if isinstance(value, list):
        for item in value:
            yield from said_in(item)
    elif isinstance(value, dict) and "elements" in value:
        yield from said_in(value["elements"])
    elif isinstance(value, dict):
        yield value.get("text") or value.get("name") or value.get("user_id") or value.get("channel_id") or value["url"]


def plain(text: str) -> str:
    text = re.sub(r"<#(\w+)\|[^>]*>", r"\1", text)
    text = re.sub(r"<https?://[^|>]+\|([^>]*)>", r"\1", text)
    text = re.sub(r"::skin-tone-\d", "", text)
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
