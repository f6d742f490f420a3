"""On the running bot: a meeting is planned, moved and called off, and calendars follow by file and by letter."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from bot.sandbox.driver import Driver, words_of
from bot.sandbox.server import in_thread
from bot.sandbox.troupe import bot_running, environment
from tests.listeners.test_gestures import a_port
from tests.mailboxes import CalendarOfSomebody, Entry, PostOffice, enclosed, post_office_in_thread, read_twice

Json = dict[str, Any]
CHANNEL = "inc-77"


@dataclass
class Here:
    """A sandbox, a mail server, and the bot between them."""

    driver: Driver
    mail: PostOffice

    def types(self, user: str, words: str) -> str:
        return self.driver.type(user, CHANNEL, words)

    def files(self) -> list[Json]:
        """The files that hang in the channel now."""
        messages = self.driver.messages(CHANNEL)
        shown = [file for message in messages for file in message.get("files") or ()]
        return [file for file in shown if file.get("mode") != "tombstone"]

    def waits_for_file(self, begins: str) -> Entry:
        """Until one file hangs there, of a meeting that begins so."""

        def look() -> Entry | None:
            contents = [self.content(file) for file in self.files()]
            entries = [read_twice(content)[2] for content in contents if content]
            return entries[0] if len(entries) == 1 and entries[0].begins.startswith(begins) else None

        return self.driver.wait_for(look, f"a file of {begins}")

    def content(self, file: Json) -> str:
        asked = urllib.request.Request(file["url_private"], headers={"Authorization": "Bearer xoxb-sandbox"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read().decode()

    def waits_for_letters(self, begins: str, *, subject: str) -> list[EmailMessage]:
        """Until every person asked has one whose subject begins so, about a meeting that begins so."""

        def look() -> list[EmailMessage]:
            found = [letter for letter in list(self.mail.letters) if letter["Subject"].startswith(subject)]
            found = [letter for letter in found if read_twice(enclosed(letter))[2].begins.startswith(begins)]
            return found if {address_of(letter) for letter in found} >= ASKED else []

        return self.driver.wait_for(look, f"letters that begin with {subject}")

    def calendar_of(self, address: str) -> CalendarOfSomebody:
        calendar = CalendarOfSomebody()
        for letter in self.mail.letters:
            if address_of(letter) == address:
                calendar.take_in(enclosed(letter))
        return calendar


PRIYA, JONAS = "priya@sandbox.example", "jonas@sandbox.example"
ASKED = {PRIYA, JONAS}


def address_of(letter: EmailMessage) -> str:
    (address,) = letter["To"].addresses
    return address.addr_spec


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Priya leads an incident that is mitigated; Jonas was in it."""
    folder = tmp_path_factory.mktemp("invitations")
    with post_office_in_thread() as mail, in_thread() as slack:
        letters = {
            "DEBRIEF_SMTP_URL": f"smtp+plain://127.0.0.1:{mail.port}",
            "DEBRIEF_MAIL_FROM": "Debrief <debrief@sandbox.example>",
        }
        with bot_running(environment(slack.api_url, folder, a_port()) | letters, folder / "log"):
            driver = Driver(slack.url)
            driver.wait_for(lambda: driver.get("state")["connections"], "a connection")
            driver.do("create", user="priya", name=CHANNEL)
            driver.wait_for_words(CHANNEL, "followed as an incident")
            driver.do("join", user="jonas", channel=CHANNEL)
            driver.say("jonas", CHANNEL, "rolled back to 41")
            driver.type("priya", CHANNEL, "mitigated")
            yield Here(driver, mail)
            assert driver.get("log")["violations"] == []


def test_an_hour_from_its_booking_to_its_end(here: Here):
    day, later = (f"{here.driver.now + timedelta(days=days):%Y-%m-%d}" for days in (3, 4))

    # Booked: a letter to each who is asked, and a file in the channel.
    here.types("priya", f"schedule {day}T10:00Z")
    here.types("priya", "invite @jonas")
    booked = here.waits_for_letters(day, subject="Review: ")
    file = here.waits_for_file(day)
    assert all(letter["From"] == "Debrief <debrief@sandbox.example>" for letter in booked)
    assert (file.sequence, file.status) == (0, "CONFIRMED")

    # Jonas presses the button under the announcement.
    here.driver.press("jonas", CHANNEL, "^I’ll come$")
    answer = here.driver.wait_for_words(CHANNEL, "^Noted: you come on", "jonas")
    assert "I can’t come" in str(answer["blocks"])

    # Moved: the same meeting at another hour, and one file.
    here.types("priya", f"postpone {later}T11:00Z half of us are away")
    here.waits_for_letters(later, subject="Changed: ")
    here.waits_for_file(later)
    assert [entry.begins for entry in here.calendar_of(JONAS).shown] == [f"{later}T11:00:00+00:00"]

    # Called off: out of every calendar, and the file is gone.
    here.types("priya", "cancel it was a false alarm")
    here.driver.press("priya", CHANNEL, "^Yes, cancel")
    here.waits_for_letters(later, subject="Called off: ")
    here.driver.wait_for(lambda: not here.files(), "the file to go")
    assert here.calendar_of(JONAS).shown == here.calendar_of(PRIYA).shown == []
    assert [words for words in map(words_of, here.driver.messages(CHANNEL)) if "@sandbox.example" in words] == []
