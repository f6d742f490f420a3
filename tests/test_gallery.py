"""Pictures below a summary, with the sandbox as Slack and real databases: posted once, drawn anew, taken down."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import looking_up
from bot.claims import Claims
from bot.courier import MOST_TRIES, Courier
from bot.desk import House
from bot.drawing import NotDrawn, Picture
from bot.review.heard import MessageFact
from bot.sandbox import talking
from bot.sandbox.manifest import Manifest
from bot.sandbox.server import Running, sandbox
from bot.sheets import Sheets
from storage import outbox, people, read_back
from storage.models import OutboxNote
from storage.session import Storage
from tests import couriers
from tests.sandbox.cast import HangsUp, client_of
from tests.test_courier import AFTER, BEFORE, GRACE, INCIDENTS, TEAM, Office

INCIDENT = 7
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><desc>{}</desc></svg>'


class Wall(Office):
    """An office whose courier hangs the picture of what `shows` says; None where nothing is to be seen."""

    shows: str | None = "restarted the pods"

    def draw(self, _db: Session, _team: str, incident: int, _house: House) -> Picture | None:
        assert incident == INCIDENT
        if self.shows == "unreadable":
            raise NotDrawn
        return None if self.shows is None else Picture(SVG.format(self.shows), "3 events")

    def hang(self, *, to: str = INCIDENTS, thread: str = "") -> None:
        now = self.slack.sandbox.clock.now()
        words = outbox.Words(
            key=f"chart:{to}", channel=to, thread=thread, text="The timeline.", incident=INCIDENT, at=now
        )
        with self.storage.write() as db:
            outbox.show(db, TEAM, words)

    def erase(self, incident: int = INCIDENT) -> None:
        with self.storage.write() as db:
            outbox.draw_again(db, TEAM, [incident])

    def restart(self) -> None:
        """Another process goes on with what this one left."""
        self.courier = a_courier(self)

    def pictures(self, channel: str = INCIDENTS) -> list[bytes]:
        """The pictures that can be seen in a channel, in order."""
        return [self.slack.sandbox.workspace.files[file].content or b"" for file in self.shown(channel)]

    def shown(self, channel: str = INCIDENTS) -> list[str]:
        """Their files."""
        messages = self.slack.sandbox.workspace.channels[channel].in_order()
        blocks = [block for message in messages for block in message.get("blocks") or () if block["type"] == "image"]
        files = [block["slack_file"]["id"] for block in blocks]
        return [file for file in files if file in self.slack.sandbox.workspace.files]

    def note(self) -> OutboxNote:
        with self.storage.read() as db:
            note = db.scalars(select(OutboxNote).where(OutboxNote.kind == "picture")).one()
            db.expunge(note)
            return note


def a_courier(wall: Wall, *, claims: type[Claims] = Claims, sheets: type[Sheets] = Sheets) -> Courier:
    client, now = HangsUp(wall.slack), wall.slack.sandbox.clock.now
    drawn = sheets(wall.storage, TEAM, draw=wall.draw)
    return couriers.a_courier(wall.storage, client, now, sheets=drawn, claims=claims)


@pytest.fixture
async def slack() -> AsyncIterator[Running]:
    async with sandbox() as running:
        yield running


def a_wall(url: str, slack: Running) -> Wall:
    storage = Storage(url)
    with storage.write() as db:
        people.know_workspace(db, TEAM, name="", url="", bot_user="U0DEBRIEF", bot_id="B0DEBRIEF", mark_key="key")
    wall = Wall(storage, slack, None)  # pyright: ignore[reportArgumentType] - it needs the wall to draw
    wall.courier = a_courier(wall)
    return wall


@pytest.fixture
async def wall(sqlite_url: str, slack: Running) -> AsyncIterator[Wall]:
    wall = a_wall(sqlite_url, slack)
    yield wall
    wall.storage.close()


@pytest.fixture
async def either_wall(database_url: str, slack: Running) -> AsyncIterator[Wall]:
    """On each kind of database."""
    wall = a_wall(database_url, slack)
    yield wall
    wall.storage.close()


# Posted once ----------------------------------------------------------------------------------------


async def test_the_picture_follows_the_summary_with_words_for_who_cannot_see_it(either_wall: Wall):
    wall = either_wall
    wall.say("summary")
    wall.hang()

    await wall.round()

    messages = everything(wall)
    assert [message["text"] for message in messages] == ["summary", "The timeline."]
    words, picture = messages[1]["blocks"]
    assert (words["text"]["text"], picture["alt_text"]) == ("The timeline.", "3 events")
    assert wall.pictures()[0].startswith(b"\x89PNG")
    assert messages[1]["metadata"]["event_type"] == looking_up.EVENT


async def test_a_picture_is_posted_in_the_thread_of_its_incident(wall: Wall):
    wall.say("parent")
    await wall.round()
    (parent,) = everything(wall)

    wall.hang(thread=parent["ts"])
    await wall.round()

    (reply,) = [message for message in everything(wall) if message["text"] == "The timeline."]
    assert len(wall.pictures()) == 1
    assert reply["thread_ts"] == parent["ts"]


def everything(wall: Wall) -> list[dict[str, Any]]:
    return list(wall.slack.sandbox.workspace.channels[INCIDENTS].messages.values())


async def test_the_same_picture_is_not_posted_twice(either_wall: Wall):
    wall = either_wall
    wall.hang()
    await wall.round()

    wall.hang()
    wall.erase()
    await wall.round()

    assert len(wall.pictures()) == 1
    assert wall.called("files.completeUploadExternal") == 1
    assert wall.called("chat.postMessage") == 1


@pytest.mark.parametrize("fault", BEFORE + AFTER)
@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal", "files.info", "chat.postMessage"]
)
async def test_whatever_goes_wrong_in_between_it_is_seen_once(wall: Wall, method: str, fault: str):
    wall.fault(fault, method)
    wall.hang()

    for _ in range(3):
        await wall.round()
        wall.pass_time(GRACE.total_seconds() + 1)
    await wall.round()

    assert len(wall.pictures()) == 1
    assert wall.note().state == "sent"


class CutOff(Exception):
    """The power went."""


@pytest.mark.parametrize(("part", "step"), [(Sheets, "of"), (Claims, "mark_files"), (Claims, "mark_sent")])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_crash_at_any_step_neither_loses_nor_doubles_it(
    wall: Wall, part: type[Claims | Sheets], step: str, times: int
):
    left = times

    def crash(self: Claims | Sheets, *given: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        done = getattr(part, step)(self, *given, **more) if left >= 0 else None
        if left <= 0:
            raise CutOff
        return done

    crashing: Any = {part.__name__.lower(): type("Crashing", (part,), {step: crash})}
    wall.courier = a_courier(wall, **crashing)
    wall.hang()
    await wall.round()

    wall.restart()
    for _ in range(3):
        wall.pass_time(GRACE.total_seconds() + 20)
        await wall.round()

    assert len(wall.pictures()) == 1
    assert wall.note().state == "sent"


async def test_a_courier_that_does_not_write_the_file_down_before_it_is_shown_posts_it_twice(either_wall: Wall):
    wall = either_wall

    class Forgetful(Claims):
        def mark_files(self, parcel: Any, hung: Any) -> None:
            if all(one.shown for one in hung):
                super().mark_files(parcel, hung)

    wall.courier = a_courier(wall, claims=Forgetful)
    wall.fault("timeout_after")
    wall.hang()

    for _ in range(3):
        await wall.round()
        wall.pass_time(GRACE.total_seconds() + 1)

    assert len(wall.pictures()) == 2


# Nothing waits for it -------------------------------------------------------------------------------


async def test_words_do_not_wait_for_a_picture_that_cannot_be_uploaded(wall: Wall):
    wall.fault("5xx_before", "files.getUploadURLExternal", times=99)
    wall.say("summary")
    wall.hang()
    wall.say("later")

    await wall.round()

    assert wall.seen() == ["summary", "later"]


async def test_an_upload_that_always_fails_is_given_up(either_wall: Wall):
    wall = either_wall
    wall.fault("5xx_before", "files.getUploadURLExternal", times=99)
    wall.hang()

    for _ in range(MOST_TRIES + 2):
        await wall.round()
        wall.pass_time(GRACE.total_seconds() + 1)

    assert (wall.note().state, wall.note().error) == ("dead", "not_uploaded")
    assert wall.called("files.getUploadURLExternal") == MOST_TRIES


async def test_without_the_scope_the_summary_stands_alone(wall: Wall):
    scopes = wall.slack.sandbox.manifest.scopes - {"files:write"}
    wall.slack.sandbox.manifest = Manifest(scopes=scopes)
    wall.say("summary")
    wall.hang()
    wall.say("later")

    await wall.round()

    assert wall.seen() == ["summary", "later"]
    assert (wall.note().state, wall.note().error) == ("dead", "missing_scope")


async def test_a_picture_that_cannot_be_drawn_is_said_to_be_so(wall: Wall):
    wall.shows = "unreadable"
    wall.hang()

    await wall.round()

    assert (wall.note().state, wall.note().error) == ("dead", "not_drawn")


async def test_it_is_shown_once_slack_is_done_with_it(wall: Wall):
    wall.slack.sandbox.faults.set({"file_lag_s": 0.5})
    wall.hang()

    await wall.round()

    assert len(wall.pictures()) == 1
    assert wall.called("files.info") > 1


async def test_where_it_may_not_be_shown_it_does_not_lie_in_slack(wall: Wall):
    wall.slack.sandbox.workspace.channels[INCIDENTS].archived = True
    wall.hang()

    await wall.round()

    assert (wall.note().state, wall.note().error, wall.note().files) == ("dead", "is_archived", [])
    assert wall.slack.sandbox.workspace.files == {}


# Drawn anew -----------------------------------------------------------------------------------------


async def test_what_was_erased_is_seen_no_longer(either_wall: Wall):
    wall = either_wall
    wall.hang()
    await wall.round()
    before = wall.pictures()

    wall.shows = "the words were deleted"
    wall.erase()
    await wall.round()

    assert len(wall.slack.sandbox.workspace.files) == 1
    assert len(wall.pictures()) == 1
    assert before


async def test_it_is_drawn_anew_in_its_place(either_wall: Wall):
    wall = either_wall
    wall.hang()
    await wall.round()
    wall.say("later")
    await wall.round()
    place = [message["ts"] for message in everything(wall)]

    wall.shows = "the words were deleted"
    wall.erase()
    await wall.round()

    assert [message["ts"] for message in everything(wall)] == place
    assert wall.seen() == ["The timeline.", "later"]


@pytest.mark.parametrize("fault", ["5xx_before", "reset_after", "timeout_after"])
@pytest.mark.parametrize("method", ["files.delete", "chat.update"])
async def test_whatever_goes_wrong_while_it_is_drawn_anew_the_new_one_is_seen_once(wall: Wall, method: str, fault: str):
    wall.hang()
    await wall.round()
    (before,) = wall.shown()

    wall.shows = "the words were deleted"
    wall.fault(fault, method)
    wall.erase()
    for _ in range(3):
        await wall.round()
        assert before not in wall.shown() or method == "files.delete"
        wall.pass_time(GRACE.total_seconds() + 20)
    await wall.round()

    (after,) = wall.shown()
    assert after != before
    assert len(wall.slack.sandbox.workspace.files) == 1
    assert (len(everything(wall)), wall.note().state) == (1, "sent")


async def test_a_picture_whose_message_somebody_deleted_is_not_posted_anew(wall: Wall):
    wall.hang()
    await wall.round()
    (message,) = everything(wall)
    talking.delete(wall.slack.sandbox, wall.slack.sandbox.workspace.channels[INCIDENTS], message)
    gone = MessageFact(channel=INCIDENTS, ts=message["ts"], how="deleted", deleted_at=wall.slack.sandbox.clock.now())
    with wall.storage.write() as db:
        read_back.mark_deleted(db, TEAM, [gone])

    wall.shows = "the words were deleted"
    wall.erase()
    await wall.round()

    assert everything(wall) == []
    assert wall.slack.sandbox.workspace.files == {}
    assert (wall.note().state, wall.note().error) == ("dead", "message_not_found")


async def test_a_picture_on_which_nothing_is_left_is_taken_down(either_wall: Wall):
    wall = either_wall
    wall.hang()
    await wall.round()

    wall.shows = None
    wall.erase()
    await wall.round()

    assert wall.pictures() == []
    assert (wall.note().state, wall.note().files) == ("sent", [])


async def test_what_was_erased_goes_even_where_the_new_one_cannot_be_uploaded(wall: Wall):
    wall.hang()
    await wall.round()

    wall.shows = "the words were deleted"
    wall.fault("5xx_before", "files.getUploadURLExternal", times=99)
    wall.erase()
    await wall.round()

    assert wall.pictures() == []


async def test_a_picture_that_somebody_deleted_already_is_no_obstacle(wall: Wall):
    wall.hang()
    await wall.round()
    (file,) = wall.note().files or []
    await client_of(wall.slack).files_delete(file=file["file"])

    wall.shows = "the words were deleted"
    wall.erase()
    await wall.round()

    assert len(wall.pictures()) == 1


async def test_pictures_of_other_incidents_stay_as_they_are(either_wall: Wall):
    wall = either_wall
    wall.hang()
    await wall.round()

    wall.erase(INCIDENT + 1)

    assert wall.note().version == 1
