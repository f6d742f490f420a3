"""Letters through the outbox, to a real mail server whose accidents are chosen: each once in effect."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select, update

from bot.addresses import Server
from bot.claims import Claims
from bot.courier import Courier
from bot.mailing import Mail
from bot.sheets import Sheets
from storage import delivering, letters, outbox, people, unsaid
from storage.letters import Letter
from storage.models import ANSWER, OutboxNote
from storage.session import Storage
from tests.cast import MARA, TEAM, TOMAS
from tests.mailboxes import CalendarOfSomebody, PostOffice, enclosed, post_office
from tests.test_calendars import REVIEW
from tests.test_mailing import SENDER

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
GRACE = timedelta(seconds=60)
TEN_TIMES = 10


@dataclass
class Office:
    """A courier with a mail server, and the time as a variable; Slack is nowhere."""

    storage: Storage
    mail: PostOffice
    now: datetime = NOON

    def courier(self, *, kind: type[Courier] = Courier) -> Courier:
        in_hand = Claims(self.storage, team=TEAM, now=lambda: self.now, grace=GRACE)
        server = Server("smtp+plain", "127.0.0.1", self.mail.port)
        client = AsyncWebClient(token="xoxb-nobody", base_url="http://127.0.0.1:9/", retry_handlers=[])
        return kind(in_hand, Sheets(self.storage, TEAM), client, mail=Mail(server, SENDER))

    def write(self, *, to: str = MARA, sequence: int = 0, method: str = "REQUEST", text: str = "Come.") -> None:
        appointment = replace(REVIEW, sequence=sequence, at=self.now + timedelta(days=2)).to_json()
        letter = Letter(
            key=f"letter:1:{to}",
            user=to,
            text=text,
            enclosed={"subject": "Review", "method": method, "appointment": appointment},
            at=self.now,
            until=self.now + timedelta(days=2),
        )
        with self.storage.write() as db:
            letters.write(db, TEAM, letter)

    async def settle(self, courier: Courier | None = None) -> None:
        """Whatever is due now, to its end."""
        sending = courier or self.courier()
        while await sending.round():
            await sending.settle()

    async def settle_for_hours(self, hours: int) -> None:
        for _ in range(hours * 4):
            await self.settle()
            self.now += timedelta(minutes=15)

    def state(self, to: str = MARA) -> tuple[str, str | None]:
        with self.storage.read() as db:
            note = db.scalars(select(OutboxNote).where(OutboxNote.key == f"letter:1:{to}")).one()
            return note.state, note.error

    def calendar(self) -> CalendarOfSomebody:
        """Everything that arrived, taken in by a calendar in the order in which it came."""
        calendar = CalendarOfSomebody()
        for letter in self.mail.letters:
            calendar.take_in(enclosed(letter))
        return calendar


def know(storage: Storage, user: str, email: str | None, **since: Any) -> None:
    with storage.write() as db:
        given = {"bot": None, "gone": None} | since
        people.know(db, TEAM, user, name=user.title(), zone="UTC", email=email, now=NOON, **given)


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    """On each kind of database."""
    storage = Storage(database_url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0", mark_key="key")
    know(storage, MARA, "mara@sandbox.example")
    know(storage, TOMAS, "tomas@sandbox.example")
    async with post_office() as mail:
        yield Office(storage, mail)
    storage.close()


async def test_each_person_gets_a_letter_of_their_own(office: Office):
    office.write(to=MARA)
    office.write(to=TOMAS)

    await office.settle()

    assert sorted(to for _, to in office.mail.envelopes) == [("mara@sandbox.example",), ("tomas@sandbox.example",)]
    assert not any("tomas" in str(one) for one in office.mail.letters if "mara" in one["To"])
    assert (office.state(MARA), office.state(TOMAS)) == (("sent", None), ("sent", None))


async def test_what_was_sent_is_not_sent_again(office: Office):
    office.write()
    await office.settle()

    await office.settle_for_hours(24)

    assert len(office.mail.letters) == 1


@pytest.mark.parametrize(
    ("where", "accident"),
    [
        ("at_rcpt", "reset_at_rcpt"),
        ("at_rcpt", "451 4.7.1 Greylisted"),
        ("at_data", "451 4.3.0 Out of disk"),
        ("at_data", "421 4.3.2 Shutting down"),
        ("at_data", "reset_after_data"),
    ],
)
@pytest.mark.parametrize("times", [1, 5])
async def test_whatever_happens_on_the_way_a_calendar_shows_the_meeting_once(
    office: Office, where: str, accident: str, times: int
):
    getattr(office.mail, where).extend([accident] * times)
    office.write()

    await office.settle_for_hours(6)

    assert office.state() == ("sent", None)
    assert len(office.calendar().shown) == office.calendar().changed == 1
    assert len({letter["Message-ID"] for letter in office.mail.letters}) == 1
    assert len({str(letter) for letter in office.mail.letters}) == 1


async def test_a_letter_that_may_have_arrived_is_not_sent_for_ever(office: Office):
    office.mail.at_data.extend(["reset_after_data"] * 100)
    office.write()

    await office.settle_for_hours(24)

    assert (len(office.mail.letters), office.state()) == (10, ("dead", "SMTPServerDisconnected"))
    assert len(office.calendar().shown) == 1


async def test_what_befell_an_earlier_version_is_not_held_against_the_next(office: Office):
    office.mail.at_rcpt.extend(["reset_at_rcpt"] * 9)
    office.write(sequence=0)
    await office.settle_for_hours(6)
    office.mail.at_rcpt.extend(["reset_at_rcpt"] * 3)
    office.write(sequence=1)

    await office.settle()
    office.now += timedelta(seconds=31)
    await office.settle()
    tried = office.mail.tried
    await office.settle_for_hours(2)

    assert tried == 12
    assert (office.state(), [entry.sequence for entry in office.calendar().shown]) == (("sent", None), [1])


async def test_without_a_number_of_its_own_a_letter_sent_twice_would_be_two_meetings(office: Office):
    office.mail.at_data.append("reset_after_data")
    office.write()
    await office.settle_for_hours(1)

    objects = [enclosed(letter).replace(REVIEW.uid, f"{number}") for number, letter in enumerate(office.mail.letters)]

    calendar = CalendarOfSomebody()
    for each in objects:
        calendar.take_in(each)
    assert len(calendar.shown) == 2


async def test_a_refusal_is_final_and_says_why(office: Office):
    office.mail.at_rcpt.append("550 5.1.1 No such user")
    office.write()

    await office.settle_for_hours(24)

    assert (office.mail.tried, office.state()) == (1, ("dead", "550"))


async def test_a_program_that_is_gone_leaves_its_letters_to_the_next(office: Office):
    class Dies(Courier):
        """Gone right before it writes down that the server has taken it."""

        async def _said(self, parcel: Any, said: Any) -> None:
            raise RuntimeError

    office.write()
    await office.settle(office.courier(kind=Dies))
    taken = len(office.mail.letters)

    await office.settle()
    at_once = len(office.mail.letters)
    office.now += timedelta(minutes=3)
    await office.settle()

    assert (taken, at_once, len(office.mail.letters)) == (1, 1, 2)
    assert len(office.calendar().shown) == office.calendar().changed == 1
    assert office.state() == ("sent", None)


async def test_of_versions_that_wait_only_the_newest_goes(office: Office):
    office.write(sequence=0)
    office.write(sequence=1)

    await office.settle()

    (entry,) = office.calendar().shown
    assert (len(office.mail.letters), entry.sequence) == (1, 1)


def claimed(office: Office, *, busy: Collection[int] = ()) -> list[int]:
    with office.storage.write() as db:
        found = letters.claim(db, TEAM, now=office.now, patience=GRACE, at_most=10, busy=busy)
        return [note.version for note in found]


async def test_a_newer_version_waits_while_the_one_before_is_on_its_way(office: Office):
    office.write(sequence=0)
    on_its_way = claimed(office)
    office.write(sequence=1)

    at_once = claimed(office)
    office.now += GRACE

    assert (on_its_way, at_once, claimed(office)) == ([1], [], [2])


async def test_what_this_program_has_in_hand_it_does_not_take_again(office: Office):
    office.write()
    with office.storage.read() as db:
        in_hand = db.scalars(select(OutboxNote.id)).all()

    assert claimed(office, busy=in_hand) == []
    assert claimed(office) == [1]


async def test_a_newer_version_is_another_letter_about_the_same_meeting(office: Office):
    office.write(sequence=0)
    await office.settle()
    office.write(sequence=1)
    await office.settle()
    office.write(sequence=2, method="CANCEL")
    await office.settle()

    assert len({letter["Message-ID"] for letter in office.mail.letters}) == 3
    assert (office.calendar().changed, office.calendar().shown) == (3, [])


async def test_an_invitation_that_comes_after_its_cancellation_is_old_news_to_a_calendar(office: Office):
    office.write(sequence=0)
    await office.settle()
    office.write(sequence=1, method="CANCEL")
    await office.settle()

    office.mail.letters.append(office.mail.letters[0])

    assert office.calendar().shown == []


async def test_a_letter_to_a_meeting_that_is_over_is_not_sent(office: Office):
    office.write()
    office.now += timedelta(days=3)

    await office.settle()

    assert (office.mail.tried, office.state()) == (0, ("dead", "too_late"))


@pytest.mark.parametrize("since", [{}, {"gone": NOON}, {"bot": NOON}])
async def test_who_has_no_address_or_is_gone_gets_no_letter(office: Office, since: dict[str, datetime]):
    know(office.storage, MARA, "mara@sandbox.example" if since else None, **since)
    office.write()

    await office.settle()

    assert (office.mail.tried, office.state()) == (0, ("dead", "no_address"))


async def test_operators_read_of_a_missing_address_and_of_no_refusal(office: Office, caplog: pytest.LogCaptureFixture):
    know(office.storage, MARA, None)
    office.write()

    await office.settle()

    told = [(record.getMessage(), record.levelname) for record in caplog.records if hasattr(record, "note")]
    assert told == [("a letter has no address to go to", "WARNING")]


async def test_letters_wait_until_there_is_a_mail_server(office: Office):
    office.write()
    without = Courier(
        Claims(office.storage, team=TEAM, now=lambda: office.now, grace=GRACE),
        Sheets(office.storage, TEAM),
        AsyncWebClient(token="xoxb-nobody", base_url="http://127.0.0.1:9/"),
    )

    await office.settle(without)
    waiting = office.state()
    await office.settle()

    assert waiting == ("to_mail", None)
    assert len(office.mail.letters) == 1


# Beside what goes to Slack ---------------------------------------------------------------------


def before_letters(office: Office, deed: Callable[..., Any], **given: Any) -> list[Any]:
    """What a program of before takes in hand: its questions know two states alone."""
    with office.storage.write() as db:
        return list(deed(db, TEAM, now=office.now + timedelta(days=1), **given))


async def test_an_older_program_takes_no_letter_in_hand(office: Office):
    office.write()

    claimed = before_letters(office, delivering.claim, at_most=10)
    with office.storage.write() as db:
        db.execute(update(OutboxNote).values(state="mailing", attempted_at=office.now))
    found = before_letters(office, delivering.uncertain, patience=timedelta())

    assert (claimed, found) == ([], [])


async def test_in_the_states_of_other_notes_it_would(office: Office):
    office.write()
    with office.storage.write() as db:
        db.execute(update(OutboxNote).values(state="pending"))

    (claimed,) = before_letters(office, delivering.claim, at_most=10)

    assert claimed.kind == "letter"


async def test_a_letter_that_waits_keeps_no_direct_message_waiting(office: Office):
    office.mail.at_rcpt.append("451 4.7.1 Later")
    office.write()
    await office.settle()
    with office.storage.write() as db:
        outbox.say_once(db, TEAM, outbox.Words(key="hello", channel=MARA, text="hello", at=office.now))

    with office.storage.write() as db:
        (claimed,) = delivering.claim(db, TEAM, now=office.now, at_most=10)

        assert claimed.key == "hello"
        assert office_waits(office, unsaid.Why.told_to_wait)


def office_waits(office: Office, why: unsaid.Why) -> bool:
    with office.storage.read() as db:
        rows = unsaid.told(outbox.waiting(db, TEAM), now=office.now, answer=ANSWER)
        counted = {depth.why: depth.notes for depth in unsaid.depths(db, TEAM, now=office.now)}
    return [row.why for row in rows if row.kind == "letter"] == [why] and counted[why] == 1


async def test_so_many_letters_are_under_way_at_a_time_and_no_more(office: Office):
    users = [f"U0GUEST{number}" for number in range(TEN_TIMES)]
    for user in users:
        know(office.storage, user, f"{user.lower()}@sandbox.example")
        office.write(to=user)
    courier = office.courier()

    begun = await courier.round()
    await courier.settle()
    await office.settle(courier)

    assert begun == 4
    assert len(office.mail.letters) == TEN_TIMES


async def test_a_dead_letter_can_be_sent_after_all(office: Office):
    office.mail.at_rcpt.append("550 5.7.1 Not today")
    office.write()
    await office.settle()
    with office.storage.write() as db:
        (note,) = outbox.dead(db, TEAM)
        outbox.revive(db, note.id, now=office.now)

    await office.settle()

    assert len(office.mail.letters) == 1
