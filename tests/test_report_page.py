"""The report as a page in somebody's direct messages: for them alone, as it is now, and only while they may read it."""

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.server import Running, sandbox
from bot.sheets import Sheets
from storage import incidents, outbox, people, reviews
from storage.models import Incident, Membership, Source
from storage.session import Storage
from tests.couriers import a_courier
from tests.sandbox.cast import client_of
from tests.test_courier import INCIDENTS, TEAM, Office


class Desk(Office):
    """An office whose courier sends the page that `report` holds."""

    report = "<!doctype html><p>version 1</p>"
    incident = 0
    reader = ""
    form = "html"

    def page(self, _db: object, _team: str, incident: int, _house: object) -> str:
        assert incident == self.incident
        return self.report

    def paper(self, _db: object, _team: str, incident: int, _house: object) -> bytes:
        assert incident == self.incident
        return b"%PDF-1.7 version 1"

    def ask(self) -> None:
        now = self.slack.sandbox.clock.now()
        words = outbox.Words(
            key=f"{outbox.PAGE}{self.form}:{self.incident}:{self.reader}",
            channel=self.reader,
            text="Here is the report.",
            incident=self.incident,
            at=now,
        )
        with self.storage.write() as db:
            outbox.show(db, TEAM, words)

    def erase(self) -> None:
        with self.storage.write() as db:
            outbox.draw_again(db, TEAM, [self.incident])

    def pages(self) -> list[tuple[str, str, bytes]]:
        """What lies in direct messages: name, kind and content of every file that can be seen."""
        files = self.slack.sandbox.workspace.files
        found = [
            files[file["id"]]
            for channel in self.slack.sandbox.workspace.channels.values()
            if channel.id.startswith("D")
            for message in channel.in_order()
            for file in message.get("files") or ()
            if file["mode"] != "tombstone"
        ]
        return [(str(file.fields["name"]), str(file.fields["mimetype"]), file.content or b"") for file in found]


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


@pytest.fixture
async def desk(database_url: str, slack: Running) -> AsyncIterator[Desk]:
    storage = Storage(database_url)
    desk = Desk(storage, slack, None)  # pyright: ignore[reportArgumentType] - it needs the desk to print
    desk.reader = next(user for user, one in slack.sandbox.workspace.users.items() if not one.is_bot)
    now = slack.sandbox.clock.now()
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")
        incident = Incident(team_id=TEAM, title="Slow", opened_at=now, opened_by=desk.reader, private_since=now)
        db.add(incident)
        db.flush()
        desk.incident = incident.id
        db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=INCIDENTS, channel_name="inc", from_at=now))
        db.add(Membership(team_id=TEAM, channel_id=INCIDENTS, user_id=desk.reader))
        reviews.begin(db, incident)
        assert incidents.by_number(db, TEAM, incident.id, desk.reader)
    client = client_of(slack)
    sheets = Sheets(storage, TEAM, print_html=desk.page, print_pdf=desk.paper)
    desk.courier = a_courier(storage, client, slack.sandbox.clock.now, sheets=sheets)
    yield desk
    storage.close()


async def test_a_report_that_is_asked_for_comes_as_a_page_in_direct_messages(desk: Desk):
    desk.ask()

    await desk.round()

    assert desk.pages() == [(f"review-{desk.incident}.html", "text/html", desk.report.encode())]


async def test_one_that_is_asked_for_on_paper_comes_as_pdf(desk: Desk):
    desk.form = "pdf"
    desk.ask()

    await desk.round()

    assert desk.pages() == [(f"review-{desk.incident}.pdf", "application/pdf", b"%PDF-1.7 version 1")]


async def test_asking_again_sends_it_again_only_where_something_is_new(desk: Desk):
    for _ in range(2):
        desk.ask()
        await desk.round()
    once = desk.pages()

    desk.report = "<!doctype html><p>version 2</p>"
    desk.ask()
    await desk.round()

    assert len(once) == 1
    assert [content for *_, content in desk.pages()] == [desk.report.encode()]


async def test_a_page_with_what_was_erased_is_replaced(desk: Desk):
    desk.ask()
    await desk.round()

    desk.report = "<!doctype html><p>the words were deleted</p>"
    desk.erase()
    await desk.round()

    assert [content for *_, content in desk.pages()] == [desk.report.encode()]


async def test_who_may_no_longer_read_it_gets_none_and_keeps_none(desk: Desk):
    desk.ask()
    await desk.round()
    assert desk.pages()

    with desk.storage.write() as db:
        db.query(Membership).update({"left_at": desk.slack.sandbox.clock.now()})
    desk.erase()
    await desk.round()

    assert desk.pages() == []
