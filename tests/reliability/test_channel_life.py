"""A channel's life beside the unmodified bot: whatever becomes of it, its incident goes on, among its people."""

import json
import subprocess
from collections.abc import Iterator
from itertools import count

import pytest

from bot.sandbox.driver import words_of
from bot.sandbox.troupe import debrief
from tests.reliability.town import LEAD, OWNER, RESPONDER, Town, town

OUTSIDER, GUEST, PARTNER = "priya", "tom", "kenji"
"""Nobody of these is in the incident's channel."""
NUMBERS = count(100)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("life")) as town_of_all:
        town_of_all.driver.do("fault", rate_limits="off")
        yield town_of_all
        assert town_of_all.violations() == []


@pytest.fixture
def channel(here: Town) -> str:
    """A channel in which an incident is open, with its lead and two more; its id."""
    return an_incident(here)


def an_incident(here: Town, *, private: bool = False) -> str:
    name = f"inc-{next(NUMBERS)}-mail"
    channel = here.driver.do("create", user=LEAD, name=name, private=private)["channel"]
    if private:
        here.driver.do("invite", user=LEAD, channel=channel)
    here.driver.wait_for_words(channel, "followed as an incident")
    for user in (OWNER, RESPONDER):
        here.driver.do("invite", user=LEAD, channel=channel, users=user)
    here.driver.say(RESPONDER, channel, f"rolled back {channel}")
    return channel


def review(here: Town, user: str, place: str, words: str = "") -> str:
    return here.driver.type(user, place, words)


def sees(here: Town, user: str, channel: str) -> bool:
    """Whether somebody elsewhere finds what was said in a channel."""
    return "rolled back" in review(here, user, "general", f"search {channel}")


def exported(here: Town, name: str) -> str:
    return json.dumps(json.loads(here.exported(channel=name)), ensure_ascii=False)


def test_renamed(here: Town, channel: str):
    old = here.driver.get(f"messages/{channel}")["channel"]["name"]
    here.driver.do("rename", user=LEAD, channel=channel, name="inc-renamed")
    here.driver.say(RESPONDER, channel, "errors are back to normal")

    for name in ("inc-renamed", old, channel):
        assert "errors are back to normal" in exported(here, name)
    listed = subprocess.run(debrief("incidents", "--json"), env=here.env, capture_output=True, check=True).stdout
    assert "inc-renamed" in {source["name"] for row in json.loads(listed) for source in row["channels"]}
    assert sees(here, OUTSIDER, channel)


def test_archived_and_back(here: Town, channel: str):
    review(here, LEAD, channel, "severity sev3")
    review(here, LEAD, channel, "began 13:00")
    here.driver.do("archive", user=LEAD, channel=channel)
    said = len(here.driver.messages(channel))
    review(here, LEAD, channel, "mitigated 14:00")
    here.settles()
    silent = len(here.driver.messages(channel)) == said
    here.driver.pass_time(40 * 3600)  # Until then LEAD is at the fires of the other tests.
    told = here.driver.wait_for_words("dm", "I could not say this in .*because the channel is archived", LEAD)
    here.settles()
    told_times = sum("I could not say this" in words_of(one) for one in here.driver.messages("dm", LEAD))
    here.driver.do("unarchive", user=LEAD, channel=channel)
    here.driver.say(RESPONDER, channel, "all is calm")

    assert silent
    assert "thank you all" in words_of(told)
    assert told_times == 1
    assert "all is calm" in exported(here, channel)
    assert f"rolled back {channel}" in exported(here, channel)


def test_made_private_and_public_again(here: Town, channel: str):
    before = sees(here, OUTSIDER, channel)
    here.driver.do("convert", user=LEAD, channel=channel)
    shut = sees(here, OUTSIDER, channel)
    here.driver.do("convert", user=LEAD, channel=channel, to="public")
    still_shut = sees(here, OUTSIDER, channel)
    while_private = review(here, LEAD, channel)
    asked = review(here, RESPONDER, channel, "public")
    here.driver.press(RESPONDER, channel, "^Yes, show it to everybody$")
    here.driver.wait_for_words(channel, "has made .* public")

    assert (before, shut, still_shut, sees(here, OUTSIDER, channel)) == (True, False, False, True)
    assert "· private" in while_private
    assert "Nothing has been changed yet" in asked


