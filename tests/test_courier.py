"""The courier, with the sandbox as Slack and real databases: everything is said, in order, and once."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import async_default_handlers
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy import event, select

from bot import claims, posting
from bot.claims import Claims
from bot.courier import MOST_ODD_WORDS, Courier
from bot.looking_up import Found
from bot.posting import Parcel
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import BOT_TOKEN
from storage import outbox, people
from storage.models import OutboxNote
from storage.session import Storage
from tests import couriers
from tests.couriers import GRACE
from tests.sandbox.cast import HangsUp, client_of, until

TEAM = "T0SANDBOX"
INCIDENTS, GENERAL, SUPPORT = "C0INCIDENTS", "C0GENERAL", "C0SUPPORT"
BEFORE = ["5xx_before", "reset_before", "timeout"]
AFTER = ["5xx_after", "reset_after", "timeout_after"]


@dataclass
class Office:
    """A courier, its outbox, and the Slack it brings the notes to; the time is that Slack's."""

    storage: Storage
    slack: Running
    courier: Courier

    def say(self, key: str, text: str = "", *, to: str = INCIDENTS, kind: str = "once", **more: Any) -> None:
        """Write a note; without words of its own it says its key."""
        now = self.slack.sandbox.clock.now()
        write = outbox.say_once if kind == "once" else outbox.say_live
        with self.storage.write() as db:
            write(db, TEAM, outbox.Words(key=key, channel=to, text=text or key, at=now, **more))

    def whisper(self, key: str, *, to: str, place: str = INCIDENTS) -> None:
        now = self.slack.sandbox.clock.now()
        with self.storage.write() as db:
            outbox.whisper(db, TEAM, outbox.Words(key=key, channel=place, user=to, text=key, at=now))

    def fault(self, kind: str, method: str = "chat.postMessage", **more: Any) -> None:
        self.slack.sandbox.faults.set({"method": method, "kind": kind} | more)

    def pass_time(self, seconds: float) -> None:
        self.slack.sandbox.clock.advance(seconds)

    async def round(self) -> None:
        """Everything that is due now, one after the other, to its end."""
        while await self.courier.round():
            await self.courier.settle()

    def seen(self, channel: str = INCIDENTS) -> list[str]:
        return [message["text"] for message in self.slack.sandbox.workspace.channels[channel].in_order()]

    def reactions(self, ts: str) -> list[str]:
        message = self.slack.sandbox.workspace.channels[INCIDENTS].messages[ts]
        return [reaction["name"] for reaction in message.get("reactions") or []]

    def called(self, method: str) -> int:
        return sum(call["method"] == method for call in self.slack.sandbox.journal.calls)

    def state(self, key: str) -> tuple[str, str | None]:
        with self.storage.read() as db:
            note = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
            return note.state, note.error


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


