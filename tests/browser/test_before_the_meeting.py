"""From `mitigated` to an accepted invitation, a pre-read and an answer in private, by clicking and typing alone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, Locator, Page, expect

from bot.sandbox.demo import CHANNEL, stage
from bot.sandbox.driver import Driver
from tests.browser.cast import PHONE, WIDE, visit
from tests.calendar_server import READER, READERS_PASSWORD, CalendarServer, a_calendar_server
from tests.mailboxes import PostOffice, enclosed, post_office_in_thread

PATIENCE_MS = 60_000
NEXT_MORNING = datetime(2026, 11, 19, 8, 5, tzinfo=UTC)
"""In Berlin, where Tomasz leads, it is 09:05."""
MEETS = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANANYA, TOMASZ = "ananya@example.com", "tomasz@example.com"
ANSWER = "That nobody had ever restarted all pods at once."


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office_in_thread() as office:
        yield office


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with a_calendar_server(tmp_path_factory.mktemp("calendars"), ANANYA, TOMASZ) as server:
        yield server


@pytest.fixture
def driver(office: PostOffice, calendars: CalendarServer) -> Iterator[Driver]:
    """The unmodified bot beside the sample incident, a mail server and a calendar; the clock is moved by hand."""
    settings = {
        "DEBRIEF_SMTP_URL": f"smtp+plain://127.0.0.1:{office.port}",
        "DEBRIEF_MAIL_FROM": "Debrief <debrief@example.com>",
        "DEBRIEF_CALDAV_URL": calendars.address,
        "DEBRIEF_CALDAV_USER": READER,
        "DEBRIEF_CALDAV_PASSWORD": READERS_PASSWORD,
    }
    with stage(0, **settings) as running:
        yield running.driver


@pytest.fixture
def here(browser: Browser, driver: Driver) -> Iterator[Page]:
    context = browser.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield visit(context.new_page(), driver.url)
    expect.set_options(timeout=None)
    context.close()


def test_from_the_end_of_the_incident_to_an_answer_opened_in_the_meeting(
    here: Page, driver: Driver, office: PostOffice, calendars: CalendarServer, tmp_path: Path
):
    _says_how_grave_it_was(here)
    _tells_what_was_felt(here)

    driver.move_clock_to(NEXT_MORNING)
    _books_one_of_three_hours(here)
    _changes_who_comes(here)
    _finds_the_meeting_for_a_calendar(here, tmp_path)
    _takes_the_letter_into_her_calendar(driver, office, calendars)
    _says_that_she_comes(here)

    driver.pass_time(45 * 60)
    _takes_the_meeting_whose_turn_it_is(here)

    driver.move_clock_to(MEETS - timedelta(hours=23, minutes=50))
    _reads_before_the_meeting(here)
    _answers_in_private(here)

    driver.move_clock_to(MEETS - timedelta(minutes=9))
    _is_called(here)
    driver.move_clock_to(MEETS)
    _opens_the_meeting_and_what_was_sealed(here)


# The evening -----------------------------------------------------------------------------------------------


def _says_how_grave_it_was(here: Page) -> None:
    _types(here, "/review mitigated 17:27")
    expect(_newest(here, "Next comes the meeting")).to_be_visible()
    _presses(here, "How grave was it?")
    form = _form(here, "How grave was it?")
    _fits_a_phone(here, "severity-form")
    form.get_by_label("Who felt it?").select_option("Most customers, or all")
    form.get_by_label("Where?").select_option("In several regions")
    _sends(form, "Propose")

    proposed = _newest(here, "From your answers I would call")
    expect(proposed).to_contain_text("a sev1")
    _presses(here, "Make it sev1")
    expect(_newest(here, "is sev1 now")).to_contain_text("90 minutes")
    _fits_a_phone(here, "severity")


def _tells_what_was_felt(here: Page) -> None:
    _types(here, "/review began 13:56")
    expect(_newest(here, "Began is set to")).to_be_visible()
    _types(here, "/review detected 13:58")
    expect(_newest(here, "Detected is set to")).to_be_visible()
    _types(
        here,
        "/review summary Checkout crawled for three and a half hours. Each pod took four times the connections "
        "that the database has. Going back to v317 ended it.",
    )
    expect(_newest(here, "The summary is written")).to_be_visible()
    _types(here, "/review impact")
    form = _form(here, "What was felt")
    form.get_by_label("Customers").fill("one order in five")
    form.get_by_label("Regions").fill("Europe")
    _sends(form, "Keep")
    expect(_newest(here, "one order in five")).to_be_visible()


# The morning after -----------------------------------------------------------------------------------------


def _books_one_of_three_hours(here: Page) -> None:
    _reads_what_came_to_them(here)
    proposal = _newest(here, "For its review I suggest")
    expect(proposal.get_by_role("button", name=re.compile(r"^(Book )?(\w{3} )(\d+ \w{3} )?\d\d:\d\d$"))).to_have_count(
        3
    )
    _fits_a_phone(here, "proposal")
    _presses(here, re.compile("^Keep the .* suggested$"))
    expect(_newest(here, "are on the timeline now")).to_be_visible()
    _presses(here, "Book Mon 13:00")
    expect(_newest(here, "Booked for")).to_contain_text("Mon 23 Nov 2026, 13:00")
    _fits_a_phone(here, "booked")


def _changes_who_comes(here: Page) -> None:
    _presses(here, "Change who comes")
    form = _form(here, "Who comes")
    _fits_a_phone(here, "who-form")
    who = form.get_by_role("group", name="Who comes")
    who.get_by_label(re.compile("^Dana")).uncheck()
    who.get_by_label(re.compile("^Mirela")).check()
    _sends(form, "Keep")

    expect(_newest(here, "Let off")).to_contain_text("Dana")
    _fits_a_phone(here, "who")


def _finds_the_meeting_for_a_calendar(here: Page, folder: Path) -> None:
    _goes_to(here, CHANNEL)
    announced = _newest(here, "meets on")
    with here.expect_download() as download:
        here.locator("#log").get_by_role("link", name=re.compile("^For your calendar")).last.click()
    download.value.save_as(folder / "review.ics")
    (event,) = Calendar.from_ical((folder / "review.ics").read_bytes()).events
    google, outlook = (_asked_of(announced.get_by_role("link", name=name)) for name in ("Google", "Outlook"))

    assert (event.start, event.end) == (MEETS, MEETS + timedelta(minutes=90))
    assert str(event["SUMMARY"]) == google["text"] == outlook["subject"] == "Review: Checkout latency"
    assert google["dates"] == "20261123T120000Z/20261123T133000Z"
    assert datetime.fromisoformat(outlook["startdt"]) == MEETS
    assert datetime.fromisoformat(outlook["enddt"]) == MEETS + timedelta(minutes=90)


def _takes_the_letter_into_her_calendar(driver: Driver, office: PostOffice, calendars: CalendarServer) -> None:
    """As her mail program does: the object that came, without what it asks."""

    def arrived() -> list[EmailMessage]:
        return [letter for (_, to), letter in zip(office.envelopes, office.letters, strict=False) if to == (ANANYA,)]

    (letter,) = driver.wait_for(arrived, "a letter to Ananya")
    lines = enclosed(letter).splitlines()
    kept = "\r\n".join(line for line in lines if not line.startswith("METHOD:")) + "\r\n"

    assert str(letter["Subject"]) == "Review: Checkout latency, Mon 23 Nov 2026, 17:30 IST"
    assert calendars.put(ANANYA, "review", kept.encode()) == 201
    (event,) = Calendar.from_ical(calendars.get(ANANYA, "review")).events
    assert (event.start, event.end) == (MEETS, MEETS + timedelta(minutes=90))


def _asked_of(link: Locator) -> dict[str, str]:
    """What an address carries with it."""
    asked = parse_qs(urlparse(link.get_attribute("href") or "").query)
    return {name: value for name, (value,) in asked.items()}


def _says_that_she_comes(here: Page) -> None:
    _looks_as(here, "Ananya")
    _fits_a_phone(here, "announced")
    _presses(here, "I’ll come")
    expect(_newest(here, "Noted: you come on")).to_be_visible()
    _fits_a_phone(here, "coming")


def _takes_the_meeting_whose_turn_it_is(here: Page) -> None:
    _looks_as(here, "Henrik")
    _reads_what_came_to_them(here)
    expect(_newest(here, "Would you lead it on")).to_contain_text("Mon 23 Nov 2026, 13:00")
    _fits_a_phone(here, "turn")
    _presses(here, "Take it")
    expect(_newest(here, "Thank you. You lead the review")).to_be_visible()
    _fits_a_phone(here, "taken")
    _goes_to(here, CHANNEL)
    expect(_newest(here, "leads the review meeting on")).to_contain_text("Henrik")


# The day before --------------------------------------------------------------------------------------------


def _reads_before_the_meeting(here: Page) -> None:
    _looks_as(here, "Ananya")
    pre_read = _newest(here, "Before the review")
    expect(pre_read).to_contain_text("Going back to v317 ended it.")
    expect(pre_read).to_contain_text("one order in five")
    expect(pre_read).to_contain_text("Henrik")
    picture = _newest(here, "as a picture").get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") == 1_920
    _fits_a_phone(here, "pre-read")


def _answers_in_private(here: Page) -> None:
    _presses(here, "Answer in private")
    form = _form(here, "In private")
    form.get_by_label("In a few sentences").fill(ANSWER)
    _fits_a_phone(here, "surprise-form")
    _sends(form, "Seal it")
    expect(_newest(here, "Your answer is sealed")).to_contain_text("without your name")
    _fits_a_phone(here, "sealed")
    expect(here.locator("body")).not_to_contain_text(ANSWER)


# The meeting -----------------------------------------------------------------------------------------------


def _is_called(here: Page) -> None:
    _looks_as(here, "Henrik")
    expect(_newest(here, "begins at")).to_contain_text("13:00")
    _fits_a_phone(here, "call")


def _opens_the_meeting_and_what_was_sealed(here: Page) -> None:
    _presses(here, "Start the meeting")
    here.locator("dialog.confirm .primary").click()
    expect(_newest(here, "Review of Checkout latency")).to_contain_text("1 of 6 · Opening")
    _fits_a_phone(here, "agenda")
    _types(here, "/review reveal")
    opened = _newest(here, "what surprised you?")
    expect(opened).to_contain_text(ANSWER)
    expect(opened).not_to_contain_text("Ananya")
    _fits_a_phone(here, "revealed")


# Hands and eyes --------------------------------------------------------------------------------------------


def _types(here: Page, words: str) -> None:
    here.get_by_label("Write a message").fill(words)
    here.get_by_label("Write a message").press("Enter")


def _presses(here: Page, label: str | re.Pattern[str]) -> None:
    """The newest button of that name in the conversation."""
    here.locator("#log").get_by_role("button", name=label, exact=True).last.click()


def _goes_to(here: Page, place: str) -> None:
    here.get_by_role("navigation").get_by_role("button", name=re.compile(place)).click()


def _reads_what_came_to_them(here: Page) -> None:
    _goes_to(here, "Debrief")
    here.get_by_role("tab", name="Messages").click()


def _looks_as(here: Page, name: str) -> None:
    here.get_by_role("button", name=re.compile("^You look as")).click()
    here.get_by_role("menuitemradio", name=re.compile(f"^{name}")).click()
    expect(here.get_by_role("button", name=re.compile(f"^You look as {name}"))).to_be_visible()


def _form(here: Page, title: str) -> Locator:
    """The form of that title, once it is there."""
    expect(here.locator("#modal-title")).to_have_text(title)
    return here.locator("#modal")


def _sends(form: Locator, label: str) -> None:
    form.get_by_role("button", name=label, exact=True).click()


def _fits_a_phone(here: Page, _name: str) -> None:
    """Nothing has to be moved sideways to be read."""
    here.set_viewport_size(PHONE)
    for part in ("html", "#log", "#modal"):
        wider = here.locator(part).evaluate("(one) => one.scrollWidth - one.clientWidth")
        assert wider <= 0, part
    here.set_viewport_size(WIDE)


def _newest(here: Page, text: str) -> Locator:
    return here.locator("#log .message", has_text=text).last
