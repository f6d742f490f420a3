"""Letters handed in at a real mail server: what it takes, what it refuses, and what nobody can know."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from bot import addresses, mailing
from bot.addresses import Server
from bot.calendars import Guest
from bot.mailing import Mail, Outgoing
from bot.outcomes import Known, Outcome
from tests.mailboxes import Accident, PostOffice, enclosed, post_office, read_twice, trusting
from tests.test_calendars import REVIEW

SENDER = Guest("debrief@sandbox.example", "Debrief")
MARA = Guest("mara@sandbox.example", "Mara")
MARK = "5f" * 16
ODD_WORDS = [
    "Checkout\r\nBcc: eve@example.com",
    "Checkout\nBcc: eve@example.com\n\nGive me your password",
    "line\u2028separator\u0085and\x0b\x0cmore",
    "é" * 500,
    "🚒" * 200,
    "<@U0EVE> “quoted” =?utf-8?q?x?=",
]


def a_letter(*, to: Guest | None = MARA, subject: str = "Review", text: str = "Come.", attempt: int = 1) -> Outgoing:
    enclosed = {"subject": subject, "method": "REQUEST", "appointment": REVIEW.to_json()}
    return Outgoing(to, MARK, text, enclosed, attempt)


def mail_to(office: PostOffice, *, scheme: str = "smtp+plain", password: str = "") -> Mail:
    user = "debrief" if password else ""
    return Mail(Server(scheme, "localhost", office.port, user, password), SENDER, tls=trusting)


async def outcome_of(mail: Mail, letter: Outgoing) -> Outcome:
    with pytest.raises(Known) as failed:
        await mail.send(letter)
    return failed.value.outcome


# What arrives ---------------------------------------------------------------------------


async def test_an_invitation_arrives_with_its_calendar():
    async with post_office() as office:
        await mail_to(office).send(a_letter(subject="Review of “Checkout”, 20 Nov", text="You are asked to come.\n"))

    (letter,) = office.letters
    uid, method, entry = read_twice(enclosed(letter))
    body = letter.get_body(("plain",))
    assert office.envelopes == [("debrief@sandbox.example", ("mara@sandbox.example",))]
    assert (letter["From"], letter["To"]) == ("Debrief <debrief@sandbox.example>", "Mara <mara@sandbox.example>")
    assert letter["Subject"] == "Review of “Checkout”, 20 Nov"
    assert letter["Message-ID"] == f"<{MARK}@sandbox.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert body
    assert body.get_content().splitlines() == ["You are asked to come."]
    assert (uid, method, entry.summary) == (REVIEW.uid, "REQUEST", REVIEW.summary)


async def test_a_cancellation_says_so_where_programs_look():
    letter = a_letter()
    off = Outgoing(MARA, MARK, "It is off.", {**letter.enclosed, "method": "CANCEL"})

    async with post_office() as office:
        await mail_to(office).send(off)

    (part,) = [part for part in office.letters[0].walk() if part.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "CANCEL"
    assert read_twice(enclosed(office.letters[0]))[1] == "CANCEL"


def test_the_same_letter_is_the_same_bytes():
    assert mailing.compose(a_letter(attempt=1), SENDER) == mailing.compose(a_letter(attempt=7), SENDER)


def test_a_server_that_knows_ascii_alone_takes_it():
    written = mailing.compose(
        a_letter(subject="Überprüfung 🚒", text="Grüße 🚒", to=Guest("mara@x.example", "Märä")), SENDER
    )

    assert written.isascii()
    assert max(len(line) for line in written.split(b"\r\n")) <= 998


@pytest.mark.parametrize("words", ODD_WORDS)
async def test_nothing_that_somebody_wrote_becomes_a_header_or_a_reader(words: str):
    async with post_office() as office:
        await mail_to(office).send(a_letter(subject=words, to=Guest("mara@sandbox.example", words)))

    (letter,) = office.letters
    assert office.envelopes[0][1] == ("mara@sandbox.example",)
    assert sorted(letter.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert [address.addr_spec for address in letter["To"].addresses] == ["mara@sandbox.example"]


def test_words_put_into_a_header_as_they_are_would_be_refused():
    message = EmailMessage()

    with pytest.raises(ValueError, match="linefeed"):
        message["Subject"] = ODD_WORDS[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mara",
        "mara@",
        "@sandbox.example",
        "mara@sandbox.example>\r\nRCPT TO:<eve@example.com",
        "mara@sandbox.example, eve@example.com",
        '"mara eve"@sandbox.example',
        "mära@sandbox.example",
        "mara@sandbox.example\x00",
        "m" * 65 + "@sandbox.example",
        "mara@" + "x." * 130 + "example",
    ],
)
async def test_what_is_no_address_gets_no_letter(address: str):
    async with post_office() as office:
        outcome = await outcome_of(mail_to(office), a_letter(to=Guest(address)))

    assert outcome == Outcome("never", "no_address")
    assert (office.tried, office.letters) == (0, [])


async def test_who_has_no_address_gets_no_letter():
    async with post_office() as office:
        assert await outcome_of(mail_to(office), a_letter(to=None)) == Outcome("never", "no_address")


# What becomes of it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("400 Not now", "later"),
        ("450 4.2.0 Greylisted", "later"),
        ("452 4.2.2 Mailbox full", "later"),
        ("500 What", "never"),
        ("550 5.1.1 No such user", "never"),
        ("554 5.7.1 Refused", "never"),
    ],
)
@pytest.mark.parametrize("where", ["at_rcpt", "at_data"])
async def test_the_answer_of_the_server_is_what_counts(where: str, words: str, kind: str):
    async with post_office() as office:
        getattr(office, where).append(words)
        outcome = await outcome_of(mail_to(office), a_letter())

    assert (outcome.kind, outcome.word) == (kind, words[:3])
    assert office.letters == []


@pytest.mark.parametrize(
    ("where", "accident", "arrived"), [("at_rcpt", "reset_at_rcpt", 0), ("at_data", "reset_after_data", 1)]
)
async def test_where_the_line_breaks_nobody_knows(where: str, accident: Accident, arrived: int):
    async with post_office() as office:
        getattr(office, where).append(accident)
        outcome = await outcome_of(mail_to(office), a_letter())

    assert outcome.kind == "unknown"
    assert len(office.letters) == arrived


async def test_an_answer_that_is_neither_yes_nor_no_leaves_it_open():
    async with post_office() as office:
        office.at_data.append("220 Hello")
        outcome = await outcome_of(mail_to(office), a_letter())

    assert outcome.kind == "unknown"


async def test_where_nobody_listens_it_is_tried_later():
    async with post_office() as office:
        pass

    outcome = await outcome_of(mail_to(office), a_letter())

    assert (outcome.kind, outcome.word) == ("later", "SMTPConnectError")


async def test_a_server_that_wants_to_see_us_twice_is_seen_at_growing_intervals():
    waits: list[timedelta] = []
    async with post_office() as office:
        for attempt in (1, 2, 3, 40):
            office.at_rcpt.append("451 4.7.1 Try again")
            waits.append((await outcome_of(mail_to(office), a_letter(attempt=attempt))).wait)

    assert waits == [timedelta(seconds=each) for each in (30, 60, 120, 900)]


# Who listens in -----------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "security"), [("smtp", "starttls"), ("smtps", "tls")])
async def test_a_password_goes_over_tls_alone(scheme: str, security: str):
    async with post_office(security=security) as office:  # type: ignore[arg-type]
        await mail_to(office, scheme=scheme, password="right").send(a_letter())

    assert office.logins == [("debrief", "right")]
    assert len(office.letters) == 1


async def test_a_server_without_tls_hears_no_password_and_no_letter():
    async with post_office() as office:
        outcome = await outcome_of(mail_to(office, scheme="smtp", password="right"), a_letter())

    assert outcome.kind == "later"
    assert (office.logins, office.tried) == ([], 0)


async def test_a_server_whose_certificate_nobody_vouches_for_hears_nothing():
    async with post_office(security="starttls") as office:
        mail = Mail(Server("smtp", "localhost", office.port, "debrief", "right"), SENDER)
        outcome = await outcome_of(mail, a_letter())

    assert outcome.kind == "later"
    assert office.logins == []


async def test_a_wrong_password_is_for_us_to_mend_and_no_fault_of_the_letter():
    async with post_office(security="starttls") as office:
        outcome = await outcome_of(mail_to(office, scheme="smtp", password="wrong"), a_letter())

    assert (outcome.kind, outcome.wait) == ("later", timedelta(minutes=5))


# Where it goes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", Server("smtp", "mail.example.com", 587)),
        ("smtps://a%40b:p%3Aw@mail.example.com", Server("smtps", "mail.example.com", 465, "a@b", "p:w")),
        ("smtp+plain://127.0.0.1:2525", Server("smtp+plain", "127.0.0.1", 2525)),
    ],
)
def test_an_address_of_a_server_is_read(url: str, server: Server):
    assert Server.read(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com",
        "http://mail",
        "smtp://",
        "smtp://u:hunter2@h:x",
        "smtp+plain://u:hunter2@h",
        "smtp://h\r\n",
    ],
)
def test_a_wrong_one_is_refused_and_its_password_not_repeated(url: str):
    with pytest.raises(ValueError, match=r"give|use smtp") as refused:
        Server.read(url)

    assert "hunter2" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__ or ''}".replace(
        url, ""
    )


def test_a_password_is_not_shown():
    assert "hunter2" not in repr(Server.read("smtp://u:hunter2@mail.example.com"))


@pytest.mark.parametrize("words", ["", "Debrief", "a@b\r\nBcc: c@d", "Debrief <a b@c>", "a@b, c@d"])
def test_a_sender_is_one_address(words: str):
    with pytest.raises(ValueError, match="give an address"):
        addresses.mailbox(words)


def test_a_sender_may_have_a_name():
    assert addresses.mailbox("Debrief <debrief@example.com>") == Guest("debrief@example.com", "Debrief")