def an_office(url: str, slack: Running, *, kind: type[Courier] = Courier, claims: type[Claims] = Claims) -> Office:
    storage = Storage(url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")
    return Office(storage, slack, a_courier(storage, slack, kind=kind, claims=claims))


def a_courier(
    storage: Storage, slack: Running, *, kind: type[Courier] = Courier, claims: type[Claims] = Claims
) -> Courier:
    return couriers.a_courier(storage, HangsUp(slack), slack.sandbox.clock.now, kind=kind, claims=claims)


def one_that_waits(office: Office) -> Courier:
    """A courier that hangs up on nobody: to be killed where Slack hangs."""
    return couriers.a_courier(office.storage, client_of(office.slack, timeout=600), office.slack.sandbox.clock.now)


@pytest.fixture
async def office(sqlite_url: str, slack: Running) -> AsyncIterator[Office]:
    office = an_office(sqlite_url, slack)
    yield office
    office.storage.close()


@pytest.fixture
async def either_office(database_url: str, slack: Running) -> AsyncIterator[Office]:
    """On each kind of database."""
    office = an_office(database_url, slack)
    yield office
    office.storage.close()


async def test_a_round_with_nothing_to_say_does_not_keep_the_keeper_waiting(office: Office):
    office.say("hello")
    await office.round()
    begun: list[str] = []
    event.listen(office.storage.engine, "before_cursor_execute", lambda *given: begun.append(given[2]))

    await office.round()

    assert "BEGIN IMMEDIATE" not in begun
    assert begun.count("BEGIN") == 2


# In order, and not before its time -------------------------------------------------------


async def test_what_is_written_is_said_in_its_order(either_office: Office):
    for key in ("one", "two", "three"):
        either_office.say(key)

    await either_office.round()

    assert either_office.seen() == ["one", "two", "three"]
    assert either_office.state("three") == ("sent", None)


async def test_a_key_is_said_once_however_often_it_is_written(either_office: Office):
    either_office.say("reminder:U0PRIYA:2026-11-20", "first words")
    await either_office.round()

    either_office.say("reminder:U0PRIYA:2026-11-20", "other words")
    await either_office.round()

    assert either_office.seen() == ["first words"]


async def test_nothing_is_said_before_its_time(office: Office):
    office.say("later", not_before=office.slack.sandbox.clock.now() + timedelta(minutes=10))
    office.say("now")

    await office.round()
    before = office.seen()
    office.pass_time(601)
    await office.round()

    assert before == ["now"]
    assert office.seen() == ["now", "later"]


async def test_a_channel_that_slack_asks_to_wait_waits_in_order_while_others_go_on(either_office: Office):
    office = either_office
    office.fault("429", retry_after=30)
    office.say("one")
    await office.round()
    office.say("two")
    office.say("elsewhere", to=GENERAL)

    await office.round()
    office.pass_time(28)
    await office.round()
    too_early = office.called("chat.postMessage"), office.seen(), office.seen(GENERAL)
    office.pass_time(3)
    await office.round()

    assert too_early == (2, [], ["elsewhere"])
    assert office.seen() == ["one", "two"]


async def test_newer_words_are_no_reason_to_come_before_slacks_time(office: Office):
    office.fault("429", retry_after=30)
    office.say("agenda", "first", kind="live")
    await office.round()

    office.say("agenda", "second", kind="live")
    await office.round()
    early = office.called("chat.postMessage")
    office.pass_time(31)
    await office.round()

    assert early == 1
    assert office.seen() == ["second"]


class SlowToPutDown(Claims):
    """What is due again is not put down yet when the next round asks."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.may_put_down = threading.Event()

    def release(self, parcel: Parcel) -> None:
        self.may_put_down.wait(60)
        super().release(parcel)


async def test_a_note_that_is_due_again_is_put_down_before_it_is_taken_up(sqlite_url: str, slack: Running):
    office = an_office(sqlite_url, slack, claims=SlowToPutDown)
    office.fault("429", retry_after=1)
    office.say("hello")
    await office.courier.round()
    await until(lambda: office.state("hello") == ("pending", "ratelimited"))
    office.pass_time(2)

    too_early = await office.courier.round()
    in_hand = office.courier._claims
    assert isinstance(in_hand, SlowToPutDown)
    in_hand.may_put_down.set()
    await office.courier.settle()
    await office.round()

    assert too_early == 0
    assert office.seen() == ["hello"]
    assert office.called("chat.postMessage") == 2
    office.storage.close()


async def test_slacks_own_pace_of_a_channel_loses_nothing_and_keeps_the_order(office: Office):
    expected = [f"no {n}" for n in range(12)]
    for key in expected:
        office.say(key)

    for _ in range(12):
        await office.round()
        office.pass_time(1.1)

    assert office.seen() == expected


async def test_a_channel_that_is_slow_keeps_no_other_waiting(office: Office):
    office.courier = one_that_waits(office)
    office.fault("timeout")
    office.say("stuck")
    running = asyncio.create_task(office.courier.run())
    await until(lambda: office.called("chat.postMessage") == 1)

    for key in ("one", "two", "three"):
        office.say(key, to=GENERAL)
    office.courier.wake()
    await until(lambda: len(office.seen(GENERAL)) == 3)

    assert office.state("stuck") == ("sending", None)
    office.courier.stop()
    await _kill(office.courier)
    await asyncio.gather(running, return_exceptions=True)


async def test_an_answer_finds_room_where_everything_else_hangs(office: Office):
    office.courier = one_that_waits(office)
    office.fault("timeout", times=claims.AT_ONCE)
    for n in range(claims.AT_ONCE + 5):
        office.say(f"n{n}", to=f"U{1000 + n}")
    await office.courier.round()
    hanging = len(office.courier._under_way)
    office.whisper("for priya", to="U0PRIYA")

    await office.courier.round()
    await until(lambda: office.state("for priya")[0] == "sent")

    assert hanging == claims.AT_ONCE
    assert office.state(f"n{claims.AT_ONCE}") == ("pending", None)
    await _kill(office.courier)


async def test_of_two_hundred_broadcasts_and_an_answer_the_answer_goes_first(office: Office):
    office.slack.sandbox.faults.set({"rate_limits": "off"})
    for n in range(200):
        office.say(f"n{n}", to=f"U{1000 + n}")
    office.whisper("for priya", to="U0PRIYA")

    await office.courier.round()
    await office.courier.settle()

    # Whether it arrived in time, with so much at once, is not what this is about.
    assert office.called("chat.postEphemeral") == 1
    assert office.state("n199") == ("pending", None)


async def test_a_courier_that_is_stopped_finishes_what_is_under_way(office: Office):
    office.fault("timeout_after", seconds=0.2)
    office.fault("timeout_after", seconds=0.2)
    office.say("one")
    office.say("elsewhere", to=GENERAL)
    running = asyncio.create_task(office.courier.run())
    await until(lambda: office.called("chat.postMessage") == 2)

    office.courier.stop()
    await running

    # Both connections broke after the message was taken; that is written down, so a restart looks them up.
    assert office.state("one") == office.state("elsewhere") == ("sending", "unknown")


async def test_two_couriers_of_one_database_say_everything_once(postgresql_url: str, slack: Running):
    office = an_office(postgresql_url, slack)
    slack.sandbox.faults.set({"rate_limits": "off"})
    other = a_courier(office.storage, slack)
    for n in range(6):
        for channel in (INCIDENTS, GENERAL):
            office.say(f"{channel} {n}", str(n), to=channel)

    for _ in range(12):
        await asyncio.gather(office.courier.round(), other.round())
        await asyncio.gather(office.courier.settle(), other.settle())

    assert office.seen() == office.seen(GENERAL) == ["0", "1", "2", "3", "4", "5"]
    office.storage.close()


# Live notes, whispers and marks -------------------------------------------------------------


async def test_a_live_note_is_posted_once_and_then_changed_in_its_place(either_office: Office):
    office = either_office
    office.say("agenda", "Opening", kind="live")
    await office.round()

    office.say("agenda", "Summary", kind="live")
    office.say("agenda", "Timeline", kind="live")
    await office.round()

    assert office.seen() == ["Timeline"]
    assert (office.called("chat.postMessage"), office.called("chat.update")) == (1, 1)


async def test_a_live_note_that_did_not_change_is_not_said_again(office: Office):
    office.say("agenda", "Opening", kind="live")
    await office.round()

    office.say("agenda", "Opening", kind="live")
    await office.round()

    assert office.called("chat.update") == 0


async def test_a_version_written_while_the_one_before_is_being_sent_is_said_next(office: Office):
    office.fault("timeout_after", "chat.update", seconds=0.3)
    office.say("agenda", "Opening", kind="live")
    await office.round()
    office.say("agenda", "Summary", kind="live")
    await office.courier.round()

    await until(lambda: office.called("chat.update") == 1)
    office.say("agenda", "Timeline", kind="live")
    await office.courier.settle()
    office.pass_time(61)
    await office.round()

    assert office.seen() == ["Timeline"]


async def test_a_live_note_that_slack_took_unheard_is_found_and_brought_up_to_date(office: Office):
    office.fault("5xx_after")
    office.say("agenda", "Opening", kind="live")
    await office.round()
    office.say("agenda", "Summary", kind="live")

    office.pass_time(61)
    await office.round()

    assert office.seen() == ["Summary"]


def _reword(office: Office, key: str, text: str) -> None:
    with office.storage.write() as db:
        note = outbox.find(db, TEAM, key)
        assert note
        outbox.reword(note, text, None)


async def test_what_was_said_once_is_changed_in_its_place_when_it_loses_words(either_office: Office):
    office = either_office
    office.say("quote", "14:05 · the password is hunter2")
    await office.round()

    _reword(office, "quote", "14:05 · (words deleted)")
    await office.round()

    assert office.seen() == ["14:05 · (words deleted)"]
    assert office.state("quote") == ("sent", None)


@pytest.mark.parametrize("kind", AFTER)
async def test_what_slack_took_unheard_is_changed_in_its_place_when_it_loses_words_meanwhile(office: Office, kind: str):
    office.fault(kind, times=1)
    office.say("quote", "the password is hunter2")
    await office.round()

    _reword(office, "quote", "(words deleted)")
    office.pass_time(61)
    await office.round()

    assert office.seen() == ["(words deleted)"]


async def test_a_whisper_reaches_one_person(office: Office):
    office.whisper("for priya", to="U0PRIYA")

    await office.round()

    heard = [(each.user, each.message["text"]) for each in office.slack.sandbox.workspace.ephemerals]
    assert heard == [("U0PRIYA", "for priya")]
    assert office.seen() == []


async def test_a_whisper_that_cannot_reach_somebody_where_they_asked_is_a_direct_message(office: Office):
    office.whisper("from outside", to="U0PRIYA", place=SUPPORT)

    await office.round()

    direct = [channel for channel in office.slack.sandbox.workspace.channels.values() if channel.kind == "im"]
    said = [message["text"] for channel in direct if "U0PRIYA" in channel.members for message in channel.in_order()]
    assert said == ["from outside"]
    assert office.state("from outside") == ("sent", None)


async def test_a_whisper_in_an_archived_channel_is_a_direct_message(office: Office):
    office.slack.sandbox.workspace.channels[INCIDENTS].archived = True
    office.whisper("from the archive", to="U0PRIYA")

    await office.round()

    assert office.state("from the archive") == ("sent", None)
    assert office.seen() == []


@pytest.mark.parametrize("kind", AFTER)
async def test_a_whisper_that_may_have_been_heard_is_not_repeated(office: Office, kind: str):
    office.fault(kind, "chat.postEphemeral")
    office.whisper("for priya", to="U0PRIYA")
    await office.round()

    office.pass_time(61)
    await office.round()

    assert office.called("chat.postEphemeral") == 1
    assert office.state("for priya") == ("sent", None)


async def test_our_emoji_is_put_on_a_message_and_taken_off_again(either_office: Office):
    office = either_office
    office.say("a message")
    await office.round()
    ts = next(iter(office.slack.sandbox.workspace.channels[INCIDENTS].messages))

    _react(office, ts)
    await office.round()
    put_on = office.reactions(ts)
    with office.storage.write() as db:
        outbox.unreact(db, TEAM, f"mark:{ts}", office.slack.sandbox.clock.now())
    await office.round()

    assert put_on == ["memo"]
    assert office.reactions(ts) == []


@pytest.mark.parametrize("kind", ["5xx_before", "5xx_after"])
async def test_an_emoji_that_is_there_already_is_as_good_as_put_on(office: Office, kind: str):
    office.say("a message")
    await office.round()
    ts = next(iter(office.slack.sandbox.workspace.channels[INCIDENTS].messages))
    office.fault(kind, "reactions.add")

    _react(office, ts)
    await office.round()
    office.pass_time(61)
    await office.round()

    assert office.reactions(ts) == ["memo"]
    assert office.state(f"mark:{ts}") == ("sent", None)


def _react(office: Office, ts: str) -> None:
    with office.storage.write() as db:
        now = office.slack.sandbox.clock.now()
        outbox.react(db, TEAM, outbox.Words(key=f"mark:{ts}", channel=INCIDENTS, thread=ts, text="memo", at=now))


# Not knowing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [INCIDENTS, "U0PRIYA"])
@pytest.mark.parametrize("kind", AFTER)
async def test_what_slack_took_without_telling_us_is_found_and_not_said_twice(office: Office, kind: str, to: str):
    office.fault(kind)
    office.say("the pre-read", to=to)
    await office.round()

    office.pass_time(61)
    await office.round()

    assert office.called("chat.postMessage") == 1
    assert office.state("the pre-read") == ("sent", None)


@pytest.mark.parametrize("kind", BEFORE)
async def test_what_slack_never_took_is_said_after_all(office: Office, kind: str):
    office.fault(kind)
    office.say("the pre-read")
    office.say("and then this")
    await office.round()
    meanwhile = office.seen()

    office.pass_time(61)
    await office.round()

    assert meanwhile == []
    assert office.seen() == ["the pre-read", "and then this"]


async def test_an_uncertain_note_is_looked_up_after_the_grace_period_and_not_before(office: Office):
    office.fault("5xx_after")
    office.say("the pre-read")
    await office.round()

    office.pass_time(55)
    await office.round()
    early = office.called("conversations.history")
    office.pass_time(6)
    await office.round()

    assert early == 0
    assert office.called("conversations.history") == 1


async def test_a_reply_is_looked_up_in_its_thread(office: Office):
    office.say("a parent")
    await office.round()
    ts = next(iter(office.slack.sandbox.workspace.channels[INCIDENTS].messages))
    office.fault("5xx_after")
    office.say("a reply", thread=ts)
    await office.round()

    office.pass_time(61)
    await office.round()

    assert office.seen() == ["a parent", "a reply"]
    assert office.called("conversations.replies") == 1


class Blind(Courier):
    """The twin without the look-up: what it does not know, it says again."""

    async def _search(self, parcel: Parcel) -> Found | None:
        del parcel
        return None


async def test_without_the_look_up_it_would_be_said_twice(sqlite_url: str, slack: Running):
    office = an_office(sqlite_url, slack, kind=Blind)
    office.fault("5xx_after")
    office.say("the pre-read")
    await office.round()

    office.pass_time(61)
    await office.round()

    assert office.seen() == ["the pre-read", "the pre-read"]
    office.storage.close()


@pytest.mark.parametrize(("grace", "seen"), [(GRACE, 1), (timedelta(), 2)], ids=["with", "without"])
async def test_the_grace_period_is_for_what_slack_shows_late(office: Office, grace: timedelta, seen: int):
    office.slack.sandbox.faults.set({"history_lag_s": 50})
    client, now = HangsUp(office.slack), office.slack.sandbox.clock.now
    office.courier = couriers.a_courier(office.storage, client, now, grace=grace)
    office.fault("5xx_after")
    office.say("the pre-read")

    for _ in range(3):
        await office.round()
        office.pass_time(40)

    assert office.seen() == ["the pre-read"] * seen


async def test_a_client_that_tries_again_by_itself_would_say_it_twice(office: Office):
    client, now = client_of(office.slack), office.slack.sandbox.clock.now
    client.retry_handlers = async_default_handlers()
    office.courier = couriers.a_courier(office.storage, client, now)
    office.slack.sandbox.faults.set({"rate_limits": "off"})
    office.fault("reset_after")
    office.say("the pre-read")

    await office.round()

    assert office.seen() == ["the pre-read", "the pre-read"]


@pytest.mark.parametrize(("kind", "posts"), [("timeout_after", 1), ("timeout", 2)])
async def test_what_a_killed_courier_left_behind_is_cleared_up_by_the_next(
    either_office: Office, kind: str, posts: int
):
    office = either_office
    office.courier = one_that_waits(office)
    office.fault(kind)
    office.say("the pre-read")
    await office.courier.round()
    await until(lambda: office.called("chat.postMessage") == 1)
    await _kill(office.courier)
    left = office.state("the pre-read")

    office.courier = a_courier(office.storage, office.slack)
    office.pass_time(GRACE.total_seconds() + posting.CALL_TIMEOUT.total_seconds() + 1)
    await office.round()

    assert left == ("sending", None)
    assert office.seen() == ["the pre-read"]
    assert office.called("chat.postMessage") == posts


async def _kill(courier: Courier) -> None:
    tasks = list(courier._under_way.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_look_up_that_fails_is_tried_again_later(office: Office):
    office.fault("5xx_after")
    office.fault("429", "conversations.history", retry_after=20)
    office.fault("reset_before", "conversations.history")
    office.say("the pre-read")
    await office.round()

    for _ in range(4):
        office.pass_time(61)
        await office.round()

    assert office.seen() == ["the pre-read"]
    assert office.called("conversations.history") == 3
    assert office.state("the pre-read") == ("sent", None)


async def test_a_look_up_that_will_never_be_allowed_keeps_the_channel_waiting_no_longer(office: Office):
    office.fault("5xx_after")
    office.say("the pre-read")
    await office.round()
    office.slack.sandbox.workspace.channels[INCIDENTS].members.remove("U0DEBRIEF")

    office.pass_time(61)
    await office.courier.round()
    await office.courier.settle()
    # Where it may speak again only now, it must not have taken the refusal for an answer.
    office.slack.sandbox.workspace.channels[INCIDENTS].members.append("U0DEBRIEF")
    office.say("next")
    await office.round()

    assert office.state("the pre-read")[0] == "dead"
    assert office.seen() == ["the pre-read", "next"]


async def test_the_mark_by_which_we_find_a_message_says_nothing_to_others(office: Office):
    office.say("reminder:U0PRIYA:2026-11-20")

    await office.round()

    message = next(iter(office.slack.sandbox.workspace.channels[INCIDENTS].messages.values()))
    assert message["metadata"]["event_type"] == "debrief_note"
    assert len(message["metadata"]["event_payload"]["mark"]) == 32
    assert "PRIYA" not in str(message["metadata"])


class Odd(AsyncWebClient):
    """Refuses messages with a word that no reference has, so often; the last before may have been taken."""

    times = 1
    takes = False

    async def api_call(self, api_method: str, **given: Any) -> Any:
        if not api_method.startswith("chat.post") or not self.times:
            return await super().api_call(api_method, **given)
        self.times -= 1
        if self.takes:
            await super().api_call(api_method, **given)
        answer = {"ok": False, "error": "a_word_of_next_year"}
        raise SlackApiError(
            "refused",
            AsyncSlackResponse(
                client=self, http_verb="POST", api_url="", req_args={}, data=answer, headers={}, status_code=200
            ),
        )


def an_odd_slack(office: Office, *, times: int) -> Odd:
    odd = Odd(token=BOT_TOKEN, base_url=office.slack.api_url, retry_handlers=[])
    odd.times = times
    office.courier = couriers.a_courier(office.storage, odd, office.slack.sandbox.clock.now)
    return odd


@pytest.mark.parametrize("takes", [True, False])
async def test_a_word_that_no_reference_has_leaves_it_open_and_is_looked_up(office: Office, takes: bool):  # noqa: FBT001
    an_odd_slack(office, times=1).takes = takes
    office.say("the pre-read")
    await office.round()
    left = office.state("the pre-read")

    office.pass_time(61)
    await office.round()

    assert left == ("sending", "unknown")
    assert office.seen() == ["the pre-read"]


async def test_what_is_refused_so_again_and_again_is_given_up_with_that_word(office: Office):
    odd = an_odd_slack(office, times=99)
    office.say("the pre-read")

    for _ in range(MOST_ODD_WORDS + 3):
        await office.round()
        office.pass_time(61)

    assert office.state("the pre-read") == ("dead", "a_word_of_next_year")
    assert odd.times == 99 - MOST_ODD_WORDS - 1


async def test_a_whisper_that_is_refused_so_is_given_up_for_nobody_can_look_it_up(office: Office):
    an_odd_slack(office, times=1)
    office.whisper("for priya", to="U0PRIYA")

    await office.round()

    assert office.state("for priya") == ("dead", "a_word_of_next_year")


async def test_while_slack_does_not_let_us_in_nothing_is_given_up(office: Office):
    good = office.courier._client.token
    office.courier._client.token = "xoxb-of-yesterday"
    office.say("the pre-read")
    await office.round()
    left = office.state("the pre-read")

    office.courier._client.token = good
    office.pass_time(301)
    await office.round()

    assert left == ("pending", "invalid_auth")
    assert office.seen() == ["the pre-read"]


# Never -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "word"), [("C0NOWHERE", "channel_not_found"), ("U0NOBODY", "channel_not_found"), (SUPPORT, "not_in_channel")]
)
async def test_what_slack_will_never_take_is_given_up_and_only_its_ids_are_logged(
    office: Office, caplog: pytest.LogCaptureFixture, to: str, word: str
):
    office.say("note", "the password is swordfish", to=to)

    with caplog.at_level(logging.DEBUG, "debrief"):
        await office.round()
        await office.round()

    assert office.state("note") == ("dead", word)
    assert office.called("chat.postMessage") == 1
    assert ("refused by Slack", "once") in [(r.getMessage(), getattr(r, "kind", "")) for r in caplog.records]
    assert "swordfish" not in caplog.text + str([record.__dict__ for record in caplog.records])


async def test_an_archived_channel_hears_nothing_more(office: Office):
    office.slack.sandbox.workspace.channels[INCIDENTS].archived = True
    office.say("too late")

    await office.round()

    assert office.state("too late") == ("dead", "is_archived")


async def test_a_note_given_up_keeps_the_next_one_from_nothing(office: Office):
    office.whisper("nobody", to="U0NOBODY")
    office.say("for everybody")

    await office.round()

    assert office.state("nobody")[0] == "dead"
    assert office.seen() == ["for everybody"]


async def test_a_round_that_fails_is_not_the_last(office: Office):
    rename = "ALTER TABLE {} RENAME TO {}"
    _run_sql(office, rename.format("outbox", "lost"))
    running = asyncio.create_task(office.courier.run())
    await asyncio.sleep(0.1)

    _run_sql(office, rename.format("lost", "outbox"))
    office.say("after the storm")
    office.courier.wake()
    await until(lambda: office.seen() == ["after the storm"])

    office.courier.stop()
    await running


def _run_sql(office: Office, statement: str) -> None:
    with office.storage.write() as db:
        db.connection().exec_driver_sql(statement)
