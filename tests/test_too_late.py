"""What Slack did not take in working hours, brought by the courier: nobody hears of it at night, nor twice on a day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.claims import Claims, PutOff, at_any_hour
from bot.courier import Courier
from bot.desk import House
from bot.review.meeting_time import WorkingHours
from bot.sandbox.server import Running, sandbox
from bot.sheets import Sheets
from storage import outbox, people, silence
from storage.outbox import Words
from storage.session import Storage
from tests.sandbox.cast import client_of

TEAM, PRIYA, GENERAL = "T0SANDBOX", "U0PRIYA", "C0GENERAL"
AFTERNOON = datetime(2026, 11, 23, 16, 50, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NIGHT, MORNING, NEXT_MORNING = (
    datetime(2026, 11, day, hour, 5, tzinfo=UTC) for day, hour in ((23, 22), (24, 9), (25, 9))
)
IN_HOURS = partial(silence.put_off, hours=WorkingHours.read("09:00-17:00"))


@dataclass
class Office:
    """An outbox, and the Slack that does not take everything at once."""

    storage: Storage
    slack: Running

    def say(self, key: str, *, to: str = PRIYA) -> None:
        now = self.slack.sandbox.clock.now()
        with self.storage.write() as db:
            outbox.say_once(db, TEAM, Words(key=key, channel=to, text=key, at=now))

    async def deliver(self, at: datetime, put_off: PutOff = IN_HOURS) -> list[str]:
        """What is due then is brought by a bot that was just started; all that was said so far."""
        clock = self.slack.sandbox.clock
        clock.advance((at - clock.now()).total_seconds())
        given = {"team": TEAM, "now": clock.now, "grace": timedelta(seconds=60)}
        claims = Claims(self.storage, **given, put_off=put_off)
        courier = Courier(claims, Sheets(self.storage, TEAM, house=House()), client_of(self.slack))
        while await courier.round():
            await courier.settle()
        channels = self.slack.sandbox.workspace.channels.values()
        return [one["text"] for channel in channels for one in channel.in_order() if one.get("text") in KEYS]


KEYS = ("reminders:1", "draft-waits:1", "whisper:1", "call:instead:1", "pre-read:1")


@pytest.fixture
async def office(sqlite_url: str) -> AsyncIterator[Office]:
    storage = Storage(sqlite_url)
    async with sandbox() as slack:
        clock = slack.sandbox.clock
        clock.advance((AFTERNOON - clock.now()).total_seconds())
        known = {"name": "Priya", "zone": "Europe/London", "email": None, "bot": None, "gone": None}
        with storage.write() as db:
            people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")
            people.know(db, TEAM, PRIYA, **known, now=AFTERNOON)
        yield Office(storage, slack)
    storage.close()


async def test_what_slack_did_not_take_until_night_comes_in_the_morning(office: Office):
    office.say("reminders:1")
    office.slack.sandbox.faults.set({"method": "chat.postMessage", "kind": "429", "retry_after": 900})

    in_the_afternoon, at_night = [await office.deliver(at) for at in (AFTERNOON + MINUTE, NIGHT)]

    assert (in_the_afternoon, at_night) == ([], [])
    assert await office.deliver(MORNING) == ["reminders:1"]


async def test_without_that_it_would_come_at_night(office: Office):
    office.say("reminders:1")

    assert await office.deliver(NIGHT, put_off=at_any_hour) == ["reminders:1"]


async def test_answers_the_call_and_what_is_said_in_channels_come_at_night_too(office: Office):
    for key in ("reminders:1", "whisper:1", "call:instead:1"):
        office.say(key)
    office.say("pre-read:1", to=GENERAL)

    assert sorted(await office.deliver(NIGHT)) == ["call:instead:1", "pre-read:1", "whisper:1"]


async def test_two_that_waited_come_on_two_mornings(office: Office):
    office.say("reminders:1")
    office.say("draft-waits:1")

    assert await office.deliver(MORNING) == ["reminders:1"]
    assert await office.deliver(NEXT_MORNING) == ["reminders:1", "draft-waits:1"]
