"""The Slack we read, against the sandbox."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot import slack as slack_module
from bot.review.incident import ChannelId
from bot.review.refusal import NotInChannel
from bot.sandbox.server import Running, sandbox
from bot.slack import Count, Slack
from tests.sandbox.cast import People, client_of, visiting

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with sandbox() as here:
        yield here


@pytest.fixture
async def people(running: Running) -> AsyncIterator[People]:
    async with visiting(running.url) as who:
        yield who


@pytest.fixture
def slack(running: Running) -> Slack:
    return Slack(client_of(running))


async def channel_id(people: People, name: str = "incidents") -> ChannelId:
    channels = (await people.see("state"))["channels"]
    return ChannelId(next(channel["id"] for channel in channels if channel["name"] == name))


async def test_what_slack_says_of_a_channel_comes_with_its_members(people: People, slack: Slack):
    channel = await channel_id(people)

    facts = await slack.channel_facts(channel)

    assert (facts.channel, facts.name, facts.bot_is_member) == (channel, "incidents", True)
    assert len(facts.members) > 1
    assert facts.created_at


async def test_a_channel_that_is_closed_to_us_is_refused_with_a_sentence(slack: Slack):
    with pytest.raises(NotInChannel):
        await slack.channel_facts(ChannelId("C0NOWHERE"))


async def test_how_much_a_channel_holds_counts_replies_from_each_moment_on(people: People, slack: Slack):
    channel = await channel_id(people)
    (before,) = await slack.counts_since(channel, [LONG_AGO])
    parent = await people.say("checkout is slow")
    await people.say("rolled back", thread_ts=parent)
    later = datetime.fromtimestamp(float(parent), UTC) + timedelta(days=1)

    counts = await slack.counts_since(channel, [later, LONG_AGO])

    assert counts == [Count(0, is_all=True), Count(before.messages + 2, is_all=True)]


async def test_of_a_huge_channel_only_so_much_is_counted(people: People, slack: Slack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slack_module, "LARGE_PAGE", 2)
    said = [await people.say(f"message {number}") for number in range(12)]
    lately = datetime.fromtimestamp(float(said[-1]), UTC)

    counts = await slack.counts_since(await channel_id(people), [lately, LONG_AGO])

    assert counts == [Count(1, is_all=True), Count(10, is_all=False)]


async def test_people_are_described_and_strangers_left_out(people: People, slack: Slack):
    members = (await slack.channel_facts(await channel_id(people))).members

    found = await slack.people_of([*members, "U0NOBODY"])

    assert {person.user_id for person in found} == set(members)
    assert any(person.zone for person in found)
