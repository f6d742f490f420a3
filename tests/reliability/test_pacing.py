"""Slack's pace: nothing comes before its time, nobody holds up anybody else, and no pace that is allowed is wasted."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from benchmarks.pacing import REFUSED, RETRY_AFTER_S, modelled_s, refused_by_fifths
from bot.calling import Caller
from bot.logs import JsonLines
from bot.pacing import Pace
from storage import outbox
from tests.canary import a_canary
from tests.reliability.pace import (
    POST,
    TEAM,
    PostOffice,
    a_post_office,
    at,
    closest,
    early,
    moments,
    most_in_a_second,
)

WHISPER, UPDATE = "chat.postEphemeral", "chat.update"
GENERAL = "C0GENERAL"


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[PostOffice]:
    async with a_post_office(sqlite_url) as office:
        yield office


@pytest.fixture
async def shared_office(postgresql_url: str) -> AsyncIterator[PostOffice]:
    async with a_post_office(postgresql_url) as office:
        yield office


def count(office: PostOffice, method: str) -> int:
    return len(moments(office.slack, method))


# What Slack refuses for now ----------------------------------------------------------------


@pytest.mark.parametrize("messages", [100, pytest.param(1_000, marks=[pytest.mark.torture, pytest.mark.timeout(600)])])
async def test_of_direct_messages_refused_by_fifths_none_comes_before_its_time_and_all_in_due_time(
    office: PostOffice, messages: int
):
    office.hire()

    took = await refused_by_fifths(office, messages)

    refused = len(moments(office.slack, POST, "429"))
    model, allowance = modelled_s(messages, refused / (messages + refused), RETRY_AFTER_S), 0.05
    assert abs(refused / (messages + refused) - REFUSED) < 0.1
    assert early(office.slack, POST, RETRY_AFTER_S) == 0
    assert closest(office.slack) >= 1
    assert most_in_a_second(office.slack) <= 4
    assert office.told.count("said") == messages
    assert abs(took / model - 1) < allowance


async def test_who_does_not_keep_to_it_calls_before_the_time(office: PostOffice, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Pace, "closed", lambda *_: {})
    monkeypatch.setattr(Pace, "opens", lambda *_: None)
    office.hire(a_second=8)
    office.slack.sandbox.faults.set({"method": POST, "kind": "429", "rate": 0.5, "retry_after": 4})
    office.write({channel: [channel, f"{channel} 2"] for channel in office.channels(20)})

    await office.deliver()

    assert early(office.slack, POST, 4) > 0


async def test_a_method_that_slack_asks_to_wait_is_called_for_nobody_and_others_go_on(office: PostOffice):
    office.hire()
    one, other = office.channels(2)
    office.slack.sandbox.faults.set({"method": POST, "kind": "429", "retry_after": 30})
    office.write({one: ["first"]})
    await office.step()
    office.write({other: ["second"]})
    whisper(office, GENERAL)

    for _ in range(10):
        await office.step()

    assert (count(office, POST), count(office, WHISPER)) == (1, 1)
    await office.deliver()
    assert (count(office, POST), early(office.slack, POST, 30)) == (3, 0)


@pytest.mark.postgres
async def test_what_one_replica_is_told_every_replica_keeps_to(shared_office: PostOffice):
    office = shared_office
    first = office.hire()
    office.slack.sandbox.faults.set({"method": POST, "kind": "429", "retry_after": 30})
    office.write({channel: [channel] for channel in office.channels(3)})
    await first.round()
    await first.settle()
    told = count(office, POST)

    second = office.hire()
    office.slack.sandbox.clock.advance(29)
    await second.round()
    await second.settle()

    assert count(office, POST) == told
    await office.deliver()
    assert early(office.slack, POST, 30) == 0


# Slow channels, and answers ------------------------------------------------------------------


async def test_thirty_channels_that_hang_hold_up_no_other(office: PostOffice):
    courier = office.hire()
    hanging, (good,) = office.channels(30), office.channels(1)
    office.slack.sandbox.faults.set({"method": POST, "kind": "timeout", "times": 30, "seconds": 30})
    office.write({channel: [channel] for channel in hanging})
    for _ in range(40):
        await courier.round()
        await asyncio.sleep(0.01)
        office.slack.sandbox.clock.advance(0.25)
        if count(office, POST) == 30:
            break
    office.write({good: ["hello"]})

    for _ in range(100):
        office.slack.sandbox.clock.advance(0.25)
        await courier.round()
        await asyncio.sleep(0.02)
        if office.told:
            break

    assert office.told == ["said"]
    assert len(office.slack.sandbox.workspace.channels[good].messages) == 1
    for task in courier._under_way.values():
        task.cancel()
    await asyncio.gather(*courier._under_way.values(), return_exceptions=True)


async def test_an_answer_goes_ahead_of_a_full_backlog_and_waits_for_no_budget(office: PostOffice):
    office.hire()
    channels = office.channels(60)
    office.write({channel: [f"{channel} {n}" for n in range(3)] for channel in channels})
    for _ in range(10):
        await office.step()
    asked = office.slack.sandbox.clock.epoch()
    for _ in range(5):
        whisper(office, GENERAL, key=f"answer {asked} {_}")
        await office.step()

    answered = [at(call) for call in office.slack.sandbox.journal.calls if call["method"] == WHISPER]

    assert answered
    assert answered[0] - asked <= 0.3
    assert office.left() > 100


def whisper(office: PostOffice, place: str, key: str = "answer") -> None:
    with office.storage.write() as db:
        words = outbox.Words(key=key, channel=place, user="U0PRIYA", text="an answer", at=office.now)
        outbox.whisper(db, TEAM, words)


# What the log tells of it ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["429", "5xx_after", "reset_before", "timeout_after"])
async def test_whatever_becomes_of_a_note_the_log_holds_none_of_its_words(
    office: PostOffice, caplog: pytest.LogCaptureFixture, kind: str
):
    canary = a_canary()
    caplog.set_level(logging.DEBUG)
    office.hire()
    office.slack.sandbox.faults.set({"method": POST, "kind": kind, "retry_after": 1, "seconds": 0.1})
    office.write({channel: [f"{canary} {n}" for n in range(2)] for channel in office.channels(2)})
    office.write({"C0ARCHIVED": [canary]})

    await office.deliver()

    ours = [record for record in caplog.records if record.name.startswith("debrief")]
    assert {"said", "refused by Slack"} <= {record.getMessage() for record in ours}
    assert not any(canary in JsonLines().format(record) for record in ours)


# No pace is wasted -----------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "each", "allowed_s"), [(1, 30, 29), (2, 30, 29), (20, 3, 14)])
async def test_what_slack_allows_is_used_up_to_a_twentieth_and_never_overdone(
    office: PostOffice, channels: int, each: int, allowed_s: float
):
    office.hire()
    office.write({channel: [f"{channel} {n}" for n in range(each)] for channel in office.channels(channels)})

    took = await office.deliver()

    assert allowed_s / took >= 0.95
    assert closest(office.slack) >= 1
    assert moments(office.slack, POST, "ratelimited") == []


async def test_changes_keep_to_the_tier_of_their_method(office: PostOffice):
    courier = office.hire()
    channels = office.channels(54)
    say_live(office, channels, "one")
    await office.deliver()
    office.slack.sandbox.clock.advance(120)

    say_live(office, channels, "two")
    await office.deliver()

    assert count(office, UPDATE) == 54
    assert moments(office.slack, UPDATE, "ratelimited") == []
    assert isinstance(courier._client, Caller)


def say_live(office: PostOffice, channels: list[str], text: str) -> None:
    with office.storage.write() as db:
        for channel in channels:
            words = outbox.Words(key=f"agenda {channel}", channel=channel, text=text, at=office.now)
            outbox.say_live(db, TEAM, words)