def test_a_channel_that_slack_calls_private_is_not_made_public(here: Town):
    channel = an_incident(here, private=True)

    assert "Slack calls this channel private" in review(here, LEAD, channel, "public")


def test_shared_with_a_new_id(here: Town, channel: str):
    here.driver.do("convert", user=LEAD, channel=channel, to="shared")
    new = here.driver.do("convert", user=LEAD, channel=channel, to="new_id")["channel"]
    ts = here.driver.say(RESPONDER, new, "failed over to the replica")
    here.driver.do("react", user=LEAD, channel=new, ts=ts, emoji="pushpin")

    here.driver.wait_for(lambda: "failed over" in review(here, LEAD, new, "timeline"), "the event")
    assert f"rolled back {channel}" in exported(here, new)


def test_removed_and_invited_again(here: Town, channel: str):
    here.driver.do("leave", user="debrief", channel=channel)
    here.driver.say(RESPONDER, channel, "said behind the back of the bot")
    away = review(here, LEAD, channel)
    here.driver.do("invite", user=LEAD, channel=channel)

    assert "I am not in" in away
    assert "`/invite` brings me back" in away
    here.driver.wait_for(lambda: "behind the back" in exported(here, channel), "what was said meanwhile")
    assert "I am not in" not in review(here, LEAD, channel)


def test_guests_and_people_of_other_workspaces_see_what_their_channels_show_them(here: Town, channel: str):
    here.driver.do("user", user=GUEST, is_restricted=True)
    here.driver.do("user", user=PARTNER, team_id="T0PARTNER", is_stranger=True)
    outside = [sees(here, user, channel) for user in (OUTSIDER, GUEST, PARTNER)]
    here.driver.do("invite", user=LEAD, channel=channel, users=GUEST)

    assert outside == [True, False, False]
    assert sees(here, GUEST, channel)
    assert "Next:" in review(here, GUEST, channel)


def test_what_people_of_another_workspace_say_in_a_shared_channel_is_kept(here: Town, channel: str):
    here.driver.do("convert", user=LEAD, channel=channel, to="shared")
    ts = f"{here.driver.now.timestamp():.6f}"
    said = {"type": "message", "user": "U0THEIRS", "text": "our side is fine", "channel": channel, "ts": ts}
    theirs = {"user_team": "T0PARTNER", "source_team": "T0PARTNER", "event_ts": ts, "channel_type": "channel"}
    authorizations = [{"team_id": "T0PARTNER", "user_id": "U0THEIRBOT", "is_bot": True, "enterprise_id": None}]
    payload = {"type": "event_callback", "team_id": "T0PARTNER", "event": said | theirs, "event_id": "Ev0SHARED"}
    here.driver.do("deliver", payload=payload | {"authorizations": authorizations, "is_ext_shared_channel": True})

    assert "our side is fine" in exported(here, channel)


def test_of_whom_slack_does_not_tell_in_time_nothing_is_assumed(here: Town, channel: str):
    here.driver.do("fault", method="users.info", kind="timeout", rate=1)
    untold = sees(here, "marcus", channel)
    in_it = review(here, "marcus", channel)
    here.driver.do("fault", clear=True)
    here.driver.do("fault", rate_limits="off")

    assert not untold
    assert "Next:" in in_it
    assert sees(here, "marcus", channel)


def test_a_further_channel_and_a_thread_belong_to_the_incident(here: Town, channel: str):
    parent = here.driver.say(OUTSIDER, "support", "a customer cannot pay")
    here.driver.say("sofia", "support", "three more called", thread_ts=parent)
    refused = review(here, LEAD, channel, "include #support")
    here.driver.do("invite", user=OUTSIDER, channel="support")
    support = here.driver.get("messages/support")["channel"]["id"]
    link = f"https://sandbox.slack.com/archives/{support}/p{parent.replace('.', '')}"
    said = review(here, LEAD, channel, f"include {link}")
    notice = here.driver.wait_for_words("support", "I keep what is written in this thread")
    here.driver.say("sofia", "support", "they can pay again", thread_ts=parent)

    assert "I am not in" in refused
    assert "I read that thread in" in said
    assert notice["thread_ts"] == parent
    for words in ("a customer cannot pay", "three more called", "they can pay again"):
        here.driver.wait_for(lambda words=words: words in exported(here, channel), words)


def test_no_fact_was_refused(here: Town):
    assert "a fact cannot be kept" not in here.log.read_text()
    assert "a gesture failed" not in here.log.read_text()
