"""Reading back, with the sandbox as Slack: what Slack lost is there in the end, and what was there twice is once."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select

from bot.keeper import keep_facts
from bot.looking_up import mark_of, metadata
from bot.paging import History
from bot.rereading import Rereader
from bot.review.heard import read_event
from bot.review.history import Page
from bot.review.incident import TeamId
from bot.sandbox import talking
from bot.sandbox.server import Running, sandbox
from bot.sandbox.workspace import BOT_USER
from storage import outbox, people
from storage.models import Change, Incident, OutboxNote
from storage.read_back import AGAIN, SOON, Said
from storage.session import Storage
from tests.couriers import a_courier
from tests.sandbox.cast import client_of
from tests.test_courier import GENERAL, GRACE, INCIDENTS, TEAM, Office
from tests.test_looking_up import Curt

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
PRIYA = "U0PRIYA"
LATER_S = SOON.total_seconds() + 1
AN_HOUR_S = AGAIN.total_seconds() + 1


@dataclass
class House(Office):
    """An office where somebody reads back."""

    rereader: Rereader
    woken: list[str] = field(default_factory=list[str])

    async def deliver(self) -> None:
        """Say all that waits, at the pace that Slack allows."""
        while self.waiting():
            await self.round()
            self.pass_time(1.1)

    def waiting(self) -> Sequence[str]:
        with self.storage.read() as db:
            return [note.key for note in outbox.waiting(db, TEAM)]

    async def read_back(self) -> None:
        """Everything that is due now."""
        while await self.rereader.round():
            pass

    def note(self, key: str) -> OutboxNote:
        with self.storage.read() as db:
            note = db.scalars(select(OutboxNote).where(OutboxNote.key == key)).one()
            db.expunge(note)
            return note

    def the_message(self, key: str) -> dict[str, Any]:
        note = self.note(key)
        return self.slack.sandbox.workspace.channels[note.posted_channel or ""].messages[note.posted_ts or ""]

    def direct(self, user: str = PRIYA) -> list[str]:
        return self.seen(self.slack.sandbox.workspace.open_im(user, BOT_USER).id)

    def delete(self, key: str) -> None:
        """Somebody deletes it in Slack, and the bot hears of it."""
        channel = self.slack.sandbox.workspace.channels[self.note(key).posted_channel or ""]
        self._delete(channel.id, self.the_message(key))

    def delete_unheard(self, key: str) -> None:
        talking.delete(self.slack.sandbox, *self.stored(key))

    def stored(self, key: str) -> tuple[Any, dict[str, Any]]:
        return self.slack.sandbox.workspace.channels[self.note(key).posted_channel or ""], self.the_message(key)

    def _delete(self, channel: str, message: dict[str, Any]) -> None:
        talking.delete(self.slack.sandbox, self.slack.sandbox.workspace.channels[channel], message)
        ts = self.slack.sandbox.clock.next_ts()
        gone = {"type": "message", "channel": channel, "event_ts": ts, "ts": ts, "previous_message": message}
        facts = read_event(gone | {"subtype": "message_deleted", "deleted_ts": message["ts"]})
        with self.storage.write() as db:
            keep_facts(db, TeamId(TEAM), facts, now=self.slack.sandbox.clock.now())

    def post_again(self, key: str, text: str = "", **more: Any) -> str:
        """The same note once more, as if whoever said it had not known; its ts."""
        channel, message = self.stored(key)
        again = talking.bot_message(self.slack.sandbox, {"text": text or message["text"]})
        again["metadata"] = metadata(mark_of("key", key))
        return talking.post(self.slack.sandbox, channel, again | more)["ts"]


def a_house(url: str, slack: Running, *, kind: type[Rereader] = Rereader) -> House:
    storage, client, now = Storage(url), client_of(slack), slack.sandbox.clock.now
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user=BOT_USER, bot_id="", mark_key="key")
    woken: list[str] = []
    courier = a_courier(storage, client, now)
    rereader = a_rereader(storage, slack, woken, kind=kind)
    return House(storage, slack, courier, rereader, woken)


def a_rereader(storage: Storage, slack: Running, woken: list[str], *, kind: type[Rereader] = Rereader) -> Rereader:
    now = slack.sandbox.clock.now

    async def pass_time(seconds: float) -> None:
        slack.sandbox.clock.advance(seconds)

    client = client_of(slack)
    history = History(client, now, nap=pass_time)
    return kind(storage, history, client, team=TEAM, now=now, wake=lambda: woken.append("again"))


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox(now=NOON) as running:
        yield running


@pytest.fixture
async def house(sqlite_url: str, slack: Running) -> AsyncIterator[House]:
    house = a_house(sqlite_url, slack)
    yield house
    house.storage.close()


@pytest.fixture
async def either_house(database_url: str, slack: Running) -> AsyncIterator[House]:
    """On each kind of database."""
    house = a_house(database_url, slack)
    yield house
    house.storage.close()


# What Slack lost -------------------------------------------------------------------------------------


async def test_what_slack_lost_is_said_once_more_after_five_minutes(either_house: House):
    house = either_house
    house.fault("forget")
    house.say("the agenda")
    house.say("the rest")
    await house.deliver()
    lost = house.seen()

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert lost == ["the rest"]
    assert house.seen() == ["the rest", "the agenda"]
    assert house.woken == ["again"]
    assert house.note("the agenda").reposted_at is not None


async def test_a_reminder_that_never_arrived_arrives(house: House):
    house.fault("forget")
    house.say("a reminder", to=PRIYA)
    await house.deliver()

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert house.direct() == ["a reminder"]


async def test_what_is_lost_in_a_thread_is_said_there_once_more(house: House):
    house.say("the parent")
    await house.deliver()
    thread = house.note("the parent").posted_ts or ""
    house.say("kept", thread=thread)
    await house.deliver()
    house.fault("forget")
    house.say("lost", thread=thread)
    await house.deliver()

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert house.seen() == ["the parent", "kept", "lost"]
    assert house.the_message("lost")["thread_ts"] == thread


async def test_it_is_never_said_a_third_time(house: House):
    house.fault("forget", times=2)
    house.say("unlucky")
    await house.deliver()

    for _ in range(5):
        house.pass_time(LATER_S)
        await house.read_back()
        await house.deliver()

    assert house.seen() == []
    assert house.called("chat.postMessage") == 2


async def test_it_is_said_in_the_words_it_has_by_then(house: House):
    """A message that it quotes may have been erased meanwhile."""
    house.fault("forget")
    house.say("agenda", "mail the dump to priya@example.com", kind="live")
    await house.deliver()
    with house.storage.write() as db:
        note = db.scalars(select(OutboxNote)).one()
        note.text, note.version, note.said_version = "mail the dump to (deleted)", 2, 2

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert house.seen() == ["mail the dump to (deleted)"]


async def test_what_somebody_deleted_is_not_said_once_more(either_house: House):
    house = either_house
    house.say("unwelcome", to=PRIYA)
    house.say("unwelcome here")
    await house.deliver()
    house.delete("unwelcome")
    house.delete("unwelcome here")

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert (house.direct(), house.seen()) == ([], [])
    assert house.called("chat.postMessage") == 2
    assert house.note("unwelcome").read_back_at is not None


async def test_of_a_deleted_message_with_answers_slack_shows_a_tombstone_which_is_enough(house: House):
    house.say("unwelcome")
    await house.deliver()
    channel, message = house.stored("unwelcome")
    talking.say(
        house.slack.sandbox, channel, house.slack.sandbox.workspace.users[PRIYA], text="?", thread_ts=message["ts"]
    )
    house.delete_unheard("unwelcome")

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert house.called("chat.postMessage") == 1


async def test_what_history_does_not_show_yet_is_no_loss_for_five_minutes(house: House):
    house.slack.sandbox.faults.set({"history_lag_s": 200})
    house.say("the agenda")
    await house.deliver()

    for _ in range(7):
        house.pass_time(60)
        await house.read_back()
        await house.deliver()

    assert house.seen() == ["the agenda"]


async def test_where_we_may_not_look_nothing_is_said_once_more(house: House):
    house.fault("forget")
    house.say("the agenda")
    await house.deliver()
    house.slack.sandbox.workspace.channels[INCIDENTS].members.remove(BOT_USER)

    house.pass_time(LATER_S)
    await house.read_back()

    assert house.called("conversations.history") == 1
    assert house.state("the agenda") == ("sent", None)


@pytest.mark.parametrize("fault", ["5xx_before", "reset_before", "429"])
async def test_while_slack_does_not_answer_it_is_asked_again(house: House, fault: str):
    house.fault("forget")
    house.say("the agenda")
    await house.deliver()
    house.pass_time(LATER_S)

    house.fault(fault, "conversations.history", retry_after=20)
    await house.rereader.round()
    house.pass_time(20)
    await house.read_back()
    await house.deliver()

    assert house.seen() == ["the agenda"]


async def test_many_notes_of_a_channel_cost_one_call(house: House):
    for number in range(12):
        house.say(f"no {number}")
    await house.deliver()

    house.pass_time(LATER_S)
    await house.read_back()

    assert house.called("conversations.history") == 1


async def test_what_is_right_is_looked_for_once(house: House):
    house.say("the agenda")
    await house.deliver()

    for _ in range(30):
        house.pass_time(LATER_S)
        await house.read_back()

    assert house.called("conversations.history") == 1


async def test_an_agenda_that_slack_lost_is_posted_anew_in_its_newest_words_and_followed_there(either_house: House):
    house = either_house
    house.fault("forget")
    house.say("agenda", "first", kind="live")
    await house.deliver()

    house.say("agenda", "second", kind="live")
    await house.deliver()
    house.say("agenda", "third", kind="live")
    await house.deliver()

    assert house.seen() == ["third"]
    assert house.called("chat.postMessage") == 2


async def test_an_agenda_that_somebody_deleted_is_not_posted_anew(house: House):
    house.say("agenda", "first", kind="live")
    await house.deliver()
    house.delete("agenda")

    house.say("agenda", "second", kind="live")
    await house.deliver()

    assert house.seen() == []
    assert house.state("agenda") == ("dead", "message_not_found")


# What is there twice -----------------------------------------------------------------------------------


async def test_of_two_messages_with_one_mark_the_later_is_gone_in_one_cycle(either_house: House, caplog: Any):
    house = either_house
    with house.storage.write() as db:
        incident = Incident(team_id=TEAM, title="Checkout", opened_at=NOON)
        db.add(incident)
    house.say("the agenda", incident=incident.id)
    await house.deliver()
    kept, later = house.note("the agenda").posted_ts, house.post_again("the agenda")

    house.pass_time(LATER_S)
    with caplog.at_level("WARNING"):
        await house.read_back()

    assert list(house.slack.sandbox.workspace.channels[INCIDENTS].messages) == [kept]
    with house.storage.read() as db:
        lines = db.execute(select(Change.subject, Change.what, Change.before, Change.after)).all()
    assert [tuple(line) for line in lines] == [("note", "said_twice", later, kept)]
    (told,) = [record for record in caplog.records if record.name == "debrief.rereading"]
    assert (told.message, told.__dict__["ts"]) == ("said twice, the other one removed", later)


async def test_where_the_row_knows_the_later_one_the_earlier_stays_and_gets_the_newest_words(house: House):
    house.say("agenda", "first", kind="live")
    await house.deliver()
    earlier, later = house.note("agenda").posted_ts, house.post_again("agenda")
    with house.storage.write() as db:
        db.scalars(select(OutboxNote)).one().posted_ts = later
    house.say("agenda", "second", kind="live")
    await house.deliver()
    twice = house.seen()

    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()

    assert twice == ["first", "second"]
    assert house.seen() == ["second"]
    assert house.note("agenda").posted_ts == earlier


async def test_the_one_that_somebody_answered_stays(house: House):
    house.say("question")
    await house.deliver()
    later = house.post_again("question")
    channel, _ = house.stored("question")
    talking.say(house.slack.sandbox, channel, house.slack.sandbox.workspace.users[PRIYA], text="yes", thread_ts=later)

    house.pass_time(LATER_S)
    await house.read_back()

    assert house.seen() == ["question", "yes"]
    assert house.note("question").posted_ts == later


async def test_what_slack_shows_only_hours_later_is_removed_within_the_hour(house: House):
    """It took a message and history did not show it: looked up, and then read back, it was said once more each time."""
    house.fault("timeout_after", seconds=0)
    house.slack.sandbox.faults.set({"history_lag_s": 4 * AN_HOUR_S})
    house.say("the agenda")
    await house.round()
    house.pass_time(GRACE.total_seconds() + 20)
    for _ in range(3):
        await house.deliver()
        house.pass_time(LATER_S)
        await house.read_back()
    too_many = house.seen()

    house.slack.sandbox.faults.set({"history_lag_s": 0})
    house.pass_time(AN_HOUR_S)
    await house.read_back()

    assert too_many == ["the agenda"] * 3
    assert house.seen() == ["the agenda"]


async def test_what_turned_up_after_it_was_said_once_more_goes_within_the_hour(house: House):
    house.say("the agenda")
    await house.deliver()
    channel, message = house.stored("the agenda")
    channel.remove(message["ts"])
    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()
    house.pass_time(LATER_S)
    await house.read_back()
    channel.add(message)
    twice = house.seen()

    house.pass_time(AN_HOUR_S)
    await house.read_back()

    assert sorted(twice) == ["the agenda", "the agenda"]
    assert house.seen() == ["the agenda"]
    assert house.note("the agenda").posted_ts == message["ts"]


async def test_what_stands_on_two_pages_of_history_is_not_there_twice(house: House):
    class Overlapping(History):
        async def marked_page(self, place: Any, since: datetime, until: datetime, cursor: str | None = None) -> Page:
            page = await super().marked_page(place, since, until)
            return replace(page, next_cursor=None if cursor else "again")

    house.say("the agenda")
    await house.deliver()
    house.rereader._history = Overlapping(client_of(house.slack), house.slack.sandbox.clock.now)

    house.pass_time(LATER_S)
    await house.read_back()

    assert house.called("conversations.history") == 2
    assert house.seen() == ["the agenda"]


async def test_another_programs_message_with_our_mark_is_left_alone(house: House):
    house.say("the agenda")
    await house.deliver()
    house.post_again("the agenda", user=PRIYA, bot_id="B0OTHER")

    house.pass_time(LATER_S)
    await house.read_back()

    assert len(house.seen()) == 2
    assert house.called("chat.delete") == 0


async def test_half_an_answer_of_history_is_no_proof_that_something_was_lost(house: House):
    house.say("the agenda")
    await house.deliver()
    house.pass_time(LATER_S)
    history, house.rereader._history = house.rereader._history, History(Curt(), house.slack.sandbox.clock.now)

    await house.rereader.round()
    left = house.waiting()
    house.rereader._history = history
    await house.read_back()

    assert left == []
    assert house.seen() == ["the agenda"]
    assert house.note("the agenda").read_back_at


async def test_half_a_yes_of_slacks_is_no_proof_that_something_was_removed(house: House):
    house.say("the agenda")
    await house.deliver()
    house.post_again("the agenda")
    house.pass_time(LATER_S)
    client, house.rereader._client = house.rereader._client, SaysNothing()

    await house.rereader.round()
    before = house.seen()
    house.rereader._client = client
    await house.read_back()

    assert len(before) == 2
    assert house.seen() == ["the agenda"]


class SaysNothing(Curt):
    """Hears neither yes nor no."""

    answer: Mapping[str, Any] = MappingProxyType({"ok": None})


async def test_where_it_is_not_known_whether_it_was_removed_it_is_looked_for_again(house: House):
    house.say("the agenda")
    await house.deliver()
    house.post_again("the agenda")
    house.pass_time(LATER_S)

    house.fault("5xx_before", "chat.delete")
    await house.rereader.round()
    before = house.seen()
    await house.read_back()

    assert len(before) == 2
    assert house.seen() == ["the agenda"]


# Crashes and replicas -------------------------------------------------------------------------------------


class CutOff(Exception):
    """The power went."""


@pytest.mark.parametrize("step", ["_say_again", "_keep", "_remove", "_mark_read"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_between_the_steps_neither_loses_nor_doubles(
    sqlite_url: str, slack: Running, step: str, when: str
):
    def crash(self: Rereader, *given: Any) -> Any:
        if when == "after":
            getattr(Rereader, step)(self, *given)
        raise CutOff

    async def crash_later(self: Rereader, *given: Any) -> Any:
        if when == "after":
            await getattr(Rereader, step)(self, *given)
        raise CutOff

    crashing = type("Crashing", (Rereader,), {step: crash_later if step == "_remove" else crash})
    house = a_house(sqlite_url, slack, kind=crashing)
    house.fault("forget")
    for key in ("lost", "double", "right"):
        house.say(key)
    await house.deliver()
    house.post_again("double")
    house.pass_time(LATER_S)
    with pytest.raises(CutOff):
        await house.rereader.round()

    house.rereader = a_rereader(house.storage, slack, [])
    await house.read_back()
    await house.deliver()
    house.storage.close()

    assert sorted(house.seen()) == ["double", "lost", "right"]


@pytest.mark.postgres
async def test_two_replicas_that_read_back_at_once_say_it_once_more(postgresql_url: str, slack: Running):
    class Together(Rereader):
        """Neither says anything before both have seen that it is missing."""

        async def _missed(self, place: Any, note: Said, stand: Any) -> None:
            await together.wait()
            await super()._missed(place, note, stand)

    class WithoutHold(Together):
        async def round(self) -> int:
            due, us = await asyncio.to_thread(self._due)
            for place, notes in due.items():
                await self._look(place, notes, us)
            return len(due)

    together = asyncio.Barrier(2)
    house, other = (a_house(postgresql_url, slack, kind=WithoutHold) for _ in range(2))
    house.fault("forget")
    house.say("the agenda")
    await house.deliver()
    house.pass_time(LATER_S)

    await asyncio.gather(house.rereader.round(), other.rereader.round())
    await house.deliver()
    house.storage.close()
    other.storage.close()

    assert house.seen() == ["the agenda"]
    assert len(house.woken + other.woken) == 1


@pytest.mark.postgres
async def test_while_one_replica_reads_back_the_others_ask_slack_nothing(postgresql_url: str, slack: Running):
    house, other = (a_house(postgresql_url, slack) for _ in range(2))
    house.say("the agenda")
    await house.deliver()
    house.pass_time(LATER_S)

    assert other.storage.holds.take(f"reading back {TEAM}")
    meanwhile = await house.rereader.round()
    other.storage.holds.release(f"reading back {TEAM}")
    afterwards = await house.rereader.round()
    house.storage.close()
    other.storage.close()

    assert (meanwhile, afterwards) == (0, 1)
    assert house.called("conversations.history") == 1


# Many -------------------------------------------------------------------------------------------------


async def a_day_of(house: House, posts: int, *, forgotten: int) -> tuple[list[str], list[str]]:
    """Posts into a few places, of which Slack forgets some; what is missing of them, and what is there twice."""
    house.slack.sandbox.faults.set({"rate_limits": "off"})
    places = [INCIDENTS, GENERAL, PRIYA, "U0JONAS"]
    for number in range(posts):
        house.say(f"no {number}", to=places[number % len(places)])
        if number % (posts // forgotten) == 7:
            await house.deliver()
            house.fault("forget")
            house.say(f"no {number} again", to=places[number % len(places)])
            await house.deliver()
    await house.deliver()
    house.pass_time(LATER_S)
    await house.read_back()
    await house.deliver()
    channels = [INCIDENTS, GENERAL, *(house.slack.sandbox.workspace.open_im(u, BOT_USER).id for u in places[2:])]
    seen = [text for channel in channels for text in house.seen(channel)]
    with house.storage.read() as db:
        keys = list(db.scalars(select(OutboxNote.key)))
    return sorted(set(keys) - set(seen)), sorted({text for text in seen if seen.count(text) > 1})


async def test_of_many_posts_none_is_missing_in_the_end_and_none_doubled(either_house: House):
    missing, doubled = await a_day_of(either_house, 60, forgotten=3)

    assert (missing, doubled) == ([], [])
    assert either_house.woken == ["again"] * 3


async def test_without_reading_back_what_slack_forgot_stays_missing(sqlite_url: str, slack: Running):
    class Blind(Rereader):
        async def round(self) -> int:
            return 0

    house = a_house(sqlite_url, slack, kind=Blind)

    missing, doubled = await a_day_of(house, 30, forgotten=3)
    house.storage.close()

    assert (len(missing), doubled) == (3, [])


@pytest.mark.torture
@pytest.mark.timeout(600)
async def test_of_a_thousand_posts_of_which_one_in_a_hundred_is_forgotten_none_is_missing(either_house: House):
    missing, doubled = await a_day_of(either_house, 1_000, forgotten=10)

    assert (missing, doubled) == ([], [])
    assert either_house.woken == ["again"] * 10
    assert either_house.slack.sandbox.clock.now() - NOON < timedelta(hours=1)
