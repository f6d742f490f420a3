"""What a Slack leaves out is no reason to fail: the unmodified bot beside one that answers no more than it must."""

import asyncio
from pathlib import Path

from tests.reliability.meagre import CHANNEL, JONAS, PRIYA, SECONDS, US, meagre_slack, until


async def test_an_incident_opens_where_slack_tells_neither_members_nor_age_nor_people(tmp_path: Path):
    async with meagre_slack(tmp_path) as slack:
        answer = await slack.command(PRIYA, "open sev2 Payments are slow")
        await slack.event(type="message", channel=CHANNEL, user=JONAS, text="rolled back", ts=f"{SECONDS}.000100")
        item = {"type": "message", "channel": CHANNEL, "ts": f"{SECONDS}.000100"}
        await slack.event(type="reaction_added", user=JONAS, reaction="pushpin", item=item)
        timeline = await slack.command(PRIYA, "timeline")

        assert "Payments are slow" in answer
        assert "rolled back" in timeline


async def test_a_channel_named_like_an_incident_opens_for_whoever_made_it(tmp_path: Path):
    async with meagre_slack(tmp_path) as slack:
        await slack.event(type="member_joined_channel", user=PRIYA, channel=CHANNEL)
        made = {"id": CHANNEL, "name": "inc-9-payments", "created": SECONDS, "creator": PRIYA}
        await slack.event(type="channel_created", channel=made)
        await until(lambda: bool(slack.said()))

        assert f"led by <@{PRIYA}>" in slack.said()[0]


async def test_what_both_sockets_bring_is_done_once(tmp_path: Path):
    async with meagre_slack(tmp_path, broadcasts=True) as slack:
        await slack.command(PRIYA, "open Payments are slow")
        await slack.command(PRIYA, "risk only one of us knows the ledger")
        await slack.command(PRIYA, f"action <@{JONAS}|jonas> quick write the runbook")
        mention = {"channel": CHANNEL, "user": PRIYA, "text": f"<@{US}|debrief> event 14:05 rolled back"}
        await slack.event(type="app_mention", ts=f"{SECONDS}.000200", **mention)

        assert "Noted as risk 2" in await slack.command(PRIYA, "risk nobody watches the queue")
        assert "*2*" not in await slack.command(PRIYA, "actions")
        assert (await slack.command(PRIYA, "timeline")).count("rolled back") == 1
        assert len(slack.said()) == 1


async def test_the_same_words_typed_twice_count_twice_though_the_trigger_is_the_same(tmp_path: Path):
    async with meagre_slack(tmp_path) as slack:
        await slack.command(PRIYA, "open Payments are slow")

        first = await slack.command(PRIYA, "risk only one of us knows the ledger")
        second = await slack.command(PRIYA, "risk only one of us knows the ledger")

        assert "risk 1" in first
        assert "risk 2" in second


async def test_a_slack_that_bears_one_socket_is_answered_on_it_and_not_hammered(tmp_path: Path):
    async with meagre_slack(tmp_path, sockets=1) as slack:
        await asyncio.sleep(4)

        assert "Payments" in await slack.command(PRIYA, "open Payments are slow")
        assert slack.asked("apps.connections.open") < 10
